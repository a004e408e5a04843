"""Solvers of linear systems A x = b that know A by its products alone, in the language.

Each takes the product, a function of one vector, and the right-hand side, a vector, and runs as it stands under plain
Python too.  What follows them are their options: `functools.partial(cg, tol=1e-6)` is a solver as well.  A product of
complex vectors is to be linear over complex numbers; conditions that are not so have products of real vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..api import jacfwd, vjp
from .least_residuals import lsmr

__all__ = ["SOLVERS", "auto", "bicgstab", "cg", "gmres", "lsmr", "lstsq", "lu", "neumann", "normal_cg"]

DENSE = 256  # unknowns up to which `auto` makes the matrix
TOLERANCE = 1e-12


def lu(matvec: Any, b: Any) -> Any:
    """The dense matrix, column by column, and its factors.

    Args:
        matvec: the product with A, of a vector (n,).
        b: the right-hand side, (n,).

    Returns:
        The solution, (n,).

    Raises:
        LinAlgError: A is singular.
    """
    return np.linalg.solve(_matrix(matvec, b), b)


def lstsq(matvec: Any, b: Any) -> Any:
    """The dense matrix and its pseudo-inverse: of a singular system the least squares solution of the least norm."""
    return np.linalg.pinv(_matrix(matvec, b)) @ b


def _matrix(matvec: Any, b: Any) -> Any:
    return jacfwd(matvec, holomorphic=np.iscomplexobj(b))(np.zeros_like(b))


def auto(matvec: Any, b: Any) -> Any:
    """`lu` for up to 256 unknowns, else `gmres`."""
    if len(b) <= DENSE:
        return lu(matvec, b)
    return gmres(matvec, b)


def cg(matvec: Any, b: Any, tol: Any = TOLERANCE, maxiter: Any = None, preconditioner: Any = None) -> Any:
    """Conjugate gradients, of a symmetric (Hermitian) definite A (Hestenes and Stiefel 1952).

    Args:
        matvec: the product with A.
        b: the right-hand side.
        tol: of the residual, by the norm of the right-hand side.
        maxiter: steps after which it stops, however far it is; without it that is an error after 10 n steps.
        preconditioner: an approximation of the product with A⁻¹, symmetric definite.

    Raises:
        LinAlgError: it has not converged.
    """
    most = 10 * len(b) + 10 if maxiter is None else maxiter
    limit = (tol * tol) * _inner(b, b)
    x = np.zeros_like(b)
    residual = b.copy()
    direction = residual.copy() if preconditioner is None else preconditioner(residual)
    size = _inner(residual, direction)
    step = 0
    while _inner(residual, residual) > limit and step < most:
        product = matvec(direction)
        curvature = _inner(direction, product)
        if curvature == 0.0:
            break
        along = size / curvature
        x = x + along * direction
        residual = residual - along * product
        found = residual if preconditioner is None else preconditioner(residual)
        before = size
        size = _inner(residual, found)
        direction = found + (size / before) * direction
        step += 1
    if maxiter is None and not _inner(residual, residual) <= limit:
        raise np.linalg.LinAlgError("cg has not converged: the matrix is not symmetric and definite, or singular")
    return x


def normal_cg(matvec: Any, b: Any, tol: Any = TOLERANCE, maxiter: Any = None) -> Any:
    """Conjugate gradients of Aᴴ A x = Aᴴ b: for any A; of a singular one a least squares solution.

    Args:
        matvec, b, maxiter: as of `cg`.
        tol: of the residual of the normal equations, by its norm at 0.

    Raises:
        LinAlgError: it has not converged.
    """
    _, transposed = vjp(matvec, b)
    most = 20 * len(b) + 20 if maxiter is None else maxiter
    x = np.zeros_like(b)
    residual = b.copy()
    slope = np.conj(transposed(np.conj(residual))[0])
    direction = slope.copy()
    size = _inner(slope, slope)
    limit = (tol * tol) * size
    step = 0
    while size > limit and step < most:
        product = matvec(direction)
        length = _inner(product, product)
        if length == 0.0:
            break
        along = size / length
        x = x + along * direction
        residual = residual - along * product
        slope = np.conj(transposed(np.conj(residual))[0])
        before = size
        size = _inner(slope, slope)
        direction = slope + (size / before) * direction
        step += 1
    if maxiter is None and not size <= limit:
        raise np.linalg.LinAlgError("normal_cg has not converged: the matrix is badly conditioned")
    return x


def bicgstab(matvec: Any, b: Any, tol: Any = TOLERANCE, maxiter: Any = None, preconditioner: Any = None) -> Any:
    """The stabilized method of biconjugate gradients, of any regular A (van der Vorst 1992).

    Arguments and errors as of `cg`; the preconditioner need not be symmetric.
    """
    most = 10 * len(b) + 10 if maxiter is None else maxiter
    limit = (tol * tol) * _inner(b, b)
    x = np.zeros_like(b)
    residual = b.copy()
    shadow = b.copy()
    direction = np.zeros_like(b)
    product = np.zeros_like(b)
    rho = _product(shadow, residual)
    alpha = rho
    omega = rho
    step = 0
    while _inner(residual, residual) > limit and step < most:
        before = rho
        rho = _product(shadow, residual)
        if rho == 0.0:  # the shadow has become orthogonal: begin again from here
            shadow = residual.copy()
            rho = _product(residual, residual)
            direction = residual.copy()
        else:
            direction = residual + (rho / before) * (alpha / omega) * (direction - omega * product)
        along = direction if preconditioner is None else preconditioner(direction)
        product = matvec(along)
        curvature = _product(shadow, product)
        if curvature == 0.0:
            break
        alpha = rho / curvature
        half = residual - alpha * product
        across = half if preconditioner is None else preconditioner(half)
        turned = matvec(across)
        length = _inner(turned, turned)
        omega = _product(turned, half) / length if length > 0.0 else alpha
        x = x + alpha * along + omega * across
        residual = half - omega * turned
        step += 1
    if maxiter is None and not _inner(residual, residual) <= limit:
        raise np.linalg.LinAlgError("bicgstab has not converged: the matrix is singular or badly conditioned")
    return x


def gmres(
    matvec: Any, b: Any, tol: Any = TOLERANCE, maxiter: Any = None, restart: Any = 40, preconditioner: Any = None
) -> Any:
    """The generalized minimal residual method, begun again after some steps (Saad and Schultz 1986).

    Args:
        matvec, b, tol: as of `cg`; A is any regular matrix.
        maxiter: rounds of `restart` steps after which it stops; without it that is an error after 10 n of them.
        restart: steps of a round, for each of which a vector is kept.
        preconditioner: an approximation of the product with A⁻¹, applied from the right.

    Raises:
        LinAlgError: it has not converged.
    """
    n = len(b)
    m = min(restart, n)
    most = 10 * n + 10 if maxiter is None else maxiter
    limit = tol * np.sqrt(_inner(b, b))
    x = np.zeros_like(b)
    residual = b.copy()
    size = np.sqrt(_inner(residual, residual))
    step = 0
    while size > limit and step < most:
        basis = np.zeros((m + 1, n), b.dtype)
        upper = np.zeros((m, m), b.dtype)
        cosines = np.zeros(m, b.dtype)
        sines = np.zeros(m, b.dtype)
        right = np.zeros(m + 1, b.dtype)
        basis[0] = residual / size
        right[0] = size
        used = 0
        while used < m and abs(right[used]) > limit:
            along = basis[used] if preconditioner is None else preconditioner(basis[used])
            product = matvec(along)
            column = np.zeros(m + 1, b.dtype)
            for _ in range(2):  # Gram and Schmidt's method twice is orthogonal to rounding
                for i in range(used + 1):
                    part = _product(basis[i], product)
                    column[i] += part
                    product = product - part * basis[i]
            length = np.sqrt(_inner(product, product))
            if length > 0.0:
                basis[used + 1] = product / length
            for i in range(used):
                first = np.conj(cosines[i]) * column[i] + sines[i] * column[i + 1]
                column[i + 1] = cosines[i] * column[i + 1] - sines[i] * column[i]
                column[i] = first
            radius = np.sqrt(np.abs(column[used]) ** 2 + length**2)
            if radius == 0.0:
                raise np.linalg.LinAlgError("gmres: the matrix is singular")
            cosines[used] = column[used] / radius
            sines[used] = length / radius
            column[used] = radius
            right[used + 1] = -sines[used] * right[used]
            right[used] = np.conj(cosines[used]) * right[used]
            upper[:, used] = column[:m]
            used += 1
        weights = np.zeros(m, b.dtype)
        for k in range(used):
            i = used - 1 - k
            weights[i] = (right[i] - upper[i] @ weights) / upper[i, i]
        move = weights @ basis[:m]
        x = x + (move if preconditioner is None else preconditioner(move))
        residual = b - matvec(x)
        before = size
        size = np.sqrt(_inner(residual, residual))
        if maxiter is None and size > 0.999 * before:
            most = step  # no progress
        step += 1
    if maxiter is None and not size <= 1e4 * limit:
        raise np.linalg.LinAlgError("gmres has not converged: the matrix is singular or badly conditioned")
    return x


def _product(x: Any, y: Any) -> Any:
    return np.conj(x) @ y


def _inner(x: Any, y: Any) -> Any:
    """The inner product of vectors of real numbers, and of complex ones as pairs of real ones."""
    return np.real(np.conj(x) @ y)


def neumann(matvec: Any, b: Any, terms: Any = 20, step: Any = -1.0) -> Any:
    """The first terms of step · Σⱼ (1 - step · A)ʲ b, which converges to A⁻¹ b where 1 - step · A contracts.

    For the fixed points of T, A is ∂T - 1, so that the step is -1; for a minimum A is the Hessian, and the terms are
    those of as many steps of gradient descent of this size (Lorraine, Vicol and Duvenaud 2020).

    Args:
        matvec, b: as of `cg`.
        terms: how many after the first.
        step: the size of a step.
    """
    term = b.copy()
    total = b.copy()
    for _ in range(terms):
        term = term - step * matvec(term)
        total = total + term
    return step * total


SOLVERS = {f.__name__: f for f in (auto, bicgstab, cg, gmres, lsmr, lstsq, lu, neumann, normal_cg)}
