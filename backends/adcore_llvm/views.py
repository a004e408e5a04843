"""View primitives: new descriptions of the same elements, no loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from adcore.program import Equation
from adcore.types import Atom, DType, literal

from .code import MEMORY_TYPE
from .values import Constant, Counting, Strided, Undefined, load, offset, row_major

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["lower_view", "region_of"]


def lower_view(block: Block, equation: Equation) -> None:
    VIEWS[equation.primitive.name](block, equation)


def _iota(block: Block, e: Equation) -> None:
    block.bind(e.outs[0], Counting(DType.I64, block.lengths(e.outs[0].type)))


def _empty(block: Block, e: Equation) -> None:
    type = e.outs[0].type
    block.bind(e.outs[0], Undefined(type.dtype, block.lengths(type)) if type.shape else "0.0")


def _expand(block: Block, e: Equation) -> None:
    x, axes, type = e.operands[0], e.params["axes"], e.outs[0].type
    lengths = block.lengths(type)
    if not x.type.shape:
        block.bind(e.outs[0], Constant(type.dtype, block.scalar(x), lengths))
        return
    array = block.array(x)
    if isinstance(array, Constant | Undefined):
        block.bind(e.outs[0], replace(array, lengths=lengths))
        return
    memory = block.materialized(array)
    strides = iter(memory.strides)
    spread = tuple("0" if a in axes else next(strides) for a in range(len(lengths)))
    block.bind(e.outs[0], Strided(type.dtype, memory.pointer, lengths, spread, memory.root))


def _without_ones(shape: tuple[Atom, ...]) -> list[int]:
    return [k for k, n in enumerate(shape) if n != literal(1)]


def _reshape(block: Block, e: Equation) -> None:
    x, out = e.operands[0], e.outs[0]
    if not out.type.shape:
        array = block.array(x)
        block.bind(out, load(block.code, array, ["0"] * len(x.type.shape)))
        return
    lengths = block.lengths(out.type)
    if not x.type.shape:
        block.bind(out, Constant(out.type.dtype, block.scalar(x), lengths))
        return
    array = block.array(x)
    if isinstance(array, Constant | Undefined):
        block.bind(out, replace(array, lengths=lengths))
        return
    memory = block.materialized(array)
    before, after = _without_ones(x.type.shape), _without_ones(out.type.shape)
    if [x.type.shape[k] for k in before] == [out.type.shape[k] for k in after]:  # only axes of length 1 come or go
        strides = ["1"] * len(lengths)
        for source, target in zip(before, after, strict=True):
            strides[target] = memory.strides[source]
        block.bind(out, Strided(memory.dtype, memory.pointer, lengths, tuple(strides), memory.root, memory.whole))
        return
    if not memory.whole:
        memory = block.copied(memory)
    block.bind(
        out, Strided(memory.dtype, memory.pointer, lengths, row_major(block.code, lengths), memory.root, whole=True)
    )


def _permute(block: Block, e: Equation) -> None:
    array, order = block.array(e.operands[0]), e.params["order"]
    lengths = tuple(array.lengths[a] for a in order)
    if isinstance(array, Constant | Undefined):
        block.bind(e.outs[0], replace(array, lengths=lengths))
        return
    memory = block.materialized(array)
    strides = tuple(memory.strides[a] for a in order)
    block.bind(e.outs[0], Strided(memory.dtype, memory.pointer, lengths, strides, memory.root))


def _conform(block: Block, e: Equation) -> None:
    array, code = block.array(e.operands[0]), block.code
    lengths = tuple(block.scalar(a) for a in e.operands[1:])
    if e.params["checked"]:
        got = [f"{{{k}}}" for k in range(len(lengths))]
        wanted = [f"{{{k + len(lengths)}}}" for k in range(len(lengths))]
        message = f"operands could not be broadcast together with shapes {_tuple(wanted)} {_tuple(got)}"
        reported = [(n, DType.I64) for n in (*array.lengths, *lengths)]
        same = "true"
        for ours, theirs in zip(array.lengths, lengths, strict=True):
            if ours != theirs:
                equal = code.op(f"icmp eq i64 {ours}, {theirs}")
                same = equal if same == "true" else code.op(f"and i1 {same}, {equal}")
        block.lowering.fail_unless(same, "ValueError", e.params.get("message") or message, reported, e.source)
    block.bind(e.outs[0], replace(array, lengths=lengths))


def _tuple(parts: list[str]) -> str:
    return f"({parts[0]},)" if len(parts) == 1 else f"({','.join(parts)})"


def region_of(block: Block, array: Strided, codes: str, scalars: tuple[Atom, ...]) -> Strided:
    """The part of an array that axis codes and their operands name."""
    code = block.code
    values = [block.scalar(a) for a in scalars]
    starts: list[str] = []
    lengths: list[str] = []
    strides: list[str] = []
    for axis, kind in enumerate(codes):
        stride = array.strides[axis]
        if kind == "i":
            starts.append(values.pop(0))
        elif kind == "s":
            start, length, step = values[:3]
            del values[:3]
            starts.append(start)
            lengths.append(length)
            strides.append(code.mul(stride, step))
        else:
            starts.append("0")
            lengths.append(array.lengths[axis])
            strides.append(stride)
    position = offset(code, array, starts)
    pointer = array.pointer
    if position != "0":
        pointer = code.op(f"getelementptr {MEMORY_TYPE[array.dtype]}, ptr {pointer}, i64 {position}")
    region = (codes, scalars, array.lengths) if array.whole else None
    return Strided(array.dtype, pointer, tuple(lengths), tuple(strides), array.root, region=region)


def _view(block: Block, e: Equation) -> None:
    array, out = block.array(e.operands[0]), e.outs[0]
    if isinstance(array, Constant | Undefined):
        if out.type.shape:
            block.bind(out, replace(array, lengths=block.lengths(out.type)))
        else:
            block.bind(out, load(block.code, array, []))
        return
    if isinstance(array, Counting) and e.params["codes"] == "i":
        block.bind(out, block.scalar(e.operands[1]))
        return
    region = region_of(block, block.materialized(array), e.params["codes"], e.operands[1:])
    if out.type.shape:
        block.bind(out, replace(region, lengths=block.lengths(out.type)))
    else:
        block.bind(out, load(block.code, region, []))


VIEWS: dict[str, Callable[[Block, Equation], None]] = {
    "iota": _iota,
    "empty": _empty,
    "expand": _expand,
    "reshape": _reshape,
    "permute": _permute,
    "conform": _conform,
    "view": _view,
}
