"""Every example in every mode and order: against plain Python, and differences that know nothing of the rules."""

from __future__ import annotations

import zlib
from itertools import pairwise

import numpy as np
import object_functions  # noqa: F401 - enters its rows into the table
import pytest
import textbook_functions  # noqa: F401 - likewise
from adcore_numpy import interpret
from functions import EXAMPLES, Example

import adcore
from adcore.trees import leaves, map_leaves
from adcore.verify import verify

every = pytest.mark.parametrize("example", EXAMPLES, ids=[e.name for e in EXAMPLES])
smooth = pytest.mark.parametrize(
    "example", [e for e in EXAMPLES if e.second_order], ids=[e.name for e in EXAMPLES if e.second_order]
)


def duplicate(leaf):
    """A copy of an array; a number is itself, not an array of rank 0, which += would write into."""
    return leaf.copy() if np.ndim(leaf) else leaf


def is_real(leaf) -> bool:
    return isinstance(leaf, float) or (isinstance(leaf, np.ndarray) and leaf.dtype == np.float64)


def active(example: Example) -> tuple[int, ...]:
    return tuple(k for k, a in enumerate(example.arguments) if all(is_real(leaf) for leaf in leaves(a)))


def direction(example: Example, position: int, salt: int = 0):
    """A direction in the space of an argument, the same in every run."""
    rng = np.random.default_rng([zlib.crc32(example.name.encode()), position, salt])
    structure = example.arguments[position]
    return map_leaves(lambda v: rng.normal(size=np.shape(v)) if np.shape(v) else float(rng.normal()), structure)


def moved(structure, along, step: float):
    ours, theirs = iter(leaves(structure)), iter(leaves(along))
    return map_leaves(lambda _: next(ours) + step * next(theirs), structure)


def inner(one, other) -> float:
    return float(sum(np.sum(a * b) for a, b in zip(leaves(one), leaves(other), strict=True)))


def arguments_at(example: Example, along: dict, step: float) -> tuple:
    return tuple(moved(a, along[k], step) if k in along else a for k, a in enumerate(example.arguments))


def richardson(f, h: float = 2e-2, levels: int = 6) -> float:
    """d/ds f(s) at 0, by central differences extrapolated to step 0."""
    table = [(f(h / 2**k) - f(-h / 2**k)) / (2 * h / 2**k) for k in range(levels)]
    best, last, error = table[-1], table[-1], np.inf
    for order in range(1, levels):
        table = [b + (b - a) / (4**order - 1) for a, b in pairwise(table)]
        if abs(table[-1] - last) < error:
            best, error = table[-1], abs(table[-1] - last)
        last = table[-1]
    return best


def close(got: float, expected: float, tolerance: float = 1e-8) -> None:
    assert abs(got - expected) <= tolerance * max(1.0, abs(expected)), (got, expected)


@every
def test_primal(example):
    ours, theirs = (map_leaves(duplicate, list(example.arguments)) for _ in range(2))
    close(adcore.jit(example.function)(*ours), float(example.function(*theirs)), 1e-13)
    for a, b in zip(leaves(ours), leaves(theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)


@every
def test_gradient(example):
    wrt = active(example)
    along = {k: direction(example, k) for k in wrt}
    value, gradients = adcore.value_and_grad(example.function, argnums=wrt)(*example.arguments)
    plain = lambda s: float(example.function(*map_leaves(duplicate, arguments_at(example, along, s))))  # noqa: E731
    close(value, plain(0.0), 1e-13)
    close(sum(inner(g, along[k]) for g, k in zip(gradients, wrt, strict=True)), richardson(plain))
    for g, k in zip(gradients, wrt, strict=True):
        for ours, theirs in zip(leaves(g), leaves(example.arguments[k]), strict=True):
            assert type(ours) is type(theirs)
            assert np.shape(ours) == np.shape(theirs)


@every
def test_forward_equals_reverse(example):
    wrt = active(example)
    along = {k: direction(example, k) for k in wrt}
    tangents = tuple(along.get(k, a) for k, a in enumerate(example.arguments))
    value, tangent = adcore.jvp(example.function, example.arguments, tangents)
    _, pullback = adcore.vjp(example.function, *example.arguments)
    gradients = pullback(1.0)
    close(value, float(example.function(*map_leaves(duplicate, example.arguments))), 1e-13)
    close(sum(inner(gradients[k], along[k]) for k in wrt), tangent, 1e-11)


@every
def test_reference_backend(example):
    g = adcore.value_and_grad(example.function, argnums=active(example))
    compiled = g(*example.arguments)
    program = adcore.program(g)
    verify(program)
    reference = interpret(program, tuple(leaves(list(example.arguments))) + captured(g))
    for ours, theirs in zip(leaves(list(compiled)), reference, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)


def captured(g) -> tuple:
    return tuple(c.read() for c in g.dispatcher.latest.lowered.captures)


@smooth
def test_second_order(example):
    """Forward over reverse, reverse over reverse and reverse over forward agree with differences of the gradient."""
    wrt = active(example)
    u = {k: direction(example, k) for k in wrt}
    w = {k: direction(example, k, salt=1) for k in wrt}
    g = adcore.grad(example.function, argnums=wrt)

    def slope(s: float) -> float:
        gradients = g(*arguments_at(example, u, s))
        return sum(inner(gradient, w[k]) for gradient, k in zip(gradients, wrt, strict=True))

    expected = richardson(slope)
    tangents = tuple(u.get(k, a) for k, a in enumerate(example.arguments))
    _, forward_over_reverse = adcore.jvp(g, example.arguments, tangents)
    close(sum(inner(t, w[k]) for t, k in zip(forward_over_reverse, wrt, strict=True)), expected, 1e-7)
    _, pullback = adcore.vjp(g, *example.arguments)
    reverse_over_reverse = pullback(tuple(w[k] for k in wrt))
    close(sum(inner(reverse_over_reverse[k], u[k]) for k in wrt), expected, 1e-7)


@smooth
def test_source_runs(example):
    """The derivative printed as Python gives the same numbers under plain Python."""
    g = adcore.grad(example.function, argnums=active(example))
    compiled = g(*example.arguments)
    program = adcore.program(g)
    namespace: dict = {}
    exec(adcore.source(g), namespace)
    function = next(v for k, v in namespace.items() if callable(v) and k.startswith(program.name.split("<")[0][:4]))
    flat = tuple(leaves(list(map_leaves(duplicate, list(example.arguments))))) + captured(g)
    results = function(*flat)
    results = results if isinstance(results, tuple) else (results,)
    for ours, theirs in zip(leaves(list(compiled)), results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)
