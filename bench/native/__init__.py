"""The problems of GradBench in C++, with derivatives written by hand: plain loops, as fast as a compiler makes them.

A file a problem.  They are compiled where they are wanted, once for each source, compiler and processor, and are called
through ctypes with arrays that are there already.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import compiler_version, machine
from bench.workloads import Array, Contender, Contenders

__all__ = ["PROBLEMS", "contenders", "library"]

SOURCES = sorted(Path(__file__).parent.glob("*.cpp"))
FLAGS = ("-std=c++17", "-O3", "-march=native", "-fopenmp-simd", "-shared", "-fPIC")

Bound = tuple[Callable[[], Any], Callable[[], Any]]  # the derivative and the function, with their arguments


def contenders(problem: str, arguments: tuple[Any, ...]) -> Contenders:
    """The derivative, "c++", and the function, "c++ primal", of a problem; compiled when they are made.

    Args:
        problem: one of `PROBLEMS`.
        arguments: of the problem's Python function in `bench.gradbench`; the results are that one's too.
    """
    return {
        "c++": lambda: Contender(PROBLEMS[problem](*arguments)[0]),
        "c++ primal": lambda: Contender(PROBLEMS[problem](*arguments)[1]),
    }


@cache
def library() -> ctypes.CDLL:
    """All problems, compiled unless they are in the cache.

    Raises:
        RuntimeError: where g++ does not compile them, with what it says.
    """
    source = b"".join(path.read_bytes() for path in SOURCES)
    key = "\n".join((compiler_version(), str(machine()), *FLAGS)).encode() + source
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "adcore-bench"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"native-{hashlib.sha256(key).hexdigest()[:32]}.so"
    if not target.exists():
        # compiled beside its place and moved there, so that no one loads the half of it
        with tempfile.TemporaryDirectory(dir=folder) as beside:
            built = Path(beside) / target.name
            command = ["g++", *FLAGS, "-o", str(built), *map(str, SOURCES)]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"g++ failed:\n{done.stderr}")
            built.replace(target)
    return ctypes.CDLL(str(target))


def _bound(name: str, *arguments: Any, result: Any = None) -> Callable[[], Any]:
    """The function of that name with its arguments, as C has them: arrays are pointers to their elements."""
    function = library()[name]
    function.restype = result
    given: list[Any] = []
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            if not argument.flags.c_contiguous or argument.dtype not in (np.float64, np.int64):
                raise TypeError(f"{name} takes contiguous arrays of float64 and int64")
            given.append(ctypes.c_void_p(argument.ctypes.data))
        else:
            given.append(ctypes.c_double(argument) if isinstance(argument, float) else ctypes.c_long(argument))

    def call(kept: tuple[Any, ...] = arguments) -> Any:  # the arrays live as long as the pointers to them
        return function(*given)

    return call


def _filling(name: str, *arguments: Any, results: tuple[Any, ...]) -> Callable[[], Any]:
    """A function that writes its results, the last of its arguments, into arrays that are there already."""
    call = _bound(name, *arguments, *results)
    returned = results[0] if len(results) == 1 else results

    def fill() -> Any:
        call()
        return returned

    return fill


def _valued(name: str, *arguments: Any) -> Callable[[], float]:
    return _bound(name, *arguments, result=ctypes.c_double)


def _gmm(alpha: Array, mu: Array, q: Array, l: Array, x: Array, gamma: float, m: int) -> Bound:  # noqa: E741
    (k, d), n = mu.shape, x.shape[0]
    given = (n, d, k, alpha, mu, q, l, x, gamma, m)
    results = tuple(np.empty_like(a) for a in (alpha, mu, q, l))
    return _filling("gmm_gradient", *given, results=results), _valued("gmm", *given)


def _lstm(main: Array, extra: Array, state: Array, sequence: Array) -> Bound:
    given = (main.shape[0] // 2, *sequence.shape, main, extra, state, sequence)
    results = (np.empty_like(main), np.empty_like(extra))
    return _filling("lstm_gradient", *given, results=results), _valued("lstm", *given)


def _kmeans(centroids: Array, points: Array) -> Bound:
    given = (centroids.shape[0], *points.shape, centroids, points)
    return _filling("kmeans_direction", *given, results=(np.empty_like(centroids),)), _valued("kmeans", *given)


def _llsq(x: Array, n: int) -> Bound:
    given = (n, x.shape[0], x)
    return _filling("llsq_gradient", *given, results=(np.empty_like(x),)), _valued("llsq", *given)


def _lse(x: Array) -> Bound:
    given = (x.shape[0], x)
    return _filling("lse_gradient", *given, results=(np.empty_like(x),)), _valued("lse", *given)


def _ode(x: Array, steps: int) -> Bound:
    given = (x.shape[0], steps, x)
    return _filling("ode_gradient", *given, results=(np.empty_like(x),)), _valued("ode", *given)


def _det(A: Array, n: int) -> Bound:
    given = (n, A)
    return _filling("det_gradient", *given, results=(np.empty_like(A),)), _valued("det", *given)


def _ba(cameras: Array, points: Array, weights: Array, observations: Any, features: Array) -> Bound:
    n, m, p = cameras.shape[0], points.shape[0], weights.shape[0]
    given = (cameras, points, weights, observations, features)
    nonzero = 31 * p
    rows = (np.empty(nonzero), np.empty(nonzero, dtype=np.int64), np.empty(3 * p + 1, dtype=np.int64))
    errors = (np.empty(2 * p), np.empty(p))
    return _filling("ba_jacobian", n, m, p, *given, results=rows), _filling("ba", p, *given, results=errors)


PROBLEMS: dict[str, Callable[..., Bound]] = {
    "gmm": _gmm,
    "lstm": _lstm,
    "kmeans": _kmeans,
    "llsq": _llsq,
    "lse": _lse,
    "ode": _ode,
    "det": _det,
    "ba": _ba,
}
