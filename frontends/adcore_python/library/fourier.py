"""Discrete Fourier transforms: numpy.fft, and their counterparts in scipy.fft."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..array_functions import array_like
from ..values import Array, Value
from .registry import defines, lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["fft", "fftn", "ifft", "irfft", "rfft"]


_FORWARDS, _BACKWARDS = np.fft.fft, np.fft.ifft


def transform(x, inverse):
    """The transform of a complex array along its last axis, not scaled."""
    return _BACKWARDS(x, norm="forward") if inverse else _FORWARDS(x)


@lowers(f"{__name__}.transform")
def _transform(low: Lowering, x: Value, inverse: Value) -> Value:
    array = array_like(low, x)
    assert isinstance(array, Array)
    return low.array(low.b.fft(low.atom(array), inverse=inverse.known))  # type: ignore[union-attr]


def _as_complex(a):
    x = np.asarray(a)
    return x if np.iscomplexobj(x) else x + 0j


def _fitted(x, n):
    """The array with n elements along its last axis: cut off, or filled up with zeros."""
    if n is None:
        _require_points(x.shape[-1])
        return x
    _require_points(n)
    fitted = np.zeros((*x.shape[:-1], n), x.dtype)
    kept = min(n, x.shape[-1])
    fitted[..., :kept] = x[..., :kept]
    return fitted


def _require_points(n):
    if n < 1:
        raise ValueError(f"Invalid number of FFT data points ({n}) specified.")


def _scaled(y, n, norm, inverse):
    if norm == "ortho":
        return y * (1.0 / np.sqrt(n).item())
    if norm is not None and norm not in ("backward", "forward"):
        raise ValueError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')
    if (norm == "forward") is not inverse:
        return y * (1.0 / n)
    return y


def _along(a, n, axis, norm, inverse):
    x = _fitted(np.swapaxes(_as_complex(a), axis, -1), n)
    y = _scaled(transform(x, inverse), x.shape[-1], norm, inverse)
    return np.swapaxes(y, axis, -1)


@defines("numpy.fft.fft")
def fft(a, n=None, axis=-1, norm=None, out=None):
    return _along(a, n, axis, norm, False)


@defines("numpy.fft.ifft")
def ifft(a, n=None, axis=-1, norm=None, out=None):
    return _along(a, n, axis, norm, True)


@defines("numpy.fft.rfft")
def rfft(a, n=None, axis=-1, norm=None, out=None):
    x = np.asarray(a)
    if np.iscomplexobj(x):
        raise TypeError("ufunc 'rfft_n_even' did not contain a loop with signature matching types: complex")
    x = np.swapaxes(x, axis, -1)
    x = _fitted(x, n) + 0j
    points = x.shape[-1]
    y = _scaled(transform(x, False)[..., : points // 2 + 1], points, norm, False)
    return np.swapaxes(y, axis, -1)


@defines("numpy.fft.irfft")
def irfft(a, n=None, axis=-1, norm=None, out=None):
    x = np.swapaxes(_as_complex(a), axis, -1)
    points = 2 * (x.shape[-1] - 1) if n is None else n
    _require_points(points)
    y = _scaled(np.real(transform(_whole_spectrum(x, points), True)), points, norm, True)
    return np.swapaxes(y, axis, -1)


def _whole_spectrum(x, n):
    """The spectrum of n real numbers, of its first half: the rest is conjugate, what stands alone is real."""
    half = _fitted(x, n // 2 + 1)
    pairs = (n - 1) // 2
    whole = np.zeros((*x.shape[:-1], n), x.dtype)
    whole[..., 0] = np.real(half[..., 0])
    whole[..., 1 : pairs + 1] = half[..., 1 : pairs + 1]
    whole[..., n - pairs :] = np.conj(half[..., 1 : pairs + 1])[..., ::-1]
    if n % 2 == 0:
        whole[..., n // 2] = np.real(half[..., n // 2])
    return whole


def _opposite(norm):
    if norm == "ortho":
        return "ortho"
    return "backward" if norm == "forward" else "forward"


@defines("numpy.fft.hfft")
def hfft(a, n=None, axis=-1, norm=None, out=None):
    return irfft(np.conj(np.asarray(a)), n, axis, _opposite(norm))


@defines("numpy.fft.ihfft")
def ihfft(a, n=None, axis=-1, norm=None, out=None):
    return np.conj(rfft(a, n, axis, _opposite(norm)))


# Several axes


def _axes_of(x, s, axes):
    if axes is not None:
        return tuple(axes)
    count = x.ndim if s is None else len(s)
    return tuple(range(x.ndim - count, x.ndim))


def _lengths_of(s, axes):
    return (None,) * len(axes) if s is None else tuple(s)


@defines("numpy.fft.fftn")
def fftn(a, s=None, axes=None, norm=None, out=None):
    return _over(a, s, axes, norm, False)


@defines("numpy.fft.ifftn")
def ifftn(a, s=None, axes=None, norm=None, out=None):
    return _over(a, s, axes, norm, True)


def _over(a, s, axes, norm, inverse):
    x = _as_complex(a)
    over = _axes_of(x, s, axes)
    lengths = _lengths_of(s, over)
    for axis, n in zip(over[::-1], lengths[::-1]):  # noqa: B905
        x = _along(x, n, axis, norm, inverse)
    return x


@defines("numpy.fft.rfftn")
def rfftn(a, s=None, axes=None, norm=None, out=None):
    x = np.asarray(a)
    over = _axes_of(x, s, axes)
    lengths = _lengths_of(s, over)
    y = rfft(x, lengths[-1], over[-1], norm)
    for axis, n in zip(over[-2::-1], lengths[-2::-1]):  # noqa: B905
        y = fft(y, n, axis, norm)
    return y


@defines("numpy.fft.irfftn")
def irfftn(a, s=None, axes=None, norm=None, out=None):
    x = np.asarray(a)
    over = _axes_of(x, s, axes)
    lengths = _lengths_of(s, over)
    for axis, n in zip(over[:-1], lengths[:-1]):  # noqa: B905
        x = ifft(x, n, axis, norm)
    return irfft(x, lengths[-1], over[-1], norm)


@defines("numpy.fft.fft2")
def fft2(a, s=None, axes=(-2, -1), norm=None, out=None):
    return fftn(a, s, axes, norm)


@defines("numpy.fft.ifft2")
def ifft2(a, s=None, axes=(-2, -1), norm=None, out=None):
    return ifftn(a, s, axes, norm)


@defines("numpy.fft.rfft2")
def rfft2(a, s=None, axes=(-2, -1), norm=None, out=None):
    return rfftn(a, s, axes, norm)


@defines("numpy.fft.irfft2")
def irfft2(a, s=None, axes=(-2, -1), norm=None, out=None):
    return irfftn(a, s, axes, norm)


# Frequencies


@defines("numpy.fft.fftfreq", "scipy.fft.fftfreq")
def fftfreq(n, d=1.0):
    k = np.arange(n)
    return np.where(k < (n - 1) // 2 + 1, k, k - n) * (1.0 / (n * d))


@defines("numpy.fft.rfftfreq", "scipy.fft.rfftfreq")
def rfftfreq(n, d=1.0):
    return np.arange(n // 2 + 1) * (1.0 / (n * d))


@defines("numpy.fft.fftshift", "scipy.fft.fftshift")
def fftshift(x, axes=None):
    return _shifted(x, axes, 1)


@defines("numpy.fft.ifftshift", "scipy.fft.ifftshift")
def ifftshift(x, axes=None):
    return _shifted(x, axes, -1)


def _shifted(a, axes, sign):
    x = np.asarray(a)
    over = tuple(range(x.ndim)) if axes is None else axes if isinstance(axes, tuple | list) else (axes,)
    for axis in over:
        x = np.roll(x, sign * (x.shape[axis] // 2), axis)
    return x
