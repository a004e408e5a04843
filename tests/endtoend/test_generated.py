"""Random programs: plain Python, forward, reverse, both backends, and differences agree."""

from __future__ import annotations

import numpy as np
from adcore_numpy import interpret
from generated import compiled_from, functions
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from test_derivatives import close, inner, richardson

import adcore
from adcore.verify import verify

POINTS = st.tuples(
    st.floats(-1.0, 1.0),
    st.floats(-1.0, 1.0),
    st.lists(st.floats(-1.0, 1.0), min_size=4, max_size=4).map(np.array),
    st.integers(0, 3),
)
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def check_program(source: str, point, rng) -> None:
    """All that holds of a program at a point."""
    f = compiled_from(source)
    a, b, x, n = point
    expected = float(f(a, b, x.copy(), n))
    g = adcore.value_and_grad(f, argnums=(0, 1, 2))
    value, gradient = g(a, b, x, n)
    close(value, expected, 1e-12)
    along = (float(rng.normal()), float(rng.normal()), rng.normal(size=4))
    reverse = inner(gradient, along)
    forward_value, forward = adcore.jvp(f, (a, b, x, n), (*along, 0))
    close(forward_value, expected, 1e-12)
    close(reverse, forward, 1e-9)
    program = adcore.program(g)
    verify(program)
    for ours, theirs in zip((value, *gradient), interpret(program, (a, b, x, n)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-12)

    def plain(s: float) -> float:
        return float(f(a + s * along[0], b + s * along[1], x + s * along[2], n))

    coarse, fine = richardson(plain, 1e-2), richardson(plain, 3e-3)
    if abs(coarse - fine) <= 1e-7 * max(1.0, abs(fine)):  # no branch switches close by
        close(reverse, fine, 1e-5)


@QUICK
@given(functions(), POINTS, st.integers(0, 2**32 - 1))
def test_first_order(source, point, seed):
    note(source)
    check_program(source, point, np.random.default_rng(seed))


@settings(QUICK, max_examples=20)
@given(functions(depth=2), POINTS, st.integers(0, 2**32 - 1))
def test_second_order(source, point, seed):
    """<H u, w> forward over reverse equals <u, H w> reverse over reverse: the Hessian is symmetric."""
    note(source)
    rng = np.random.default_rng(seed)
    f = compiled_from(source)
    g = adcore.grad(f, argnums=(0, 1, 2))
    u, w = ((float(rng.normal()), float(rng.normal()), rng.normal(size=4)) for _ in range(2))
    *reals, n = point
    _, along_u = adcore.jvp(g, (*reals, n), (*u, 0))
    _, along_w = adcore.jvp(g, (*reals, n), (*w, 0))
    close(inner(along_u, w), inner(along_w, u), 1e-8)
    _, pullback = adcore.vjp(g, *reals, n)
    close(inner(pullback(w)[:3], u), inner(along_u, w), 1e-8)
