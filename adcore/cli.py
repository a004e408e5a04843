"""The command line: `adcore bench`, `adcore cache`, `adcore demo`, `adcore doctor`, `adcore ops`, `adcore selftest`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import cache, doctor
from .errors import AdcoreError
from .plugins import frontend
from .primitives import TABLE, Primitive

__all__ = ["main"]

OK, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130

_DEMO_NEEDS = ("matplotlib", "rich")
_CHECKOUT = Path(__file__).parents[1]  # where the measurements are, unless this is an installed wheel


class CommandError(Exception):
    """A command that cannot be carried out, with the reason in the message and an exit status."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        self.status = status
        super().__init__(message)


# demo


def _demo(options: argparse.Namespace) -> int:
    missing = [name for name in _DEMO_NEEDS if find_spec(name) is None]
    if missing:
        raise CommandError(f"the demo needs {' and '.join(missing)}: pip install 'adcore[demo]'")
    from rich.console import Console

    from .demo.picture import FORMATS
    from .demo.report import run

    output: Path = options.output
    if output.suffix.lower() not in FORMATS:
        raise CommandError(f"cannot write {str(output)!r}: its ending is none of {', '.join(FORMATS)}", MISUSED)
    if not output.parent.is_dir():
        raise CommandError(f"cannot write {str(output)!r}: there is no directory {str(output.parent)!r}", MISUSED)
    run(output, options.steps_per_day, Console())
    return OK


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 upwards")
    return number


def _fraction(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return number


# bench


def _bench(options: argparse.Namespace) -> int:
    if not (_CHECKOUT / "bench" / "__main__.py").is_file():
        raise CommandError("the measurements are not installed: they run from a checkout of adcore, by make bench")
    paths = [str(_CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run([sys.executable, "-m", "bench", *options.arguments], env=environment, check=False).returncode


# cache


def _cache(options: argparse.Namespace) -> int:
    if options.action == "clear":
        count = cache.clear()
        print(json.dumps({"removed": count}) if options.json else f"{count} files removed")
        return OK
    if options.action == "list":
        rows = cache.listed()
        print(json.dumps(rows, indent=2) if options.json else columns(rows) if rows else "nothing is kept")
        return OK
    found = cache.examine()
    print(json.dumps(found, indent=2) if options.json else doctor.cache_lines(found))
    return OK


# doctor


def _doctor(options: argparse.Namespace) -> int:
    found = doctor.examine()
    print(json.dumps(found, indent=2) if options.json else doctor.describe(found))
    return OK if doctor.healthy(found) else FAILED


# ops


def _derivative(primitive: Primitive) -> str:
    if primitive.has_regions:
        return "structural"
    return "linear map" if any(m is not None for m in primitive.maps) else "none"


def _primitives() -> list[dict[str, Any]]:
    return [
        {
            "name": p.name,
            "kind": p.kind.value,
            "derivative": _derivative(p),
            "symbol": p.symbol,
            "kinks": "; ".join(str(k) for k in p.kinks),
        }
        for p in sorted(TABLE, key=lambda p: (p.kind.value, p.name))
    ]


def _ops(options: argparse.Namespace) -> int:
    if options.primitives:
        rows = _primitives()
    elif options.json:
        rows = [asdict(known) for known in frontend().callables()]
    else:
        rows = [{"name": k.name, "dtypes": " ".join(k.dtypes), "order": k.order} for k in frontend().callables()]
    print(json.dumps(rows, indent=2) if options.json else columns(rows))
    return OK


def columns(rows: Sequence[dict[str, Any]]) -> str:
    """Rows with the same keys as aligned columns under the keys.

    >>> print(columns([{"name": "abs", "kinks": "x = 0"}, {"name": "maximum", "kinks": "x = y"}]))
    name     kinks
    abs      x = 0
    maximum  x = y
    """
    heads = list(rows[0])
    lines = [heads, *([str(row[h]) for h in heads] for row in rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(heads))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)


# selftest


def _selftest(options: argparse.Namespace) -> int:
    from .selftest.runner import run

    os.environ["ADCORE_CACHE"] = "0"  # what is checked is compiled here
    tally = run(options.programs, options.seed, options.jobs, options.output, options.compile, threads=options.threads)
    print(tally.describe())
    return FAILED if tally.failures else OK


# the parser


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="adcore", description="An automatic-differentiation compiler for ordinary Python functions."
    )
    parser.add_argument("--version", action="version", version=f"adcore {doctor.version_of('adcore')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="fit an epidemic model to the 1978 boarding-school influenza outbreak",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    demo.add_argument(
        "--output", type=Path, default=Path("influenza.png"), metavar="PATH", help="where the picture goes"
    )
    demo.add_argument(
        "--steps-per-day", type=_positive, default=1000, metavar="N", help="Runge-Kutta steps for each day"
    )
    demo.set_defaults(run=_demo)

    # no argument is an option here: what begins with a dash is for the command that is run
    bench = commands.add_parser(
        "bench", help="measure adcore beside its peers, from a checkout", add_help=False, prefix_chars="\0"
    )
    bench.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="of python -m bench")
    bench.set_defaults(run=_bench)

    kept = commands.add_parser("cache", help="show, list or clear the compiled functions that are kept on disk")
    kept.add_argument("action", nargs="?", choices=("show", "list", "clear"), default="show", help="what to do")
    kept.add_argument("--json", action="store_true", help="print JSON")
    kept.set_defaults(run=_cache)

    health = commands.add_parser("doctor", help="show versions, the processor, vector mathematics and plugins")
    health.add_argument("--json", action="store_true", help="print JSON")
    health.set_defaults(run=_doctor)

    ops = commands.add_parser("ops", help="list what can be called, with dtypes and orders of derivatives")
    ops.add_argument("--primitives", action="store_true", help="list the primitives with their kinds and kinks instead")
    ops.add_argument("--json", action="store_true", help="print JSON")
    ops.set_defaults(run=_ops)

    selftest = commands.add_parser(
        "selftest",
        help="check the derivatives of random programs against plain Python and against each other",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    selftest.add_argument("--programs", type=_positive, default=200, metavar="N", help="how many programs")
    selftest.add_argument("--seed", type=int, default=0, metavar="S", help="the same seed gives the same programs")
    selftest.add_argument("--jobs", type=_positive, default=os.cpu_count() or 1, metavar="J", help="processes")
    selftest.add_argument(
        "--output", type=Path, default=Path("adcore-selftest"), metavar="DIR", help="where reproducers go"
    )
    selftest.add_argument(
        "--compile", type=_fraction, default=1.0, metavar="P", help="the part that is compiled, not only interpreted"
    )
    selftest.add_argument(
        "--threads", type=_positive, default=1, metavar="T", help="threads that run independent iterations, even of few"
    )
    selftest.set_defaults(run=_selftest)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give the exit status: 0 done, 1 failed, 2 misused, 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        status = options.run(options)
        sys.stdout.flush()
    except CommandError as error:
        print(f"adcore: {error}", file=sys.stderr)
        return error.status
    except (AdcoreError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            # the reader has gone away: nothing is left to say, also when Python flushes at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED
        print(f"adcore: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("adcore: interrupted", file=sys.stderr)
        return INTERRUPTED
    return status
