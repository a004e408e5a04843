"""Random programs over matrices: printed and parsed, compiled bit for bit, pushed forward and pulled back."""

from __future__ import annotations

import numpy as np
from adcore_llvm import LLVMBackend
from adcore_numpy import interpret
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from adcore.derive import pull, push
from adcore.program import Program
from adcore.text import from_text, to_text
from adcore.verify import verify
from proofs.matrix_programs import COLUMNS, arguments, matrix_program
from proofs.random_programs import LENGTH

BACKEND = LLVMBackend()
PROGRAMS = st.randoms(use_true_random=False)
SEEDS = st.integers(0, 2**32 - 1)
QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def same_bits(program: Program, given: tuple) -> None:
    compiled = BACKEND.compile(program)
    with np.errstate(all="ignore"):
        expected = interpret(program, given)
    for _ in range(2):  # a second run sees what the first left in memory
        for ours, theirs in zip(compiled(*given), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def tangents(seed: int) -> tuple:
    rng = np.random.default_rng(seed)
    return rng.normal(size=LENGTH), rng.normal(size=(LENGTH, COLUMNS)), float(rng.normal())


@QUICK
@given(PROGRAMS, SEEDS)
def test_text(choices, seed):
    program = matrix_program(choices)
    verify(program)
    text = to_text(program)
    again = from_text(text)
    verify(again)
    assert to_text(again) == text
    for ours, theirs in zip(interpret(again, arguments(seed)), interpret(program, arguments(seed)), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@QUICK
@given(PROGRAMS, SEEDS)
def test_compiled_bit_for_bit(choices, seed):
    program = matrix_program(choices)
    note(to_text(program))
    same_bits(program, arguments(seed))


@settings(QUICK, max_examples=20)
@given(PROGRAMS, SEEDS)
def test_pushforward_bit_for_bit(choices, seed):
    """The tangents are made of products and sums of two, too."""
    program = push(matrix_program(choices), (0, 1, 2))
    note(to_text(program))
    verify(program)
    same_bits(program, (*arguments(seed), *tangents(seed)))


@settings(QUICK, max_examples=20)
@given(PROGRAMS, SEEDS)
def test_reverse_is_forward(choices, seed):
    """<J u, w> = <u, J' w>, with both programs verified and the reverse one compiled."""
    program = matrix_program(choices)
    note(to_text(program))
    forward, reverse = push(program, (0, 1, 2)), pull(program, (0, 1, 2))
    verify(forward)
    verify(reverse)
    rng = np.random.default_rng(seed)
    u = tangents(seed)
    count = len(program.results)
    along = interpret(forward, (*arguments(seed), *u))[count:]
    w = tuple(np.asarray(rng.normal(size=np.shape(t)))[()] for t in along)
    w = tuple(v if np.ndim(v) else float(v) for v in w)
    back = interpret(reverse, (*arguments(seed), *w))[count:]
    size = 1.0 + sum(float(np.sum(np.abs(t * v))) for t, v in zip(along, w, strict=True))
    assume(np.isfinite(size) and size < 1e12)
    one = sum(float(np.sum(t * v)) for t, v in zip(along, w, strict=True))
    other = sum(float(np.sum(t * v)) for t, v in zip(u, back, strict=True))
    scale = size + sum(float(np.sum(np.abs(t * v))) for t, v in zip(u, back, strict=True))
    assert abs(one - other) <= 1e-11 * scale
    for ours, theirs in zip(BACKEND.compile(reverse)(*arguments(seed), *w)[count:], back, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-11 * scale)
