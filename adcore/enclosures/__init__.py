"""Interval execution of Programs: what a function, and its derivatives, can be on a whole box of arguments.

The rows of the table of primitives are read over intervals, with outward rounding, as the reference backend reads them
over numbers.
"""

from .certificates import Certificate, certify
from .execution import UndecidedError, enclose
from .formats import BFLOAT16, FLOAT16, Format, Grid, count_floats
from .intervals import Interval
from .results import Enclosure, Touched, Undecided
from .worst_case import worst_case

__all__ = [
    "BFLOAT16",
    "FLOAT16",
    "Certificate",
    "Enclosure",
    "Format",
    "Grid",
    "Interval",
    "Touched",
    "Undecided",
    "UndecidedError",
    "certify",
    "count_floats",
    "enclose",
    "worst_case",
]
