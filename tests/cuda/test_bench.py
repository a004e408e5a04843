"""The benchmark runs, with sizes that say nothing."""

import json

from bench import cuda


def test_all_cases(capsys, monkeypatch):
    monkeypatch.setattr(cuda.importlib.util, "find_spec", lambda name: None)
    assert cuda.main(["--tiny", "--rounds", "1"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()[1:]]
    assert [r["case"] for r in rows if r["by"] == "adcore"] == [case.name for case in cuda.workloads(tiny=True)]
