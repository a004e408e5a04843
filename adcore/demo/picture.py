"""The picture: boys in bed, the fitted curve, and the band that the standard errors leave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .fit import Estimates
from .model import BOYS

__all__ = ["FORMATS", "draw"]

FORMATS = (".jpg", ".pdf", ".png", ".svg")


def draw(
    path: Path, observed: NDArray[np.float64], days: NDArray[np.float64], curve: NDArray[np.float64], found: Estimates
) -> None:
    """Write the picture to `path`.

    Args:
        path: the ending, one of `FORMATS`, chooses the format.
        observed: boys in bed, one value a day from day 1.
        days: the times of `curve`, in days.
        curve: the fitted number of boys ill.
        found: the estimates, for the legend and the band of one standard deviation of the residuals.
    """
    figure = Figure(figsize=(8.0, 4.8), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    label = (
        f"SIR model: R₀ = {found.r0.value:.2f} ± {found.r0.error:.2f}\n"
        f"β = {found.beta.value:.3f} ± {found.beta.error:.3f} per day\n"
        f"γ = {found.gamma.value:.3f} ± {found.gamma.error:.3f} per day"
    )
    low, high = np.maximum(curve - found.sigma, 0.0), curve + found.sigma
    axes.plot(np.arange(1, len(observed) + 1), observed, "o", color="tab:red", label="boys in bed", zorder=3)
    axes.plot(days, curve, color="tab:blue", linewidth=2.0, label=label)
    band = f"± σ = {found.sigma:.0f} boys"
    axes.fill_between(days, low, high, color="tab:blue", alpha=0.15, linewidth=0.0, label=band)
    axes.set_title("Influenza in an English boarding school, 1978")
    axes.set_xlabel("day of the outbreak")
    axes.set_ylabel(f"boys in bed, of {BOYS:.0f}")
    axes.set_xlim(0.5, len(observed) + 0.5)
    axes.set_ylim(bottom=0.0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper right")
    figure.savefig(path)
