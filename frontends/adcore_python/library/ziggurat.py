"""The tables of the ziggurat method, to the last bit those of NumPy's generators.

The area under a density f that falls from f(0) = 1 is cut into 256 layers of one area, the lowest with the tail beyond
r; the right ends of the others are

    x[255] = r,    x[i] = f⁻¹(area / x[i + 1] + f(x[i + 1]))

(G. Marsaglia and W. W. Tsang, J. Stat. Softw. 5(8), 2000).  A draw takes a layer and an integer j of so many bits; it
is j * width[layer], accepted at once where j < inside[layer].  NumPy's tables of the normal density were computed in
doubles, those of the exponential one in more digits, of which the single-precision ones keep nine.  Elementary
functions are rounded correctly here, so that every machine has the same tables.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from typing import Any

import numpy as np

__all__ = [
    "EXPONENTIAL_END",
    "EXPONENTIAL_HEIGHT",
    "EXPONENTIAL_HEIGHT_SINGLE",
    "EXPONENTIAL_INSIDE",
    "EXPONENTIAL_INSIDE_SINGLE",
    "EXPONENTIAL_WIDTH",
    "EXPONENTIAL_WIDTH_SINGLE",
    "NORMAL_END",
    "NORMAL_HEIGHT",
    "NORMAL_HEIGHT_SINGLE",
    "NORMAL_INSIDE",
    "NORMAL_INSIDE_SINGLE",
    "NORMAL_WIDTH",
    "NORMAL_WIDTH_SINGLE",
]

LAYERS = 256
NORMAL_END = 3.6541528853610088
NORMAL_AREA = 0.004928673233974652
ROUNDED_UP = 38  # where the exponential in NumPy's table is the double above the nearest one
EXPONENTIAL_END = 7.69711747013104972
PRECISE_END = Decimal("7.69711747013104971404462804811")
DIGITS = 34


def _exp(x: float) -> float:
    return float(Decimal(x).exp())


def _log(x: float) -> float:
    return float(Decimal(x).ln())


def _normal() -> tuple[list[float], list[float]]:
    """Right ends of the layers, the lowest as wide as its area over its height; the density there."""
    x, f = [0.0] * LAYERS, [1.0] * LAYERS
    x[-1] = NORMAL_END
    f[-1] = _exp(-0.5 * NORMAL_END * NORMAL_END)
    for i in range(LAYERS - 2, 0, -1):
        x[i] = math.sqrt(-2.0 * _log(NORMAL_AREA / x[i + 1] + f[i + 1]))
        f[i] = _exp(-0.5 * x[i] * x[i])
        if i == ROUNDED_UP:
            f[i] = math.nextafter(f[i], 1.0)
    x[0] = NORMAL_AREA / f[-1]
    return x, f


def _exponential() -> tuple[list[Decimal], list[Decimal]]:
    x = [PRECISE_END] * LAYERS
    height = (-PRECISE_END).exp()
    area = PRECISE_END * height + height
    for i in range(LAYERS - 2, 0, -1):
        x[i] = -(area / x[i + 1] + (-x[i + 1]).exp()).ln()
    x[0] = area / height
    return x, [Decimal(1), *((-each).exp() for each in x[1:])]


def _inside(x: Sequence[Any], rounded: Callable[[Any], int], unit: int) -> list[int]:
    """How many of the integers below `unit` are inside the layer above, for each layer."""
    return [rounded(x[-1] / x[0] * unit), 0, *(rounded(x[i - 1] / x[i] * unit) for i in range(2, LAYERS))]


def _nine(x: Decimal) -> float:
    return float(f"{x:.8e}")


with localcontext() as _context:
    _context.prec = DIGITS
    _x, _f = _normal()
    NORMAL_INSIDE = np.array(_inside(_x, round, 2**52), np.uint64)
    NORMAL_WIDTH = np.array(_x) / 2**52
    NORMAL_HEIGHT = np.array(_f)
    NORMAL_INSIDE_SINGLE = np.array(_inside(_x, round, 2**23), np.uint64)
    NORMAL_WIDTH_SINGLE = (np.array(_x) / 2**23).astype(np.float32)
    NORMAL_HEIGHT_SINGLE = np.array(_f, np.float32)
    _y, _g = _exponential()
    EXPONENTIAL_INSIDE = 2 * np.array(_inside(_y, int, 2**52), np.uint64)
    EXPONENTIAL_WIDTH = np.array([float(each / 2**53) for each in _y])
    EXPONENTIAL_HEIGHT = np.array([float(each) for each in _g])
    EXPONENTIAL_INSIDE_SINGLE = np.array(_inside(_y, round, 2**23), np.uint64)
    EXPONENTIAL_WIDTH_SINGLE = np.array([_nine(each / 2**23) for each in _y], np.float32)
    EXPONENTIAL_HEIGHT_SINGLE = np.array([_nine(each) for each in _g], np.float32)
