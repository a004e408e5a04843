"""Products of vectors and matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcore.errors import DtypeError, UnsupportedFunctionError
from adcore.types import Atom, DType

from .array_functions import array_like
from .operators import operate
from .promotion import converted, promoted
from .reductions import product
from .values import Array, Scalar, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["dot", "inner", "matmul", "outer", "trace", "vdot"]


def matmul(low: Lowering, a: Value, b: Value) -> Value:
    """`a @ b` for vectors and matrices."""
    x, y = array_like(low, a), array_like(low, b)
    if isinstance(x, Scalar) or isinstance(y, Scalar):
        low.refuse(UnsupportedFunctionError, "matmul: an operand is a number", "x * y")
    return _product(low, x, y, "matmul")


def dot(low: Lowering, a: Value, b: Value) -> Value:
    """`np.dot`."""
    x, y = array_like(low, a), array_like(low, b)
    if isinstance(x, Scalar) or isinstance(y, Scalar):
        return operate(low, "*", _numpy(x), _numpy(y))
    return _product(low, x, y, "dot")


def inner(low: Lowering, a: Value, b: Value) -> Value:
    """`np.inner` of two vectors."""
    x, y = array_like(low, a), array_like(low, b)
    if isinstance(x, Array) and isinstance(y, Array) and x.rank == y.rank == 1:
        return _product(low, x, y, "inner")
    return low.refuse(UnsupportedFunctionError, "np.inner of matrices", "x @ y.T")


def vdot(low: Lowering, a: Value, b: Value) -> Value:
    """`np.vdot`: the sum of the products of all elements."""
    x, y = (low.atom(array_like(low, v)) for v in (a, b))
    p, q = (low.array(low.b.reshape(v, product(low, v.type.shape))) for v in (x, y))
    return _product(low, p, q, "vdot")


def outer(low: Lowering, a: Value, b: Value) -> Value:
    """`np.outer` of two vectors."""
    x, y = array_like(low, a), array_like(low, b)
    if not (isinstance(x, Array) and isinstance(y, Array) and x.rank == y.rank == 1):
        low.refuse(UnsupportedFunctionError, "np.outer of other than two vectors", "np.outer(x.ravel(), y.ravel())")
    dtype = promoted((x, y))
    p, q = (converted(low, v, dtype) for v in (x, y))
    rows, columns = low.b.expand(p, *y.shape, axes=(1,)), low.b.expand(q, *x.shape, axes=(0,))
    return low.array(low.b.mul(rows, columns))


def trace(low: Lowering, a: Value) -> Value:
    """`np.trace` of a matrix."""
    x = array_like(low, a)
    if isinstance(x, Scalar) or x.rank != 2:
        low.refuse(UnsupportedFunctionError, "np.trace of other than a matrix", "a loop over the diagonal")
    b, (rows, columns) = low.b, x.shape
    same = b.eq(b.expand(b.iota(rows), columns, axes=(1,)), b.expand(b.iota(columns), rows, axes=(0,)))
    atom = low.atom(x)
    return Scalar(b.total(b.select(same, atom, x.dtype.zero), axes=(0, 1)))


def _numpy(value: Scalar | Array) -> Scalar | Array:
    return Scalar(value.atom) if isinstance(value, Scalar) else value


def _product(low: Lowering, x: Array, y: Array, name: str) -> Value:
    if x.rank > 2 or y.rank > 2:
        low.refuse(UnsupportedFunctionError, f"{name} of arrays of rank {x.rank} and {y.rank}", "a loop over matrices")
    dtype = promoted((x, y))
    if dtype is DType.BOOL:
        low.refuse(DtypeError, f"{name} of booleans", "x.astype(int) @ y.astype(int)")
    b = low.b
    p, q = (low.cast(low.atom(v), dtype) for v in (x, y))
    p, q = _aligned(low, p, q, name)
    if x.rank == y.rank == 1:
        return Scalar(b.total(b.mul(p, q), axes=(0,)))
    rows = p if x.rank == 2 else b.expand(p, 1, axes=(0,))
    columns = q if y.rank == 2 else b.expand(q, 1, axes=(1,))
    result = b.matmul(rows, columns)
    kept = [*p.type.shape[: x.rank - 1], *q.type.shape[1:]]
    return low.array(b.reshape(result, *kept))


def _aligned(low: Lowering, p: Atom, q: Atom, name: str) -> tuple[Atom, Atom]:
    """The factors with one inner length."""
    n, m = p.type.shape[-1], q.type.shape[0]
    if n == m:
        return p, q
    if name == "matmul":
        core = "(n?,k),(k,m?)->(n?,m?) (size {0} is different from {1})"
        message = f"matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature {core}"
        low.check(low.b.eq(n, m), "ValueError", message, m, n)
    else:
        message = _dot_message(p, q)
        reported = (*p.type.shape, *q.type.shape)
        low.check(low.b.eq(n, m), "ValueError", message, *reported)
    return p, low.b.conform(q, n, *q.type.shape[1:], checked=False)


def _dot_message(p: Atom, q: Atom) -> str:
    """NumPy's words, with places for the lengths of both."""
    first, second = p.type.rank, q.type.rank
    if first == second == 1:
        return "shapes ({0},) and ({1},) not aligned: {0} (dim 0) != {1} (dim 0)"
    left = "({0},)" if first == 1 else "({0},{1})"
    right = f"({{{first}}},)" if second == 1 else f"({{{first}}},{{{first + 1}}})"
    inner = f"{{{first - 1}}} (dim {first - 1}) != {{{first}}} (dim 0)"
    return f"shapes {left} and {right} not aligned: {inner}"
