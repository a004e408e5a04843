"""What source printed as loops calls, beside the rows of the table of primitives (`adcore.rows`).

Under plain Python the functions are NumPy's; Numba compiles them as the backend named `numba` has them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["Failure", "Function", "largest", "smallest"]


class Failure(Exception):  # noqa: N818 - never raised itself
    """Makes an exception whose message reports numbers, which Numba cannot write into text.

    >>> Failure(IndexError, "index {} is out of bounds for axis 0 with size {}", 5, 3)
    IndexError('index 5 is out of bounds for axis 0 with size 3')
    """

    def __new__(cls, error: type[Exception], message: str, *reported: Any) -> Any:
        return error(message.format(*reported))


class Function:
    """A function of NumPy's that the backend named `numba` compiles in its own way."""

    __slots__ = ("__name__", "meaning")

    def __init__(self, name: str, meaning: Callable[..., Any]) -> None:
        self.__name__ = name
        self.meaning = meaning

    def __call__(self, *operands: Any) -> Any:
        return self.meaning(*operands)

    def __repr__(self) -> str:
        return f"<function {self.__name__} of printed source>"

    @property
    def _numba_type_(self) -> Any:
        """What Numba asks of an object that it does not know."""
        from .plugins import backend

        return backend("numba").function_type(self)  # type: ignore[attr-defined]


# One step of a maximum or a minimum that may be taken in any order, so that a loop takes several steps at once.
largest = Function("largest", np.maximum)
smallest = Function("smallest", np.minimum)
