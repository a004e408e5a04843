"""Subscripts of containers and objects: `x[k]`, `x[k] = v` and `x[k] op= v`, with the methods that classes define."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from .classes import is_structured, special
from .containers import item, part, set_item, set_part
from .grids import bracketed
from .operators import SPECIAL, describe, operate
from .subscripts import bounds_of
from .values import Array, List, Method, Static, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["augment_item", "augmented", "load_item", "store_item"]


def load_item(low: Lowering, container: Value, node: ast.expr) -> Value:
    """`container[node]`."""
    from . import structured_arrays

    if is_structured(container):
        return structured_arrays.load(low, container, node)
    found = bracketed(low, container, node)
    if found is not None:
        return found
    if isinstance(node, ast.Slice):
        return part(low, container, bounds_of(low, node))
    key = low.evaluate(node)
    own = special(container, "__getitem__")
    return item(low, container, key) if own is None else low.call(own, [key], {})


def store_item(low: Lowering, container: Value, node: ast.expr, value: Value) -> None:
    """`container[node] = value`."""
    from . import structured_arrays

    if is_structured(container):
        structured_arrays.store(low, container, node, value)
        return
    if isinstance(node, ast.Slice):
        set_part(low, container, bounds_of(low, node), value)
        return
    key = low.evaluate(node)
    own = special(container, "__setitem__")
    if own is None:
        set_item(low, container, key, value)
    else:
        low.call(own, [key, value], {})


def augment_item(low: Lowering, container: Value, node: ast.expr, op: str, value_of: Callable[[], Value]) -> None:
    """`container[node] op= value`; the index is evaluated once, before the value."""
    from . import structured_arrays

    if is_structured(container):
        structured_arrays.augment(low, container, node, op, value_of)
        return
    if isinstance(node, ast.Slice):
        low.refuse_syntax(f"{op}= on a slice of {describe(container)}", "a loop over the items")
    key = low.evaluate(node)
    own = special(container, "__getitem__")
    before = item(low, container, key) if own is None else low.call(own, [key], {})
    after = augmented(low, op, before, value_of())
    if own is not None:
        low.call(special(container, "__setitem__") or Static(None), [key, after], {})
    elif after is not before or not isinstance(after, Array):
        set_item(low, container, key, after)


def augmented(low: Lowering, op: str, current: Value, value: Value) -> Value:
    """What `x op= value` leaves x with: arrays and lists are changed, and stay the same."""
    from .indexing import in_place

    if isinstance(current, Array):
        in_place(low, op, current, value)
        return current
    own = special(current, f"__i{SPECIAL[op]}__")
    if own is not None:
        return low.call(own, [value], {})
    if isinstance(current, List) and op == "+":
        low.call(Method(current, "extend"), [value], {})
        return current
    return operate(low, op, current, value)
