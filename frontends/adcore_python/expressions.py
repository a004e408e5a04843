"""Expressions."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from adcore.errors import DtypeError, UnsupportedSyntaxError
from adcore.types import DType

from .classes import is_named_tuple, is_structured, special
from .comprehensions import comprehension, dict_comprehension, folded
from .containers import entries
from .generator_values import constant_generator
from .indexing import load
from .interpolator_values import constant_interpolator
from .joins import arm, meet_values
from .matching import lower_test
from .methods import ATTRIBUTES, METHODS
from .operators import compare, describe, invert, negative, numeric, operate, truth
from .outside import constant, getter_of, is_computed, look_up, member, opened
from .patterns import Test
from .records import attribute, inherited
from .statements import OPERATORS, assign, items_of, local_function
from .strings import formatted, plain
from .values import Array, Cell, Dict, LocalFunction, Maybe, Method, Poison, Record, Scalar, Static, Super, Tuple, Value

if TYPE_CHECKING:
    from .frame import Frame
    from .lowering import Lowering

__all__ = ["EXPRESSIONS", "attribute_of", "test_of"]

COMPARISONS: dict[type, str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}


def _constant(low: Lowering, e: ast.Constant) -> Value:
    if isinstance(e.value, int) and not -(2**63) <= e.value < 2**63:
        low.refuse(DtypeError, "an integer that does not fit into 64 bits", "a float")
    return constant(e.value)


def _name(low: Lowering, e: ast.Name) -> Value:
    frame: Frame | None = low.frame
    name = e.id
    while frame is not None:
        if name in frame.names:
            return _present(low, frame, name, frame.names[name])
        if (frame, name) in low.unknown:
            return low.guess(frame, name)
        if name in frame.bound:
            _unbound(low, name)
        if frame.enclosing is None:
            break
        frame = frame.enclosing
    assert frame is not None
    found = look_up(low, frame, name)
    if found is None:
        low.refuse(UnsupportedSyntaxError, f"name {name!r} is not defined", "a name that is")
    return found


def _unbound(low: Lowering, name: str) -> Any:
    low.refuse_syntax(f"{name!r} has no value here on any path", f"a value for {name!r} before this line")


def _present(low: Lowering, frame: Frame, name: str, value: Value) -> Value:
    if isinstance(value, Cell):
        contents = low.memory.contents(value.identity)
        value = contents if isinstance(contents, Poison) else contents.items[""]  # type: ignore[union-attr, index]
    if isinstance(value, Poison):
        low.refuse_syntax(value.cause, value.write)
    if not isinstance(value, Maybe):
        return value
    message = f"cannot access local variable '{name}' where it is not associated with a value"
    low.check(value.defined, "UnboundLocalError", message)
    if frame is low.frame and not isinstance(frame.names[name], Cell):
        frame.names[name] = value.value
    return value.value


def _tuple(low: Lowering, e: ast.Tuple) -> Value:
    return Tuple(tuple(_elements(low, e.elts)))


def _list(low: Lowering, e: ast.List) -> Value:
    return low.memory.new_list(_elements(low, e.elts))


def _elements(low: Lowering, nodes: list[ast.expr]) -> list[Value]:
    found: list[Value] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            found.extend(items_of(low, low.evaluate(node.value)))
        else:
            found.append(low.evaluate(node))
    return found


def _dict(low: Lowering, e: ast.Dict) -> Value:
    items: dict[Any, Value] = {}
    for key, value in zip(e.keys, e.values, strict=True):
        if key is None:
            items.update(_unpacked(low, value, "a dict"))
            continue
        items[_key(low, low.evaluate(key))] = low.evaluate(value)
    return low.memory.new_dict(items)


def _unpacked(low: Lowering, e: ast.expr, write: str) -> dict[Any, Value]:
    """What `**e` stands for."""
    value = opened(low, low.evaluate(e), ast.unparse(e))
    if not isinstance(value, Dict):
        low.refuse_syntax(f"** of {describe(value)}", write)
    return entries(low, value)


def _key(low: Lowering, value: Value) -> Any:
    constant = plain(value)
    if constant is not None:
        return constant[0]
    return low.refuse_syntax("a dict with a key that is not constant", "string keys, or an array")


# Operators


def _binary(low: Lowering, e: ast.BinOp) -> Value:
    left = low.evaluate(e.left)
    return operate(low, OPERATORS[type(e.op)], left, low.evaluate(e.right))


def _unary(low: Lowering, e: ast.UnaryOp) -> Value:
    if isinstance(e.op, ast.Not):
        return Scalar(low.b.lnot(test_of(low, e.operand).atom), True)
    value = low.evaluate(e.operand)
    if isinstance(e.op, ast.USub):
        return negative(low, value)
    if isinstance(e.op, ast.Invert):
        return invert(low, value)
    own = special(value, "__pos__")
    return numeric(low, value) if own is None else low.call(own, [], {})


def _compare(low: Lowering, e: ast.Compare) -> Value:
    left = low.evaluate(e.left)
    right = low.evaluate(e.comparators[0])
    result = compare(low, COMPARISONS[type(e.ops[0])], left, right)
    if len(e.ops) == 1:
        return result
    rest = ast.copy_location(ast.Compare(e.comparators[0], e.ops[1:], e.comparators[1:]), e)
    return _short(low, result, True, lambda: _chain(low, rest, right))


def _chain(low: Lowering, e: ast.Compare, left: Value) -> Value:
    """`left op b op c ...`, the left operand having been evaluated already."""
    right = low.evaluate(e.comparators[0])
    result = compare(low, COMPARISONS[type(e.ops[0])], left, right)
    if len(e.ops) == 1:
        return result
    rest = ast.copy_location(ast.Compare(e.comparators[0], e.ops[1:], e.comparators[1:]), e)
    return _short(low, result, True, lambda: _chain(low, rest, right))


def _boolean(low: Lowering, e: ast.BoolOp) -> Value:
    return _operands(low, e.values, isinstance(e.op, ast.And))


def _operands(low: Lowering, nodes: list[ast.expr], conjunction: bool) -> Value:
    first = low.evaluate(nodes[0])
    if len(nodes) == 1:
        return first
    return _short(low, first, conjunction, lambda: _operands(low, nodes[1:], conjunction))


def test_of(low: Lowering, e: ast.expr) -> Scalar:
    """Whether an expression holds; what `and` and `or` give otherwise does not matter."""
    if not isinstance(e, ast.BoolOp):
        return truth(low, low.evaluate(e))
    with low.at(e):
        return truth(low, _holding(low, e.values, isinstance(e.op, ast.And)))


def _holding(low: Lowering, nodes: list[ast.expr], conjunction: bool) -> Value:
    first = test_of(low, nodes[0])
    if len(nodes) == 1:
        return first
    return _short(low, first, conjunction, lambda: _holding(low, nodes[1:], conjunction))


def _short(low: Lowering, first: Value, conjunction: bool, rest: Callable[[], Value]) -> Value:
    """`first and rest` or `first or rest`, evaluating the rest only where Python does."""
    test = truth(low, first)
    if test.known is not None:
        return rest() if test.known is conjunction else first
    more, stop = arm(low, rest), arm(low, lambda: first)
    free = not more.scope.builder.equations
    if free and isinstance(first, Scalar) and isinstance(more.value, Scalar) and _booleans(first, more.value):
        combine = low.b.land if conjunction else low.b.lor
        return Scalar(combine(first.atom, more.value.atom), first.python and more.value.python)
    return meet_values(low, test.atom, *((more, stop) if conjunction else (stop, more)))


def _booleans(x: Scalar, y: Scalar) -> bool:
    return x.dtype is DType.BOOL and y.dtype is DType.BOOL


def _conditional(low: Lowering, e: ast.IfExp) -> Value:
    test = test_of(low, e.test)
    if test.known is not None:
        return low.evaluate(e.body if test.known else e.orelse)
    then, other = arm(low, lambda: low.evaluate(e.body)), arm(low, lambda: low.evaluate(e.orelse))
    return meet_values(low, test.atom, then, other)


# Attributes, subscripts, calls


def _attribute(low: Lowering, e: ast.Attribute) -> Value:
    return attribute_of(low, low.evaluate(e.value), e.attr)


def attribute_of(low: Lowering, owner: Value, name: str) -> Value:
    """`owner.name`."""
    from . import structured_arrays

    if isinstance(owner, Scalar | Array):
        return _array_attribute(low, owner, name)
    if isinstance(owner, Static):
        return _static_attribute(low, owner.value, name)
    if is_structured(owner):
        return structured_arrays.attribute(low, owner, name)
    if isinstance(owner, Record) or (isinstance(owner, Tuple) and is_named_tuple(owner.kind)):
        return attribute(low, owner, name)
    if isinstance(owner, Super):
        return inherited(low, owner, name)
    if isinstance(owner, LocalFunction) and name in owner.attributes:
        return owner.attributes[name]
    return Method(owner, name)


def _array_attribute(low: Lowering, owner: Scalar | Array, name: str) -> Value:
    if name in ATTRIBUTES:
        return ATTRIBUTES[name](low, owner)
    if name not in METHODS:
        low.refuse_syntax(f"{describe(owner)} has no supported attribute {name!r}", f"one of {', '.join(METHODS)}")
    return Method(owner, name)


def _static_attribute(low: Lowering, owner: Any, name: str) -> Value:
    found = constant_generator(low, owner) or constant_interpolator(low, owner)
    if found is not None:
        return attribute(low, found, name)
    if isinstance(owner, types.ModuleType) and name in vars(owner):
        return member(low, owner, name, vars(owner)[name])
    getter = getter_of(owner, name)
    if getter is not None:
        return low.call(Static(getter), [Static(owner)], {})
    with low.foreign(f"reading attribute {name!r} of {describe(Static(owner))}", is_computed(owner, name)):
        try:
            found = getattr(owner, name)
        except AttributeError:
            low.refuse_syntax(f"{describe(Static(owner))} has no attribute {name!r}", "an attribute that exists")
    return member(low, owner, name, found)


def _subscript(low: Lowering, e: ast.Subscript) -> Value:
    return load(low, low.evaluate(e.value), e.slice)


def _call(low: Lowering, e: ast.Call) -> Value:
    function = low.evaluate(e.func)
    result = folded(low, function, e)
    if result is not None:
        return result
    arguments = _elements(low, e.args)
    keywords: dict[str, Value] = {}
    for keyword in e.keywords:
        if keyword.arg is not None:
            keywords[keyword.arg] = low.evaluate(keyword.value)
        else:
            keywords.update(_unpacked(low, keyword.value, "keyword arguments by name"))
    frame = low.frame
    frame.call_sites.append(id(e))
    try:
        return low.call(function, arguments, keywords)
    finally:
        frame.call_sites.pop()


# Functions, comprehensions, strings


def _lambda(low: Lowering, e: ast.Lambda) -> Value:
    return local_function(low, e)


def _walrus(low: Lowering, e: ast.NamedExpr) -> Value:
    value = low.evaluate(e.value)
    assign(low, e.target, value)
    return value


def _string(low: Lowering, e: ast.JoinedStr) -> Value:
    return formatted(low, e)


def _starred(low: Lowering, e: ast.Starred) -> Value:
    low.refuse_syntax("a starred expression here", "the items by name")


EXPRESSIONS: dict[type, Callable[..., Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Tuple: _tuple,
    ast.List: _list,
    ast.Dict: _dict,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.IfExp: _conditional,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Call: _call,
    ast.Lambda: _lambda,
    ast.ListComp: comprehension,
    ast.GeneratorExp: comprehension,
    ast.DictComp: dict_comprehension,
    ast.NamedExpr: _walrus,
    Test: lower_test,
    ast.JoinedStr: _string,
    ast.Starred: _starred,
}
