"""`match`: the tests that its patterns make of the subject."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .classes import is_named_tuple
from .containers import entries, length, maybe_items
from .operators import describe
from .patterns import Test, branches_of
from .strings import plain
from .values import Array, Dict, List, Record, Scalar, Static, Tuple, Value, number

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["lower_match", "lower_test"]


def lower_match(low: Lowering, s: ast.Match, rest: Sequence[ast.stmt], after: frozenset[str]) -> str:
    """The tests, one after the other, with the statements that follow the `match`."""
    return low.execute([*branches_of(s), *rest], after)


def lower_test(low: Lowering, e: Test) -> Value:
    """One test of the subject."""
    subject = low.evaluate(e.subject)
    if e.kind == "sequence":
        return _sequence(low, subject, *e.value)
    if e.kind == "mapping":
        keys = [plain(low.evaluate(key)) for key in e.value]
        return number(isinstance(subject, Dict) and all(k is not None and k[0] in entries(low, subject) for k in keys))
    if e.kind == "class":
        return _class(low, subject, *e.value)
    if e.kind == "positional":
        return _positional(low, subject, *e.value)
    if e.kind == "rest":
        low.refuse_syntax("`**rest` in a pattern", "the keys by name")
    return number(True)


def _sequence(low: Lowering, subject: Value, least: int, more: bool) -> Value:
    if not isinstance(subject, Tuple | List):
        return number(False)
    items = maybe_items(low, subject)
    if items is None:
        count = length(low, subject).atom
        return Scalar((low.b.ge if more else low.b.eq)(count, least), True)
    return number(len(items) >= least if more else len(items) == least)


def _class(low: Lowering, subject: Value, cls: ast.expr, positional: int, names: tuple[str, ...]) -> Value:
    kind = low.evaluate(cls)
    if not isinstance(kind, Static) or not isinstance(kind.value, type):
        low.refuse_syntax(f"a pattern of {describe(kind)}", "a class")
    held: Any = low.call(Static(isinstance), [subject, kind], {})
    if not held.known:
        return held
    if isinstance(subject, Record | Tuple):
        return number(all(hasattr(subject.kind, n) or _has(low, subject, n) for n in names))
    if names or positional > 1:
        low.refuse_syntax(f"a pattern with attributes of {describe(subject)}", "a pattern of a class of one's own")
    return held


def _has(low: Lowering, subject: Record | Tuple, name: str) -> bool:
    from .records import attributes

    if isinstance(subject, Record):
        return name in attributes(low, subject)
    return is_named_tuple(subject.kind) and name in getattr(subject.kind, "_fields", ())


def _positional(low: Lowering, subject: Value, cls: ast.expr, index: int) -> Value:
    """The attribute that `__match_args__` names, or the number itself: `float(x)`."""
    from .expressions import attribute_of

    if isinstance(subject, Scalar | Array | Static | List | Dict):
        return subject
    names = getattr(getattr(subject, "kind", None), "__match_args__", ())
    if index >= len(names):
        return (
            subject
            if getattr(subject, "kind", None) is tuple
            else low.refuse_syntax(
                f"a pattern with {index + 1} positional parts of {describe(subject)}", "the attributes by name"
            )
        )
    return attribute_of(low, subject, names[index])
