"""Functions that make arrays: of zeros, of ranges, of lists, from other arrays joined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import DtypeError, UnsupportedFunctionError
from adcore.types import Atom, DType, Lit, literal

from .carries import leaves
from .containers import held, needs_constant
from .containers import items as items_in
from .growing import rows
from .numba_types import dtype_of as dtype_of_numba
from .operators import common_shape, describe, numeric, operate, stretch
from .promotion import converted, join
from .values import NONE, ZERO, Array, Growing, List, Scalar, Snapshot, Static, Tuple, Value, number
from .views import contiguous, permuted

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = [
    "arange",
    "array",
    "array_like",
    "array_of",
    "asarray",
    "by_rows",
    "concatenate",
    "copied",
    "copy",
    "dtype_of",
    "empty",
    "eye",
    "filled",
    "filled_like",
    "full",
    "full_like",
    "hstack",
    "laid_out",
    "room_for",
    "shape_of",
    "stack",
    "vstack",
]

ADDRESSES = 2.0**63
TOO_BIG = "array is too big; `arr.size * arr.dtype.itemsize` is larger than the maximum possible size."
PYTHON_TYPES: dict[Any, DType] = {float: DType.F64, int: DType.I64, bool: DType.BOOL, complex: DType.C128}


def dtype_of(low: Lowering, value: Value, default: DType) -> DType:
    """The element type a `dtype=` argument names."""
    given: Any = value.value if isinstance(value, Static) else value
    if given is None:
        return default
    if given in PYTHON_TYPES:
        return PYTHON_TYPES[given]
    of_numba = dtype_of_numba(given)
    if of_numba is not None:
        return of_numba
    try:
        return DType(np.dtype(given).name)
    except (TypeError, ValueError):
        name = getattr(given, "__name__", given)
        low.refuse(DtypeError, f"dtype {name} is not supported", "float64, float32, complex128, complex64, int64, …")


def shape_of(low: Lowering, value: Value) -> tuple[Atom, ...]:
    """A shape given as an integer or a sequence of integers; negative lengths raise at run time."""
    items = items_in(low, value) if isinstance(value, Tuple | List) else [value]
    shape: list[Atom] = []
    for item in items:
        if not isinstance(item, Scalar) or item.dtype is not DType.I64:
            low.refuse(DtypeError, f"a length is {describe(item)}, not an integer", "np.zeros(int(n))")
        if not low.facts.nonnegative(low.b, item.atom):
            low.check(low.b.ge(item.atom, 0), "ValueError", "negative dimensions are not allowed")
        shape.append(item.atom)
    return tuple(shape)


def room_for(low: Lowering, shape: tuple[Atom, ...], dtype: DType) -> None:
    """Raise at run time, as NumPy does, where an array of this shape has more bytes than there are addresses.

    The product of the lengths is taken in floats, which do not overflow; a vector's length is an address itself.
    """
    if len(shape) < 2 or all(isinstance(n, Lit) for n in shape):
        return
    b = low.b
    needed: Atom = literal(float(dtype.numpy.itemsize))
    for n in shape:
        needed = b.mul(needed, b.cast(b.maximum(n, 1), dtype=DType.F64))  # NumPy counts an empty axis as 1 here
    low.check(b.lt(needed, ADDRESSES), "ValueError", TOO_BIG)


def _length(low: Lowering, value: Value) -> Atom:
    return shape_of(low, Tuple((value,)))[0]


def _number(low: Lowering, value: Value) -> Scalar:
    if not isinstance(value, Scalar):
        low.refuse(DtypeError, f"{describe(value)} where a number is needed", "a number, e.g. an element x[0]")
    return value


def _expanded(low: Lowering, atom: Atom, shape: tuple[Atom, ...]) -> Value:
    if not shape:
        return Scalar(atom)
    return low.array(low.b.expand(atom, *shape, axes=tuple(range(len(shape)))))


def _constant(value: int | None, dtype: DType) -> Lit:
    return dtype.zero if not value else DType.BOOL.constant(True) if dtype is DType.BOOL else dtype.constant(value)


def filled(value: int) -> Any:
    """`np.zeros` or `np.ones`."""

    def lower(low: Lowering, shape: Value, dtype: Value = NONE, order: Value = NONE) -> Value:
        by_rows(low, order)
        wanted, lengths = dtype_of(low, dtype, DType.F64), shape_of(low, shape)
        room_for(low, lengths, wanted)
        return _expanded(low, _constant(value, wanted), lengths)

    return lower


def filled_like(value: int | None) -> Any:
    """`np.zeros_like`, `np.ones_like`, `np.empty_like`."""

    def lower(
        low: Lowering,
        a: Value,
        dtype: Value = NONE,
        order: Value = NONE,
        subok: Value = NONE,
        shape: Value = NONE,
    ) -> Value:
        by_rows(low, order)
        x = array_like(low, a)
        lengths = _shape_like(low, x, shape)
        wanted = dtype_of(low, dtype, x.dtype)
        if value is None and lengths:
            return low.array(low.b.empty(*lengths, dtype=wanted))
        return _expanded(low, _constant(value, wanted), lengths)

    return lower


def _shape_like(low: Lowering, x: Scalar | Array, shape: Value) -> tuple[Atom, ...]:
    """The shape that is given, or that of the array."""
    if isinstance(shape, Static):
        return x.shape if isinstance(x, Array) else ()
    return shape_of(low, shape)


def by_rows(low: Lowering, order: Value) -> None:
    """Refuse an `order=` by which elements would not lie in memory by rows."""
    if isinstance(order, Static) and order.value in (None, "C", "K", "A"):
        return
    low.refuse(UnsupportedFunctionError, "an array whose elements lie by columns", 'order="C"')


def empty(low: Lowering, shape: Value, dtype: Value = NONE, order: Value = NONE) -> Value:
    """`np.empty`."""
    by_rows(low, order)
    lengths = shape_of(low, shape)
    wanted = dtype_of(low, dtype, DType.F64)
    if not lengths:
        return Scalar(wanted.zero)
    room_for(low, lengths, wanted)
    return low.array(low.b.empty(*lengths, dtype=wanted))


def full(low: Lowering, shape: Value, fill_value: Value, dtype: Value = NONE, order: Value = NONE) -> Value:
    """`np.full`."""
    by_rows(low, order)
    value = array_like(low, fill_value)
    atom = low.cast(low.atom(value), dtype_of(low, dtype, value.dtype))
    lengths = shape_of(low, shape)
    room_for(low, lengths, atom.type.dtype)
    if isinstance(value, Array):
        return low.array(stretch(low, atom, lengths))
    return _expanded(low, atom, lengths)


def full_like(
    low: Lowering,
    a: Value,
    fill_value: Value,
    dtype: Value = NONE,
    order: Value = NONE,
    subok: Value = NONE,
    shape: Value = NONE,
) -> Value:
    """`np.full_like`."""
    by_rows(low, order)
    x, value = array_like(low, a), array_like(low, fill_value)
    atom = low.cast(low.atom(value), dtype_of(low, dtype, x.dtype))
    lengths = _shape_like(low, x, shape)
    return low.array(stretch(low, atom, lengths)) if isinstance(value, Array) else _expanded(low, atom, lengths)


def arange(low: Lowering, start: Value = ZERO, stop: Value = NONE, step: Value = NONE, dtype: Value = NONE) -> Value:
    """`np.arange`: its numbers are strong, and no smaller than int64.

    Its step is the difference of the first two elements, in the dtype of the array.
    """
    if isinstance(stop, Static):
        start, stop = ZERO, start
    by = number(1) if isinstance(step, Static) else step
    values = [_number(low, v) for v in (start, stop, by)]
    kind = join([DType.I64, *(v.dtype for v in values)])
    made = dtype_of(low, dtype, kind)
    b = low.b
    low.check(b.ne(values[2].atom, values[2].dtype.zero), "ZeroDivisionError", "division by zero")
    if kind is DType.I64:
        first, last, each = (low.cast(v.atom, kind) for v in values)
        length, second = _integer_steps(low, first, last, each), b.add(first, each)
    else:
        first, each = values[0].atom, values[2].atom
        length, second = _steps(low, *values), low.atom(numeric(low, operate(low, "+", values[0], values[2])))
    filled = made if made is not DType.BOOL else kind
    index = b.cast(b.iota(length), dtype=filled)
    if first == kind.zero and each == kind.constant(1):
        return low.array(low.cast(index, made))
    origin = low.cast(first, filled)
    gap = b.sub(low.cast(second, filled), origin)
    return low.array(low.cast(b.add(origin, b.mul(index, gap)), made))


def _steps(low: Lowering, start: Scalar, stop: Scalar, step: Scalar) -> Atom:
    """How many steps of what is no integer, in the dtype of the numbers."""
    count = numeric(low, operate(low, "/", operate(low, "-", stop, start), step))
    whole = low.b.ceil(converted(low, count, DType.F64))
    return low.b.maximum(low.b.cast(whole, dtype=DType.I64), 0)


def _integer_steps(low: Lowering, first: Atom, last: Atom, each: Atom) -> Atom:
    from .iteration import range_length
    from .values import Range

    return range_length(low, Range(*(Scalar(a, True) for a in (first, last, each))))


def eye(low: Lowering, N: Value, M: Value = NONE, k: Value = ZERO, dtype: Value = NONE, order: Value = NONE) -> Value:
    """`np.eye`."""
    by_rows(low, order)
    b = low.b
    rows = _length(low, N)
    columns = rows if isinstance(M, Static) else _length(low, M)
    room_for(low, (rows, columns), DType.F64)
    i = b.expand(b.add(b.iota(rows), low.cast(_number(low, k).atom, DType.I64)), columns, axes=(1,))
    j = b.expand(b.iota(columns), rows, axes=(0,))
    return low.array(low.cast(b.eq(i, j), dtype_of(low, dtype, DType.F64)))


# Arrays of lists


def array_like(low: Lowering, value: Value) -> Scalar | Array:
    """A number or array; a tuple or list is made into an array."""
    return array_of(low, value) if isinstance(value, Tuple | List) else numeric(low, value)


def array_of(low: Lowering, value: Tuple | List, dtype: DType | None = None) -> Array:
    """A new array of the items: numbers, arrays of one shape, or sequences of such."""
    contents = held(low, value)
    if isinstance(contents, Growing):
        return _of_rows(low, contents.item, [low.atom(row) for row in rows(low, contents)], dtype, contents)
    items = [array_like(low, v) for v in contents.items]
    b = low.b
    if not items:
        return low.array(b.empty(literal(0), dtype=dtype or DType.F64))
    wanted = dtype or join([i.dtype for i in items])
    atoms = [low.cast(low.atom(i), wanted) for i in items]
    shapes = [a.type.shape for a in atoms]
    if any(len(s) != len(shapes[0]) for s in shapes):
        low.refuse(UnsupportedFunctionError, "an array of items of different ranks", "items of one shape")
    row = common_shape(shapes)
    built = b.empty(literal(len(items)), *row, dtype=wanted)
    for k, atom in enumerate(atoms):
        built = b.update(built, _exactly(low, atom, row), k, codes="i" + ":" * len(row))
    return low.array(built)


def _of_rows(low: Lowering, item: Value, stores: list[Atom], dtype: DType | None, contents: Growing) -> Array:
    """The array of a list whose length is known at run time only: one row for each item."""
    if isinstance(item, Scalar | Array):
        return low.array(low.cast(stores[0], dtype or stores[0].type.dtype))
    inner = item.contents if isinstance(item, Snapshot) and isinstance(item.reference, List) else item
    if isinstance(inner, Growing):
        wanted = stores[1]
        length = low.b.view(stores[0], literal(0), codes="i")
        return low.array(low.b.conform(wanted, wanted.type.shape[0], length, *wanted.type.shape[2:], checked=True))
    if not isinstance(inner, Tuple) or not inner.items:
        low.refuse(UnsupportedFunctionError, f"an array of items that are {describe(item)}", "numbers and arrays")
    left, columns = list(stores), []
    for piece in inner.items:
        count = sum(1 for _ in leaves(piece))
        columns.append(_of_rows(low, piece, left[:count], dtype, contents))
        del left[:count]
    wanted = dtype or join([c.dtype for c in columns])
    shape = columns[0].shape
    built = low.b.empty(shape[0], literal(len(columns)), *shape[1:], dtype=wanted)
    for k, column in enumerate(columns):
        atom = _exactly(low, low.cast(low.atom(column), wanted), shape)
        built = low.b.update(built, atom, k, codes=":i" + ":" * (len(shape) - 1))
    return low.array(built)


def _exactly(low: Lowering, atom: Atom, shape: tuple[Atom, ...]) -> Atom:
    """The array with these very lengths, compared at run time; nothing is broadcast."""
    return low.b.conform(atom, *shape, checked=True) if atom.type.shape != shape else atom


def array(
    low: Lowering,
    object: Value,
    dtype: Value = NONE,
    *,
    copy: Value = NONE,
    order: Value = NONE,
    subok: Value = NONE,
    ndmin: Value = ZERO,
) -> Value:
    """`np.array`."""
    by_rows(low, order)
    if isinstance(object, Tuple | List):
        given = not (isinstance(dtype, Static) and dtype.value is None)
        found: Value = array_of(low, object, dtype_of(low, dtype, DType.F64) if given else None)
    else:
        found = copied(low, numeric(low, object), dtype)
    least = ndmin.known if isinstance(ndmin, Scalar) else None
    return found if least == 0 else _at_least(low, numeric(low, found), int(least or 0))


def copied(low: Lowering, a: Value, dtype: Value = NONE) -> Value:
    """A new array with the same elements."""
    x = array_like(low, a)
    return low.value(low.cast(low.atom(x), dtype_of(low, dtype, x.dtype)))


def copy(low: Lowering, a: Value, order: Value = NONE, subok: Value = NONE) -> Value:
    """`np.copy`, `x.copy()`."""
    by_rows(low, order)
    return copied(low, a)


def asarray(low: Lowering, a: Value, dtype: Value = NONE, order: Value = NONE, *, copy: Value = NONE) -> Value:
    """`np.asarray`: the array itself where it has the dtype already."""
    by_rows(low, order)
    if isinstance(a, Tuple | List):
        return array(low, a, dtype)
    x = numeric(low, a)
    same = dtype_of(low, dtype, x.dtype) is x.dtype and not (isinstance(copy, Scalar) and copy.known is True)
    return x if same and isinstance(x, Array) else copied(low, x, dtype)


def laid_out(by_columns: bool) -> Any:
    """`np.ascontiguousarray`, or `np.asfortranarray`: the array itself where its elements lie so already."""

    def lower(low: Lowering, a: Value, dtype: Value = NONE) -> Value:
        x = array_like(low, a)
        if isinstance(x, Scalar):
            return low.array(low.b.expand(low.atom(copied(low, x, dtype)), 1, axes=(0,)))  # type: ignore[arg-type]
        wanted = dtype_of(low, dtype, x.dtype)
        turned = permuted(x, tuple(reversed(range(x.rank)))) if by_columns else x
        if wanted is x.dtype and contiguous(turned):
            return x
        made = low.array(low.cast(low.atom(x), wanted))
        if wanted is x.dtype:  # with fewer than two elements along some axes it is itself all the same
            low.memory.relate([(made.buffer, (x.buffer,))])
        return made

    return lower


# Joining


def _arrays(low: Lowering, value: Value) -> list[Scalar | Array]:
    items = items_in(low, value) if isinstance(value, Tuple | List) else []
    if not items:
        low.refuse(UnsupportedFunctionError, f"joining {describe(value)}", "a tuple or list of arrays")
    return [array_like(low, v) for v in items]


def _rows_of(low: Lowering, value: Value) -> Array | None:
    """The array whose rows are joined: an array itself, or that of a list whose length is known at run time only."""
    if isinstance(value, Array) and value.rank > 0:
        return value
    if not isinstance(value, List) or not isinstance(held(low, value), Growing):
        return None
    return array_of(low, value)


def _axis(low: Lowering, axis: Value, rank: int) -> int:
    known = axis.known if isinstance(axis, Scalar) else None
    if known is None and isinstance(axis, Scalar):
        needs_constant(low, "an axis that is not constant", "axis=0")
    if not isinstance(known, int) or not -rank <= known < rank:
        low.refuse(UnsupportedFunctionError, f"axis is not a constant within rank {rank}", "axis=0")
    return known % rank


def concatenate(
    low: Lowering, arrays: Value, axis: Value = ZERO, *, dtype: Value = NONE, casting: Value = NONE
) -> Value:
    """`np.concatenate`; without an axis the arrays are flattened first."""
    rows, flat = _rows_of(low, arrays), isinstance(axis, Static)
    if rows is not None and rows.rank > 1:
        return _of_type(low, low.array(_merged(low, rows, axis)), dtype)
    parts = [low.array(_flat(low, low.atom(p))) if flat else p for p in _arrays(low, arrays)]
    first = parts[0]
    if not isinstance(first, Array) or any(not isinstance(p, Array) or p.rank != first.rank for p in parts):
        low.refuse(UnsupportedFunctionError, "joining arrays of different ranks", "arrays of one rank")
    at = 0 if flat else _axis(low, axis, first.rank)
    b, wanted = low.b, dtype_of(low, dtype, join([p.dtype for p in parts]))
    atoms = [low.cast(low.atom(p), wanted) for p in parts]
    total = atoms[0].type.shape[at]
    for atom in atoms[1:]:
        total = b.add(total, atom.type.shape[at])
    shape = tuple(total if a == at else n for a, n in enumerate(first.shape))
    built, start = b.empty(*shape, dtype=wanted), literal(0)
    codes = "".join("s" if a == at else ":" for a in range(first.rank))
    for atom in atoms:
        own = tuple(atom.type.shape[at] if a == at else n for a, n in enumerate(first.shape))
        length = atom.type.shape[at]
        built = b.update(built, _exactly(low, atom, own), start, length, literal(1), codes=codes)
        start = b.add(start, length)
    return low.array(built)


def _merged(low: Lowering, rows: Array, axis: Value) -> Atom:
    """The rows of an array joined: its first axis put in front of another, and the two made one."""
    b, atom = low.b, low.atom(rows)
    if isinstance(axis, Static):
        return _flat(low, atom)
    at = _axis(low, axis, rows.rank - 1)
    order = [*range(1, rows.rank)]
    order.insert(at, 0)
    moved = b.permute(atom, order=tuple(order))
    shape = moved.type.shape
    return b.reshape(moved, *shape[:at], b.mul(shape[at], shape[at + 1]), *shape[at + 2 :])


def _flat(low: Lowering, atom: Atom) -> Atom:
    return low.b.reshape(atom, low.b.size(atom.type.shape))


def _of_type(low: Lowering, x: Array, dtype: Value) -> Value:
    return low.array(low.cast(low.atom(x), dtype_of(low, dtype, x.dtype)))


def stack(low: Lowering, arrays: Value, axis: Value = ZERO, *, dtype: Value = NONE, casting: Value = NONE) -> Value:
    """`np.stack`."""
    rows = _rows_of(low, arrays) or array_of(low, Tuple(tuple(_arrays(low, arrays))))
    at = _axis(low, axis, rows.rank)
    order = [*range(1, rows.rank)]
    order.insert(at, 0)
    return _of_type(low, low.array(low.b.permute(low.atom(rows), order=tuple(order))), dtype)


def hstack(low: Lowering, tup: Value, *, dtype: Value = NONE, casting: Value = NONE) -> Value:
    """`np.hstack`."""
    rows = _rows_of(low, tup)
    if rows is not None:
        if rows.rank == 1:
            return _of_type(low, rows, dtype)
        return concatenate(low, tup, number(0 if rows.rank == 2 else 1), dtype=dtype)
    parts = [_at_least(low, p, 1) for p in _arrays(low, tup)]
    return concatenate(low, Tuple(tuple(parts)), number(0 if parts[0].rank == 1 else 1), dtype=dtype)


def vstack(low: Lowering, tup: Value, *, dtype: Value = NONE, casting: Value = NONE) -> Value:
    """`np.vstack`."""
    rows = _rows_of(low, tup)
    if rows is not None:
        if rows.rank == 1:
            return _of_type(low, low.array(low.b.expand(low.atom(rows), literal(1), axes=(1,))), dtype)
        return _of_type(low, rows, dtype) if rows.rank == 2 else concatenate(low, tup, dtype=dtype)
    parts = [_at_least(low, p, 2) for p in _arrays(low, tup)]
    return concatenate(low, Tuple(tuple(parts)), number(0), dtype=dtype)


def _at_least(low: Lowering, x: Scalar | Array, rank: int) -> Array:
    atom = low.atom(x)
    missing = rank - atom.type.rank
    if missing > 0:
        atom = low.b.expand(atom, *[literal(1)] * missing, axes=tuple(range(missing)))
        return low.array(atom)
    assert isinstance(x, Array)
    return x
