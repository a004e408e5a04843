"""Implicit differentiation in compiled code: solvers with a condition, and trees as vectors for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adcore.api import jvp, vjp
from adcore.errors import UnsupportedFunctionError
from adcore.implicit.problems import root

from ..operators import describe
from ..strings import plain
from ..values import FALSE, NONE, Partial, Static, Value
from .registry import defines, lowers

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


# Problems with a solver of adcore's


def _lowers_problem(kind: str) -> None:
    """Have a call of `root`, `fixed_point`, … be that of the solver for its function."""

    def lower(
        low: Lowering,
        function: Value,
        x0: Value,
        *args: Value,
        method: Value = NONE,
        solve: Value = AUTO,
        tol: Value = NONE,
        maxiter: Value = NONE,
    ) -> Value:
        return _solved(low, kind, function, [x0, *args], method, solve, tol, maxiter)

    lowers(f"adcore.{kind}")(lower)


for _kind in ("root", "fixed_point", "least_squares"):
    _lowers_problem(_kind)


@lowers("adcore.minimize")
def minimize(
    low: Lowering,
    f: Value,
    x0: Value,
    *args: Value,
    method: Value = NONE,
    solve: Value = AUTO,
    tol: Value = NONE,
    maxiter: Value = NONE,
    prox: Value = NONE,
) -> Value:
    return _solved(low, "minimize", f, [x0, *args], method, solve, tol, maxiter, prox)


def _solved(
    low: Lowering,
    kind: str,
    function: Value,
    arguments: list[Value],
    method: Value,
    solve: Value,
    tol: Value,
    maxiter: Value,
    prox: Value = NONE,
) -> Value:
    from adcore.implicit.problems import problem_of

    from ..derived import applied, option

    given = {"method": method, "tol": tol, "maxiter": maxiter}
    options = {name: option(low, name, value) for name, value in given.items()}
    operator = None if isinstance(prox, Static) and prox.value is None else applied(low, prox)
    with low.foreign(kind):
        problem = problem_of(kind, solve=_solve(low, solve), prox=operator, **options)
    return _call(low, problem, function, arguments)


@lowers("adcore.linear_solve")
def linear_solve(low: Lowering, matvec: Value, b: Value, solve: Value = AUTO) -> Value:
    from adcore.implicit.problems import Problem

    with low.foreign("linear_solve"):
        problem = Problem("linear_solve", None, _solve(low, solve))
    return _call(low, problem, matvec, [b, b])


def _call(low: Lowering, problem: Any, function: Value, arguments: list[Value]) -> Value:
    from adcore.implicit.problems import kept

    from ..derived import transform_by

    if isinstance(function, Static):
        return low.call(transform_by(low, lambda f: kept(f, problem), function), arguments, {})
    return low.call(transform_by(low, problem, function), arguments, {})


@defines("adcore.root_jvp")
def root_jvp(F, solution, args, tangents, solve="auto"):
    return jvp(lambda *p: root(F, solution, *p, method="given", solve=solve), args, tangents)[1]


@defines("adcore.root_vjp")
def root_vjp(F, solution, args, cotangent, solve="auto"):
    _, pullback = vjp(lambda *p: root(F, solution, *p, method="given", solve=solve), *args)
    return pullback(cotangent)
