"""Products of vectors, matrices and arrays of matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adcore.errors import UnsupportedFunctionError
from adcore.types import Atom, Lit

from .array_functions import array_like
from .containers import items as items_in
from .contraction import Factor, contracted
from .operators import mapped, operate
from .reductions import axes_of, product
from .values import Array, List, Scalar, Tuple, Value, number

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["conjugated", "dot", "inner", "matmul", "outer", "tensordot", "vdot"]

TWO = number(2)


def matmul(low: Lowering, a: Value, b: Value) -> Value:
    """`a @ b`, also of arrays of matrices, whose leading axes are broadcast."""
    x, y = array_like(low, a), array_like(low, b)
    if isinstance(x, Scalar) or isinstance(y, Scalar):
        low.refuse(UnsupportedFunctionError, "matmul: an operand is a number", "x * y")
    p, q = _aligned(low, low.atom(x), low.atom(y), -1, -2 if y.rank > 1 else 0, "matmul")
    rows, columns = ("row",)[: x.rank - 1], ("column",)[: y.rank - 1]
    before, behind = (tuple(range(-v.rank, -2)) for v in (x, y))
    left, right = Factor(p, (*before, *rows, "inner")), Factor(q, (*behind, "inner", *columns))
    leading = before if len(before) > len(behind) else behind
    return contracted(low, (left, right), (*leading, *rows, *columns))


def dot(low: Lowering, a: Value, b: Value) -> Value:
    """`np.dot`: sums over the last axis of the one and the last but one of the other."""
    x, y = array_like(low, a), array_like(low, b)
    if isinstance(x, Scalar) or isinstance(y, Scalar):
        return operate(low, "*", _numpy(x), _numpy(y))
    return _over(low, x, y, ((x.rank - 1,), (max(y.rank - 2, 0),)), "dot")


def inner(low: Lowering, a: Value, b: Value) -> Value:
    """`np.inner`: sums over the last axes."""
    x, y = array_like(low, a), array_like(low, b)
    if isinstance(x, Scalar) or isinstance(y, Scalar):
        return operate(low, "*", _numpy(x), _numpy(y))
    return _over(low, x, y, ((x.rank - 1,), (y.rank - 1,)), "inner")


def tensordot(low: Lowering, a: Value, b: Value, axes: Value = TWO) -> Value:
    """`np.tensordot`: sums over pairs of axes, or over so many last axes of the one and first of the other."""
    x, y = array_like(low, a), array_like(low, b)
    ranks = [v.rank if isinstance(v, Array) else 0 for v in (x, y)]
    pairs: tuple[tuple[int, ...], tuple[int, ...]]
    if isinstance(axes, Scalar) and isinstance(axes.known, int):
        if axes.known > min(ranks):
            low.refuse(UnsupportedFunctionError, "tensordot over more axes than there are", "fewer axes")
        pairs = (tuple(range(ranks[0] - axes.known, ranks[0])), tuple(range(axes.known)))
    else:
        given = items_in(low, axes) if isinstance(axes, Tuple | List) else []
        if len(given) != 2:
            low.refuse(UnsupportedFunctionError, "axes= is neither a constant nor two", "axes=([0, 1], [1, 0])")
        pairs = (_places(low, given[0], ranks[0]), _places(low, given[1], ranks[1]))
        if len(pairs[0]) != len(pairs[1]):
            low.refuse(UnsupportedFunctionError, "shape-mismatch for sum", "as many axes of the one as of the other")
    return _over(low, x, y, pairs, "tensordot")


def _places(low: Lowering, axes: Value, rank: int) -> tuple[int, ...]:
    each = items_in(low, axes) if isinstance(axes, Tuple | List) else [axes]
    return tuple(axes_of(low, axis, rank)[0] for axis in each)


def _over(
    low: Lowering, x: Scalar | Array, y: Scalar | Array, pairs: tuple[tuple[int, ...], tuple[int, ...]], name: str
) -> Value:
    """The products of all elements of the one with all of the other, summed over pairs of axes."""
    p, q = low.atom(x), low.atom(y)
    ours: list[Any] = [("a", axis) for axis in range(p.type.rank)]
    theirs: list[Any] = [("b", axis) for axis in range(q.type.rank)]
    for i, j in zip(*pairs, strict=True):
        p, q = _aligned(low, p, q, i, j, name)
        theirs[j] = ours[i]
    shared = {ours[i] for i in pairs[0]}
    out = tuple(label for label in (*ours, *theirs) if label not in shared)
    return contracted(low, (Factor(p, tuple(ours)), Factor(q, tuple(theirs))), out)


def vdot(low: Lowering, a: Value, b: Value) -> Value:
    """`np.vdot`: the sum of the products of all elements, those of the first conjugated."""
    x, y = (low.atom(array_like(low, v)) for v in (a, b))
    p, q = (low.array(low.b.reshape(v, product(low, v.type.shape))) for v in (x, y))
    return _over(low, conjugated(low, p), q, ((0,), (0,)), "dot")


def conjugated(low: Lowering, value: Value) -> Scalar | Array:
    """The conjugate; of real numbers they themselves."""
    x = array_like(low, value)
    return array_like(low, mapped(low, "conj", (x,), None, False)) if x.dtype.complex else x


def outer(low: Lowering, a: Value, b: Value) -> Value:
    """`np.outer`: the products of all elements of the one with all of the other."""
    x, y = (low.atom(array_like(low, v)) for v in (a, b))
    p, q = (low.array(low.b.reshape(v, product(low, v.type.shape))) for v in (x, y))
    return _over(low, p, q, ((), ()), "outer")


def _numpy(value: Scalar | Array) -> Scalar | Array:
    return Scalar(value.atom) if isinstance(value, Scalar) else value


def _aligned(low: Lowering, p: Atom, q: Atom, i: int, j: int, name: str) -> tuple[Atom, Atom]:
    """The factors with one length in axis i of the first and j of the second; neither is repeated."""
    n, m = p.type.shape[i], q.type.shape[j]
    if n == m:
        return p, q
    if name == "matmul":
        core = "(n?,k),(k,m?)->(n?,m?) (size {0} is different from {1})"
        message = f"matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature {core}"
        low.check(low.b.eq(n, m), "ValueError", message, m, n)
    elif name == "tensordot":
        low.check(low.b.eq(n, m), "ValueError", "shape-mismatch for sum")
    else:
        reported = (*p.type.shape, *q.type.shape)[:REPORTED]
        low.check(low.b.eq(n, m), "ValueError", _dot_message(p.type.rank, q.type.rank, i, j), *reported)
    if isinstance(m, Lit):  # what is known of one is known of both
        return _with_length(low, p, i, m), q
    return p, _with_length(low, q, j, n)


def _with_length(low: Lowering, array: Atom, axis: int, length: Atom) -> Atom:
    """The array with an axis whose length is known to be this one."""
    shape = list(array.type.shape)
    shape[axis] = length
    return low.b.conform(array, *shape, checked=False)


REPORTED = 8  # lengths that a message says


def _dot_message(first: int, second: int, i: int, j: int) -> str:
    """NumPy's words, with places for the lengths of both."""
    if first + second > REPORTED:
        return "shapes not aligned"
    ours, theirs = ([f"{{{k}}}" for k in range(*ends)] for ends in ((0, first), (first, first + second)))
    shapes = [f"({','.join(each)}{',' if len(each) == 1 else ''})" for each in (ours, theirs)]
    return f"shapes {shapes[0]} and {shapes[1]} not aligned: {ours[i]} (dim {i}) != {theirs[j]} (dim {j})"
