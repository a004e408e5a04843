"""What the reverse sweep keeps of a loop's iterations: nothing where it can be read or computed again."""

from __future__ import annotations

import math
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from test_derivatives import close, richardson

import adcore
from adcore import checkpoint, grad
from adcore.primitives import Kind
from adcore.program import Program, regions

RNG = np.random.default_rng(3)


def stores(program: Program) -> int:
    """How many arrays the program makes room for, at any depth."""
    return sum(
        (e.primitive.name == "empty") + sum(stores(region) for _, region in regions(e)) for e in program.equations
    )


# Every element read is final: nothing is kept


def recurrence(x, n):
    out = np.zeros(n)
    out[0] = x
    for i in range(1, n):
        out[i] = math.sin(out[i - 1]) * x
    return np.sum(out)


def read_after_write(x, n):
    out = np.zeros(n)
    s = 0.0
    for i in range(n):
        out[i] = math.cos(i * x)
        s += out[i] ** 3
    return s


def triangular(x, n):
    out = np.zeros(n)
    for i in range(n):
        s = x
        for j in range(i):
            s += math.sin(out[j]) * x
        out[i] = math.tanh(s)
    return np.sum(out * out)


def backwards(x, n):
    out = np.ones(n)
    for i in range(n - 2, -1, -1):
        out[i] = math.sin(out[i + 1] * x)
    return np.sum(out)


def rows(x, n):
    a = np.ones((n, 3))
    for i in range(1, n):
        a[i] = np.sin(a[i - 1] * x)
    return np.sum(a)


def columns(x, n):
    a = np.ones((3, n))
    for j in range(1, n):
        for i in range(3):
            a[i, j] = math.sin(a[i, j - 1] * x) + a[2 - i, j - 1] ** 2
    return np.sum(a)


def prefix(x, n):
    out = np.ones(n)
    for i in range(1, n):
        out[i] = math.sin(np.sum(out[:i] ** 2) * x)
    return np.sum(out)


def matrix(x, n):
    """A matrix that is far from singular, whatever is eliminated."""
    return x * np.cos(np.arange(n * n).reshape(n, n)) + 2.0 * n * np.eye(n)


def eliminated(x, n):
    a = matrix(x, n)
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]
    return np.sum(a * a)


def eliminated_from_the_end(x, n):
    a = matrix(x, n)
    for k in range(n - 1, -1, -1):
        for i in range(k - 1, -1, -1):
            a[i, k] /= a[k, k]
            for j in range(k - 1, -1, -1):
                a[i, j] -= a[i, k] * a[k, j]
    return np.sum(a * a)


def lattice(x, n):
    a = np.ones((n + 1, n + 1))
    for i in range(1, n + 1):
        for j in range(1, n + 1):
            a[i, j] = a[i - 1, j] * x + a[i, j - 1] * a[i - 1, j - 1]
    return np.sum(a)


def quotients(x, n):
    """What is divided is overwritten, but what it gave is there."""
    a = np.cos(np.arange(n + 1)) + 3.0 * x
    for i in range(1, n + 1):
        a[i] = a[i] / a[i - 1]
    return np.sum(a * a)


def diagonal_later(x, n):
    """What the inner loop writes, the outer one writes again."""
    a = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            a[i, j] = math.exp(-x * (i - j) * (i + j) / n)
        a[i, i] += x * a[i, 0]
    return np.sum(a * a)


# An element that is read is written again: something is kept


def overwritten(x, n):
    a = np.ones(n)
    for i in range(1, n):
        a[i] = math.sin(a[i - 1] * x)
        a[i - 1] = a[i] * a[i - 1]
    return np.sum(a)


def rotating(x, n):
    a = np.ones(3)
    for i in range(n):
        a[i % 3] = math.sin(a[(i + 1) % 3] * x)
    return np.sum(a)


def written_ahead(x, n):
    a = np.ones(n + 1)
    for i in range(n):
        a[i + 1] = math.sin(a[i] * x)
        a[i] = a[i + 1] ** 2
    return np.sum(a)


def swept_twice(x, n):
    a = np.ones(n)
    for _ in range(2):
        for i in range(1, n):
            a[i] = math.sin(a[i - 1] * x + a[i])
    return np.sum(a)


def exchanged(x, n):
    a, b = np.ones(n), np.zeros(n)
    for i in range(1, n):
        b[i] = math.sin(a[i - 1] * x)
        a, b = b, a
    return np.sum(a * x + b)


def against_the_grain(x, n):
    a = np.ones(n)
    for i in range(1, n):
        a[n - i] = math.sin(a[i] * x)
    return np.sum(a)


def own_way(x, n):
    """A copy is written to by itself."""
    a, s = np.full(n + 1, x), 0.0
    for i in range(n):
        t = a.copy()
        t[i] = math.sin(a[i])
        s += t[i] ** 2 * a[i + 1]
        a[i + 1] *= a[i] * (1.2 + 0.1 * i)
    return s


def older(x, n):
    """A copy is read after the array was written to."""
    a, s = np.full(n + 1, x), 0.0
    for i in range(n):
        t = a.copy()
        a[i] = math.tanh(t[i + 1] + s)
        s += t[i] ** 2 * a[i]
    return s


def own_way_in_a_loop(x, n):
    a, s = np.full(n + 1, x), 0.0
    for i in range(n):
        t = a.copy()
        for j in range(i + 1):
            t[j] = math.sin(a[j] + s)
            s += t[j] ** 2 * a[i]
        a[i + 1] *= a[i] * (1.2 + 0.1 * i)
    return s


def accepted(x, n):
    """What is tried is kept in some iterations, as in an adaptive method."""
    a, s = np.full(n + 1, x), 0.0
    for i in range(n):
        t = a.copy()
        t[i] = math.sin(a[i])
        s += t[i] ** 2 * a[i + 1]
        if i % 2 == 0:
            a = t
        a[i + 1] *= a[i] * (1.2 + 0.1 * i)
    return s


def set_back(x, n):
    """What was written is undone in some of an inner loop's iterations."""
    a, s = np.full(n + 1, x), 0.0
    for i in range(n):
        before = a.copy()
        for j in range(3):
            a[i] = math.sin(a[i]) + 0.1 * j
            s += a[i] ** 2 * a[i + 1]
            if j != 1:
                a = before.copy()
        a[i + 1] *= a[i] * (1.2 + 0.1 * i)
    return s


def exchanged_inside(x, n):
    """Two states of one array change places in an inner loop."""
    a, s = np.full(n + 1, x), 0.0
    for i in range(n):
        b = a.copy()
        for j in range(3):
            a[i] = math.sin(a[i] + 0.2 * j)
            s += a[i] ** 2 * a[i + 1]
            a, b = b, a
        a[i + 1] *= a[i] * (1.2 + 0.1 * i)
    return s


def exchanged_inside_and_read(x, n):
    """What is read has seen the writes to the array that it changes places with."""
    a, s = np.full(n + 1, x), 0.0
    for i in range(n):
        b = a.copy()
        for j in range(3):
            a[i] = math.sin(a[i] + 0.2 * j)
            s += b[i] ** 2 * a[i + 1]
            a, b = b, a
        a[i + 1] *= a[i] * (1.2 + 0.1 * i)
    return s


def exchanged_inside_after_the_read(x, n):
    """The write to what is read goes to the array that it changes places with."""
    a, s = np.full(n + 1, x), 0.0
    for i in range(n):
        s += a[i] ** 2 * a[i + 1]
        b = a.copy()
        for j in range(3):
            a[i] = math.sin(a[i] + 0.2 * j) * x
            a, b = b, a
        s += a[i] + b[i] ** 2
    return s


def scattered(x, n):
    a, s = np.full(n + 1, x), 0.0
    for i in range(n):
        a[np.array([i, n])] = a[np.array([n, i])] * 1.3
        s += a[i] ** 2 * a[i + 1]
    return s


def eliminated_and_scaled(x, n):
    """The pivot changes after it was read."""
    a = matrix(x, n)
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]
        a[k, k] *= math.sin(a[k, k])
    return np.sum(a * a)


def eliminated_on_both_sides(x, n):
    """Gauss-Jordan: rows above the pivot change too."""
    a = matrix(x, n)
    for k in range(n):
        for i in range(n):
            if i != k:
                a[i, k] /= a[k, k]
                for j in range(k + 1, n):
                    a[i, j] -= a[i, k] * a[k, j]
    return np.sum(a * a)


def factors_changed_later(x, n):
    """A later step writes to the column of factors of the one before."""
    a = matrix(x, n)
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]
            if k > 0:
                a[i, k - 1] *= a[i, k]
    return np.sum(a * a)


def one_column_too_many(x, n):
    """The inner loop begins with the column of the factor that it reads."""
    a = matrix(x, n)
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            for j in range(k, n):
                a[i, j] -= 0.1 * a[i, k] * a[k, j]
    return np.sum(a * a)


def one_row_too_many(x, n):
    a = matrix(x, n)
    for k in range(n):
        for i in range(k, n):
            a[i, k] /= a[k, k] + 1.0
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]
    return np.sum(a * a)


def two_loops_in_turn(x, n):
    """What one inner loop has written, the next one writes again."""
    a, s = np.full(n + 1, x), 0.0
    for _ in range(3):
        for i in range(1, n + 1):
            a[i] = a[i] * a[i - 1] + 0.5
            s += a[i] ** 2
        for i in range(n):
            a[i] = math.tanh(a[i] * a[i + 1])
    return s + np.sum(a)


def through_a_row(x, n):
    """The elements that are read are written again through a view."""
    a = matrix(x, n)
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] = a[i, k] / a[k, k]
            row = a[i]
            row[: k + 1] = row[: k + 1] * row[k] + 0.1
    return np.sum(a * a)


def through_a_column(x, n):
    a = matrix(x, n)
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] = a[i, k] / a[k, k]
        a[:, k] = a[:, k] ** 2 / (4.0 * n)
    return np.sum(a * a)


def through_the_transpose(x, n):
    a = matrix(x, n)
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] = a[i, k] / a[k, k]
        b = a.T
        b[k, k:] = b[k, k:] * b[k, k] / n
    return np.sum(a * a)


def in_a_branch(x, n):
    a = matrix(x, n)
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] = a[i, k] / a[k, k]
            if i % 2 == 0:
                a[i, k] = a[i, k] * a[i, k] + x
            else:
                a[i - 1, k] = a[i, k] * a[k, k] / n
    return np.sum(a * a)


def by_a_while(x, n):
    a = matrix(x, n)
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] = a[i, k] / a[k, k]
        j = n - 1
        while j > k:
            a[j, k] = math.sin(a[j, k]) * a[j, j]
            j -= 1
    return np.sum(a * a)


def inside_a_while(x, n):
    """The loop that leaves its elements is run again by a `while`."""
    a, s, k = np.full(n + 1, x), 0.0, 0
    while k < 3:
        for i in range(1, n + 1):
            a[i] = a[i] / (1.0 + a[i - 1] ** 2)
            s += a[i] ** 2
        k += 1
    return s


def where_a_number_says(x, n):
    """Where is written follows from what was written."""
    a, s = np.full(n + 3, x), 0.0
    for _ in range(n):
        a[int(3.0 * a[0]) % 3 + n % 2] = math.sin(a[1] + a[0]) * 0.9
        s += a[2] * a[0] ** 2
    return s + np.sum(a)


FINAL = [recurrence, read_after_write, triangular, backwards, rows, columns, prefix]
FINAL += [eliminated, eliminated_from_the_end, lattice, quotients, diagonal_later]
KEPT = [overwritten, rotating, written_ahead, swept_twice, exchanged, against_the_grain]
KEPT += [own_way, older, own_way_in_a_loop, accepted, set_back, scattered]
KEPT += [exchanged_inside, exchanged_inside_and_read, exchanged_inside_after_the_read]
KEPT += [eliminated_and_scaled, eliminated_on_both_sides, factors_changed_later, one_column_too_many, one_row_too_many]
KEPT += [two_loops_in_turn, through_a_row, through_a_column, through_the_transpose, in_a_branch, by_a_while]
KEPT += [inside_a_while, where_a_number_says]


@pytest.mark.parametrize("f", FINAL, ids=lambda f: f.__name__)
def test_final_elements_are_not_kept(f):
    arrays = [e for e in adcore.program(grad(f), 0.7, 6).equations if e.primitive.name == "empty"]
    scalars = [e for e in arrays if e.outs[0].type.rank == 1]
    assert len(arrays) == len(scalars) <= 1  # at most a number an iteration


@pytest.mark.parametrize("f", FINAL + KEPT, ids=lambda f: f.__name__)
@pytest.mark.parametrize("policy", ["all", "sqrt", 1, 4])
def test_gradients(f, policy):
    gradient = grad(checkpoint(f, policy=policy))
    for n in (1, 2, 6):
        close(gradient(0.7, n), richardson(lambda s, n=n: float(f(0.7 + s, n))))


@pytest.mark.parametrize("f", KEPT, ids=lambda f: f.__name__)
def test_overwritten_elements_are_kept(f):
    assert stores(adcore.program(grad(f), 0.7, 6)) >= 1


def test_a_large_carried_array_is_not_kept():
    """A loop over an array of n elements keeps a number an iteration, not the array."""

    def f(x):
        y = x.copy()
        for i in range(1, y.shape[0]):
            y[i] = math.sin(y[i - 1]) * y[i] + y[0]
        return np.sum(y)

    for e in adcore.program(grad(f), np.ones(5)).equations:
        assert e.primitive.name != "empty" or e.outs[0].type.rank <= 1


def test_a_long_simulation_fits_in_memory(tmp_path):
    """10**6 steps of 100 state variables, reversed within 64 MB (an array a step would be 800 MB)."""
    script = textwrap.dedent(
        """
        import resource
        import numpy as np
        from adcore import checkpoint, grad

        def simulate(y0, k, steps):
            y = y0.copy()
            for _ in range(steps):
                y = y + 1e-6 * (np.sin(k * y) - y * y)
            return np.sum(y * y)

        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

        g = grad(checkpoint(simulate), argnums=(0, 1))
        y = np.linspace(0.1, 1.0, 100)
        g(y, 0.3, 10)
        before = peak()
        g(y, 0.3, 1_000_000)
        print(peak() - before)
        """
    )
    path = tmp_path / "simulation.py"
    path.write_text(script)
    ran = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
    assert float(ran.stdout) < 64.0


def test_policies():
    with pytest.raises(ValueError, match="policy 'some' is not"):
        checkpoint(recurrence, policy="some")
    assert checkpoint(recurrence)(0.5, 4) == pytest.approx(recurrence(0.5, 4), rel=1e-14)

    @checkpoint(policy=3)
    def inner(x):
        for _ in range(10):
            x = math.sin(x) + 0.5
        return x

    close(grad(lambda x: inner(x) * x)(0.3), richardson(lambda s: inner(0.3 + s) * (0.3 + s)))


# Index arrays: an iteration costs as much as it names elements, in both directions


def read_at_places(x, i, n):
    s = 0.0
    for k in range(n):
        s += np.sum(x[i + k] ** 2)
    return s


def written_at_places(x, i, n):
    y = x.copy()
    for k in range(n):
        y[i + k] = y[i + k + 1] * 0.5
        y[k:][i] += y[i] ** 2
        np.add.at(y, i, y[i + 1] ** 2)
    return y[0] * y[1]


def written_at_a_mask(x, i, n):
    y = x.copy()
    for k in range(n):
        part = y[k : k + 4]
        part[part > 0.5] = part[part > 0.5] ** 2
    return y[0] * y[1]


def rows_at_places(x, i, n):
    a = x.reshape(-1, 2).T
    s = 0.0
    for k in range(n):
        s += np.sum(a[1, i + k] * a[[0, 1, 0], k]) * a[0, k]
    return s


@pytest.mark.parametrize("function", [read_at_places, written_at_places, written_at_a_mask, rows_at_places])
def test_iterations_touch_the_elements_named_only(function):
    x, i = RNG.uniform(0.2, 1.0, 20), np.array([1, 3, 3])
    gradient = grad(function)
    direction = RNG.normal(size=20)
    close(np.sum(gradient(x, i, 4) * direction), richardson(lambda s: function(x + s * direction, i, 4)))
    program = adcore.program(gradient)
    (length,) = program.params[0].type.shape
    assert list(whole_arrays(program, length)) == []


def whole_arrays(program: Program, length, inside: bool = False):
    """Equations in loops that compute with, or keep, arrays as long as the argument."""
    for equation in program.equations:
        typed = [a.type for a in (*equation.operands, *equation.outs) if length in a.type.shape]
        computes = equation.primitive.kind in (Kind.ELEMENTWISE, Kind.REDUCTION, Kind.CONTRACTION)
        keeps = equation.primitive.name == "empty" and len(equation.operands) > 1
        if typed and (keeps or (inside and computes)):
            yield equation.primitive.name
        for _, region in regions(equation):
            yield from whole_arrays(region, length, True)
