"""Printed loops under Numba: every row, random programs, errors, and modules on disk."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numba
import numpy as np
import pytest
from adcore_numba import NumbaBackend
from adcore_numba.row_kernels import called
from adcore_numpy import interpret
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import adcore
from adcore import grad, hessian, value_and_grad, vmap
from adcore.arguments import any_lengths
from adcore.derive import pull
from adcore.errors import MissingRuleError
from adcore.laws import cases
from adcore.plugins import backend
from adcore.primitives import TABLE, Kind
from adcore.program import Program, clone
from adcore.python_source import to_python
from adcore.text import from_text
from adcore.types import DType
from proofs.random_programs import random_arguments, random_program
from tests.core.test_copies_in_source import Writing
from tests.endtoend import generated

from . import printed_functions as functions

BACKEND = NumbaBackend()
SHORT = (DType.F32, DType.C64)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of its own."""
    monkeypatch.setenv("ADCORE_CACHE", "1")
    monkeypatch.setenv("ADCORE_CACHE_DIR", str(tmp_path))


def joined(programs):
    """One program that computes what all do: Numba takes much longer for many functions than for a long one."""
    copies = [clone(p) for p in programs]
    params = tuple(v for p in copies for v in p.params)
    return Program(
        params, [e for p in copies for e in p.equations], tuple(r for p in copies for r in p.results), "rows"
    )


def assert_close(got, wanted, dtype):
    short = dtype in SHORT
    np.testing.assert_allclose(got, wanted, rtol=1e-5 if short else 1e-10, atol=1e-5 if short else 1e-11)
    assert np.asarray(got).dtype == dtype.numpy


def scalar_cases(kinds):
    """A point of each row for each combination of dtypes."""
    for primitive in TABLE:
        seen = set()
        for case in cases(primitive, seeds=(0,)) if primitive.kind in kinds else ():
            types = tuple(p.type.dtype for p in case.equation.operands)
            if not any(p.type.shape for p in case.equation.operands) and types not in seen:
                seen.add(types)
                yield case


ELEMENTWISE = list(scalar_cases((Kind.ELEMENTWISE,)))
CHUNK = 90  # results: more than one function takes longer
# What `solve` gives goes by the factors beside the matrix, which the examples draw: TEXTS has it with its own.
ARRAYS = [p for p in TABLE if p.kind in (Kind.FACTORIZATION, Kind.SOLVE, Kind.ORDER, Kind.FOURIER) if p.name != "solve"]


@pytest.mark.parametrize("start", range(0, len(ELEMENTWISE), CHUNK))
def test_elementwise_rows(start):
    chosen = ELEMENTWISE[start : start + CHUNK]
    programs = [case.program(*case.equation.outs) for case in chosen]
    program = joined(programs)
    point = [x for case in chosen for x in case.point]
    found = BACKEND.compile(program)(*point)
    for result, got, wanted in zip(program.results, found, interpret(program, point), strict=True):
        assert_close(got, wanted, result.type.dtype)


@pytest.mark.parametrize("primitive", ARRAYS, ids=lambda p: p.name)
def test_rows_of_arrays(primitive):
    case = next(iter(cases(primitive, seeds=(0,))))
    program = case.program(*case.equation.outs)
    for got, wanted, result in zip(
        BACKEND.compile(program)(*case.point), interpret(program, case.point), program.results, strict=True
    ):
        assert_close(got, wanted, result.type.dtype)


@pytest.mark.parametrize("kind", [Kind.REDUCTION, Kind.GATHER, Kind.WRITE, Kind.VIEW, Kind.CONTRACTION])
def test_rows_of_structure(kind):
    """The first example of each row, all in one function."""
    chosen = [next(iter(cases(p, seeds=(0,)))) for p in TABLE if p.kind is kind and p.name != "empty"]
    program = joined([case.program(*case.equation.outs) for case in chosen])
    point = [x for case in chosen for x in case.point]
    for result, got, wanted in zip(
        program.results, BACKEND.compile(program)(*point), interpret(program, point), strict=True
    ):
        assert_close(got, wanted, result.type.dtype)


@pytest.mark.parametrize("start", range(0, 8, 4))
def test_gradients_of_random_programs(start):
    seeds = range(start, start + 4)
    program = joined([pull(random_program(seed), (0, 1, 2)) for seed in seeds])
    point = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        params = pull(random_program(seed), (0, 1, 2)).params[4:]
        point += [*random_arguments(seed), *(rng.uniform(-1, 1, (4,) * p.type.rank)[()] for p in params)]
    for got, wanted in zip(BACKEND.compile(program)(*point), interpret(program, point), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)


def test_random_writes():
    """What may be written in place is known to the printer, and shows as little in machine code as in Python."""
    program = joined([Writing(seed).program() for seed in range(4)])
    point = [np.random.default_rng(k).uniform(-1, 1, 3) for k in range(len(program.params))]
    given = [x.copy() for x in point]
    found = BACKEND.compile(program)(*given)
    for got, wanted in zip(found, interpret(program, point), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-12)
    np.testing.assert_array_equal(given, point)


POINTS = st.tuples(
    st.floats(-1.0, 1.0),
    st.floats(-1.0, 1.0),
    st.lists(st.floats(-1.0, 1.0), min_size=4, max_size=4).map(np.array),
    st.integers(0, 3),
)


@given(generated.functions(), POINTS)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_gradients_of_random_source_under_plain_python(source, point):
    function = generated.compiled_from(source)
    program = adcore.program(value_and_grad(function, argnums=(0, 1, 2)), *point)
    names = {}
    printed = to_python(program, "loops")
    exec(printed, names)
    (name,) = re.findall(r"^def (\w+)", printed, re.MULTILINE)
    with np.errstate(all="ignore"):
        found = names[name](*point)
    for got, wanted in zip(found, interpret(program, point), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-11, atol=1e-12)


X = np.linspace(0.2, 1.0, 6)
A = np.linspace(-1.0, 1.0, 12).reshape(3, 4) + np.eye(3, 4)


def calls(functions):
    """Derivatives, and arguments."""
    return {
        "gradient": (grad(functions.smooth), (X,)),
        "value and gradient": (value_and_grad(functions.loss), (X[:4], A, X[:3])),
        "hessian": (hessian(functions.smooth), (X,)),
        "vmap": (vmap(grad(functions.recurrence), in_axes=(0, None)), (X, 5)),
        "loop": (grad(functions.recurrence), (0.3, 20)),
        "branch": (grad(functions.branch), (X,)),
        "writes": (grad(functions.written), (X,)),
        "solve": (grad(functions.solved), (A @ A.T + np.eye(3), X[:3])),
        "special": (grad(functions.special), (X,)),
    }


CALLS = calls(functions)


@pytest.mark.parametrize("case", CALLS)
def test_what_is_printed_runs_as_it_stands(case, tmp_path, monkeypatch):
    """Under plain Python and under Numba's own `njit`, with the default backend's numbers."""
    function, arguments = CALLS[case]
    program = adcore.program(function, *arguments)
    source = adcore.source(function, *arguments, form="loops")
    assert source == to_python(program, "loops")
    (tmp_path / "printed_here.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "printed_here", raising=False)
    import printed_here  # type: ignore[import-not-found]

    (name,) = re.findall(r"^def (\w+)", source, re.MULTILINE)
    plain = getattr(printed_here, name)
    wanted = backend().compile(program)(*arguments)
    for run in (plain, numba.njit(error_model="numpy")(plain), BACKEND.compile(program).dispatcher):
        found = run(*arguments)
        for got, want in zip(found if len(wanted) > 1 else (found,), wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


def source_of(case, form):
    """Of a function that nobody has called before, for arrays of all lengths."""
    spec = spec_from_file_location("printed_anew", functions.__file__)
    anew = module_from_spec(spec)
    spec.loader.exec_module(anew)
    function, arguments = calls(anew)[case]
    with any_lengths():
        return adcore.source(function, *arguments, form=form)


GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("form", ["arrays", "loops"])
@pytest.mark.parametrize("case", CALLS)
def test_golden_source(case, form):
    golden = GOLDEN / f"{case.replace(' ', '_')}.{form}"
    assert source_of(case, form) == golden.read_text()


def test_checks_raise():
    program = adcore.program(grad(functions.picked), X, 2)
    run = BACKEND.compile(program)
    run(X, 5)
    with pytest.raises(IndexError, match="index 6 is out of bounds for axis 0 with size 6"):
        run(X, 6)


def test_lengths_are_checked():
    run = BACKEND.compile(from_text("program f(x: f64[n], y: f64[n]) -> (f64[n]) { z: f64[n] = add(x, y) return z }"))
    with pytest.raises(ValueError, match=r"y has the shape \(3,\)"):
        run(np.ones(2), np.ones(3))


CHECKS = {
    "a float": ("x is {0}", 2.0 / 3.0, "ValueError"),
    "a formatted float": ("x is {0:.3e}, {{not}} {0:g}", -1234.5678, "ZeroDivisionError"),
    "not a number": ("x is {0}", np.nan, "LinAlgError"),
    "a whole number": ('{0:>5d} of "{0}"', 7, "IndexError"),
    "a truth value": ("it is {0}", True, "OverflowError"),
    "nothing": ("nothing of {{0}}", 1.0, "ValueError"),
}


@pytest.mark.parametrize("case", CHECKS)
def test_messages_are_those_of_other_backends(case):
    message, value, error = CHECKS[case]
    dtype = {float: "f64", int: "i64", bool: "bool"}[type(value)]
    quoted = message.replace('"', '\\"')
    program = from_text(f"""program f(holds: bool, x: {dtype}) -> ({dtype}) {{
      check(holds{", x" * (case != "nothing")}; error="{error}", message="{quoted}")
      return x
    }}""")
    raised = []
    for compile in (BACKEND.compile, backend().compile):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is compared below
            compile(program)(False, value)
        raised.append(caught.value)
    assert type(raised[0]) is type(raised[1])
    assert str(raised[0]) == str(raised[1]) == message.format(value)


def test_many_results():
    """Of several types, and conditional expressions among them."""
    parts = [f"t{k}: bool = lt(x, {k}.0) y{k}: f64 = select(t{k}, x, {k}.0)" for k in range(40)]
    results = [f"t{k}, y{k}" for k in range(40)]
    program = from_text(
        f"program f(x: f64) -> ({', '.join(['bool, f64'] * 40)}) {{ {' '.join(parts)} return {', '.join(results)} }}"
    )
    assert BACKEND.compile(program)(20.5) == tuple(interpret(program, (20.5,)))


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize(("fold", "meaning"), [("reduce_max", np.max), ("reduce_min", np.min)])
def test_maxima_are_vectorized(fold, meaning, dtype):
    run = BACKEND.compile(
        from_text(f"program f(x: {dtype}[n]) -> ({dtype}) {{ y: {dtype} = {fold}(x; axes=(0,)) return y }}")
    )
    (text,) = run.dispatcher.inspect_llvm().values()
    assert re.search(r"llvm\.(maximum|minimum)\.v\d+f", text)
    x = np.random.default_rng(0).normal(size=101).astype(dtype.replace("f", "float"))
    assert run(x)[0] == meaning(x)
    x[37] = np.nan
    assert np.isnan(run(x)[0])


def test_arguments_stay_as_they_are():
    x = X.copy()
    x.flags.writeable = False
    BACKEND.compile(adcore.program(grad(functions.written), X))(x[::-1])
    np.testing.assert_array_equal(x, X)


def test_calls_of_python_have_no_place():
    with pytest.raises(MissingRuleError, match="a call of Python") as caught:
        BACKEND.compile(adcore.program(functions.hosted, X))
    assert caught.value.source is not None


@pytest.mark.skipif(not called(TABLE["sin"], ((DType.F64, 0),), ()).kernel.needs, reason="this machine has no libmvec")
def test_loops_call_vector_functions():
    run = BACKEND.compile(adcore.program(functions.smooth, np.linspace(0.0, 1.0, 1000)))
    (text,) = run.dispatcher.inspect_llvm().values()
    assert re.search(r"call <\d+ x double> @_ZGV\w+_sin", text)


SCRIPT = """
import sys
import numpy as np
import adcore
from adcore.plugins import backend
sys.path.insert(0, sys.argv[1])
from tests.numba import printed_functions as functions
x = np.linspace(0.2, 1.0, 6)
for f in (functions.smooth, functions.special):
    run = backend("numba").compile(adcore.program(adcore.grad(f), x))
    print(sum(run.dispatcher.stats.cache_hits.values()), run(x)[0].tolist())
"""


def test_another_process_finds_the_machine_code(cache, tmp_path):
    root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))

    def run():
        found = subprocess.run(
            [sys.executable, "-c", SCRIPT, root], capture_output=True, text=True, check=True, cwd=root
        )
        return [line.split(" ", 1) for line in found.stdout.splitlines()]

    first, second = run(), run()
    assert [hits for hits, _ in first] == ["0", "0"]
    assert [hits for hits, _ in second] == ["1", "1"]
    assert [numbers for _, numbers in first] == [numbers for _, numbers in second]
    printed = list((tmp_path / "numba").glob("*.py"))
    assert len(printed) == 2
    assert all("printed by adcore for numba.njit" in path.read_text().splitlines()[0] for path in printed)


@pytest.mark.parametrize("how", ["off", "unusable"])
def test_without_a_cache_it_compiles_all_the_same(cache, how, tmp_path, monkeypatch):
    if how == "off":
        monkeypatch.setenv("ADCORE_CACHE", "0")
    else:
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("ADCORE_CACHE_DIR", str(tmp_path / "file" / "below"))
    run = BACKEND.compile(adcore.program(functions.smooth, X))
    np.testing.assert_allclose(run(X)[0], functions.smooth(X))
    assert not list(tmp_path.glob("**/*.py"))
