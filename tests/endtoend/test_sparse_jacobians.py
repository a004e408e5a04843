"""Sparse Jacobians and Hessians: patterns, elements, arguments of all kinds, what is kept, what is refused."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from generated import compiled_from, functions
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from scipy import sparse
from test_generated import POINTS

import adcore
from adcore import AdcoreError, DtypeError, grad, hessian, jacfwd, jit, jvp
from adcore.builder import Builder
from adcore.columns import concatenated
from adcore.derive import push
from adcore.plugins import backend
from adcore.program import Program
from adcore.sparse import hessian_pattern, jacobian_pattern, sparse_hessian, sparse_jacobian
from adcore.sparse.dataflow import depend
from adcore.sparse.decisions import bare, values_read
from adcore.sparse.probing import probed
from adcore.types import I64, Var, i64
from adcore.verify import verify
from proofs.random_programs import LENGTH, random_arguments, random_program

RNG = np.random.default_rng(7)
A = RNG.normal(size=(5, 6))
PLACES = np.array([5, 0, 0, 3, -1])


def looped(x):
    y = np.empty(len(x))
    for k in range(len(x)):
        y[k] = math.sin(x[k]) * x[(k + 1) % len(x)]
    return y


def branching(x):
    y = np.zeros(len(x))
    for k in range(1, len(x)):
        if x[k] > 0.0:
            y[k] = x[k] * x[k - 1]
        else:
            y[k] = x[0] ** 2
    return y


def waiting(x):
    y, steps = x.copy(), 0
    while steps < 2 and y[0] < 100.0:
        y[1:] += 0.5 * y[:-1] ** 2
        steps += 1
    return y


def rewritten(x):
    y = x.copy()
    y[2:4] = 1.0
    y[0] *= y[5]
    y[::2] += x[1::2]
    return y


def helped(x):
    def pair(a, b):
        return a * b, a + b

    out = np.zeros((len(x) // 2, 2))
    for k in range(len(x) // 2):
        out[k, 0], out[k, 1] = pair(x[2 * k], x[2 * k + 1])
    return out


def added(x):
    y = np.zeros(4)
    for k in range(len(x)):
        y[k // 2] += x[k] ** 2
    return y


def piled(x):
    y = np.zeros(6)
    np.add.at(y, PLACES, x[:5] ** 2)
    return y


def relaxed(u):
    v = u.reshape(2, 3)
    r = v**3
    r[1:] -= v[:-1]
    r[:, 1:] -= v[:, :-1]
    return r


def rooted(x):
    """Newton's method, as many steps as it takes."""
    y = np.ones(len(x))
    for k in range(len(x)):
        while abs(y[k] ** 2 - abs(x[k]) - 1.0) > 1e-12:
            y[k] -= (y[k] ** 2 - abs(x[k]) - 1.0) / (2.0 * y[k])
    return y


FUNCTIONS = {
    "elementwise": lambda x: np.sin(x) * x,
    "reversed": lambda x: x[::-1] * x,
    "differences": lambda x: x[1:] ** 2 - x[:-1],
    "loop": looped,
    "branches": branching,
    "while": waiting,
    "writes": rewritten,
    "helper": helped,
    "added in place": added,
    "piled up": piled,
    "matrix": lambda x: A @ x,
    "product": lambda x: np.outer(x, x)[1:3] @ x,
    "running sum": lambda x: np.cumsum(x * x),
    "running product": lambda x: np.cumprod(x[:4]),
    "sorted": lambda x: np.sort(x * x),
    "where": lambda x: np.where(x > 0.0, x, np.roll(x, 1)),
    "maximum": lambda x: np.maximum(x, 0.3 * x[::-1]),
    "places": lambda x: x[PLACES] * x[1],
    "scalar": lambda x: np.sum(x[1:4] ** 2),
    "norm": lambda x: np.linalg.norm(x[:3]) * x,
    "extremum": lambda x: np.array([np.max(x), x[0]]),
    "concatenated": lambda x: np.concatenate([x[3:], np.zeros(2), x[:1] ** 2]),
    "stacked": lambda x: np.stack([x[:3], x[3:] * x[0]], axis=1),
    "grid": relaxed,
    "solve": lambda x: np.linalg.solve(np.diag(x[:3] ** 2 + 1.0), x[3:]),
    "cholesky": lambda x: np.linalg.cholesky(np.outer(x[:2], x[:2]) + 2.0 * np.eye(2)),
    "inverse": lambda x: np.linalg.inv(x[:4].reshape(2, 2) + 3.0 * np.eye(2)) * x[4],
    "eigenvalues": lambda x: np.linalg.eigvalsh(np.outer(x[:2], x[1:3]) + np.diag(x[3:5])),
    "singular values": lambda x: np.linalg.svd(x[:4].reshape(2, 2) + np.eye(2), compute_uv=False),
    "orthogonal": lambda x: np.linalg.qr(x.reshape(3, 2) + np.eye(3, 2))[0],
    "products of a stack": lambda x: np.stack([A[:2, :2], A[2:4, :2]]) @ x[:4].reshape(2, 2, 1),
    "convolution": lambda x: np.convolve(x, np.array([1.0, 0.0, -2.0])),
    "interpolation": lambda x: np.interp(x[:3], np.array([-1.0, 0.0, 2.0]), x[3:]),
    "by a mask": lambda x: x[x > 0.0] ** 2,
    "chosen by a counter": lambda x: np.where(np.arange(6) < 3, x, x[::-1] ** 2),
    "repeated": lambda x: np.repeat(x[:2] * x[2], 3),
    "spectrum": lambda x: np.abs(np.fft.fft(x[:3])) ** 2 + x[3:],
    "searched": rooted,
    "constant": lambda x: np.ones(3),
    "rounded": lambda x: np.floor(x),
    "gradient": grad(lambda x: np.sum(x[1:] * np.sin(x[:-1]))),
    "gradient of a loop": grad(lambda x: np.sum(looped(x) ** 2)),
    "direction": lambda x: jvp(looped, (x,), (np.ones(6),))[1],
    "columns": lambda x: jacfwd(lambda y: y[:3] * y[1:4])(x),
    "compiled": jit(branching),
}


def named(functions):
    return pytest.mark.parametrize("f", functions.values(), ids=list(functions))


def dense(f, x):
    return np.asarray(jacfwd(f)(x)).reshape(-1, x.size)


def points(count=3):
    return [np.random.default_rng(seed).normal(size=6) for seed in range(count)]


def holds(pattern, matrix):
    """Whether the pattern has all places of the matrix that are not 0."""
    return not np.any((matrix != 0.0) & ~pattern.toarray())


@named(FUNCTIONS)
def test_patterns_and_elements(f):
    columns, rows = sparse_jacobian(f, mode="columns"), sparse_jacobian(f, mode="rows")
    for x in points():
        expected = dense(f, x)
        found = columns(x)
        assert isinstance(found, sparse.csr_array)
        pattern = columns.plan(x).pattern
        assert holds(pattern.matrix(np.ones(pattern.count, bool)), expected)
        np.testing.assert_allclose(found.toarray(), expected, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(rows(x).toarray(), expected, rtol=1e-11, atol=1e-13)


SCALAR = {
    "chained": lambda x: np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2),
    "loop": lambda x: np.sum(looped(x) ** 2),
    "branches": lambda x: np.sum(branching(x) ** 2),
    "while": lambda x: np.sum(waiting(x)),
    "dense": lambda x: np.sum(x) ** 2,
    "linear": lambda x: np.sum(A @ x),
    "arrow": lambda x: x[0] ** 2 * np.sum(x**2),
    "places": lambda x: np.sum(x[PLACES] ** 2 * x[1]),
    "separate": lambda x: np.sum(np.cos(x)),
    "piled up": lambda x: np.sum(piled(x) ** 2),
    "grid": lambda x: np.sum(relaxed(x) ** 2),
}


@named(SCALAR)
@pytest.mark.parametrize("coloring", ["star", "acyclic"])
def test_hessians(f, coloring):
    second = sparse_hessian(f, coloring=coloring, check=True)
    for x in points():
        expected = hessian(f)(x)
        found = second(x)
        pattern = second.plan(x).pattern
        assert holds(pattern.matrix(np.ones(pattern.count, bool)), expected)
        np.testing.assert_allclose(found.toarray(), expected, rtol=1e-10, atol=1e-11)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(functions(depth=2), POINTS)
def test_hessians_of_generated_functions(source, point):
    note(source)
    f = compiled_from(source)
    blocks = hessian(f, argnums=(0, 1, 2))(*point)
    rows = [[np.reshape(part, (-1, n)) for part, n in zip(row, (1, 1, 4), strict=True)] for row in blocks]
    expected = np.block(rows)
    second = sparse_hessian(f, argnums=(0, 1, 2))
    np.testing.assert_allclose(second(*point).toarray(), expected, rtol=1e-9, atol=1e-10)


# Patterns that are known


def tridiagonal(x):
    y = 2.0 * x
    y[1:] -= x[:-1] ** 2
    y[:-1] -= x[1:]
    return y


def arrow(x):
    y = x * x[0]
    y[0] = np.sum(x**2)
    return y


def blocks(x):
    y = np.zeros(len(x))
    for k in range(0, len(x), 3):
        for i in range(3):
            for j in range(3):
                y[k + i] += x[k + j] ** 2
    return y


def five_points(u):
    r = 4.0 * u + u**3
    r[1:] -= u[:-1]
    r[:-1] -= u[1:]
    r[:, 1:] -= u[:, :-1]
    r[:, :-1] -= u[:, 1:]
    return r


def laplacian(m, n):
    line = [sparse.csr_array(np.tri(k, k=1) - np.tri(k, k=-2)) for k in (m, n)]
    return (sparse.kron(line[0], sparse.eye_array(n)) + sparse.kron(sparse.eye_array(m), line[1])) != 0


def arrow_pattern(n):
    found = np.eye(n, dtype=bool)
    found[0] = found[:, 0] = True
    return found


KNOWN = {
    "tridiagonal": (tridiagonal, np.ones(200), np.tri(200, k=1, dtype=bool) & ~np.tri(200, k=-2, dtype=bool)),
    "arrow": (arrow, np.ones(300), arrow_pattern(300)),
    "blocks": (blocks, np.ones(99), np.kron(np.eye(33), np.ones((3, 3))) != 0),
    "grid": (five_points, np.ones((13, 17)), laplacian(13, 17).toarray()),
    "triangle": (np.cumsum, np.ones(80), np.tri(80, dtype=bool)),
    "permutation": (lambda x: np.sort(x), np.arange(70.0)[::-1].copy(), np.eye(70)[::-1] != 0),
    "nothing": (lambda x: np.zeros(5) + np.floor(x[0]), np.ones(90), np.zeros((5, 90), bool)),
    "one row": (lambda x: x @ x, np.ones(130), np.ones((1, 130), bool)),
    "one column": (lambda x: x * np.arange(70.0), 2.0, np.ones((70, 1), bool)),
    "one element": (lambda x: x[0] ** 2, np.ones(1), np.ones((1, 1), bool)),
    "chosen sides": (lambda x: np.where(np.arange(70) % 2 == 0, x, x[::-1]), np.ones(70), None),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_patterns(name):
    f, x, expected = KNOWN[name]
    if expected is None:  # a mask that no argument decides is kept
        expected = np.where((np.arange(70) % 2 == 0)[:, None], np.eye(70), np.eye(70)[::-1]) != 0
    np.testing.assert_array_equal(jacobian_pattern(f, x).toarray(), expected)


COLOURS = {
    "tridiagonal": (tridiagonal, np.ones(200), 3),
    "arrow": (arrow, np.ones(300), 3),
    "blocks": (blocks, np.ones(99), 3),
    "elementwise": (np.sin, np.ones(1000), 1),
    "one row": (lambda x: x @ x, np.ones(130), 1),
}


@pytest.mark.parametrize("name", COLOURS)
def test_few_sums(name):
    f, x, count = COLOURS[name]
    jacobian = sparse_jacobian(f)
    np.testing.assert_allclose(jacobian(x).toarray(), dense(f, x))
    assert jacobian.plan(x).sums == count


def test_more_sums_than_are_computed_at_once():
    matrix = RNG.normal(size=(70, 150)) * (RNG.uniform(size=(70, 150)) < 0.6)
    matrix[0] = 1.0

    def f(x):
        return matrix @ x**2

    x = RNG.normal(size=150)
    jacobian = sparse_jacobian(f, mode="columns")
    np.testing.assert_allclose(jacobian(x).toarray(), 2.0 * matrix * x)
    assert jacobian.plan(x).sums == 150
    second = sparse_hessian(lambda x: np.sum(f(x)) ** 2, coloring="acyclic")
    np.testing.assert_allclose(second(x).toarray(), hessian(lambda x: np.sum(f(x)) ** 2)(x), rtol=1e-9, atol=1e-9)


def test_random_programs():
    """Of every real argument and result of generated programs, by the patterns' own program."""
    checked = 0
    for seed in range(40):
        program, arguments = random_program(seed), random_arguments(seed)
        b = Builder()
        b.adopt(program.equations)
        real = [r for r in program.results if r.type.dtype.differentiable]
        if not real:
            continue
        flat = Program(program.params, b.equations, (concatenated(b, real),))
        wrt = [0, 1, 2]
        words = Var(i64(Var(I64, "length")), "words")
        sets = bare(depend(flat, wrt, words))
        sets.params = (*sets.params, words)
        verify(sets)
        numbers = np.arange(2 * LENGTH + 1)
        found = backend().compile(sets)(*arguments, np.left_shift(1, numbers))[0]
        pattern = (found[:, None] >> numbers) & 1
        pushed = push(flat, wrt)
        run = backend().compile(pushed)
        columns = []
        for unit in np.eye(2 * LENGTH + 1):
            tangents = unit[:LENGTH].copy(), unit[LENGTH : 2 * LENGTH].copy(), float(unit[-1])
            columns.append(run(*arguments, *tangents)[1])
        jacobian = np.stack(columns, axis=1)
        assert not np.any((jacobian != 0.0) & (pattern == 0)), seed
        other = [np.zeros(LENGTH) if k in (0, 1) else 0.25 if k == 2 else a for k, a in enumerate(arguments)]
        mixed = [a if k in values_read(sets) else o for k, (a, o) in enumerate(zip(arguments, other, strict=True))]
        np.testing.assert_array_equal(backend().compile(sets)(*mixed, np.left_shift(1, numbers))[0], found)
        checked += 1
    assert checked > 25


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 300), st.integers(1, 40), st.floats(0.0, 0.3))
def test_probing(seed, columns, rows, density):
    """Patterns of random matrices from unions of their columns."""
    matrix = np.random.default_rng(seed).uniform(size=(rows, columns)) < density

    def run(words):
        return np.array([np.bitwise_or.reduce(words[row], initial=0) for row in matrix], np.int64)

    np.testing.assert_array_equal(probed(run, columns).matrix(np.ones(int(matrix.sum()))).toarray() != 0, matrix)


@pytest.mark.parametrize("reach", [3000, 40])
def test_probing_of_many_rows(reach):
    """Rows with five places, anywhere or close by: more rows than are looked at to see how many colours it takes."""
    rows, columns = np.repeat(np.arange(6000), 5), RNG.integers(0, reach, 30000)
    columns = (columns + rows // 2) % 3000
    matrix = sparse.csr_array((np.ones(30000), (rows, columns)), shape=(6000, 3000)).astype(bool)

    def run(words):
        return np.bitwise_or.reduceat(words[matrix.indices], matrix.indptr[:-1])

    pattern = probed(run, 3000)
    assert (pattern.matrix(np.ones(pattern.count, bool)) != matrix).nnz == 0


# Arguments and results


def test_trees_and_several_arguments():
    def f(p, s, n, t):
        return {"a": p["w"] * s * t[1:], "b": (n * np.sum(p["m"]), 3, s)}

    p = {"w": np.array([1.0, 2.0]), "m": np.arange(6.0).reshape(2, 3), "n": 5}
    arguments = p, 2.0, 3, np.array([1.0, 4.0, 5.0])
    found = sparse_jacobian(f, argnums=(1, 0))(*arguments)
    expected = np.zeros((4, 9))
    expected[:2, 0] = [4.0, 10.0]
    expected[:2, 1:3] = np.diag([8.0, 10.0])
    expected[2, 3:] = 3.0
    expected[3, 0] = 1.0
    np.testing.assert_allclose(found.toarray(), expected)


def test_hessians_of_several_arguments():
    def f(x, s, y):
        return np.sum(x * y[:2]) * s**2

    x, s, y = np.array([1.0, 2.0]), 3.0, np.array([4.0, 5.0, 6.0])
    found = sparse_hessian(f, argnums=(0, 1, 2))(x, s, y)
    flat = hessian(lambda z: np.sum(z[:2] * z[3:5]) * z[2] ** 2)(np.array([*x, s, *y]))
    np.testing.assert_allclose(found.toarray(), flat)


def test_numbers():
    np.testing.assert_allclose(sparse_jacobian(lambda x: x**3)(2.0).toarray(), [[12.0]])
    np.testing.assert_allclose(sparse_hessian(lambda x: x**3)(2.0).toarray(), [[12.0]])


def test_hessian_takes_a_pattern():
    f = SCALAR["chained"]
    x = points(1)[0]
    for given_as in (True, np.ones((6, 6)), hessian_pattern(f, x)):
        found = hessian(f, sparse=given_as)(x)
        assert isinstance(found, sparse.csr_array)
        np.testing.assert_allclose(found.toarray(), hessian(f)(x))
    with pytest.raises(ValueError, match="takes no has_aux"):
        hessian(f, has_aux=True, sparse=True)


def test_static_arguments():
    @partial(jit, static_argnums=1)
    def power(x, n):
        return x * power(x, n - 1) if n else np.ones(3)

    np.testing.assert_allclose(sparse_jacobian(power)(np.arange(3.0), 3).toarray(), np.diag([0.0, 3.0, 12.0]))
    found = sparse_jacobian(lambda x, kind: x if kind == "all" else x[:1])
    assert [found(np.ones(3), kind).shape for kind in ("all", "first", "all")] == [(3, 3), (1, 3), (3, 3)]


def test_methods():
    class Model:
        def __init__(self):
            self.weights = np.arange(3.0)

        @partial(sparse_jacobian, argnums=1)
        def jacobian(self, x):
            """The model's values."""
            return self.weights * x

    np.testing.assert_allclose(Model().jacobian(np.ones(3)).toarray(), np.diag([0.0, 1.0, 2.0]))
    assert Model.jacobian.__doc__ == "The model's values."


def test_keywords_and_defaults():
    jacobian = sparse_jacobian(lambda x, k=2.0, *, power=1: k * x**power)
    np.testing.assert_allclose(jacobian(x=np.ones(2), power=3).toarray(), 6.0 * np.eye(2))


def test_shapes_are_raveled():
    x = RNG.normal(size=(3, 4))
    f = lambda x: (x * x).T  # noqa: E731
    np.testing.assert_allclose(sparse_jacobian(f)(x).toarray(), jacfwd(f)(x).reshape(12, 12))


@pytest.mark.parametrize("x", [np.zeros(0), np.zeros((3, 0))])
def test_nothing(x):
    assert sparse_jacobian(lambda x: np.sin(x))(x).shape == (0, 0)
    assert sparse_jacobian(lambda x: np.sum(x) + np.ones(3))(x).shape == (3, 0)


def test_no_rows():
    assert sparse_jacobian(lambda x: x[2:2] ** 2)(np.ones(5)).shape == (0, 5)


def test_float32():
    x = np.linspace(0.5, 1.0, 9, dtype=np.float32)
    for mode in ("columns", "rows"):
        found = sparse_jacobian(tridiagonal, mode=mode, check=True)(x)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found.toarray(), dense(tridiagonal, x), rtol=1e-5)
    assert sparse_hessian(lambda x: np.sum(x**3))(x).dtype == np.float32


def test_formats():
    x = RNG.normal(size=30)
    for mode in ("columns", "rows", "bidirectional"):
        found = sparse_jacobian(arrow, format="csc", mode=mode)(x)
        assert isinstance(found, sparse.csc_array)
        np.testing.assert_allclose(found.toarray(), dense(arrow, x))
    f = lambda x: np.sum(looped(x) ** 2)  # noqa: E731
    for coloring in ("star", "acyclic"):
        found = sparse_hessian(f, format="csc", coloring=coloring)(x)
        assert isinstance(found, sparse.csc_array)
        np.testing.assert_allclose(found.toarray(), hessian(f)(x))


def test_arguments_are_left_alone():
    def f(x):
        x[0] = 3.0 * x[1]
        return x

    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(sparse_jacobian(f)(x).toarray(), [[0.0, 3.0], [0.0, 1.0]])
    assert list(x) == [1.0, 2.0]


def test_results_are_the_callers():
    jacobian = sparse_jacobian(tridiagonal)
    first = jacobian(np.ones(5))
    first.indices[:] = 0
    first.data[:] = 0.0
    np.testing.assert_allclose(jacobian(np.ones(5)).toarray(), dense(tridiagonal, np.ones(5)))


# What is kept


def counted(jacobian, monkeypatch):
    """How often patterns are found from now on."""
    found = []
    detect = jacobian._detected
    monkeypatch.setattr(jacobian, "_detected", lambda *a: found.append(1) or detect(*a))
    return found


def test_a_pattern_is_found_once_for_each_shape(monkeypatch):
    jacobian = sparse_jacobian(looped)
    found = counted(jacobian, monkeypatch)
    for n in (20, 30, 20, 30):
        for seed in range(3):
            x = np.random.default_rng(seed).normal(size=n)
            np.testing.assert_allclose(jacobian(x).toarray(), dense(looped, x))
    assert len(found) == 2


def divided(x, y):
    """Python's numbers, whose divisions are checked, and arrays, whose lengths are."""
    out = np.empty(len(x) - 1)
    z = x[1:] * y[:-1]
    for k in range(len(x) - 1):
        out[k] = float(x[k]) / float(z[k])
    return out


def test_checks_of_values_do_not_count(monkeypatch):
    jacobian = sparse_jacobian(divided)
    found = counted(jacobian, monkeypatch)
    for seed in range(3):
        x, y = np.random.default_rng(seed).uniform(1.0, 2.0, (2, 9))
        np.testing.assert_allclose(jacobian(x, y).toarray(), dense(lambda x, y=y: divided(x, y), x), rtol=1e-12)
    assert len(found) == 1
    with pytest.raises(ValueError, match="could not be broadcast"):
        sparse_jacobian(divided)(np.ones(9), np.ones(8))


def test_patterns_follow_values_that_decide(monkeypatch):
    jacobian = sparse_jacobian(branching)
    found = counted(jacobian, monkeypatch)
    for x in points():
        np.testing.assert_allclose(jacobian(x).toarray(), dense(branching, x))
        jacobian(x)
    assert len(found) == 3


SHIFT = 1


def shifted(x, places):
    return x[places] * x[SHIFT]


def test_patterns_follow_indices_and_captured_values(monkeypatch):
    jacobian = sparse_jacobian(shifted)
    x = np.arange(1.0, 7.0)
    for places in ([0, 1], [5, 5], [5, 5]):
        places = np.array(places)
        np.testing.assert_allclose(jacobian(x, places).toarray(), dense(lambda x, p=places: shifted(x, p), x))
    found = counted(jacobian, monkeypatch)
    jacobian(2.0 * x, places)
    assert not found
    monkeypatch.setitem(globals(), "SHIFT", 2)
    np.testing.assert_allclose(jacobian(x, places).toarray(), dense(lambda x: shifted(x, places), x))
    assert found
    assert jacobian.decided_by(x, places) == ("places", "SHIFT")
    assert sparse_jacobian(looped).decided_by(x) == ()
    assert sparse_jacobian(branching).decided_by(x) == ("x",)
    assert sparse_jacobian(branching, pattern=np.ones((6, 6))).decided_by(x) == ()


# Patterns that are given


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, sparse.coo_matrix, sparse.csc_array])
def test_given_patterns(kind):
    pattern = np.eye(6) + np.eye(6, k=1) + np.eye(6, k=-1) + np.eye(6, k=3)
    x = points(1)[0]
    found = sparse_jacobian(tridiagonal, pattern=kind(pattern))(x)
    np.testing.assert_allclose(found.toarray(), dense(tridiagonal, x))
    assert found.nnz == np.count_nonzero(pattern)


def test_given_patterns_of_hessians():
    f = lambda x: np.sum(looped(x) ** 2)  # noqa: E731
    x = points(1)[0]
    pattern = hessian_pattern(f, x)
    for coloring in ("star", "acyclic"):
        found = sparse_hessian(f, pattern=sparse.triu(pattern), coloring=coloring)(x)
        np.testing.assert_allclose(found.toarray(), hessian(f)(x))


@pytest.mark.parametrize("mode", ["columns", "rows", "bidirectional"])
def test_patterns_that_are_too_small(mode):
    x = points(1)[0]
    with pytest.raises(AdcoreError, match=r"leaves out elements .* in rows 0, 1, 2, 3, 4"):
        sparse_jacobian(tridiagonal, pattern=np.eye(6) + np.eye(6, k=-1), mode=mode)(x)
    sparse_jacobian(tridiagonal, pattern=np.eye(6), mode=mode, check=False)(x)
    with pytest.raises(AdcoreError, match="sparse Hessian: the pattern leaves out elements"):
        sparse_hessian(lambda x: np.sum(looped(x)), pattern=np.eye(6))(x)


def test_checks_at_every_call():
    def f(x):
        return np.where(x > 0.0, x * np.roll(x, 1), x[0] ** 2)

    pattern = np.eye(6)
    pattern[:, 0] = 1.0
    pattern[0, 5] = 1.0
    jacobian = sparse_jacobian(f, pattern=pattern, check=True)
    jacobian(-np.ones(6))
    with pytest.raises(AdcoreError, match="leaves out"):
        jacobian(np.arange(1.0, 7.0))


@pytest.mark.parametrize("mode", ["columns", "rows"])
def test_given_patterns_of_another_shape(mode):
    with pytest.raises(ValueError, match="the pattern is 6 by 7, the arguments have 6 elements"):
        sparse_jacobian(tridiagonal, pattern=np.ones((6, 7)), mode=mode)(np.ones(6))
    with pytest.raises(ValueError, match=r"(5 elements, there are 6)|(5 elements for arguments of 6)"):
        sparse_jacobian(tridiagonal, pattern=np.eye(5, 6), mode=mode)(np.ones(6))
    with pytest.raises(ValueError, match="square"):
        sparse_hessian(lambda x: x @ x, pattern=np.ones((6, 7)))


# What is refused


def test_refusals():
    with pytest.raises(DtypeError, match="argument 0 of <lambda> is complex; sparse Jacobians are of real numbers"):
        sparse_jacobian(lambda z: z * z)(np.ones(3, complex))
    with pytest.raises(DtypeError, match="returns complex numbers"):
        sparse_jacobian(lambda x: x * 1j)(np.ones(3))
    with pytest.raises(DtypeError, match="is an array of dtype int64"):
        sparse_jacobian(lambda x: x * 2.0)(np.arange(3))
    with pytest.raises(DtypeError, match="returns no real number"):
        sparse_jacobian(lambda x: 3)(np.ones(3))
    with pytest.raises(DtypeError, match="must return one real number"):
        sparse_hessian(lambda x: x * x)(np.ones(3))
    with pytest.raises(DtypeError, match="name an argument twice"):
        sparse_jacobian(lambda x, y: x * y, argnums=(0, 0))(np.ones(3), np.ones(3))
    with pytest.raises(DtypeError, match="argnums 2"):
        sparse_jacobian(lambda x: x, argnums=2)(np.ones(3))
    with pytest.raises(TypeError, match="missing a required argument"):
        sparse_jacobian(lambda x, y: x)(np.ones(3))
    with pytest.raises(TypeError, match="a pattern is a sparse matrix"):
        sparse_jacobian(lambda x: x, pattern=np.ones(3))
    for options in ({"format": "coo"}, {"mode": "best"}, {"order": "random"}):
        with pytest.raises(ValueError, match="there are"):
            sparse_jacobian(lambda x: x, **options)
    with pytest.raises(ValueError, match="there are"):
        sparse_hessian(lambda x: x @ x, coloring="direct")


def test_random_numbers():
    def f(x, rng):
        return x * rng.normal(size=3)

    with pytest.raises(DtypeError, match="draws from a random generator"):
        sparse_jacobian(f)(np.ones(3), np.random.default_rng(0))


def test_errors_are_those_of_the_function():
    def f(x):
        return x[np.array([0, 7])]

    with pytest.raises(IndexError):
        sparse_jacobian(f)(np.ones(3))
    assert adcore.jit(f)(np.ones(8)).shape == (2,)
