"""Masks of tangents and cotangents, and factors that are infinite where nothing was taken.

A factor may be inf or nan where the primal was not taken: the 1/x of `where(x > 0, log(x), 0)` at x = 0, or data that
are missing.  The zero that the mask put there has to stay zero, so the product is masked once more, also where what was
masked has been rearranged, repeated or summed before it is multiplied.
"""

from __future__ import annotations

import cmath
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .types import Atom, DType, Lit

if TYPE_CHECKING:
    from .builder import Builder
    from .program import Equation

__all__ = ["is_zero", "mask_of", "masked", "negated", "placed", "scaled"]

REARRANGING = {"reshape", "permute", "expand", "view", "conform"}
PASSING = {"neg", "conj", "real", "cast"}
DEPTH = 12  # operations that are looked through


def masked(b: Builder, keep: Atom, t: Atom) -> Atom:
    """One mask of two, so that a factor afterwards finds all that was masked."""
    before = mask_of(b, t)
    return b.select(keep, t, 0.0) if before is None else b.select(b.land(keep, before[0]), before[1], 0.0)


def negated(b: Builder, t: Atom) -> Atom:
    before = mask_of(b, t)
    return b.neg(t) if before is None else b.select(before[0], b.neg(before[1]), 0.0)


def scaled(b: Builder, factor: Atom, t: Atom) -> Atom:
    """The factor times t, 0 where t is the zero of a mask, and where it is the zero around what is placed."""
    around = placed(b, t)
    if around is not None:
        base, value, *region = around.operands
        return b.add_at(base, scaled(b, _part(b, factor, region, around), value), *region, **around.params)
    before = mask_of(b, t)
    if before is not None:
        return b.select(before[0], b.mul(factor, before[1]), 0.0)
    kept = None if _is_constant(b, factor) else _kept(b, t, DEPTH)
    return b.mul(factor, t) if kept is None else b.select(kept, b.mul(factor, t), 0.0)


def placed(b: Builder, t: Atom) -> Equation | None:
    """The write that t is, if it is one part of an array that is 0 elsewhere."""
    equation = b.defining(t)
    if equation is None or equation.primitive.name != "add_at" or not is_zero(b, equation.operands[0]):
        return None
    return equation


def _part(b: Builder, factor: Atom, region: Sequence[Atom], around: Equation) -> Atom:
    found = b.defining(factor)
    if found is not None and found.primitive.name == "expand" and not found.operands[0].type.shape:
        shape = around.operands[1].type.shape
        return b.expand(found.operands[0], *shape, axes=tuple(range(len(shape))))
    return b.view(factor, *region, **around.params)


def mask_of(b: Builder, t: Atom) -> tuple[Atom, Atom] | None:
    """Where t may be other than the zero of a mask, and what it is there."""
    equation = b.defining(t)
    if equation is None or equation.primitive.name != "select" or not is_zero(b, equation.operands[2]):
        return None
    return equation.operands[0], equation.operands[1]


def is_zero(b: Builder, atom: Atom) -> bool:
    """Whether a value is the constant 0, as the mask writes it."""
    equation = b.defining(atom)
    if equation is not None and equation.primitive.name == "expand":
        atom = equation.operands[0]
    return atom == atom.type.dtype.zero


def _kept(b: Builder, t: Atom, depth: int) -> Atom | None:
    """Where t may be other than zeros of a mask, through what moves elements and sums them; None where all may be."""
    equation, mask = b.defining(t), mask_of(b, t)
    if mask is not None:
        return mask[0]
    if equation is None or depth == 0 or not equation.operands:
        return None
    name, rest = equation.primitive.name, equation.operands[1:]
    if name == "add_at" and is_zero(b, equation.operands[0]):
        inner = _kept(b, rest[0], depth - 1)
        nowhere = b.expand(DType.BOOL.zero, *t.type.shape, axes=tuple(range(t.type.rank)))
        return None if inner is None else b.update(nowhere, inner, *rest[1:], **equation.params)
    if name not in REARRANGING | PASSING | {"total"}:
        return None
    inner = _kept(b, equation.operands[0], depth - 1)
    if inner is None or name in PASSING:
        return inner
    if name == "total":
        return b.reduce_or(inner, **equation.params)
    return b.emit(equation.primitive, (inner, *rest), equation.params)


def _is_constant(b: Builder, factor: Atom) -> bool:
    """Whether a factor is one finite number everywhere, known now."""
    equation = b.defining(factor)
    if equation is not None and equation.primitive.name == "expand":
        factor = equation.operands[0]
    return isinstance(factor, Lit) and cmath.isfinite(factor.value)
