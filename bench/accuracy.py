"""Errors of values and derivatives in units of the last place, adcore's beside JAX's and autograd's.

python -m bench.accuracy [--jobs J] [NAME ...]

writes docs/accuracy.md, and bench/accuracy.json, to which a test holds adcore.  With names, only the functions whose
calls have one of them in it are measured, and their rows are printed.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from .references import ACCEPTED, LEFT_OUT, Interval
from .sweeps import DTYPES, PEERS, Errors, Point, Row, Subject, measured, subjects

__all__ = ["RECORD", "accepted", "recorded"]

RECORD = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).parents[1] / "docs" / "accuracy.md"
KEPT = 12  # points of a row that are recorded, for the test
MARGIN = 2.0  # by which the errors may grow, on other machines and with other libraries
DIFFERENT = 3.0  # ulps by which vector functions of other processors may differ where these are exact
STEPS = (2.0, 8.0, 100.0, 1e4)  # errors in ulps by which the summary counts
LOST = 1e15  # ulps from which on no digit is right
TITLES = {"numpy.": "NumPy", "x ": "Operators", "scipy.special.": "scipy.special"}

INTRODUCTION = """\
# Accuracy of derivatives

This page is made by `python -m bench.accuracy`, with adcore {adcore}, NumPy {numpy}, SciPy {scipy}, JAX {jax} in 64
bits and autograd {autograd}.

Each function is evaluated over log-spaced magnitudes of both signs in its domain, down to subnormal numbers, up to the
largest ones, within a few ulps of the ends of the domain, at the ends, at ±0, at ±∞, and at nan; the other arguments
take a few values in turn. The truth comes from mpmath, of the function alone: its derivatives are differences of so
many digits that two precisions agree on 19 of them; at the ends they are limits, and where those differ on both sides
(a kink) their mean. Points at which mpmath has no answer are left out, and so are, for functions that are slow in
mpmath, magnitudes beyond the *up to* of the table.

An ulp is the distance between floating-point numbers of the truth's size; below the normal numbers it is the smallest
subnormal one. The tables have the worst error in ulps; *all* means that no digit is right. *value* is adcore's value,
which is NumPy's or SciPy's own function, or the C library's vector function; *derivative* and *second* are adcore's,
the worse of `jvp` of an array and `grad` of a number. With a `+`, the number of points at which a finite truth became
infinite or nan, or the other way round; below the tables, which of adcore's these are, and why.

XLA takes subnormal numbers for 0 on this processor: many of JAX's *all* are at subnormal arguments or results.
"""

CAUSES = """\
Where the value's error is large, so is mostly the derivative's: rules are made of the functions themselves. Two more
causes of large errors are left alone, as mending them costs time everywhere: a zero of the derivative inside the
domain, next to which no digits can be right that the function itself has not; and a difference of two arguments that
is exponentiated, as in `logaddexp` and `softmax`, whose rounding is an error of up to half the difference in ulps.

`float32` is tabulated for the functions that have code of their own for it; the others are computed in float64.
"""


# The record, for the test


def record(rows: list[Row]) -> str:
    """The worst errors, and some points with their truths: a line a row."""
    return "[\n" + ",\n".join(json.dumps(_entry(row)) for row in rows) + "\n]\n"


def _entry(row: Row) -> dict[str, Any]:
    usual = row.slope.quantile(0.9)
    return {
        "call": row.subject.call,
        "index": row.subject.index,
        "dtype": row.subject.dtype,
        "worst": round(row.slope.worst, 1),
        "wrong": [row.points[k] for k in row.slope.wrong],
        "points": [
            [*row.points[k], float(row.truths[k].slope), _bound(max(row.slope.each[k], usual))] for k in _kept(row)
        ],
    }


def _bound(error: float) -> float:
    return float(f"{MARGIN * (error + DIFFERENT):.2g}")


def _kept(row: Row) -> list[int]:
    """The places of the worst error, of ±0, ±∞, nan, subnormal numbers and the ends, and of a few others."""
    info = np.finfo(DTYPES[row.subject.dtype])
    ends = row.subject.reference.domains[row.subject.index]
    special: dict[str, list[int]] = {}
    ordinary = []
    for k in row.slope.each:
        x = row.points[k][row.subject.index]
        if abs(x) < info.smallest_normal or not math.isfinite(x) or x in ends:
            special.setdefault(str(x), []).append(k)
        else:
            ordinary.append(k)
    first_and_last = {k for places in special.values() for k in (places[0], places[-1])}
    return sorted({row.slope.at} & {*row.slope.each} | first_and_last | {*ordinary[:: max(1, len(ordinary) // KEPT)]})


def recorded() -> list[dict[str, Any]]:
    """The record as it was written last."""
    return json.loads(RECORD.read_text("utf-8"))


def accepted(subject: Subject, point: Point) -> str:
    """Why a wrong derivative at a point is accepted; empty where it is not."""
    if math.isinf(point[subject.index]):
        return ACCEPTED["infinity"]
    return ACCEPTED.get(f"{subject.call} in {subject.argument}", ACCEPTED.get(subject.call, ""))


# The page


def page(rows: list[Row]) -> str:
    """The table in Markdown."""
    names = ("adcore", "numpy", "scipy", "jax", "autograd")
    lines = [INTRODUCTION.format(**{name: version(name) for name in names}), *_summary(rows), "", CAUSES]
    for start, title in TITLES.items():
        of_group = [row for row in rows if row.subject.call.startswith(start)]
        lines += [f"## {title}", "", *_table(of_group), ""]
    lines += ["## Where adcore's derivative is infinite or nan, or finite, and should not be", "", *_wrong(rows), ""]
    lines += ["## What is not swept", "", *(f"- `{name}`: {reason}" for name, reason in LEFT_OUT.items())]
    return "\n".join(lines) + "\n"


def _summary(rows: list[Row]) -> Iterator[str]:
    """How many first derivatives in float64 are how good: adcore's, and each peer's beside adcore's of the same."""
    doubles = [row for row in rows if row.subject.dtype == "float64"]
    limits = " | ".join(f"≤ {n:.0f} ulps" for n in STEPS)
    yield f"| | derivatives | {limits} | no digit right somewhere | infinite or nan, or finite, at a finite argument |"
    yield f"| --- {'| ---: ' * (len(STEPS) + 3)}|"
    yield _counted("adcore", [(row, row.slope) for row in doubles])
    for peer in PEERS:
        known = [(row, errors) for row in doubles if (errors := row.peers[peer.name])]
        yield _counted(peer.name, known)
        yield _counted(f"adcore, of what {peer.name} has", [(row, row.slope) for row, _ in known])


def _counted(name: str, found: list[tuple[Row, Errors]]) -> str:
    counts = [sum(errors.worst <= n for _, errors in found) for n in STEPS]
    lost = sum(errors.worst >= LOST for _, errors in found)
    wrong = sum(any(math.isfinite(row.points[k][row.subject.index]) for k in errors.wrong) for row, errors in found)
    return f"| {' | '.join([name, *map(str, [len(found), *counts, lost, wrong])])} |"


def _table(rows: list[Row]) -> Iterator[str]:
    peers = [peer.name for peer in PEERS]
    yield f"| function | in | domain | value | derivative | median | second | {' | '.join(peers)} |"
    yield f"| --- | --- | --- {'| ---: ' * (4 + len(peers))}|"
    for row in rows:
        s = row.subject
        name = f"`{s.call}`" + ("" if s.dtype == "float64" else f" {s.dtype}")
        domain = _domain(s.reference.domains[s.index], s.reference.reach)
        figures = [_shown(row.value), _shown(row.slope), _ulps(row.slope.quantile(0.5)), _shown(row.bend)]
        yield f"| {' | '.join([name, s.argument, domain, *figures, *(_shown(row.peers[peer]) for peer in peers)])} |"


def _domain(interval: Interval, reach: float) -> str:
    if interval == (-math.inf, math.inf):
        shown = "all"
    else:
        shown = f"({', '.join('−∞' if e == -math.inf else '∞' if e == math.inf else f'{e:.6g}' for e in interval)})"
    return shown if reach > 1e307 or math.isfinite(interval[1] - interval[0]) else f"{shown} up to {reach:.0e}"


def _shown(errors: Errors | None) -> str:
    if errors is None:
        return ""
    return _ulps(errors.worst) + (f" + {len(errors.wrong)}" if errors.wrong else "")


def _ulps(error: float) -> str:
    if error >= LOST:
        return "all"
    return f"{error:.1f}" if error < 100.0 else f"{error:.0f}" if error < 1e4 else f"{error:.0e}"


def _wrong(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        reasons: dict[str, list[int]] = {}
        for k in row.slope.wrong:
            reasons.setdefault(accepted(row.subject, row.points[k]), []).append(k)
        for reason, places in reasons.items():
            k = places[0]
            got = row.slope.wrong[k]
            at = ", ".join(f"{x:.6g}" for x in row.points[k])
            more = f" and {len(places) - 1} more" if len(places) > 1 else ""
            yield f"- `{row.subject}` at ({at}){more}: {got} for {_number(row.truths[k].slope)}; {reason or 'a defect'}"


def _number(truth: Any) -> str:
    return f"{float(truth):.6g}"


# The command


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the errors of derivatives in units of the last place.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only the functions with this in their call")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="J", help="processes")
    options = parser.parse_args()
    todo = subjects(options.names)
    rows = _all(todo, options.jobs)
    if options.names:
        print("\n".join([*_table(rows), *_wrong(rows)]))
        return 0
    RECORD.write_text(record(rows), "utf-8")
    PAGE.write_text(page(rows), "utf-8")
    return 0


def _all(todo: list[Subject], jobs: int) -> list[Row]:
    """The rows in the order of their subjects."""
    from rich.console import Console
    from rich.progress import Progress

    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool, Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("measuring", total=len(todo))
        futures = {pool.submit(measured, subject): k for k, subject in enumerate(todo)}
        found: dict[int, Row] = {}
        for future in as_completed(futures):
            found[futures[future]] = future.result()
            progress.advance(task)
    return [found[k] for k in range(len(todo))]


if __name__ == "__main__":
    sys.exit(main())
