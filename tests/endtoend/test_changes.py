"""Lists, dicts and objects of the caller that a compiled function changes: as Python changes them."""

from __future__ import annotations

import dataclasses
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from adcore import (
    AliasError,
    UnsupportedFunctionError,
    UnsupportedSyntaxError,
    checkpoint,
    grad,
    jit,
    jvp,
    value_and_grad,
    vjp,
)


@dataclass
class Body:
    mass: float
    position: np.ndarray
    name: str = "body"
    tags: list = field(default_factory=list)
    next: Any = None


@dataclass
class Pair:
    one: Any
    two: Any


def body(mass=2.0, next=None):
    return Body(mass, np.array([1.0, -2.0, 0.5]), next=next)


def sets_attributes(b, x):
    b.mass = b.mass * x
    b.position = b.position * x
    b.name = "moved"
    return b.mass


def augments(b, x):
    b.mass += x
    b.position += x
    return b.mass


def steps(b, x, n=3):
    for _ in range(n):
        b.position = b.position + x * b.mass
        b.mass = b.mass * 0.5
    return np.sum(b.position)


def steps_perhaps(b, x):
    if x > 3.0:
        b.position = b.position + x
        b.mass = 1.0
    return b.mass


def no_steps(b, x):
    return steps(b, x, 0)


def writes_and_sets(b, x):
    b.position[1] = x
    old = b.position
    b.position = np.zeros(2)
    old[2] = 7.0
    return old[1]


def swaps(p, x):
    p.one, p.two = p.two, p.one
    return x


def same_new_array_twice(p, x):
    p.one = p.two = np.ones(3) * x
    return p.one[0]


def same_new_list_twice(p, x):
    p.one = [x, 2.0 * x]
    p.two = (p.one, "and", p.one)
    p.one.append(3.0)
    return x


def moves_the_callers_things(p, x):
    p.one = [p.two, p, x]
    p.two = {"before": p.one}
    return x


def new_objects(p, x):
    first = Body(x, np.ones(2) * x)
    second = Body(2.0 * x, np.zeros(2), "second", [1, 2], first)
    first.next = second
    p.one, p.two = first, second
    return first.mass


def keeps_what_is_not_changed(p, x):
    p.one = x
    return x


def items(values, x):
    values[0] = values[1] * x
    values[-1] = "last"
    values[1], values[2] = values[2], values[1]
    return x


def longer(values, x):
    values.append(x)
    values.insert(1, [x])
    del values[0]
    values.extend([1, 2.5])
    return len(values)


def at_a_place_known_at_run_time(values, x):
    k = int(x) % len(values)
    values[k] = values[k - 1] * 2.0
    return values[k]


def appended_in_a_loop(values, x, n=4):
    for k in range(n):
        values.append(x * k)
    return sum(values)


def appended_arrays(values, x):
    y = np.ones(2)
    for k in range(int(x)):
        y = y * x
        values.append((k, y, f"{0.5}"))
    return y[0]


def appended_objects(values, x):
    for k in range(int(x)):
        values.append(Body(x, np.zeros(2) + k))
    return x


def emptied(values, x):
    while len(values) > 0 and values[-1] < x:
        values.pop()
    return x


def sorted_by_insertion(values, x):
    for i in range(1, len(values)):
        j, key = i, values[i]
        while j > 0 and values[j - 1] > key:
            values[j] = values[j - 1]
            j -= 1
        values[j] = key
    return values[0]


def entries(d, x):
    d["b"] = d["a"] * x
    d["new"] = [x]
    d.setdefault("a", 1.0)
    d.pop("c")
    return x


def counted(d, x):
    for k in range(3):
        d["a"] += x * k
    d.update(a=d["a"] + 1.0, z=(x, None))
    return d["a"]


def inner_list(p, x):
    p.one["rows"][1].append(x)
    p.one["rows"][0][0] += x
    return x


def down_a_list(p, x):
    node = p.one
    node.next.mass = x
    node.next.next = Body(3.0 * x, np.zeros(1))
    return node.next.next.mass


def through_a_helper(b, x):
    scale(b, x)
    scale(b, 2.0)
    return b.mass


def scale(b, factor):
    b.mass *= factor
    b.tags.append(factor)


def numbers():
    return [2.0, 3.0, 5.0, 1.0]


CASES = [
    *((f, body) for f in (sets_attributes, augments, steps, steps_perhaps, no_steps, writes_and_sets)),
    (through_a_helper, body),
    (swaps, lambda: Pair(1.0, 2.0)),
    (swaps, lambda: Pair(np.ones(2), [1.0])),
    (swaps, lambda: Pair(body(), {"x": 1})),
    (same_new_array_twice, lambda: Pair(1.0, 2.0)),
    (same_new_list_twice, lambda: Pair(1.0, 2.0)),
    (moves_the_callers_things, lambda: Pair(1.0, np.ones(2))),
    (moves_the_callers_things, lambda: Pair(1.0, [np.ones(2)])),
    (new_objects, lambda: Pair(1.0, None)),
    (keeps_what_is_not_changed, lambda: Pair(1.0, (np.float64(2.0), np.ones(2), "text", 3, True, None))),
    (items, lambda: [1.0, 2.0, np.ones(2), None]),
    (longer, lambda: [1.0, np.float64(2.0), [3.0]]),
    *((f, numbers) for f in (at_a_place_known_at_run_time, appended_in_a_loop, sorted_by_insertion, emptied)),
    *((f, list) for f in (appended_in_a_loop, appended_arrays, appended_objects)),
    (entries, lambda: {"a": 1.5, "c": 2.0, "b": 0.0}),
    (entries, lambda: OrderedDict(c=2.0, a=np.ones(2), b=0)),
    (counted, lambda: {"k": None, "a": 1.5}),
    (inner_list, lambda: Pair({"rows": [[1.0], [2.0, 3.0]]}, 0.0)),
    (down_a_list, lambda: Pair(body(1.0, body(2.0)), None)),
]


def same_graph(ours, theirs, met=None):
    """Assert that two things are equal, and that what is one thing here is one thing there."""
    met = {} if met is None else met
    if isinstance(theirs, float | int | bool | np.generic):  # a number of NumPy's may have become Python's
        assert type(ours) in (type(theirs), type(getattr(theirs, "item", lambda: theirs)()))
        assert ours == pytest.approx(theirs, rel=1e-14)
        return
    if isinstance(theirs, list | dict | np.ndarray) or dataclasses.is_dataclass(theirs):
        assert met.setdefault(id(ours), id(theirs)) == id(theirs)
        assert met.setdefault(("theirs", id(theirs)), id(ours)) == id(ours)
        if ("seen", id(theirs)) in met:
            return
        met["seen", id(theirs)] = 1
    assert type(ours) is type(theirs)
    if isinstance(theirs, np.ndarray):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            same_graph(a, b, met)
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for key in theirs:
            same_graph(ours[key], theirs[key], met)
    elif dataclasses.is_dataclass(theirs):
        assert vars(ours).keys() == vars(theirs).keys()
        for name in vars(theirs):
            same_graph(getattr(ours, name), getattr(theirs, name), met)
    else:
        assert ours == theirs


# what these leave in the caller's things cannot be given to them again: it holds one list twice, or has become another
ONCE = {longer, entries, writes_and_sets, same_new_list_twice, moves_the_callers_things, new_objects}
IDS = [f"{f.__name__}-{k}" for k, (f, _) in enumerate(CASES)]


@pytest.mark.parametrize("transform", [jit, checkpoint], ids=["jit", "checkpoint"])
@pytest.mark.parametrize(("function", "make"), CASES, ids=IDS)
def test_the_caller_sees_what_python_does(transform, function, make):
    ours, theirs = make(), make()
    compiled = transform(function)
    for x in (3.25, 2.5):  # the second call finds what the first has left
        if function in ONCE:
            ours, theirs = make(), make()
        found, expected = compiled(ours, x), function(theirs, x)
        same_graph(found, expected)
        same_graph(ours, theirs)


@pytest.mark.parametrize(("function", "make"), CASES, ids=IDS)
def test_a_derivative_leaves_what_the_caller_has_alone(function, make):
    ours, before, step = make(), make(), 1e-6
    expected = (function(make(), 3.25 + step) - function(make(), 3.25 - step)) / (2.0 * step)
    for _ in range(2):
        assert grad(lambda p, x: 1.0 * function(p, x), argnums=1)(ours, 3.25) == pytest.approx(expected, abs=1e-6)
        same_graph(ours, before)


@pytest.mark.parametrize(("function", "make"), CASES, ids=IDS)
def test_a_compiled_function_changes_what_its_caller_has(function, make):
    """The same, called by a compiled function, which changes what its own caller has."""
    compiled = checkpoint(function)

    def once(p, x):
        return compiled(p, x * 1.0)

    def twice(p, x):
        return compiled(p, x * 1.0) + compiled(p, 2.0 * x)

    only_once = function in ONCE or isinstance(make(), list)
    ours, theirs = make(), make()
    found = jit(once if only_once else twice)(ours, 1.75)
    expected = function(theirs, 1.75)
    same_graph(found, expected if only_once else expected + function(theirs, 3.5))
    same_graph(ours, theirs)


def views_the_callers_array(p, x):
    p.two = p.one[1:]
    return x


def perhaps_the_callers_array(p, x):
    p.two = p.one if x > 0.0 else np.zeros(3)
    return x


def one_array_and_a_view_of_it(p, x):
    y = np.ones(3) * x
    p.one, p.two = y, y[::-1]
    return x


def perhaps_one_of_two(p, x):
    q = p.one if x > 0.0 else p.two
    q.mass = x
    return q.mass


def a_function(p, x):
    p.two = lambda y: y * x
    return x


def other_attributes(p, x):
    if x > 0.0:
        p.three = x
    return x


TABLE = np.arange(3.0)


def a_global(p, x):
    p.two = TABLE
    return x


def appended_itself(p, x):
    for _ in range(int(x)):
        p.two.append(p.one)
        p.one = p.one * x
    return x


def two_arrays():
    return Pair(np.ones(3), np.zeros(3))


def two_bodies():
    return Pair(body(), body())


REFUSED = [
    (views_the_callers_array, two_arrays, AliasError, "shares memory, or may, with 'p.one'"),
    (perhaps_the_callers_array, two_arrays, AliasError, "shares memory, or may, with 'p.one'"),
    (one_array_and_a_view_of_it, two_arrays, AliasError, "shares memory, or may"),
    (a_global, two_arrays, AliasError, "shares memory, or may, with 'TABLE'"),
    (appended_itself, lambda: Pair(np.ones(3), []), AliasError, "shares memory, or may, with 'p.one'"),
    (perhaps_one_of_two, two_bodies, AliasError, "changes what may or may not be the caller's 'p.one'"),
    (a_function, two_arrays, UnsupportedFunctionError, "leaves a function in what the caller has"),
    (other_attributes, two_arrays, UnsupportedFunctionError, "other keys or attributes on one path"),
]


@pytest.mark.parametrize(("function", "make", "error", "message"), REFUSED, ids=[f.__name__ for f, *_ in REFUSED])
def test_what_cannot_be_left_is_refused(function, make, error, message):
    ours = make()
    for transform in (jit, checkpoint):
        with pytest.raises(error, match=re.escape(message)) as caught:
            transform(function)(ours, 2.0)
        assert caught.value.source.function == function.__name__
    same_graph(ours, make())
    assert grad(function, argnums=1)(ours, 2.0) == 1.0
    same_graph(ours, make())


def test_items_that_are_moved_where_it_matters():
    def rotated(values, x):
        k = int(x)
        values[k], values[0] = values[0], values[k]
        return x

    numbers = [np.float64(1.0), 2.0, 3.0]
    assert jit(rotated)(numbers, 2.0) == 2.0
    assert numbers == [3.0, 2.0, 1.0]
    arrays = [np.ones(2), np.zeros(2), np.ones(2)]
    before = list(arrays)
    for x in (0.0, 2.0):  # nothing moves, or what is equal
        jit(rotated)(arrays, x)
        assert all(a is b for a, b in zip(arrays, before, strict=True))
    with pytest.raises(AliasError, match="an item of 'values', a list of the caller's"):
        jit(rotated)(arrays, 1.0)
    assert all(a is b for a, b in zip(arrays, before, strict=True))


def test_arguments_that_hold_one_thing_twice_are_refused_where_it_is_changed():
    def changes(one, other):
        one[0] = 2.0
        return one[0] * other[0]

    both = [1.0]
    for transform in (jit, grad):
        with pytest.raises(AliasError, match="hold one list twice"):
            transform(changes)(both, both)
    with pytest.raises(AliasError, match="two of its arguments"):
        jit(lambda x: grad(lambda a, b: changes(a, b))([x], [x])[0] + grad(changes)(*[[x]] * 2)[0])(1.0)


def test_nothing_is_changed_where_the_function_raises():
    def fails(b, x):
        b.mass = x
        b.tags.append(x)
        if x > 1.0:
            raise ValueError("large")
        return x

    ours = body()
    with pytest.raises(ValueError, match="large"):
        jit(fails)(ours, 2.0)
    same_graph(ours, body())
    jit(fails)(ours, 0.5)
    assert (ours.mass, ours.tags) == (0.5, [0.5])


# Results that are lists of run-time length


def powers(x, n):
    found = []
    for k in range(n):
        found.append(x**k)
    return found


def trajectory(x, n):
    found = [(0.0, np.ones(2) * x)]
    for k in range(n):
        found.append((k + 1.0, found[-1][1] * x))
    return {"path": found, "last": found[-1][0] * x}


def while_it_grows(x, n):
    found = [x]
    while found[-1] < n:
        found.append(found[-1] * 2.0)
    return found, len(found)


def bodies(x, n):
    return [Body(x * k, np.zeros(2) + x**k, "body", [k, x]) for k in range(n)]


def rows_of_one_length(x, n):
    return [[x * k, {"k": k, "x": (x, None)}] for k in range(n)]


def every_second(x, n):
    return [x * k for k in range(n)][::2]


LISTS = [powers, trajectory, while_it_grows, bodies, rows_of_one_length, every_second]


@pytest.mark.parametrize("function", LISTS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("n", [0, 1, 5])
def test_a_list_of_run_time_length_is_a_result(function, n):
    for transform in (jit, checkpoint):
        compiled = transform(function)
        for x in (1.5, 2.5):
            same_graph(compiled(x, n), function(x, n))
    same_graph(jit(lambda x, n: checkpoint(function)(x, n))(1.5, n), function(1.5, n))


def reals(tree):
    """The real numbers in a tree, in order."""
    if isinstance(tree, float | np.ndarray):
        return [float(v) for v in np.ravel(tree)]
    if dataclasses.is_dataclass(tree):
        tree = list(vars(tree).values())
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [v for part in tree for v in reals(part)] if isinstance(tree, list | tuple) else []


def mapped(f, tree):
    """The tree with other real numbers, and None for what is not real."""
    if isinstance(tree, float | np.ndarray):
        return f(tree)
    if dataclasses.is_dataclass(tree):
        return dataclasses.replace(tree, **{k: mapped(f, v) for k, v in vars(tree).items()})
    if isinstance(tree, dict):
        return {k: mapped(f, v) for k, v in tree.items()}
    return type(tree)(mapped(f, v) for v in tree) if isinstance(tree, list | tuple) else None


@pytest.mark.parametrize("function", LISTS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("n", [0, 1, 5])
def test_tangents_and_cotangents_of_lists(function, n):
    x, step = 1.5, 1e-6
    values, tangent = jvp(function, (x, n), (1.0, 0))
    same_graph(values, function(x, n))
    both = zip(reals(function(x + step, n)), reals(function(x - step, n)), strict=True)
    np.testing.assert_allclose(reals(tangent), [(a - b) / (2.0 * step) for a, b in both], rtol=1e-7, atol=1e-7)
    values, pullback = vjp(function, x, n)
    weight = mapped(lambda v: np.cos(v + 0.3) if isinstance(v, np.ndarray) else float(np.cos(v + 0.3)), values)
    expected = float(np.dot(reals(weight), reals(tangent)))
    assert pullback(weight)[0] == pytest.approx(expected, rel=1e-12)
    with pytest.raises(TypeError, match="another structure"):
        pullback((weight, weight, weight))


def test_a_list_beside_the_value():
    def path(x, n):
        found = [x]
        for _ in range(n):
            found.append(found[-1] * x)
        return found[-1], found

    assert value_and_grad(path, has_aux=True)(2.0, 3) == ((16.0, [2.0, 4.0, 8.0, 16.0]), 32.0)
    value, pullback, aux = vjp(path, 2.0, 2, has_aux=True)
    assert (value, pullback(1.0), aux) == (8.0, (12.0, None), [2.0, 4.0, 8.0])

    def outer(x, n):
        value, found = checkpoint(path)(x, n)
        found.append(value * x)
        return sum(y * y for y in found)

    for transform, exact in ((jit, 4.0 + 16.0 + 64.0 + 256.0), (grad, 4.0 + 32.0 + 192.0 + 1024.0)):
        assert transform(outer)(2.0, 2) == pytest.approx(exact, rel=1e-14)


def test_lists_of_lists_of_run_time_length_are_refused():
    def triangle(x, n):
        return [[x * j for j in range(k)] for k in range(n)]

    with pytest.raises(UnsupportedSyntaxError, match="a list whose items differ in length"):
        jit(triangle)(1.0, 3)
