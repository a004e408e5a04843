"""Ordinary differential equations in compiled code: their solver, and states as vectors for it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from adcore.columns import concatenated
from adcore.errors import AdcoreError, DtypeError, refuse
from adcore.ode import algebraic, calls, events, scipy_methods, solving, vectors
from adcore.trees import structure

from ..containers import items
from ..operators import describe
from ..values import Array, List, Scalar, Static, Tuple, Value, number
from .registry import lowers, taking
from .vectors import numbers_of, placed, real_leaves

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__: list[str] = []

Values = tuple[Value, ...]


@lowers("adcore.ode.odeint")
@taking(calls.odeint)
def odeint(
    low: Lowering, f: Value, y0: Value, ts: Value, args: Values, rtol: Value, atol: Value, **options: Value
) -> Value:
    return _called(low, solving.solved, f, y0, ts, rtol, atol, Tuple(args), *options.values())


@lowers("adcore.ode.odeint_event")
@taking(calls.odeint_event)
def odeint_event(
    low: Lowering,
    f: Value,
    y0: Value,
    t0: Value,
    event: Value,
    args: Values,
    rtol: Value,
    atol: Value,
    t_max: Value,
    **options: Value,
) -> Value:
    return _called(low, events.happened, f, event, y0, t0, t_max, rtol, atol, Tuple(args), *options.values())


@lowers("adcore.ode.daeint")
@taking(calls.daeint)
def daeint(
    low: Lowering,
    f: Value,
    g: Value,
    y0: Value,
    z0: Value,
    ts: Value,
    args: Values,
    rtol: Value,
    atol: Value,
    **options: Value,
) -> Value:
    return _called(low, algebraic.solved_with_roots, f, g, y0, z0, ts, rtol, atol, Tuple(args), *options.values())


def _called(low: Lowering, solver: Callable[..., Any], *arguments: Value) -> Value:
    """What a solver gives; what is wrong about a line of its own, is said of the user's."""
    source = low.source
    try:
        return low.call(Static(solver), list(arguments), {})
    except AdcoreError as error:
        if calls.is_solver(error.source):
            refuse(type(error), error.cause, source, error.write)
        raise


@lowers("adcore.ode.vectors.in_floats")
def in_floats(low: Lowering, tree: Value) -> Value:
    from ..lowered_calls import Incoming

    given, taken = numbers_of(low, tree)
    if all(v.dtype.kind != "i" for v in given):
        return tree
    found: list[Any] = [
        low.call(Static(np.multiply), [v, number(1.0)], {}) if v.dtype.kind == "i" else v for v in given
    ]
    return Incoming(low, found, [], ()).value(placed(taken))


@lowers("adcore.ode.scipy_methods.integrated")
def integrated(low: Lowering, rhs: Value, y0: Value, ts: Value, rtol: Value, atol: Value, method: Value) -> Value:
    from ..derived import option, transform_by

    made = functools.partial(scipy_methods.trajectory, method=option(low, "method", method))
    return low.call(transform_by(low, made, rhs), [y0, ts, rtol, atol], {})


@lowers("adcore.ode.vectors.derivative_of")
def derivative_of(low: Lowering, found: Value, like: Value, vector: Value) -> Value:
    parts = items(low, found) if isinstance(found, Tuple | List) else []
    if isinstance(like, Array) and parts and all(isinstance(part, Scalar) for part in parts):
        found = low.call(Static(np.array), [found], {})
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
