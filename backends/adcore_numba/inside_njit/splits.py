"""Functions that give a value and a linear map, for calls in functions that Numba compiles.

Two kernels come of one derivative: the function, which gives the residuals too, and its linear map, which takes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numba.core import types

from adcore.arguments import abstract
from adcore.errors import UnsupportedFunctionError
from adcore.plugins import Leaf, Lowered, Spec
from adcore.program import Program
from adcore.signatures import definition, name_of, places_of
from adcore.splitting import PullbackSplit, PushforwardSplit, SplitLowered
from adcore.transforms import numbered
from adcore.trees import flatten, leaves, map_leaves, structure
from adcore.types import Atom

from .kernels import code_of
from .maps import LinearMap, LinearMapType, Place
from .types import Together, numba_type

__all__ = ["with_map"]


def with_map(
    split: PullbackSplit | PushforwardSplit, lowered: SplitLowered, arguments: Sequence[Any], given: Sequence[Any]
) -> Lowered:
    """A function that gives (value, map) or (value, map, aux), of one that gives residuals.

    Args:
        split: what it was lowered by.
        lowered: the function, and its linear map.
        arguments: their structures, one for each parameter.
        given: for each parameter Numba's type, or the default.

    Raises:
        UnsupportedFunctionError: the value is not one whose structure is known.
    """
    function = split.function
    if lowered.result[2]:
        cause = f"{name_of(function)} returns a list whose length is known at run time; its {split.title} inside @njit"
        raise UnsupportedFunctionError(cause, definition(function), "an array")
    value = split.primary(lowered.value)
    at, _ = places_of(function, tuple(arguments))
    left_out = [k for k, place in enumerate(at) if _is_default(place.of(given))]
    count = min(left_out, default=len(at))
    program = lowered.program
    if isinstance(split, PullbackSplit):
        names, point, outcome, further = ("pullback", "cotangent", "value"), (value,), lowered.outcome[:count], []
        atoms: list[Atom | None] = [program.results[x.index] if isinstance(x, Leaf) else None for x in leaves(point)]
    else:
        structures = numbered(tuple(arguments))
        names, outcome, further = ("pushforward", "tangent", "primal"), lowered.outcome, at[count:]
        point = tuple(place.of(structures) for place in at[:count])
        atoms = [None if k is None else program.params[k] for k in leaves(point)]
    residuals = [leaf.index for leaf in lowered.result[1]]
    lengths = {n: k for k, n in enumerate(dict.fromkeys(n for a in atoms if a is not None for n in a.type.shape))}
    first, count = len(program.results), len(residuals)
    results = (*program.results, *lengths)
    kept = [Leaf(k) for k in (*residuals, *range(first, len(results)))]
    places = tuple(_place(atom, lambda n: count + lengths[n]) for atom in atoms)
    map = LinearMap(
        *names,
        name_of(function),
        tuple(numba_type(results[leaf.index].type) for leaf in kept),
        count,
        structure(point),
        places,
        tuple(still for place in further for still in _still(place.of(given))),
        code_of(lowered.linear),
        map_leaves(lambda x: Leaf(x.index - first) if isinstance(x, Leaf) else x, outcome),
    )
    kind = LinearMapType(map)
    together = Together(kind, dict(zip(kind.fields, kept, strict=True)))
    aux = (lowered.value[1],) if split.has_aux else ()
    program = Program(program.params, program.equations, results, program.name)
    rest = (lowered.captures, lowered.guards, lowered.writes, lowered.changes)
    return Lowered(program, (value, together, *aux), *rest)


def _place(atom: Any, kept: Any) -> Place:
    if atom is None or not atom.type.dtype.differentiable:
        return Place(None)
    return Place(numba_type(atom.type), tuple(map(kept, atom.type.shape)))


def _is_default(kind: Any) -> bool:
    return isinstance(kind, types.Omitted) or not isinstance(kind, types.Type)


def _still(default: Any) -> Iterator[tuple[tuple[int, ...], str]]:
    """Shapes and dtypes of the real numbers and arrays in a default."""
    for value in flatten(default.value if isinstance(default, types.Omitted) else default)[0]:
        spec = abstract(value)
        if isinstance(spec, Spec) and spec.dtype.differentiable:
            yield np.shape(value), spec.dtype.value
