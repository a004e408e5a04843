"""What a backend needs to know of a C function: its declaration, and how the program's values come and go.

Parameters and results are those of C, in the order of the declaration; a program's parameters and results are told
where they come from and where they go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ..program import Program
from ..types import DType

__all__ = [
    "Declaration",
    "Element",
    "Frozen",
    "Given",
    "Into",
    "Library",
    "Made",
    "Native",
    "Parameter",
    "Pointer",
    "Returned",
    "Target",
]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a C function.

    Attributes:
        name: in the declaration, or made up.
        dtype: of the number, or of what the pointer points to; None where that is `void`.
        spelling: the type as the user wrote it.
        pointer: whether it is one.
        const: whether what it points to is only read.
        lengths: of the array it points to: numbers, and names of other parameters; () for one number.
        made: whether it points to a pointer, to memory that the function allocates.
    """

    name: str
    dtype: DType | None
    spelling: str
    pointer: bool = False
    const: bool = False
    lengths: tuple[int | str, ...] = ()
    made: bool = False

    def __str__(self) -> str:
        brackets = "".join(f"[{n}]" for n in self.lengths)
        star = "*" * (self.made + (self.pointer and not brackets))
        return f"{'const ' if self.const else ''}{self.spelling} {star}{self.name}{brackets}"


@dataclass(frozen=True, slots=True)
class Declaration:
    """A C function's declaration.

    Attributes:
        name: of the function.
        returns: the dtype of what it returns; None for `void`.
        spelling: that type as the user wrote it.
        parameters: in order.
        success: what is returned where all went well, if that is a status by the convention of who calls.
        spread: whether an array among the parameters may stand for several numbers.
        text: as the user wrote it.
    """

    name: str
    returns: DType | None
    spelling: str
    parameters: tuple[Parameter, ...]
    success: int | None = None
    spread: bool = False
    text: str = ""

    def __str__(self) -> str:
        return f"{self.spelling} {self.name}({', '.join(map(str, self.parameters)) or 'void'})"


# Where a parameter of the program comes from


@dataclass(frozen=True, slots=True)
class Given:
    """The parameter of this index: a number, or the array that it points to."""

    index: int


@dataclass(frozen=True, slots=True)
class Element:
    """A number in the array that the parameter of this index points to, which has `of` numbers."""

    index: int
    position: int
    of: int


@dataclass(frozen=True, slots=True, eq=False)
class Frozen:
    """A number or NumPy array, the same at every call."""

    value: Any


# Where a result of the program goes


@dataclass(frozen=True, slots=True)
class Returned:
    """What the C function returns."""


@dataclass(frozen=True, slots=True)
class Into:
    """The caller's memory, to which the parameter of this index points."""

    index: int


@dataclass(frozen=True, slots=True)
class Made:
    """Memory that the function allocates: what this parameter points to is set to it, and those after it to lengths."""

    index: int


@dataclass(frozen=True, slots=True)
class Native:
    """A program with the interface of a C function.

    Attributes:
        declaration: of the C function.
        program: what it computes.
        arguments: where each parameter of the program comes from.
        results: where each result goes.
        status: whether what is returned says if all went well.
    """

    declaration: Declaration
    program: Program
    arguments: tuple[Given | Element | Frozen, ...]
    results: tuple[Returned | Into | Made, ...]
    status: bool

    @property
    def name(self) -> str:
        return self.declaration.name


@dataclass(frozen=True, slots=True)
class Target:
    """What a library is made for.

    Attributes:
        triple: processor and system, as LLVM writes them; empty for this machine's.
        cpu: the oldest processor that runs it; "native" for this machine's, empty for the usual one.
        features: further ones that the processor has, as "+fma,+avx2".
    """

    triple: str = ""
    cpu: str = ""
    features: str = ""


@dataclass(frozen=True, slots=True)
class Library:
    """Functions in machine code that needs nothing of Python.

    Attributes:
        triple, cpu: what it is for.
        native: whether that is a system like this one.
        code: the object file.
        assembly: of the processor.
        module: in the language of LLVM.
        libraries: what it has to be linked with, as the linker names it.
        routines: of BLAS and LAPACK that it calls.
        failures: for each function what its numbers mean, from 1 on: the exception, the message, the place.
    """

    triple: str
    cpu: str
    native: bool
    code: bytes
    assembly: str
    module: str
    libraries: tuple[str, ...]
    routines: tuple[str, ...]
    failures: tuple[tuple[Any, ...], ...]


class Pointer(Protocol):
    """A C function in the memory of this process.

    `take_error` gives the first failure since it was asked last, and forgets it.
    """

    address: int
    take_error: Callable[[], BaseException | None]
