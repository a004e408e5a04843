"""What is measured: the functions, and the same work in adcore and in its peers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from timeit import Timer
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adcore import grad, jit
from bench import fresh, peers
from bench.timing import Single, Stopwatch

__all__ = [
    "Array",
    "Contender",
    "Contenders",
    "FirstCall",
    "Importing",
    "Renewed",
    "SecondProcess",
    "bell_calls",
    "bells",
    "beside_peers",
    "filtered",
    "fresh_loop",
    "loop_calls",
    "recurrence",
    "relaxation",
    "scalar_calls",
    "small_array_calls",
    "waited",
    "wave",
    "waves",
    "writing_call",
]

Array = NDArray[np.float64]


class Contender:
    """One way to do the work: a function and its arguments.

    Attributes:
        call: the function, which returns when the result is there.
        arguments: what it is called with.
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function
        self.arguments = arguments

    def first(self) -> tuple[Any, float | None]:
        """The result of the first call, and the seconds that it took, compilation included."""
        began = time.perf_counter()
        result = self.call(*self.arguments)
        return result, time.perf_counter() - began

    def watch(self) -> Stopwatch:
        """A timer whose statement makes the call with nothing between."""
        names = {f"a{k}": a for k, a in enumerate(self.arguments)}
        return Timer(f"call({', '.join(names)})", globals={"call": self.call, **names})


class Renewed(Contender, Single):
    """A function that is called with new arguments every time, whose making is not timed."""

    def __init__(self, function: Callable[..., Any], make: Callable[[], tuple[Any, ...]]) -> None:
        self.function = function
        self.make = make
        super().__init__(lambda: function(*make()))

    def watch(self) -> Stopwatch:
        return self

    def once(self) -> float:
        return Timer("f(*a)", globals={"f": self.function, "a": self.make()}).timeit(1)


class Importing(Contender, Single):
    """The import of a library, in fresh processes that time themselves."""

    def __init__(self, library: str) -> None:
        super().__init__(fresh.printed, "import", library)

    def first(self) -> tuple[Any, float | None]:
        return self.call(*self.arguments).get("norms"), None

    def watch(self) -> Stopwatch:
        return self

    def once(self) -> float:
        return self.call(*self.arguments)["seconds"]


class FirstCall(Importing):
    """The first call of a contender in fresh processes, which have imported its library and made its arguments.

    The results that are compared are norms of leaves.
    """

    def __init__(self, suite: str, tiny: bool, case: str, contender: str) -> None:
        Contender.__init__(self, fresh.printed, "first", suite, "tiny" if tiny else "usual", case, contender)


class SecondProcess(FirstCall):
    """The first call in fresh processes after one that has kept what it compiled on disk."""

    def __init__(self, suite: str, tiny: bool, case: str, contender: str) -> None:
        super().__init__(suite, tiny, case, contender)
        self.folder = TemporaryDirectory()
        self.call = partial(fresh.printed, kept=self.folder.name)

    def once(self) -> float:
        found = self.call(*self.arguments)
        if not found["served"]:
            raise RuntimeError(f"nothing was on disk for {' '.join(self.arguments)}")
        return found["seconds"]


Contenders = dict[str, Callable[[], Contender]]


def waited(function: Callable[..., Any], *arguments: Any) -> Contender:
    """A function of JAX, whose result, a tree, is waited for within the time that is measured."""
    wait = peers.jax().block_until_ready
    return Contender(lambda *a: wait(function(*a)), *arguments)


def _in_jax(function: Callable[[Any, Any], Any], at: Any) -> Contender:
    jax = peers.jax()
    gradient = jax.jit(jax.grad(partial(function, jax.numpy)))
    return waited(gradient, at if isinstance(at, float) else jax.numpy.asarray(at))


def _in_autograd(function: Callable[[Any, Any], Any], at: Any) -> Contender:
    gradient = import_module("autograd").grad(partial(function, import_module("autograd.numpy")))
    return Contender(gradient, at)


def _in_torch(function: Callable[[Any, Any], Any], at: Any) -> Contender:
    torch = peers.torch()

    def gradient(x: Any) -> Any:
        return torch.autograd.grad(function(torch, x), x)[0]

    return Contender(gradient, torch.tensor(at, dtype=torch.float64, requires_grad=True))


def beside_peers(ours: Callable[[Any], Any], theirs: Callable[[Any, Any], Any], at: Any) -> Contenders:
    """The gradient of `ours` in adcore, and of `theirs(np, x)` in each peer with its own np."""
    return {
        "adcore": lambda: Contender(grad(ours), at),
        "jax": lambda: _in_jax(theirs, at),
        "autograd": lambda: _in_autograd(theirs, at),
        "torch": lambda: _in_torch(theirs, at),
    }


def wave(x: float) -> float:
    return math.sin(x) * x


def waves(x: Array) -> float:
    return np.sum(np.sin(x) * x)


def bells(x: Array) -> float:
    return np.sum(np.sin(x) * np.exp(-x * x))


def scalar_calls() -> Contenders:
    """The derivative of sin(x)·x at a float."""
    return beside_peers(wave, lambda np, x: np.sin(x) * x, 1.3)


def small_array_calls() -> Contenders:
    """The gradient of Σ sin(x)·x at three elements."""
    return beside_peers(waves, lambda np, x: np.sum(np.sin(x) * x), np.array([0.3, 1.3, 2.3]))


def bell_calls(n: int) -> Contenders:
    """The gradient of Σ sin(x)·exp(-x²) at n elements."""
    at = np.random.default_rng(0).normal(size=n)
    return beside_peers(bells, lambda np, x: np.sum(np.sin(x) * np.exp(-x * x)), at)


# Loops


def relaxation(x: float, n: int) -> float:
    """A recurrence of two multiplications and two additions a step."""
    y = 0.1
    for _ in range(n):
        y = y + 1e-7 * (x - y * y)
    return y


def recurrence(x: float, n: int) -> float:
    """A recurrence with a sine a step."""
    y = x
    for _ in range(n):
        y = y + 1e-7 * math.sin(x * y)
    return y


def filtered(x: Array) -> float:
    """Writes an array element by element, each element from the one before it."""
    out = np.zeros(x.shape[0])
    out[0] = x[0]
    for k in range(1, x.shape[0]):
        out[k] = 0.5 * out[k - 1] + x[k] * x[k]
    return np.sum(out * out)


def loop_calls(function: Callable[[float, int], float], n: int) -> Contenders:
    """The compiled function itself, and its derivative, over n steps."""
    return {"adcore": lambda: Contender(grad(function), 0.7, n), "primal": lambda: Contender(jit(function), 0.7, n)}


def writing_call(n: int) -> Contender:
    """The gradient of the function that writes n elements one by one."""
    return Contender(grad(filtered), np.random.default_rng(0).normal(size=n))


# Compilation

_LOOP = """
import math


def function(x):
    y = x
    if x > 0.0:
        for _ in range({n}):
            y = y + 1e-7 * math.sin(x * y)
    return y
"""


def fresh_loop(folder: Path, n: int, serial: int) -> Callable[[float], float]:
    """A function that no one has compiled yet, with a loop of n steps that a negative argument does not enter.

    Called with -1.0 it costs its compilation and nothing else, however large n is.
    """
    path = folder / f"loop_{n}_{serial}.py"
    path.write_text(_LOOP.format(n=n), encoding="utf-8")
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {path}")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.function
