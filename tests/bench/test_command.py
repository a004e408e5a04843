"""`python -m bench`: every suite runs with tiny sizes, its report is whole, and comparisons find what became slower."""

from __future__ import annotations

import copy
import doctest
import json
import math
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from adcore import cli
from bench import command
from bench.cases import Case, Target, work_of
from bench.fresh import can_measure_memory
from bench.measuring import difference, leaves, measure
from bench.peers import PEERS, peer_of
from bench.suites import suites
from bench.workloads import Contender

ROOT = Path(__file__).parents[2]
OWN = {"basics", "small", "elementwise", "compile", "growth"}


def run(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "bench", *map(str, arguments)], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """What the command prints and writes, with the one peer whose packages the tests have; the C++ compiler may lack.

    The suite that makes processes for the problems of all others is run for one of them.
    """
    folder = tmp_path_factory.mktemp("bench")
    several = [name for name in suites() if name != "compile"]
    choice = ("--sizes", "tiny", "--peers", "c++")
    printed = run(*several, *choice, "--json", folder / "report.json", "--plots", folder)
    run("compile", "--only", "small: a number", *choice, "--json", folder / "compile.json")
    report = json.loads((folder / "report.json").read_text("utf-8"))
    report["suites"] += json.loads((folder / "compile.json").read_text("utf-8"))["suites"]
    return report, printed, folder


def test_every_suite_is_found_and_has_cases(measured):
    report, printed, _ = measured
    assert set(suites()) >= OWN
    assert {suite["name"] for suite in report["suites"]} == set(suites())
    for suite in report["suites"]:
        assert suite["cases"], suite["name"]
        assert suite["name"] == "compile" or f"{suite['name']}: " in printed


def test_report_says_on_what_it_was_measured(measured):
    report, printed, _ = measured
    assert report["format"] == command.FORMAT
    assert report["machine"]["processors"] >= 1
    assert report["machine"]["processor"] in printed
    assert report["versions"]["numpy"] == np.__version__
    assert report["peers"] == ["c++"]
    assert report["missing"] == ([] if shutil.which("g++") else ["c++"])


def test_every_contender_has_its_time_and_agrees(measured):
    report, _, _ = measured
    for suite in report["suites"]:
        for case in suite["cases"]:
            assert case["contenders"], case["name"]
            for name, entry in case["contenders"].items():
                where = f"{suite['name']}: {case['name']}: {name}"
                assert "error" not in entry, f"{where}: {entry['error']}"
                assert entry["seconds"] > 0.0, where
                assert entry["spread"] >= 0.0, where
                assert entry["first"] is None or entry["first"] > 0.0, where
                assert peer_of(name) in (None, "c++"), where
                assert entry.get("agrees", True), where


def test_growth_has_sizes_and_peaks_of_memory(measured):
    report, _, _ = measured
    growth = next(suite for suite in report["suites"] if suite["name"] == "growth")
    assert {case["size"] for case in growth["cases"]} == {10, 100}
    for case in growth["cases"]:
        assert ("peak" in case["contenders"]["adcore"]) == can_measure_memory()


def test_pictures_are_drawn(measured):
    _, _, folder = measured
    for name in ("bench-primal.png", "bench-growth.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_a_report_can_be_shown_again(measured, capsys):
    _, _, folder = measured
    assert command.main(["show", str(folder / "report.json")]) == 0
    assert "growth: " in capsys.readouterr().out


def test_list_names_the_suites(capsys):
    assert command.main(["--list"]) == 0
    assert {line.split()[0] for line in capsys.readouterr().out.splitlines()} >= OWN


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("nothing", "no suite 'nothing'"),
        ("small --peers fortran", "no peer 'fortran'"),
        ("small --json nowhere/report.json", "no directory 'nowhere'"),
        ("small --plots nowhere", "no directory 'nowhere'"),
        ("compare nowhere.json nowhere.json", "cannot read 'nowhere.json'"),
    ],
)
def test_misuse_is_refused_before_anything_is_measured(arguments, reason, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(arguments.split())
    assert stopped.value.code == 2
    assert reason in capsys.readouterr().err


def test_a_choice_without_cases_is_misuse(capsys):
    assert command.main(["small", "--only", "no such case", "--sizes", "tiny"]) == 2
    assert "no such case" in capsys.readouterr().err


def test_adcore_bench_is_the_same_command(capfd):
    assert cli.main(["bench", "--list"]) == 0
    assert {line.split()[0] for line in capfd.readouterr().out.splitlines()} == set(suites())


def test_adcore_bench_says_where_the_measurements_are(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(cli, "_CHECKOUT", tmp_path)
    assert cli.main(["bench"]) == 1
    assert "make bench" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["cases", "measuring", "peers", "reading", "tables"])
def test_examples(name):
    results = doctest.testmod(import_module(f"bench.{name}"))
    assert results.failed == 0


# The measurement of one case


def failing():
    raise ZeroDivisionError("nothing to divide by")


def case(**contenders):
    made = {name.replace("_", " "): lambda f=f: Contender(f) for name, f in contenders.items()}
    return Case("made up", made, targets=(Target("adcore", 1e3), Target("adcore", 1e-12), Target("adcore", 1.0, "jax")))


def test_a_contender_that_fails_is_recorded_and_the_others_are_measured():
    found = measure(case(adcore=lambda: 2.0, numba=failing), "none", "tiny", ("numba",))
    assert found["contenders"]["numba"] == {"error": "ZeroDivisionError: nothing to divide by"}
    assert found["contenders"]["adcore"]["seconds"] > 0.0


def test_results_are_compared_with_those_of_the_same_work():
    made = case(adcore=lambda: 2.0, scipy=lambda: 2.0 + 1e-6, primal=lambda: 3.0, numba=lambda: 3.1)
    found = measure(made, "none", "tiny", PEERS)["contenders"]
    assert found["scipy"]["agrees"]  # finite differences
    assert found["numba"]["differs"] == pytest.approx(0.1 / 3.0)
    assert not found["numba"]["agrees"]
    assert "differs" not in found["primal"]


def test_peers_that_are_not_chosen_are_not_made():
    made = case(adcore=lambda: 2.0, numba=failing)
    assert list(measure(made, "none", "tiny", ())["contenders"]) == ["adcore"]


def test_targets_are_met_missed_or_unknown():
    found = measure(case(adcore=lambda: 2.0), "none", "usual", ())
    assert [target["met"] for target in found["targets"]] == [True, False, None]


def test_target_of_a_quotient():
    target = Target("adcore", 0.5, over="jax", work=2.0)
    assert target.measured({"adcore": 3.0, "jax": 1.0}) == 1.5
    assert target.measured({"adcore": 3.0}) is None


@pytest.mark.parametrize(
    ("found", "expected", "apart"),
    [
        ((1.0, np.ones(3)), (1.0, np.ones(3)), 0.0),
        ({"b": 1.0, "a": 2.0}, {"a": 2.0, "b": 1.5}, 0.5 / 1.5),
        (np.ones(3), np.ones((3, 1)), math.inf),
        (np.array([1.0, np.nan]), np.ones(2), math.inf),
        ((1.0, None), (1.0,), 0.0),
        (1.0, 0.0, 1.0),
    ],
)
def test_difference_of_results(found, expected, apart):
    assert difference(list(leaves(found)), list(leaves(expected))) == pytest.approx(apart)


@pytest.mark.parametrize("name", ["adcore", "jax", "c++", "numba", "jax primal", "c++ primal", "triad"])
def test_work_is_told_by_the_name(name):
    expected = {"numba": "primal", "triad": None}.get(name, "primal" if name.endswith("primal") else "derivative")
    assert work_of(name) == expected


# Comparisons


def report(**seconds):
    """A report of one case, whose contenders' spread is a hundredth."""
    contenders = {name: {"first": None, "seconds": s, "spread": 0.01 * s, "blocks": 3} for name, s in seconds.items()}
    made = {"name": "made up", "size": None, "agree": 1e-9, "contenders": contenders, "missing": [], "targets": []}
    return {
        "format": command.FORMAT,
        "machine": {"processor": "one", "processors": 1},
        "versions": {},
        "sizes": "usual",
        "peers": [],
        "missing": [],
        "suites": [{"name": "none", "about": "", "cases": [made]}],
    }


@pytest.fixture
def compared(tmp_path, capsys):
    def compared(old, new, *options):
        for name, content in (("old", old), ("new", new)):
            (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
        status = command.main(["compare", str(tmp_path / "old"), str(tmp_path / "new"), *options])
        captured = capsys.readouterr()
        return status, captured.out + captured.err

    return compared


@pytest.mark.parametrize(
    ("after", "options", "status"),
    [
        (1.0, (), 0),
        (0.5, (), 0),
        (1.12, (), 0),  # within the threshold and both spreads
        (1.2, (), 1),
        (1.2, ("--threshold", "1.5"), 0),
        (1.12, ("--threshold", "1.05"), 1),
    ],
)
def test_what_became_slower_is_found(compared, after, options, status):
    found, out = compared(report(adcore=1.0), report(adcore=after), *options)
    assert found == status
    assert f"{after:.3f}" in out
    assert ("slower" in out) == bool(status)


def test_a_wide_spread_hides_what_may_be_chance(compared):
    new = report(adcore=1.2)
    new["suites"][0]["cases"][0]["contenders"]["adcore"]["spread"] = 0.5
    assert compared(report(adcore=1.0), new)[0] == 0


def test_a_slower_peer_is_told_and_no_failure(compared):
    status, out = compared(report(adcore=1.0, jax=1.0), report(adcore=1.0, jax=2.0))
    assert status == 0
    assert "peers: 2.000" in out


@pytest.mark.parametrize("fault", [{"error": "ValueError: no"}, {"differs": 0.5, "agrees": False}])
def test_what_became_wrong_is_found(compared, fault):
    old, new = report(adcore=1.0, primal=1.0), report(adcore=1.0, primal=1.0)
    contenders = new["suites"][0]["cases"][0]["contenders"]
    contenders["adcore"] = fault if "error" in fault else contenders["adcore"] | fault
    status, out = compared(old, new)
    assert status == 1
    assert fault.get("error", "differs from the others") in out
    assert compared(new, copy.deepcopy(new))[0] == 0  # it was so before


def test_different_machines_are_compared_only_where_that_is_asked(compared):
    new = report(adcore=1.0)
    new["machine"]["processor"] = "another"
    status, out = compared(report(adcore=1.0), new)
    assert status == 2
    assert "different machines" in out
    assert compared(report(adcore=1.0), new, "--across-machines")[0] == 0


def test_different_sizes_and_different_cases_are_not_compared(compared):
    new = report(adcore=1.0) | {"sizes": "tiny"}
    assert compared(report(adcore=1.0), new)[0] == 2
    assert compared(report(adcore=1.0), report(primal=1.0))[0] == 2


def test_reports_of_another_format_are_refused(compared, capsys):
    with pytest.raises(SystemExit):
        compared(report(adcore=1.0) | {"format": 0}, report(adcore=1.0))
    assert "measure again" in capsys.readouterr().err
