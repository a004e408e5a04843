"""What the problems of GradBench give, by other formulas than the ones that adcore differentiates."""

from __future__ import annotations

import cmath
import math
from itertools import pairwise

import numpy as np
from scipy import linalg, special, stats
from scipy.spatial.distance import cdist
from scipy.spatial.transform import Rotation


def complex_step(f, x):
    """The Jacobian of an analytic function of an array; the last axis is that of the flat argument."""
    columns = []
    for k in range(x.size):
        moved = x.astype(complex)
        moved.flat[k] += 1e-30j
        columns.append(np.imag(f(moved)) / 1e-30)
    return np.stack(columns, axis=-1)


def extrapolated(f, x, step=0.1, levels=7):
    """The Jacobian of a smooth function by central differences at halved steps, extrapolated to step 0 (Romberg)."""
    columns = []
    for k in range(x.size):
        direction = np.zeros_like(x)
        direction.flat[k] = 1.0
        row = []
        for level in range(levels):
            h = step / 2**level
            row.append((f(x + h * direction) - f(x - h * direction)) / (2.0 * h))
        for order in range(1, levels):
            row = [b + (b - a) / (4.0**order - 1.0) for a, b in pairwise(row)]
        columns.append(row[0])
    return np.stack(columns, axis=-1)


def gmm(alpha, mu, q, l, x, gamma, m):  # noqa: E741
    """The logarithm of the posterior, from the densities of SciPy's distributions.

    The prior of QᵀQ is Wishart's, with the precision 1/γ², and the power m/2 of the determinant is exp(m Σ q).
    """
    d = mu.shape[1]
    densities = []
    for a, mean, diagonal, below in zip(alpha, mu, q, l, strict=True):
        Q = np.diag(np.exp(diagonal))
        Q.T[np.triu_indices(d, 1)] = below
        precision = Q.T @ Q
        density = stats.multivariate_normal(mean, np.linalg.inv(precision)).logpdf(x)
        densities.append(a + density)
    likelihood = np.sum(special.logsumexp(densities, axis=0)) - len(x) * special.logsumexp(alpha)
    prior = 0.0
    n = d + m + 1
    for diagonal, below in zip(q, l, strict=True):
        Q = np.diag(np.exp(diagonal))
        Q.T[np.triu_indices(d, 1)] = below
        prior += stats.wishart(n, np.eye(d) / gamma**2).logpdf(Q.T @ Q)
    return likelihood + prior


def lstm(main, extra, state, sequence):
    """The loss, one complex number at a time."""

    def sigmoid(x):
        return 1.0 / (1.0 + cmath.exp(-x))

    layers, b = len(main) // 2, len(extra[0])
    state = [list(row) for row in state]
    total, count = 0.0, 0
    for now, then in pairwise(sequence):
        x = [s * w for s, w in zip(now, extra[0], strict=True)]
        for i in range(layers):
            for j in range(b):
                (wf, wi, wo, wg), (bf, bi, bo, bg) = main[2 * i][j::b], main[2 * i + 1][j::b]
                h, cell = state[2 * i][j], state[2 * i + 1][j]
                cell = cell * sigmoid(x[j] * wf + bf) + sigmoid(h * wi + bi) * cmath.tanh(h * wg + bg)
                x[j] = sigmoid(x[j] * wo + bo) * cmath.tanh(cell)
                state[2 * i][j], state[2 * i + 1][j] = x[j], cell
        y = [a * w + c for a, w, c in zip(x, extra[1], extra[2], strict=True)]
        normal = cmath.log(2.0 + sum(cmath.exp(a) for a in y))
        total += sum(s * (a - normal) for s, a in zip(then, y, strict=True))
        count += b
    return -total / count


def kmeans_cost(centroids, points):
    return np.sum(np.min(cdist(points, centroids, "sqeuclidean"), axis=1))


def kmeans_direction(centroids, points):
    """From the centroids to where Newton's method puts them: the means of their points."""
    nearest = np.argmin(cdist(points, centroids), axis=1)
    return centroids - np.stack([points[nearest == j].mean(axis=0) for j in range(len(centroids))])


def llsq(x, n):
    t = np.linspace(-1.0, 1.0, n)
    return 0.5 * np.sum((np.sign(t) - np.polynomial.polynomial.polyval(t, x)) ** 2)


def llsq_gradient(x, n):
    t = np.linspace(-1.0, 1.0, n)
    powers = np.vander(t, len(x), increasing=True)
    return -powers.T @ (np.sign(t) - powers @ x)


def ode(x):
    """The exact solution at time 2, which is what Runge and Kutta's method gives for up to four equations."""
    return np.array([np.prod(x[: i + 1]) * 2.0 ** (i + 1) / math.factorial(i + 1) for i in range(len(x))])


def ba_errors(camera, point, weight, feature):
    """The three errors of an observation, with the rotation as the exponential of a matrix."""
    a, b, c = camera[:3]
    seen = linalg.expm(np.array([[0.0, -c, b], [c, 0.0, -a], [-b, a, 0.0]])) @ (point - camera[3:6])
    x, y = seen[:2] / seen[2]
    square = x * x + y * y
    lens = 1.0 + camera[9] * square + camera[10] * square**2
    at = np.array([x, y]) * lens * camera[6] + camera[7:9]
    return np.array([*(weight * (at - feature)), 1.0 - weight**2])


def ba_jacobian(cameras, points, weights, observations, features):
    """Dense, all errors of observations before all errors of weights."""
    n, m, p = len(cameras), len(points), len(weights)
    dense = np.zeros((3 * p, 11 * n + 3 * m + p))
    for i, (camera, point) in enumerate(observations):
        at = np.concatenate((cameras[camera], points[point], weights[i : i + 1]))
        block = complex_step(lambda v, i=i: ba_errors(v[:11], v[11:14], v[14], features[i]), at)
        columns = [*range(11 * camera, 11 * camera + 11), *(11 * n + 3 * point + np.arange(3)), 11 * n + 3 * m + i]
        dense[2 * i : 2 * i + 2, columns] = block[:2]
        dense[2 * p + i, columns[-1]] = block[2, -1]
    return dense


def hand(theta, parents, relatives, inverses, base, weights):
    """The vertices, bone by bone, with SciPy's rotations."""
    absolutes = []
    angles = np.zeros((len(parents), 3))
    for finger, (a, b, c, d) in enumerate(theta[6:].reshape(5, 4)):
        first = 2 + 4 * finger
        angles[first, :2], angles[first + 1, 0], angles[first + 2, 0] = (a, b), c, d
    for parent, relative, (x, z, y) in zip(parents, relatives, angles, strict=True):
        turned = np.eye(4)
        turned[:3, :3] = Rotation.from_euler("xyz", [x, y, z]).as_matrix()
        own = relative @ turned
        absolutes.append(own if parent < 0 else absolutes[parent] @ own)
    placed = [base @ (absolute @ inverse).T for absolute, inverse in zip(absolutes, inverses, strict=True)]
    positions = np.einsum("bvi,vb->vi", np.array(placed), weights)[:, :3]
    return Rotation.from_rotvec(theta[:3]).apply(positions) + theta[3:6]


def ht_simple(theta, *rest):
    *model, correspondences, points = rest
    return (points - hand(theta, *model)[correspondences]).ravel()


def ht_complicated(theta, us, *rest):
    *model, triangles, correspondences, points = rest
    corners = hand(theta, *model)[triangles[correspondences]]
    coordinates = np.concatenate((us, 1.0 - us.sum(axis=1, keepdims=True)), axis=1)
    return (points - np.einsum("nc,nci->ni", coordinates, corners)).ravel()
