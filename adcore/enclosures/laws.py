"""The laws of interval meanings, tested at random intervals.

    soundness    what a row gives at numbers of its operands' intervals is in its interval: its NumPy meaning, and its
                 symbol by mpmath with 50 digits; or the interval is marked as perhaps undefined
    inclusion    narrower operands give intervals that are within, up to the rounding of functions whose computed
                 values do not rise as they do
    points       of operands that are numbers, an interval that holds the meaning
    programs     soundness of all values of random programs, with and without zonotopes

`python -m adcore.enclosures.laws 1000000` tests so many points.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..builder import Builder
from ..law_examples import Example
from ..laws import Case, cases, symbol_of
from ..primitives import TABLE, Kind, Primitive
from ..program import Equation, Program
from ..types import F64, Atom, Var
from .execution import Execution
from .intervals import UNDEFINED, Interval, point
from .table import ROWS, UndecidedError
from .zonotopes import forms_of

__all__ = ["BrokenLawError", "check_example", "check_programs", "check_scalars", "examples", "main", "scalars"]


class BrokenLawError(AssertionError):
    """A row's interval meaning breaks a law."""


def scalars() -> list[Primitive]:
    """The rows with an interval meaning that are functions of real numbers, with a symbol."""
    return [p for p in TABLE if p.name in ROWS and p.symbol and p.kind is Kind.ELEMENTWISE]


def examples() -> Iterator[tuple[Primitive, Example]]:
    """The examples, of the laws of the table, of rows that have an interval meaning."""
    for primitive in TABLE:
        if primitive.name in ROWS:
            for case in cases(primitive, seeds=(0,)):
                if not any(a.type.dtype.complex for a in (*case.equation.operands, *case.equation.outs)):
                    yield primitive, case.example


# Functions of numbers


@dataclass
class _Draws:
    """Random intervals and points: some wide, some an ulp, of all sizes, some with simple ends."""

    rng: np.random.Generator

    def number(self, span: tuple[float, float]) -> float:
        kind = self.rng.integers(8)
        if kind == 0:
            return float(self.rng.choice([0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 1e-300, -1e-300, 710.0, -745.0]))
        if kind == 1:
            return float(self.rng.choice([-1.0, 1.0]) * 2.0 ** self.rng.uniform(-1070.0, 1000.0))
        if kind == 2:
            return float(self.rng.choice([-1.0, 1.0]) * 2.0 ** self.rng.uniform(-30.0, 12.0))
        return float(self.rng.uniform(*span))

    def interval(self, span: tuple[float, float]) -> tuple[float, float]:
        low = self.number(span)
        kind = self.rng.integers(6)
        if kind == 0:
            return low, low
        if kind == 1:
            return low, float(np.nextafter(low, np.inf))
        if kind == 2:
            return low, low + abs(low) * 2.0 ** self.rng.uniform(-50.0, 0.0)
        low, high = sorted((low, self.number(span)))
        return low, high

    def inside(self, ends: tuple[float, float]) -> float:
        kind = self.rng.integers(4)
        if kind == 0:
            return ends[int(self.rng.integers(2))]
        if kind == 1:
            return float(np.clip(np.nextafter(ends[0], np.inf), *ends))
        share = self.rng.uniform()
        return float(np.clip(ends[0] * (1.0 - share) + ends[1] * share, *ends))


def check_scalars(primitive: Primitive, seed: int, intervals: int, points: int = 4) -> int:
    """Soundness and inclusion at random intervals; gives the number of points that were compared with mpmath.

    Raises:
        BrokenLawError: a value outside of its interval.
    """
    import mpmath  # only the laws need it: an extra of the package

    draws = _Draws(np.random.default_rng([seed, *primitive.name.encode()]))
    spans = primitive.sampler.intervals if primitive.sampler else ((-2.0, 2.0),)
    arity, compared = len(primitive.maps), 0
    row, exact = ROWS[primitive.name], symbol_of(primitive.symbol, arity)
    if primitive.name == "arctan2":  # whose symbol is a branch of it
        exact = mpmath.atan2
    with np.errstate(all="ignore"):
        for _ in range(intervals):
            ends = [draws.interval(spans[k % len(spans)]) for k in range(arity)]
            found = row(*(_interval(*e) for e in ends))
            inner = [sorted((draws.inside(e), draws.inside(e))) for e in ends]
            _require_within(primitive, row(*(_interval(*e) for e in inner)), found, inner, ends)
            for _ in range(points):
                at = [draws.inside(e) for e in ends]
                computed = float(primitive.meaning(*map(np.float64, at)))
                _require(primitive, found, computed, at, ends, "computed")
                with mpmath.workdps(_digits(at)):
                    value = _real(exact, list(map(mpmath.mpf, at)))
                if value is not None:
                    compared += 1
                    _require(primitive, found, value, at, ends, "real")
    return compared


def _digits(at: list[float]) -> int:
    """More than what is lost where the terms of a symbol cancel near 0, as in exp(x) - 1."""
    least = min((abs(x) for x in at if x), default=1.0)
    return 50 + int(-math.log10(min(least, 1.0)))


def _interval(low: float, high: float) -> Interval:
    return Interval(np.float64(low), np.float64(high), np.int64(0))


def _require(primitive: Primitive, found: Interval, value: Any, at: Any, ends: Any, what: str) -> None:
    undefined = bool(found.marks & UNDEFINED)
    if value != value:
        if not undefined:
            raise BrokenLawError(f"{primitive.name} at {at}: no number, but [{found.lower}, {found.upper}] of {ends}")
        return
    if undefined and np.isnan(found.lower) and what == "computed" and not np.isfinite(value):
        return
    if not float(found.lower) <= value <= float(found.upper):
        raise BrokenLawError(
            f"{primitive.name} at {at}: the {what} value {value} is not in [{found.lower!r}, {found.upper!r}] of {ends}"
        )


def _require_within(primitive: Primitive, inner: Interval, outer: Interval, small: Any, large: Any) -> None:
    if np.isnan(inner.lower):
        return
    slack = [
        16.0 * np.finfo(float).eps * abs(end) + 1e-322
        for end in np.nan_to_num((outer.lower, outer.upper), posinf=0.0, neginf=0.0)
    ]
    if not (outer.lower <= inner.lower + slack[0] and inner.upper - slack[1] <= outer.upper):
        raise BrokenLawError(
            f"{primitive.name}: [{inner.lower}, {inner.upper}] of {small} is not within "
            f"[{outer.lower}, {outer.upper}] of {large}"
        )


# All rows, at the examples of the laws


def check_example(primitive: Primitive, example: Example, seed: int, points: int = 20) -> None:
    """Soundness of a row at an example with intervals around its point, integers and booleans as they are.

    Raises:
        BrokenLawError: a value outside of its interval.
    """
    case = Case(primitive, example, seed)
    rng = np.random.default_rng([seed, *primitive.name.encode()])
    program = case.program(*case.equation.outs)
    width = 10.0 ** rng.uniform(-8.0, 0.5)
    low = [_moved(v, -width * rng.uniform(0.0, 1.0)) for v in case.point]
    high = [_moved(v, width * rng.uniform(0.0, 1.0)) for v in case.point]
    try:
        found = Execution(program).run([_between(a, c) for a, c in zip(low, high, strict=True)])
    except UndecidedError:
        return
    for k in range(points):
        at = [_inside(rng, a, c, k) for a, c in zip(low, high, strict=True)]
        run = Execution(program)
        values = run.run([point(v) for v in at])
        case.point = tuple(at)
        with np.errstate(all="ignore"):
            meant = primitive.meaning(*case.values(), **case.equation.params)
        meant = meant if len(found) > 1 else (meant,)
        for value, narrow, wide in zip(meant, values, found, strict=True):
            for interval in (narrow, wide):
                good = (interval.lower <= value) & (value <= interval.upper)
                good |= (
                    np.isnan(value) & ((interval.marks & UNDEFINED) != 0)
                    if np.asarray(value).dtype.kind == "f"
                    else False
                )
                if np.shape(value) != interval.shape or interval.dtype != np.asarray(value).dtype or not np.all(good):
                    raise BrokenLawError(
                        f"{primitive.name} at {at}: {value} is not in [{interval.lower}, {interval.upper}]"
                    )


def _moved(value: Any, by: Any) -> Any:
    array = np.asarray(value)
    return (array + array.dtype.type(by))[()] if array.dtype.kind == "f" else value


def _between(low: Any, high: Any) -> Interval:
    return Interval(low, high, np.zeros(np.shape(low), np.int64)[()])


def _inside(rng: np.random.Generator, low: Any, high: Any, k: int) -> Any:
    array = np.asarray(low)
    if array.dtype.kind != "f" or k < 2:
        return high if k else low
    share = rng.uniform(size=array.shape)
    return np.clip(np.asarray(low + share * (np.asarray(high) - low), array.dtype), low, high)[()]


# Programs, in which operands depend on each other

UNARY = ("neg", "exp", "tanh", "sin", "cos", "arctan", "sqrt", "log1p", "abs", "expit", "cosh", "cbrt")
BINARY = ("add", "sub", "mul", "mul", "div", "hypot", "logaddexp")


def check_programs(seed: int, affine: bool, length: int = 12, points: int = 20) -> int:
    """Soundness of every value in a random program of two numbers, on a random box; with zonotopes if asked for.

    Gives the number of values that were compared with mpmath.

    Raises:
        BrokenLawError: a value outside of its interval.
    """
    rng = np.random.default_rng(seed)
    program = _random_program(rng, length)
    center, width = rng.normal(size=2), 10.0 ** rng.uniform(-10.0, 0.0)
    low, high = center - width * rng.uniform(size=2), center + width * rng.uniform(size=2)
    forms = forms_of(low, high)
    parts = [forms.part(k, 1, (), np.dtype(float)) if affine else None for k in range(2)]
    execution = Execution(program)
    execution.run([Interval(low[k], high[k], np.int64(0), parts[k]) for k in range(2)])
    compared = 0
    for _ in range(points):
        at = np.clip(low + (high - low) * rng.uniform(size=2), low, high)
        for equation, computed, real in _values(program, at):
            interval = execution.env[equation.outs[0]]
            if np.any(interval.marks & UNDEFINED):
                continue
            _require(equation.primitive, interval, computed, at, (low, high), "computed")
            if real is not None:
                compared += 1
                _require(equation.primitive, interval, real, at, (low, high), "real")
    return compared


def _random_program(rng: np.random.Generator, length: int) -> Program:
    params = (Var(F64, "x"), Var(F64, "y"))
    b, known = Builder(), list[Var](params)
    for _ in range(length):
        names = UNARY if rng.uniform() < 0.4 else BINARY
        count = 1 if names is UNARY else 2
        operands = tuple(known[int(rng.integers(max(0, len(known) - 5), len(known)))] for _ in range(count))
        made = b.emit(TABLE[str(rng.choice(names))], operands, {})
        if isinstance(made, Var):
            known.append(made)
    return Program(params, b.equations, tuple(known))


def _values(program: Program, at: np.ndarray) -> Iterator[tuple[Equation, float, Any]]:
    """The value of each equation, as NumPy computes it, and as mpmath does with 50 digits, where it is real."""
    import mpmath  # as above

    numbers: dict[Atom, Any] = dict(zip(program.params, at, strict=True))
    exact: dict[Atom, Any] = {p: mpmath.mpf(float(v)) for p, v in numbers.items()}
    for equation in program.equations:
        (out,) = equation.outs
        with np.errstate(all="ignore"):
            operands = [numbers[a] if isinstance(a, Var) else np.float64(a.value) for a in equation.operands]
            numbers[out] = equation.primitive.meaning(*operands)
        reals = [exact[a] if isinstance(a, Var) else mpmath.mpf(a.value) for a in equation.operands]
        with mpmath.workdps(50):
            exact[out] = None if None in reals else _real(symbol_of(equation.primitive.symbol, len(reals)), reals)
        yield equation, float(numbers[out]), exact[out]


def _real(f: Any, operands: list[Any]) -> Any:
    import mpmath  # as above

    try:
        value = f(*operands)
    except (ZeroDivisionError, ValueError, OverflowError):
        return None
    return value if isinstance(value, mpmath.mpf) else None


def main(points: int) -> None:
    """Compare so many points with mpmath, shared out among the scalar rows."""
    rows, compared, seed = scalars(), 0, 0
    while compared < points:
        for primitive in rows:
            compared += check_scalars(primitive, seed, 200, 5)
        seed += 1
    print(f"{compared} points of {len(rows)} rows: each within its interval")
    values = sum(check_programs(seed, affine) for seed in range(max(1, points // 400)) for affine in (False, True))
    print(f"{values} values of random programs: each within its interval, and within that of its zonotope")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
