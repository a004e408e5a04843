"""What compiled functions do to their arguments: NumPy's semantics in a primal call, nothing in a derivative."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

import adcore
from adcore import AliasError, checkpoint, grad, jit, jvp, value_and_grad, vjp


def fill(x, y):
    y[:] = 2.0 * x


def scale_rows(a, s):
    for i in range(a.shape[0]):
        a[i] *= s[i]
    return np.sum(a)


def swap_ends(x):
    x[0], x[-1] = x[-1], x[0]
    return x[1] * 3.0


def only_above(x, limit):
    if x[0] > limit:
        x[1:] = x[:-1]
    return x


def through_a_view(a):
    row = a.T[1]
    row += 1.0


WRITERS = {
    "fill": (fill, (np.arange(3.0), np.zeros(3))),
    "scale_rows": (scale_rows, (np.ones((2, 3)), np.array([2.0, 3.0]))),
    "swap_ends": (swap_ends, (np.arange(4.0),)),
    "only_above, written": (only_above, (np.arange(1.0, 4.0), 0.5)),
    "only_above, not written": (only_above, (np.arange(1.0, 4.0), 5.0)),
    "through_a_view": (through_a_view, (np.zeros((3, 2)),)),
}


@pytest.mark.parametrize("transform", [jit, checkpoint], ids=["jit", "checkpoint"])
@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("layout", ["plain", "strided"])
def test_the_caller_sees_what_a_primal_call_writes(name, transform, layout):
    function, arguments = WRITERS[name]
    ours, theirs = ([_laid_out(a, layout) for a in arguments] for _ in range(2))
    compiled = transform(function)
    for _ in range(2):  # the second call enters machine code directly
        found, expected = compiled(*ours), function(*theirs)
        np.testing.assert_array_equal(found, expected) if expected is not None else None
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)


def _laid_out(value, layout):
    if not isinstance(value, np.ndarray):
        return value
    if layout == "plain":
        return value.copy()
    wide = np.zeros((*value.shape[:-1], 2 * value.shape[-1]))
    wide[..., ::2] = value
    return wide[..., ::2]


def test_a_derivative_leaves_the_arguments_alone():
    def f(x):
        x *= x
        return np.sum(x)

    x = np.arange(3.0)
    for call in (grad(f), value_and_grad(f), lambda x: vjp(f, x), lambda x: jvp(f, (x,), (np.ones(3),))):
        call(x)
        np.testing.assert_array_equal(x, np.arange(3.0))


def test_a_donated_argument_is_written_into():
    def f(x, y):
        x *= y
        y += 1.0
        return np.sum(x)

    x, y = np.arange(3.0), np.full(3, 2.0)
    np.testing.assert_array_equal(grad(f, donate_argnums=0)(x, y), 2.0)
    np.testing.assert_array_equal(x, [0.0, 2.0, 4.0])
    np.testing.assert_array_equal(y, 2.0)
    value, _ = value_and_grad(f, donate_argnums=(0, -1))(x[::-1], y)
    assert value == 12.0
    np.testing.assert_array_equal(x, [0.0, 4.0, 8.0])
    np.testing.assert_array_equal(y, 3.0)
    with pytest.raises(adcore.DtypeError, match="donate_argnums 2"):
        grad(f, donate_argnums=2)(x, y)


def test_a_donated_argument_of_a_gradient_inside_a_function():
    def inner(x, y):
        x *= y
        y += 1.0
        return np.sum(x * x)

    def outer(x, y):
        z = y * 1.0
        first = grad(inner, donate_argnums=(1,))(x, z)
        second = grad(lambda u: inner(u, z.copy()), donate_argnums=0)(x)
        return np.sum(first * x) + np.sum(second * z)

    def plain(x, y):
        z = y + 1.0
        first = 2.0 * x * y * y
        second = 2.0 * x * z * z
        x = x * z
        return np.sum(first * x) + np.sum(second * z)

    x, y = np.array([1.0, 2.0, -0.5]), np.array([0.5, 1.5, 2.0])
    expected = plain(x, y)
    slope = [(plain(x + s, y) - plain(x - s, y)) / 2e-6 for s in 1e-6 * np.eye(3)]
    np.testing.assert_allclose(grad(outer)(x, y), slope, rtol=1e-7)
    assert jit(outer)(x, y) == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(x, np.array([1.0, 2.0, -0.5]) * (y + 1.0))


def test_results_and_arguments_do_not_share_memory():
    def f(x):
        x[0] = 7.0
        return x

    x = np.zeros(3)
    y = jit(f)(x)
    assert not np.shares_memory(x, y)
    np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("transform", [jit, grad], ids=["jit", "grad"])
def test_arguments_that_share_memory_are_refused_where_one_is_written(transform):
    def f(x, y):
        x[0] = 2.0
        return np.sum(x * y)

    x = np.arange(4.0)
    compiled = transform(f)
    compiled(x.copy(), x)
    for one, other in ((x, x), (x[1:], x[:-1]), (x, x[::-1])):
        with pytest.raises(AliasError, match=r"'x', which shares memory with 'y'"):
            compiled(one, other)
    compiled(x[:2], x[2:])


def test_tangents_and_cotangents_may_share_memory_with_what_is_written():
    def f(x, y):
        x *= x
        return x * y

    x, y = np.arange(1.0, 4.0), np.array([2.0, 3.0, 5.0])
    for _ in range(2):  # the second call enters machine code directly
        value, tangent = jvp(f, (x, y), (x, x))
        np.testing.assert_array_equal(value, x * x * y)
        np.testing.assert_array_equal(tangent, 2.0 * x * x * y + x**3)
    _, tangent = jvp(f, (x, y), (x[::-1], y))
    np.testing.assert_array_equal(tangent, 2.0 * x * x[::-1] * y + x * x * y)
    _, pullback = vjp(f, x, y)
    np.testing.assert_array_equal(pullback(x)[0], 2.0 * x * y * x)
    np.testing.assert_array_equal(x, np.arange(1.0, 4.0))

    def inside(x, y):
        return np.sum(jvp(f, (x, y), (x, x))[1])

    np.testing.assert_allclose(grad(inside)(x, y), 4.0 * x * y + 3.0 * x * x)

    def second(x, y):
        return jvp(f, (x, y), (x, y))

    (_, tangent), _ = jvp(second, (x, y), (x, x))
    np.testing.assert_array_equal(tangent, 2.0 * x * x * y + x * x * y)
    with pytest.raises(AliasError, match="shares memory"):
        jvp(f, (x, x), (x, y))
    with pytest.raises(AliasError, match="shares memory"):
        vjp(f, x, x)


def swapped(u, n):
    v = u.copy()
    for _ in range(n):
        v[1:-1] = 0.5 * (u[2:] + u[:-2])
        u, v = v, u
    return np.sum(u * u)


def swapped_the_other_way(u, n):
    v = np.zeros(u.shape[0])
    for _ in range(n):
        u, v = v, u
        v += 1.0
    return np.sum(u * v)


@pytest.mark.parametrize("function", [swapped, swapped_the_other_way])
def test_a_write_into_what_may_be_the_callers_array(function):
    """After a swap a write may go into the caller's array or not: refused where the caller would see it."""
    u = np.arange(5.0)
    for transform in (jit, checkpoint):
        with pytest.raises(AliasError, match="may or may not be the caller's 'u'"):
            transform(function)(u, 3)
    with pytest.raises(AliasError, match="may or may not be the caller's 'u'"):
        grad(function, donate_argnums=0)(u, 3)
    slope = grad(function)(u, 3)
    step = 1e-6 * np.eye(5)
    expected = [(function(u + s, 3) - function(u - s, 3)) / 2e-6 for s in step]
    np.testing.assert_allclose(slope, expected, rtol=1e-7, atol=1e-7)
    own = jit(lambda u, n: function(u.copy(), n))
    assert own(u, 3) == function(u.copy(), 3)


def test_a_captured_array_counts_as_an_argument():
    table = np.arange(3.0)

    def f(x):
        x[0] = 5.0
        return np.sum(x * table)

    assert jit(f)(np.ones(3)) == 3.0
    with pytest.raises(AliasError, match="table"):
        jit(f)(table)


def test_a_read_only_argument_is_refused_as_numpy_does():
    x = np.zeros(3)
    x.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        jit(fill)(np.ones(3), x)
    with pytest.raises(ValueError, match="read-only"):
        jit(fill)(np.ones(3), x)
    assert grad(lambda x: swap_ends(x))(x)[0] == 0.0  # a derivative works on a copy


def test_a_compiled_function_writes_into_the_arrays_of_the_one_that_calls_it():
    doubled = jit(fill)

    def f(x):
        y = np.zeros(3)
        doubled(x, y)
        doubled(y, x)
        return np.sum(x * y)

    x = np.arange(1.0, 4.0)
    np.testing.assert_allclose(grad(f)(x), 16.0 * x)
    assert jit(f)(x.copy()) == 8.0 * np.sum(x * x)

    def aliased(x):
        doubled(x[:2], x[1:])
        return np.sum(x)

    with pytest.raises(AliasError, match="shares memory"):
        grad(aliased)(x)


class Line(NamedTuple):
    slope: float
    points: np.ndarray


@dataclass
class Body:
    mass: float
    position: np.ndarray
    name: str = "body"


def test_structures_of_arguments_come_back_as_gradients():
    def f(tree):
        return tree["b"][0] * tree["b"][1] + np.sum(tree["a"])

    g = grad(f)({"b": (2.0, 3.0), "a": np.ones(2)})
    assert list(g) == ["b", "a"]
    assert g["b"] == (3.0, 2.0)
    np.testing.assert_array_equal(g["a"], 1.0)
    ordered = grad(lambda d: d["x"] * 3.0)(OrderedDict(x=2.0))
    assert ordered == {"x": 3.0}


def test_a_named_tuple_is_an_argument():
    g = grad(lambda line: line.slope * np.sum(line.points))(Line(2.0, np.array([1.0, 3.0])))
    assert isinstance(g, Line)
    assert g.slope == 4.0
    np.testing.assert_array_equal(g.points, 2.0)


def test_what_is_not_real_has_no_derivative():
    def f(body, n):
        return body.mass * np.sum(body.position) * n["power"] * n["scale"]

    g = grad(f)(Body(2.0, np.array([1.0, 3.0])), {"power": 2, "scale": 0.5})
    assert isinstance(g, Body)
    assert (g.mass, g.name) == (4.0, None)
    np.testing.assert_array_equal(g.position, 2.0)
    _, both = value_and_grad(f, argnums=(0, 1))(Body(2.0, np.array([1.0, 3.0])), {"power": 2, "scale": 0.5})
    assert both[1] == {"power": None, "scale": 16.0}
    for wrong in (3, (1, 2), "text", None):
        with pytest.raises(adcore.DtypeError):
            grad(lambda x: 1.0)(wrong)


def test_cotangents_and_tangents_match_by_key():
    value, pullback = vjp(lambda x: {"a": x, "b": 2.0 * x}, 3.0)
    assert list(value) == ["a", "b"]
    assert pullback({"b": 10.0, "a": 1.0}) == (21.0,)
    with pytest.raises(TypeError, match="another structure"):
        pullback({"b": 10.0})
    with pytest.raises(TypeError, match="another structure"):
        pullback({"b": (10.0,), "a": 1.0})
    out, tangent = jvp(lambda d: d["x"] * d["y"], ({"x": 2.0, "y": 3.0},), ({"y": 1.0, "x": 0.0},))
    assert (out, tangent) == (6.0, 2.0)


def test_the_order_of_keys_is_seen_by_the_function():
    def f(d):
        total = 0.0
        for k, key in enumerate(d):
            total += (k + 1) * d[key]
        return total

    g = grad(f)
    assert g({"a": 1.0, "b": 1.0}) == {"a": 1.0, "b": 2.0}
    assert g({"b": 1.0, "a": 1.0}) == {"b": 1.0, "a": 2.0}


def test_dtypes_are_refused_by_the_argument_that_has_them():
    with pytest.raises(adcore.DtypeError, match="argument 1 of"):
        jit(lambda x, y: x)(1.0, (2.0, np.zeros(2, np.float16)))


def test_an_array_in_a_file_is_an_array(tmp_path):
    x = np.memmap(tmp_path / "x", np.float64, "w+", shape=(3,))
    x[:] = 1.0, 2.0, 3.0
    assert grad(lambda x: np.sum(x * x))(x).tolist() == [2.0, 4.0, 6.0]
    assert jit(lambda: np.sum(x * 2.0))() == 12.0

    def double(x):
        x *= 2.0

    jit(double)(x)
    assert x.tolist() == [2.0, 4.0, 6.0]


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize("kind", [np.ma.MaskedArray, np.matrix])
def test_arrays_that_compute_otherwise_are_refused(kind):
    x = kind([[1.0, 2.0], [3.0, 4.0]])
    for call in (lambda: jit(lambda x: x * x)(x), lambda: jit(lambda: x * x)()):
        with pytest.raises(adcore.DtypeError, match=f"is a {kind.__name__}, which computes otherwise"):
            call()
