"""Whether a call is compiled and runs, and how often it can be differentiated, found by doing it."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from adcore.derive import linearize, push
from adcore.errors import AdcoreError, MissingRuleError
from adcore.plugins import Spec, backend
from adcore.primitives import CHECKED_ERRORS
from adcore.program import Program, clone
from adcore.rules import expand_rules
from adcore.types import DType

__all__ = ["DTYPES", "defined", "orders", "parameters", "probed", "sample", "source_of"]

DTYPES = (DType.F64, DType.F32, DType.C128, DType.C64, DType.I64, DType.BOOL)
NUMBERS, VECTORS, MATRICES = "xyzpq", "uvw", "abc"
RANKS = {**dict.fromkeys(NUMBERS, 0), **dict.fromkeys(VECTORS, 1), **dict.fromkeys(MATRICES, 2), "t": 3}
FIXED = {"n": Spec(DType.I64, python=True), "i": Spec(DType.I64, (None,)), "m": Spec(DType.BOOL, (None,))}
FIXED_SAMPLES = {"n": 3, "i": np.array([0, 1, 1]), "m": np.array([True, False, True])}
PYTHON = (DType.F64, DType.C128, DType.I64, DType.BOOL)  # these are also types of Python's numbers
SHIFTS = (0, 1)  # a call runs if it does at one of two points: no point is in the domain of all functions
ENOUGH = 3  # so many derivatives, one of another, stand for all: rules speak the language that they differentiate


def parameters(call: str) -> list[str]:
    """The letters in a call that stand for arguments."""
    used = {node.id for node in ast.walk(ast.parse(call)) if isinstance(node, ast.Name)}
    return [name for name in (*RANKS, *FIXED) if name in used]


def source_of(call: str) -> str:
    """The call as the body of a function `f` of the letters in it."""
    body = call if "\n" in call else f"return {call}"
    return f"def f({', '.join(parameters(call))}):\n    " + body.replace("\n", "\n    ") + "\n"


@contextmanager
def defined(name: str, text: str, namespace: Mapping[str, Any]) -> Iterator[Any]:
    """The function `f` that a text defines, whose source can be read."""
    file = f"<{name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    found = dict(namespace)
    try:
        exec(compile(text, file, "exec"), found)
        yield found["f"]
    finally:
        del linecache.cache[file]


def sample(name: str, dtype: DType, shift: int) -> Any:
    """An argument for a letter: vectors are sorted, matrices are symmetric and positive definite."""
    if name in FIXED:
        return FIXED_SAMPLES[name]
    exact = dtype.kind in "bi"
    if name in NUMBERS:
        found = np.asarray(shift + (1.0 if exact else 0.1) * (NUMBERS.index(name) + (0 if exact else 3)))
    elif name in VECTORS:
        found = shift + np.array([[1, 2, 3], [2, 3, 5], [3, 5, 7]][VECTORS.index(name)]) / (1 if exact else 10)
        found = found / 6 * 10 if name == "u" and not shift and not exact else found
    elif name in MATRICES:
        found = (np.eye(3) * (2 + MATRICES.index(name)) + 1) / (1 if exact else 10)
    else:
        found = np.arange(27.0).reshape(3, 3, 3) / (1 if exact else 10)
    value = found.astype(dtype.numpy)
    return value if value.ndim else value.item() if dtype in PYTHON else value[()]


def probed(text: str, names: list[str], dtype: DType, namespace: Mapping[str, Any]) -> Program | None:
    """The program of the function `f` in a text for arguments of this dtype; None where it is refused or only raises.

    What fails at one of the points only is in order there: numbers outside of a domain are.
    """
    from . import PythonFrontend

    specs = tuple(_spec(name, dtype) for name in names)
    with defined("a call", text, namespace) as function:
        try:
            lowered = PythonFrontend().lower(function, specs)
        except AdcoreError:
            return None
    closed_over = [capture.read() for capture in lowered.captures]
    points = ([sample(name, dtype, shift) for name in names] for shift in SHIFTS)
    return lowered.program if any(_runs(lowered.program, [*point, *closed_over]) for point in points) else None


def _spec(name: str, dtype: DType) -> Spec:
    return FIXED[name] if name in FIXED else Spec(dtype, (None,) * RANKS[name], not RANKS[name] and dtype in PYTHON)


def _runs(program: Program, arguments: list[Any]) -> bool:
    try:
        with np.errstate(all="ignore"):
            backend("numpy").compile(program)(*arguments)
    except tuple(CHECKED_ERRORS.values()):
        return False
    return True


def orders(program: Program, names: list[str]) -> str:
    """How often the results can be differentiated in the arguments."""
    results = {r.type.dtype.kind for r in program.results}
    if not results & set("fc"):
        kinds = "booleans" if results == {"b"} else "integers" if results else "a constant"
        return f"none ({kinds})"
    if not names:
        return "none (no arguments)"
    params = zip(names, program.params, strict=False)
    found = {name: _order(program, k) for k, (name, p) in enumerate(params) if p.type.dtype.differentiable}
    if len(set(found.values())) == 1:
        return next(iter(found.values()))
    return ", ".join(f"{order} in {name}" for name, order in found.items()) or "none (integer arguments)"


def _order(program: Program, index: int) -> str:
    copy = clone(program)
    active = {copy.params[index]}
    expand_rules(copy, active)
    linearize(copy.equations, active)
    if not any(result in active for result in copy.results):
        return "zero"
    for done in range(ENOUGH):
        try:
            program = push(program, [index])
        except MissingRuleError:
            return str(done)
    return "any"
