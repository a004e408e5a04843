"""The examples of kinks show what they are about, and draw it."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def example(name):
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))


def test_a_map_of_kinks(tmp_path):
    made = example("kink_map")
    grid = np.array([[x, y] for x in (-0.5, 0.5, 1.0) for y in (0.0, 0.28, 0.5)])
    counts = made["statuses"](made["loss"], grid)
    assert counts["incorrect"] == counts["unknown"] == 0
    assert counts["clarke"] > 0
    far, values = made["distances"](made["epidemic"], np.linspace(0.4, 0.46, 12), np.linspace(0.09, 0.13, 3))
    assert far.shape == values.shape == (3, 12)
    assert np.all(far >= 0.0)
    pytest.importorskip("matplotlib")
    made["draw"](str(tmp_path / "map.png"), 8)
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def test_subgradient_descent_misleads_on_a_lasso(tmp_path):
    made = example("lasso")
    sizes = [np.sum(np.abs(made["descent"](penalty))) for penalty in (5.0, 10.0, 50.0)]
    assert sizes == sorted(sizes)
    assert sizes[2] > 10.0 * sizes[0]
    for penalty in (5.0, 10.0, 50.0):
        assert np.all(made["proximal"](penalty) == 0.0)
    found, best = made["explained"](50.0)
    assert found.status == "differentiable"
    assert found.nearest[0].distance < 0.01 * 50.0
    assert (best.status, best.stationary) == ("clarke", True)
    assert not found.stationary
    pytest.importorskip("matplotlib")
    made["draw"](str(tmp_path / "lasso.png"))
