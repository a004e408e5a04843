"""Kernels: programs as functions of the C calling convention."""

import ctypes

import numpy as np
import pytest
from adcore_llvm.engine import load, machine_code

import adcore
from adcore import grad
from adcore.errors import UnsupportedFunctionError
from adcore.plugins import backend


def copied(x, n):
    total = 0.0
    for i in range(n):
        y = x.copy()
        y[0] = np.sin(x[1] * i)
        total += np.sum(y[::-1] * y)
    return total


def written(x, n):
    y = np.zeros(n)
    for i in range(n):
        y[i] = x[i % len(x)] ** 2
    return np.sum(y)


def loaded(program, name):
    kernel = backend().kernel(program, name)
    backend().provide(kernel)
    return kernel, *load(machine_code(kernel.assembly), name, f"{name}_release")


@pytest.mark.parametrize("function", [copied, written])
def test_gradients(function):
    x = np.linspace(0.1, 1.0, 50)
    _, address, release = loaded(adcore.program(grad(function), x, 3), f"kernel_{function.__name__}")
    call = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 3, ctypes.c_int64, ctypes.c_int64)(address)
    err, out = np.zeros(8, np.int64), np.zeros(2, np.int64)
    assert call(err.ctypes.data, out.ctypes.data, x.ctypes.data, len(x), 3) == 0
    gradient = np.ctypeslib.as_array(ctypes.cast(int(out[0]), ctypes.POINTER(ctypes.c_double)), (int(out[1]),)).copy()
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(release)(int(out[0]))
    assert np.array_equal(gradient, grad(function)(x, 3))


def test_failures_have_numbers():
    x = np.ones(50)
    kernel, address, _ = loaded(adcore.program(grad(written), x, 3), "kernel_failing")
    call = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_void_p] * 3, ctypes.c_int64, ctypes.c_int64)(address)
    err, out = np.zeros(8, np.int64), np.zeros(2, np.int64)
    status = call(err.ctypes.data, out.ctypes.data, x.ctypes.data, len(x), -1)
    assert kernel.failures[status - 1].message == "negative dimensions are not allowed"


def calling_python(x):
    return adcore.odeint(lambda y, t: -y * x, 1.0, np.array([0.0, 1.0]), method="scipy:LSODA")[1]


def test_python_has_no_place():
    with pytest.raises(UnsupportedFunctionError, match="a call of Python"):
        backend().kernel(adcore.program(calling_python, 1.0), "kernel_python")
