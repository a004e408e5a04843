"""The table of primitives: one row states a primitive's type rule, meaning and linear maps."""

from . import (
    control,
    eigen,
    elementwise,
    fourier,
    host,
    indexed,
    linear_algebra,
    ordering,
    sparse,
    special_bessel,
    special_error,
    special_gamma,
    special_integrals,
    spectra,
    structure,
    sylvester,
)
from .base import LENGTH, TABLE, Kind, Primitive, Sampler, TypeRuleError
from .indexed import array_axes, index_arrays, indexed_shape, without_arrays
from .scipy_rows import Missing
from .structure import CHECKED_ERRORS, region_lengths

__all__ = [
    "CHECKED_ERRORS",
    "LENGTH",
    "TABLE",
    "Kind",
    "Missing",
    "Primitive",
    "Sampler",
    "TypeRuleError",
    "array_axes",
    "control",
    "eigen",
    "elementwise",
    "fourier",
    "host",
    "index_arrays",
    "indexed",
    "indexed_shape",
    "linear_algebra",
    "ordering",
    "region_lengths",
    "sparse",
    "special_bessel",
    "special_error",
    "special_gamma",
    "special_integrals",
    "spectra",
    "structure",
    "sylvester",
    "without_arrays",
]
