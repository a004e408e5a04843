"""Modules of machine code in one process: what is internal to one is nothing to the others."""

import ctypes

import numpy as np
import pytest
from adcore_llvm.engine import load, machine_code
from adcore_llvm.symbols import register
from scipy import sparse
from scipy.sparse import linalg

import adcore
from adcore import cfunc, grad
from adcore.plugins import backend

INTERNAL = {
    "a function": "define internal i64 @{name}(i64 %x) noinline {{\n  %y = mul i64 %x, 3\n  ret i64 %y\n}}",
    "a variable": "@{name} = internal global i64 7",
}
USES = {
    "a function": "%used = call i64 @{name}(i64 %x)",
    "a variable": "%used = load volatile i64, ptr @{name}",
}
DECLARED = {"a function": "declare i64 @{name}(i64)", "a variable": "@{name} = external global i64"}


@pytest.mark.parametrize("kind", INTERNAL)
def test_internal_names_are_not_those_of_other_modules(kind):
    """Each of two modules has something internal of the name that a third one finds outside."""
    name = f"adcore_test_{kind.replace(' ', '_')}"
    outside = np.array([1000])
    doubling = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(lambda x: 2 * x)
    address = {"a function": ctypes.cast(doubling, ctypes.c_void_p).value, "a variable": outside.ctypes.data}[kind]
    register(name, address)

    def loaded(user, of):
        text = "\n".join([of[kind], f"define i64 @{user}(i64 %x) {{{{", USES[kind], "  ret i64 %used", "}}"]).format(
            name=name
        )
        return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(*load(machine_code(text), user))

    within = {"a function": 15, "a variable": 7}[kind]
    around = {"a function": 10, "a variable": 1000}[kind]
    first = loaded(f"{name}_first", INTERNAL)
    found = loaded(f"{name}_found", DECLARED)
    second = loaded(f"{name}_second", INTERNAL)
    again = loaded(f"{name}_again", DECLARED)
    assert [f(5) for f in (first, found, second, again)] == [within, around, within, around]


def solved(values, y):
    places = np.array([0, 1, 2])
    matrix = sparse.csc_array((values, (places, places)), shape=(3, 3))
    return np.sum(linalg.spsolve(matrix, y) ** 2)


def twice(values, y):
    return 2.0 * solved(values, y)


def as_pointer():
    signature = "int(const double values[3], const double y[3], double by_values[3], double by_y[3])"
    cfunc(grad(solved, argnums=(0, 1)), signature)


def as_kernel():
    x = np.ones(3)
    kernel = backend().kernel(adcore.program(grad(solved, argnums=(0, 1)), x, x), "adcore_test_loading")
    backend().provide(kernel)
    load(machine_code(kernel.assembly), kernel.name)


@pytest.mark.parametrize("alone", [as_pointer, as_kernel])
def test_routines_of_modules_that_stand_alone_stay_theirs(alone):
    """Such a module has a sparse solver of its own, of the name of that of all others."""
    x, y = np.array([1.0, 2.0, 4.0]), np.array([1.0, 1.0, 2.0])
    expected = -2.0 * y**2 / x**3
    np.testing.assert_allclose(grad(solved)(x, y), expected, rtol=1e-15)
    alone()
    np.testing.assert_allclose(grad(twice)(x, y), 2.0 * expected, rtol=1e-15)
    np.testing.assert_allclose(grad(lambda x, y: 3.0 * solved(x, y))(x, y), 3.0 * expected, rtol=1e-15)
