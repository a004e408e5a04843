"""Matrix products, and writes into a part of an array, as kernels.

A product has partial results along the axis that is summed, as a reduction has (`adcore_llvm.cuda.elements`).

A write at places that index arrays name goes through them in order: each of so many threads does those of its own
share of the places, so that what is written last stays, and sums are added up in the order of the program.  Where that
order does not matter to the caller, each thread adds one number, atomically.
"""

from __future__ import annotations

from collections.abc import Sequence

from adcore.program import Equation
from adcore.types import Var

from ..code import LLVM_TYPE, Code
from ..complexes import parts
from ..fused import combine
from ..picked import picked_of
from ..scalar import lower_scalar
from ..values import Strided, Undefined, address, load, store, zero
from ..views import region_of
from ..writes import is_indexed, put
from .elements import every, indices_of
from .kernel import Argument, Body, Kernel
from .module import Module

__all__ = ["SHARES", "is_atomic", "product_kernel", "write_kernel"]

SHARES = 1024  # threads that share the places of a write


def product_kernel(
    name: str,
    product: Equation,
    before: list[Equation],
    arguments: Sequence[Argument],
    partial: Var,
    module: Module,
) -> Kernel:
    """The kernel of a matrix product, for each partial result of each element."""
    body = Body(name, arguments, module)
    wanted = set(product.operands)
    body.define(before, [out for e in before for out in e.outs if out in wanted])
    code, block, dtype = body.code, body.block, product.outs[0].type.dtype
    left, right = (block.array(a) for a in product.operands)
    target = body.target(partial)
    place, *at = indices_of(code, body.number, target.lengths)
    *batch, row, column = at
    type = LLVM_TYPE[dtype]
    slot = code.slot(type, zero(dtype))
    with every(code, place, target.lengths[0], left.lengths[-1]) as i:
        factors = load(code, left, [*batch, row, i]), load(code, right, [*batch, i, column])
        more = lower_scalar(code, "mul", (dtype, dtype), factors, {})
        both = code.op(f"load {type}, ptr {slot}"), more
        code.do(f"store {type} {combine(code, 'total', dtype, *both)}, ptr {slot}")
    store(code, target, [place, *at], code.op(f"load {type}, ptr {slot}"))
    return body.finish()


def is_atomic(write: Equation) -> bool:
    """Whether a write adds numbers which a device can add atomically, at places that index arrays name."""
    dtype = write.outs[0].type.dtype
    adds = write.primitive.name in ("add_at", "scatter_add") and is_indexed(write)
    return adds and (dtype.kind in "fc" or (dtype.integer and dtype.bits >= 32))


def add_atomically(code: Code, array: Strided, indices: list[str], value: str) -> None:
    """Add to one element, while other threads may do that too; the parts of a complex number one after the other."""
    dtype, pointer = array.dtype, address(code, array, indices)
    numbers = parts(code, dtype, value) if dtype.complex else (value,)
    of = dtype.real if dtype.complex else dtype
    type, add = LLVM_TYPE[of], "add" if dtype.integer else "fadd"
    for k, number in enumerate(numbers):
        at = code.op(f"getelementptr {type}, ptr {pointer}, i64 {k}") if k else pointer
        scope, size = 'syncscope("device") monotonic', of.bits // 8
        code.op(f"atomicrmw {add} ptr {at}, {type} {number} {scope}, align {size}")


def write_kernel(
    name: str,
    write: Equation,
    before: list[Equation],
    arguments: Sequence[Argument],
    module: Module,
    atomic: bool,
) -> Kernel:
    """The kernel of a write: for each element that is written, or for each share of the places unless it is atomic.

    The array that it gives has the elements of the one that is written into already.
    """
    body = Body(name, arguments, module)
    value, out = write.operands[1], write.outs[0]
    wanted = {*write.operands[1:]}
    body.define(before, [o for e in before for o in e.outs if o in wanted])
    code, block = body.code, body.block
    memory = body.target(out)
    codes, operands = write.params["codes"], write.operands[2:]
    source = block.array(value) if value.type.shape else block.scalar(value)
    lengths = list(block.lengths(value.type)) if value.type.shape else []
    if isinstance(source, Undefined):
        return body.finish()

    def element(indices: list[str]) -> str:
        return source if isinstance(source, str) else load(code, source, indices)

    if not is_indexed(write):
        place = region_of(block, memory, codes, operands)
        indices = indices_of(code, body.number, lengths)
        put(block, write, place, indices, element(indices))
        return body.finish()
    place = picked_of(block, memory, codes, operands)
    if atomic:
        indices = indices_of(code, body.number, lengths)
        add_atomically(code, place.region, place.position(code, indices), element(indices))
        return body.finish()

    def in_turn(indices: list[str]) -> None:
        position = place.position(code, indices)
        own, after = code.label(), code.label()
        share = code.op(f"urem i64 {position[place.axes[0]]}, {SHARES}")
        code.branch(code.op(f"icmp eq i64 {share}, {body.number}"), own, after)
        code.start(own)
        put(block, write, place, indices, element(indices))
        code.jump(after)
        code.start(after)

    code.nest(lengths, in_turn)
    return body.finish()
