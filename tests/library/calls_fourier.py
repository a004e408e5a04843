"""Calls of the Fourier transforms, for the tests of the library."""

from __future__ import annotations

import numpy as np
import scipy.fft
import scipy.signal

RNG = np.random.default_rng(21)
V, W = RNG.normal(size=(2, 7))
A = RNG.normal(size=(3, 8))
Z = A + 1j * RNG.normal(size=(3, 8))
T = RNG.normal(size=(2, 3, 4))


def plain(f):
    return lambda x: f(x)


_ONE = {
    "fft": [(plain, Z), (lambda f: lambda z: f(z, 5, 0, "ortho"), Z), (lambda f: lambda x: f(x, 9), V)],
    "ifft": [(plain, Z), (lambda f: lambda z: f(z, norm="forward"), Z)],
    "rfft": [(plain, A), (plain, V), (lambda f: lambda x: f(x, 4, axis=0), A)],
    "irfft": [(plain, Z), (lambda f: lambda z: f(z, 9, norm="ortho"), Z), (lambda f: lambda z: f(z, 1), Z)],
    "hfft": [(plain, Z), (lambda f: lambda z: f(z, 11, norm="ortho"), Z)],
    "ihfft": [(plain, A), (lambda f: lambda x: f(x, norm="forward"), V)],
    "fftn": [(plain, T), (lambda f: lambda x: f(x, (4, 2), (1, 2)), T), (lambda f: lambda x: f(x, axes=(0,)), T)],
    "ifftn": [(plain, Z), (lambda f: lambda x: f(x, axes=(2, 0)), T)],
    "rfftn": [(plain, T), (lambda f: lambda x: f(x, (4, 5), (0, 2)), T)],
    "irfftn": [(plain, Z), (lambda f: lambda z: f(z, (3, 5), (1, 0)), Z)],
    "fft2": [(plain, T), (lambda f: lambda z: f(z, norm="ortho"), Z)],
    "ifft2": [(plain, Z)],
}
_NUMPY_ONLY = {
    "rfft2": [(plain, A), (lambda f: lambda x: f(x, (4, 6)), A)],
    "irfft2": [(plain, Z)],
}
_FREQUENCIES = {
    "fftfreq": [(lambda f: lambda x: f(7, 0.1) * x, V), (lambda f: lambda x: f(x.shape[1]) * x, A)],
    "rfftfreq": [(lambda f: lambda x: f(12) * x, V)],
    "fftshift": [(plain, A), (lambda f: lambda x: f(x, 1), A), (plain, V)],
    "ifftshift": [(plain, V), (lambda f: lambda x: f(x, axes=(0, 1)), A)],
}
_SUMS = [
    *((lambda f, t=t: lambda x: f(x, t), A) for t in (1, 2, 3, 4)),
    *((lambda f, t=t: lambda x: f(x, t, norm="ortho"), V) for t in (1, 2, 3, 4)),
    (lambda f: lambda x: f(x, n=5, axis=0, norm="forward"), A),
]


def _calls(module, table):
    """The table's calls, of the module's functions as they are named there at the time of the call."""

    def of(name):
        return lambda *args, **kwargs: getattr(module, name)(*args, **kwargs)

    return {f"{module.__name__}.{name}": [(call(of(name)), x) for call, x in calls] for name, calls in table.items()}


_SIGNAL = {
    "fftconvolve": [
        (lambda f: lambda x: f(x, x[:2]), A),
        (lambda f: lambda x: f(x, x[:2, :3], "same"), A),
        (lambda f: lambda x: f(x, x[:, :3], "valid", axes=1), A),
        (lambda f: lambda z: f(z, z[:, :4]), Z),
    ],
    "hilbert": [(plain, A), (lambda f: lambda x: f(x, axis=0), A)],
}
CALLS = {
    **_calls(np.fft, {**_ONE, **_NUMPY_ONLY, **_FREQUENCIES}),
    **_calls(scipy.fft, {**_ONE, **_FREQUENCIES, **dict.fromkeys(("dct", "idct", "dst", "idst"), _SUMS)}),
    **_calls(scipy.signal, _SIGNAL),
}
