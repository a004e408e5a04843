"""Time series, dynamic programs and recurrent cells: each step needs the one before."""

from __future__ import annotations

import math

import numpy as np

from .work import Work

__all__ = ["RECURRENCES"]


def biquad_filter(coefficients, signal):
    """A second-order filter, its error against the signal itself; the gradient is by its five coefficients."""
    b0, b1, b2, a1, a2 = coefficients[0], coefficients[1], coefficients[2], coefficients[3], coefficients[4]
    n = signal.shape[0]
    out = np.zeros(n)
    out[0] = b0 * signal[0]
    out[1] = b0 * signal[1] + b1 * signal[0] - a1 * out[0]
    for t in range(2, n):
        out[t] = b0 * signal[t] + b1 * signal[t - 1] + b2 * signal[t - 2] - a1 * out[t - 1] - a2 * out[t - 2]
    return np.mean((out - signal) ** 2)


def biquad_filter_data(tiny):
    n = 12 if tiny else 200_000
    return np.array([0.2, 0.3, 0.2, -0.5, 0.2]), np.random.default_rng(20).normal(size=n)


def biquad_filter_port(jax, np):
    def error(coefficients, signal):
        b0, b1, b2, a1, a2 = coefficients

        def step(state, s):
            s1, s2, o1, o2 = state
            out = b0 * s + b1 * s1 + b2 * s2 - a1 * o1 - a2 * o2
            return (s, s1, out, o1), out

        _, out = jax.lax.scan(step, (0.0, 0.0, 0.0, 0.0), signal)
        return np.mean((out - signal) ** 2)

    return error


def kalman_filter(F, Q, h, r, observed):
    """The log-likelihood of a linear state-space model with one observed number; by transition and noise."""
    n = F.shape[0]
    x = np.zeros(n)
    P = np.eye(n)
    total = 0.0
    for t in range(observed.shape[0]):
        x = F @ x
        P = F @ P @ F.T + Q
        Ph = P @ h
        s = np.sum(h * Ph) + r
        innovation = observed[t] - np.sum(h * x)
        gain = Ph / s
        x = x + gain * innovation
        P = P - np.outer(gain, Ph)
        total -= 0.5 * (math.log(s) + innovation * innovation / s)
    return total


def kalman_filter_data(tiny):
    n, steps = (3, 5) if tiny else (4, 2000)
    rng = np.random.default_rng(21)
    F = 0.9 * np.eye(n) + 0.1 * np.eye(n, k=1)
    return F, 0.1 * np.eye(n), np.eye(n)[0], 0.5, rng.normal(size=steps)


def kalman_filter_port(jax, np):
    def likelihood(F, Q, h, r, observed):
        n = F.shape[0]

        def step(state, y):
            x, P = state
            x, P = F @ x, F @ P @ F.T + Q
            Ph = P @ h
            s, innovation = h @ Ph + r, y - h @ x
            gain = Ph / s
            return (x + gain * innovation, P - np.outer(gain, Ph)), -0.5 * (np.log(s) + innovation**2 / s)

        return np.sum(jax.lax.scan(step, (np.zeros(n), np.eye(n)), observed)[1])

    return likelihood


def garch(parameters, returns):
    """The negative log-likelihood of a GARCH(1,1) model; by its three parameters."""
    omega, alpha, beta = parameters[0], parameters[1], parameters[2]
    n = returns.shape[0]
    variance = np.mean(returns * returns)
    total = 0.0
    for t in range(n):
        total += 0.5 * (math.log(variance) + returns[t] ** 2 / variance)
        variance = omega + alpha * returns[t] ** 2 + beta * variance
    return total / n


def garch_data(tiny):
    n = 10 if tiny else 200_000
    return np.array([0.05, 0.08, 0.9]), np.random.default_rng(22).normal(size=n)


def garch_port(jax, np):
    def likelihood(parameters, returns):
        omega, alpha, beta = parameters

        def step(variance, r):
            return omega + alpha * r**2 + beta * variance, 0.5 * (np.log(variance) + r**2 / variance)

        return np.mean(jax.lax.scan(step, np.mean(returns * returns), returns)[1])

    return likelihood


def hidden_markov(transition, emission, observed):
    """The log-likelihood of a hidden Markov model by the scaled forward algorithm; by both matrices, as logarithms."""
    n = transition.shape[0]
    A = np.exp(transition)
    B = np.exp(emission)
    for i in range(n):
        A[i, :] /= np.sum(A[i, :])
        B[i, :] /= np.sum(B[i, :])
    alpha = np.full(n, 1.0 / n)
    total = 0.0
    for t in range(observed.shape[0]):
        new = np.zeros(n)
        for j in range(n):
            for i in range(n):
                new[j] += alpha[i] * A[i, j]
            new[j] *= B[j, observed[t]]
        scale = np.sum(new)
        alpha = new / scale
        total += math.log(scale)
    return total


def hidden_markov_data(tiny):
    n, symbols, steps = (3, 4, 6) if tiny else (12, 20, 3000)
    rng = np.random.default_rng(23)
    return rng.normal(size=(n, n)), rng.normal(size=(n, symbols)), rng.integers(0, symbols, steps)


def hidden_markov_port(jax, np):
    def likelihood(transition, emission, observed):
        n = transition.shape[0]
        A, B = jax.nn.softmax(transition, axis=1), jax.nn.softmax(emission, axis=1)

        def step(alpha, o):
            new = (alpha @ A) * B[:, o]
            scale = np.sum(new)
            return new / scale, np.log(scale)

        return np.sum(jax.lax.scan(step, np.full(n, 1.0 / n), observed)[1])

    return likelihood


def soft_alignment(scores, gap):
    """Smith-Waterman with soft maxima: the score of the best local alignment, smoothed; by the pair scores."""
    n, m = scores.shape
    H = np.zeros((n + 1, m + 1))
    total = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            a = H[i - 1, j - 1] + scores[i - 1, j - 1]
            b = H[i - 1, j] - gap
            c = H[i, j - 1] - gap
            top = max(max(a, b), max(c, 0.0))
            H[i, j] = top + math.log(math.exp(a - top) + math.exp(b - top) + math.exp(c - top) + math.exp(-top))
            total += math.exp(H[i, j] - 10.0)
    return math.log(total)


def soft_alignment_data(tiny):
    n, m = (4, 5) if tiny else (150, 200)
    return np.random.default_rng(24).normal(size=(n, m)) - 0.5, 1.5


def soft_alignment_port(jax, np):
    def alignment(scores, gap):
        _, m = scores.shape

        def row(above, s):
            def element(left, given):
                diagonal, up, score = given
                parts = np.stack([diagonal + score, up - gap, left - gap, np.zeros_like(left)])
                new = jax.nn.logsumexp(parts)
                return new, new

            _, inner = jax.lax.scan(element, 0.0, (above[:-1], above[1:], s))
            return np.concatenate([np.zeros(1), inner]), inner

        _, H = jax.lax.scan(row, np.zeros(m + 1), scores)
        return np.log(np.sum(np.exp(H - 10.0)))

    return alignment


def gated_recurrence(W, U, b, inputs):
    """A GRU over a sequence, the loss on its last state; by both weight matrices and the biases."""
    steps, _ = inputs.shape
    n = U.shape[1]
    h = np.zeros(n)
    for t in range(steps):
        x = W @ inputs[t] + b
        y = U @ h
        z = 1.0 / (1.0 + np.exp(-(x[:n] + y[:n])))
        r = 1.0 / (1.0 + np.exp(-(x[n : 2 * n] + y[n : 2 * n])))
        candidate = np.tanh(x[2 * n :] + r * y[2 * n :])
        h = (1.0 - z) * h + z * candidate
    return np.sum(h * h)


def gated_recurrence_data(tiny):
    steps, k, n = (4, 3, 3) if tiny else (400, 16, 32)
    rng = np.random.default_rng(25)
    scale = 1.0 / math.sqrt(n)
    return (
        scale * rng.normal(size=(3 * n, k)),
        scale * rng.normal(size=(3 * n, n)),
        0.1 * rng.normal(size=3 * n),
        rng.normal(size=(steps, k)),
    )


def gated_recurrence_port(jax, np):
    def loss(W, U, b, inputs):
        n = U.shape[1]

        def step(h, x):
            x, y = W @ x + b, U @ h
            z = jax.nn.sigmoid(x[:n] + y[:n])
            r = jax.nn.sigmoid(x[n : 2 * n] + y[n : 2 * n])
            candidate = np.tanh(x[2 * n :] + r * y[2 * n :])
            return (1.0 - z) * h + z * candidate, None

        h, _ = jax.lax.scan(step, np.zeros(n), inputs)
        return np.sum(h * h)

    return loss


def elman_recurrence(W, U, V, inputs, wanted):
    """A plain recurrent network written with element loops, its error at every step; by all three matrices."""
    steps, k = inputs.shape
    n = U.shape[0]
    h = np.zeros(n)
    total = 0.0
    for t in range(steps):
        new = np.zeros(n)
        for i in range(n):
            s = 0.0
            for j in range(k):
                s += W[i, j] * inputs[t, j]
            for j in range(n):
                s += U[i, j] * h[j]
            new[i] = math.tanh(s)
        h = new
        y = 0.0
        for i in range(n):
            y += V[i] * h[i]
        total += (y - wanted[t]) ** 2
    return total


def elman_recurrence_data(tiny):
    steps, k, n = (5, 2, 3) if tiny else (500, 8, 24)
    rng = np.random.default_rng(26)
    scale = 1.0 / math.sqrt(n)
    return (
        scale * rng.normal(size=(n, k)),
        scale * rng.normal(size=(n, n)),
        rng.normal(size=n),
        rng.normal(size=(steps, k)),
        rng.normal(size=steps),
    )


def elman_recurrence_port(jax, np):
    def loss(W, U, V, inputs, wanted):
        def step(h, given):
            x, y = given
            h = np.tanh(W @ x + U @ h)
            return h, (V @ h - y) ** 2

        return np.sum(jax.lax.scan(step, np.zeros(U.shape[0]), (inputs, wanted))[1])

    return loss


def american_put(volatility, spot, strike, rate, years, steps):
    """An American option on a binomial tree, exercised where that pays; by the volatility and the spot price."""
    dt = years / steps
    up = math.exp(volatility * math.sqrt(dt))
    p = (math.exp(rate * dt) - 1.0 / up) / (up - 1.0 / up)
    discount = math.exp(-rate * dt)
    prices = spot * up ** (2.0 * np.arange(steps + 1) - steps)
    values = np.maximum(strike - prices, 0.0)
    for k in range(steps - 1, -1, -1):
        prices[: k + 1] = prices[1 : k + 2] / up
        held = discount * (p * values[1 : k + 2] + (1.0 - p) * values[: k + 1])
        values[: k + 1] = np.maximum(held, strike - prices[: k + 1])
    return values[0]


def american_put_data(tiny):
    return 0.3, 100.0, 105.0, 0.05, 1.0, 6 if tiny else 1000


def american_put_port(jax, np):
    def price(volatility, spot, strike, rate, years, steps):
        dt = years / steps
        up = np.exp(volatility * np.sqrt(dt))
        p = (np.exp(rate * dt) - 1.0 / up) / (up - 1.0 / up)
        discount = np.exp(-rate * dt)
        prices = spot * up ** (2.0 * np.arange(steps + 1) - steps)

        def step(_, state):
            prices, values = state
            prices = prices.at[:-1].set(prices[1:] / up)
            held = discount * (p * values[1:] + (1.0 - p) * values[:-1])
            return prices, values.at[:-1].set(np.maximum(held, strike - prices[:-1]))

        _, values = jax.lax.fori_loop(0, steps, step, (prices, np.maximum(strike - prices, 0.0)))
        return values[0]

    return price


RECURRENCES = (
    Work(biquad_filter, biquad_filter_data, biquad_filter_port),
    Work(kalman_filter, kalman_filter_data, kalman_filter_port, argnums=(0, 1)),
    Work(garch, garch_data, garch_port),
    Work(hidden_markov, hidden_markov_data, hidden_markov_port, argnums=(0, 1)),
    Work(soft_alignment, soft_alignment_data, soft_alignment_port),
    Work(gated_recurrence, gated_recurrence_data, gated_recurrence_port, argnums=(0, 1, 2)),
    Work(elman_recurrence, elman_recurrence_data, elman_recurrence_port, argnums=(0, 1, 2)),
    Work(american_put, american_put_data, american_put_port, argnums=(0, 1), static=(5,)),
)
