"""What is measured in processes of its own: imports, first calls, peaks of memory.

python -m bench.fresh import LIBRARY
python -m bench.fresh first|peak SUITE tiny|usual CASE CONTENDER

prints JSON: {"seconds": …}, with the norms of the results where there are results, and how many programs came from the
disk; or {"bytes": …}.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.workloads import Contender

__all__ = ["can_measure_memory", "printed"]

ROOT = Path(__file__).parents[1]
STATUS, PEAKS = Path("/proc/self/status"), Path("/proc/self/clear_refs")
KEPT = "BENCH_KEPT"  # in the environment: the directory of a disk cache
FORGET_PEAK = "5"  # written to `clear_refs`, makes the peak what the process holds now: proc(5)


def printed(*arguments: str, kept: str | None = None) -> dict[str, Any]:
    """What this module prints for these arguments, in a fresh process, whose compiled functions are kept there."""
    command = [sys.executable, "-m", "bench.fresh", *arguments]
    environment = {**os.environ, **({} if kept is None else {KEPT: kept})}
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def can_measure_memory() -> bool:
    """Whether the system tells a process its peak of memory since a moment: Linux does."""
    return PEAKS.exists() and STATUS.exists()


def _import_seconds(library: str) -> dict[str, Any]:
    began = time.perf_counter()
    import_module(library)
    return {"seconds": time.perf_counter() - began}


def _contender(suite: str, sizes: str, case: str, name: str) -> Contender:
    from bench.suites import suites

    return suites()[suite].case(case, sizes == "tiny").contenders[name]()


def _first_call(contender: Contender) -> dict[str, Any]:
    from adcore import cache
    from bench.measuring import norms

    kept = os.environ.get(KEPT)
    if kept is not None:
        os.environ.update(ADCORE_CACHE="1", ADCORE_CACHE_DIR=kept)
        cache.prepare()  # as the import does
    began = time.perf_counter()
    result = contender.call(*contender.arguments)
    return {"seconds": time.perf_counter() - began, "norms": norms(result), "served": cache.COUNTS.served}


def _held(field: str) -> int:
    """A field of the process's status in bytes."""
    line = next(line for line in STATUS.read_text(encoding="ascii").splitlines() if line.startswith(field))
    return 1024 * int(line.split()[1])


def _peak(contender: Contender) -> dict[str, Any]:
    """How much more memory there is at the peak of a warm call than before it, the result included."""
    from adcore_llvm.memory import give_back

    contender.call(*contender.arguments)
    give_back()  # or else a warm call would take for nothing what the first one took
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    PEAKS.write_text(FORGET_PEAK, encoding="ascii")
    before = _held("VmRSS:")
    contender.call(*contender.arguments)
    return {"bytes": max(0, _held("VmHWM:") - before)}


def main(what: str, *rest: str) -> None:
    """Measure and print."""
    from bench.timing import one_processor

    one_processor()
    match what:
        case "import":
            found = _import_seconds(*rest)
        case "first":
            found = _first_call(_contender(*rest))
        case "peak":
            found = _peak(_contender(*rest))
        case _:
            raise SystemExit(f"no measurement {what!r}")
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
