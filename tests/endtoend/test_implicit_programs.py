"""Programs of the kind that users have: a solver within a compiled function, its gradient beside differences."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from adcore import custom_root, fixed_point, grad, jit, least_squares, linear_solve, minimize, root
from adcore.implicit import gmres

RNG = np.random.default_rng(3)
INPUTS, TARGETS = RNG.normal(size=(8, 3)), RNG.normal(size=(8, 2))


def equilibrium_layer(theta):
    inner, outer, last = 0.2 * theta[:25].reshape(5, 5), theta[25:40].reshape(5, 3), theta[40:50].reshape(2, 5)

    def cell(z):
        return np.tanh(z @ inner.T + INPUTS @ outer.T)

    z = fixed_point(cell, np.zeros((8, 5)), solve="gmres")
    return np.mean((z @ last.T - TARGETS) ** 2)


def robot_arm(target):
    """Inverse kinematics of three links, the posture of least bending."""
    lengths = np.array([1.0, 0.8, 0.5])

    def hand(q):
        angles = np.cumsum(q)
        return np.array([lengths @ np.cos(angles), lengths @ np.sin(angles)])

    q = minimize(lambda q: np.sum((hand(q) - target) ** 2) + 0.01 * np.sum(q**2), np.array([0.3, 0.3, 0.3]))
    return np.sum(q**2)


def admittances():
    y = np.zeros((4, 4), complex)
    for i, j, line in ((0, 1, 2 - 8j), (1, 2, 1 - 5j), (2, 3, 2 - 6j), (3, 0, 1 - 4j)):
        y[i, i] += line
        y[j, j] += line
        y[i, j] -= line
        y[j, i] -= line
    return y


GRID = admittances()


def power_flow(load):
    """What a generator gives to three loads of constant power."""
    power = -load * np.array([0.3 + 0.1j, 0.2 + 0.05j, 0.4 + 0.2j])

    def injected(v):
        v = np.concatenate((np.array([1.0 + 0.0j]), v))
        return v * np.conj(GRID @ v)

    v = root(lambda v: injected(v)[1:] - power, np.ones(3, dtype=complex))
    return np.real(np.sum(injected(v)))


def kerr_cavity(p):
    """The photons in a driven cavity whose frequency moves with their number."""
    a = root(lambda a: -(1.0 + 1j * (p[0] - abs(a) ** 2)) * a + p[1], 0.5 + 0.0j)
    return abs(a) ** 2


def cavity_mode(length):
    """The Rayleigh length of the beam that a lens and a length repeat."""

    def trip(q):
        a, b, c, d = 1.0, length, -2.0 / 1.5, 1.0 - 2.0 * length / 1.5
        return (a * q + b) / (c * q + d)

    return np.imag(root(lambda q: trip(q) - q, -0.3 + 0.5j))


def density_of_states(energy):
    """Dyson's equation for the end of a chain."""
    z = energy + 0.1j
    return -np.imag(fixed_point(lambda g: 1.0 / (z - 0.3 - 0.25 * g), 0.1 - 0.5j)) / np.pi


def helmholtz(k):
    """Damped waves around a ring."""
    n = 40

    def operator(u):
        return (np.roll(u, 1) - 2.0 * u + np.roll(u, -1)) * n**2 + (k * k + 2j * k) * u

    u = linear_solve(operator, np.exp(2j * np.pi * np.arange(n) / n) + 0.5, solve="gmres")
    return np.sum(np.abs(u) ** 2)


def market(tax):
    def excess(p):
        bread = 10.0 / p["bread"] ** 1.2 * p["wine"] ** 0.3 - 3.0 * (p["bread"] * (1.0 - tax)) ** 0.5
        return {"wine": 5.0 / p["wine"] ** 1.5 * p["bread"] ** 0.2 - 2.0 * p["wine"] ** 0.7, "bread": bread}

    prices = root(excess, PRICES)
    return 10.0 * prices["bread"] + prices["wine"]


PRICES = {"bread": 1.0, "wine": 1.0}


def implicit_euler(k):
    """Heat, each step by a preconditioned solver that is made in the loop."""
    u = np.exp(-(((np.linspace(0.0, 1.0, 30) - 0.5) / 0.1) ** 2))
    for step in range(5):

        def system(w):
            bend = np.zeros_like(w)
            bend[1:-1] = w[2:] - 2.0 * w[1:-1] + w[:-2]
            return w - k * (1.0 + 0.1 * step) * bend  # noqa: B023

        u = linear_solve(system, u, solve=functools.partial(gmres, preconditioner=lambda r: r / (1.0 + 2.0 * k)))
    return np.sum(u[10:20])


class Beam:
    def __init__(self, stiffness):
        self.stiffness = stiffness

    def energy(self, x, load):
        bent = 0.5 * self.stiffness * np.sum((x[1:] - x[:-1]) ** 2)
        return bent + 0.1 * np.sum(x**4) - load * x[-1] + 0.5 * x[0] ** 2


def method_of_an_object(load):
    beam = Beam(3.0 * load)
    return minimize(beam.energy, np.zeros(6), load)[-1]


def condition_of_an_object(load):
    beam = Beam(3.0)

    @custom_root(grad(beam.energy), solve="cg")
    def bent(init, load):
        return minimize(beam.energy, init, load, method="lbfgs")

    return bent(np.zeros(6), load)[-1]


def partials(load):
    def cubic(k, x, shift):
        return x**3 + k * x - shift

    return root(functools.partial(cubic, load * load, shift=load), 1.0)


def game(a):
    """Nash's equilibrium of two players, by the gradients of what each of them gets."""

    def first(x, y):
        return -((x - a) ** 2) - x * y

    def second(x, y):
        return -((y - 1.0) ** 2) - 0.5 * x * y * a

    s = root(lambda s: np.array([grad(first)(s[0], s[1]), grad(second, argnums=1)(s[0], s[1])]), np.zeros(2))
    return s[0] * s[1]


def decay(height):
    t = np.linspace(0.0, 1.0, 20)

    def residuals(p):
        return p["height"] * np.exp(-p["rate"] * t) + p["floor"] - np.exp(-2.0 * t) * height

    p = least_squares(residuals, {"height": 1.0, "rate": 1.0, "floor": 0.0})
    return p["height"] + p["rate"] + p["floor"]


PROGRAMS = [
    (equilibrium_layer, 0.5 * RNG.normal(size=50)),
    (robot_arm, np.array([1.2, 0.9])),
    (power_flow, 1.0),
    (kerr_cavity, np.array([0.5, 0.8])),
    (cavity_mode, 0.4),
    (density_of_states, 0.4),
    (helmholtz, 5.0),
    (market, 0.1),
    (implicit_euler, 0.3),
    (method_of_an_object, 0.7),
    (condition_of_an_object, 0.7),
    (partials, 0.7),
    (game, 0.7),
    (decay, 1.3),
]


@pytest.mark.parametrize(("program", "point"), PROGRAMS, ids=lambda each: getattr(each, "__name__", ""))
def test_programs(program, point):
    value, step = jit(program), 1e-5
    direction = np.random.default_rng(0).normal(size=np.shape(point))
    expected = (value(point + step * direction) - value(point - step * direction)) / (2.0 * step)
    np.testing.assert_allclose(np.sum(grad(program)(point) * direction), expected, rtol=2e-5)
