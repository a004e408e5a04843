"""The derivatives in C++ against central differences of the functions in C++, which `bench` compares with Python's."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from bench.measuring import leaves
from bench.native import PROBLEMS, contenders

RNG = np.random.default_rng(0)

ARGUMENTS = {
    "gmm": (RNG.normal(size=3), *RNG.normal(size=(2, 3, 4)), RNG.normal(size=(3, 6)), RNG.normal(size=(9, 4)), 0.8, 2),
    "lstm": (RNG.random((4, 12)), RNG.random((3, 3)), RNG.random((4, 3)), RNG.integers(0, 2, (6, 3)).astype(float)),
    "llsq": (RNG.random(5), 150),
    "lse": (RNG.normal(size=12),),
    "ode": (RNG.random(4), 7),
    "det": (RNG.normal(size=(5, 5)), 5),
}
DIFFERENTIATED = {"gmm": 4, "lstm": 2}  # the first so many arguments; of the others one

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")


@pytest.fixture(autouse=True, scope="module")
def cached(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def function(problem, *arguments):
    return contenders(problem, arguments)["c++ primal"]().call()


def derivative(problem, *arguments):
    return [part.copy() for part in leaves(contenders(problem, arguments)["c++"]().call())]


@pytest.mark.parametrize("problem", ARGUMENTS)
def test_gradient_along_directions(problem):
    arguments = ARGUMENTS[problem]
    count = DIFFERENTIATED.get(problem, 1)
    gradient = derivative(problem, *arguments)
    assert [part.shape for part in gradient] == [a.shape for a in arguments[:count]]
    for _ in range(3):
        directions = [RNG.normal(size=a.shape) for a in arguments[:count]]

        def along(step, directions=directions):
            moved = [a + step * d for a, d in zip(arguments, directions, strict=False)]
            return function(problem, *moved, *arguments[count:])

        expected = (along(1e-5) - along(-1e-5)) / 2e-5
        assert sum(np.sum(g * d) for g, d in zip(gradient, directions, strict=True)) == pytest.approx(
            expected, rel=1e-6
        )


def test_step_of_kmeans_goes_to_the_means():
    points = RNG.random((40, 3))
    centroids = points[:4].copy()
    (step,) = derivative("kmeans", centroids, points)
    squares = np.sum((points[:, None] - centroids) ** 2, axis=2)
    nearest = np.argmin(squares, axis=1)
    means = [points[nearest == j].mean(axis=0) for j in range(4)]
    np.testing.assert_allclose(centroids - step, means, rtol=1e-12)
    assert function("kmeans", centroids, points) == pytest.approx(np.sum(np.min(squares, axis=1)), rel=1e-12)


@pytest.mark.parametrize("turned", [True, False], ids=["turned", "not turned"])
def test_jacobian_of_ba(turned):
    cameras, points = 0.3 * RNG.normal(size=(2, 11)), RNG.normal(size=(3, 3)) + np.array([0.0, 0.0, 5.0])
    if not turned:
        cameras[:, :3] = 0.0
    weights, features = RNG.random(5), RNG.normal(size=(5, 2))
    observations = np.stack((np.arange(5) % 2, np.arange(5) % 3), axis=1)
    data, indices, indptr = derivative("ba", cameras, points, weights, observations, features)
    sparse = np.zeros((15, 2 * 11 + 3 * 3 + 5))
    for row in range(15):
        own = slice(int(indptr[row]), int(indptr[row + 1]))
        sparse[row, indices[own].astype(int)] = data[own]

    def errors(flat):
        parts = flat[:22].reshape(2, 11).copy(), flat[22:31].reshape(3, 3).copy(), flat[31:].copy()
        return np.concatenate(list(leaves(function("ba", *parts, observations, features))))

    at = np.concatenate((cameras.ravel(), points.ravel(), weights))
    for column in range(len(at)):
        step = np.zeros_like(at)
        step[column] = 1e-6
        expected = (errors(at + step) - errors(at - step)) / 2e-6
        np.testing.assert_allclose(sparse[:, column], expected, rtol=1e-6, atol=1e-8)


def test_arrays_that_c_cannot_read_are_refused():
    with pytest.raises(TypeError, match="contiguous"):
        PROBLEMS["lse"](np.arange(10.0)[::2])
