"""Branch and bound: a box is split until each part is decided, or the budget is spent."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .intervals import bit_of
from .subject import Box, Subject, Trial

__all__ = ["Search", "halves", "progressing"]

Report = Callable[["Search"], None]


@dataclass
class Search:
    """The parts of a box, as far as it has been looked at.

    Attributes:
        decided: boxes on which the function is smooth.
        open: those that are not decided, the largest first; `tight` those that cannot be split.
        examined: how many boxes have been executed.
        share: of the box, by volume, that is decided.
        refuted: why the function is not differentiable somewhere, and the box where.
    """

    subject: Subject
    decided: list[tuple[Box, Trial]] = field(default_factory=list)
    open: list[tuple[float, int, Box, Trial]] = field(default_factory=list)
    tight: list[tuple[Box, Trial]] = field(default_factory=list)
    examined: int = 0
    share: float = 0.0
    refuted: tuple[str, Box] | None = None

    def run(self, budget: int, report: Report) -> None:
        """Split until all is decided, one part is refuted, or so many boxes are examined."""
        self.examine(self.subject.whole)
        report(self)
        while self.open and self.refuted is None and self.examined + 2 <= budget:
            _, _, box, trial = heapq.heappop(self.open)
            parts = halves(self.subject, box, trial.marks)
            if parts is None:
                self.tight.append((box, trial))
                continue
            for part in parts:
                self.examine(part)
            report(self)

    def examine(self, box: Box) -> None:
        trial = self.subject.trial(box)
        self.examined += 1
        if trial.refuted:
            self.refuted = (trial.refuted, box)
        if not trial.reasons:
            self.decided.append((box, trial))
            self.share += box.share
        else:
            heapq.heappush(self.open, (-box.share, self.examined, box, trial))

    def undecided(self) -> list[tuple[Box, Trial]]:
        return [*((box, trial) for _, _, box, trial in sorted(self.open, key=lambda e: e[:2])), *self.tight]

    def parts(self) -> list[tuple[Box, Trial]]:
        """All of them, which together are the box."""
        return [*self.decided, *self.undecided()]


def halves(subject: Subject, box: Box, marks: int) -> tuple[Box, Box] | None:
    """A box cut in two along the side, of those that what is undecided depends on, that is the longest of the whole's.

    None where no number lies between the ends of any such side.
    """
    whole = subject.whole.upper - subject.whole.lower
    relative = np.where(whole > 0.0, (box.upper - box.lower) / np.where(whole > 0.0, whole, 1.0), 0.0)
    if marks:
        decides = np.array([bool(marks & bit_of(k)) for k in range(subject.dimensions)])
        relative = np.where(decides, relative, 0.0)
    for k in np.argsort(-relative, kind="stable"):
        if relative[k] == 0.0:
            return None
        middle = _middle(float(box.lower[k]), float(box.upper[k]), subject.dtypes[int(k)])
        if middle is not None:
            return _cut(box, int(k), middle)
    return None


def _middle(low: float, high: float, dtype: np.dtype) -> float | None:
    """A number of the dtype between two others: not exactly in the middle, where kinks like to be."""
    middle = float(dtype.type(low + _SLICE * (high - low)))
    if low < middle < high:
        return middle
    following = float(np.nextafter(dtype.type(low), dtype.type(high)))
    return following if low < following < high else None


_SLICE = 0.4921875  # of a side, with a short fraction, so that corners have short ones too


def _cut(box: Box, k: int, middle: float) -> tuple[Box, Box]:
    part = float((middle - box.lower[k]) / (box.upper[k] - box.lower[k]))
    upper, lower = box.upper.copy(), box.lower.copy()
    upper[k] = lower[k] = middle
    return Box(box.lower, upper, box.share * part), Box(lower, box.upper, box.share * (1.0 - part))


@contextmanager
def progressing(wanted: bool, name: str, budget: int) -> Iterator[Report]:
    """What shows how far a search is, on a terminal, where that is wanted.

    Raises:
        ImportError: rich, which draws it, is not installed.
    """
    if not wanted:
        yield lambda search: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # an extra of the package

    columns = (TextColumn("certify {task.description}"), BarColumn(), TextColumn("{task.fields[found]}"))
    with Progress(*columns, TimeElapsedColumn()) as bar:
        task: Any = bar.add_task(name, total=budget, found="")

        def report(search: Search) -> None:
            found = f"{search.examined} boxes, {100.0 * search.share:.4g} % decided"
            bar.update(task, completed=search.examined, found=found)

        yield report
