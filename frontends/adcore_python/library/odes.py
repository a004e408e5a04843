"""Ordinary differential equations in compiled code: their solver, and states as vectors for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from adcore.columns import concatenated, parts
from adcore.errors import AdcoreError, DtypeError, refuse
from adcore.linear import converted
from adcore.ode import algebraic, events, solving, vectors
from adcore.ode.calls import is_solver
from adcore.plugins import Leaf, Spec
from adcore.trees import leaves, map_leaves, structure
from adcore.types import DType, Var

from ..values import Array, Scalar, Static, Tuple, Value, number
from .registry import lowers

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


@lowers("adcore.ode.vectors.state_of")
def state_of(low: Lowering, tree: Value) -> Value:
    given, _ = _leaves(low, tree)
    return _vector(low, given)


@lowers("adcore.ode.vectors.as_state")
def as_state(low: Lowering, vector: Value, like: Value) -> Value:
    return _filled(low, vector, *_leaves(low, like))


@lowers("adcore.ode.vectors.derivative_of")
def derivative_of(low: Lowering, found: Value, like: Value, vector: Value) -> Value:
    wanted, shape = _leaves(low, like)
    given, taken = _taken(low, found)
    if structure(taken) != structure(shape) or len(given) != len(wanted):
        cause = "odeint: what f gives is not of the structure of the state"
        low.refuse(DtypeError, cause, "a number or array for each of the state")
    for value, want in zip(given, wanted, strict=True):
        if value.dtype.kind not in "fi" or _rank(value) != _rank(want):
            cause = f"odeint: f gives {_said(value)} for {_said(want)} of the state"
            low.refuse(DtypeError, cause, "a derivative of the shape of the state")
    pieces = [low.call(Static(vectors.fitting), [v, w], {}) for v, w in zip(given, wanted, strict=True)]
    assert isinstance(vector, Array)
    whole = concatenated(low.b, [low.atom(cast("Array", v)) for v in pieces])
    return low.value(low.b.conform(whole, *vector.shape, checked=False))


@lowers("adcore.ode.vectors.as_rows")
def as_rows(low: Lowering, matrix: Value, like: Value) -> Value:
    from ..lowered_calls import Incoming

    given, taken = _leaves(low, like)
    start: Value = number(0)
    found: list[Any] = []
    for value in given:
        pair = low.call(Static(vectors.rows), [matrix, start, value], {})
        assert isinstance(pair, Tuple)
        part, start = pair.items
        found.append(part)
    return Incoming(low, found, [], ()).value(_placed(taken))


@lowers("adcore.ode.vectors.reals_of")
def reals_of(low: Lowering, tree: Value) -> Value:
    given, _ = _taken(low, tree)
    real = [v for v in given if v.dtype.kind == "f"]
    return _vector(low, real) if real else low.call(Static(np.zeros), [number(0)], {})


@lowers("adcore.ode.vectors.with_reals")
def with_reals(low: Lowering, vector: Value, like: Value) -> Value:
    return _filled(low, vector, *_taken(low, like))


def _vector(low: Lowering, given: list[Scalar | Array]) -> Value:
    whole = [converted(low.b, low.atom(v), DType.F64) for v in given]
    return low.value(concatenated(low.b, whole))


def _filled(low: Lowering, vector: Value, given: list[Scalar | Array], taken: Any) -> Value:
    from ..lowered_calls import Incoming

    types = [Var(low.atom(v).type, "x") for v in given]
    real = [t for t in types if t.type.dtype.kind == "f"]
    assert isinstance(vector, Array)
    pieces = parts(low.b, low.atom(vector), real)
    found = [
        low.value(converted(low.b, pieces[t], t.type.dtype), isinstance(v, Scalar) and v.python) if t in pieces else v
        for t, v in zip(types, given, strict=True)
    ]
    return Incoming(low, found, [], ()).value(_placed(taken))


def _placed(taken: Any) -> Any:
    places = iter(range(len(leaves(taken))))
    return map_leaves(lambda leaf: Leaf(next(places)) if isinstance(leaf, Spec) else leaf, taken)


def _leaves(low: Lowering, tree: Value) -> tuple[list[Scalar | Array], Any]:
    """The numbers and arrays of a state."""
    given, taken = _taken(low, tree)
    if not given or len(given) != len(leaves(taken)) or any(v.dtype.kind != "f" for v in given):
        cause = "odeint: the state is not of real numbers"
        low.refuse(DtypeError, cause, "a float64 number or array, or a tree of them")
    return given, taken


def _taken(low: Lowering, tree: Value) -> tuple[list[Scalar | Array], Any]:
    from ..lowered_calls import structure_of

    given: list[Scalar | Array] = []
    return given, structure_of(low, tree, given)


def _rank(value: Scalar | Array) -> int:
    return len(value.shape) if isinstance(value, Array) else 0


def _said(value: Scalar | Array) -> str:
    from ..operators import describe

    return describe(value)
