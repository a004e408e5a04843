"""The public functions.  Names and argument order are those of adcore's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import api
from ..signatures import name_of
from .parts import itself, value_with_aux
from .sums import Options, Sum

__all__ = ["grad", "total", "value_and_grad"]


def value_and_grad(
    f: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    data_argnums: int | tuple[int, ...] | None = None,
    has_aux: bool = False,
    *,
    reduction: str = "sum",
    client: Any = None,
    progress: bool = False,
) -> Any:
    """Value and gradient of a loss over data in chunks: the sum of those of the chunks, computed where they are.

    Args:
        f: a function of one chunk that returns one real number: `f(params, *chunk)`.
        argnums: which arguments to differentiate, as in `adcore.value_and_grad`; none of the data.
        data_argnums: which arguments are in chunks; without it all that are not in `argnums`.
        has_aux: `f` returns (value, aux); the result is ((value, list of the aux of all chunks), gradient).
        reduction: "sum", or "mean": the mean of what the chunks give, each counted by its length, which is the mean
            over all items where `f` is a mean over those of a chunk.
        client: the `distributed.Client`; without it the current one.
        progress: whether to show the progress of each call, by `distributed.progress`.

    Returns:
        A function with the arguments of `f`, where those of `data_argnums` are

        - a Dask array, in chunks along its first axis, each of which is a chunk;
        - a Dask bag, whose partitions are: `f` is given arrays with an item in each row, for items that are trees a
          tree of arrays;
        - a `dask.delayed` value or a future: one chunk;
        - a list of chunks: Delayeds, futures, or trees of arrays, which are sent at each call.

        All other arguments are the same for all chunks and sent once a call.  Chunks without items are left out.  The
        sums are made on the workers, eight at a time in the order of the chunks, so that the same chunks give the same
        result to the bit, on any number of workers and whatever becomes of these.

    Raises:
        TypeError, ValueError: at a call: data that are not in chunks, or not in the same; an argument that is
            differentiated is data.
        AdcoreError: at a call: there is no client, or a worker has no adcore or another version of it; and what `f`
            raises.

    >>> import dask.array as da
    >>> import numpy as np
    >>> from distributed import Client
    >>> def loss(w, x, y):
    ...     return np.sum((x @ w - y) ** 2)
    >>> x = da.from_array(np.arange(12.0).reshape(6, 2), chunks=(2, 2))
    >>> y = da.from_array(np.ones(6), chunks=2)
    >>> with Client(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"):
    ...     value, gradient = value_and_grad(loss)(np.array([1.0, 0.5]), x, y)
    >>> float(value), gradient
    (451.5, array([630., 714.]))
    """
    places = _all_but(argnums) if data_argnums is None else _apart(data_argnums, argnums, f)
    options = Options(reduction, client, progress)
    derived = api.value_and_grad(f, argnums, has_aux=has_aux)
    if has_aux:
        return Sum("value_and_grad", f, derived, places, options, value_with_aux, _with_aux)
    return Sum("value_and_grad", f, derived, places, options)


def grad(
    f: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    data_argnums: int | tuple[int, ...] | None = None,
    has_aux: bool = False,
    *,
    reduction: str = "sum",
    client: Any = None,
    progress: bool = False,
) -> Any:
    """The gradient of a loss over data in chunks; as `value_and_grad`, without the value.

    Returns:
        A function that gives the gradient, with `has_aux` (gradient, list of the aux of all chunks).
    """
    places = _all_but(argnums) if data_argnums is None else _apart(data_argnums, argnums, f)
    options = Options(reduction, client, progress)
    derived = api.grad(f, argnums, has_aux=has_aux)
    if has_aux:
        return Sum("grad", f, derived, places, options, itself, _pair)
    return Sum("grad", f, derived, places, options)


def total(
    f: Callable[..., Any],
    data_argnums: int | tuple[int, ...],
    *,
    reduction: str = "sum",
    client: Any = None,
    progress: bool = False,
) -> Any:
    """The sum over data in chunks of what a function gives for each: losses, Hessians, products with Hessians.

    Args:
        f: a function of one chunk, transformed or to be compiled; it gives numbers, arrays, or trees of them.
        data_argnums: which arguments are in chunks, in the kinds that `value_and_grad` takes.
        reduction, client, progress: as in `value_and_grad`.

    Raises:
        As `value_and_grad`.

    >>> import numpy as np
    >>> from adcore import hessian
    >>> from distributed import Client
    >>> def loss(w, x):
    ...     return np.sum((x @ w) ** 2)
    >>> chunks = [np.eye(2), np.ones((3, 2))]
    >>> with Client(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"):
    ...     total(hessian(loss), 1)(np.zeros(2), chunks)
    array([[8., 6.],
           [6., 8.]])
    """
    options = Options(reduction, client, progress)
    return Sum("total", f, api.jit(f), lambda count: _counted(data_argnums, count), options)


def _with_aux(found: Any, aux: list[Any]) -> Any:
    value, gradient = found
    return (value, aux), gradient


def _pair(found: Any, aux: list[Any]) -> Any:
    return found, aux


def _all_but(argnums: int | tuple[int, ...]) -> Callable[[int], tuple[int, ...]]:
    """The positions that are not among these, given the number of arguments."""
    return lambda count: tuple(k for k in range(count) if k not in _counted(argnums, count))


def _apart(
    data_argnums: int | tuple[int, ...], argnums: int | tuple[int, ...], f: Callable[..., Any]
) -> Callable[[int], tuple[int, ...]]:
    """The positions of data, given the number of arguments; none of them is differentiated."""

    def places(count: int) -> tuple[int, ...]:
        found = _counted(data_argnums, count)
        both = set(found) & set(_counted(argnums, count))
        if both:
            raise ValueError(f"argument {min(both)} of {name_of(f)} is in data_argnums and in argnums")
        return found

    return places


def _counted(argnums: int | tuple[int, ...], count: int) -> tuple[int, ...]:
    """Positions, counted from the end where they are negative."""
    given = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    wrong = [k for k in given if not -count <= k < count]
    if wrong:
        raise ValueError(f"there is no argument {wrong[0]} in a call with {count} arguments by position")
    return tuple(k % count for k in given)
