"""What `numpy.random.Generator` is in compiled functions: the same numbers from the same state, bit by bit.

A draw of standard noise depends on no argument, so it is a constant of the derivative; what the parameters make of it
is a formula, through which derivatives flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from adcore.plugins import Stateful

from . import random_noise as noise
from .random_bits import real, real_single, step_dxsm, step_xsl_rr
from .random_counts import geometric_drawn, poisson_drawn
from .random_integers import integers_below, picked, shuffled
from .random_seeds import seeded_words
from .random_shapes import beta_drawn, gamma_drawn
from .registry import refuse

__all__ = ["Generator", "GeneratorDXSM", "seeded"]


LARGEST_RATE = 9.223372006484771e18  # so that a count has 64 bits


# Sizes and parameters


def _shape_of(size):
    return tuple(size) if isinstance(size, tuple | list) else (size,)


def _number(x):
    """A parameter as NumPy takes it: a double, or an array of doubles."""
    return float(x) if np.ndim(x) == 0 else np.asarray(x, float)


def _single(size, *parameters):
    """Whether one number is drawn, and no array of some rank."""
    return (size is None or _is_empty(size)) and all(np.ndim(p) == 0 for p in parameters)


def _is_empty(size):
    return isinstance(size, tuple | list) and len(size) == 0


def _shape(size, *parameters):
    """The shape of what is drawn."""
    whole = np.broadcast_shapes(*[np.shape(p) for p in parameters])
    if size is None:
        return whole
    shape = _shape_of(size)
    if np.broadcast_shapes(shape, whole) != shape:
        raise ValueError("the size of a draw is not compatible with the broadcast dimensions of its parameters")
    return shape


def _filled(rng, draw, shape, dtype=np.float64):
    """An array of draws, in C order."""
    made = np.empty(shape, dtype)
    flat = made.reshape(-1)
    for k in range(flat.shape[0]):
        flat[k] = draw(rng)
    return made


def _standard(rng, draw, size, *parameters):
    """Standard noise, for parameters that broadcast."""
    return draw(rng) if _single(size, *parameters) else _filled(rng, draw, _shape(size, *parameters))


def _where(rng, draw, wanted, size, fill):
    """Standard noise where it is wanted; nothing is drawn elsewhere."""
    if _single(size, wanted):
        return draw(rng) if wanted else fill
    made = np.full(_shape(size, wanted), fill)
    flat, chosen = made.reshape(-1), np.broadcast_to(wanted, made.shape).reshape(-1)
    for k in range(flat.shape[0]):
        if chosen[k]:
            flat[k] = draw(rng)
    return made


def _each(rng, draw, size, *parameters):
    """Draws that depend on their parameters, one by one."""
    if _single(size, *parameters):
        return draw(rng, *parameters)
    shape = _shape(size, *parameters)
    flat = [np.broadcast_to(p, shape).reshape(-1) for p in parameters]
    made = np.empty(flat[0].shape)
    for k in range(made.shape[0]):
        made[k] = draw(rng, *[p[k] for p in flat])
    return made.reshape(shape)


def _counted(rng, draw, size, parameter):
    """Integers that depend on a parameter, one by one."""
    if _single(size, parameter):
        return draw(rng, parameter)
    shape = _shape(size, parameter)
    flat = np.broadcast_to(parameter, shape).reshape(-1)
    made = np.empty(flat.shape, np.int64)
    for k in range(made.shape[0]):
        made[k] = draw(rng, flat[k])
    return made.reshape(shape)


def _of_dtype(rng, double, single, size, dtype, out):
    """Draws in double or single precision, one or an array, into `out` where it is given."""
    if np.dtype(dtype) != np.float64 and np.dtype(dtype) != np.float32:
        refuse("numpy.random.Generator draws real numbers of another dtype", "dtype=np.float64, or dtype=np.float32")
    draw = double if np.dtype(dtype) == np.float64 else single
    if out is not None:
        if out.dtype != np.dtype(dtype):
            refuse("numpy.random.Generator: out= is an array of another dtype", "an array of the dtype of the draws")
        if size is not None and _shape_of(size) != out.shape:
            raise ValueError("size must match out.shape when used together")
        out[...] = _filled(rng, draw, out.shape, dtype)
        return out
    if size is None or _is_empty(size):
        return float(draw(rng))
    return _filled(rng, draw, _shape_of(size), dtype)


def _not_negative(x, message):
    if np.any(np.signbit(x) & ~np.isnan(x)):
        raise ValueError(message)


def _positive(x, message):
    if np.any(x <= 0.0):
        raise ValueError(message)


# Noise that NumPy makes of a number in [0, 1)


def _inverted(rng):
    return -np.log1p(-real(rng))


def _inverted_single(rng):
    return -np.log1p(-real_single(rng))


def _gumbel(rng):
    u = 1.0
    while u >= 1.0:
        u = 1.0 - real(rng)
    return -np.log(-np.log(u))


def _laplace(rng):
    u = 0.0
    while u <= 0.0:
        u = real(rng)
    return -np.log(2.0 - u - u) if u >= 0.5 else np.log(u + u)


def _logistic(rng):
    u = 0.0
    while u <= 0.0:
        u = real(rng)
    return np.log(u / (1.0 - u))


def _ratio(rng, dfnum, dfden):
    return (2.0 * gamma_drawn(rng, dfnum / 2.0) * dfden) / (2.0 * gamma_drawn(rng, dfden / 2.0) * dfnum)


def _student(rng, df):
    upper = noise.normal(rng)
    return np.sqrt(df / 2.0) * upper / np.sqrt(gamma_drawn(rng, df / 2.0))


def _cauchy(rng):
    upper = noise.normal(rng)
    return upper / noise.normal(rng)


@dataclass
class Generator(Stateful):
    """A generator over PCG64.

    Attributes:
        words: the state.
    """

    words: Any

    stands_for = np.random.Generator

    def bits(self):
        return step_xsl_rr(self.words)

    # Standard noise

    def random(self, size=None, dtype=np.float64, out=None):
        return _of_dtype(self, real, real_single, size, dtype, out)

    def standard_normal(self, size=None, dtype=np.float64, out=None):
        return _of_dtype(self, noise.normal, noise.normal_single, size, dtype, out)

    def standard_exponential(self, size=None, dtype=np.float64, method="zig", out=None):
        if method == "zig":
            return _of_dtype(self, noise.exponential, noise.exponential_single, size, dtype, out)
        return _of_dtype(self, _inverted, _inverted_single, size, dtype, out)

    def standard_cauchy(self, size=None):
        return _standard(self, _cauchy, size)

    # Locations and scales

    def uniform(self, low=0.0, high=1.0, size=None):
        low, high = _number(low), _number(high)
        if not np.all(np.isfinite(high - low)):
            raise OverflowError("high - low range exceeds valid bounds")
        _not_negative(high - low, "high - low < 0")
        return low + (high - low) * _standard(self, real, size, low, high)

    def normal(self, loc=0.0, scale=1.0, size=None):
        return self._moved(noise.normal, loc, scale, size)

    def gumbel(self, loc=0.0, scale=1.0, size=None):
        return self._moved(_gumbel, loc, scale, size)

    def laplace(self, loc=0.0, scale=1.0, size=None):
        return self._moved(_laplace, loc, scale, size)

    def logistic(self, loc=0.0, scale=1.0, size=None):
        return self._moved(_logistic, loc, scale, size)

    def _moved(self, draw, loc, scale, size):
        loc, scale = _number(loc), _number(scale)
        _not_negative(scale, "scale < 0")
        return loc + scale * _standard(self, draw, size, loc, scale)

    def exponential(self, scale=1.0, size=None):
        scale = _number(scale)
        _not_negative(scale, "scale < 0")
        return scale * _standard(self, noise.exponential, size, scale)

    def rayleigh(self, scale=1.0, size=None):
        scale = _number(scale)
        _not_negative(scale, "scale < 0")
        return scale * np.sqrt(2.0 * _standard(self, noise.exponential, size, scale))

    def lognormal(self, mean=0.0, sigma=1.0, size=None):
        mean, sigma = _number(mean), _number(sigma)
        _not_negative(sigma, "sigma < 0")
        return np.exp(mean + sigma * _standard(self, noise.normal, size, mean, sigma))

    # Shapes

    def weibull(self, a, size=None):
        a = _number(a)
        _not_negative(a, "a < 0")
        drawn = _where(self, noise.exponential, a != 0.0, size, 1.0)
        return np.where(a == 0.0, 0.0, drawn ** (1.0 / np.where(a == 0.0, 1.0, a)))

    def pareto(self, a, size=None):
        a = _number(a)
        _positive(a, "a <= 0")
        return np.expm1(_standard(self, noise.exponential, size, a) / a)

    def power(self, a, size=None):
        a = _number(a)
        _positive(a, "a <= 0")
        return (-np.expm1(-_standard(self, noise.exponential, size, a))) ** (1.0 / a)

    def triangular(self, left, mode, right, size=None):
        left, mode, right = _number(left), _number(mode), _number(right)
        if np.any(left > mode):
            raise ValueError("left > mode")
        if np.any(mode > right):
            raise ValueError("mode > right")
        if np.any(left == right):
            raise ValueError("left == right")
        drawn = _standard(self, real, size, left, mode, right)
        base, below = right - left, mode - left
        rising = left + np.sqrt(drawn * (below * base))
        falling = right - np.sqrt((1.0 - drawn) * ((right - mode) * base))
        return np.where(drawn <= below / base, rising, falling)

    def standard_gamma(self, shape, size=None, dtype=np.float64, out=None):
        if np.dtype(dtype) != np.float64 or out is not None:
            refuse("numpy.random.Generator.standard_gamma with dtype= or out=", "rng.standard_gamma(shape, size)")
        shape = _number(shape)
        _not_negative(shape, "shape < 0")
        return _each(self, gamma_drawn, size, shape)

    def gamma(self, shape, scale=1.0, size=None):
        shape, scale = _number(shape), _number(scale)
        _not_negative(shape, "shape < 0")
        _not_negative(scale, "scale < 0")
        if _single(size, shape, scale):
            return scale * gamma_drawn(self, shape)
        return scale * _each(self, gamma_drawn, _shape(size, shape, scale), shape)

    def chisquare(self, df, size=None):
        df = _number(df)
        _positive(df, "df <= 0")
        return 2.0 * _each(self, gamma_drawn, size, df / 2.0)

    def beta(self, a, b, size=None):
        a, b = _number(a), _number(b)
        _positive(a, "a <= 0")
        _positive(b, "b <= 0")
        return _each(self, beta_drawn, size, a, b)

    def f(self, dfnum, dfden, size=None):
        dfnum, dfden = _number(dfnum), _number(dfden)
        _positive(dfnum, "dfnum <= 0")
        _positive(dfden, "dfden <= 0")
        return _each(self, _ratio, size, dfnum, dfden)

    def standard_t(self, df, size=None):
        df = _number(df)
        _positive(df, "df <= 0")
        return _each(self, _student, size, df)

    # Counts

    def poisson(self, lam=1.0, size=None):
        lam = _number(lam)
        if not np.all(lam >= 0.0):
            raise ValueError("lam < 0 or lam is NaN")
        if np.any(lam > LARGEST_RATE):
            raise ValueError("lam value too large")
        return _counted(self, poisson_drawn, size, lam)

    def geometric(self, p, size=None):
        p = _number(p)
        if not np.all((p > 0.0) & (p <= 1.0)):
            raise ValueError("p <= 0, p > 1 or p contains NaNs")
        return _counted(self, geometric_drawn, size, p)

    # Integers and orders

    def integers(self, low, high=None, size=None, dtype=np.int64, endpoint=False):
        if high is None:
            low, high = 0, low
        return integers_below(self, low, high, _shape(size, low, high), np.dtype(dtype), endpoint)

    def shuffle(self, x, axis=0):
        if not isinstance(x, np.ndarray):
            refuse("numpy.random.Generator.shuffle of something else than an array", "an array, or rng.permutation(n)")
        rows = np.moveaxis(x, axis, 0)
        rows[...] = rows[shuffled(self, rows.shape[0])]

    def permutation(self, x, axis=0):
        if np.ndim(x) == 0:
            return shuffled(self, x)
        x = np.asarray(x)
        return np.take(x, shuffled(self, x.shape[axis]), axis)

    def permuted(self, x, axis=None):
        x = np.asarray(x)
        if axis is None:
            return x.reshape(-1)[shuffled(self, x.size)].reshape(x.shape)
        lanes = np.moveaxis(x, axis, -1)
        made = lanes.copy().reshape(-1, x.shape[axis])
        for k in range(made.shape[0]):
            made[k] = made[k][shuffled(self, x.shape[axis])]
        return np.moveaxis(made.reshape(lanes.shape), -1, axis)

    def choice(self, a, size=None, replace=True, p=None, axis=0, shuffle=True):
        count = a if np.ndim(a) == 0 else np.shape(a)[axis]
        if count <= 0:
            raise ValueError("a must be a positive integer unless no samples are taken")
        if not replace:
            if p is not None:
                refuse(
                    "numpy.random.Generator.choice without replacement and with probabilities",
                    "np.argsort(rng.exponential(size=n) / p)[:k], which has other numbers",
                )
            places = self._distinct(count, size, shuffle)
        elif p is None:
            places = self.integers(0, count, size)
        else:
            places = self._weighted(count, size, np.asarray(p, float))
        return places if np.ndim(a) == 0 else np.take(np.asarray(a), places, axis)

    def _distinct(self, count, size, shuffle):
        if size is None:
            return picked(self, count, 1, shuffle)[0]
        shape = _shape_of(size)
        wanted = 1
        for n in shape:
            wanted = wanted * n
        if wanted > count:
            raise ValueError("Cannot take a larger sample than population when replace is False")
        return picked(self, count, wanted, shuffle).reshape(shape)

    def _weighted(self, count, size, p):
        if p.shape[0] != count:
            raise ValueError("a and p must have same size")
        if np.any(p < 0.0):
            raise ValueError("Probabilities are not non-negative")
        cumulated = np.cumsum(p)
        if abs(cumulated[-1] - 1.0) > 1.5e-8:
            raise ValueError("Probabilities do not sum to 1. See Notes section of docstring for more information.")
        cumulated = cumulated / cumulated[-1]
        return np.searchsorted(cumulated, self.random(size), side="right")


@dataclass
class GeneratorDXSM(Generator):
    """A generator over PCG64DXSM."""

    def bits(self):
        return step_dxsm(self.words)


def seeded(seed):
    """`numpy.random.default_rng(seed)`."""
    words = seeded_words(seed)
    made = Generator(np.zeros(5, np.uint64))
    made.words[3], made.words[4] = (words[3] << 1) | 1, (words[2] << 1) | (words[3] >> 63)
    made.bits()
    lower = made.words[1] + words[1]
    made.words[2] = made.words[2] + words[0] + np.uint64(lower < words[1])
    made.words[1] = lower
    made.bits()
    return made
