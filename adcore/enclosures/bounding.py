"""Each equation as equations between the ends of what it takes and gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..builder import Builder
from ..errors import MissingRuleError
from ..primitives import Kind
from ..program import Equation, Program, clone_equation, retyped, uses
from ..types import Atom, Lit, Var
from .functions import MONOTONE

__all__ = ["Bounding", "Pair"]


@dataclass(frozen=True, slots=True)
class Pair:
    """The ends of a value that depends on the box; of a boolean, whether it certainly is true and whether it may be."""

    lower: Atom
    upper: Atom


Value = Atom | Pair


class Bounding:
    """Emits equations with the pairs that stand for values.

    Args:
        b: where what the program begins with is emitted.
        ends: the pairs of parameters.
    """

    def __init__(self, b: Builder, ends: dict[Var, Pair]) -> None:
        self.pairs: dict[Var, Pair] = dict(ends)
        self.atoms: dict[Var, Atom] = {}

    def value(self, atom: Atom) -> Value:
        if isinstance(atom, Var):
            return self.pairs.get(atom) or self.atoms.get(atom, atom)
        return atom

    def plain(self, equation: Equation, atom: Atom) -> Atom:
        """A value that must not depend on the box."""
        found = self.value(atom)
        if isinstance(found, Pair):
            raise self.missing(equation, "a length or place, or the end of a loop, that depends on the box")
        return found

    def missing(self, equation: Equation, what: str = "") -> MissingRuleError:
        cause = what or f"bounds of {equation.primitive.name}"
        return MissingRuleError(f"worst_case: {cause} is not written yet", equation.source, "a function without it")

    def run(self, b: Builder, equations: Iterable[Equation]) -> None:
        for equation in equations:
            with b.at(equation.source):
                self.step(b, equation)

    def step(self, b: Builder, equation: Equation) -> None:
        control = _CONTROL.get(equation.primitive.name)
        if not any(var in self.pairs for var in uses(equation)):
            copy = clone_equation(equation, dict(self.atoms))
            b.enter(copy)
            self.atoms.update(zip(equation.outs, copy.outs, strict=True))
        elif control is not None:
            self.enter(equation.outs, control(self, b, equation))
        else:
            self.enter(equation.outs, [self.applied(b, equation)])

    def enter(self, outs: Sequence[Var], values: Sequence[Value]) -> None:
        for out, value in zip(outs, values, strict=True):
            if isinstance(value, Pair):
                self.pairs[out] = value
                self.atoms.pop(out, None)
            else:
                self.atoms[out] = value
                self.pairs.pop(out, None)

    def applied(self, b: Builder, equation: Equation) -> Value:
        name = equation.primitive.name
        if name in MOVED:
            count = MOVED[name]
            moved = [pair_of(self.value(a)) for a in equation.operands[:count]]
            rest = [self.plain(equation, a) for a in equation.operands[count:]]
            ends = [[p.lower for p in moved], [p.upper for p in moved]]
            return Pair(*(b.emit(equation.primitive, (*end, *rest), equation.params) for end in ends))
        rule = RULES.get(name)
        if rule is None or equation.primitive.kind is Kind.CHECK:
            raise self.missing(equation)
        return rule(b, equation, *(self.value(a) for a in equation.operands))

    # Control flow

    def region(self, b: Builder, region: Program) -> list[Value]:
        self.run(b, region.equations)
        return [self.value(r) for r in region.results]

    def branch(self, b: Builder, equation: Equation) -> list[Value]:
        test = self.value(equation.operands[0])
        regions = [equation.params[name] for name in ("then", "otherwise")]
        if isinstance(test, Pair):
            both = [self.region(b, region) for region in regions]
            return [chosen(b, test, yes, no) for yes, no in zip(*both, strict=True)]
        builders = [b.region() for _ in regions]
        found = [self.region(inner, region) for inner, region in zip(builders, regions, strict=True)]
        doubled = [any(isinstance(v, Pair) for v in column) for column in zip(*found, strict=True)]
        made = [
            inner.program((), _flat(values, doubled), "branch") for inner, values in zip(builders, found, strict=True)
        ]
        return _paired(b.cond(test, *made), doubled)

    def loop(self, b: Builder, equation: Equation) -> list[Value]:
        count = self.plain(equation, equation.operands[0])
        body = equation.params["body"]
        initial = [self.value(a) for a in equation.operands[1:]]
        doubled = self.carried(b, initial, body, body.params[1:])
        params = self.parameters(body.params[1:], doubled)
        inner = b.region()
        results = self.region(inner, body)
        made = inner.program((body.params[0], *params), _flat(results, doubled))
        return _paired(b.loop(count, _flat(initial, doubled), made), doubled)

    def while_(self, b: Builder, equation: Equation) -> list[Value]:
        test, body = equation.params["test"], equation.params["body"]
        initial = [self.value(a) for a in equation.operands]
        doubled = self.carried(b, initial, body, body.params)
        params = self.parameters(test.params, doubled)
        asking = b.region()
        (goes_on,) = self.region(asking, test)
        if isinstance(goes_on, Pair):
            raise self.missing(equation, "a loop whose end depends on the box")
        asked = asking.program(params, (goes_on,))
        params = self.parameters(body.params, doubled)
        inner = b.region()
        made = inner.program(params, _flat(self.region(inner, body), doubled))
        return _paired(b.while_(_flat(initial, doubled), asked, made), doubled)

    def carried(self, b: Builder, initial: list[Value], body: Program, carries: Sequence[Var]) -> list[bool]:
        """Which of a loop's values depend on the box in some iteration."""
        doubled = [isinstance(v, Pair) for v in initial]
        while True:
            self.parameters(carries, doubled)
            results = self.region(b.region(), body)
            after = [d or isinstance(r, Pair) for d, r in zip(doubled, results, strict=True)]
            if after == doubled:
                return doubled
            doubled = after

    def parameters(self, carries: Sequence[Var], doubled: Sequence[bool]) -> tuple[Var, ...]:
        """Parameters for values that a loop carries, two for those that depend on the box."""
        found: list[Var] = []
        for var, is_pair in zip(carries, doubled, strict=True):
            type = retyped(var.type, self.atoms)
            made = [Var(type, var.name) for _ in range(1 + is_pair)]
            found += made
            self.enter((var,), (Pair(*made) if is_pair else made[0],))
        return tuple(found)


_CONTROL: dict[str, Callable[[Bounding, Builder, Equation], list[Value]]] = {
    "cond": Bounding.branch,
    "loop": Bounding.loop,
    "while": Bounding.while_,
}

# Rows that move elements, and rise in each of them: how many operands have elements

MOVED = {
    **dict.fromkeys(("expand", "reshape", "permute", "conform", "view", "gather", "grow", "total"), 1),
    **dict.fromkeys(("reduce_max", "reduce_min", "reduce_and", "reduce_or"), 1),
    **dict.fromkeys(("update", "add_at", "scatter", "scatter_add"), 2),
    **dict.fromkeys(("add", "plus", "maximum", "minimum", "logaddexp", "and", "or"), 2),
    **dict.fromkeys(("floor", "ceil", "trunc", "rint", "sign", "sqrt", "cast"), 1),
    **dict.fromkeys((name for name, stated in MONOTONE.items() if not stated.falls), 1),
}


def pair_of(value: Value) -> Pair:
    return value if isinstance(value, Pair) else Pair(value, value)


def _flat(values: Sequence[Value], doubled: Sequence[bool]) -> tuple[Atom, ...]:
    found: list[Atom] = []
    for value, is_pair in zip(values, doubled, strict=True):
        pair = pair_of(value)
        found += (pair.lower, pair.upper) if is_pair else (pair.lower,)
    return tuple(found)


def _paired(atoms: Sequence[Atom], doubled: Sequence[bool]) -> list[Value]:
    rest = iter(atoms)
    return [Pair(next(rest), next(rest)) if is_pair else next(rest) for is_pair in doubled]


def chosen(b: Builder, test: Pair, yes: Value, no: Value) -> Value:
    """A value on one of two ways, or what it is between where it is not known on which."""
    if yes is no or yes == no:
        return yes
    one, other = pair_of(yes), pair_of(no)
    surely, maybe = test.lower, test.upper

    def end(this: Atom, that: Atom, between: Callable[[Atom, Atom], Atom]) -> Atom:
        return b.select(surely, this, b.select(maybe, between(this, that), that))

    least, most = (b.land, b.lor) if one.lower.type.dtype.kind == "b" else (b.minimum, b.maximum)
    return Pair(end(one.lower, other.lower, least), end(one.upper, other.upper, most))


# Rows with a rule of their own: of a builder, the equation, and values

Rule = Callable[..., Value]
RULES: dict[str, Rule] = {}


def _rule(*names: str) -> Callable[[Rule], Rule]:
    def enter(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, rule))
        return rule

    return enter


@_rule("neg", "not")
def _turned(b: Builder, e: Equation, x: Value) -> Value:
    p = pair_of(x)
    return Pair(b.emit(e.primitive, (p.upper,), {}), b.emit(e.primitive, (p.lower,), {}))


for _name, _stated in MONOTONE.items():
    if _stated.falls:
        RULES[_name] = _turned


@_rule("sub")
def _sub(b: Builder, e: Equation, x: Value, y: Value) -> Value:
    p, q = pair_of(x), pair_of(y)
    return Pair(b.sub(p.lower, q.upper), b.sub(p.upper, q.lower))


def _extremes(b: Builder, values: Sequence[Atom]) -> Pair:
    lower = upper = values[0]
    for v in values[1:]:
        lower, upper = b.minimum(lower, v), b.maximum(upper, v)
    return Pair(lower, upper)


def _corners(b: Builder, operation: Callable[[Atom, Atom], Atom], x: Value, y: Value) -> Pair:
    return _extremes(b, [operation(v, w) for v in _ends(x) for w in _ends(y)])


def _ends(x: Value) -> tuple[Atom, ...]:
    return (x.lower, x.upper) if isinstance(x, Pair) else (x,)


@_rule("mul")
def _mul(b: Builder, e: Equation, x: Value, y: Value) -> Value:
    if e.operands[0] is e.operands[1] and isinstance(x, Pair):
        size = _size(b, x)
        return Pair(b.mul(size.lower, size.lower), b.mul(size.upper, size.upper))
    return _corners(b, b.mul, x, y)


def _size(b: Builder, x: Pair) -> Pair:
    """Of the absolute value: 0 at least where there is 0 between the ends."""
    least = b.maximum(b.maximum(x.lower, b.neg(x.upper)), 0.0)
    return Pair(least, b.maximum(b.neg(x.lower), x.upper))


@_rule("abs")
def _abs(b: Builder, e: Equation, x: Pair) -> Value:
    return _size(b, x)


@_rule("cosh")
def _cosh(b: Builder, e: Equation, x: Pair) -> Value:
    size = _size(b, x)
    return Pair(b.cosh(size.lower), b.cosh(size.upper))


@_rule("div")
def _div(b: Builder, e: Equation, x: Value, y: Value) -> Value:
    if not isinstance(y, Pair):
        return _corners(b, b.div, x, y)
    pole = b.land(b.le(y.lower, 0.0), b.ge(y.upper, 0.0))
    found = _corners(b, b.div, x, Pair(b.select(pole, 1.0, y.lower), b.select(pole, 1.0, y.upper)))
    return Pair(b.select(pole, -math.inf, found.lower), b.select(pole, math.inf, found.upper))


@_rule("pow")
def _pow(b: Builder, e: Equation, x: Value, y: Value) -> Value:
    made = b.defining(y) if isinstance(y, Var) else None
    number = made.operands[0] if made is not None and made.primitive.name == "expand" else y
    if not isinstance(number, Lit) or not isinstance(x, Pair) or isinstance(y, Pair):
        raise MissingRuleError("worst_case: bounds of a power that is no constant", e.source, "np.exp(y * np.log(x))")
    n = number.value
    if n % 2.0 == 1.0 and n > 0.0:
        return Pair(b.pow(x.lower, y), b.pow(x.upper, y))
    if n % 2.0 == 0.0:
        size = _size(b, x)
        low, high = (size.lower, size.upper) if n >= 0.0 else (size.upper, size.lower)
        return Pair(b.pow(low, y), b.pow(high, y))
    if n % 1.0 == 0.0:  # the power of 1/x
        inverse = _div(b, e, _one(b, x.lower), x)
        turned = b.neg(y)
        return Pair(b.pow(pair_of(inverse).lower, turned), b.pow(pair_of(inverse).upper, turned))
    return _extremes(b, [b.pow(x.lower, y), b.pow(x.upper, y)])  # of x >= 0


def _one(b: Builder, like: Atom) -> Atom:
    return b.add(b.mul(like, 0.0), 1.0)


@_rule("sin", "cos")
def _wave(b: Builder, e: Equation, x: Pair) -> Value:
    top = 0.5 * math.pi if e.primitive.name == "sin" else 0.0
    found = _extremes(b, [b.emit(e.primitive, (x.lower,), {}), b.emit(e.primitive, (x.upper,), {})])

    def passed(phase: float) -> Atom:
        turns = [b.floor(b.div(b.sub(end, phase), 2.0 * math.pi)) for end in (x.lower, x.upper)]
        return b.lt(*turns)

    return Pair(b.select(passed(top - math.pi), -1.0, found.lower), b.select(passed(top), 1.0, found.upper))


@_rule("lt", "le", "gt", "ge")
def _ordered(b: Builder, e: Equation, x: Value, y: Value) -> Value:
    p, q = pair_of(x), pair_of(y)
    if e.primitive.name in ("gt", "ge"):
        p, q = q, p
    test = b.lt if e.primitive.name in ("lt", "gt") else b.le
    return Pair(test(p.upper, q.lower), test(p.lower, q.upper))


@_rule("select")
def _select(b: Builder, e: Equation, test: Value, yes: Value, no: Value) -> Value:
    if isinstance(test, Pair):
        return chosen(b, test, yes, no)
    p, q = pair_of(yes), pair_of(no)
    return Pair(b.select(test, p.lower, q.lower), b.select(test, p.upper, q.upper))


@_rule("matmul")
def _matmul(b: Builder, e: Equation, x: Value, y: Value) -> Value:
    """Of a matrix that is known, its positive part takes one end and its negative part the other."""
    if not isinstance(x, Pair):
        assert isinstance(y, Pair)
        up, down = b.maximum(x, 0.0), b.minimum(x, 0.0)
        return Pair(
            b.add(b.matmul(up, y.lower), b.matmul(down, y.upper)), b.add(b.matmul(up, y.upper), b.matmul(down, y.lower))
        )
    if not isinstance(y, Pair):
        up, down = b.maximum(y, 0.0), b.minimum(y, 0.0)
        return Pair(
            b.add(b.matmul(x.lower, up), b.matmul(x.upper, down)), b.add(b.matmul(x.upper, up), b.matmul(x.lower, down))
        )
    # by middles and radii (Rump 1999)
    (m, r), (n, s) = (_middle_and_radius(b, v) for v in (x, y))
    middle = b.matmul(m, n)
    radius = b.add(b.matmul(b.abs(m), s), b.matmul(r, b.add(b.abs(n), s)))
    return Pair(b.sub(middle, radius), b.add(middle, radius))


def _middle_and_radius(b: Builder, x: Pair) -> tuple[Atom, Atom]:
    return b.mul(0.5, b.add(x.lower, x.upper)), b.mul(0.5, b.sub(x.upper, x.lower))
