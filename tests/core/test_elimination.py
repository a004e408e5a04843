"""Sparse matrices taken apart: the factors are those of the matrix, and stay as sparse as they can."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from adcore_numpy import interpret
from scipy.sparse.linalg import splu

from adcore import elimination, factorizations
from adcore.elimination_order import sparse_order
from adcore.primitives.routines import array_routine
from adcore.types import DType
from adcore.verify import verify

RNG = np.random.default_rng(0)


def poisson(m):
    line = sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(m, m))
    return sp.csc_array(sp.kron(line, sp.eye_array(m)) + sp.kron(sp.eye_array(m), line))


def scattered(n, density):
    """A regular matrix without a pattern."""
    return sp.csc_array(sp.random_array((n, n), density=density, rng=RNG) + sp.eye_array(n).tocsr()[RNG.permutation(n)])


def arrow(n):
    """Dense in the first row and column, so that the natural order fills everything."""
    made = sp.lil_array(4.0 * sp.eye_array(n))
    made[0], made[:, [0]] = 1.0, np.ones((n, 1))
    made[0, 0] = float(n)
    return made.tocsc()


MATRICES = {
    "a grid": poisson(7),
    "an arrow": arrow(30),
    "a permutation": sp.csc_array(np.eye(9)[RNG.permutation(9)]),
    "a triangle": sp.csc_array(np.triu(RNG.uniform(1.0, 2.0, (8, 8)))),
    "a full matrix": sp.csc_array(RNG.normal(size=(12, 12))),
    "complex numbers": scattered(20, 0.1) * (1.0 + 0.5j) + 0.2j * scattered(20, 0.05),
    "single precision": poisson(4).astype(np.float32),
    "a number": sp.csc_array([[3.0]]),
    "nothing": sp.csc_array((0, 0)),
    **{f"no pattern, {density}": scattered(25, density) for density in (0.02, 0.05, 0.1, 0.3)},
}


def places(a):
    return (np.asarray(c, np.int64) for c in a.tocoo().coords)


def taken_apart(a, columns):
    """L, U and the order of the rows, of a matrix given in halves that are to be added up."""
    row, col = places(a)
    halves = np.concatenate((0.5 * a.data, 0.5 * a.data)).astype(a.dtype)
    found = factorizations.sparse_lu(halves, np.tile(row, 2), np.tile(col, 2), columns)
    count, packed, steps, ends, diagonals, order, info = found
    assert len(packed) == len(steps) == count
    assert info == 0
    n = a.shape[0]
    lower, upper = np.eye(n, dtype=a.dtype), np.zeros((n, n), a.dtype)
    for k in range(n):
        start = ends[k - 1] if k else 0
        np.add.at(upper, (steps[start : diagonals[k] + 1], k), packed[start : diagonals[k] + 1])
        np.add.at(lower, (steps[diagonals[k] + 1 : ends[k]], k), packed[diagonals[k] + 1 : ends[k]])
    return lower, upper, order, found


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("ordered", [True, False])
def test_factors(name, ordered):
    a = MATRICES[name]
    n = a.shape[0]
    columns = sparse_order(*places(a), n) if ordered else RNG.permutation(n)
    assert sorted(columns) == list(range(n))
    lower, upper, order, _ = taken_apart(a, columns)
    assert sorted(order) == list(range(n))
    np.testing.assert_array_equal(lower, np.tril(lower))
    np.testing.assert_array_equal(upper, np.triu(upper))
    assert lower.dtype == a.dtype
    tolerance = 1e-5 if a.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(lower @ upper, a.toarray()[order][:, columns], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("width", [1, 3])
def test_substitution(name, width):
    a = MATRICES[name]
    columns = sparse_order(*places(a), a.shape[0])
    *_, found = taken_apart(a, columns)
    x = RNG.normal(size=(a.shape[0], width)).astype(a.dtype)
    y = elimination.sparse_substitution(x, columns, *found[1:-1])
    z = elimination.sparse_substitution_transposed(x, columns, *found[1:-1])
    tolerance = 1e-4 if a.dtype == np.float32 else 1e-11
    np.testing.assert_allclose(a @ y, x, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(a.T @ z, x, rtol=tolerance, atol=tolerance)


def elements(a):
    """How many elements the factors have, ours and SciPy's with its best order."""
    columns = sparse_order(*places(a), a.shape[0])
    count = factorizations.sparse_lu(a.data, *places(a), columns)[0]
    theirs = [splu(a, permc_spec=order) for order in ("COLAMD", "MMD_AT_PLUS_A", "MMD_ATA")]
    return count, min(f.L.nnz + f.U.nnz for f in theirs) - a.shape[0]


@pytest.mark.parametrize("a", [poisson(20), arrow(60), scattered(150, 0.01), scattered(80, 0.03)])
def test_factors_stay_sparse(a):
    ours, theirs = elements(a)
    assert ours <= 1.1 * theirs


def test_dense_rows_and_columns_come_last():
    a = arrow(400)
    columns = sparse_order(*places(a), 400)
    assert columns[-1] == 0
    count = factorizations.sparse_lu(a.data, *places(a), columns)[0]
    assert count == a.nnz


def test_small_pivots_are_exchanged():
    """An element on the diagonal is a pivot only if it is not small beside others of its column."""
    a = sp.csc_array([[1e-3, 1.0], [1.0, 1.0]])
    assert list(taken_apart(a, np.arange(2))[2]) == [1, 0]
    a = sp.csc_array([[0.5, 1.0], [1.0, 1.0]])
    assert list(taken_apart(a, np.arange(2))[2]) == [0, 1]


@pytest.mark.parametrize(
    ("dense", "first"),
    [
        (np.zeros((3, 3)), 1),
        (np.diag([1.0, 0.0, 2.0]), 2),
        (np.outer([1.0, 2.0, 4.0], [2.0, 1.0, 0.5]), 2),
        (np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]), 2),
    ],
)
def test_singular_matrices(dense, first):
    """The first column without a pivot is named; the rest of what is given is in range."""
    a = sp.csc_array(dense)
    found = factorizations.sparse_lu(a.data, *places(a), np.arange(3))
    assert found[-1] == first
    assert sorted(found[5]) == [0, 1, 2]
    assert np.all((found[2] >= 0) & (found[2] < 3))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_spoils_no_index(bad):
    a = poisson(5)
    for k in range(0, a.nnz, 7):
        data = a.data.copy()
        data[k] = bad
        count, packed, steps, ends, diagonals, order, info = factorizations.sparse_lu(data, *places(a), np.arange(25))
        assert sorted(order) == list(range(25))
        assert np.all((steps >= 0) & (steps < 25))
        assert ends[-1] == count
        assert np.all(diagonals < ends)
        assert len(packed) == count
        assert info == 0 or np.isinf(bad)


# The routines as Programs

INTEGERS = (DType.I64, 1)
ROUTINES = {
    elimination.sparse_lu: (INTEGERS, INTEGERS, INTEGERS),
    elimination.sparse_substitution: (INTEGERS, None, INTEGERS, INTEGERS, INTEGERS, INTEGERS),
    elimination.sparse_substitution_transposed: (INTEGERS, None, INTEGERS, INTEGERS, INTEGERS, INTEGERS),
}


@pytest.mark.parametrize("dtype", [DType.F64, DType.F32, DType.C128, DType.C64])
@pytest.mark.parametrize("function", ROUTINES, ids=lambda f: f.__name__)
def test_programs(function, dtype):
    rank = 1 if function is elimination.sparse_lu else 2
    types = ((dtype, rank), *((dtype, 1) if t is None else t for t in ROUTINES[function]))
    program = array_routine(function, types)
    verify(program)
    assert not any(e.primitive.name == "check" for e in program.equations)


def test_program_of_the_order():
    verify(array_routine(sparse_order, (INTEGERS, INTEGERS, (DType.I64, 0))))


def second(x, i):
    return x[i + 1]


def test_indices_are_taken_as_they_are():
    """Neither tested nor counted from the end."""
    program = array_routine(second, ((DType.F64, 1), (DType.I64, 0)))
    assert [e.primitive.name for e in program.equations] == ["add", "view"]
    assert interpret(program, (np.arange(3.0), 1)) == (2.0,)
