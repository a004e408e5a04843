"""The row of the discrete Fourier transform: y_k = Σ_j x_j exp(∓2πi jk/n) along the last axis, not scaled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..linear import fourier
from ..types import Atom, Type
from .base import Kind, require, row

__all__: list[str] = []


def _typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    x = operands[0].type
    require(x.dtype.complex and x.rank > 0, "fft takes arrays of complex numbers, not {}", x)
    return (x,)


def _meaning(x: Any, inverse: bool) -> Any:
    return np.fft.ifft(x, norm="forward") if inverse else np.fft.fft(x)


row("fft", Kind.FOURIER, _typing, _meaning, maps=(lambda b, e: fourier(e.params["inverse"]),))
