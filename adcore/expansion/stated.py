"""Stated derivatives, expanded: what `adcore.rules` has put in the place of functions, with its marks.

Where θ multiplies coefficients by their degrees, a function z = f(x) has θz = L(x) θx with the linear map L that its
rule states.  So the tangent in a rule is θx, and the coefficients of z are those of the rule's tangent divided by their
degrees.  θx has no constant term, and neither has anything that the rule computes from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..builder import Builder
from ..derive import emit, linearize
from ..linear import LinearRule
from ..marks import ATTACH, DETACH, RULED, TANGENT, attached, ruled_arguments, tangent_of
from ..program import Equation
from ..ruling import emit_rule
from ..types import Var
from .terms import Euler, divided
from .values import Values

__all__ = ["expand_mark"]


def expand_mark(values: Values, mark: Equation, expand: Callable[[Values, Iterable[Equation]], None]) -> None:
    """Emit a mark, and say what the coefficients of its results are."""
    if mark.primitive is RULED:
        _expand_ruled(values, mark, expand)
        return
    (out,) = mark.outs
    source = mark.operands[1 if mark.primitive is ATTACH else 0]
    values.b.enter(mark)
    values.known[out, values.orders.zero] = out
    if mark.primitive is DETACH or not values.is_active(source):
        return
    series = Euler(source) if mark.primitive is TANGENT else source
    found = {index: values.coefficient(series, index) for index in values.orders.indices}
    if mark.primitive is ATTACH:
        constant = out.type.dtype.constant
        found = {i: None if t is None else divided(values.b, t, constant(sum(i))) for i, t in found.items()}
    values.define(out, {i: t for i, t in found.items() if t is not None})
    if mark.primitive is TANGENT:
        values.vanish(out)


def _expand_ruled(values: Values, mark: Equation, expand: Callable[[Values, Iterable[Equation]], None]) -> None:
    """A stated pullback: its dual takes the tangents θx."""
    moving = tuple((k, x) for k, x in enumerate(ruled_arguments(mark)) if isinstance(x, Var) and values.is_active(x))
    b = Builder()
    b.source = mark.source
    tangents = {x: tangent_of(b, x) for _, x in moving}
    emit_rule(b, LinearRule(mark, moving), tangents, emit, linearize)
    for value, out in zip(mark.operands, mark.outs, strict=False):
        attached(b, value, tangents.get(out), out)
    expand(values, b.equations)
