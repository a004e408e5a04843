"""Functions with derivatives stated by the user: `custom_jvp`, `custom_vjp`, `custom_rule` and what they make."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any, cast

from .again import inner_lengths
from .builder import Builder
from .dispatch import Transformed, transformed
from .errors import AliasError, DtypeError, RuleError, UnsupportedFunctionError, refuse
from .plugins import Leaf, Lowered, Spec
from .program import Equation, Program
from .rules import Rule
from .signatures import definition, name_of, places_of, signature_of
from .stated import ByArgument, Forward, Pair, described, has_rows
from .statics import declared
from .transforms import Transform, lower
from .trees import leaves, map_leaves, structure
from .types import Atom, Lit, Var

__all__ = [
    "CustomJvp",
    "CustomVjp",
    "custom_jvp",
    "custom_rule",
    "custom_vjp",
    "stop_gradient",
    "straight_through",
]


@dataclass(frozen=True)
class Custom(Transform):
    """A function as one equation that has a stated derivative.

    Attributes:
        constant: positions of arguments that are constants.
        surrogate: whether the derivative is, on purpose, not that of the function.
        jvp: the rule of `defjvp`.
        jvps: those of `defjvps`.
        vjp: the two of `defvjp`.
    """

    constant: tuple[int, ...] = ()
    surrogate: bool = False
    jvp: Callable[..., Any] | None = None
    jvps: tuple[Callable[..., Any] | None, ...] | None = None
    vjp: tuple[Callable[..., Any], Callable[..., Any]] | None = None

    def state(self, **rules: Any) -> None:
        """Enter a rule.

        Raises:
            ValueError: there is one already.
        """
        if self.jvp or self.jvps or self.vjp:
            raise ValueError(f"{name_of(self.function)} has a derivative rule already")
        for name, rule in rules.items():
            object.__setattr__(self, name, rule)

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        given = self.by_position(arguments)
        lowered = lower(self.function, arguments)
        self.require_value(lowered)
        program = lowered.program
        order = [leaf.index for leaf in leaves(lowered.result) if isinstance(leaf, Leaf)]
        count = iter(range(len(order)))
        lowered.result = map_leaves(lambda x: Leaf(next(count)) if isinstance(x, Leaf) else x, lowered.result)
        results = tuple(program.results[k] for k in order)
        rule = self.rule(given, lowered, results)
        lowered.program = called(Program(program.params, program.equations, results, program.name), rule)
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
        if any(w.state for w in lowered.writes):
            self.wrong(RuleError, "draws from a random generator", "what was drawn, as an argument")
        if lowered.changes or lowered.writes:
            self.wrong(AliasError, "changes one of its arguments, of which a rule can say nothing", "a copy of it")
        if has_rows(lowered.result):
            self.wrong(RuleError, "returns a list whose length is known at run time", "an array")

    def wrong(self, kind: type[RuleError | AliasError | DtypeError], cause: str, write: str = "") -> Any:
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
            forward, backward = self.vjp
            return Pair(**common, forward=forward, backward=backward, types=specs)
        return Unstated(common["name"], self.function, arguments, common["closed"])


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


class CustomJvp(Transformed):
    """What `custom_jvp` gives."""

    def defjvp(self, jvp: Callable[..., Any]) -> Callable[..., Any]:
        """State the derivative; usable as a decorator.

        Args:
            jvp: `jvp(primals, tangents) -> (value, tangent)`, where the two arguments are tuples with an entry for each
                argument of the function; the constants of `nondiff_argnums` come before them.

        Returns:
            The rule, unchanged.

        Raises:
            ValueError: there is one already.
        """
        cast("Custom", self.transform).state(jvp=jvp)
        return jvp

    def defjvps(self, *jvps: Callable[..., Any] | None) -> None:
        """State the derivative by each argument.

        Args:
            *jvps: for each argument `jvp(tangent, value, *arguments) -> tangent`, or None where there is no derivative.

        Raises:
            ValueError: there is a rule already, or the function has `nondiff_argnums`.

        >>> import math
        >>> @custom_jvp
        ... def area(radius, angle):
        ...     return 0.5 * radius * radius * angle
        >>> area.defjvps(lambda t, a, r, angle: 2.0 * a / r * t, lambda t, a, r, angle: 0.5 * r * r * t)
        >>> from adcore import grad
        >>> grad(area, (0, 1))(2.0, 1.5)
        (3.0, 2.0)
        """
        custom = cast("Custom", self.transform)
        if custom.constant:
            raise ValueError("defjvps of a function with nondiff_argnums: use defjvp")
        custom.state(jvps=jvps)


class CustomVjp(Transformed):
    """What `custom_vjp` gives."""

    def defvjp(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        """State the derivative.

        Args:
            forward: `forward(*arguments) -> (value, kept)`, where `kept` is a tree of whatever is needed.
            backward: `backward(kept, cotangent) -> tuple`, a cotangent for each argument, or None where there is none;
                the constants of `nondiff_argnums` come before `kept`.

        Raises:
            ValueError: there is a rule already.
        """
        cast("Custom", self.transform).state(vjp=(forward, backward))


_MISSING: Any = object()


def _made(f: Callable[..., Any], kind: type[Transformed], nondiff_argnums: int | Sequence[int], title: str) -> Any:
    constant = (nondiff_argnums,) if isinstance(nondiff_argnums, int) else tuple(nondiff_argnums)
    try:
        statics = declared(f, constant or None, None)
    except ValueError as error:
        raise ValueError(str(error).replace("static_argnums", f"{title}: nondiff_argnums")) from None
    return transformed(Custom(f, constant, declared=statics), kind=kind)


def custom_jvp(f: Callable[..., Any] = _MISSING, nondiff_argnums: int | Sequence[int] = ()) -> Any:
    """A function whose derivative is stated as a forward rule, from which reverse mode follows as well.

    Args:
        f: the function; without it a decorator is returned.
        nondiff_argnums: positions of arguments that are constants of the specialisation (functions, integers, strings),
            as `static_argnums` of `jit` are.  Rules are given them first, in this order.

    Returns:
        The function, compiled where it is called, with the methods `defjvp` and `defjvps`.

    A rule is a function of the language like any other: it may call helpers, loop, write into arrays, and call `f`.  It
    has to be linear in the tangents, which is checked, and what it gives has to have the structure, dtype and shape of
    the value.  Integers and booleans have no tangent: a rule is given None, and gives None, where JAX has zeros of
    dtype float0.  Further derivatives are those of the rule.  A rule is compiled only where a derivative needs it.

    Raises:
        RuleError: when a derivative is taken: there is no rule, or one that does not fit.
        UnsupportedFunctionError: `f` closes over a value of the function that is being differentiated.

    >>> import math
    >>> from adcore import grad
    >>> @custom_jvp
    ... def log1pexp(x):
    ...     return math.log(1.0 + math.exp(x))
    >>> @log1pexp.defjvp
    ... def log1pexp_jvp(primals, tangents):
    ...     (x,), (t,) = primals, tangents
    ...     return log1pexp(x), (1.0 - 1.0 / (1.0 + math.exp(x))) * t
    >>> grad(log1pexp)(100.0), grad(grad(log1pexp))(0.0)
    (1.0, 0.25)
    """
    if f is _MISSING:
        return functools.partial(custom_jvp, nondiff_argnums=nondiff_argnums)
    return _made(f, CustomJvp, nondiff_argnums, "custom_jvp")


def custom_vjp(f: Callable[..., Any] = _MISSING, nondiff_argnums: int | Sequence[int] = ()) -> Any:
    """A function whose derivative is stated as a reverse rule.

    Args:
        f, nondiff_argnums: as in `custom_jvp`.

    Returns:
        The function, compiled where it is called, with the method `defvjp`.

    The backward rule may do what it likes with cotangents, clip them for instance.  Where it is linear in them, which
    is found out, forward mode works too (JAX has none for `custom_vjp`): it is the dual of the rule.  Integers and
    booleans have no cotangent: the rule gives None for them.

    Raises:
        RuleError: when a derivative is taken: there is no rule, or one that does not fit; or forward mode is asked for
            and the backward rule is not linear.

    >>> from adcore import grad
    >>> @custom_vjp
    ... def clipped(x, limit):
    ...     return x
    >>> clipped.defvjp(lambda x, limit: (x, limit), lambda limit, g: (max(-limit, min(g, limit)), None))
    >>> grad(lambda x: clipped(x, 1.0) ** 2)(3.0)
    1.0
    """
    if f is _MISSING:
        return functools.partial(custom_vjp, nondiff_argnums=nondiff_argnums)
    return _made(f, CustomVjp, nondiff_argnums, "custom_vjp")


def custom_rule(linearize: Callable[..., Any]) -> Any:
    """A function given together with its linearization: one rule, from which both modes and all orders follow.

    Args:
        linearize: `linearize(*arguments) -> (value, pushforward)`, where `pushforward(*tangents)` is a function,
            defined inside, that gives the tangent of the value and is linear in the tangents (None of integers and
            booleans).  What it needs of the value's computation it closes over.

    Returns:
        The function: called, it gives the value.

    Raises:
        RuleError: when a derivative is taken: the pushforward is not linear, or does not fit the value.

    >>> import math
    >>> from adcore import grad
    >>> @custom_rule
    ... def root(x):
    ...     y = math.sqrt(x)
    ...     def pushforward(t):
    ...         return 0.5 * t / y
    ...     return y, pushforward
    >>> root(4.0), grad(root)(4.0), grad(grad(root))(4.0)
    (2.0, 0.25, -0.03125)
    """

    @functools.wraps(linearize)
    def value(*arguments: Any) -> Any:
        found, _ = linearize(*arguments)
        return found

    @functools.wraps(linearize)
    def rule(primals: Any, tangents: Any) -> Any:
        found, pushforward = linearize(*primals)
        return found, pushforward(*tangents)

    del cast("Any", rule).__wrapped__  # its parameters are its own
    return transformed(Custom(value, jvp=rule))


def _stopped(f: Callable[..., Any]) -> Any:
    return transformed(Custom(f, jvps=(None,), surrogate=True))


@_stopped
def stop_gradient(x: Any) -> Any:
    """x, taken as a constant by every derivative.

    Args:
        x: a number, an array, or a tree of them.

    Returns:
        The same values.

    >>> from adcore import grad
    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    3.0
    """
    return x


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


def straight_through(f: Callable[..., Any]) -> Any:
    """A function with the derivative of the identity: the straight-through estimator of Bengio, Léonard and Courville.

    Such a derivative is a surrogate, which `adcore.rules.surrogates` lists with the lines where it is used.

    Args:
        f: a function of one number, array or tree, which gives another one like it.

    Returns:
        A function with the values of `f`.

    Raises:
        DtypeError: at the call: `f` gives something of another dtype or rank.
        RuleError: `f` takes several arguments.

    Source: Bengio, Léonard and Courville, Estimating or propagating gradients through stochastic neurons for
    conditional computation, arXiv:1308.3432 (2013).

    >>> import numpy as np
    >>> from adcore import grad
    >>> grad(lambda x: straight_through(np.floor)(x) ** 2)(2.5)
    4.0
    """
    function: Any = f
    if not isinstance(f, FunctionType | MethodType) and not hasattr(type(f), "__adcore_lower__"):

        @functools.wraps(f)
        def function(x: Any) -> Any:
            return f(x)

        del cast("Any", function).__wrapped__
    return transformed(StraightThrough(function, jvps=(_along,), surrogate=True))


def _along(tangent: Any, value: Any, x: Any) -> Any:
    return tangent
