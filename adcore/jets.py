"""Taylor mode: the coefficients of a function along a path, and along several directions at once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .dispatch import derived
from .expansion.orders import Index, Orders
from .expansion.program import expand
from .outcomes import tangents
from .plugins import Leaf, Lowered, Static
from .program import Program
from .signatures import arranged, name_of
from .statics import NOTHING, Statics
from .transforms import Transform, lower, numbered, pairs_of, parameter, pruned, replaced, unchanging
from .types import Var

__all__ = ["jet", "taylor"]

_MISSING: Any = object()
SCALINGS = ("taylor", "derivatives")


def jet(f: Callable[..., Any], x: Any = _MISSING, series: Any = _MISSING, scaling: str = "taylor") -> Any:
    """Taylor coefficients of a function along a path, by Taylor mode.

    The path is x(t) = x + x1 t + x2 t² + … + xk tᵏ, and the result the coefficients of f(x(t)) up to the same order.
    A function of n elementary operations takes O(n k²) operations, where nested `jvp` takes O(n 2ᵏ).

    Args:
        f: a function of one argument; of several it is written `lambda p: f(*p)`, with x their tuple.
        x: where the path starts: a number, an array or a tree of them.
        series: the tuple (x1, …, xk), each of the structure and shapes of x; None for one that is 0.
        scaling: "taylor" for coefficients of t, t², …; with "derivatives" all of them, given and returned, are the
            derivatives in t at 0: n! times the n-th coefficient, as in `jax.experimental.jet`.

    Returns:
        (y0, (y1, …, yk)), each of the structure of f(x).  Where that has integers or booleans, coefficients are None.
        Without `x` and `series` a function of these, compiled once for each k: `g = jet(f)`.

    Raises:
        TypeError: a coefficient has another structure or rank than x.
        ValueError: a coefficient has another shape than x; or `scaling` is neither of the two.
        MissingRuleError: a function has no derivatives of as high an order, or its rule leaves few digits of them.

    The coefficients follow from the linear maps that are the functions' first derivatives (`adcore.expansion`); for
    elementary functions they are the recurrences of A. Griewank and A. Walther, Evaluating Derivatives, chapter 13.

    >>> import math
    >>> jet(math.exp, 0.0, (1.0, 0.0, 0.0))
    (1.0, (1.0, 0.5, 0.16666666666666666))
    >>> jet(lambda p: p["a"] * p["b"], {"a": 1.0, "b": 2.0}, ({"a": 1.0, "b": 3.0}, None))
    (2.0, (5.0, 3.0))
    >>> jet(lambda x: x**3, 2.0, (1.0, None, None), scaling="derivatives")
    (8.0, (12.0, 12.0, 6.0))
    """
    made = derived(f, _jets(_known("jet", scaling)))
    if x is _MISSING and series is _MISSING:
        return made
    if x is _MISSING or series is _MISSING:
        raise TypeError("jet takes a point and a series: jet(f, x, (x1, x2))")
    return made(x, tuple(series))


def _known(name: str, scaling: str) -> str:
    if scaling not in SCALINGS:
        raise ValueError(f"{name}: scaling={scaling!r} is neither 'taylor' nor 'derivatives'")
    return scaling


@functools.cache
def _jets(scaling: str) -> Callable[..., Transform]:
    """The transform with this scaling: one object, by which `derived` knows it."""
    return functools.partial(Jet, scaling=scaling)


def taylor(
    f: Callable[..., Any],
    x: Any = _MISSING,
    directions: Any = _MISSING,
    degree: int = 2,
    scaling: str = "taylor",
) -> Any:
    """The Taylor polynomial of a function in several variables: f(x + t1 v1 + … + tk vk) up to a total degree.

    Its coefficients are all mixed directional derivatives up to that order, each divided by α!: along unit vectors the
    partial derivatives, and along two of them twice a mixed one.  There are C(k + degree, k) of them, and a product of
    two values takes C(2k + degree, 2k) products of numbers.

    Args:
        f: a function of one argument; of several it is written `lambda p: f(*p)`, with x their tuple.
        x: the point: a number, an array or a tree of them.
        directions: the tuple (v1, …, vk), each of the structure and shapes of x.
        degree: the total degree up to which there are coefficients.
        scaling: "taylor" for coefficients, "derivatives" for α! times them, which are the derivatives.

    Returns:
        A dict from exponents to coefficients, each of the structure of f(x): the coefficient of t1 t2² is that of
        (1, 2), and f(x) that of (0, 0); by ascending degree.  Where f(x) has integers or booleans they are None.
        Without `x` and `directions` a function of these, compiled once: `g = taylor(f, degree=3)`.

    Raises:
        TypeError: a direction has another structure or rank than x.
        ValueError: a direction has another shape than x; the degree is negative; or `scaling` is neither of the two.
        MissingRuleError: a function has no derivatives of as high an order, or its rule leaves few digits of them.

    These are the (k, R)-Taylor representations of M. Huot, S. Staton and M. Vákár, Higher order automatic
    differentiation of higher order functions, LMCS 18 (2022).

    >>> taylor(lambda p: p[0] ** 2 * p[1], (3.0, 2.0), ((1.0, 0.0), (0.0, 1.0)), degree=2)
    {(0, 0): 18.0, (0, 1): 9.0, (1, 0): 12.0, (0, 2): 0.0, (1, 1): 6.0, (2, 0): 2.0}
    """
    if not isinstance(degree, int) or degree < 0:
        raise ValueError(f"taylor: the degree is {degree!r}, not a number from 0")
    made = derived(f, _polynomials(degree, _known("taylor", scaling)))
    if x is _MISSING and directions is _MISSING:
        return made
    if x is _MISSING or directions is _MISSING:
        raise TypeError("taylor takes a point and directions: taylor(f, x, (v1, v2), degree)")
    return made(x, tuple(directions))


@functools.cache
def _polynomials(degree: int, scaling: str) -> Callable[..., Transform]:
    return functools.partial(Polynomial, degree=degree, scaling=scaling)


Given = dict[Index, tuple[Any, Any]]  # structures of coefficients, and their leaves' numbers among all of them


@dataclass(frozen=True)
class Expansion(Transform):
    """Coefficients of a function's value, from some of those of its only argument.

    Attributes:
        scaling: "taylor" for the coefficients, "derivatives" for α! times them.
    """

    scaling: str = "taylor"

    def constants(self) -> Statics:
        return NOTHING

    def expanded(self, x: Any, given: Given, orders: Orders) -> tuple[Lowered, Program, dict[Index, Any]]:
        """The lowered function, its expansion, and the structures of the value's coefficients.

        The parameters of the expansion are the function's with the coefficients behind the arguments.
        """
        lowered = unchanging(lower(self.function, arranged(self.function, (x,))))
        pairs = [pair for i, c in given.items() for pair in pairs_of(self.where(i), x, *c, noun="coefficient")]
        captured = len(lowered.captures)
        count = len(lowered.program.params) - captured
        moving = [k for k, p in enumerate(lowered.program.params[:count]) if p.type.dtype.differentiable]
        program = expand(lowered.program, moving, orders, list(given), derivatives=self.scaling == "derivatives")
        seeds = iter(program.params[count + captured :])
        params_at: dict[int, Var] = {}
        for p, t, place in pairs:
            if p is not None and p.dtype.differentiable:
                params_at[place] = next(seeds)
            elif t is not None:
                params_at[place] = parameter(t, "unused")
        further = tuple(params_at[k] for k in sorted(params_at))
        params = (*program.params[:count], *further, *program.params[count : count + captured])
        program = Program(params, program.equations, program.results, program.name)
        results = lowered.program.results
        places = iter(range(len(results), len(program.results)))
        coefficients: dict[Index, Any] = {}
        for index in orders.indices:
            place = {k: Leaf(next(places)) for k, r in enumerate(results) if r.type.dtype.differentiable}
            coefficients[index] = tangents(lowered.result, place)
        unseen = frozenset(range(count, count + len(further)))
        lowered.writes = tuple(
            replace(w, param=w.param if w.param < count else w.param + len(further), unseen=w.unseen | unseen)
            for w in lowered.writes
        )
        return lowered, program, coefficients

    def where(self, index: Index) -> str:
        """What errors call a coefficient."""
        raise NotImplementedError


def is_none(structure: Any) -> bool:
    return isinstance(structure, Static) and structure.value is None


@dataclass(frozen=True)
class Jet(Expansion):
    """Value and coefficients along a path, a function of (x, series)."""

    def signature(self) -> inspect.Signature:
        return of_names("x", "series")

    def where(self, index: Index) -> str:
        return f"jet: coefficient {index[0]} of {name_of(self.function)}"

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        x, series = arguments
        if not isinstance(series, tuple | list):
            raise TypeError("jet takes the coefficients as a tuple: jet(f, x, (x1, x2))")
        places = numbered((tuple(series),))[0]
        each = zip(series, places, strict=True)
        given = {(n,): c for n, c in enumerate(each, 1) if not is_none(c[0])}
        lowered, program, coefficients = self.expanded(x, given, Orders(1, len(series)))
        return pruned(replaced(lowered, program, (lowered.result, tuple(coefficients.values()))))


@dataclass(frozen=True)
class Polynomial(Expansion):
    """Value and coefficients in several variables, a function of (x, directions).

    Attributes:
        degree: the total degree up to which coefficients are computed.
    """

    degree: int = 1

    def signature(self) -> inspect.Signature:
        return of_names("x", "directions")

    def where(self, index: Index) -> str:
        return f"taylor: direction {index.index(1)} of {name_of(self.function)}"

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        x, directions = arguments
        if not isinstance(directions, tuple | list) or not directions:
            raise TypeError("taylor takes the directions as a tuple: taylor(f, x, (v1, v2), degree)")
        orders = Orders(len(directions), self.degree)
        places = numbered((tuple(directions),))[0]
        units = [tuple(int(k == j) for k in range(len(directions))) for j in range(len(directions))]
        given = {unit: tuple(c) for unit, *c in zip(units, directions, places, strict=True) if not is_none(c[0])}
        lowered, program, coefficients = self.expanded(x, given, orders)
        result = {orders.zero: lowered.result, **coefficients}
        return pruned(replaced(lowered, program, result))


def of_names(*names: str) -> inspect.Signature:
    return inspect.Signature([inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in names])
