"""Calls of kernels in code that Numba compiles: the kernel's module becomes a part of the caller's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_new_ref

from adcore.primitives import CHECKED_ERRORS
from adcore.types import Type

from .row_kernels import Called
from .types import array_of, scalar_of

__all__ = ["emit_call", "provided", "result_of"]

WORD = ir.IntType(64)
POINTER = ir.PointerType()
REPORTED = 8  # words that a failure reports


def result_of(called: Called) -> types.Type:
    """Numba's type of what a row gives."""
    found = [array_of(t.dtype, t.rank) if t.rank else scalar_of(t.dtype) for t in called.results]
    return found[0] if len(found) == 1 else types.Tuple(found)


def emit_call(called: Called, context: Any, builder: Any, given: Sequence[types.Type], values: Sequence[Any]) -> Any:
    """The results of a kernel for operands that are numbers and arrays."""
    link(called, context)
    kernel = called.kernel
    arguments: list[Any] = []
    held: list[tuple[types.Array, Any]] = []
    for k in called.given:
        operand = given[k]
        if isinstance(operand, types.Array):
            type, array = together(context, builder, operand, values[k])
            held.append((type, array))
            found = context.make_array(type)(context, builder, array)
            arguments += [found.data, *cgutils.unpack_tuple(builder, found.shape, type.ndim)]
        else:
            arguments.append(context.cast(builder, values[k], operand, types.unliteral(operand)))
    slots = sum(slots_of(t) for t in called.results)
    err = cgutils.alloca_once(builder, WORD, size=REPORTED)
    out = cgutils.alloca_once(builder, WORD, size=max(slots, 1))
    signature = ir.FunctionType(WORD, [POINTER, POINTER, *(a.type for a in arguments)])
    function = cgutils.get_or_insert_function(builder.module, signature, kernel.name)
    status = builder.call(function, [err, out, *arguments])
    for type, array in held:
        context.nrt.decref(builder, type, array)
    raise_failures(called, context, builder, status)
    results = list(taken(called, context, builder, out))
    if len(results) == 1:
        return results[0]
    return context.make_tuple(builder, result_of(called), results)


_sees_to_needs: ContextVar[bool] = ContextVar("whether those who compile see to what kernels need", default=False)
_NOT_ALONE = "@numba.dynamic.globals.adcore = weak_odr constant i64 0"  # by which Numba tells what it must not keep


@contextmanager
def provided() -> Iterator[None]:
    """Numba may keep on disk what is compiled inside; who loads it sees to what its kernels need."""
    before = _sees_to_needs.set(True)
    try:
        yield
    finally:
        _sees_to_needs.reset(before)


_linked: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()  # the kernels that a library of Numba's has


def link(called: Called, context: Any) -> None:
    """Make the kernel a part of the module at hand, if it is not yet."""
    linked = _linked.setdefault(context.active_code_library, set())
    if called.kernel.name in linked:
        return
    linked.add(called.kernel.name)
    alone = _sees_to_needs.get() or not called.kernel.needs
    module = llvm.parse_assembly(called.kernel.assembly if alone else f"{_NOT_ALONE}\n{called.kernel.assembly}")
    module.name = called.kernel.name
    context.active_code_library.add_llvm_module(module)


def together(context: Any, builder: Any, given: types.Array, value: Any) -> tuple[types.Array, Any]:
    """An array in C order, which the caller has to let go of."""
    if given.layout == "C":
        context.nrt.incref(builder, given, value)
        return given, value
    type = types.Array(given.dtype, given.ndim, "C")

    def in_order(x):
        return np.ascontiguousarray(x)

    return type, context.compile_internal(builder, in_order, type(given), [value])


def slots_of(type: Type) -> int:
    """How many words a result takes."""
    return 1 + type.rank if type.shape else max(type.dtype.bits // 64, 1)


def taken(called: Called, context: Any, builder: Any, out: Any):
    """The results, arrays in Numba's own memory."""
    slot = 0
    for type in called.results:
        place = builder.gep(out, [WORD(slot)], source_etype=WORD)
        if not type.rank:
            yield builder.load(place, typ=context.get_value_type(scalar_of(type.dtype)))
        else:
            yield copied(called, context, builder, type, place)
        slot += slots_of(type)


def copied(called: Called, context: Any, builder: Any, type: Type, place: Any) -> Any:
    """A new array with the elements of one of the kernel's, whose memory goes back."""
    block = builder.load(place, typ=POINTER)
    at = [builder.gep(place, [WORD(1 + axis)], source_etype=WORD) for axis in range(type.rank)]
    lengths = [builder.load(each, typ=WORD) for each in at]
    shape = context.make_tuple(builder, types.UniTuple(types.intp, type.rank), lengths)
    numba_type, dtype = array_of(type.dtype, type.rank), type.dtype.numpy

    def new(shape):
        return np.empty(shape, dtype)

    signature = numba_type(types.UniTuple(types.intp, type.rank))
    result = context.compile_internal(builder, new, signature, [shape])
    array = context.make_array(numba_type)(context, builder, result)
    size = WORD(type.dtype.bits // 8)
    for length in lengths:
        size = builder.mul(size, length)
    cgutils.raw_memcpy(builder, array.data, block, size, 1)
    release = ir.FunctionType(ir.VoidType(), [POINTER])
    builder.call(cgutils.get_or_insert_function(builder.module, release, f"{called.kernel.name}_release"), [block])
    return impl_ret_new_ref(context, builder, numba_type, result)


def raise_failures(called: Called, context: Any, builder: Any, status: Any) -> None:
    """Raise what the number of a failure means."""
    for number, failure in enumerate(called.kernel.failures, 1):
        with builder.if_then(builder.icmp_signed("==", status, WORD(number)), likely=False):
            error = CHECKED_ERRORS.get(failure.error, MemoryError)
            context.call_conv.return_user_exc(builder, error, (failure.message,))
