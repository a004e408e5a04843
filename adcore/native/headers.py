"""C headers: a prototype for every function of a library, and what its user has to know."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..signatures import definition
from .plans import Given, Into, Library, Made, Native, Parameter

__all__ = ["header_of", "prototype"]


def prototype(native: Native) -> str:
    """The declaration as C and C++ have it: arrays are pointers."""
    declared = native.declaration
    parameters = ", ".join(map(_plain, declared.parameters)) or "void"
    return f"{declared.spelling} {native.name}({parameters})"


def _plain(parameter: Parameter) -> str:
    stars = "*" * (parameter.pointer + parameter.made)
    return f"{'const ' if parameter.const else ''}{parameter.spelling} {stars}{parameter.name}"


def header_of(
    name: str, library: Library, natives: Sequence[Native], functions: Sequence[Any], linking: str, version: str
) -> str:
    """The text of a header for a library of this name."""
    guard = re.sub(r"\W", "_", name).upper() + "_H"
    made = any(isinstance(place, Made) for native in natives for place in native.results)
    lines = [
        f"/* {name}: made by adcore {version} for {library.triple}, {library.cpu or 'any processor'}.",
        "",
        f"   {linking}",
        "   The functions need no initialisation; any number of threads may call them at once.",
        "   Arrays are in C order: the last index runs fastest. */",
        "",
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        "#include <stdbool.h>",
        "#include <stddef.h>",
        "#include <stdint.h>",
        "",
        "#ifdef __cplusplus",
        'extern "C" {',
        "#endif",
    ]
    for native, function, failures in zip(natives, functions, library.failures, strict=True):
        lines += ["", *_function(native, function, failures)]
    if made:
        lines += ["", "/* Gives back an array that a function of this library has allocated. */"]
        lines += [f"void {name}_release(void *array);"]
    return "\n".join([*lines, "", "#ifdef __cplusplus", "}", "#endif", "", "#endif", ""])


def _function(native: Native, function: Any, failures: Sequence[Any]) -> list[str]:
    name, declared = native.name, native.declaration
    lines = [f"/* {_title(native, function)}"]
    results = {p.index for p in native.results if isinstance(p, Into | Made)}
    lengths = {n for p in declared.parameters for n in p.lengths if isinstance(n, str)}
    described = [(p.name, _described(native, k, p, results, lengths)) for k, p in enumerate(declared.parameters)]
    width = max((len(n) for n, _ in described), default=0)
    lines += ["", *(f"   {n:<{width}}  {text}" for n, text in described)] if described else []
    lines += ["", *_returned(native, failures), "*/"]
    told = [f"{prototype(native)};", "", f"/* What a number of a failure of {name} means.  Of the last failure in this"]
    told += ["   thread it says what was found, too; the next call in this thread may write over that text. */"]
    told += [f"const char *{name}_message(int64_t status);"]
    if not native.status:
        told += ["", f"/* The number of the last failure of {name} in this thread since this was asked last, or 0. */"]
        told += [f"int64_t {name}_status(void);"]
    lines[-2:] = [f"{lines[-2]} */"]
    return [*lines, *told]


def _title(native: Native, function: Any) -> str:
    source = definition(function)
    kind = getattr(getattr(function, "transform", None), "title", "")
    place = f", {Path(source.file).name}, line {source.line}" if source else ""
    title = f"{native.name}: {kind + ' of ' if kind else ''}{getattr(function, '__name__', native.name)}{place}."
    first = (inspect.getdoc(function) or "").partition("\n")[0].replace("*/", "* /")
    return f"{title}  {first}".rstrip()


def _described(native: Native, index: int, parameter: Parameter, results: set[int], lengths: set[str]) -> str:
    if parameter.dtype is None:
        return "not used"
    size = " × ".join(map(str, parameter.lengths))
    shape = f"{size} numbers" if parameter.lengths else "a number"
    if parameter.made:
        rank = _rank(native, Made(index))
        return f"a result: set to a new array of rank {rank}, which the caller releases; its lengths follow"
    if parameter.name in lengths:
        return "a length"
    if index in results and Given(index) in native.arguments:
        return f"{shape}, read and written"
    if any(isinstance(p, Made) and p.index < index <= p.index + _rank(native, p) for p in native.results):
        return "a length: a result"
    if index in results:
        return f"{shape}: a result"
    return f"{shape}, read"


def _rank(native: Native, place: Made) -> int:
    return native.program.results[native.results.index(place)].type.rank


def _returned(native: Native, failures: Sequence[Any]) -> list[str]:
    if native.status and native.declaration.success:
        lines = [f"   Returns {native.declaration.success}, or 0 after a failure."]
    elif native.status:
        lines = ["   Returns 0, or the number of a failure."]
    else:
        lines = [f"   After a failure {native.name}_status() is its number."]
    if failures:
        lines[0] += "  Real results are NaN then:" if native.results else "  Those are:"
    numbers: dict[str, list[int]] = {}
    for number, failure in enumerate(failures, 1):
        numbers.setdefault(f"{failure.error}: {_text(failure)}{_line(failure)}", []).append(number)
    return lines + [f"     {', '.join(map(str, these))}  {meaning}" for meaning, these in numbers.items()]


def _text(failure: Any) -> str:
    """The message of a failure, without what is only known when it happens."""
    return re.sub(r"\{\d+[^}]*\}", "…", failure.message).replace("*/", "* /")


def _line(failure: Any) -> str:
    return f" (line {failure.source.line})" if failure.source else ""
