"""Linear algebra by hand: eliminations, triangular loops, tridiagonal systems along an axis."""

from __future__ import annotations

import math

import numpy as np

from .work import Work

__all__ = ["ELIMINATION"]


def alternating_directions(u0, rate, steps):
    """Implicit diffusion by alternating directions, a Thomas solve along each axis; by the initial temperatures."""
    n, m = u0.shape
    u = u0.copy()
    c = np.zeros(n)
    for _ in range(steps):
        c[0] = -rate / (1.0 + 2.0 * rate)
        u[:, 0] = u[:, 0] / (1.0 + 2.0 * rate)
        for j in range(1, m):
            pivot = 1.0 + 2.0 * rate + rate * c[j - 1]
            c[j] = -rate / pivot
            u[:, j] = (u[:, j] + rate * u[:, j - 1]) / pivot
        for j in range(m - 2, -1, -1):
            u[:, j] = u[:, j] - c[j] * u[:, j + 1]
        u[0, :] = u[0, :] / (1.0 + 2.0 * rate)
        for i in range(1, n):
            pivot = 1.0 + 2.0 * rate + rate * c[i - 1]
            u[i, :] = (u[i, :] + rate * u[i - 1, :]) / pivot
        for i in range(n - 2, -1, -1):
            u[i, :] = u[i, :] - c[i] * u[i + 1, :]
    return np.sum(u * u)


def alternating_directions_data(tiny):
    n, steps = (5, 3) if tiny else (96, 30)
    return np.random.default_rng(10).normal(size=(n, n)), 0.4, steps


def alternating_directions_port(jax, np):
    def thomas(rows, rate):
        """The system along the second axis of all rows."""

        def forward(state, d):
            c, before = state
            pivot = 1.0 + 2.0 * rate + rate * c
            new = -rate / pivot, (d + rate * before) / pivot
            return new, new

        def backward(after, given):
            c, d = given
            new = d - c * after
            return new, new

        zero = np.zeros(rows.shape[0])
        _, (c, d) = jax.lax.scan(forward, (0.0, zero), rows.T)
        return jax.lax.scan(backward, zero, (c, d), reverse=True)[1].T

    def diffusion(u0, rate, steps):
        u = jax.lax.fori_loop(0, steps, lambda _, u: thomas(thomas(u, rate).T, rate).T, u0)
        return np.sum(u * u)

    return diffusion


def tridiagonal_solve(a, b, c, d):
    """One Thomas solve, element by element; the gradient is by all three diagonals and the right-hand side."""
    n = b.shape[0]
    cp = np.zeros(n)
    dp = np.zeros(n)
    x = np.zeros(n)
    cp[0] = c[0] / b[0]
    dp[0] = d[0] / b[0]
    for i in range(1, n):
        m = b[i] - a[i] * cp[i - 1]
        cp[i] = c[i] / m
        dp[i] = (d[i] - a[i] * dp[i - 1]) / m
    x[n - 1] = dp[n - 1]
    for i in range(n - 2, -1, -1):
        x[i] = dp[i] - cp[i] * x[i + 1]
    return np.sum(x * x)


def tridiagonal_solve_data(tiny):
    n = 6 if tiny else 100_000
    rng = np.random.default_rng(11)
    return rng.uniform(-1, 1, n), 3.0 + rng.random(n), rng.uniform(-1, 1, n), rng.normal(size=n)


def tridiagonal_solve_port(jax, np):
    def solve(a, b, c, d):
        def forward(state, given):
            cp, dp = state
            ai, bi, ci, di = given
            m = bi - ai * cp
            new = ci / m, (di - ai * dp) / m
            return new, new

        def backward(after, given):
            cp, dp = given
            x = dp - cp * after
            return x, x

        _, (cp, dp) = jax.lax.scan(forward, (0.0, 0.0), (a, b, c, d))
        _, x = jax.lax.scan(backward, 0.0, (cp, dp), reverse=True)
        return np.sum(x * x)

    return solve


def gaussian_process(x, y, length):
    """The log-likelihood of a Gaussian process, its covariance taken apart by a Cholesky loop; by the places."""
    n = x.shape[0]
    K = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            r = (x[i] - x[j]) / length
            K[i, j] = math.exp(-0.5 * r * r)
        K[i, i] += 0.1
    L = np.zeros((n, n))
    for j in range(n):
        s = K[j, j]
        for k in range(j):
            s -= L[j, k] * L[j, k]
        L[j, j] = math.sqrt(s)
        for i in range(j + 1, n):
            s = K[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            L[i, j] = s / L[j, j]
    z = np.zeros(n)
    total = 0.0
    for i in range(n):
        s = y[i]
        for k in range(i):
            s -= L[i, k] * z[k]
        z[i] = s / L[i, i]
        total -= 0.5 * z[i] * z[i] + math.log(L[i, i])
    return total


def gaussian_process_data(tiny):
    n = 6 if tiny else 150
    rng = np.random.default_rng(12)
    return rng.uniform(0.0, 10.0, n), rng.normal(size=n), 0.7


def gaussian_process_port(jax, np):
    def likelihood(x, y, length):
        n = x.shape[0]
        r = (x[:, None] - x[None, :]) / length
        K = np.exp(-0.5 * r * r) + 0.1 * np.eye(n)
        rows = np.arange(n)

        def column(j, L):
            s = K[:, j] - L @ L[j]
            diagonal = np.sqrt(s[j])
            return L.at[:, j].set(np.where(rows > j, s / diagonal, np.where(rows == j, diagonal, 0.0)))

        L = jax.lax.fori_loop(0, n, column, np.zeros((n, n)))
        z = jax.lax.fori_loop(0, n, lambda i, z: z.at[i].set((y[i] - L[i] @ z) / L[i, i]), np.zeros(n))
        return -0.5 * z @ z - np.sum(np.log(np.diagonal(L)))

    return likelihood


def elimination(matrix, rhs):
    """LU without pivoting, in place, row by row, and both substitutions; by the matrix."""
    n = matrix.shape[0]
    A = matrix.copy()
    for k in range(n):
        for i in range(k + 1, n):
            A[i, k] /= A[k, k]
            for j in range(k + 1, n):
                A[i, j] -= A[i, k] * A[k, j]
    x = rhs.copy()
    for i in range(n):
        for j in range(i):
            x[i] -= A[i, j] * x[j]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            x[i] -= A[i, j] * x[j]
        x[i] /= A[i, i]
    return np.sum(x * x)


def elimination_data(tiny):
    n = 5 if tiny else 96
    rng = np.random.default_rng(13)
    return rng.normal(size=(n, n)) + 3.0 * math.sqrt(n) * np.eye(n), rng.normal(size=n)


def elimination_port(jax, np):
    def solve(matrix, rhs):
        n = matrix.shape[0]
        places = np.arange(n)

        def column(k, A):
            factors = np.where(places > k, A[:, k] / A[k, k], 0.0)
            A = A - factors[:, None] * np.where(places > k, A[k], 0.0)[None, :]
            return A.at[:, k].set(np.where(places > k, factors, A[:, k]))

        A = jax.lax.fori_loop(0, n, column, matrix)
        lower, upper = np.tril(A, -1), np.triu(A, 1)
        z = jax.lax.fori_loop(0, n, lambda i, z: z.at[i].set(rhs[i] - lower[i] @ z), np.zeros(n))

        def back(k, x):
            i = n - 1 - k
            return x.at[i].set((z[i] - upper[i] @ x) / A[i, i])

        x = jax.lax.fori_loop(0, n, back, np.zeros(n))
        return np.sum(x * x)

    return solve


def gram_schmidt(vectors):
    """Modified Gram-Schmidt by columns, and a weighted sum over the basis; by the vectors."""
    n = vectors.shape[1]
    q = vectors.copy()
    for j in range(n):
        for k in range(j):
            q[:, j] -= np.sum(q[:, k] * q[:, j]) * q[:, k]
        q[:, j] /= np.sqrt(np.sum(q[:, j] ** 2))
    total = 0.0
    for j in range(n):
        total += (j + 1.0) * q[j, j]
    return total


def gram_schmidt_data(tiny):
    m, n = (6, 4) if tiny else (150, 60)
    return (np.random.default_rng(14).normal(size=(m, n)),)


def gram_schmidt_port(jax, np):
    def orthogonal(vectors):
        _, n = vectors.shape
        places = np.arange(n)

        def column(j, q):
            def project(k, v):
                return v - np.where(k < j, q[:, k] @ v, 0.0) * q[:, k]

            v = jax.lax.fori_loop(0, n, project, q[:, j])
            return q.at[:, j].set(v / np.sqrt(v @ v))

        q = jax.lax.fori_loop(0, n, column, vectors)
        return np.sum((places + 1.0) * np.diagonal(q))

    return orthogonal


def back_substitution(upper, rhs):
    """An upper triangular system, solved row by row with slices; by the matrix."""
    n = rhs.shape[0]
    x = np.zeros(n)
    for i in range(n - 1, -1, -1):
        x[i] = (rhs[i] - np.sum(upper[i, i + 1 :] * x[i + 1 :])) / upper[i, i]
    return np.sum(x * x)


def back_substitution_data(tiny):
    n = 6 if tiny else 1000
    rng = np.random.default_rng(15)
    return np.triu(rng.normal(size=(n, n))) / math.sqrt(n) + 2.0 * np.eye(n), rng.normal(size=n)


def back_substitution_port(jax, np):
    def solve(upper, rhs):
        n = rhs.shape[0]
        above = np.triu(upper, 1)

        def row(k, x):
            i = n - 1 - k
            return x.at[i].set((rhs[i] - above[i] @ x) / upper[i, i])

        return np.sum(jax.lax.fori_loop(0, n, row, np.zeros(n)) ** 2)

    return solve


ELIMINATION = (
    Work(alternating_directions, alternating_directions_data, alternating_directions_port, static=(2,)),
    Work(tridiagonal_solve, tridiagonal_solve_data, tridiagonal_solve_port, argnums=(0, 1, 2, 3)),
    Work(gaussian_process, gaussian_process_data, gaussian_process_port),
    Work(elimination, elimination_data, elimination_port),
    Work(gram_schmidt, gram_schmidt_data, gram_schmidt_port),
    Work(back_substitution, back_substitution_data, back_substitution_port),
)
