"""Writes: `update`, `add_at`, `scatter`, `scatter_add` and `grow`, in place where the old value is dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcore.program import Equation

from .code import SIZE
from .picked import Picked, picked_of
from .scalar import lower_scalar
from .values import Array, Strided, Undefined, load, row_major, store
from .views import region_of

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["is_indexed", "lower_write", "prepare", "put"]


def lower_write(block: Block, equation: Equation) -> None:
    if equation.primitive.name == "grow":
        lower_grow(block, equation)
        return
    value = equation.operands[1]
    source: str | Array = block.array(value) if value.type.shape else block.scalar(value)
    if isinstance(source, Strided) and shares_memory(block, equation, source):
        source = block.copied(source)
    place = prepare(block, equation)
    code = block.code
    if isinstance(source, str):
        put(block, equation, place, [], source)
    elif not isinstance(source, Undefined):
        lengths = block.lengths(value.type)
        code.nest(list(lengths), lambda ix: put(block, equation, place, ix, load(code, source, ix)))


def is_indexed(equation: Equation) -> bool:
    """Whether index arrays say where to write."""
    return "a" in equation.params["codes"]


def shares_memory(block: Block, equation: Equation, source: Strided) -> bool:
    target = block.array(equation.operands[0])
    return isinstance(target, Strided) and target.root is source.root


def prepare(block: Block, equation: Equation) -> Strided | Picked:
    """Make the target writable and bind the result to it; gives the elements to write."""
    target = block.writable(block.array(equation.operands[0]))
    codes, operands = equation.params["codes"], equation.operands[2:]
    if is_indexed(equation):
        place = picked_of(block, target, codes, operands, apart=target.root)
        block.bind(equation.outs[0], target)
        return place
    block.bind(equation.outs[0], target)
    return region_of(block, target, codes, operands)


def put(block: Block, equation: Equation, place: Strided | Picked, indices: list[str], value: str) -> None:
    """Write, or add to, one element."""
    code = block.code
    if isinstance(place, Picked):
        region, indices = place.region, place.position(code, indices)
    else:
        region = place
    if equation.primitive.name in ("add_at", "scatter_add"):
        before = load(code, region, indices)
        value = lower_scalar(code, "add", (region.dtype, region.dtype), (before, value), {})
    store(code, region, indices, value)


def lower_grow(block: Block, equation: Equation) -> None:
    """The same memory while the leading length stays, else resized; new elements are not written."""
    code, lowering = block.code, block.lowering
    array = block.writable(block.array(equation.operands[0]))
    if array.root.framed:
        array = block.on_heap(array)
    wanted = block.scalar(equation.operands[1])
    lengths = (wanted, *array.lengths[1:])
    same, resize, done = code.op(f"icmp eq i64 {wanted}, {array.lengths[0]}"), code.label(), code.label()
    before = code.block
    code.branch(same, done, resize)
    code.start(resize)
    lowering.use_memory()
    size = code.mul(code.product(list(lengths)), str(SIZE[array.dtype]))
    moved = code.op(f"call ptr @adcore_resize({lowering.heap}ptr {array.pointer}, i64 {size})")
    lowering.fail_unless(code.op(f"icmp ne ptr {moved}, null"), "MemoryError", "cannot store the residuals of a loop")
    after = code.block
    code.jump(done)
    code.start(done)
    pointer = code.op(f"phi ptr [ {array.pointer}, %{before} ], [ {moved}, %{after} ]")
    array.root.pointer = pointer
    strides = row_major(code, lengths)
    block.bind(equation.outs[0], Strided(array.dtype, pointer, lengths, strides, array.root, whole=True))
