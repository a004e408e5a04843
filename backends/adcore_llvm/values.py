"""What an array of the program is while code is emitted: strided memory, or elements known without memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

from adcore.types import DType, Var

from .code import LLVM_TYPE, MEMORY_TYPE, Code, constant

__all__ = [
    "Array",
    "Constant",
    "Counting",
    "Memory",
    "Root",
    "Strided",
    "Undefined",
    "fits_frame",
    "load",
    "move",
    "store",
]

FRAME = 128  # bytes: an array of so few, if their number is known, is kept in the stack frame, or in registers


@dataclass(eq=False)
class Root:
    """One allocation, and the variables of the current block whose elements lie in it.

    `owner` is the block that may write and must free it; None for memory of the caller.  Memory that is `lent`, as the
    array of that name, to a loop whose iterations several threads run is written in place, and freed by who lent it.
    `framed` memory is in the stack frame, where each place in the program has its own.
    """

    pointer: str
    owner: Any = None
    variables: set[Var] = field(default_factory=set)
    lent: Var | None = None
    framed: bool = False


@dataclass(frozen=True)
class Strided:
    """Elements in memory: pointer, lengths, and strides counted in elements; all as LLVM operands.

    `whole` says that it is all of its root in C order; `region` names the part of the root it is (the codes and
    operands of a `view` of the whole, and the lengths of the whole), so that equal regions are known as equal.
    """

    dtype: DType
    pointer: str
    lengths: tuple[str, ...]
    strides: tuple[str, ...]
    root: Root
    whole: bool = False
    region: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class Constant:
    """The same scalar everywhere."""

    dtype: DType
    value: str
    lengths: tuple[str, ...]


@dataclass(frozen=True)
class Counting:
    """0, 1, 2, …"""

    dtype: DType
    lengths: tuple[str, ...]


@dataclass(frozen=True)
class Undefined:
    """Elements that nobody has written yet."""

    dtype: DType
    lengths: tuple[str, ...]


Array = Strided | Constant | Counting | Undefined
Memory = Strided


def row_major(code: Code, lengths: tuple[str, ...]) -> tuple[str, ...]:
    """The strides of an array in C order."""
    strides: list[str] = []
    step = "1"
    for length in reversed(lengths):
        strides.append(step)
        step = code.mul(step, length)
    return tuple(reversed(strides))


def offset(code: Code, array: Strided, indices: list[str]) -> str:
    position = "0"
    for index, stride in zip(indices, array.strides, strict=True):
        position = code.add(position, code.mul(index, stride))
    return position


def address(code: Code, array: Strided, indices: list[str]) -> str:
    position = offset(code, array, indices)
    if position == "0":
        return array.pointer
    return code.op(f"getelementptr inbounds {MEMORY_TYPE[array.dtype]}, ptr {array.pointer}, i64 {position}")


def load_at(code: Code, dtype: DType, pointer: str, tag: str = "") -> str:
    value = code.op(f"load {MEMORY_TYPE[dtype]}, ptr {pointer}{tag}")
    return code.op(f"icmp ne i8 {value}, 0") if dtype is DType.BOOL else value


def store_at(code: Code, dtype: DType, value: str, pointer: str, tag: str = "") -> None:
    if dtype is DType.BOOL:
        value = code.op(f"zext i1 {value} to i8")
    code.do(f"store {MEMORY_TYPE[dtype]} {value}, ptr {pointer}{tag}")


def load(code: Code, array: Array, indices: list[str]) -> str:
    """The element at the indices, as a scalar."""
    if isinstance(array, Strided):
        return load_at(code, array.dtype, address(code, array, indices), code.tag(array.root))
    if isinstance(array, Constant):
        return array.value
    if isinstance(array, Counting):
        return indices[0]
    return zero(array.dtype)


def store(code: Code, array: Strided, indices: list[str], value: str) -> None:
    store_at(code, array.dtype, value, address(code, array, indices), code.tag(array.root))


def fits_frame(dtype: DType, lengths: Sequence[str]) -> bool:
    """Whether an array is so small, as far as is known, that it is kept in the stack frame."""
    known = all(n.isdigit() for n in lengths)
    return known and prod(map(int, lengths)) * (dtype.bits // 8) <= FRAME


def move(code: Code, arrays: Sequence[tuple[Array, Strided]]) -> None:
    """Put the elements of small arrays into others: all of them are read before one is written."""
    elements = []
    for source, target in arrays:
        if isinstance(source, Strided) and source.pointer == target.pointer and source.whole:
            continue
        for place in product(*(range(int(n)) for n in target.lengths)):
            indices = [str(i) for i in place]
            if not isinstance(source, Undefined):
                elements.append((target, indices, load(code, source, indices)))
    for target, indices, value in elements:
        store(code, target, indices, value)


def zero(dtype: DType) -> str:
    return constant(dtype.zero)


def llvm_type(dtype: DType) -> str:
    return LLVM_TYPE[dtype]
