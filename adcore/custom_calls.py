"""Calls of functions with stated derivatives: the function's program as one equation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from .again import inner_lengths
from .builder import Builder
from .errors import AdcoreError, AliasError, DtypeError, RuleError, refuse
from .forward_rules import ByArgument, Forward
from .plugins import Capture, Leaf, Lowered, Spec
from .program import Equation, Program, free_variables
from .pullback_rules import BothWays, Pair
from .rules import Rule
from .signatures import definition, name_of, places_of, signature_of
from .stated import LINEARIZATION, described, has_rows, is_within
from .transforms import Transform, lower, parameter
from .trees import leaves, map_leaves
from .types import Atom, Lit

__all__ = ["Custom", "StraightThrough"]


@dataclass(frozen=True)
class Custom(Transform):
    """A function as one equation that has a stated derivative.

    Attributes:
        constant: positions of arguments that are constants.
        surrogate: whether the derivative is, on purpose, not that of the function.
        instead: of a surrogate, what the derivative is of, in words.
        jvp: the rule of `defjvp`.
        jvps: those of `defjvps`.
        vjp: the two of `defvjp`, or three.
        around: what the rules may read of the functions around them, where they are defined inside of one that is
            compiled: these captures follow those of the function.
    """

    constant: tuple[int, ...] = ()
    surrogate: bool = False
    instead: str = ""
    jvp: Callable[..., Any] | None = None
    jvps: tuple[Callable[..., Any] | None, ...] | None = None
    vjp: tuple[Callable[..., Any], ...] | None = None
    around: tuple[Capture, ...] = ()

    def state(self, **rules: Any) -> None:
        """Enter a rule.

        Raises:
            ValueError: there is one already.
        """
        if any(rule is not None for rule in (self.jvp, self.jvps, self.vjp)):
            raise ValueError(f"{name_of(self.function)} has a derivative rule already")
        for name, rule in rules.items():
            object.__setattr__(self, name, rule)

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        given = self.by_position(arguments)
        try:
            lowered = lower(self.function, arguments)
        except AdcoreError as error:
            if is_within(error, self.function):
                self.wrong(RuleError, f"does not fit: {error.cause}", LINEARIZATION)
            raise
        self.require_value(lowered)
        without_unread(lowered)
        program = lowered.program
        order = [leaf.index for leaf in leaves(lowered.result) if isinstance(leaf, Leaf)]
        count = iter(range(len(order)))
        lowered.result = map_leaves(lambda x: Leaf(next(count)) if isinstance(x, Leaf) else x, lowered.result)
        results = tuple(program.results[k] for k in order)
        rule = self.rule(given, lowered, results)
        around = tuple(parameter(capture.spec, capture.name) for capture in self.around)
        params = (*program.params, *around)
        lowered.program = called(Program(params, program.equations, results, program.name), rule)
        lowered.captures = (*lowered.captures, *self.around)
        return lowered

    def by_position(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, each with its position.

        Raises:
            RuleError: the function takes some by name only.
        """
        for p in signature_of(self.function).parameters.values():
            if p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD):
                self.wrong(RuleError, f"takes {p.name!r} by name only, and rules are given arguments by position")
        places, _ = places_of(self.function, arguments)
        given = tuple(place.of(arguments) for place in places)
        for k in self.constants_of(given):
            if any(isinstance(leaf, Spec) for leaf in leaves(given[k])):
                self.wrong(RuleError, f"is called with something that is not a constant as argument {k}")
        return given

    def constants_of(self, given: Sequence[Any]) -> tuple[int, ...]:
        """The positions of arguments that are constants."""
        return tuple(k % len(given) for k in self.constant)

    def require_value(self, lowered: Lowered) -> None:
        """Refuse a function that does anything but return a value."""
        problem = more_than_a_value(lowered)
        if problem is not None:
            self.wrong(*problem)

    def wrong(self, kind: type[RuleError | AliasError | DtypeError], cause: str, write: str = "") -> NoReturn:
        message = f"{name_of(self.function)}, which has a derivative of its own, {cause}"
        refuse(kind, message, definition(self.function), write)

    def rule(self, given: tuple[Any, ...], lowered: Lowered, results: Sequence[Atom]) -> Rule:
        arguments = sum(isinstance(leaf, Spec) for leaf in leaves(given))
        common: Any = {
            "name": name_of(self.function),
            "function": self.function,
            "arguments": arguments,
            "closed": tuple(str(c.name) for c in lowered.captures),
            "surrogate": self.surrogate,
            "instead": self.instead or "what its rule states",
            "given": given,
            "constant": self.constants_of(given),
            "result": lowered.result,
        }
        python = all(leaf.python for leaf in leaves(given) if isinstance(leaf, Spec))
        specs = tuple(Spec(r.type.dtype, lengths_of(r), python and not r.type.shape) for r in results)
        if self.jvp is not None:
            return Forward(**common, rule=self.jvp)
        if self.jvps is not None:
            return ByArgument(**common, rules=self.jvps, types=specs)
        if self.vjp is not None:
            forward, backward, *along = self.vjp
            pair: dict[str, Any] = {**common, "forward": forward, "backward": backward, "types": specs}
            return BothWays(**pair, along=along[0]) if along else Pair(**pair)
        return Unstated(common["name"], self.function, arguments, common["closed"])


def without_unread(lowered: Lowered) -> None:
    """Leave out captures that nothing is computed from: they are handed on to functions that got them as arguments."""
    program = lowered.program
    read = free_variables(Program((), program.equations, program.results))
    own = len(program.params) - len(lowered.captures)
    pairs = list(zip(program.params[own:], lowered.captures, strict=True))
    kept = [(param, c) for param, c in pairs if param in read or any(n in read for n in param.type.shape)]
    params = (*program.params[:own], *(param for param, _ in kept))
    lowered.program = Program(params, program.equations, program.results, program.name)
    lowered.captures = tuple(c for _, c in kept)


def more_than_a_value(lowered: Lowered) -> tuple[type[RuleError | AliasError], str, str] | None:
    """What a function does beside returning a value, of which a rule says nothing: an error, and what to write."""
    if any(w.state for w in lowered.writes):
        return RuleError, "draws from a random generator", "what was drawn, as an argument"
    if lowered.changes or lowered.writes:
        return AliasError, "changes one of its arguments, of which a rule can say nothing", "a copy of it"
    if has_rows(lowered.result):
        return RuleError, "returns a list whose length is known at run time", "an array"
    return None


def lengths_of(atom: Atom) -> tuple[int | None, ...]:
    return tuple(int(a.value) if isinstance(a, Lit) else None for a in atom.type.shape)


@dataclass(frozen=True, eq=False)
class Unstated(Rule):
    """The rule of a function for which none has been given."""

    name: str
    function: object
    arguments: int
    closed: tuple[str, ...]
    surrogate: bool = False
    instead: str = ""

    def expand(self, b: Builder, equation: Equation, moving: frozenset[int]) -> None:
        cause = f"{self.name} has no derivative rule yet"
        place = equation.source or definition(cast("Any", self.function))
        refuse(RuleError, cause, place, f"@{self.name}.defjvp, or {self.name}.defvjp(forward, backward)")


def called(program: Program, rule: Rule) -> Program:
    """A program as one equation with a stated derivative."""
    lengths = inner_lengths(program)
    b = Builder()
    body = Program((), program.equations, (*lengths, *program.results), program.name)
    outs = b.custom_(tuple(program.params), body, rule)
    return Program(program.params, b.equations, outs[len(lengths) :], program.name)


@dataclass(frozen=True)
class StraightThrough(Custom):
    """A function of one argument whose derivative is that of the identity."""

    def require_value(self, lowered: Lowered) -> None:
        super().require_value(lowered)
        count = len(lowered.program.params) - len(lowered.captures)
        for result, param in zip(lowered.program.results, lowered.program.params[:count], strict=False):
            got, like = result.type, param.type
            if (got.dtype, got.rank) != (like.dtype, like.rank):
                cause = f"returns {described(got)} for {described(like)}: straight_through is for what it is given"
                self.wrong(DtypeError, cause, "a result of the same dtype and shape, e.g. float(…)")

    def by_position(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        given = super().by_position(arguments)
        if len(given) != 1:
            self.wrong(RuleError, f"takes {len(given)} arguments, and straight_through is for one", "a lambda of one")
        return given
