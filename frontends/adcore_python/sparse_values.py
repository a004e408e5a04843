"""SciPy's sparse matrices and arrays that come from outside: taken apart into what `library.sparse` makes them of."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from adcore.trees import Node, nodes_of

from .library.sparse import REORDERED, SparseArray, SparseMatrix

__all__ = ["FIELDS", "layout_of", "reader", "sparse_class", "take_apart_arguments"]

FIELDS = ("values", "row", "col", "rows", "columns")


def sparse_class(kind: type) -> type | None:
    """What stands for instances of a class of SciPy's, if they are sparse."""
    scipy = sys.modules.get("scipy.sparse")
    if scipy is None or not issubclass(kind, (scipy.spmatrix, scipy.sparray)):
        return None
    return SparseMatrix if issubclass(kind, scipy.spmatrix) else SparseArray


def layout_of(kind: type) -> str:
    """The layout of what stands for instances of a sparse class."""
    found = getattr(kind, "_format", REORDERED)
    return found if found in ("csr", "csc", "coo") else REORDERED  # of others, the order of data is not of places


def _computed(kind: type, field: str, x: Any) -> Any:
    """A field of what stands for a sparse matrix.

    Raises:
        ValueError: it is not of this class.
    """
    if type(x) is not kind:
        raise ValueError(f"a {kind.__name__} is expected, not a {type(x).__name__}")
    if x.ndim != 2:
        raise ValueError(f"a sparse array of {x.ndim} dimensions is not supported")
    if field in ("rows", "columns"):
        return int(x.shape[field == "columns"])
    if x.format not in ("csr", "csc"):
        places = x.tocoo()
        return places.data if field == "values" else np.asarray(getattr(places, field), np.int64)
    if field == "values":
        return x.data
    if field == ("col" if x.format == "csr" else "row"):
        return np.asarray(x.indices, np.int64)
    return np.repeat(np.arange(len(x.indptr) - 1), np.diff(x.indptr))


@cache
def reader(kind: type, field: str) -> Callable[[Any], Any]:
    """What computes a field from an instance of a sparse class."""
    return partial(_computed, kind, field)


def _node_of(kind: type) -> Node | None:
    found = sparse_class(kind)
    if found is None:
        return None
    layout = layout_of(kind)  # known of gradients too, in which constants are None

    def take(x: Any) -> tuple[Any, ...]:
        return (*(_computed(kind, field, x) for field in FIELDS), layout)

    return take, lambda children: found(*children[:-1], layout)


def take_apart_arguments() -> None:
    """Have sparse matrices in arguments be taken apart."""
    nodes_of("scipy", _node_of)
