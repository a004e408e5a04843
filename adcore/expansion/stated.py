"""Stated derivatives, expanded: what `adcore.rules` has put in the place of functions, with its marks.

Where θ multiplies coefficients by their degrees, a function z = f(x) has θz = L(x) θx with the linear map L that its
rule states.  So the tangent in a rule is θx, and the coefficients of z are those of the rule's tangent divided by their
degrees.  θx has no constant term, and neither has anything that the rule computes from it.

What a rule calls, to compute a coefficient of its map, is expanded by its own rule; a function that its rule calls
again, by its operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..builder import Builder
from ..derive import emit, linearize
from ..linear import is_differentiable
from ..marks import ATTACH, DETACH, RULED, TANGENT
from ..program import Equation, uses
from ..rules import Rule, is_same
from ..ruling import forwards
from .terms import Euler, divided
from .values import Values

__all__ = ["expand_mark", "expand_stated", "rule_of"]

Expand = Callable[[Values, Iterable[Equation]], None]


def expand_mark(values: Values, mark: Equation, expand: Expand) -> None:
    """Emit a mark, and say what the coefficients of its results are."""
    if mark.primitive is RULED:
        expand(values, forwards(mark, values.is_active, emit, linearize))
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


def rule_of(values: Values, equation: Equation) -> Rule | None:
    """The rule by which a function is expanded that the expansion of another one's rule has met; None by its body."""
    rule = equation.rule
    if (
        not isinstance(rule, Rule)
        or any(is_same(rule.function, f) for f in values.within)
        or not values.vanishing.isdisjoint(uses(equation))
    ):
        return None
    return rule if any(map(is_differentiable, equation.outs)) and moving(values, equation) else None


def moving(values: Values, equation: Equation) -> frozenset[int]:
    return frozenset(k for k, a in enumerate(equation.operands) if values.is_active(a))


def expand_stated(values: Values, equation: Equation, rule: Rule, expand: Expand) -> None:
    """The rule in the place of a function."""
    b = Builder()
    b.source = equation.source
    rule.expand(b, equation, moving(values, equation))
    values.within.append(rule.function)
    expand(values, b.equations)
    values.within.pop()
