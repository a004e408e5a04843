"""What is measured: the functions, and the same work in adcore and in its peers."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from timeit import Timer
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adcore import grad, jit

__all__ = [
    "PEERS",
    "Contender",
    "bell_calls",
    "bells",
    "filtered",
    "fresh_loop",
    "installed",
    "loop_calls",
    "recurrence",
    "relaxation",
    "scalar_calls",
    "small_array_calls",
    "wave",
    "waves",
    "writing_calls",
]

PEERS = ("jax", "autograd")
Array = NDArray[np.float64]


class Contender:
    """One way to do the work: a function and its arguments, and whether the result has to be waited for.

    A result of JAX is waited for with `block_until_ready`, within the time that is measured.

    Attributes:
        call: the function, which returns when the result is there.
        arguments: what it is called with.
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any, waits: bool = False) -> None:
        self.call = (lambda *a: function(*a).block_until_ready()) if waits else function
        self.arguments = arguments

    def timer(self) -> Timer:
        """A timer whose statement makes the call with nothing between."""
        names = {f"a{k}": a for k, a in enumerate(self.arguments)}
        return Timer(f"call({', '.join(names)})", globals={"call": self.call, **names})


Contenders = dict[str, Contender]


def installed(peer: str) -> bool:
    """Whether the peer is there to be measured."""
    return find_spec(peer) is not None


def _jax() -> Any:
    jax = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    return jax


def _beside_peers(ours: Callable[[Any], Any], theirs: Callable[[Any, Any], Any], at: Any) -> Contenders:
    """The gradient of `ours` in adcore, and of `theirs(np, x)` in each peer that is installed and its own np."""
    contenders = {"adcore": Contender(grad(ours), at)}
    if installed("jax"):
        jax = _jax()
        gradient = jax.jit(jax.grad(partial(theirs, jax.numpy)))
        contenders["jax"] = Contender(gradient, at if isinstance(at, float) else jax.numpy.asarray(at), waits=True)
    if installed("autograd"):
        gradient = import_module("autograd").grad(partial(theirs, import_module("autograd.numpy")))
        contenders["autograd"] = Contender(gradient, at)
    expected = contenders["adcore"].call(at)
    for name, contender in contenders.items():
        result = contender.call(*contender.arguments)
        np.testing.assert_allclose(result, expected, rtol=1e-9, atol=1e-12, err_msg=name)
    return contenders


def wave(x: float) -> float:
    return math.sin(x) * x


def waves(x: Array) -> float:
    return np.sum(np.sin(x) * x)


def bells(x: Array) -> float:
    return np.sum(np.sin(x) * np.exp(-x * x))


def scalar_calls() -> Contenders:
    """The derivative of sin(x)·x at a float."""
    return _beside_peers(wave, lambda np, x: np.sin(x) * x, 1.3)


def small_array_calls() -> Contenders:
    """The gradient of Σ sin(x)·x at three elements."""
    return _beside_peers(waves, lambda np, x: np.sum(np.sin(x) * x), np.array([0.3, 1.3, 2.3]))


def bell_calls(n: int) -> Contenders:
    """The gradient of Σ sin(x)·exp(-x²) at n elements."""
    at = np.random.default_rng(0).normal(size=n)
    return _beside_peers(bells, lambda np, x: np.sum(np.sin(x) * np.exp(-x * x)), at)


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
    return {"primal": Contender(jit(function), 0.7, n), "gradient": Contender(grad(function), 0.7, n)}


def writing_calls(n: int) -> Contenders:
    """The gradient of the function that writes n elements one by one."""
    return {"gradient": Contender(grad(filtered), np.random.default_rng(0).normal(size=n))}


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
