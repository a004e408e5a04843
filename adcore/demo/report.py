"""The demonstration as the reader sees it: progress while it works, then the tables."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from adcore import jit, value_and_grad

from .costs import PATIENCE, Cost, call_seconds, compiled_cost, plain_call_seconds, plain_cost
from .fit import (
    START,
    Difference,
    Estimate,
    Estimates,
    Minimum,
    Objective,
    central_differences,
    estimates,
    forward_over_reverse,
    lbfgs,
)
from .model import BOYS, simulate, squared_error
from .outbreak import boys_in_bed
from .picture import draw

__all__ = ["run"]

Vector = NDArray[np.float64]
_NAMES = ("log β", "log γ")
_SCHEMES: tuple[Difference, ...] = ("2-point", "3-point")


def duration(seconds: float) -> str:
    """A time in a unit that suits it.

    >>> [duration(s) for s in (4.2e-6, 0.0312, 7.5, 300.0)]
    ['4.2 µs', '31.2 ms', '7.50 s', '300 s']
    """
    if seconds < 1e-3:
        return f"{seconds * 1e6:.1f} µs"
    if seconds < 1.0:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds:.2f} s" if seconds < 100.0 else f"{seconds:.0f} s"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for k, column in enumerate(columns):
        table.add_column(column, justify="left" if k == 0 else "right")
    return table


def _fit_table(minimum: Minimum, found: Estimates) -> Table:
    def row(name: str, quantity: Estimate, unit: str) -> None:
        table.add_row(name, f"{quantity.value:.4f}", f"± {quantity.error:.4f}", unit)

    table = _table("The fit", "", "estimate", "standard error", "unit")
    row("contact rate β", found.beta, "per day")
    row("recovery rate γ", found.gamma, "per day")
    row("reproduction number R₀ = β/γ", found.r0, "cases per case")
    table.add_row("residual standard deviation σ", f"{found.sigma:.2f}", "", "boys")
    table.add_row("sum of squared residuals", f"{minimum.value:.1f}", "", "boys²")
    return table


def _check_table(gradient: Vector, differences: Vector, primal: str) -> Table:
    table = _table(
        "The gradient where the fit starts, checked",
        "",
        "adcore",
        f"differences, {primal}",
        "relative error",
    )
    for name, ours, theirs in zip(_NAMES, gradient, differences, strict=True):
        table.add_row(f"∂/∂ {name}", f"{ours:.9g}", f"{theirs:.9g}", f"{abs(ours - theirs) / abs(theirs):.1e}")
    return table


def _cost_table(costs: list[Cost], gradient: Callable[[Vector], Vector]) -> Table:
    table = _table("What the same fit costs", "gradient by", "objective", "evaluations", "time", "slope left")
    for cost in costs:
        seconds = duration(cost.seconds) + (", estimated" if cost.estimated else "")
        left = "not run" if cost.at is None else f"{np.max(np.abs(gradient(cost.at))):.1e}"
        table.add_row(cost.gradient, cost.objective, str(cost.evaluations), seconds, left)
    return table


def _hourly(minimum: Minimum, days: int, steps_per_day: int) -> tuple[Vector, Vector]:
    # the model in hours: rates 24 times smaller, 24 times as many of them
    beta, gamma = np.exp(minimum.at) / 24.0
    hours = 24 * (days - 1) + 1
    curve = jit(simulate)(float(beta), float(gamma), hours, max(steps_per_day // 24, 4))
    return 1.0 + np.arange(hours) / 24.0, curve


def run(output: Path, steps_per_day: int, console: Console) -> None:
    """Fit the model, print the report, and write the picture.

    Args:
        output: where the picture goes.
        steps_per_day: Runge-Kutta steps for each day of the outbreak.
        console: where the report goes.
    """
    observed = boys_in_bed()
    steps = (len(observed) - 1) * steps_per_day
    console.print(
        Panel(
            f"An SIR epidemic model, {steps:,} Runge-Kutta steps in a plain Python loop, fitted to the influenza "
            f"outbreak of 1978 in an English boarding school of {BOYS:.0f} boys (British Medical Journal, "
            "4 March 1978, p. 587).",
            title="adcore demo",
        )
    )
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        _run(observed, steps_per_day, output, progress)


def _run(observed: Vector, steps_per_day: int, output: Path, progress: Progress) -> None:
    console = progress.console
    plain = squared_error(observed, steps_per_day)
    both = value_and_grad(plain)
    primal = jit(plain)

    with _Stage(progress, "Compiling the gradient") as stage:
        _, slope = both(START)
    console.print(f"Compiled the gradient of the fit, first call included: {duration(stage.seconds)}")

    with _Stage(progress, "Checking the gradient", total=4) as stage:
        seconds_a_call = plain_call_seconds(observed, steps_per_day)
        patient = 4.0 * seconds_a_call <= PATIENCE
        differences = central_differences(stage.counting(plain if patient else primal), START)
    console.print(_check_table(slope, differences, "plain Python" if patient else "compiled"))

    with _Stage(progress, "Fitting") as stage:
        minimum = lbfgs(both, True, stage.show_value)
    console.print(
        f"Fitted in {duration(minimum.seconds)}: {minimum.iterations} steps of L-BFGS-B, "
        f"{minimum.evaluations} evaluations of value and gradient."
    )
    if not minimum.converged:
        console.print(f"It stopped before it converged ({minimum.message}): the figures are those of its last step.")

    with _Stage(progress, "Hessian, forward over reverse") as stage:
        hessian = forward_over_reverse(plain, minimum.at)
    found = estimates(minimum, hessian, len(observed))
    console.print(f"Hessian by forward over reverse, compilation included: {duration(stage.seconds)}")
    console.print(_fit_table(minimum, found))

    costs = _costs(progress, plain, primal, both, seconds_a_call)
    console.print(_cost_table(costs, lambda at: both(at)[1]))
    ratio = call_seconds(both, START) / call_seconds(primal, START)
    console.print(
        f"Value and gradient together take {ratio:.1f} times as long as the compiled value alone, and that does not "
        "grow with the number of parameters; 3-point differences of n parameters take 2n + 1 times as long. "
        "Slope left: the largest derivative of the sum of squares where each fit ended, in boys²."
    )

    with _Stage(progress, "Drawing"):
        days, curve = _hourly(minimum, len(observed), steps_per_day)
        draw(output, observed, days, curve, found)
    console.print(f"Picture of data and fit: {output.resolve()}", soft_wrap=True)


def _costs(
    progress: Progress, plain: Objective, primal: Objective, both: Objective, seconds_a_call: float
) -> list[Cost]:
    with _Stage(progress, "Timing the compiled fits"):
        costs = [compiled_cost("adcore", both, True)]
        costs += [compiled_cost(f"{scheme} differences", primal, scheme) for scheme in _SCHEMES]
    for scheme, like in zip(_SCHEMES, costs[1:], strict=True):
        with _Stage(progress, f"Timing plain Python, {like.gradient}", total=like.evaluations) as stage:
            costs.append(plain_cost(plain, scheme, like, seconds_a_call, stage.advance))
    return costs


class _Stage:
    """One line of the progress display, removed when the stage is over."""

    def __init__(self, progress: Progress, title: str, total: int | None = None) -> None:
        self.progress = progress
        self.title = title
        self.task = progress.add_task(title, total=total)
        self.began = time.perf_counter()
        self.seconds = 0.0

    def __enter__(self) -> _Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self.began
        self.progress.remove_task(self.task)

    def advance(self) -> None:
        self.progress.advance(self.task)

    def show_value(self, value: float) -> None:
        self.progress.update(self.task, description=f"{self.title}: sum of squares {value:,.1f}")

    def counting(self, function: Objective) -> Objective:
        def counted(at: Vector) -> Any:
            value = function(at)
            self.advance()
            return value

        return counted
