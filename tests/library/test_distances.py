"""Distances of points to themselves, and what is said of wrong arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.spatial

from adcore import UnsupportedFunctionError, grad, jit

sd: Any = scipy.spatial.distance
A = np.random.default_rng(4).normal(size=(4, 3))


@pytest.mark.parametrize("metric", ["euclidean", "minkowski"])
def test_of_points_to_themselves(metric):
    """The derivative of a distance that is 0 is taken as 0, so that a matrix of all distances has one."""
    both = grad(lambda a: np.sum(sd.cdist(a, a, metric)))(A)
    np.testing.assert_allclose(both, 2 * grad(lambda a: np.sum(sd.pdist(a, metric)))(A), rtol=1e-12)


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (lambda a: sd.cdist(a[0], a), ValueError, "XA must be a 2-dimensional array"),
        (lambda a: sd.cdist(a, a[:, :2]), ValueError, "must have the same number of columns"),
        (lambda a: sd.pdist(a[0]), ValueError, "A 2-dimensional array must be passed"),
        (lambda a: sd.squareform(a), ValueError, "The matrix argument must be square"),
        (lambda a: sd.squareform(a[:3]), ValueError, "Distance matrix 'X' must be symmetric"),
        (lambda a: sd.squareform(a @ a.T + a.T[0, 0]), ValueError, "Distance matrix 'X' diagonal must be zero"),
        (lambda a: sd.squareform(a[0, :2]), ValueError, "Incompatible vector size"),
        (lambda a: sd.pdist(a, "canberra"), UnsupportedFunctionError, "with metric='canberra'"),
        (lambda a: sd.pdist(a, "euclidean", w=a[0]), UnsupportedFunctionError, "metric='euclidean' and w="),
    ],
)
def test_errors(f, error, message):
    with pytest.raises(error, match=message) as caught:
        jit(f)(A)
    assert "adcore_python" not in str(caught.value)
