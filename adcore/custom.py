"""Functions with derivatives stated by the user: `custom_jvp`, `custom_vjp`, `custom_rule` and what they make."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import FunctionType, MethodType
from typing import Any, cast

from .custom_calls import Custom, StraightThrough
from .dispatch import Transformed, transformed
from .signatures import name_of
from .statics import declared

__all__ = [
    "CustomJvp",
    "CustomRule",
    "CustomVjp",
    "custom_jvp",
    "custom_rule",
    "custom_vjp",
    "made",
    "pushed",
    "stop_gradient",
    "straight_through",
    "value_of",
]


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

    def defvjp(
        self, forward: Callable[..., Any], backward: Callable[..., Any], pushforward: Callable[..., Any] | None = None
    ) -> None:
        """State the derivative.

        Args:
            forward: `forward(*arguments) -> (value, kept)`, where `kept` is a tree of whatever is needed.
            backward: `backward(kept, cotangent) -> tuple`, a cotangent for each argument, or None where there is none;
                the constants of `nondiff_argnums` come before `kept`.
            pushforward: `pushforward(kept, tangents) -> tangent`, where the tangents are a tuple with an entry for each
                argument, or None: where `backward` computes its linear map by what is not linear in itself, as an
                iteration does whose steps depend on the cotangent, forward mode needs this other half.  That the two
                are of one map, `check_grads` looks at.

        Raises:
            ValueError: there is a rule already.

        >>> from adcore import jvp
        >>> @custom_vjp
        ... def third(x):
        ...     return x / 3.0
        >>> def divided(kept, g):
        ...     found = 0.0
        ...     while abs(3.0 * found - g) > 1e-15 * abs(g):
        ...         found += (g - 3.0 * found) / 4.0
        ...     return (found,)
        >>> third.defvjp(lambda x: (third(x), None), divided, lambda kept, tangents: tangents[0] / 3.0)
        >>> jvp(third, (1.0,), (6.0,))
        (0.3333333333333333, 2.0)
        """
        rules = (forward, backward) if pushforward is None else (forward, backward, pushforward)
        cast("Custom", self.transform).state(vjp=rules)


class CustomRule(Transformed):
    """What `custom_rule` gives."""


_MISSING: Any = object()
_TITLES: dict[type[Transformed], str] = {CustomJvp: "custom_jvp", CustomVjp: "custom_vjp", CustomRule: "custom_rule"}


def made(
    f: Callable[..., Any],
    kind: type[Transformed],
    nondiff_argnums: int | Sequence[int] = (),
    surrogate: str = "",
    **rules: Any,
) -> Any:
    """A function with a derivative of its own, of the class for what states it, with attributes of `Custom`."""
    title = _TITLES[kind]
    constant = (nondiff_argnums,) if isinstance(nondiff_argnums, int) else tuple(nondiff_argnums)
    try:
        statics = declared(f, constant or None, None)
    except ValueError as error:
        raise ValueError(str(error).replace("static_argnums", f"{title}: nondiff_argnums")) from None
    labels: Any = {"surrogate": bool(surrogate), "instead": surrogate}
    return transformed(Custom(f, constant, declared=statics, **labels, **rules), kind=kind)


def custom_jvp(f: Callable[..., Any] = _MISSING, nondiff_argnums: int | Sequence[int] = (), surrogate: str = "") -> Any:
    """A function whose derivative is stated as a forward rule, from which reverse mode follows as well.

    Args:
        f: the function; without it a decorator is returned.
        nondiff_argnums: positions of arguments that are constants of the specialisation (functions, integers, strings),
            as `static_argnums` of `jit` are.  Rules are given them first, in this order.
        surrogate: where the derivative is, on purpose, not that of `f`: of what it is, in words, which
            `adcore.surrogate_report` shows.

    Returns:
        The function, compiled where it is called, with the methods `defjvp` and `defjvps`.

    A rule is a function of the language like any other: it may call helpers, loop, write into arrays, and call `f`.  It
    has to be linear in the tangents, which is checked, and what it gives has to have the structure, dtype and shape of
    the value.  Integers and booleans have no tangent: a rule is given None, and gives None, where JAX has zeros of
    dtype float0.  Further derivatives are those of the rule.  A rule is compiled only where a derivative needs it.

    Raises:
        RuleError: when a derivative is taken: there is no rule, or one that does not fit.
        UnsupportedFunctionError: `f` closes over a value by which the derivative is taken.

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
        return functools.partial(custom_jvp, nondiff_argnums=nondiff_argnums, surrogate=surrogate)
    return made(f, CustomJvp, nondiff_argnums, surrogate)


def custom_vjp(f: Callable[..., Any] = _MISSING, nondiff_argnums: int | Sequence[int] = (), surrogate: str = "") -> Any:
    """A function whose derivative is stated as a reverse rule.

    Args:
        f, nondiff_argnums, surrogate: as in `custom_jvp`.

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
        return functools.partial(custom_vjp, nondiff_argnums=nondiff_argnums, surrogate=surrogate)
    return made(f, CustomVjp, nondiff_argnums, surrogate)


def custom_rule(linearize: Callable[..., Any] = _MISSING, surrogate: str = "") -> Any:
    """A function given together with its linearization: one rule, from which both modes and all orders follow.

    Args:
        linearize: `linearize(*arguments) -> (value, pushforward)`, where `pushforward(*tangents)` is a function,
            defined inside, that gives the tangent of the value and is linear in the tangents (None of integers and
            booleans).  What it needs of the value's computation it closes over.  Without it a decorator is returned.
        surrogate: as in `custom_jvp`.

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
    if linearize is _MISSING:
        return functools.partial(custom_rule, surrogate=surrogate)

    @functools.wraps(linearize)
    def value(*arguments: Any) -> Any:
        return value_of(linearize, *arguments)

    @functools.wraps(linearize)
    def rule(primals: Any, tangents: Any) -> Any:
        return pushed(linearize, primals, tangents)

    del cast("Any", rule).__wrapped__  # its parameters are its own
    return made(value, CustomRule, surrogate=surrogate, jvp=rule)


def value_of(linearize: Callable[..., Any], *arguments: Any) -> Any:
    """The value that a linearization gives."""
    found, _ = linearize(*arguments)
    return found


def pushed(linearize: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    """A linearization as a forward rule."""
    found, pushforward = linearize(*primals)
    return found, pushforward(*tangents)


def _stopped(f: Callable[..., Any]) -> Any:
    return transformed(Custom(f, jvps=(None,), surrogate=True, instead="a constant"))


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


def straight_through(f: Callable[..., Any], surrogate: Callable[..., Any] | None = None) -> Any:
    """A function with the derivative of another one: the straight-through estimator of Bengio, Léonard and Courville.

    Such a derivative is a surrogate, which `adcore.surrogate_report` lists with the lines where it is used.

    Args:
        f: a function of one number, array or tree, which gives another one like it; with a surrogate any function.
        surrogate: a function of the same arguments whose derivative is used; without it that of the identity.

    Returns:
        A function with the values of `f`.

    Raises:
        DtypeError: at the call: `f` gives something of another dtype or rank than it is given.
        RuleError: `f` takes several arguments, and there is no surrogate; the surrogate does not fit.

    Source: Bengio, Léonard and Courville, Estimating or propagating gradients through stochastic neurons for
    conditional computation, arXiv:1308.3432 (2013).

    >>> import numpy as np
    >>> from adcore import grad
    >>> grad(lambda x: straight_through(np.floor)(x) ** 2)(2.5)
    4.0
    >>> grad(straight_through(np.sign, np.tanh))(0.0)
    1.0
    """
    f = _python(f)
    if surrogate is None:
        return transformed(StraightThrough(f, jvps=(_along,), surrogate=True, instead="the identity"))
    return transformed(Custom(f, jvp=_of(f, _python(surrogate)), surrogate=True, instead=name_of(surrogate)))


def _python(f: Any) -> Any:
    """The function, of what is no Python function one of one argument."""
    if isinstance(f, FunctionType | MethodType) or hasattr(type(f), "__adcore_lower__"):
        return f

    @functools.wraps(f, updated=())  # the attributes may say its signature
    def single(x: Any) -> Any:
        return f(x)

    del cast("Any", single).__wrapped__
    return single


def _of(f: Any, surrogate: Any) -> Callable[..., Any]:
    """The rule that has the values of one function and the tangents of another."""
    from .api import jvp

    def straight_through(primals: Any, tangents: Any) -> Any:
        _, tangent = jvp(surrogate, primals, tangents)
        return f(*primals), tangent

    return straight_through


def _along(tangent: Any, value: Any, x: Any) -> Any:
    return tangent


_along.__name__ = "straight_through"
