"""`python -m bench compare OLD.json NEW.json`: what became slower."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.peers import peer_of
from bench.reading import cases_of, geometric_mean
from bench.tables import duration

__all__ = ["Change", "IncomparableError", "changes", "compare", "lost"]


class IncomparableError(Exception):
    """The reports are of different machines or sizes of data, or of nothing that is the same."""


@dataclass(frozen=True)
class Change:
    """One contender of one case, before and after.

    Attributes:
        ratio: of the medians, new over old.
        slower: whether the new time without its spread is beyond the threshold of the old time with its spread.
    """

    suite: str
    case: str
    contender: str
    old: float
    new: float
    slower: bool

    @property
    def ratio(self) -> float:
        return self.new / self.old


def _entries(report: dict[str, Any]) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {
        (suite, case["name"], name): entry
        for suite, case in cases_of(report)
        for name, entry in case["contenders"].items()
    }


def changes(old: dict[str, Any], new: dict[str, Any], threshold: float) -> list[Change]:
    """What was measured in both reports, the greatest ratio first."""
    before, after = _entries(old), _entries(new)
    found: list[Change] = []
    for key, was in before.items():
        now = after.get(key, {})
        if "seconds" in was and "seconds" in now:
            slower = now["seconds"] - now["spread"] > threshold * (was["seconds"] + was["spread"])
            found.append(Change(*key, was["seconds"], now["seconds"], slower))
    return sorted(found, key=lambda change: -change.ratio)


def lost(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What worked in the old report and fails, or disagrees with the others, in the new one."""
    before, after = _entries(old), _entries(new)
    return [
        f"{': '.join(key)}: {now.get('error', 'differs from the others')}"
        for key, now in after.items()
        if ("error" in now or not now.get("agrees", True))
        and key in before
        and "seconds" in before[key]
        and before[key].get("agrees", True)
    ]


def compare(
    old: dict[str, Any], new: dict[str, Any], threshold: float, across_machines: bool, console: Console
) -> bool:
    """Print the ratios, and tell whether nothing of adcore's own became slower, or wrong.

    Raises:
        IncomparableError: where the figures cannot be compared.
    """
    if old["sizes"] != new["sizes"]:
        raise IncomparableError(f"the old report has {old['sizes']} sizes, the new one {new['sizes']}")
    if old["machine"] != new["machine"] and not across_machines:
        raise IncomparableError(
            f"measured on different machines, {old['machine']} and {new['machine']}; --across-machines compares them"
        )
    found = changes(old, new, threshold)
    if not found:
        raise IncomparableError("the two reports have no measurement in common")
    ours = [change for change in found if peer_of(change.contender) is None]
    table = Table("suite", "case", "contender", "old", "new", "new ÷ old", "")
    for c in ours:
        verdict = "[red]slower[/]" if c.slower else ""
        table.add_row(c.suite, c.case, c.contender, duration(c.old), duration(c.new), f"{c.ratio:.3f}", verdict)
    console.print(table)
    for name, group in (("adcore", ours), ("peers", [c for c in found if c not in ours])):
        if group:
            mean = geometric_mean([c.ratio for c in group])
            console.print(f"Geometric mean of new ÷ old, {name}: {mean:.3f} over {len(group)}")
    wrong = lost(old, new)
    for line in wrong:
        console.print(line, style="red", markup=False)
    only_old, only_new = set(_entries(old)) - set(_entries(new)), set(_entries(new)) - set(_entries(old))
    if only_old or only_new:
        console.print(f"Not compared: {len(only_old)} measurements of the old report, {len(only_new)} of the new one")
    return not wrong and not any(c.slower for c in ours)
