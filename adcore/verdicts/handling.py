"""What a gradient does at kinks, as its user wants it: `on_kink` of `grad` and `value_and_grad`."""

from __future__ import annotations

import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, NoReturn

from ..builder import Builder
from ..dispatch import transformed
from ..errors import NonDifferentiableError, NonDifferentiableWarning, UnsupportedFunctionError
from ..pickling import BySource
from ..plugins import Lowered
from ..program import Equation, Program
from ..signatures import name_of
from ..transforms import Gradient, Transform, differentiable, pruned, replaced
from ..trees import leaves, map_leaves
from ..types import Atom, Var
from .ask import Asked, Verifier
from .conditions import located
from .report import Verdict
from .rewriting import Rewriter, State
from .sites import PAIRWISE, Places, margin_of, pieces_of
from .watching import active_parameters

__all__ = ["OnKink", "handled"]

OnKink = str | Callable[[Verdict], Any] | None
SIDES = {"left": 0, "right": 1}


def handled(gradient: Gradient, on_kink: str | Callable[[Verdict], Any]) -> Any:
    """The derived function that does at kinks what is wanted.

    Raises:
        ValueError: `on_kink` is another word.
    """
    if on_kink in SIDES and isinstance(on_kink, str):
        return transformed(_sided(gradient, on_kink))
    if callable(on_kink):
        return Handled(gradient, on_kink)
    known = {"report": _both, "raise": _raised, "warn": _warned}
    if on_kink == "central":
        return Central(gradient)
    if on_kink not in known:
        words = ", ".join(map(repr, (*known, *SIDES, "central")))
        raise ValueError(f"{gradient.title}: on_kink={on_kink!r}; it is a function of a verdict or one of {words}")
    return Handled(gradient, known[on_kink], reports=on_kink == "report")


def _sided(gradient: Gradient, side: str) -> Gradient:
    """The same derivative, of a function whose kinks are on one side."""
    sided = transformed(Sided(gradient.function, gradient=gradient, side=SIDES[side], declared=gradient.declared))
    return replace(gradient, function=sided)


def _both(found: Verdict) -> None:
    """Leave the gradient as it is."""


def _raised(found: Verdict) -> None:
    if not found:
        raise NonDifferentiableError(str(found))


def _warned(found: Verdict) -> None:
    if not found:
        warnings.warn(str(found), NonDifferentiableWarning, stacklevel=3)


class OutsideOnly(BySource):
    """A derived function that is called from outside of compiled functions alone."""

    gradient: Gradient

    def __adcore_lower__(self, _: tuple[Any, ...]) -> NoReturn:
        cause = f"{self.gradient.title}(…, on_kink=…) of {name_of(self.gradient.function)} in a compiled function"
        raise UnsupportedFunctionError(cause, write='on_kink="left" or "right" there, or verdict(f) outside')

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return f"<{self.gradient.title} of {name_of(self.gradient.function)}, with its kinks looked at>"


class Handled(OutsideOnly):
    """A gradient with a verdict at every call, which a function gets where a kink is touched."""

    def __init__(self, gradient: Gradient, tell: Callable[[Verdict], Any], reports: bool = False) -> None:
        self.gradient = gradient
        self.tell = tell
        self.reports = reports
        options = {f.name: getattr(gradient, f.name) for f in fields(gradient)}
        self.verifier = Verifier(Asked(**{**options, "with_value": True}), budget=1000, directions=16, seed=0)

    def made_from(self) -> tuple[Any, ...]:
        return self.gradient, self.tell, self.reports

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found = self.verifier(*args, **kwargs)
        other = None if found else self.tell(found)
        gradient = found.gradient if other is None else other
        result: Any = (gradient, found.aux) if self.gradient.has_aux else gradient
        if self.gradient.with_value:
            value = (found.value, found.aux) if self.gradient.has_aux else found.value
            result = (value, gradient)
        return (result, found) if self.reports else result


class Central(OutsideOnly):
    """The mean of the gradients with all kinks on the left and with all on the right."""

    def __init__(self, gradient: Gradient) -> None:
        self.gradient = gradient
        self.left, self.right = (transformed(_sided(gradient, side)) for side in SIDES)

    def made_from(self) -> tuple[Any, ...]:
        return (self.gradient,)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        left, right = (side(*args, **kwargs) for side in (self.left, self.right))
        is_pair = self.gradient.with_value or self.gradient.has_aux
        if not is_pair:
            return _mean(left, right)
        at = 1 if self.gradient.with_value else 0
        return tuple(_mean(a, b) if k == at else a for k, (a, b) in enumerate(zip(left, right, strict=True)))


def _mean(one: Any, other: Any) -> Any:
    others = iter(leaves(other))
    return map_leaves(lambda a: _half(a, next(others)), one)


def _half(a: Any, b: Any) -> Any:
    return None if a is None else a * 0.5 + b * 0.5


@dataclass(frozen=True)
class Sided(Transform):
    """The function as it is beside its kinks, on the side where their margins are negative (0) or positive (1).

    Attributes:
        gradient: the derivative to whose arguments the places are the kinks.
        side: which.
    """

    gradient: Gradient = field(kw_only=True)
    side: int = field(kw_only=True)

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        lowered = differentiable(self.function, arguments)
        value, _ = self.gradient.value_of(lowered)
        program, places = located(lowered.program, active_parameters(self.gradient, arguments), value.index)
        return pruned(replaced(lowered, self.sided(program, places), lowered.result))

    def sided(self, program: Program, places: Places) -> Program:
        """The program with the piece of a side wherever a margin is 0."""
        b = Builder()
        rewriter = Rewriter(
            lambda b, old, new, _: self.piece(b, places, old, new),
            lambda region: () if places.inside(region) else None,
        )
        rewriter.env.update({p: p for p in program.params})
        state: State = {}
        results = rewriter.rewritten(program, b, state)
        return Program(program.params, b.equations, results, program.name)

    def piece(self, b: Builder, places: Places, old: Equation, new: Equation) -> dict[Var, Atom]:
        values: dict[Var, Atom] = {}
        for _, kink in places.of(old):
            if kink.margin is None or len(new.outs) != 1 or new.primitive.name in PAIRWISE:
                continue
            margin, pieces = margin_of(b, new, kink), pieces_of(b, new, kink)
            if margin is not None and pieces is not None:
                before = values.get(old.outs[0], new.outs[0])
                values[old.outs[0]] = b.select(b.eq(margin, 0.0), pieces[self.side], before)
        return values
