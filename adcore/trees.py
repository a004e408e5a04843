"""Trees: tuples, lists, dicts, None, NamedTuples and dataclasses, taken apart into leaves and built again.

optree does the work, in a namespace of our own, where dicts keep the order of their keys, None is a leaf like any
other constant, and a dataclass is a node as soon as one of its instances is met.  A structured array is a node whose
children are its fields.  Classes of other packages are nodes where someone has said how they are taken apart
(`nodes_of`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

import numpy as np
import optree
from optree import PyTreeSpec

from .plugins import Leaf, Rows, Spec, Static
from .structured import Structured, is_structured, taken_apart

__all__ = [
    "PyTreeSpec",
    "below",
    "children_of",
    "flatten",
    "instance",
    "is_namedtuple",
    "is_plain",
    "leaves",
    "map_leaves",
    "map_nodes",
    "matched",
    "nodes_of",
    "structure",
]

NAMESPACE = "adcore"
_OPAQUE = (Spec, Static, Leaf)  # dataclasses that stand for a leaf
_PLAIN = {float, int, bool, complex, str, type(None), *_OPAQUE}
_ORDINARY = {*_PLAIN, np.ndarray}  # classes that are no nodes

Node = tuple[Callable[[Any], tuple[Any, ...]], Callable[[Any], Any]]  # to the children, and from them

_insertion_order = optree.dict_insertion_ordered(True, namespace=NAMESPACE)
_insertion_order.__enter__()  # for good: the order of a dict's keys can be seen by the function that gets it
_registering = Lock()
_nodes: set[type] = set()
_takes: dict[type, Callable[[Any], tuple[Any, ...]]] = {}  # by classes of other packages
_leaf_types: set[type] = set()  # of packages that have nodes
_packages: dict[str, Callable[[type], Node | None]] = {}

is_namedtuple = optree.is_namedtuple


def flatten(tree: Any) -> tuple[list[Any], PyTreeSpec]:
    """The leaves in order, and the structure that they were taken from.

    >>> flatten((1.0, {"b": [2.0, None]}))[0]
    [1.0, 2.0, None]
    """
    _, found, spec = _prepared(tree)
    return found, spec


def _prepared(tree: Any) -> tuple[Any, list[Any], PyTreeSpec]:
    """A tree with its structured arrays taken apart, its leaves and its structure; its classes are nodes from here."""
    while True:
        found, spec = optree.tree_flatten(tree, none_is_leaf=True, namespace=NAMESPACE)
        kinds = set(map(type, found))
        new = {kind for kind in kinds - _ORDINARY if _may_be_node(kind)} - _nodes
        for kind in new:
            _register(kind)
        if new:
            continue
        if kinds <= _PLAIN or not any(map(is_structured, found)):
            return tree, found, spec
        tree = spec.unflatten([taken_apart(leaf) if is_structured(leaf) else leaf for leaf in found])


def leaves(tree: Any) -> list[Any]:
    """The leaves in order."""
    return flatten(tree)[0]


def structure(tree: Any) -> PyTreeSpec:
    """What is left of a tree without its leaves; can be compared and hashed."""
    return flatten(tree)[1]


def map_leaves(f: Callable[[Any], Any], tree: Any) -> Any:
    """The same tree with every leaf replaced by `f(leaf)`."""
    found, spec = flatten(tree)
    return spec.unflatten([f(leaf) for leaf in found])


def map_nodes(f: Callable[[Any], Any], tree: Any, kind: type | tuple[type, ...]) -> Any:
    """The same tree with every leaf, and every node of a class whatever is below it, replaced by `f` of it."""
    tree, _, _ = _prepared(tree)
    found, spec = optree.tree_flatten(tree, lambda x: isinstance(x, kind), none_is_leaf=True, namespace=NAMESPACE)
    return spec.unflatten([f(node) for node in found])


def matched(spec: PyTreeSpec, tree: Any) -> list[Any]:
    """The leaves of a tree of the given structure, dicts in whatever order of keys.

    Raises:
        ValueError: it has another structure.
    """
    tree, _, _ = _prepared(tree)
    found = spec.flatten_up_to(tree)
    if any(structure(leaf).num_nodes > 1 for leaf in found):
        raise ValueError("a tuple, list, dict or dataclass where a number or an array is expected")
    return found


def below(value: Any) -> list[Any]:
    """The children of one node; none of a leaf."""
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, tuple | list):
        return list(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, (type, *_OPAQUE)):
        return [getattr(value, field.name) for field in dataclasses.fields(value)]
    return []


def is_plain(spec: PyTreeSpec) -> bool:
    """Whether all nodes are tuples, lists, dicts, NamedTuples and dataclasses, and none stands for something else."""
    kind: Any = spec.type
    if kind is None:
        return spec.is_leaf()
    ours = kind in _nodes and kind not in _takes and kind is not Rows
    return (kind in (tuple, list, dict) or is_namedtuple(kind) or ours) and all(map(is_plain, spec.children()))


def instance(kind: type, fields: Iterable[tuple[str, Any]]) -> Any:
    """An instance of a dataclass with these fields; nothing of the class is run."""
    made = object.__new__(kind)
    for name, value in fields:
        object.__setattr__(made, name, value)
    return made


def children_of(kind: type) -> Callable[[Any], tuple[Any, ...]]:
    """What takes apart the instances of another package's class, one of which has been met."""
    return _takes[kind]


def nodes_of(package: str, node_of: Callable[[type], Node | None]) -> None:
    """Have classes of a package be nodes: `node_of` gives functions to and from an instance's children, or None."""
    _packages[package] = node_of


def _register_structured(kind: Any) -> None:
    def taken(node: Any) -> Any:
        return node.fields, node.layout

    def built(layout: Any, fields: Any) -> Any:
        return kind(layout, tuple(fields))

    optree.register_pytree_node(kind, taken, built, namespace=NAMESPACE)


_register_structured(Structured)


def _may_be_node(kind: type) -> bool:
    return hasattr(kind, "__dataclass_fields__") or (
        kind.__module__.partition(".")[0] in _packages and kind not in _leaf_types
    )


def _register(kind: type) -> None:
    """Make a class a node, a dataclass with its fields as the children."""
    if hasattr(kind, "__dataclass_fields__"):
        _register_dataclass(kind)
        return
    node = _packages[kind.__module__.partition(".")[0]](kind)
    with _registering:
        if node is None:
            _leaf_types.add(kind)
        elif kind not in _nodes:
            take, build = node
            _takes[kind] = take
            optree.register_pytree_node(
                kind, lambda x: (take(x), None), lambda _, children: build(children), namespace=NAMESPACE
            )
            _nodes.add(kind)


def _register_dataclass(kind: Any) -> None:
    names = tuple(field.name for field in dataclasses.fields(kind))

    def taken(node: Any) -> Any:
        return tuple(getattr(node, name) for name in names), None, names

    def built(_: Any, children: Any) -> Any:
        return instance(kind, zip(names, children, strict=True))

    with _registering:
        if kind not in _nodes:
            optree.register_pytree_node(kind, taken, built, path_entry_type=optree.GetAttrEntry, namespace=NAMESPACE)
            _nodes.add(kind)
