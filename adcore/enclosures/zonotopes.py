"""Zonotopes: values as affine functions of the arguments, and a remainder.

The elements of a box of arguments are m + ρε with ε between -1 and 1.  A form says of a value that it is
c + Σₖ gₖ εₖ + e with |e| ≤ r, where c, gₖ and r are arrays of its shape: so that x - x is 0, and x(1 - x) is narrow
where the box is small (Comba and Stolfi 1993).  Sums, and what moves elements, are exact up to rounding.  Of a smooth
row the form is that of the mean value theorem, f(c) + D (x - c), where D encloses the derivative that the row's own
linear map states.  What the form of a value says is used beside its interval, which it makes narrower.

As intervals do, forms hold what is computed in floating point, too: each adds its rounding to the remainder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..builder import Builder
from ..primitives import TABLE
from ..primitives.kinks import Effect
from ..program import Equation
from .intervals import UNDEFINED, Interval, is_float, meet, point
from .table import ROWS

if TYPE_CHECKING:
    from .execution import Execution

__all__ = ["Form", "forms_of", "refined"]

LEAST = 1e-300  # more than what is lost below the least numbers of double precision
ROUNDING = 32.0  # units in the last place that cover one row's rounding, and that of computing its form


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """An affine function of the arguments, with a remainder.

    Attributes:
        center: c, of the value's shape, in double precision.
        parts: gₖ along a first axis.
        rest: r.
        eps: of the dtype of the value.
    """

    center: Any
    parts: Any
    rest: Any
    eps: float

    @property
    def radius(self) -> Any:
        """How far the value is from the center, at most."""
        return (np.sum(np.abs(self.parts), axis=0) + self.rest) * (1.0 + self._slack)

    @property
    def _slack(self) -> float:
        return (len(self.parts) + 4) * float(np.finfo(float).eps)

    def ends(self) -> tuple[Any, Any]:
        radius = self.radius
        slack = 2.0 * np.finfo(float).eps * (np.abs(self.center) + radius)
        return self.center - radius - slack, self.center + radius + slack

    def map(self, f: Callable[[Any], Any]) -> Form:
        """The elements arranged otherwise."""
        return Form(f(self.center), np.stack([f(g) for g in self.parts]), f(self.rest), self.eps)

    def part(self, at: int, size: int, shape: tuple[int, ...], dtype: np.dtype) -> Form:
        """Some elements of an array, in a shape."""
        taken = [
            np.reshape(v[..., at : at + size], (*v.shape[:-1], *shape)) for v in (self.center, self.parts, self.rest)
        ]
        return Form(taken[0], taken[1], taken[2], float(np.finfo(dtype).eps))


def forms_of(low: np.ndarray, high: np.ndarray) -> Form:
    """The form of the arguments' elements, side by side."""
    center = low + 0.5 * (high - low)
    radius = np.maximum(center - low, high - center) * (1.0 + 4.0 * np.finfo(float).eps)
    return Form(center, np.diag(radius), np.zeros(len(low)), float(np.finfo(float).eps))


def refined(execution: Execution, equation: Equation, operands: list[Interval], found: Any) -> Any:
    """A row's interval with the form of its value, and made narrower by it."""
    if not isinstance(found, Interval) or not is_float(found.dtype) or np.any(found.marks & UNDEFINED):
        return found
    execution.env[equation.outs[0]] = found
    with np.errstate(all="ignore"):
        form = _form(execution, equation, operands, found)
        if form is None:
            return found
        if equation.primitive.name not in EXACT:
            rounding = ROUNDING * form.eps * np.maximum(np.abs(found.lower), np.abs(found.upper)).astype(float)
            form = Form(form.center, form.parts, form.rest + rounding + LEAST, form.eps)
        low, high = form.ends()
        if not np.all(np.isfinite(low) & np.isfinite(high)):
            return found
        low, high = _outwards(low, found.dtype, -np.inf), _outwards(high, found.dtype, np.inf)
        narrow = meet(found, low, high)
    return Interval(narrow.lower, narrow.upper, found.marks, form)


def _outwards(v: Any, dtype: np.dtype, direction: float) -> Any:
    return v if dtype == np.float64 else np.nextafter(np.asarray(v).astype(dtype), dtype.type(direction))


def _form(execution: Execution, equation: Equation, operands: list[Interval], found: Interval) -> Form | None:
    name = equation.primitive.name
    rule = FORMS.get(name)
    if rule is not None:
        return rule(equation, operands)
    if name in ARRANGED:
        return _arranged(equation, operands, ARRANGED[name])
    return _smooth(execution, equation, operands, found)


def _of(x: Interval, like: Sequence[Interval]) -> Form | None:
    """The form of an operand; of one without, its middle and its radius."""
    if x.form is not None:
        return x.form
    count = len(next(y.form.parts for y in like if y.form is not None))
    low, high = np.asarray(x.lower, float), np.asarray(x.upper, float)
    if not np.all(np.isfinite(low) & np.isfinite(high)):
        return None
    center = low + 0.5 * (high - low)
    rest = np.maximum(center - low, high - center)
    rest = np.where(low == high, 0.0, rest * (1.0 + 4.0 * np.finfo(float).eps))
    return Form(center, np.zeros((count, *x.shape)), rest, float(np.finfo(x.dtype).eps))


def _forms(operands: Sequence[Interval]) -> list[Form] | None:
    found = [_of(x, operands) for x in operands]
    return [f for f in found if f is not None] if None not in found else None


# Rows that move elements

ARRANGED = {
    **dict.fromkeys(("expand", "reshape", "permute", "conform", "view", "gather", "grow"), 1),
    **dict.fromkeys(("update", "scatter"), 2),
}

EXACT = {*ARRANGED, "neg", "select", "maximum", "minimum"}  # which do not round


def _arranged(equation: Equation, operands: list[Interval], count: int) -> Form | None:
    if not all(x.is_point for x in operands[count:]):
        return None
    rest = [x.lower for x in operands[count:]]
    forms = _forms(operands[:count])
    if forms is None:
        return None
    meaning = TABLE[equation.primitive.name].meaning

    def moved(*parts: Any) -> Any:
        return np.asarray(meaning(*parts, *rest, **equation.params))

    center = moved(*(f.center for f in forms))
    parts = np.stack([moved(*gs) for gs in zip(*(f.parts for f in forms), strict=True)])
    return Form(center, parts, moved(*(f.rest for f in forms)), forms[0].eps)


# Arithmetic

Rule = Callable[[Equation, list[Interval]], Form | None]


def _sum(sign: float) -> Rule:
    def rule(equation: Equation, operands: list[Interval]) -> Form | None:
        forms = _forms(operands)
        if forms is None:
            return None
        x, y = forms
        form = Form(x.center + sign * y.center, x.parts + sign * y.parts, x.rest + y.rest, x.eps)
        return _rounded(form, np.abs(x.center) + np.abs(y.center) + x.radius + y.radius)

    return rule


def _rounded(form: Form, size: Any) -> Form:
    """With the rounding of its parts, of terms of this size."""
    return Form(form.center, form.parts, form.rest + (8.0 + len(form.parts)) * np.finfo(float).eps * size, form.eps)


def _negated(equation: Equation, operands: list[Interval]) -> Form | None:
    x = operands[0].form
    return Form(-x.center, -x.parts, x.rest, x.eps)


def _product(equation: Equation, operands: list[Interval]) -> Form | None:
    forms = _forms(operands)
    if forms is None:
        return None
    x, y = forms
    radii = x.radius, y.radius
    center, both = x.center * y.center, radii[0] * radii[1]
    parts = x.center * y.parts + y.center * x.parts
    rest = np.abs(x.center) * y.rest + np.abs(y.center) * x.rest
    if operands[0] is operands[1]:  # (x - c)² is between 0 and the square of the radius
        form = Form(center + 0.5 * both, parts, rest + 0.5 * both, x.eps)
    else:
        form = Form(center, parts, rest + both, x.eps)
    return _rounded(form, (np.abs(x.center) + radii[0]) * (np.abs(y.center) + radii[1]))


def _total(equation: Equation, operands: list[Interval]) -> Form | None:
    x, axes = operands[0].form, equation.params["axes"]
    size = np.sum(np.abs(x.center) + x.radius, axis=axes)
    count = int(np.prod([operands[0].shape[a] for a in axes]))
    further = tuple(a + 1 for a in axes)
    form = Form(np.sum(x.center, axis=axes), np.sum(x.parts, axis=further), np.sum(x.rest, axis=axes), x.eps)
    rounding = 4.0 * (count + 2) * (x.eps + len(x.parts) * np.finfo(float).eps) * size
    return Form(form.center, form.parts, form.rest + rounding, x.eps)


def _matmul(equation: Equation, operands: list[Interval]) -> Form | None:
    """The product with a matrix that is known."""
    forms = _forms(operands)
    if forms is None or not (operands[0].is_point or operands[1].is_point):
        return None
    x, y = forms
    if operands[0].is_point:
        form = Form(x.center @ y.center, x.center @ y.parts, np.abs(x.center) @ y.rest, y.eps)
    else:
        form = Form(x.center @ y.center, x.parts @ y.center, x.rest @ np.abs(y.center), x.eps)
    size = (np.abs(x.center) + x.radius) @ (np.abs(y.center) + y.radius)
    count = operands[0].shape[-1]
    rounding = 4.0 * (count + 2) * (form.eps + len(form.parts) * np.finfo(float).eps) * size
    return Form(form.center, form.parts, form.rest + rounding, form.eps)


def _either(first_is_larger: bool) -> Rule:
    """The maximum or the minimum, where it is known which operand it is."""

    def rule(equation: Equation, operands: list[Interval]) -> Form | None:
        forms = _forms(operands)
        if forms is None:
            return None
        x, y = operands
        first, second = (x.lower >= y.upper), (y.lower >= x.upper)
        if not np.all(first | second):
            return None
        return _where(first if first_is_larger else second, forms)

    return rule


def _select(equation: Equation, operands: list[Interval]) -> Form | None:
    forms = _forms(operands[1:])
    if forms is None or not operands[0].is_point:
        return None
    return _where(operands[0].lower, forms)


def _where(condition: Any, forms: list[Form]) -> Form:
    x, y = forms
    return Form(
        np.where(condition, x.center, y.center),
        np.where(condition, x.parts, y.parts),
        np.where(condition, x.rest, y.rest),
        x.eps,
    )


def _add_at(equation: Equation, operands: list[Interval]) -> Form | None:
    found = _arranged(equation, operands, 2)
    if found is None:
        return None
    forms = _forms(operands[:2])
    assert forms is not None
    size = np.max(np.abs(forms[0].center) + forms[0].radius, initial=0.0)
    size = size + np.sum(np.abs(forms[1].center) + forms[1].radius)
    count = 2 + np.size(operands[1].lower)
    rounding = 4.0 * count * (found.eps + len(found.parts) * np.finfo(float).eps) * size
    return Form(found.center, found.parts, found.rest + rounding, found.eps)


FORMS: dict[str, Rule] = {
    **dict.fromkeys(("add", "plus"), _sum(1.0)),
    "sub": _sum(-1.0),
    "neg": _negated,
    "mul": _product,
    "total": _total,
    "matmul": _matmul,
    "maximum": _either(True),
    "minimum": _either(False),
    "select": _select,
    **dict.fromkeys(("add_at", "scatter_add"), _add_at),
}


# Smooth rows, by the mean value theorem


def _smooth(execution: Execution, equation: Equation, operands: list[Interval], found: Interval) -> Form | None:
    """f(c) + D (x - c) of an elementwise row, in those of its operands that are no numbers."""
    forms = _forms(operands) if all(is_float(x.dtype) for x in operands) else None
    if forms is None or equation.primitive.sampler is None:
        return None
    if any(kink.effect is Effect.JUMP for kink in equation.primitive.kinks):
        return None
    middles = [_middle(x, f) for x, f in zip(operands, forms, strict=True)]
    middle = ROWS[equation.primitive.name](*map(point, middles), **equation.params)
    low, high = np.asarray(middle.lower, float), np.asarray(middle.upper, float)
    center = low + 0.5 * (high - low)
    parts = np.zeros((len(forms[0].parts), *found.shape))
    rest = (high - low) * (0.5 + 4.0 * np.finfo(float).eps)
    size = np.abs(center)
    for k, (x, form, at) in enumerate(zip(operands, forms, middles, strict=True)):
        if x.is_point:
            continue
        slope = _slope(execution, equation, k)
        if slope is None:
            return None
        first, last = np.asarray(slope.lower, float), np.asarray(slope.upper, float)
        steady = first + 0.5 * (last - first)
        parts = parts + steady * form.parts
        away = np.maximum(np.asarray(x.upper, float) - at, at - np.asarray(x.lower, float))
        moved = np.abs(form.center - at)
        rest = rest + np.abs(steady) * (form.rest + moved) + np.maximum(last - steady, steady - first) * away
        size = size + np.maximum(np.abs(first), np.abs(last)) * (form.radius + moved + away)
    return _rounded(Form(center, parts, rest, float(np.finfo(found.dtype).eps)), size)


def _middle(x: Interval, form: Form) -> Any:
    """A number of the interval to expand at: the center of the form, if that is one."""
    return np.clip(np.asarray(form.center).astype(x.dtype), x.lower, x.upper)[()]


def _slope(execution: Execution, equation: Equation, operand: int) -> Interval | None:
    """The interval of a row's derivative in one operand, where its linear map is a factor."""
    rule = equation.primitive.map_for(operand)
    if rule is None:
        return None
    b = Builder()
    generator = rule(b, equation)
    if generator.name != "scale":
        return None
    watched, execution.watched, execution.refining = execution.watched, False, False
    execution.equations(b.equations)
    execution.watched, execution.refining = watched, True
    slope = execution.value(generator.residuals[0])
    if np.any(slope.marks & UNDEFINED) or not np.all(np.isfinite(slope.lower) & np.isfinite(slope.upper)):
        return None
    return slope
