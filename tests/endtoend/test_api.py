"""The public transforms as a user calls them: arguments, structures, nesting, closures, dispatch."""

from __future__ import annotations

import functools
import gc
import inspect
import math
import weakref

import numpy as np
import pytest

import adcore
from adcore import grad, jit, jvp, value_and_grad, vjp

RNG = np.random.default_rng(7)


def polynomial(x, y=2.0, *, n=3):
    """A polynomial."""
    return x**n * y


def test_forms_of_use():
    @grad
    def one(x):
        return x * x

    @grad(argnums=1)
    def second(x, y):
        return x * y * y

    assert one(3.0) == 6.0
    assert second(2.0, 3.0) == 12.0
    assert grad(polynomial)(2.0) == 24.0


def test_wraps():
    g = grad(polynomial)
    assert g.__name__ == "polynomial"
    assert g.__doc__ == "A polynomial."
    assert g.__wrapped__ is polynomial
    assert inspect.signature(g) == inspect.signature(polynomial)


def test_keywords_and_defaults():
    g = grad(polynomial)
    assert g(2.0, 5.0) == 60.0
    assert g(2.0, y=5.0) == 60.0
    assert g(x=2.0, n=2) == 8.0
    assert g(2.0, n=4, y=1.0) == 32.0


def test_argnums_and_argnames():
    f = lambda x, y, z: x * y + z * x * x  # noqa: E731
    assert grad(f, argnums=(0, 2))(2.0, 3.0, 4.0) == (19.0, 4.0)
    assert grad(f, argnums=-1)(2.0, 3.0, 4.0) == 4.0
    assert grad(f, argnums=0, argnames="y")(2.0, 3.0, 4.0) == (19.0, 2.0)
    assert value_and_grad(f, argnums=(1,))(2.0, 3.0, 4.0) == (22.0, (2.0,))


def test_variable_arguments_are_counted_one_by_one():
    def f(*args, **named):
        return args[0] * args[1] ** 2 * named["c"]

    assert grad(f)(2.0, 3.0, c=5.0) == 45.0
    assert grad(f, argnums=(1, -2), argnames="c")(2.0, 3.0, c=5.0) == (60.0, 45.0, 18.0)
    with pytest.raises(adcore.DtypeError, match="argnums 2 of f, which has 2 arguments"):
        grad(f, argnums=2)(2.0, 3.0, c=5.0)
    assert grad(math.hypot, argnums=1)(3.0, 4.0) == 0.8
    assert vjp(math.hypot, 3.0, 4.0)[1](1.0) == (0.6, 0.8)
    assert vjp(polynomial, 3.0)[1](1.0) == (54.0,)


def test_functions_that_are_not_written_in_python():
    assert grad(np.sin)(0.0) == 1.0
    assert grad(math.sin)(0.0) == 1.0
    np.testing.assert_array_equal(grad(np.sum)(np.ones(3)), 1.0)
    assert jvp(np.exp, (0.0,), (2.0,)) == (1.0, 2.0)
    assert grad(functools.lru_cache(lambda x: x * x))(3.0) == 6.0


def test_has_aux():
    f = lambda x: (x * x, {"double": 2 * x, "label": "twice"})  # noqa: E731
    assert grad(f, has_aux=True)(3.0) == (6.0, {"double": 6.0, "label": "twice"})
    assert value_and_grad(f, has_aux=True)(3.0) == ((9.0, {"double": 6.0, "label": "twice"}), 6.0)
    value, pullback, aux = vjp(f, 3.0, has_aux=True)
    assert (value, pullback(1.0), aux["double"]) == (9.0, (6.0,), 6.0)


def test_structures():
    def f(p, k):
        return p["a"] * np.sum(p["pair"][0]) + p["pair"][1] ** k

    p = {"a": 2.0, "pair": (np.ones(3), 3.0)}
    g = grad(f)(p, 2)
    assert list(g) == ["a", "pair"]
    assert (g["a"], g["pair"][1]) == (3.0, 6.0)
    np.testing.assert_array_equal(g["pair"][0], [2.0, 2.0, 2.0])


def test_kinds_of_results():
    x = RNG.normal(size=(3, 4))
    g = grad(lambda x: np.sum(x * x))(x)
    assert type(g) is np.ndarray
    assert g.flags.c_contiguous
    assert g.flags.owndata
    assert g.flags.writeable
    assert (g.dtype, g.shape) == (np.float64, (3, 4))
    assert type(grad(lambda x: x * x)(1.0)) is float
    assert type(jit(lambda n: n + 1)(1)) is int
    assert jit(lambda n: n > 1)(1) is False


def test_results_are_fresh():
    f = jit(lambda x: (x, x, x[1:]))
    x = np.arange(3.0)
    a, b, c = f(x)
    a[0] = b[1] = c[1] = 7.0
    np.testing.assert_array_equal(x, [0.0, 1.0, 2.0])
    assert a[1] == 1.0
    assert b[0] == 0.0


@pytest.mark.parametrize(
    "x",
    [
        RNG.normal(size=(4, 6))[::2, 1:5],
        RNG.normal(size=(4, 6)).T,
        np.asfortranarray(RNG.normal(size=(4, 5))),
        RNG.normal(size=(4, 5)).astype(">f8"),
        np.frombuffer(b"\0" + RNG.normal(size=6).tobytes(), dtype=np.uint8)[1:].view(np.float64).reshape(2, 3),
        np.zeros((0, 3)),
        np.ones((1, 3)),
        np.ones((3, 1)),
    ],
    ids=["strided", "transposed", "fortran", "big-endian", "unaligned", "empty", "one row", "one column"],
)
def test_layouts(x):
    g = value_and_grad(lambda x: np.sum(x * x * x))
    for _ in range(2):
        value, gradient = g(x)
        np.testing.assert_allclose(value, np.sum(x**3))
        np.testing.assert_allclose(gradient, 3 * x.astype(float) ** 2)


def test_one_function_many_types():
    g = grad(lambda x: np.sum(x * x) if np.ndim(x) else x * x)
    for _ in range(3):
        assert g(2.0) == 4.0
        np.testing.assert_array_equal(g(np.ones(3)), [2.0] * 3)
        np.testing.assert_array_equal(g(np.ones((2, 2))), np.full((2, 2), 2.0))
        assert g(np.float64(3.0)) == 6.0


def test_broadcasting_follows_the_length():
    f = value_and_grad(lambda x, y: np.sum(x * y), argnums=(0, 1))
    y = np.arange(3.0)
    value, (dx, _) = f(np.array([2.0]), y)
    assert value == 6.0
    np.testing.assert_array_equal(dx, [3.0])
    value, (dx, _) = f(np.array([1.0, 2.0, 3.0]), y)
    assert value == 8.0
    np.testing.assert_array_equal(dx, y)


def test_closures_are_read_at_call_time():
    factor, weights = 2.0, np.ones(2)

    def f(x):
        return np.sum(x * weights) * factor

    g = grad(f)
    np.testing.assert_array_equal(g(np.ones(2)), [2.0, 2.0])
    factor = 3.0
    np.testing.assert_array_equal(g(np.ones(2)), [3.0, 3.0])
    weights[0] = 5.0
    np.testing.assert_array_equal(g(np.ones(2)), [15.0, 3.0])
    weights = np.array([[1.0, 2.0], [3.0, 4.0]]).T[0]
    np.testing.assert_array_equal(g(np.ones(2)), [3.0, 9.0])
    factor = 2
    np.testing.assert_array_equal(g(np.ones(2)), [2.0, 6.0])


SCALE = 2.0


def _inner(x):
    return x * SCALE


def uses_globals(x):
    return _inner(x) * x


def test_globals_and_helpers_are_current(monkeypatch):
    g = grad(uses_globals)
    assert g(3.0) == 12.0
    monkeypatch.setitem(globals(), "SCALE", 5.0)
    assert g(3.0) == 30.0
    monkeypatch.setitem(globals(), "_inner", lambda x: x * x * x)
    assert g(1.0) == 4.0


SETTINGS = {"w": np.array([1.0, 2.0]), "inner": {"b": 2.0, "f": math.sin}, 3: 5.0}


class Spring:
    def __init__(self, k):
        self.k = k

    @property
    def doubled(self):
        return 2.0 * self.k

    def energy(self, x):
        return self.doubled * x * x


def test_items_of_dicts_from_outside_are_read_at_call_time():
    settings = {**SETTINGS, "inner": dict(SETTINGS["inner"])}

    def f(x):
        inner = settings["inner"]
        return np.sum(settings["w"] * x) + inner["b"] * inner["f"](x) * settings[3]

    g = grad(f)
    assert math.isclose(g(1.0), 3.0 + 10.0 * math.cos(1.0))
    settings["w"] = np.array([10.0, 2.0])
    settings["inner"]["b"] = 1.0
    assert math.isclose(g(1.0), 12.0 + 5.0 * math.cos(1.0))
    settings["inner"]["f"] = math.exp
    assert math.isclose(g(1.0), 12.0 + 5.0 * math.e)
    settings["inner"] = {"b": 0.0, "f": math.exp}
    assert g(1.0) == 12.0
    del settings["w"]
    with pytest.raises(adcore.AdcoreError, match="KeyError: 'w'"):
        g(1.0)


def test_properties_and_attributes_are_read_at_call_time():
    spring = Spring(3.0)
    g = grad(spring.energy)
    assert g(2.0) == 24.0
    spring.k = 1.0
    assert g(2.0) == 8.0


def test_functions_of_the_operator_module():
    import operator

    def f(x, y):
        return operator.mul(operator.add(x, y), operator.neg(x)) if operator.lt(x, y) else operator.pow(x, 2)

    assert grad(f)(1.0, 2.0) == -4.0
    assert grad(f)(3.0, 2.0) == 6.0


def test_nesting():
    f = lambda x: x**4 * math.sin(x)  # noqa: E731
    x = 0.7
    second = 12 * x**2 * math.sin(x) + 8 * x**3 * math.cos(x) - x**4 * math.sin(x)
    assert grad(grad(f))(x) == pytest.approx(second, rel=1e-14)
    assert jvp(grad(f), (x,), (1.0,))[1] == pytest.approx(second, rel=1e-14)
    assert vjp(grad(f), x)[1](1.0)[0] == pytest.approx(second, rel=1e-14)
    assert jit(grad(f))(x) == grad(f)(x)
    third = grad(grad(grad(lambda x: x**5)))
    assert third(2.0) == pytest.approx(60 * 4.0)


def test_jvp_and_vjp():
    f = lambda x, y: (np.sum(x) * y, x * y)  # noqa: E731
    x, y = np.arange(3.0), 2.0
    (s, v), (ds, dv) = jvp(f, (x, y), (np.ones(3), 1.0))
    assert (s, ds) == (6.0, 9.0)
    np.testing.assert_array_equal(v, 2 * x)
    np.testing.assert_array_equal(dv, 2.0 + x)
    (s, v), pullback = vjp(f, x, y)
    for _ in range(2):
        dx, dy = pullback((1.0, np.ones(3)))
        np.testing.assert_array_equal(dx, np.full(3, 4.0))
        assert dy == 6.0
    assert jvp(lambda x, n: (x * n, n), (2.0, 3), (1.0, 0)) == ((6.0, 3), (3.0, None))


def test_arguments_are_not_written():
    def f(x):
        x[0] = 5.0
        x *= 2.0
        return np.sum(x * x)

    x = np.ones(3)
    np.testing.assert_array_equal(grad(f)(x), [0.0, 8.0, 8.0])
    np.testing.assert_array_equal(x, 1.0)


def test_specialisations_go_with_the_function():
    def f(x):
        return x * x

    jvp(f, (1.0,), (1.0,))
    alive = weakref.ref(f)
    del f
    gc.collect()
    assert alive() is None


def test_source_and_program_need_a_call_or_arguments():
    g = grad(lambda x: x * x)
    with pytest.raises(adcore.AdcoreError, match="not been called"):
        adcore.source(g)
    assert "return" in adcore.source(g, 2.0)
    g(1.0)
    assert len(adcore.program(g).results) == 1


def test_same_array_twice():
    f = grad(lambda x, y: np.sum(x * y), argnums=(0, 1))
    x = np.array([1.0, 2.0])
    dx, dy = f(x, x)
    np.testing.assert_array_equal(dx, x)
    np.testing.assert_array_equal(dy, x)


def test_where_keeps_the_other_branch_out():
    g = grad(lambda x: np.sum(np.where(x > 0, np.log(np.where(x > 0, x, 1.0)), 0.0) + np.where(x > 0, np.sqrt(x), x)))
    np.testing.assert_array_equal(g(np.array([1.0, 0.0, -1.0])), [1.5, 1.0, 1.0])


def anything(*args):
    return args[0] * args[1] ** 2


def with_default(x, n=2.0):
    return x * n**2


def anything_by_name_too(*args, n=2.0):
    return args[0] * args[1] ** n


@pytest.mark.parametrize(
    ("f", "primals", "slopes"),
    [
        (anything, (2.0, 3.0), (9.0, 12.0)),
        (with_default, (2.0,), (4.0,)),
        (anything_by_name_too, (2.0, 3.0), (9.0, 12.0)),
        (lambda x, *rest: x * rest[0], (2.0, 3.0), (3.0, 2.0)),
    ],
    ids=["any number", "default", "any number and a default", "one and others"],
)
def test_arguments_by_position(f, primals, slopes):
    """Functions of any number of arguments, and with defaults that are not given, in all transforms by position."""
    ones = tuple(1.0 for _ in primals)
    assert adcore.jvp(f, primals, ones)[1] == sum(slopes)
    assert adcore.vjp(f, *primals)[1](1.0) == slopes
    assert adcore.linearize(f, *primals)[1](*ones) == sum(slopes)
    np.testing.assert_allclose(adcore.hvp(f, primals, ones)[0], slopes if len(slopes) > 1 else slopes[0])
    np.testing.assert_allclose(adcore.vhp(f, primals, ones)[0], slopes if len(slopes) > 1 else slopes[0])
    adcore.check_grads(f, primals, order=2)
    inside = adcore.jit(lambda: (adcore.jvp(f, primals, ones)[1], adcore.vjp(f, *primals)[1](1.0)))
    assert inside() == (sum(slopes), slopes)
