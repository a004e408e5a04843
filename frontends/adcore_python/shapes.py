"""Functions that arrange an array's elements: views of the same memory where NumPy makes views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcore.errors import UnsupportedFunctionError
from adcore.types import Atom, Lit, literal

from .array_functions import array_like, room_for, shape_of
from .containers import items as items_in
from .operators import common_shape, describe, is_one, stretch
from .reductions import axes_of, axis_of, product
from .slices import sliced
from .values import NONE, Array, List, Scalar, Static, Tuple, Value, number
from .views import contiguous, indexed, permuted, reshaped

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = [
    "broadcast_to",
    "expand_dims",
    "flat",
    "flatten",
    "flip",
    "reshape",
    "reshape_to",
    "squeeze",
    "swapaxes",
    "transpose",
]


def _array(low: Lowering, value: Value) -> Array:
    x = array_like(low, value)
    if isinstance(x, Scalar):
        low.refuse(UnsupportedFunctionError, f"{describe(x)} where an array is needed", "an array")
    return x


def _vector(low: Lowering, value: Value) -> Array:
    """The array; a number as a vector of one."""
    x = array_like(low, value)
    return low.array(low.b.expand(x.atom, 1, axes=(0,))) if isinstance(x, Scalar) else x


def reshape(low: Lowering, a: Value, *shape: Value, order: Value = NONE, copy: Value = NONE) -> Value:
    """`a.reshape(...)`; one length may be -1."""
    if _order(low, order) == "F":
        turned = transpose(low, a)
        lengths = items_in(low, shape[0]) if len(shape) == 1 and isinstance(shape[0], Tuple | List) else list(shape)
        return transpose(low, reshape(low, turned, Tuple(tuple(reversed(lengths))), copy=copy))
    x = _vector(low, a)
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
    found = _reshaped(low, x, tuple(new))
    return low.array(low.atom(found)) if _is_true(copy) and isinstance(found, Array) else found


def reshape_to(low: Lowering, a: Value, shape: Value, order: Value = NONE, *, copy: Value = NONE) -> Value:
    """`np.reshape(a, shape)`."""
    return reshape(low, a, shape, order=order, copy=copy)


def _order(low: Lowering, order: Value) -> str:
    """The order of elements that an `order=` argument names: C, by rows, or F, by columns."""
    given = getattr(order, "value", None)
    if given in (None, "C", "F"):
        return given or "C"
    return low.refuse(
        UnsupportedFunctionError, f"order={given!r} depends on where the elements lie in memory", 'order="C" or "F"'
    )


def _is_true(flag: Value) -> bool:
    return isinstance(flag, Scalar) and flag.known is True


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


def flat(low: Lowering, a: Value, order: Value = NONE) -> Value:
    """`np.ravel`."""
    return reshape(low, a, number(-1), order=order)


def flatten(low: Lowering, a: Value, order: Value = NONE) -> Value:
    """`x.flatten()`: always a copy."""
    x = _vector(low, a)
    atom = low.atom(x)
    if _order(low, order) == "F":
        atom = low.b.permute(atom, order=tuple(reversed(range(x.rank))))
    return low.array(low.b.reshape(atom, product(low, x.shape)))


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
    return axis_of(low, axis, rank)


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
    new = Tuple(tuple(items_in(low, axis))) if isinstance(axis, List | Tuple) else axis
    count = len(new.items) if isinstance(new, Tuple) else 1
    rank = x.rank if isinstance(x, Array) else 0
    axes = axes_of(low, new, rank + count) if count else ()
    if isinstance(x, Scalar):
        return low.value(low.b.expand(x.atom, *[literal(1)] * count, axes=axes))
    lengths = iter(x.shape)
    return reshaped(x, tuple(literal(1) if k in axes else next(lengths) for k in range(rank + count)))


def squeeze(low: Lowering, a: Value, axis: Value = NONE) -> Value:
    """`np.squeeze`; without an axis, of the axes whose length is known to be 1."""
    x = array_like(low, a)
    if isinstance(x, Scalar) or (isinstance(axis, Tuple) and not axis.items):
        return x
    axes = axes_of(low, axis, x.rank)
    if isinstance(axis, Static):
        axes = tuple(k for k in axes if is_one(x.shape[k]))
        for length in (n for n in x.shape if not is_one(n)):
            message = "squeeze() of an array with an axis whose length turns out to be 1 at run time: name the axis"
            low.check(low.b.ne(length, 1), "ValueError", message)
    message = "cannot select an axis to squeeze out which has size not equal to one"
    for k in axes:
        low.check(low.b.eq(x.shape[k], 1), "ValueError", message)
    taken = "".join("i" if k in axes and not is_one(n) else ":" for k, n in enumerate(x.shape))
    rest = indexed(low.b, x, taken, tuple(literal(0) for _ in range(taken.count("i"))))
    return _reshaped(low, rest, tuple(n for k, n in enumerate(x.shape) if k not in axes))


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
