"""Bundle adjustment: the errors of cameras and points against observations, and their sparse Jacobian."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adcore import grad, jacrev, jit
from bench.cases import Case
from bench.gradbench import jax_ports
from bench.gradbench.evaluation import Evaluation
from bench.gradbench.peers import contenders
from bench.workloads import Array

__all__ = ["EVALUATIONS", "cases", "inputs", "jacobian", "objective"]

Indices = NDArray[np.int64]

SIZES = ((49, 7776, 31_843), (372, 47_423, 204_472), (1197, 126_327, 563_734), (356, 226_730, 1_255_268))
CAMERA = 11
WIDTH = CAMERA + 3 + 1


def rotated(a: float, b: float, c: float, x: float, y: float, z: float) -> tuple[float, float, float]:
    """The point (x, y, z) turned about the axis (a, b, c), by an angle that is the length of the axis."""
    square = a * a + b * b + c * c
    if square == 0.0:
        return x + b * z - c * y, y + c * x - a * z, z + a * y - b * x
    angle = math.sqrt(square)
    a, b, c = a / angle, b / angle, c / angle
    cosine, sine = math.cos(angle), math.sin(angle)
    along = (a * x + b * y + c * z) * (1.0 - cosine)
    return (
        x * cosine + (b * z - c * y) * sine + a * along,
        y * cosine + (c * x - a * z) * sine + b * along,
        z * cosine + (a * y - b * x) * sine + c * along,
    )


def reprojection_error(camera: Array, point: Array, weight: float, feature: Array) -> tuple[float, float]:
    """How far from the feature the camera sees the point, times the weight.

    Args:
        camera: rotation (3), centre (3), focal length, principal point (2), radial distortion (2).
        point: (3,).
        weight: of the observation.
        feature: what was observed, (2,).
    """
    x, y, z = point[0] - camera[3], point[1] - camera[4], point[2] - camera[5]
    u, v, depth = rotated(camera[0], camera[1], camera[2], x, y, z)
    p, q = u / depth, v / depth
    square = p * p + q * q
    distortion = 1.0 + camera[9] * square + camera[10] * square * square
    first = weight * (p * distortion * camera[6] + camera[7] - feature[0])
    second = weight * (q * distortion * camera[6] + camera[8] - feature[1])
    return first, second


def weight_error(weight: float) -> float:
    return 1.0 - weight * weight


def objective(
    cameras: Array, points: Array, weights: Array, observations: Indices, features: Array
) -> tuple[Array, Array]:
    """The errors of the observations, (2p,), and of their weights, (p,).

    Args:
        cameras: (n, 11).
        points: (m, 3).
        weights: of the observations, (p,).
        observations: of each the number of its camera and of its point, (p, 2).
        features: (p, 2).
    """
    p = observations.shape[0]
    errors = np.empty(2 * p)
    weight_errors = np.empty(p)
    for i in range(p):
        camera = cameras[observations[i, 0]]
        point = points[observations[i, 1]]
        errors[2 * i], errors[2 * i + 1] = reprojection_error(camera, point, weights[i], features[i])
        weight_errors[i] = weight_error(weights[i])
    return errors, weight_errors


@jit
def jacobian(
    cameras: Array, points: Array, weights: Array, observations: Indices, features: Array
) -> tuple[Array, Indices, Indices]:
    """The Jacobian of the errors by cameras, points and weights, compressed by rows: data, indices, indptr.

    The two rows of an observation hold the derivatives by its camera, its point and its weight; each of the p rows
    after those one, by the weight.
    """
    n, m, p = cameras.shape[0], points.shape[0], observations.shape[0]
    data = np.empty((2 * WIDTH + 1) * p)
    indices = np.empty((2 * WIDTH + 1) * p, dtype=np.int64)
    indptr = np.empty(3 * p + 1, dtype=np.int64)
    at = 0
    for i in range(p):
        camera = observations[i, 0]
        point = observations[i, 1]
        rows = jacrev(reprojection_error, (0, 1, 2))(cameras[camera], points[point], weights[i], features[i])
        for row, (by_camera, by_point, by_weight) in enumerate(rows):
            data[at : at + CAMERA] = by_camera
            data[at + CAMERA : at + WIDTH - 1] = by_point
            data[at + WIDTH - 1] = by_weight
            indices[at : at + CAMERA] = CAMERA * camera + np.arange(CAMERA)
            indices[at + CAMERA : at + WIDTH - 1] = CAMERA * n + 3 * point + np.arange(3)
            indices[at + WIDTH - 1] = CAMERA * n + 3 * m + i
            indptr[2 * i + row] = at
            at += WIDTH
    for i in range(p):
        data[at] = grad(weight_error)(weights[i])
        indices[at] = CAMERA * n + 3 * m + i
        indptr[2 * p + i] = at
        at += 1
    indptr[3 * p] = at
    return data, indices, indptr


def tiled(n: int, m: int, p: int, camera: Any, point: Any, weight: float, feature: Any) -> tuple[Any, ...]:
    """The arguments of `objective` where all cameras are the same, and all points, weights and features."""
    observations = np.stack((np.arange(p) % n, np.arange(p) % m), axis=1)
    return np.tile(camera, (n, 1)), np.tile(point, (m, 1)), np.full(p, weight), observations, np.tile(feature, (p, 1))


def inputs(n: int, m: int, p: int) -> tuple[Any, ...]:
    """Arguments of `objective`: one random camera, point, weight and feature, tiled."""
    rng = np.random.default_rng(31337)
    camera, point, feature = 0.1 * rng.normal(size=CAMERA), rng.normal(size=3), rng.normal(size=2)
    return tiled(n, m, p, camera, point, rng.normal(), feature)


def cases(tiny: bool = False) -> Iterator[Case]:
    """Problems from the literature by size, from 31,843 observations on."""
    for n, m, p in ((3, 4, 7),) if tiny else SIZES:
        yield Case(f"ba n{n} m{m} p{p}", contenders(inputs(n, m, p), jacobian, objective, jax_ports.ba))


def _arguments(message: Any) -> tuple[Any, ...]:
    return tiled(*(message[name] for name in ("n", "m", "p", "cam", "x", "w", "feat")))


def _errors(result: tuple[Array, Array]) -> dict[str, Any]:
    """The errors are all the same, and the protocol has them once."""
    errors, weight_errors = result
    return {
        "reproj_error": {"elements": errors[:2].tolist(), "repeated": len(errors) // 2},
        "w_err": {"element": float(weight_errors[0]), "repeated": len(weight_errors)},
    }


def _sparse(result: tuple[Array, Indices, Indices]) -> dict[str, Any]:
    """The first 30 of data, indices and indptr, and their last one, which is what the protocol has of them."""
    names = ("vals", "cols", "rows")
    return {name: [*part[: 2 * WIDTH].tolist(), part[-1].item()] for name, part in zip(names, result, strict=True)}


EVALUATIONS = {
    "objective": Evaluation(_arguments, jit(objective), _errors),
    "jacobian": Evaluation(_arguments, jacobian, _sparse),
}
