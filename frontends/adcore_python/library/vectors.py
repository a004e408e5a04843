"""Trees of numbers and arrays as vectors, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from adcore import vectors
from adcore.columns import concatenated, parts
from adcore.errors import DtypeError
from adcore.linear import converted
from adcore.plugins import Leaf, Spec
from adcore.trees import leaves, map_leaves
from adcore.types import DType, Var

from ..values import Array, Scalar, Static, Tuple, Value, number
from .registry import lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["numbers_of", "real_leaves"]


@lowers("adcore.vectors.vector_of")
def vector_of(low: Lowering, tree: Value) -> Value:
    given, _ = real_leaves(low, tree)
    return low.value(concatenated(low.b, [low.atom(v) for v in given]))


@lowers("adcore.vectors.as_tree")
def as_tree(low: Lowering, vector: Value, like: Value) -> Value:
    return _filled(low, vector, *real_leaves(low, like))


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
    return Incoming(low, found, [], ()).value(_placed(taken))


@lowers("adcore.vectors.reals_of")
def reals_of(low: Lowering, tree: Value) -> Value:
    given, _ = numbers_of(low, tree)
    real = [converted(low.b, low.atom(v), DType.F64) for v in given if v.dtype.kind == "f"]
    return low.value(concatenated(low.b, real)) if real else low.call(Static(np.zeros), [number(0)], {})


@lowers("adcore.vectors.with_reals")
def with_reals(low: Lowering, vector: Value, like: Value) -> Value:
    return _filled(low, vector, *numbers_of(low, like))


def _filled(low: Lowering, vector: Value, given: list[Scalar | Array], taken: Any) -> Value:
    """A tree whose real numbers are the elements of a vector."""
    from ..lowered_calls import Incoming

    types = [Var(low.atom(v).type, "x") for v in given]
    real = [t for t in types if t.type.dtype.kind == "f"]
    assert isinstance(vector, Array)
    pieces = parts(low.b, low.atom(vector), real)
    found = [
        low.value(converted(low.b, pieces[t], t.type.dtype), isinstance(v, Scalar) and v.python) if t in pieces else v
        for t, v in zip(types, given, strict=True)
    ]
    return Incoming(low, found, [], ()).value(_placed(taken))


def _placed(taken: Any) -> Any:
    places = iter(range(len(leaves(taken))))
    return map_leaves(lambda leaf: Leaf(next(places)) if isinstance(leaf, Spec) else leaf, taken)


def real_leaves(low: Lowering, tree: Value) -> tuple[list[Scalar | Array], Any]:
    """The numbers and arrays of a tree in which there is nothing else, all of them real."""
    given, taken = numbers_of(low, tree)
    for value in given:
        if value.dtype.kind != "f":
            cause = f"real numbers are needed here, not {value.dtype.value}"
            low.refuse(DtypeError, cause, "a float64 number or array")
    if not given or len(given) != len(leaves(taken)):
        low.refuse(DtypeError, "real numbers and arrays of them are needed here", "float64 numbers and arrays")
    return given, taken


def numbers_of(low: Lowering, tree: Value) -> tuple[list[Scalar | Array], Any]:
    """The numbers and arrays in a tree, and its structure."""
    from ..lowered_calls import structure_of

    given: list[Scalar | Array] = []
    return given, structure_of(low, tree, given)
