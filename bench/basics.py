"""What a user meets first: calls, first results, imports, loops, a large array; with the targets of each."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from adcore import grad
from bench.cases import Case, Target, power
from bench.workloads import (
    Contender,
    FirstCall,
    Importing,
    Renewed,
    bell_calls,
    fresh_loop,
    loop_calls,
    recurrence,
    relaxation,
    scalar_calls,
    small_array_calls,
    writing_call,
)

__all__ = ["cases"]

FEW = 1_000  # more than LLVM unrolls, which takes less time than a loop with its tail
PROCESSES = 7
CALL = "call of grad(sin(x)·x), a float"
LIBRARIES = ("adcore", "jax", "autograd", "torch")


def cases(tiny: bool = False) -> Iterator[Case]:
    """The nine measurements."""
    steps, elements = (10_000, 1_000) if tiny else (10_000_000, 1_000_000)
    rounds = 1 if tiny else PROCESSES
    yield Case(CALL, scalar_calls(), targets=(Target("adcore", 0.5e-6),))
    yield Case("call of grad(Σ sin(x)·x), 3 elements", small_array_calls(), targets=(Target("adcore", 2e-6),))
    yield Case(
        "grad(sin(x)·x) to first result, fresh process",
        {name: _later(FirstCall, "basics", tiny, CALL, name) for name in LIBRARIES},
        targets=(Target("adcore", 50e-3),),
        rounds=rounds,
    )
    yield Case(
        "import, fresh process",
        {name: _later(Importing, name) for name in LIBRARIES},
        agree=None,
        targets=(Target("adcore", 0.4),),
        rounds=rounds,
    )
    with tempfile.TemporaryDirectory() as folder:
        yield Case(
            f"compilation, loop of {power(steps)} steps ÷ of {power(FEW)}",
            {power(n): _later(_compilation, Path(folder), n) for n in (FEW, steps)},
            targets=(Target(power(steps), 1.2, over=power(FEW)),),
            rounds=rounds,
        )
    for what, function in (("relaxation, 4 flops a step", relaxation), ("recurrence with a sine a step", recurrence)):
        yield Case(
            f"{what}, {power(steps)} steps: gradient ÷ primal",
            loop_calls(function, steps),
            targets=(Target("adcore", 3.0, over="primal"),),
            rounds=3 if tiny else 7,
        )
    few, many = elements // 10, elements
    yield Case(
        f"array written by elements, time an element: {power(many)} ÷ {power(few)}",
        {power(n): _later(writing_call, n) for n in (few, many)},
        agree=None,
        targets=(Target(power(many), 2.0, over=power(few), work=many / few),),
    )
    yield Case(
        f"gradient of Σ sin(x)·exp(-x²), {power(elements)} elements",
        bell_calls(elements),
        targets=(Target("adcore", 0.4, over="jax"),),
    )


def _later(make: Callable[..., Contender], *arguments: Any) -> Callable[[], Contender]:
    return lambda: make(*arguments)


def _compilation(folder: Path, n: int) -> Contender:
    """The first call of the derivative of a function that no one has compiled."""
    serial = count()
    return Renewed(lambda f: grad(f)(-1.0), lambda: (fresh_loop(folder, n, next(serial)),))
