"""SciPy's iterative solvers of linear systems, called out of compiled code.

The product with the matrix is a program.  It is compiled by itself, and its dual too where a solver asks for it; SciPy
gets both, at the point that the system is of, as a `LinearOperator`.  The derivative of the solution is not that of the
iteration but that of A x = b, as with the iterations of the language.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import numpy as np

from ..builder import Builder
from ..cache import unrepeatable
from ..columns import from_reals, reals
from ..derive import pull
from ..errors import RuleError, refuse
from ..hosting import host_operands
from ..plugins import Leaf, Lowered, backend
from ..primitives.host import HostFunction, HostLeaf
from ..program import Program, clone
from ..signatures import definition
from ..transforms import lower
from ..trees import structure
from ..types import Atom, DType, Var

__all__ = ["METHODS", "ScipySolver", "scipy_solver"]

# Their tolerances: by the size of b, and those that would end them earlier.
KRYLOV = {"rtol": 1e-12, "atol": 0.0}
LEAST = {"atol": 1e-13, "btol": 1e-13, "conlim": 0.0}
METHODS: dict[str, dict[str, float]] = {
    "gmres": KRYLOV,
    "lgmres": KRYLOV,
    "gcrotmk": KRYLOV,
    "cg": KRYLOV,
    "cgs": KRYLOV,
    "bicg": KRYLOV,
    "bicgstab": KRYLOV,
    "qmr": KRYLOV,
    "tfqmr": KRYLOV,
    "minres": {"rtol": 1e-13},
    "lsmr": LEAST,
    "lsqr": LEAST,
}
OF_REAL_SYSTEMS = ("minres",)  # whose inner products conjugate nothing
CLOSE = 1e-7  # what may be left of the right-hand side, in float32 the square root of its precision


@dataclass(frozen=True)
class ScipySolver:
    """A solver `solve(matvec, b)` that is one of `scipy.sparse.linalg`.

    Attributes:
        method: its name there.
        options: its keyword arguments, beside those that say how accurate it is.
    """

    method: str
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def __name__(self) -> str:
        return f"scipy.sparse.linalg.{self.method}"

    def __call__(self, matvec: Any, b: Any) -> NoReturn:
        raise TypeError("SciPy's solvers by name are for solve=…: call scipy.sparse.linalg itself here")

    def __adcore_lower__(self, arguments: tuple[Any, ...]) -> Lowered:
        unrepeatable(f"a call of {self.__name__}")
        matvec, right = arguments
        lowered = lower(matvec.value, (right,))
        (result,) = lowered.program.results
        product = clone(Program(lowered.program.params, lowered.program.equations, (result,), "product"))
        if product.params[0].type.dtype.complex and self.method in OF_REAL_SYSTEMS:
            cause = f"{self.__name__} is for systems of real numbers, and this one is of complex ones"
            refuse(RuleError, cause, definition(matvec.value), 'solve="scipy:gmres", "scipy:lsmr", …')
        b = Builder()
        found = _called(b, _Solving(self, product), lowered.program.params)
        program = Program(lowered.program.params, b.equations, (found,), self.method)
        return Lowered(program, Leaf(0), lowered.captures, lowered.guards)


def scipy_solver(method: str, **options: Any) -> ScipySolver:
    """A linear solver of `scipy.sparse.linalg` with its options, for `solve=`; `"scipy:gmres"` is the one without any.

    Args:
        method: "gmres", "lgmres", "gcrotmk", "cg", "cgs", "bicg", "bicgstab", "qmr", "tfqmr", "minres", or, of a
            singular system a least squares solution, "lsmr" or "lsqr".
        **options: SciPy's, as restart and maxiter; numbers and strings.  Usual tolerances are 1e-12 by the size of b.

    Returns:
        A solver, which raises LinAlgError where more of the system is left than the tolerance, or 1e-7 of b.

    Raises:
        ValueError: there is no such method.

    >>> from adcore import linear_solve
    >>> solve = scipy_solver("gmres", restart=3)
    >>> linear_solve(lambda x: 2.0 * x - 0.5 * np.roll(x, 1), np.ones(4), solve=solve).round(6)
    array([0.666667, 0.666667, 0.666667, 0.666667])
    """
    if method not in METHODS:
        raise ValueError(f"scipy:{method} is no solver of linear systems here; there are {', '.join(METHODS)}")
    return ScipySolver(method, tuple(options.items()))


def _called(b: Builder, solve: _Solving, params: tuple[Var, ...]) -> Atom:
    """Emit the call for the right-hand side, and what the product depends on, that are these parameters."""
    right = params[0]
    given = reals(b, params)
    leaves = [HostLeaf(a.type.dtype, a.type.rank, _is_python(a)) for a in given]
    count = 1 + right.type.dtype.complex
    results = [HostLeaf(right.type.dtype.real, 1)] * count
    host = HostFunction(
        solve, leaves, structure(tuple(range(len(leaves)))), results, structure(tuple(range(len(results))))
    )
    column = b.host_call(*host_operands(b, given, [right.type.shape] * count), function=host)
    return from_reals(b, column, [right])[right]


def _is_python(atom: Atom) -> bool:
    return not atom.type.rank and atom.type.dtype in (DType.F64, DType.I64, DType.BOOL)


class _Solving:
    """Solves systems whose product with a vector is a program, whose first parameter is the vector."""

    def __init__(self, solver: ScipySolver, product: Program) -> None:
        self.solver = solver
        self.product = product
        self.__name__ = solver.__name__

    @functools.cached_property
    def forward(self) -> Callable[..., Any]:
        return backend().compile(clone(self.product))

    @functools.cached_property
    def backward(self) -> Callable[..., Any]:
        """The product and its dual for the vector, what it depends on, and a cotangent."""
        return backend().compile(pull(clone(self.product), [0]))

    def __call__(self, *given: Any) -> tuple[Any, ...]:
        right, *kept = self.arranged(given)
        found = self.solved(right, kept) if np.any(right) else right
        return (np.real(found), np.imag(found)) if np.iscomplexobj(right) else (found,)

    def arranged(self, given: tuple[Any, ...]) -> list[Any]:
        """The parameters, complex ones of their parts."""
        parts = iter(given)
        found: list[Any] = []
        for param in self.product.params:
            part = next(parts)
            if param.type.dtype.complex:
                whole = np.asarray(part + 1j * next(parts), param.type.dtype.numpy)
                part = whole if param.type.rank else complex(whole) if param.type.dtype is DType.C128 else whole[()]
            found.append(part)
        return found

    def solved(self, right: Any, kept: list[Any]) -> Any:
        from scipy.sparse import linalg

        def product(v: Any) -> Any:
            return self.forward(np.ascontiguousarray(v.reshape(-1), right.dtype), *kept)[0]

        def adjoint(v: Any) -> Any:
            weights = np.ascontiguousarray(np.conj(v.reshape(-1)), right.dtype)
            return np.conj(self.backward(np.zeros_like(right), *kept, weights)[1])

        n = len(right)
        operator = cast("Any", linalg.LinearOperator)((n, n), matvec=product, rmatvec=adjoint, dtype=right.dtype)
        accuracy = METHODS[self.solver.method]
        options = {**accuracy, **dict(self.solver.options)}
        found = getattr(linalg, self.solver.method)(operator, right, **options)
        x = np.asarray(found[0], right.dtype)
        self.check(product, adjoint, right, x, max(10.0 * options.get("rtol", options.get("btol", 0.0)), 0.0))
        return x

    def check(self, product: Any, adjoint: Any, right: Any, x: Any, tolerance: float) -> None:
        """Refuse a solution of which too much is left, whatever SciPy says of it."""
        limit = max(tolerance, CLOSE, float(np.sqrt(np.finfo(right.dtype).eps)))
        rest, whole = right - product(x), right
        if METHODS[self.solver.method] is LEAST:
            rest, whole = adjoint(rest), adjoint(right)
        left, size = np.linalg.norm(rest), np.linalg.norm(whole)
        if not left <= limit * size:
            cause = f"{left / size if size else left:.1e} of the right-hand side is left"
            raise np.linalg.LinAlgError(f"{self.__name__} has not converged: {cause}")
