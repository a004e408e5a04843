"""Python's integers, which grow, on 64 bits: a result beyond them is an OverflowError, never another number.

Most arithmetic on integers is on lengths, indices and counts, for which it can be shown that it stays within 64 bits;
elsewhere the result is tested when the function runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcore.types import Atom, DType, Lit

from .counts import STEP
from .facts import linear

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["add", "exact_power", "exact_shift", "multiply", "subtract"]

LIMIT = 2**63
MESSAGE = "the integer result does not fit into 64 bits"


def add(low: Lowering, x: Atom, y: Atom) -> Atom:
    """`x + y`, as Python has it."""
    if not _small_step(low, x, y) and not _small_step(low, y, x):
        _test(low, "add_wraps", x, y, _sum(low, x, y))
    return low.b.add(x, y)


def subtract(low: Lowering, x: Atom, y: Atom) -> Atom:
    """`x - y`, as Python has it."""
    if not _small_step(low, x, y):
        _test(low, "sub_wraps", x, y, _sum(low, x, y))
    return low.b.sub(x, y)


def multiply(low: Lowering, x: Atom, y: Atom) -> Atom:
    """`x * y`, as Python has it."""
    p, q = (low.facts.magnitude(low.b, a) for a in (x, y))
    _test(low, "mul_wraps", x, y, None if p is None or q is None else p * q)
    return low.b.mul(x, y)


def exact_power(low: Lowering, x: Atom, y: Atom) -> None:
    """Test that `x ** y` fits."""
    b = low.b
    if isinstance(x, Lit) and isinstance(y, Lit) and abs(int(x.value) ** int(y.value)) < LIMIT:
        return
    size = b.pow(b.abs(b.cast(x, dtype=DType.F64)), b.cast(y, dtype=DType.F64))
    _raise_unless(low, b.lt(size, float(LIMIT)))


def exact_shift(low: Lowering, x: Atom, y: Atom) -> None:
    """Test that `x << y` fits."""
    b = low.b
    back = b.eq(b.shift_right(b.shift_left(x, y), y), x)
    _raise_unless(low, b.lor(b.eq(x, 0), b.land(back, b.lt(y, 64))))


def _sum(low: Lowering, x: Atom, y: Atom) -> int | None:
    p, q = (low.facts.magnitude(low.b, a) for a in (x, y))
    return None if p is None or q is None else p + q


def _small_step(low: Lowering, x: Atom, y: Atom) -> bool:
    """Whether a small constant is added to a number that a loop changes by small constants only, as far as is known."""
    if not isinstance(y, Lit) or abs(y.value) > STEP:
        return False
    base, offset = linear(low.b, x)
    return abs(offset) <= STEP and low.facts.drifts(base)


def _test(low: Lowering, name: str, x: Atom, y: Atom, magnitude: int | None) -> None:
    if magnitude is None or magnitude >= LIMIT:
        _raise_unless(low, low.b.lnot(getattr(low.b, name)(x, y)))


def _raise_unless(low: Lowering, holds: Atom) -> None:
    low.strict += 1
    low.check(holds, "OverflowError", MESSAGE)
