"""The problems as one writes them in JAX: vectorised, or with `scan`, under `jit`.

Each port gives the derivative and the function, with the arguments and the results of adcore's.
"""

from __future__ import annotations

from typing import Any

from bench.gradbench.peers import jax

__all__ = [
    "ba",
    "det",
    "gmm",
    "hello",
    "ht_complicated",
    "ht_simple",
    "kmeans",
    "llsq",
    "lse",
    "lstm",
    "ode",
    "particle",
    "saddle",
]

Ports = tuple[Any, Any]


def gmm() -> Ports:
    library = jax()
    np, special = library.numpy, library.scipy.special

    def objective(alpha, mu, q, l, x, gamma, m):  # noqa: E741
        (k, d), n = mu.shape, x.shape[0]
        column, row = np.triu_indices(d, 1)
        exponents = np.exp(q)
        triangles = np.zeros((k, d, d)).at[:, row, column].set(l)
        Q = triangles + exponents[:, :, None] * np.eye(d)
        y = np.einsum("kij,nkj->nki", Q, x[:, None, :] - mu)
        beta = alpha + np.sum(q, axis=1) - 0.5 * np.sum(y * y, axis=2)
        likelihood = np.sum(special.logsumexp(beta, axis=1)) - n * special.logsumexp(alpha)
        degrees = d + m + 1
        constant = degrees * d * np.log(gamma / np.sqrt(2.0)) - special.multigammaln(0.5 * degrees, d)
        squares = np.sum(exponents * exponents) + np.sum(l * l)
        prior = k * constant - 0.5 * gamma * gamma * squares + m * np.sum(q)
        return likelihood - 0.5 * n * d * np.log(2.0 * np.pi) + prior

    return library.jit(library.grad(objective, argnums=(0, 1, 2, 3))), library.jit(objective)


def lstm() -> Ports:
    library = jax()
    np, sigmoid = library.numpy, library.nn.sigmoid

    def objective(main, extra, state, sequence):
        b = extra.shape[1]
        weights = main.reshape(-1, 2, 4, b)
        states = state.reshape(-1, 2, b)

        def layer(x, inputs):
            ((wf, wi, wo, wg), (bf, bi, bo, bg)), (h, cell) = inputs
            forget, ingate = sigmoid(x * wf + bf), sigmoid(h * wi + bi)
            outgate, change = sigmoid(x * wo + bo), np.tanh(h * wg + bg)
            cell = cell * forget + ingate * change
            h = outgate * np.tanh(cell)
            return h, np.stack((h, cell))

        def character(states, pair):
            x, following = pair
            h, states = library.lax.scan(layer, x * extra[0], (weights, states))
            y = h * extra[1] + extra[2]
            return states, np.sum(following * (y - np.log(2.0 + np.sum(np.exp(y)))))

        _, terms = library.lax.scan(character, states, (sequence[:-1], sequence[1:]))
        return -np.sum(terms) / ((sequence.shape[0] - 1) * b)

    return library.jit(library.grad(objective, argnums=(0, 1))), library.jit(objective)


def _posed(np: Any) -> Any:
    """The vertices of the posed hand."""

    def euler_rotation(angles):
        (cx, cz, cy), (sx, sz, sy) = np.cos(angles), np.sin(angles)
        rx = np.array([[1.0, 0.0, 0.0], [0.0, cx, -sx], [0.0, sx, cx]])
        ry = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
        rz = np.array([[cz, -sz, 0.0], [sz, cz, 0.0], [0.0, 0.0, 1.0]])
        return np.eye(4).at[:3, :3].set(rz @ ry @ rx)

    def axis_rotation(axis):
        square = np.dot(axis, axis)
        still = square < 1e-8
        angle = np.sqrt(np.where(still, 1.0, square))
        x, y, z = axis / angle
        across = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
        along = np.outer(axis, axis) / (angle * angle)
        turned = along + (np.eye(3) - along) * np.cos(angle) + across * np.sin(angle)
        return np.where(still, np.eye(3), turned)

    def posed(theta, parents, relatives, inverses, base, weights):
        fingers = theta[6:].reshape(5, 4)
        angles = np.zeros((22, 3))
        angles = angles.at[2::4, 0].set(fingers[:, 0]).at[2::4, 1].set(fingers[:, 1])
        angles = angles.at[3::4, 0].set(fingers[:, 2]).at[4::4, 0].set(fingers[:, 3])
        absolutes = []
        for bone, parent in enumerate(parents):
            relative = relatives[bone] @ euler_rotation(angles[bone])
            absolutes.append(relative if parent == -1 else absolutes[parent] @ relative)
        transforms = np.stack(absolutes) @ inverses
        positions = np.einsum("vb,bij,vj->vi", weights, transforms[:, :3], base)
        return positions @ axis_rotation(theta[:3]).T + theta[3:6]

    return posed


def ht_simple() -> Ports:
    library = jax()
    posed = _posed(library.numpy)

    def errors(theta, parents, *rest):
        *hand, correspondences, points = rest
        return (points - posed(theta, parents, *hand)[correspondences]).ravel()

    return _for_parents(library.jacfwd(errors), 1), _for_parents(errors, 1)


def ht_complicated() -> Ports:
    library = jax()
    np = library.numpy
    posed = _posed(np)

    def errors(theta, us, parents, *rest):
        *hand, triangles, correspondences, points = rest
        corners = posed(theta, parents, *hand)[triangles[correspondences]]
        coordinates = np.concatenate((us, 1.0 - us.sum(axis=1, keepdims=True)), axis=1)
        return (points - np.einsum("nc,nci->ni", coordinates, corners)).ravel()

    def jacobian(theta, us, *rest):
        return library.jacfwd(lambda s: errors(theta + s[2:], us + s[:2], *rest))(np.zeros(28))

    return _for_parents(jacobian, 2), _for_parents(errors, 2)


def _for_parents(function: Any, place: int) -> Any:
    """The function under `jit` with one hierarchy of bones, which is not traced."""
    library = jax()
    compiled = library.jit(function, static_argnums=place)

    def call(*arguments):
        parents = tuple(arguments[place].tolist())
        return compiled(*arguments[:place], parents, *arguments[place + 1 :])

    return call


def kmeans() -> Ports:
    library = jax()
    np = library.numpy

    def cost(centroids, points):
        squares = np.sum(points * points, axis=1)[:, None] + np.sum(centroids * centroids, axis=1)
        return np.sum(np.min(squares - 2.0 * points @ centroids.T, axis=1))

    def direction(centroids, points):
        ones = np.ones_like(centroids)
        gradient, diagonal = library.jvp(lambda c: library.grad(cost)(c, points), (centroids,), (ones,))
        return gradient / diagonal

    return library.jit(direction), library.jit(cost)


def ba() -> Ports:
    library = jax()
    np = library.numpy

    def rotated(rotation, at):
        square = np.dot(rotation, rotation)
        angle = np.sqrt(np.where(square == 0.0, 1.0, square))
        axis = rotation / angle
        turned = at * np.cos(angle) + np.cross(axis, at) * np.sin(angle)
        turned = turned + axis * (np.dot(axis, at) * (1.0 - np.cos(angle)))
        return np.where(square == 0.0, at + np.cross(rotation, at), turned)

    def reprojection_error(camera, point, weight, feature):
        seen = rotated(camera[:3], point - camera[3:6])
        projected = seen[:2] / seen[2]
        square = np.dot(projected, projected)
        distorted = projected * (1.0 + camera[9] * square + camera[10] * square * square)
        return weight * (distorted * camera[6] + camera[7:9] - feature)

    def weight_error(weight):
        return 1.0 - weight * weight

    def objective(cameras, points, weights, observations, features):
        each = (cameras[observations[:, 0]], points[observations[:, 1]], weights, features)
        return library.vmap(reprojection_error)(*each).ravel(), library.vmap(weight_error)(weights)

    def jacobian(cameras, points, weights, observations, features):
        (n, width), m, p = cameras.shape, points.shape[0], weights.shape[0]
        each = (cameras[observations[:, 0]], points[observations[:, 1]], weights, features)
        by_camera, by_point, by_weight = library.vmap(library.jacrev(reprojection_error, (0, 1, 2)))(*each)
        blocks = np.concatenate((by_camera, by_point, by_weight[:, :, None]), axis=2)
        columns = np.concatenate(
            (
                width * observations[:, :1] + np.arange(width),
                width * n + 3 * observations[:, 1:] + np.arange(3),
                width * n + 3 * m + np.arange(p)[:, None],
            ),
            axis=1,
        )
        data = np.concatenate((blocks.ravel(), library.vmap(library.grad(weight_error))(weights)))
        indices = np.concatenate((np.repeat(columns, 2, axis=0).ravel(), columns[:, -1]))
        rows = width + 3 + 1
        indptr = np.concatenate((np.arange(2 * p) * rows, 2 * p * rows + np.arange(p + 1)))
        return data, indices, indptr

    return library.jit(jacobian), library.jit(objective)


def det() -> Ports:
    library = jax()
    np = library.numpy

    def determinant(A):
        """Of a batch of matrices, by the minors of their first rows."""
        n = A.shape[-1]
        if n == 1:
            return A[..., 0, 0]
        others = np.array([[j for j in range(n) if j != left_out] for left_out in range(n)])
        minors = np.moveaxis(A[..., 1:, others], -2, -3)
        signs = (-1.0) ** np.arange(n)
        return np.sum(signs * A[..., 0, :] * determinant(minors), axis=-1)

    def of_size(A, _):
        return determinant(A)

    return library.jit(library.grad(of_size), static_argnums=1), library.jit(of_size, static_argnums=1)


def llsq() -> Ports:
    library = jax()
    np = library.numpy

    def objective(x, n):
        t = -1.0 + 2.0 * np.arange(n) / (n - 1)
        return 0.5 * np.sum((np.sign(t) - np.vander(t, x.shape[0], increasing=True) @ x) ** 2)

    return library.jit(library.grad(objective), static_argnums=1), library.jit(objective, static_argnums=1)


def lse() -> Ports:
    library = jax()
    np = library.numpy

    def objective(x):
        top = np.max(x)
        return top + np.log(np.sum(np.exp(x - top)))

    return library.jit(library.grad(objective)), library.jit(objective)


def ode() -> Ports:
    library = jax()
    np = library.numpy

    def last(x, s):
        h = 2.0 / s

        def slope(y):
            return x * np.concatenate((np.ones(1), y[:-1]))

        def step(y, _):
            k1 = slope(y)
            k2 = slope(y + 0.5 * h * k1)
            k3 = slope(y + 0.5 * h * k2)
            k4 = slope(y + h * k3)
            return y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4), None

        y, _ = library.lax.scan(step, np.zeros_like(x), None, length=s)
        return y[-1]

    return library.jit(library.grad(last), static_argnums=1), library.jit(last, static_argnums=1)


def hello() -> Ports:
    library = jax()
    return library.jit(library.grad(lambda x: x * x)), library.jit(lambda x: x * x)


# JAX reverses no loop that ends when it is done: where such a loop has to be reversed, its length is bounded, and what
# is done stays as it is.  The bounds are powers of two that the problems' loops do not reach.
FLIGHT = 512
DESCENT = 256


def _loop(unfinished: Any, body: Any, state: Any, bound: int | None) -> Any:
    library = jax()
    if bound is None:
        return library.lax.while_loop(unfinished, body, state)

    def step(state, _):
        return library.lax.cond(unfinished(state), body, lambda s: s, state), None

    return library.lax.scan(step, state, None, length=bound)[0]


def _gradient(mode: str) -> Any:
    library = jax()
    return library.jacfwd if mode == "f" else library.grad


def _descended(f: Any, mode: str, x: Any, bound: int | None = None) -> Any:
    library = jax()
    np, gradient = library.numpy, _gradient(mode)(f)

    def norm(x):
        return np.sqrt(np.sum(x * x))

    def unfinished(state):
        *_, slope, _, _, done = state
        return ~done & (norm(slope) > 1e-5)

    def body(state):
        return library.lax.cond(state[4] == 10, faster, step, state)

    def faster(state):
        x, value, slope, rate, _, done = state
        return x, value, slope, 2.0 * rate, 0, done

    def step(state):
        x, value, slope, rate, downwards, _ = state
        further = x - rate * slope
        moved = norm(x - further) > 1e-5
        lower = f(further)
        accepted = (x, value, slope, rate, downwards, True)

        def down():
            return further, lower, gradient(further), rate, downwards + 1, False

        def shorter():
            return x, value, slope, rate / 2.0, 0, False

        return library.lax.cond(moved, lambda: library.lax.cond(lower < value, down, shorter), lambda: accepted)

    return _loop(unfinished, body, (x, f(x), gradient(x), 1e-5, 0, False), bound)[0]


def particle(outer: str, inner: str) -> Any:
    library = jax()
    np = library.numpy

    def landing(w):
        charges = np.stack((np.stack((10.0 + 0.0 * w[0], 10.0 - w[0])), np.array([10.0, 0.0])))

        def potential(at):
            return np.sum(1.0 / np.sqrt(np.sum((at - charges) ** 2, axis=1)))

        def body(state):
            x, velocity = state
            force = -_gradient(inner)(potential)(x)
            x = x + 0.1 * velocity
            return x, np.where(x[1] > 0.0, velocity + 0.1 * force, velocity)

        start = np.array([0.0, 8.0]), np.array([0.75, 0.0])
        x, velocity = _loop(lambda state: state[0][1] > 0.0, body, start, FLIGHT if outer == "r" else None)
        return (x[0] - x[1] / velocity[1] * velocity[0]) ** 2

    return library.jit(lambda w: _descended(landing, outer, np.stack((w,)))[0])


def saddle(outer: str, inner: str) -> Any:
    library = jax()
    np = library.numpy

    def function(p, q):
        return np.sum(p * p) - np.sum(q * q)

    def point(start):
        def greatest(p):
            bound = DESCENT if outer == "r" else None
            return function(p, _descended(lambda q: -function(p, q), inner, start, bound))

        p = _descended(greatest, outer, start)
        return np.concatenate((p, _descended(lambda q: -function(p, q), outer, start)))

    return library.jit(point)
