"""Errors of functions of sets and places are NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from adcore import jit

X = np.array([1.0, 2.0, 3.0])
WRONG = [
    (lambda x: np.bitwise_count(x), "not supported for the input types"),
    (lambda x: np.unravel_index(x[0], (3, 4)), "only int indices permitted"),
    (lambda x: np.unravel_index(12, (3, 4)), "is out of bounds for array with size 12"),
    (lambda x: np.unravel_index(-1, (3, 4)), "is out of bounds for array with size 12"),
    (lambda x: np.unravel_index(1, (3, 4), order="K"), "only 'C' or 'F' order is permitted"),
    (lambda x: np.ravel_multi_index((1.0, 2), (3, 4)), "only int indices permitted"),
    (lambda x: np.ravel_multi_index((1,), (3, 4)), "parameter multi_index must be a sequence of length 2"),
    (lambda x: np.ravel_multi_index((3, 2), (3, 4)), "invalid entry in coordinates array"),
    (lambda x: sum([x[i] for (i,) in np.ndindex(-2)]), "negative dimensions are not allowed"),
    (lambda x: sum([x[i] for i, _ in np.ndindex(-2, -2)]), "negative dimensions are not allowed"),
    (lambda x: np.putmask(x, [True, False], 1.0), "putmask: mask and data must be the same size"),
    (lambda x: np.place(x, np.array([True, False]), 1.0), "place: mask and data must be the same size"),
    (lambda x: np.place(x, x > 0.0, x[:0]), "Cannot insert from an empty array!"),
    (lambda x: np.histogram(x * np.nan), "autodetected range of [nan, nan] is not finite"),
    (lambda x: np.histogram2d(x, x, bins=[3]), "The dimension of bins must be equal to the dimension of the sample x."),
    (lambda x: np.trim_zeros(x, "x"), "unexpected character(s) in `trim`: 'x'"),
]


@pytest.mark.parametrize(("f", "words"), WRONG, ids=[words for _, words in WRONG])
def test_errors_are_numpys(f, words):
    with pytest.raises((TypeError, ValueError)) as theirs:
        f(X.copy())
    with pytest.raises(theirs.type) as ours:
        jit(f)(X.copy())
    assert words in str(theirs.value)
    assert words in str(ours.value)


def test_masks_of_another_shape_count_in_c_order():
    def f(x):
        y = np.stack((x, x))
        np.putmask(y, np.array([[True, False], [False, True], [True, False]]), [5.0, 6.0, 7.0])
        return y

    np.testing.assert_array_equal(jit(f)(X), f(X))
