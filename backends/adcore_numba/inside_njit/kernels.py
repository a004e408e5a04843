"""Programs as kernels in the modules of functions that Numba compiles: what goes in, and what comes out."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import signature as signature_of
from numba.core.typing.typeof import typeof
from numba.np import arrayobj
from numba.np.numpy_support import as_dtype

from adcore.plugins import Kernel, Leaf, Static, backend
from adcore.program import Program

from .failures import WORD, return_failure
from .types import Together, numba_type, result_type

__all__ = ["Code", "Operands", "code_of"]

POINTER = cgutils.voidptr_t


@dataclass(frozen=True)
class Code:
    """A Program as a kernel.

    Attributes:
        kernel: its code, named by what it consists of.
        results: Numba's types of its results.
    """

    kernel: Kernel
    results: tuple[Any, ...]

    def run(self, operands: Operands) -> Results:
        """The results for these operands, whose copies go; where the kernel fails, Numba's function is left."""
        context, builder = operands.context, operands.builder
        link(context.active_code_library, self.kernel)
        reported = cgutils.alloca_once(builder, ir.ArrayType(WORD, 8), name="reported")
        words = sum(map(words_of, self.results))
        out = cgutils.alloca_once(builder, ir.ArrayType(WORD, max(words, 1)), name="results")
        function_type = ir.FunctionType(WORD, [POINTER, POINTER, *(x.type for x in operands.values)])
        function = cgutils.get_or_insert_function(builder.module, function_type, self.kernel.name)
        places = [builder.bitcast(p, POINTER) for p in (reported, out)]
        status = builder.call(function, [*places, *operands.values])
        for kind, copy in operands.copies:
            context.nrt.decref(builder, kind, copy)
        with builder.if_then(builder.icmp_unsigned("!=", status, ir.Constant(WORD, 0)), likely=False):
            return_failure(context, builder, status, places[0], self.kernel.failures)
        return Results(context, builder, self, places[1])


class Operands:
    """What a kernel is given: numbers, and for arrays pointers and lengths."""

    def __init__(self, context: Any, builder: Any) -> None:
        self.context = context
        self.builder = builder
        self.values: list[Any] = []
        self.copies: list[tuple[Any, Any]] = []

    def constant(self, value: Any) -> None:
        kind = typeof(value)
        if isinstance(value, np.ndarray):
            self.add(kind, self.context.make_constant_array(self.builder, kind, value))
        else:
            self.values.append(self.context.get_constant_generic(self.builder, kind, value))

    def add(self, kind: Any, value: Any) -> None:
        """A number or an array, which is copied where it may not lie in C order."""
        context, builder = self.context, self.builder
        if not isinstance(kind, types.Array):
            self.values.append(value)
            return
        if kind.layout != "C":
            kind, value = self.copy(_in_order, types.Array(kind.dtype, kind.ndim, "C"), kind, value)
        array = arrayobj.make_array(kind)(context, builder, value)
        if kind.ndim == 0:
            self.values.append(arrayobj.load_item(context, builder, kind, array.data))
            return
        lengths = cgutils.unpack_tuple(builder, array.shape, kind.ndim)
        self.values += [builder.bitcast(array.data, POINTER), *lengths]

    def cast(self, kind: Any, given: Any, value: Any) -> None:
        """A number or an array as one of this type."""
        if not isinstance(kind, types.Array):
            if isinstance(given, types.Array):
                array = arrayobj.make_array(given)(self.context, self.builder, value)
                given, value = given.dtype, arrayobj.load_item(self.context, self.builder, given, array.data)
            self.add(kind, self.context.cast(self.builder, value, given, kind))
        elif given.dtype == kind.dtype:
            self.add(given, value)
        else:
            self.add(*self.copy(_of_dtype(as_dtype(kind.dtype).type), kind, given, value))

    def copy(self, make: Any, kind: Any, given: Any, value: Any) -> tuple[Any, Any]:
        copied = self.context.compile_internal(self.builder, make, signature_of(kind, given), [value])
        self.copies.append((kind, copied))
        return kind, copied


def _in_order(x):  # compiled by Numba
    return np.ascontiguousarray(x)


@functools.cache
def _of_dtype(dtype: Any) -> Any:
    def converted(x):
        return np.ascontiguousarray(x).astype(dtype)

    return converted


class Results:
    """The results of a call, taken from where the kernel has left them."""

    def __init__(self, context: Any, builder: Any, code: Code, out: Any) -> None:
        self.context = context
        self.builder = builder
        self.code = code
        self.out = out
        self.places = np.cumsum([0, *map(words_of, code.results)]).tolist()
        self.made: dict[int, Any] = {}

    def value(self, structure: Any) -> Any:
        """The value of a result structure."""
        context, builder = self.context, self.builder
        if isinstance(structure, Static):
            return context.get_constant_generic(builder, typeof(structure.value), structure.value)
        if isinstance(structure, Leaf):
            return self.leaf(structure.index)
        if isinstance(structure, Together):
            parts = cgutils.create_struct_proxy(structure.kind)(context, builder)
            for name, leaf in structure.parts.items():
                setattr(parts, name, self.leaf(leaf.index))
            return parts._getvalue()
        kind = result_type(structure, self.code.results)
        return context.make_tuple(builder, kind, [self.value(item) for item in structure])

    def leaf(self, index: int) -> Any:
        kind = self.code.results[index]
        if not isinstance(kind, types.Array):
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
        free = cgutils.get_or_insert_function(builder.module, type, f"{self.code.kernel.name}_free")
        owner = context.nrt.meminfo_alloc_dtor(builder, ir.Constant(WORD, 8), free)
        builder.store(data, builder.bitcast(context.nrt.meminfo_data(builder, owner), POINTER.as_pointer()))
        return owner


def words_of(kind: Any) -> int:
    """How many words of `out` a result takes."""
    return 1 + kind.ndim if isinstance(kind, types.Array) else 2 if kind is types.complex128 else 1


def code_of(program: Program) -> Code:
    """A Program as a kernel.

    Raises:
        UnsupportedFunctionError: it calls Python.
    """
    llvm_backend: Any = backend("llvm")
    kernel = llvm_backend.kernel(program, "adcore_kernel")
    name = f"adcore_{sha256(kernel.assembly.encode()).hexdigest()[:24]}"
    text = kernel.assembly.replace("adcore_kernel", name) + _FREE.format(name=name)
    failures = tuple(map(_explained, kernel.failures))
    return Code(Kernel(name, text, failures, kernel.needs), tuple(numba_type(r.type) for r in program.results))


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
