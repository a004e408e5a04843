"""Problems with a solver of adcore's: `root`, `fixed_point`, `minimize`, `least_squares`, `linear_solve`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..api import grad, jacfwd, jit, jvp, vjp
from ..signatures import definition
from ..vectors import as_tree, has_complex, minus, reals_of, vector_of, with_reals
from . import solvers
from .calls import implicit
from .coordinates import coordinate_descent
from .systems import Solver

__all__ = [
    "Problem",
    "fixed_point",
    "kept",
    "least_squares",
    "linear_solve",
    "matrices_of",
    "minimize",
    "problem_of",
    "root",
    "root_jvp",
    "root_vjp",
]


KEPT = 16  # problems with one function


def _itself(f: Callable[..., Any]) -> Callable[..., Any]:
    return f


def _half_square(residuals: Callable[..., Any]) -> Callable[..., Any]:
    def half_square(x, *args):
        return 0.5 * np.sum(vector_of(residuals(x, *args)) ** 2)

    return _slope(half_square)


def _slope(f: Callable[..., Any]) -> Callable[..., Any]:
    """The gradient, by the real and the imaginary parts of complex unknowns: its derivative is a symmetric matrix."""
    return grad(f, conj=True)


def _system(matvec: Callable[..., Any]) -> Callable[..., Any]:
    def system(x, b):
        return minus(matvec(x), b)

    return system


def _linear(matvec: Callable[..., Any], solve: Any) -> Callable[..., Any]:
    """A solver of linear systems as one of a condition."""
    found = Solver.of(solve)
    solve_vectors, is_local = found.function, isinstance(solve, Solver) or found.is_emitted
    system = _system(matvec)
    given = implicit(_given(system), system, solve, False, has_aux=False)

    def solver(init, b):
        if has_complex(b) or is_local:  # the tangent along b of the solution 0 for 0, which the condition's rule solves
            still = as_tree(np.zeros_like(vector_of(b)), b)
            return jvp(given, (still, still), (still, b))[1]

        def product(v):
            return vector_of(matvec(as_tree(v, init)), init)

        return as_tree(solve_vectors(product, vector_of(b)), init)

    return solver


def _forward_backward(f: Callable[..., Any], prox: Callable[..., Any]) -> Callable[..., Any]:
    """The map whose fixed points are the minima of f plus what the proximal operator is of."""

    def proximal_step(x, *args):
        v = vector_of(x)
        return prox(as_tree(v - vector_of(grad(f, conj=True)(x, *args)), x), 1.0)

    return proximal_step


def _given(condition: Callable[..., Any]) -> Callable[..., Any]:
    """The solver of a condition whose solution is known."""

    def solver(init, *args):
        return init

    return solver


# For each kind of problem: the condition of a function, and its solvers by name.
KINDS: dict[str, tuple[Callable[..., Any], dict[str, Callable[..., Any]]]] = {
    "root": (_itself, {"newton": solvers.newton, "broyden": solvers.broyden, "brent": solvers.brent, "given": _given}),
    "fixed_point": (_itself, {"anderson": solvers.anderson, "iteration": solvers.iteration}),
    "minimize": (
        _slope,
        {
            "newton": solvers.newton_minimum,
            "lbfgs": solvers.lbfgs,
            "gradient_descent": solvers.gradient_descent,
            "coordinate_descent": coordinate_descent,
        },
    ),
    "least_squares": (_half_square, {"levenberg_marquardt": solvers.levenberg_marquardt}),
    "linear_solve": (_system, {}),
}
# Those of minima of sums with what a proximal operator is of.
PROXIMAL: dict[str, Callable[..., Any]] = {"fista": solvers.fista, "coordinate_descent": coordinate_descent}


@dataclass(frozen=True)
class Problem:
    """A kind of problem and how it is solved: of a function it makes `solver(init, *args)`.

    Attributes:
        kind: "root", "fixed_point", "minimize", "least_squares" or "linear_solve".
        method: the name of the solver; of linear systems there is none.
        solve: the solver of the linear systems of the derivative.
        options: of the solver, by name.
        prox: the proximal operator of what is added to a function that is minimized.
    """

    kind: str
    method: str | None
    solve: Any
    options: tuple[tuple[str, Any], ...] = ()
    prox: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "solve", Solver.kept(self.solve))
        _, known = KINDS[self.kind]
        if self.prox is not None:
            if self.method not in PROXIMAL:
                names = ", ".join(map(repr, PROXIMAL))
                raise ValueError(f"{self.kind} with prox: method={self.method!r}; there are {names}")
            return
        if self.method is not None and self.method not in known and not self._is_scipys():
            names = ", ".join(repr(name) for name in known if name != "given")
            raise ValueError(f"{self.kind}: method={self.method!r}; there are {names}")

    def _is_scipys(self) -> bool:
        name = (self.method or "").partition(":")[0]
        return name == "scipy" and self.kind in ("root", "minimize", "least_squares")

    def __call__(self, function: Callable[..., Any]) -> Any:
        _, known = KINDS[self.kind]
        if self.prox is not None:
            made = PROXIMAL[self.method or "fista"](function, self.prox, **dict(self.options))
            return self.implicit(function, made, is_fixed=True)
        if self._is_scipys():
            from .scipy_solvers import by_scipy

            options = {"tol": None, "maxiter": None, **dict(self.options)}
            made = by_scipy(self.kind, function, (self.method or "").partition(":")[2], **options)
        elif self.method is None:
            made = _linear(function, self.solve)
        else:
            made = known[self.method](function, **dict(self.options))
        return self.implicit(function, made, self.kind == "fixed_point")

    def implicit(self, function: Callable[..., Any], made: Callable[..., Any], is_fixed: bool) -> Any:
        """The solver for a function with its condition."""
        of = KINDS[self.kind][0]
        condition = of(function) if self.prox is None else _forward_backward(function, self.prox)
        made.__name__ = self.kind
        made.__dict__["__adcore_source__"] = definition(function)  # where errors are
        return implicit(made, condition, self.solve, is_fixed, has_aux=False)


def matrices_of(condition: Callable[..., Any]) -> Any:
    """`matrices(vector, like, *args)`: a condition's value, and its derivatives as dense matrices.

    They are by the solution, which is a vector here, and by all real numbers among the further arguments.
    """

    def matrices(v, like, *args):
        def value(v, p):
            return vector_of(condition(as_tree(v, like), *with_reals(p, args)))

        p = reals_of(args)
        return value(v, p), jacfwd(value)(v, p), jacfwd(value, argnums=1)(v, p)

    return jit(matrices)


def _solved(function: Callable[..., Any], problem: Problem, *arguments: Any) -> Any:
    return kept(function, problem)(*arguments)


def kept(function: Callable[..., Any], problem: Callable[[Callable[..., Any]], Any]) -> Any:
    """What a problem makes of a function, kept with it, so that repeated calls compile once."""
    attributes = getattr(function, "__dict__", None)
    if attributes is None:
        return problem(function)
    cache = attributes.get("__adcore_problems__", {})
    found = cache.get(problem)
    if found is None or found[0] is not function:  # functools.wraps copies the attribute to wrappers
        found = function, problem(function)
        latest = list(cache.items())[-KEPT:]  # a proximal operator made for each call would be kept for ever
        attributes["__adcore_problems__"] = {**dict(latest), problem: found}
    return found[1]


def root(
    F: Callable[..., Any],
    x0: Any,
    *args: Any,
    method: str = "newton",
    solve: Any = "auto",
    tol: float | None = None,
    maxiter: int | None = None,
) -> Any:
    """A solution x of F(x, *args) = 0, differentiable by all of `args` and by what F closes over.

    Args:
        F: a function of the language, which gives as many numbers as x has, in the same structure.
        x0: where the solver begins: a number, an array of any shape, or a tree of them, real or complex; for "brent"
            two real numbers between which the solution is, at which F has different signs.
        *args: further arguments of F.
        method: "newton" (damped, by the dense Jacobian), "broyden", or "brent" for one number; "scipy" or
            "scipy:lm", … for SciPy's `scipy.optimize.root` and its methods, where F is not defined in a compiled
            function.
        solve: of the linear systems of the derivative, as in `custom_root`.
        tol: of the last step, by the size of x.
        maxiter: steps after which it is an error.

    Returns:
        The solution, like `x0`.

    Raises:
        RuntimeError: the method has not converged.
        LinAlgError: a Jacobian is singular.
        ValueError: there is no such method; "brent" has one sign at both ends.

    >>> from adcore import grad
    >>> root(lambda x, a: x**3 + x - a, 1.0, 10.0)
    2.0
    >>> grad(lambda a: root(lambda x: x**3 + x - a, 1.0))(10.0) * 13.0
    1.0
    """
    return _solved(F, problem_of("root", method, solve, tol, maxiter), x0, *args)


def fixed_point(
    T: Callable[..., Any],
    x0: Any,
    *args: Any,
    method: str = "anderson",
    solve: Any = "auto",
    tol: float | None = None,
    maxiter: int | None = None,
) -> Any:
    """A fixed point T(x, *args) = x, differentiable by all of `args` and by what T closes over.

    Arguments, result and errors as of `root`, but for

    Args:
        method: "anderson" (Anderson's acceleration) or "iteration" (x ← T(x)).

    >>> import math
    >>> round(fixed_point(lambda x: math.cos(x), 1.0), 12)
    0.739085133215
    """
    return _solved(T, problem_of("fixed_point", method, solve, tol, maxiter), x0, *args)


def minimize(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    method: str | None = None,
    solve: Any = "auto",
    tol: float | None = None,
    maxiter: int | None = None,
    prox: Callable[..., Any] | None = None,
) -> Any:
    """A local minimum of f(x, *args) over x, differentiable by all of `args` and by what f closes over.

    Its condition is that the gradient is 0, so that derivatives solve systems with the Hessian there.

    Args:
        f: a function of the language that gives one real number.
        x0, *args, solve, tol, maxiter: as of `root`; `solve="cg"` is for minima of many numbers.
        method: "newton" (dense Hessian, the usual one), "lbfgs" (for many unknowns), "gradient_descent",
            "coordinate_descent" (one number after the other, with the dense Hessian); with `prox` "fista" (accelerated
            proximal gradient, the usual one) or "coordinate_descent", if prox acts on each number by itself, as that of
            the lasso does.  "scipy" or "scipy:trust-constr", … as of `root`.
        prox: `prox(x, scaling)`, the proximal operator of scaling times a further function g that is added to f, or
            the projection on a set in which x has to be, as `lambda x, t: prox_lasso(x, penalty, t)` of
            `adcore.proximal`.  The derivative by what it closes over is right, too.

    Returns:
        The place of the minimum, like `x0`.

    Raises:
        RuntimeError: the method has not converged.
        LinAlgError: at the call of a derivative: the Hessian is singular.

    >>> import numpy as np
    >>> from adcore import jacfwd
    >>> def ridge(w, penalty):
    ...     return np.sum((np.array([[1.0, 2.0], [3.0, 4.0]]) @ w - 1.0) ** 2) + penalty * np.sum(w**2)
    >>> jacfwd(lambda p: minimize(ridge, np.zeros(2), p))(0.5).round(6)
    array([ 0.375105, -0.273908])
    """
    return _solved(f, problem_of("minimize", method, solve, tol, maxiter, prox), x0, *args)


def least_squares(
    residuals: Callable[..., Any],
    x0: Any,
    *args: Any,
    method: str = "levenberg_marquardt",
    solve: Any = "auto",
    tol: float | None = None,
    maxiter: int | None = None,
) -> Any:
    """A local minimum of ½ Σ residuals(x, *args)², differentiable by all of `args` and by what they close over.

    Arguments, result and errors as of `minimize`; the residuals are a number, an array or a tree of them.

    >>> import numpy as np
    >>> t = np.array([0.0, 1.0, 2.0, 3.0])
    >>> least_squares(lambda p: p[0] * np.exp(p[1] * t) - 2.0 * np.exp(-0.5 * t), np.array([1.0, 0.0])).round(9)
    array([ 2. , -0.5])
    """
    return _solved(residuals, problem_of("least_squares", method, solve, tol, maxiter), x0, *args)


def linear_solve(matvec: Callable[..., Any], b: Any, solve: Any = "auto") -> Any:
    """The solution x of matvec(x) = b, differentiable by b and by what the product closes over.

    Args:
        matvec: a linear function of the language, from trees like b to trees like b; its matrix is regular.
        b: a number, an array or a tree of them.
        solve: the solver, here and in derivatives, as in `custom_root`.

    Returns:
        The solution, like b.

    Raises:
        LinAlgError: the matrix is singular, or an iteration has not converged.

    >>> import numpy as np
    >>> from adcore import grad
    >>> def laplace(u, k):
    ...     f = (2.0 + k) * u
    ...     f[1:] -= u[:-1]
    ...     f[:-1] -= u[1:]
    ...     return f
    >>> round(grad(lambda k: np.sum(linear_solve(lambda u: laplace(u, k), np.ones(50), solve="cg")))(0.1), 4)
    -4147.3413
    """
    return _solved(matvec, Problem("linear_solve", None, solve), b, b)


def root_jvp(
    F: Callable[..., Any],
    solution: Any,
    args: tuple[Any, ...],
    tangents: tuple[Any, ...],
    solve: Any = "auto",
) -> Any:
    """The tangent of a solution of F(solution, *args) = 0 that is known already.

    Args:
        F: the condition.
        solution: where it holds.
        args: its further arguments.
        tangents: one for each of them.
        solve: as in `custom_root`.

    Returns:
        The tangent, like the solution.

    >>> root_jvp(lambda x, a: x**2 - a, 3.0, (9.0,), (1.0,)) * 6.0
    1.0
    """
    given = kept(F, Problem("root", "given", solve))
    return jvp(given, (solution, *args), (_still(solution), *tangents))[1]


def root_vjp(
    F: Callable[..., Any],
    solution: Any,
    args: tuple[Any, ...],
    cotangent: Any,
    solve: Any = "auto",
) -> tuple[Any, ...]:
    """The cotangents of the arguments of F(solution, *args) = 0 for a cotangent of its solution.

    Arguments as of `root_jvp`.

    Returns:
        A tuple with an entry for each of `args`.

    >>> root_vjp(lambda x, a: x**2 - a, 3.0, (9.0,), 6.0)
    (1.0,)
    """
    _, pullback = vjp(kept(F, Problem("root", "given", solve)), solution, *args)
    return pullback(cotangent)[1:]


def _still(tree: Any) -> Any:
    return as_tree(np.zeros_like(vector_of(tree)), tree)


def problem_of(
    kind: str,
    method: str | None,
    solve: Any,
    tol: float | None,
    maxiter: int | None,
    prox: Callable[..., Any] | None = None,
) -> Problem:
    """A problem with a solver, the usual one without a method, and those options of it that are given."""
    options = [(name, value) for name, value in (("tol", tol), ("maxiter", maxiter)) if value is not None]
    usual = "fista" if prox is not None else next(iter(KINDS[kind][1]))
    return Problem(kind, method or usual, solve, tuple(options), prox)
