"""The command: programs dealt out to workers, verdicts counted, failures made short and written down."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from multiprocessing.connection import wait
from pathlib import Path

from .checks import Verdict
from .grammar import Point
from .shrink import shrink
from .workers import Worker, generated

__all__ = ["Failure", "Tally", "run"]

KINDS = ("right", "inconclusive", "refused", "discarded", "failed")
SHORTENED = 12  # failures that are made short: the first of each reason

REPRODUCER = '''"""A failure that `adcore selftest` found: {reason}.

{detail}
"""

{source}

ARGUMENTS = {arguments}

if __name__ == "__main__":
    from pathlib import Path

    from adcore.selftest.checks import judge

    verdict = judge(Path(__file__).read_text(), ARGUMENTS, {seed!r}, threads={threads})
    print(verdict.kind, verdict.reason, verdict.detail, sep="\\n")
    raise SystemExit(verdict.kind == "failed")
'''


@dataclass
class Failure:
    """A program that failed."""

    seed: str
    verdict: Verdict
    file: Path | None = None


@dataclass
class Tally:
    """What became of the programs."""

    kinds: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=lambda: {k: Counter() for k in KINDS})
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0

    def enter(self, seed: str, verdict: Verdict) -> None:
        self.kinds[verdict.kind] += 1
        self.reasons[verdict.kind][verdict.reason] += 1
        if verdict.kind == "failed":
            self.failures.append(Failure(seed, verdict))

    def describe(self) -> str:
        """The counts, as lines."""
        total = sum(self.kinds.values())
        lines = [f"{total} programs in {self.seconds:.0f} s: {self.brief()}"]
        for kind in KINDS[1:]:
            counted = self.reasons[kind].most_common()
            lines += [f"  {kind} {number:6d}  {reason}" for reason, number in counted]
        lines += [f"  reproducer {f.file}" for f in self.failures if f.file is not None]
        return "\n".join(lines)

    def brief(self) -> str:
        return ", ".join(f"{self.kinds[kind]} {kind}" for kind in KINDS)


def run(
    programs: int,
    seed: int,
    jobs: int,
    output: Path,
    compiled: float = 1.0,
    patience: float = 60.0,
    threads: int = 1,
) -> Tally:
    """Check so many programs.

    Args:
        programs: how many.
        seed: the same seed gives the same programs, however many jobs there are.
        jobs: how many processes work at a time.
        output: the directory that reproducers are written to; made when it is needed.
        compiled: the fraction of the programs that are compiled to machine code too, not only interpreted.
        patience: the seconds after which a program counts as endless.
        threads: how many of them run loops of independent iterations, however short these are.
    """
    tally = Tally()
    began = time.monotonic()
    workers = [Worker(patience, compiled, threads) for _ in range(min(jobs, programs))]
    try:
        with _progress(programs) as advance:
            for own, verdict in _verdicts(workers, [f"{seed}/{k}" for k in range(programs)]):
                tally.enter(own, verdict)
                advance(tally)
                if verdict.kind == "failed":
                    print(f"failed {own}: {verdict.reason}", file=sys.stderr, flush=True)
        _write_down(tally, workers[0], output)
    finally:
        for worker in workers:
            worker.stop()
    tally.seconds = time.monotonic() - began
    return tally


def _verdicts(workers: list[Worker], seeds: list[str]) -> Iterator[tuple[str, Verdict]]:
    """The verdicts as they come."""
    waiting = iter(seeds)
    idle, busy = list(workers), []
    while True:
        while idle and (seed := next(waiting, None)) is not None:
            worker = idle.pop()
            source, arguments = generated(seed)
            worker.begin(source, arguments, seed, seed)
            busy.append(worker)
        if not busy:
            return
        wait([w.pipe for w in busy], timeout=0.5)
        for worker in list(busy):
            found = worker.verdict(0.0)
            if found is not None:
                busy.remove(worker)
                idle.append(worker)
                yield worker.task, found


def _write_down(tally: Tally, worker: Worker, output: Path) -> None:
    """Make the first failure of each reason short, and write all of these to files."""
    seen: set[str] = set()
    for failure in tally.failures:
        if failure.verdict.reason in seen or len(seen) >= SHORTENED:
            continue
        seen.add(failure.verdict.reason)
        source, arguments = generated(failure.seed)
        source = shrink(source, _fails(worker, arguments, failure))
        output.mkdir(parents=True, exist_ok=True)
        failure.file = output / f"failure_{failure.seed.replace('/', '_')}.py"
        failure.file.write_text(reproducer(source, arguments, failure, worker.threads))


def _fails(worker: Worker, arguments: Point, failure: Failure) -> Callable[[str], bool]:
    def fails(source: str) -> bool:
        found = worker.judge(source, arguments, failure.seed)
        return found.kind == "failed" and found.reason == failure.verdict.reason

    return fails


def reproducer(source: str, arguments: Point, failure: Failure, threads: int = 1) -> str:
    """A Python file that shows the failure when it is run."""
    detail = failure.verdict.detail.strip().replace("\\", "/").replace('"""', "'''")
    return REPRODUCER.format(
        reason=failure.verdict.reason,
        detail=detail,
        source=source.strip(),
        arguments=arguments,
        seed=failure.seed,
        threads=threads,
    )


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[Tally], None]]:
    """Something that shows how far the work is: a bar where rich is installed."""
    if find_spec("rich") is None:
        yield lambda tally: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda tally: progress.update(task, advance=1, description=tally.brief())
