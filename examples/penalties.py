"""As many hyper-parameters as weights: a ridge penalty for each of a million weights, by implicit differentiation.

A signal of a million samples, which is 0 but for a few bursts, is known by a blurred and noisy recording of it.  It is
found by gradient descent on the misfit, with a penalty of its own for every sample.  How much better or worse a second
recording would be foretold with a little more of any of the penalties takes one linear system with the Hessian of the
fit, which is never formed: its product with a vector costs what two slopes cost.  Conjugate gradients solve it to
rounding.  The first K terms of the Neumann series are what differentiating K steps of the descent from the minimum
gives, at the memory of one step (Lorraine, Vicol and Duvenaud, arXiv:1911.02590).
"""

from __future__ import annotations

import functools
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adcore import custom_root, grad, jacfwd, value_and_grad
from adcore.implicit import neumann

Array = NDArray[np.float64]

SAMPLES = 1_000_000
STEP = 0.5
NOISES = (0.3, 0.05)


def blurred(signal: Array) -> Array:
    heard = 0.5 * signal
    heard[1:] += 0.25 * signal[:-1]
    heard[:-1] += 0.25 * signal[1:]
    return heard


def misfit(signal: Array, recording: Array) -> float:
    away = blurred(signal) - recording
    return 0.5 * (away @ away)


def loss(signal: Array, logarithms: Array, recording: Array) -> float:
    """The misfit with a penalty for every sample, by their logarithms."""
    return misfit(signal, recording) + 0.5 * np.sum(np.exp(logarithms) * signal**2)


slope = grad(loss)


def descent(signal: Array, logarithms: Array, recording: Array) -> Array:
    """The minimum, by gradient descent until the slope is small."""
    downhill = slope(signal, logarithms, recording)
    while np.max(np.abs(downhill)) > 1e-7:
        signal = signal - STEP * downhill
        downhill = slope(signal, logarithms, recording)
    return signal


def steps_from(signal: Array, logarithms: Array, recording: Array, steps: int) -> Array:
    """Some steps of the same descent."""
    for _ in range(steps):
        signal = signal - STEP * slope(signal, logarithms, recording)
    return signal


def judged(solve: Any) -> Callable[..., tuple[tuple[float, Array], Array]]:
    """The misfit of a second recording and the minimum, and the gradient of the misfit by all penalties.

    Args:
        solve: of the linear systems: "cg", or `series(terms)`.
    """
    fit = custom_root(slope, solve=solve)(descent)

    def second_misfit(logarithms: Array, start: Array, recording: Array, second: Array) -> tuple[float, Array]:
        found = fit(start, logarithms, recording)
        return misfit(found, second), found

    return value_and_grad(second_misfit, has_aux=True)


def series(terms: int) -> Any:
    return functools.partial(neumann, terms=terms, step=STEP)


def recordings(samples: int) -> tuple[Array, Array, Array]:
    """A signal with a burst in every thousand samples, and two recordings of it, the first one noisier."""
    rng = np.random.default_rng(0)
    places = np.arange(samples) % 1000
    signal = 2.0 * np.sin(0.1 * places) * (np.abs(places - 500) < 60)
    first, second = (blurred(signal) + noise * rng.normal(size=samples) for noise in NOISES)
    return signal, first, second


def peak() -> float:
    """The most memory that the process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def agreement(samples: int = 40, steps: int = 20) -> float:
    """How far the series is from the derivative of as many steps from the minimum, by all penalties."""
    _, recording, _ = recordings(samples)
    logarithms = np.linspace(-2.0, 0.0, samples)
    recording = recording + 1.0
    best = steps_from(np.zeros(samples), logarithms, recording, 1000)
    fit = custom_root(slope, solve=series(steps - 1))(lambda init, logarithms, recording: init)
    terms = jacfwd(fit, argnums=1)(best, logarithms, recording)
    unrolled = jacfwd(steps_from, argnums=1)(best, logarithms, recording, steps)
    return float(np.max(np.abs(terms - unrolled)))


def draw(picture: str, signal: Array, logarithms: Array) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 4.8), dpi=150, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    above.plot(signal[:2000])
    above.set(ylabel="signal", title="Penalties that were learnt, one a sample")
    below.plot(np.exp(logarithms[:2000]), linewidth=0.7)
    below.set(xlabel="sample", ylabel="penalty", yscale="log")
    figure.savefig(picture)


def main(picture: str | None = None, samples: int = SAMPLES) -> None:
    print(f"20 terms of the series and 20 steps of the descent differ by {agreement():.0e}")
    signal, recording, second = recordings(samples)
    logarithms, start = np.full(samples, -1.0), np.zeros(samples)
    solvers = {"5 terms": judged(series(4)), "20 terms": judged(series(19)), "cg": judged("cg")}
    few = tuple(x[:100] for x in (logarithms, start, recording, second))
    for of in solvers.values():  # compile
        of(*few)
    before = peak()
    steps_from(start, logarithms, recording, 1)
    start, step = descent(start, logarithms, recording), peak() - before
    print(f"{samples} penalties: a vector of them has {samples * 8 / 2**20:.0f} MB, fitting takes {step:.0f} MB")
    taken, found = {}, {}
    for name, of in solvers.items():
        began = time.perf_counter()
        _, found[name] = of(logarithms, start, recording, second)
        taken[name] = time.perf_counter() - began, peak() - before
    for name, (seconds, memory) in taken.items():
        away = np.linalg.norm(found[name] - found["cg"]) / np.linalg.norm(found["cg"])
        print(f"  {name:8s}: {seconds:5.2f} s, up to {memory:3.0f} MB, {away:.1e} from cg")
    for attempt in range(3):
        (value, start), downhill = solvers["5 terms"](logarithms, start, recording, second)
        away = np.sqrt(np.mean((start - signal) ** 2))
        print(f"after {attempt} steps of the penalties: {value / samples:.5f} a sample, signal off by {away:.4f}")
        logarithms = np.clip(logarithms - 20.0 * downhill, -2.0, 1.0)
    if picture:
        draw(picture, signal, logarithms)


if __name__ == "__main__":
    main(*sys.argv[1:2])
