"""NumPy's objects that are used between brackets only: `np.mgrid`, `np.ogrid`, `np.r_`, `np.c_`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import numpy as np

from .library import grids
from .values import NONE, ZERO, Static, Tuple, Value, number

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["bracketed"]


def bracketed(low: Lowering, container: Value, node: ast.expr) -> Value | None:
    """The value of `container[node]` where the container is such an object, else None."""
    lower = BRACKETED.get(type(container.value)) if isinstance(container, Static) else None
    return lower and lower(low, node)


def _items(low: Lowering, node: ast.expr) -> list[Any]:
    """Slices as tuples of start, stop, step and count; anything else as its value."""
    nodes = node.elts if isinstance(node, ast.Tuple) else [node]
    return [_slice(low, each) if isinstance(each, ast.Slice) else low.evaluate(each) for each in nodes]


def _slice(low: Lowering, node: ast.Slice) -> Tuple:
    if node.upper is None:
        low.refuse_syntax("a slice without an end", "start:stop:step")
    start = ZERO if node.lower is None else low.evaluate(node.lower)
    stop = low.evaluate(node.upper)
    count = _count(low, node.step)
    step = number(1) if node.step is None or count is not NONE else low.evaluate(node.step)
    return Tuple((start, stop, step, count))


def _count(low: Lowering, step: ast.expr | None) -> Value:
    """How many numbers an imaginary step asks for: `5j`, `n * 1j`."""
    if _is_imaginary(step):
        return number(int(abs(step.value)))  # type: ignore[union-attr]
    if isinstance(step, ast.BinOp) and isinstance(step.op, ast.Mult):
        for times, unit in ((step.left, step.right), (step.right, step.left)):
            if _is_imaginary(unit) and unit.value == 1j:  # type: ignore[attr-defined]
                return low.call(Static(int), [low.evaluate(times)], {})
    return NONE


def _is_imaginary(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, complex)


def _grid(function: Any) -> Any:
    def lower(low: Lowering, node: ast.expr) -> Value:
        items = _items(low, node)
        if not all(isinstance(i, Tuple) for i in items):
            low.refuse_syntax("a grid of something else than slices", "np.mgrid[0:3, 0:4]")
        if not isinstance(node, ast.Tuple):
            return low.call(Static(grids.line), list(items[0].items), {})
        return low.call(Static(function), items, {})

    return lower


def _joining(axis: int, rank: int, place: int) -> Any:
    def lower(low: Lowering, node: ast.expr) -> Value:
        items = _items(low, node)
        nodes = node.elts if isinstance(node, ast.Tuple) else [node]
        setting = [axis, rank, place]
        if isinstance(items[0], Static) and isinstance(items[0].value, str):
            try:
                given = [int(part) for part in items[0].value.split(",")]
            except ValueError:
                given = []
            if not 1 <= len(given) <= 3:
                low.refuse_syntax(f"the directive {items[0].value!r}", "np.concatenate(…, axis)")
            setting[: len(given)] = given
            items, nodes = items[1:], nodes[1:]
        parts = [
            low.call(Static(grids.line), list(item.items), {}) if isinstance(each, ast.Slice) else item
            for item, each in zip(items, nodes, strict=True)
        ]
        return low.call(Static(grids.joined), [Tuple(tuple(parts)), *(number(n) for n in setting)], {})

    return lower


BRACKETED: dict[type, Any] = {
    type(np.mgrid): _grid(grids.dense_grid),
    type(np.ogrid): _grid(grids.open_grid),
    type(np.r_): _joining(0, 1, -1),
    type(np.c_): _joining(-1, 2, 0),
}
