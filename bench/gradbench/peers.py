"""The contenders of a problem: adcore's derivative and function, and the same work in Numba, JAX and C++."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import FunctionType
from typing import Any

from adcore import jit
from bench import native
from bench.workloads import Contender

__all__ = ["compiled_by_numba", "contenders", "jax", "waiting"]

Function = Callable[..., Any]

_compiled = cache(jit)  # once for all sizes


def contenders(
    arguments: tuple[Any, ...],
    derivative: Function,
    primal: Function,
    port: Callable[[], tuple[Function, Function]],
    static: tuple[int, ...] = (),
) -> dict[str, Callable[[], Contender]]:
    """Everyone who does the work on these arguments.

    Args:
        arguments: of all of the functions.
        derivative: made by adcore.
        primal: the function as it was written.
        port: gives derivative and function in JAX, under `jax.jit`.
        static: the arguments that the function has to know when it is compiled.
    """
    problem = primal.__module__.rpartition(".")[2]
    by_hand = native.contenders(problem, arguments) if problem in native.PROBLEMS else {}
    return {
        "adcore": lambda: Contender(derivative, *arguments),
        "primal": lambda: Contender(_compiled(primal, static_argnums=static), *arguments),
        "numba": lambda: Contender(compiled_by_numba(primal), *arguments),
        "jax": lambda: waiting(port()[0], arguments),
        "jax primal": lambda: waiting(port()[1], arguments),
        **by_hand,
    }


@cache
def compiled_by_numba(function: Function) -> Any:
    """The function under `numba.njit`, and with it the functions of its own module that it calls.

    Numba calls nothing but compiled functions, so the copy that it compiles has these in place of the Python ones.
    """
    numba = import_module("numba")
    compiled: dict[Function, Any] = {}

    def of(f: Any) -> Any:
        if f not in compiled:
            names = dict(f.__globals__)
            copy = FunctionType(f.__code__, names, f.__name__, f.__defaults__, f.__closure__)
            compiled[f] = numba.njit(copy)
            for name in f.__code__.co_names:
                called = names.get(name)
                if isinstance(called, FunctionType) and called.__module__ == f.__module__:
                    names[name] = of(called)
        return compiled[f]

    return of(function)


def jax() -> Any:
    """JAX in 64 bits, imported when the first contender wants it."""
    module = import_module("jax")
    module.config.update("jax_enable_x64", True)
    return module


def waiting(function: Function, arguments: tuple[Any, ...]) -> Contender:
    """A function of JAX, whose result, a tree, is waited for.  Arrays are JAX's before the call."""
    library = jax()
    at = [library.numpy.asarray(a) if hasattr(a, "shape") else a for a in arguments]
    return Contender(lambda *a: library.block_until_ready(function(*a)), *at)
