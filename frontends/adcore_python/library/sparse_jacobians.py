"""Sparse Jacobians and Hessians of functions that are defined in compiled code."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from adcore.errors import UnsupportedFunctionError

from .registry import lowers

if TYPE_CHECKING:
    from ..lowering import Lowering
    from ..values import Value

__all__: list[str] = []


@lowers("adcore.sparse.sparse_jacobian")
def sparse_jacobian(low: Lowering, *arguments: Value, **keywords: Value) -> Value:
    from adcore.sparse import sparse_jacobian as make

    return _made(low, make, arguments, keywords)


@lowers("adcore.sparse.sparse_hessian")
def sparse_hessian(low: Lowering, *arguments: Value, **keywords: Value) -> Value:
    from adcore.sparse import sparse_hessian as make

    return _made(low, make, arguments, keywords)


def _made(low: Lowering, make: Any, arguments: tuple[Value, ...], keywords: dict[str, Value]) -> Value:
    """The same as outside, with the same parameters."""
    from ..derived import transform_of

    lower = transform_of(make)
    try:
        inspect.signature(lower).bind(low, *arguments, **keywords)
    except TypeError as error:
        low.refuse(UnsupportedFunctionError, f"{make.__name__}: {error}", "the supported arguments only")
    return lower(low, *arguments, **keywords)
