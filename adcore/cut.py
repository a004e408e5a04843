"""Minimum vertex cut by augmenting paths (Ford and Fulkerson 1956), nearest to the sinks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from itertools import pairwise
from typing import TypeVar

__all__ = ["minimum_cut"]

V = TypeVar("V", bound=Hashable)
INFINITE = 1 << 60


def minimum_cut(edges: list[tuple[V, V]], sources: list[V], sinks: list[V], cost: Callable[[V], int]) -> list[V]:
    """The vertices of least total cost whose removal parts every path from a source to a sink.

    Sources and sinks may be removed themselves.  Among cuts of equal cost it is the one nearest to the sinks.

    >>> minimum_cut([("a", "b"), ("b", "c"), ("b", "d")], ["a"], ["c", "d"], lambda v: 1)
    ['b']
    """
    vertices = list(dict.fromkeys([*sources, *sinks, *(v for e in edges for v in e)]))
    number = {v: k for k, v in enumerate(vertices)}
    n = len(vertices)
    start, goal = 2 * n, 2 * n + 1
    capacity: list[dict[int, int]] = [{} for _ in range(2 * n + 2)]

    def connect(u: int, v: int, c: int) -> None:
        capacity[u][v] = capacity[u].get(v, 0) + c
        capacity[v].setdefault(u, 0)

    for v, k in number.items():
        connect(2 * k, 2 * k + 1, cost(v))
    for u, v in dict.fromkeys(edges):
        connect(2 * number[u] + 1, 2 * number[v], INFINITE)
    for v in dict.fromkeys(sources):
        connect(start, 2 * number[v], INFINITE)
    for v in dict.fromkeys(sinks):
        connect(2 * number[v] + 1, goal, INFINITE)

    while _augment(capacity, start, goal):
        pass
    reaching = _reaching(capacity, goal)
    return [v for v, k in number.items() if 2 * k + 1 in reaching and 2 * k not in reaching]


def _augment(capacity: list[dict[int, int]], start: int, goal: int) -> bool:
    """Send flow along one shortest path with room; false when there is none."""
    came_from = {start: start}
    queue = deque([start])
    while queue and goal not in came_from:
        u = queue.popleft()
        for v, room in capacity[u].items():
            if room > 0 and v not in came_from:
                came_from[v] = u
                queue.append(v)
    if goal not in came_from:
        return False
    path = [goal]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    path.reverse()
    flow = min(capacity[u][v] for u, v in pairwise(path))
    for u, v in pairwise(path):
        capacity[u][v] -= flow
        capacity[v][u] += flow
    return True


def _reaching(capacity: list[dict[int, int]], goal: int) -> set[int]:
    """Vertices with room left on some path to the goal."""
    found = {goal}
    queue = deque([goal])
    while queue:
        v = queue.popleft()
        for u in capacity[v]:
            if u not in found and capacity[u].get(v, 0) > 0:
                found.add(u)
                queue.append(u)
    return found
