"""Rows that are routines of arrays: each is a function of machine code, compiled when a program first needs it.

It is called as a program's kernel is; the arrays that it gives are allocated there, and freed by who calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adcore import elimination, elimination_order
from adcore.primitives.routines import array_routine
from adcore.program import Equation
from adcore.types import Atom, DType

from .boxing import slots_of
from .code import LLVM_TYPE, Code
from .control import whole
from .engine import load, support
from .symbols import Needs, needs_of, provider, register
from .targets import is_alone
from .values import Strided

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["lower_array_routine"]

Called = tuple[Callable[..., Any], tuple[Atom, ...]]


def _sparse_solve(e: Equation) -> Called:
    solve = elimination.sparse_substitution_transposed if e.params["transposed"] else elimination.sparse_substitution
    return solve, e.operands[3:]  # without the matrix


ROUTINES: dict[str, Callable[[Equation], Called]] = {
    "sparse_order": lambda e: (elimination_order.sparse_order, e.operands),
    "sparse_lu": lambda e: (elimination.sparse_lu, e.operands),
    "sparse_solve": _sparse_solve,
}


def lower_array_routine(block: Block, e: Equation) -> None:
    """Call the routine, and take over what it gives."""
    code = block.code
    function, operands = ROUTINES[e.primitive.name](e)
    symbol = _symbol(code, function.__name__, tuple(f"{a.type.dtype.short}{a.type.rank}" for a in operands))
    out = code.name()
    code.entry.append(f"  {out} = alloca [{sum(slots_of(o.type) for o in e.outs)} x i64]")
    arguments = [argument for operand in operands for argument in _argument(block, operand)]
    passed = [("ptr", "%err"), ("ptr", out), *arguments]
    if symbol not in code.declarations:
        code.declare(symbol, f"declare i64 @{symbol}({', '.join(type for type, _ in passed)})")
    status = code.op(f"call i64 @{symbol}({', '.join(f'{type} {value}' for type, value in passed)})")
    # a routine does not check what it reads, so that this is all that can fail
    message = "cannot allocate an array of that size"
    block.lowering.fail_unless(code.op(f"icmp eq i64 {status}, 0"), "MemoryError", message)
    slot = 0
    for result in e.outs:
        place = code.op(f"getelementptr i64, ptr {out}, i64 {slot}")
        slot += slots_of(result.type)
        if result.type.shape:
            pointer = code.op(f"load ptr, ptr {place}")
            block.bind(result, whole(block, result.type.dtype, pointer, block.lengths(result.type), block))
        else:
            block.bind(result, code.op(f"load {LLVM_TYPE[result.type.dtype]}, ptr {place}"))


def _argument(block: Block, operand: Atom) -> list[tuple[str, str]]:
    """A number, or the pointer and lengths of an array in C order."""
    if not operand.type.shape:
        return [(LLVM_TYPE[operand.type.dtype], block.scalar(operand))]
    array = block.array(operand)
    if not isinstance(array, Strided) or not array.whole:
        array = block.copied(array)
    return [("ptr", array.pointer), *(("i64", n) for n in array.lengths)]


def _symbol(code: Code, name: str, types: tuple[str, ...]) -> str:
    """The name of the routine for arguments of these dtypes and ranks: compiled, or in the module."""
    if not is_alone():
        return _compiled(name, *types)
    symbol = "_".join(("routine", name, *types))
    if symbol not in code.declarations:
        code.declare(symbol, _text(name, types, symbol, "internal", code.declarations))
    return symbol


@provider("array routine")
def _compiled(name: str, *types: str) -> str:
    """The name under which compiled code finds the routine for arguments of these dtypes and ranks."""
    symbol = "_".join(("routine", name, *types))
    code, _ = support(symbol, lambda: _module(name, types, symbol))
    register(symbol, *load(code, symbol), "array routine", name, *types)
    return symbol


def _module(name: str, types: tuple[str, ...], symbol: str) -> tuple[str, Needs]:
    from .kernels import assembly_of

    declarations: dict[str, str] = {}
    text = _text(name, types, symbol, "", declarations)
    return assembly_of(declarations, text), needs_of(declarations)


def _text(name: str, types: tuple[str, ...], symbol: str, linkage: str, declarations: dict[str, str]) -> str:
    """The routine as a function, which refers to these declarations."""
    from .kernels import emit_function  # which lowers such rows by this module
    from .lower import Lowering

    parsed = tuple((_DTYPES[each[:-1]], int(each[-1])) for each in types)
    return emit_function(array_routine(_FUNCTIONS[name], parsed), Lowering(Code(declarations)), linkage, symbol)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        elimination_order.sparse_order,
        elimination.sparse_lu,
        elimination.sparse_substitution,
        elimination.sparse_substitution_transposed,
    )
}
_DTYPES = {d.short: d for d in DType}
