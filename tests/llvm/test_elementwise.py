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
REALS = [
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 3.7, -3.7, 0.1, 700.0, -700.0, np.pi),
    *(np.inf, -np.inf, np.nan, 2.5, 3.5, -2.5, 1e-9),
]
EXTREMES = {DType.F64: [1e-300, -1e-300, 1e300, 5e-324], DType.F32: [1e-38, -1e-38, 1e38, 1e-45]}
PARTS = [0.0, 0.5, -0.3, 1.25, -2.5, 1e-9]


def _points(dtype: DType) -> np.ndarray:
    if dtype.kind == "f":
        return np.array(REALS + EXTREMES[dtype], dtype.numpy)
    if dtype.complex:
        return np.array([complex(x, y) for x in PARTS for y in PARTS], dtype.numpy)
    if dtype is DType.BOOL:
        return np.array([True, False])
    limits = np.iinfo(dtype.numpy)
    chosen = {0, 1, -1, 2, -2, 3, 7, -7, 10, dtype.bits - 2, dtype.bits - 1, limits.min, limits.max, limits.max // 2}
    return np.array(sorted(v for v in chosen if limits.min <= v <= limits.max), dtype.numpy)


POINTS = {d: _points(d) for d in DType}
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
    if row.name == "pow" and dtypes[0].complex:  # NumPy takes other ways for whole exponents, with other errors at 0
        keep = (columns[0] != 0) & (np.abs(columns[0]) > 0.1)
        columns = [np.ascontiguousarray(c[keep]) for c in columns]
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
    if expected.dtype.kind == "c":
        with np.errstate(all="ignore"):
            ulps = 20 * ULPS if row.name == "pow" and dtypes[0] is DType.C64 else ULPS  # NumPy's exp(y log x) in single
            near = np.abs(got - expected) <= ulps * np.finfo(expected.dtype).eps * np.abs(expected)
        same = (got == expected) | ~np.isfinite(expected) & ~np.isfinite(got)
        assert np.all(same | near), (got[~(same | near)], expected[~(same | near)])
        return
    if expected.dtype.kind != "f" or (row.name in EXACT and not dtypes[-1].complex):
        np.testing.assert_array_equal(got, expected)
        return
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    with np.errstate(all="ignore"):
        tiny = 10 * np.finfo(expected.dtype).smallest_subnormal
        near = np.abs(got - expected) <= ULPS * np.spacing(np.abs(expected)) + tiny
    assert np.all(same | near), (got[~(same | near)], expected[~(same | near)])


@pytest.mark.parametrize(("row", "dtypes"), list(cases()))
def test_arrays(row, dtypes):
    columns = points(row, dtypes)
    with np.errstate(all="ignore"):
        expected = row.meaning(*columns)
    (got,) = BACKEND.compile(program(row, dtypes, (Var(I64, "n"),)))(*columns)
    agree(row, dtypes, got, expected)


def python_or_numpy(value: np.generic):
    """Numbers as compiled code takes and gives them: Python's where Python has the dtype."""
    return value.item() if value.dtype in (np.float64, np.int64, np.bool_, np.complex128) else value


@pytest.mark.parametrize(("row", "dtypes"), list(cases()))
def test_scalars(row, dtypes):
    columns = points(row, dtypes)
    with np.errstate(all="ignore"):
        expected = row.meaning(*columns)
    compiled = BACKEND.compile(program(row, dtypes, ()))
    results = [compiled(*map(python_or_numpy, values))[0] for values in zip(*columns, strict=True)]
    assert {type(r) for r in results} == {type(python_or_numpy(expected[0]))}
    got = np.array(results)
    agree(row, dtypes, got.astype(np.asarray(expected).dtype), expected)


@pytest.mark.parametrize("of", [1, -1])
def test_portion(of):
    b = Builder()
    first = Var(Type(DType.F64, (Var(I64, "n"),)), "x")
    second = Var(first.type, "y")
    part = b.portion(b.side(first, second), of=of, dtype=DType.F64)
    x = np.array([1.0, 2.0, 3.0, np.nan])
    (got,) = BACKEND.compile(Program((first, second), b.equations, (part,)))(x, np.array([2.0, 2.0, 2.0, 2.0]))
    np.testing.assert_array_equal(got, {1: [0.0, 0.5, 1.0, 0.0], -1: [1.0, 0.5, 0.0, 0.0]}[of])
