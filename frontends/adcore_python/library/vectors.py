"""Trees of numbers and arrays as vectors, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from adcore import vectors
from adcore.columns import concatenated, from_reals, reals
from adcore.errors import DtypeError
from adcore.linear import converted
from adcore.plugins import Leaf, Spec
from adcore.stated import described
from adcore.trees import leaves, map_leaves, matched, structure
from adcore.types import DType, Var

from ..values import NONE, Array, Scalar, Static, Tuple, Value, number
from .registry import lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["numbers_of", "placed", "real_leaves"]

FLOATS, NUMBERS = "f", "fc"  # kinds of dtypes


@lowers("adcore.vectors.vector_of")
def vector_of(low: Lowering, tree: Value, like: Value = NONE) -> Value:
    given, _ = real_leaves(low, tree, NUMBERS)
    if not (isinstance(like, Static) and like.value is None):
        given = fitting(low, tree, *numbers_of(low, like))
    return _joined(low, given)


@lowers("adcore.vectors.real_vector_of")
def real_vector_of(low: Lowering, tree: Value) -> Value:
    given, _ = real_leaves(low, tree)
    return _joined(low, given)


def _joined(low: Lowering, given: list[Scalar | Array]) -> Value:
    return low.value(concatenated(low.b, reals(low.b, [low.atom(v) for v in given])))


@lowers("adcore.vectors.as_tree")
def as_tree(low: Lowering, vector: Value, like: Value) -> Value:
    return _filled(low, vector, *real_leaves(low, like, NUMBERS))


@lowers("adcore.vectors.minus")
def minus(low: Lowering, tree: Value, other: Value) -> Value:
    from ..lowered_calls import Incoming

    others, like = numbers_of(low, other)
    given = fitting(low, tree, others, like)
    found: list[Any] = [low.call(Static(np.subtract), [x, y], {}) for x, y in zip(given, others, strict=True)]
    return Incoming(low, found, [], ()).value(placed(like))


def fitting(low: Lowering, tree: Value, wanted: list[Scalar | Array], like: Any) -> list[Scalar | Array]:
    """The numbers and arrays of a tree in the order of those of another one, which are of the same types."""
    given, taken = numbers_of(low, tree)
    try:
        order = [leaf.index for leaf in matched(structure(like), placed(taken)) if isinstance(leaf, Leaf)]
    except ValueError:
        order = []
    if len(order) != len(wanted) or len(order) != len(given):
        low.refuse(DtypeError, f"{described(taken)} for {described(like)}", "one value for each number and array of it")
    found = [given[k] for k in order]
    for value, other in zip(found, wanted, strict=True):
        own, needed = (low.atom(v).type for v in (value, other))
        if own.dtype is not needed.dtype or own.rank != needed.rank:
            low.refuse(DtypeError, f"{described(own)} for {described(needed)}", f"one of {needed.dtype.value}")
    return found


@lowers("adcore.vectors.as_rows")
def as_rows(low: Lowering, matrix: Value, like: Value) -> Value:
    from ..lowered_calls import Incoming

    given, taken = real_leaves(low, like)
    start: Value = number(0)
    found: list[Any] = []
    for value in given:
        pair = low.call(Static(vectors.rows), [matrix, start, value], {})
        assert isinstance(pair, Tuple)
        part, start = pair.items
        found.append(part)
    return Incoming(low, found, [], ()).value(placed(taken))


@lowers("adcore.vectors.has_complex")
def has_complex(low: Lowering, tree: Value) -> Value:
    return number(any(v.dtype.complex for v in numbers_of(low, tree)[0]))


@lowers("adcore.vectors.reals_of")
def reals_of(low: Lowering, tree: Value) -> Value:
    given, _ = numbers_of(low, tree)
    taken = reals(low.b, [low.atom(v) for v in given if v.dtype.kind in NUMBERS])
    real = [converted(low.b, x, DType.F64) for x in taken]
    return low.value(concatenated(low.b, real)) if real else low.call(Static(np.zeros), [number(0)], {})


@lowers("adcore.vectors.with_reals")
def with_reals(low: Lowering, vector: Value, like: Value) -> Value:
    return _filled(low, vector, *numbers_of(low, like))


def _filled(low: Lowering, vector: Value, given: list[Scalar | Array], taken: Any) -> Value:
    """A tree whose real and complex numbers are the elements of a vector."""
    from ..lowered_calls import Incoming

    types = [Var(low.atom(v).type, "x") for v in given]
    assert isinstance(vector, Array)
    pieces = from_reals(low.b, low.atom(vector), [t for t in types if t.type.dtype.kind in NUMBERS])
    found = [
        low.value(pieces[t], isinstance(v, Scalar) and v.python) if t in pieces else v
        for t, v in zip(types, given, strict=True)
    ]
    return Incoming(low, found, [], ()).value(placed(taken))


def placed(taken: Any) -> Any:
    """A structure whose leaves are the places of values, one after the other."""
    places = iter(range(len(leaves(taken))))
    return map_leaves(lambda leaf: Leaf(next(places)) if isinstance(leaf, Spec) else leaf, taken)


def real_leaves(low: Lowering, tree: Value, kinds: str = FLOATS) -> tuple[list[Scalar | Array], Any]:
    """The numbers and arrays of a tree in which there is nothing else, all of them real, or complex where they may."""
    given, taken = numbers_of(low, tree)
    what = "real numbers" if kinds == FLOATS else "real or complex numbers"
    for value in given:
        if value.dtype.kind not in kinds:
            low.refuse(DtypeError, f"{what} are needed here, not {value.dtype.value}", "a float64 number or array")
    if not given or len(given) != len(leaves(taken)):
        low.refuse(DtypeError, f"{what} and arrays of them are needed here", "float64 numbers and arrays")
    return given, taken


def numbers_of(low: Lowering, tree: Value) -> tuple[list[Scalar | Array], Any]:
    """The numbers and arrays in a tree, and its structure."""
    from ..lowered_calls import structure_of

    given: list[Scalar | Array] = []
    return given, structure_of(low, tree, given)
