"""A report as tables for a reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.cases import work_of
from bench.peers import PEERS
from bench.reading import curves, exponent, geometric_mean, over_peers, over_primal, quantities

__all__ = ["duration", "faults", "show"]

VERDICTS = {True: "[green]met[/]", False: "[red]missed[/]", None: "unknown"}


def duration(taken: float) -> str:
    """
    >>> duration(0.00123), duration(2e-9)
    ('1.23 ms', '2 ns')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if taken >= size:
            return f"{taken / size:.3g} {unit}"
    return f"{taken * 1e9:.3g} ns"


def show(report: dict[str, Any], console: Console) -> None:
    """Print a table for each suite, with its means, and what went wrong."""
    for suite in report["suites"]:
        console.print(_table(suite))
        for line in _means(suite["cases"]):
            console.print(line)
    for line in _growth(report):
        console.print(line)
    for line in faults(report):
        console.print(line, style="red", markup=False)
    versions = ", ".join(f"{name} {number}" for name, number in report["versions"].items() if number)
    absent = [name for name in report["peers"] if name in report["missing"]]
    machine = report["machine"]
    console.print(
        f"{machine['processor']} ({machine['target']}), one of {machine['processors']} processors, {versions}"
    )
    if absent:
        console.print(f"Not installed: {', '.join(absent)}")


def _table(suite: dict[str, Any]) -> Table:
    names = {name for case in suite["cases"] for name in case["contenders"]}
    columns = [name for name in _order(names) if sum(name in case["contenders"] for case in suite["cases"]) > 1]
    others = names - set(columns)
    table = Table(title=f"{suite['name']}: {suite['about']}", title_justify="left")
    table.add_column("case", max_width=60)
    for name in columns:
        table.add_column(name, justify="right")
    if others:
        table.add_column("others", justify="right")
    ratios = any(over_primal(case) for case in suite["cases"])
    targets = any(case["targets"] for case in suite["cases"])
    if ratios:
        table.add_column("÷ primal", justify="right")
    if targets:
        table.add_column("target")
    for case in suite["cases"]:
        cells = [_cell(case, name) for name in columns]
        if others:
            cells.append("\n".join(f"{n} {_cell(case, n)}" for n in case["contenders"] if n in others))
        if ratios:
            ratio = over_primal(case)
            cells.append("" if ratio is None else f"{ratio:.2f}")
        if targets:
            cells.append("\n".join(map(_target, case["targets"])))
        table.add_row(case["name"], *cells)
    return table


def _order(names: set[str]) -> list[str]:
    """adcore's own, then its primal, then the peers."""
    known = ["adcore", "primal", *(f"{p}{more}" for p in PEERS for more in ("", " primal"))]
    return sorted(names, key=lambda name: (known.index(name) if name in known else len(known), name))


def _cell(case: dict[str, Any], name: str) -> str:
    entry = case["contenders"].get(name)
    if entry is None:
        return "missing" if name in case["missing"] else ""
    if "error" in entry:
        return "[red]error[/]"
    shown = duration(entry["seconds"])
    ratio = over_peers(case).get(name)
    if ratio is not None:
        shown += f" ({1.0 / ratio:.3g}×)"
    return shown if entry.get("agrees", True) else f"[red]{shown}, differs[/]"


def _target(target: dict[str, Any]) -> str:
    def figure(value: float) -> str:
        return duration(value) if target["over"] is None else f"{value:.3g}"

    what = target["of"] if target["over"] is None else f"{target['of']} ÷ {target['over']}"
    found = "not measured" if target["measured"] is None else figure(target["measured"])
    return f"{what} {found} ≤ {figure(target['most'])}: {VERDICTS[target['met']]}"


def _means(cases: list[dict[str, Any]]) -> Iterator[str]:
    """The geometric means, of what there is more than one of."""
    primal = [ratio for case in cases if (ratio := over_primal(case)) is not None]
    if len(primal) > 1:
        yield f"Geometric mean of derivative ÷ primal: {geometric_mean(primal):.3g} over {len(primal)} cases"
    against: dict[str, list[float]] = {}
    best: list[float] = []
    for case in cases:
        ratios = over_peers(case)
        for name, ratio in ratios.items():
            against.setdefault(name, []).append(ratio)
        rivals = [r for name, r in ratios.items() if work_of(name) == "derivative" and name != "c++"]
        if rivals:
            best.append(max(rivals))
    for name in _order(set(against)):
        ratios = against[name]
        if len(ratios) > 1:
            mean, worst = geometric_mean(ratios), max(ratios)
            yield f"Geometric mean of adcore ÷ {name}: {mean:.3g} over {len(ratios)} cases, at most {worst:.3g}"
    if len(best) > 1 and len(against) > 1:
        yield f"Geometric mean of adcore ÷ the best peer other than C++: {geometric_mean(best):.3g}"


def _growth(report: dict[str, Any]) -> Iterator[str]:
    for name, cases in curves(report).items():
        for what, title in (("seconds", "time"), ("peak", "memory")):
            fitted = {n: p for n, points in quantities(cases, what).items() if (p := exponent(points)) is not None}
            if fitted:
                yield f"{name}: {title} grows as size to the " + ", ".join(f"{p:.2f} ({n})" for n, p in fitted.items())


def faults(report: dict[str, Any]) -> list[str]:
    """The contenders that failed, and those whose results differ from the others'."""
    lines: list[str] = []
    for suite in report["suites"]:
        for case in suite["cases"]:
            for name, entry in case["contenders"].items():
                if "error" in entry:
                    lines.append(f"{suite['name']}: {case['name']}: {name} failed: {entry['error']}")
                elif not entry.get("agrees", True):
                    most = case["agree"]
                    lines.append(f"{suite['name']}: {case['name']}: {name} differs by {entry['differs']}, over {most}")
    return lines
