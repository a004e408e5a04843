"""Loops over all places of an array: `np.ndindex` and `np.ndenumerate`, one loop in C order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcore.types import Atom, DType, literal

from ..array_functions import array_like
from ..containers import items
from ..indexing import loaded
from ..integers import multiply
from ..operators import describe
from ..reductions import product
from ..values import Array, Iteration, List, Scalar, Tuple, Value
from .registry import lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__: list[str] = []


@lowers("numpy.ndindex")
def _ndindex(low: Lowering, *shape: Value) -> Value:
    lengths = items(low, shape[0]) if len(shape) == 1 and isinstance(shape[0], Tuple | List) else list(shape)
    for n in lengths:
        if not isinstance(n, Scalar) or n.dtype.kind not in "iu":
            low.refuse_syntax(f"np.ndindex of {describe(n)}", "integers, or a tuple of them")
    atoms = tuple(low.cast(n.atom, DType.I64) for n in lengths if isinstance(n, Scalar))
    for n in atoms:
        low.check(low.b.ge(n, 0), "ValueError", "negative dimensions are not allowed")
    count: Atom = literal(1)
    for n in atoms:
        count = multiply(low, count, n)
    return Iteration(count, lambda k: _place(low, k, atoms))


@lowers("numpy.ndenumerate")
def _ndenumerate(low: Lowering, arr: Value) -> Value:
    x = array_like(low, arr)
    if not isinstance(x, Array):
        return Iteration(literal(1), lambda k: Tuple((Tuple(()), x)))

    def item(k: Atom) -> Value:
        place = _place(low, k, x.shape)
        return Tuple((place, loaded(low, x, list(place.items))))

    return Iteration(product(low, x.shape), item, (x.buffer,))


def _place(low: Lowering, k: Atom, lengths: tuple[Atom, ...]) -> Tuple:
    """The place that is the k-th in C order."""
    found: list[Value] = []
    for axis, n in reversed(list(enumerate(lengths))):
        index = low.b.mod(k, n) if axis > 0 else k
        low.facts.counter(low.b, index, 0, n)
        found.insert(0, Scalar(index, True))
        if axis > 0:
            k = low.b.floordiv(k, n)
    return Tuple(tuple(found))
