"""LSTM: the loss of a recurrent network of long short-term memory, and its gradient by its weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from adcore import grad, jit
from bench.cases import Case
from bench.gradbench import jax_ports
from bench.gradbench.evaluation import Evaluation
from bench.gradbench.peers import contenders
from bench.workloads import Array

__all__ = ["EVALUATIONS", "cases", "gradient", "inputs", "objective"]

LAYERS = (2, 4, 6)
CHARACTERS = (1024, 4096, 8192)
BITS = 14


def sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def objective(main: Array, extra: Array, state: Array, sequence: Array) -> float:
    """The loss of the network's predictions of each character from those before it.

    Args:
        main: of each of l layers a row of weights and one of biases, (2l, 4b), each forget | in | out | change.
        extra: weights of the input, weights of the output and its biases, (3, b).
        state: of each layer what is hidden and its cell, before the first character, (2l, b).
        sequence: the characters, in bits, (c, b).
    """
    layers = main.shape[0] // 2
    characters, b = sequence.shape
    states = state.copy()
    total = 0.0
    for t in range(characters - 1):
        x = sequence[t] * extra[0]
        for i in range(layers):
            weight = main[2 * i]
            bias = main[2 * i + 1]
            hidden = states[2 * i]
            forget = sigmoid(x * weight[:b] + bias[:b])
            ingate = sigmoid(hidden * weight[b : 2 * b] + bias[b : 2 * b])
            outgate = sigmoid(x * weight[2 * b : 3 * b] + bias[2 * b : 3 * b])
            change = np.tanh(hidden * weight[3 * b :] + bias[3 * b :])
            cell = states[2 * i + 1] * forget + ingate * change
            x = outgate * np.tanh(cell)
            states[2 * i] = x
            states[2 * i + 1] = cell
        y = x * extra[1] + extra[2]
        total += np.sum(sequence[t + 1] * (y - np.log(2.0 + np.sum(np.exp(y)))))
    return -total / ((characters - 1) * b)


gradient = grad(objective, argnums=(0, 1))


def inputs(layers: int, characters: int, b: int = BITS) -> tuple[Any, ...]:
    """Arguments of `objective`: uniform random numbers, and characters of random bits."""
    rng = np.random.default_rng(31337)
    main, extra, state = rng.random((2 * layers, 4 * b)), rng.random((3, b)), rng.random((2 * layers, b))
    return main, extra, state, rng.integers(0, 2, (characters, b)).astype(float)


def cases(tiny: bool = False) -> Iterator[Case]:
    """Every number of layers with every length of the text."""
    sizes = [(2, 4, 3)] if tiny else [(l, c, BITS) for l in LAYERS for c in CHARACTERS]  # noqa: E741
    for l, c, b in sizes:  # noqa: E741
        yield Case(f"lstm l{l} c{c}", contenders(inputs(l, c, b), gradient, objective, jax_ports.lstm))


def _arguments(message: Any) -> tuple[Any, ...]:
    return tuple(np.array(message[name], dtype=float) for name in ("main_params", "extra_params", "state", "sequence"))


def _output(gradient: tuple[Array, Array]) -> list[float]:
    return np.concatenate([part.ravel() for part in gradient]).tolist()


EVALUATIONS = {
    "objective": Evaluation(_arguments, jit(objective), float),
    "jacobian": Evaluation(_arguments, gradient, _output),
}
