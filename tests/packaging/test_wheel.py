"""The wheel holds what it should and nothing else, and works on its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
TOP_LEVEL = {"adcore", "adcore_python", "adcore_numpy", "adcore_llvm", "adcore_numba"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel):
    with ZipFile(wheel) as archive:
        return archive.namelist()


def test_top_level_names_are_the_allowed_ones(names):
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == TOP_LEVEL
    assert len(top) == len(TOP_LEVEL) + 1


def test_each_package_is_typed(names):
    assert {name.split("/")[0] for name in names if name.endswith("/py.typed")} == TOP_LEVEL


def test_data_and_licence_are_inside(names):
    assert "adcore/demo/boarding_school_1978.csv" in names
    assert "adcore_python/coverage.json" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_nothing_but_sources_and_data_is_inside(names):
    kept = {".py", ".typed", ".csv", ".json"}
    strays = [n for n in names if ".dist-info/" not in n and Path(n).suffix not in kept]
    assert strays == []


def test_unpacked_wheel_runs_outside_the_repository(wheel, tmp_path):
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    program = "import adcore, adcore.cli; print(adcore.__file__); adcore.cli.main(['ops', '--primitives', '--json'])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    file, _, operations = done.stdout.partition("\n")
    assert Path(file).is_relative_to(tmp_path)
    assert {"sin", "loop", "matmul"} <= {row["name"] for row in json.loads(operations)}


@pytest.mark.parametrize("name", sorted(TOP_LEVEL))
def test_any_package_may_be_imported_first(name, tmp_path):
    environment = {**os.environ, "ADCORE_CACHE": "1", "ADCORE_CACHE_DIR": str(tmp_path)}
    program = f"import {name}, adcore; print(adcore.jit(abs)(-2.0))"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("2.0\n", "")
