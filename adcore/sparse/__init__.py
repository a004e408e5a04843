"""Sparse Jacobians and Hessians: patterns by dataflow, colourings, and evaluation in sums of columns and rows."""

from .colouring import (
    Bidirectional,
    Pattern,
    color_bidirectional,
    color_columns,
    color_rows,
    color_symmetric_acyclic,
    color_symmetric_star,
)
from .compressed import SparseJacobian, hessian_pattern, jacobian_pattern, sparse_hessian, sparse_jacobian
from .plans import Plan

__all__ = [
    "Bidirectional",
    "Pattern",
    "Plan",
    "SparseJacobian",
    "color_bidirectional",
    "color_columns",
    "color_rows",
    "color_symmetric_acyclic",
    "color_symmetric_star",
    "hessian_pattern",
    "jacobian_pattern",
    "sparse_hessian",
    "sparse_jacobian",
]
