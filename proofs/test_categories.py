"""The laws of differentiation as a functor, on adcore's own Programs (Elliott 2018; Huot, Staton and Vákár)."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import sympy
from adcore_numpy import interpret

import adcore
from adcore.builder import Builder
from adcore.derive import pull, push
from adcore.passes.dce import eliminate_dead
from adcore.program import Program, free_variables
from adcore.types import Var, f64
from proofs.categories import (
    READINGS,
    Arrow,
    derivative,
    dup,
    exl,
    exr,
    fork,
    identity,
    inl,
    inr,
    jam,
    join,
    matrix_arrow,
    multiplications,
    random_arrow,
    random_matrix,
    scaling,
)

SEEDS = range(12)


def point(seed, n):
    return np.random.default_rng(seed + 500).uniform(-1, 1, n)


def same(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)


def equal(f, g, seed):
    """Two arrows agree in value and derivative."""
    x = point(seed, f.source)
    same(f(x), g(x))
    same(f.jacobian(x), g.jacobian(x))


# D is a functor


@pytest.mark.parametrize("seed", SEEDS)
def test_composition(seed):
    """D(g ∘ f)(a) = D g (f a) ∘ D f (a)."""
    f, g = random_arrow(seed, 3, 4), random_arrow(seed + 100, 4, 2)
    a = point(seed, 3)
    same(g.after(f).jacobian(a), g.jacobian(f(a)) @ f.jacobian(a))


@pytest.mark.parametrize("seed", SEEDS)
def test_products(seed):
    """D(f × g)(a, b) = D f a × D g b."""
    f, g = random_arrow(seed, 3, 2), random_arrow(seed + 100, 2, 4)
    a, b = point(seed, 3), point(seed + 1, 2)
    expected = np.block([[f.jacobian(a), np.zeros((2, 2))], [np.zeros((4, 3)), g.jacobian(b)]])
    same(f.beside(g).jacobian(np.concatenate((a, b))), expected)


LINEAR = {
    "id": identity(3),
    "exl": exl(2, 3),
    "exr": exr(2, 3),
    "dup": dup(3),
    "inl": inl(2, 3),
    "inr": inr(2, 3),
    "jam": jam(3),
    "scale": scaling(-1.5, 3),
    "matrix": matrix_arrow(random_matrix(0, 2, 4)),
}


@pytest.mark.parametrize("name", LINEAR)
def test_a_linear_function_is_its_own_derivative(name):
    """D f a = f, at every a: the tangent does not depend on the point."""
    f = LINEAR[name]
    for seed in SEEDS:
        a, t = point(seed, f.source), point(seed + 1, f.source)
        same(interpret(push(f.program, (0,)), (a, t))[1], f(t))
    pushed = push(f.program, (0,))
    primal, tangent = pushed.params[0], pushed.results[1]
    alone = eliminate_dead(Program(pushed.params[1:], pushed.equations, (tangent,)))
    assert primal not in free_variables(alone)


# Laws of the categories, which D keeps


@pytest.mark.parametrize("seed", SEEDS)
def test_category(seed):
    f, g, h = random_arrow(seed, 2, 3), random_arrow(seed + 1, 3, 3), random_arrow(seed + 2, 3, 2)
    equal(identity(3).after(f), f, seed)
    equal(f.after(identity(2)), f, seed)
    equal(h.after(g.after(f)), h.after(g).after(f), seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_monoidal(seed):
    f, g = random_arrow(seed, 2, 3), random_arrow(seed + 1, 3, 2)
    p, q = random_arrow(seed + 2, 3, 2), random_arrow(seed + 3, 2, 3)
    equal(identity(2).beside(identity(3)), identity(5), seed)
    equal(p.beside(q).after(f.beside(g)), p.after(f).beside(q.after(g)), seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_cartesian(seed):
    f, g, h = random_arrow(seed, 3, 2), random_arrow(seed + 1, 3, 4), random_arrow(seed + 2, 2, 3)
    equal(exl(2, 4).after(fork(f, g)), f, seed)
    equal(exr(2, 4).after(fork(f, g)), g, seed)
    equal(fork(exl(2, 3), exr(2, 3)), identity(5), seed)
    equal(fork(f, g).after(h), fork(f.after(h), g.after(h)), seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_cocartesian(seed):
    """Of linear functions, where products are coproducts."""
    f, g = matrix_arrow(random_matrix(seed, 3, 2)), matrix_arrow(random_matrix(seed + 1, 3, 4))
    h = matrix_arrow(random_matrix(seed + 2, 2, 3))
    equal(join(f, g).after(inl(2, 4)), f, seed)
    equal(join(f, g).after(inr(2, 4)), g, seed)
    equal(join(inl(2, 3), inr(2, 3)), identity(5), seed)
    equal(h.after(join(f, g)), join(h.after(f), h.after(g)), seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_scale_commutes_with_linear_functions(seed):
    f = matrix_arrow(random_matrix(seed, 3, 2))
    equal(f.after(scaling(0.7, 2)), scaling(0.7, 3).after(f), seed)


# Duality


def dual(f, x):
    """The transposed derivative at x, by reverse mode on a basis."""
    pulled = pull(f.program, (0,))
    return np.stack([interpret(pulled, (x, e))[1] for e in np.eye(f.target)], axis=1)


@pytest.mark.parametrize("seed", SEEDS)
def test_dual_of_a_fork_is_the_join_of_duals(seed):
    """Dual f ▽ Dual g = Dual (f △ g), and Dual f △ Dual g = Dual (f ▽ g)."""
    f, g, a = random_arrow(seed, 3, 2), random_arrow(seed + 1, 3, 4), point(seed, 3)
    same(dual(fork(f, g), a), np.hstack((dual(f, a), dual(g, a))))
    p, q, b = random_arrow(seed, 2, 3), random_arrow(seed + 1, 4, 3), point(seed, 6)
    same(dual(join(p, q), b), np.vstack((dual(p, b[:2]), dual(q, b[2:]))))


@pytest.mark.parametrize("seed", SEEDS)
def test_duals_compose_backwards(seed):
    f, g, a = random_arrow(seed, 3, 4), random_arrow(seed + 1, 4, 2), point(seed, 3)
    same(dual(g.after(f), a), dual(f, a) @ dual(g, f(a)))
    same(dual(f, a), f.jacobian(a).T)


@pytest.mark.parametrize(("one", "other"), [("exl", "inl"), ("exr", "inr"), ("dup", "jam"), ("id", "id")])
def test_dual_pairs(one, other):
    f, g = LINEAR[one], LINEAR[other]
    same(dual(f, point(0, f.source)).T, f.jacobian(point(1, f.source)))
    same(dual(f, point(0, f.source)), g.jacobian(point(1, g.source)))


def test_multiplication_is_a_join_of_scalings():
    """D mul (a, b) = scale b ▽ scale a."""
    mul = Arrow.of(2, lambda b, x: b.mul(*parts(b, x, 2)))
    for seed in SEEDS:
        a, b = point(seed, 2)
        t = np.array([0.3, -0.9])
        same(mul.jacobian(np.array([a, b])), join(scaling(b, 1), scaling(a, 1)).jacobian(t))


# Five readings of one linear program


def parts(b, x, n):
    return [b.view(x, k, 1, 1, codes="s") for k in range(n)]


def two(b, u, v):
    room = b.expand(0.0, 2, axes=(0,))
    return b.update(b.update(room, u, 0, 1, 1, codes="s"), v, 1, 1, 1, codes="s")


def sqr(b, x):
    return b.mul(x, x)


def mag_sqr(b, x):
    u, v = parts(b, x, 2)
    return b.add(sqr(b, u), sqr(b, v))


def cos_sin_prod(b, x):
    u, v = parts(b, x, 2)
    z = b.mul(u, v)
    return two(b, b.cos(z), b.sin(z))


def cos_xyz(b, x):
    u, v, w = parts(b, x, 3)
    return b.cos(b.add(u, b.mul(v, w)))


X, Y, Z = sympy.symbols("x y z")
MINIATURES = {
    "sqr": (sqr, 1, [X * X]),
    "magSqr": (mag_sqr, 2, [X * X + Y * Y]),
    "cosSinProd": (cos_sin_prod, 2, [sympy.cos(X * Y), sympy.sin(X * Y)]),
    "cos(x + y·z)": (cos_xyz, 3, [sympy.cos(X + Y * Z)]),
}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("name", MINIATURES)
def test_miniature(name, reading):
    make, n, meaning = MINIATURES[name]
    x = point(7, n)
    symbols = (X, Y, Z)[:n]
    expected = sympy.Matrix(meaning).jacobian(symbols).subs(dict(zip(symbols, x, strict=True)))
    found = READINGS[reading](derivative(Arrow.of(n, make).program, x))
    same(found, np.array(expected.evalf(30).tolist(), float))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_readings_agree(seed):
    f = fork(mixing(seed, 3), mixing(seed + 1, 3))
    x = point(seed, 3)
    d = derivative(f.program, x)
    for reading in READINGS.values():
        same(reading(d), f.jacobian(x))


def mixing(seed, n):
    inner = matrix_arrow(random_matrix(seed, n, n))
    return Arrow.of(n, lambda b, x: b.mul(b.sin(inner.at(b, x)), b.exp(b.neg(x))))


# The cost of the two orders of association


LAYERS = (1000, 500, 200, 50, 1)


def chain():
    """x ↦ W4 (W3 (W2 (W1 x))) and the weights."""
    weights = [Var(f64(m, n), f"w{k}") for k, (n, m) in enumerate(pairwise(LAYERS))]
    b, x = Builder(), Var(f64(LAYERS[0], 1), "x")
    y = x
    for w in weights:
        y = b.matmul(w, y)
    return Program((x, *weights), b.equations, (y,)), weights


def test_multiplications_in_reverse():
    program, _ = chain()
    pulled = pull(program, (0,))
    alone = eliminate_dead(Program(pulled.params, pulled.equations, pulled.results[1:]))
    assert multiplications(alone) == 610_050


def test_multiplications_forward():
    """The tangent is a matrix of one column for each input, which the first layer's weights are."""
    _, (first, *weights) = chain()
    b, z = Builder(), Var(f64(LAYERS[1], LAYERS[0]), "z")
    y = z
    for w in weights:
        y = b.matmul(w, y)
    pushed = push(Program((z, *weights), b.equations, (y,)), (0,))
    alone = eliminate_dead(Program(pushed.params, pushed.equations, pushed.results[1:]))
    assert multiplications(alone) == 110_050_000
    assert first.type.shape == z.type.shape


# Higher-order functions


def twice(f):
    return lambda u: f(f(u))


TERMS = {
    "a closure": lambda x: (lambda u: u * x)(math.sin(x)),
    "a function of functions": lambda x: twice(lambda u: math.sin(u) * x)(x),
    "functions in a tuple": lambda x: (lambda p: p[0](p[1](x)))((math.cos, lambda u: u * u * x)),
    "a function that gives functions": lambda x: (lambda u: lambda w: math.sin(u * w))(x)(x),
}
MEANINGS = {
    "a closure": X * sympy.sin(X),
    "a function of functions": sympy.sin(sympy.sin(X) * X) * X,
    "functions in a tuple": sympy.cos(X**3),
    "a function that gives functions": sympy.sin(X * X),
}


@pytest.mark.parametrize("name", TERMS)
def test_functions_as_intermediate_values(name):
    """D(t)(x, v) = (t(x), J_t(x)·v), also where intermediate values are functions."""
    for x in (0.4, 1.1):
        value, slope = adcore.jvp(TERMS[name], (x,), (1.5,))
        same(value, float(MEANINGS[name].subs(X, x)))
        same(slope, 1.5 * float(sympy.diff(MEANINGS[name], X).subs(X, x)))


@pytest.mark.parametrize("name", TERMS)
def test_substitution(name):
    """D(t[s/x]) = D(t)[D(s)/x]."""
    t = TERMS[name]

    def s(y):
        return math.exp(-y) * y + 0.2

    def composed(y):
        return t(s(y))

    for y, dy in ((0.3, 1.0), (0.9, -0.7)):
        inner, tangent = adcore.jvp(s, (y,), (dy,))
        for ours, theirs in zip(adcore.jvp(composed, (y,), (dy,)), adcore.jvp(t, (inner,), (tangent,)), strict=True):
            same(ours, theirs)


def test_curves():
    """D(t) ∘ (f, f′) = (t ∘ f, (t ∘ f)′) for a curve f."""

    def t(p, q):
        return math.sin(p * q) / (1.0 + p * p)

    u = sympy.Symbol("u")
    f = (sympy.cos(u) * u, sympy.exp(u) - u)
    whole = sympy.sin(f[0] * f[1]) / (1 + f[0] ** 2)
    for at in (-0.8, 0.1, 0.7):
        place = tuple(float(c.subs(u, at)) for c in f)
        speed = tuple(float(sympy.diff(c, u).subs(u, at)) for c in f)
        value, slope = adcore.jvp(t, place, speed)
        same(value, float(whole.subs(u, at)))
        same(slope, float(sympy.diff(whole, u).subs(u, at)))


def test_perturbations_are_not_confused():
    """d/dx (x · d/dy (x + y) at y = 1) at x = 1 is 1, not 2."""
    grad = adcore.grad
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y * y)(1.0))(1.0) == 4.0


def shifted_slope(f):
    """D̂ f = D (u ↦ s(u) f) 0, where s(u)(f)(x) = f(x + u): a derivative whose value is a function."""
    return lambda x: adcore.grad(lambda u: f(x + u))(0.0)


def test_a_derivative_of_functions_applied_twice():
    """Manzyuk's D̂(D̂ exp)(1) is e; with one tag for both perturbations it is 0."""
    again = shifted_slope(shifted_slope(math.exp))
    same(adcore.jit(lambda x: again(x))(1.0), math.e)
    same(again(1.0), math.e)
