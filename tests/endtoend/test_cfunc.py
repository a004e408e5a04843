"""C function pointers: called by ctypes, by SciPy and by threads, and what is said where a function does not fit."""

from __future__ import annotations

import ctypes
import gc
import math
import pickle
import threading
from functools import partial

import numpy as np
import pytest
from scipy import LowLevelCallable, integrate, ndimage, sparse, special
from scipy.sparse import linalg

import adcore
from adcore import cfunc, grad, hvp, jit, value_and_grad, vmap
from adcore.errors import SignatureError, UnsupportedFunctionError
from adcore.native.declarations import declaration

D = ctypes.c_double


def bump(x):
    return math.exp(-x * x)


def wave(x, a, b):
    return a * math.sin(b * x) / x


def energy(q):
    total = 0.0
    for k in range(len(q)):
        total += 0.5 * q[k] * q[k] + math.cos(q[k - 1])
    return total


def spread_of(buffer):
    return np.sqrt(np.sum(buffer * buffer)) / len(buffer)


def swing(t, y):
    return np.array([y[1], -t * math.sin(y[0])])


def swing_in_place(t, y, dy):
    dy[0] = y[1]
    dy[1] = -t * math.sin(y[0])


def shifted(place):
    return np.array([place[0] + 0.5, place[1] - 0.25])


def smoothed(line):
    out = np.empty(len(line) - 2)
    for i in range(len(out)):
        out[i] = (line[i] + line[i + 1] + line[i + 2]) / 3.0
    return out


def by_routines(d, y):
    """By LAPACK, by special functions of SciPy's, by a sparse LU, by sorting and by Fourier's transform."""
    dense = np.linalg.solve(np.diag(d) + 0.1, y)
    ends = np.array([0, 1, 2, 3])
    matrix = sparse.csc_array((d, (ends, ends)), shape=(4, 4))
    solved = linalg.spsolve(matrix, np.sort(dense))
    return np.sum(special.jv(0.5, 1.0 + solved**2) * special.gammaln(d)) + np.sum(np.abs(np.fft.fft(y)) ** 2)


def array(*values):
    return (D * len(values))(*values)


# Numbers by value


def test_a_number_of_a_number():
    c = cfunc(grad(bump), "double(double)")
    assert c(0.5) == grad(bump)(0.5)
    assert c.ctypes is c
    assert ctypes.CFUNCTYPE(D, D)(c.address)(0.5) == c(0.5)
    assert c.signature == "double bump(double p0)"
    assert "double bump(double p0)" in repr(c)


@pytest.mark.parametrize(
    ("signature", "arguments"),
    [
        ("double(double, int)", (1.5, 3)),
        ("float64(float64, int32)", (1.5, 3)),
        ("double (double x, short n)", (1.5, -3)),
        ("double power(double x, const int64_t n);", (1.5, 3)),
        ("double(double, unsigned char)", (1.5, 250)),
        ("double(double, uint32_t)", (1.5, 7)),
        ("double(double x, size_t n, void *user)", (1.5, 3, None)),
        ("double(float x, long n)", (1.5, 3)),
        ("double(double, bool)", (1.5, True)),
    ],
)
def test_types_by_value(signature, arguments):
    c = cfunc(lambda x, n: x * n + 1.0, signature)
    assert c(*arguments) == arguments[0] * arguments[1] + 1.0


@pytest.mark.parametrize(
    ("signature", "function", "argument"),
    [
        ("int64_t(int64_t)", lambda n: n * 3, -7),
        ("bool(double)", lambda x: x > 1.0, 2.0),
        ("float(float)", lambda x: x * np.float32(2.0), 1.5),
        ("double(int)", lambda n: n * n, 5),
        ("int64_t(bool)", lambda b: 4 if b else 3, True),
    ],
)
def test_types_returned(signature, function, argument):
    assert cfunc(function, signature)(argument) == function(argument)


def test_a_status_beside_results():
    c = cfunc(value_and_grad(energy), "int(int64_t n, const double q[n], double *value, double slope[n])")
    q, slope, value = np.linspace(0.1, 1.0, 6), np.zeros(6), D()
    as_pointer = ctypes.POINTER(D)
    assert c(6, q.ctypes.data_as(as_pointer), ctypes.byref(value), slope.ctypes.data_as(as_pointer)) == 0
    expected = value_and_grad(energy)(q)
    assert value.value == pytest.approx(expected[0], rel=1e-15)
    np.testing.assert_allclose(slope, expected[1], rtol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 3, 40])
def test_any_length(n):
    c = cfunc(grad(energy), "void(int n, const double q[n], double slope[n])")
    q, slope = np.linspace(0.1, 1.0, n), np.full(n + 1, 7.0)
    c(n, q.ctypes.data_as(ctypes.POINTER(D)), slope.ctypes.data_as(ctypes.POINTER(D)))
    np.testing.assert_allclose(slope[:n], grad(energy)(q), rtol=1e-14)
    assert slope[n] == 7.0


def test_matrices():
    c = cfunc(lambda a, x: a @ x, "void(int m, int n, const double a[m][n], const double x[n], double y[m])")
    a, x, y = np.arange(12.0).reshape(3, 4), np.arange(4.0), np.zeros(3)
    c(3, 4, *(each.ctypes.data_as(ctypes.POINTER(D)) for each in (a, x, y)))
    np.testing.assert_allclose(y, a @ x)


ARRAYS = {
    "double": np.float64,
    "float": np.float32,
    "double complex": np.complex128,
    "complex64": np.complex64,
    "bool": np.bool_,
    "int8_t": np.int8,
    "unsigned char": np.uint8,
    "short": np.int16,
    "uint16": np.uint16,
    "int": np.int32,
    "unsigned int": np.uint32,
    "int64_t": np.int64,
    "size_t": np.uint64,
}


@pytest.mark.parametrize("written", ARRAYS)
def test_arrays_of_all_types(written):
    c = cfunc(lambda x: (x[::-1], x[0]), f"void(int n, const {written} x[n], {written} y[n], {written} *first)")
    x = np.arange(7).astype(ARRAYS[written])
    y, first = np.zeros_like(x), np.zeros(1, x.dtype)
    places = [each.ctypes.data_as(kind) for each, kind in zip((x, y, first), c.argtypes[1:], strict=True)]
    c(7, *places)
    assert np.array_equal(y, x[::-1])
    assert first[0] == x[0]


def test_results_of_one_kind_are_in_order():
    point, along = np.array([0.3, 0.8]), np.array([1.0, -2.0])
    product = hvp(energy)
    c = cfunc(
        lambda q, v: product((q,), (v,)),
        "void(const double q[2], const double v[2], double gradient[2], double product[2])",
    )
    out = array(0.0, 0.0), array(0.0, 0.0)
    c(array(*point), array(*along), *out)
    for found, expected in zip(out, product((point,), (along,)), strict=True):
        np.testing.assert_allclose(list(found), expected, rtol=1e-14)


# SciPy


def test_quad():
    expected = integrate.quad(bump, 0.0, 2.0)[0]
    for signature in ("double(double)", "double(double, void *)"):
        assert integrate.quad(LowLevelCallable(cfunc(bump, signature)), 0.0, 2.0)[0] == pytest.approx(
            expected, rel=1e-14
        )


@pytest.mark.parametrize("signature", ["double(int, double *)", "double(int, double *, void *)"])
def test_quad_with_arguments(signature):
    c = LowLevelCallable(cfunc(wave, signature))
    expected = integrate.quad(wave, 1.0, 2.0, args=(2.0, 3.0))[0]
    assert integrate.quad(c, 1.0, 2.0, args=(2.0, 3.0))[0] == pytest.approx(expected, rel=1e-14)
    slope = LowLevelCallable(cfunc(grad(wave, argnums=2), signature))
    by_parts = (math.sin(6.0) - math.sin(3.0)) * 2.0 / 3.0
    assert integrate.quad(slope, 1.0, 2.0, args=(2.0, 3.0))[0] == pytest.approx(by_parts, rel=1e-12)


def test_nquad():
    c = LowLevelCallable(cfunc(lambda x, y: math.exp(-x * y) * y, "double(int, double *)"))
    assert integrate.nquad(c, [[0.0, 1.0], [0.0, 2.0]])[0] == pytest.approx(1.0 + math.exp(-2.0), rel=1e-10)


def test_generic_filter():
    image = np.random.default_rng(0).random((12, 13))
    c = LowLevelCallable(cfunc(spread_of, "int(double *, intptr_t, double *, void *)"))
    expected = ndimage.generic_filter(image, spread_of, size=3)
    np.testing.assert_allclose(ndimage.generic_filter(image, c, size=3), expected, rtol=1e-13)


def test_generic_filter_1d():
    image = np.random.default_rng(0).random((6, 9))
    c = LowLevelCallable(cfunc(smoothed, "int(double *, intptr_t, double *, intptr_t, void *)"))

    def in_place(line, out):
        out[...] = smoothed(line)

    expected = ndimage.generic_filter1d(image, in_place, 3)
    np.testing.assert_allclose(ndimage.generic_filter1d(image, c, 3), expected, rtol=1e-13)


def test_geometric_transform():
    image = np.random.default_rng(0).random((8, 9))
    c = LowLevelCallable(cfunc(shifted, "int(intptr_t *, double *, int, int, void *)"))
    expected = ndimage.geometric_transform(image, lambda place: tuple(shifted(place)))
    np.testing.assert_allclose(ndimage.geometric_transform(image, c), expected, rtol=1e-12)


def failing(buffer):
    return 1.0 / buffer[10]


def test_a_failure_ends_a_filter():
    c = cfunc(failing, "int(double *, intptr_t, double *, void *)")
    with pytest.raises(RuntimeError):
        ndimage.generic_filter(np.ones((4, 4)), LowLevelCallable(c), size=3)
    assert isinstance(c.last_error(), IndexError)


# Right sides of differential equations


@pytest.mark.parametrize("function", [swing, swing_in_place], ids=lambda f: f.__name__)
def test_a_right_side(function):
    c = cfunc(function, "void(double t, const double y[2], double dy[2], void *parameters)")
    out = array(0.0, 0.0)
    c(2.0, array(0.5, 0.25), out, None)
    assert list(out) == list(swing(2.0, np.array([0.5, 0.25])))


def test_solve_ivp_calls_it():
    c = cfunc(swing, "void(double t, const double y[2], double dy[2])")
    out = np.zeros(2)
    as_pointer = ctypes.POINTER(D)

    def right(t, y):
        c(t, y.ctypes.data_as(as_pointer), out.ctypes.data_as(as_pointer))
        return out.copy()

    found = integrate.solve_ivp(right, (0.0, 2.0), [1.0, 0.0])
    assert np.array_equal(found.y, integrate.solve_ivp(swing, (0.0, 2.0), [1.0, 0.0]).y)


# Failures


def test_failures_are_kept():
    c = cfunc(lambda x: 1.0 / x, "double(double)")
    assert c(4.0) == 0.25
    assert c.last_error() is None
    assert math.isnan(c(0.0))
    error = c.last_error()
    assert isinstance(error, ZeroDivisionError)
    assert "test_cfunc.py" in error.__notes__[0]
    assert c.last_error() is None


def test_the_first_failure_is_kept():
    c = cfunc(lambda x, k: x[k], "double(int n, const double x[n], int k)")
    for k in (7, 8):
        assert math.isnan(c(3, array(1.0, 2.0, 3.0), k))
    assert str(c.last_error()) == "index 7 is out of bounds for axis 0 with size 3"
    assert math.isnan(c(3, array(1.0, 2.0, 3.0), -9))
    assert str(c.last_error()) == "index -9 is out of bounds for axis 0 with size 3"


def test_a_status_is_its_number():
    c = cfunc(lambda x, k: x[k], "int(int n, const double x[n], int k, double *value)")
    value = D()
    assert c(3, array(1.0, 2.0, 3.0), 1, ctypes.byref(value)) == 0
    assert value.value == 2.0
    assert c(3, array(1.0, 2.0, 3.0), 7, ctypes.byref(value)) > 0
    assert math.isnan(value.value)


def test_results_are_nan_after_a_failure():
    c = cfunc(lambda t, y: np.array([y[2], t]), "void(double t, int n, const double y[n], double dy[2])")
    out = array(1.0, 1.0)
    c(1.0, 3, array(1.0, 2.0, 3.0), out)
    assert list(out) == [3.0, 1.0]
    c(1.0, 2, array(1.0, 2.0), out)
    assert all(map(math.isnan, out))


def test_there_is_memory_for_a_result():
    c = cfunc(smoothed, "void(int n, const double x[n], int m, double y[m])")
    out = array(1.0, 1.0)
    c(4, array(1.0, 2.0, 3.0, 4.0), 2, out)
    assert list(out) == [2.0, 3.0]
    c(4, array(1.0, 2.0, 3.0, 4.0), 1, out)
    assert str(c.last_error()) == "the result y has length 2 along axis 0, and there is memory for 1"


@pytest.mark.parametrize("n", [1, 4])
def test_another_number_of_numbers(n):
    c = cfunc(wave, "double(int, double *)")
    assert math.isnan(c(n, array(1.0, 2.0, 3.0, 4.0)))
    assert str(c.last_error()) == f"wave takes 3 numbers, and is given {n}"


def test_a_negative_length():
    c = cfunc(lambda x: np.sum(x), "double(int n, const double x[n])")
    assert math.isnan(c(-1, None))
    assert str(c.last_error()) == "the length n is -1"


# What is closed over


def test_captured_values_are_frozen():
    weights, factor = np.array([1.0, 2.0, 3.0]), 2.0

    def weighted(x):
        return factor * np.sum(weights * x)

    c = cfunc(grad(weighted), "void(const double x[3], double slope[3])")
    weights[:] = 0.0
    factor = 5.0
    del weighted
    gc.collect()
    out = array(0.0, 0.0, 0.0)
    c(array(1.0, 1.0, 1.0), out)
    assert list(out) == [2.0, 4.0, 6.0]


def test_defaults_are_frozen():
    c = cfunc(lambda x, by=3.0: x * by, "double(double)")
    assert c(2.0) == 6.0
    assert cfunc(partial(wave, a=2.0, b=3.0), "double(double)")(1.5) == wave(1.5, 2.0, 3.0)


def test_it_can_be_pickled():
    c = cfunc(bump, "double(double x)")
    again = pickle.loads(pickle.dumps(c))
    assert again(0.5) == c(0.5)
    assert again.address != c.address
    slope = cfunc(grad(bump), "double(double x)")
    assert pickle.loads(pickle.dumps(slope))(0.5) == slope(0.5)


# Threads


def run_threads(work):
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_call_it_at_once():
    c = cfunc(value_and_grad(energy), "int(int64_t n, const double q[n], double *value, double slope[n])")
    as_pointer, wrong = ctypes.POINTER(D), []

    def work(seed):
        q, slope, value = np.random.default_rng(seed).random(50), np.zeros(50), D()
        expected = grad(energy)(q)
        pointers = q.ctypes.data_as(as_pointer), ctypes.byref(value), slope.ctypes.data_as(as_pointer)
        for _ in range(2000):
            slope[:] = 0.0
            if c(50, *pointers) or not np.allclose(slope, expected, rtol=1e-13):
                wrong.append(seed)

    run_threads(work)
    assert not wrong


def test_threads_call_routines_at_once():
    derivative = grad(by_routines, argnums=(0, 1))
    c = cfunc(derivative, "int(const double d[4], const double y[4], double by_d[4], double by_y[4])")
    wrong = []

    def work(seed):
        generator = np.random.default_rng(seed)
        points = [(generator.uniform(1.0, 2.0, 4), generator.random(4)) for _ in range(10)]
        expected = [tuple(map(list, derivative(*point))) for point in points]
        out = array(*[0.0] * 4), array(*[0.0] * 4)
        for k in range(3000):
            if c(*(array(*x) for x in points[k % 10]), *out) or not np.allclose(out, expected[k % 10], rtol=1e-12):
                wrong.append(seed)

    run_threads(work)
    assert not wrong


def test_a_parallel_map_is_done_by_the_caller():
    c = cfunc(vmap(bump, parallel=True), "void(int n, const double x[n], double y[n])")
    x, y = np.linspace(0.0, 1.0, 500), np.zeros(500)
    c(500, x.ctypes.data_as(ctypes.POINTER(D)), y.ctypes.data_as(ctypes.POINTER(D)))
    np.testing.assert_allclose(y, np.exp(-x * x), rtol=1e-15)


# What does not fit

NOT_READ = {
    "double": "is not the declaration of a function",
    "double(quaternion)": "has the type 'quaternion'",
    "double(double **)": "has a pointer to pointers",
    "double(void)x": "is not the declaration",
    "double(const double x[n])": "has no integer 'n', the length of 'x'",
    "double(double n, const double x[n])": "has no integer 'n'",
    "double(double x, double x)": "two parameters of one name",
    "double(complex128)": "takes a complex number by value",
    "complex128(double)": "returns a complex number",
    "double(void x)": "a parameter of type void",
    "double(long double)": "has the type 'long double'",
}


@pytest.mark.parametrize("signature", NOT_READ)
def test_signatures_that_cannot_be_read(signature):
    with pytest.raises(SignatureError, match=NOT_READ[signature]):
        cfunc(bump, signature)


def writes_default(x, into=np.zeros(1)):  # noqa: B008
    into[0] = x
    return x


def returns_text(x):
    return x, "text"


def draws(x):
    return GENERATOR.normal() * x


GENERATOR = np.random.default_rng(0)


def calls_python(x):
    return adcore.host_call(math.erf, 0.0, x)


def changes_argument(x):
    x[0] = 1.0
    return x[1]


UNFIT = {
    "arguments": (wave, "double(double)", "takes 3 arguments, and the signature gives 1"),
    "no const": (swing, "void(double t, double y[2], double dy[2])", "takes 2 arguments(.|\n)*const before"),
    "nothing returned": (swing_in_place, "double(double t, const double y[2], double dy[2])", "returns nothing"),
    "array returned": (smoothed, "double(const double x[4])", "is an array of rank 1"),
    "array into a number": (swing, "void(double t, const double y[2], double *dy)", "a result is an array of rank 1"),
    "lengths": (swing, "void(double t, const double y[2], double dy[3])", "has length 2 along axis 0"),
    "too few pointers": (value_and_grad(bump), "void(double x, double *value)", "2 results to write(.|\n)*1 pointers"),
    "narrow": (bump, "float(double)", "is a float64, and does not fit what float returns"),
    "dtype": (swing, "void(double t, const double y[2], float dy[2])", "array of rank 1 of float64"),
    "text": (returns_text, "double(double)", "'text' among the results"),
    "random": (draws, "double(double)", "draws from the random generator"),
    "constant": (jit(wave, static_argnums=2), "double(double, double, double)", "argument 2 of wave is a constant"),
    "default": (writes_default, "double(double)", "writes into 'into', which is no argument in C"),
    "const": (changes_argument, "double(const double x[2])", "writes into 'x', and const double x.2. is only read"),
}


@pytest.mark.parametrize("what", UNFIT)
def test_functions_that_do_not_fit(what):
    function, signature, message = UNFIT[what]
    with pytest.raises(SignatureError, match=message) as raised:
        cfunc(function, signature)
    assert raised.value.source is not None
    assert raised.value.source.file == __file__


def test_options_of_universal_functions():
    with pytest.raises(SignatureError, match=r"universal function(.|\n)*lambda x: gammaln"):
        cfunc(grad(grad(special.gammaln)), "double(double)")
    assert cfunc(grad(grad(lambda x: special.gammaln(x))), "double(double)")(1.0) == pytest.approx(math.pi**2 / 6.0)


def test_python_is_refused():
    with pytest.raises(UnsupportedFunctionError, match=r"a call of Python(.|\n)*math.erf"):
        cfunc(calls_python, "double(double)")


def test_a_signature_is_a_string():
    with pytest.raises(SignatureError, match="not a int"):
        cfunc(bump, 3)


def test_declarations_are_printed_and_read_again():
    text = "int64_t f(uint64_t n, const double x[n], double gradient[n], double *value, void *user)"
    assert str(declaration(text, "g")) == text
    assert (
        str(declaration(str(declaration("void(CPointer(float64), voidptr)", "g")), "g"))
        == "void g(double *p0, void *p1)"
    )
