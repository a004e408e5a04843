"""Compiled code writes where it may: with guards around all arrays, NumPy's included."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITH_GUARDS = os.environ | {"ADCORE_GUARD_MEMORY": "1", "ADCORE_CACHE": "0"}

WRITES = """\
import ctypes
import numpy as np
from adcore import jit

def twice(x):
    return 2.0 * x

made = jit(twice)(np.ones({length}))
assert not np.isnan(made).any()
(ctypes.c_double * 1).from_address(made.ctypes.data + {offset})[0] = 1.0
print("written", flush=True)
del made
print("freed", flush=True)
"""


@pytest.mark.parametrize(
    ("length", "offset", "ends"),
    [(3, 24, True), (3, -16, True), (8, 64, True), (5000, 40000, True), (3, 16, False), (8, 0, False)],
)
def test_a_write_before_or_behind_an_array_is_told(tmp_path, length, offset, ends):
    program = tmp_path / "writes.py"
    program.write_text(WRITES.format(length=length, offset=offset))
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, env=WITH_GUARDS, timeout=300)
    if ends:
        assert done.returncode == -signal.SIGABRT
        assert done.stdout == "written\n"
        assert f"written before or behind a block of {8 * length} bytes" in done.stderr
    else:
        assert (done.returncode, done.stdout) == (0, "written\nfreed\n")


@pytest.mark.parametrize(
    "tests", ["tests/llvm/test_in_place.py", "tests/llvm/test_growth.py", "tests/frontend/test_random_objects.py"]
)
def test_tests_pass_with_guards(tests):
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "tests.guarding", "-p", "no:cacheprovider", tests]
    done = subprocess.run(command, capture_output=True, text=True, env=WITH_GUARDS, timeout=600, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
