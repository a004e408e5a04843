"""The command line: what it prints, and the exit status it gives."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from adcore import cli
from adcore.plugins import frontend
from adcore.primitives import TABLE


def test_ops_lists_what_can_be_called(capsys):
    assert cli.main(["ops", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert len(rows) >= 400
    assert rows["math.sin"] == {
        "name": "math.sin",
        "call": "math.sin(x)",
        "dtypes": ["float64", "float32", "int64", "bool"],
        "order": "any",
    }
    assert rows["numpy.argsort"]["order"] == "none (integers)"
    assert rows["scipy.special.jv"]["order"] == "0 in x, any in v"


def test_ops_has_one_line_a_callable(capsys):
    assert cli.main(["ops"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "dtypes", "order"]
    assert len(lines) == 1 + len(frontend().callables())
    assert lines[1].split() == ["abs", "float64", "float32", "complex128", "complex64", "int64", "bool", "any"]


def test_ops_lists_the_whole_table_of_primitives(capsys):
    assert cli.main(["ops", "--primitives", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == {p.name for p in TABLE}
    assert rows["abs"] == {
        "name": "abs",
        "kind": "elementwise",
        "derivative": "linear map",
        "symbol": "Abs(x)",
        "kinks": "x = 0",
    }
    assert rows["floor"]["derivative"] == "none"
    assert rows["loop"]["derivative"] == "structural"


def test_primitives_as_a_table_have_one_line_a_primitive(capsys):
    assert cli.main(["ops", "--primitives"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "kind", "derivative", "symbol", "kinks"]
    assert len(lines) == 1 + len(list(TABLE))


def test_doctor_finds_the_plugins(capsys):
    assert cli.main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {p["name"] for p in found["frontends"]} >= {"python"}
    assert {p["name"] for p in found["backends"]} >= {"llvm", "numpy"}
    assert found["packages"]["numpy"]


def test_doctor_for_a_reader(capsys):
    assert cli.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "Processor" in out
    assert "libmvec.so.1" in out


def test_doctor_fails_where_a_plugin_does_not_load(capsys, monkeypatch):
    found = cli.doctor.examine()
    found["backends"].append({"name": "broken", "object": "nowhere:Nothing", "problem": "ImportError: nowhere"})
    monkeypatch.setattr(cli.doctor, "examine", lambda: found)
    assert cli.main(["doctor"]) == 1
    assert "ImportError: nowhere" in capsys.readouterr().out


def test_demo_names_the_extra_that_is_missing(capsys, monkeypatch):
    monkeypatch.setattr(cli, "find_spec", lambda name: None if name == "rich" else object())
    assert cli.main(["demo"]) == 1
    assert capsys.readouterr().err == "adcore: the demo needs rich: pip install 'adcore[demo]'\n"


@pytest.mark.parametrize(
    ("output", "reason"), [("fit.xyz", "its ending is none of"), ("nowhere/fit.png", "there is no directory 'nowhere'")]
)
def test_demo_refuses_an_output_before_it_works(capsys, monkeypatch, tmp_path, output, reason):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["demo", "--output", output]) == 2
    captured = capsys.readouterr()
    assert reason in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("arguments", ["", "bake", "demo --steps-per-day 0", "demo --steps-per-day x"])
def test_misuse_exits_with_2(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments.split())
    assert stopped.value.code == 2
    assert "usage: adcore" in capsys.readouterr().err


def test_module_runs_as_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "adcore", "--version"], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith("adcore ")


def test_a_reader_that_goes_away_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "adcore", "ops"], check=False, stdout=writer, stderr=subprocess.PIPE, timeout=60
    )
    os.close(writer)
    assert done.stderr == b""
