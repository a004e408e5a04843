"""What an evaluation of the benchmark's protocol calls: a function, and its arguments and result as JSON has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Evaluation"]


@dataclass(frozen=True)
class Evaluation:
    """One function of a module of the benchmark.

    Attributes:
        arguments: the arguments, from the input of the message; not timed.
        call: what is timed.
        output: the result as what JSON can hold; not timed.
    """

    arguments: Callable[[Any], tuple[Any, ...]]
    call: Callable[..., Any]
    output: Callable[[Any], Any]
