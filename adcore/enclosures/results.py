"""What a certificate is made of: enclosures of values, kinks that are touched, boxes that are undecided."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import Source
from ..trees import leaves, matched, structure

__all__ = ["Enclosure", "Touched", "Undecided"]


@dataclass(frozen=True)
class Enclosure:
    """What a value is certainly between, for all arguments of a box.

    Attributes:
        lower, upper: trees of numbers and arrays, of the value's structure.
    """

    lower: Any
    upper: Any

    def __contains__(self, value: Any) -> bool:
        """Whether every number of a value is within its ends."""
        tree = structure(self.lower)
        triples = zip(leaves(self.lower), matched(tree, value), leaves(self.upper), strict=True)
        return all(v is None or bool(np.all((low <= v) & (v <= high))) for low, v, high in triples)

    @property
    def width(self) -> float:
        """The largest distance of two ends."""
        pairs = zip(leaves(self.lower), leaves(self.upper), strict=True)
        widths = [
            np.max(np.asarray(high, float) - np.asarray(low, float), initial=0.0)
            for low, high in pairs
            if low is not None
        ]
        return float(max(widths, default=0.0))

    def __str__(self) -> str:
        if isinstance(self.lower, float) and isinstance(self.upper, float):
            return f"[{self.lower:.6g}, {self.upper:.6g}]"
        return f"[{_shown(self.lower)}, {_shown(self.upper)}]"


def _shown(tree: Any) -> str:
    return np.array2string(tree, precision=6, threshold=8) if isinstance(tree, np.ndarray) else repr(tree)


@dataclass(frozen=True)
class Touched:
    """Why a box is undecided: a kink that may lie in it, a domain that it may leave, or what could not be executed.

    Attributes:
        reason: in words.
        primitive: the row whose kink it is; empty for other reasons.
        source: the user's line.
    """

    reason: str
    primitive: str = ""
    source: Source | None = None

    def __str__(self) -> str:
        what = f"kink of {self.primitive}, {self.reason}" if self.primitive else self.reason
        if self.source is None:
            return what
        return f"{what}: {Path(self.source.file).name}:{self.source.line}: {self.source.text.strip()}"


@dataclass(frozen=True)
class Undecided:
    """A part of the box in which a kink may lie.

    Attributes:
        lower, upper: its corners, of the structure of the arguments.
        reasons: what is in the way.
    """

    lower: Any
    upper: Any
    reasons: tuple[Touched, ...]
