"""Types and atoms of the language.

A type is a dtype and a shape.  The rank is static; each axis length is an atom: the literal 1 where it is known to
be 1 at compile time, otherwise an i64 value of the program itself.  A scalar is the type of rank 0.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["BOOL", "F64", "I64", "Atom", "DType", "Lit", "Type", "Var", "f64", "i64", "literal"]


class _OfUsers(enum.EnumMeta):
    """Iterates over the element types that users' values have."""

    def __iter__(cls) -> Iterator[Any]:
        members: Any = cls.__members__.values()
        return (d for d in members if d.value != "int8")


class DType(enum.Enum, metaclass=_OfUsers):
    """Element types; the value is the name in the text form and in NumPy.

    `I8` holds what a comparison comes to, three ways (the row `side`): only residuals have it.
    """

    BOOL = "bool"
    I8 = "int8"
    I64 = "int64"
    F64 = "float64"

    def __str__(self) -> str:
        return self.value

    @property
    def numpy(self) -> np.dtype:
        return _NUMPY[self]

    @property
    def short(self) -> str:
        return _SHORT[self]

    @property
    def differentiable(self) -> bool:
        return self is DType.F64


_NUMPY = {d: np.dtype(d.value) for d in DType.__members__.values()}
_SHORT = {DType.BOOL: "bool", DType.I8: "i8", DType.I64: "i64", DType.F64: "f64"}
ORDER = (DType.BOOL, DType.I64, DType.F64)  # promotion: the later one wins


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

    value: bool | int | float = field(compare=False)
    dtype: DType
    key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        text = float(self.value).hex() if self.dtype is DType.F64 else repr(self.value)
        object.__setattr__(self, "key", text)

    @property
    def type(self) -> Type:
        return _SCALAR[self.dtype]

    def __str__(self) -> str:
        if self.dtype is DType.F64 and not math.isfinite(self.value):
            return {"nan": "nan", "inf": "inf", "-inf": "-inf"}[str(float(self.value))]
        return repr(self.value)


Atom = Var | Lit

_SCALAR = {d: Type(d) for d in DType}
BOOL, I64, F64 = (_SCALAR[d] for d in ORDER)


def literal(value: bool | int | float) -> Lit:
    """The literal of a Python scalar: bool, int (i64) or float (f64)."""
    if isinstance(value, bool | np.bool_):
        return Lit(bool(value), DType.BOOL)
    if isinstance(value, int | np.integer):
        return Lit(int(value), DType.I64)
    return Lit(float(value), DType.F64)


def f64(*shape: Atom | int) -> Type:
    return Type(DType.F64, tuple(literal(s) if isinstance(s, int) else s for s in shape))


def i64(*shape: Atom | int) -> Type:
    return Type(DType.I64, tuple(literal(s) if isinstance(s, int) else s for s in shape))
