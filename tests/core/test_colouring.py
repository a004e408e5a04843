"""Colourings of random patterns have the properties by which elements are told apart."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from adcore.sparse import (
    Pattern,
    color_bidirectional,
    color_columns,
    color_rows,
    color_symmetric_acyclic,
    color_symmetric_star,
)
from adcore.sparse.colouring import ORDERS, Graph
from adcore.sparse.plans import plan_jacobian, plan_symmetric

every_order = st.sampled_from((*ORDERS, "best"))
seeds = st.integers(0, 10**6)
few = settings(max_examples=60, deadline=None)


def drawn(seed, rows, columns, density):
    return np.random.default_rng(seed).uniform(size=(rows, columns)) < density


def mirrored(seed, n, density):
    matrix = drawn(seed, n, n, density)
    return matrix | matrix.T


def alike(colours):
    """The pairs of columns with one colour."""
    return [(j, k) for j, k in itertools.combinations(range(len(colours)), 2) if colours[j] == colours[k] >= 0]


@few
@given(seeds, st.integers(0, 25), st.integers(0, 25), st.floats(0.0, 0.5), every_order)
def test_columns_of_a_colour_share_no_row(seed, rows, columns, density, order):
    matrix = drawn(seed, rows, columns, density)
    colours = color_columns(matrix, order)
    assert ((colours >= 0) == matrix.any(axis=0)).all()
    assert not any((matrix[:, j] & matrix[:, k]).any() for j, k in alike(colours))
    np.testing.assert_array_equal(color_rows(matrix.T, order), colours)


@few
@given(seeds, st.integers(1, 25), st.integers(1, 25), st.floats(0.0, 0.4), every_order, st.floats(0.5, 5.0))
def test_both_directions_tell_all_elements_apart(seed, rows, columns, density, order, cost):
    matrix = drawn(seed, rows, columns, density)
    matrix[0] = matrix[:, -1] = True
    by_rows, by_columns = color_bidirectional(matrix, order, cost)
    for i, j in np.argwhere(matrix):
        if by_rows[i] >= 0:
            others = [k for k in np.flatnonzero(matrix[:, j]) if by_rows[k] == by_rows[i]]
            assert others == [i]
        else:
            others = [k for k in np.flatnonzero(matrix[i]) if by_columns[k] == by_columns[j]]
            assert others == [j]


def colours_of_paths(matrix, colours, length):
    """How many colours each path of so many vertices has."""
    n = len(matrix)
    paths = [(v,) for v in range(n)]
    for _ in range(length - 1):
        paths = [(*p, w) for p in paths for w in range(n) if matrix[p[-1], w] and w not in p]
    return [len({colours[v] for v in p}) for p in paths]


@few
@given(seeds, st.integers(0, 10), st.floats(0.0, 0.5), every_order)
def test_star_colourings(seed, n, density, order):
    matrix = mirrored(seed, n, density)
    colours = color_symmetric_star(matrix, order)
    assert all(count == 2 for count in colours_of_paths(matrix, colours, 2))
    assert all(count >= 3 for count in colours_of_paths(matrix, colours, 4))


def has_cycle(matrix, vertices):
    """Whether the graph that some vertices induce is no forest."""
    inside = matrix[np.ix_(vertices, vertices)] & ~np.eye(len(vertices), dtype=bool)
    parts, _ = sparse.csgraph.connected_components(sparse.csr_array(inside))
    return inside.sum() // 2 != len(vertices) - parts


@few
@given(seeds, st.integers(1, 30), st.floats(0.0, 0.5), every_order)
def test_acyclic_colourings(seed, n, density, order):
    matrix = mirrored(seed, n, density)
    colours = color_symmetric_acyclic(matrix, order)
    assert all(count == 2 for count in colours_of_paths(matrix, colours, 2))
    for one, other in itertools.combinations(range(colours.max(initial=-1) + 1), 2):
        assert not has_cycle(matrix, np.flatnonzero((colours == one) | (colours == other)))


@pytest.mark.parametrize("color", [color_symmetric_star, color_symmetric_acyclic])
def test_hubs_have_colours_of_their_own(color):
    n = 400
    matrix = np.eye(n, dtype=bool)
    matrix[7] = matrix[:, 7] = True
    matrix[1:, :-1] |= np.eye(n - 1, dtype=bool)
    matrix |= matrix.T
    colours = color(matrix)
    assert np.count_nonzero(colours == colours[7]) == 1
    assert colours.max() <= 3


def sums_of(plan, matrix):
    """The elements in the sums that a plan asks for, at the values of a matrix, as compiled code gives them."""
    found = np.full(plan.pattern.count, np.nan)
    for sums, side in ((plan.columns, matrix), (plan.rows, matrix.T)):
        if sums is None:
            continue
        assert sums.length == side.shape[0]
        for chunk in sums.chunks:
            numbers = chunk.first + np.arange(sums.count)
            of_chunk = side @ (sums.colours[:, None] == numbers).astype(float)
            own = slice(None) if chunk.elements is None else chunk.elements
            if chunk.elements is not None and len(found) <= own.max(initial=-1):
                found = np.resize(found, own.max() + 1)
            values = of_chunk.ravel()[chunk.places]
            found = values if chunk.elements is None else found
            found[own] = values
    if plan.substitution is not None:
        found = plan.substitution.elements(found)
    return plan.pattern.matrix(found, plan.format).toarray()


@few
@given(
    seeds,
    st.integers(1, 30),
    st.integers(1, 90),
    st.floats(0.0, 0.9),
    st.sampled_from(["auto", "columns", "rows", "bidirectional"]),
    st.sampled_from(["csr", "csc"]),
)
def test_elements_of_jacobians_are_recovered(seed, rows, columns, density, mode, format):
    matrix = drawn(seed, rows, columns, density) * np.random.default_rng(seed).integers(1, 9, size=(rows, columns))
    plan = plan_jacobian(Pattern.of(matrix), format, mode, "best")
    np.testing.assert_array_equal(sums_of(plan, matrix), matrix)


@few
@given(seeds, st.integers(1, 90), st.floats(0.0, 0.6), st.sampled_from(["star", "acyclic"]), every_order)
def test_elements_of_symmetric_matrices_are_recovered(seed, n, density, mode, order):
    numbers = np.random.default_rng(seed).integers(1, 9, size=(n, n))
    matrix = mirrored(seed, n, density) * (numbers + numbers.T)
    plan = plan_symmetric(Pattern.of(matrix), "csr", mode, order)
    np.testing.assert_array_equal(sums_of(plan, matrix), matrix)


@few
@given(seeds, st.integers(0, 20), st.floats(0.0, 1.0))
def test_edges_of_graphs(seed, n, density):
    graph = Graph.of(Pattern.of(mirrored(seed, n, density)))
    ends = {}
    for v in range(n):
        for a in range(graph.starts[v], graph.starts[v + 1]):
            ends.setdefault(int(graph.edges[a]), set()).add(frozenset((v, int(graph.neighbours[a]))))
    assert sorted(ends) == list(range(graph.count))
    assert all(len(pairs) == 1 for pairs in ends.values())


@few
@given(seeds, st.integers(0, 20), st.integers(0, 20), st.floats(0.0, 1.0))
def test_patterns(seed, rows, columns, density):
    matrix = drawn(seed, rows, columns, density)
    for given_as in (matrix, sparse.csr_array(matrix), sparse.coo_array(matrix), sparse.csc_matrix(matrix)):
        pattern = Pattern.of(given_as)
        for format in ("csr", "csc"):
            kept = pattern if format == "csr" else pattern.transpose()
            found = kept.matrix(np.ones(kept.count), format)
            np.testing.assert_array_equal(found.toarray() != 0, matrix)
    if rows == columns:
        both = pattern.symmetric()
        np.testing.assert_array_equal(both.matrix(np.ones(both.count)).toarray() != 0, matrix | matrix.T)


KNOWN = {
    "path": (np.eye(9, k=1), 3, 2),
    "star": (np.outer(np.arange(9) == 4, np.ones(9)), 2, 2),
    "complete": (np.ones((6, 6)), 6, 6),
    "nothing": (np.zeros((4, 4)), 0, 0),
    "diagonal": (np.eye(5), 1, 1),
    "cycle of five": (np.eye(5, k=1) + np.eye(5, k=4), 4, 3),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_graphs(name):
    matrix, star, acyclic = KNOWN[name]
    assert color_symmetric_star(matrix).max(initial=-1) + 1 == star
    assert color_symmetric_acyclic(matrix).max(initial=-1) + 1 == acyclic


@pytest.mark.parametrize("order", ORDERS)
def test_orders_of_bands(order):
    matrix = sum(np.eye(100, k=k) for k in range(-2, 3))
    assert 5 <= color_columns(matrix, order).max() + 1 <= 7


def test_refusals():
    with pytest.raises(ValueError, match="there is no order 'random'"):
        color_columns(np.eye(3), "random")
    with pytest.raises(ValueError, match="a symmetric matrix is square, not 2 by 3"):
        color_symmetric_star(np.ones((2, 3)))
    for wrong in (np.ones(3), np.array([["a"]]), 3.0):
        with pytest.raises(TypeError, match="a pattern is a sparse matrix"):
            color_rows(wrong)


@pytest.mark.parametrize("format", ["csr", "csc"])
def test_matrices_of_a_pattern_share_nothing(format):
    """What is done to one, in place, is not seen in another."""
    pattern = Pattern.of(np.array([[1, 0, 1], [0, 1, 0]]))
    kept = pattern if format == "csr" else pattern.transpose()
    first, second = (kept.matrix(np.array([1.0, 0.0, 2.0]), format) for _ in range(2))
    assert type(first) is {"csr": sparse.csr_array, "csc": sparse.csc_array}[format]
    assert first.has_canonical_format
    first.eliminate_zeros()
    first.data[:] = 7.0
    first.indptr[:] = 0
    assert first.nnz == 0
    np.testing.assert_array_equal(second.data, [1.0, 0.0, 2.0])
    assert kept.matrix(np.ones(3), format).toarray().sum() == 3.0
