"""The compiled `argsort` row against NumPy's stable sort: lengths on both sides of each method, ties, nan, zeros."""

from __future__ import annotations

import numpy as np
import pytest
from adcore_llvm import LLVMBackend
from adcore_llvm.sorting import FEW

from adcore.builder import Builder
from adcore.program import Program
from adcore.types import I64, DType, Type, Var

RNG = np.random.default_rng(11)
LENGTHS = (0, 1, 2, 3, FEW - 1, FEW, FEW + 1, 257, 5000)
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, -np.nan, 5e-324, -5e-324, 1e308, -1e308, 2.5])


def sorter(dtype: DType, rank: int):
    lengths = tuple(Var(I64, f"n{k}") for k in range(rank))
    x = Var(Type(dtype, lengths), "x")
    b = Builder()
    return LLVMBackend().compile(Program((x,), b.equations, (b.argsort(x),)))


COMPILED = {(dtype, rank): sorter(dtype, rank) for dtype in DType if not dtype.complex for rank in (1, 2)}
DRAWN = {
    "few different": lambda n: RNG.integers(-3, 3, n).astype(float),
    "normal": lambda n: RNG.normal(size=n) * 10.0 ** RNG.integers(-300, 300, n),
    "special": lambda n: RNG.choice(SPECIAL, n),
    "ascending": lambda n: np.arange(n, dtype=float),
    "descending": lambda n: -np.arange(n, dtype=float),
    "integers": lambda n: RNG.integers(-(2**63), 2**63 - 1, n, dtype=np.int64),
    "small integers": lambda n: RNG.integers(-5, 300, n),
    "extreme": lambda n: RNG.choice(np.array([-(2**63), 2**63 - 1, 0, -1, 1, 255, 256], np.int64), n),
    "single precision": lambda n: RNG.choice(np.clip(SPECIAL, -1e38, 1e38).astype(np.float32), n),
    **{name: lambda n, name=name: RNG.integers(0, 256, n).astype(name) for name in ("int8", "int16", "int32")},
    **{name: lambda n, name=name: RNG.integers(-9, 256, n).astype(name) for name in ("uint8", "uint32", "uint64")},
    "booleans": lambda n: RNG.integers(0, 2, n).astype(bool),
}


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("drawn", DRAWN)
def test_vectors(drawn, n):
    x = DRAWN[drawn](n)
    (found,) = COMPILED[DType(x.dtype.name), 1](x)
    np.testing.assert_array_equal(found, np.argsort(x, kind="stable"))


@pytest.mark.parametrize("shape", [(3, 70), (70, 3), (0, 5), (5, 0), (1, 9)])
@pytest.mark.parametrize("drawn", DRAWN)
def test_rows(drawn, shape):
    x = DRAWN[drawn](shape[0] * shape[1]).reshape(shape)
    (found,) = COMPILED[DType(x.dtype.name), 2](x)
    np.testing.assert_array_equal(found, np.argsort(x, axis=-1, kind="stable"))


def test_columns_of_strided_memory():
    """The row reads its operand where it is: here transposed."""
    n, m = Var(I64, "n"), Var(I64, "m")
    x = Var(Type(DType.F64, (n, m)), "x")
    b = Builder()
    transposed = b.permute(x, order=(1, 0))
    run = LLVMBackend().compile(Program((x,), b.equations, (b.argsort(transposed),)))
    values = RNG.normal(size=(60, 4))
    np.testing.assert_array_equal(run(values)[0], np.argsort(values.T, axis=-1, kind="stable"))
