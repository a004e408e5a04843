"""`make bench`: adcore beside its peers, and against the targets that the project has set itself.

Every figure is the median of interleaved blocks of warm calls on one processor, or of fresh processes where it says
so.  A peer that is not installed is named as such.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from statistics import median
from timeit import Timer

from timing import interleaved, one_processor, printed_seconds

one_processor()

from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402
from workloads import (  # noqa: E402
    PEERS,
    Contender,
    bell_calls,
    fresh_loop,
    installed,
    loop_calls,
    recurrence,
    relaxation,
    scalar_calls,
    small_array_calls,
    writing_calls,
)

from adcore import doctor, grad  # noqa: E402

HERE = Path(__file__).parent
STEPS = 10_000_000
FEW = 1_000  # more than LLVM unrolls, which takes less time than a loop with its tail


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the report.

    Attributes:
        what: what was measured.
        seconds: the time of each contender.
        unit: what `measured` and `target` are in: seconds, or "times" something.
        measured: the figure that the target speaks of.
        target: the most that it may be.
    """

    what: str
    seconds: dict[str, float]
    unit: str
    measured: float | None
    target: float
    peers: bool = False

    @property
    def met(self) -> bool | None:
        return None if self.measured is None else self.measured <= self.target


def _timers(contenders: dict[str, Contender]) -> dict[str, Timer]:
    return {name: contender.timer() for name, contender in contenders.items()}


def calls() -> Iterator[Row]:
    for what, contenders, target in (
        ("call of grad(sin(x)·x), a float", scalar_calls(), 0.5e-6),
        ("call of grad(Σ sin(x)·x), 3 elements", small_array_calls(), 2e-6),
    ):
        times = interleaved(_timers(contenders))
        yield Row(what, times, "seconds", times["adcore"], target, peers=True)


def starts() -> Iterator[Row]:
    names = ["adcore", *filter(installed, PEERS)]
    cold = {name: printed_seconds(str(HERE / "cold.py"), name) for name in names}
    yield Row("grad(sin(x)·x) to first result, fresh process", cold, "seconds", cold["adcore"], 50e-3, peers=True)
    imports = {name: printed_seconds(str(HERE / "imports.py"), name) for name in names}
    yield Row("import, fresh process", imports, "seconds", imports["adcore"], 0.4, peers=True)


def loop_compilation() -> Iterator[Row]:
    serial = count()
    times: dict[int, list[float]] = {FEW: [], STEPS: []}
    with tempfile.TemporaryDirectory() as folder:
        grad(fresh_loop(Path(folder), FEW, next(serial)))(-1.0)
        for _ in range(7):
            for n, taken in times.items():
                function = fresh_loop(Path(folder), n, next(serial))
                taken.append(Timer("grad(f)(-1.0)", globals={"grad": grad, "f": function}).timeit(1))
    few, many = median(times[FEW]), median(times[STEPS])
    yield Row("compilation, loop of 10⁷ steps ÷ of 10³", {"10³": few, "10⁷": many}, "times", many / few, 1.2)


def loops() -> Iterator[Row]:
    for what, function in (("relaxation, 4 flops a step", relaxation), ("recurrence with a sine a step", recurrence)):
        times = interleaved(_timers(loop_calls(function, STEPS)), rounds=7)
        ratio = times["gradient"] / times["primal"]
        yield Row(f"{what}, 10⁷ steps: gradient ÷ primal", times, "times", ratio, 3.0)
    sizes = {"10⁵": 100_000, "10⁶": 1_000_000}
    times = interleaved({name: writing_calls(n)["gradient"].timer() for name, n in sizes.items()})
    each = {name: times[name] / n for name, n in sizes.items()}
    yield Row("array written by elements, time an element: 10⁶ ÷ 10⁵", each, "times", each["10⁶"] / each["10⁵"], 2.0)


def arrays() -> Iterator[Row]:
    times = interleaved(_timers(bell_calls(1_000_000)), seconds=0.05)
    ratio = times["adcore"] / times["jax"] if "jax" in times else None
    yield Row("gradient of Σ sin(x)·exp(-x²), 10⁶ elements: adcore ÷ JAX", times, "times", ratio, 0.4, peers=True)


def duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _figure(row: Row, value: float | None) -> str:
    if value is None:
        return "JAX not installed"
    return duration(value) if row.unit == "seconds" else f"{value:.2f}×"


def _times(row: Row) -> str:
    lines = [f"{name} {duration(seconds)}" for name, seconds in row.seconds.items()]
    if row.peers:
        ours = row.seconds["adcore"]
        lines = [
            f"{name} {duration(s)}" + ("" if name == "adcore" else f" ({s / ours:.3g}×)")
            for name, s in row.seconds.items()
        ]
        lines += [f"{peer} not installed" for peer in PEERS if peer not in row.seconds]
    return "\n".join(lines)


def table(rows: list[Row]) -> Table:
    shown = Table("measurement", "times", "figure", "target", "", show_lines=True)
    for row in rows:
        verdict = {True: "met", False: "missed", None: "unknown"}[row.met]
        shown.add_row(row.what, _times(row), _figure(row, row.measured), f"≤ {_figure(row, row.target)}", verdict)
    return shown


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure adcore beside its peers and against its targets.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    rows: list[Row] = []
    progress = Console(stderr=True)
    for measure in (calls, starts, loop_compilation, loops, arrays):
        for row in measure():
            progress.print(f"measured: {row.what}")
            rows.append(row)
    if options.json:
        found = {
            "machine": doctor.examine(),
            "missing peers": [peer for peer in PEERS if not installed(peer)],
            "rows": [{**asdict(row), "met": row.met} for row in rows],
        }
        print(json.dumps(found, indent=2))
        return 0
    machine = doctor.examine()
    Console().print(table(rows))
    versions = ", ".join(f"{n} {machine['packages'][n] or 'not installed'}" for n in ("adcore", "numpy", *PEERS))
    Console().print(f"{machine['processor']['name']}, one processor, {machine['python']}, {versions}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
