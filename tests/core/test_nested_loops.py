"""The work of the passes on loops within loops grows with their depth as a polynomial, not exponentially."""

from __future__ import annotations

from adcore import derive
from adcore.builder import Builder
from adcore.derive import linearize
from adcore.passes import dce
from adcore.passes.dce import eliminate_dead
from adcore.program import Program, defined
from adcore.types import F64, I64, Var, literal
from adcore.verify import verify


def nested(depth):
    """Loops within loops, of three carries each: y depends on z, z on x and w on itself; only the last y is read."""
    x, b = Var(F64, "x"), Builder()
    y, _, _ = _loops(b, depth, x, (literal(0.0), literal(0.0), literal(0.0)))
    return Program((x,), b.equations, (y,), "nested")


def _loops(b, depth, x, inits):
    if depth == 0:
        y, z, w = inits
        return b.add(y, b.sin(z)), b.mul(b.add(z, x), x), b.cos(w)
    region = b.region()
    params = Var(I64, "i"), Var(F64, "y"), Var(F64, "z"), Var(F64, "w")
    results = _loops(region, depth - 1, x, params[1:])
    return b.loop(literal(2), inits, region.program(params, results))


def calls(monkeypatch, module, name, work):
    """How often the work calls the function."""
    function, count = getattr(module, name), 0

    def counted(*arguments):
        nonlocal count
        count += 1
        return function(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(module, name, counted)
        work()
    return count


def test_dead_carries_of_nested_loops_are_found_in_polynomial_time(monkeypatch):
    program = nested(12)
    count = calls(monkeypatch, dce, "_needs", lambda: eliminate_dead(program))
    assert count < 2 * 12 * 12
    verify(program)
    loop = program.equations[0]
    while loop.primitive.name == "loop":
        assert [v.name for v in loop.params["body"].params] == ["i", "y", "z"]
        loop = loop.params["body"].equations[0]


def test_what_is_active_in_nested_loops_is_found_in_polynomial_time(monkeypatch):
    program = nested(12)
    active = {program.params[0]}
    count = calls(monkeypatch, derive, "linearize", lambda: linearize(program.equations, active))
    assert count < 2 * 12 * 12
    body = program.equations[0].params["body"]
    assert [v.name for v in body.params if v in active] == ["y", "z"]
    assert len(active & defined(body)) > 2
