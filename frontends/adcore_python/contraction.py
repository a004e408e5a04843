"""Sums of products by labels, as Einstein wrote them: axes with one label run together, those not asked for are summed.

Factors are multiplied in pairs, the pair that leaves the fewest axes first.  A pair is a matrix product where the two
have axes of their own and share some that are summed, so that BLAS does the work; otherwise it is elementwise, and
summed in the same loops.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

from adcore.types import Atom, DType, Lit, literal

from .operators import is_one
from .promotion import join
from .reductions import product
from .values import Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["Factor", "Labels", "contracted"]

Labels = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Factor:
    """An array or number, one label an axis."""

    atom: Atom
    labels: Labels

    @property
    def lengths(self) -> dict[Hashable, Atom]:
        return dict(zip(self.labels, self.atom.type.shape, strict=True))


def contracted(low: Lowering, factors: Sequence[Factor], out: Labels) -> Value:
    """The sum of the products of the factors' elements, over all labels that are not in `out`.

    Axes of length 1 are repeated to the length that the others with their label have.
    """
    dtype = join([f.atom.type.dtype for f in factors])
    work = DType.I64 if dtype is DType.BOOL else dtype
    left = [replace(f, atom=low.cast(f.atom, work)) for f in factors]
    left = _of_one_length(low, [_without_ones(low, _diagonal(low, f)) for f in left])
    left = [_summed(low, f, _needed(left[:k] + left[k + 1 :], out)) for k, f in enumerate(left)]
    while len(left) > 1:
        i, j = min(combinations(range(len(left)), 2), key=lambda pair: _cost(left, pair, out))
        rest = [f for k, f in enumerate(left) if k not in (i, j)]
        left = [*rest, _pair(low, left[i], left[j], _needed(rest, out), out)]
    atom = _arranged(low, left[0], out).atom
    return low.value(low.b.ne(atom, 0) if dtype is DType.BOOL else atom)


def _needed(others: Sequence[Factor], out: Labels) -> set[Hashable]:
    return {*out, *(label for f in others for label in f.labels)}


def _cost(factors: Sequence[Factor], pair: tuple[int, int], out: Labels) -> tuple[int, int]:
    """How many axes the product leaves, and over how many it is taken."""
    rest = [f for k, f in enumerate(factors) if k not in pair]
    together = {label for k in pair for label in factors[k].labels}
    return len(together & _needed(rest, out)), len(together)


# One factor


def _without_ones(low: Lowering, f: Factor) -> Factor:
    """Without the axes whose length is known to be 1."""
    ones = [is_one(n) for n in f.atom.type.shape]
    if not any(ones):
        return f
    codes = "".join("i" if one else ":" for one in ones)
    labels = tuple(label for label, one in zip(f.labels, ones, strict=True) if not one)
    return Factor(low.b.view(f.atom, *[0] * sum(ones), codes=codes), labels)


def _diagonal(low: Lowering, f: Factor) -> Factor:
    """Axes with the same label run together: every n + 1st element of a square."""
    b, twice = low.b, next((label for label in f.labels if f.labels.count(label) > 1), None)
    if twice is None:
        return f
    places = [k for k, label in enumerate(f.labels) if label == twice][:2]
    rest = [k for k in range(len(f.labels)) if k not in places]
    front = b.permute(f.atom, order=(*places, *rest))
    n, m, *others = front.type.shape
    message = f"dimensions in operand for collapsing index '{twice}' don't match ({{0}} != {{1}})"
    low.check(b.eq(n, m), "ValueError", message, n, m)
    flat = b.reshape(front, b.mul(n, m), *others)
    atom = b.view(flat, 0, n, b.add(n, 1), codes="s" + ":" * len(others))
    return _diagonal(low, Factor(atom, (twice, *(f.labels[k] for k in rest))))


def _of_one_length(low: Lowering, factors: list[Factor]) -> list[Factor]:
    """Axes with one label have one length, compared at run time where that is not plain."""
    wanted: dict[Hashable, Atom] = {}
    for f in factors:
        for label, length in f.lengths.items():
            if label not in wanted or isinstance(length, Lit):
                wanted[label] = length
    return [
        replace(f, atom=low.b.conform(f.atom, *(wanted[label] for label in f.labels), checked=True)) for f in factors
    ]


def _summed(low: Lowering, f: Factor, needed: set[Hashable]) -> Factor:
    axes = tuple(k for k, label in enumerate(f.labels) if label not in needed)
    return Factor(low.b.total(f.atom, axes=axes), tuple(label for label in f.labels if label in needed))


def _arranged(low: Lowering, f: Factor, labels: Labels) -> Factor:
    """With these labels in this order; those that it does not have are of length 1."""
    order = tuple(f.labels.index(label) for label in labels if label in f.labels)
    new = tuple(k for k, label in enumerate(labels) if label not in f.labels)
    atom = low.b.permute(f.atom, order=order)
    return Factor(low.b.expand(atom, *[literal(1)] * len(new), axes=new), labels)


# Two factors


def _pair(low: Lowering, x: Factor, y: Factor, needed: set[Hashable], out: Labels) -> Factor:
    """The product, summed over the labels that both have and nothing else needs."""
    summed = tuple(label for label in x.labels if label in y.labels and label not in needed)
    own_x = tuple(label for label in x.labels if label not in y.labels)
    own_y = tuple(label for label in y.labels if label not in x.labels)
    if own_x and own_y and out and {own_x[0], own_y[0]} <= {*out} and out.index(own_y[0]) < out.index(own_x[0]):
        x, y, own_x, own_y = y, x, own_y, own_x
    both = tuple(label for label in x.labels if label in y.labels and label not in summed)
    if summed and (own_x or own_y):
        return _by_matrices(low, x, y, (both, own_x, summed, own_y))
    everything = {*x.labels, *y.labels}
    labels = out if everything == {*out} else (*(x.labels if summed else (*both, *own_x)), *own_y)
    lengths = {**x.lengths, **y.lengths}
    parts = [_spread(low, f, labels, lengths) for f in (x, y)]
    return _summed(low, Factor(low.b.mul(*parts), labels), everything - {*summed})


def _spread(low: Lowering, f: Factor, labels: Labels, lengths: dict[Hashable, Atom]) -> Atom:
    """The factor in the order of the labels, repeated along those that it does not have."""
    order = tuple(f.labels.index(label) for label in labels if label in f.labels)
    new = tuple(k for k, label in enumerate(labels) if label not in f.labels)
    return low.b.expand(low.b.permute(f.atom, order=order), *(lengths[labels[k]] for k in new), axes=new)


def _by_matrices(low: Lowering, x: Factor, y: Factor, groups: tuple[Labels, Labels, Labels, Labels]) -> Factor:
    both, own_x, summed, own_y = groups
    lengths = {**x.lengths, **y.lengths}
    atom = low.b.matmul(_matrices(low, x, both, own_x, summed), _matrices(low, y, both, summed, own_y))
    labels = (*both, *own_x, *own_y)
    return Factor(low.b.reshape(atom, *(lengths[label] for label in labels)), labels)


def _matrices(low: Lowering, f: Factor, both: Labels, rows: Labels, columns: Labels) -> Atom:
    """An array of matrices: the labels of the rows in one axis, those of the columns in another."""
    lengths = f.lengths
    front = low.b.permute(f.atom, order=tuple(f.labels.index(label) for label in (*both, *rows, *columns)))
    sides = [product(low, tuple(lengths[label] for label in side)) for side in (rows, columns)]
    return low.b.reshape(front, *(lengths[label] for label in both), *sides)
