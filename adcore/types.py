"""Types and atoms of the language.

A type is a dtype and a shape.  The rank is static; each axis length is an atom: the literal 1 where it is known to
be 1 at compile time, otherwise an i64 value of the program itself.  A scalar is the type of rank 0.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["BOOL", "F64", "I64", "Atom", "DType", "Lit", "Type", "Var", "f64", "i64", "literal"]


class DType(enum.Enum):
    """Element types; the value is the name in NumPy.

    Attributes:
        kind: NumPy's letter: b boolean, i integer, u unsigned integer, f real, c complex.
        bits: the size of an element.
        short: the name in the text form.
    """

    BOOL = "bool"
    I8 = "int8"
    I16 = "int16"
    I32 = "int32"
    I64 = "int64"
    U8 = "uint8"
    U16 = "uint16"
    U32 = "uint32"
    U64 = "uint64"
    F32 = "float32"
    F64 = "float64"
    C64 = "complex64"
    C128 = "complex128"

    kind: str
    bits: int
    short: str
    numpy: np.dtype

    def __init__(self, name: str) -> None:
        self.numpy = np.dtype(name)
        self.kind = self.numpy.kind
        self.bits = 8 * self.numpy.itemsize
        self.short = "bool" if name == "bool" else f"{self.kind}{self.bits}"

    def __str__(self) -> str:
        return self.value

    @property
    def differentiable(self) -> bool:
        return self.kind in "fc"

    @property
    def integer(self) -> bool:
        return self.kind in "iu"

    @property
    def complex(self) -> bool:
        return self.kind == "c"

    @property
    def real(self) -> DType:
        """The dtype of a complex number's parts; the dtype itself where it is not complex."""
        return {DType.C64: DType.F32, DType.C128: DType.F64}.get(self, self)

    @property
    def as_complex(self) -> DType:
        """The dtype of complex numbers whose parts are of this one (f64 but for f32)."""
        return self if self.complex else DType.C64 if self is DType.F32 else DType.C128

    @property
    def zero(self) -> Lit:
        """0, 0.0 or False."""
        return Lit(_PYTHON[self.kind](0), self)

    def constant(self, value: bool | int | float | complex) -> Lit:
        """A literal of this dtype: of a Python number whose kind it can hold.

        Raises:
            TypeError: a float where integers belong, for instance.
        """
        if ORDER.index(literal(value).dtype) > ORDER.index(_PYTHON_LIKE[self.kind]):
            raise TypeError(f"{value!r} as {self.value}")
        return Lit(_PYTHON[self.kind](value), self)


_PYTHON_LIKE = {"b": DType.BOOL, "i": DType.I64, "u": DType.I64, "f": DType.F64, "c": DType.C128}
_PYTHON: dict[str, type] = {"b": bool, "i": int, "u": int, "f": float, "c": complex}
ORDER = (DType.BOOL, DType.I64, DType.F64, DType.C128)  # of Python's own numbers: the later one wins


@dataclass(frozen=True, slots=True)
class Type:
    """A dtype and the atoms of the shape, e.g. `f64[n, 1]`."""

    dtype: DType
    shape: tuple[Atom, ...] = ()

    @property
    def rank(self) -> int:
        return len(self.shape)

    def with_shape(self, *shape: Atom) -> Type:
        return Type(self.dtype, shape)

    def with_dtype(self, dtype: DType) -> Type:
        return Type(dtype, self.shape)


class Var:
    """A value of the program: defined once, known by identity; the name is for people."""

    __slots__ = ("name", "type")

    def __init__(self, type: Type, name: str = "t") -> None:
        self.type = type
        self.name = name

    def __repr__(self) -> str:
        return f"{self.name}@{id(self) & 0xFFFF:x}"


@dataclass(frozen=True, slots=True)
class Lit:
    """A constant scalar.  Two literals are equal when dtype and bits are (so 0.0 and -0.0 differ, nan equals nan)."""

    value: Any = field(compare=False)  # bool, int, float or complex
    dtype: DType
    key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        value = self.value
        if self.dtype.differentiable and self.dtype.bits < 64 * (1 + self.dtype.complex):  # rounded to what it holds
            value = self.dtype.numpy.type(value).item()
            object.__setattr__(self, "value", value)
        if isinstance(value, complex):
            text = f"{value.real.hex()} {value.imag.hex()}"
        else:
            text = float(value).hex() if self.dtype.kind == "f" else repr(value)
        object.__setattr__(self, "key", text)

    @property
    def type(self) -> Type:
        return _SCALAR[self.dtype]

    def __str__(self) -> str:
        """As the text form has it: `1`, `1.0`, `True`, a complex number in parentheses; others with their dtype."""
        value = self.value
        if isinstance(value, complex):
            text = f"({_real(value.real)}, {_real(value.imag)})"
        else:
            text = _real(value) if self.dtype.kind == "f" else repr(value)
        return text if self.dtype in ORDER else f"{text}:{self.dtype.short}"


def _real(value: float) -> str:
    return repr(value) if math.isfinite(value) else str(float(value))


Atom = Var | Lit

_SCALAR = {d: Type(d) for d in DType}
BOOL, I64, F64 = (_SCALAR[d] for d in (DType.BOOL, DType.I64, DType.F64))


def literal(value: Any) -> Lit:
    """The literal of a scalar: of Python's bool, int (i64), float (f64) and complex (c128), and of NumPy's scalars."""
    if isinstance(value, np.generic):
        return Lit(value.item(), DType(value.dtype.name))
    if isinstance(value, bool):
        return Lit(value, DType.BOOL)
    if isinstance(value, int):
        return Lit(value, DType.I64)
    if isinstance(value, complex):
        return Lit(value, DType.C128)
    return Lit(float(value), DType.F64)


def f64(*shape: Atom | int) -> Type:
    return Type(DType.F64, tuple(literal(s) if isinstance(s, int) else s for s in shape))


def i64(*shape: Atom | int) -> Type:
    return Type(DType.I64, tuple(literal(s) if isinstance(s, int) else s for s in shape))
