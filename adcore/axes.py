"""Which axis of each leaf of a tree is meant: an integer or None for whole subtrees, as `in_axes` of `vmap` says it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from .plugins import Leaf, Spec, Static
from .trees import below, leaves

__all__ = ["Axis", "counted", "paths", "require_axes", "spread"]

Axis = int | None

_LEAVES = (Spec, Static, Leaf)


def require_axes(title: str, axes: Any) -> None:
    """Refuse what is no tree of integers and None.

    Raises:
        TypeError: it has another leaf.
    """
    for leaf in leaves(axes):
        if leaf is not None and not is_axis(leaf):
            raise TypeError(
                f"vmap {title} must be an int, None, or a (nested) container with those types as leaves, but got "
                f"{axes!r}"
            )


def is_axis(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def spread(axes: Any, tree: Any, wrong: Callable[[], Exception]) -> list[Axis]:
    """The axis of each leaf of a tree, of which `axes` is a prefix; else the error `wrong()` is raised.

    >>> spread((0, {"a": None, "b": 1}), (1.0, {"b": (2.0, 3.0), "a": 4.0}), ValueError)
    [0, 1, 1, None]
    """
    if axes is None or is_axis(axes):
        return [axes] * len(leaves(tree))
    if type(axes) is not type(tree) or isinstance(tree, _LEAVES):
        raise wrong()
    if isinstance(tree, dict):
        pairs = [(axes.get(key, wrong), part) for key, part in tree.items()]
        if len(axes) != len(tree) or any(a is wrong for a, _ in pairs):
            raise wrong()
    else:
        if not (isinstance(tree, tuple | list) or dataclasses.is_dataclass(tree)) or len(below(axes)) != len(
            below(tree)
        ):
            raise wrong()
        pairs = list(zip(below(axes), below(tree), strict=True))
    return [axis for part_axes, part in pairs for axis in spread(part_axes, part, wrong)]


def counted(axis: int, rank: int) -> int | None:
    """An axis of an array of this rank, counted from the end where it is negative; None where there is none."""
    return axis % rank if -rank <= axis < rank else None


def paths(tree: Any, root: str) -> list[str]:
    """Each leaf of a tree as one writes it.

    >>> paths((1.0, {"a": 2.0}), "p")
    ['p[0]', "p[1]['a']"]
    """
    if isinstance(tree, _LEAVES) or not below(tree):
        return [root] * len(leaves(tree))
    if isinstance(tree, dict):
        steps = [f"[{key!r}]" for key in tree]
    elif isinstance(tree, tuple | list):
        fields = getattr(tree, "_fields", None)
        steps = [f".{field}" for field in fields] if fields else [f"[{k}]" for k in range(len(tree))]
    else:
        steps = [f".{field.name}" for field in dataclasses.fields(tree)]
    return [path for step, part in zip(steps, below(tree), strict=True) for path in paths(part, root + step)]
