"""NumPy's structured arrays and records: objects that hold one array a field."""

from .access import augment, load, set_attribute, store
from .boundary import apart, captured_part, given_back, of_parts
from .fields import attribute, by_attribute, field, iteration, layout_of
from .making import call_on

__all__ = [
    "apart",
    "attribute",
    "augment",
    "by_attribute",
    "call_on",
    "captured_part",
    "field",
    "given_back",
    "iteration",
    "layout_of",
    "load",
    "of_parts",
    "set_attribute",
    "store",
]
