"""Hand tracking: points on a posed and skinned hand against measured ones, and the Jacobian by the pose."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adcore import jacfwd, jit
from bench.cases import Case
from bench.gradbench import jax_ports
from bench.gradbench.evaluation import Evaluation
from bench.gradbench.peers import contenders
from bench.workloads import Array

__all__ = ["EVALUATIONS", "cases", "complicated", "complicated_jacobian", "inputs", "simple", "simple_jacobian"]

Indices = NDArray[np.int64]

VERTICES = {"small": 544, "big": 10_000}
POINTS = (100, 1600, 51_200)
PARENTS = (-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19, 0)


def pose_of(theta: Array) -> Array:
    """Global rotation, scale, global translation, then the angles of each bone, (25, 3)."""
    pose = np.zeros((25, 3))
    pose[0] = theta[0:3]
    pose[1] = 1.0
    pose[2] = theta[3:6]
    at = 6
    for finger in range(5):
        bone = 5 + 4 * finger
        pose[bone, 0] = theta[at]
        pose[bone, 1] = theta[at + 1]
        pose[bone + 1, 0] = theta[at + 2]
        pose[bone + 2, 0] = theta[at + 3]
        at += 4
    return pose


def euler_rotation(angles: Array) -> Array:
    """The rotation about x, then y, then z by these angles in the order x, z, y, homogeneous, (4, 4)."""
    cx, sx = math.cos(angles[0]), math.sin(angles[0])
    cz, sz = math.cos(angles[1]), math.sin(angles[1])
    cy, sy = math.cos(angles[2]), math.sin(angles[2])
    rx = np.array([[1.0, 0.0, 0.0], [0.0, cx, -sx], [0.0, sx, cx]])
    ry = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
    rz = np.array([[cz, -sz, 0.0], [sz, cz, 0.0], [0.0, 0.0, 1.0]])
    homogeneous = np.eye(4)
    homogeneous[:3, :3] = rz @ ry @ rx
    return homogeneous


def axis_rotation(axis: Array) -> Array:
    """The rotation about an axis by an angle that is its length, (3, 3)."""
    angle = math.sqrt(np.dot(axis, axis))
    if angle < 0.0001:
        return np.eye(3)
    x, y, z = axis[0] / angle, axis[1] / angle, axis[2] / angle
    s, c = math.sin(angle), math.cos(angle)
    return np.array(
        [
            [x * x + (1.0 - x * x) * c, x * y * (1.0 - c) - z * s, x * z * (1.0 - c) + y * s],
            [x * y * (1.0 - c) + z * s, y * y + (1.0 - y * y) * c, y * z * (1.0 - c) - x * s],
            [x * z * (1.0 - c) - y * s, z * y * (1.0 - c) + x * s, z * z + (1.0 - z * z) * c],
        ]
    )


def posed(theta: Array, parents: Indices, relatives: Array, inverses: Array, base: Array, weights: Array) -> Array:
    """The places of the vertices, (V, 3).

    Args:
        theta: global rotation (3), global translation (3), and four angles a finger (20).
        parents: of each of 22 bones the one that it hangs on, -1 for none; a parent comes before its children.
        relatives: the bones' transforms relative to their parents, before the pose, (22, 4, 4).
        inverses: the inverses of their absolute transforms before the pose, (22, 4, 4).
        base: the vertices before the pose, homogeneous, (V, 4).
        weights: how much each vertex follows each bone, (V, 22).
    """
    pose = pose_of(theta)
    bones = parents.shape[0]
    absolutes = np.empty((bones, 4, 4))
    transforms = np.empty((bones, 4, 4))
    for bone in range(bones):
        relative = relatives[bone] @ euler_rotation(pose[bone + 3])
        if parents[bone] == -1:
            absolutes[bone] = relative
        else:
            absolutes[bone] = absolutes[parents[bone]] @ relative
        transforms[bone] = absolutes[bone] @ inverses[bone]
    positions = np.einsum("vb,bij,vj->vi", weights, transforms[:, :3], base)
    rotation = axis_rotation(pose[0]) * pose[1]
    return positions @ rotation.T + pose[2]


def simple(
    theta: Array,
    parents: Indices,
    relatives: Array,
    inverses: Array,
    base: Array,
    weights: Array,
    correspondences: Indices,
    points: Array,
) -> Array:
    """Measured points, (n, 3), less the vertices to which they correspond, (n,); the result is flat, (3n,)."""
    positions = posed(theta, parents, relatives, inverses, base, weights)
    errors = np.empty((points.shape[0], 3))
    for i in range(points.shape[0]):
        errors[i] = points[i] - positions[correspondences[i]]
    return errors.ravel()


def complicated(
    theta: Array,
    us: Array,
    parents: Indices,
    relatives: Array,
    inverses: Array,
    base: Array,
    weights: Array,
    triangles: Indices,
    correspondences: Indices,
    points: Array,
) -> Array:
    """The same with points inside of triangles, (T, 3), at coordinates `us`, (n, 2)."""
    positions = posed(theta, parents, relatives, inverses, base, weights)
    errors = np.empty((points.shape[0], 3))
    for i in range(points.shape[0]):
        a, b, c = triangles[correspondences[i]]
        u, v = us[i]
        errors[i] = points[i] - (u * positions[a] + v * positions[b] + (1.0 - u - v) * positions[c])
    return errors.ravel()


simple_jacobian = jacfwd(simple)  # the errors by theta, (3n, 26)


@jit
def complicated_jacobian(theta: Array, us: Array, *rest: Any) -> Array:
    """The errors by the first and the second coordinates of all points, each at once, and by theta, (3n, 28).

    The coordinates of a point move no other point, so that one column has room for all points.
    """
    return jacfwd(lambda step: complicated(theta + step[2:], us + step[:2], *rest))(np.zeros(28))


def inputs(n: int, vertices: int, with_triangles: bool) -> tuple[Any, ...]:
    """Arguments of `complicated` or of `simple`: a random hand of so many vertices, and n random points."""
    rng = np.random.default_rng(31337)
    parents = np.array(PARENTS)
    relatives = np.empty((len(parents), 4, 4))
    absolutes = np.empty((len(parents), 4, 4))
    for bone, parent in enumerate(parents):
        relatives[bone] = euler_rotation(rng.normal(size=3))
        relatives[bone, :3, 3] = rng.normal(size=3)
        absolutes[bone] = relatives[bone] if parent == -1 else absolutes[parent] @ relatives[bone]
    base = np.concatenate((rng.normal(size=(vertices, 3)), np.ones((vertices, 1))), axis=1)
    weights = rng.dirichlet(np.full(len(parents), 0.1), vertices)
    hand = parents, relatives, np.linalg.inv(absolutes), base, weights
    theta, points = 0.1 * rng.normal(size=26), rng.normal(size=(n, 3))
    if not with_triangles:
        return theta, *hand, rng.integers(vertices, size=n), points
    triangles = rng.integers(vertices, size=(2 * vertices, 3))
    us = rng.dirichlet(np.ones(3), n)[:, :2].copy()
    return theta, us, *hand, triangles, rng.integers(len(triangles), size=n), points


def cases(tiny: bool = False) -> Iterator[Case]:
    """Simple and complicated problems on a small and on a big hand, with few and with many points."""
    kinds = {
        "simple": (simple_jacobian, simple, jax_ports.ht_simple),
        "complicated": (complicated_jacobian, complicated, jax_ports.ht_complicated),
    }
    for kind, functions in kinds.items():
        for hand, vertices in ({"tiny": 9} if tiny else VERTICES).items():
            for n in (5,) if tiny else POINTS:
                everyone = contenders(inputs(n, vertices, kind == "complicated"), *functions)
                del everyone["numba"]  # which has no einsum
                yield Case(f"ht {kind} {hand} n{n}", everyone)


def _arguments(message: Any) -> tuple[Any, ...]:
    model, data = message["data"]["model"], message["data"]
    theta, us = np.array(message["theta"], dtype=float), np.array(message["us"], dtype=float)
    names = ("base_relatives", "inverse_base_absolutes", "base_positions", "weights")
    relatives, *others = (np.array(model[name], dtype=float) for name in names)
    parents = np.array(model["parents"])
    if model["is_mirrored"]:  # all that hangs on a mirrored bone is mirrored
        relatives[parents == -1, 0] *= -1.0
    hand = parents, relatives, *others
    measured = np.array(data["correspondences"]), np.array(data["points"], dtype=float)
    return (theta, us, *hand, np.array(model["triangles"]), *measured) if len(us) else (theta, *hand, *measured)


SIMPLE, COMPLICATED = jit(simple), jit(complicated)


def _errors(*arguments: Any) -> Array:
    return SIMPLE(*arguments) if len(arguments) == 8 else COMPLICATED(*arguments)


def _jacobian(*arguments: Any) -> Array:
    return simple_jacobian(*arguments) if len(arguments) == 8 else complicated_jacobian(*arguments)


EVALUATIONS = {
    "objective": Evaluation(_arguments, _errors, np.ndarray.tolist),
    "jacobian": Evaluation(_arguments, _jacobian, np.ndarray.tolist),
}
