"""Particles, chaotic systems, lattices and images: pair loops, helper functions, and reads at computed places."""

from __future__ import annotations

import math

import numpy as np

from .work import Work

__all__ = ["PARTICLES"]


def n_body(positions, velocities, masses, dt, steps):
    """Bodies under gravity by leapfrog, forces by pair loops; the gradient is by the initial positions."""
    n = positions.shape[0]
    x = positions.copy()
    v = velocities.copy()
    for _ in range(steps):
        force = np.zeros((n, 3))
        for i in range(n):
            for j in range(i):
                dx = x[j, 0] - x[i, 0]
                dy = x[j, 1] - x[i, 1]
                dz = x[j, 2] - x[i, 2]
                r2 = dx * dx + dy * dy + dz * dz + 0.01
                w = 1.0 / (r2 * math.sqrt(r2))
                force[i, 0] += masses[j] * w * dx
                force[i, 1] += masses[j] * w * dy
                force[i, 2] += masses[j] * w * dz
                force[j, 0] -= masses[i] * w * dx
                force[j, 1] -= masses[i] * w * dy
                force[j, 2] -= masses[i] * w * dz
        v += dt * force
        x += dt * v
    return np.sum(x * x)


def n_body_data(tiny):
    n, steps = (3, 3) if tiny else (48, 100)
    rng = np.random.default_rng(30)
    return rng.normal(size=(n, 3)), 0.1 * rng.normal(size=(n, 3)), rng.random(n), 0.01, steps


def n_body_port(jax, np):
    def motion(positions, velocities, masses, dt, steps):
        def step(_, state):
            x, v = state
            d = x[None, :, :] - x[:, None, :]
            r2 = np.sum(d * d, axis=-1) + 0.01
            w = masses[None, :] / (r2 * np.sqrt(r2))
            v = v + dt * np.sum(w[:, :, None] * d, axis=1)
            return x + dt * v, v

        x, _ = jax.lax.fori_loop(0, steps, step, (positions, velocities))
        return np.sum(x * x)

    return motion


def lorenz_96(x0, forcing, dt, steps):
    """The Lorenz-96 system by the classical Runge-Kutta method; the gradient is by the initial state."""

    def tendency(x):
        n = x.shape[0]
        d = np.empty(n)
        for i in range(n):
            d[i] = (x[(i + 1) % n] - x[i - 2]) * x[i - 1] - x[i] + forcing
        return d

    x = x0.copy()
    for _ in range(steps):
        k1 = tendency(x)
        k2 = tendency(x + 0.5 * dt * k1)
        k3 = tendency(x + 0.5 * dt * k2)
        k4 = tendency(x + dt * k3)
        x = x + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return np.sum(x * x)


def lorenz_96_data(tiny):
    n, steps = (6, 3) if tiny else (40, 500)
    return 8.0 + 0.01 * np.random.default_rng(31).normal(size=n), 8.0, 0.005, steps


def lorenz_96_port(jax, np):
    def system(x0, forcing, dt, steps):
        def tendency(x):
            return (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + forcing

        def step(_, x):
            k1 = tendency(x)
            k2 = tendency(x + 0.5 * dt * k1)
            k3 = tendency(x + 0.5 * dt * k2)
            k4 = tendency(x + dt * k3)
            return x + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)

        return np.sum(jax.lax.fori_loop(0, steps, step, x0) ** 2)

    return system


def spin_lattice(angles, coupling, field):
    """The energy of planar spins on a periodic square lattice, by loops over the sites; by the angles."""
    n, m = angles.shape
    energy = 0.0
    for i in range(n):
        for j in range(m):
            a = angles[i, j]
            energy -= coupling * math.cos(a - angles[(i + 1) % n, j])
            energy -= coupling * math.cos(a - angles[i, (j + 1) % m])
            energy -= field * math.cos(a)
    return energy


def spin_lattice_data(tiny):
    n = 4 if tiny else 300
    return np.random.default_rng(32).uniform(-np.pi, np.pi, size=(n, n)), 1.0, 0.3


def spin_lattice_port(jax, np):
    def energy(angles, coupling, field):
        right, below = np.roll(angles, -1, axis=1), np.roll(angles, -1, axis=0)
        return -np.sum(coupling * (np.cos(angles - below) + np.cos(angles - right)) + field * np.cos(angles))

    return energy


def convolution(image, kernel):
    """A two-dimensional convolution by four loops, a leaky rectifier, and the sum of squares; by image and kernel."""
    n, m = image.shape
    p, q = kernel.shape
    total = 0.0
    for i in range(n - p + 1):
        for j in range(m - q + 1):
            s = 0.0
            for a in range(p):
                for b in range(q):
                    s += image[i + a, j + b] * kernel[a, b]
            if s < 0.0:
                s = 0.1 * s
            total += s * s
    return total


def convolution_data(tiny):
    n, p = (6, 3) if tiny else (160, 5)
    rng = np.random.default_rng(33)
    return rng.normal(size=(n, n)), rng.normal(size=(p, p))


def convolution_port(jax, np):
    def loss(image, kernel):
        s = jax.lax.conv_general_dilated(image[None, None], kernel[None, None], (1, 1), "VALID")
        s = np.where(s < 0.0, 0.1 * s, s)
        return np.sum(s * s)

    return loss


def image_warp(flow, image, target):
    """An image read at displaced places, bilinearly, against another one; the gradient is by the displacements."""
    n, m = image.shape
    total = 0.0
    for i in range(n):
        for j in range(m):
            y = min(max(i + flow[0, i, j], 0.0), n - 1.001)
            x = min(max(j + flow[1, i, j], 0.0), m - 1.001)
            r = int(y)
            c = int(x)
            a = y - r
            b = x - c
            value = (1.0 - a) * ((1.0 - b) * image[r, c] + b * image[r, c + 1]) + a * (
                (1.0 - b) * image[r + 1, c] + b * image[r + 1, c + 1]
            )
            total += (value - target[i, j]) ** 2
    return total


def image_warp_data(tiny):
    n = 5 if tiny else 256
    rng = np.random.default_rng(34)
    return 2.0 * rng.normal(size=(2, n, n)), rng.random((n, n)), rng.random((n, n))


def image_warp_port(jax, np):
    def loss(flow, image, target):
        n, m = image.shape
        y = np.clip(np.arange(n)[:, None] + flow[0], 0.0, n - 1.001)
        x = np.clip(np.arange(m)[None, :] + flow[1], 0.0, m - 1.001)
        r, c = y.astype(int), x.astype(int)
        a, b = y - r, x - c
        value = (1.0 - a) * ((1.0 - b) * image[r, c] + b * image[r, c + 1]) + a * (
            (1.0 - b) * image[r + 1, c] + b * image[r + 1, c + 1]
        )
        return np.sum((value - target) ** 2)

    return loss


PARTICLES = (
    Work(n_body, n_body_data, n_body_port, static=(4,)),
    Work(lorenz_96, lorenz_96_data, lorenz_96_port, static=(3,)),
    Work(spin_lattice, spin_lattice_data, spin_lattice_port),
    Work(convolution, convolution_data, convolution_port, argnums=(0, 1)),
    Work(image_warp, image_warp_data, image_warp_port),
)
