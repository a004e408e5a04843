"""Sparse Jacobians and Hessians of functions that are defined in compiled code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..values import NONE, ZERO, Static, Value
from .registry import lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__: list[str] = []

CSR, STAR, AUTO, BEST = (Static(text) for text in ("csr", "star", "auto", "best"))


@lowers("adcore.sparse.sparse_jacobian")
def sparse_jacobian(
    low: Lowering,
    f: Value,
    argnums: Value = ZERO,
    pattern: Value = NONE,
    *,
    format: Value = CSR,
    mode: Value = AUTO,
    order: Value = BEST,
    check: Value = NONE,
) -> Value:
    from adcore.sparse import sparse_jacobian as make

    options = {"argnums": argnums, "format": format, "mode": mode, "order": order, "check": check}
    return _made(low, make, f, pattern, options)


@lowers("adcore.sparse.sparse_hessian")
def sparse_hessian(
    low: Lowering,
    f: Value,
    argnums: Value = ZERO,
    pattern: Value = NONE,
    *,
    format: Value = CSR,
    coloring: Value = STAR,
    order: Value = BEST,
    check: Value = NONE,
) -> Value:
    from adcore.sparse import sparse_hessian as make

    options = {"argnums": argnums, "format": format, "coloring": coloring, "order": order, "check": check}
    return _made(low, make, f, pattern, options)


def _made(low: Lowering, make: Callable[..., Any], f: Value, pattern: Value, options: dict[str, Value]) -> Value:
    from ..derived import refuse_pattern, with_options

    refuse_pattern(low, pattern, NONE)
    return with_options(low, make, f, options)
