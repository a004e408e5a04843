"""Messages of errors, with fields for what they report."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence

from .expressions import Expression, Level

__all__ = ["Shape", "formatted", "has_fields", "quoted", "shape_of", "tuple_text"]

Shape = tuple[str, Sequence[Expression]]  # the text of a shape, and its lengths


def shape_of(array: str, rank: int) -> Shape:
    return f"{array}.shape", [Expression(f"{array}.shape[{axis}]") for axis in range(rank)]


def tuple_text(texts: Iterable[str], comma: str = ", ") -> str:
    items = list(texts)
    return f"({comma.join(items)}{',' * (len(items) == 1)})"


def formatted(message: str, values: Sequence[Expression]) -> str:
    """A message with its fields filled in, as an f-string where it has any."""
    text, fields, automatic = "", False, iter(range(len(values)))
    for literal_text, field, spec, conversion in string.Formatter().parse(message):
        text += _escaped(literal_text)
        if field is None:
            continue
        fields = True
        value = values[int(field) if field else next(automatic)]
        text += "\0" + value.within(Level.OR) + (f"!{conversion}" if conversion else "")
        text += (f":{spec}" if spec else "") + "\1"
    if fields:
        text = text.replace("{", "{{").replace("}", "}}").replace("\0", "{").replace("\1", "}")
    return f'f"{text}"' if fields else f'"{text}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def has_fields(message: str) -> bool:
    return any(field is not None for _, field, _, _ in string.Formatter().parse(message))
