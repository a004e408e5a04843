"""Derivatives on a CUDA device, beside JAX and PyTorch on the same one: `python -m bench.cuda`.

On a machine without a device, `python -m bench.cuda --tiny` runs small sizes on the simulated one, which says nothing
about speed.  Each contender's first result is compared with adcore's; times are medians of calls that wait for the
device.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adcore import grad, jacfwd, value_and_grad, vmap
from adcore.plugins import device
from adcore.trees import leaves, map_leaves

__all__ = ["main"]

STEPS = 10  # of a day


# What is differentiated


def epidemic(theta, observed, days):
    """Squared residuals of the logarithm of those who are ill, in a SIR model: a loop, and a branch in it."""
    beta, gamma = math.exp(theta[0]), math.exp(theta[1])
    s, i = 0.99, 0.01
    loss = 0.0
    for day in range(days):
        for _ in range(STEPS):
            new = 0.1 * beta * s * i
            s, i = s - new, i + new - 0.1 * gamma * i
        if i > 1e-12:
            loss += (math.log(i) - observed[day]) ** 2
        else:
            loss += 1e3
    return loss


def wave(x):
    return np.sum(np.exp(-x * x) * np.sin(x))


def projection(camera, point, feature):
    """The residuals of bundle adjustment: rotation, translation, perspective, radial distortion."""
    angle = math.sqrt(camera[0] ** 2 + camera[1] ** 2 + camera[2] ** 2)
    c, s = math.cos(angle), math.sin(angle)
    axis = camera[:3] / angle
    turned = point * c + np.cross(axis, point) * s + axis * np.dot(axis, point) * (1.0 - c)
    x, y, z = turned + camera[3:6]
    u, v = -x / z, -y / z
    squared = u * u + v * v
    factor = camera[6] * (1.0 + camera[7] * squared + camera[8] * squared * squared)
    return np.array([factor * u, factor * v]) - feature


def logistic(w, rows, labels):
    z = rows @ w
    return np.mean(np.logaddexp(0.0, z) - labels * z)


# The cases


@dataclass
class Case:
    """A derivative at a point.

    Attributes:
        make: gives adcore's function.
        arguments: NumPy's arrays, and numbers.
        items: how many instances or elements it is for.
        traffic: bytes that it reads and writes at least, where memory is what limits it.
        peers: by name, what makes a function of the same arguments.
    """

    name: str
    make: Callable[[], Callable[..., Any]]
    arguments: tuple[Any, ...]
    items: int
    traffic: int = 0
    peers: dict[str, Callable[[], Callable[..., Any]]] = field(default_factory=dict)


def workloads(tiny: bool) -> Iterator[Case]:
    rng = np.random.default_rng(0)
    count = 40 if tiny else 10_000_000
    theta = rng.normal(size=(count, 2)) * 0.1 + np.array([-1.0, -2.0])
    observed = rng.normal(size=(count, 12))
    yield Case(
        "fits of 12 days",
        lambda: vmap(grad(epidemic), in_axes=(0, 0, None), device="cuda"),
        (theta, observed, 12),
        count,
        peers={"jax": _jax_epidemics, "torch": _torch_epidemics},
    )
    days = np.minimum(1 + rng.geometric(0.4, size=count), 12)
    yield Case(
        "fits of 2 to 12 days",
        lambda: vmap(grad(epidemic), device="cuda"),
        (theta, observed, days),
        count,
        peers={"jax": _jax_epidemics_of_days},
    )
    del theta, observed, days
    count = 5000 if tiny else 100_000_000
    x = rng.normal(size=count)
    yield Case(
        "elementwise and sum, with gradient",
        lambda: value_and_grad(wave, device="cuda"),
        (x,),
        count,
        2 * 8 * count,
        peers={"jax": _jax_wave, "torch": _torch_wave},
    )
    del x
    count = 30 if tiny else 2_000_000
    cameras = rng.normal(size=(count, 9))
    points = rng.normal(size=(count, 3)) + np.array([0.0, 0.0, 9.0])
    yield Case(
        "blocks of bundle adjustment",
        lambda: vmap(jacfwd(projection, argnums=(0, 1)), device="cuda"),
        (cameras, points, np.ascontiguousarray(points[:, :2])),
        count,
        8 * count * (14 + 24),
        peers={"jax": _jax_projection, "torch": _torch_projection},
    )
    batch, rows, width = (3, 20, 5) if tiny else (20_000, 200, 16)
    yield Case(
        "logistic regressions",
        lambda: vmap(grad(logistic), device="cuda"),
        (
            rng.normal(size=(batch, width)),
            rng.normal(size=(batch, rows, width)),
            (rng.random((batch, rows)) > 0.5) * 1.0,
        ),
        batch,
        8 * batch * rows * (width + 1),
        peers={"jax": _jax_logistic, "torch": _torch_logistic},
    )


# JAX


def _jax() -> Any:
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax


def _jax_day(jax: Any, rates: Any, state: tuple[Any, Any]) -> tuple[Any, Any]:
    def step(_: Any, state: tuple[Any, Any]) -> tuple[Any, Any]:
        s, i = state
        new = 0.1 * rates[0] * s * i
        return s - new, i + new - 0.1 * rates[1] * i

    return jax.lax.fori_loop(0, STEPS, step, state)


def _jax_loss(jax: Any, theta: Any, observed: Any, last: Any) -> Any:
    """The loss with a loop of fixed length, as reverse mode has to have it; days from the last one on do not count."""
    jnp = jax.numpy
    rates = jnp.exp(theta)

    def day(carry: Any, given: Any) -> tuple[Any, None]:
        state, loss = carry
        number, seen = given
        state = _jax_day(jax, rates, state)
        ill = jnp.where(state[1] > 1e-12, state[1], 1.0)
        more = jnp.where(state[1] > 1e-12, (jnp.log(ill) - seen) ** 2, 1e3)
        return (state, loss + jnp.where(number < last, more, 0.0)), None

    begin = ((jnp.asarray(0.99), jnp.asarray(0.01)), jnp.asarray(0.0))
    numbers = jnp.arange(observed.shape[0])
    return jax.lax.scan(day, begin, (numbers, observed))[0][1]


def _jax_epidemics() -> Callable[..., Any]:
    jax = _jax()
    gradient = jax.vmap(jax.grad(lambda t, o: _jax_loss(jax, t, o, o.shape[0])))
    compiled = jax.jit(gradient)
    return lambda theta, observed, days: compiled(theta, observed)


def _jax_epidemics_of_days() -> Callable[..., Any]:
    jax = _jax()
    return jax.jit(jax.vmap(jax.grad(lambda t, o, n: _jax_loss(jax, t, o, n))))


def _jax_wave() -> Callable[..., Any]:
    jax = _jax()
    jnp = jax.numpy
    return jax.jit(jax.value_and_grad(lambda x: jnp.sum(jnp.exp(-x * x) * jnp.sin(x))))


def _jax_projection() -> Callable[..., Any]:
    jax = _jax()
    jnp = jax.numpy

    def residuals(camera: Any, point: Any, feature: Any) -> Any:
        return _projected(jnp, camera, point, jnp.cross, jnp.dot, jnp.stack) - feature

    return jax.jit(jax.vmap(jax.jacfwd(residuals, argnums=(0, 1))))


def _jax_logistic() -> Callable[..., Any]:
    jax = _jax()
    jnp = jax.numpy
    return jax.jit(jax.vmap(jax.grad(lambda w, rows, y: jnp.mean(jnp.logaddexp(0.0, rows @ w) - y * (rows @ w)))))


def _projected(library: Any, camera: Any, point: Any, cross: Any, dot: Any, stack: Any) -> Any:
    angle = library.sqrt(dot(camera[:3], camera[:3]))
    c, s = library.cos(angle), library.sin(angle)
    axis = camera[:3] / angle
    turned = point * c + cross(axis, point) * s + axis * dot(axis, point) * (1.0 - c) + camera[3:6]
    u, v = -turned[0] / turned[2], -turned[1] / turned[2]
    squared = u * u + v * v
    factor = camera[6] * (1.0 + camera[7] * squared + camera[8] * squared * squared)
    return stack([factor * u, factor * v])


# PyTorch


def _torch_epidemics() -> Callable[..., Any]:
    import torch

    def gradient(theta: Any, observed: Any, days: int) -> Any:
        theta = theta.detach().requires_grad_()
        beta, gamma = torch.exp(theta[:, 0]), torch.exp(theta[:, 1])
        s, i = torch.full_like(beta, 0.99), torch.full_like(beta, 0.01)
        loss = torch.zeros_like(beta)
        for day in range(days):
            for _ in range(STEPS):
                new = 0.1 * beta * s * i
                s, i = s - new, i + new - 0.1 * gamma * i
            ill = torch.where(i > 1e-12, i, 1.0)
            loss = loss + torch.where(i > 1e-12, (torch.log(ill) - observed[:, day]) ** 2, 1e3)
        return torch.autograd.grad(loss.sum(), theta)[0]

    return gradient


def _torch_wave() -> Callable[..., Any]:
    import torch

    compiled = torch.compile(torch.func.grad_and_value(lambda x: torch.sum(torch.exp(-x * x) * torch.sin(x))))

    def value_and_gradient(x: Any) -> Any:
        gradient, value = compiled(x)
        return value, gradient

    return value_and_gradient


def _torch_projection() -> Callable[..., Any]:
    import torch

    def residuals(camera: Any, point: Any, feature: Any) -> Any:
        return _projected(torch, camera, point, torch.linalg.cross, torch.dot, torch.stack) - feature

    return torch.compile(torch.func.vmap(torch.func.jacfwd(residuals, argnums=(0, 1))))


def _torch_logistic() -> Callable[..., Any]:
    import torch

    def loss(w: Any, rows: Any, y: Any) -> Any:
        z = rows @ w
        return torch.mean(torch.nn.functional.softplus(z) - y * z)

    return torch.compile(torch.func.vmap(torch.func.grad(loss)))


# Arrays of each library


@dataclass
class Side:
    """A library: how it takes arrays, how one waits for it, and how its arrays come back."""

    take: Callable[[np.ndarray], Any]
    wait: Callable[[Any], Any]
    back: Callable[[Any], np.ndarray]


def _own_side() -> Side:
    driver = device("cuda").driver  # type: ignore[attr-defined]

    def take(array: np.ndarray) -> Any:
        made = driver.empty(array.dtype, array.shape, 0)
        driver.write(made.__cuda_array_interface__["data"][0], array.tobytes(), 0)
        return made

    def back(array: Any) -> np.ndarray:
        interface = array.__cuda_array_interface__
        dtype, shape = np.dtype(interface["typestr"]), interface["shape"]
        return np.frombuffer(driver.read(interface["data"][0], math.prod(shape) * dtype.itemsize, 0), dtype).reshape(
            shape
        )

    return Side(take, lambda _: driver.read(0, 0, 0), back)


def _side(name: str) -> Side:
    if name == "adcore":
        return _own_side()
    if name == "jax":
        jax = _jax()
        return Side(jax.numpy.asarray, jax.block_until_ready, np.asarray)
    import torch

    where = "cuda" if torch.cuda.is_available() else "cpu"
    wait = torch.cuda.synchronize if where == "cuda" else lambda: None
    return Side(lambda a: torch.as_tensor(a, device=where), lambda _: wait(), lambda t: t.detach().cpu().numpy())


# Measuring


@dataclass
class Measured:
    """What one contender does."""

    name: str
    first: float
    seconds: float
    sample: list[np.ndarray]


def measured(name: str, make: Callable[[], Callable[..., Any]], arguments: Sequence[Any], rounds: int) -> Measured:
    side = _side(name)
    given = map_leaves(lambda a: side.take(a) if isinstance(a, np.ndarray) else a, tuple(arguments))
    start = time.perf_counter()
    function = make()
    result = function(*given)
    side.wait(result)
    first = time.perf_counter() - start
    sample = [side.back(a).reshape(-1)[:1000].copy() for a in leaves(result)]
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        result = function(*given)
        side.wait(result)
        times.append(time.perf_counter() - start)
    return Measured(name, first, statistics.median(times), sample)


def bandwidth(size: int) -> float:
    """Bytes a second that a copy on the device reads and writes."""
    driver = device("cuda").driver  # type: ignore[attr-defined]
    blocks = [driver.allocate(size, 0) for _ in range(2)]
    times = []
    for _ in range(6):
        start = time.perf_counter()
        driver.copy(blocks[0][0], blocks[1][0], size, 0)
        driver.read(0, 0, 0)
        times.append(time.perf_counter() - start)
    return 2 * size / min(times)


def row(case: Case, found: Measured, ours: Measured, most: float) -> dict[str, Any]:
    pairs = zip(found.sample, ours.sample, strict=True)
    apart = max(float(np.max(np.abs(a - b) / (1.0 + np.abs(b)), initial=0.0)) for a, b in pairs)
    return {
        "case": case.name,
        "by": found.name,
        "first call, s": round(found.first, 3),
        "seconds": found.seconds,
        "items a second": case.items / found.seconds,
        "share of bandwidth": case.traffic / found.seconds / most if case.traffic else None,
        "times as long as adcore": found.seconds / ours.seconds,
        "largest difference": apart,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print one line of JSON for each contender."""
    parser = argparse.ArgumentParser(prog="python -m bench.cuda", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="small sizes; on the simulated device if there is no other")
    parser.add_argument("--only", default="", help="cases whose names contain this")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    if options.tiny:
        os.environ.setdefault("ADCORE_CUDA_SIMULATOR", "1")
    most = bandwidth(1 << 16 if options.tiny else 1 << 30)
    print(
        json.dumps({"device": type(device("cuda").driver).__name__, "copies, GB/s": round(most / 1e9, 1)}), flush=True
    )  # type: ignore[attr-defined]
    for case in workloads(options.tiny):
        if options.only not in case.name:
            continue
        ours = measured("adcore", case.make, case.arguments, options.rounds)
        print(json.dumps(row(case, ours, ours, most)), flush=True)
        for name, make in case.peers.items():
            if importlib.util.find_spec(name) is None:
                print(json.dumps({"case": case.name, "by": name, "not measured": "not installed"}), flush=True)
                continue
            try:
                theirs = measured(name, make, case.arguments, options.rounds)
            except Exception as error:  # of theirs, as for want of memory: the other figures are to come all the same
                said = f"{type(error).__name__}: {str(error)[:200]}"
                print(json.dumps({"case": case.name, "by": name, "not measured": said}), flush=True)
                continue
            print(json.dumps(row(case, theirs, ours, most)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
