"""How distributions of `scipy.stats` are made of a few formulas: location and scale, support, the methods.

Outside its support a distribution's formula is evaluated at a point inside and not taken, so that neither its value
nor its derivative comes through.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import describes

__all__ = ["continuous", "discrete", "enter"]


def _arguments(names, kinds, args, kwds):
    """The shapes, then what `kinds` names, as SciPy takes them: by position in this order, or by name."""
    wanted = (*names, *kinds)
    if len(args) > len(wanted):
        raise TypeError("too many positional arguments of a distribution")
    for name in kwds:
        if name not in wanted or name in wanted[: len(args)]:
            raise TypeError("an argument that the distribution does not take, or takes by position already")
    found = []
    for k, name in enumerate(wanted):
        if k < len(args):
            found.append(np.asarray(args[k], float))
        elif name in kwds:
            found.append(np.asarray(kwds[name], float))
        elif name == "loc":
            found.append(0.0)
        elif name == "scale":
            found.append(1.0)
        else:
            raise TypeError("a shape of the distribution is missing")
    return tuple(found)


def _positive(*shapes):
    """Whether all shapes are positive, as most distributions need them."""
    fine = True
    for s in shapes:
        fine = fine & (s > 0.0)
    return fine


LOC_SCALE = ("loc", "scale")


def _standardized(names, valid, x, args, kwds):
    """Shapes, the standardized argument, the scale, and whether the parameters are valid."""
    found = _arguments(names, LOC_SCALE, args, kwds)
    shapes, loc, scale = found[:-2], found[-2], found[-1]
    fine = valid(*shapes) & (scale > 0.0)
    return shapes, (np.asarray(x, float) - loc) / np.where(fine, scale, 1.0), np.where(fine, scale, 1.0), fine


def _density(names, valid, support, formula, logarithm):
    def density(x, *args, **kwds):
        shapes, y, scale, fine = _standardized(names, valid, x, args, kwds)
        lower, upper, inside = support
        # A lower end that is the least positive number is 0 in float32.
        within = (y >= lower) & ((y > 0.0) | (lower <= 0.0)) & (y <= upper) & np.isfinite(y)
        value = formula(np.where(within, y, inside), *shapes) - np.log(scale)
        value = np.where(within, value if logarithm else np.exp(value), -np.inf if logarithm else 0.0)
        return np.where(fine & ~np.isnan(y), value, np.nan)

    return density


def _probability(names, valid, support, formula, below, above):
    def probability(x, *args, **kwds):
        shapes, y, _, fine = _standardized(names, valid, x, args, kwds)
        lower, upper, inside = support
        within = (y > lower) & (y < upper)
        value = formula(np.where(within, y, inside), *shapes)
        value = np.where(within, value, np.where(y >= upper, above[0], below[0]))
        return np.where(fine & ~np.isnan(y), value, np.nan)

    return probability


def _quantile(names, valid, support, formula, complement):
    def quantile(q, *args, **kwds):
        found = _arguments(names, LOC_SCALE, args, kwds)
        shapes, loc, scale = found[:-2], found[-2], found[-1]
        fine = valid(*shapes) & (scale > 0.0)
        p = np.asarray(q, float)
        within = (p > 0.0) & (p < 1.0)
        lower, upper, _ = support
        first, last = (upper, lower) if complement[0] else (lower, upper)
        ends = np.where(p == 0.0, first, np.where(p == 1.0, last, np.nan))
        value = np.where(within, formula(np.where(within, p, 0.5), *shapes), ends)
        return np.where(fine, loc + scale * value, np.nan)

    return quantile


def _logarithm(formula, complement):
    """The logarithm of a probability, of its complement where that is the smaller."""

    def logarithm(*operands):
        p, q = formula(*operands), complement(*operands)
        small = p < 0.5
        return np.where(small, np.log(np.where(small, p, 1.0)), np.log1p(-np.where(small, 0.0, q)))

    return logarithm


def continuous(
    name: str,
    names: tuple[str, ...],
    logpdf: Any,
    cdf: Any,
    sf: Any,
    logcdf: Any = None,
    logsf: Any = None,
    ppf: Any = None,
    isf: Any = None,
    support: tuple[float, float, float] = (-np.inf, np.inf, 0.0),
    valid: Any = _positive,
) -> None:
    """Enter a distribution: its formulas at the standardized argument, its shapes after it.

    `support` is its lower end, its upper end and a point inside.
    """
    common = (names, valid, support)
    methods: dict[str, Any] = {
        "logpdf": _density(*common, logpdf, True),
        "pdf": _density(*common, logpdf, False),
        "cdf": _probability(*common, cdf, (0.0,), (1.0,)),
        "sf": _probability(*common, sf, (1.0,), (0.0,)),
        "logcdf": _probability(*common, logcdf or _logarithm(cdf, sf), (-np.inf,), (0.0,)),
        "logsf": _probability(*common, logsf or _logarithm(sf, cdf), (0.0,), (-np.inf,)),
    }
    if ppf is not None:
        methods["ppf"] = _quantile(*common, ppf, (False,))
    if isf is not None:
        methods["isf"] = _quantile(*common, isf, (True,))
    enter(name, methods)


# Discrete

LOC = ("loc",)


def _integers(names, valid, upper, x, args, kwds, inside):
    found = _arguments(names, LOC, args, kwds)
    shapes = found[:-1]
    return shapes, np.asarray(x, float) - found[-1], valid(*shapes), upper(*shapes)


def _mass(names, valid, ends, formula, logarithm):
    def mass(k, *args, **kwds):
        lower, upper = ends
        shapes, y, fine, last = _integers(names, valid, upper, k, args, kwds, lower)
        within = (y >= lower) & (y <= last) & (y == np.floor(y)) & np.isfinite(y) & fine
        value = formula(np.where(within, y, lower), *shapes)
        value = np.where(within, value if logarithm else np.exp(value), -np.inf if logarithm else 0.0)
        return np.where(fine & ~np.isnan(y), value, np.nan)

    return mass


def _cumulated(names, valid, ends, formula, below, above):
    def cumulated(k, *args, **kwds):
        lower, upper = ends
        shapes, y, fine, last = _integers(names, valid, upper, k, args, kwds, lower)
        within = (y >= lower) & (y < last) & fine
        value = formula(np.where(within, np.floor(y), lower), *shapes)
        value = np.where(within, value, np.where(y >= last, above[0], below[0]))
        return np.where(fine & ~np.isnan(y), value, np.nan)

    return cumulated


def _unbounded(*shapes):
    return np.inf


def discrete(
    name: str,
    names: tuple[str, ...],
    logpmf: Any,
    cdf: Any,
    sf: Any,
    logsf: Any = None,
    lower: float = 0.0,
    upper: Any = _unbounded,
    valid: Any = _positive,
) -> None:
    """Enter a distribution on the integers from `lower` on, to `upper` of the shapes."""
    common = (names, valid, (lower, upper))
    methods: dict[str, Any] = {
        "logpmf": _mass(*common, logpmf, True),
        "pmf": _mass(*common, logpmf, False),
        "cdf": _cumulated(*common, cdf, (0.0,), (1.0,)),
        "sf": _cumulated(*common, sf, (1.0,), (0.0,)),
        "logcdf": _cumulated(*common, _logarithm(cdf, sf), (-np.inf,), (0.0,)),
        "logsf": _cumulated(*common, logsf or _logarithm(sf, cdf), (0.0,), (-np.inf,)),
    }
    enter(name, methods)


# Frozen


class Frozen:
    """A distribution with its parameters."""

    def __init__(self, args, kwds):
        self.args = args
        self.kwds = kwds


def _of_frozen(function):
    def method(self, x):
        return function(x, *self.args, **self.kwds)

    return method


def enter(name: str, methods: dict[str, Any]) -> None:
    """Enter the methods of a distribution, which take its parameters after the argument."""
    kind = type(name, (Frozen,), {m: _of_frozen(f) for m, f in methods.items()})

    def freeze(*args, **kwds):
        return kind(args, kwds)

    describes(f"scipy.stats.{name}", methods)(freeze)
