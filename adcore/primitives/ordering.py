"""The row that orders: the permutation that sorts, by which a gather then sorts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..types import Atom, DType, Type
from .base import Kind, require, row
from .kinks import Kink, differences

if TYPE_CHECKING:
    from ..builder import Builder
    from ..program import Equation

__all__: list[str] = []


def _argsort_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    require(len(operands) == 1 and operands[0].type.rank > 0, "argsort takes an array")
    require(not operands[0].type.dtype.complex, "argsort: complex numbers have no order")
    return (operands[0].type.with_dtype(DType.I64),)


def _gaps(b: Builder, e: Equation) -> Atom:
    # the differences of neighbours in the order
    x, places = e.operands[0], e.outs[0]
    rank = x.type.rank
    others = [_counted(b, x.type.shape, axis) for axis in range(rank - 1)]
    return differences(b, b.gather(x, *others, places, codes="a" * rank))


def _counted(b: Builder, shape: tuple[Atom, ...], axis: int) -> Atom:
    """Of each element its place along one axis."""
    rest = tuple(a for a in range(len(shape)) if a != axis)
    return b.expand(b.iota(shape[axis]), *[shape[a] for a in rest], axes=rest)


# The places of the elements in ascending order along the last axis; equal ones keep their order, nan comes last.
row(
    "argsort",
    Kind.ORDER,
    _argsort_typing,
    lambda x: np.argsort(x, axis=-1, kind="stable"),
    kinks=(Kink("ties", margin=_gaps),),
)
