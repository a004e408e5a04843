"""What is changed between two processes: the program on disk is used where it is still right, and only there."""

from __future__ import annotations

import dataclasses
import linecache
import os
from contextlib import contextmanager

import numpy as np
import pytest

import adcore
from adcore import grad, jit, loop_policy, value_and_grad
from adcore.cache import environment

WHOLE = """
    from __future__ import annotations
    import builtins
    import enum
    import functools
    import math
    from dataclasses import dataclass, field
    from typing import NamedTuple

    import numpy as np

    import other

    WEIGHTS = (2.0, 3.0)
    SCALE = 5.0
    COUNT = 3
    TABLE = np.array([1.0, 2.0, 4.0])
    OPTIONS = {"a": 2.0, "mode": "square"}

    class Mode(enum.Enum):
        LOW = "low"
        HIGH = "high"
        @classmethod
        def factor(cls):
            return 2.0

    MODE = Mode.LOW

    class Config:
        power = 2
        def __init__(self, rate):
            self.rate = rate
            self.kind = "plain"
        @property
        def double(self):
            return 2.0 * self.rate
        def apply(self, x):
            return x * self.rate

    class Base:
        shift = 1.0

    class Derived(Base):
        pass

    CONFIG = Config(1.5)

    @dataclass
    class Params:
        a: float
        b: float = 4.0
        def total(self):
            return self.a * self.b

    class Pair(NamedTuple):
        x: float
        y: float = 7.0

    def innermost(x):
        return x * 1.25

    def inner(x):
        return innermost(x) + 1.0

    def partial_target(x, n):
        return x * n

    bound = functools.partial(partial_target, n=3)

    def make(weights, k):
        def f(x):
            return x * weights[0] + k * x
        return f

    closed = make((2.0, 1.0), 0.5)

    def f(x):
        return x * x

    def calls(x):
        return inner(x) * x

    def calls_other(x):
        return other.outside(x) * x

    def constant_tuple(x):
        return x * WEIGHTS[0] + x * WEIGHTS[1]

    def global_number(x):
        return x * SCALE

    def global_integer(x):
        return x * (COUNT / 2)

    def global_array(x):
        return np.sum(TABLE * x)

    def dictionary(x):
        return x * OPTIONS["a"] if OPTIONS["mode"] == "square" else x

    def enumeration(x):
        return x if MODE.value == "low" else x * x

    def chosen(x):
        return x if MODE is Mode.LOW else x * x

    def of_enumeration(x):
        return x * Mode.factor()

    def class_attribute(x):
        return x ** Config.power

    def inherited(x):
        return x * Derived.shift

    def attribute(x):
        return x * CONFIG.rate

    def method(x):
        return CONFIG.apply(x)

    def computed(x):
        return x * CONFIG.double

    def text(x):
        return x if CONFIG.kind == "plain" else x * x

    def default(x, k=2.0, *, n=3.0):
        return x * k * n

    def makes_dataclass(x):
        return Params(x).total()

    def makes_pair(x):
        return Pair(x).y * x

    def inner_function(x):
        scale = lambda y: y * 3.0
        return scale(x)

    def through_builtin(x):
        return x * len(WEIGHTS)

    def through_numpy(x):
        return np.pi * np.sin(x)

    def through_partial(x):
        return bound(x)
"""
OTHER = """
    FACTOR = (3.0,)
    def outside(x):
        return deeper(x) * FACTOR[0]
    def deeper(x):
        return x + 2.0
"""


def gradient(function, x=1.5):
    """The derivative by differences of plain Python, for comparison."""
    h = 1e-5
    return (function(x + h) - function(x - h)) / (2 * h)


# The function, and in the file what is replaced by what; each changes what the derivative is.
EDITS = {
    "the function": ("f", "return x * x\n\n    def calls(", "return x * x * x\n\n    def calls("),
    "a callee": ("calls", "return innermost(x) + 1.0", "return innermost(x) + 2.0"),
    "a callee of a callee": ("calls", "return x * 1.25", "return x * 1.75"),
    "a constant tuple": ("constant_tuple", "WEIGHTS = (2.0, 3.0)", "WEIGHTS = (2.0, 3.5)"),
    "an entry that is no number": ("dictionary", '"mode": "square"', '"mode": "none"'),
    "the value of a member": ("enumeration", 'LOW = "low"', 'LOW = "lower"'),
    "a method of an enumeration": ("of_enumeration", "return 2.0\n\n    MODE", "return 2.5\n\n    MODE"),
    "which member": ("chosen", "MODE = Mode.LOW", "MODE = Mode.HIGH"),
    "an attribute of a class": ("class_attribute", "power = 2", "power = 3"),
    "an attribute of a base class": ("inherited", "shift = 1.0", "shift = 1.5"),
    "a method": ("method", "return x * self.rate", "return x * self.rate * 2.0"),
    "a property": ("computed", "return 2.0 * self.rate", "return 3.0 * self.rate"),
    "an attribute that is a string": ("text", 'self.kind = "plain"', 'self.kind = "other"'),
    "a default": ("default", "k=2.0", "k=2.5"),
    "a default of a keyword": ("default", "n=3.0", "n=3.5"),
    "a default of a field": ("makes_dataclass", "b: float = 4.0", "b: float = 4.5"),
    "a method of a dataclass": ("makes_dataclass", "return self.a * self.b", "return self.a * self.b * 2.0"),
    "a default of a NamedTuple": ("makes_pair", "y: float = 7.0", "y: float = 7.5"),
    "a closed-over tuple": ("closed", "make((2.0, 1.0), 0.5)", "make((2.5, 1.0), 0.5)"),
    "an inner function": ("inner_function", "y * 3.0", "y * 3.5"),
    "what a partial binds": ("through_partial", "n=3)", "n=4)"),
    "a name that hides a builtin function": ("through_builtin", "import other", "import other\n    len = max"),
    "a name that is another module": ("calls_other", "import other", "import another as other"),
    "what a name stands for in NumPy": ("through_numpy", "np.sin(x)", "np.cos(x)"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_change_is_noticed(edit, modules, outcome):
    name, before, after = EDITS[edit]
    assert WHOLE.count(before) == 1
    modules.write(user=WHOLE, other=OTHER, another=OTHER.replace("x + 2.0", "x + 5.0"))
    for expected in ("stored", "served"):
        function = getattr(modules.load(), name)
        assert grad(function)(1.5) == pytest.approx(gradient(function), rel=1e-7)
        assert outcome() == expected
    old = gradient(function)
    modules.write(user=WHOLE.replace(before, after))
    for expected in ("stored", "served"):
        function = getattr(modules.load(), name)
        assert grad(function)(1.5) == pytest.approx(gradient(function), rel=1e-7)
        assert outcome() == expected
    assert gradient(function) != pytest.approx(old, rel=1e-3)
    modules.write(user=WHOLE)
    function = getattr(modules.load(), name)
    assert grad(function)(1.5) == pytest.approx(old, rel=1e-7)
    assert outcome() == "served"


@pytest.mark.parametrize(
    ("before", "after"), [("return x + 2.0", "return x + 2.5"), ("FACTOR = (3.0,)", "FACTOR = (4.0,)")]
)
def test_a_change_in_another_module_is_noticed(before, after, modules, outcome):
    modules.write(user=WHOLE, other=OTHER)
    for _ in range(2):
        grad(modules.load().calls_other)(1.5)
    modules.write(other=OTHER.replace(before, after))
    outcome.reset()
    function = modules.load().calls_other
    assert grad(function)(1.5) == pytest.approx(gradient(function), rel=1e-7)
    assert outcome() == "stored"


VALUES = {
    "a number": ("global_number", "SCALE = 5.0", "SCALE = 6.0"),
    "an integer": ("global_integer", "COUNT = 3", "COUNT = 4"),
    "an array": ("global_array", "np.array([1.0, 2.0, 4.0])", "np.array([1.0, 2.5])"),
    "an item of a dict": ("dictionary", '"a": 2.0', '"a": 2.5'),
    "an attribute of an object": ("attribute", "CONFIG = Config(1.5)", "CONFIG = Config(2.5)"),
    "a closed-over number": ("closed", "make((2.0, 1.0), 0.5)", "make((2.0, 1.0), 0.75)"),
}


@pytest.mark.parametrize("edit", VALUES)
def test_what_is_read_at_every_call_may_have_another_value(edit, modules, outcome):
    name, before, after = VALUES[edit]
    assert WHOLE.count(before) == 1
    modules.write(user=WHOLE, other=OTHER)
    function = getattr(modules.load(), name)
    grad(function)(1.5)
    old = gradient(function)
    modules.write(user=WHOLE.replace(before, after))
    outcome.reset()
    function = getattr(modules.load(), name)
    assert grad(function)(1.5) == pytest.approx(gradient(function), rel=1e-7)
    assert outcome() == "served"
    assert gradient(function) != pytest.approx(old, rel=1e-3)


TYPES = {
    "an integer for a float": ("global_number", "SCALE = 5.0", "SCALE = 6"),
    "NumPy's number for Python's": ("global_number", "SCALE = 5.0", "SCALE = np.float64(6.0)"),
    "another dtype": ("global_array", "np.array([1.0, 2.0, 4.0])", "np.array([1.0, 2.0, 4.0], np.float32)"),
    "another rank": ("global_array", "np.array([1.0, 2.0, 4.0])", "np.array([[1.0, 2.0, 4.0]])"),
    "a length of 1": ("global_array", "np.array([1.0, 2.0, 4.0])", "np.array([3.0])"),
    "a tuple for a number": ("attribute", "CONFIG = Config(1.5)", "CONFIG = Config(np.array([1.5]))"),
}


@pytest.mark.parametrize("edit", TYPES)
def test_what_is_read_at_every_call_has_its_type(edit, modules, outcome):
    name, before, after = TYPES[edit]
    modules.write(user=WHOLE, other=OTHER)
    jit(getattr(modules.load(), name))(1.5)
    modules.write(user=WHOLE.replace(before, after))
    outcome.reset()
    function = getattr(modules.load(), name)
    result, wanted = jit(function)(1.5), function(1.5)
    assert outcome() == "stored"
    np.testing.assert_allclose(result, wanted, rtol=1e-6)


def test_values_that_are_not_read_at_every_call_count(modules, outcome):
    """Of a number that only a branch reads which is not taken, nobody says that it is read at every call."""
    text = """
        DEEP = ""
        LIMIT = 2
        def f(x):
            return x * LIMIT if DEEP else x
    """
    modules.write(user=text)
    assert grad(modules.load().f)(1.5) == 1.0
    modules.write(user=text.replace("LIMIT = 2", "LIMIT = 3"))
    for found in ("stored", "served"):
        outcome.reset()
        assert grad(modules.load().f)(1.5) == 1.0
        assert outcome() == found


def test_a_static_argument_is_part_of_the_program(modules, outcome):
    modules.write(user="def f(x, n):\n    return x * f(x, n - 1) if n else 1.0\n")
    for n, found in ((3, "stored"), (3, "served"), (4, "stored"), (4, "served"), (3, "served")):
        assert grad(modules.load().f, static_argnums=1)(2.0, n) == n * 2.0 ** (n - 1)
        assert outcome() == found
    assert grad(modules.load().f, static_argnums=1)(2.0, True) == 1.0
    assert outcome() == "stored"


def test_the_transform_is_part_of_the_program(modules, outcome):
    modules.write(user="def f(x, y):\n    return x * x * y\ndef h(x, y):\n    return x * y, x\n")
    made = (
        (lambda m: grad(m.f)(2.0, 3.0), 12.0),
        (lambda m: grad(m.f, argnums=1)(2.0, 3.0), 4.0),
        (lambda m: grad(m.f, argnums=(0, 1))(2.0, 3.0), (12.0, 4.0)),
        (lambda m: grad(m.f, argnames="y")(2.0, 3.0), (12.0, 4.0)),
        (lambda m: value_and_grad(m.f)(2.0, 3.0), (12.0, 12.0)),
        (lambda m: grad(m.h, has_aux=True)(2.0, 3.0), (3.0, 2.0)),
        (lambda m: grad(grad(m.f))(2.0, 3.0), 6.0),
        (lambda m: jit(m.f)(2.0, 3.0), 12.0),
        (lambda m: jit(m.f)(2.0, np.float64(3.0)), 12.0),
        (lambda m: jit(m.f)(2.0, np.array([3.0, 3.0]))[0], 12.0),
        (lambda m: jit(m.f)(2.0, np.array([3.0]))[0], 12.0),
    )
    for found in ("stored", "served"):
        for call, wanted in made:
            assert call(modules.load()) == wanted
            assert outcome() == found


def test_a_policy_is_part_of_the_program(modules, outcome):
    modules.write(user="def f(x, n):\n    for _ in range(n):\n        x = x * (1.5 - x)\n    return x\n")
    plain = grad(modules.load().f)(0.3, 40)
    assert outcome() == "stored"
    for policy in (loop_policy("sqrt"), loop_policy(5), loop_policy("revolve", snapshots=3)):
        for found in ("stored", "served"):
            with policy:
                assert grad(modules.load().f)(0.3, 40) == pytest.approx(plain, rel=1e-12)
            assert outcome() == found
            with policy:
                assert grad(adcore.checkpoint(modules.load().f, policy=policy))(0.3, 40) == pytest.approx(plain)
            assert outcome() == found
    assert grad(modules.load().f)(0.3, 40) == plain
    assert outcome() == "served"


def test_the_class_of_an_argument_is_part_of_the_program(modules, outcome):
    text = """
        from dataclasses import dataclass
        @dataclass
        class P:
            a: float
            b: float = 1.0
            def value(self):
                return self.a * self.b
        def f(p):
            return p.value()
    """
    modules.write(user=text)
    for found in ("stored", "served"):
        user = modules.load()
        gradient_ = grad(user.f)(user.P(2.0, 3.0))
        assert type(gradient_) is user.P
        assert dataclasses.astuple(gradient_) == (3.0, 2.0)
        assert outcome() == found
    modules.write(user=text.replace("self.a * self.b", "self.a * self.b * 2.0"))
    user = modules.load()
    assert dataclasses.astuple(grad(user.f)(user.P(2.0, 3.0))) == (6.0, 4.0)
    assert outcome() == "stored"
    modules.write(user=text.replace("b: float = 1.0", "b: float = 1.0\n            c: float = 0.0"))
    user = modules.load()
    assert dataclasses.astuple(grad(user.f)(user.P(2.0, 3.0))) == (3.0, 2.0, 0.0)
    assert outcome() == "stored"


def test_lines_that_move_are_the_right_ones_in_errors(modules, outcome):
    text = "import numpy as np\ndef f(x, k):\n    y = x * 2.0\n    return y[k]\n"
    modules.write(user=text)
    for blank, found in ((0, "stored"), (0, "served"), (3, "stored"), (3, "served"), (0, "served")):
        modules.write(user="\n" * blank + text)
        f = modules.load().f
        g = grad(f)
        g(np.ones(3), 1)
        assert outcome() == found
        with pytest.raises(IndexError, match="index 7 is out of bounds") as error:
            g(np.ones(3), 7)
        last = error.traceback[-1]
        assert (last.lineno + 1, last.name, str(last.path)) == (4 + blank, "f", str(modules.folder / "user.py"))


def test_a_file_that_moves_is_the_right_one_in_errors(modules, outcome):
    text = "def f(x, k):\n    return x[k] * 2.0\n"
    modules.write(user=text)
    grad(modules.load().f)(np.ones(3), 1)
    assert outcome() == "stored"
    moved = modules.folder / "elsewhere"
    moved.mkdir()
    modules.folder = moved
    modules.write(user=text)
    g = grad(modules.load().f)
    g(np.ones(3), 1)
    assert outcome() == "served"
    with pytest.raises(IndexError) as error:
        g(np.ones(3), 7)
    assert str(error.traceback[-1].path) == str(moved / "user.py")


def test_a_function_that_is_defined_again(monkeypatch, outcome):
    """As in a notebook: cells are files that exist in memory only, and their names count up."""

    def cell(number: int, text: str):
        name = f"<cell {number}>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        space: dict = {"__name__": "__main__"}
        exec(compile(text, name, "exec"), space)
        return space["f"]

    square, cube = "def f(x):\n    return x * x\n", "def f(x):\n    return x * x * x\n"
    for number, (text, wanted, found) in enumerate(
        [(square, 4.0, "stored"), (cube, 12.0, "stored"), (square, 4.0, "served"), (cube, 12.0, "served")]
    ):
        assert grad(cell(number, text))(2.0) == wanted
        assert outcome() == found


REFUSED = {
    "a function that makes its program by itself": """
        import adcore
        class Own:
            def __call__(self, x):
                return x * x
            def __adcore_lower__(self, arguments):
                return adcore.jit(lambda x: x * x).__adcore_lower__(arguments)
        own = Own()
        def f(x):
            return own(x)
    """,
    "an object of a class that derives from one of C": """
        import collections
        class Own(collections.deque):
            kind = "own"
        own = Own([1, 2])
        def f(x):
            return x * x if own.kind == "own" else x
    """,
    "a namespace that is a dict": """
        SPACE = globals()
        power = "two"
        def f(x):
            return x * x if SPACE["power"] == "two" else x
    """,
    "a default that draws": """
        import numpy as np
        def f(x, rng=np.random.default_rng(1)):
            return x * x + 0.0 * rng.normal()
    """,
    "an array that is a constant and large": """
        import numpy as np
        large, deep = np.zeros(1_000_000), ""
        def f(x):
            return x * np.sum(large) if deep else x * x
    """,
    "more objects than are followed": """
        TABLE = {k: (-k,) for k in range(4000)}
        def f(x):
            return x * x if TABLE[1] == (-1,) else x
    """,
    "more text than is followed": """
        TABLE = {str(k): str(-k) for k in range(100_000)}
        def f(x):
            return x * x if TABLE["1"] == "-1" else x
    """,
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_be_recognized_is_not_kept(text, modules, outcome):
    modules.write(user=text)
    for _ in range(2):
        assert grad(modules.load().f)(2.0) == 4.0
        assert outcome().startswith("refused")


RUN = {
    "formatting": """
        class Level:
            calls = 0
            def __format__(self, spec):
                Level.calls += 1
                return str(Level.calls)
        LEVEL = Level()
        def f(x):
            if x < 0.0:
                raise ValueError(f"{LEVEL}")
            return x * x
    """,
    "a property that is computed once": """
        import functools
        import os
        class Level:
            @functools.cached_property
            def kind(self):
                return os.environ.get("THERE IS NONE", "kind")
        LEVEL = Level()
        def f(x):
            return x * x if LEVEL.kind == "kind" else x
    """,
    "what an object answers to any name": """
        class Level:
            def __getattr__(self, name):
                return name
        LEVEL = Level()
        def f(x):
            return x * x if LEVEL.kind == "kind" else x
    """,
}


@pytest.mark.parametrize("text", RUN.values(), ids=list(RUN))
def test_what_depends_on_code_that_runs_while_compiling_is_not_kept(text, modules, outcome):
    modules.write(user=text)
    for _ in range(2):
        assert grad(modules.load().f)(2.0) == 4.0
        assert "runs code of the user's" in outcome()


@contextmanager
def another(monkeypatch, **values):
    """A process in which something of the environment is otherwise."""
    with monkeypatch.context() as patch:
        for name, value in values.items():
            patch.setattr(environment, name, value)
        environment.look.cache_clear()
        yield
    environment.look.cache_clear()


def test_sources_of_adcore_that_changed_after_the_import(monkeypatch, modules, outcome):
    modules.write(user="def f(x):\n    return x * x\n")
    with another(monkeypatch, STARTED=0.0):
        assert grad(modules.load().f)(2.0) == 4.0
        assert "was changed after adcore was imported" in outcome()
    assert grad(modules.load().f)(2.0) == 4.0
    assert outcome() == "stored"
    with another(monkeypatch, OURS=("adcore",), _package=lambda name: os.stat("there is none")):
        assert grad(modules.load().f)(2.0) == 4.0
        assert "there is none" in outcome()
    environment.look()
    monkeypatch.setattr(environment, "_loaded", environment._loaded - {"adcore.api"})  # as if it came later
    monkeypatch.setattr(environment, "STARTED", 0.0)
    assert jit(modules.load().f)(2.0) == 4.0
    assert "was changed after adcore was imported" in outcome()


def test_what_the_environment_consists_of(monkeypatch, modules, outcome):
    """Python, the sources, the packages and the machine."""
    modules.write(user="def f(x):\n    return x * x\n")
    assert grad(modules.load().f)(2.0) == 4.0
    assert outcome() == "stored"
    backend = type("Backend", (), {"description": lambda self: ("another processor",)})()
    sources = environment._sources()
    changed = [(path, size, written + 1, changed) for path, size, written, changed in sources]
    for values in (
        {"_python": lambda: ("3.99",)},
        {"_sources": lambda: changed},
        {"_package": lambda name: (name, "another")},
        {"backend": lambda: backend},
    ):
        with another(monkeypatch, **values):
            assert grad(modules.load().f)(2.0) == 4.0
            assert outcome() == "stored"
        assert grad(modules.load().f)(2.0) == 4.0
        assert outcome() == "served"
    assert {os.path.basename(path) for path, *_ in sources} > {
        "transforms.py",
        "entry.py",
        "lowering.py",
        "elementwise.py",
    }
    assert all(environment._package(name)[1:] for name in environment.PACKAGES)
