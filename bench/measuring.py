"""The measurement of a case: every contender's first call, whether they agree, and the medians of warm calls."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from statistics import median, quantiles
from typing import Any, Literal

import numpy as np

from bench.cases import Case, work_of
from bench.fresh import can_measure_memory, printed
from bench.peers import installed, peer_of
from bench.timing import Stopwatch, interleaved

__all__ = ["chosen", "difference", "measure", "norms"]

FINITE_DIFFERENCES = 1e-4  # by which they may differ from derivatives, relative
REFERENCES = {"derivative": "adcore", "primal": "primal"}


def leaves(tree: Any) -> Iterator[np.ndarray]:
    """The arrays and numbers of a tree, copied."""
    if isinstance(tree, dict):
        for key in sorted(tree):
            yield from leaves(tree[key])
    elif isinstance(tree, tuple | list):
        for item in tree:
            yield from leaves(item)
    elif is_dataclass(tree):
        for field in fields(tree):
            yield from leaves(getattr(tree, field.name))
    elif tree is not None:
        leaf = np.array(tree)
        if leaf.dtype.kind != "U":  # a text names things
            yield leaf if leaf.dtype.kind in "fc" else leaf.astype(float)


def norms(tree: Any) -> list[float]:
    """Of each leaf the Euclidean norm."""
    return [float(np.linalg.norm(leaf.ravel())) for leaf in leaves(tree)]


def difference(found: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """The largest relative difference of leaves by norm; infinite where structure, shape or finiteness differ."""
    if [leaf.shape for leaf in found] != [leaf.shape for leaf in expected]:
        return math.inf
    worst = 0.0
    for a, b in zip(found, expected, strict=True):
        apart, size = float(np.linalg.norm((a - b).ravel())), float(np.linalg.norm(b.ravel()))
        error = apart / size if size else apart
        worst = math.inf if math.isnan(error) else max(worst, error)
    return worst


def chosen(case: Case, peers: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The contenders of a case that are to be measured, and those whose peer is chosen but not installed."""
    wanted = [name for name in case.contenders if peer_of(name) in (None, *peers)]
    missing = [name for name in wanted if (peer := peer_of(name)) and not installed(peer)]
    return [name for name in wanted if name not in missing], missing


def measure(
    case: Case,
    suite: str,
    sizes: Literal["tiny", "usual"],
    peers: tuple[str, ...],
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """What was found, as plain values: of each contender the median seconds, their spread, the first call's seconds.

    The spread is the distance of the quartiles.  A contender that fails is recorded with its error, and the others are
    measured.

    Args:
        case: of the suite.
        suite: its name.
        sizes: of the suite's data; "tiny" ones show whether it works, and have no targets.
        peers: those to measure beside adcore.
        tell: is told what is being done.
    """
    names, missing = chosen(case, peers)
    found: dict[str, dict[str, Any]] = {}
    watches: dict[str, Stopwatch] = {}
    results: dict[str, list[np.ndarray]] = {}
    for name in names:
        tell(f"{case.name}: {name}, first call")
        try:
            contender = case.contenders[name]()
            result, first = contender.first()
        except Exception as error:  # of whatever kind: it is the result of this contender
            found[name] = {"error": f"{type(error).__name__}: {error}"}
            continue
        found[name] = {"first": first}
        watches[name] = contender.watch()
        results[name] = list(leaves(result))
    _compare(case, results, found)
    del results
    tell(f"{case.name}: {', '.join(watches)}")
    if sizes == "tiny":
        times = interleaved(watches, rounds=case.rounds or 3, seconds=1e-4)
    else:
        times = interleaved(watches, rounds=case.rounds)
    for name, blocks in times.items():
        low, _, high = quantiles(blocks, n=4, method="inclusive") if len(blocks) > 1 else blocks * 3
        found[name] |= {"seconds": median(blocks), "spread": high - low, "blocks": len(blocks)}
        if case.memory and can_measure_memory():
            tell(f"{case.name}: {name}, memory")
            found[name]["peak"] = printed("peak", suite, sizes, case.name, name)["bytes"]
    seconds = {name: entry["seconds"] for name, entry in found.items() if "seconds" in entry}
    return {
        "name": case.name,
        "size": case.size,
        "agree": case.agree,
        "contenders": found,
        "missing": missing,
        "targets": [] if sizes == "tiny" else list(_targets(case, seconds)),
    }


def _compare(case: Case, results: Mapping[str, list[np.ndarray]], found: Mapping[str, dict[str, Any]]) -> None:
    """Note with each contender how far its result is from the one that it has to agree with, and whether it does."""
    if case.agree is None:
        return
    for name, result in results.items():
        work = work_of(name)
        if work is None:
            continue
        same = [other for other in results if work_of(other) == work]
        reference = REFERENCES[work] if REFERENCES[work] in same else same[0]
        if name != reference:
            apart = difference(result, results[reference])
            most = max(case.agree, FINITE_DIFFERENCES) if peer_of(name) == "scipy" else case.agree
            found[name] |= {"differs": apart if math.isfinite(apart) else "inf", "agrees": apart <= most}


def _targets(case: Case, seconds: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    for target in case.targets:
        measured = target.measured(seconds)
        yield {
            "of": target.of,
            "over": target.over,
            "measured": measured,
            "most": target.most,
            "met": None if measured is None else measured <= target.most,
        }
