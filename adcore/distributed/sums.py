"""Sums over chunks as tasks of Dask's: a fixed tree over the numbers of the chunks, whatever the workers do when."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import distributed
from dask.delayed import delayed

from .. import __version__
from ..errors import AdcoreError
from ..signatures import name_of, signature_of
from ..trees import leaves
from .chunks import chunks_of, in_step, is_spread
from .parts import Common, Sent, added, alone, on_chunk, outcome

__all__ = ["Options", "Sum"]

TOGETHER = 8  # parts that one task adds
SMALL = 1 << 20  # bytes that the scheduler itself passes on, so that they survive the loss of all workers
PROTOCOL = 5
VERSION = "__import__('adcore').__version__"


@dataclass(frozen=True)
class Options:
    """How a sum is made; see `adcore.distributed.value_and_grad`."""

    reduction: str
    client: Any
    progress: bool

    def __post_init__(self) -> None:
        if self.reduction not in ("sum", "mean"):
            raise ValueError(f"reduction={self.reduction!r}: it is 'sum' or 'mean'")


class Sum:
    """A function whose results for the chunks of data are added on the workers."""

    def __init__(
        self,
        title: str,
        original: Callable[..., Any],
        function: Any,
        places: Callable[[int], tuple[int, ...]],
        options: Options,
        parted: Callable[[Any], tuple[Any, Any]] = alone,
        joined: Callable[[Any, list[Any]], Any] = lambda found, _: found,
    ) -> None:
        """Of `function`, which is made of the user's `original` one.

        Args:
            title: what errors call it.
            places: the positions of data, given the number of arguments.
            parted: makes of a result what is added, and aux.
            joined: makes of the sum, and the aux of all chunks, what is returned.
        """
        functools.update_wrapper(self, original, updated=())
        self.function = function
        function.dispatcher.any_lengths = True  # else what is compiled depends on which chunk a worker meets first
        self._title = f"{title} of {name_of(original)}"
        self._signature = signature_of(original)
        self._places = places
        self._options = options
        self._parted = parted
        self._joined = joined

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The sum for these arguments."""
        bound = self._signature.bind(*args, **kwargs)
        places = self._places(len(bound.args))
        steps = self._steps(bound.args, places)
        common = Common(
            self.function,
            self._parted,
            Sent([None if k in places else self._required(k, a) for k, a in enumerate(bound.args)]),
            Sent({name: self._required(name, a) for name, a in bound.kwargs.items()}),
            places,
            self._options.reduction == "mean",
        )
        self.function.__reduce_ex__(PROTOCOL)  # Dask's own message would not say what cannot be pickled
        client = self._client()
        require_adcore(client)
        future = client.compute(_reduced(_passed_on(client, common), steps))
        if self._options.progress:
            _show(future)
        return self._joined(*future.result())

    def _required(self, argument: int | str, value: Any) -> Any:
        """An argument that is the same for all chunks."""
        if is_spread(value):
            what = f"argument {argument!r} of {self._title}"
            raise TypeError(f"{what} is a {type(value).__name__}, and not among data_argnums: its value is needed")
        return value

    def _steps(self, args: tuple[Any, ...], places: tuple[int, ...]) -> list[tuple[Any, ...]]:
        titles = [f"argument {k} of {self._title}" for k in places]
        data = [args[k] for k in places]
        return in_step([chunks_of(x, title) for x, title in zip(data, titles, strict=True)], data, titles)

    def _client(self) -> Any:
        try:
            client = self._options.client or distributed.get_client()
        except ValueError as error:
            cause = f"{self._title} is computed by a cluster of Dask's, and there is no client"
            raise AdcoreError(cause, write="client = distributed.Client(…) before the call, or client=…") from error
        if client.asynchronous:
            raise AdcoreError(f"{self._title} waits for its result, which an asynchronous client does not")
        return client


def _passed_on(client: Any, common: Common) -> Any:
    """What is the same for all chunks, sent once for each call."""
    if sum(getattr(leaf, "nbytes", 0) for leaf in leaves(common.arguments.value)) < SMALL:
        return delayed(common, traverse=False, pure=False)
    return client.scatter(common, broadcast=True, hash=False)


def _reduced(common: Any, steps: list[tuple[Any, ...]]) -> Any:
    """The sum over the chunks, as a tree."""
    first, rest, last = (delayed(f, pure=False) for f in (on_chunk, added, outcome))
    level = [first(common, *chunk) for chunk in steps]
    while len(level) > 1:
        level = [rest(*level[k : k + TOGETHER]) for k in range(0, len(level), TOGETHER)]
    return last(common, level[0])


def _show(future: Any) -> None:
    """Show the progress of a future and of what it depends on: a bar in a terminal, a widget in a notebook."""
    widget = distributed.progress(future)
    if widget is not None:
        import_module("IPython.display").display(widget)


_seen: weakref.WeakKeyDictionary[Any, set[str]] = weakref.WeakKeyDictionary()  # workers that have this adcore


def require_adcore(client: Any) -> None:
    """See to it that all workers have this version of adcore: one without it cannot even read a task.

    Raises:
        AdcoreError: one has not.
    """
    known = _seen.setdefault(client, set())
    new = [worker for worker in client.scheduler_info()["workers"] if worker not in known]
    if not new:
        return
    for worker, found in client.run(eval, VERSION, workers=new, on_error="return").items():
        if isinstance(found, ImportError):
            cause = f"the worker {worker} cannot import adcore: {found}"
            raise AdcoreError(cause, write=f"adcore {__version__} in the environment of each worker") from found
        if isinstance(found, str) and found != __version__:
            cause = f"the worker {worker} has adcore {found}, and the client has adcore {__version__}"
            raise AdcoreError(cause, write="one version of adcore in all environments")
        if isinstance(found, str):  # or the worker is gone
            known.add(worker)
