# ruff: noqa: B007, C408, C416, E501, RUF005
"""Lists, dicts and objects: what Python does with their identity, and what is refused."""

from __future__ import annotations

import copy
import dataclasses
import math
from dataclasses import InitVar, dataclass, field
from typing import NamedTuple

import numpy as np
import pytest

import adcore
from adcore.errors import AdcoreError, AliasError, UnsupportedFunctionError, UnsupportedSyntaxError

from .conftest import lower, run, same

X = np.array([1.0, -2.0, 3.0, 0.5])


@dataclass
class Base:
    x: float
    tag: str = "base"

    def shifted(self, by):
        return dataclasses.replace(self, x=self.x + by)


@dataclass
class Derived(Base):
    y: float = 2.0
    parts: list = field(default_factory=list)
    scale: InitVar[float] = 1.0
    doubled: float = field(init=False)

    def __post_init__(self, scale):
        self.doubled = 2.0 * self.x * scale

    @property
    def area(self):
        return self.x * self.y

    @area.setter
    def area(self, value):
        self.y = value / self.x

    @classmethod
    def square(cls, x):
        return cls(x, y=x)

    @staticmethod
    def plus(a, b):
        return a + b

    def __call__(self, z):
        return self.x * z

    def __len__(self):
        return len(self.parts)

    def __getitem__(self, k):
        return self.parts[k]

    def __iadd__(self, by):
        self.x += by
        return self


@dataclass(frozen=True, slots=True, order=True)
class Fixed:
    a: float
    b: float = 1.0

    def __add__(self, other):
        return Fixed(self.a + other.a, self.b + other.b)

    def __rmul__(self, k):
        return Fixed(k * self.a, k * self.b)

    def __neg__(self):
        return Fixed(-self.a, -self.b)


@dataclass(kw_only=True)
class Keyword:
    left: float
    right: float = 3.0


class Pair(NamedTuple):
    x: float
    y: float = 5.0

    @property
    def norm(self):
        return math.hypot(self.x, self.y)

    def scaled(self, k):
        return Pair(self.x * k, self.y * k)


class Plain:
    count = 3

    def __init__(self, x):
        self.x = x


class Virtual(Plain):
    def __getattr__(self, name):
        return 1.0


SHARED = Base(1.0)


def made_every_way(x):
    d = Derived(x, scale=3.0)
    e = Derived(x=x, y=4.0, parts=[x, 1.0])
    return d.doubled, d.y, d.tag, e.area, e[0], len(e), e(2.0), Derived.square(x).area, d.plus(x, 1.0), d.shifted(x).x


def setters_and_operators(x):
    d = Derived(x)
    d.area = 8.0
    d += 1.0
    f = 2.0 * (Fixed(x) + Fixed(1.0, x))
    return d.x, d.y, (-f).a, f == Fixed(2.0 * x + 2.0, 2.0 * x + 2.0), Fixed(1.0) == Fixed(1.0, 1.0), d == 3.0, f != f


def functions_of_dataclasses(x):
    d = Derived(x, parts=[x])
    s = dataclasses.asdict(d)
    k = Keyword(left=x)
    return (
        s["x"],
        s["parts"][0],
        dataclasses.astuple(k),
        [f.name for f in dataclasses.fields(d)],
        dataclasses.is_dataclass(k),
    )


def named_tuples(x):
    p = Pair(x)
    q = p._replace(y=2.0 * x)
    a, b = q
    return p.norm, q.scaled(2.0).y, q._asdict()["x"], Pair._fields, a * b, p[1], q[-1], isinstance(p, tuple)


def copies(x):
    d = Derived(x, parts=[x, 2.0])
    c, e = copy.copy(d), copy.deepcopy(d)
    d.parts.append(1.0)
    d.x = 0.0
    return c.x, len(c.parts), e.x, len(e.parts), c is d, c.parts is d.parts, e == Derived(x, parts=[x, 2.0])


def by_name(x):
    p = Plain(x)
    setattr(p, "z", 2.0 * x)  # noqa: B010
    return getattr(p, "z") + p.count, hasattr(p, "z"), hasattr(p, "w"), getattr(p, "w", 4.0), type(p) is Plain  # noqa: B009


def mutated_default_is_not_shared(x):
    a, b = Derived(x), Derived(x)
    a.parts.append(x)
    return len(a.parts), len(b.parts)


def one_object_in_many_places(x):
    b = Base(x)
    d = {"b": b, "l": [b, Base(1.0)]}
    for k in range(3):
        d["l"][0].x += k
        if d["b"].x > 1.0:
            b.x *= 2.0
    return b.x, d["b"].x, d["b"] is d["l"][0], d["l"][1] is b


def changed_by_helpers(x):
    def push(stack, v):
        stack.append(v)
        return stack

    stack = []
    for k in range(4):
        push(push(stack, x * k), 1.0)
    return len(stack), np.array(stack)


def list_methods(x):
    a = [3.0, x, 1.0]
    a.insert(1, 7.0)
    b = a.copy()
    a.reverse()
    a.extend((4.0, 5.0))
    last = a.pop()
    first = a.pop(0)
    del a[0]
    a[0:1] = [x, x]
    b *= 2
    return a, b, last, first, a + [1.0], [0.0] * 2 + a, 7.0 in b, b.index(7.0), b.count(3.0), a[::-1], a == a[:], a < b


def dict_methods(x):
    d = dict(a=x, b=2.0)
    d.update(c=3.0)
    d.update({"a": 1.0})
    e = d.copy()
    d.setdefault("z", x)
    popped = d.pop("b")
    del d["c"]
    total = 0.0
    for k, v in e.items():
        total += v * len(k)
    return d, e, popped, d.pop("none", 9.0), total, "a" in d, d.get("q"), list(e), {**d, "w": x}, d | e, d == e


def stars(x):
    a, *b, c = [1.0, x, 2.0, 3.0]
    return (
        a,
        b,
        c,
        [*b, x],
        max([1.0, -4.0], key=abs),
        sorted([3, 1, 2], reverse=True),
        min((2.0, 1.0), key=lambda t: -t),
    )


def growing_lists(x):
    out, even = [1.0], []
    for k, v in enumerate(x):
        out.append(v * k)
        if v > 0:
            even.append((k, v))
    s = 0.0
    for k, v in even:
        s += k * v
    out[2] += 10.0
    out[-1] = 0.5
    return (
        np.array(out),
        len(even),
        s,
        out[1:3][0],
        max(out),
        sum(out),
        np.array(even),
        1.0 if even else 0.0,
        np.array(out[::2]),
    )


def growing_two_dimensions(x):
    rows = []
    for v in x:
        rows.append(np.array([v, 1.0]))
    return np.stack(rows), np.vstack(rows), np.concatenate(rows), np.stack(rows, axis=1), np.hstack(rows), sum(rows)


def emptied_and_filled(x):
    stack, seen = [x[0]], 0.0
    while stack:
        v = stack.pop()
        seen += v
        if abs(v) > 0.1:
            stack.append(v * 0.5)
            stack.append(v * 0.25)
    return seen


def comprehensions(x):
    n = len(x)
    table = np.array([[a * b for b in x] for a in x])
    positive = [v for v in x if v > 0]
    return (
        table, np.array(positive), sum(v * v for v in x), any(v < 0 for v in x), all(v < 9 for v in x), [k for k in range(3)],
        np.array([x[k] - x[k - 1] for k in range(1, n)]), max([v for v in x]), list(x)[1], np.array([*map(abs, (1.0, -2.0))]),
    )  # fmt: skip


def rebound_in_closure(x):
    best, count = 0.0, 0

    def visit(v):
        nonlocal best, count
        if v > best:
            best = v
        count += 1

    for v in x:
        visit(v)
    return best, count


def matching(x, n):
    found = []
    for shape in (
        Pair(x, 1.0),
        Base(x, "b"),
        [x, 2.0, 3.0],
        {"k": x, "l": 1.0},
        "text",
        (1.0, 2.0),
        None,
        Keyword(left=x),
    ):
        match shape:
            case Pair(a, b) if a > 10.0:
                found.append(-a)
            case Pair(x=a, y=b):
                found.append(a + b)
            case Base(a, tag="b"):
                found.append(a * 2)
            case [a, *rest]:
                found.append(a + len(rest))
            case {"k": a}:
                found.append(a * 3)
            case "text" | "other":
                found.append(7.0)
            case None:
                found.append(8.0)
            case _:
                found.append(9.0)
    match n:
        case 0 | 1:
            y = x
        case k if k < 0:
            y = -x
        case k:
            y = x * k
    return found, y


def walrus(x):
    s, k = 0.0, 0
    while (s := s + x) < 10.0:
        k += 1
    if (y := s * 2.0) > 3.0 and (z := y + 1.0) > 4.0:
        s += y + z
    return s, k


def try_finally(x):
    log = []
    try:
        log.append(x)
    finally:
        log.append(1.0)
    return log


def index_at_run_time(x, i):
    parts = [Base(1.0), Base(x), Base(3.0)]
    table = (1.0, x, 4.0)
    return parts[i].x + table[i] + [1, 2, 3][i]


def rebuilt_as_it_grows(x, n):
    doubled, rows, pairs = [x], [[x]], [(x, 1.0)]
    for i in range(n):
        doubled.append(i * x)
        doubled = [2.0 * each for each in doubled]
        rows.append([x])
        rows = [list(row) for row in rows]
        pairs.append((x, 2.0))
        pairs = [(b, a) for a, b in pairs]
    return np.array(doubled), np.array(rows[-1]), np.array(pairs[0])


def lists_of_several_lengths(x, n, k):
    one, two, groups = [], [x], [[], []]
    for i in range(n):
        one.append(x * i)
        two.append(x + i)
        two.append(x - i)
        if i % 3 == 0:
            groups[0].append((x * i, x))
        else:
            groups[1].append((x + i, 2.0 * x))
    total = 0.0
    for a, b in groups[k]:
        total += a * b
    for j in range(2):
        total += (j + 1) * len(groups[j])
    return total + sum((one, two)[k]) + len((one, two)[k])


def sorted_at_run_time(x, n):
    scores, pairs, running = [x * (i % 3) for i in range(n)], [(i, x * (i % 3)) for i in range(n)], []
    scores.sort()
    for i in range(n):
        running.append(x * (i % 4) - i)
        running.sort(reverse=True)
    four, whole = [x, 2.0, -x, 1.0], [3, 1, 2]
    four.sort(reverse=True)
    whole.sort(key=lambda i: -i)
    by_score = [p[0] for p in sorted(pairs, key=lambda p: p[1])]
    by_score += [p[0] for p in sorted(pairs, key=lambda p: p[1], reverse=True)]
    three = sorted([(x, 1.0), (2.0, 3.0), (-x, 5.0)], key=lambda p: p[0])
    return scores, running, four, whole, sorted(four), by_score, three, sorted([x, 3.0 - x])


def functions_with_attributes(x):
    def scaled(y):
        return scaled.factor * y

    scaled.factor, scaled.name = 3.0, "scaled"
    before = scaled(x)
    scaled.factor = 2.0
    total = 0.0
    for k in range(3):
        if x > k:
            total += scaled(x) + getattr(scaled, "offset", 0.5)
    return before, total, hasattr(scaled, "name"), getattr(scaled, "other", 1.0), [scaled][0].factor


def order(x):
    return (1.0, x) < (1.0, 2.0), [x] > [3.0, 1.0], (x, x) <= (x, x), Fixed(1.0).a


ROWS = [
    (made_every_way, 1.5), (setters_and_operators, 2.0), (functions_of_dataclasses, 1.5), (named_tuples, 1.5), (copies, 1.5),
    (by_name, 1.5), (mutated_default_is_not_shared, 1.5), (one_object_in_many_places, 0.5), (one_object_in_many_places, 3.0),
    (changed_by_helpers, 1.5), (list_methods, 1.5), (dict_methods, 1.5), (stars, 1.5), (growing_lists, X),
    (growing_two_dimensions, X), (emptied_and_filled, X), (comprehensions, X), (rebound_in_closure, X), (matching, 1.5, 0),
    (matching, 11.5, -2), (matching, 1.5, 5), (walrus, 3.0), (try_finally, 3.0), (index_at_run_time, 2.0, 1),
    (index_at_run_time, 2.0, -1), (order, 1.5), (functions_with_attributes, 1.5),
    (sorted_at_run_time, 1.5, 7), (sorted_at_run_time, -0.5, 3), (rebuilt_as_it_grows, 1.5, 0), (rebuilt_as_it_grows, 1.5, 20), (lists_of_several_lengths, 1.5, 7, 0),
    (lists_of_several_lengths, 1.5, 7, 1), (lists_of_several_lengths, 1.5, 0, 1),
]  # fmt: skip


@pytest.mark.parametrize(("function", "arguments"), [(f, a) for f, *a in ROWS], ids=[r[0].__name__ for r in ROWS])
def test_same_as_python(function, arguments):
    same(run(function, *arguments), function(*copy.deepcopy(arguments)))


def frozen_write(x):
    f = Fixed(x)
    f.a = 2.0
    return f.a


def outside_write(x):
    SHARED.x = x
    return x


def grown_result(x):
    return [[v * w for v in x] for w in x]


def plain_result(x):
    return Plain(x)


def sorts_pairs(x):
    return sorted([(x, 1.0), (2.0, x)])


def sorts_several_kinds(x):
    return sorted([x, 1])


def sorts_some_way(x):
    return sorted([x, 1.0], reverse=x > 0.0)


def marked_in_a_branch(x):
    def scaled(y):
        return scaled.factor * y

    scaled.factor = 1.0
    if x > 0.0:
        scaled.factor = 2.0
    return scaled(x)


def marked_with_a_number_of_the_run(x):
    def scaled(y):
        return scaled.factor * y

    scaled.factor = x
    return scaled(x)


def no_such_attribute(x):
    return Base(x).z


def no_such_field(x):
    return Keyword(left=x, middle=1.0).left


def other_kinds(x):
    out = []
    for k in range(5):
        out.append(x if k else (x, 1.0))
    return len(out)


def changed_while_looped_over(x):
    out = [x]
    for v in out:
        out.append(v)
        if len(out) > 3:
            break
    return len(out)


def other_keys(x):
    d = {"a": x}
    if x > 0:
        d["b"] = 1.0
    return d["a"]


def field_of_other_kind(x):
    b = Base(x)
    for k in range(3):
        b.x = np.array([x, 1.0]) * b.x
    return np.sum(b.x)


def with_except(x):
    try:
        return 1.0 / x
    except ZeroDivisionError:
        return 0.0


def magic(x):
    return Virtual(x).other


def deleted(x):
    b = Base(x)
    del b.x
    return 1.0


def which_one(x, n):
    a, b = Base(x), Base(1.0)
    c = a if n > 2 else b
    c.x += 1.0
    return a.x + b.x


def kept_and_changed(x, n):
    out, state = [], np.zeros(2)
    for k in range(n):
        state += x
        out.append(state)
    return np.sum(np.array(out))


REFUSED = [
    (frozen_write, UnsupportedSyntaxError, "FrozenInstanceError: cannot assign to field 'a'", 1.0),
    (outside_write, UnsupportedSyntaxError, "assigning to attribute 'x' of a Base from outside the function", 1.0),
    (grown_result, UnsupportedFunctionError, "its items are lists whose lengths are known at run time only", X),
    (plain_result, UnsupportedFunctionError, "a Plain, which is not a dataclass, as a result", 1.0),
    (sorts_pairs, UnsupportedSyntaxError, "by what is known at run time only, and is not a real number", 1.0),
    (sorts_several_kinds, UnsupportedSyntaxError, "by what is known at run time only, and is not a real", 1.0),
    (sorts_some_way, UnsupportedSyntaxError, "reverse= of sorted() is known at run time only", 1.0),
    (marked_in_a_branch, UnsupportedSyntaxError, "attribute 'factor' of 'scaled' is assigned in a branch or loop", 1.0),
    (marked_with_a_number_of_the_run, UnsupportedSyntaxError, "attribute 'factor' of 'scaled' is no constant", 1.0),
    (no_such_attribute, UnsupportedSyntaxError, "'Base' object has no attribute 'z'", 1.0),
    (no_such_field, UnsupportedSyntaxError, "unexpected keyword argument 'middle'", 1.0),
    (
        other_kinds,
        UnsupportedSyntaxError,
        "this expression is a number (float64) on one path and a tuple of 2 on another",
        1.0,
    ),
    (changed_while_looped_over, UnsupportedSyntaxError, "changes its length while a loop runs over it", 1.0),
    (other_keys, UnsupportedSyntaxError, "holds other keys or attributes on one path than on another", 1.0),
    (field_of_other_kind, UnsupportedSyntaxError, "where the loop begins and an array (float64, rank 1)", 1.0),
    (with_except, UnsupportedSyntaxError, "`except` is not supported", 1.0),
    (magic, UnsupportedFunctionError, "Virtual is not supported", 1.0),
    (deleted, UnsupportedSyntaxError, "deleting an attribute", 1.0),
    (which_one, AliasError, "this changes 'c', which may or may not be 'a'", 1.0, 3),
    (kept_and_changed, AliasError, "may or may not share memory", X[:2], 3),
]


@pytest.mark.parametrize(("row"), REFUSED, ids=[r[0].__name__ for r in REFUSED])
def test_refused(row):
    function, kind, message, *arguments = row
    with pytest.raises(kind) as caught:
        run(function, *arguments)
    assert message in str(caught.value)
    assert caught.value.source is not None
    assert caught.value.source.function == function.__name__
    assert caught.value.write


def changes_its_argument(state, items):
    state.x = 2.0 * state.x
    items[0] = state.x * items[1]
    return items[0] * state.x


def test_arguments_that_are_changed():
    state, items = Base(3.0), [1.0, 4.0]
    gradient = adcore.grad(changes_its_argument, argnums=1)(state, items)
    assert gradient == [0.0, 36.0]
    assert (state, items) == (Base(3.0), [1.0, 4.0])
    assert adcore.jit(changes_its_argument)(state, items) == 144.0
    assert (state, items) == (Base(6.0), [24.0, 4.0])


def test_one_object_twice_in_the_arguments():
    def product(a, b):
        a[0] = a[0] * 2.0
        return a[0] * b[0]

    twice = [3.0]
    with pytest.raises(AliasError, match="hold one list twice"):
        adcore.grad(product)(twice, twice)
    assert adcore.grad(product)([3.0], [3.0]) == [6.0]


def test_gradient_has_the_class_of_the_argument():
    @dataclass
    class Model:
        w: np.ndarray
        b: Pair

    def loss(m):
        return np.sum(m.w * m.w) * m.b.x + m.b.y

    gradient = adcore.grad(loss)(Model(X, Pair(2.0, 3.0)))
    assert type(gradient) is Model
    assert type(gradient.b) is Pair
    np.testing.assert_allclose(gradient.w, 4.0 * X)
    assert gradient.b == Pair(float(np.sum(X * X)), 1.0)
    value, tangent = adcore.jvp(lambda m: Model(m.w * 2.0, m.b), (Model(X, Pair(2.0)),), (Model(X, Pair(1.0, 0.0)),))
    assert type(value) is type(tangent) is Model
    np.testing.assert_allclose(tangent.w, 2.0 * X)


def test_appending_costs_the_same_however_long_the_list():
    """The equations of a loop that appends hold no copy of the list."""

    def f(x, n):
        out, y = [], x
        for _ in range(n):
            y = math.sin(y)
            out.append(y)
        return np.sum(np.array(out) ** 2)

    text = adcore.source(adcore.grad(f), 0.5, 10)
    assert "copy" not in text
    lowered = lower(f, 0.5, 10)
    (loop,) = [e for e in lowered.program.equations if e.primitive.name == "loop"]
    assert not {"grow", "cond", "select"} & {e.primitive.name for e in loop.params["body"].equations}


def test_error_classes_are_ours():
    assert all(issubclass(kind, AdcoreError) for _, kind, *_ in REFUSED)
