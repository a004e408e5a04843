"""Compiled functions into pickles."""

from __future__ import annotations

import functools
import io
import marshal
import pickle
import types
from importlib import import_module
from typing import Any

import numpy as np

from ..dispatch import Transformed
from .by_source import BySource
from .functions import Shared, importable_as, is_imported, reduced_function
from .loading import restored
from .reasons import explained
from .transformed import reduced_transformed

__all__ = ["reduced"]

PROTOCOL = 5
_CHANGING = (np.random.Generator, np.random.BitGenerator, np.random.RandomState)


def reduced(thing: BySource, protocol: int) -> Any:
    """What `__reduce_ex__` gives.

    Raises:
        PickleError: it holds something that cannot be pickled; the message says what, and where it comes from.
    """
    from .. import __version__

    name = importable_as(thing)
    if name is not None:
        return name
    buffers: list[pickle.PickleBuffer] = []
    file = io.BytesIO()
    pickler = _pickler()(file, buffers.append if protocol >= PROTOCOL else None)
    try:
        pickler.dump(thing)
    except Exception as error:  # whatever the reduction of an object of the user's raises
        raise explained(thing, error, _is_possible) from error
    changes = pickler.changes or not thing.is_kept
    return restored, (__version__, changes, file.getvalue(), *buffers)


def _is_possible(thing: Any) -> bool:
    """Whether something can be pickled."""
    try:
        _pickler()(io.BytesIO()).dump(thing)
    except Exception:
        return False
    return True


@functools.cache
def _pickler() -> Any:
    """The class of picklers; with cloudpickle, if it is installed, classes of `__main__` are pickled by value."""
    try:
        from cloudpickle import Pickler
    except ImportError:
        from pickle import Pickler
    base: Any = Pickler
    return type("Pickler", (_BySource, base), {})


class _BySource:
    """Takes functions by their text.

    Attributes:
        changes: whether there is something among what was pickled that a call changes, as a random generator is.
    """

    def __init__(self, file: Any, buffer_callback: Any = None) -> None:
        super().__init__(file, PROTOCOL, buffer_callback=buffer_callback)  # type: ignore[call-arg]
        self.changes = False
        self.shared = Shared()

    def reducer_override(self, thing: Any) -> Any:
        """How an object is pickled; NotImplemented leaves it to Python."""
        kind = type(thing)
        if isinstance(thing, BySource):
            return importable_as(thing) or self._by_source(thing)
        if kind is types.FunctionType and importable_as(thing) is None:
            found = reduced_function(thing, self.shared)
            if found is not None:
                return found
        if kind is types.CodeType:  # of what has no text, as the methods that a dataclass is given
            return marshal.loads, (marshal.dumps(thing),)
        if kind is types.ModuleType and is_imported(thing):
            return import_module, (thing.__name__,)
        if isinstance(thing, np.dtype) and np.dtype(thing.str) is thing:
            return np.dtype, (thing.str,)  # which gives the one that compiled code looks for
        self.changes = self.changes or isinstance(thing, _CHANGING)
        base: Any = super()
        return base.reducer_override(thing) if hasattr(base, "reducer_override") else NotImplemented

    def _by_source(self, thing: BySource) -> Any:
        if isinstance(thing, Transformed):
            return reduced_transformed(thing)
        return type(thing), thing.made_from()
