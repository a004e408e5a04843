"""Implicit differentiation in compiled code: solvers with a condition, and trees as vectors for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adcore.api import jvp, vjp
from adcore.errors import UnsupportedFunctionError
from adcore.implicit import calls, problems
from adcore.implicit.problems import root
from adcore.implicit.systems import Solver

from ..operators import describe
from ..outside import opened
from ..strings import plain
from ..values import NONE, Derived, LocalFunction, Partial, Static, Value
from .registry import defines, lowers, taking

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__: list[str] = []


@lowers("adcore.custom_root")
@taking(calls.custom_root)
def custom_root(low: Lowering, condition: Value, has_aux: Value, solve: Value) -> Value:
    return _decorator(condition, has_aux, solve, fixed_point=False)


@lowers("adcore.custom_fixed_point")
@taking(calls.custom_fixed_point)
def custom_fixed_point(low: Lowering, condition: Value, has_aux: Value, solve: Value) -> Value:
    return _decorator(condition, has_aux, solve, fixed_point=True)


def _decorator(condition: Value, has_aux: Value, solve: Value, fixed_point: bool) -> Value:
    options = {"condition": condition, "solve": solve, "fixed_point": Static(fixed_point), "has_aux": has_aux}
    return Partial(Static(calls.implicit), (), options)


@lowers("adcore.implicit.calls.implicit")
def _implicit(
    low: Lowering, solver: Value, condition: Value, solve: Value, fixed_point: Value, has_aux: Value
) -> Value:
    from ..derived import applied, transform_by

    with low.foreign("this solver"):
        given = applied(low, condition)
        options = {"fixed_point": _known(fixed_point), "has_aux": _known(has_aux)}
    if not _is_local(solve):
        options["solve"] = _solve(low, solve)

    def made(function: Any) -> Any:  # what a local solver reads is bound when it is called
        return calls.implicit(function, given, **{"solve": _solve(low, solve)} | options)

    return transform_by(low, made, solver)


def _known(value: Value) -> Any:
    known = plain(value)
    return bool(known and known[0])


def _solve(low: Lowering, value: Value) -> Any:
    """A solver of linear systems: its name, a function from outside, or one that is defined in what is compiled."""
    from ..local_rules import surrounded
    from ..lowered_calls import bound

    if isinstance(value, Static):
        return value.value
    known = bound(value) if isinstance(value, Partial) else None
    if known is not None:
        return known[0]
    if isinstance(value, LocalFunction | Derived | Partial):
        return Solver(*surrounded(low, value))
    return low.refuse(UnsupportedFunctionError, f"solve is {describe(value)}", "a function, or the name of a solver")


def _is_local(value: Value) -> bool:
    return isinstance(value, LocalFunction | Derived | Partial)


# Problems with a solver of adcore's


def _lowers_problem(kind: str, public: Any) -> None:
    """Have a call of `root`, `fixed_point`, … be that of the solver for its function."""

    @lowers(f"adcore.{kind}")
    @taking(public)
    def lower(
        low: Lowering, x0: Value, args: tuple[Value, ...], solve: Value, prox: Value = NONE, **given: Value
    ) -> Value:
        from ..derived import applied, option

        options = {name: option(low, name, given[name]) for name in ("method", "tol", "maxiter")}
        operator = None if isinstance(prox, Static) and prox.value is None else applied(low, prox)
        (function,) = (value for name, value in given.items() if name not in options)
        with low.foreign(kind):
            problem = problems.problem_of(kind, solve=_solve(low, solve), prox=operator, **options)
        return _call(low, problem, function, [opened(low, value) for value in (x0, *args)])


for _public in (problems.root, problems.fixed_point, problems.minimize, problems.least_squares):
    _lowers_problem(_public.__name__, _public)


@lowers("adcore.linear_solve")
@taking(problems.linear_solve)
def linear_solve(low: Lowering, matvec: Value, b: Value, solve: Value) -> Value:
    with low.foreign("linear_solve"):
        problem = problems.Problem("linear_solve", None, _solve(low, solve))
    b = opened(low, b)
    return _call(low, problem, matvec, [b, b])


def _call(low: Lowering, problem: Any, function: Value, arguments: list[Value]) -> Value:
    from ..derived import transform_by

    if isinstance(function, Static) and not isinstance(problem.solve, Solver):  # one that is of this call alone
        return low.call(transform_by(low, lambda f: problems.kept(f, problem), function), arguments, {})
    return low.call(transform_by(low, problem, function), arguments, {})


@defines("adcore.root_jvp")
def root_jvp(F, solution, args, tangents, solve="auto"):
    return jvp(lambda *p: root(F, solution, *p, method="given", solve=solve), args, tangents)[1]


@defines("adcore.root_vjp")
def root_vjp(F, solution, args, cotangent, solve="auto"):
    _, pullback = vjp(lambda *p: root(F, solution, *p, method="given", solve=solve), *args)
    return pullback(cotangent)
