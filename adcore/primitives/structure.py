"""Rows that arrange, read, write and fold arrays, and the matrix product.

Axis codes of `view`, `update` and `add_at`, one letter an axis: `i` takes one operand, an index in range;
`s` takes three, start, length and step of a slice in range; `:` is the whole axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..linear import (
    clear,
    conforming,
    expand,
    grown,
    identity,
    left,
    permute,
    pick,
    place,
    reshape,
    right,
    share,
    total,
)
from ..types import I64, Atom, DType, Lit, Type, literal
from .base import Kind, operand_types, require, row
from .elementwise import NUMBER, REAL
from .kinks import Kink

__all__ = ["numpy_index", "region_lengths"]


# Making arrays


def _iota_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    require(len(operands) == 1, "iota takes a length")
    return (Type(DType.I64, operands),)


row("iota", Kind.VIEW, _iota_typing, lambda n: np.arange(n))


def _empty_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    return (Type(params["dtype"], operands),)


def _empty_meaning(*shape: int, dtype: DType) -> Any:
    return np.zeros(tuple(int(n) for n in shape), dtype.numpy)


row("empty", Kind.VIEW, _empty_typing, _empty_meaning)

# Rearranging


def _expand_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    x, lengths, axes = operands[0].type, operands[1:], params["axes"]
    require(len(lengths) == len(axes), "expand takes one length an axis")
    rank = x.rank + len(axes)
    require(list(axes) == sorted(set(axes)) and all(0 <= a < rank for a in axes), "expand: axes {}", axes)
    kept, new = iter(x.shape), iter(lengths)
    return (x.with_shape(*(next(new) if a in axes else next(kept) for a in range(rank))),)


def _expand_meaning(x: Any, *lengths: int, axes: tuple[int, ...]) -> Any:
    x = np.expand_dims(np.asarray(x), axes)
    shape = list(x.shape)
    for axis, length in zip(axes, lengths, strict=True):
        shape[axis] = int(length)
    return np.broadcast_to(x, shape)


row(
    "expand",
    Kind.VIEW,
    _expand_typing,
    _expand_meaning,
    maps=(lambda b, e: expand(e.params["axes"], e.operands[1:]), None),
)


def _reshape_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    return (operands[0].type.with_shape(*operands[1:]),)


def _reshape_meaning(x: Any, *shape: int) -> Any:
    return np.reshape(np.ascontiguousarray(x), tuple(int(n) for n in shape))


row(
    "reshape",
    Kind.VIEW,
    _reshape_typing,
    _reshape_meaning,
    maps=(lambda b, e: reshape(e.operands[0].type.shape, e.operands[1:]), None),
)


def _permute_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    x, order = operands[0].type, params["order"]
    require(sorted(order) == list(range(x.rank)), "permute: {} is no order of {} axes", order, x.rank)
    return (x.with_shape(*(x.shape[a] for a in order)),)


row(
    "permute",
    Kind.VIEW,
    _permute_typing,
    lambda x, order: np.transpose(x, order),
    maps=(lambda b, e: permute(e.params["order"]),),
)


def _conform_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    x = operands[0].type
    require(len(operands) == 1 + x.rank, "conform takes one length an axis")
    return (x.with_shape(*operands[1:]),)


def _conform_meaning(x: Any, *shape: int, checked: bool) -> Any:
    if np.shape(x) != tuple(shape):
        raise ValueError(f"operands could not be broadcast together with shapes {np.shape(x)} {tuple(shape)}")
    return x


# The array itself, its lengths known by other names; raises ValueError where they differ (when checked).
row(
    "conform",
    Kind.VIEW,
    _conform_typing,
    _conform_meaning,
    maps=(lambda b, e: conforming(e.operands[0].type.shape, e.operands[1:]), None),
)

# Reading and writing


def region_lengths(codes: str, scalars: tuple[Atom, ...], shape: tuple[Atom, ...]) -> tuple[Atom, ...]:
    """The shape of the region that the axis codes and their operands describe."""
    require(len(codes) == len(shape), "axis codes {!r} for rank {}", codes, len(shape))
    require(all(a.type == I64 for a in scalars), "axis codes {!r}: an index or length that is no integer", codes)
    lengths: list[Atom] = []
    rest = list(scalars)
    for code, length in zip(codes, shape, strict=True):
        if code == "i":
            rest.pop(0)
        elif code == "s":
            lengths.append(rest[1])
            del rest[:3]
        else:
            lengths.append(length)
    require(not rest, "axis codes {!r} with {} operands", codes, len(scalars))
    return tuple(lengths)


def numpy_index(codes: str, scalars: tuple[Any, ...]) -> tuple[Any, ...]:
    """What axis codes and their operands are between NumPy's brackets."""
    index: list[Any] = []
    rest = [int(s) for s in scalars]
    for code in codes:
        if code == "i":
            index.append(rest.pop(0))
        elif code == "s":
            start, length, step = rest[:3]
            del rest[:3]
            stop = start + length * step
            index.append(slice(start, None if stop < 0 else stop, step) if length else slice(0, 0))
        else:
            index.append(slice(None))
    return tuple(index)


def _view_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    x = operands[0].type
    return (x.with_shape(*region_lengths(params["codes"], operands[1:], x.shape)),)


row(
    "view",
    Kind.VIEW,
    _view_typing,
    lambda x, *scalars, codes: x[numpy_index(codes, scalars)],
    maps=(lambda b, e: pick(e.params["codes"], e.operands[1:], e.operands[0].type.shape), None),
)


def _write_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    x, value = operand_types(operands[:2])
    region = region_lengths(params["codes"], operands[2:], x.shape)
    require(value.dtype is x.dtype, "writing {} into {}", value.dtype, x.dtype)
    require(value.shape == region, "writing {} into a region of shape {}", value, region)
    return (x,)


def _update_meaning(x: Any, value: Any, *scalars: Any, codes: str) -> Any:
    new = np.array(x)
    new[numpy_index(codes, scalars)] = value
    return new


def _add_at_meaning(x: Any, value: Any, *scalars: Any, codes: str) -> Any:
    new = np.array(x)
    new[numpy_index(codes, scalars)] += value
    return new


row(
    "update",
    Kind.WRITE,
    _write_typing,
    _update_meaning,
    maps=(
        lambda b, e: clear(e.params["codes"], e.operands[2:]),
        lambda b, e: place(e.params["codes"], e.operands[2:], e.operands[0].type.shape),
        None,
    ),
)
row(
    "add_at",
    Kind.WRITE,
    _write_typing,
    _add_at_meaning,
    maps=(
        lambda b, e: identity(),
        lambda b, e: place(e.params["codes"], e.operands[2:], e.operands[0].type.shape),
        None,
    ),
)


def _grow_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    x, capacity = operands[0].type, operands[1]
    return (x.with_shape(capacity, *x.shape[1:]),)


def _grow_meaning(x: Any, capacity: int) -> Any:
    new = np.zeros((int(capacity), *x.shape[1:]), x.dtype)
    kept = min(len(x), int(capacity))
    new[:kept] = x[:kept]
    return new


# The array with another leading length: cut off, or filled up with zeros.
row(
    "grow",
    Kind.WRITE,
    _grow_typing,
    _grow_meaning,
    maps=(lambda b, e: grown(e.operands[0].type.shape[0], e.operands[1]), None),
)

# Folding


def _fold_typing(name: str, domain: tuple[DType, ...]):
    def typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
        x, axes = operands[0].type, params["axes"]
        require(x.dtype in domain, "{} is not defined on {}", name, x.dtype)
        require(list(axes) == sorted(set(axes)) and len(axes) > 0, "{}: axes {}", name, axes)
        require(all(0 <= a < x.rank for a in axes), "{}: axes {} of rank {}", name, axes, x.rank)
        return (x.with_shape(*(n for a, n in enumerate(x.shape) if a not in axes)),)

    return typing


def kept_lengths(shape: tuple[Atom, ...], axes: tuple[int, ...]) -> tuple[Atom, ...]:
    return tuple(shape[a] for a in axes)


row(
    "total",
    Kind.REDUCTION,
    _fold_typing("total", NUMBER),
    lambda x, axes: np.sum(x, axis=axes, dtype=x.dtype),
    maps=(lambda b, e: total(e.params["axes"], kept_lengths(e.operands[0].type.shape, e.params["axes"])),),
)


def _extremum(b: Any, e: Any) -> Any:
    # the tangents of the elements that attain the extremum, in equal shares
    x, axes, z = e.operands[0], e.params["axes"], e.outs[0]
    attained = b.eq(x, b.expand(z, *kept_lengths(x.type.shape, axes), axes=axes))
    return share(attained, axes, kept_lengths(x.type.shape, axes))


def _lead(b: Any, e: Any) -> Atom:
    # how far the extremum is from the next element; 0 where two elements attain it
    x, axes, z = e.operands[0], e.params["axes"], e.outs[0]
    worst = -np.inf if e.primitive.name == "reduce_max" else np.inf
    attained = b.eq(x, b.expand(z, *kept_lengths(x.type.shape, axes), axes=axes))
    following = b.emit(e.primitive, (b.select(attained, worst, x),), e.params)
    tied = b.gt(b.total(b.cast(attained, dtype=x.type.dtype), axes=axes), 1.0)
    return b.select(tied, 0.0, b.abs(b.sub(z, following)))


for _name, _meaning in {"reduce_max": np.max, "reduce_min": np.min}.items():
    row(
        _name,
        Kind.REDUCTION,
        _fold_typing(_name, REAL),
        lambda x, axes, f=_meaning: f(x, axis=axes),
        maps=(_extremum,),
        kinks=(Kink("ties", margin=_lead),),
    )
row("reduce_and", Kind.REDUCTION, _fold_typing("reduce_and", (DType.BOOL,)), lambda x, axes: np.all(x, axis=axes))
# Of booleans whether one of them is true; of integers bit by bit.
row(
    "reduce_or",
    Kind.REDUCTION,
    _fold_typing("reduce_or", (DType.BOOL, DType.I64)),
    lambda x, axes: np.bitwise_or.reduce(x, axis=axes),
)

# Contracting


def _matmul_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    a, c = operand_types(operands)
    require(a.rank >= 2 and c.rank >= 2, "matmul takes matrices")
    require(a.dtype is c.dtype and a.dtype is not DType.BOOL, "matmul of {} and {}", a.dtype, c.dtype)
    require(a.shape[:-2] == c.shape[:-2], "matmul: leading axes differ")
    require(a.shape[-1] == c.shape[-2], "matmul: inner lengths differ")
    return (a.with_shape(*a.shape[:-1], c.shape[-1]),)


# The product of two matrices, or of each pair in two arrays of matrices with the same leading axes.
row(
    "matmul",
    Kind.CONTRACTION,
    _matmul_typing,
    np.matmul,
    maps=(lambda b, e: right(e.operands[1]), lambda b, e: left(e.operands[0])),
)

# Checking


def _check_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    require(operands[0].type == Type(DType.BOOL), "check takes a boolean scalar")
    require(all(not a.type.shape for a in operands), "check reports scalars")
    return ()


def _check_meaning(holds: Any, *reported: Any, error: str, message: str) -> None:
    if not holds:
        raise CHECKED_ERRORS[error](message.format(*reported))


CHECKED_ERRORS: dict[str, type[Exception]] = {
    e.__name__: e
    for e in (
        IndexError,
        ValueError,
        ZeroDivisionError,
        OverflowError,
        UnboundLocalError,
        TypeError,
        AssertionError,
        ArithmeticError,
        RuntimeError,
        KeyError,
        NotImplementedError,
        np.linalg.LinAlgError,
    )
}

# Raises `error` with `message` filled in with the reported scalars unless the condition holds.
row("check", Kind.CHECK, _check_typing, _check_meaning)


def is_one(atom: Atom) -> bool:
    return isinstance(atom, Lit) and atom == literal(1)
