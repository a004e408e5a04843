"""Time and peak of memory against the size of the problem, over four decades, with the exponents that fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from adcore import grad
from bench import peers
from bench.cases import Case
from bench.workloads import Array, Contender, Contenders, bells, filtered, waited

__all__ = ["cases"]

CELLS = 64


def cases(tiny: bool = False) -> Iterator[Case]:
    """Arrays that grow, an array that is written element by element, and a time loop that grows."""
    for name, contenders, sizes in (
        ("bells", _bells, (10**3, 10**4, 10**5, 10**6, 10**7)),
        ("filter", _filter, (10**2, 10**3, 10**4, 10**5, 10**6)),
        ("diffusion", _diffusion, (10**1, 10**2, 10**3, 10**4, 10**5)),
    ):
        for n in (10, 100) if tiny else sizes:
            yield Case(f"{name} n{n}", contenders(n), size=n, memory=True)


def _bells(n: int) -> Contenders:
    """The gradient of Σ sin(x)·exp(-x²) at n numbers."""
    at = np.random.default_rng(0).normal(size=n)

    def in_jax() -> Contender:
        jax = peers.jax()
        np = jax.numpy
        return waited(jax.jit(jax.grad(lambda x: np.sum(np.sin(x) * np.exp(-x * x)))), np.asarray(at))

    return {"adcore": lambda: Contender(grad(bells), at), "jax": in_jax}


def _filter(n: int) -> Contenders:
    """The gradient of a function that writes n numbers, each from the one before it."""
    at = np.random.default_rng(0).normal(size=n)

    def in_jax() -> Contender:
        jax = peers.jax()
        np = jax.numpy

        def ported(x: Any) -> Any:
            def step(before: Any, here: Any) -> Any:
                after = 0.5 * before + here * here
                return after, after

            _, out = jax.lax.scan(step, x[0], x[1:])
            return x[0] * x[0] + np.sum(out * out)

        return waited(jax.jit(jax.grad(ported)), np.asarray(at))

    return {"adcore": lambda: Contender(grad(filtered), at), "jax": in_jax}


def diffusion(u: Array, steps: int) -> float:
    """The energy after the steps of a diffusion that is the faster the more there is."""
    u = u.copy()
    for _ in range(steps):
        u[1:-1] = u[1:-1] + 0.1 * u[1:-1] * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return np.sum(u * u)


def _diffusion(n: int) -> Contenders:
    """The gradient through n steps of time."""
    at = np.random.default_rng(0).random(CELLS)

    def in_jax() -> Contender:
        jax = peers.jax()
        np = jax.numpy

        def ported(u: Any) -> Any:
            def step(u: Any, _: None) -> Any:
                return u.at[1:-1].add(0.1 * u[1:-1] * (u[2:] - 2.0 * u[1:-1] + u[:-2])), None

            u, _ = jax.lax.scan(step, u, None, length=n)
            return np.sum(u * u)

        return waited(jax.jit(jax.grad(ported)), np.asarray(at))

    return {"adcore": lambda: Contender(grad(diffusion), at, n), "jax": in_jax}
