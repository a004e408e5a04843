"""Errors about a call or about a function as a whole: what they say, golden, and that nothing is lost by them."""

from __future__ import annotations

import re
import traceback

import numpy as np
import pytest

from adcore import DtypeError, UnsupportedFunctionError, grad, jit, jvp, value_and_grad, vjp


def total(x, y):
    return np.sum(x * y)


def vector(x):
    return x * 2.0


def pair(x):
    return x, x


def counted(n):
    return n + 1


def message(call) -> str:
    with pytest.raises(DtypeError) as info:
        call()
    return re.sub(r'File ".*[\\/]', 'File "', str(info.value))


def test_an_integer_argument():
    assert message(lambda: grad(total)(2, 3.0)) == (
        "grad: argument 0 of total is an integer; a derivative is with respect to real numbers\n"
        '  File "test_errors.py", line 14, in total\n'
        "    def total(x, y):\n"
        "    ^^^^^^^^^\n"
        "  Write instead: 2.0 instead of 2"
    )
    assert "array of dtype int64" in message(lambda: grad(total)(np.arange(3), np.ones(3)))
    assert "is a boolean" in message(lambda: grad(total, argnums=1)(1.0, True))
    assert "is 'abc', not a number" in message(lambda: grad(total)("abc", 1.0))


def test_not_one_real_number():
    assert message(lambda: value_and_grad(vector)(np.ones(3))) == (
        "value_and_grad: the function must return one real number; vector returns an array of rank 1\n"
        '  File "test_errors.py", line 18, in vector\n'
        "    def vector(x):\n"
        "    ^^^^^^^^^^\n"
        "  Write instead: np.sum of it, or vjp(f, *arguments)"
    )
    assert "pair returns a tuple" in message(lambda: grad(pair)(1.0))
    assert "must return a pair" in message(lambda: grad(vector, has_aux=True)(1.0))
    assert "counted returns bool" in message(lambda: grad(lambda x: x > 1)(1.0)).replace("<lambda>", "counted")


def test_argnums_and_argnames():
    assert "argnums 2 of total, which has 2 arguments" in message(lambda: grad(total, argnums=2)(1.0, 1.0))
    assert "total has no argument 'z'; it has x, y" in message(lambda: grad(total, argnames="z")(1.0, 1.0))


def test_dtypes():
    assert message(lambda: grad(total)(np.ones(3, np.float16), 1.0)) == (
        "argument 0 of total has dtype float16; float64, float32, complex128, complex64, integers and bool are "
        "supported\n"
        "  Write instead: x.astype(numpy.float64)"
    )


def test_arguments_are_bound_as_python_binds_them():
    with pytest.raises(TypeError, match=r"total\(\): missing a required argument: 'y'"):
        grad(total)(1.0)
    with pytest.raises(TypeError, match=r"total\(\): got an unexpected keyword argument 'z'"):
        grad(total)(1.0, 2.0, z=3.0)


def test_tangents_and_cotangents():
    with pytest.raises(TypeError, match="2 primals and 1 tangents"):
        jvp(total, (1.0, 2.0), (1.0,))
    with pytest.raises(TypeError, match="tangent 1 of total has another shape"):
        jvp(total, (1.0, np.ones(2)), (1.0, 1.0))
    with pytest.raises(ValueError, match=r"shapes \(2,\) \(3,\)"):
        jvp(vector, (np.ones(2),), (np.ones(3),))
    _, pullback = vjp(vector, np.ones(3))
    with pytest.raises(ValueError, match=r"cotangent of shape \(2,\) for a value of shape \(3,\)"):
        pullback(np.ones(2))
    with pytest.raises(TypeError, match="another structure"):
        pullback((np.ones(3),))
    np.testing.assert_array_equal(pullback(np.ones(3))[0], [2.0, 2.0, 2.0])


def reads_too_far(x):
    s = 0.0
    for i in range(5):
        s += x[i] ** 2
    return s


def test_a_failure_in_compiled_code_ends_at_the_users_line():
    g = grad(reads_too_far)
    with pytest.raises(IndexError, match="index 3 is out of bounds for axis 0 with size 3") as info:
        g(np.ones(3))
    frame = traceback.extract_tb(info.value.__traceback__)[-1]
    assert frame.filename == __file__
    assert (frame.name, frame.line) == ("reads_too_far", "s += x[i] ** 2")
    assert frame.line[frame.colno - 8 : frame.end_colno - 8] == "x[i]"
    np.testing.assert_array_equal(g(np.ones(6)), [2.0, 2.0, 2.0, 2.0, 2.0, 0.0])


def test_a_function_without_source():
    namespace: dict = {}
    exec("def nowhere(x): return x * x", namespace)
    with pytest.raises(UnsupportedFunctionError, match=r"source of function 'nowhere' cannot be read"):
        grad(namespace["nowhere"])(1.0)


def test_errors_do_not_end_the_function():
    f = jit(lambda x, n: x[n])
    for _ in range(3):
        with pytest.raises(IndexError):
            f(np.ones(3), 3)
        assert f(np.ones(3), -1) == 1.0
