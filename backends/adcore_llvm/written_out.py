"""Special functions of SciPy's for libraries that have no SciPy: by the C library, or written out here as routines.

The routines compute as SciPy does (Cephes; Boost's approximation of digamma on [1, 2]).
"""

from __future__ import annotations

import math

import numpy as np

from adcore.primitives import TABLE
from adcore.primitives.routines import Routine

__all__ = ["IN_LIBM", "WRITTEN_OUT"]

GAMMALN = TABLE["gammaln"]

# The root of digamma near 1.46 in three parts, the slope there, and the approximation around it
ROOT = (
    1569415565.0 / 1073741824.0,
    381566830.0 / 1073741824.0 / 1073741824.0,
    0.9016312093258695918615325266959189e-19,
)
SLOPE = (0.99558162689208984,)
UPPER = (
    -0.0020713321167745952,
    -0.045251321448739056,
    -0.28919126444774784,
    -0.65031853770896507,
    -0.32555031186804491,
    0.25479851061131551,
)
LOWER = (
    -0.55789841321675513e-6,
    0.0021284987017821144,
    0.054151797245674225,
    0.43593529692665969,
    1.4606242909763515,
    2.0767117023730469,
    1.0,
)
# B_2k / 2k, k = 7, …, 1
ASYMPTOTIC = (
    8.33333333333333333333e-2,
    -2.10927960927960927961e-2,
    7.57575757575757575758e-3,
    -4.16666666666666666667e-3,
    3.96825396825396825397e-3,
    -8.33333333333333333333e-3,
    8.33333333333333333333e-2,
)


def digamma(x):
    if np.isnan(x) or x == np.inf:
        return x
    if x == 0.0:
        return np.copysign(np.inf, -x)
    y = 0.0
    if x < 0.0:
        fraction = x - np.trunc(x)
        if fraction == 0.0 or x == -np.inf:
            return np.nan
        y = -math.pi / np.tan(math.pi * fraction) - 1.0 / x
        x = -x
    if x < 1.0:
        y -= 1.0 / x
        x += 1.0
    while 2.0 < x < 10.0:
        x -= 1.0
        y += 1.0 / x
    if x <= 2.0:
        upper = 0.0
        for a in UPPER:
            upper = upper * (x - 1.0) + a
        lower = 0.0
        for a in LOWER:
            lower = lower * (x - 1.0) + a
        from_root = x - ROOT[0] - ROOT[1] - ROOT[2]
        return y + (from_root * SLOPE[0] + from_root * (upper / lower))
    z = 1.0 / (x * x)
    series = 0.0
    for a in ASYMPTOTIC:
        series = series * z + a
    return y + (np.log(x) - 0.5 / x - z * series)


def loggamma(x):
    return np.nan if x < 0.0 else GAMMALN(x)


def xlogy(x, y):
    return 0.0 if x == 0.0 and not np.isnan(y) else x * np.log(y)


def xlog1py(x, y):
    return 0.0 if x == 0.0 and not np.isnan(y) else x * np.log1p(y)


def entr(x):
    if np.isnan(x):
        return x
    if x > 0.0:
        return -x * np.log(x)
    return 0.0 if x == 0.0 else -np.inf


def rel_entr(x, y):
    if np.isnan(x) or np.isnan(y):
        return np.nan
    if x <= 0.0 or y <= 0.0:
        return 0.0 if x == 0.0 and y >= 0.0 else np.inf
    ratio = x / y
    if 0.5 < ratio < 2.0:
        return x * np.log1p((x - y) / y)
    if 2.2250738585072014e-308 < ratio < np.inf:
        return x * np.log(ratio)
    return x * (np.log(x) - np.log(y))


def kl_div(x, y):
    if np.isnan(x) or np.isnan(y):
        return np.nan
    if x > 0.0 and y > 0.0:
        return x * np.log(x / y) - x + y
    return y if x == 0.0 and y >= 0.0 else np.inf


def logit(x):
    if x < 0.3 or x > 0.65:
        return np.log(x / (1.0 - x))
    s = 2.0 * (x - 0.5)
    return np.log1p(s) - np.log1p(-s)


def ndtr(x):
    z = x * math.sqrt(0.5)
    if np.abs(z) < 1.0:
        return 0.5 + 0.5 * ERF(z)
    tail = 0.5 * ERFC(np.abs(z))
    return 1.0 - tail if z > 0.0 else tail


def huber(delta, r):
    if delta < 0.0:
        return np.inf
    size = np.abs(r)
    return 0.5 * r * r if size <= delta else delta * (size - 0.5 * delta)


ERF, ERFC = TABLE["erf"], TABLE["erfc"]

IN_LIBM = {"gamma": "tgamma", "j0": "j0", "j1": "j1", "y0": "y0", "y1": "y1"}
WRITTEN_OUT = {
    **{f.__name__: Routine(f, 1) for f in (digamma, loggamma, entr, logit, ndtr)},
    **{f.__name__: Routine(f, 2) for f in (xlogy, xlog1py, rel_entr, kl_div, huber)},
}
