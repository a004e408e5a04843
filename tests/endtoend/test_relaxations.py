"""Smooth sorting, ranking, extrema and steps: their limits, their sums, their Jacobians."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from adcore import check_grads, grad, jacobian, jit
from adcore.relaxations import (
    KERNELS,
    NETWORKS,
    SWAPS,
    gaussian_smoothed,
    sau,
    soft_abs,
    soft_arctan2,
    soft_argmax,
    soft_argmin,
    soft_ceil,
    soft_copysign,
    soft_equal,
    soft_floor,
    soft_floordiv,
    soft_fmod,
    soft_greater,
    soft_hypot,
    soft_indicator,
    soft_less,
    soft_max,
    soft_maximum,
    soft_min,
    soft_minimum,
    soft_mod,
    soft_permutation,
    soft_rank,
    soft_relu,
    soft_round,
    soft_sign,
    soft_sort,
    soft_swap,
    soft_top_k,
    soft_trunc,
    sorting_network,
)

X = np.array([-2.3, -0.7, 0.4, 1.6, 2.8])
Y = np.array([0.5, -1.3, 1.7, 0.9, -0.6])

OF_ONE = {
    soft_abs: np.abs,
    soft_ceil: np.ceil,
    soft_floor: np.floor,
    soft_indicator: lambda x: np.heaviside(x, 0.5),
    soft_relu: lambda x: np.maximum(x, 0.0),
    soft_round: np.rint,
    soft_sign: np.sign,
    soft_trunc: np.trunc,
}
OF_TWO = {
    soft_arctan2: np.arctan2,
    soft_copysign: np.copysign,
    soft_equal: np.equal,
    soft_floordiv: np.floor_divide,
    soft_fmod: np.fmod,
    soft_greater: np.greater,
    soft_hypot: np.hypot,
    soft_less: np.less,
    soft_maximum: np.maximum,
    soft_minimum: np.minimum,
    soft_mod: np.mod,
}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("soft", [*OF_ONE, *OF_TWO], ids=lambda f: f.__name__)
def test_pointwise_relaxations_tend_to_what_they_stand_for(soft, kernel):
    arguments = (X,) if soft in OF_ONE else (X, Y)
    exact = (OF_ONE | OF_TWO)[soft](*arguments)
    errors = [np.max(np.abs(soft(*arguments, tau, kernel) - exact)) for tau in (1e-2, 1e-4, 1e-6)]
    assert all(error < bound for error, bound in zip(errors, (0.2, 3e-3, 3e-5), strict=True))


KERNEL_OF = {f: KERNELS[k % len(KERNELS)] for k, f in enumerate([*OF_ONE, *OF_TWO])}  # in turn
ALL = [(soft_abs, k) for k in KERNELS] + [(soft_maximum, k) for k in KERNELS] + [*KERNEL_OF.items()]


@pytest.mark.parametrize(("soft", "kernel"), ALL)
def test_pointwise_relaxations_are_differentiated_twice(soft, kernel):
    count = 1 if soft in OF_ONE else 2
    arguments = (X, Y)[:count]
    if count == 1:
        check_grads(lambda x: soft(x, 0.3, kernel), arguments, order=2, rtol=1e-4)
        compiled = jit(lambda x: soft(x, 0.3, kernel))
    else:
        check_grads(lambda x, y: soft(x, y, 0.3, kernel), arguments, order=2, rtol=1e-4)
        compiled = jit(lambda x, y: soft(x, y, 0.3, kernel))
    assert_allclose(compiled(*arguments), soft(*arguments, 0.3, kernel), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("soft", [soft_floor, soft_ceil, soft_round, soft_trunc])
def test_staircases_rise_everywhere_and_are_lines_at_high_temperatures(soft):
    x = np.linspace(-3.0, 3.0, 1201)
    for tau in (0.01, 0.1, 1.0):
        assert np.all(np.diff(soft(x, tau)) >= 0.0)
    assert_allclose(np.diff(soft_floor(x, 3.0)), np.diff(x), rtol=1e-6)
    assert_allclose(soft_floor(1e9 + 0.5, 0.1), 1e9, rtol=1e-16)


def test_bends_have_slopes_between_those_of_their_pieces():
    x = np.linspace(-40.0, 40.0, 401)
    for kernel in KERNELS:
        slopes = jit(lambda x, kernel=kernel: grad(lambda x: np.sum(soft_relu(x, 0.7, kernel)))(x))(x)
        assert np.all(slopes >= 0.0)
        assert np.all(slopes <= 1.0)
        assert np.all(np.diff(slopes) >= -1e-15)
        assert np.all(soft_relu(x, 0.7, kernel) >= np.maximum(x, 0.0) * (1.0 - 1e-15))


def test_literature_forms():
    assert_allclose(soft_abs(X, 0.5, "algebraic"), np.sqrt(X * X + 0.25), rtol=1e-14)
    assert_allclose(soft_maximum(X, Y, 0.5), 0.5 * np.logaddexp(X / 0.5, Y / 0.5), rtol=1e-14)
    assert_allclose(soft_maximum(X, Y, 0.5) + soft_minimum(X, Y, 0.5), X + Y, rtol=1e-13)


@pytest.mark.parametrize("kernel", ["box", ""])
def test_an_unknown_kernel_is_refused(kernel):
    with pytest.raises(ValueError, match="kernel is"):
        soft_abs(1.0, 0.1, kernel)


# Networks


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("n", range(1, 10))
def test_networks_sort(network, n):
    pairs = sorting_network(n, network)
    for given in itertools.product((0, 1), repeat=n):  # which is enough by the 0-1 principle
        values = list(given)
        for i, j in pairs:
            assert i < j
            values[i], values[j] = min(values[i], values[j]), max(values[i], values[j])
        assert values == sorted(given)


def test_the_logistic_swap_alone_is_not_monotone():
    d = np.linspace(-8.0, 8.0, 160_001)

    def lowest(swap):
        # the derivative of the smaller of (a, 0) in a, as a function of a
        smaller = jit(lambda a: grad(lambda a: np.sum(soft_swap(-a, 1.0, swap) * a))(a))
        return np.min(smaller(d))

    found = {swap: lowest(swap) for swap in SWAPS}
    assert_allclose(found["logistic"], -0.0998, atol=5e-5)
    assert min(found[swap] for swap in SWAPS if swap != "logistic") >= -1e-15


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("swap", SWAPS)
def test_jacobians_of_monotone_networks_are_not_negative(swap, network):
    rng = np.random.default_rng(5)
    of = jacobian(lambda x: soft_sort(x, 1.0, "network", swap, network))
    lowest = min(np.min(of(rng.normal(scale=4.0, size=7))) for _ in range(60))
    assert (lowest < -1e-3) if swap == "logistic" else (lowest >= -1e-14)


def test_networks_and_swaps_that_are_not_there():
    with pytest.raises(ValueError, match="network is"):
        sorting_network(3, "shell")
    with pytest.raises(ValueError, match="swap is"):
        soft_sort(X, 1.0, swap="gauss")
    with pytest.raises(ValueError, match="method is"):
        soft_permutation(X, 1.0, "isotonic")


# Sorting

METHODS = [("network", s, "bitonic") for s in SWAPS] + [("network", "cauchy", n) for n in NETWORKS[1:]]
METHODS += [("transport", "", ""), ("isotonic", "", "")]
Z = np.array([0.3, -1.2, 2.2, 0.9, -0.4])


@pytest.mark.parametrize(("method", "swap", "network"), METHODS)
def test_sorting_tends_to_sorting(method, swap, network):
    rank = np.argsort(np.argsort(Z))
    tau = 0.08 if method == "transport" else 1e-3
    atol = 4e-2 if method == "transport" else 2e-2
    assert_allclose(soft_sort(Z, tau, method, swap, network), np.sort(Z), atol=atol)
    assert_allclose(soft_rank(Z, tau, method, swap, network), rank, atol=atol)
    assert_allclose(soft_top_k(Z, 2, tau, method, swap, network), rank >= 3, atol=atol)
    assert_allclose(np.sum(soft_sort(Z, 0.5, method, swap, network)), np.sum(Z), rtol=1e-9)
    assert_allclose(np.sum(soft_rank(Z, 0.5, method, swap, network)), 10.0, rtol=1e-9)
    assert_allclose(np.sum(soft_top_k(Z, 2, 0.5, method, swap, network)), 2.0, rtol=1e-9)


@pytest.mark.parametrize(("method", "swap", "network"), METHODS)
def test_sorting_is_differentiated(method, swap, network):
    check_grads(lambda x: soft_sort(x, 0.4, method, swap, network), (Z,), rtol=1e-4)
    check_grads(lambda x: soft_rank(x, 0.4, method, swap, network), (Z,), rtol=1e-4)
    check_grads(lambda x: soft_top_k(x, 2, 0.4, method, swap, network), (Z,), rtol=1e-4)


@pytest.mark.parametrize("method", ["network", "transport"])
def test_permutations_are_doubly_stochastic(method):
    weights = soft_permutation(Z, 0.5, method)
    assert np.all(weights >= 0.0)
    assert_allclose(np.sum(weights, axis=0), np.ones(5), rtol=1e-9)
    assert_allclose(np.sum(weights, axis=1), np.ones(5), rtol=1e-9)


def test_extrema():
    x = np.arange(12.0).reshape(3, 4) % 5.0
    assert_allclose(soft_max(x, 1e-3, 1), np.max(x, 1), atol=1e-2)
    assert_allclose(soft_min(x, 1e-3, 0, True), np.min(x, 0, keepdims=True), atol=1e-2)
    assert_allclose(soft_max(x, 1e-3), 4.0, atol=1e-2)
    assert_allclose(grad(lambda x: soft_max(x, 0.5))(Z), soft_argmax(Z, 0.5), rtol=1e-12)
    assert_allclose(grad(lambda x: soft_min(x, 0.5))(Z), soft_argmin(Z, 0.5), rtol=1e-12)


# Convolution


def test_convolution_with_a_gaussian():
    x = np.linspace(-3.0, 3.0, 13)
    assert_allclose(gaussian_smoothed(lambda x: np.maximum(x, 0.1 * x), 0.5)(x), sau(x, 0.5, 0.1), atol=1e-3)
    assert_allclose(jit(gaussian_smoothed(np.sin, 0.5))(x), np.exp(-0.125) * np.sin(x), atol=1e-8)
    check_grads(lambda x: sau(x, 0.5, 0.1), (x,), order=2, rtol=1e-4)
