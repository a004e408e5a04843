"""Items of tuples, lists, dicts, strings and ranges, whose lengths are known at compile time."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adcore.errors import DtypeError
from adcore.types import Atom, DType

from .operators import describe
from .outside import held_item, plain_dict
from .strings import plain
from .values import Dict, List, Range, Scalar, Static, Tuple, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["Slice", "changing", "constant_item", "integer", "set_item", "slice_of"]


@dataclass(frozen=True, slots=True)
class Slice:
    """The parts of a slice, None where they are left out."""

    start: Value | None
    stop: Value | None
    step: Value | None


def slice_of(low: Lowering, node: ast.Slice) -> Slice:
    """The slice that is written between brackets."""
    parts = (node.lower, node.upper, node.step)
    return Slice(*(None if p is None else _bound(low, low.evaluate(p)) for p in parts))


def _bound(low: Lowering, value: Value) -> Value | None:
    if isinstance(value, Static) and value.value is None:
        return None
    return Scalar(integer(low, value), True)


def integer(low: Lowering, value: Value) -> Atom:
    """An index that is a number."""
    if isinstance(value, Scalar) and value.dtype is DType.I64:
        return value.atom
    return low.refuse(DtypeError, f"an index is {describe(value)}, not an integer", "an integer, e.g. int(i) or i // 2")


def constant_item(low: Lowering, container: Value, node: ast.expr) -> Value:
    """`container[node]`."""
    if isinstance(node, ast.Slice):
        return _part(low, container, slice_of(low, node))
    key = low.evaluate(node)
    if isinstance(container, Range):
        return _range_item(low, container, key)
    constant = plain(key)
    if constant is None:
        low.refuse_syntax(
            f"{describe(container)} is indexed by a value that is not constant", "a NumPy array: np.array(x)[i]"
        )
    if isinstance(container, Tuple | List | Dict):
        return _found(low, container, constant[0])
    if isinstance(container, Static) and plain_dict(container.value):
        return held_item(low, container.value, constant[0])
    if isinstance(container, Static) and isinstance(container.value, str | tuple):
        return Static(_found(low, container, constant[0]))
    return low.refuse_syntax(f"{describe(container)} cannot be indexed", "an array, tuple, list or dict")


def _found(low: Lowering, container: Any, key: Any) -> Any:
    holder = container.value if isinstance(container, Static) else container.items
    try:
        return holder[key]
    except (LookupError, TypeError) as error:
        low.refuse_syntax(f"{type(error).__name__}: {error}", "an index that exists")


def _part(low: Lowering, container: Value, part: Slice) -> Value:
    bounds: list[Any] = []
    for bound in (part.start, part.stop, part.step):
        if isinstance(bound, Scalar) and bound.known is None:
            low.refuse_syntax(f"a slice of {describe(container)} with bounds that are not constant", "a NumPy array")
        bounds.append(bound.known if isinstance(bound, Scalar) else None)
    if isinstance(container, Tuple):
        return Tuple(container.items[slice(*bounds)])
    if isinstance(container, List):
        return List(container.items[slice(*bounds)], low.memory.scope)
    if isinstance(container, Static) and isinstance(container.value, str):
        return Static(container.value[slice(*bounds)])
    return low.refuse_syntax(f"{describe(container)} cannot be sliced", "an array, tuple or list")


def _range_item(low: Lowering, container: Range, key: Value) -> Value:
    b = low.b
    from .indexing import in_range
    from .iteration import range_length

    index = in_range(low, integer(low, key), range_length(low, container), 0)
    return Scalar(b.add(container.start.atom, b.mul(index, container.step.atom)), True)


def set_item(low: Lowering, container: Any, node: ast.expr, value: Value) -> None:
    """`container[node] = value`."""
    constant = plain(low.evaluate(node)) if not isinstance(node, ast.Slice) else None
    if not isinstance(container, List | Dict) or constant is None:
        low.refuse_syntax(f"assigning to an item of {describe(container)}", "a NumPy array, x = np.zeros(n)")
    changing(low, container)
    if isinstance(container, List):
        _found(low, container, constant[0])
    items: Any = container.items
    items[constant[0]] = value


def changing(low: Lowering, container: List | Dict) -> None:
    """Refuse to change a container inside a branch or loop that it was made outside of."""
    if container.scope is not low.memory.scope:
        low.refuse_syntax(
            f"a {type(container).__name__.lower()} is changed inside a loop or branch that it was made outside of",
            "a NumPy array with its elements written in place: x = np.zeros(n); x[k] = value",
        )
