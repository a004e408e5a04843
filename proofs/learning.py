"""Boolean circuits that learn by reverse derivative ascent (Wilson and Zanasi 2021): Iris, and the digits 0 and 1.

The parameters θ are bits, as all else.  One step at an example x with the answer y is θ ← θ + R[f](θ, x; f(θ, x) + y):
what the reverse derivative says of the parameters, for the bits of the answer that are wrong.  After each round those
parameters are kept that have answered most of the training examples right (the pocket, Gallant 1990).

    python -m proofs.learning
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from proofs.circuits import Circuit, bits

__all__ = ["TASKS", "Task", "learn"]

DATA = Path(__file__).parent / "data"
Bits = np.ndarray


def looked_up(entries: Any, x: Any) -> Any:
    """The entry of a truth table whose number has the bits x: each bit chooses a half of what is left."""
    left, n = entries.copy(), len(entries)
    for k in range(len(x)):
        n = n // 2
        left[:n] = left[:n] + x[k] * (left[:n] + left[n : 2 * n])
    return left[0]


def species(given: Any) -> Any:
    """Three truth tables of six bits, one for each species."""
    answers = np.zeros(3)
    for k in range(3):
        answers[k] = looked_up(given[64 * k : 64 * k + 64], given[192:])
    return answers


def digit(given: Any) -> Any:
    """A convolution: one truth table for four parts of 4 × 2 pixels, and another one of its four answers."""
    pixels, found, answer = given[272:].reshape(8, 4), np.zeros(4), np.zeros(1)
    for i in range(2):
        for j in range(2):
            part = pixels[4 * i : 4 * i + 4, 2 * j : 2 * j + 2]
            found[2 * i + j] = looked_up(given[:256], part.ravel())
    answer[0] = looked_up(given[256:272], found)
    return answer


@dataclass(frozen=True)
class Task:
    """Examples with answers, and a circuit of parameters and an example.

    Attributes:
        function: of the parameters and an example, one behind the other.
        parameters: how many there are.
        drawn: how many of them begin at random, the others at 0; these move in every second round only.
        read: gives the examples and their answers, a row of bits each.
    """

    function: Callable[[Any], Any]
    parameters: int
    drawn: int
    read: Callable[[], tuple[Bits, Bits]]


def _irises() -> tuple[Bits, Bits]:
    """Petals: is the length, is the width above a third, a half, two thirds of all?"""
    rows = np.loadtxt(DATA / "iris.csv", delimiter=",")
    petals, kind = rows[:, 2:4], rows[:, 4].astype(int)
    above = [petals > bound for bound in np.quantile(petals, (1 / 3, 1 / 2, 2 / 3), axis=0)]
    return np.concatenate(above, axis=1).astype(int), np.eye(3, dtype=int)[kind]


def _digits() -> tuple[Bits, Bits]:
    """The four columns of pixels in the middle."""
    lines = [line.split(",") for line in (DATA / "digits.csv").read_text().splitlines() if not line.startswith("#")]
    pixels = np.unpackbits(np.frombuffer(bytes.fromhex("".join(rows for rows, _ in lines)), np.uint8)).astype(int)
    return pixels.reshape(-1, 8, 8)[:, :, 2:6].reshape(-1, 32), np.array([[int(digit)] for _, digit in lines])


TASKS = {"Iris": Task(species, 192, 0, _irises), "digits": Task(digit, 272, 256, _digits)}


def learn(task: Task, seed: int, rounds: int = 10) -> tuple[float, float]:
    """The shares of the training examples and of the others, a third, that are answered right in the end."""
    rng = np.random.default_rng(seed)
    examples, answers = task.read()
    circuit = Circuit.of(task.function, task.parameters + examples.shape[1])
    order = rng.permutation(len(examples))
    training, others = np.split(order, [2 * len(order) // 3])

    def given(parameters: Bits, k: int) -> Bits:
        return np.concatenate((parameters, bits(examples[k])))

    def right(parameters: Bits, among: Bits) -> float:
        return float(np.mean([np.all(circuit(given(parameters, k)) == bits(answers[k])) for k in among]))

    parameters = bits(np.append(rng.integers(0, 2, task.drawn), np.zeros(task.parameters - task.drawn, int)))
    kept, best = parameters, right(parameters, training)
    for _ in range(rounds):
        for moving in (slice(0, task.parameters), slice(task.drawn, task.parameters)):
            for k in rng.permutation(training):
                point = given(parameters, k)
                step = circuit.reverse(point, circuit(point) ^ bits(answers[k]))
                parameters = parameters.copy()
                parameters[moving] ^= step[moving]
        share = right(parameters, training)
        if share > best:
            kept, best = parameters, share
    return best, right(kept, others)


def main() -> None:
    """Print what ten divisions of the examples give, at best, in the mean and at worst."""
    table = Table("task", "training examples right", "other examples right, in the mean", "at worst")
    for name, task in TASKS.items():
        training, others = np.transpose([learn(task, seed) for seed in range(10)])
        table.add_row(name, f"{training.mean():.3f}", f"{others.mean():.3f}", f"{others.min():.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
