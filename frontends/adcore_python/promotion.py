"""The dtype that operands of several dtypes meet in: NumPy's promotion (NEP 50).

Arrays and NumPy's scalars are strong: `np.promote_types` of them.  Python's numbers are weak: they take the dtype of
what they meet, unless that is of a lower kind (a float meets integers in float64).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from adcore.errors import DtypeError
from adcore.types import ORDER, Atom, DType, Lit

from .values import Array, Scalar

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["converted", "inexact", "is_python", "join", "meeting", "promoted", "python_dtype"]

KINDS = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def join(dtypes: Iterable[DType]) -> DType:
    """The dtype of strong operands of these dtypes, and of Python's numbers among themselves."""
    return reduce(_promote, dtypes)


def _promote(x: DType, y: DType) -> DType:
    return x if x is y else DType(np.promote_types(x.numpy, y.numpy).name)


def is_python(value: Scalar | Array) -> bool:
    return isinstance(value, Scalar) and value.python


def promoted(values: Sequence[Scalar | Array]) -> DType:
    """The dtype in which an operation on these operands is done."""
    return meeting([v.dtype for v in values if not is_python(v)], [v.dtype for v in values if is_python(v)])


def meeting(strong: Sequence[DType], weak: Sequence[DType]) -> DType:
    """The dtype that arrays, NumPy's scalars and dtypes meet in with Python's numbers."""
    if not strong or not weak:
        return join(strong or weak)
    dtype, number = join(strong), max(weak, key=ORDER.index)
    if KINDS[number.kind] <= KINDS[dtype.kind]:
        return dtype
    if number.complex and dtype.kind == "f":
        return dtype.as_complex
    return number


def inexact(dtype: DType) -> DType:
    """The dtype in which a function of real or complex numbers is computed: integers become float64.

    NumPy takes float16 and float32 for integers of 8 and 16 bits; float16 is not supported.
    """
    if dtype.differentiable:
        return dtype
    return DType.F32 if dtype.bits == 16 else DType.F64


def python_dtype(dtype: DType) -> DType:
    """The dtype of Python's number of the same kind."""
    return {"b": DType.BOOL, "i": DType.I64, "u": DType.I64, "f": DType.F64, "c": DType.C128}[dtype.kind]


def converted(low: Lowering, value: Scalar | Array, dtype: DType) -> Atom:
    """An operand in the dtype of an operation.  A Python integer that does not fit raises OverflowError, as NumPy's."""
    atom = low.atom(value)
    if atom.type.dtype is dtype:
        return atom
    if is_python(value) and dtype.integer and atom.type.dtype is DType.I64:
        limits = np.iinfo(dtype.numpy)
        message = f"Python integer {{0}} out of bounds for {dtype.value}"
        if isinstance(atom, Lit):
            if not limits.min <= atom.value <= limits.max:
                low.refuse(DtypeError, message.format(atom.value), "an array of a larger dtype, e.g. x.astype(int)")
        elif dtype is not DType.U64:
            holds = low.b.land(low.b.ge(atom, int(limits.min)), low.b.le(atom, int(limits.max)))
            low.check(holds, "OverflowError", message, atom)
        else:
            low.check(low.b.ge(atom, 0), "OverflowError", message, atom)
    if atom.type.dtype.complex and not dtype.complex:
        low.refuse(DtypeError, f"a complex number where {dtype.value} belongs", "x.real, or abs(x)")
    return low.cast(atom, dtype)
