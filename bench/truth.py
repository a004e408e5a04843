"""True values and derivatives of scalar functions by mpmath, with as many digits as it takes, and errors in ulps.

Only the function itself is stated; its derivatives are central differences of so many digits that the step is
far below what matters.  The digits are raised until two results agree.
"""

from __future__ import annotations

import gc
import math
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

__all__ = ["KINDS", "WRONG", "Truth", "true_values", "ulps"]

DIGITS = (60, 100, 200, 400, 800, 1600, 3200)
AGREEMENT = mpf(10) ** -19
NOTHING = mpf(10) ** -345  # less than any floating-point number
ENOUGH_FOR_BENDS = 200
SECONDS = 0.5  # of the processor that mpmath may take for one point
STEPS = (25, 50, 100, 200)  # powers of ten of the distances from an end at which a limit is looked for
FAR_STEPS = (250, 300, 400, 600)  # the same at 0 and infinity beside other arguments, which may be extreme
KINDS = ("value", "slope", "bend")
WRONG = math.inf  # the error of an answer that is finite where the truth is not, or the other way round

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Truth:
    """A function's value and first two derivatives in one argument, None where mpmath has none."""

    value: mpf | None
    slope: mpf | None
    bend: mpf | None


FAILURES = (ValueError, ZeroDivisionError, OverflowError, TypeError, mpmath.mp.NoConvergence)
UNKNOWN = Truth(None, None, None)
UNDEFINED = Truth(mpf("nan"), mpf("nan"), mpf("nan"))


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def late(*_: Any) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, late)
    gc.disable()  # a callback of the collector would swallow the exception
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)
        gc.enable()


def true_values(f: Function, at: tuple[float, ...], index: int, domain: tuple[float, float]) -> Truth:
    """The truth at a point: at an end of the domain and at 0 the limits, the mean of those from both sides."""
    if any(map(math.isnan, at)):
        return UNDEFINED
    if not all(math.isfinite(x) for k, x in enumerate(at) if k != index):
        return UNKNOWN
    try:
        with _limited(SECONDS):
            return _true_values(f, at, index, domain)
    except (*FAILURES, TimeoutError):
        return UNKNOWN


def _true_values(f: Function, at: tuple[float, ...], index: int, domain: tuple[float, float]) -> Truth:
    x, (low, high) = at[index], domain

    def of_one(t: mpf) -> mpf:
        return f(*(t if k == index else mpf(a) for k, a in enumerate(at)))

    if low < x < high and x != 0.0:
        return _at(of_one, lambda: mpf(x), min(abs(mpf(x) - e) for e in (0.0, low, high) if math.isfinite(e)))
    exact = UNKNOWN
    if low < x < high:
        with suppress(*FAILURES):
            exact = _at(of_one, lambda: mpf(0), mpf(1))
    if None in (exact.value, exact.slope, exact.bend):
        limits = _limits(of_one, x, low < x, x < high, _steps(at, index))
        exact = Truth(*(getattr(limits if getattr(exact, kind) is None else exact, kind) for kind in KINDS))
    return exact


def _steps(at: tuple[float, ...], index: int) -> tuple[int, ...]:
    extreme = any(not 1e-20 < abs(a) < 1e20 for k, a in enumerate(at) if k != index)
    return FAR_STEPS if extreme and (at[index] == 0.0 or math.isinf(at[index])) else STEPS


def _limits(f: Function, x: float, below: bool, above: bool, steps: tuple[int, ...]) -> Truth:
    """The limits at a point from the sides that are in the domain."""
    sides = [_limit(f, x, sign, steps) for sign, inside in ((-1, below), (1, above)) if inside]
    return Truth(*(_mean([getattr(side, kind) for side in sides], kind) for kind in KINDS))


def _at(f: Function, x: Callable[[], mpf], scale: mpf) -> Truth:
    """By central differences with a step of a third of the digits; x is made anew for each number of digits."""
    before: tuple[Any, ...] = (None, None, None)
    found: list[Any] = [None, None, None]
    for digits in DIGITS:
        with mpmath.workdps(digits):
            step = scale * mpf(10) ** -(digits // 3)
            below, here, above = (_real(f(x() + k * step)) for k in (-1, 0, 1))
            now = (here, (above - below) / (2 * step), (above - 2 * here + below) / step**2)
            size = max(abs(above), abs(below), abs(here))
            for k in range(3):
                # a difference of 0 may be a cancellation within the function, of terms about 1
                blur = mpf(10) ** (5 - digits) * (size if now[k] else max(size, 1)) / step**k
                if found[k] is None and _settled(now[k], before[k], blur, NOTHING if step < 1 else 0):
                    found[k] = now[k]
            if found[0] is not None and found[1] is not None and (found[2] is not None or digits >= ENOUGH_FOR_BENDS):
                break
            before = now
    return Truth(*found)


def _settled(now: mpf, before: mpf | None, blur: mpf, nothing: Any) -> bool:
    return before is not None and max(abs(now - before), blur) <= max(AGREEMENT * abs(now), nothing)


def _real(x: Any) -> mpf:
    if isinstance(x, mpmath.mpc):
        if abs(x.imag) > abs(x.real) * mpf(10) ** -30:
            raise ValueError("not real")
        return x.real
    return mpf(x)


def _limit(f: Function, end: float, sign: int, steps: tuple[int, ...]) -> Truth:
    """The limits of value and derivatives on one side of a point, infinite ones too."""
    runs = []
    for power in steps:
        if math.isinf(end):
            scale = mpf(10) ** power
            runs.append(_at(f, lambda s=scale: -sign * s, scale))
        else:
            runs.append(_at(f, lambda p=power: mpf(end) + sign * mpf(10) ** -p, mpf(10) ** -power))
    return Truth(*(_limit_of([getattr(run, kind) for run in runs]) for kind in KINDS))


def _limit_of(values: list[mpf | None]) -> mpf | None:
    known = [v for v in values if v is not None]
    if len(known) < len(values):
        return None
    *_, third, last = known
    changes = [abs(b - a) for a, b in pairwise(known)]
    if changes[-1] <= AGREEMENT * abs(last):
        return last
    if abs(last) < NOTHING or (changes[-1] < changes[-2] < changes[0] and abs(last) < abs(third) * mpf(10) ** -10):
        return mpf(0)
    same_sign = all((v > 0) == (last > 0) for v in known)
    if same_sign and changes[0] < changes[1] < changes[2] and abs(known[0]) < abs(third) < abs(last):
        return mpf("inf") if last > 0 else mpf("-inf")
    return None


def _mean(sides: list[mpf | None], kind: str) -> mpf | None:
    if not sides or any(s is None for s in sides):
        return None
    if all(s == sides[0] for s in sides):
        return sides[0]
    if not all(mpmath.isfinite(s) for s in sides):
        return None
    if all(abs(s - sides[0]) <= AGREEMENT * abs(s) for s in sides):
        return sides[0]
    if kind == "value":
        return None
    mean = sum(sides) / len(sides)
    return mpf(0) if abs(mean) <= AGREEMENT * abs(sides[0]) else mean


def ulps(got: float, truth: mpf, dtype: Any = np.float64) -> float:
    """The error in units of the last place of the truth, of the smallest subnormal number below the normal ones.

    `WRONG` where one of the two is finite and the other is not, but where the truth rounds to either.
    """
    info = np.finfo(dtype)
    largest, digits, smallest = float(info.max), info.nmant, math.log2(float(info.smallest_subnormal))
    got = float(got)
    if mpmath.isnan(truth):
        return 0.0 if math.isnan(got) else WRONG
    if math.isnan(got):
        return WRONG
    near = mpf(largest) * (1 - mpf(2) ** -(digits - 8))
    if abs(truth) > near:
        return 0.0 if abs(got) > near and (got > 0) == (truth > 0) else WRONG
    if math.isinf(got):
        return WRONG
    exponent = smallest if truth == 0 else max(float(mpmath.floor(mpmath.log(abs(truth), 2))) - digits, smallest)
    return float(abs(mpf(got) - truth) / mpf(2) ** int(exponent))
