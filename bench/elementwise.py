"""Elementwise functions and reductions of large arrays, beside the machine's bandwidth and beside JAX."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numba
import numpy as np

from adcore import grad, jit
from bench import peers
from bench.cases import Case, Target, power
from bench.workloads import Array, Contender, Contenders, bell_calls, beside_peers, waited

__all__ = ["cases"]

BANDWIDTH = 1.3  # times that of the triad, a target
CHAINS = 1.0 / 3.0  # of JAX's time, a target
TRIAD = 3  # arrays that the triad reads and writes


def cases(tiny: bool = False) -> Iterator[Case]:
    """What is bound by memory, then chains of transcendental functions."""
    n, few = (1_000, 1_000) if tiny else (10_000_000, 1_000_000)
    yield _streaming(f"gradient of Σ x², {power(n)}", n, squares, lambda np, x: np.sum(x * x), 1, moved=2)
    yield _streaming(f"gradient of Σ xy by both, {power(n)}", n, product, lambda np, x, y: np.sum(x * y), 2, moved=4)
    yield _streaming(
        f"gradient of mean (x - y)² by x, {power(n)}",
        n,
        mean_square,
        lambda np, x, y: np.mean((x - y) ** 2),
        2,
        moved=3,
        by=0,
    )
    yield _streaming(
        f"gradient of Σ relu(x - 1), {power(n)}",
        n,
        rectified,
        lambda np, x: np.sum(np.maximum(x - 1.0, 0.0)),
        1,
        moved=2,
    )
    yield _reduction(n)
    yield Case(
        f"gradient of Σ sin(x)·exp(-x²), {power(few)}", bell_calls(few), targets=(Target("adcore", CHAINS, over="jax"),)
    )
    at = np.random.default_rng(0).normal(size=few)
    for name, ours, theirs in (
        ("Σ log(1 + exp(tanh x))", softened, lambda np, x: np.sum(np.log(1.0 + np.exp(np.tanh(x))))),
        ("Σ exp(sin x)·cos(x²)", wavelets, lambda np, x: np.sum(np.exp(np.sin(x)) * np.cos(x * x))),
        ("Σ √(1 + sin(x)²)·exp(-|x|)", damped, lambda np, x: np.sum(np.sqrt(1 + np.sin(x) ** 2) * np.exp(-np.abs(x)))),
    ):
        yield Case(
            f"gradient of {name}, {power(few)}",
            {**beside_peers(ours, theirs, at), "primal": lambda f=ours: Contender(jit(f), at)},
            targets=(Target("adcore", CHAINS, over="jax"),),
        )


# Bound by memory


def squares(x: Array) -> float:
    return np.sum(x * x)


def product(x: Array, y: Array) -> float:
    return np.sum(x * y)


def mean_square(x: Array, y: Array) -> float:
    return np.mean((x - y) ** 2)


def rectified(x: Array) -> float:
    return np.sum(np.maximum(x - 1.0, 0.0))


def _arrays(n: int, count: int) -> list[Array]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=n) for _ in range(count)]


def _streaming(
    name: str,
    n: int,
    function: Callable[..., float],
    ported: Callable[..., Any],
    count: int,
    moved: int,
    by: int | tuple[int, ...] | None = None,
) -> Case:
    """The gradient of a function of `count` arrays, which reads and writes `moved` arrays in all."""
    at = _arrays(n, count)
    argnums = by if by is not None else 0 if count == 1 else tuple(range(count))

    def in_jax() -> Contender:
        jax = peers.jax()
        gradient = jax.jit(jax.grad(lambda *arrays: ported(jax.numpy, *arrays), argnums))
        return waited(gradient, *map(jax.numpy.asarray, at))

    contenders: Contenders = {
        "adcore": lambda: Contender(grad(function, argnums), *at),
        "primal": lambda: Contender(jit(function), *at),
        "jax": in_jax,
        "triad": lambda: _triad(n),
    }
    return Case(name, contenders, targets=(Target("adcore", BANDWIDTH, over="triad", work=moved / TRIAD),))


def _reduction(n: int) -> Case:
    """The sum of an array, which is read once."""
    at = _arrays(n, 1)

    def in_jax() -> Contender:
        jax = peers.jax()
        return waited(jax.jit(jax.numpy.sum), jax.numpy.asarray(at[0]))

    contenders: Contenders = {
        "primal": lambda: Contender(jit(lambda x: np.sum(x)), *at),
        "jax primal": in_jax,
        "triad": lambda: _triad(n),
    }
    # what is summed to about 0 has few digits in common, in another order
    target = Target("primal", BANDWIDTH, over="triad", work=1 / TRIAD)
    return Case(f"Σ x, {power(n)}", contenders, agree=1e-8, targets=(target,))


@numba.njit
def triad(a: Array, b: Array, c: Array, factor: float) -> None:
    """The kernel by which bandwidths are told (McCalpin's STREAM): reads two arrays and writes one."""
    for i in range(a.shape[0]):
        a[i] = b[i] + factor * c[i]


def _triad(n: int) -> Contender:
    a, b, c = _arrays(n, 3)
    return Contender(triad, a, b, c, 3.0)


# Transcendental functions


def softened(x: Array) -> float:
    return np.sum(np.log(1.0 + np.exp(np.tanh(x))))


def wavelets(x: Array) -> float:
    return np.sum(np.exp(np.sin(x)) * np.cos(x * x))


def damped(x: Array) -> float:
    return np.sum(np.sqrt(1.0 + np.sin(x) ** 2) * np.exp(-np.abs(x)))
