"""The command `python -m bench`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.status import Status

from bench.comparing import IncomparableError, compare
from bench.machine import machine, versions
from bench.measuring import measure
from bench.peers import PEERS, installed
from bench.suites import Suite, suites
from bench.tables import faults, show

__all__ = ["FORMAT", "main"]

OK, FAILED, MISUSED = 0, 1, 2
FORMAT = 1  # of the reports
FILE_WIDTH = 160
DOCS = Path(__file__).parents[1] / "docs"

MEASURING = """\
Measure adcore beside its peers: medians of interleaved blocks of warm calls in one process on one processor.

  python -m bench show REPORT [--plots [FOLDER]]     print a report that was written, or draw it
  python -m bench compare OLD NEW                    what became slower; exit status 1 if anything did
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and give the exit status.

    0: done; 1: something failed, disagreed or became slower; 2: misused.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    commands = {"compare": _compare, "show": _show}
    if given and given[0] in commands:
        return commands[given[0]](given[1:])
    return _measure(given)


# Measuring


def _measure(given: list[str]) -> int:
    known = suites()
    options = _measuring(known).parse_args(given)
    if options.list:
        for suite in known.values():
            print(f"{suite.name:<14}{suite.about}")
        return OK
    report = _report(options)
    wanted: list[Suite] = options.suites or list(known.values())
    console = Console(stderr=True, highlight=False)
    with Status("", console=console) as status:
        for suite in wanted:
            report["suites"].append(_measured(suite, options, console, status))
            if options.json:  # after each suite, as an interruption shall not cost those that are done
                options.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if not any(suite["cases"] for suite in report["suites"]):
        print(f"bench: no case has {options.only!r} in its name", file=sys.stderr)
        return MISUSED
    show(report, _reader())
    if options.plots:
        _draw(report, options.plots)
    return FAILED if faults(report) else OK


def _measuring(known: dict[str, Suite]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=MEASURING, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "suites",
        nargs="*",
        type=partial(_suite, known),
        metavar="SUITE",
        help=f"all of them, or some of: {', '.join(known)}",
    )
    parser.add_argument("--list", action="store_true", help="say what the suites are, and do nothing")
    parser.add_argument(
        "--peers", type=_peers, default=PEERS, metavar="NAMES", help=f"with commas; {','.join(PEERS)}, or none"
    )
    parser.add_argument("--sizes", choices=("tiny", "usual"), default="usual", help="tiny: whether it works at all")
    parser.add_argument("--only", default="", metavar="TEXT", help="the cases that have this in their names")
    parser.add_argument("--json", type=_file_to_write, metavar="FILE", help="write the report")
    _add_plots(parser)
    return parser


def _report(options: argparse.Namespace) -> dict[str, Any]:
    """What a report has beside the suites."""
    return {
        "format": FORMAT,
        "machine": machine(),
        "versions": versions(),
        "sizes": options.sizes,
        "peers": list(options.peers),
        "missing": [peer for peer in options.peers if not installed(peer)],
        "suites": [],
    }


def _measured(suite: Suite, options: argparse.Namespace, console: Console, status: Status) -> dict[str, Any]:
    """The cases of a suite, one after another; each is told when it is done."""
    found: list[dict[str, Any]] = []
    for case in suite.cases(options.sizes == "tiny"):
        if options.only in case.name:
            began = time.perf_counter()
            found.append(measure(case, suite.name, options.sizes, options.peers, status.update))
            took = time.perf_counter() - began
            console.print(f"measured {suite.name}: {case.name}, in {took:.1f} s", markup=False, soft_wrap=True)
    return {"name": suite.name, "about": suite.about, "cases": found}


def _suite(known: dict[str, Suite], name: str) -> Suite:
    if name not in known:
        raise argparse.ArgumentTypeError(f"no suite {name!r}; there are {', '.join(known)}")
    return known[name]


def _peers(text: str) -> tuple[str, ...]:
    names = () if text == "none" else tuple(text.split(","))
    unknown = [name for name in names if name not in PEERS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no peer {unknown[0]!r}; there are {', '.join(PEERS)}")
    return names


def _file_to_write(text: str) -> Path:
    path = Path(text)
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no directory {str(path.parent)!r}")
    return path


# Pictures


def _add_plots(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--plots", nargs="?", type=_folder, const=DOCS, metavar="FOLDER", help="draw pictures, into docs without FOLDER"
    )


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"there is no directory {text!r}")
    return path


def _draw(report: dict[str, Any], folder: Path) -> None:
    from bench.plots import draw  # Matplotlib takes a second to import

    for path in draw(report, folder):
        print(f"drawn {path}", file=sys.stderr)


# Reports that were written


def _reader() -> Console:
    """The standard output, wide enough for the tables where it is a file."""
    return Console(width=None if sys.stdout.isatty() else FILE_WIDTH)


def _written(text: str) -> dict[str, Any]:
    try:
        report = json.loads(Path(text).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"cannot read {text!r}: {error}") from error
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise argparse.ArgumentTypeError(f"{text!r} is no report of this version: measure again")
    return report


def _show(given: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench show", description="Print or draw a report.")
    parser.add_argument("report", type=_written, metavar="REPORT", help="a file that --json wrote")
    _add_plots(parser)
    options = parser.parse_args(given)
    show(options.report, _reader())
    if options.plots:
        _draw(options.report, options.plots)
    return OK


def _compare(given: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench compare",
        description="Tell what became slower, beyond the threshold and both spreads; exit status 1 if anything did.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("old", type=_written, metavar="OLD", help="a file that --json wrote")
    parser.add_argument("new", type=_written, metavar="NEW", help="another one")
    parser.add_argument("--threshold", type=_threshold, default=1.1, metavar="R", help="the largest new ÷ old")
    parser.add_argument("--across-machines", action="store_true", help="compare reports of different machines")
    options = parser.parse_args(given)
    try:
        kept = compare(options.old, options.new, options.threshold, options.across_machines, _reader())
    except IncomparableError as error:
        print(f"bench: {error}", file=sys.stderr)
        return MISUSED
    return OK if kept else FAILED


def _threshold(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value >= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 upwards")
    return value
