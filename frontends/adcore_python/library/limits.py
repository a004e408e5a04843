"""The limits of element types, `np.finfo` and `np.iinfo`, whose numbers are constants."""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.types import DType

from ..array_functions import dtype_of
from ..outside import constant
from ..values import Static, Tuple, Value
from .registry import lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["finfo", "iinfo"]

OF_FLOATS = ("bits", "eps", "epsneg", "max", "min", "tiny", "smallest_normal", "smallest_subnormal", "resolution")
FloatLimits = namedtuple("FloatLimits", (*OF_FLOATS, "nmant", "precision", "maxexp", "minexp"))
IntegerLimits = namedtuple("IntegerLimits", ("bits", "max", "min"))


@lowers("numpy.finfo")
def finfo(low: Lowering, dtype: Value) -> Value:
    """`np.finfo` of a dtype."""
    return _limits(low, np.finfo, FloatLimits, dtype, DType.F64)


@lowers("numpy.iinfo")
def iinfo(low: Lowering, type: Value) -> Value:
    """`np.iinfo` of a dtype."""
    return _limits(low, np.iinfo, IntegerLimits, type, DType.I64)


def _limits(low: Lowering, info: Any, kind: Any, dtype: Value, default: DType) -> Value:
    wanted = dtype_of(low, dtype if isinstance(dtype, Static) else Static(None), default).numpy
    with low.foreign(f"the limits of {wanted}"):
        found = info(wanted)
    return Tuple(tuple(constant(getattr(found, name)) for name in kind._fields), kind)
