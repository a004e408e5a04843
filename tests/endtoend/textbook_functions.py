# ruff: noqa: B007, B905, SIM113
"""Rows of `functions` that are textbook algorithms, written as Python programmers write them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from functions import RNG, at

KEYS = np.array([0.7, -1.2, 3.1, 0.05, 2.2, -0.4, 1.9, 0.9])
WEIGHTS = RNG.uniform(0.5, 1.5, 8)
DOMINANT = RNG.uniform(-0.5, 0.5, (4, 4)) + 4.0 * np.eye(4)
RIGHT = RNG.uniform(-1.0, 1.0, 4)
COINS = np.array([0.9, 1.7, 2.3])


def partition(a, low, high):
    pivot = a[high]
    i = low - 1
    for j in range(low, high):
        if a[j] <= pivot:
            i += 1
            a[i], a[j] = a[j], a[i]
    a[i + 1], a[high] = a[high], a[i + 1]
    return i + 1


@at(KEYS, WEIGHTS)
def quicksort_with_a_stack(x, w):
    a = x * w
    stack = [(0, len(a) - 1)]
    while stack:
        low, high = stack.pop()
        if low < high:
            p = partition(a, low, high)
            stack.append((low, p - 1))
            stack.append((p + 1, high))
    total = 0.0
    for k in range(len(a)):
        total += (k + 1) * a[k] ** 2
    return total


@at(KEYS, WEIGHTS)
def insertion_sort_of_a_list(x, w):
    values = [v * u for v, u in zip(x, w)]
    for i in range(1, len(values)):
        key = values[i]
        j = i - 1
        while j >= 0 and values[j] > key:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = key
    return sum((k + 1.0) * v * v for k, v in enumerate(values))


def sift_down(heap, start, end):
    root = start
    while 2 * root + 1 < end:
        child = 2 * root + 1
        if child + 1 < end and heap[child] < heap[child + 1]:
            child += 1
        if heap[root] >= heap[child]:
            return
        heap[root], heap[child] = heap[child], heap[root]
        root = child


@at(KEYS, WEIGHTS)
def heapsort(x, w):
    heap = x * w
    n = len(heap)
    for start in range(n // 2 - 1, -1, -1):
        sift_down(heap, start, n)
    for end in range(n - 1, 0, -1):
        heap[0], heap[end] = heap[end], heap[0]
        sift_down(heap, 0, end)
    return np.dot(heap, np.arange(1.0, n + 1.0)) + heap[0] * heap[-1]


@at(KEYS, 3)
def heap_of_a_list(x, n):
    heap = []
    for v in x:
        heap.append(v * v)
        k = len(heap) - 1
        while k > 0 and heap[k] < heap[(k - 1) // 2]:
            heap[k], heap[(k - 1) // 2] = heap[(k - 1) // 2], heap[k]
            k = (k - 1) // 2
    total = 0.0
    for m in range(n):
        smallest = heap[0]
        last = heap.pop()
        heap[0] = last
        k = 0
        while True:
            child = 2 * k + 1
            if child >= len(heap):
                break
            if child + 1 < len(heap) and heap[child + 1] < heap[child]:
                child += 1
            if heap[k] <= heap[child]:
                break
            heap[k], heap[child] = heap[child], heap[k]
            k = child
        total += smallest * (m + 1.0) + smallest**2
    return total


@at(KEYS, WEIGHTS)
def merge_sort_bottom_up(x, w):
    a, b = x * w, np.zeros(len(x))
    width = 1
    while width < len(a):
        for low in range(0, len(a), 2 * width):
            middle, high = min(low + width, len(a)), min(low + 2 * width, len(a))
            i, j = low, middle
            for k in range(low, high):
                if i < middle and (j >= high or a[i] <= a[j]):
                    b[k] = a[i]
                    i += 1
                else:
                    b[k] = a[j]
                    j += 1
        a, b = b, a
        width *= 2
    return np.sum(a**2 * np.arange(len(a)))


@at(np.array([1.2, 0.7, 2.1, 1.6]), np.array([2, 1, 3, 2]), 5)
def knapsack(values, weights, capacity):
    best = np.zeros(capacity + 1)
    for i in range(len(values)):
        for c in range(capacity, weights[i] - 1, -1):
            best[c] = max(best[c], best[c - weights[i]] + values[i] ** 1.5)
    return best[capacity]


@at(RNG.uniform(0.3, 2.0, (4, 5)))
def cheapest_path(cost):
    rows, columns = cost.shape
    table = np.zeros((rows, columns))
    table[0, 0] = cost[0, 0] ** 2
    for j in range(1, columns):
        table[0, j] = table[0, j - 1] + cost[0, j] ** 2
    for i in range(1, rows):
        table[i, 0] = table[i - 1, 0] + cost[i, 0] ** 2
        for j in range(1, columns):
            table[i, j] = min(table[i - 1, j], table[i, j - 1], table[i - 1, j - 1]) + cost[i, j] ** 2
    return table[-1, -1]


@at(KEYS, KEYS[::-1] * 0.8)
def dynamic_time_warping(x, y):
    n, m = len(x), len(y)
    previous = np.full(m + 1, np.inf)
    previous[0] = 0.0
    for i in range(1, n + 1):
        current = np.full(m + 1, np.inf)
        for j in range(1, m + 1):
            d = (x[i - 1] - y[j - 1]) ** 2
            current[j] = d + min(previous[j], current[j - 1], previous[j - 1])
        previous = current
    return math.sqrt(previous[m])


@at(COINS, 12)
def ways_of_paying(prices, n):
    ways = [1.0] + [0.0] * n
    for k, price in enumerate(prices):
        for i in range(k + 1, n + 1):
            ways[i] += ways[i - k - 1] * price * 0.3
    return ways[n]


@at(RNG.uniform(0.1, 1.0, (5, 5)))
def all_shortest_paths(w):
    d = w**2 + 0.1
    n = d.shape[0]
    for i in range(n):
        d[i, i] = 0.0
    for k in range(n):
        for i in range(n):
            for j in range(n):
                if d[i, k] + d[k, j] < d[i, j]:
                    d[i, j] = d[i, k] + d[k, j]
    return np.sum(d * np.arange(25.0).reshape(5, 5))


@at(RNG.uniform(0.1, 1.0, (5, 5)))
def dijkstra_with_lists(w):
    n = len(w)
    distance = [0.0] + [math.inf] * (n - 1)
    done = [False] * n
    for _ in range(n):
        u = -1
        for v in range(n):
            if not done[v] and (u < 0 or distance[v] < distance[u]):
                u = v
        done[u] = True
        for v in range(n):
            if not done[v]:
                distance[v] = min(distance[v], distance[u] + w[u, v] ** 2)
    return sum(d * (k + 1.0) for k, d in enumerate(distance))


def find(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@at(RNG.uniform(0.1, 1.0, 6), np.array([[0, 1], [2, 3], [1, 3], [0, 2], [4, 5], [3, 4]]))
def union_find_of_a_spanning_tree(weights, edges):
    parent = list(range(6))
    rank = [0] * 6
    total, joined = 0.0, np.zeros(6)
    for k in range(len(edges)):
        a, b = find(parent, edges[k, 0]), find(parent, edges[k, 1])
        if a == b:
            continue
        if rank[a] < rank[b]:
            a, b = b, a
        parent[b] = a
        if rank[a] == rank[b]:
            rank[a] += 1
        total += weights[k] ** 2
        joined[a] += weights[k]
    return total + np.prod(joined + 1.0)


@at(DOMINANT, RIGHT, 6)
def gauss_seidel(a, b, sweeps):
    x = np.zeros_like(b)
    for _ in range(sweeps):
        for i in range(len(b)):
            s = b[i]
            for j in range(len(b)):
                if j != i:
                    s -= a[i, j] * x[j]
            x[i] = s / a[i, i]
    return x @ x


@at(DOMINANT, RIGHT)
def jacobi_with_swapped_buffers(a, b):
    n = len(b)
    old, new = np.zeros(n), np.zeros(n)
    for it in range(50):
        for i in range(n):
            new[i] = (b[i] - a[i] @ old + a[i, i] * old[i]) / a[i, i]
        change = np.max(np.abs(new - old))
        old, new = new, old
        if change < 1e-3:
            break
    else:
        raise RuntimeError("no convergence")
    return old @ old + old[0]


@at(DOMINANT, RIGHT)
def gaussian_elimination_with_pivots(a, b):
    a, b = a.copy(), b.copy()
    n = len(b)
    for k in range(n):
        p = k
        for i in range(k + 1, n):
            if abs(a[i, k]) > abs(a[p, k]):
                p = i
        if p != k:
            for j in range(n):
                a[k, j], a[p, j] = a[p, j], a[k, j]
            b[k], b[p] = b[p], b[k]
        for i in range(k + 1, n):
            factor = a[i, k] / a[k, k]
            a[i, k:] -= factor * a[k, k:]
            b[i] -= factor * b[k]
    x = np.empty(n)
    for i in range(n - 1, -1, -1):
        x[i] = (b[i] - np.dot(a[i, i + 1 :], x[i + 1 :])) / a[i, i]
    return np.sum(x**3)


@at(RNG.uniform(0.0, 1.0, (6, 6)), 3)
def life_with_floats(cells, generations):
    board = cells.copy()
    n, m = board.shape
    for _ in range(generations):
        after = np.zeros_like(board)
        for i in range(n):
            for j in range(m):
                neighbours = 0.0
                for di in (-1, 0, 1):
                    for dj in (-1, 0, 1):
                        if (di, dj) != (0, 0):
                            neighbours += board[(i + di) % n, (j + dj) % m]
                after[i, j] = math.exp(-((neighbours - 3.0) ** 2)) + board[i, j] * math.exp(-((neighbours - 2.0) ** 2))
        board = after
    return board.sum()


@at(1.3, 0.4)
def cache_of_constant_keys(x, y):
    cache = {"a": None, "b": None, "c": None}
    used = {"a": 0, "b": 0, "c": 0}
    total, clock = 0.0, 0
    for key in ("a", "b", "a", "c", "b", "a"):
        clock += 1
        value = cache[key]
        if value is None:
            value = math.sin(x * clock) + y
            cache[key] = value
        used[key] = clock
        total += value * clock
    oldest = min(used, key=lambda k: used[k])
    return total * cache[oldest]


@at(np.array([[0.4, 0.3], [-0.2, 0.9]]), 13)
def matrix_power_by_squaring(a, n):
    result = np.eye(len(a))
    base = a
    while n > 0:
        if n % 2 == 1:
            result = result @ base
        base = base @ base
        n //= 2
    return np.sum(result * np.array([[1.0, 2.0], [3.0, 4.0]]))


@at(np.array([0.3, -0.2, 0.05, 1.1]), 0.9)
def horner_with_derivative(coefficients, x):
    p, dp = 0.0, 0.0
    for c in coefficients[::-1]:
        dp = dp * x + p
        p = p * x + c
    return p * dp


@at(np.array([2.0, -1.2]), 1.7)
def newton_with_line_search(start, a):
    def f(v):
        return (1.0 - v[0]) ** 2 + a * (v[1] - v[0] ** 2) ** 2

    x = start.copy()
    for it in range(20):
        g = np.array([-2.0 * (1.0 - x[0]) - 4.0 * a * x[0] * (x[1] - x[0] ** 2), 2.0 * a * (x[1] - x[0] ** 2)])
        if np.sqrt(np.sum(g * g)) < 0.5:
            break
        h11 = 2.0 - 4.0 * a * (x[1] - 3.0 * x[0] ** 2)
        h12 = -4.0 * a * x[0]
        det = h11 * 2.0 * a - h12 * h12
        step = -np.array([2.0 * a * g[0] - h12 * g[1], h11 * g[1] - h12 * g[0]]) / det
        t = 1.0
        while f(x + t * step) > f(x) + 1e-4 * t * (g @ step):
            t *= 0.5
            if t < 1e-3:
                break
        x += t * step
    return x[0] * x[1] + f(x)


@at(RNG.uniform(0.2, 1.0, (3, 3)), RNG.uniform(0.2, 1.0, (3, 4)), np.array([0, 2, 1, 3, 3, 0]))
def viterbi(transition, emission, observed):
    n, steps = len(transition), len(observed)
    score = np.zeros((steps, n))
    back = np.zeros((steps, n), dtype=int)
    score[0] = np.log(emission[:, observed[0]])
    for t in range(1, steps):
        for j in range(n):
            best, arg = -np.inf, 0
            for i in range(n):
                s = score[t - 1, i] + np.log(transition[i, j])
                if s > best:
                    best, arg = s, i
            score[t, j] = best + np.log(emission[j, observed[t]])
            back[t, j] = arg
    state = 0
    for j in range(n):
        if score[-1, j] > score[-1, state]:
            state = j
    path = [state]
    for t in range(steps - 1, 0, -1):
        state = back[t, state]
        path.append(state)
    total = 0.0
    for t, s in enumerate(reversed(path)):
        total += score[t, s] * (t + 1)
    return total


@at(RNG.uniform(0.2, 1.0, (3, 3)), RNG.uniform(0.2, 1.0, (3, 4)), np.array([0, 2, 1, 3, 3, 0]))
def forward_algorithm_scaled(transition, emission, observed):
    a = transition / transition.sum(axis=1, keepdims=True)
    alpha = np.ones(3) / 3.0
    likelihood = 0.0
    for o in observed:
        alpha = (alpha @ a) * emission[:, o]
        scale = alpha.sum()
        alpha /= scale
        likelihood += math.log(scale)
    return likelihood


@at(0.3, 0.8, RNG.normal(size=6))
def kalman_filter_in_place(q, r, z):
    f = np.array([[1.0, 0.5], [0.0, 1.0]])
    h = np.array([[1.0, 0.0]])
    x, p = np.zeros(2), np.eye(2)
    loglik = 0.0
    for k in range(len(z)):
        x[:] = f @ x
        p[:] = f @ p @ f.T
        p[0, 0] += q
        p[1, 1] += 0.5 * q
        s = p[0, 0] + r
        gain = p[:, 0] / s
        y = z[k] - x[0]
        x += gain * y
        p -= np.outer(gain, p[0])
        loglik -= 0.5 * (math.log(s) + y * y / s)
    return loglik + x[1] * (h @ x)[0]


@at(np.array([0.0, 2.1, -1.3, 3.2, -0.7, 1.4, 0.2, 2.8, -2.0, 1.1]))
def rainflow(series):
    points = [series[0]]
    for k in range(1, len(series) - 1):
        if (series[k] - series[k - 1]) * (series[k + 1] - series[k]) < 0.0:
            points.append(series[k])
    points.append(series[-1])
    stack = []
    damage = 0.0
    for p in points:
        stack.append(p)
        while len(stack) >= 3:
            x = abs(stack[-1] - stack[-2])
            y = abs(stack[-2] - stack[-3])
            if x < y:
                break
            if len(stack) == 3:
                damage += 0.5 * y**3
                stack[0] = stack[1]
                stack[1] = stack[2]
                stack.pop()
            else:
                damage += y**3
                last = stack.pop()
                stack.pop()
                stack.pop()
                stack.append(last)
    for k in range(len(stack) - 1):
        damage += 0.5 * abs(stack[k + 1] - stack[k]) ** 3
    return damage


@dataclass
class Node:
    value: float
    next: Any = None


@at(1.1, 0.7)
def linked_list_reversed(x, y):
    head = None
    for k in (1, 2, 3, 4):
        head = Node(x * k + y**k, head)
    previous = None
    while head is not None:
        following = head.next
        head.next = previous
        previous, head = head, following
    total, place = 0.0, 1
    node = previous
    while node is not None:
        total += node.value**2 * place
        place += 1
        node = node.next
    return total


@dataclass
class Tree:
    key: float
    weight: float
    left: Any = None
    right: Any = None

    def insert(self, key, weight):
        if key < self.key:
            if self.left is None:
                self.left = Tree(key, weight)
            else:
                self.left.insert(key, weight)
        elif self.right is None:
            self.right = Tree(key, weight)
        else:
            self.right.insert(key, weight)

    def total(self, depth=1.0):
        left = 0.0 if self.left is None else self.left.total(depth + 1.0)
        right = 0.0 if self.right is None else self.right.total(depth + 1.0)
        return left * self.weight + depth * self.weight**2 + right


@at(np.array([1.1, 0.7, 1.9]))
def search_tree_of_constant_shape(w):
    root = Tree(2, w[0])
    root.insert(1, w[1])
    root.insert(3, w[2])
    root.insert(0, w[0] * w[2])
    return root.total()


@dataclass
class Particle:
    x: np.ndarray
    v: np.ndarray
    best: np.ndarray
    trail: list = field(default_factory=list)


@at(RNG.normal(size=(3, 2)), 0.6)
def swarm_of_particles(start, inertia):
    swarm = [Particle(start[k].copy(), np.zeros(2), start[k].copy()) for k in range(3)]
    leader = swarm[0].best
    for step in range(4):
        for p in swarm:
            p.v = inertia * p.v + 0.5 * (p.best - p.x) + 0.3 * (leader - p.x)
            p.x += p.v
            if np.sum(p.x**2) < np.sum(p.best**2):
                p.best = p.x.copy()
        swarm[-1].trail.append(np.sum(swarm[-1].x))
    return sum(np.sum(p.x * p.v) for p in swarm) + sum(swarm[-1].trail)


@at(np.array([3.0, 1.5, 2.5]), np.array([0.0, 1.0, 2.0]))
def neville_in_place(y, t):
    p = y.copy()
    n = len(p)
    for k in range(1, n):
        for i in range(n - k):
            p[i] = ((1.3 - t[i + k]) * p[i] + (t[i] - 1.3) * p[i + 1]) / (t[i] - t[i + k])
    return p[0] ** 2


@at(RNG.normal(size=8), RNG.normal(size=8))
def fft_in_place(re, im):
    a, b = re.copy(), im.copy()
    n = len(a)
    j = 0
    for i in range(1, n):
        bit = n >> 1
        while j & bit:
            j ^= bit
            bit >>= 1
        j |= bit
        if i < j:
            a[i], a[j] = a[j], a[i]
            b[i], b[j] = b[j], b[i]
    length = 2
    while length <= n:
        angle = -2.0 * math.pi / length
        for i in range(0, n, length):
            for k in range(length // 2):
                c, s = math.cos(angle * k), math.sin(angle * k)
                ur, ui = a[i + k], b[i + k]
                vr = a[i + k + length // 2] * c - b[i + k + length // 2] * s
                vi = a[i + k + length // 2] * s + b[i + k + length // 2] * c
                a[i + k], b[i + k] = ur + vr, ui + vi
                a[i + k + length // 2], b[i + k + length // 2] = ur - vr, ui - vi
        length *= 2
    return np.sum((a**2 + b**2) ** 2 * np.arange(n))


@at(np.array([0.2, 1.0, 3.3, 4.1, 0.7, 2.2]), 3)
def running_median_of_a_window(x, width):
    total = 0.0
    for start in range(len(x) - width + 1):
        window = x[start : start + width].copy()
        for i in range(width):
            for j in range(width - 1 - i):
                if window[j] > window[j + 1]:
                    window[j], window[j + 1] = window[j + 1], window[j]
        total += window[width // 2] ** 2
    return total


@at(RNG.uniform(0.5, 2.0, (4, 4)))
def householder(a):
    r = a.copy()
    n = len(r)
    for k in range(n - 1):
        v = r[k:, k].copy()
        v[0] += np.sqrt(np.sum(v * v)) * (1.0 if v[0] >= 0.0 else -1.0)
        v /= np.sqrt(v @ v)
        for j in range(k, n):
            r[k:, j] -= 2.0 * v * (v @ r[k:, j])
    return np.sum(np.log(np.abs(np.diag(r)))) + r[0, 2] * r[1, 3]


@at(RNG.uniform(0.5, 2.0, (4, 3)))
def gram_schmidt_row_by_row(a):
    q = []
    for row in a.T:
        v = row.copy()
        for u in q:
            v -= (u @ row) * u
        v = v / np.sqrt(v @ v)
        q.append(v)
    return sum(float(k + 1) * np.sum(v**3) for k, v in enumerate(q))


@at(np.array([0.1, 0.5, 0.9, 0.3]), 0.8, 10)
def sandpile(heights, rate, steps):
    h = list(heights)
    lost = 0.0
    for _ in range(steps):
        moved = False
        for i in range(len(h) - 1):
            if h[i] - h[i + 1] > 0.3:
                amount = rate * (h[i] - h[i + 1]) / 2.0
                h[i] -= amount
                h[i + 1] += amount
                moved = True
        lost += h[-1] * 0.1
        h[-1] *= 0.9
        if not moved:
            break
    return lost + sum(v * v for v in h)


@at(np.array([1.0, 0.2]), 1.5, 0.3)
def adaptive_runge_kutta(y0, mu, h):
    def f(y):
        return np.array([y[1], mu * (1.0 - y[0] ** 2) * y[1] - y[0]])

    t, y, accepted = 0.0, y0.copy(), []
    while t < 2.0:
        h = min(h, 2.0 - t)
        k1 = f(y)
        k2 = f(y + h * k1)
        error = np.max(np.abs(h * (k2 - k1))) / 2.0
        if error > 0.2:
            h *= 0.5
            continue
        y += h * (k1 + k2) / 2.0
        t += h
        accepted.append(y[0])
        if error < 0.02:
            h *= 1.5
    return y @ y + sum(accepted)


@at(0.7)
def while_in_while(x):
    y = x
    while y < 5.0:
        t = 0.1 * x
        while t < 1.0:
            t = t * 2.0 + 0.05 * y
        y += math.sin(t) ** 2
    return y


@at(0.7)
def while_in_a_branch_of_a_while(x):
    y = x
    while y < 5.0:
        t = 0.1 * x
        if y > 1.0:
            while t < 1.0:
                t = t * 2.0 + 0.05 * y
        y += math.sin(t) ** 2 + 0.1
    return y


@at(RNG.uniform(0.0, 1.0, (5, 5)), 0.1)
def heat_through_a_view(u0, k):
    u = u0.copy()
    inner = u[1:-1, 1:-1]
    for _ in range(4):
        lap = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4.0 * inner
        inner += k * lap * inner
    return np.sum(u**2)


@at(np.array([0.3, 0.8, 1.1, 0.2]))
def views_written_in_branches(x):
    y = x.copy()
    head, tail = y[:2], y[2:]
    for k in range(5):
        if k % 2:
            head += np.sin(tail) * y[k % 4]
        else:
            tail *= head[::-1] + 0.5
        y -= 0.1 * y
    return np.sum(y * y) + head[0] * tail[1]
