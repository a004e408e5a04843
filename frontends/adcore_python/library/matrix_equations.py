"""Equations for matrices: Sylvester's and Lyapunov's, which are linear, and Riccati's.

The linear ones are solved by Schur forms in cubic time, and so are their derivatives, with the same Schur forms.
"""

from __future__ import annotations

import numpy as np

from adcore import factorizations
from adcore.custom import stop_gradient

from .decompositions import square_for_scipy
from .factors import adjoint, alike, doubled, inexact, precision
from .registry import defines, refuse
from .solving import solution

__all__: list[str] = []


def _schur(x):
    """T and Z of a matrix, and its eigenvalues."""
    square_for_scipy(x)
    if not np.all(np.isfinite(x)):
        raise ValueError("array must not contain infs or NaNs")
    t, z, w, info = factorizations.schur(x)
    if info > 0:
        raise np.linalg.LinAlgError("Schur form not found. Possibly ill-conditioned.")
    return t, z, w


def _determined(first, second, size, message):
    """Raise where two eigenvalues, one of each kind, add up to nothing but rounding."""
    if first.shape[0] > 0 and second.shape[0] > 0:
        least = np.min(np.abs(first[:, np.newaxis] + second))
        if not least > size:
            raise np.linalg.LinAlgError(message)


def _rounding(x):
    """How far rounding moves the eigenvalues, at the least."""
    return precision(x) * np.max(np.abs(stop_gradient(x)), initial=0.0)


@defines("scipy.linalg.solve_sylvester")
def solve_sylvester(a, b, q):
    x, y, given = alike(inexact(a), inexact(b), inexact(q))
    (t, z, w), (s, v, u) = _schur(x), _schur(y)
    if given.ndim != 2 or given.shape[0] != x.shape[0] or given.shape[1] != y.shape[0]:
        raise ValueError("q has to have as many rows as a, and as many columns as b")
    message = "solve_sylvester: a and -b have an eigenvalue in common, so that the equation has no one solution"
    _determined(w, u, max(_rounding(x), _rounding(y)), message)
    return factorizations.sylvester(x, y, given, t, z, s, v, adjoint=False, transposed=False)


@defines("scipy.linalg.solve_continuous_lyapunov", "scipy.linalg.solve_lyapunov")
def solve_continuous_lyapunov(a, q):
    x, given = alike(inexact(a), inexact(q))
    if given.shape != x.shape:
        raise ValueError("Matrix a and q should have the same shape.")
    return _lyapunov(x, given, "solve_continuous_lyapunov: a has eigenvalues that add up to 0, one of them conjugated")


def _lyapunov(x, given, message):
    """The y with x y + y xᴴ = given."""
    t, z, w = _schur(x)
    _determined(w, np.conj(w), _rounding(x), message)
    return factorizations.sylvester(x, adjoint(x), given, t, z, t, z, adjoint=True, transposed=False)


@defines("scipy.linalg.solve_discrete_lyapunov")
def solve_discrete_lyapunov(a, q, method=None):
    if method not in (None, "direct", "bilinear"):
        raise ValueError(f"Unknown solver {method}")
    x, given = alike(doubled(a), doubled(q))
    square_for_scipy(x)
    if given.shape != x.shape:
        raise ValueError("Matrix a and q should have the same shape.")
    return _stein(x, given)


def _stein(x, given):
    """The y with x y xᴴ - y + given = 0.

    Where x + 1 is singular, so is the equation.  With c = (x + 1)⁻¹ (x - 1) it is c y + y cᴴ = -2 (x + 1)⁻¹ given
    (x + 1)⁻ᴴ.
    """
    message = "solve_discrete_lyapunov: a has eigenvalues whose product is 1, one of them conjugated"
    one = np.eye(x.shape[0], dtype=x.dtype)
    moved = x + one
    half = solution(moved, given, message)
    right = adjoint(solution(moved, adjoint(half), message))
    return _lyapunov(solution(moved, x - one, message), -2.0 * right, message)


# Riccati's equations.  The doubling algorithm (Chu, Fan and Lin 2005) and two of Newton's steps (Kleinman 1968; Hewer
# 1971) find the solution.  Nothing of that is differentiated: the row states which equation the solution satisfies.

DOUBLINGS = 60


@defines("scipy.linalg.solve_continuous_are")
def solve_continuous_are(a, b, q, r, e=None, s=None, balanced=True):
    if e is not None or s is not None:
        refuse("solve_continuous_are with e or s", "the equation with e = 1 and s = 0")
    x, y, given, weight = _riccati(a, b, q, r, "solve_continuous_are")
    gain = y @ np.linalg.solve(weight, adjoint(y))
    found = _continuous(stop_gradient(x), stop_gradient(gain), stop_gradient(given))
    return _stated(x, -gain, -given, -adjoint(x), found)


def _continuous(a, g, q):
    """The stabilizing y with aᴴ y + y a - y g y + q = 0."""
    one = np.eye(a.shape[0], dtype=a.dtype)
    shift = 1.0 + np.max(np.sum(np.abs(a), axis=1))  # of Cayley's transform
    moved = a - shift * one
    inner = np.linalg.inv(adjoint(moved) + q @ np.linalg.solve(moved, g))
    first = one + 2.0 * shift * adjoint(inner)
    second = 2.0 * shift * np.linalg.solve(moved, g) @ inner
    third = 2.0 * shift * inner @ q @ np.linalg.inv(moved)
    found = _doubled(first, second, third)
    for _ in range(2):
        found = solve_continuous_lyapunov(adjoint(a - g @ found), -(q + found @ g @ found))
    return found


@defines("scipy.linalg.solve_discrete_are")
def solve_discrete_are(a, b, q, r, e=None, s=None, balanced=True):
    if e is not None or s is not None:
        refuse("solve_discrete_are with e or s", "the equation with e = 1 and s = 0")
    x, y, given, weight = _riccati(a, b, q, r, "solve_discrete_are")
    gain = y @ np.linalg.solve(weight, adjoint(y))
    found = _discrete(stop_gradient(x), stop_gradient(y), stop_gradient(given), stop_gradient(weight))
    # With c of the closed loop ((x, 0), (-given, 1)) (1, found) = ((1, gain), (0, xᴴ)) (1, found) c.  The transform
    # of Cayley, (c + 1)⁻¹ (c - 1) of c, makes one matrix of the two.
    n = x.shape[0]
    one = np.eye(n, dtype=x.dtype)
    both = np.linalg.solve(
        _of_blocks(x + one, gain, -given, one + adjoint(x)), _of_blocks(x - one, -gain, -given, one - adjoint(x))
    )
    return _stated(both[:n, :n], both[:n, n:], both[n:, :n], both[n:, n:], found)


def _discrete(a, b, q, r):
    """The stabilizing y with aᴴ y a - y - aᴴ y b (r + bᴴ y b)⁻¹ bᴴ y a + q = 0."""
    found = _doubled(a, b @ np.linalg.solve(r, adjoint(b)), q)
    for _ in range(2):
        back = np.linalg.solve(r + adjoint(b) @ found @ b, adjoint(b) @ found @ a)
        found = solve_discrete_lyapunov(adjoint(a - b @ back), q + adjoint(back) @ r @ back)
    return found


def _of_blocks(a, b, c, d):
    """((a, b), (c, d)) of matrices of one shape."""
    n = a.shape[0]
    made = np.empty((2 * n, 2 * n), a.dtype)
    made[:n, :n] = a
    made[:n, n:] = b
    made[n:, :n] = c
    made[n:, n:] = d
    return made


def _stated(a, b, c, d, found):
    """The Hermitian y with y a + y b y = c + d y, which has been found."""
    y = factorizations.riccati(a, b, c, d, stop_gradient(0.5 * (found + adjoint(found))))
    return 0.5 * (y + adjoint(y))


def _riccati(a, b, q, r, name):
    x, y = alike(doubled(a), doubled(b))
    given, weight = alike(doubled(q), doubled(r))
    x, given = alike(x, given)
    y, weight = alike(y, weight)
    if x.ndim != 2 or y.ndim != 2 or given.ndim != 2 or weight.ndim != 2:
        refuse(f"{name} of what are not matrices", "matrices, also for one input")
    if y.shape[0] != x.shape[0]:
        raise ValueError("Matrix a and b should have the same number of rows.")
    if given.shape[0] != x.shape[0]:
        raise ValueError("Matrix a and q should have the same shape.")
    if weight.shape[0] != y.shape[1]:
        raise ValueError("Matrix b and r should have the same number of columns.")
    if not _is_hermitian(given):
        raise ValueError("Matrix q should be symmetric/hermitian.")
    if not _is_hermitian(weight):
        raise ValueError("Matrix r should be symmetric/hermitian.")
    return x, y, 0.5 * (given + adjoint(given)), 0.5 * (weight + adjoint(weight))


def _is_hermitian(x):
    size = np.max(np.sum(np.abs(x), axis=0))
    return np.max(np.sum(np.abs(x - adjoint(x)), axis=0)) <= 3e-14 * size


def _doubled(a, g, h):
    """The limit of h, where (a, g, h) are what the doubling algorithm goes on from."""
    n = a.shape[0]
    change = 1.0
    step = 0
    while change > 1e-15 and step < DOUBLINGS:
        inner = np.linalg.inv(np.eye(n) + g @ h)
        further = adjoint(a) @ h @ inner @ a
        g = g + a @ inner @ g @ adjoint(a)
        a = a @ inner @ a
        h = h + further
        change = np.max(np.abs(further)) / (1e-300 + np.max(np.abs(h)))
        step += 1
    if not change <= 1e-8:
        raise np.linalg.LinAlgError("Failed to find a finite solution.")
    return h
