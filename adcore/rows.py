"""The rows of the table of primitives as functions of numbers and arrays, by name.

Source that is printed as loops calls those which Python's operators do not spell:

>>> from adcore.rows import expit, maximum
>>> float(maximum(expit(0.0), 0.25))
0.5

Under plain Python a call is the row's meaning; Numba compiles it as the backend named `numba` has it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from .primitives import TABLE, Primitive

__all__ = ["Row", "name_of"]

_NAMES = {"abs": "absolute", "pow": "power", "integer_pow": "integer_power", "and": "bitwise_and", "or": "bitwise_or"}
_NAMES |= {"not": "invert", "xor": "bitwise_xor", "complex": "complex_of"}
_ROWS = {name: row for row, name in _NAMES.items()}


class Row:
    """A row of the table, to be called on numbers or arrays of the dtypes that the row takes."""

    __slots__ = ("__name__", "primitive")

    def __init__(self, name: str, primitive: Primitive) -> None:
        self.__name__ = name
        self.primitive = primitive

    def __call__(self, *operands: Any, **params: Any) -> Any:
        return self.primitive.meaning(*operands, **params)

    def __repr__(self) -> str:
        return f"<row {self.__name__}>"

    @property
    def _numba_type_(self) -> Any:
        """What Numba asks of an object that it does not know."""
        from .plugins import backend

        return backend("numba").row_type(self)  # type: ignore[attr-defined]


def name_of(primitive: Primitive) -> str:
    """The name by which source calls a row."""
    return _NAMES.get(primitive.name, primitive.name).replace("@", "_by_")


@cache
def __getattr__(name: str) -> Row:
    row = _ROWS.get(name, name).replace("_by_", "@")
    if name.startswith("__") or row not in TABLE or (row in _NAMES and name not in _ROWS):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return Row(name, TABLE[row])
