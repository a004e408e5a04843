"""The layer over NVIDIA's package cuda-bindings, against a driver in C that works with the host's memory."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("the driver in C needs a C compiler, on Linux")
    if importlib.util.find_spec("cuda") is None or importlib.util.find_spec("cuda.bindings") is None:
        pytest.skip("the package cuda-bindings is not installed")
    folder = tmp_path_factory.mktemp("driver")
    source = HERE / "driver_of_the_host.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(folder / "libcuda.so.1"), str(source), "-ldl"], check=True)
    return folder


def test_programs_run_through_the_driver(library):
    folders = [str(HERE), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": str(library),
        "PYTHONPATH": os.pathsep.join(folders),
        "ADCORE_CUDA_SIMULATOR": "0",
    }
    command = [sys.executable, str(HERE / "through_the_driver.py")]
    found = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert found.returncode == 0, found.stderr
    assert found.stdout == "as on the host\n"
