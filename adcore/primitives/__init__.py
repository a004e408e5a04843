"""The table of primitives: one row states a primitive's type rule, meaning and linear maps."""

from . import control, elementwise, structure
from .base import TABLE, Kind, Primitive, Sampler, TypeRuleError
from .structure import CHECKED_ERRORS, region_lengths

__all__ = [
    "CHECKED_ERRORS",
    "TABLE",
    "Kind",
    "Primitive",
    "Sampler",
    "TypeRuleError",
    "control",
    "elementwise",
    "region_lengths",
    "structure",
]
