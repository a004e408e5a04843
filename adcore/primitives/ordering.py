"""The row that orders: the permutation that sorts, by which a gather then sorts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..types import Atom, DType, Type
from .base import Kind, require, row

__all__: list[str] = []


def _argsort_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    require(len(operands) == 1 and operands[0].type.rank > 0, "argsort takes an array")
    require(not operands[0].type.dtype.complex, "argsort: complex numbers have no order")
    return (operands[0].type.with_dtype(DType.I64),)


# The places of the elements in ascending order along the last axis; equal ones keep their order, nan comes last.
row("argsort", Kind.ORDER, _argsort_typing, lambda x: np.argsort(x, axis=-1, kind="stable"), kinks="ties")
