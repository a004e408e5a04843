"""Run the suite against every mutant: `python -m proofs.mutants [--jobs J] [--only NAME …] [--stages N]`.

Each mutant is applied to a copy of the repository in a temporary directory.  The tests are asked in stages, those of
the mutant's own package first, and the first that fails has killed it.  The exit status is 1 where one survives.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from . import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("adcore", "frontends", "backends", "proofs", "tests", "docs", "examples", "pyproject.toml", "README.md")
PATIENCE = 420.0  # seconds for a stage; a mutant that makes a test endless is killed too
PROGRAMS = "150"

PATTERNS = "tests/endtoend/test_failure_patterns.py"
MASKED = "tests/endtoend/test_masked_reads.py"
THREADS = "tests/endtoend/test_threads.py"
STATED = ("tests/endtoend/test_rule_errors.py", "tests/endtoend/test_rule_examples.py")
ENDS = (
    "tests/endtoend/test_aliasing.py",
    "tests/endtoend/test_regressions.py",
    "tests/endtoend/test_residuals.py",
    "tests/endtoend/test_api.py",
    "tests/endtoend/test_arguments.py",
    "tests/endtoend/test_changes.py",
    "tests/endtoend/test_masks.py",
)
OWN = {
    "adcore": (
        "tests/core/test_exact_passes.py",
        MASKED,
        PATTERNS,
        "proofs/test_linear.py",
        "tests/core",
        *STATED,
        *ENDS,
        THREADS,
    ),
    "adcore_python": (
        "tests/frontend/test_sharing.py",
        "tests/frontend/test_meaning.py",
        "tests/frontend/test_integers.py",
        PATTERNS,
        *ENDS,
    ),
    "adcore_llvm": ("tests/llvm", THREADS, PATTERNS, *ENDS),
}
LAST = ("tests/frontend/test_errors.py", "tests/endtoend/test_errors.py", "tests/endtoend/test_derivatives.py")


@dataclass(frozen=True)
class Outcome:
    """What killed a mutant and after how many seconds; no killer, if it survived."""

    mutant: Mutant
    killer: str
    seconds: float


def stages(mutant: Mutant) -> Iterator[list[str]]:
    """The commands to run, in order."""
    pytest = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-rfE"]
    own = OWN[mutant.area]
    compiled = "1" if mutant.area == "adcore_llvm" else "0"
    yield [sys.executable, "-m", "proofs.mutants.probe", mutant.area]
    yield [*pytest, *own]
    command = "import sys; from adcore.cli import main; sys.exit(main(sys.argv[1:]))"
    yield [sys.executable, "-c", command, "selftest", "--programs", PROGRAMS, "--jobs", "1", "--compile", compiled]
    others = dict.fromkeys(path for paths in OWN.values() for path in paths if path not in own)
    yield [*pytest, *others, *LAST]


def outcome(mutant: Mutant, root: Path, most: int = 4) -> Outcome:
    """Run the stages, or so many of them, on a mutated copy until one fails."""
    began = time.monotonic()
    with applied(mutant, root):
        for command in islice(stages(mutant), most):
            killer = verdict(command, root)
            if killer:
                return Outcome(mutant, killer, time.monotonic() - began)
    return Outcome(mutant, "", time.monotonic() - began)


@contextmanager
def applied(mutant: Mutant, root: Path) -> Iterator[None]:
    file = root / mutant.module
    before = file.read_text()
    mutant.apply(root)
    try:
        yield
    finally:
        file.write_text(before)


def verdict(command: list[str], root: Path) -> str:
    """What failed, or nothing."""
    path = os.pathsep.join(str(root / part) for part in ("", "frontends", "backends"))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        run = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return "no end"
    if run.returncode == 0:
        return ""
    found = re.search(r"^(?:FAILED|ERROR) (.*?)(?: - .*)?$|^(failed \S+: .*)$", run.stdout + run.stderr, re.MULTILINE)
    if found:
        return found[1] or found[2]
    return f"a crash (status {run.returncode})"


def copied(directory: str) -> Path:
    """A copy of the repository without what is compiled."""
    root = Path(tempfile.mkdtemp(prefix="copy_", dir=directory))
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / name)
    return root


def main() -> int:
    parser = argparse.ArgumentParser(description="Apply each mutant to a copy and run the tests against it.")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", nargs="+", default=None, metavar="NAME", help="names, or parts of them")
    parser.add_argument("--stages", type=int, default=4, metavar="N", help="ask only the first N stages: 1 is quick")
    options = parser.parse_args()
    chosen = [m for m in MUTANTS if options.only is None or any(part in m.name for part in options.only)]
    for mutant in chosen:  # one that does not apply is found now, not after half of the run
        mutant.applied((ROOT / mutant.module).read_text())
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="mutants_") as directory, ThreadPoolExecutor(options.jobs) as pool:
        roots = [copied(directory) for _ in range(options.jobs)]

        def next_free(mutant: Mutant) -> Outcome:
            root = roots.pop()
            try:
                return outcome(mutant, root, options.stages)
            finally:
                roots.append(root)

        for future in as_completed([pool.submit(next_free, m) for m in chosen]):
            found = future.result()
            outcomes.append(found)
            print(f"{found.seconds:6.1f} s  {found.mutant.name}: {found.killer or 'SURVIVES'}", flush=True)
    survivors = [o.mutant for o in outcomes if not o.killer]
    print(f"{len(outcomes) - len(survivors)} of {len(outcomes)} mutants killed")
    for mutant in survivors:
        print(f"  survives: {mutant.name} ({mutant.module}): {mutant.breaks}")
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main())
