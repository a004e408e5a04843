"""Functions whose derivative is stated by the user: put in their place before a program is linearized.

A call of such a function is a `custom` equation: its body computes the values, and its note `rule` holds the stated
derivative.  Whoever only wants values runs the body, and the rule is not even looked at.  Before a derivative is taken,
the rule takes the place of each such equation that the derivative reaches:

    y = custom(x)    becomes    x' = once(x); t = tangent(x); y', t' = rule(x', t); y = attach(y', t')

The tangent of `t` is that of `x`, and nothing else of the rule depends on `x` smoothly, so that what linearization
makes of these equations is the linear map from `t` to `t'` as the rule states it, in either direction, through whatever
is around.  `adcore.marks` takes the marks away when that has been done: what is left is an ordinary program, and the
derivatives of it go through the rule's own operations.

A rule may apply other functions with stated derivatives to tangents.  What it says is then their values, which are
linear, so that their bodies are put in their place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from .activity import spread
from .builder import Builder
from .errors import RuleError, Source, UnsupportedFunctionError, refuse
from .linear import is_differentiable
from .passes.inline import has_custom, without_conforming
from .program import Equation, Program, clone, regions, substitute
from .recomputation import rename
from .types import Atom, Type, Var

__all__ = ["Rule", "expand_rules", "is_same", "spliced", "surrogates"]


NOTHING: Mapping[Var, Atom] = MappingProxyType({})


class Rule:
    """A stated derivative.

    Attributes:
        name: of the function.
        function: the function itself, or what stands for it.
        arguments: how many of the equation's operands are arguments; those after them are closed over by the function,
            and those after these are what its rules read of the functions around them.
        closed: the names of what the function closes over.
        surrogate: whether the derivative is, on purpose, not that of the function.
        instead: of a surrogate, what the derivative is of.
    """

    name: str
    function: object
    arguments: int
    closed: tuple[str, ...]
    surrogate: bool
    instead: str

    def expand(self, b: Builder, equation: Equation, moving: frozenset[int]) -> None:
        """Emit what takes the place of the equation, with the same outs; the operands in `moving` are active."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.name


def expand_rules(program: Program, active: set[Var], stated: bool = False) -> bool:
    """Put stated derivatives, in place, where the active values reach them; gives whether there were any.

    Args:
        program: the program.
        active: the values by which it is differentiated.
        stated: whether the program itself is a rule, and the active values its tangents.

    Raises:
        AdcoreError: a rule that is needed is missing or wrong, or a function closes over an active value.
    """
    if not has_custom(program):
        return False
    return _Expansion(set(active)).expand(program, stated)


class _Expansion:
    def __init__(self, active: set[Var]) -> None:
        self.active = active

    def expand(self, region: Program, stated: bool) -> bool:
        """Put rules into a region, which is gone through from front to back; gives whether there were any."""
        found: list[Equation] = []
        waiting = [(e, stated) for e in reversed(region.equations)]
        env: dict[Var, Atom] = {}
        changed = False
        while waiting:
            equation, of_rule = waiting.pop()
            moving = self.moving(equation)
            if moving:
                changed = True
                instead = self.inlined(equation, env) if of_rule else self.stated(equation, moving)
                waiting += [(e, True) for e in reversed(instead)]
                continue
            spread([equation], self.active)
            for _, inner in regions(equation):
                self.active.difference_update(out for e in inner.equations for out in e.outs)  # before rules are put
                changed |= self.expand(inner, of_rule)
            found.append(equation)
        region.equations[:] = found
        for var in env:
            while (further := substitute(env[var], env)) is not env[var]:
                env[var] = further
        region.results = tuple(rename(found, region.results, env))
        return changed

    def moving(self, equation: Equation) -> frozenset[int]:
        """The active operands of a function with a stated derivative."""
        if equation.primitive.name != "custom" or not any(map(is_differentiable, equation.outs)):
            return frozenset()
        return frozenset(k for k, a in enumerate(equation.operands) if a in self.active)

    def stated(self, equation: Equation, moving: frozenset[int]) -> list[Equation]:
        """What takes the place of an equation."""
        rule = equation.rule
        if not isinstance(rule, Rule):
            reason = rule or "a program's text does not tell it"
            cause = f"the derivative of {equation.params['name']!r} is not known: {reason}"
            refuse(UnsupportedFunctionError, cause, equation.source)
        self.require_arguments(equation, rule, moving)
        b = Builder()
        b.source = equation.source
        rule.expand(b, equation, moving)
        return b.equations

    def inlined(self, equation: Equation, env: dict[Var, Atom]) -> list[Equation]:
        """The body of a function to which a rule applies tangents: it is linear, so it is its own derivative."""
        rule, body = equation.rule, equation.params["body"]
        if isinstance(rule, Rule) and rule.surrogate:
            refuse(
                RuleError,
                f"a rule applies {rule.name!r}, whose stated derivative is not its own, to tangents",
                equation.source,
                f"{rule.name} of values that do not depend on tangents, times the tangents",
            )
        env.update(zip(equation.outs, body.results, strict=True))
        self.active.update(out for out in equation.outs if is_differentiable(out))
        return body.equations

    def require_arguments(self, equation: Equation, rule: Rule, moving: frozenset[int]) -> None:
        """Refuse active values that a function closes over; what only its rules read, it does not depend on."""
        for k, name in enumerate(rule.closed, rule.arguments):
            if k in moving:
                refuse(
                    UnsupportedFunctionError,
                    f"{rule.name!r} closes over {name!r}, by which a derivative is taken, and its rule states "
                    "derivatives by its arguments only",
                    equation.source,
                    f"{name!r} as a further argument of {rule.name!r}, or stop_gradient({name}) outside of it",
                )


def is_same(function: object, other: object) -> bool:
    """Whether the functions of two rules are one: those that are defined while compiling tell what they come from."""
    ours, theirs = (getattr(f, "__adcore_origin__", None) for f in (function, other))
    return function is other or (ours is not None and ours == theirs)


def spliced(b: Builder, program: Program, operands: Sequence[Atom]) -> list[Atom]:
    """Emit a copy of a program whose parameters are the operands; gives its results."""
    env: dict[Var, Atom] = {}
    for param, operand in zip(program.params, operands, strict=True):
        for inner, outer in zip(param.type.shape, operand.type.shape, strict=True):
            if isinstance(inner, Var):
                env.setdefault(inner, outer)
    for param, operand in zip(program.params, operands, strict=True):
        shape = tuple(substitute(a, env) for a in param.type.shape)
        env[param] = b.conform(operand, *shape, checked=False) if shape else operand
    copy = without_conforming(clone(Program((), program.equations, program.results), env))
    for equation in copy.equations:
        equation.source = equation.source or b.source
        b.enter(equation)
    return list(copy.results)


def conformed(
    b: Builder, x: Atom, type: Type, what: str, place: Source | None, known: Mapping[Var, Atom] = NOTHING
) -> Atom:
    """A value that a rule gives, checked to have the lengths of what it is given for; some are known to be others."""
    if x.type.shape == type.shape:
        return x
    with b.at(place):
        for axis, (got, wanted) in enumerate(zip(x.type.shape, type.shape, strict=True)):
            message = f"{what} has length {{0}} along axis {axis}, not {{1}}"
            if got not in (wanted, substitute(wanted, known)):
                b.check(b.eq(got, wanted), got, wanted, error="ValueError", message=message)
        return b.conform(x, *type.shape, checked=False)


def surrogates(program: Program) -> list[tuple[str, Source | None]]:
    """The functions in a program whose derivatives are, on purpose, not theirs: their names, and where they are called.

    `adcore.surrogates` says more, and of more.

    >>> from adcore import program as program_of
    >>> from adcore import straight_through
    >>> [name for name, _ in surrogates(program_of(lambda x: straight_through(lambda y: y // 1.0)(x), 2.5))]
    ['<lambda>']
    """
    return list(_surrogates(program))


def _surrogates(region: Program) -> Iterator[tuple[str, Source | None]]:
    for equation in region.equations:
        if isinstance(equation.rule, Rule) and equation.rule.surrogate and equation.surrogate is None:
            yield equation.rule.name, equation.source
        for _, inner in regions(equation):
            yield from _surrogates(inner)
