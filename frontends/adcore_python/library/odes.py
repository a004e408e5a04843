"""Ordinary differential equations in compiled code: their solver, and states as vectors for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from adcore.columns import concatenated
from adcore.errors import AdcoreError, DtypeError, refuse
from adcore.ode import algebraic, events, solving, vectors
from adcore.ode.calls import is_solver
from adcore.trees import structure

from ..operators import describe
from ..values import Array, Scalar, Static, Tuple, Value, number
from .registry import lowers
from .vectors import numbers_of, real_leaves

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__: list[str] = []


TOLERANCE, INFINITE, ONE = number(1.4e-8), number(math.inf), number(1)
CONTINUOUS, DISCRETE, DOPRI5 = Static("continuous"), Static("discrete"), Static("dopri5")


@lowers("adcore.ode.odeint")
def odeint(
    low: Lowering,
    f: Value,
    y0: Value,
    ts: Value,
    *args: Value,
    rtol: Value = TOLERANCE,
    atol: Value = TOLERANCE,
    adjoint: Value = CONTINUOUS,
    method: Value = DOPRI5,
    steps: Value = ONE,
) -> Value:
    return _called(low, solving.solved, f, y0, ts, rtol, atol, Tuple(args), adjoint, method, steps)


@lowers("adcore.ode.odeint_event")
def odeint_event(
    low: Lowering,
    f: Value,
    y0: Value,
    t0: Value,
    event: Value,
    *args: Value,
    rtol: Value = TOLERANCE,
    atol: Value = TOLERANCE,
    t_max: Value = INFINITE,
    adjoint: Value = CONTINUOUS,
    method: Value = DOPRI5,
) -> Value:
    return _called(low, events.happened, f, event, y0, t0, t_max, rtol, atol, Tuple(args), adjoint, method)


@lowers("adcore.ode.daeint")
def daeint(
    low: Lowering,
    f: Value,
    g: Value,
    y0: Value,
    z0: Value,
    ts: Value,
    *args: Value,
    rtol: Value = TOLERANCE,
    atol: Value = TOLERANCE,
    adjoint: Value = DISCRETE,
    method: Value = DOPRI5,
) -> Value:
    return _called(low, algebraic.solved_with_roots, f, g, y0, z0, ts, rtol, atol, Tuple(args), adjoint, method)


def _called(low: Lowering, solver: Callable[..., Any], *arguments: Value) -> Value:
    """What a solver gives; what is wrong about a line of its own, is said of the user's."""
    source = low.source
    try:
        return low.call(Static(solver), list(arguments), {})
    except AdcoreError as error:
        if is_solver(error.source):
            refuse(type(error), error.cause, source, error.write)
        raise


@lowers("adcore.ode.vectors.derivative_of")
def derivative_of(low: Lowering, found: Value, like: Value, vector: Value) -> Value:
    wanted, shape = real_leaves(low, like)
    given, taken = numbers_of(low, found)
    if structure(taken) != structure(shape) or len(given) != len(wanted):
        cause = "odeint: what f gives is not of the structure of the state"
        low.refuse(DtypeError, cause, "a number or array for each of the state")
    for value, want in zip(given, wanted, strict=True):
        if value.dtype.kind not in "fi" or _rank(value) != _rank(want):
            cause = f"odeint: f gives {describe(value)} for {describe(want)} of the state"
            low.refuse(DtypeError, cause, "a derivative of the shape of the state")
    pieces = [low.call(Static(vectors.fitting), [v, w], {}) for v, w in zip(given, wanted, strict=True)]
    assert isinstance(vector, Array)
    whole = concatenated(low.b, [low.atom(cast("Array", v)) for v in pieces])
    return low.value(low.b.conform(whole, *vector.shape, checked=False))


def _rank(value: Scalar | Array) -> int:
    return len(value.shape) if isinstance(value, Array) else 0
