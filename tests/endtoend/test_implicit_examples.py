"""The examples of implicit differentiation show what they are about, and draw it."""

from __future__ import annotations

import itertools
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name):
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))


def drawn(draw, path, *arguments):
    pytest.importorskip("matplotlib")
    draw(str(path / "picture.png"), *arguments)
    return (path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_errors_of_implicit_derivatives_are_those_of_the_solution(tmp_path):
    made = example("implicit_error")
    found = made["errors"]()
    weights, implicit, unrolled = found[1:].T  # slope 1 over ten decades
    assert weights[0] > 1e-3
    assert weights[-2] < 1e-11
    np.testing.assert_allclose(implicit[:-1] / weights[:-1], 0.266, rtol=0.02)
    assert np.all(unrolled > 4.0 * implicit)
    at_20 = found[made["COUNTS"].index(20)]
    assert at_20[2] > 8.0 * at_20[1]
    assert drawn(made["draw"], tmp_path, found)


def test_as_many_penalties_as_weights(tmp_path):
    made = example("penalties")
    assert made["agreement"]() < 1e-12
    signal, recording, second = made["recordings"](300)
    logarithms, start = np.full(300, -1.0), np.zeros(300)
    (value, _), exact = made["judged"]("cg")(logarithms, start, recording, second)
    (_, _), series = made["judged"](made["series"](59))(logarithms, start, recording, second)
    np.testing.assert_allclose(series, exact, atol=1e-5 * np.max(np.abs(exact)))
    for k in (0, 150, 299):
        step = np.zeros(300)
        step[k] = 1e-4
        ends = [made["misfit"](made["descent"](start, logarithms + s * step, recording), second) for s in (1.0, -1.0)]
        assert abs((ends[0] - ends[1]) / 2e-4 - exact[k]) < 1e-6 * max(1.0, abs(value))
    assert drawn(made["draw"], tmp_path, signal, logarithms)


def test_many_penalties_take_a_few_times_the_memory_of_a_fit():
    """In a process of its own, whose peak it is."""
    run = subprocess.run([sys.executable, EXAMPLES / "penalties.py"], capture_output=True, text=True, check=True)
    fitting = float(re.search(r"fitting takes ([\d.]+) MB", run.stdout)[1])
    taken = [float(found) for found in re.findall(r"up to +([\d.]+) MB", run.stdout)]
    assert len(taken) == 3
    assert max(taken) < 5.0 * max(fitting, 16.0)
    off = [float(found) for found in re.findall(r"signal off by ([\d.]+)", run.stdout)]
    assert off == sorted(off, reverse=True)


def test_distilled_digits(tmp_path):
    made = example("distillation")
    digits, answers = made["read"]()
    assert set(answers) == set(range(10))
    first = np.stack([digits[np.flatnonzero(answers == digit)[0]] for digit in range(10)])
    _, slope = made["improvement"](first, digits[:600], np.eye(10)[answers[:600]])
    step = np.zeros((10, 64))
    step[3, 20] = 0.05
    ends = [made["improvement"](first + s * step, digits[:600], np.eye(10)[answers[:600]])[0][0] for s in (1, -1)]
    assert slope[3, 20] == pytest.approx((ends[0] - ends[1]) / 0.1, rel=1e-3)
    images = made["distilled"](first, digits[:600], answers[:600], steps=60)
    assert made["accuracy"](first, digits[600:], answers[600:]) < 0.65
    assert made["accuracy"](images, digits[600:], answers[600:]) > 0.88
    assert drawn(made["draw"], tmp_path, first, images)


def test_a_support_vector_machine_by_its_condition_and_through_its_steps(tmp_path):
    made = example("bilevel")
    start = made["START"]
    assert made["descent"](start, 4.0, 50).sum(axis=1) == pytest.approx(1.0)
    found = made["compared"](counts=(200, 400, 1600))
    assert np.all(found[:2, 0] < 0.1 * found[:2, 1])
    assert np.all(found[2, :2] < 1e-12)
    loss = made["judged"](made["descent"])
    difference = (loss(4.0 + 1e-5, start, 2000) - loss(4.0 - 1e-5, start, 2000)) / 2e-5
    assert made["implicit"](4.0, start, 2000) == pytest.approx(difference, rel=1e-6)
    assert drawn(made["draw"], tmp_path, np.ones((len(made["COUNTS"]), 4)))


def test_packings_move_as_their_condition_says(tmp_path):
    """The way of the dynamics, which is chaotic, is another one on another processor, and so is the packing."""
    made = example("packing")
    places, motion = made["by_condition"](made["start"](), made["MOST"])
    assert np.max(np.abs(made["slope"](places, made["DIAMETER"]))) < 1e-12
    expected = made["difference"](places)
    size = np.linalg.norm(expected)
    assert np.linalg.norm(motion - expected) < 1e-4 * size
    _, of_steps = made["by_steps"](made["start"](), 400)
    assert not np.linalg.norm(of_steps - expected) < 10.0 * size
    assert drawn(made["draw"], tmp_path, places, motion)


@pytest.mark.parametrize(("kappa", "expected"), [(1e-1, 0.0506), (1e-2, 0.0430), (1e-4, 0.0078), (1e-6, 0.0001)])
def test_stiction_on_the_central_path(kappa, expected):
    made = example("stiction")
    assert made["slope"](4.9, kappa) == pytest.approx(expected, abs=5e-5)
    ends = [made["velocity"](4.9 + s * 1e-5, kappa) for s in (1.0, -1.0)]
    assert made["slope"](4.9, kappa) == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5)


def test_stiction_is_drawn(tmp_path):
    assert drawn(example("stiction")["draw"], tmp_path)


def test_the_error_of_the_adjoint_falls_with_the_tolerance(tmp_path):
    made = example("neural_ode")
    weights = made["drawn"]()
    errors = made["errors"](*weights)
    assert errors[1] < 1e-3
    assert all(later < 0.1 * earlier for earlier, later in itertools.pairwise(errors[1:]))
    *fitted, losses = made["fitted"](60)
    assert losses[-1] < 0.8 * losses[0]
    assert drawn(made["draw"], tmp_path, *fitted, losses, errors)
