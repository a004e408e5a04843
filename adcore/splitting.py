"""A function's derivative in two programs: one runs the function and keeps residuals, one is the linear map.

The linear map is run any number of times: as a pushforward of tangents, or as a pullback of cotangents, its dual.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from .boundary import Sweep
from .derive import push_split, sweep
from .errors import AdcoreError
from .outcomes import lists_of, tangents
from .plugins import Leaf, Lowered, Spec, Static
from .program import Program
from .signatures import places_of
from .transforms import (
    Transform,
    cotangents,
    differentiable,
    lower,
    numbered,
    primary,
    unchanging,
    without_writes,
)
from .trees import leaves

__all__ = ["PullbackSplit", "PushforwardSplit", "SplitLowered"]


@dataclass(slots=True)
class SplitLowered(Lowered):
    """A lowered function that gives (result, residuals, what its lists are made of), and what takes the residuals.

    Attributes:
        linear: residuals, then the (co)tangents that the map takes, to those that it gives.
        outcome: the structure of what the map gives, whose results are counted on from those of the program.
    """

    linear: Program = field(default_factory=lambda: Program(()))
    outcome: Any = ()

    @property
    def value(self) -> Any:
        """The structure of what the function gives."""
        return self.result[0]


@dataclass(frozen=True)
class _Split(Transform):
    """What both directions share.

    Attributes:
        has_aux: whether the function returns (value, aux), of which only the value is differentiated.
    """

    has_aux: bool = False

    def sweep(self, lowered: Lowered, arguments: tuple[Any, ...]) -> Sweep:
        """The two parts of the derivative of a lowered function."""
        raise NotImplementedError

    def divided(
        self, lowered: Lowered, swept: Sweep, moved: list[int], outcome: Callable[[dict[int, Leaf]], Any]
    ) -> SplitLowered:
        """The two programs.

        Args:
            lowered: the function.
            swept: the two parts of its derivative.
            moved: what has a (co)tangent among the second part's results, in order.
            outcome: the structure of what the second part gives, from the place of each of `moved`.
        """
        forward, linear = swept.split()
        written = [w.result for w in lowered.writes if w.result is not None]  # the last of the function's own results
        outs = len(lowered.program.results) - len(written)
        own, kept = forward.results[: outs + len(written)], forward.results[outs + len(written) :]
        forward.results = (*own[:outs], *kept, *own[outs:])
        writes = tuple(replace(w, result=None if w.result is None else w.result + len(kept)) for w in lowered.writes)
        residuals = tuple(Leaf(k) for k in range(outs, outs + len(kept)))
        result = (lowered.result, residuals, lists_of(lowered.result))
        rest = (lowered.captures, lowered.guards, writes, lowered.changes)
        place = {k: Leaf(len(forward.results) + position) for position, k in enumerate(moved)}
        return SplitLowered(forward, result, *rest, linear=linear, outcome=outcome(place))

    def primary(self, result: Any) -> Any:
        """What is differentiated of a result."""
        return primary(self.title, result)[0] if self.has_aux else result

    @property
    def title(self) -> str:
        """The name of the transform."""
        raise NotImplementedError

    def differentiated(self, lowered: Lowered) -> list[int]:
        """The program results that are differentiated."""
        results = lowered.program.results
        indices = [leaf.index for leaf in leaves(self.primary(lowered.result)) if isinstance(leaf, Leaf)]
        found = [k for k in indices if results[k].type.dtype.differentiable]
        if not found:
            raise AdcoreError(f"{self.title}: the function returns no real number or array")
        return found


@dataclass(frozen=True)
class PullbackSplit(_Split):
    """Reverse mode in two programs: the value with residuals, and the pullback from residuals and a cotangent."""

    @property
    def title(self) -> str:
        return "vjp"

    def lower(self, arguments: tuple[Any, ...]) -> SplitLowered:
        lowered = without_writes(differentiable(self.function, arguments))
        structures = numbered(arguments)
        places, _ = places_of(self.function, arguments)

        def outcome(place: dict[int, Leaf]) -> Any:
            return tuple(cotangents(lambda k: place.get(k, Static(None)), p.of(structures)) for p in places)

        return self.divided(lowered, self.sweep(lowered, arguments), real_leaves(arguments), outcome)

    def sweep(self, lowered: Lowered, arguments: tuple[Any, ...]) -> Sweep:
        return sweep(lowered.program, real_leaves(arguments), differentiated=self.differentiated(lowered))


@dataclass(frozen=True)
class PushforwardSplit(_Split):
    """Forward mode in two programs: the value with residuals, and the pushforward from residuals and a tangent."""

    @property
    def title(self) -> str:
        return "linearize"

    def lower(self, arguments: tuple[Any, ...]) -> SplitLowered:
        lowered = without_writes(unchanging(lower(self.function, arguments)))
        result = self.primary(lowered.result)
        swept = self.sweep(lowered, arguments)
        return self.divided(lowered, swept, self.differentiated(lowered), lambda place: tangents(result, place))

    def sweep(self, lowered: Lowered, arguments: tuple[Any, ...]) -> Sweep:
        return push_split(lowered.program, real_leaves(arguments), self.differentiated(lowered))


def real_leaves(arguments: tuple[Any, ...]) -> list[int]:
    """Which of the arguments' numbers and arrays are real."""
    specs = [leaf for a in arguments for leaf in leaves(a) if isinstance(leaf, Spec)]
    return [k for k, spec in enumerate(specs) if spec.dtype.differentiable]
