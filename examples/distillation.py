"""Ten images that teach what six hundred do: a data set distilled through the training of a model on it.

A classifier of handwritten digits is trained to its minimum on ten images of 64 pixels, one of each digit.  The images
are what is learnt: the loss of the trained classifier on 600 real digits is differentiated with respect to every pixel,
through the training, by the condition at its end.  The linear systems with the Hessian of the training, of 640
unknowns, are solved by conjugate gradients (Lorraine, Vicol and Duvenaud, arXiv:1911.02590, section 5.2).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adcore import minimize, value_and_grad

Array = NDArray[np.float64]

CLASSES, PIXELS = 10, 64
TAUGHT = 600  # digits that the images are learnt from; the others judge
PENALTY = 1e-2
STEPS = 150
DIGITS = np.eye(CLASSES)  # what the images show, in the order of the digits


def read() -> tuple[Array, NDArray[np.int64]]:
    """The images, with an ink of 0 to 1 in each pixel, and their digits."""
    text = (Path(__file__).parent / "digits.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines() if not line.startswith("#")]
    images = np.array([[int(ink, 17) for ink in inks] for inks, _ in rows]) / 16.0
    return images, np.array([int(digit) for _, digit in rows])


def entropy(weights: Array, images: Array, shown: Array) -> float:
    """The mean cross entropy of a linear classifier, of which `shown` has the answers, a column a digit."""
    scores = images @ weights
    largest = np.max(scores, axis=1)
    logarithms = largest + np.log(np.sum(np.exp(scores - largest[:, None]), axis=1))
    return np.mean(logarithms - np.sum(scores * shown, axis=1))


def training_loss(weights: Array, images: Array) -> float:
    return entropy(weights, images, DIGITS) + 0.5 * PENALTY * np.sum(weights**2)


def trained(images: Array) -> Array:
    """The weights of the classifier that ten images teach."""
    return minimize(training_loss, np.zeros((PIXELS, CLASSES)), images, method="lbfgs", solve="cg", tol=1e-8)


def judged(images: Array, digits: Array, shown: Array) -> tuple[float, Array]:
    """The loss of what ten images teach, on other digits, and its weights."""
    weights = trained(images)
    return entropy(weights, digits, shown), weights


improvement = value_and_grad(judged, has_aux=True)


def accuracy(images: Array, digits: Array, answers: NDArray[np.int64]) -> float:
    """The share of the digits that are answered right by what the images teach."""
    (_, weights), _ = improvement(images, digits, np.eye(CLASSES)[answers])
    return float(np.mean(np.argmax(digits @ weights, axis=1) == answers))


def distilled(images: Array, digits: Array, answers: NDArray[np.int64], steps: int = STEPS) -> Array:
    """The images after some steps of Adam (Kingma and Ba, arXiv:1412.6980)."""
    shown = np.eye(CLASSES)[answers]
    mean, square = np.zeros_like(images), np.zeros_like(images)
    for step in range(1, steps + 1):
        (value, _), slope = improvement(images, digits, shown)
        if step % 50 == 1:
            print(f"  step {step:3d}: loss {value:.4f}")
        mean, square = 0.9 * mean + 0.1 * slope, 0.99 * square + 0.01 * slope**2
        images = images - 0.05 * (mean / (1.0 - 0.9**step)) / (np.sqrt(square / (1.0 - 0.99**step)) + 1e-8)
    return images


def draw(picture: str, first: Array, learnt: Array) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 2.6), dpi=150, layout="constrained")
    figure.suptitle("The first image of each digit, and what teaches a classifier best")
    for axes, image in zip(figure.subplots(2, CLASSES).flat, np.concatenate((first, learnt)), strict=True):
        axes.imshow(image.reshape(8, 8), cmap="gray_r")
        axes.set_axis_off()
    figure.savefig(picture)


def main(picture: str | None = None) -> None:
    digits, answers = read()
    known, others = slice(0, TAUGHT), slice(TAUGHT, None)
    first = np.stack([digits[np.flatnonzero(answers == digit)[0]] for digit in range(CLASSES)])
    before = accuracy(first, digits[others], answers[others])
    print(f"taught by the first image of each digit: {before:.1%} of the {len(digits) - TAUGHT} other digits are right")
    images = distilled(first, digits[known], answers[known])
    print(f"taught by ten images that were learnt: {accuracy(images, digits[others], answers[others]):.1%}")
    if picture:
        draw(picture, first, images)


if __name__ == "__main__":
    main(*sys.argv[1:2])
