"""Arrays and numbers of every dtype: values as NumPy has them, derivatives of the argument's dtype."""

from __future__ import annotations

import cmath

import numpy as np
import pytest

import adcore
from adcore import DtypeError, grad, jit, jvp, value_and_grad, vjp

RNG = np.random.default_rng(11)
INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]
REALS = [np.float32, np.float64]
COMPLEX = [np.complex64, np.complex128]
EVERY = [np.bool_, *INTEGERS, *REALS, *COMPLEX]
TOLERANCE = {"f": 2e-6, "d": 1e-12, "F": 2e-6, "D": 1e-12}


def sample(dtype, shape=4):
    kind = np.dtype(dtype).kind
    if kind == "b":
        return RNG.integers(0, 2, shape).astype(bool)
    if kind in "iu":
        return RNG.integers(1, 5, shape).astype(dtype)
    x = RNG.uniform(0.5, 1.5, shape)
    return (x + 1j * RNG.uniform(-1.0, 1.0, shape)).astype(dtype) if kind == "c" else x.astype(dtype)


def same(got, wanted):
    assert type(got) is type(wanted) or (np.ndim(wanted) == 0 and type(got) is type(np.asarray(wanted).item()))
    assert np.asarray(got).dtype == np.asarray(wanted).dtype
    tolerance = TOLERANCE.get(np.asarray(wanted).dtype.char, 0.0)
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance)


OPERATIONS = [
    lambda x, y: x + y,
    lambda x, y: x * y,
    lambda x, y: x / y,
    lambda x, y: np.where(x == y, x, y),
    lambda x, y: x == y,
    lambda x, y: (x * y)[0],
    lambda x, y: x @ y,
    lambda x, y: np.stack([x, y]),
    lambda x, y: np.concatenate((x, y)),
]


@pytest.mark.parametrize("first", EVERY)
@pytest.mark.parametrize("second", EVERY)
def test_promotion(first, second):
    x, y = sample(first), sample(second)
    for f in OPERATIONS:
        if first is np.bool_ and second is np.bool_ and f is OPERATIONS[6]:
            continue  # refused: @ of booleans
        with np.errstate(all="ignore"):
            wanted = f(x, y)
        same(jit(f)(x, y), wanted)


WEAK = [
    lambda x: x + 1,
    lambda x: x * 2.5,
    lambda x: x * 2j,
    lambda x: 3 - x,
    lambda x: x**2,
    lambda x: x > 0,
    lambda x: np.sum(x),
    lambda x: np.mean(x),
    lambda x: np.prod(x),
    lambda x: np.maximum(x, 1),
    lambda x: np.sqrt(x),
    lambda x: np.abs(x),
    lambda x: x[0] + 1,
    lambda x: x[1] * 0.5,
    lambda x: np.zeros_like(x) + x,
    lambda x: np.full_like(x, 2),
    lambda x: x.astype(np.float32),
    lambda x: np.var(x),
    lambda x: np.multiply(x, 2.5),
    lambda x: np.divide(x, 4),
]
# What is refused: the order of complex numbers, dropping their imaginary parts; and sqrt of bytes, in float16 in NumPy.
LEFT_OUT = {
    np.bool_: (3, 4, 9, 10, 11),
    np.int8: (10,),
    np.uint8: (10,),
    np.complex64: (5, 9, 16),
    np.complex128: (5, 9, 16),
}


@pytest.mark.parametrize(
    ("dtype", "which"), [(d, k) for d in EVERY for k in range(len(WEAK)) if k not in LEFT_OUT.get(d, ())]
)
def test_python_numbers_take_the_dtype(dtype, which):
    x = sample(dtype)
    same(jit(WEAK[which])(x), WEAK[which](x))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_wrap_as_numpys_do(dtype):
    limits = np.iinfo(dtype)
    x = np.array([limits.min, limits.max, limits.max // 2 + 1, 3, 7], dtype)
    y = np.array([1, 2, 3, 2, 0], dtype)
    for f in (np.add, np.subtract, np.multiply, np.floor_divide, np.remainder, np.left_shift, np.right_shift, np.power):
        with np.errstate(all="ignore"):
            wanted = f(x, y)
        np.testing.assert_array_equal(jit(lambda x, y, f=f: f(x, y))(x, y), wanted)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.uint64])
def test_a_python_integer_out_of_bounds(dtype):
    x = np.ones(3, dtype)
    with pytest.raises(OverflowError, match="out of bounds"):
        jit(lambda x, n: x + n)(x, -300)
    if dtype is not np.uint64:
        with pytest.raises(DtypeError, match="Python integer 300 out of bounds"):
            jit(lambda x: x + 300)(x)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_as_indices(dtype):
    x, i = RNG.normal(size=9), sample(dtype)
    same(jit(lambda x, i: x[i] * 2.0)(x, i), x[i] * 2.0)
    same(jit(lambda x, i: x[i[1]])(x, i), x[i[1]])

    def scattered(x, i):
        y = x.copy()
        y[i] = 0.0
        y[i[0]] += 3.0
        return y

    same(jit(scattered)(x, i), scattered(x, i))
    np.testing.assert_array_equal(grad(lambda x, i: np.sum(x[i] ** 2))(x, i).shape, x.shape)


def smooth(x):
    y = np.sin(x) * x + 0.5
    total = 0.0
    for k in range(x.shape[0]):
        y[k] = y[k] * x[k] if k > 1 else y[k] / (x[k] + 2.0)
        total = total + y[k] * y[k]
    return total + np.sum(np.exp(-x) * y)


@pytest.mark.parametrize("dtype", REALS + COMPLEX)
def test_derivatives_have_the_dtype(dtype):
    x, u = sample(dtype), sample(dtype)
    value, tangent = jvp(smooth, (x,), (u,))
    same(value, smooth(x))
    h = 1e-6
    wide = x.astype(np.complex128 if np.iscomplexobj(x) else np.float64)
    np.testing.assert_allclose(tangent, (smooth(wide + h * u) - smooth(wide - h * u)) / (2 * h), rtol=2e-5)
    assert np.asarray(tangent).dtype == x.dtype
    out, back = vjp(smooth, x)
    (cotangent,) = back(out)
    assert cotangent.dtype == x.dtype
    pairing = np.real(np.sum(cotangent * u)), np.real(out * tangent)
    np.testing.assert_allclose(*pairing, rtol=2e-5 if x.dtype.itemsize in (4, 8) and dtype is not np.float64 else 1e-12)


def magnitude(z):
    w = z * z + 1j * np.conj(z)
    return np.sum(np.abs(w) ** 2 + np.real(w) * np.imag(z) - np.angle(w))


@pytest.mark.parametrize("dtype", COMPLEX)
def test_gradient_of_a_real_function_of_complex_numbers(dtype):
    """grad is ∂f/∂x - i ∂f/∂y; with conj its conjugate."""
    z = sample(dtype)
    found = grad(magnitude)(z)
    assert found.dtype == dtype
    wide, h = z.astype(np.complex128), 1e-6
    for k in range(len(z)):
        e = np.zeros(len(z))
        e[k] = h
        real = (magnitude(wide + e) - magnitude(wide - e)) / (2 * h)
        imag = (magnitude(wide + 1j * e) - magnitude(wide - 1j * e)) / (2 * h)
        np.testing.assert_allclose(found[k], real - 1j * imag, rtol=1e-7 if dtype is np.complex128 else 2e-5)
    np.testing.assert_array_equal(grad(magnitude, conj=True)(z), np.conj(found))


def test_holomorphic_functions():
    def f(z):
        for _ in range(3):
            z = cmath.sin(z) * z + 1j
        return cmath.sqrt(z) / (z + 2)

    z, h = 0.3 + 0.4j, 1e-6
    wanted = (f(z + h) - f(z - h)) / (2 * h)
    assert abs(grad(f, holomorphic=True)(z) - wanted) < 1e-8
    value, slope = value_and_grad(f, holomorphic=True)(z)
    assert abs(value - f(z)) < 1e-14
    assert abs(slope - jvp(f, (z,), (1 + 0j,))[1]) < 1e-13
    second = grad(grad(f, holomorphic=True), holomorphic=True)(z)
    h = 1e-4
    assert abs(second - (f(z + h) - 2 * f(z) + f(z - h)) / h**2) < 1e-6


def test_hessian_of_a_complex_function_is_symmetric():
    z = sample(np.complex128)
    u, v = sample(np.complex128), sample(np.complex128)
    left, right = (jvp(grad(magnitude), (z,), (t,))[1] for t in (u, v))
    np.testing.assert_allclose(np.real(np.sum(left * v)), np.real(np.sum(right * u)), rtol=1e-12)


def test_parts_of_complex_arrays_are_views():
    def f(z):
        re = np.real(z)
        z[0] = 5.0
        return np.sum(re)

    with pytest.raises(adcore.AliasError):
        jit(f)(sample(np.complex128))


@pytest.mark.parametrize(
    ("f", "x", "words"),
    [
        (lambda z: z * z, 1 + 1j, "returns a complex number"),
        (lambda x: x * 1j, 2.0, "returns a complex number"),
        (lambda z: z < 1, 1 + 1j, "not defined on"),
        (lambda z: z // 2, 1 + 1j, "complex numbers"),
        (lambda z: np.arctan2(z, 1.0), 1 + 1j, "not defined on"),
        (lambda z: np.max(z), np.ones(2, complex), "order of complex numbers"),
        (lambda z: z.astype(float), np.ones(2, complex), "complex number where float64"),
    ],
)
def test_what_complex_numbers_do_not_have(f, x, words):
    with pytest.raises(DtypeError, match=words):
        grad(f)(x)


def test_a_real_argument_of_a_holomorphic_function():
    with pytest.raises(DtypeError, match="with holomorphic=True the arguments are complex"):
        grad(lambda x: x * x, holomorphic=True)(2.0)
    with pytest.raises(DtypeError, match="returns a complex number"):
        grad(lambda z: abs(z), holomorphic=True)(2.0 + 1j)


def test_a_tangent_of_another_dtype():
    with pytest.raises(DtypeError, match="is float64, the primal is float32"):
        jvp(smooth, (sample(np.float32),), (sample(np.float64),))


@pytest.mark.parametrize("dtype", EVERY)
def test_layouts(dtype):
    """Fortran order, steps, broadcast, read-only, foreign byte order, no elements, rank 0."""
    x = sample(dtype, (3, 4))
    swapped = x.astype(x.dtype.newbyteorder(">"))
    fixed = x.copy()
    fixed.flags.writeable = False
    for given in (np.asfortranarray(x), x[::-1, ::2], np.broadcast_to(x[0], (3, 4)), fixed, swapped, x[:0], x.T):
        for f in (lambda x: x + x, lambda x: np.sum(x, axis=0), lambda x: x[:, 1:]):
            got, wanted = jit(f)(given), f(given)
            assert got.flags.c_contiguous
            assert got.dtype == wanted.dtype.newbyteorder("=")
            np.testing.assert_allclose(got, wanted, rtol=1e-6)
    same(jit(lambda x: x * 1)(x[0, 0]), x[0, 0] * 1)
    same(jit(lambda x: x * 1)(np.array(x[0, 0])), np.array(x[0, 0]) * 1)


@pytest.mark.parametrize("dtype", [*REALS, *COMPLEX])
def test_matrix_products_through_blas(dtype):
    a, b = sample(dtype, (50, 60)), sample(dtype, (60, 40))
    tolerance = 1e-4 if dtype in (np.float32, np.complex64) else 1e-12
    np.testing.assert_allclose(jit(lambda a, b: a @ b)(a, b), a @ b, rtol=tolerance)
    np.testing.assert_allclose(jit(lambda a, b: b.T @ a.T)(a, b), b.T @ a.T, rtol=tolerance)
    w = sample(dtype, (50, 40))
    left, right = vjp(lambda a, b: a @ b, a, b)[1](w)
    np.testing.assert_allclose(left, w @ b.T, rtol=tolerance)
    np.testing.assert_allclose(right, a.T @ w, rtol=tolerance)


def test_a_loop_that_starts_from_a_python_number():
    def f(x):
        total = 0.0
        for k in range(len(x)):
            total += x[k] * x[k]
        return total

    for dtype in (np.float32, np.complex64, np.complex128):
        x = sample(dtype)
        same(jit(f)(x), f(x))
