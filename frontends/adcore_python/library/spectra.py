"""scipy.fft: the transforms of numpy.fft under SciPy's signatures, cosine and sine transforms; convolution by them."""

from __future__ import annotations

import numpy as np

from . import fourier
from .registry import defines

__all__ = ["dct", "dst", "fftconvolve", "hilbert"]


@defines("scipy.fft.fft")
def fft(x, n=None, axis=-1, norm=None, overwrite_x=False, workers=None, *, plan=None):
    return fourier.fft(x, n, axis, norm)


@defines("scipy.fft.ifft")
def ifft(x, n=None, axis=-1, norm=None, overwrite_x=False, workers=None, *, plan=None):
    return fourier.ifft(x, n, axis, norm)


@defines("scipy.fft.rfft")
def rfft(x, n=None, axis=-1, norm=None, overwrite_x=False, workers=None, *, plan=None):
    return fourier.rfft(x, n, axis, norm)


@defines("scipy.fft.irfft")
def irfft(x, n=None, axis=-1, norm=None, overwrite_x=False, workers=None, *, plan=None):
    return fourier.irfft(x, n, axis, norm)


@defines("scipy.fft.hfft")
def hfft(x, n=None, axis=-1, norm=None, overwrite_x=False, workers=None, *, plan=None):
    return fourier.hfft(x, n, axis, norm)


@defines("scipy.fft.ihfft")
def ihfft(x, n=None, axis=-1, norm=None, overwrite_x=False, workers=None, *, plan=None):
    return fourier.ihfft(x, n, axis, norm)


@defines("scipy.fft.fftn")
def fftn(x, s=None, axes=None, norm=None, overwrite_x=False, workers=None, *, plan=None):
    return fourier.fftn(x, s, axes, norm)


@defines("scipy.fft.ifftn")
def ifftn(x, s=None, axes=None, norm=None, overwrite_x=False, workers=None, *, plan=None):
    return fourier.ifftn(x, s, axes, norm)


@defines("scipy.fft.rfftn")
def rfftn(x, s=None, axes=None, norm=None, overwrite_x=False, workers=None, *, plan=None):
    return fourier.rfftn(x, s, axes, norm)


@defines("scipy.fft.irfftn")
def irfftn(x, s=None, axes=None, norm=None, overwrite_x=False, workers=None, *, plan=None):
    return fourier.irfftn(x, s, axes, norm)


@defines("scipy.fft.fft2")
def fft2(x, s=None, axes=(-2, -1), norm=None, overwrite_x=False, workers=None, *, plan=None):
    return fourier.fftn(x, s, axes, norm)


@defines("scipy.fft.ifft2")
def ifft2(x, s=None, axes=(-2, -1), norm=None, overwrite_x=False, workers=None, *, plan=None):
    return fourier.ifftn(x, s, axes, norm)


# Cosine and sine transforms of types 1 to 4 (scipy.fft.dct gives the sums), each by one Fourier transform.


def _turn(k, n):
    """exp(-πi k / n)."""
    angle = np.pi * k / n
    return np.cos(angle) - 1j * np.sin(angle)


def _cosines(x, type):
    n = x.shape[-1]
    k = np.arange(n)
    if type == 1:
        mirrored = np.concatenate((x, x[..., n - 2 : 0 : -1]), axis=-1)
        return np.real(fourier.transform(mirrored + 0j, False)[..., :n])
    if type == 2:
        sorted_ = np.concatenate((x[..., ::2], x[..., 1::2][..., ::-1]), axis=-1)
        return np.real(fourier.transform(sorted_ + 0j, False) * _turn(k, 2 * n)) * 2.0
    turned = np.zeros((*x.shape[:-1], 2 * n), (x + 0j).dtype)
    if type == 3:
        turned[..., :n] = x * np.where(k == 0, 1.0, 2.0) * _turn(k, 2 * n)
        return np.real(fourier.transform(turned, False)[..., :n])
    turned[..., :n] = x * _turn(k, 2 * n)
    return np.real(fourier.transform(turned, False)[..., :n] * _turn(2 * k + 1, 4 * n)) * 2.0


def _sines(x, type):
    n = x.shape[-1]
    signs = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
    if type == 1:
        zero = np.zeros_like(x[..., :1])
        mirrored = np.concatenate((zero, x, zero, -x[..., ::-1]), axis=-1)
        return -np.imag(fourier.transform(mirrored + 0j, False)[..., 1 : n + 1])
    if type == 2:
        return _cosines(x * signs, 2)[..., ::-1]
    return _cosines(x[..., ::-1], type) * signs


def _ends(x, type, sines, before):
    """What the orthonormal transforms scale apart from the rest, before or after the sums."""
    n = x.shape[-1]
    k = np.arange(n)
    alone = k == (n - 1 if sines else 0)
    root = np.sqrt(2.0)
    if type == 1 and not sines:
        ends = (k == 0) | (k == n - 1)
        return x * np.where(ends, root if before else 1.0 / root, 1.0)
    if type == 2 and not before:
        return x * np.where(alone, 1.0 / root, 1.0)
    if type == 3 and before:
        return x * np.where(alone, root, 1.0)
    return x


def _summed(a, type, n, axis, norm, inverse, sines, orthogonalize):
    if type not in (1, 2, 3, 4):
        raise ValueError(f"invalid type {type}")
    x = np.asarray(a)
    if x.dtype.kind == "c":
        real = _summed(np.real(x), type, n, axis, norm, inverse, sines, orthogonalize)
        return real + 1j * _summed(np.imag(x), type, n, axis, norm, inverse, sines, orthogonalize)
    dtype = np.float32 if x.dtype == np.float32 else np.float64
    x = x.astype(dtype)
    x = fourier._fitted(np.swapaxes(x, axis, -1), n)
    kind = (5 - type if type in (2, 3) else type) if inverse else type
    points = 2 * (x.shape[-1] + (0 if type != 1 else 1 if sines else -1))
    orthonormal = norm == "ortho" if orthogonalize is None else orthogonalize
    if orthonormal:
        x = _ends(x, kind, sines, True)
    y = _sines(x, kind) if sines else _cosines(x, kind)
    if orthonormal:
        y = _ends(y, kind, sines, False)
    return np.swapaxes(fourier._scaled(y, points, norm, inverse).astype(dtype), axis, -1)


@defines("scipy.fft.dct")
def dct(x, type=2, n=None, axis=-1, norm=None, overwrite_x=False, workers=None, orthogonalize=None):
    return _summed(x, type, n, axis, norm, False, False, orthogonalize)


@defines("scipy.fft.idct")
def idct(x, type=2, n=None, axis=-1, norm=None, overwrite_x=False, workers=None, orthogonalize=None):
    return _summed(x, type, n, axis, norm, True, False, orthogonalize)


@defines("scipy.fft.dst")
def dst(x, type=2, n=None, axis=-1, norm=None, overwrite_x=False, workers=None, orthogonalize=None):
    return _summed(x, type, n, axis, norm, False, True, orthogonalize)


@defines("scipy.fft.idst")
def idst(x, type=2, n=None, axis=-1, norm=None, overwrite_x=False, workers=None, orthogonalize=None):
    return _summed(x, type, n, axis, norm, True, True, orthogonalize)


# Convolution and the analytic signal


@defines("scipy.signal.fftconvolve")
def fftconvolve(in1, in2, mode="full", axes=None):
    x, y = np.asarray(in1), np.asarray(in2)
    if x.ndim != y.ndim:
        raise ValueError("in1 and in2 should have the same dimensionality")
    over = tuple(range(x.ndim)) if axes is None else axes if isinstance(axes, tuple | list) else (axes,)
    lengths = tuple([x.shape[k] + y.shape[k] - 1 for k in over])
    if np.iscomplexobj(x) or np.iscomplexobj(y):
        whole = fourier.ifftn(fourier.fftn(x, lengths, over) * fourier.fftn(y, lengths, over), lengths, over)
    else:
        whole = fourier.irfftn(fourier.rfftn(x, lengths, over) * fourier.rfftn(y, lengths, over), lengths, over)
    if mode == "full":
        return whole
    if mode not in ("same", "valid"):
        raise ValueError("acceptable mode flags are 'valid', 'same', or 'full'")
    for axis in over:
        n, m = x.shape[axis], y.shape[axis]
        kept = n if mode == "same" else max(n, m) - min(n, m) + 1
        start = (n + m - 1 - kept) // 2
        whole = np.swapaxes(np.swapaxes(whole, axis, 0)[start : start + kept], axis, 0)
    return whole


@defines("scipy.signal.hilbert")
def hilbert(x, N=None, axis=-1):
    spectrum = np.swapaxes(fourier.fft(x, N, axis), axis, -1)
    n = spectrum.shape[-1]
    k = np.arange(n)
    alone = (k == 0) | (2 * k == n)
    weights = np.where(alone, 1.0, np.where(2 * k < n, 2.0, 0.0))
    return np.swapaxes(fourier.ifft(spectrum * weights.astype(spectrum.dtype)), axis, -1)
