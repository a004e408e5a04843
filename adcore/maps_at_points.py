"""The linear maps of a function at a point, each in one program with the function: for calls in compiled code.

Outside of it the function and its map are two programs (`adcore.splitting`).
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from .derive import sweep
from .errors import DtypeError
from .outcomes import lists_of
from .plugins import Leaf, Lowered, Spec, Stateful, Static
from .program import Program
from .signatures import arranged, definition, name_of
from .statics import NOTHING, Statics
from .transforms import (
    Pushforward,
    Transform,
    cotangents,
    differentiable,
    numbered,
    parameter,
    primary,
    pruned,
    replaced,
)
from .trees import leaves, map_nodes, matched, structure
from .types import Var

__all__ = ["PullbackAt", "PushforwardAt"]

POSITIONAL = inspect.Parameter.POSITIONAL_OR_KEYWORD


@dataclass(frozen=True)
class PushforwardAt(Pushforward):
    """The tangent of the value: a function of the tuple of primals and of each one's tangent."""

    title: str = "linearize"

    def signature(self) -> inspect.Signature:
        primals = inspect.Parameter("primals", POSITIONAL)
        return inspect.Signature([primals, inspect.Parameter("tangents", inspect.Parameter.VAR_POSITIONAL)])

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        lowered = super().lower(arguments)
        lowered.result = lowered.result[1]
        return pruned(lowered)


@dataclass(frozen=True)
class PullbackAt(Transform):
    """The cotangents of the arguments: a function of the tuple of primals and of the value's cotangent.

    Attributes:
        has_aux: whether the function returns (value, aux), of which only the value has a cotangent.
    """

    has_aux: bool = False

    def constants(self) -> Statics:
        return NOTHING

    def signature(self) -> inspect.Signature:
        return inspect.Signature([inspect.Parameter(name, POSITIONAL) for name in ("primals", "cotangent")])

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        primals, cotangent = arguments
        lowered = differentiable(self.function, arranged(self.function, primals))
        value = primary("vjp", lowered.result)[0] if self.has_aux else lowered.result
        pairs = self.pairs(lowered, value, cotangent)
        specs = [leaf for primal in primals for leaf in leaves(primal) if isinstance(leaf, Spec)]
        real = [k for k, spec in enumerate(specs) if spec.dtype.differentiable]
        outs = [leaf.index for leaf, _ in pairs if leaf is not None]
        program = sweep(lowered.program, real, differentiated=outs, whole=True).joined()
        count = len(specs) + len(lowered.captures)
        seeds = dict(zip(outs, program.params[count:], strict=True))
        further: list[Var] = []
        for leaf, spec in pairs:
            if leaf is not None:
                further.append(seeds[leaf.index])
            elif spec is not None:
                further.append(parameter(spec, "unused"))
        params = (*program.params[: len(specs)], *further, *program.params[len(specs) : count])
        program = Program(params, program.equations, program.results, program.name)
        first = len(lowered.program.results)
        place = {k: Leaf(first + position) for position, k in enumerate(real)}
        result = tuple(cotangents(lambda k: place.get(k, Static(None)), s) for s in numbered(tuple(primals)))
        return pruned(replaced(lowered, program, result))

    def pairs(self, lowered: Lowered, value: Any, cotangent: Any) -> list[tuple[Leaf | None, Spec | None]]:
        """The place of each number and array of the value that is differentiated, and what is given for it."""
        where = f"vjp: the cotangent of {name_of(self.function)}"
        if lists_of(value):
            what = f"vjp: {name_of(self.function)} returns a list whose length is known at run time"
            raise DtypeError(what, definition(self.function), "an array")
        nodes: list[Any] = []
        tree = structure(map_nodes(nodes.append, value, Stateful))
        try:
            given = matched(tree, cotangent)
        except ValueError:
            raise TypeError(f"{where} has another structure than the value") from None
        found: list[tuple[Leaf | None, Spec | None]] = []
        for node, spec in zip(nodes, given, strict=True):
            theirs = spec if isinstance(spec, Spec) else None
            type = lowered.program.results[node.index].type if isinstance(node, Leaf) else None
            if type is None or not type.dtype.differentiable:
                found.append((None, theirs))
                continue
            if theirs is None or len(theirs.shape) != type.rank:
                raise TypeError(f"{where} has another shape than the value")
            if theirs.dtype is not type.dtype:
                raise DtypeError(f"{where} is {theirs.dtype.value}, the value is {type.dtype.value}")
            found.append((node, theirs))
        return found
