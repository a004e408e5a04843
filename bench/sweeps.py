"""The points at which a function is evaluated, by whom, and the errors over all of them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import scipy.special
from adcore_python.probing import defined, parameters, source_of

from adcore import grad, jit, jvp

from .references import REFERENCES, Reference
from .truth import KINDS, WRONG, Truth, true_values, ulps

__all__ = ["DTYPES", "PEERS", "Adcore", "Errors", "Point", "Row", "Subject", "measured", "subjects"]

GAPS = (1, 2, 10, 30, 50, 52)  # powers of 1/2: relative distances from the finite ends of a domain
EDGES = (5e-324, 1e-310, 2.2250738585072014e-308, 1e-300, 1e300, 1.7e308)
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
DTYPES: dict[str, Any] = {"float64": np.float64, "float32": np.float32}
NAMESPACE = {"numpy": np, "scipy": scipy}
Point = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """One argument of one function, in one dtype."""

    call: str
    index: int
    dtype: str

    @property
    def reference(self) -> Reference:
        return REFERENCES[self.call]

    @property
    def argument(self) -> str:
        return parameters(self.call)[self.index]

    def __str__(self) -> str:
        shown = self.call if len(parameters(self.call)) == 1 else f"{self.call} in {self.argument}"
        return shown if self.dtype == "float64" else f"{shown}, {self.dtype}"


def subjects(names: list[str]) -> list[Subject]:
    """All whose call has one of the names in it."""
    return [
        Subject(call, index, dtype)
        for call, reference in REFERENCES.items()
        if not names or any(name in call for name in names)
        for index in reference.arguments
        for dtype in (("float64", "float32") if reference.single else ("float64",))
    ]


# The points


def _magnitudes(smallest: float, largest: float, count: int) -> Iterator[float]:
    """Log-spaced numbers over the whole range, and as many over the everyday one, none of them round."""
    for low, high in ((smallest, largest), (max(smallest, 1e-6), min(largest, 1e3))):
        spread = np.linspace(math.log(low), math.log(high), count)
        width = spread[1] - spread[0]
        yield from (math.exp(s + width * (k * GOLDEN % 1.0 - 0.5)) for k, s in enumerate(spread[1:-1]))


def _sweep(reference: Reference, index: int, dtype: Any) -> list[float]:
    """The values of one argument: log-spaced of both signs, close to the ends of its domain, the ends, and nan."""
    low, high = reference.domains[index]
    info = np.finfo(dtype)
    least = max(reference.least, float(info.smallest_subnormal))
    reach = min(reference.reach, float(info.max))
    sizes = [*_magnitudes(least, reach, reference.points), *(e for e in EDGES if least <= e <= reach), 1.0, 0.5]
    inside = [sign * size for size in sizes for sign in (-1.0, 1.0)]
    for end in (low, high):
        if math.isfinite(end) and end != 0.0:
            inside += [end + sign * abs(end) * 2.0**-gap for gap in GAPS for sign in (-1.0, 1.0)]
    inside = [x for x in (_rounded(x, dtype) for x in inside) if low < x < high and x != 0.0]
    ends = [e for e in (low, high, 0.0) if low <= e <= high] + ([-0.0] if low < 0.0 <= high else [])
    found = dict.fromkeys((math.copysign(1.0, x), x) for x in (*inside, *(ends if reference.limits else ())))
    return [x for _, x in found] + [math.nan]


def _rounded(x: float, dtype: Any) -> float:
    with np.errstate(over="ignore"):
        return float(dtype(x))


def points(subject: Subject) -> list[Point]:
    """All points for the derivative in one argument; the others take their few values in turn."""
    reference, dtype = subject.reference, DTYPES[subject.dtype]
    found: list[Point] = [()]
    for k in range(len(reference.domains)):
        if k == subject.index:
            values = _sweep(reference, k, dtype)
        else:
            values = [x for x in (_rounded(c, dtype) for c in reference.companions(k)) if math.isfinite(x)]
            values = [x for x in values if x != 0.0 or 0.0 in reference.companions(k)]
        found = [(*before, x) for before in found for x in values]
    return found


# Who is asked


class Adcore:
    """adcore: the code for arrays and, for derivatives, that for numbers, the worse of which counts."""

    name = "adcore"

    def __init__(self, call: str) -> None:
        self.call = call
        self.names = parameters(call)

    def values(self, arrays: list[Any]) -> Any:
        with defined(self.call, source_of(self.call), NAMESPACE) as f:
            return jit(f)(*arrays)

    def slopes(self, arrays: list[Any], index: int) -> tuple[Any, ...]:
        """By `jvp` of arrays and, of doubles, by `grad` of numbers."""
        pushed = self.pushed(arrays, index)
        if arrays[0].dtype != np.float64:
            return (pushed,)
        with defined(self.call, source_of(self.call), NAMESPACE) as f:
            derivative = grad(f, argnums=index)
            pulled = [derivative(*at) for at in zip(*arrays, strict=True)]
        return pushed, np.array(pulled)

    def pushed(self, arrays: list[Any], index: int, order: int = 1) -> Any:
        """The derivative of an order by `jvp`, of the function of one argument that closes over the others."""
        name = self.names[index]
        beside = {other: x for other, x in zip(self.names, arrays, strict=True) if other != name}
        ones = np.ones_like(arrays[index])
        with defined(self.call, f"def f({name}):\n    return {self.call}\n", {**NAMESPACE, **beside}) as f:
            for _ in range(order - 1):
                f = _slope_of(f, ones)
            return jvp(f, (arrays[index],), (ones,))[1]


def _slope_of(f: Any, ones: Any) -> Any:
    return lambda x: jvp(f, (x,), (ones,))[1]


class Jax:
    """JAX on the CPU, with 64 bits."""

    name = "JAX"

    def __init__(self, call: str) -> None:
        import jax
        import jax.scipy.special

        if call in ENDLESS:
            raise NotImplementedError(call)
        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_enable_x64", True)
        self.jax = jax
        self.f = eval(f"lambda {', '.join(parameters(call))}: {call}", {"numpy": jax.numpy, "scipy": jax.scipy})

    def slopes(self, arrays: list[Any], index: int) -> tuple[Any, ...]:
        derivative = self.jax.vmap(self.jax.grad(self.f, argnums=index))
        return (np.asarray(self.jax.jit(derivative)(*arrays)),)


class Autograd:
    """HIPS autograd."""

    name = "autograd"

    def __init__(self, call: str) -> None:
        import autograd
        import autograd.numpy
        import autograd.scipy.special

        known = {"numpy": autograd.numpy, "scipy": SimpleNamespace(special=autograd.scipy.special)}
        self.autograd = autograd
        self.f = eval(f"lambda {', '.join(parameters(call))}: {call}", known)

    def slopes(self, arrays: list[Any], index: int) -> tuple[Any, ...]:
        return (self.autograd.elementwise_grad(self.f, index)(*arrays),)


PEERS = (Jax, Autograd)
ENDLESS = {"scipy.special.expn(2, x)"}  # JAX takes longer than minutes
LACKING = (AttributeError, NotImplementedError, TypeError, ValueError, KeyError)  # what peers raise


# The errors


@dataclass(frozen=True, slots=True)
class Errors:
    """The errors of one quantity over a sweep, in ulps.

    Attributes:
        each: the error at each place among the points of which the truth is known.
        wrong: what came out at the places where a finite truth became infinite or nan, or the other way round.
    """

    each: dict[int, float]
    wrong: dict[int, float]

    @property
    def at(self) -> int:
        """The place of the largest error where nothing is wrong."""
        return max(self.each, key=self.each.__getitem__, default=0)

    @property
    def worst(self) -> float:
        return max(self.each.values(), default=0.0)

    def quantile(self, share: float) -> float:
        return float(np.quantile([*self.each.values()], share)) if self.each else 0.0


def errors(results: tuple[Any, ...], truths: list[Any], dtype: Any) -> Errors:
    """The errors of the worse of several results at each point of which the truth is known."""
    each, wrong = {}, {}
    for k, truth in enumerate(truths):
        if truth is None:
            continue
        error, got = max((ulps(r[k], truth, dtype), float(r[k])) for r in results)
        if error == WRONG:
            wrong[k] = got
        else:
            each[k] = error
    return Errors(each, wrong)


@dataclass(frozen=True, slots=True)
class Row:
    """What was found for one subject: the points, the truths there, and the errors of each who was asked."""

    subject: Subject
    points: list[Point]
    truths: list[Truth]
    value: Errors
    slope: Errors
    bend: Errors | None
    peers: dict[str, Errors | None]


def measured(subject: Subject) -> Row:
    """All that is known of a subject."""
    at, index, dtype = points(subject), subject.index, DTYPES[subject.dtype]
    domain = subject.reference.domains[index]
    truths = [true_values(subject.reference.of, p, index, domain) for p in at]
    arrays = [np.array(a, dtype) for a in zip(*at, strict=True)]
    ours = Adcore(subject.call)
    got = ours.values(arrays)
    truths = [
        _at_nan(t, p, got[k], index, at, truths) if math.isnan(p[index]) else t
        for k, (t, p) in enumerate(zip(truths, at, strict=True))
    ]
    values, slopes, bends = ([getattr(t, kind) for t in truths] for kind in KINDS)
    return Row(
        subject,
        at,
        truths,
        errors((got,), values, dtype),
        errors(ours.slopes(arrays, index), slopes, dtype),
        errors((ours.pushed(arrays, index, order=2),), bends, dtype) if dtype is np.float64 else None,
        {peer.name: _of_peer(peer, subject, arrays, slopes) for peer in PEERS},
    )


def _at_nan(truth: Truth, point: Point, value: float, index: int, at: list[Point], truths: list[Truth]) -> Truth:
    """What must be nan where the argument is: not a second derivative, which may be constant.

    Nor the first one where the function is affine beside the other arguments, or is not nan itself.
    """
    alike = {
        float(t.slope)
        for p, t in zip(at, truths, strict=True)
        if t.slope is not None
        and not math.isnan(p[index])
        and all(p[k] == x for k, x in enumerate(point) if k != index)
    }
    affine = len(alike) == 1
    return Truth(truth.value, None if affine or not math.isnan(value) else truth.slope, None)


def _of_peer(peer: Any, subject: Subject, arrays: list[Any], slopes: list[Any]) -> Errors | None:
    """A peer's errors, or None where it lacks the function or its derivative."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = peer(subject.call).slopes(arrays, subject.index)
        except LACKING:
            return None
    return errors(found, slopes, DTYPES[subject.dtype])
