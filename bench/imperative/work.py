"""A program of the suite: the function, its data, and the port that a user of JAX would write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from adcore import grad, jit
from bench.cases import Case
from bench.workloads import Contender

__all__ = ["Work", "case_of"]


@dataclass(frozen=True)
class Work:
    """One program.

    Attributes:
        function: an ordinary Python function that returns a number: what adcore and Numba compile.
        data: its arguments; the argument says whether they shall be tiny.
        port: given the modules `jax` and `jax.numpy`, the same function in JAX.
        argnums: the arguments to differentiate.
        static: for JAX, the arguments that it has to know when it compiles: trip counts.
        agree: as of `Case`.
    """

    function: Callable[..., float]
    data: Callable[[bool], tuple[Any, ...]]
    port: Callable[[Any, Any], Callable[..., Any]]
    argnums: int | tuple[int, ...] = 0
    static: tuple[int, ...] = ()
    agree: float = 1e-9

    @property
    def name(self) -> str:
        return self.function.__name__.replace("_", " ")


def case_of(work: Work, tiny: bool) -> Case:
    arguments = work.data(tiny)
    contenders = {
        "adcore": lambda: Contender(grad(work.function, argnums=work.argnums), *arguments),
        "primal": lambda: Contender(jit(work.function), *arguments),
        "numba": lambda: Contender(import_module("numba").njit(work.function), *arguments),
        "jax": lambda: _ported(work, arguments, derivative=True),
        "jax primal": lambda: _ported(work, arguments, derivative=False),
    }
    return Case(work.name, contenders, work.agree)


def _ported(work: Work, arguments: tuple[Any, ...], derivative: bool) -> Contender:
    jax = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    ported = work.port(jax, jax.numpy)
    function = jax.jit(jax.grad(ported, argnums=work.argnums) if derivative else ported, static_argnums=work.static)
    given = tuple(a if k in work.static else jax.numpy.asarray(a) for k, a in enumerate(arguments))
    return Contender(lambda *a: jax.block_until_ready(function(*a)), *given)
