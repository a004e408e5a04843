"""Comprehensions and generator expressions."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .generators import FOLDS, copying, fold_function, list_function
from .operators import truth
from .statements import assign, items_of, local_function
from .strings import plain
from .values import Static, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["comprehension", "dict_comprehension", "folded", "listed"]


def comprehension(low: Lowering, e: ast.ListComp | ast.GeneratorExp) -> Value:
    """The list of the items."""
    return _called(low, e, list_function(e, low.frame.code.name))


def folded(low: Lowering, function: Value, e: ast.Call) -> Value | None:
    """The call, if it is one of `sum`, `any` or `all` with a generator expression."""
    known = function.value if isinstance(function, Static) else None
    if not isinstance(known, types.BuiltinFunctionType) or known not in FOLDS:
        return None
    if len(e.args) != 1 or e.keywords or not isinstance(e.args[0], ast.GeneratorExp):
        return None
    return _called(low, e.args[0], fold_function(e.args[0], known, low.frame.code.name))


def listed(low: Lowering, source: Value) -> Value:
    """The list of what something iterates over, whose length is known at run time only."""
    return low.call(local_function(low, copying()), [source], {})


def _called(low: Lowering, e: ast.ListComp | ast.GeneratorExp, node: ast.FunctionDef) -> Value:
    source = low.evaluate(e.generators[0].iter)
    function, frame = local_function(low, node), low.frame
    frame.call_sites.append(id(e))
    result = low.call(function, [source], {})
    frame.call_sites.pop()
    return result


def dict_comprehension(low: Lowering, e: ast.DictComp) -> Value:
    """A dict of constant keys."""
    found: dict[Any, Value] = {}

    def emit() -> None:
        key = plain(low.evaluate(e.key))
        if key is None:
            low.refuse_syntax("a dict with a key that is not constant", "string keys, or an array")
        found[key[0]] = low.evaluate(e.value)

    _generate(low, e.generators, emit)
    return low.memory.new_dict(found)


def _generate(low: Lowering, generators: list[ast.comprehension], emit: Callable[[], None]) -> None:
    """Run a comprehension over sequences of constant length."""
    first, rest = generators[0], generators[1:]
    source = low.evaluate(first.iter)
    names = low.frame.names
    saved = dict(names)
    for item in items_of(low, source):
        assign(low, first.target, item)
        if all(_kept(low, test) for test in first.ifs):
            if rest:
                _generate(low, rest, emit)
            else:
                emit()
    for name in set(names) - set(saved):
        del names[name]
    names.update(saved)


def _kept(low: Lowering, test: ast.expr) -> bool:
    known = truth(low, low.evaluate(test)).known
    if known is None:
        low.refuse_syntax("a dict comprehension with a condition that is not constant", "values that are zero instead")
    return known
