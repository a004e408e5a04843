"""The examples run, and their derivatives are right."""

from __future__ import annotations

import math
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from adcore import certify, grad

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda p: p.stem)
def test_example_runs(path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(path)])
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out


@pytest.mark.parametrize("a", [0.25, 2.0, 9.0, 1e6])
def test_square_root(a):
    square_root = runpy.run_path(str(EXAMPLES / "square_root.py"))["square_root"]
    assert grad(square_root)(a) == pytest.approx(0.5 / math.sqrt(a), rel=1e-9)


def test_hot_rod():
    far_end = runpy.run_path(str(EXAMPLES / "hot_rod.py"))["far_end"]
    conductance = np.full(20, 0.3)
    gradient = grad(far_end)(conductance)
    for k in (0, 10, 19):
        step = np.zeros(20)
        step[k] = 1e-5
        difference = (far_end(conductance + step) - far_end(conductance - step)) / 2e-5
        assert gradient[k] == pytest.approx(difference, rel=1e-6)


def test_bodies():
    made = runpy.run_path(str(EXAMPLES / "bodies.py"))
    body, miss = made["Body"], made["miss"]

    def at(y):
        return body(np.array([1.0, 0.0]), np.array([0.0, y]), 1e-3)

    planet = body(np.zeros(2), np.zeros(2), 1.0)
    gradient = grad(miss)(at(1.0), (planet,))
    assert type(gradient) is body
    difference = (miss(at(1.0 + 1e-5), (planet,)) - miss(at(1.0 - 1e-5), (planet,))) / 2e-5
    assert gradient.velocity[1] == pytest.approx(difference, rel=1e-6)


def test_kepler():
    made = runpy.run_path(str(EXAMPLES / "kepler.py"))
    e = made["ECCENTRICITY"]
    start = np.array([1.0 - e, 0.0, 0.0, math.sqrt((1.0 + e) / (1.0 - e))])
    half, steps = made["solution"](start, math.pi)  # the semi-major axis is 1, and so a year 2 pi
    assert steps < 40
    np.testing.assert_allclose(half, [-1.0 - e, 0.0, 0.0, -math.sqrt((1.0 - e) / (1.0 + e))], atol=1e-12)
    known = made["series"](start)
    step = 1e-2
    after = made["polynomial"](start, known, step)
    back = made["polynomial"](after, made["series"](after), -step)
    np.testing.assert_allclose(back, start, atol=1e-15)


def test_contact():
    made = runpy.run_path(str(EXAMPLES / "contact.py"))
    found = made["certified"](60)
    assert found.status in ("undecided", "not differentiable")
    assert {reason.primitive for reason in found.reasons} == {"lt"}
    rng = np.random.default_rng(0)
    for _ in range(50):
        start = made["LOW"] + (made["HIGH"] - made["LOW"]) * rng.uniform(size=2)
        assert made["final_height"](start) in found.value
    middle = np.array([0.65, 0.75])
    part = certify(made["final_height"], middle - 0.01, middle + 0.01)
    assert part.status == "differentiable"
    assert grad(made["final_height"])(middle) in part.gradient
