"""Functions of matrices.

Derivatives are right where eigenvalues coincide, since none are computed.  Square roots and logarithms are found for
matrices without eigenvalues on the closed negative axis, the ones that have a principal root and logarithm.
"""

from __future__ import annotations

import numpy as np

from adcore import factorizations
from adcore.custom import stop_gradient

from .decompositions import square_for_scipy, stacked
from .factors import alike, doubled, inexact, precision
from .registry import defines
from .solving import inverse, matrix_power, solution

__all__ = ["expm", "logm", "sqrtm"]

# Higham (2005): the numerator of the Padé approximant of degree 13, and the largest norm that it serves
PADE = (
    *(64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0),
    *(10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0),
)
SERVED = 5.371920351148152
NONE = "found no principal one: there are eigenvalues on the closed negative axis"


def _norm(x):
    return np.max(np.sum(np.abs(x), axis=0)) if x.shape[0] > 0 else 0.0


@defines("scipy.linalg.expm")
def expm(A):
    x = inexact(A)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise np.linalg.LinAlgError("The input array must be at least two-dimensional, and its matrices square")
    if x.ndim == 2:
        return _exponential(x)
    flat = stacked(x)
    made = np.empty_like(flat)
    for k in range(flat.shape[0]):
        made[k] = _exponential(flat[k])
    return np.reshape(made, x.shape)


def _exponential(x):
    """Scaled down to where the Padé approximant serves, and squared."""
    halvings, size = 0, _norm(x)
    while size > SERVED and halvings < 1100:
        size = size * 0.5
        halvings += 1
    scaled = x * 0.5**halvings
    one, c = np.eye(x.shape[0], dtype=x.dtype), PADE
    x2 = scaled @ scaled
    x4 = x2 @ x2
    x6 = x4 @ x2
    odd = x6 @ (c[13] * x6 + c[11] * x4 + c[9] * x2) + c[7] * x6 + c[5] * x4 + c[3] * x2 + c[1] * one
    odd = scaled @ odd
    even = x6 @ (c[12] * x6 + c[10] * x4 + c[8] * x2) + c[6] * x6 + c[4] * x4 + c[2] * x2 + c[0] * one
    made = solution(even - odd, even + odd)
    for _ in range(halvings):
        made = made @ made
    return made


@defines("scipy.linalg.expm_frechet")
def expm_frechet(A, E, method=None, compute_expm=True, check_finite=True):
    x, y = alike(doubled(A), doubled(E))
    square_for_scipy(x)
    n = x.shape[0]
    both = np.zeros((2 * n, 2 * n), x.dtype)  # Van Loan (1978)
    both[:n, :n] = x
    both[:n, n:] = y
    both[n:, n:] = x
    made = _exponential(both)
    return (made[:n, :n], made[:n, n:]) if compute_expm else made[:n, n:]


def _cosine_and_sine(x):
    """Those of the rotation exp of ((0, -x), (x, 0))."""
    n = x.shape[0]
    both = np.zeros((2 * n, 2 * n), x.dtype)
    both[:n, n:] = -x
    both[n:, :n] = x
    turned = _exponential(both)
    return turned[:n, :n], turned[n:, :n]


@defines("scipy.linalg.cosm")
def cosm(A):
    return _cosine_and_sine(inexact(A))[0]


@defines("scipy.linalg.sinm")
def sinm(A):
    return _cosine_and_sine(inexact(A))[1]


@defines("scipy.linalg.tanm")
def tanm(A):
    cosine, sine = _cosine_and_sine(inexact(A))
    return solution(cosine, sine)


@defines("scipy.linalg.coshm")
def coshm(A):
    x = inexact(A)
    return 0.5 * (_exponential(x) + _exponential(-x))


@defines("scipy.linalg.sinhm")
def sinhm(A):
    x = inexact(A)
    return 0.5 * (_exponential(x) - _exponential(-x))


@defines("scipy.linalg.tanhm")
def tanhm(A):
    return solution(coshm(A), sinhm(A))


@defines("scipy.linalg.sqrtm")
def sqrtm(A):
    x = inexact(A)
    square_for_scipy(x)
    return _root(x, "scipy.linalg.sqrtm")


def _root(x, name):
    """The principal root, with the derivative that follows from what its square is."""
    return factorizations.square_root(x, _iterated_root(stop_gradient(x), name))


def _iterated_root(x, name):
    """Denman and Beavers's iteration, as a product (Cheng, Higham, Kenney and Laub 2001).

    One step more than where it has settled brings the last digits.
    """
    one, size = np.eye(x.shape[0], dtype=x.dtype), float(x.shape[0])
    root, product = x, x
    left, settled = 100, 0
    while settled < 2 and left > 0:
        inverted = inverse(product, f"{name} {NONE}")
        root = 0.5 * (root + root @ inverted)
        product = 0.5 * one + 0.25 * (product + inverted)
        settled = settled + 1 if _norm(product - one) <= 100.0 * size * precision(x) else 0
        left -= 1
    if left == 0:
        raise np.linalg.LinAlgError(f"{name} {NONE}")
    return root


# Gauss and Legendre's points and weights on (0, 1)
POINTS = tuple((0.5 * (np.polynomial.legendre.leggauss(8)[0] + 1.0)).tolist())
WEIGHTS = tuple((0.5 * np.polynomial.legendre.leggauss(8)[1]).tolist())


@defines("scipy.linalg.logm")
def logm(A):
    x = doubled(A)
    square_for_scipy(x)
    one, roots = np.eye(x.shape[0], dtype=x.dtype), 0
    while _norm(x - one) > 0.25 and roots < 100:
        x = _root(x, "scipy.linalg.logm")
        roots += 1
    beyond = x - one
    made = np.zeros_like(x)
    for k in range(8):  # log(1 + z) is the integral of z / (1 + t z) over t from 0 to 1
        made = made + WEIGHTS[k] * solution(one + POINTS[k] * beyond, beyond)
    return made * 2.0**roots


@defines("scipy.linalg.fractional_matrix_power")
def fractional_matrix_power(A, t):
    if isinstance(t, int):
        return matrix_power(A, t)
    x = doubled(A)
    square_for_scipy(x)
    whole = np.floor(t)
    return matrix_power(x, int(whole)) if t == whole else expm(t * logm(x))
