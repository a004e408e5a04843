"""Stated derivatives: beside JAX on the same text, in both modes, to the third order, in loops and trees; refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from custom_functions import MADE, Made

import adcore
from adcore import custom_jvp, custom_rule, custom_vjp, grad, hessian, jacfwd, jacrev, jit, jvp, stop_gradient, vjp

jax = pytest.importorskip("jax")
jax.config.update("jax_enable_x64", True)


def ours(made: Made):
    return made.make(np, custom_jvp, custom_vjp, stop_gradient)


def theirs(made: Made):
    return made.make(jax.numpy, jax.custom_jvp, jax.custom_vjp, jax.lax.stop_gradient)


every = pytest.mark.parametrize("made", MADE, ids=lambda m: m.name)


def close(found, expected, tolerance=1e-9):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@every
def test_values_and_gradients(made):
    f, g = ours(made), theirs(made)
    close(jit(f)(*made.arguments), g(*made.arguments))
    close(grad(f)(*made.arguments), jax.grad(g)(*made.arguments))
    close(vjp(f, *made.arguments)[1](1.0)[0], jax.grad(g)(*made.arguments))


@every
def test_second_derivatives(made):
    f, g = ours(made), theirs(made)
    expected = jax.jacrev(jax.grad(g))(*made.arguments)
    for second in (jacrev(grad(f)), hessian(f), jacfwd(grad(f)), jacrev(jacrev(f))):
        close(second(*made.arguments), expected)
