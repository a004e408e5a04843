"""What a row says of the points where its maps are not its derivative.

A kink is where a real number, its margin, is 0.  The sign of the margin says on which side of the kink a point is, and
on either side the row is a smooth function of its operands, a piece, that goes on through the kink.  So nothing of the
derivative is stated here a second time: the one-sided derivatives are those of the pieces.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..builder import Builder
    from ..types import Atom

__all__ = ["Effect", "Kink", "Piece", "constant", "differences", "edge", "pointwise_kinks"]

Piece = Callable[..., Any]  # of a builder and an equation, whose results stand; gives an atom


class Effect(Enum):
    """What happens to the row at a kink."""

    BEND = "bend"  # continuous, with a derivative on each side
    CONE = "cone"  # continuous, with a derivative in each direction: as the distance from a point
    JUMP = "jump"  # the value jumps
    EDGE = "edge"  # the end of where the row is defined, or an infinite slope


@dataclass(frozen=True, slots=True)
class Kink:
    """One kink of a row.

    Attributes:
        where: in words, of the operands x and y.
        effect: what happens there.
        margin: emits the real number, or array of them, that is 0 at the kink and has a sign on each side; gives None
            for an equation whose parameters or dtypes leave the kink out.  None where it is not known, as of ranks.
        below, above: emit what the row is where the margin is negative, and where it is positive; None where there is
            no such function, or none that is known.
    """

    where: str
    effect: Effect = Effect.BEND
    margin: Piece | None = None
    below: Piece | None = None
    above: Piece | None = None

    def __str__(self) -> str:
        return self.where

    @property
    def sided(self) -> bool:
        """Whether there are two pieces."""
        return self.below is not None and self.above is not None


def edge(where: str, margin: Piece | None = None) -> Kink:
    """Where the row ends, or its slope is infinite, or its derivative is not known."""
    return Kink(where, Effect.EDGE, margin)


def pointwise_kinks(*kinks: Kink) -> tuple[Kink, ...]:
    """Kinks whose margins and pieces are written as `lambda b, x, y, z: …`, of the operands and the result."""
    return tuple(Kink(k.where, k.effect, _pointwise(k.margin), _pointwise(k.below), _pointwise(k.above)) for k in kinks)


def constant(b: Builder, value: Any, like: Atom) -> Atom:
    """A number of the dtype and shape of another value."""
    number = like.type.dtype.constant(value)
    shape = like.type.shape
    return b.expand(number, *shape, axes=tuple(range(len(shape)))) if shape else number


def differences(b: Builder, x: Atom) -> Atom:
    """How far the elements along the last axis are from the ones before them: an array that is one shorter."""
    n = x.type.shape[-1]
    whole = ":" * (x.type.rank - 1)
    fewer = b.maximum(b.sub(n, 1), 0)
    return b.sub(b.view(x, 1, fewer, 1, codes=whole + "s"), b.view(x, 0, fewer, 1, codes=whole + "s"))


def _pointwise(piece: Callable[..., Any] | None) -> Piece | None:
    return None if piece is None else lambda b, e: piece(b, *e.operands, e.outs[0])
