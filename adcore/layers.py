"""Solutions of optimization problems as functions of what the problems are made of: quadratic and linear programs here,
isotonic regression and optimal transport in modules of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import lu_factor, lu_solve

from .implicit import custom_root
from .isotonic import isotonic_regression
from .linprog import by_highs, require_method
from .transport import sinkhorn, sinkhorn_potentials

__all__ = ["isotonic_regression", "linear_program", "quadratic_program", "sinkhorn", "sinkhorn_potentials"]

STEPS = 100  # of the interior point method, which takes 10 to 30
STALLED = 10  # steps without progress after which it stops
TOLERANCE = 1e-13  # of the residuals, by the sizes of what they are of
ACCEPTED = 1e-7  # where rounding lets them fall no further


def quadratic_program(
    Q: Any, c: Any, A: Any = None, b: Any = None, G: Any = None, h: Any = None, kappa: Any = 0.0
) -> Any:
    """The minimum of ½ xᵀ Q x + cᵀ x for A x = b and G x ≤ h, and its multipliers.

    Solved by Mehrotra's predictor-corrector method (Nocedal and Wright 2006, algorithm 16.4) with dense matrices,
    differentiated by the conditions of Karush, Kuhn and Tucker (Amos and Kolter, arXiv:1703.00443), by all arguments.
    Where the solution has a kink (a constraint that is active with a multiplier of 0, more active constraints than
    unknowns), the derivative lies between those of the sides.

    Args:
        Q: (n, n), positive semidefinite; of other than symmetric ones the symmetric part counts.
        c: (n,).
        A, b: (p, n) and (p,), or None for no equations; the rows of A are independent.
        G, h: (m, n) and (m,), or None for no inequalities; h may be infinite where there is none.
        kappa: the products lam · (h - G x) of the inequalities.  0 is the minimum; a positive number is a point inside
            of the constraints, the minimum of the same less kappa Σ log(h - G x), which is smooth where constraints
            become active, and so are its derivatives, by kappa too (Howell et al., Dojo, arXiv:2203.00806).

    Returns:
        (x, nu, lam): the minimum (n,), the multipliers (p,) of the equations and (m,), not negative, of the
        inequalities, with Q x + c + Aᵀ nu + Gᵀ lam = 0.  None for what there is none of.

    Raises:
        ValueError: no minimum was found: no x fulfils the constraints (of a positive kappa: in their interior), the
            minimum is unbounded, or Q is indefinite; kappa is negative.
        LinAlgError: the rows of A are dependent, or the minimum without inequalities is not unique.

    >>> Q, c = np.eye(2), np.array([-2.0, -1.0])
    >>> x, nu, lam = quadratic_program(Q, c, G=np.eye(2), h=np.array([1.0, 3.0]))
    >>> x.round(6), nu, lam.round(6)
    (array([1., 1.]), None, array([1., 0.]))
    >>> quadratic_program(Q, c, G=np.eye(2), h=np.array([1.0, 3.0]), kappa=0.5)[0].round(6)
    array([0.633975, 0.775255])
    """
    if kappa < 0.0:
        raise ValueError("kappa is negative: there is no central path there")
    return _solved(0.5 * (Q + Q.T), c, A, b, G, h, kappa, "interior_point")


def _solved(Q: Any, c: Any, A: Any, b: Any, G: Any, h: Any, kappa: Any, method: Any) -> Any:
    bounded: Any = None if G is None else h < np.inf
    if G is not None:  # a row that is bounded by infinity is no constraint
        G, h = np.where(bounded[:, None], G, 0.0), np.where(bounded, h, 1.0)
    given = [_double(each) for each in (c, A, b, G, h)]
    found = _program(None, _double(Q), *given, 1.0 * kappa, method)
    x: Any = found[0]
    nu: Any = found[1]
    lam: Any = found[2]
    if G is not None:
        lam = np.where(bounded, lam, np.zeros_like(lam))
    return _like(x, c), _like(nu, c), _like(lam, c)


def linear_program(
    c: Any, A: Any = None, b: Any = None, G: Any = None, h: Any = None, kappa: Any = 0.0, method: str = "interior_point"
) -> Any:
    """The minimum of cᵀ x for A x = b and G x ≤ h, and its multipliers: `quadratic_program` with Q = 0.

    Among several minima it finds one in the middle of them, which has no derivative by c.  At a vertex that is 0.  With
    a positive kappa there is one solution, and a derivative by c.

    All unknowns are real numbers: of a mixed-integer program (`scipy.optimize.milp`) this is the relaxation, in which
    they need not be integers, with the derivatives of that.  Those of the integers themselves are 0 but for jumps.

    Args:
        c, A, b, G, h, kappa: as of `quadratic_program`.
        method: "interior_point", or, without kappa, "scipy": `scipy.optimize.linprog` (HiGHS), which finds a vertex
            of many unknowns or constraints sooner; "scipy:highs-ds", "scipy:highs-ipm" for a method of it.  The
            multipliers are those that it finds, and derivatives are those of the same conditions.

    Raises:
        ValueError: as of `quadratic_program`; there is no such method, or it has a kappa; SciPy says that it failed.
        LinAlgError: at the call of a derivative, by "scipy": the minimum or its multipliers are not unique.

    >>> x, _, lam = linear_program(np.array([-1.0, -2.0]), G=np.eye(2), h=np.array([1.0, 3.0]))
    >>> x.round(6), lam.round(6)
    (array([1., 3.]), array([1., 2.]))
    >>> x, _, lam = linear_program(np.array([-1.0, -2.0]), G=np.eye(2), h=np.array([1.0, 3.0]), method="scipy")
    >>> x, lam
    (array([1., 3.]), array([1., 2.]))
    """
    if method == "interior_point":
        return quadratic_program(np.zeros((len(c), len(c))), c, A, b, G, h, kappa)
    require_method(method, kappa)
    return _solved(np.zeros((len(c), len(c))), c, A, b, G, h, kappa, method)


def _double(given: Any) -> Any:
    return None if given is None else given.astype(np.float64)


def _like(found: Any, given: Any) -> Any:
    return None if found is None else found.astype(np.result_type(given.dtype, np.float32))


def _conditions(solution: Any, Q: Any, c: Any, A: Any, b: Any, G: Any, h: Any, kappa: Any, method: Any) -> Any:
    """Stationarity, the equations, and complementarity."""
    x, nu, lam = solution
    slope = Q @ x + c
    equal = None
    unequal = None
    if A is not None:
        slope = slope + A.T @ nu
        equal = A @ x - b
    if G is not None:
        slope = slope + G.T @ lam
        unequal = lam * (G @ x - h) + kappa
    return slope, equal, unequal


@custom_root(_conditions, solve="lu")  # its matrices are dense anyway
def _program(init: Any, Q: Any, c: Any, A: Any, b: Any, G: Any, h: Any, kappa: Any, method: Any) -> Any:
    if method != "interior_point":
        return by_highs(c, A, b, G, h, method)
    if G is None:
        matrix, right = (Q, -c) if A is None else (_bordered(Q, A), np.concatenate((-c, b)))
        found = np.linalg.solve(matrix, right)
        return found[: len(c)], None if A is None else found[len(c) :], None
    if A is None:
        x, _, lam = _interior_point(Q, c, np.zeros((0, len(c))), np.zeros(0), G, h, kappa)
        return x, None, lam
    return _interior_point(Q, c, A, b, G, h, kappa)


def _bordered(H: Any, A: Any, corner: Any = None) -> Any:
    last = np.zeros((len(A), len(A))) if corner is None else corner
    return np.concatenate((np.concatenate((H, A.T), axis=1), np.concatenate((A, last), axis=1)))


def _interior_point(Q: Any, c: Any, A: Any, b: Any, G: Any, h: Any, kappa: Any) -> Any:
    n = len(c)
    m = max(len(h), 1)
    found = np.linalg.solve(_bordered(Q + G.T @ G, A), np.concatenate((G.T @ h - c, b)))
    x = found[:n]
    nu = found[n:]
    residual = G @ x - h
    s = np.maximum(-residual, 1.0)
    lam = np.maximum(residual, 1.0)
    best = np.inf
    best_x, best_nu, best_lam = x.copy(), nu.copy(), lam.copy()
    size_b, size_c, size_h = 1.0 + np.abs(b), 1.0 + np.max(np.abs(c)), 1.0 + np.abs(h)
    stalled = 0
    for _ in range(STEPS):
        bent = Q @ x
        dual = bent + c + A.T @ nu + G.T @ lam
        primal = A @ x - b
        slack = G @ x + s - h
        gap = s @ lam / m
        error = max(
            np.max(np.abs(dual)) / max(size_c, np.max(np.abs(bent))),
            np.max(np.abs(primal) / size_b, initial=0.0),
            np.max(np.abs(slack) / size_h, initial=0.0),
            np.max(np.abs(s * lam - kappa) / (lam * size_h + s * size_c), initial=0.0),
        )
        stalled = 0 if error < 0.9 * best else stalled + 1
        if error < best:
            best = error
            best_x, best_nu, best_lam = x.copy(), nu.copy(), lam.copy()
        if error <= TOLERANCE or stalled > STALLED or not np.isfinite(error):
            break
        near = s < lam
        loose = np.where(near, 0.0, lam / s)
        factors = lu_factor(_matrix(Q + G.T @ (loose[:, None] * G), A, G[near], (s / lam)[near]), check_finite=False)
        push = s * lam - kappa
        dx, dnu, ds, dlam = _direction(factors, dual, primal, slack, push, s, lam, near, G)
        affine = (s + _length(s, ds) * ds) @ (lam + _length(lam, dlam) * dlam) / m
        reached = min(_length(s, ds), _length(lam, dlam)) if kappa > 0.0 else 1.0  # no bend that is not come to
        push = s * lam + reached**2 * ds * dlam - max(gap * (affine / gap) ** 3, kappa) if gap > 0.0 else push
        dx, dnu, ds, dlam = _direction(factors, dual, primal, slack, push, s, lam, near, G)
        along = min(_length(s, ds), _length(lam, dlam))
        x = x + along * dx
        nu = nu + along * dnu
        s = s + along * ds
        lam = lam + along * dlam
    if not best < ACCEPTED:
        raise ValueError("no minimum found: the constraints exclude each other, it is unbounded, or Q is indefinite")
    return best_x, best_nu, best_lam


def _matrix(H: Any, A: Any, G: Any, ratio: Any) -> Any:
    return _bordered(_bordered(H, A), np.concatenate((G, np.zeros((len(G), len(A)))), axis=1), -np.diag(ratio))


def _direction(
    factors: Any, dual: Any, primal: Any, slack: Any, push: Any, s: Any, lam: Any, near: Any, G: Any
) -> tuple[Any, Any, Any, Any]:
    """Newton's step for all residuals, the complementarity s · lam becoming less by `push`.

    Of the inequalities those that are near have their multipliers among the unknowns, and of the others these are
    eliminated: so no large number enters the matrix.
    """
    n = len(dual)
    p = len(primal)
    loose = np.where(near, 0.0, 1.0 / s)
    right = G.T @ (loose * (push - lam * slack)) - dual
    found = lu_solve(factors, np.concatenate((right, -primal, (push / lam - slack)[near])), check_finite=False)
    dx = found[:n]
    ds = -slack - G @ dx
    dlam = -(push + lam * ds) * loose
    dlam[near] = found[n + p :]
    ds[near] = (-(push + s * dlam) / lam)[near]
    return dx, found[n : n + p], ds, dlam


def _length(x: Any, dx: Any) -> Any:
    """The largest t ≤ 1 for which a hundredth of each x is left in x + t dx."""
    return 1.0 / np.max(-dx / x / 0.99, initial=1.0)
