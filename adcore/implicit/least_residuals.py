"""LSMR: the least residual of the normal equations, from products with A and its transpose alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..api import vjp

__all__ = ["lsmr"]

TOLERANCE = 1e-12


def lsmr(matvec: Any, b: Any, tol: Any = TOLERANCE, maxiter: Any = None, damp: Any = 0.0) -> Any:
    """The least squares solution of A x = b of the least norm, by LSMR (Fong and Saunders 2011).

    In exact arithmetic that is MINRES of Aᴴ A x = Aᴴ b, and no product with Aᴴ A is made: both ‖Aᴴ r‖ and ‖r‖ fall at
    every step, so that it can be stopped earlier than `normal_cg`, and gets further where A is badly conditioned.

    Args:
        matvec: the product with A, any one, singular or not.
        b: the right-hand side, (n,).
        tol: it ends where ‖r‖ ≤ tol (‖b‖ + ‖A‖ ‖x‖), or ‖Aᴴ r‖ ≤ tol ‖A‖ ‖r‖ where A x = b has no solution; or where
            rounding, of which these are estimates as of the paper's section 3, lets neither fall any further.
        maxiter: steps after which it stops, however far it is; without it that is an error after 20 n steps.
        damp: λ, of the minimum of ‖A x - b‖² + λ² ‖x‖².

    Returns:
        The solution, (n,).

    Raises:
        LinAlgError: it has not converged.

    >>> lsmr(lambda x: np.array([2.0 * x[0], x[0] + 4.0 * x[1]]), np.array([2.0, 9.0])).round(9)
    array([1., 2.])
    """
    _, transposed = vjp(matvec, b)
    most = 20 * len(b) + 20 if maxiter is None else maxiter
    x = np.zeros_like(b)
    beta = np.linalg.norm(b)
    if not beta > 0.0:
        return x if beta == 0.0 else x + beta  # NaN
    u = b / beta
    v = np.conj(transposed(np.conj(u))[0])
    alpha = np.linalg.norm(v)
    if alpha == 0.0:
        return x  # b is orthogonal to all that A gives
    v = v / alpha
    one = beta / beta
    nothing = beta - beta
    scale = beta

    # The bidiagonalization's last entry, the two rotations of its QR factorizations, and the direction of the step.
    alphabar, zetabar = alpha, alpha * beta
    rho, rhobar, cbar, sbar = one, one, one, nothing
    h = v.copy()
    hbar = np.zeros_like(b)
    zeta = nothing

    # Those that the norm of the residual is found by.
    betadd, betad, rhod, tau, theta, lost = beta, nothing, one, nothing, nothing, nothing
    squared = alpha * alpha
    step = 0
    converged = False
    while not converged and step < most:
        u = matvec(v) - alpha * u
        beta = np.linalg.norm(u)
        if beta > 0.0:
            u = u / beta
            v = np.conj(transposed(np.conj(u))[0]) - beta * v
            alpha = np.linalg.norm(v)
            if alpha > 0.0:
                v = v / alpha

        alphahat = np.hypot(alphabar, damp)
        chat, shat = (alphabar / alphahat, damp / alphahat) if alphahat > 0.0 else (one, nothing)
        rho_before = rho
        rho = np.hypot(alphahat, beta)
        if rho == 0.0:
            break  # A v = 0: what is left of b is orthogonal to all that A gives
        c, s = alphahat / rho, beta / rho
        theta_new = s * alpha
        alphabar = c * alpha

        rhobar_before, zeta_before = rhobar, zeta
        thetabar = sbar * rho
        along = cbar * rho
        rhobar = np.hypot(along, theta_new)
        if rhobar == 0.0:
            break
        cbar, sbar = along / rhobar, theta_new / rhobar
        zeta = cbar * zetabar
        zetabar = -sbar * zetabar

        hbar = h - (thetabar * rho / (rho_before * rhobar_before)) * hbar
        x = x + (zeta / (rho * rhobar)) * hbar
        h = v - (theta_new / rho) * h

        lost = lost + (shat * betadd) ** 2
        betahat = c * chat * betadd
        betadd = -s * chat * betadd
        theta_before = theta
        rhotilde = np.hypot(rhod, thetabar)
        ctilde, stilde = rhod / rhotilde, thetabar / rhotilde
        theta = stilde * rhobar
        rhod = ctilde * rhobar
        betad = -stilde * betad + ctilde * betahat
        tau = (zeta_before - theta_before * tau) / rhotilde
        left = np.sqrt(lost + (betad - (zeta - theta * tau) / rhod) ** 2 + betadd * betadd)

        squared = squared + beta * beta
        size = np.sqrt(squared)
        squared = squared + alpha * alpha
        whole = scale + size * np.linalg.norm(x)
        slope = np.abs(zetabar)
        converged = left <= tol * whole or slope <= tol * size * left
        converged = converged or whole + left <= whole or size * left + slope <= size * left
        step += 1
    if maxiter is None and not converged and step == most:
        raise np.linalg.LinAlgError("lsmr has not converged: the matrix is badly conditioned")
    return x
