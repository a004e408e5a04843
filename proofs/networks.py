"""Networks over a small format, all of them: where reverse mode is not the derivative, and that it is wrong nowhere.

    python -m proofs.networks

Lee, Park and Aiken (On the correctness of automatic differentiation for neural networks with machine-representable
parameters, 2023) prove of a network of which every neuron has a bias of its own that reverse mode gives the gradient,
or an element of Clarke's subdifferential where there is none; and that the share of parameters without a gradient is at
most that of the kinks among the numbers, for each neuron.  Both are counted here by the verdicts of all parameters over
five numbers, with rectifiers that are written as branches and take one side, and the same without biases, where
gradients can be wrong.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from adcore import verdict

__all__ = ["NUMBERS", "biased", "count", "unbiased"]

Array = np.ndarray
NUMBERS = (-1.0, -0.5, 0.0, 0.5, 1.0)


def relu(x: Array) -> Array:
    return np.where(x > 0.0, x, 0.0)


def biased(w: Array) -> Any:
    """Two neurons at the input 1; w has their weights, their biases and those of the output."""
    return relu(w[:2] + w[2:4]) @ w[4:6]


def unbiased(w: Array) -> Any:
    """Two neurons whose weights are shared with signs, so that their kinks meet: w is (weight, outputs)."""
    return relu(w[:1] * np.array([1.0, -1.0])) @ w[1:3]


def count(f: Callable[[Array], Any], parameters: int) -> Counter[str]:
    """How many of all parameters have which verdict."""
    judge = verdict(f)
    return Counter(judge(np.array(w)).status for w in itertools.product(NUMBERS, repeat=parameters))


def main() -> None:
    for name, f, parameters in (("with biases", biased, 6), ("without", unbiased, 3)):
        found = count(f, parameters)
        total = found.total()
        print(f"{name}: {total} parameters, {dict(found)}")
        smooth, wrong = (found[status] / total for status in ("differentiable", "incorrect"))
        print(f"  the gradient is not the derivative of {1.0 - smooth:.4f}, and wrong of {wrong:.4f}")
    print(f"bound with biases: 2 neurons, one kink each among {len(NUMBERS)} numbers: {2 / len(NUMBERS)}")


if __name__ == "__main__":
    main()
