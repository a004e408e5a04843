"""A report as pictures: derivative ÷ primal, adcore beside its peers, and curves of growth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot

from bench.reading import cases_of, curves, exponent, over_peers, over_primal, quantities

__all__ = ["draw"]

ROW = 0.16  # inches a bar
OURS = "#1f6feb"
COLORS = {
    "adcore": OURS,
    "jax": "#d1793a",
    "autograd": "#7a8450",
    "torch": "#b0413e",
    "c++": "#5b4b8a",
    "scipy": "#999999",
}
REACH = 3.0  # times the primal: the target of a gradient


def draw(report: dict[str, Any], folder: Path) -> list[Path]:
    """Write the pictures that the report has the figures for, and tell which."""
    drawn = {
        "bench-primal.png": _against_primal(report),
        "bench-peers.png": _against_peers(report),
        "bench-growth.png": _growth(report),
    }
    paths: list[Path] = []
    for name, figure in drawn.items():
        if figure is not None:
            figure.savefig(folder / name, dpi=120)
            pyplot.close(figure)
            paths.append(folder / name)
    return paths


def _bars(names: list[str], title: str, per_name: int = 1) -> tuple[Any, Any]:
    """A picture for horizontal bars, as high as they need, the first case on top."""
    height = 1.2 + ROW * len(names) * max(per_name, 1)
    figure, axes = pyplot.subplots(figsize=(8.0, height), layout="constrained")
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xscale("log")
    axes.set_title(title, fontsize=10)
    axes.grid(axis="x", alpha=0.3)
    return figure, axes


def _against_primal(report: dict[str, Any]) -> Any:
    ratios = {case["name"]: r for _, case in cases_of(report) if (r := over_primal(case)) is not None}
    if not ratios:
        return None
    figure, axes = _bars(list(ratios), "Derivative ÷ function, both compiled by adcore")
    axes.barh(range(len(ratios)), list(ratios.values()), color=OURS)
    axes.axvline(REACH, color="black", linewidth=0.8, linestyle="--")
    ticks = [t for t in (0.5, 1, 2, 3, 5, 10, 20, 50, 100) if t <= 2.0 * max(ratios.values())]
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    return figure


def _against_peers(report: dict[str, Any]) -> Any:
    """How many times adcore's time a peer takes for the derivative."""
    rows: dict[str, dict[str, float]] = {}
    for _, case in cases_of(report):
        times = {name: 1.0 / ratio for name, ratio in over_peers(case).items() if name in COLORS}
        if times:
            rows[case["name"]] = times
    if not rows:
        return None
    shown = [name for name in COLORS if any(name in times for times in rows.values())]
    figure, axes = _bars(list(rows), "Time of a derivative: peer ÷ adcore", len(shown))
    width = 0.8 / len(shown)
    for k, name in enumerate(shown):
        at = [(i - 0.4 + (k + 0.5) * width, times[name]) for i, times in enumerate(rows.values()) if name in times]
        # the bars start at 1, where the two take the same time
        axes.barh([y for y, _ in at], [t - 1.0 for _, t in at], height=width, left=1.0, color=COLORS[name], label=name)
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.legend(fontsize=7, loc="upper right")
    return figure


def _growth(report: dict[str, Any]) -> Any:
    found = curves(report)
    if not found:
        return None
    what = {"seconds": "seconds", "peak": "bytes at the peak"}
    figure, grid = pyplot.subplots(2, len(found), figsize=(4.0 * len(found), 6.0), layout="constrained", squeeze=False)
    for column, (name, cases) in enumerate(found.items()):
        for row, (quantity, title) in enumerate(what.items()):
            axes = grid[row][column]
            for contender, points in quantities(cases, quantity).items():
                p = exponent(points)
                label = contender if p is None else f"{contender}: size^{p:.2f}"
                axes.loglog(*zip(*points, strict=True), "o-", markersize=3, label=label, color=COLORS.get(contender))
            if axes.lines:
                axes.legend(fontsize=7)
            axes.set_title(name if row == 0 else "", fontsize=10)
            axes.set_ylabel(title)
            axes.set_xlabel("size")
            axes.grid(alpha=0.3)
    return figure
