"""What can be read from a report: ratios, means, exponents of growth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.cases import problem_of, work_of
from bench.peers import peer_of

__all__ = ["cases_of", "curves", "exponent", "geometric_mean", "over_peers", "over_primal", "quantities", "seconds"]

DECADES = 100.0  # an exponent is fitted to the sizes within this factor of the largest one, where calls cost nothing
SEEN = 1 << 20  # bytes: a smaller peak of memory is lost in the pages that a process holds anyway


def cases_of(report: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every case with the name of its suite."""
    for suite in report["suites"]:
        for case in suite["cases"]:
            yield suite["name"], case


def seconds(case: dict[str, Any]) -> dict[str, float]:
    """The median seconds of the contenders that were measured."""
    return {name: entry["seconds"] for name, entry in case["contenders"].items() if "seconds" in entry}


def over_primal(case: dict[str, Any]) -> float | None:
    """The time of adcore's derivative over that of the function compiled by adcore."""
    times = seconds(case)
    return times["adcore"] / times["primal"] if "adcore" in times and "primal" in times else None


def over_peers(case: dict[str, Any]) -> dict[str, float]:
    """The time of adcore over that of each peer that does the same, by the contender's name."""
    times = seconds(case)
    ours = {"derivative": times.get("adcore"), "primal": times.get("primal")}
    found: dict[str, float] = {}
    for name, theirs in times.items():
        work = work_of(name)
        if peer_of(name) and work and (own := ours[work]):
            found[name] = own / theirs
    return found


def geometric_mean(ratios: list[float]) -> float:
    """
    >>> geometric_mean([0.5, 2.0])
    1.0
    """
    return math.exp(sum(math.log(r) for r in ratios) / len(ratios))


def curves(report: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The cases that have a size, by problem, in the order of their sizes."""
    found: dict[str, list[dict[str, Any]]] = {}
    for _, case in cases_of(report):
        if case["size"] is not None:
            found.setdefault(problem_of(case["name"]), []).append(case)
    return {name: sorted(cases, key=lambda c: c["size"]) for name, cases in found.items()}


def quantities(cases: list[dict[str, Any]], what: str) -> dict[str, list[tuple[float, float]]]:
    """Of each contender the sizes with the seconds or the peaks of memory that were measured at them."""
    found: dict[str, list[tuple[float, float]]] = {}
    for case in cases:
        for name, entry in case["contenders"].items():
            if entry.get(what) and (what != "peak" or entry[what] >= SEEN):
                found.setdefault(name, []).append((case["size"], entry[what]))
    return found


def exponent(points: list[tuple[float, float]]) -> float | None:
    """The p of the law size^p that fits the points at the largest sizes; None for fewer than two.

    >>> round(exponent([(10.0, 5.0), (100.0, 20.0), (1000.0, 80.0)]), 3)
    0.602
    """
    largest = max((size for size, _ in points), default=0.0)
    near = [(math.log(size), math.log(value)) for size, value in points if size * DECADES >= largest]
    if len(near) < 2:
        return None
    return float(np.polyfit(*zip(*near, strict=True), 1)[0])
