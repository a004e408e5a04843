"""The table of primitives: one row states a primitive's type rule, meaning and linear maps."""

from . import control, elementwise, fourier, indexed, structure
from .base import TABLE, Kind, Primitive, Sampler, TypeRuleError
from .indexed import array_axes, index_arrays, indexed_shape, without_arrays
from .structure import CHECKED_ERRORS, region_lengths

__all__ = [
    "CHECKED_ERRORS",
    "TABLE",
    "Kind",
    "Primitive",
    "Sampler",
    "TypeRuleError",
    "array_axes",
    "control",
    "elementwise",
    "fourier",
    "index_arrays",
    "indexed",
    "indexed_shape",
    "region_lengths",
    "structure",
    "without_arrays",
]
