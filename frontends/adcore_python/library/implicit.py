"""Implicit differentiation in compiled code: solvers with a condition, and trees as vectors for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adcore.columns import concatenated, parts
from adcore.errors import DtypeError, UnsupportedFunctionError
from adcore.linear import converted
from adcore.plugins import Leaf, Spec
from adcore.trees import map_leaves
from adcore.types import Var

from ..operators import describe
from ..strings import plain
from ..values import FALSE, Array, Partial, Scalar, Static, Value
from .registry import lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__: list[str] = []

AUTO = Static("auto")


@lowers("adcore.custom_root")
def custom_root(low: Lowering, condition: Value, has_aux: Value = FALSE, solve: Value = AUTO) -> Value:
    return _decorator(condition, has_aux, solve, fixed_point=False)


@lowers("adcore.custom_fixed_point")
def custom_fixed_point(low: Lowering, condition: Value, has_aux: Value = FALSE, solve: Value = AUTO) -> Value:
    return _decorator(condition, has_aux, solve, fixed_point=True)


def _decorator(condition: Value, has_aux: Value, solve: Value, fixed_point: bool) -> Value:
    from adcore.implicit.calls import implicit

    options = {"condition": condition, "solve": solve, "fixed_point": Static(fixed_point), "has_aux": has_aux}
    return Partial(Static(implicit), (), options)


@lowers("adcore.implicit.calls.implicit")
def _implicit(
    low: Lowering, solver: Value, condition: Value, solve: Value, fixed_point: Value, has_aux: Value
) -> Value:
    from adcore.implicit.calls import implicit

    from ..derived import applied, transform_by

    with low.foreign("this solver"):
        given = applied(low, condition)
        options = {"solve": _solve(low, solve), "fixed_point": _known(fixed_point), "has_aux": _known(has_aux)}
    return transform_by(low, lambda function: implicit(function, given, **options), solver)


def _known(value: Value) -> Any:
    known = plain(value)
    return bool(known and known[0])


def _solve(low: Lowering, value: Value) -> Any:
    """A solver of linear systems: its name, or a function from outside."""
    from ..lowered_calls import bound

    if isinstance(value, Static):
        return value.value
    known = bound(value) if isinstance(value, Partial) else None
    if known is None:
        cause = f"solve is {describe(value)}, defined in the function that is compiled"
        low.refuse(UnsupportedFunctionError, cause, "a function defined outside, or the name of a solver")
    return known[0]


# Trees as vectors


@lowers("adcore.implicit.vectors.vector_of")
def vector_of(low: Lowering, tree: Value) -> Value:
    given, _ = _leaves(low, tree)
    return low.value(concatenated(low.b, [low.atom(v) for v in given]))


@lowers("adcore.implicit.vectors.as_tree")
def as_tree(low: Lowering, vector: Value, like: Value) -> Value:
    from ..lowered_calls import Incoming

    given, taken = _leaves(low, like)
    types = [Var(low.atom(v).type, "x") for v in given]
    assert isinstance(vector, Array)
    pieces = parts(low.b, low.atom(vector), types)
    found = [
        low.value(converted(low.b, pieces[t], t.type.dtype), isinstance(v, Scalar) and v.python)
        for t, v in zip(types, given, strict=True)
    ]
    places = iter(range(len(found)))
    shape = map_leaves(lambda leaf: Leaf(next(places)) if isinstance(leaf, Spec) else leaf, taken)
    return Incoming(low, found, [], ()).value(shape)


def _leaves(low: Lowering, tree: Value) -> tuple[list[Scalar | Array], Any]:
    from ..lowered_calls import structure_of

    given: list[Scalar | Array] = []
    taken = structure_of(low, tree, given)
    for value in given:
        if value.dtype.kind != "f":
            low.refuse(DtypeError, f"what a solver begins with is {value.dtype.value}", "a float64 number or array")
    if not given:
        low.refuse(DtypeError, "what a solver begins with has no number", "a float64 number or array")
    return given, taken
