"""Compiled functions in another process, which has neither their file nor their module."""

from __future__ import annotations

import copy
import inspect
import json
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import cloudpickle
import numpy as np
import pytest

import adcore
from adcore import PickleError, grad, jit, vjp
from adcore.pickling import loading
from tests.distributed import functions
from tests.distributed.functions import PROGRAMS, decorated, log1pexp, plain, scaled

FUNCTIONS = Path(functions.__file__)
ROOT = FUNCTIONS.parents[2]

LOAD = """
import base64, json, pickle, sys
from adcore.plugins import backend
from adcore.trees import flatten
from adcore.pickling.loading import restored
import numpy as np, adcore

compiled = 0
entry = backend().entry
def counting(*arguments):
    global compiled
    compiled += 1
    return entry(*arguments)
backend().entry = counting

{plain}
found = {{}}
for title, (function, arguments, _) in json.load(sys.stdin).items():
    function, arguments = map(base64.b64decode, (function, arguments))
    result = plain(pickle.loads(function)(*pickle.loads(arguments)))
    before = compiled
    again = plain(pickle.loads(function)(*pickle.loads(arguments)))
    found[title] = [result, again, before, compiled - before]
print(json.dumps(found))
"""


def run(*command: str, **options) -> str:
    environment = {**os.environ, "PYTHONPATH": "", **options.pop("environment", {})}
    done = subprocess.run(
        [sys.executable, "-W", "error", *command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        **options,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=["pickle", "cloudpickle"])
def processes(request, tmp_path_factory):
    """What a script pickled, and what a process gets of that after the script is gone."""
    folder = tmp_path_factory.mktemp("script")
    script = folder / "script.py"
    script.write_text(FUNCTIONS.read_text(encoding="utf-8"), encoding="utf-8")
    pickled = run(str(script), request.param, cwd=folder)
    script.unlink()
    loaded = run("-c", LOAD.format(plain=inspect.getsource(plain)), cwd=folder, input=pickled)
    return json.loads(pickled), json.loads(loaded)


@pytest.mark.parametrize("title", PROGRAMS)
def test_another_process_gets_the_same(title, processes):
    pickled, loaded = processes
    wanted = pickled[title][-1]
    assert loaded[title][:2] == [wanted, wanted]


@pytest.mark.parametrize("title", PROGRAMS)
def test_a_pickle_that_is_loaded_again_compiles_nothing(title, processes):
    _, loaded = processes
    assert loaded[title][3] == 0


def test_the_first_load_compiles_once(processes):
    _, loaded = processes
    assert loaded["a function"][2] == 1


@pytest.mark.parametrize("title", PROGRAMS)
def test_this_process_gets_the_same(title):
    g, arguments = PROGRAMS[title]
    for module in (pickle, cloudpickle):
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            made = pickle.loads(module.dumps(g, protocol))
            assert plain(made(*arguments)) == plain(g(*arguments))
            assert type(made).__bases__ == type(g).__bases__


@pytest.mark.parametrize("title", PROGRAMS)
def test_copies_are_the_function_itself(title):
    g, _ = PROGRAMS[title]
    assert copy.copy(g) is g
    assert copy.deepcopy([g])[0] is g


@pytest.mark.parametrize("g", [decorated, log1pexp, adcore.stop_gradient], ids=lambda g: g.__name__)
def test_what_can_be_imported_is_pickled_by_its_name(g):
    assert pickle.loads(pickle.dumps(g)) is g
    assert len(pickle.dumps(g)) < 100


def test_names_and_attributes_are_kept():
    g = grad(scaled(3.0))
    g.__name__, g.note = "slope", "by reverse mode"
    made = pickle.loads(pickle.dumps(g))
    assert (made.__name__, made.note, made.__doc__) == ("slope", "by reverse mode", g.__doc__)
    assert made(2.0) == made(2.0, offset=7.0) == g(2.0)


def test_a_module_whose_functions_are_to_travel():
    text = "import pickle, sys; print(pickle.loads(sys.stdin.buffer.read())(2.0))"
    command = [sys.executable, "-c", f"import sys; sys.modules['tests'] = None; {text}"]
    cloudpickle.register_pickle_by_value(functions)
    try:
        data = pickle.dumps(grad(functions.checked))
    finally:
        cloudpickle.unregister_pickle_by_value(functions)
    done = subprocess.run(command, input=data, capture_output=True, cwd="/", check=True, timeout=300)
    assert float(done.stdout) == grad(functions.checked)(2.0)


# Errors in the other process


ERROR = """
import pickle, sys, traceback
g = pickle.loads(sys.stdin.buffer.read())
for argument in (-1.0, "text"):
    try:
        g(argument)
    except Exception:
        traceback.print_exc(file=sys.stdout)
"""


def test_errors_name_the_file_and_the_line_that_are_not_there(tmp_path):
    script = tmp_path / "fit.py"
    script.write_text(
        "import pickle, sys\nfrom adcore import grad\n"
        "def checked(x):\n    if x < 0.0:\n        raise ValueError('a negative number')\n    return x * x\n"
        "sys.stdout.buffer.write(pickle.dumps(grad(checked)))\n",
        encoding="utf-8",
    )
    data = subprocess.run([sys.executable, str(script)], capture_output=True, check=True, timeout=300).stdout
    script.unlink()
    done = subprocess.run([sys.executable, "-c", ERROR], input=data, capture_output=True, check=True, timeout=300)
    raised, refused = done.stdout.decode().split("Traceback")[1:]
    assert f'File "{script}", line 5, in checked' in raised
    assert "raise ValueError('a negative number')" in raised
    assert f'File "{script}", line 3, in checked' in refused
    assert "def checked(x):" in refused


# What a call changes


def test_each_load_has_a_generator_of_its_own():
    rng = np.random.default_rng(7)
    g = jit(lambda x: x * rng.normal())
    data = pickle.dumps(g)
    one, other = pickle.loads(data), pickle.loads(data)
    assert one is not other
    assert one(1.0) == other(1.0) == g(1.0)
    assert one(1.0) != pickle.loads(data)(1.0)


def test_what_is_read_is_as_it_was_when_it_was_pickled():
    values = np.ones(3)
    g = grad(lambda x: np.sum(x * values))
    data = pickle.dumps(g)
    values[:] = 5.0
    assert pickle.loads(data)(2.0) == 3.0
    assert g(2.0) == 15.0


def test_arrays_travel_beside_the_pickle():
    values = np.arange(100_000.0)
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(grad(lambda x: np.sum(x * values)), protocol=5, buffer_callback=buffers.append)
    assert len(data) < 2_000
    assert sum(b.raw().nbytes for b in buffers) == values.nbytes
    assert pickle.loads(data, buffers=buffers)(1.0) == np.sum(values)


def test_the_functions_kept_are_limited(monkeypatch):
    monkeypatch.setattr(loading, "_kept", type(loading._kept)())
    monkeypatch.setattr(loading, "THINGS", 2)
    pickles = [pickle.dumps(grad(scaled(float(k)))) for k in range(3)]
    made = [pickle.loads(p) for p in pickles]
    assert pickle.loads(pickles[2]) is made[2]
    assert pickle.loads(pickles[0]) is not made[0]


# What cannot be pickled


lock = threading.Lock()
setting = {"names": ["a", lock]}


def closing():
    held = lock
    return lambda x: x if held else 2.0 * x


class Owner:
    def __init__(self):
        self.lock = lock

    def energy(self, x):
        return x * x


class Unwilling:
    def __reduce__(self):
        raise RuntimeError("stays here")


unwilling = Unwilling()

REFUSED = {
    "a global": (lambda x: 2.0 * x if lock else x, "<lambda> reads the global lock, a _thread.lock"),
    "a variable": (closing(), "<lambda> closes over held, a _thread.lock"),
    "in a helper": (lambda x: (lambda y: 2.0 * y if lock else y)(x), "reads the global lock, a _thread.lock"),
    "in an item": (
        lambda x: 2.0 * x if setting else x,
        r"<lambda> reads the global setting\['names'\]\[1\], a _thread.lock",
    ),
    "in a default": (lambda x, y=(1, lock): x, r"<lambda> has the defaults \[0\]\[1\], a _thread.lock"),
    "in an object": (Owner().energy, "energy is a method of Owner.lock, a _thread.lock"),
    "what refuses": (lambda x: 2.0 * x if unwilling else x, r"unwilling, a .*Unwilling \(stays here\)"),
}


@pytest.mark.parametrize("title", REFUSED)
@pytest.mark.parametrize("module", [pickle, cloudpickle], ids=lambda m: m.__name__)
def test_what_cannot_be_pickled_is_named(title, module):
    function, message = REFUSED[title]
    with pytest.raises(PickleError, match=message) as info:
        module.dumps(grad(function))
    assert 'test_pickling.py", line' in str(info.value)
    assert isinstance(info.value, pickle.PickleError)


def test_linear_maps_are_not_pickled():
    _, pullback = vjp(lambda x: x * x, 2.0)
    with pytest.raises(PickleError, match="a pullback holds residuals"):
        pickle.dumps(pullback)


def test_another_version_of_adcore(monkeypatch):
    data = pickle.dumps(grad(scaled(2.0)))
    monkeypatch.setattr(adcore, "__version__", "9.9.9")
    made = pickle.loads(data)  # a task's function: where loading raises, Dask cuts the worker's connection
    message = r"pickled by adcore \d+\.\d+\.\d+, and adcore 9\.9\.9 has loaded it"
    for call in (made, grad(lambda x: made(x))):
        with pytest.raises(PickleError, match=message):
            call(1.0)


def test_a_module_that_is_not_there(monkeypatch):
    data = pickle.dumps(grad(functions.checked))
    monkeypatch.setattr(loading, "_kept", type(loading._kept)())
    monkeypatch.setitem(sys.modules, "tests.distributed.functions", None)
    made = pickle.loads(data)
    with pytest.raises(PickleError, match=r"could not be loaded from its pickle: ModuleNotFoundError: .*functions"):
        made(4.0)


def test_errors_are_pickled():
    with pytest.raises(adcore.AdcoreError) as info:
        grad(scaled(2.0))("text")
    made = pickle.loads(pickle.dumps(info.value))
    assert type(made) is type(info.value)
    assert str(made) == str(info.value)
    assert made.source == info.value.source


WITHOUT = """
import sys
sys.modules["cloudpickle"] = None
import pickle
from adcore import PickleError, grad
k = 3.0
print(pickle.loads(pickle.dumps(grad(lambda x: x * x * k)))(2.0))
"""


def test_without_cloudpickle(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(WITHOUT, encoding="utf-8")
    assert float(run(str(script), cwd=tmp_path)) == 12.0
