"""`odeint` and its relatives: initial value problems with derivatives by adjoint, by steps and by sensitivities."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..dispatch import derived
from ..errors import AdcoreError, Source, refuse
from ..plugins import Lowered, Static
from ..signatures import definition
from ..statics import NOTHING, Statics
from ..transforms import Transform, lower
from .algebraic import solved_with_roots
from .events import happened
from .solving import solved

__all__ = ["Solution", "Solving", "daeint", "is_solver", "odeint", "odeint_event"]

RTOL = ATOL = 1.4e-8
HERE = Path(__file__).parent


def is_solver(source: Source | None) -> bool:
    """Whether a place is one in the solvers, which the user did not write."""
    return source is not None and Path(source.file).parent == HERE


@dataclass(frozen=True)
class Solution(Transform):
    """A solver, a function of the language, for an equation that is known, as a function of numbers and arrays.

    Attributes:
        solver: `solver(f, *functions, *arguments, args, *options)`.
        functions: what it is given beside the equation, as constants.
        options: what it is given after all arguments, as constants.
    """

    solver: Callable[..., Any] = field(kw_only=True)
    functions: tuple[Callable[..., Any], ...] = field(kw_only=True)
    options: tuple[Any, ...] = field(kw_only=True)

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        before, after = map(Static, (self.function, *self.functions)), map(Static, self.options)
        try:
            return lower(self.solver, (*before, *arguments, *after))
        except AdcoreError as error:
            if is_solver(error.source):
                refuse(type(error), error.cause, definition(self.function), error.write)
            raise

    def signature(self) -> inspect.Signature:
        given = list(inspect.signature(self.solver).parameters.values())
        own = given[1 + len(self.functions) : len(given) - len(self.options) - 1]
        return inspect.Signature([*own, inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)])

    def constants(self) -> Statics:
        return NOTHING


@dataclass(frozen=True)
class Solving:
    """What makes the solution for an equation: everything else that it depends on."""

    solver: Callable[..., Any]
    functions: tuple[Callable[..., Any], ...]
    options: tuple[Any, ...]

    def __call__(self, f: Callable[..., Any]) -> Solution:
        return Solution(f, solver=self.solver, functions=self.functions, options=self.options)


def odeint(
    f: Callable[..., Any],
    y0: Any,
    ts: Any,
    *args: Any,
    rtol: Any = RTOL,
    atol: Any = ATOL,
    adjoint: str = "continuous",
    method: str = "dopri5",
    steps: int = 1,
    mxstep: int = 0,
) -> Any:
    """Solve an initial value problem: dy/dt = f(y, t, *args), y(ts[0]) = y0.

    Args:
        f: the right side, a function of the language, which gives the derivative of the state in its structure and
            shape.
        y0: the state at the first time: a number, an array or a tree of them, real; integers are taken in double
            precision.
        ts: times, strictly increasing or strictly decreasing, (m,).
        *args: further arguments of `f`: trees of numbers, arrays and constants.
        rtol, atol: tolerated errors of a step, by the state and absolute; numbers, or vectors with an entry for each
            number of the state, the least of which is that of an adjoint equation.
        adjoint: where derivatives come from.  "continuous": reverse mode solves the adjoint equation back in time and
            keeps the states at `ts` only, however many steps there are; forward mode solves the equation of the
            derivative along a direction beside that of the state.  "discrete": forward
            and reverse mode go through the steps that were made, whose sizes are constants; reverse mode keeps them,
            under the policy of `loop_policy`.  "forward": the derivatives by all of y0, ts and args are integrated
            beside the states, for few of them; nothing is kept.
        method: "dopri5": explicit, of order 5, with dense output; "radau": implicit, of order 5, for stiff equations;
            "rk4": explicit, of order 4, with steps of equal size.  "scipy:RK45", "scipy:RK23", "scipy:DOP853",
            "scipy:Radau", "scipy:BDF" and "scipy:LSODA" are those of `scipy.integrate.solve_ivp`, with a compiled
            right side and Jacobian, for the adjoint "continuous", which is solved by the same method.
        steps: of "rk4", between two times.
        mxstep: of "dopri5" and "radau", how many steps may be tried between two times, there and back; 0 for any
            number.

    Returns:
        The states at `ts`: like `y0`, with a first axis of length m more.

    Raises:
        RuntimeError: at the call: the size of a step underflows, since the state becomes infinite or NaN, or the
            derivative is not finite at the beginning; or more than `mxstep` steps are needed.  The message has the
            time.  SciPy's solver has failed.
        ValueError: at the call: the times are not ordered, an option is not known, or `f` gives another shape.
        DtypeError: the state is not of real numbers, or `f` gives another structure or rank.

    Where `f` is defined inside of a function that is compiled, values that it closes over have derivatives as arguments
    have.  Outside of compiled functions the solver is compiled once for each `f` and kept with it.

    Source: Dormand and Prince (1980); Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I and II;
    Chen, Rubanova, Bettencourt and Duvenaud, Neural Ordinary Differential Equations (2018).

    >>> import math
    >>> import numpy as np
    >>> from adcore import grad
    >>> def decay(y, t, rate):
    ...     return -rate * y
    >>> ts = np.array([0.0, 1.0, 2.0])
    >>> np.round(odeint(decay, 1.0, ts, 0.5), 6)
    array([1.      , 0.606531, 0.367879])
    >>> slope = grad(lambda rate: odeint(decay, 1.0, ts, rate)[2])(0.5)
    >>> math.isclose(slope, -2.0 * math.exp(-1.0), rel_tol=1e-6)
    True
    """
    return derived(f, Solving(solved, (), (adjoint, method, steps, mxstep)))(y0, ts, rtol, atol, *args)


def odeint_event(
    f: Callable[..., Any],
    y0: Any,
    t0: Any,
    event: Callable[..., Any],
    *args: Any,
    rtol: Any = RTOL,
    atol: Any = ATOL,
    t_max: Any = math.inf,
    adjoint: str = "continuous",
    method: str = "dopri5",
) -> Any:
    """Solve dy/dt = f(y, t, *args) from y(t0) = y0 up to the first time at which an event happens.

    Args:
        f, y0, *args, rtol, atol, adjoint: as of `odeint`.
        t0: the time at the beginning.
        event: `event(y, t, *args)`, a number: the event happens where it changes its sign.  Its being 0 at the
            beginning is no event.  Changes are looked for at four places of each step.
        t_max: up to where it is looked for; where it is before t0, back in time.
        method: "dopri5" or "radau".

    Returns:
        (t, y): the time of the event, and the state there.  The time is found by dense output and bisection, and made
        as accurate as the solution by Newton's method.  Its derivative is that of event(y(t), t) = 0: with g for the
        event, dt = -(∂g dy + ∂g/∂p dp) / (∂g f + ∂g/∂t).

    Raises:
        RuntimeError: at the call: the event does not happen, or as `odeint`.
        LinAlgError: at the call of a derivative: the event's rate is 0 there, where the time has none.

    >>> import math
    >>> import numpy as np
    >>> from adcore import grad
    >>> def fall(y, t, g):
    ...     return np.array([y[1], -g])
    >>> def ground(y, t, g):
    ...     return y[0]
    >>> def time(height, g):
    ...     t, y = odeint_event(fall, np.array([height, 0.0]), 0.0, ground, g)
    ...     return t
    >>> math.isclose(time(5.0, 9.81), math.sqrt(2.0 * 5.0 / 9.81), rel_tol=1e-9)
    True
    >>> math.isclose(grad(time)(5.0, 9.81), 1.0 / math.sqrt(2.0 * 5.0 * 9.81), rel_tol=1e-6)
    True
    """
    made = derived(f, Solving(happened, (event,), (adjoint, method)))
    return made(y0, t0, t_max, rtol, atol, *args)


def daeint(
    f: Callable[..., Any],
    g: Callable[..., Any],
    y0: Any,
    z0: Any,
    ts: Any,
    *args: Any,
    rtol: Any = RTOL,
    atol: Any = ATOL,
    adjoint: str = "discrete",
    method: str = "dopri5",
) -> Any:
    """Solve a differential-algebraic equation of index 1: dy/dt = f(y, z, t, *args), 0 = g(y, z, t, *args).

    Args:
        f: the differential equations, a derivative for y.
        g: the algebraic equations, as many as z has numbers, in its structure; ∂g/∂z is regular.
        y0: the state at the first time.
        z0: near the root z of g(y0, z, ts[0]), from which Newton's iteration begins; it has no derivative.
        ts, *args, rtol, atol, adjoint, method: as of `odeint`.

    Returns:
        (ys, zs): like `y0` and `z0`, with a first axis of length m more.

    Raises:
        RuntimeError: at the call: g is not solved, or as `odeint`.
        LinAlgError: at the call: ∂g/∂z is singular.

    >>> import numpy as np
    >>> ys, zs = daeint(lambda y, z, t: -z, lambda y, z, t: z - 2.0 * y, 1.0, 2.0, np.array([0.0, 0.5]))
    >>> np.round(ys, 6), np.round(zs, 6)
    (array([1.      , 0.367879]), array([2.      , 0.735759]))
    """
    made = derived(f, Solving(solved_with_roots, (g,), (adjoint, method)))
    return made(y0, z0, ts, rtol, atol, *args)
