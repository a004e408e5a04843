"""`vmap` against lists of single calls, against JAX, and with the other transforms."""

from __future__ import annotations

import dataclasses
import math
import os
import subprocess
import sys
from typing import Any, NamedTuple

import numpy as np
import pytest
from generated import compiled_from, functions
from hypothesis import given, settings

import adcore
from adcore import grad, hessian, jacfwd, jacrev, jit, jvp, value_and_grad, vjp, vmap
from adcore.errors import AdcoreError, UnsupportedFunctionError
from adcore.plugins import backend
from adcore.text import to_text
from adcore.threads import processors
from adcore.trees import leaves, map_leaves
from adcore.verify import verify

RNG = np.random.default_rng(3)
V = RNG.uniform(0.5, 2.0, 5)
W = RNG.uniform(-1.0, 1.0, 5)
M = RNG.normal(size=(5, 3))
N = RNG.normal(size=(5, 3))
S = RNG.normal(size=(5, 3, 3))
K = np.array([0, 1, 6, 27, 7])
SHIFT = 0.25
TABLE = RNG.normal(size=7)


class Pair(NamedTuple):
    one: Any
    other: Any


@dataclasses.dataclass
class Body:
    mass: Any
    place: Any
    name: str = "body"


# The meaning: a list of calls, stacked


def element(tree, axes, k):
    """The k-th element of a tree along axes."""
    if axes is None:
        return tree
    if isinstance(axes, int):
        return map_leaves(lambda a: np.take(a, k, axes) if isinstance(a, np.ndarray) else a, tree)
    if isinstance(axes, dict):
        return {key: element(part, axes[key], k) for key, part in tree.items()}
    if dataclasses.is_dataclass(axes):
        fields = [f.name for f in dataclasses.fields(axes)]
        return type(tree)(*(element(getattr(tree, f), getattr(axes, f), k) for f in fields))
    parts = [element(part, a, k) for part, a in zip(tree, axes, strict=True)]
    return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)


def stacked(results, axes):
    first = results[0]
    if axes is None:
        return first
    if first is None or isinstance(first, str):
        return first
    if isinstance(first, dict):
        return {key: stacked([r[key] for r in results], axes if isinstance(axes, int) else axes[key]) for key in first}
    if dataclasses.is_dataclass(first):
        names = [f.name for f in dataclasses.fields(first)]
        return type(first)(*(stacked([getattr(r, n) for r in results], axes) for n in names))
    if isinstance(first, tuple | list):
        every = [axes] * len(first) if isinstance(axes, int) else axes
        parts = [stacked([r[k] for r in results], every[k]) for k in range(len(first))]
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    return np.stack([np.asarray(r) for r in results], axes)


def listed(f, arguments, in_axes=0, out_axes=0, n=5):
    """What `vmap` means."""
    axes = in_axes if isinstance(in_axes, tuple) else (in_axes,) * len(arguments)
    every = [[element(a, axis, k) for a, axis in zip(arguments, axes, strict=True)] for k in range(n)]
    return stacked([f(*each) for each in every], out_axes)


def enlarged(tree, axes, n):
    """A batch of n elements, of those in a smaller one."""
    if axes is None:
        return tree
    if isinstance(axes, int):
        return map_leaves(
            lambda a: np.take(a, 3 * np.arange(n) % a.shape[axes], axes) if isinstance(a, np.ndarray) else a, tree
        )
    if isinstance(axes, dict):
        return {key: enlarged(part, axes[key], n) for key, part in tree.items()}
    if dataclasses.is_dataclass(axes):
        fields = [f.name for f in dataclasses.fields(axes)]
        return type(tree)(*(enlarged(getattr(tree, f), getattr(axes, f), n) for f in fields))
    parts = [enlarged(part, a, n) for part, a in zip(tree, axes, strict=True)]
    return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)


def same(found, expected, tolerance=1e-13):
    one, other = leaves(found), leaves(expected)
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        if isinstance(b, np.ndarray | np.generic):
            assert a.dtype == b.dtype
            assert a.shape == b.shape
            assert isinstance(a, np.generic) or a.flags.c_contiguous
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
        elif isinstance(b, float):
            assert type(a) is float
            assert a == pytest.approx(b, rel=tolerance, abs=tolerance)
        else:
            assert a == b


# Functions of an element


def collatz(n):
    k = 0
    while n != 1 and n > 0:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        k += 1
    return k


def newton(a):
    x, steps = a, 0
    while abs(x * x - a) > 1e-12:
        x = 0.5 * (x + a / x)
        steps += 1
    return x, steps


def branches(x, y):
    if x > 1.2:
        return math.log(x) * y
    if y > 0.0:
        return x * x + y
    return -math.sqrt(x)


def searched(row, limit):
    total = 0.0
    for k in range(len(row)):
        if row[k] > limit:
            break
        if row[k] < -0.5:
            continue
        total += row[k] ** 2
    return total


def written(row):
    row[0] = row[1] * 2.0
    row[1:] += row[:-1]
    return row


def scaled_in_place(target, factor):
    for k in range(target.shape[0]):
        target[k] *= factor + k


def helped(row, x):
    work = row.copy()
    scaled_in_place(work, x)
    return work, np.sum(work)


def closed(x):
    def inner(y):
        return y * SHIFT + TABLE[2]

    return inner(x) + np.sum(TABLE * x)


def rk4(rate, start):
    y = start.copy()
    for _ in range(10):
        k1 = -rate * y
        k2 = -rate * (y + 0.05 * k1)
        k3 = -rate * (y + 0.05 * k2)
        k4 = -rate * (y + 0.1 * k3)
        y = y + 0.1 / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return y


def in_a_dict(p, x):
    return {"y": p["w"] @ x + p["b"], "n": 3, "none": None, "text": "label"}


def in_a_pair(p, x):
    return Pair(p.one * x, (p.other, x))


def of_a_body(body, t):
    return Body(body.mass * t, body.place + t, "moved")


def by_place(row, k):
    return row[k % 3], TABLE[k % 7], row[::-1]


def shaped(row):
    return np.outer(row, row[1:]), np.concatenate([row, row[:1]]), np.zeros(len(row) - 1), np.arange(4)


CALLS: dict[str, tuple[Any, tuple, Any, Any]] = {
    "scalars": (lambda x: math.sin(x) * x, (V,), 0, 0),
    "two scalars": (branches, (V, W), 0, 0),
    "rows": (lambda row: np.sum(row * row), (M,), 0, 0),
    "columns": (lambda column: column[::-1] * 2.0, (M.T.copy(),), 1, 0),
    "last axis": (lambda column: np.cumsum(column), (M.T.copy(),), -1, -1),
    "one for all": (lambda row, v: row @ v, (M, np.array([1.0, 2.0, 3.0])), (0, None), 0),
    "a number for all": (lambda x, c: x * c, (V, 2.5), (0, None), 0),
    "results along the second axis": (lambda row: row * 2.0, (M,), 0, 1),
    "results along several axes": (lambda a: (a @ a, np.trace(a)), (S,), 0, (2, 0)),
    "middle axis": (lambda a: a @ a.T, (S.transpose(1, 0, 2).copy(),), 1, 1),
    "while": (collatz, (K,), 0, 0),
    "while with its count": (newton, (V,), 0, 0),
    "break and continue": (searched, (M, V), 0, 0),
    "writes in place": (written, (M,), 0, 0),
    "a helper that writes": (helped, (M, V), 0, 0),
    "closures": (closed, (V,), 0, 0),
    "time loop": (rk4, (V, M), 0, 0),
    "dicts": (in_a_dict, ({"w": S, "b": 0.5}, M), ({"w": 0, "b": None}, 0), 0),
    "a dict, one axis": (in_a_dict, ({"w": S, "b": V}, M), 0, {"y": 1, "n": 0, "none": 0, "text": 0}),
    "named tuples": (in_a_pair, (Pair(V, 2.0), W), (Pair(0, None), 0), Pair(0, (None, 0))),
    "dataclasses": (of_a_body, (Body(V, M), W), 0, 0),
    "a dataclass, in part": (of_a_body, (Body(V, np.ones(3)), W), (Body(0, None, None), 0), 0),
    "indices": (by_place, (M, K), 0, 0),
    "shapes": (shaped, (M,), 0, (0, 1, 0, 0)),
    "constants": (lambda x: (1.5, 2, True, None), (V,), 0, 0),
    "booleans": (lambda x, y: x > y, (V, W), 0, 0),
    "integers": (lambda k: k * 2, (K,), 0, 0),
    "float32": (lambda x, row: row * x, (V.astype(np.float32), M.astype(np.float32)), 0, 0),
    "complex": (lambda z: z * z.conjugate() + 1j, (V + 1j * W,), 0, 0),
    "boolean masks": (lambda row: np.where(row > 0.0, row, 0.0), (M,), 0, 0),
    "solving": (lambda a, v: np.linalg.solve(a + 5.0 * np.eye(3), v), (S, M), 0, 0),
    "one matrix for all": (lambda a, v: np.linalg.solve(a, v), (S[0] + 5.0 * np.eye(3), M), (None, 0), 0),
    "sorting": (lambda row: np.sort(row), (M,), 0, 0),
    "what does not vary": (lambda x, c: (x * c, c * c), (V, 3.0), (0, None), (0, None)),
    "what does not vary, repeated": (lambda x, v: (x, v * 2.0), (V, M[0]), (0, None), (0, 1)),
    "selected elements": (lambda row: row[row > -9.0], (M,), 0, 0),
    "lists": (lambda p, x: [p[0] * x, p[1]], ([V, W], V), 0, 0),
}


SIZES = [5, 37]  # the larger one has groups of elements that are run together, and some more


def drawn(n):
    """Numbers and rows for n elements."""
    rng = np.random.default_rng(n)
    return rng.uniform(0.5, 2.0, n), rng.uniform(-1.0, 1.0, n), rng.normal(size=(n, 3))


def named(names=None):
    return pytest.mark.parametrize("name", list(CALLS) if names is None else names)


@named()
@pytest.mark.parametrize("n", SIZES)
def test_is_a_list_of_calls(name, n):
    f, arguments, in_axes, out_axes = CALLS[name]
    axes = in_axes if isinstance(in_axes, tuple) else (in_axes,) * len(arguments)
    batch = enlarged(arguments, axes, n)
    mapped = vmap(f, in_axes, out_axes)
    same(mapped(*batch), listed(f, batch, in_axes, out_axes, n))
    verify(adcore.program(mapped, *batch))


@named()
def test_arguments_stay_as_they_are(name):
    f, arguments, in_axes, out_axes = CALLS[name]
    before = [a.copy() if isinstance(a, np.ndarray) else a for a in leaves(arguments)]
    vmap(f, in_axes, out_axes)(*arguments)
    for a, b in zip(leaves(arguments), before, strict=True):
        np.testing.assert_array_equal(a, b)


class TestLengths:
    def test_of_a_batch(self):
        g = vmap(lambda x: x * x)
        for n in (0, 1, 2, 17, 1000):
            same(g(np.arange(float(n))), np.arange(float(n)) ** 2)

    @pytest.mark.parametrize("n", [0, 1])
    def test_of_small_batches(self, n):
        found = vmap(lambda row, x: (np.outer(row, row), x, row[1:], row > x), out_axes=(0, 0, 1, 0))(M[:n], V[:n])
        assert [a.shape for a in found] == [(n, 3, 3), (n,), (2, n), (n, 3)]
        if n:
            same(found, (np.outer(M[0], M[0])[None], V[:1], M[:1, 1:].T, M[:1] > V[0]))

    def test_of_an_empty_batch_where_elements_know_them(self):
        assert vmap(lambda row: row[row > 0.0])(np.zeros((0, 3))).shape == (0, 0)

    def test_of_an_empty_batch_of_a_loop_that_would_fail(self):
        assert vmap(lambda k: TABLE[k + 100])(np.zeros(0, int)).shape == (0,)

    def test_that_elements_know_and_agree_on(self):
        rows = np.array([[1.0, -1.0, 2.0], [3.0, 4.0, -5.0]])
        same(vmap(lambda row: row[row > 0.0] * 2.0)(rows), np.array([[2.0, 4.0], [6.0, 8.0]]))

    def test_that_elements_know_and_do_not_agree_on(self):
        rows = np.array([[1.0, -1.0, 2.0], [3.0, -4.0, -5.0]])
        with pytest.raises(ValueError, match="has length 2 along axis 0 for one element and 1 for another"):
            vmap(lambda row: row[row > 0.0])(rows)

    def test_of_one_result_among_several_that_differ(self):
        def f(k):
            return {"zeros": np.zeros(3), "ones": np.ones(k)}

        with pytest.raises(
            ValueError, match=r"the result of f\['ones'\] has length 1 along axis 0 for one element and 2"
        ):
            vmap(f)(np.array([1, 2]))
        same(vmap(f)(np.array([2, 2]))["ones"], np.ones((2, 2)))

    def test_that_depend_on_what_is_the_same_for_all(self):
        f = vmap(lambda x, n: np.full(n * 2, x), in_axes=(0, None))
        assert f(V, 4).shape == (5, 8)
        assert f(np.zeros(0), 4).shape == (0, 8)

    def test_new_lengths_do_not_compile_again(self):
        g = vmap(lambda row: np.sum(row))
        g(np.ones((20, 30)))
        found = g.dispatcher.latest
        assert g(np.ones((11, 17))).shape == (11,)
        assert g.dispatcher.latest is found


@pytest.mark.parametrize(
    "arrange",
    [
        lambda a: a[::-1],
        lambda a: np.asfortranarray(a),
        lambda a: np.repeat(a, 2, axis=0)[::2],
        lambda a: np.ascontiguousarray(a.T).T,
        lambda a: a.astype(">f8"),
    ],
    ids=["reversed", "Fortran", "strided", "transposed", "other byte order"],
)
@pytest.mark.parametrize("axis", [0, 1])
def test_any_layout(arrange, axis):
    a = arrange(M)
    same(vmap(lambda v: v * 2.0, axis, axis)(a), np.array(a, float) * 2.0)


class TestArguments:
    def test_by_name_are_mapped_over_the_first_axis(self):
        def f(x, y, *, z):
            return x * y + z

        same(vmap(f)(V, y=W, z=V), V * W + V)
        same(vmap(f, in_axes=(0,))(V, y=W, z=V), V * W + V)
        same(vmap(f, in_axes=(None,))(2.0, y=W, z=V), 2.0 * W + V)
        with pytest.raises(ValueError, match="give 'y' by position"):
            vmap(f, in_axes=1)(M, y=M, z=W)

    def test_defaults_are_the_same_for_all(self):
        def f(x, scale=2.0, order=(0, 1)):
            return x * scale + order[1]

        same(vmap(f)(V), V * 2.0 + 1)
        same(vmap(f)(V, W), V * W + 1)
        same(vmap(f, in_axes=(0, None))(V, 3.0), V * 3.0 + 1)
        same(jit(lambda x: vmap(f)(x))(V), V * 2.0 + 1)
        same(grad(lambda x: np.sum(vmap(f)(x)))(V), np.full(5, 2.0))

    def test_any_number(self):
        def f(*rows, **more):
            return rows[0] * rows[1] + more["x"]

        same(vmap(f)(V, W, x=V), V * W + V)
        same(vmap(f, in_axes=(0, None))(V, 2.0, x=V), V * 2.0 + V)

    def test_a_decorator(self):
        @vmap(in_axes=(0, None))
        def f(x, y):
            return x * y

        same(f(V, 2.0), V * 2.0)
        assert f.__name__ == "f"

        @vmap
        def h(x):
            return x + 1.0

        same(h(V), V + 1.0)

    def test_methods(self):
        class Model:
            def __init__(self, rate):
                self.rate = rate

            @vmap(in_axes=(None, 0))
            def run(self, x):
                return x * 2.0

        same(Model(2.0).run(V), V * 2.0)

    def test_static_ones_stay_constants(self):
        @jit(static_argnames="n")
        def power(x, n):
            return x * power(x, n - 1) if n else 1.0

        same(vmap(power, in_axes=(0, None))(V, 3), V**3)

    def test_what_is_written_into_is_a_copy(self):
        def f(row, shared, found):
            row[0] = shared[0]
            shared[0] += 1.0
            found.append(row[0])
            return row

        shared, found, rows = np.array([7.0, 8.0]), [], M.copy()
        result = vmap(f, in_axes=(0, None, None))(rows, shared, found)
        assert np.all(result[:, 0] == 7.0)
        assert list(shared) == [7.0, 8.0]
        assert found == []
        np.testing.assert_array_equal(rows, M)

    def test_elements_are_numpy_scalars(self):
        with np.errstate(divide="ignore"):
            same(vmap(lambda x: 1.0 / x)(np.array([0.0, 2.0])), np.array([np.inf, 0.5]))

    def test_captured_arrays_are_read_at_the_call(self):
        table = np.array([1.0, 2.0])
        f = vmap(lambda k: table[k])
        same(f(np.array([0, 1])), np.array([1.0, 2.0]))
        table[0] = 5.0
        same(f(np.array([0, 1])), np.array([5.0, 2.0]))


WRONG: dict[str, tuple[Any, tuple, Any, Any, type[Exception], str]] = {
    "sizes": (lambda x, y: x + y, (V, W[:4]), 0, 0, ValueError, "axis 0 of x has size 5, axis 0 of y has size 4"),
    "long sizes": (lambda x, y: x, (np.ones(50), np.ones(60)), 0, 0, ValueError, "size 50, axis 0 of y has size 60"),
    "sizes of other axes": (lambda x, y: x, (M, M), (0, 1), 0, ValueError, "axis 0 of x has size 5, axis 1 of y has"),
    "a number": (lambda x: x, (2.0,), 0, 0, ValueError, "map its argument along axis 0, which implies that its rank"),
    "a NumPy scalar": (lambda x: x, (np.float64(2.0),), 0, 0, ValueError, "rank should be at least 1, but is only 0"),
    "an axis too far": (lambda x: x, (M,), 2, 0, ValueError, "rank should be at least 3, but is only 2"),
    "a negative axis too far": (lambda x: x, (M,), -3, 0, ValueError, "rank should be at least 3, but is only 2"),
    "nothing mapped": (lambda x: x, (V,), None, 0, ValueError, "at least one argument must be mapped"),
    "too few entries": (lambda x, y: x, (V, W), (0,), 0, ValueError, "got 1 entries for 2 arguments"),
    "too many entries": (lambda x: x, (V,), (0, 0), 0, ValueError, "got 2 entries for 1 arguments"),
    "no prefix": (
        lambda p: p[0],
        ((V, W),),
        ((0, 0, 0),),
        0,
        ValueError,
        "in_axes specification must be a tree prefix",
    ),
    "no prefix of an array": (lambda x: x, (V,), ((0,),), 0, ValueError, "in_axes specification must be a tree prefix"),
    "no prefix, other keys": (lambda p: p["a"], ({"a": V},), ({"b": 0},), 0, ValueError, "must be a tree prefix"),
    "no prefix of the result": (lambda x: (x, x), (V,), 0, (0, 0, 0), ValueError, "out_axes specification must be"),
    "out axis too far": (
        lambda x: x,
        (V,),
        0,
        1,
        ValueError,
        "out_axes 1 for the result of <lambda>, which has 1 axes",
    ),
    "varying, not to be": (lambda x: (x, x), (V,), 0, (0, None), ValueError, r"out_axes is None: .*\[1\] depends on"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_calls(name):
    f, arguments, in_axes, out_axes, kind, message = WRONG[name]
    with pytest.raises(kind, match=message):
        vmap(f, in_axes, out_axes)(*arguments)


@pytest.mark.parametrize("axes", ["0", 0.5, True, (0, "1"), {"a": (0, 1.5)}])
def test_axes_are_integers(axes):
    with pytest.raises(TypeError, match="must be an int, None, or a"):
        vmap(lambda x: x, in_axes=axes)
    with pytest.raises(TypeError, match="vmap out_axes must be an int, None, or a"):
        vmap(lambda x: x, out_axes=axes)


class TestRefused:
    def test_random_generators(self):
        def f(x, rng):
            return x + rng.normal()

        with pytest.raises(UnsupportedFunctionError, match="draws random numbers"):
            vmap(f, in_axes=(0, None))(V, np.random.default_rng(0))
        with pytest.raises(UnsupportedFunctionError, match="mapped over a random generator"):
            vmap(f)(V, np.random.default_rng(0))

    def test_captured_random_generators(self):
        rng = np.random.default_rng(0)
        with pytest.raises(UnsupportedFunctionError, match="draws random numbers"):
            vmap(lambda x: x + rng.normal())(V)

    def test_lists_of_run_time_length(self):
        def f(row):
            found = []
            for x in row:
                if x > 0.0:
                    found.append(x)
            return found

        with pytest.raises(UnsupportedFunctionError, match="returns a list whose length is known at run time"):
            vmap(f)(M)

    def test_structured_arrays(self):
        points = np.zeros(4, [("x", float), ("y", float)])
        with pytest.raises(UnsupportedFunctionError, match="mapped over a structured array"):
            vmap(lambda p: p["x"])(points)


class TestFailures:
    """What an element raises comes from the user's line."""

    def line_of(self, error):
        return error.tb[-1] if hasattr(error, "tb") else error

    @pytest.mark.parametrize("wrap", [lambda f: vmap(f), lambda f: jit(lambda k: vmap(f)(k))], ids=["alone", "inside"])
    def test_index_errors(self, wrap):
        def f(k):
            return TABLE[k + 5]

        same(wrap(f)(np.array([0, 1])), TABLE[5:7])
        with pytest.raises(IndexError, match="out of bounds") as caught:
            wrap(f)(np.array([0, 1, 2]))
        last = caught.traceback[-1]
        assert last.name == "f"
        assert last.lineno == f.__code__.co_firstlineno

    def test_division_of_integers_in_python(self):
        def f(x, k):
            return x * (1 // int(k))

        with pytest.raises(ZeroDivisionError) as caught:
            vmap(f)(V, np.array([1, 1, 0, 1, 1]))
        assert caught.traceback[-1].name == "f"

    def test_exceptions_of_the_function(self):
        def f(x):
            if x > 1.0:
                raise ValueError(f"too large: {x}")
            return x

        same(vmap(f)(np.array([0.5, 1.0])), np.array([0.5, 1.0]))
        with pytest.raises(ValueError, match=r"too large: 2\.5"):
            vmap(f)(np.array([0.5, 2.5, 7.0]))

    def test_unsupported_code_names_its_line(self):
        def f(x):
            yield x

        with pytest.raises(AdcoreError):
            vmap(f)(V)

    def test_sizes_in_compiled_code(self):
        @jit
        def g(x, y):
            return vmap(lambda a, b: a * b)(x, y)

        same(g(V, W), V * W)
        with pytest.raises(ValueError, match="axis 0 of a has size 5, axis 0 of b has size 4"):
            g(V, W[:4])

    def test_wrong_calls_in_compiled_code(self):
        with pytest.raises(UnsupportedFunctionError, match="rank should be at least 1"):
            jit(lambda x: vmap(lambda a: a)(x))(2.0)


# Groups of elements that are run together


def rate_equation(p, steps):
    y, total = 1.0, 0.0
    for _ in range(steps):
        y = y + 0.1 * (p[0] - p[1] * y * y)
        total += math.sqrt(y)
    return total


def sums_of_logarithms(x):
    total = 0.0
    for k in range(3):
        total += math.log(x - k)
    return total


DOMAIN = r"expected a positive input|math domain error"


def guarded(x):
    if x > 2.5:
        raise ArithmeticError(f"too large: {x}")
    return math.log(x)


def recurrent(matrix, v, row):
    state = row.copy()
    for k in range(4):
        state = np.tanh(matrix @ state + row * v[k])
    return state @ v


WEIGHTS = RNG.normal(size=(6, 6)) / 3.0, RNG.normal(size=6)
PRODUCTS = {
    "network": lambda matrix, v, row: (np.tanh(matrix @ row + v) @ v - row[0]) ** 2,
    "recurrent": recurrent,
    "solve": lambda matrix, v, row: np.linalg.solve(matrix + 4.0 * np.eye(6), row) @ v,
    "row times matrix": lambda matrix, v, row: np.sum(np.exp(row @ matrix) * v),
}


def in_groups(program):
    """Whether several elements are run together."""
    loops = [e for e in program.equations if e.primitive.name == "loop"]
    views = [e for loop in loops for e in loop.params["body"].equations if e.primitive.name == "view"]
    return any("s" in e.params["codes"] for e in views)


class TestGroups:
    @pytest.mark.parametrize("n", [1, 15, 16, 17, 32, 53])
    def test_all_elements_are_run_once(self, n):
        parameters = np.random.default_rng(n).uniform(0.5, 1.0, (n, 2))
        found = vmap(rate_equation, (0, None))(parameters, 20)
        same(found, listed(rate_equation, (parameters, 20), (0, None), n=n), 1e-12)

    @pytest.mark.parametrize("name", ["straight", "loop"])
    def test_are_formed(self, name):
        f = SCALAR_FUNCTIONS[name]
        for make in (lambda f: f, grad, value_and_grad, hessian):
            assert in_groups(adcore.program(vmap(make(f)), *drawn(37)[:2]))

    @pytest.mark.parametrize("name", PRODUCTS)
    @pytest.mark.parametrize("n", [31, 32, 75])
    def test_of_products_with_a_common_matrix(self, name, n):
        f, (matrix, v) = PRODUCTS[name], WEIGHTS
        rows = np.random.default_rng(n).normal(size=(n, 6))
        mapped = vmap(f, (None, None, 0))
        assert in_groups(adcore.program(mapped, matrix, v, np.ones((100, 6))))
        same(mapped(matrix, v, rows), listed(f, (matrix, v, rows), (None, None, 0), n=n), 1e-12)
        wrt = (0, 1, 2)
        single = listed(grad(f, argnums=wrt), (matrix, v, rows), (None, None, 0), n=n)
        expected = (np.sum(single[0], axis=0), np.sum(single[1], axis=0), single[2])
        total = grad(lambda m, v, rows: np.sum(mapped(m, v, rows)), argnums=wrt)
        same(total(matrix, v, rows), expected, 1e-11)
        same(vmap(grad(f, argnums=wrt), (None, None, 0))(matrix, v, rows), single, 1e-11)

    @pytest.mark.parametrize("name", ["while", "branches"])
    def test_are_not_formed_where_elements_go_their_own_ways(self, name):
        assert not in_groups(adcore.program(vmap(SCALAR_FUNCTIONS[name]), *drawn(37)[:2]))

    def test_are_not_formed_of_large_elements(self):
        assert not in_groups(adcore.program(vmap(lambda row: np.cumsum(row * row)), np.ones((50, 70))))

    def test_do_not_keep_too_much(self):
        mapped = vmap(grad(rate_equation), (0, None))
        parameters = np.random.default_rng(0).uniform(0.5, 1.0, (17, 2))
        same(mapped(parameters, 2**20), listed(grad(rate_equation), (parameters, 2**20), (0, None), n=17), 1e-9)

    @pytest.mark.parametrize("place", [0, 15, 16, 36])
    @pytest.mark.parametrize("make", [lambda f: f, grad])
    def test_failures_of_mathematics(self, place, make):
        x = np.full(37, 5.0)
        mapped = vmap(make(sums_of_logarithms))
        same(mapped(x), listed(make(sums_of_logarithms), (x,), n=37), 1e-12)
        x[place] = 1.0
        with pytest.raises(ValueError, match=DOMAIN) as caught:
            mapped(x)
        assert caught.traceback[-1].name == "sums_of_logarithms"
        assert caught.traceback[-1].lineno == sums_of_logarithms.__code__.co_firstlineno + 2

    def test_the_first_failure_counts(self):
        x = np.full(53, 1.5)
        x[20], x[22], x[40] = 3.5, -1.0, 7.0
        with pytest.raises(ArithmeticError, match=r"too large: 3\.5"):
            vmap(guarded)(x)
        x[18] = -2.0
        with pytest.raises(ValueError, match=DOMAIN):
            vmap(guarded)(x)

    def test_failures_in_derivatives_of_sums(self):
        x = np.full(37, 5.0)
        total = grad(lambda x: np.sum(vmap(sums_of_logarithms)(x)))
        same(total(x), np.full(37, 1 / 5 + 1 / 4 + 1 / 3), 1e-12)
        x[20] = 0.5
        with pytest.raises(ValueError, match=DOMAIN):
            total(x)

    def test_float32(self):
        x = drawn(37)[0].astype(np.float32)
        found = vmap(lambda x: rate_equation(np.array([x, x]), 5))(x)
        np.testing.assert_allclose(found, [rate_equation(np.array([v, v]), 5) for v in x.astype(float)], rtol=1e-5)

    def test_complex_numbers(self):
        def f(z):
            for _ in range(5):
                z = z * z * 0.5 + 0.3
            return z, abs(z)

        z = drawn(37)[0] + 1j * drawn(37)[1]
        same(vmap(f)(z), listed(f, (z,), n=37), 1e-12)

    def test_in_groups_of_groups(self):
        def f(x, y):
            total = x
            for _ in range(4):
                total = total * 0.5 + y
            return total

        x, y, _ = drawn(37)
        same(vmap(vmap(f, (None, 0)), (0, None))(x, y), np.array([[f(a, b) for b in y] for a in x]), 1e-12)


# With the other transforms

SCALAR_FUNCTIONS = {
    "straight": lambda x, c: math.sin(x) * c + x**3,
    "branches": lambda x, c: x * x * c if x > 1.2 else math.exp(x) * c,
    "while": lambda x, c: newton(x)[0] * c + newton(x * x)[0],
    "loop": lambda x, c: rk4(x, np.array([1.0, 2.0]) * c)[1],
    "writes": lambda x, c: np.sum(written(np.array([x, c, x * c]))),
}


def scalar_functions(f):
    return pytest.mark.parametrize("n", SIZES)(pytest.mark.parametrize("name", SCALAR_FUNCTIONS)(f))


@scalar_functions
def test_gradients_of_elements(name, n):
    f = SCALAR_FUNCTIONS[name]
    x, y, _rows = drawn(n)
    same(vmap(grad(f), (0, None))(x, 0.7), listed(grad(f), (x, 0.7), (0, None), n=n), 1e-12)
    same(vmap(value_and_grad(f, argnums=(0, 1)))(x, y), listed(value_and_grad(f, argnums=(0, 1)), (x, y), n=n), 1e-12)


@scalar_functions
def test_gradients_of_sums(name, n):
    f = SCALAR_FUNCTIONS[name]
    x, y, _rows = drawn(n)
    alone = listed(grad(f, argnums=(0, 1)), (x, y), n=n)
    same(grad(lambda a, b: np.sum(vmap(f)(a, b)), argnums=(0, 1))(x, y), alone, 1e-12)
    shared = listed(grad(f, argnums=(0, 1)), (x, 0.7), (0, None), n=n)
    found = grad(lambda a, c: np.sum(vmap(f, (0, None))(a, c)), argnums=(0, 1))(x, 0.7)
    same(found, (shared[0], float(np.sum(shared[1]))), 1e-12)
    squares = grad(lambda a: np.sum(vmap(f, (0, None))(a, 0.7) ** 2))(x)
    same(squares, 2.0 * listed(f, (x, 0.7), (0, None), n=n) * shared[0], 1e-12)


@scalar_functions
def test_tangents(name, n):
    f = SCALAR_FUNCTIONS[name]
    x, y, _rows = drawn(n)
    value, tangent = jvp(vmap(f), (x, y), (y, x))
    same(value, listed(f, (x, y), n=n), 1e-12)
    same(tangent, listed(lambda a, b, da, db: jvp(f, (a, b), (da, db))[1], (x, y, y, x), n=n), 1e-12)


@scalar_functions
def test_pullbacks(name, n):
    f = SCALAR_FUNCTIONS[name]
    x, y, rows = drawn(n)
    value, pullback = vjp(vmap(f), x, y)
    same(value, listed(f, (x, y), n=n), 1e-12)
    gx, gy = listed(grad(f, argnums=(0, 1)), (x, y), n=n)
    same(pullback(rows[:, 0]), (gx * rows[:, 0], gy * rows[:, 0]), 1e-12)


@scalar_functions
@pytest.mark.parametrize("make", [jacfwd, jacrev])
def test_jacobians(name, n, make):
    f = SCALAR_FUNCTIONS[name]
    x, _y, _rows = drawn(n)
    same(make(vmap(f, (0, None)))(x, 0.7), np.diag(listed(grad(f), (x, 0.7), (0, None), n=n)), 1e-12)
    same(vmap(make(f), (0, None))(x, 0.7), listed(grad(f), (x, 0.7), (0, None), n=n), 1e-12)


@scalar_functions
def test_second_derivatives(name, n):
    f = SCALAR_FUNCTIONS[name]
    x, _y, _rows = drawn(n)
    second = listed(grad(grad(f)), (x, 0.7), (0, None), n=n)
    same(vmap(grad(grad(f)), (0, None))(x, 0.7), second, 1e-10)
    same(vmap(hessian(f), (0, None))(x, 0.7), second, 1e-10)
    same(hessian(lambda a: np.sum(vmap(f, (0, None))(a, 0.7)))(x), np.diag(second), 1e-10)
    same(grad(lambda a: np.sum(vmap(grad(f), (0, None))(a, 0.7)))(x), second, 1e-10)


VECTOR_FUNCTIONS = {
    "elementwise": lambda row: np.sum(np.sin(row) * row),
    "product": lambda row: row @ S[0] @ row,
    "solve": lambda row: np.sum(np.linalg.solve(S[1] + np.diag(row) + 4.0 * np.eye(3), row)),
    "written": lambda row: np.sum(written(row.copy()) ** 2),
    "searched": lambda row: searched(row, 0.9),
    "while": lambda row: newton(np.sum(row * row))[0],
    "recurrence": lambda row: rk4(row[0] ** 2, row)[2],
}


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", VECTOR_FUNCTIONS)
class TestVectorFunctions:
    def test_gradients(self, name, n):
        f = VECTOR_FUNCTIONS[name]
        rows = drawn(n)[2]
        expected = listed(grad(f), (rows,), n=n)
        same(vmap(grad(f))(rows), expected, 1e-11)
        same(grad(lambda m: np.sum(vmap(f)(m)))(rows), expected, 1e-11)
        same(grad(lambda m: np.sum(vmap(f, 1)(m)))(rows.T.copy()), expected.T.copy(), 1e-11)

    def test_hessians(self, name, n):
        f = VECTOR_FUNCTIONS[name]
        rows = drawn(n)[2]
        same(vmap(hessian(f))(rows), listed(hessian(f), (rows,), n=n), 1e-10)

    def test_jacobian_is_jvp_over_unit_vectors(self, name, n):
        f = grad(VECTOR_FUNCTIONS[name])
        units = np.eye(3)[np.arange(n) % 3]
        columns = vmap(lambda v: jvp(f, (M[0],), (v,))[1], out_axes=1)(units)
        same(columns, jacfwd(f)(M[0])[:, np.arange(n) % 3].copy(), 1e-10)
        rows = vmap(lambda v: jvp(f, (M[0],), (v,))[1])(units)
        same(rows, jacrev(f)(M[0])[np.arange(n) % 3], 1e-10)


class TestNesting:
    def test_two_loops(self):
        found = vmap(vmap(branches, (None, 0)), (0, None))(V, W)
        same(found, np.array([[branches(x, y) for y in W] for x in V]))

    def test_two_loops_and_a_gradient(self):
        total = grad(lambda x, y: np.sum(vmap(vmap(branches, (None, 0)), (0, None))(x, y)), argnums=(0, 1))(V, W)
        every = [[grad(branches, argnums=(0, 1))(x, y) for y in W] for x in V]
        same(total[0], np.array([sum(g[0] for g in row) for row in every]), 1e-12)
        same(total[1], np.array([sum(every[i][j][1] for i in range(5)) for j in range(5)]), 1e-12)

    def test_three_loops(self):
        found = vmap(vmap(vmap(lambda x: x * x)))(S)
        same(found, S * S)

    def test_axes_in_and_out(self):
        same(vmap(vmap(lambda v: v[::-1], 1, 1), 2, 0)(S), listed(lambda a: a[::-1], (S.transpose(2, 0, 1),), n=3))

    def test_of_compiled_functions(self):
        same(vmap(jit(branches))(V, W), listed(branches, (V, W)))
        same(jit(vmap(branches))(V, W), listed(branches, (V, W)))

    def test_of_checkpoints(self):
        f = adcore.checkpoint(lambda x: rk4(x, np.array([1.0, 2.0]))[0])
        same(grad(lambda x: np.sum(vmap(f)(x)))(V), listed(grad(f), (V,)), 1e-12)
        g = adcore.checkpoint(vmap(f))
        same(grad(lambda x: np.sum(g(x)))(V), listed(grad(f), (V,)), 1e-12)

    def test_in_loops(self):
        def f(x):
            for _ in range(3):
                x = vmap(lambda y: math.sin(y) + 0.5)(x)
            return np.sum(x)

        def plain(x):
            for _ in range(3):
                x = np.sin(x) + 0.5
            return np.sum(x)

        same(grad(f)(V), grad(plain)(V), 1e-12)
        same(hessian(f)(V), hessian(plain)(V), 1e-12)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", ["elementwise", "product", "recurrence", "while"])
class TestProductsOfSecondOrder:
    def test_diagonals(self, name, n):
        f, rows = VECTOR_FUNCTIONS[name], drawn(n)[2]
        same(vmap(adcore.laplacian(f))(rows), listed(adcore.laplacian(f), (rows,), n=n), 1e-10)
        whole = adcore.laplacian(lambda m: np.sum(vmap(f)(m)))(rows)
        same(whole, float(np.sum(listed(adcore.laplacian(f), (rows,), n=n))), 1e-10)

    def test_products_with_hessians(self, name, n):
        f, rows = VECTOR_FUNCTIONS[name], drawn(n)[2]
        product = lambda v: adcore.hvp(f, (M[0],), (v,))[1]  # noqa: E731
        same(vmap(product)(rows), rows @ hessian(f)(M[0]), 1e-9)

    def test_linear_maps(self, name, n):
        f, (x, _, rows) = VECTOR_FUNCTIONS[name], drawn(n)
        _, pushforward = adcore.linearize(vmap(f), rows)
        same(pushforward(rows), jvp(vmap(f), (rows,), (rows,))[1], 1e-12)

        def pulled(rows, weights):
            _, pullback = vjp(vmap(f), rows)
            return pullback(weights)[0]

        same(jit(pulled)(rows, x), listed(grad(f), (rows,), n=n) * x[:, None], 1e-11)


def outside(t):
    return np.exp(t)


def test_of_functions_that_are_not_compiled():
    f = lambda x: adcore.host_call(outside, 0.0, x, derivative="complex") ** 2  # noqa: E731
    same(vmap(f)(V), np.exp(2.0 * V), 1e-12)
    same(grad(lambda x: np.sum(vmap(f)(x)))(V), 2.0 * np.exp(2.0 * V), 1e-12)


class TestInsideCompiledCode:
    def test_of_local_functions(self):
        @jit
        def f(x, s):
            def inner(y):
                return y * s

            return vmap(inner)(x)

        same(f(V, 2.0), V * 2.0)

    def test_derivatives_flow_through_what_it_closes_over(self):
        def f(s, row, x):
            def inner(y):
                if y > 1.0:
                    return y * s * np.sum(row)
                return y + s**2

            return np.sum(vmap(inner)(x))

        arguments = (0.7, M[0], V)

        def plain(s, row, x):
            total = 0.0
            for y in x:
                total += y * s * np.sum(row) if y > 1.0 else y + s**2
            return total

        same(grad(f, argnums=(0, 1, 2))(*arguments), grad(plain, argnums=(0, 1, 2))(*arguments), 1e-12)
        same(hessian(f)(*arguments), hessian(plain)(*arguments), 1e-12)
        dots = (1.0, M[1], W)
        same(jvp(f, arguments, dots)[1], jvp(plain, arguments, dots)[1], 1e-12)

    def test_derivatives_inside(self):
        def f(x, c):
            def inner(y):
                return y**3 * c

            return np.sum(vmap(grad(inner))(x))

        same(f_value := jit(f)(V, 2.0), float(np.sum(6.0 * V**2)), 1e-12)
        assert isinstance(f_value, float)
        same(grad(f, argnums=1)(V, 2.0), float(np.sum(3.0 * V**2)), 1e-12)

    def test_axes(self):
        @jit
        def f(a, p):
            twice = vmap(lambda v, q: (v * q["w"], q["w"] * 2.0), in_axes=(1, {"w": None}), out_axes=(1, None))
            return twice(a, p)

        same(f(M, {"w": 3.0}), (M * 3.0, 6.0))

    def test_decorators(self):
        @jit
        def f(x, y):
            @vmap(in_axes=(0, None))
            def inner(a, c):
                return a * c

            return inner(x, y)

        same(f(V, 3.0), V * 3.0)

    def test_defaults(self):
        def helper(x, k=2):
            return x**k

        same(jit(lambda x: vmap(helper)(x))(V), V**2)


# Laws


@pytest.fixture
def one_thread():
    before = adcore.get_num_threads()
    adcore.set_num_threads(1)
    yield
    adcore.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
class TestParallel:
    @named()
    def test_is_as_one_after_the_other(self, name):
        f, arguments, in_axes, out_axes = CALLS[name]
        axes = in_axes if isinstance(in_axes, tuple) else (in_axes,) * len(arguments)
        batch = enlarged(arguments, axes, 37)
        same(vmap(f, in_axes, out_axes, parallel=True)(*batch), vmap(f, in_axes, out_axes)(*batch), 0.0)

    @pytest.mark.parametrize("count", [1, 2, 3])
    @pytest.mark.parametrize("n", [5, 3001])
    def test_counts_of_threads(self, count, n):
        adcore.set_num_threads(count)
        k = np.arange(1, n + 1)
        np.testing.assert_array_equal(vmap(collatz, parallel=True)(k), [collatz(int(j)) for j in k])

    def test_derivatives(self):
        x = np.random.default_rng(0).uniform(0.5, 2.0, 3000)
        f = lambda x: newton(x)[0] * math.sin(x)  # noqa: E731
        alone = vmap(grad(f))(x)
        same(vmap(grad(f), parallel=True)(x), alone, 0.0)
        same(grad(lambda x: np.sum(vmap(f, parallel=True)(x)))(x), alone, 1e-14)
        assert "parallel=True" in to_text(adcore.program(grad(lambda x: np.sum(vmap(f, parallel=True)(x))), x))

    @pytest.mark.parametrize("name", ["network", "recurrent"])
    def test_sums_of_cotangents(self, name):
        rows = np.random.default_rng(1).normal(size=(3000, 6))
        over = [vmap(PRODUCTS[name], (None, None, 0), parallel=parallel) for parallel in (False, True)]
        alone, together = (grad(lambda m, v, r, f=f: np.sum(f(m, v, r)), argnums=(0, 1, 2)) for f in over)
        same(together(*WEIGHTS, rows), alone(*WEIGHTS, rows), 1e-11)

    def test_the_first_failure_counts(self):
        x = np.full(5000, 1.5)
        x[3000], x[3001], x[4999] = 3.5, -1.0, 7.0
        with pytest.raises(ArithmeticError, match=r"too large: 3\.5"):
            vmap(guarded, parallel=True)(x)

    def test_is_for_its_loop_alone(self):
        """The loop over the elements is shared out, and no other one."""
        code = backend().assembly(adcore.program(vmap(collatz, parallel=True), K))
        assert "call void @adcore_fork_join_wide(" in code
        assert "call void @adcore_fork_join(" not in code
        assert "adcore_fork_join" not in backend().assembly(adcore.program(vmap(collatz), K))

    @pytest.mark.skipif(not os.path.isdir("/proc/self/task") or processors() < 2, reason="needs several processors")
    def test_uses_all_processors(self, tmp_path):
        script = tmp_path / "script.py"
        script.write_text("""if True:
            import os, numpy as np, adcore
            from adcore.threads import processors
            def steps(n):
                k = 0
                while n != 1:
                    n = n // 2 if n % 2 == 0 else 3 * n + 1
                    k += 1
                return k
            alone, together = adcore.vmap(steps), adcore.vmap(steps, parallel=True)
            numbers = np.arange(1, 20001)
            first = alone(numbers)
            before = len(os.listdir("/proc/self/task"))
            assert adcore.get_num_threads() == 1
            assert np.array_equal(first, together(numbers))
            assert len(os.listdir("/proc/self/task")) == before + processors() - 1
            adcore.set_num_threads(2)
            assert np.array_equal(first, together(numbers))
            """)
        subprocess.run([sys.executable, str(script)], check=True, timeout=120)


class TestLaws:
    @named(["rows", "columns", "middle axis", "results along several axes"])
    def test_moved_axes(self, name):
        f, (a,), in_axis, out_axes = CALLS[name]
        moved = vmap(f, -1, out_axes)(np.moveaxis(a, in_axis, -1))
        same(moved, vmap(f, in_axis, out_axes)(a))

    def test_of_a_composition(self):
        f, g = (lambda x: np.sin(x) * x), (lambda x: x**2 + 1.0)
        same(vmap(lambda x: f(g(x)))(V), vmap(f)(vmap(g)(V)))

    def test_order_of_the_batch(self):
        order = np.array([3, 1, 4, 0, 2])
        same(vmap(newton)(V[order]), tuple(r[order] for r in vmap(newton)(V)))

    def test_parts_of_the_batch(self):
        found = vmap(searched)(M, V)
        same(np.concatenate([vmap(searched)(M[:2], V[:2]), vmap(searched)(M[2:], V[2:])]), found)


@given(source=functions())
@settings(max_examples=12, deadline=None)
def test_random_programs_are_single_calls(source):
    f, n = compiled_from(source), 19
    x, y, _ = drawn(n)
    arrays = np.random.default_rng(1).uniform(-1.0, 1.0, (n, 4))
    check_single_calls(f, (x, y, arrays, np.arange(n) % 4), 0)
    check_single_calls(f, (x, y, arrays, 3), (0, 0, 0, None))


def check_single_calls(f, arguments, axes):
    n, single, derivative = len(arguments[0]), jit(f), value_and_grad(f, argnums=(0, 1, 2))
    mapped = vmap(f, axes)
    same(mapped(*arguments), listed(single, arguments, axes, n=n), 1e-12)
    expected = listed(derivative, arguments, axes, n=n)
    same(vmap(derivative, axes)(*arguments), expected, 1e-9)
    sums = grad(lambda x, y, a, k: np.sum(mapped(x, y, a, k)), argnums=(0, 1, 2))
    same(sums(*arguments), expected[1], 1e-9)


JAX_FUNCTIONS = {
    "polynomial": lambda np: lambda x, row: x**2 * row + np.sin(row),
    "matrix": lambda np: lambda x, row: np.outer(row, row) * x,
    "tree": lambda np: lambda x, row: {"a": (x, row[::-1]), "b": np.sum(row) * x},
    "reduction": lambda np: lambda x, row: np.max(row) + np.linalg.norm(row) * x,
}


@pytest.mark.parametrize("in_axes", [(0, 0), (None, 0), (0, None), (0, 1), (0, -1)])
@pytest.mark.parametrize("out_axes", [0, -1])
@pytest.mark.parametrize("name", JAX_FUNCTIONS)
def test_as_jax(name, in_axes, out_axes):
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        make = JAX_FUNCTIONS[name]
        x = V if in_axes[0] == 0 else 1.5
        rows = {0: M, None: M[0], 1: M.T.copy(), -1: M.T.copy()}[in_axes[1]]
        expected = jax.vmap(make(jax.numpy), in_axes, out_axes)(x, rows)
        found = vmap(make(np), in_axes, out_axes)(x, rows)
        same(found, jax.tree.map(np.asarray, expected), 1e-12)
        if name == "tree":
            return
        theirs = lambda x, rows: jax.numpy.sum(jax.vmap(make(jax.numpy), in_axes, out_axes)(x, rows))  # noqa: E731
        expected = jax.grad(theirs, argnums=(0, 1))(x, rows)
        over_batch = vmap(make(np), in_axes, out_axes)
        ours = grad(lambda x, rows: np.sum(over_batch(x, rows)), argnums=(0, 1))(x, rows)
        for one, other in zip(ours, expected, strict=True):
            np.testing.assert_allclose(one, np.asarray(other), rtol=1e-11, atol=1e-12)
