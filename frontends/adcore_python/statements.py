"""Statements.

A branch with a `return`, `break` or `continue` takes the statements that follow it into both of its paths, so that
control always leaves a block at its end; inside loops, hidden names beginning with `$` say how.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from adcore.errors import UnsupportedSyntaxError
from adcore.primitives import CHECKED_ERRORS
from adcore.types import Atom, Lit, literal

from .classes import is_structured, special
from .containers import delete_item, entries, held, items
from .generators import Generator
from .growing import item_at
from .importing import imported
from .indexing import augment, element, store
from .item_access import augmented
from .iteration import exhausted
from .joins import Diverges, Status, arm, meet
from .liveness import escapes, live_before
from .loops import lower_for, lower_while
from .matching import lower_match
from .operators import describe
from .outside import constant
from .records import set_attribute
from .strings import message_of
from .values import (
    Array,
    Cell,
    Dict,
    Fields,
    Iteration,
    List,
    LocalFunction,
    Range,
    Record,
    Scalar,
    Static,
    Tuple,
    Value,
    named,
    number,
)

if TYPE_CHECKING:
    from .frame import Frame
    from .lowering import Lowering

__all__ = ["assign", "bind", "execute", "items_of"]

OPERATORS: dict[type, str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
}


def execute(low: Lowering, statements: Sequence[ast.stmt], after: frozenset[str]) -> str:
    """Lower a block whose end is followed by a place where the names `after` are live."""
    frame = low.frame
    for position, statement in enumerate(statements):
        frame.statements, frame.position, frame.after = statements, position, after
        lower = STATEMENTS.get(type(statement))
        with low.at(statement):
            low.worked()
            if lower is None:
                low.refuse_syntax(
                    f"the statement {type(statement).__name__} is not supported",
                    REWRITES.get(type(statement), "assignments, loops, branches and function calls"),
                )
            further = isinstance(statement, ast.If | ast.For | ast.While | ast.Match | ast.Try)
            rest = (statements[position + 1 :], after) if further else ()
            try:
                status = lower(low, statement, *rest)
            except Diverges as diverged:
                status = diverged.settle(low)
        if status in (Status.DONE, Status.DEAD):
            return status
    return Status.OPEN


# Assignment


def _assign(low: Lowering, s: ast.Assign) -> None:
    value = low.evaluate(s.value)
    for target in s.targets:
        assign(low, target, value)


def _annotated(low: Lowering, s: ast.AnnAssign) -> None:
    if s.value is not None:
        assign(low, s.target, low.evaluate(s.value))


def assign(low: Lowering, target: ast.expr, value: Value) -> None:
    """Bind a name, unpack into several targets, or write into an array or container."""
    if isinstance(target, ast.Name):
        bind(low, target.id, value)
    elif isinstance(target, ast.Tuple | ast.List):
        _unpack(low, target, value)
    elif isinstance(target, ast.Subscript):
        with low.at(target):
            store(low, low.evaluate(target.value), target.slice, value)
    elif isinstance(target, ast.Attribute):
        with low.at(target):
            set_attribute(low, low.evaluate(target.value), target.attr, value)
    else:
        with low.at(target):
            low.refuse_syntax("a starred target here", "the items by name")


def bind(low: Lowering, name: str, value: Value) -> None:
    """Bind a name in the present frame; values without a name take it over."""
    if isinstance(value, Scalar):
        named(value.atom, name)
    elif isinstance(value, Array) and value.buffer.name.removeprefix("$expression") == "":
        named(low.memory.read(value.buffer), name)
        value.buffer.name = name
    elif isinstance(value, List | Dict | Record):
        value.identity.name = value.identity.name or name
    frame = low.frame
    if name in frame.rebinds:
        frame = _owner(low, name)
    held = frame.names.get(name)
    if name in frame.shared and not isinstance(held, Cell):
        frame.names[name] = Cell(low.memory.identity(Fields({"": value}), name))
    elif isinstance(held, Cell) and name in frame.shared:
        low.change(held.identity, Fields({"": value}))
    else:
        frame.names[name] = value


def _owner(low: Lowering, name: str) -> Frame:
    """The frame of the enclosing function that binds a name that is declared `nonlocal`."""
    frame = low.frame.enclosing
    while frame is not None and name not in frame.bound:
        frame = frame.enclosing
    if frame is None:
        low.refuse_syntax(f"`nonlocal {name}` changes a name outside the function", "return the new value")
    return frame


def _unpack(low: Lowering, target: ast.Tuple | ast.List, value: Value) -> None:
    items = items_of(low, value, len(target.elts))
    stars = [k for k, t in enumerate(target.elts) if isinstance(t, ast.Starred)]
    if not stars:
        if len(items) != len(target.elts):
            low.refuse_syntax(f"{len(items)} values for {len(target.elts)} names", "as many names as values")
        for each, item in zip(target.elts, items, strict=True):
            assign(low, each, item)
        return
    (star,) = stars
    rest = len(items) - len(target.elts) + 1
    if rest < 0:
        low.refuse_syntax(f"{len(items)} values for {len(target.elts)} names", "as many names as values")
    packed = [*items[:star], low.memory.new_list(items[star : star + rest]), *items[star + rest :]]
    for each, item in zip(target.elts, packed, strict=True):
        assign(low, each.value if isinstance(each, ast.Starred) else each, item)


def items_of(low: Lowering, value: Value, count: int | None = None) -> list[Value]:
    """The items of something of static length; an array of rows gives as many as are asked for."""
    from . import structured_arrays

    if isinstance(value, Tuple | List):
        return items(low, value) if count is None else _unpacked(low, value, count)
    if isinstance(value, Dict):
        return [constant(key) for key in entries(low, value)]
    if is_structured(value):
        return _records(low, value, structured_arrays.iteration(low, value), count)
    own = special(value, "__iter__")
    if own is not None:
        return items_of(low, low.call(own, [], {}), count)
    if isinstance(value, Static) and isinstance(value.value, str | tuple):
        return [Static(v) for v in value.value]
    if isinstance(value, Range) and all(isinstance(v.atom, Lit) for v in (value.start, value.stop, value.step)):
        numbers = range(value.start.known, value.stop.known, value.step.known)
        low.worked(len(numbers))
        return [number(k) for k in numbers]
    if isinstance(value, Iteration) and isinstance(value.length, Lit):
        low.worked(int(value.length.value))
        found = [value.item(literal(k)) for k in range(int(value.length.value))]
        exhausted(low, value, literal(False))
        return found
    if isinstance(value, Array) and isinstance(value.shape[0], Lit):
        count = int(value.shape[0].value)
        low.worked(count)
    if isinstance(value, Array) and count is not None:
        holds = low.b.eq(value.shape[0], count)
        low.check(holds, "ValueError", f"cannot unpack {{0}} rows into {count} names", value.shape[0])
        return [element(low, value, literal(k)) for k in range(count)]
    return low.refuse_syntax(f"the number of items of {describe(value)} is not constant", "indexing, x[0], x[1]")


def _records(low: Lowering, value: Value, found: Iteration, count: int | None) -> list[Value]:
    """The records of a structured array, as many as are asked for, or the fields of a record."""
    if isinstance(found.length, Lit):
        return items_of(low, found)
    if count is None:
        low.refuse_syntax(f"the number of items of {describe(value)} is not constant", "indexing, x[0], x[1]")
    holds = low.b.eq(found.length, count)
    low.check(holds, "ValueError", f"cannot unpack {{0}} records into {count} names", found.length)
    return [found.item(literal(k)) for k in range(count)]


def _unpacked(low: Lowering, value: Tuple | List, count: int) -> list[Value]:
    """The items of a list; where its length is known at run time only, as many as are asked for."""
    contents = held(low, value)
    if isinstance(contents, Tuple) or isinstance(contents.length.atom, Lit):
        return items(low, value)
    low.check(low.b.eq(contents.length.atom, count), "ValueError", f"not {count} values to unpack")
    return [item_at(low, contents, literal(k)) for k in range(count)]


def _augmented(low: Lowering, s: ast.AugAssign) -> None:
    op = OPERATORS[type(s.op)]
    if isinstance(s.target, ast.Name):
        current = low.evaluate(ast.copy_location(ast.Name(s.target.id, ast.Load()), s.target))
        value = low.evaluate(s.value)
        result = augmented(low, op, current, value)
        if result is not current or not isinstance(result, Array):
            bind(low, s.target.id, result)
    elif isinstance(s.target, ast.Subscript):
        container = low.evaluate(s.target.value)
        augment(low, container, s.target.slice, op, lambda: low.evaluate(s.value))
    else:
        assert isinstance(s.target, ast.Attribute)
        from .expressions import attribute_of

        owner = low.evaluate(s.target.value)
        result = augmented(low, op, attribute_of(low, owner, s.target.attr), low.evaluate(s.value))
        set_attribute(low, owner, s.target.attr, result)


def _delete(low: Lowering, s: ast.Delete) -> None:
    for target in s.targets:
        if isinstance(target, ast.Name):
            low.frame.names.pop(target.id, None)
        elif isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Slice):
            delete_item(low, low.evaluate(target.value), low.evaluate(target.slice))
        else:
            low.refuse_syntax("deleting an attribute or slice", "None in its place, or a new list without it")


# Control


def _if(low: Lowering, s: ast.If, rest: Sequence[ast.stmt], after: frozenset[str]) -> str:
    test = low.test(s.test)
    leaves = bool(escapes(s))
    if leaves:
        then, other = [*s.body, *rest], [*s.orelse, *rest]
        live = after
    else:
        then, other = s.body, s.orelse
        live = live_before(rest, after)
    if test.known is not None:
        status = low.execute(then if test.known else other, live)
        return Status.DONE if leaves and status is Status.OPEN else status
    return fork(low, test.atom, lambda: low.execute(then, live), lambda: low.execute(other, live), live, leaves)


def fork(
    low: Lowering,
    condition: Atom,
    then: Callable[[], str],
    other: Callable[[], str],
    live: frozenset[str],
    leaves: bool,
) -> str:
    """Lower two paths and join them."""
    first, second = arm(low, then), arm(low, other)
    meet(low, condition, first, second, live | low.frame.escaping)
    if first.dead and second.dead:
        return Status.DEAD
    return Status.DONE if leaves else Status.OPEN


def _return(low: Lowering, s: ast.Return) -> str:
    frame = low.frame
    frame.names["$value"] = low.evaluate(s.value) if s.value is not None else Static(None)
    if frame.loops:
        frame.names["$returned"] = number(True)
    return Status.DONE


def _break(low: Lowering, s: ast.Break) -> str:
    low.frame.names[low.frame.loops[-1]] = number(True)
    return Status.DONE


def _continue(low: Lowering, s: ast.Continue) -> str:
    return Status.DONE


def _raise(low: Lowering, s: ast.Raise) -> str:
    if s.exc is None:
        low.refuse_syntax("`raise` without an exception", 'raise ValueError("message")')
    kind, arguments = (s.exc.func, s.exc.args) if isinstance(s.exc, ast.Call) else (s.exc, [])
    _fail(low, literal(False), low.evaluate(kind), arguments)
    return Status.DEAD


def _fail(low: Lowering, holds: Atom, kind: Value, arguments: Sequence[ast.expr]) -> None:
    error = kind.value if isinstance(kind, Static) else None
    name = getattr(error, "__name__", "")
    if CHECKED_ERRORS.get(name) is not error:
        known = ", ".join(CHECKED_ERRORS)
        low.refuse(UnsupportedSyntaxError, "raising an exception of one's own class", f"one of {known}")
    text, reported = message_of(low, arguments)
    low.check(holds, name, text, *reported)


def _assert(low: Lowering, s: ast.Assert) -> str:
    test = low.test(s.test)
    arguments = [s.msg] if s.msg is not None else []

    def fail() -> str:
        _fail(low, literal(False), Static(AssertionError), arguments)
        return Status.DEAD

    if test.known is not None:
        return Status.OPEN if test.known else fail()
    return fork(low, test.atom, lambda: Status.OPEN, fail, low.frame.live(during=False), leaves=False)


# The rest


def _expression(low: Lowering, s: ast.Expr) -> None:
    if not isinstance(s.value, ast.Constant):
        low.evaluate(s.value)


def _pass(low: Lowering, s: ast.Pass) -> None:
    return


def _function(low: Lowering, s: ast.FunctionDef) -> None:
    decorators = [low.evaluate(d) for d in s.decorator_list]
    value: Value = local_function(low, s)
    for decorator in reversed(decorators):
        value = low.call(decorator, [value], {})
    bind(low, s.name, value)


def local_function(low: Lowering, node: ast.FunctionDef | ast.Lambda) -> LocalFunction:
    """A function defined by the code being lowered; its defaults are evaluated now."""
    defaults = tuple(low.evaluate(d) for d in node.args.defaults)
    pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    keywords = {p.arg: low.evaluate(d) for p, d in pairs if d is not None}
    return LocalFunction(node, low.frame.code.inner(node), low.frame, defaults, keywords, scope=low.memory.scope)


def _global(low: Lowering, s: ast.Global) -> Any:
    low.refuse_syntax(f"`global {', '.join(s.names)}` changes a name outside the function", "return the new value")


def _nonlocal(low: Lowering, s: ast.Nonlocal) -> None:
    for name in s.names:
        _owner(low, name)


def _import(low: Lowering, s: ast.Import | ast.ImportFrom) -> None:
    for name, value in imported(low, s):
        bind(low, name, value)


def _try(low: Lowering, s: ast.Try, rest: Sequence[ast.stmt], after: frozenset[str]) -> str:
    """`try ... finally` without `except`: what raises ends the call, so that nobody sees the rest."""
    if s.handlers or s.orelse:
        low.refuse_syntax("`except` is not supported", "a test before the operation that may fail")
    if any(escapes(child) for child in (*s.body, *s.finalbody)):
        low.refuse_syntax("leaving a `try` by return, break or continue", "the return after the `try` statement")
    return low.execute([*s.body, *s.finalbody], live_before(rest, after))


def _with(low: Lowering, s: ast.With) -> None:
    """A `with` statement, which is refused: by what it enters where something is to be said of that."""
    entered = s.items[0].context_expr
    found = low.evaluate(entered.func if isinstance(entered, ast.Call) else entered)
    if isinstance(found, Static) and type(found.value).__module__ == "numba.core.withcontexts":
        low.call(found, [], {})
    low.refuse_syntax("the statement With is not supported", "the call of this function inside the with statement")


REWRITES: dict[type, str] = {
    ast.AsyncFunctionDef: "a plain def",
    ast.ClassDef: "the class at the top of the file",
    ast.TryStar: "a test before the operation that may fail",
}

STATEMENTS: dict[type, Callable[..., Any]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Delete: _delete,
    ast.If: _if,
    ast.For: lower_for,
    Generator: lower_for,
    ast.While: lower_while,
    ast.Return: _return,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Raise: _raise,
    ast.Assert: _assert,
    ast.Expr: _expression,
    ast.Pass: _pass,
    ast.FunctionDef: _function,
    ast.Global: _global,
    ast.Nonlocal: _nonlocal,
    ast.Match: lower_match,
    ast.Import: _import,
    ast.With: _with,
    ast.ImportFrom: _import,
    ast.Try: _try,
}
