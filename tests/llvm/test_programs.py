"""Compiled programs against the reference meaning: random programs, derivatives of them, memory, failures."""

from __future__ import annotations

import numpy as np
import pytest
from adcore_llvm import LLVMBackend
from adcore_llvm.engine import NAME
from adcore_numpy import interpret

from adcore.builder import Builder
from adcore.derive import pull, push
from adcore.program import Program
from adcore.types import F64, I64, DType, Type, Var
from proofs.random_programs import random_arguments, random_program

BACKEND = LLVMBackend()


def agree(program: Program, arguments: tuple) -> None:
    compiled = BACKEND.compile(program)
    with np.errstate(all="ignore"):
        expected = interpret(program, arguments)
    for _ in range(2):  # a second run sees what the first left in memory
        for ours, theirs in zip(compiled(*arguments), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("seed", range(80))
def test_random_programs(seed):
    agree(random_program(seed), random_arguments(seed))


@pytest.mark.parametrize("seed", range(25))
def test_derivatives_of_random_programs(seed):
    program = random_program(seed)
    arguments = random_arguments(seed)
    rng = np.random.default_rng(seed)
    tangents = (rng.normal(size=4), rng.normal(size=4), float(rng.normal()))
    agree(push(program, (0, 1, 2)), (*arguments, *tangents))
    cotangents = tuple(
        rng.normal(size=4) if r.type.shape else float(rng.normal())
        for r in program.results
        if r.type.dtype.differentiable
    )
    agree(pull(program, (0, 1, 2)), (*arguments, *cotangents))


def matrix(name: str, *lengths: Var) -> Var:
    return Var(Type(DType.F64, lengths), name)


@pytest.mark.parametrize("flips", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize(
    "shape", [(3, 4, 5), (1, 4, 5), (3, 1, 5), (3, 4, 1), (0, 4, 5), (3, 0, 5), (2, 2, 2), (40, 50, 30)]
)
def test_matrix_products(shape, flips):
    """In every order of memory, with lengths 0 and 1 as run-time values."""
    n, k, m = (Var(I64, name) for name in "nkm")
    a = matrix("a", *((k, n) if flips[0] else (n, k)))
    c = matrix("c", *((m, k) if flips[1] else (k, m)))
    b = Builder()
    left = b.permute(a, order=(1, 0)) if flips[0] else a
    right = b.permute(c, order=(1, 0)) if flips[1] else c
    program = Program((a, c), b.equations, (b.matmul(left, right),))
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(shape[0], shape[1])), rng.normal(size=(shape[1], shape[2]))
    agree(program, (np.ascontiguousarray(x.T if flips[0] else x), np.ascontiguousarray(y.T if flips[1] else y)))


@pytest.mark.parametrize("flips", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize(
    "shape", [(2, 3, 4, 5), (3, 40, 50, 30), (0, 3, 4, 5), (2, 0, 4, 5), (2, 3, 0, 5), (1, 2, 1, 1)]
)
def test_products_of_arrays_of_matrices(shape, flips):
    lengths = dict(zip("bnkm", shape, strict=True))
    names = {letter: Var(I64, letter) for letter in lengths}
    b, params, factors, arguments = Builder(), [], [], []
    rng = np.random.default_rng(0)
    for axes, flip in zip(("bnk", "bkm"), flips, strict=True):
        axes = axes[0] + axes[:0:-1] if flip else axes
        params.append(matrix(axes, *(names[letter] for letter in axes)))
        factors.append(b.permute(params[-1], order=(0, 2, 1)) if flip else params[-1])
        arguments.append(rng.normal(size=[lengths[letter] for letter in axes]))
    agree(Program(tuple(params), b.equations, (b.matmul(*factors),)), tuple(arguments))


@pytest.mark.parametrize("size", [5, 40])
@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("step", [-1, 0, 2])
def test_products_of_lines_in_any_place(step, flip, size):
    """Rows or columns that run backwards or are one and the same, which BLAS cannot read, and those it can."""
    n, b = Var(I64, "n"), Builder()
    a, c = matrix("a", n, n), matrix("c", n, n)
    if step == 0:
        lines = b.expand(b.view(a, 1, codes="i:"), n, axes=(0,))
    else:
        count = b.floordiv(b.add(n, abs(step) - 1), abs(step))
        lines = b.view(a, b.sub(n, 1) if step < 0 else 0, count, step, codes="s:")
    product = b.matmul(c, b.permute(lines, order=(1, 0))) if flip else b.matmul(lines, c)
    rng = np.random.default_rng(0)
    agree(Program((a, c), b.equations, (product,)), (rng.normal(size=(size, size)), rng.normal(size=(size, size))))


def test_lengths_of_parameters_must_agree():
    n = Var(I64, "n")
    x, y = matrix("x", n), matrix("y", n)
    b = Builder()
    compiled = BACKEND.compile(Program((x, y), b.equations, (b.add(x, y),)))
    with pytest.raises(ValueError, match="axis 0 of y has length 2, expected 3"):
        compiled(np.ones(3), np.ones(2))


def test_too_much_memory_is_an_error():
    n = Var(I64, "n")
    b = Builder()
    big = b.update(b.expand(0.0, n, n, axes=(0, 1)), 1.0, 0, 0, codes="ii")
    compiled = BACKEND.compile(Program((n,), b.equations, (big,)))
    for length in (1 << 40, 1 << 33, -1):
        with pytest.raises(MemoryError):
            compiled(length)
    assert compiled(2)[0].tolist() == [[1.0, 0.0], [0.0, 0.0]]


def test_other_arguments_are_refused():
    x = Var(F64, "x")
    compiled = BACKEND.compile(Program((x,), [], (x,)))
    for arguments in ((), (1,), (1.0, 2.0), ("x",), (np.float64(1.0),)):
        with pytest.raises(TypeError):
            compiled(*arguments)


def test_a_write_goes_in_place_only_where_the_old_value_is_dead():
    n = Var(I64, "n")
    x = matrix("x", n)
    b = Builder()
    y = b.mul(x, 2.0)
    z = b.update(y, 7.0, 0, codes="i")
    assert "memcpy" not in BACKEND.assembly(Program((x,), b.equations, (z,)))
    both = Program((x,), b.equations, (y, z))
    assert "memcpy" in BACKEND.assembly(both)
    agree(both, (np.arange(3.0),))


def test_a_chain_and_its_sum_are_one_loop():
    n = Var(I64, "n")
    x = matrix("x", n)
    b = Builder()
    y = b.mul(b.sin(x), b.exp(b.neg(b.mul(x, x))))
    text = BACKEND.assembly(Program((x,), b.equations, (y, b.total(y, axes=(0,)), b.reduce_max(y, axes=(0,)))))
    kernel = text[text.index("@kernel") : text.index(f"@{NAME}(")]
    assert kernel.count("!llvm.loop ") == 2  # one loop for short arrays, one for long ones
