"""Calls of derivatives in functions that Numba compiles: a kernel in their module, arguments and results around it."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import zip_longest
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba.core import cgutils, imputils, types
from numba.core.registry import cpu_target
from numba.core.typing.templates import signature as signature_of
from numba.core.typing.typeof import typeof
from numba.np import arrayobj

from adcore.plugins import Kernel, Leaf, Lowered, Static, backend
from adcore.types import Type

from .inside_failures import WORD, return_failure
from .inside_types import leaves_of, numba_type, result_type

__all__ = ["Call", "compiled", "implement"]

POINTER = cgutils.voidptr_t


@dataclass(frozen=True, eq=False)
class Call:
    """A derivative compiled for arguments of certain types.

    Attributes:
        kernel: its code.
        parameters: the type of each argument, or a value of Python's that is the default of one.
        result: the structure of the result.
        results: the types of the Program's results.
        captured: the values of closures and globals, as they were when this was compiled.
        lowered: what it was compiled from.
    """

    kernel: Kernel
    parameters: tuple[Any, ...]
    result: Any
    results: tuple[Type, ...]
    captured: tuple[Any, ...]
    lowered: Lowered

    def is_current(self) -> bool:
        """Whether closures and globals are what they were."""
        return all(g.holds() for g in self.lowered.guards) and _read(self.lowered, alike=self.captured) is not None

    @functools.cached_property
    def type(self) -> Any:
        """Numba's type of the result."""
        return result_type(self.result, list(self.results))

    def emit(self, context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> Any:
        """The call, for Numba's lowering."""
        link(context.active_code_library, self.kernel)
        copies: list[tuple[Any, Any]] = []
        operands = [x for v in self.operands(context, builder, arguments, copies) for x in v]
        reported = cgutils.alloca_once(builder, ir.ArrayType(WORD, 8), name="reported")
        words = sum(words_of(r) for r in self.results)
        out = cgutils.alloca_once(builder, ir.ArrayType(WORD, max(words, 1)), name="results")
        function_type = ir.FunctionType(WORD, [POINTER, POINTER, *(x.type for x in operands)])
        function = cgutils.get_or_insert_function(builder.module, function_type, self.kernel.name)
        places = [builder.bitcast(p, POINTER) for p in (reported, out)]
        status = builder.call(function, [*places, *operands])
        for kind, copy in copies:
            context.nrt.decref(builder, kind, copy)
        with builder.if_then(builder.icmp_unsigned("!=", status, ir.Constant(WORD, 0)), likely=False):
            return_failure(context, builder, status, places[0], self.kernel.failures)
        found = Results(context, builder, self, places[1])
        return imputils.impl_ret_new_ref(context, builder, signature.return_type, found.value(self.result))

    def operands(
        self, context: Any, builder: Any, arguments: Sequence[Any], copies: list[tuple[Any, Any]]
    ) -> Iterator[list[Any]]:
        """The kernel's arguments: numbers, and for arrays pointers and lengths; what was copied goes into `copies`."""
        for kind, argument in zip_longest(self.parameters, arguments):  # the last parameters may be left out
            for steps, leaf in leaves_of(kind):
                if not isinstance(leaf, types.Type):
                    yield _constant(context, builder, leaf)
                    continue
                value = functools.reduce(builder.extract_value, steps, argument)
                yield _passed(context, builder, leaf, value, copies)
        for value in self.captured:
            yield _constant(context, builder, value)


def _constant(context: Any, builder: Any, value: Any) -> list[Any]:
    kind = typeof(value)
    if not isinstance(value, np.ndarray):
        return [context.get_constant_generic(builder, kind, value)]
    array = context.make_constant_array(builder, kind, value)
    return _passed(context, builder, kind, array, [])


def _passed(context: Any, builder: Any, kind: Any, value: Any, copies: list[tuple[Any, Any]]) -> list[Any]:
    """A number, or the pointer and the lengths of an array, which is copied where it may not lie in C order."""
    if not isinstance(kind, types.Array):
        return [value]
    if kind.layout != "C":
        own = types.Array(kind.dtype, kind.ndim, "C")
        value = context.compile_internal(builder, _in_order, signature_of(own, kind), [value])
        kind = own
        copies.append((own, value))
    array = arrayobj.make_array(kind)(context, builder, value)
    if kind.ndim == 0:
        return [arrayobj.load_item(context, builder, kind, array.data)]
    return [builder.bitcast(array.data, POINTER), *cgutils.unpack_tuple(builder, array.shape, kind.ndim)]


def _in_order(x):  # compiled by Numba
    return np.ascontiguousarray(x)


class Results:
    """The results of a call, taken from where the kernel has left them."""

    def __init__(self, context: Any, builder: Any, call: Call, out: Any) -> None:
        self.context = context
        self.builder = builder
        self.call = call
        self.out = out
        self.places = np.cumsum([0, *map(words_of, call.results)]).tolist()
        self.made: dict[int, Any] = {}

    def value(self, structure: Any) -> Any:
        """The value of a result structure."""
        context, builder = self.context, self.builder
        if isinstance(structure, Static):
            return context.get_constant_generic(builder, typeof(structure.value), structure.value)
        if isinstance(structure, Leaf):
            return self.leaf(structure.index)
        kind = result_type(structure, list(self.call.results))
        return context.make_tuple(builder, kind, [self.value(item) for item in structure])

    def leaf(self, index: int) -> Any:
        found = self.call.results[index]
        kind = numba_type(found)
        if not found.shape:
            return self.word(self.places[index], self.context.get_value_type(kind))
        if index in self.made:
            self.context.nrt.incref(self.builder, kind, self.made[index])
            return self.made[index]
        self.made[index] = self.array(kind, self.places[index])
        return self.made[index]

    def word(self, place: int, kind: Any) -> Any:
        pointer = self.builder.gep(self.out, [ir.Constant(WORD, place)], source_etype=WORD)
        return self.builder.load(pointer, typ=kind)

    def array(self, kind: Any, place: int) -> Any:
        """An array in memory of the kernel's, which goes when the last reference to the array does."""
        context, builder = self.context, self.builder
        data = self.word(place, POINTER)
        lengths = [self.word(place + 1 + axis, WORD) for axis in range(kind.ndim)]
        size = context.get_abi_sizeof(context.get_data_type(kind.dtype))
        strides = [ir.Constant(WORD, size)]
        for n in reversed(lengths[1:]):
            strides.insert(0, builder.mul(strides[0], n))
        array = arrayobj.make_array(kind)(context, builder)
        arrayobj.populate_array(
            array,
            data=builder.bitcast(data, array.data.type),
            shape=lengths,
            strides=strides,
            itemsize=ir.Constant(WORD, size),
            meminfo=self.owned(data),
        )
        return array._getvalue()

    def owned(self, data: Any) -> Any:
        """What counts the references to memory of the kernel's: a block that holds the pointer to it."""
        context, builder = self.context, self.builder
        type = ir.FunctionType(ir.VoidType(), [POINTER, WORD, POINTER])
        free = cgutils.get_or_insert_function(builder.module, type, f"{self.call.kernel.name}_free")
        owner = context.nrt.meminfo_alloc_dtor(builder, ir.Constant(WORD, 8), free)
        builder.store(data, builder.bitcast(context.nrt.meminfo_data(builder, owner), POINTER.as_pointer()))
        return owner


def implement(key: Any, emit: Any) -> None:
    """Tell Numba's lowering of the code of a call, which it looks up by the key."""
    context: Any = cpu_target.target_context
    context.insert_func_defn([(emit, key, (types.VarArg(types.Any),))])


def words_of(result: Type) -> int:
    """How many words of `out` a result takes."""
    return 1 + result.rank if result.shape else max(result.dtype.bits // 64, 1)


def compiled(lowered: Lowered, parameters: tuple[Any, ...]) -> Call:
    """A lowered derivative, compiled for arguments of these types; its code is named by what it consists of."""
    llvm_backend: Any = backend("llvm")
    kernel = llvm_backend.kernel(lowered.program, "adcore_kernel")
    name = f"adcore_{sha256(kernel.assembly.encode()).hexdigest()[:24]}"
    text = kernel.assembly.replace("adcore_kernel", name) + _FREE.format(name=name)
    failures = tuple(map(_explained, kernel.failures))
    results = tuple(r.type for r in lowered.program.results)
    captured = _read(lowered)
    assert captured is not None
    return Call(Kernel(name, text, failures, kernel.needs), parameters, lowered.result, results, captured, lowered)


def _read(lowered: Lowered, alike: tuple[Any, ...] | None = None) -> tuple[Any, ...] | None:
    """The values of closures and globals, arrays as copies; None where they are not `alike`."""
    try:
        found = tuple(_copied(c.read()) for c in lowered.captures)
    except (KeyError, ValueError):  # a name is gone, or has another kind of thing now
        if alike is None:
            raise
        return None
    return found if alike is None or all(map(_alike, found, alike)) else None


def _copied(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value[()]
    return np.array(value, order="C") if isinstance(value, np.ndarray) else value


def _alike(x: Any, y: Any) -> bool:
    """Whether two values are the same bit by bit."""
    a, b = np.asarray(x), np.asarray(y)
    return type(x) is type(y) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def _explained(failure: Any) -> Any:
    """A failure to broadcast, which NumPy may not have, with the reason."""
    if "broadcast" not in failure.message:
        return failure
    why = (
        "; inside @njit no axis of an argument is stretched, not even one of length 1: write x[:, None] in the function"
    )
    return replace(failure, message=failure.message + why)


_FREE = """
define void @{name}_free(ptr %holder, i64 %size, ptr %info) nounwind {{
  %block = load ptr, ptr %holder
  call void @{name}_release(ptr %block)
  ret void
}}
"""


def link(library: Any, kernel: Kernel) -> None:
    """Put a kernel into a library of Numba's, once, and let whoever loads that from the disk find what it needs."""
    provide(kernel.needs)
    try:
        found = library.get_function(kernel.name)
    except NameError:
        found = None
    if found is not None and not found.is_declaration:
        return
    module = llvm.parse_assembly(kernel.assembly)
    module.triple = library._final_module.triple
    for function in (kernel.name, f"{kernel.name}_release", f"{kernel.name}_free"):
        module.get_function(function).linkage = "weak_odr"  # which another library may have too
    library.add_llvm_module(module)
    library._reload_init.add(functools.partial(provide, _frozen(kernel.needs)))


def _frozen(needs: Any) -> Any:
    return tuple(map(_frozen, needs)) if isinstance(needs, list) else needs


def provide(needs: Any) -> None:
    """Let this process find what kernels refer to."""
    llvm_backend: Any = backend("llvm")
    llvm_backend.provide(Kernel("", "", (), needs))
