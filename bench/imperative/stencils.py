"""Partial differential equations on grids: slice statements inside time loops."""

from __future__ import annotations

import numpy as np

from .work import Work

__all__ = ["STENCILS"]


def heat_2d(u0, rate, steps):
    """Explicit diffusion on a plate with fixed boundary; the gradient is by the initial temperatures."""
    u = u0.copy()
    for _ in range(steps):
        u[1:-1, 1:-1] = u[1:-1, 1:-1] + rate * (
            u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4.0 * u[1:-1, 1:-1]
        )
    return np.sum(u * u)


def heat_2d_data(tiny):
    n, steps = (7, 4) if tiny else (128, 100)
    return np.random.default_rng(1).normal(size=(n, n)), 0.2, steps


def heat_2d_port(jax, np):
    def heat(u0, rate, steps):
        def step(_, u):
            change = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4.0 * u[1:-1, 1:-1]
            return u.at[1:-1, 1:-1].add(rate * change)

        u = jax.lax.fori_loop(0, steps, step, u0)
        return np.sum(u * u)

    return heat


def heat_3d(conductivity, u0, steps):
    """Diffusion in a block whose conductivity is sought: the gradient is by the conductivity of every cell."""
    u = u0.copy()
    for _ in range(steps):
        laplacian = (
            u[2:, 1:-1, 1:-1]
            + u[:-2, 1:-1, 1:-1]
            + u[1:-1, 2:, 1:-1]
            + u[1:-1, :-2, 1:-1]
            + u[1:-1, 1:-1, 2:]
            + u[1:-1, 1:-1, :-2]
            - 6.0 * u[1:-1, 1:-1, 1:-1]
        )
        u[1:-1, 1:-1, 1:-1] += conductivity[1:-1, 1:-1, 1:-1] * laplacian
    return np.sum(u * u)


def heat_3d_data(tiny):
    n, steps = (5, 3) if tiny else (32, 40)
    rng = np.random.default_rng(2)
    return rng.uniform(0.05, 0.15, size=(n, n, n)), rng.normal(size=(n, n, n)), steps


def heat_3d_port(jax, np):
    def heat(conductivity, u0, steps):
        def step(_, u):
            laplacian = (
                u[2:, 1:-1, 1:-1]
                + u[:-2, 1:-1, 1:-1]
                + u[1:-1, 2:, 1:-1]
                + u[1:-1, :-2, 1:-1]
                + u[1:-1, 1:-1, 2:]
                + u[1:-1, 1:-1, :-2]
                - 6.0 * u[1:-1, 1:-1, 1:-1]
            )
            return u.at[1:-1, 1:-1, 1:-1].add(conductivity[1:-1, 1:-1, 1:-1] * laplacian)

        u = jax.lax.fori_loop(0, steps, step, u0)
        return np.sum(u * u)

    return heat


def wave_2d(speed2, source, recorded):
    """Full waveform inversion: the misfit at a line of receivers; the gradient is by the squared wave speeds."""
    n, m = speed2.shape
    before = np.zeros((n, m))
    now = np.zeros((n, m))
    misfit = 0.0
    for t in range(source.shape[0]):
        after = np.zeros((n, m))
        after[1:-1, 1:-1] = (
            2.0 * now[1:-1, 1:-1]
            - before[1:-1, 1:-1]
            + speed2[1:-1, 1:-1]
            * (now[2:, 1:-1] + now[:-2, 1:-1] + now[1:-1, 2:] + now[1:-1, :-2] - 4.0 * now[1:-1, 1:-1])
        )
        after[n // 2, m // 2] += source[t]
        misfit += np.sum((after[2, :] - recorded[t]) ** 2)
        before = now
        now = after
    return misfit


def wave_2d_data(tiny):
    n, steps = (8, 5) if tiny else (96, 100)
    rng = np.random.default_rng(3)
    t = np.arange(steps) * 0.1 - 1.0
    source = (1.0 - 2.0 * t * t) * np.exp(-t * t)
    return rng.uniform(0.1, 0.3, size=(n, n)), source, 0.01 * rng.normal(size=(steps, n))


def wave_2d_port(jax, np):
    def wave(speed2, source, recorded):
        n, m = speed2.shape

        def step(state, given):
            before, now = state
            pulse, line = given
            inner = (
                2.0 * now[1:-1, 1:-1]
                - before[1:-1, 1:-1]
                + speed2[1:-1, 1:-1]
                * (now[2:, 1:-1] + now[:-2, 1:-1] + now[1:-1, 2:] + now[1:-1, :-2] - 4.0 * now[1:-1, 1:-1])
            )
            after = np.zeros((n, m)).at[1:-1, 1:-1].set(inner).at[n // 2, m // 2].add(pulse)
            return (now, after), np.sum((after[2, :] - line) ** 2)

        rest = np.zeros((n, m))
        return np.sum(jax.lax.scan(step, (rest, rest), (source, recorded))[1])

    return wave


def upwind_advection(velocity, q0, steps):
    """A tracer in a stream of changing direction, first-order upwind; the gradient is by the velocities."""
    q = q0.copy()
    forward = np.maximum(velocity, 0.0)
    backward = np.minimum(velocity, 0.0)
    for _ in range(steps):
        flux = forward[:-1] * q[:-1] + backward[:-1] * q[1:]
        q[1:-1] -= flux[1:] - flux[:-1]
    return np.sum(q**2)


def upwind_advection_data(tiny):
    n, steps = (12, 5) if tiny else (4096, 250)
    rng = np.random.default_rng(4)
    x = np.linspace(0.0, 2.0 * np.pi, n)
    return 0.4 * np.sin(3.0 * x) + 0.1 * rng.normal(size=n), 1.5 + np.sin(x), steps


def upwind_advection_port(jax, np):
    def advection(velocity, q0, steps):
        forward = np.maximum(velocity, 0.0)
        backward = np.minimum(velocity, 0.0)

        def step(_, q):
            flux = forward[:-1] * q[:-1] + backward[:-1] * q[1:]
            return q.at[1:-1].add(flux[:-1] - flux[1:])

        return np.sum(jax.lax.fori_loop(0, steps, step, q0) ** 2)

    return advection


def burgers(u0, viscosity, dt, steps):
    """The viscous Burgers equation with periodic ends; the gradient is by the initial state."""
    u = u0.copy()
    for _ in range(steps):
        new = np.empty_like(u)
        new[1:-1] = u[1:-1] - dt * u[1:-1] * (u[2:] - u[:-2]) / 2.0 + viscosity * dt * (u[2:] - 2.0 * u[1:-1] + u[:-2])
        new[0] = u[0] - dt * u[0] * (u[1] - u[-1]) / 2.0 + viscosity * dt * (u[1] - 2.0 * u[0] + u[-1])
        new[-1] = u[-1] - dt * u[-1] * (u[0] - u[-2]) / 2.0 + viscosity * dt * (u[0] - 2.0 * u[-1] + u[-2])
        u = new
    return np.mean(u**4)


def burgers_data(tiny):
    n, steps = (10, 5) if tiny else (2048, 500)
    x = np.linspace(0.0, 2.0 * np.pi, n, endpoint=False)
    return np.sin(x) + 0.3 * np.cos(2.0 * x), 0.5, 0.1, steps


def burgers_port(jax, np):
    def equation(u0, viscosity, dt, steps):
        def step(_, u):
            right, left = np.roll(u, -1), np.roll(u, 1)
            return u - dt * u * (right - left) / 2.0 + viscosity * dt * (right - 2.0 * u + left)

        return np.mean(jax.lax.fori_loop(0, steps, step, u0) ** 4)

    return equation


def shallow_water(h0, gravity, dt, steps):
    """Waves in a basin on a staggered grid; the gradient is by the initial height of the surface."""
    n, m = h0.shape
    h = h0.copy()
    u = np.zeros((n + 1, m))
    v = np.zeros((n, m + 1))
    for _ in range(steps):
        u[1:-1, :] -= dt * gravity * (h[1:, :] - h[:-1, :])
        v[:, 1:-1] -= dt * gravity * (h[:, 1:] - h[:, :-1])
        flux_u = np.zeros((n + 1, m))
        flux_v = np.zeros((n, m + 1))
        flux_u[1:-1, :] = 0.5 * (h[1:, :] + h[:-1, :]) * u[1:-1, :]
        flux_v[:, 1:-1] = 0.5 * (h[:, 1:] + h[:, :-1]) * v[:, 1:-1]
        h -= dt * (flux_u[1:, :] - flux_u[:-1, :] + flux_v[:, 1:] - flux_v[:, :-1])
    return np.sum(h * h) + np.sum(u * u) + np.sum(v * v)


def shallow_water_data(tiny):
    n, steps = (6, 4) if tiny else (96, 50)
    x = np.linspace(-1.0, 1.0, n)
    bump = 0.3 * np.exp(-5.0 * (x[:, None] ** 2 + x[None, :] ** 2))
    return 1.0 + bump, 1.0, 0.2, steps


def shallow_water_port(jax, np):
    def water(h0, gravity, dt, steps):
        n, m = h0.shape

        def step(_, state):
            h, u, v = state
            u = u.at[1:-1, :].add(-dt * gravity * (h[1:, :] - h[:-1, :]))
            v = v.at[:, 1:-1].add(-dt * gravity * (h[:, 1:] - h[:, :-1]))
            flux_u = np.zeros((n + 1, m)).at[1:-1, :].set(0.5 * (h[1:, :] + h[:-1, :]) * u[1:-1, :])
            flux_v = np.zeros((n, m + 1)).at[:, 1:-1].set(0.5 * (h[:, 1:] + h[:, :-1]) * v[:, 1:-1])
            h = h - dt * (flux_u[1:, :] - flux_u[:-1, :] + flux_v[:, 1:] - flux_v[:, :-1])
            return h, u, v

        h, u, v = jax.lax.fori_loop(0, steps, step, (h0, np.zeros((n + 1, m)), np.zeros((n, m + 1))))
        return np.sum(h * h) + np.sum(u * u) + np.sum(v * v)

    return water


def gray_scott(u0, v0, feed, kill, steps):
    """Reaction and diffusion of two substances; the gradient is by both initial concentrations."""
    u = u0.copy()
    v = v0.copy()
    for _ in range(steps):
        uc = u[1:-1, 1:-1]
        vc = v[1:-1, 1:-1]
        lu = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4.0 * uc
        lv = v[:-2, 1:-1] + v[2:, 1:-1] + v[1:-1, :-2] + v[1:-1, 2:] - 4.0 * vc
        reaction = uc * vc * vc
        du = 0.16 * lu - reaction + feed * (1.0 - uc)
        dv = 0.08 * lv + reaction - (feed + kill) * vc
        u[1:-1, 1:-1] += du
        v[1:-1, 1:-1] += dv
    return np.sum(v * v)


def gray_scott_data(tiny):
    n, steps = (7, 4) if tiny else (96, 60)
    rng = np.random.default_rng(5)
    return 1.0 - 0.5 * rng.random((n, n)), 0.25 * rng.random((n, n)), 0.035, 0.065, steps


def gray_scott_port(jax, np):
    def reaction_diffusion(u0, v0, feed, kill, steps):
        def step(_, state):
            u, v = state
            uc, vc = u[1:-1, 1:-1], v[1:-1, 1:-1]
            lu = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4.0 * uc
            lv = v[:-2, 1:-1] + v[2:, 1:-1] + v[1:-1, :-2] + v[1:-1, 2:] - 4.0 * vc
            reaction = uc * vc * vc
            du = 0.16 * lu - reaction + feed * (1.0 - uc)
            dv = 0.08 * lv + reaction - (feed + kill) * vc
            return u.at[1:-1, 1:-1].add(du), v.at[1:-1, 1:-1].add(dv)

        return np.sum(jax.lax.fori_loop(0, steps, step, (u0, v0))[1] ** 2)

    return reaction_diffusion


def gauss_seidel(f, sweeps):
    """Sweeps over a Poisson problem, element by element; the gradient is by the right-hand side."""
    n, m = f.shape
    u = np.zeros((n, m))
    for _ in range(sweeps):
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                u[i, j] = 0.25 * (u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1] + f[i, j])
    return np.sum(u * u)


def gauss_seidel_data(tiny):
    n, sweeps = (6, 3) if tiny else (64, 60)
    return np.random.default_rng(6).normal(size=(n, n)), sweeps


def gauss_seidel_port(jax, np):
    def solver(f, sweeps):
        n, m = f.shape

        def row(above, given):
            old, below, force = given

            def element(left, parts):
                up, down, right, at = parts
                new = 0.25 * (up + down + left + right + at)
                return new, new

            _, inner = jax.lax.scan(element, old[0], (above[1:-1], below[1:-1], old[2:], force[1:-1]))
            new = old.at[1:-1].set(inner)
            return new, new

        def sweep(_, u):
            _, rows = jax.lax.scan(row, u[0], (u[1:-1], u[2:], f[1:-1]))
            return u.at[1:-1].set(rows)

        return np.sum(jax.lax.fori_loop(0, sweeps, sweep, np.zeros((n, m))) ** 2)

    return solver


STENCILS = (
    Work(heat_2d, heat_2d_data, heat_2d_port, static=(2,)),
    Work(heat_3d, heat_3d_data, heat_3d_port, static=(2,)),
    Work(wave_2d, wave_2d_data, wave_2d_port),
    Work(upwind_advection, upwind_advection_data, upwind_advection_port, static=(2,)),
    Work(burgers, burgers_data, burgers_port, static=(3,)),
    Work(shallow_water, shallow_water_data, shallow_water_port, static=(3,)),
    Work(gray_scott, gray_scott_data, gray_scott_port, argnums=(0, 1), static=(4,)),
    Work(gauss_seidel, gauss_seidel_data, gauss_seidel_port, static=(1,)),
)
