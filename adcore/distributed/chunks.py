"""Data in chunks: what Dask has for each of them."""

from __future__ import annotations

from typing import Any

from dask.base import is_dask_collection
from dask.delayed import Delayed, delayed
from distributed import Future

from .parts import Sent, stacked

__all__ = ["chunks_of", "in_step", "is_spread"]

LAZY = (Delayed, Future)


def chunks_of(data: Any, title: str) -> list[Any]:
    """The chunks of an argument, each something that Dask computes or sends; `title` is what errors call it.

    Raises:
        TypeError: it is not in chunks.
        ValueError: an array is cut along other axes than the first one.
    """
    if isinstance(data, LAZY):
        return [data]
    if isinstance(data, list | tuple):
        return [each if isinstance(each, LAZY) else sent(each) for each in data]
    if is_dask_collection(data):
        kind = type(data).__module__.partition(".")[2].partition(".")[0]
        if kind == "array":
            return _blocks(data, title)
        if kind == "bag":
            return [delayed(stacked, pure=False)(part) for part in data.to_delayed()]
        write = ", as by .to_dask_array()" if hasattr(data, "to_dask_array") else ""
        raise TypeError(f"{title} is a {type(data).__name__}; a Dask array, bag or list of chunks is needed{write}")
    raise TypeError(
        f"{title} is a {type(data).__name__}, which is not in chunks; a Dask array or bag, or a list of arrays, "
        "Delayeds or futures is needed; what is the same for all chunks is none of data_argnums"
    )


def is_spread(data: Any) -> bool:
    """Whether something is in chunks, or computed, on workers."""
    return isinstance(data, Future) or is_dask_collection(data)


def sent(value: Any) -> Any:
    """A value as what Dask sends to a worker."""
    return delayed(Sent(value), traverse=False, pure=False)


def _blocks(array: Any, title: str) -> list[Any]:
    if array.ndim == 0:
        return [array.to_delayed().item()]
    cut = [axis for axis, count in enumerate(array.numblocks) if axis and count > 1]
    if cut:
        raise ValueError(
            f"{title} is cut into chunks along axis {cut[0]}: {array.chunks}; "
            f"only the first axis can be: x.rechunk({{{', '.join(f'{axis}: -1' for axis in cut)}}})"
        )
    return list(array.to_delayed().reshape(-1))


def in_step(chunks: list[list[Any]], data: list[Any], titles: list[str]) -> list[tuple[Any, ...]]:
    """The chunks of several arguments, those that belong together.

    Raises:
        ValueError: there are none, or the arguments are not cut in the same places.
    """
    counts = [len(each) for each in chunks]
    if len(set(counts)) > 1:
        said = ", ".join(f"{title} has {count}" for title, count in zip(titles, counts, strict=True))
        raise ValueError(f"the data are not cut into as many chunks each: {said}")
    if not counts or not counts[0]:
        raise ValueError(f"{titles[0]} has no chunks")
    known = [(title, x.chunks[0]) for title, x in zip(titles, data, strict=True) if getattr(x, "chunks", ())]
    for title, lengths in known:
        first, wanted = known[0]
        both = [(n, m) for n, m in zip(lengths, wanted, strict=True) if n == n and m == m]  # where they are known
        if any(n != m for n, m in both):
            raise ValueError(f"chunks of {first} and {title} have other lengths: {wanted} and {lengths}; use rechunk")
    return list(zip(*chunks, strict=True))
