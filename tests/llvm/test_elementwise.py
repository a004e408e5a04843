"""Every elementwise row of the table, compiled, against its NumPy meaning: scalars, and arrays that are vectorized."""

from __future__ import annotations

import numpy as np
import pytest
from adcore_llvm import LLVMBackend

from adcore.builder import Builder
from adcore.primitives import TABLE, Kind, TypeRuleError
from adcore.primitives.routines import Routine
from adcore.primitives.scipy_rows import SciPy
from adcore.program import Program
from adcore.types import I64, DType, Type, Var

BACKEND = LLVMBackend()
SPECIAL = (SciPy, Routine)  # whose arrays and numbers test_special.py compares
ROWS = [
    r
    for r in TABLE
    if r.kind is Kind.ELEMENTWISE and r.name not in ("cast", "portion") and not isinstance(r.meaning, SPECIAL)
]
POINTS = {
    DType.F64: np.array(
        [
            *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 3.7, -3.7, 0.1, 1e-300, -1e-300, 1e300, 700.0, -700.0, np.pi),
            *(np.inf, -np.inf, np.nan, 2.5, 3.5, -2.5, 1e-9, 5e-324),
        ]
    ),
    DType.I64: np.array([0, 1, -1, 2, -2, 3, 7, -7, 62, 63, 2**62, -(2**63), 2**63 - 1, 10], dtype=np.int64),
    DType.BOOL: np.array([True, False]),
}
ULPS = 8  # glibc's vector functions promise 4; NumPy's own differ by as much
EXACT = {
    *("neg", "add", "plus", "sub", "mul", "div", "maximum", "minimum", "abs", "sign", "floor", "ceil", "trunc", "rint"),
    *("sqrt", "copysign", "select", "isnan", "isfinite", "lt", "le", "gt", "ge", "eq", "ne", "mod", "floordiv", "side"),
}


def arity(row) -> int:
    return {"select": 3}.get(row.name) or next(n for n in (1, 2) if takes(row, n))


def takes(row, n: int) -> bool:
    for dtype in DType:
        try:
            row.typing(tuple(Var(Type(dtype)) for _ in range(n)), {})
        except TypeRuleError:
            continue
        return True
    return False


def cases():
    for row in ROWS:
        for dtype in DType:
            dtypes = (DType.BOOL, dtype, dtype) if row.name == "select" else (dtype,) * arity(row)
            try:
                row.typing(tuple(Var(Type(d)) for d in dtypes), {})
            except TypeRuleError:
                continue
            yield pytest.param(row, dtypes, id=f"{row.name}-{dtype.short}")


def points(row, dtypes) -> list[np.ndarray]:
    grids = np.meshgrid(*(POINTS[d] for d in dtypes), indexing="ij")
    columns = [np.ascontiguousarray(g.ravel()) for g in grids]
    if row.name == "integer_pow":  # a negative exponent raises before it gets here
        keep = columns[1] >= 0
        columns = [np.ascontiguousarray(c[keep]) for c in columns]
    return columns


def program(row, dtypes, shape) -> Program:
    params = tuple(Var(Type(d, shape), f"x{k}") for k, d in enumerate(dtypes))
    b = Builder()
    return Program(params, b.equations, b.append(row, params, {}))


def agree(row, dtypes, got, expected) -> None:
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.dtype == expected.dtype
    if expected.dtype != np.float64 or row.name in EXACT:
        np.testing.assert_array_equal(got, expected)
        return
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    with np.errstate(all="ignore"):
        near = np.abs(got - expected) <= ULPS * np.spacing(np.abs(expected)) + 5e-323
    assert np.all(same | near), (got[~(same | near)], expected[~(same | near)])


@pytest.mark.parametrize(("row", "dtypes"), list(cases()))
def test_arrays(row, dtypes):
    columns = points(row, dtypes)
    with np.errstate(all="ignore"):
        expected = row.meaning(*columns)
    (got,) = BACKEND.compile(program(row, dtypes, (Var(I64, "n"),)))(*columns)
    agree(row, dtypes, got, expected)


@pytest.mark.parametrize(("row", "dtypes"), list(cases()))
def test_scalars(row, dtypes):
    columns = points(row, dtypes)
    with np.errstate(all="ignore"):
        expected = row.meaning(*columns)
    compiled = BACKEND.compile(program(row, dtypes, ()))
    got = np.array([compiled(*(v.item() for v in values))[0] for values in zip(*columns, strict=True)])
    agree(row, dtypes, got.astype(np.asarray(expected).dtype), expected)


@pytest.mark.parametrize("of", [1, -1])
def test_portion(of):
    b = Builder()
    first = Var(Type(DType.F64, (Var(I64, "n"),)), "x")
    second = Var(first.type, "y")
    part = b.portion(b.side(first, second), of=of)
    x = np.array([1.0, 2.0, 3.0, np.nan])
    (got,) = BACKEND.compile(Program((first, second), b.equations, (part,)))(x, np.array([2.0, 2.0, 2.0, 2.0]))
    np.testing.assert_array_equal(got, {1: [0.0, 0.5, 1.0, 0.0], -1: [1.0, 0.5, 0.0, 0.0]}[of])
