# ruff: noqa: PT017
"""Whatever a known function is called with, the answer is a Program or an error that names the line."""

from __future__ import annotations

import linecache
import pydoc
import warnings

import numpy as np
import pytest
from adcore_python import library
from adcore_python.known import KNOWN
from adcore_python.library import LIBRARY
from adcore_python.methods import METHODS

from adcore.errors import AdcoreError

from .conftest import lower

CALLS = [
    "",
    "s",
    "x",
    "a",
    "b",
    "k",
    "None",
    "'text'",
    "(s, s)",
    "[x, x]",
    "x, s",
    "s, x",
    "a, 0",
    "a, axis=1",
    "x, None",
]
CALLS += [
    "x, 'q'",
    "a, (0, 1)",
    "a, (0, 0)",
    "a, ()",
    "x, (1,)",
    "s, s, s",
    "a, a",
    "x, a",
    "k, 2",
    "lambda t: t, x",
    "{'p': s}",
    "b, x, s",
    "3",
    "-1",
]
CALLS += [
    "x, 5",
    "a, 1, 0",
    "(2, 3)",
    "(s,)",
    "[]",
    "()",
    "range(3)",
    "x, axis=None, keepdims=True",
    "np.float64",
    "x, float",
    "2, 3, 4",
]


def _function(source: str, extra: dict):
    text = f"def made(s, x, a, b, k):\n    return {source}\n"
    name = f"<robust {source}>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    namespace = {"np": np, **extra}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        exec(compile(text, name, "exec"), namespace)
    return namespace["made"]


def _tried(function) -> None:
    arguments = (1.5, np.ones(3), np.ones((2, 3)), np.array([True, False, True]), np.array([1, 2, 3]))
    try:
        lower(function, *arguments)
    except AdcoreError as error:
        assert error.source is not None


@pytest.mark.parametrize("known", list(KNOWN), ids=lambda f: getattr(f, "__name__", str(f)))
def test_functions(known):
    for call in CALLS:
        _tried(_function(f"known({call})", {"known": known}))


@pytest.mark.parametrize("name", sorted(name for name in LIBRARY if not name.startswith("adcore")))
def test_functions_of_the_library(name):
    known = pydoc.locate(name) or getattr(library.owner_of(name), name.rpartition(".")[2])
    assert library.found(known) is not None
    for call in CALLS:
        _tried(_function(f"known({call})", {"known": known}))


@pytest.mark.parametrize("name", list(METHODS))
def test_methods(name):
    for owner in ("x", "a", "s", "k", "[x, s]", "{'p': s}", "(s, x)", "'text'"):
        for call in CALLS[:20]:
            _tried(_function(f"({owner}).{name}({call})", {}))


@pytest.mark.parametrize(
    "one", ["s", "x", "a", "b", "k", "None", "'t'", "(s, x)", "[s]", "{'p': s}", "True", "2", "np", "len"]
)
def test_operators(one):
    for other in ("s", "x", "a", "b", "None", "'t'", "(s, x)", "[s]", "-3", "{'p': 1}", "len"):
        for op in ("+", "-", "*", "/", "//", "%", "**", "@", "&", "<<", "<", "==", "is", "in", "and", "or"):
            _tried(_function(f"({one}) {op} ({other})", {}))
        _tried(_function(f"({one})[{other}]", {}))
        _tried(_function(f"({one}) if ({other}) else s", {}))
    for shape in (
        "-({})",
        "not ({})",
        "~({})",
        "({}).shape",
        "({})()",
        "[v for v in ({})]",
        "({})[1:]",
        "({})[..., None]",
    ):
        _tried(_function(shape.format(one), {}))
