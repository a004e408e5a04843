# ruff: noqa: PT017
"""Functions that were never written for us: those of the standard library, NumPy and SciPy compile or are refused.

The test tries some of them; all are tried by

    python -m tests.frontend.test_stdlib --jobs 2 [MODULE ...]
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import inspect
import io
import pkgutil
import random
import signal
import sys
import time
import traceback
import types
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np
import pytest
from adcore_python import PythonFrontend
from adcore_python.known import known_function

from adcore.errors import AdcoreError
from adcore.plugins import Spec, Static
from adcore.types import DType
from adcore.verify import verify

SECONDS = 10.0
NOT_IMPORTED = {"antigravity", "this", "idlelib", "turtledemo", "lib2to3", "__main__", "test", "tkinter", "turtle"}
SAMPLE = ("ast", "asyncio.base_events", "colorsys", "copy", "dataclasses", "fractions", "heapq", "random", "statistics")
SAMPLE += ("textwrap", "numpy.lib._function_base_impl", "numpy.linalg._linalg", "numpy.polynomial.polynomial")
SAMPLE += ("scipy.integrate._ivp.rk", "scipy.optimize._optimize", "scipy.stats._stats_py")
MAXIMUM = 12
GROUP = 40

FLOAT, INTEGER = Spec(DType.F64, python=True), Spec(DType.I64, python=True)
VECTOR, MATRIX = Spec(DType.F64, (None,)), Spec(DType.F64, (None, None))
CHOICES = (
    FLOAT,
    INTEGER,
    Spec(DType.BOOL, python=True),
    VECTOR,
    MATRIX,
    Spec(DType.I64, (None,)),
    Spec(DType.BOOL, (None,)),
    Spec(DType.F64, (1,)),
    Spec(DType.F64),
    Static("text"),
    Static(None),
    Static(3),
    Static(len),
    (FLOAT, INTEGER),
    [FLOAT, VECTOR],
    {"key": FLOAT},
    (),
)
UNIFORM = (FLOAT, VECTOR, MATRIX, INTEGER, Static("text"))


# What there is


def modules(names: list[str]) -> list[str]:
    """The modules to try: those named, or all."""
    if names:
        return names
    found = sorted(m for m in sys.stdlib_module_names if m not in NOT_IMPORTED)
    packages = [*found, "numpy", "scipy"]
    for name in packages:
        with _quiet():
            try:
                package = importlib.import_module(name)
            except BaseException:
                continue
        if hasattr(package, "__path__"):
            found += [m.name for m in pkgutil.walk_packages(package.__path__, f"{name}.", onerror=lambda _: None)]
    skipped = ("test", "tests", "__main__", "conftest", "setup", "idlelib")
    return [m for m in dict.fromkeys([*found, "numpy", "scipy"]) if not set(m.split(".")) & {*skipped, *NOT_IMPORTED}]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    text = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        warnings.simplefilter("ignore")
        yield


def functions(module: str) -> list[tuple[types.FunctionType, type | None]]:
    """Every function and method that the module defines, those defined inside others included."""
    with _quiet():
        try:
            namespace = vars(importlib.import_module(module))
        except BaseException:
            return []
    found: dict[types.CodeType, tuple[types.FunctionType, type | None]] = {}
    for value in list(namespace.values()):
        for function, owner in _functions_of(value, module, set()):
            for each in (function, *_inner(function)):
                found.setdefault(each.__code__, (each, owner if each is function else None))
    return list(found.values())


def _functions_of(value: Any, module: str, seen: set[int]) -> Iterator[tuple[types.FunctionType, type | None]]:
    if id(value) in seen or getattr(value, "__module__", None) != module:
        return
    seen.add(id(value))
    with contextlib.suppress(Exception):
        value = inspect.unwrap(value)
    if isinstance(value, types.FunctionType) and value.__module__ == module:
        yield value, None
    elif isinstance(value, type):
        for member in list(vars(value).values()):
            member = getattr(member, "__func__", getattr(member, "fget", member))
            for function, owner in _functions_of(member, module, seen):
                yield function, owner or value


def _inner(function: types.FunctionType) -> Iterator[types.FunctionType]:
    """The functions that a function would define if it were called, closed over nothing."""
    for code in function.__code__.co_consts:
        if isinstance(code, types.CodeType) and (code.co_name[:1] != "<" or code.co_name == "<lambda>"):
            cells = tuple(types.CellType() for _ in code.co_freevars)
            made = types.FunctionType(code, function.__globals__, closure=cells)
            yield made
            yield from _inner(made)


def specs(function: types.FunctionType, owner: type | None, pick: random.Random, attempts: int) -> Iterator[Any]:
    """Argument structures to try."""
    parameters = list(inspect.signature(function).parameters.values())
    for k in range(attempts):
        chosen = [UNIFORM[k]] * len(parameters) if k < len(UNIFORM) else [pick.choice(CHOICES) for _ in parameters]
        if parameters and parameters[0].name in ("self", "cls") and owner is not None and pick.random() < 0.8:
            chosen[0] = Static(owner)
            if parameters[0].name == "self":
                with contextlib.suppress(Exception):
                    chosen[0] = Static(owner.__new__(owner))
        for place, p in enumerate(parameters):
            if p.kind is p.VAR_POSITIONAL:
                chosen[place] = (chosen[place],)
            elif p.kind is p.VAR_KEYWORD:
                chosen[place] = {}
            elif p.default is not p.empty and k % 2:
                chosen[place] = _default(p.default)
        yield tuple(chosen)


def _default(value: Any) -> Any:
    if type(value) in (bool, int, float) and abs(value) < 2**62:
        return Spec({bool: DType.BOOL, int: DType.I64, float: DType.F64}[type(value)], python=True)
    return Static(value)


def _shown(arguments: Any) -> str:
    try:
        return repr(arguments)
    except Exception:
        return "(arguments that cannot be shown)"


# Trying


class TooLong(BaseException):
    """Not an Exception, so that nothing on the way takes it for its own."""


def _too_long(*_: Any) -> None:
    raise TooLong


def attempt(function: types.FunctionType, arguments: Any) -> str:
    """How lowering goes: `compiled`, or the class and words of the refusal; anything else is raised."""
    signal.signal(signal.SIGALRM, _too_long)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        verify(PythonFrontend().lower(function, arguments).program)
    except AdcoreError as error:
        if type(error).__name__ in ("CompileError", "VerifyError"):
            raise
        assert error.source is not None or known_function(function), f"no source: {error}"
        assert error.write, f"no rewrite: {error}"
        return f"{type(error).__name__}: {error.cause}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
    return "compiled"


def survey(module: str, attempts: int = 8, seed: int = 0, most: int | None = None) -> tuple[Counter[str], list[str]]:
    """Outcomes of a module's functions, and what went wrong."""
    sys.unraisablehook = lambda _: None  # from objects that were made without __init__
    pick = random.Random(f"{module} {seed}")
    found = functions(module)
    if most is not None and len(found) > most:
        found = pick.sample(found, most)
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    outcomes["functions"] = len(found)
    for function, owner in found:
        compiled = False
        for arguments in specs(function, owner, pick, attempts):
            try:
                with _quiet(), np.errstate(all="ignore"):
                    outcome = attempt(function, arguments)
            except (Exception, TooLong):
                failures.append(
                    f"{module}.{function.__qualname__}{_shown(arguments)}\n{traceback.format_exc(limit=-6)}"
                )
                outcome = "failed"
            compiled = compiled or outcome == "compiled"
            outcomes[outcome] += 1
        outcomes["functions compiled"] += compiled
    return outcomes, failures


@pytest.mark.parametrize("module", SAMPLE)
def test_compiles_or_refuses(module):
    with np.errstate(all="ignore"):
        outcomes, failures = survey(module, attempts=3, most=MAXIMUM)
    assert not failures, "\n".join(failures)
    assert outcomes["functions"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--attempts", type=int, default=8, help="argument structures for each function")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    names, start = modules(options.modules), time.time()
    total: Counter[str] = Counter()
    wrong: list[str] = []
    one = functools.partial(survey, attempts=options.attempts, seed=options.seed)
    for first in range(0, len(names), GROUP):
        group = names[first : first + GROUP]
        try:
            with ProcessPoolExecutor(options.jobs) as pool:
                for outcomes, failures in pool.map(one, group):
                    total += outcomes
                    wrong += failures
                    print("\n".join(failures), end="", flush=True)
        except BrokenProcessPool:
            wrong.append(f"a process died in one of {group}")
            print(wrong[-1], flush=True)
        done = min(first + GROUP, len(names))
        print(f"{done} of {len(names)} modules, {len(wrong)} failures", file=sys.stderr, flush=True)
    for outcome, count in total.most_common(100):
        print(f"{count:8}  {outcome}")
    print(f"{len(names)} modules, {len(wrong)} failures, {time.time() - start:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
