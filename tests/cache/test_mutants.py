"""Every number, string and operation of the example modules is changed, one at a time: nothing stale is served."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator

import numpy as np

from adcore import cache, jit

from .test_changes import OTHER, WHOLE

SWAPPED = {ast.Mult: "+", ast.Add: "*", ast.Sub: "+", ast.Pow: "*"}
CLASSES = {"Mode", "Config", "Base", "Derived", "Params", "Pair", "NamedTuple"}
MAKERS = {"make", "partial_target", "dataclass", "field"}


def mutants(text: str) -> Iterator[str]:
    """The text with one change each."""
    lines = text.split("\n")
    for node in ast.walk(ast.parse(text)):
        new = ""
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            new = repr(node.value + 1)
        elif isinstance(node, ast.Constant) and type(node.value) is str:
            new = repr(node.value + "'")
        elif isinstance(node, ast.BinOp) and type(node.op) in SWAPPED:
            new = f"({ast.unparse(node.left)} {SWAPPED[type(node.op)]} {ast.unparse(node.right)})"
        if new and node.lineno == node.end_lineno:  # type: ignore[attr-defined]
            line = lines[node.lineno - 1]  # type: ignore[attr-defined]
            changed = line[: node.col_offset] + new + line[node.end_col_offset :]  # type: ignore[attr-defined]
            yield "\n".join([*lines[: node.lineno - 1], changed, *lines[node.lineno :]])  # type: ignore[attr-defined]


def agrees(module) -> int:
    """How many functions were compiled, each of which gives what Python gives."""
    compiled = 0
    for name, function in vars(module).items():
        if not callable(function) or name in CLASSES | MAKERS:
            continue
        try:
            wanted = function(1.5)
        except (AttributeError, LookupError, TypeError):  # what a change may make of it
            continue
        result = jit(function)(1.5)
        np.testing.assert_allclose(result, wanted, rtol=1e-9, err_msg=name)
        compiled += 1
    return compiled


def test_nothing_stale_is_served(modules, outcome):
    whole, other = textwrap.dedent(WHOLE), textwrap.dedent(OTHER)
    modules.write(user=whole, other=other)
    count = agrees(modules.load())
    changes = [(text, other) for text in mutants(whole)] + [(whole, text) for text in mutants(other)]
    calls = 0
    for changed, changed_other in changes:
        modules.write(user=changed, other=changed_other)
        calls += agrees(modules.load())
    modules.write(user=whole, other=other)
    stored = cache.COUNTS.stored
    assert agrees(modules.load()) == count
    assert cache.COUNTS.stored == stored
    assert len(changes) > 70
    served = cache.COUNTS.served - outcome.before[0]
    assert 0.9 * calls < served < calls  # nearly all, since a change concerns a few functions
