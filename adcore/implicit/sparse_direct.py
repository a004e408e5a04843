"""The sparse direct solver of linear systems: what it imports of SciPy is not loaded by others."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse.linalg import spsolve

from ..sparse import sparse_jacobian
from ..vectors import as_tree, vector_of

__all__ = ["sparse"]


def sparse(matvec: Any, b: Any) -> Any:
    """The sparse matrix, from as few products as the colours of its pattern, and a sparse LU factorization.

    Args:
        matvec: the product with A.
        b: the right-hand side.

    Raises:
        LinAlgError: A is singular.

    >>> from adcore import jit
    >>> jit(lambda b: sparse(lambda x: 2.0 * x - 0.5 * np.roll(x, 1), b))(np.ones(4)).round(6)
    array([0.666667, 0.666667, 0.666667, 0.666667])
    """

    def product(v: Any) -> Any:
        return vector_of(matvec(as_tree(v, b)))

    right = vector_of(b)  # of complex numbers their parts: sparse Jacobians are real
    return as_tree(spsolve(sparse_jacobian(product, mode="columns")(np.zeros_like(right)), right), b)
