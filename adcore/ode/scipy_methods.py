"""SciPy's solvers of initial value problems, called out of compiled code with a right side that is compiled by itself.

The steps are SciPy's, and no derivative goes through them: that of the solution is by the equations of
`adcore.ode.adjoints`, which are solved by the same method.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..builder import Builder
from ..cache import unrepeatable
from ..derive import push
from ..dispatch import transformed
from ..errors import DtypeError
from ..hosting import host_operands, host_parts
from ..passes.dce import eliminate_dead
from ..plugins import Leaf, Lowered, Spec, backend
from ..primitives.host import HostFunction, HostLeaf
from ..program import Program, clone, free_variables
from ..signatures import name_of
from ..statics import NOTHING, Statics
from ..transforms import Transform, lower, parameter
from ..trees import structure
from ..types import DType, Var

__all__ = ["METHODS", "Trajectory", "integrated", "trajectory"]

METHODS = ("scipy:RK45", "scipy:RK23", "scipy:DOP853", "scipy:Radau", "scipy:BDF", "scipy:LSODA")
IMPLICIT = ("scipy:Radau", "scipy:BDF", "scipy:LSODA")


@dataclass(frozen=True)
class Trajectory(Transform):
    """A right side `f(y, t)` of vectors as the function (y0, ts, rtol, atol) -> states (m, n), without a derivative.

    Attributes:
        method: one of `METHODS`.
    """

    method: str = field(kw_only=True)

    def signature(self) -> inspect.Signature:
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature([inspect.Parameter(name, kind) for name in ("y0", "ts", "rtol", "atol")])

    def constants(self) -> Statics:
        return NOTHING

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        unrepeatable(f"a call of scipy.integrate.solve_ivp for {name_of(self.function)}")
        lowered = lower(self.function, (Spec(DType.F64, (None,)), Spec(DType.F64, python=True)))
        program = eliminate_dead(lowered.program)
        read = free_variables(Program((), program.equations, program.results))
        kept = [(p, c) for p, c in zip(program.params[2:], lowered.captures, strict=True) if _is_read(p, read)]
        names = ("y0", "ts", "rtol", "atol")
        own = tuple(parameter(spec, name) for spec, name in zip(arguments, names, strict=True))
        captured = tuple(param for param, _ in kept)
        if any(p.type.dtype.complex for p in captured):
            cause = f"{name_of(self.function)} depends on complex numbers, which {self.method} cannot be given"
            raise DtypeError(cause, write="their real and imaginary parts, or a method of adcore's")
        (found,) = (program.results[k.index] for k in (lowered.result,) if isinstance(k, Leaf))
        slope = clone(Program((*program.params[:2], *captured), program.equations, (found,), "slope"))
        b = Builder()
        given = (*own, *captured)
        leaves = [HostLeaf(p.type.dtype, p.type.rank, _is_python(p)) for p in given]
        host = HostFunction(
            _Integration(self.method, slope),
            leaves,
            structure(tuple(range(len(leaves)))),
            [HostLeaf(DType.F64, 2)],
            structure(0),
        )
        shape = (own[1].type.shape[0], own[0].type.shape[0])
        (states,) = host_parts(b, b.host_call(*host_operands(b, given, [shape]), function=host), [shape])
        whole = Program(given, b.equations, (states,), "trajectory")
        return Lowered(whole, Leaf(0), tuple(capture for _, capture in kept), lowered.guards)


def _is_read(param: Var, read: Collection[Var]) -> bool:
    """Whether a parameter is among some variables, or one of its lengths is."""
    return param in read or any(n in read for n in param.type.shape if isinstance(n, Var))


def _is_python(param: Var) -> bool:
    return not param.type.rank and param.type.dtype in (DType.F64, DType.I64, DType.BOOL)


def trajectory(f: Callable[..., Any], method: str) -> Any:
    """The function (y0, ts, rtol, atol) -> states of a right side."""
    return transformed(Trajectory(f, method=method), wraps=False)


def integrated(rhs: Any, y0: Any, ts: Any, rtol: Any, atol: Any, method: Any) -> Any:
    """The states at given times, without a derivative.

    Args:
        rhs: the right side, `rhs(y, t)` of a vector (n,) and a time.
        y0: the state at the first time, (n,).
        ts: times, (m,).
        rtol, atol: as of `odeint`.
        method: one of `METHODS`.

    Returns:
        The states, (m, n).

    Raises:
        RuntimeError: SciPy has not come to the last time.

    >>> states = integrated(lambda y, t: -y, np.ones(1), np.array([0.0, 1.0]), 1e-9, 1e-9, "scipy:DOP853")
    >>> states.round(6)
    array([[1.      ],
           [0.367879]])
    """
    return trajectory(rhs, method)(y0, ts, rtol, atol)


class _Integration:
    """Integrates the equation whose right side is a program of a state, a time and what else it depends on."""

    def __init__(self, method: str, slope: Program) -> None:
        self.method = method
        self.slope = slope
        self.__name__ = "scipy.integrate.solve_ivp"

    @functools.cached_property
    def value(self) -> Callable[..., Any]:
        return backend().compile(clone(self.slope))

    @functools.cached_property
    def along(self) -> Callable[..., Any]:
        """The right side, and its tangent along a direction of the state, which is the last argument."""
        return backend().compile(push(clone(self.slope), [0]))

    def __call__(self, y0: Any, ts: Any, rtol: Any, atol: Any, *kept: Any) -> Any:
        from scipy import integrate

        def f(t: Any, y: Any) -> Any:
            return self.value(np.ascontiguousarray(y, float), float(t), *kept)[0]

        def jacobian(t: Any, y: Any) -> Any:
            point = np.ascontiguousarray(y, float)
            columns = [self.along(point, float(t), *kept, unit)[1] for unit in np.eye(len(y))]
            return np.stack(columns, axis=1)

        if len(ts) == 1:
            return y0[None, :]
        if not np.all(np.isfinite(f(ts[0], y0))):
            raise RuntimeError(f"odeint: the derivative is not finite at the beginning, at time {ts[0]}")
        name = self.method.partition(":")[2]
        options: dict[str, Any] = {"jac": jacobian} if self.method in IMPLICIT else {}
        found = integrate.solve_ivp(f, (ts[0], ts[-1]), y0, name, ts, rtol=rtol, atol=atol, **options)
        return _checked(found, ts)


def _checked(found: Any, ts: Sequence[Any]) -> Any:
    """The states, if SciPy has found all of them."""
    if not found.success:
        reached = found.t[-1] if len(found.t) else ts[0]
        raise RuntimeError(f"odeint: scipy.integrate.solve_ivp has failed after time {reached}: {found.message}")
    if not np.all(np.isfinite(found.y)):
        raise RuntimeError("odeint: scipy.integrate.solve_ivp has come to a state that is not finite")
    return np.ascontiguousarray(found.y.T)
