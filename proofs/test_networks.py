"""Networks without biases can have wrong gradients, and the verdicts find all of them; with biases none has."""

import numpy as np

from adcore import grad
from proofs.networks import NUMBERS, biased, count, unbiased


def test_gradients_without_biases_are_wrong_where_the_two_kinks_cancel():
    assert count(unbiased, 3) == {"differentiable": 101, "clarke": 16, "incorrect": 8}
    wrong = [v for v in NUMBERS if v != 0.0]  # at weight 0, v·relu(w) + u·relu(-w) has a derivative where u = -v
    for v in wrong:
        assert grad(unbiased)(np.array([0.0, v, -v]))[0] != v


def test_gradients_with_biases_are_right():
    for k in range(2):  # the first neuron on its kink, with every output
        w = np.array([0.5, 1.0, -0.5, 0.5, NUMBERS[k], 0.5])
        assert grad(biased)(w)[0] in (0.0, w[4])
