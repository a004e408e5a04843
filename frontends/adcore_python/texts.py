"""Functions as their text, and back: in another process, which need not have the file."""

from __future__ import annotations

import ast
import linecache
import os
import types

from adcore.errors import UnsupportedFunctionError, refuse
from adcore.plugins import Text

from .fidelity import compiled as compiled_tree
from .fidelity import compiled_from, features_of, mangled
from .source import Code, code_of, parsed, place_of, remember

__all__ = ["compiled", "written"]


def written(function: types.FunctionType) -> Text:
    """The text of a function.

    Raises:
        UnsupportedFunctionError: there is no source, or it has changed since the function was made.
    """
    code, found = function.__code__, code_of(function)
    node = found.node
    span = (node.col_offset, node.end_col_offset or 0) if isinstance(node, ast.Lambda) else None
    first = code.co_firstlineno if span is None else node.lineno + found.shift
    last = (node.end_lineno or node.lineno) + found.shift
    lines = tuple(line.rstrip("\n") for line in found.lines[first - 1 : last])
    name, qualname = code.co_name, code.co_qualname
    text = Text(name, qualname, code.co_filename, first, lines, span, code.co_freevars, features_of(code))
    tree = _tree(text)
    if tree is None or not compiled_from(tree, 0, code):
        cause = f"the text of function {function.__qualname__!r} does not stand by itself"
        refuse(UnsupportedFunctionError, cause, place_of(function), "the function on lines of its own")
    return text


def compiled(text: Text) -> types.CodeType:
    """The code of a function of this text, whose tree is remembered."""
    tree = _tree(text)
    assert tree is not None, "written has seen to it"
    code = compiled_tree(tree, text.closed, text.file, text.features)
    code = code.replace(co_name=text.name, co_qualname=text.qualname)
    lines = [*[""] * (text.line - 1), *(f"{line}\n" for line in text.lines)]
    remember(code, Code(tree, text.name, text.file, 0, lines))
    _show(text)
    return code


def _tree(text: Text) -> ast.FunctionDef | ast.Lambda | None:
    """The syntax tree, with the lines of the file."""
    lines = text.lines
    node = parsed("\n".join(lines)) if text.span is None else _parsed_alone(lines, *text.span)
    if not isinstance(node, ast.FunctionDef | ast.Lambda):
        return None
    ast.increment_lineno(node, text.line - 2)  # from 2, where both begin
    return mangled(node, text.qualname)


def _parsed_alone(lines: tuple[str, ...], begin: int, end: int) -> ast.expr | None:
    """The expression from a byte of the first line to one of the last, in its columns."""
    shown = [line.encode() for line in lines]
    shown[-1] = shown[-1][:end]
    shown[0] = b" " * begin + shown[0][begin:]
    try:
        return ast.parse(b"(\n" + b"\n".join(shown) + b"\n)", mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return None


_shown: dict[str, list[str]] = {}  # the lines that are known of files that are not here


def _show(text: Text) -> None:
    """Have messages show the lines of a file that is not here."""
    known = linecache.cache.get(text.file)
    if os.path.exists(text.file) or (known is not None and known[2:3] != (_shown.get(text.file),)):
        return
    lines = _shown.setdefault(text.file, [])
    end = text.line - 1 + len(text.lines)
    lines.extend(["\n"] * (end - len(lines)))
    lines[text.line - 1 : end] = [f"{line}\n" for line in text.lines]
    linecache.cache[text.file] = (len(lines), None, lines, text.file)
