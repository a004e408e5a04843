"""Transformed functions: the transform, from which all else is made again."""

from __future__ import annotations

from typing import Any

from ..dispatch import Transformed, begun, finished

__all__ = ["reduced_transformed"]

# What is made again, or says nothing that the transform does not say.
_OWN = {"transform", "dispatcher", "__signature__", "__wrapped__", "__adcore_derived__", "__annotations__"}
_OWN |= {"__annotate__", "__type_params__"}


def reduced_transformed(thing: Transformed) -> Any:
    """How a transformed function is pickled: made empty first, since its rules may refer to it."""
    kind = type(thing).__bases__[0]  # each has a class of its own
    attributes = {name: value for name, value in vars(thing).items() if name not in _OWN}
    found = thing.dispatcher
    options = found.debug, found.parallel, found.device, found.any_lengths
    state = (thing.transform, "__wrapped__" in vars(thing), *options, attributes)
    return begun, (kind,), state, None, None, _finished


def _finished(thing: Transformed, state: tuple[Any, ...]) -> None:
    transform, wraps, debug, parallel, device, any_lengths, attributes = state
    finished(thing, transform, wraps, debug, parallel, device).dispatcher.any_lengths = any_lengths
    vars(thing).update(attributes)
