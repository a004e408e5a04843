"""Numbers and arrays as parts of one array that has the elements of all, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from .builder import Builder
from .linear import converted
from .types import Atom, DType, Var, literal

__all__ = ["concatenated", "flattened", "from_reals", "parts", "reals"]


def parts(b: Builder, whole: Atom, arrays: Sequence[Var]) -> dict[Var, Atom]:
    """For each array its elements of one that has those of all, one array after the other."""
    found: dict[Var, Atom] = {}
    at: Atom = literal(0)
    for array in arrays:
        shape = array.type.shape
        size = b.size(shape)
        part = b.view(whole, at, size, 1, codes="s") if shape else b.view(whole, at, codes="i")
        found[array] = b.reshape(part, *shape) if shape else part
        at = b.add(at, size)
    message = "{} elements for arguments of {}"
    b.check(b.eq(whole.type.shape[0], at), whole.type.shape[0], at, error="ValueError", message=message)
    return found


def concatenated(b: Builder, parts: Sequence[Atom], rest: tuple[Atom, ...] = ()) -> Atom:
    """The elements of some arrays one after the other, but for the last axes, which are `rest`."""
    dtype = next((d for d in (DType.F64, DType.F32) if any(p.type.dtype is d for p in parts)), parts[0].type.dtype)
    flat = [flattened(b, converted(b, p, dtype), len(rest)) for p in parts]
    if len(flat) == 1:
        return flat[0]
    length: Atom = literal(0)
    for part in flat:
        length = b.add(length, part.type.shape[0])
    whole, at = b.expand(dtype.zero, length, *rest, axes=tuple(range(1 + len(rest)))), literal(0)
    for part in flat:
        size = part.type.shape[0]
        whole = b.update(whole, part, at, size, 1, codes="s" + ":" * len(rest))
        at = b.add(at, size)
    return whole


def reals(b: Builder, arrays: Sequence[Atom]) -> list[Atom]:
    """The arrays, and for each complex one its real and its imaginary part."""
    return [p for x in arrays for p in ((b.real(x), b.imag(x)) if x.type.dtype.complex else (x,))]


def from_reals(b: Builder, whole: Atom, arrays: Sequence[Var]) -> dict[Var, Atom]:
    """For each array its elements of one that has those of all, first the real and then the imaginary parts of it."""
    likes = {
        x: [Var(x.type.with_dtype(x.type.dtype.real), "x") for _ in range(1 + x.type.dtype.complex)] for x in arrays
    }
    pieces = parts(b, whole, [like for each in likes.values() for like in each])
    found: dict[Var, Atom] = {}
    for x, each in likes.items():
        own = [converted(b, pieces[like], like.type.dtype) for like in each]
        found[x] = b.complex(*own) if x.type.dtype.complex else own[0]
    return found


def flattened(b: Builder, x: Atom, last: int = 0) -> Atom:
    """The array with one axis in front of the last ones."""
    own = x.type.shape[: x.type.rank - last]
    if not own:
        return b.expand(x, 1, axes=(0,))
    return b.reshape(x, b.size(own), *x.type.shape[len(own) :])
