"""Special functions that SciPy does not have, for use inside and outside of differentiated functions."""

from __future__ import annotations

from typing import Any

from .primitives import TABLE

__all__ = ["mittag_leffler"]

MITTAG_LEFFLER = TABLE["mittag_leffler"]


def mittag_leffler(z: Any, alpha: Any, beta: Any = 1.0) -> Any:
    """The Mittag-Leffler function, the sum of z**k / gamma(alpha k + beta) over k >= 0, of real arguments.

    Arguments:
        z, alpha, beta: numbers or arrays that broadcast; derivatives are taken in all three.

    Returns:
        float64: the values; nan where alpha <= 0, and where alpha > 2 with z < -1, which is not supported.

    The error of values and of first derivatives is below 1e-11 of the larger of themselves and 1/(1 + |z|), for
    0.2 <= alpha <= 2 and 0.5 <= beta <= 3 (R. Garrappa, SIAM J. Numer. Anal. 53, 2015).

    >>> round(float(mittag_leffler(-2.0, 0.5)), 12)  # exp(4) erfc(2)
    0.255395676311
    """
    return MITTAG_LEFFLER(alpha, beta, z)
