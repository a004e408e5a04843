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


def rotated(rotation: Array, at: Array) -> Array:
    """The point turned about the axis, by an angle that is the length of the axis."""
    square = np.dot(rotation, rotation)
    if square == 0.0:
        return at + np.cross(rotation, at)
    angle = math.sqrt(square)
    axis = rotation / angle
    cosine = math.cos(angle)
    return at * cosine + np.cross(axis, at) * math.sin(angle) + axis * (np.dot(axis, at) * (1.0 - cosine))


def reprojection_error(camera: Array, point: Array, weight: float, feature: Array) -> Array:
    """How far from the feature the camera sees the point, times the weight, (2,).

    Args:
        camera: rotation (3), centre (3), focal length, principal point (2), radial distortion (2).
        point: (3,).
        weight: of the observation.
        feature: what was observed, (2,).
    """
    seen = rotated(camera[:3], point - camera[3:6])
    projected = seen[:2] / seen[2]
    square = np.dot(projected, projected)
    distorted = projected * (1.0 + camera[9] * square + camera[10] * square * square)
    return weight * (distorted * camera[6] + camera[7:9] - feature)


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
        errors[2 * i : 2 * i + 2] = reprojection_error(camera, point, weights[i], features[i])
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
        by_camera, by_point, by_weight = jacrev(reprojection_error, (0, 1, 2))(
            cameras[camera], points[point], weights[i], features[i]
        )
        for row in range(2):
            data[at : at + CAMERA] = by_camera[row]
            data[at + CAMERA : at + WIDTH - 1] = by_point[row]
            data[at + WIDTH - 1] = by_weight[row]
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
