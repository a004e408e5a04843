"""Functions that arrange an array's elements: views of the same memory where NumPy makes views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcore.errors import UnsupportedFunctionError
from adcore.types import Atom, DType, Lit, literal

from .array_functions import array_like, room_for, shape_of
from .containers import items as items_in
from .operators import common_shape, describe, is_one, operate, stretch
from .reductions import axes_of, product
from .slices import sliced
from .values import NONE, Array, List, Scalar, Static, Tuple, Value, number
from .views import contiguous, indexed, permuted, reshaped

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = [
    "broadcast_to",
    "diff",
    "expand_dims",
    "flat",
    "flatten",
    "flip",
    "reshape",
    "squeeze",
    "swapaxes",
    "transpose",
]


def _array(low: Lowering, value: Value) -> Array:
    x = array_like(low, value)
    if isinstance(x, Scalar):
        low.refuse(UnsupportedFunctionError, f"{describe(x)} where an array is needed", "an array")
    return x


def reshape(low: Lowering, a: Value, *shape: Value) -> Value:
    """`np.reshape(a, shape)` and `a.reshape(...)`; one length may be -1."""
    x = _array(low, a)
    lengths = shape[0] if len(shape) == 1 else Tuple(shape)
    items = items_in(low, lengths) if isinstance(lengths, Tuple | List) else [lengths]
    free = [k for k, i in enumerate(items) if isinstance(i, Scalar) and i.known == -1]
    size = product(low, x.shape)
    known = shape_of(low, Tuple(tuple(i for k, i in enumerate(items) if k not in free)))
    rest = product(low, known)
    new = list(known)
    if len(free) == 1:
        new.insert(free[0], _quotient(low, x, size, rest))
    elif free:
        low.refuse(UnsupportedFunctionError, "can only specify one unknown dimension", "one -1")
    elif rest != size:
        message = f"cannot reshape array of size {{0}} into shape {_shape_text(new)}"
        low.check(low.b.eq(size, rest), "ValueError", message, size, *(n for n in new if not isinstance(n, Lit)))
    return _reshaped(low, x, tuple(new))


def _shape_text(lengths: list[Atom]) -> str:
    parts, place = [], 1
    for n in lengths:
        if isinstance(n, Lit):
            parts.append(str(n.value))
        else:
            parts.append(f"{{{place}}}")
            place += 1
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def _quotient(low: Lowering, x: Array, size: Atom, rest: Atom) -> Atom:
    """The length that -1 stands for."""
    b = low.b
    if rest == literal(1):
        return size
    for axis, length in enumerate(x.shape):
        if length == rest:
            return product(low, x.shape[:axis] + x.shape[axis + 1 :])
    if isinstance(rest, Lit) and rest.value != 0 and isinstance(size, Lit):
        if size.value % rest.value:
            low.refuse(UnsupportedFunctionError, f"cannot reshape {size} elements into rows of {rest}", "a divisor")
        return b.floordiv(size, rest)
    quotient = b.floordiv(size, b.maximum(rest, 1))
    message = "cannot reshape array of size {0} into rows of {1}"
    low.check(b.eq(b.mul(quotient, rest), size), "ValueError", message, size, rest)
    return quotient


def _reshaped(low: Lowering, x: Array, shape: tuple[Atom, ...]) -> Value:
    if not shape:
        return Scalar(low.b.view(low.atom(x), *[0] * x.rank, codes="i" * x.rank))
    if contiguous(x) or _inserts_ones(x.shape, shape):
        return reshaped(x, shape)
    made = low.array(low.b.reshape(low.atom(x), *shape))
    low.memory.relate([(made.buffer, (x.buffer,))])
    return made


def _inserts_ones(old: tuple[Atom, ...], new: tuple[Atom, ...]) -> bool:
    """Whether only axes of length 1 come and go: a view in NumPy always."""
    return [n for n in old if not is_one(n)] == [n for n in new if not is_one(n)]


def flat(low: Lowering, a: Value) -> Value:
    """`np.ravel`."""
    return reshape(low, a, number(-1))


def flatten(low: Lowering, a: Value) -> Value:
    """`x.flatten()`: always a copy."""
    x = _array(low, a)
    return low.array(low.b.reshape(low.atom(x), product(low, x.shape)))


def transpose(low: Lowering, a: Value, *axes: Value) -> Value:
    """`np.transpose(a, axes)`, `a.transpose(...)`, `a.T`."""
    x = array_like(low, a)
    if isinstance(x, Scalar):
        return x
    given = axes[0] if len(axes) == 1 else Tuple(axes)
    if not axes or (isinstance(given, Static) and given.value is None):
        return permuted(x, tuple(reversed(range(x.rank))))
    items = items_in(low, given) if isinstance(given, Tuple | List) else [given]
    order = [_single(low, i, x.rank) for i in items]
    if sorted(order) != list(range(x.rank)):
        low.refuse(UnsupportedFunctionError, "axes don't match array", "each axis once")
    return permuted(x, tuple(order))


def _single(low: Lowering, axis: Value, rank: int) -> int:
    if not isinstance(axis, Scalar):
        low.refuse(UnsupportedFunctionError, f"an axis is {describe(axis)}", "one axis, e.g. axis=0")
    return axes_of(low, axis, rank)[0]


def swapaxes(low: Lowering, a: Value, axis1: Value, axis2: Value) -> Value:
    """`np.swapaxes`."""
    x = _array(low, a)
    i, j = _single(low, axis1, x.rank), _single(low, axis2, x.rank)
    order = list(range(x.rank))
    order[i], order[j] = j, i
    return permuted(x, tuple(order))


def expand_dims(low: Lowering, a: Value, axis: Value) -> Value:
    """`np.expand_dims`."""
    x = array_like(low, a)
    if isinstance(x, Scalar):
        return low.array(low.b.expand(x.atom, 1, axes=(0,)))
    count = len(axis.items) if isinstance(axis, Tuple) else 1
    axes = axes_of(low, axis, x.rank + count)
    lengths = iter(x.shape)
    return reshaped(x, tuple(literal(1) if k in axes else next(lengths) for k in range(x.rank + count)))


def squeeze(low: Lowering, a: Value, axis: Value = NONE) -> Value:
    """`np.squeeze` of axes whose length is known to be 1."""
    x = _array(low, a)
    axes = axes_of(low, axis, x.rank)
    if isinstance(axis, Static):
        axes = tuple(k for k in axes if is_one(x.shape[k]))
    if not all(is_one(x.shape[k]) for k in axes):
        low.refuse(UnsupportedFunctionError, "squeezing an axis whose length is not known to be 1", "x[:, 0]")
    return _reshaped(low, x, tuple(n for k, n in enumerate(x.shape) if k not in axes))


def broadcast_to(low: Lowering, array: Value, shape: Value) -> Value:
    """`np.broadcast_to`: the result is not to be written to while the source changes."""
    x = array_like(low, array)
    lengths = shape_of(low, shape)
    room_for(low, lengths, x.dtype)
    if isinstance(x, Scalar):
        return low.array(low.b.expand(x.atom, *lengths, axes=tuple(range(len(lengths)))))
    if len(x.shape) > len(lengths):
        low.refuse(UnsupportedFunctionError, f"{describe(x)} broadcast to rank {len(lengths)}", "at least its rank")
    target = tuple(n if is_one(m) else m for n, m in zip(lengths, common_shape([lengths, x.shape]), strict=True))
    made = low.array(stretch(low, low.atom(x), target))
    low.memory.relate([(made.buffer, (x.buffer,))])
    return made


def flip(low: Lowering, m: Value, axis: Value = NONE) -> Value:
    """`np.flip`."""
    x = _array(low, m)
    axes = axes_of(low, axis, x.rank)
    parts = [sliced(low, None, None, number(-1), n) if k in axes else (":", ()) for k, n in enumerate(x.shape)]
    return indexed(low.b, x, "".join(c for c, _ in parts), tuple(a for _, own in parts for a in own))


def diff(low: Lowering, a: Value) -> Value:
    """`np.diff` along the last axis."""
    x = _array(low, a)
    keep = ":" * (x.rank - 1)
    code, later = sliced(low, number(1), None, None, x.shape[-1])
    _, earlier = sliced(low, None, number(-1), None, x.shape[-1])
    ends = [indexed(low.b, x, keep + code, part) for part in (later, earlier)]
    return operate(low, "^" if x.dtype is DType.BOOL else "-", *ends)
