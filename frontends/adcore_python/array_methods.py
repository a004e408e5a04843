"""Methods of arrays that are NumPy's functions of the same name."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from .library import LIBRARY, Written
from .library.elements import element_of, list_of
from .values import Static, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["ARRAY_METHODS", "element_of", "list_of"]


def _method(name: str) -> Any:
    function, rule = getattr(np, name), LIBRARY[f"numpy.{name}"]

    def lower(low: Lowering, owner: Value, *arguments: Value, **keywords: Value) -> Value:
        return low.call(Static(function), [owner, *arguments], keywords)

    parameters = list(inspect.signature(rule.function if isinstance(rule, Written) else rule).parameters.values())
    first = [inspect.Parameter("low", inspect.Parameter.POSITIONAL_ONLY)] if isinstance(rule, Written) else []
    owner = parameters[0].replace(kind=inspect.Parameter.POSITIONAL_ONLY)
    lower.__signature__ = inspect.Signature([*first, owner, *parameters[1:]])  # type: ignore[attr-defined]
    return lower


ARRAY_METHODS: dict[str, Any] = {name: _method(name) for name in ("diagonal", "repeat", "trace")}
