"""The hunt for wrong gradients: its programs, its verdicts, its command."""

from __future__ import annotations

from random import Random

import pytest

from adcore import cli
from adcore.selftest import checks
from adcore.selftest.checks import compiled_from, judge
from adcore.selftest.grammar import point, program
from adcore.selftest.runner import Failure, reproducer
from adcore.selftest.shrink import shrink

HEAD = "import math\nimport numpy as np\n"
POINT = point(Random(0))


def test_the_command(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["selftest", "--programs", "5", "--seed", "1", "--jobs", "1"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("5 programs in ")
    assert first.endswith(" 0 failed")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["--programs 0", "--jobs x", "--compile 2"])
def test_misuse(text):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["selftest", *text.split()])
    assert stopped.value.code == 2


def test_a_seed_gives_the_same_program():
    assert program(Random("1/2")) == program(Random("1/2"))
    assert program(Random("1/2")) != program(Random("1/3"))


def test_programs_run():
    for k in range(200):
        f = compiled_from(program(Random(f"here/{k}")))
        a, b, x, m, n = point(Random(k))
        try:
            assert isinstance(float(f(a, b, checks.np.array(x), checks.np.array(m), n)), float)
        except (ArithmeticError, ValueError) as error:  # a number that has run away
            assert "math" in str(error) or "division" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        ("return a * b + x[0] * m[1, 2]", "right", ""),
        ("return a if a * b - b * a > -1e-17 else b", "inconclusive", "within rounding errors"),
        ("return math.sin(a * 1e15)", "inconclusive", "rounding errors hide"),
        ("return float(x[7])", "inconclusive", "raises IndexError"),
        ("return float(str(a))", "refused", "Unsupported"),
    ],
)
def test_verdicts(body, kind, reason):
    found = judge(f"{HEAD}\ndef f(a, b, x, m, n):\n    {body}\n", POINT, "seed")
    assert (found.kind, reason in found.reason) == (kind, True)


def test_a_wrong_derivative_is_found_made_short_and_written_down(monkeypatch, tmp_path):
    real = checks.push
    monkeypatch.setattr(checks, "FORWARD", 1.0)

    def faulty(program, wrt):
        pushed = real(program, wrt)
        pushed.results = (*pushed.results[:-1], pushed.results[0])
        return pushed

    monkeypatch.setattr(checks, "push", faulty)
    source = f"{HEAD}\ndef f(a, b, x, m, n):\n    for i in range(n):\n        a = a * b\n    c = a\n    return a\n"
    found = judge(source, POINT, "seed", 0.0)
    assert (found.kind, found.reason) == ("failed", "forward is the exact derivative")
    short = shrink(source, lambda text: judge(text, POINT, "seed", 0.0).reason == found.reason)
    assert "for" not in short
    assert "return a" in short
    text = reproducer(short, POINT, Failure("1/2", found))
    compile(text, "reproducer", "exec")
    assert short.strip() in text
