"""Special functions: SciPy's own, called by their addresses in `scipy.special.cython_special`, and adcore's routines.

An address is registered under a name, so that the assembly is the same in every process.  The logarithm of the gamma
function is the C library's, which is more accurate, and there without an import that takes a tenth of a second.
"""

from __future__ import annotations

import math
import re
from importlib import import_module
from typing import Any

import llvmlite.binding as llvm

from adcore.primitives import TABLE
from adcore.primitives.routines import Routine
from adcore.primitives.scipy_rows import SciPy
from adcore.types import DType, Lit

from . import capi
from .code import LLVM_TYPE, Code, constant
from .symbols import provider, register
from .targets import machine
from .vector_math import PURE
from .written_out import IN_LIBM, WRITTEN_OUT

__all__ = ["lower_special", "needs_scipy"]

MODULE = "scipy.special.cython_special"
INTEGERS = {"long": "i64", "Py_ssize_t": "i64"}
FLOAT = "double"


def lower_special(code: Code, name: str, operands: tuple[str, ...]) -> str:
    """Emit a call of a row's function on floats."""
    meaning = TABLE[name].meaning
    if machine() is not None and not isinstance(meaning, Routine):
        return _without_scipy(code, name, operands)
    if isinstance(meaning, Routine):
        return _call_routine(code, name, meaning, operands)
    assert isinstance(meaning, SciPy), f"{name} has no lowering"
    if name == "gammaln" and llvm.address_of_symbol("lgamma"):
        return _lgamma(code, *operands)
    return _call_scipy(code, meaning, operands)


def needs_scipy(name: str) -> bool:
    """Whether a row is a function of SciPy's that a library without it has not."""
    own = name == "gammaln" or name in IN_LIBM or name in WRITTEN_OUT
    return isinstance(TABLE[name].meaning, SciPy) and not own


def _without_scipy(code: Code, name: str, operands: tuple[str, ...]) -> str:
    """A call of what serves in the place of SciPy's function."""
    if name == "gammaln":
        return _lgamma(code, *operands)
    if name in IN_LIBM:
        return code.call(FLOAT, IN_LIBM[name], *((FLOAT, x) for x in operands), attributes=PURE)
    return _call_routine(code, name, WRITTEN_OUT[name], operands)


def _lgamma(code: Code, x: str) -> str:
    """The C library's function, which differs from SciPy's at -∞ alone."""
    value = code.call(FLOAT, "lgamma", (FLOAT, x), attributes=PURE)
    below = constant(Lit(-math.inf, DType.F64))
    return code.op(f"select i1 {code.op(f'fcmp oeq double {x}, {below}')}, double {below}, double {value}")


# SciPy


def _call_scipy(code: Code, meaning: SciPy, operands: tuple[str, ...]) -> str:
    symbol, result, parameters = _found(meaning.name, len(operands), meaning.integers)
    rest = list(operands)
    slots: list[str] = []
    arguments: list[tuple[str, str]] = []
    for kind in parameters:
        if kind in INTEGERS:
            whole = code.call("i64", "llvm.fptosi.sat.i64.f64", (FLOAT, rest.pop(0)))
            arguments.append((INTEGERS[kind], whole))
        elif kind == FLOAT:
            arguments.append((FLOAT, rest.pop(0)))
        elif kind == "double *":
            slots.append(code.slot(FLOAT, "0.0"))
            arguments.append(("ptr", slots[-1]))
        else:  # whether to skip the Python method of that name, optional arguments
            arguments.append(("i32", "0") if kind == "int" else ("ptr", "null"))
    if result == FLOAT:
        return code.call(FLOAT, symbol, *arguments, attributes=PURE)
    code.call("void", symbol, *arguments, attributes=" nounwind willreturn")
    assert meaning.result is not None
    return code.op(f"load double, ptr {slots[meaning.result]}")


@provider("special")
def _found(name: str, arity: int, integers: int) -> tuple[str, str, tuple[str, ...]]:
    """The symbol of a function, its result and its parameters as C writes them.

    A function for several types has a version for each, of which that for these operands is taken.
    """
    capsules: dict[str, Any] = import_module(MODULE).__pyx_capi__
    for candidate, capsule in capsules.items():
        if candidate != name and not re.fullmatch(rf"__pyx_fuse(_\d)+{name}", candidate):
            continue
        signature = capi.name_of(capsule)
        result, _, listed = signature.decode().rstrip(")").partition(" (")
        parameters = tuple(re.sub(r" ?__pyx_skip_dispatch| ?\*__pyx_optional_args", "", p) for p in listed.split(", "))
        kinds = [p for p in parameters if p == FLOAT or p in INTEGERS]
        wanted = [p in INTEGERS for p in kinds] == [k < integers for k in range(arity)]
        if wanted and result in (FLOAT, "void") and not any("complex" in p for p in parameters):
            symbol = f"scipy.special.{candidate.removeprefix('__pyx_fuse_')}"
            register(symbol, capi.address_in(capsule, signature), "special", name, arity, integers)
            return symbol, result, parameters
    raise LookupError(f"{MODULE} has no {name} of {arity} real numbers")


# Routines


def _call_routine(code: Code, name: str, routine: Routine, operands: tuple[str, ...]) -> str:
    symbol = f"routine.{name.replace('@', '.')}"
    if symbol not in code.declarations:
        _define(code, symbol, routine)
    return code.op(f"call double @{symbol}({', '.join(f'double {x}' for x in operands)})")


def _define(code: Code, symbol: str, routine: Routine) -> None:
    """Have the module define a routine as a function of its own."""
    from .lower import Lowering, lower_program  # which lowers elementwise rows by this module

    inner = Code(code.declarations)
    lowering = Lowering(inner)
    names = [f"%x{k}" for k in range(routine.arity)]
    (result,) = lower_program(routine.program, lowering, names)
    assert not lowering.failures, f"{symbol} can fail: {lowering.failures}"
    parameters = ", ".join(f"{LLVM_TYPE[DType.F64]} {x}" for x in names)
    body = [f"define internal double @{symbol}({parameters}) nounwind {{", "entry:", *inner.entry, *inner.lines]
    code.declare(symbol, "\n".join([*body, f"  ret double {result}", "}"]))
