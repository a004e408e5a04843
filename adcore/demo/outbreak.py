"""The data: boys in bed with influenza at an English boarding school in 1978, day by day."""

from __future__ import annotations

import csv
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

__all__ = ["boys_in_bed"]


def boys_in_bed() -> NDArray[np.float64]:
    """The number of boys in bed on each day of the outbreak.

    Source: British Medical Journal, 4 March 1978, p. 587.

    >>> boys_in_bed()
    array([  3.,   8.,  26.,  76., 225., 298., 258., 233., 189., 128.,  68.,
            29.,  14.,   4.])
    """
    text = files("adcore.demo").joinpath("boarding_school_1978.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return np.array([float(row["in_bed"]) for row in rows])
