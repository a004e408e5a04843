"""The smooth forms of rows, beside the table of primitives: what each becomes, and in words.

A rule is found for an equation that something which depends on the arguments meets.  It gives what takes the place of
the equation in words, empty for what is only carried over to means, and what emits that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import relaxations
from ..primitives import TABLE
from ..primitives.kinks import Kink
from ..program import Equation
from ..types import Atom, DType, Lit, Var
from .choosing import carried_choice, chosen_places, ordered, picked, put
from .marking import is_real
from .values import Choice, Soft, emit_arrays, emit_numbers

if TYPE_CHECKING:
    from .conversion import Softening

__all__ = ["KEPT_KINKS", "SMOOTH", "rule_of"]

Result = Atom | Soft | Choice
Found = tuple[str, Callable[[], Result]]

# Rows of real numbers whose smooth form is a relaxation of the same operands, and what that is in words.
SMOOTH: dict[str, tuple[Callable[..., Any], str]] = {
    "abs": (relaxations.soft_abs, "|x| with a {noise} on x"),
    "sign": (relaxations.soft_sign, "sign(x) with a {noise} on x"),
    "copysign": (relaxations.soft_copysign, "|x| sign(y) with a {noise} on x and one on y"),
    "maximum": (relaxations.soft_maximum, "max(x, y) with a {noise} on x - y"),
    "minimum": (relaxations.soft_minimum, "min(x, y) with a {noise} on x - y"),
    "floor": (relaxations.soft_floor, "⌊x + noise⌋ with a {steep}"),
    "ceil": (relaxations.soft_ceil, "⌈x + noise⌉ with a {steep}"),
    "rint": (relaxations.soft_round, "x + noise rounded, with a {steep}"),
    "trunc": (relaxations.soft_trunc, "x + noise truncated, with a {steep}"),
    "floordiv": (relaxations.soft_floordiv, "⌊x/y + noise⌋ with a {steep}"),
    "mod": (relaxations.soft_mod, "x - y ⌊x/y + noise⌋ with a {steep}"),
    "fmod": (relaxations.soft_fmod, "x - y trunc(x/y + noise) with a {steep}"),
    "arctan2": (relaxations.soft_arctan2, "the angle with a {steep} on it"),
    "hypot": (relaxations.soft_hypot, "√(x² + y² + {tau}²)"),
}

_WHOLE = {"floor", "ceil", "rint", "trunc", "floordiv"}
_ARITHMETIC = {"add", "sub", "mul", "neg"}
_COMPARED = {"gt": 1, "ge": 1, "lt": -1, "le": -1}
_ARRANGED = {"expand", "reshape", "permute", "conform", "view", "gather", "grow", "total"}
_WRITTEN = {"update", "add_at", "scatter", "scatter_add"}


def _is_bend(kink: Kink) -> bool:
    return kink.effect.name != "EDGE"


# Rows with kinks that have no smooth form: they stay, and say so.
KEPT_KINKS = frozenset(
    r.name
    for r in TABLE
    if any(_is_bend(k) and not k.sided for k in r.kinks)
    and r.name not in {*SMOOTH, *_COMPARED, "eq", "ne", "cast", "reduce_max", "reduce_min", "argsort"}
)


def rule_of(s: Softening, equation: Equation, found: Any) -> Found | None:
    """The smooth form of an equation of which an operand depends on the arguments.

    Args:
        s: the program under construction.
        equation: the equation.
        found: where it is the place of an extremum, what `places_of_extremum` gives.
    """
    if found is not None:
        x, largest, places = found
        return f"weights exp({'' if largest else '-'}x/{s.options.tau:g}) of all places", lambda: chosen_places(
            s, equation, x, largest, places
        )
    carried = carried_choice(s, equation)
    if carried is not None:
        return "", carried
    name = equation.primitive.name
    rule = RULES.get(name)
    if rule is not None:
        return rule(s, equation)
    sided = [k for k in equation.primitive.kinks if k.sided and _is_bend(k)]
    return _between(s, equation, sided[0]) if len(sided) == 1 and is_real(equation.outs[0]) else None


def _between(s: Softening, equation: Equation, kink: Kink) -> Found:
    """A row without a relaxation of its own: what it is on either side of its kink, by the probability of each."""
    from .conversion import weighted

    def emit() -> Atom:
        b = s.b
        copy = replace(equation, operands=tuple(map(s.real, equation.operands)))
        copy.outs = (b.emit(copy.primitive, copy.operands, copy.params),)
        assert kink.margin is not None
        assert kink.below is not None
        assert kink.above is not None
        margin = kink.margin(b, copy)
        if margin is None:
            return copy.outs[0]
        return weighted(b, step_of(s, margin), kink.above(b, copy), kink.below(b, copy))

    return words(s, f"what it is on either side of {kink}, with a {{noise}} on where that is"), emit


def words(s: Softening, text: str) -> str:
    """What a row becomes, in words, with the temperature."""
    tau, kernel = s.options.tau, s.options.kernel
    article = "an" if kernel == "algebraic" else "a"
    steep = f"Cauchy noise as steep as the {kernel} one of width {tau:g}"
    return text.replace("a {noise}", f"{article} {{noise}}").format(
        noise=f"{kernel} noise of width {tau:g}", steep=steep, tau=f"{tau:g}"
    )


def gap(s: Softening, x: Atom, y: Atom) -> Atom:
    """The difference of two numbers, 0 of equal infinities."""
    b, one, other = s.b, s.real(x), s.real(y)
    found = b.sub(one, other)
    if any(isinstance(a, Lit) or not is_real(a) for a in (x, y)):
        return found
    return b.select(b.land(b.eq(one, other), b.isnan(found)), 0.0, found)


def step_of(s: Softening, margin: Atom) -> Atom:
    """The probability that a margin is positive."""
    return emit_numbers(s.b, relaxations.soft_indicator, [margin], s.options.tau, s.options.kernel)


def is_whole(s: Softening, atom: Atom) -> bool:
    """Whether real numbers are whole by the way they are made."""
    if isinstance(atom, Lit):
        return not isinstance(atom.value, complex) and float(atom.value).is_integer()
    made = s.marks.defining.get(atom)
    if made is None:
        return False
    name = made.primitive.name
    if name == "cast":
        return not is_real(made.operands[0])
    if name in _ARITHMETIC or name in ("maximum", "minimum"):
        return all(is_whole(s, a) for a in made.operands)
    if name == "select":
        return all(is_whole(s, a) for a in made.operands[1:])
    return name in _WHOLE or (name in _ARRANGED and is_whole(s, made.operands[0]))


def _like(s: Softening, equation: Equation, value: Atom) -> Result:
    """A result: of a row of integers and booleans a mean."""
    return value if is_real(equation.outs[0]) else Soft(value)


def _smooth(s: Softening, equation: Equation) -> Found | None:
    function, text = SMOOTH[equation.primitive.name]
    x = equation.operands[0]
    if x.type.dtype.complex:
        return words(s, SMOOTH["hypot"][1]), lambda: _modulus(s, x)
    if equation.primitive.name in _WHOLE and len(equation.operands) == 1 and is_whole(s, x):
        return "", lambda: s.real(x)
    options = (s.options.tau, s.options.kernel)
    return words(s, text), lambda: _like(
        s, equation, emit_numbers(s.b, function, [s.real(a) for a in equation.operands], *options)
    )


def _modulus(s: Softening, x: Atom) -> Atom:
    parts = [s.b.real(s.name(x)), s.b.imag(s.name(x))]
    return emit_numbers(s.b, relaxations.soft_hypot, parts, s.options.tau, s.options.kernel)


def _compared(s: Softening, equation: Equation) -> Found:
    x, y = equation.operands
    sign = _COMPARED[equation.primitive.name]

    def emit() -> Soft:
        margin = gap(s, x, y) if sign > 0 else gap(s, y, x)
        if not is_real(x):  # of integers x > y means x - y >= 1, so that the edge is halfway
            margin = s.b.add(margin, -0.5 if equation.primitive.name in ("gt", "lt") else 0.5)
        return Soft(step_of(s, margin))

    return words(s, "the probability that it holds with a {noise} on x - y"), emit


def _equal(s: Softening, equation: Equation) -> Found:
    """Equality of booleans, and of integers, which are equal where they differ by less than a half."""
    x, y = equation.operands

    def emit() -> Soft:
        b, one, other = s.b, s.real(x), s.real(y)
        if x.type.dtype is DType.BOOL:
            differ = b.sub(b.add(one, other), b.mul(2.0, b.mul(one, other)))
            return Soft(differ if equation.primitive.name == "ne" else b.sub(1.0, differ))
        gap = b.sub(one, other)
        same = b.sub(step_of(s, b.add(gap, 0.5)), step_of(s, b.sub(gap, 0.5)))
        return Soft(same if equation.primitive.name == "eq" else b.sub(1.0, same))

    return words(s, "the probability that it holds with a {noise} on x - y"), emit


def _logical(s: Softening, equation: Equation) -> Found | None:
    if equation.outs[0].type.dtype is not DType.BOOL:
        return None
    name, b = equation.primitive.name, s.b

    def emit() -> Soft:
        x, *rest = map(s.real, equation.operands)
        if name == "not":
            return Soft(b.sub(1.0, x))
        both = b.mul(x, rest[0])
        if name == "and":
            return Soft(both)
        return Soft(b.sub(b.add(x, rest[0]), both if name == "or" else b.mul(2.0, both)))

    return "the probability for independent conditions", emit


def _select(s: Softening, equation: Equation) -> Found | None:
    from .conversion import weighted

    condition, one, other = equation.operands
    if not s.is_soft(condition):
        if is_real(one):
            return None
        return "", lambda: Soft(s.b.select(s.name(condition), s.real(one), s.real(other)))
    extremum = _extremum(s, equation)
    if extremum is not None:
        function, text = SMOOTH[extremum]
        options = (s.options.tau, s.options.kernel)
        return words(s, text), lambda: _like(
            s, equation, emit_numbers(s.b, function, [s.real(one), s.real(other)], *options)
        )

    def emit() -> Result:
        yes = s.real(condition)
        with s.assumed(condition, True):
            value = s.real(s.resolved(one))
        with s.assumed(condition, False):
            otherwise = s.real(s.resolved(other))
        mixed = weighted(s.b, yes, value, otherwise)
        if is_real(one) and mixed is not value:
            certain = s.b.select(s.b.ge(yes, 1.0), value, mixed)
            mixed = s.b.select(s.b.le(yes, 0.0), otherwise, certain)
        return _like(s, equation, mixed)

    return "the mean of both by the probability of the condition", emit


def _extremum(s: Softening, equation: Equation) -> str | None:
    """Whether the larger or the smaller of two numbers is selected by comparing them."""
    condition, one, other = equation.operands
    made = s.marks.defining.get(condition) if isinstance(condition, Var) else None
    if made is None or made.primitive.name not in _COMPARED or not is_real(one):
        return None
    sign = _COMPARED[made.primitive.name]
    if made.operands == (one, other):
        return "maximum" if sign > 0 else "minimum"
    if made.operands == (other, one):
        return "minimum" if sign > 0 else "maximum"
    return None


def _cast(s: Softening, equation: Equation) -> Found | None:
    x, dtype = equation.operands[0], equation.params["dtype"]
    if is_real(x):
        if dtype.differentiable:
            return None
        if is_whole(s, x):
            return "", lambda: Soft(s.b.cast(s.real(x), dtype=s.dtype))
        function, text = SMOOTH["trunc"]
        options = (s.options.tau, s.options.kernel)
        return words(s, text), lambda: Soft(s.b.cast(emit_numbers(s.b, function, [s.real(x)], *options), dtype=s.dtype))
    if dtype.differentiable:
        return "", lambda: s.b.cast(s.real(x), dtype=dtype)
    if dtype is DType.BOOL and x.type.dtype is not DType.BOOL:
        return words(s, "the probability that it is not 0 with a {noise} on it"), lambda: _not_zero(s, x)
    return "", lambda: Soft(s.real(x))


def _not_zero(s: Softening, x: Atom) -> Soft:
    value = s.real(x)
    zero = s.b.sub(step_of(s, s.b.add(value, 0.5)), step_of(s, s.b.sub(value, 0.5)))
    return Soft(s.b.sub(1.0, zero))


def _arithmetic(s: Softening, equation: Equation) -> Found | None:
    """Sums and products of integers: those of their means."""
    if is_real(equation.outs[0]):
        return None
    return "", lambda: Soft(s.b.emit(equation.primitive, tuple(map(s.real, equation.operands)), equation.params))


def _power(s: Softening, equation: Equation) -> Found | None:
    return "", lambda: Soft(s.b.pow(*map(s.real, equation.operands)))


def _reduced(s: Softening, equation: Equation) -> Found:
    largest = equation.primitive.name == "reduce_max"
    function = relaxations.soft_max if largest else relaxations.soft_min
    tau = s.options.tau
    text = f"{tau:g} log Σ exp(x/{tau:g})" if largest else f"-{tau:g} log Σ exp(-x/{tau:g})"
    axes = equation.params["axes"]
    return text, lambda: _like(s, equation, emit_arrays(s.b, function, s.real(equation.operands[0]), tau, axes))


def _all_or_any(s: Softening, equation: Equation) -> Found | None:
    if equation.operands[0].type.dtype is not DType.BOOL:
        return None
    function = relaxations.all_of if equation.primitive.name == "reduce_and" else relaxations.any_of
    axes = equation.params["axes"]
    return "the probability for independent conditions", lambda: Soft(
        emit_arrays(s.b, function, s.real(equation.operands[0]), axes)
    )


def _side(s: Softening, equation: Equation) -> Found:
    x, y = equation.operands
    return words(s, "the probability that x > y with a {noise} on x - y"), lambda: Soft(
        s.b.cast(step_of(s, gap(s, x, y)), dtype=s.dtype)
    )


def _portion(s: Softening, equation: Equation) -> Found:
    def emit() -> Atom:
        value = s.b.cast(s.real(equation.operands[0]), dtype=equation.params["dtype"])
        return value if equation.params["of"] == 1 else s.b.sub(1.0, value)

    return "", emit


def _argsort(s: Softening, equation: Equation) -> Found:
    return f"the weights of a sorting network with {s.options.swap} swaps of width {s.options.tau:g}", lambda: ordered(
        s, equation
    )


def _arranged(s: Softening, equation: Equation) -> Found | None:
    """Rows that arrange, read and write elements, of means and at places that are choices."""
    name, operands = equation.primitive.name, equation.operands
    data = 2 if name in _WRITTEN else 1
    if any(isinstance(s.soft.get(a), Choice) for a in operands[data:] if isinstance(a, Var)):
        how = put if name in _WRITTEN else picked
        return "means by the weights of the places", lambda: _like(s, equation, how(s, equation))
    if any(map(s.is_soft, operands[data:])):
        what = "an index or a length depends on the arguments, and it is no place that argmax or argsort give"
        s.refuse(equation, what)
    if is_real(equation.outs[0]):
        return None
    values = (*map(s.real, operands[:data]), *map(s.name, operands[data:]))
    return "", lambda: Soft(s.b.emit(equation.primitive, values, equation.params))


RULES: dict[str, Callable[[Any, Equation], Found | None]] = {
    **dict.fromkeys(SMOOTH, _smooth),
    **dict.fromkeys(_COMPARED, _compared),
    **dict.fromkeys(("eq", "ne"), _equal),
    **dict.fromkeys(("and", "or", "xor", "not"), _logical),
    "select": _select,
    "cast": _cast,
    **dict.fromkeys(_ARITHMETIC, _arithmetic),
    "integer_pow": _power,
    **dict.fromkeys(("reduce_max", "reduce_min"), _reduced),
    **dict.fromkeys(("reduce_and", "reduce_or"), _all_or_any),
    "side": _side,
    "portion": _portion,
    "argsort": _argsort,
    **dict.fromkeys((*_ARRANGED, *_WRITTEN), _arranged),
    "matmul": _arithmetic,
}
