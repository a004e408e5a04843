"""Arguments that are constants: recursion, shapes and text by them; one program a value; what is refused."""

from __future__ import annotations

import functools
import math
from enum import Enum
from typing import Any

import numpy as np
import pytest

import adcore
from adcore import grad, hessian, jacfwd, jacrev, jit, jvp, program, value_and_grad, vjp
from adcore.dispatch import Dispatcher


def minors(A: Any, n: int) -> float:
    """The determinant of A, n by n, by the minors of the first row: a recursion that n ends."""
    if n == 1:
        return A[0, 0]
    total = 0.0
    for k in range(n):
        rest = np.concatenate((A[1:, :k], A[1:, k + 1 :]), axis=1)
        total += (-1.0) ** k * A[0, k] * minors(rest, n - 1)
    return total


A = np.random.default_rng(0).normal(size=(3, 3))
COFACTORS = np.linalg.det(A) * np.linalg.inv(A).T


def power(x: float, n: int = 3) -> float:
    return x * power(x, n - 1) if n else 1.0


FORMS = {
    "by position": lambda: grad(minors, static_argnums=1)(A, 3),
    "from the end": lambda: grad(minors, static_argnums=-1)(A, 3),
    "positions in a list": lambda: grad(minors, static_argnums=[1])(A, 3),
    "given by name": lambda: grad(minors, static_argnums=1)(A, n=3),
    "by name": lambda: grad(minors, static_argnames="n")(A, n=3),
    "given by position": lambda: grad(minors, static_argnames=("n",))(A, 3),
    "a decorator": lambda: grad(static_argnames="n")(minors)(A, n=3),
    "value_and_grad": lambda: value_and_grad(minors, static_argnums=1)(A, 3)[1],
    "jacfwd": lambda: jacfwd(minors, static_argnums=1)(A, 3),
    "jacrev": lambda: jacrev(minors, static_argnames="n")(A, 3),
    "of a compiled function": lambda: grad(jit(minors, static_argnums=1))(A, 3),
    "compiled": lambda: jit(grad(minors, static_argnums=1))(A, 3),
    "vjp": lambda: vjp(jit(minors, static_argnums=1), A, 3)[1](1.0)[0],
    "a partial": lambda: grad(functools.partial(minors, n=3))(A),
    "a compiled partial": lambda: grad(jit(functools.partial(minors, n=3)))(A),
    "a partial by position": lambda: grad(functools.partial(lambda n, A: minors(A, n), 3))(A),
    "a partial with another value": lambda: grad(functools.partial(minors, n=2), static_argnames="n")(A, n=3),
    "inside": lambda: jit(lambda A: grad(minors, static_argnums=1)(A, 3))(A),
    "inside, by name": lambda: jit(lambda A: grad(minors, static_argnames="n")(A, n=3))(A),
    "inside, compiled": lambda: grad(lambda A: jit(minors, static_argnums=1)(A, 3))(A),
    "inside, of a function there": lambda: jit(lambda A: grad(lambda B, n: minors(B, n), static_argnums=1)(A, 3))(A),
    "inside, a decorator": lambda: jit(lambda A: grad(static_argnums=(1,))(minors)(A, 3))(A),
    "inside, passed on": lambda: jit(lambda A, n: grad(minors, static_argnums=1)(A, n), static_argnums=1)(A, 3),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_use(form):
    np.testing.assert_allclose(FORMS[form](), COFACTORS, rtol=1e-12)


def test_without_it_the_recursion_does_not_end():
    with pytest.raises(adcore.UnsupportedFunctionError, match="recursion"):
        grad(minors)(A, 3)


def test_hessian():
    np.testing.assert_allclose(hessian(power, static_argnums=1)(1.5, 4), 12 * 1.5**2)
    np.testing.assert_allclose(hessian(power, static_argnames="n")(1.5, n=4), 12 * 1.5**2)


def test_defaults_are_static_too():
    g = grad(power, static_argnames="n")
    assert g(2.0) == 12.0
    assert g(2.0, 4) == 32.0
    assert g(2.0, n=2) == 4.0
    assert g(2.0) == 12.0


def test_variable_arguments():
    def f(x, *powers, **more):
        return power(x, powers[1]) * more["scale"] + power(x, more["last"])

    g = grad(f, static_argnums=2, static_argnames="last")
    assert g(2.0, 7, 3, scale=10.0, last=2) == 124.0
    assert g(2.0, 7, 2, scale=10.0, last=3) == 52.0


def test_methods():
    class Model:
        @jit(static_argnums=2)
        def at(self, x, n):
            return power(x, n)

    assert Model().at(2.0, 3) == 8.0


class Kind(Enum):
    SIN = "sin"
    COS = "cos"


def chosen(x: float, kind: Any) -> float:
    return math.sin(x) if kind == Kind.SIN or kind == "sin" else math.cos(x)


def test_values_of_any_kind_that_can_be_hashed():
    g = jit(chosen, static_argnums=1)
    for _ in range(3):
        assert g(0.3, Kind.SIN) == g(0.3, "sin") == math.sin(0.3)
        assert g(0.3, Kind.COS) == g(0.3, None) == math.cos(0.3)
    assert len(g.dispatcher.known) == 4

    reshaped = jit(lambda x, shape: np.reshape(x, shape), static_argnums=1)
    for shape in ((2, 3), (3, 2), (6,), (2, 3)):
        assert reshaped(np.arange(6.0), shape).shape == shape
    assert len(reshaped.dispatcher.known) == 3

    applied = grad(lambda x, f: f(x), static_argnums=1)
    assert applied(0.3, math.sin) == math.cos(0.3)
    assert applied(0.3, math.exp) == math.exp(0.3)


def test_equal_values_that_differ():
    """One program each for 1, 1.0, True, and for 0.0 and -0.0, inside of tuples as well."""

    def f(x, s):
        return x * math.copysign(1.0, s[0]) if len(s) == 1 else x / s[1]

    g = jit(f, static_argnums=1)
    assert g(2.0, (0.0,)) == 2.0
    assert g(2.0, (-0.0,)) == -2.0
    assert g(2.0, (0.0,)) == 2.0

    same = jit(lambda x, s: (x, s), static_argnums=1)
    for value in (1, 1.0, True, 1 + 0j, (1, 0.0), (1.0, 0.0), (True, -0.0), frozenset({1}), frozenset({1.0})):
        for _ in range(3):
            assert repr(same(2.0, value)[1]) == repr(value)
    nan = float("nan")
    for _ in range(3):
        assert math.isnan(same(2.0, float("nan"))[1])
        assert math.isnan(same(2.0, nan)[1])
    assert len(same.dispatcher.known) == 10


def test_one_program_a_value(monkeypatch):
    g = grad(power, static_argnums=1)
    assert [g(2.0, n) for n in (3, 4, 3, 4)] == [12.0, 32.0, 12.0, 32.0]
    assert len(g.dispatcher.known) == 2
    assert [len(program(g, 2.0, n).params) for n in (3, 4)] == [1, 1]

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("this call went to the dispatcher")

    large = 10**6 + 1
    h = jit(lambda x, n: x * n, static_argnums=1)
    h(2.0, large)
    monkeypatch.setattr(Dispatcher, "__call__", refuse)
    assert g(3.0, 4) == 108.0
    assert h(3.0, int("1000001")) == 3.0 * large


@pytest.mark.parametrize("value", [[3], {"n": 3}, np.arange(3), (1, [2])], ids=repr)
def test_values_that_cannot_be_hashed(value):
    cause = rf"chosen\(\): the static argument 'kind' is a {type(value).__name__}, which cannot be hashed"
    with pytest.raises(ValueError, match=cause):
        jit(chosen, static_argnums=1)(0.3, value)
    with pytest.raises(ValueError, match=cause):
        jit(chosen, static_argnames="kind")(0.3, kind=value)


@pytest.mark.parametrize("transform", [jit, grad, value_and_grad, jacfwd, jacrev, hessian], ids=lambda t: t.__name__)
def test_arguments_that_do_not_exist(transform):
    with pytest.raises(ValueError, match="static_argnums 2: power takes 2 arguments by position"):
        transform(power, static_argnums=2)
    with pytest.raises(ValueError, match="static_argnums -3: power takes 2 arguments by position"):
        transform(power, static_argnums=(0, -3))
    with pytest.raises(ValueError, match="static_argnames 'm': power has no argument of this name; it has x, n"):
        transform(power, static_argnames="m")


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacfwd, jacrev, hessian], ids=lambda t: t.__name__)
def test_no_derivative_by_a_constant(transform):
    for derivative in (
        transform(power, argnums=1, static_argnums=1),
        transform(power, argnums=(0, 1), static_argnames="n"),
        transform(jit(power, static_argnums=1), argnums=-1),
    ):
        with pytest.raises(
            adcore.DtypeError, match="argument 1 of power is static, a constant, which has no derivative"
        ):
            derivative(2.0, 3)


def test_what_is_not_a_constant_inside():
    with pytest.raises(
        adcore.UnsupportedFunctionError, match=r"static argument 'n' of power .* not a constant"
    ) as error:
        jit(lambda x, n: grad(power, static_argnums=1)(x, n))(2.0, 3)
    assert "test_static.py" in str(error.value)
    with pytest.raises(adcore.UnsupportedFunctionError, match="static argument 'n' of power is not a constant"):
        jvp(jit(power, static_argnums=1), (2.0, 3), (1.0, 0))
    with pytest.raises(adcore.UnsupportedSyntaxError, match="static_argnums 5"):
        jit(lambda x: grad(lambda y, n: y * n, static_argnums=5)(x, 3))(2.0)


def test_numbers_of_a_partial_are_arguments_but_for_integers():
    """The value of another number, bound to a name, is no constant of the program, and may be given at the call."""
    f = jit(functools.partial(lambda x, n, s: power(x, n) * s, n=3, s=2.0))
    assert f(2.0) == 16.0
    assert len(program(f).params) == 2
    assert f(2.0, s=3.0) == 24.0
    assert len(f.dispatcher.known) == 1
    g = jit(functools.partial(lambda x, n: x * n, n=3))
    assert g(2.0, n=5) == 10.0
    assert g(2.0, n=7) == 14.0
    assert g(2.0) == 6.0
    assert len(g.dispatcher.known) == 2
