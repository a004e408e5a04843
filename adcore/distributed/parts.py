"""What workers do: the result for a chunk, and sums of results."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..pickling import BySource, Failed
from ..trees import flatten, leaves, map_leaves

__all__ = ["Common", "Part", "Sent", "added", "alone", "itself", "on_chunk", "outcome", "stacked", "value_with_aux"]


class Sent(BySource):
    """A value on its way to a worker, with the text of functions in it."""

    is_kept = False  # there is another one at each call

    def __init__(self, value: Any) -> None:
        self.value = value

    def made_from(self) -> tuple[Any, ...]:
        return (self.value,)


@dataclass(frozen=True)
class Common:
    """What is the same for all chunks.

    Attributes:
        function: of the arguments.
        parted: makes of its result what is added, and aux.
        arguments, keywords: those that are no data, with None in the places of data.
        places: the positions of data.
        is_mean: whether results count by the lengths of their chunks.
    """

    function: Callable[..., Any]
    parted: Callable[[Any], tuple[Any, Any]]
    arguments: Sent
    keywords: Sent
    places: tuple[int, ...]
    is_mean: bool


@dataclass(frozen=True)
class Part:
    """What some chunks give together.

    Attributes:
        sum: the tree that is added up.
        aux: that of each chunk.
        length: of the chunks, in items.
    """

    sum: Any
    aux: list[Any]
    length: int


def opened(thing: Any) -> Any:
    """A value that was sent to this worker.

    Raises:
        PickleError: it could not be loaded here.
    """
    if isinstance(thing, Failed):
        thing()
    return thing.value if isinstance(thing, Sent) else thing


def on_chunk(common: Common, *data: Any) -> Part | None:
    """The result for one chunk; None for one that is empty."""
    chunk = [opened(each) for each in data]
    length = length_of(chunk[0])
    if length == 0:
        return None
    arguments = list(opened(common.arguments))
    for place, each in zip(common.places, chunk, strict=True):
        arguments[place] = each
    found, aux = common.parted(common.function(*arguments, **opened(common.keywords)))
    if not common.is_mean:
        return Part(found, [aux], length or 0)
    if length is None:
        raise TypeError("the mean counts chunks by their lengths, and a chunk of the first data argument has none")
    return Part(map_leaves(functools.partial(_times, length), found), [aux], length)


def alone(result: Any) -> tuple[Any, Any]:
    """A result without aux."""
    return result, None


def itself(result: tuple[Any, Any]) -> tuple[Any, Any]:
    """A gradient and aux, as `grad` gives them."""
    return result


def value_with_aux(result: Any) -> tuple[Any, Any]:
    """Value and gradient, and aux, of what `value_and_grad` gives."""
    (value, aux), gradient = result
    return (value, gradient), aux


def added(*parts: Part | None) -> Part | None:
    """The sum of parts, from left to right."""
    present = [part for part in parts if part is not None]
    if not present:
        return None
    trees = [flatten(part.sum) for part in present]
    structure = trees[0][1]
    if any(other != structure for _, other in trees):
        raise ValueError("the results for two chunks have different structures")
    sums = [functools.reduce(_plus, column) for column in zip(*(found for found, _ in trees), strict=True)]
    aux = [each for part in present for each in part.aux]
    return Part(structure.unflatten(sums), aux, sum(part.length for part in present))


def outcome(common: Common, part: Part | None) -> tuple[Any, list[Any]]:
    """What is asked for, and aux, of all chunks together.

    Raises:
        ValueError: all chunks are empty.
    """
    if part is None:
        raise ValueError("all chunks of the data are empty")
    if not common.is_mean:
        return part.sum, part.aux
    return map_leaves(functools.partial(_over, part.length), part.sum), part.aux


def stacked(items: Any) -> Any:
    """A partition of a bag as arrays: each leaf of its items along a first axis."""
    trees = [flatten(item) for item in items]
    if not trees:
        return np.empty(0)
    columns = zip(*(found for found, _ in trees), strict=True)
    return trees[0][1].unflatten([np.stack(column) for column in columns])


def length_of(chunk: Any) -> int | None:
    """The length of the first axis of the first array; None where there is no array."""
    shapes = (np.shape(leaf) for leaf in leaves(chunk))
    return next((shape[0] for shape in shapes if shape), None)


def _plus(a: Any, b: Any) -> Any:
    return a if a is None else a + b


def _times(length: int, x: Any) -> Any:
    return x if x is None else x * length


def _over(length: int, x: Any) -> Any:
    return x if x is None else x / length
