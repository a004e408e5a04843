"""Random expressions of `einsum`, products of higher order, and what is refused."""

from __future__ import annotations

import random

import numpy as np
import pytest

from adcore import UnsupportedFunctionError, grad, jit, jvp, vjp

LENGTHS = {"a": 2, "b": 3, "c": 4, "d": 2}


def expression(seed: int) -> tuple[str, list[np.ndarray]]:
    """Two to four operands whose axes may be repeated, or of length 1, and some of the labels as output."""
    pick, rng = random.Random(seed), np.random.default_rng(seed)
    terms = ["".join(pick.choices("abcd", k=pick.randint(0, 3))) for _ in range(pick.randint(1, 4))]
    ones = [{letter for letter in term if pick.random() < 0.15} for term in terms]
    shapes = [[1 if letter in one else LENGTHS[letter] for letter in t] for t, one in zip(terms, ones, strict=True)]
    labels = sorted({letter for term in terms for letter in term})
    out = "".join(pick.sample(labels, pick.randint(0, len(labels))))
    return ",".join(terms) + "->" + out, [rng.uniform(0.5, 1.5, shape) for shape in shapes]


@pytest.mark.parametrize("seed", range(60))
def test_random_expressions(seed):
    text, operands = expression(seed)
    rng = np.random.default_rng(seed)

    def f(operands):
        return np.einsum(text, *operands)

    tangents = [rng.normal(size=x.shape) for x in operands]
    value, tangent = jvp(f, (operands,), (tangents,))
    expected = [np.einsum(text, *operands[:k], t, *operands[k + 1 :]) for k, t in enumerate(tangents)]
    np.testing.assert_allclose(value, np.einsum(text, *operands), rtol=1e-13)
    np.testing.assert_allclose(tangent, sum(expected), rtol=1e-11, atol=1e-12)
    w = rng.normal(size=np.shape(value))
    ((*cotangents,),) = vjp(f, operands)[1](w if w.shape else float(w))
    paired = sum(np.sum(t * c) for t, c in zip(tangents, cotangents, strict=True))
    np.testing.assert_allclose(paired, np.sum(w * tangent), rtol=1e-11, atol=1e-12)


def test_booleans():
    x = np.random.default_rng(0).normal(size=(4, 4)) > 0.3

    def f(x):
        return x @ x, np.einsum("ij,jk->ik", x, x), np.dot(x[0], x), np.tensordot(x, x, 0)

    for ours, theirs in zip(jit(f)(x), f(x), strict=True):
        assert ours.dtype == bool
        np.testing.assert_array_equal(ours, theirs)


def test_integers():
    x = np.arange(12).reshape(3, 4)
    f = jit(lambda x: (np.einsum("ij,kj->ik", x, x), np.einsum("ij->", x), x[None] @ x.T, np.vecdot(x, x)))
    for ours, theirs in zip(f(x), (x @ x.T, x.sum(), (x @ x.T)[None], np.sum(x * x, 1)), strict=True):
        assert np.asarray(ours).dtype == np.int64
        np.testing.assert_array_equal(ours, theirs)


def test_second_derivatives_of_a_batch():
    x = np.random.default_rng(0).normal(size=(2, 3, 3))
    cube = grad(lambda x: np.sum(x @ x @ x))
    u = np.random.default_rng(1).normal(size=x.shape)
    _, along = jvp(cube, (x,), (u,))
    h = 1e-5
    np.testing.assert_allclose(along, (cube(x + h * u) - cube(x - h * u)) / (2 * h), rtol=1e-7, atol=1e-8)
    _, again = jvp(grad(lambda x: jvp(lambda x: np.einsum("bij,bjk,bki->", x, x, x), (x,), (u,))[1]), (x,), (u,))
    np.testing.assert_allclose(again, 6 * np.einsum("bij,bjk->bki", u, u), rtol=1e-11)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: np.einsum("ij,jk->ik", x), "fewer operands provided"),
        (lambda x: np.einsum("ij", x, x), "more operands provided"),
        (lambda x: np.einsum("i", x), "fewer subscripts"),
        (lambda x: np.einsum("ijk", x), "too many subscripts"),
        (lambda x: np.einsum("ij->ik", x), "'k' which never appeared"),
        (lambda x: np.einsum("i1", x), "other signs than letters"),
        (lambda x: x @ 2.0, "an operand is a number"),
        (lambda x: np.random.normal(x), "RandomState.normal has a state that the function does not see"),
        (lambda x: np.trim_zeros(x), "numpy.trim_zeros of an array with several axes"),
        (lambda x: np.real_if_close(x + 0j), "numpy.real_if_close of complex numbers"),
        (lambda x: np.lib.stride_tricks.as_strided(x, (2,)), "as_strided makes a view of memory by its strides"),
    ],
)
def test_refused(f, words):
    with pytest.raises(UnsupportedFunctionError, match=words):
        jit(f)(np.ones((3, 4)))


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: np.einsum("ij,jk->ik", x, x), "could not be broadcast together"),
        (lambda x: np.einsum("ii", x), "collapsing index 'i' don't match"),
        (lambda x: x @ x, "mismatch in its core dimension 0"),
        (lambda x: np.dot(x[None], x), r"shapes \(1,3,4\) and \(3,4\) not aligned: 4 \(dim 2\) != 3 \(dim 0\)"),
        (lambda x: np.tensordot(x, x, 1), "shape-mismatch for sum"),
        (lambda x: np.linalg.outer(x, x[0]), "must be one-dimensional"),
    ],
)
def test_raised(f, words):
    with pytest.raises(ValueError, match=words):
        jit(f)(np.ones((3, 4)))
