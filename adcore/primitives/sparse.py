"""Rows of sparse matrices: n by n, with `values` in the rows and columns beside them, those in one place added up.

    sparse_order(row, col, n)                columns                                        that keep factors sparse
    sparse_lu(values, row, col, columns)     count, L and U, places, ends, diagonals, order, info
    sparse_solve(values, row, col, x, …)     a⁻¹ x                                          with what is beside it: the
                                             columns, then L and U, places, ends, diagonals, order

The routines are in `adcore.elimination`, which says how factors are stored.  As with dense matrices, `sparse_solve` is
a function of the matrix and x alone.  Nothing else reads factors, so that they are constants to derivatives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import factorizations
from ..linear import Generator, compose, expand, negate, scale, scatter_add, sparse_solution
from ..types import I64, Atom, DType, Type
from .base import LENGTH, Kind, operand_types, require, row
from .kinks import edge

if TYPE_CHECKING:
    from ..builder import Builder
    from ..program import Equation

__all__: list[str] = []


def _integers(*shape: Atom) -> Type:
    return Type(DType.I64, shape)


def _places(name: str, count: Atom, *places: Atom) -> None:
    require(all(p.type == _integers(count) for p in places), "{}: rows and columns of another length", name)


def _order_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    rows, columns, n = operands
    require(rows.type.rank == 1 and n.type == I64, "sparse_order takes two arrays of integers and a length")
    _places("sparse_order", rows.type.shape[0], rows, columns)
    return (_integers(n),)


def _elements(name: str, values: Atom, rows: Atom, columns: Atom) -> None:
    require(values.type.rank == 1 and values.type.dtype.differentiable, "{} of {}", name, values.type)
    _places(name, values.type.shape[0], rows, columns)


def _lu_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    values, rows, columns, order = operands
    _elements("sparse_lu", values, rows, columns)
    require(order.type.rank == 1 and order.type.dtype is DType.I64, "sparse_lu: the order is {}", order.type)
    of_all, each = _integers(LENGTH), _integers(*order.type.shape)
    return (I64, values.type.with_shape(LENGTH), of_all, each, each, each, I64)


def _solve_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    values, rows, columns, x = operands[:4]
    _elements("sparse_solve", values, rows, columns)
    require(x.type.rank == 2 and x.type.dtype is values.type.dtype, "solving {} with {}", x.type, values.type)
    order, packed, *rest = operand_types(operands[4:])
    n, count = x.type.shape[0], packed.shape[0]
    each = _integers(n)
    wanted = [each, values.type.with_shape(count), _integers(count), each, each, each]
    require([order, packed, *rest] == wanted, "sparse_solve: these are no factors of the matrix")
    return (x.type,)


def _solving(e: Equation) -> Generator:
    return sparse_solution(e.operands[:3], e.operands[4:], e.params["transposed"])


def _of_values(b: Builder, e: Equation) -> Generator:
    # y = a⁻¹ x: dy = -a⁻¹ da y, where row i of da y is the sum of dv_k y_j over the elements v_k in places (i, j)
    rows, columns = e.operands[1:3]
    if e.params["transposed"]:
        rows, columns = columns, rows
    y = e.outs[0]
    met = b.gather(y, columns, codes="a:")
    spread = expand((1,), y.type.shape[1:])
    return compose(negate(), _solving(e), scatter_add("a:", (rows,), y.type.shape), scale(met), spread)


row("sparse_order", Kind.FACTORIZATION, _order_typing, factorizations.sparse_order)
row("sparse_lu", Kind.FACTORIZATION, _lu_typing, factorizations.sparse_lu, constant=(0,))
row(
    "sparse_solve",
    Kind.SOLVE,
    _solve_typing,
    factorizations.sparse_solve,
    maps=(_of_values, None, None, lambda b, e: _solving(e), None),
    kinks=(edge("singular matrices"),),
)
