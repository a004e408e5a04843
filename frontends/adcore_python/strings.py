"""Messages of exceptions: literal text, and formatted numbers that are filled in at run time."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from adcore.cache import has_own_code
from adcore.types import Atom

from .values import Scalar, Static, Tuple, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["formatted", "message_of", "plain"]


def message_of(low: Lowering, arguments: Sequence[ast.expr]) -> tuple[str, tuple[Atom, ...]]:
    """An exception's message with places `{0}`, and the numbers that go there."""
    if not arguments:
        return "", ()
    if len(arguments) > 1:
        low.refuse_syntax("an exception with several arguments", "one formatted string")
    (node,) = arguments
    if not isinstance(node, ast.JoinedStr):
        return _pieces(low, [low.evaluate(node)], [""])
    values: list[Value] = []
    specs: list[str] = []
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            values.append(low.evaluate(part.value))
            specs.append(_spec(low, part))
        else:
            values.append(low.evaluate(part))
            specs.append("")
    return _pieces(low, values, specs)


def _spec(low: Lowering, part: ast.FormattedValue) -> str:
    conversion = "" if part.conversion == -1 else f"!{chr(part.conversion)}"
    if part.format_spec is None:
        return conversion
    spec = low.evaluate(part.format_spec)
    text = spec.value if isinstance(spec, Static) else ""
    return f"{conversion}:{text}"


def _pieces(low: Lowering, values: Sequence[Value], specs: Sequence[str]) -> tuple[str, tuple[Atom, ...]]:
    text, reported = "", []
    for value, spec in zip(values, specs, strict=True):
        constant = plain(value)
        if constant is not None:
            with low.foreign("formatting this", has_own_code(constant[0])):
                text += f"{{{spec}}}".format(constant[0]).replace("{", "{{").replace("}", "}}")
        elif isinstance(value, Scalar):
            text += f"{{{len(reported)}{spec}}}"
            reported.append(value.atom)
        else:
            low.refuse_syntax("an array in a message", "a number, e.g. an element or x.shape[0]")
    return text, tuple(reported)


def plain(value: Value) -> tuple[object] | None:
    """The Python object that a value is at compile time, in a tuple, or None."""
    if isinstance(value, Static):
        return (value.value,)
    if isinstance(value, Scalar):
        return None if value.known is None else (value.known,)
    if isinstance(value, Tuple):
        items = [plain(v) for v in value.items]
        if all(i is not None for i in items):
            return (tuple(i[0] for i in items if i is not None),)
    return None


def formatted(low: Lowering, node: ast.JoinedStr) -> Value:
    """An f-string of constants."""
    text = ""
    for part in node.values:
        inner = part.value if isinstance(part, ast.FormattedValue) else part
        constant = plain(low.evaluate(inner))
        if constant is None:
            low.refuse_syntax("a string made from numbers of the computation", "strings only in messages of exceptions")
        spec = _spec(low, part) if isinstance(part, ast.FormattedValue) else ""
        with low.foreign("formatting this", has_own_code(constant[0])):
            text += f"{{{spec}}}".format(constant[0])
    return Static(text)
