"""When derivatives become callable inside `@njit`: as soon as both adcore and Numba have been imported."""

from __future__ import annotations

import sys

__all__ = ["init"]


def init() -> None:
    """Tell Numba of derivatives; where adcore has not been imported there are none, and it calls this when it is."""
    if "adcore" in sys.modules:
        from . import inside_njit  # noqa: F401 - what it registers is the purpose
