"""Functions whose loops make arrays in each iteration."""

import numpy as np


def scratch(x, y):
    """An array of a known length, needed within the iteration."""
    s = 0.0
    for i in range(len(x)):
        z = np.empty(len(y))
        for j in range(len(y)):
            z[j] = x[i] * y[j]
        s += np.max(z) * np.min(z)
    return s


def handed_on(x, y):
    """The next iteration reads what this one has made."""
    before = np.zeros(len(y))
    for i in range(len(x)):
        z = np.empty(len(y))
        for j in range(len(y)):
            z[j] = before[j] * 0.5 + x[i] * y[j]
        before = z
    return np.sum(before)


def handed_on_in_a_branch(x, y):
    best = np.zeros(len(y))
    for i in range(len(x)):
        z = np.empty(len(y))
        for j in range(len(y)):
            z[j] = x[i] * y[j] - best[j]
        if z[0] > best[0]:
            best = z
    return best


def exchanged(x, y):
    """Two arrays whose names change places."""
    s = 0.0
    for i in range(len(x)):
        u = np.empty(len(y))
        v = np.empty(len(y))
        for j in range(len(y)):
            u[j] = x[i] + y[j]
            v[j] = x[i] * y[j]
        for k in range(3):
            u, v = v, u
            u[0] = v[1] + 0.5 * k
        s += u[0] * 2.0 + v[1]
    return s


def one_of_two(x, y):
    s = 0.0
    for i in range(len(x)):
        u = np.empty(len(y))
        v = np.empty(len(y))
        for j in range(len(y)):
            u[j] = x[i] + y[j]
            v[j] = x[i] * y[j]
        w = u if x[i] > 0.5 else v
        s += w[0] * u[0] - w[1] * v[1]
    return s


def viewed(x, y):
    """A view takes the array's name."""
    s = 0.0
    for i in range(len(x)):
        z = np.empty(len(y))
        z[:] = y * x[i]
        z = z[::-1]
        z[0] += 1.0
        s += z[0] * z[1]
    return s


def of_a_computed_length(x, y):
    """The length is negative where no iteration is run."""
    n = len(x) - 9
    s = 0.0
    for i in range(n):
        z = np.empty(n)
        for j in range(n):
            z[j] = x[i] * y[0]
        s += np.max(z)
    return s + x[0]


def within_two_loops(x, y):
    s = 0.0
    for i in range(len(x)):
        row = np.empty(len(y))
        for j in range(len(y)):
            part = np.empty(len(x))
            for k in range(len(x)):
                part[k] = x[k] * y[j] - x[i]
            row[j] = np.max(part)
        s += np.sum(row * row)
    return s


def until(x, y):
    s, k = 1.0, 0
    while s < 50.0 and k < 20:
        z = np.empty(len(y))
        for j in range(len(y)):
            z[j] = y[j] * s + x[0]
        s += np.max(z) * 0.3
        k += 1
    return s


def each_kept(x, y):
    """What is made is a row of the result."""
    rows = np.zeros((len(x), len(y)))
    for i in range(len(x)):
        z = np.empty(len(y))
        for j in range(len(y)):
            z[j] = np.sin(x[i] * y[j])
        rows[i] = z
        z[0] = 100.0
    return rows


def stepped(x, y):
    """Whole arrays, each made of the one before."""
    for i in range(len(x)):
        y = y * 0.9 + np.sin(y) * x[i]
    return np.sum(y)


def stepped_twice(x, y):
    """Two arrays before are needed."""
    before, now = y, y * x[0]
    for i in range(len(x)):
        before, now = now, 2.0 * now - before * x[i]
    return now[0]
