"""Derivatives in functions that Numba compiles: what is imported here tells Numba of them.

derivatives     functions that adcore has made, as callables of Numba's
transforms      transforms that are named there, of functions that Numba knows
solvers         solvers that are called there
maps, boxes     pullbacks and pushforwards as values, and these on their way to Python and back
refusals        what is called outside only
"""

from . import boxes, derivatives, refusals, solvers, transforms

__all__ = ["boxes", "derivatives", "refusals", "solvers", "transforms"]
