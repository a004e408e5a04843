"""Tests of `device="cuda"`: on the simulated device, or on a real one where ADCORE_TEST_CUDA=1 says so."""

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent / "endtoend"))  # for the table of functions


@pytest.fixture(autouse=True)
def _device(monkeypatch: pytest.MonkeyPatch) -> None:
    if os.environ.get("ADCORE_TEST_CUDA", "0") != "1":
        monkeypatch.setenv("ADCORE_CUDA_SIMULATOR", "1")
