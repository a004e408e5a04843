"""Calls whose arguments and results are trees: what enters machine code, what does not, and no reference lost."""

from __future__ import annotations

import gc
import sys
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest

from adcore import grad, jit, jvp, value_and_grad
from adcore.dispatch import Dispatcher


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclass(frozen=True)
class Layer:
    W: Any
    b: Any
    name: str = "layer"


@dataclass(slots=True)
class Slotted:
    a: Any
    b: Any


@dataclass
class Empty:
    pass


@dataclass
class Guarded:
    """A dataclass whose construction runs code."""

    a: Any
    b: Any = field(init=False)

    def __post_init__(self) -> None:
        self.b = self.a * 2.0


W, B = np.arange(6.0).reshape(2, 3) / 7.0, np.array([0.3, -0.2])

# For each kind: a function of it, an instance, and one of the same kind with other numbers.
KINDS: dict[str, tuple[Any, Any, Any]] = {
    "tuple": (lambda p: np.sum(np.sin(p[0]) * p[1]), (B, B + 1.0), (B * 2.0, B)),
    "list": (lambda p: np.sum(np.sin(p[0]) * p[1]), [B, B + 1.0], [B * 2.0, B]),
    "dict": (lambda p: np.sum(np.sin(p["a"]) * p["b"]), {"a": B, "b": B + 1.0}, {"a": B * 2.0, "b": B}),
    "dict of other keys": (
        lambda p: np.sum(np.sin(p[1]) * p["b"] + p[None]),
        {1: B, "b": B + 1.0, None: 2.0},
        {1: B * 2.0, "b": B, None: 3.0},
    ),
    "NamedTuple": (lambda p: np.sum(np.sin(p.a) * p.b), Pair(B, B + 1.0), Pair(B * 2.0, B)),
    "dataclass": (lambda p: np.sum(np.tanh(p.W @ np.ones(3) + p.b)), Layer(W, B), Layer(2.0 * W, B)),
    "slots": (lambda p: np.sum(np.sin(p.a) * p.b), Slotted(B, B + 1.0), Slotted(B * 2.0, B)),
    "made by code": (lambda p: np.sum(np.sin(p.a) * p.b), Guarded(B), Guarded(2.0 * B)),
    "empty ones": (lambda p: p[0] * p[0], (1.5, (), [], {}, Empty()), (2.5, (), [], {}, Empty())),
    "numbers": (lambda p: p[0] * p[1] + p[2], (1.5, np.float32(2.0), 3), (2.5, np.float32(3.0), 4)),
    "constants": (
        lambda p: p[0] * p[0],
        (1.5, None, "text", len, np.sin),
        (2.5, None, "".join(("te", "xt")), len, np.sin),
    ),
    "nested": (
        lambda p: np.sum(p["layers"][0].W @ np.ones(3) * p["layers"][1].a) + p["rest"].b[0],
        {"layers": [Layer(W, B), Pair(B, 1.0)], "rest": Slotted(1.0, (2.0, None))},
        {"layers": [Layer(W, B), Pair(2.0 * B, 1.0)], "rest": Slotted(1.0, (3.0, None))},
    ),
}


def assert_alike(one: Any, other: Any) -> None:
    """The same classes, fields and numbers, to the bit."""
    assert type(one) is type(other)
    if isinstance(one, tuple | list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_alike(a, b)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        assert_alike(list(one.values()), list(other.values()))
    elif hasattr(one, "__dataclass_fields__"):
        for name in one.__dataclass_fields__:
            assert_alike(getattr(one, name), getattr(other, name))
    elif isinstance(one, np.ndarray):
        np.testing.assert_array_equal(one, other)
    else:
        assert one is other or one == other


@pytest.fixture
def no_dispatch(monkeypatch):
    """Calls that do not enter machine code by themselves fail."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("this call went to the dispatcher")

    return lambda: monkeypatch.setattr(Dispatcher, "__call__", refuse)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("transform", [grad, value_and_grad, jit], ids=lambda t: t.__name__)
def test_the_second_call_enters_machine_code(kind, transform, no_dispatch):
    function, one, other = KINDS[kind]
    g = transform(function)
    first = g(one)
    expected = [first, transform(function)(other)]
    no_dispatch()
    assert_alike(g(one), expected[0])
    assert_alike(g(other), expected[1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_tree_comes_back_as_it_was_given(kind, no_dispatch):
    _, one, other = KINDS[kind]
    same = jit(lambda p: p)
    assert_alike(same(one), one)
    no_dispatch()
    assert_alike(same(other), other)
    assert same(other) is not other


def test_one_value_in_two_places_of_a_result():
    @jit
    def twice(x):
        y = x * 2.0
        return {"a": y, "b": [y, (y, Pair(y, y))]}

    for _ in range(3):
        found = twice(B)
        np.testing.assert_array_equal(found["b"][1][1].b, 2.0 * B)
        assert sys.getrefcount(found["a"]) < 10


def other_trees() -> Iterator[tuple[str, Any]]:
    base = KINDS["nested"][1]
    yield "another key", {"layers": base["layers"], "other": base["rest"]}
    yield "another order", {"rest": base["rest"], "layers": base["layers"]}
    yield "one more key", {**base, "more": 1.0}
    yield "a longer list", {**base, "layers": [*base["layers"], 1.0]}
    yield "a tuple for a list", {**base, "layers": tuple(base["layers"])}
    yield "an OrderedDict", OrderedDict(base)
    yield "a number of another type", {**base, "rest": Slotted(1, (2.0, None))}
    yield "strided", {**base, "layers": [Layer(np.repeat(W, 2, axis=1)[:, ::2], B), Pair(B, 1.0)]}
    yield "another constant", {**base, "layers": [Layer(W, B, "other"), Pair(B, 1.0)]}
    yield "an array for a constant", {**base, "rest": Slotted(1.0, (2.0, B))}


OTHERS = dict(other_trees())


@pytest.mark.parametrize("name", OTHERS)
def test_another_tree_gets_its_own_program(name):
    tree = OTHERS[name]

    def total(p):
        found = 0.0
        for key in p:
            part = p[key]
            if key == "layers":
                found = found + np.sum(part[0].W) + np.sum(part[1].a) * len(part) + len(part[0].name)
            elif key != "more":
                found = found * 2.0 + part.b[0]
        return found

    compiled = jit(total)
    base = KINDS["nested"][1]
    before = compiled(base), compiled(base)
    assert compiled(tree) == pytest.approx(total(tree), rel=1e-14)
    assert before == (compiled(base), compiled(base))


def test_a_missing_attribute_is_an_error_as_before():
    g = grad(lambda p: p.a * p.b)
    g(Slotted(1.0, 2.0))
    broken = object.__new__(Slotted)
    broken.a = 1.0
    with pytest.raises(AttributeError, match="b"):
        g(broken)


def test_attributes_may_be_computed():
    """Code that runs while the arguments are taken apart may change what was read before."""
    items = [np.arange(3.0)]

    @dataclass
    class Plain:
        a: Any

    g = grad(lambda p, q: np.sum(p[0] * q.a))
    assert_alike(g(items, Plain(2.0)), [np.full(3, 2.0)])
    assert_alike(g(items, Plain(2.0)), [np.full(3, 2.0)])

    def emptied(self: Any) -> float:
        items.clear()
        return 3.0

    Plain.a = property(emptied)  # type: ignore[assignment]
    plain = object.__new__(Plain)
    assert_alike(g(items, plain), [np.full(3, 3.0)])
    assert items == []


class Refusing(NamedTuple):
    a: Any
    b: Any


def test_a_class_that_refuses_its_parts():
    made = []

    class Choosy(Refusing):
        __slots__ = ()

        def __new__(cls, a: Any, b: Any) -> Any:
            if made:
                raise ValueError("not these")
            return super().__new__(cls, a, b)

    g = grad(lambda p: np.sum(p.a * p.b))
    given = Choosy(B, B + 1.0)
    g(given)
    g(given)
    made.append(True)
    before = allocated(lambda: None)
    for _ in range(200):
        with pytest.raises(ValueError, match="not these"):
            g(given)
    assert allocated(lambda: None) - before < 100


def allocated(call: Any) -> int:
    call()
    gc.collect()
    return sys.getallocatedblocks()


@pytest.mark.parametrize("kind", KINDS)
def test_no_reference_is_lost(kind):
    function, one, other = KINDS[kind]
    g, same = value_and_grad(function), jit(lambda p: p)

    def calls() -> None:
        for _ in range(300):
            g(one)
            same(other)

    calls()
    before = allocated(calls)
    assert allocated(calls) - before < 100
    references = [sys.getrefcount(one), sys.getrefcount(B), sys.getrefcount(W)]
    calls()
    assert references == [sys.getrefcount(one), sys.getrefcount(B), sys.getrefcount(W)]


def test_no_reference_is_lost_on_the_ways_out():
    """Where the last part is not as expected, and where the function raises."""
    g = jit(lambda p: p["list"][0].a / p["list"][1])
    good = {"list": [Slotted(1.0, B), 2.0]}
    failing = {"list": [Slotted(1.0, B), 0.0]}
    other = {"list": [Slotted(1.0, B), np.float32(2.0)]}

    def calls() -> None:
        for _ in range(100):
            g(good)
            with pytest.raises(ZeroDivisionError):
                g(failing)
            g(other)

    calls()
    before = allocated(calls), sys.getrefcount(B)
    after = allocated(calls), sys.getrefcount(B)
    assert after[0] - before[0] < 100
    assert after[1] == before[1]


def test_trees_of_primals_and_tangents(no_dispatch):
    g = jvp(lambda p, x: np.sum(np.tanh(p.W @ x + p.b)))
    x = np.ones(3)
    arguments = (Layer(W, B), x), (Layer(W * 0.0, B * 0.0 + 1.0), x * 0.0)
    expected = g(*arguments)
    assert expected[1] == pytest.approx(np.sum(1.0 - np.tanh(W @ x + B) ** 2))
    no_dispatch()
    assert g(*arguments) == expected


def test_arrays_in_trees_are_written_into_once():
    def f(p):
        p["x"][0] = 3.0
        return np.sum(p["x"] * p["y"])

    compiled = jit(f)
    for _ in range(3):
        p = {"x": np.arange(2.0), "y": np.ones(2)}
        assert compiled(p) == 4.0
        assert p["x"][0] == 3.0
    shared = np.arange(2.0)
    with pytest.raises(Exception, match="shares memory"):
        compiled({"x": shared, "y": shared})
