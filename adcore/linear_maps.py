"""The derivative of a function at a point as a callable: a linear map of tangents, or of cotangents.

The residuals are kept, so that a call runs the linear program alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import debugging
from .arguments import abstract, normalized
from .dispatch import Specialisation
from .errors import PickleError
from .nonfinite import is_finite
from .outcomes import rebuilt, stacked
from .plugins import Spec
from .splitting import SplitLowered
from .trees import flatten, matched

__all__ = ["Pullback", "Pushforward"]


class _LinearMap:
    """What both directions share: what a map takes is like what it was made at."""

    name = ""  # of the map
    takes = ""  # what it takes
    like = ""  # and at what
    made_by = ""  # which transform

    def __init__(
        self,
        specialisation: Specialisation,
        residuals: tuple[Any, ...],
        lists: tuple[Any, ...],
        again: list[Any] | None = None,
    ) -> None:
        self._again = again  # what the function was called with, where what the map gives is checked
        assert isinstance(specialisation.lowered, SplitLowered)
        self._specialisation = specialisation
        self._lowered = specialisation.lowered
        self._residuals = residuals
        lists_of = self._lowered.result[2]
        self._lists = {leaf.index: value for leaf, value in zip(lists_of, lists, strict=True)}

    def __reduce__(self) -> Any:
        raise PickleError(f"a {self.name} holds residuals in compiled code", write="the function, at its arguments")

    def converted(self, given: Any, point: Any) -> list[Any]:
        """The leaves of what is given as the arrays and numbers that the program takes; None for integers.

        Raises:
            TypeError: another structure than that of the point, or a complex number for a real one.
            ValueError: another shape.
        """
        values, tree = flatten(point)
        try:
            found = matched(tree, given)
        except ValueError:
            raise TypeError(f"{self.name}: the {self.takes} has another structure than the {self.like}") from None
        return [self._fitted(ours, theirs) for ours, theirs in zip(found, values, strict=True)]

    def _fitted(self, ours: Any, theirs: Any) -> Any:
        if not isinstance(spec := abstract(theirs), Spec) or not spec.dtype.differentiable:
            return None
        if np.shape(ours) != np.shape(theirs):
            shapes = f"a {self.takes} of shape {np.shape(ours)} for a {self.like} of shape {np.shape(theirs)}"
            raise ValueError(f"{self.name}: {shapes}")
        if np.iscomplexobj(ours) and not spec.dtype.complex:
            raise TypeError(f"{self.name}: a complex {self.takes} for a real {self.like}")
        array = np.asarray(ours, spec.dtype.numpy)
        return normalized(array) if array.ndim else array.item() if spec.python else array[()]

    def run(self, given: Sequence[Any]) -> Any:
        """What the map gives for these (co)tangents."""
        lowered = self._lowered
        taken = [g for g in given if g is not None]
        results = self._specialisation.late(lowered.linear)(*self._residuals, *taken)
        if (self._again is not None or debugging.checks()) and not is_finite(results):
            self._examine([*self._residuals, *taken])
        return rebuilt(lowered.outcome, self._lists | dict(enumerate(results, len(lowered.program.results))))

    def _examine(self, values: list[Any]) -> None:
        """Say where numbers that are not finite come from, in the map or in the residuals."""
        lowered = self._lowered
        before = None if self._again is None else debugging.traced(lowered.program, self._again)
        kept = [leaf.index for leaf in lowered.result[1]]
        traced = debugging.traced(lowered.linear, values, before, kept)
        title = f"{self.name} of {self._specialisation.name}"
        debugging.examine(title, traced, lowered.outcome, first=len(lowered.program.results))


class Pullback(_LinearMap):
    """The cotangents of a function's arguments at one point, as a function of the value's cotangent."""

    name, takes, like = "pullback", "cotangent", "value"
    made_by = "vjp"

    def __init__(
        self,
        specialisation: Specialisation,
        value: Any,
        residuals: tuple[Any, ...],
        lists: tuple[Any, ...],
        count: int,
        has_aux: bool,
        again: list[Any] | None = None,
    ) -> None:
        super().__init__(specialisation, residuals, lists, again)
        self._value = value
        self._count = count
        self._has_aux = has_aux

    def __call__(self, cotangent: Any) -> tuple[Any, ...]:
        given = self.converted(cotangent, self._value)
        result = self._lowered.value[0] if self._has_aux else self._lowered.value
        return self.run(stacked(result, iter(given), self._lists))[: self._count]


class Pushforward(_LinearMap):
    """The tangent of a function's value at one point, as a function of the arguments' tangents."""

    name, takes, like = "pushforward", "tangent", "primal"
    made_by = "linearize"

    def __init__(
        self,
        specialisation: Specialisation,
        primals: tuple[Any, ...],
        defaults: tuple[Any, ...],
        residuals: tuple[Any, ...],
        lists: tuple[Any, ...],
        again: list[Any] | None = None,
    ) -> None:
        super().__init__(specialisation, residuals, lists, again)
        self._primals = primals
        self._still = [self._fitted(np.zeros(np.shape(d)), d) for d in flatten(defaults)[0]]

    def __call__(self, *tangents: Any) -> Any:
        if len(tangents) != len(self._primals):
            raise TypeError(f"pushforward: {len(tangents)} tangents for {len(self._primals)} primals")
        given = zip(tangents, self._primals, strict=True)
        moving = [each for ours, primal in given for each in self.converted(ours, primal)]
        return self.run([*moving, *self._still])
