"""Functions on a device against the same functions on the host."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from adcore_llvm.cuda import run as running
from adcore_llvm.cuda.simulator import Simulator
from device_arrays import Strided, given, taken
from functions import EXAMPLES
from models import MODELS, collatz, newton, own_array, wave
from plans import kernels_of, plans_of

from adcore import grad, hessian, jacfwd, jacrev, jit, value_and_grad, vmap
from adcore.plugins import device
from adcore.trees import leaves, map_leaves
from bench.cuda import epidemic, projection

RNG = np.random.default_rng(7)


def real(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """The arguments that are differentiated."""
    return tuple(k for k, a in enumerate(arguments) if all(np.asarray(v).dtype.kind == "f" for v in leaves(a)))


def assert_alike(found: Any, wanted: Any, tolerance: float = 1e-10) -> None:
    pairs = list(zip(leaves(taken(found)), leaves(wanted), strict=True))
    for one, other in pairs:
        one, other = np.asarray(one), np.asarray(other)
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_examples(example):
    at = real(example.arguments)
    wanted = value_and_grad(example.function, argnums=at)(*example.arguments)
    assert_alike(value_and_grad(example.function, argnums=at, device="cuda")(*given(example.arguments)), wanted)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_examples_of_numbers_on_the_device(example):
    at = real(example.arguments)
    arguments = map_leaves(lambda a: np.float64(a) if isinstance(a, float) else a, example.arguments)
    wanted = value_and_grad(example.function, argnums=at)(*arguments)
    found = value_and_grad(example.function, argnums=at, device="cuda")(*given(arguments, numbers=True))
    assert_alike(found, wanted)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_batches_of_examples(example):
    at = real(example.arguments)
    axes = tuple(0 if k in at else None for k in range(len(example.arguments)))
    batch = tuple(
        map_leaves(lambda a: np.stack([np.asarray(a) * (1 + 0.01 * j) for j in range(5)]), a) if k in at else a
        for k, a in enumerate(example.arguments)
    )
    gradient = grad(example.function, argnums=at)
    found = vmap(gradient, in_axes=axes, device="cuda")(*given(batch))
    assert_alike(found, vmap(gradient, in_axes=axes)(*batch))


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.function.__name__)
@pytest.mark.parametrize("library", [True, False], ids=["with-library", "without"])
def test_models(model, library, monkeypatch):
    if not library:
        monkeypatch.setattr(type(device("cuda").driver), "library", lambda self, name: None)
    at = real(model.arguments)
    wanted = value_and_grad(model.function, argnums=at)(*model.arguments)
    tolerance = 1e-4 if any(np.asarray(a).dtype == np.float32 for a in model.arguments) else 1e-10
    assert_alike(value_and_grad(model.function, argnums=at, device="cuda")(*given(model.arguments)), wanted, tolerance)


# One thread an instance


def epidemics(count):
    theta = RNG.normal(size=(count, 2)) * 0.1 + np.array([-1.0, -2.0])
    return theta, RNG.normal(size=(count, 12)), 12


@pytest.mark.parametrize("count", [0, 1, 2, 129, 300])
def test_gradients_of_epidemics(count):
    arguments = epidemics(count)
    gradient = vmap(grad(epidemic), in_axes=(0, 0, None))
    found = vmap(grad(epidemic), in_axes=(0, 0, None), device="cuda")(*given(arguments))
    assert_alike(found, gradient(*arguments))


@pytest.mark.parametrize("count", [2, 50])  # results of two instances would have room in registers
def test_one_kernel_a_batch(count):
    function = vmap(value_and_grad(epidemic), in_axes=(0, 0, None), device="cuda")
    function(*given(epidemics(count)))
    ((found,),) = function.dispatcher.known.values()
    (plan,) = found.program.plans.values()
    assert len([step for step in plan.steps if hasattr(step, "kernel")]) == 1


def test_jacobians_of_projections():
    cameras, points = RNG.normal(size=(40, 9)), RNG.normal(size=(40, 3)) + np.array([0.0, 0.0, 9.0])
    for jacobian in (jacfwd, jacrev):
        blocks = vmap(jacobian(projection, argnums=(0, 1)))
        found = vmap(jacobian(projection, argnums=(0, 1)), device="cuda")(*given((cameras, points, points[:, :2])))
        assert_alike(found, blocks(cameras, points, points[:, :2]))


def test_each_instance_has_its_own_trips():
    n = np.arange(1, 200)
    assert_alike(vmap(collatz, device="cuda")(given(n)), vmap(collatz)(n))
    x, target = RNG.uniform(1.0, 2.0, 60), RNG.uniform(1.0, 100.0, 60)
    assert_alike(vmap(grad(newton, 1), device="cuda")(*given((x, target))), vmap(grad(newton, 1))(x, target))


def test_hessians():
    arguments = epidemics(20)
    function = vmap(hessian(epidemic), in_axes=(0, 0, None), device="cuda")
    assert_alike(function(*given(arguments)), vmap(hessian(epidemic), in_axes=(0, 0, None))(*arguments))


def test_threads_are_given_more_memory_until_they_have_enough():
    x = RNG.uniform(0.1, 1.0, 20)
    function = vmap(grad(own_array), in_axes=(0, None), device="cuda")
    host = vmap(grad(own_array), in_axes=(0, None))
    for n in (3, 300, 5000):  # 4 KiB are enough for the first
        assert_alike(function(given(x), n), host(x, n))


def memories_of(function):
    return [step.memory for plan in plans_of(function) for step in plan.steps if getattr(step, "kernel", None)]


def test_threads_have_local_memory_once_it_is_known_how_much_they_need():
    x = RNG.uniform(0.1, 1.0, 300)
    function = vmap(grad(own_array), in_axes=(0, None), device="cuda")
    host = vmap(grad(own_array), in_axes=(0, None))
    sizes = []
    for n in (40, 40, 30, 700, 700, 5, 20_000, 40):
        assert_alike(function(given(x), n), host(x, n))
        (memory,) = memories_of(function)
        sizes.append(memory.local.local if memory.local else 0)
    small, large = sizes[0], sizes[3]
    assert 40 * 8 < small < 4096
    assert large > 700 * 8
    assert sizes == [small, small, small, large, large, large, 0, small]  # 20,000 numbers are too much


def test_where_there_is_no_room_for_local_memory_the_workspace_is_used(monkeypatch):
    x = RNG.uniform(0.1, 1.0, 300)
    function = vmap(grad(own_array), in_axes=(0, None), device="cuda")
    host = vmap(grad(own_array), in_axes=(0, None))
    function(given(x), 40)
    (memory,) = memories_of(function)
    local, launch = memory.local, Simulator.launch

    def full(self, kernel, *rest):
        if kernel is self.function(local):
            raise MemoryError("the CUDA device has no memory of that size left")
        return launch(self, kernel, *rest)

    monkeypatch.setattr(Simulator, "launch", full)
    for _ in range(2):
        assert_alike(function(given(x), 40), host(x, 40))
        assert memory.local is None


def test_what_local_memory_is_laid_out_for_gives_the_same_bits():
    arguments = given(epidemics(400))
    function = vmap(grad(epidemic), in_axes=(0, 0, None), device="cuda")
    first = taken(function(*arguments))
    (memory,) = memories_of(function)
    assert memory.local is not None
    assert np.array_equal(taken(function(*arguments)), first)


def test_axes_of_results_and_arguments():
    x = RNG.normal(size=(3, 40))
    for out in (0, 1):
        mapped = {"in_axes": 1, "out_axes": out}
        wanted = vmap(lambda v: v * np.sum(v), **mapped)(x)
        assert_alike(vmap(lambda v: v * np.sum(v), device="cuda", **mapped)(given(x)), wanted)


# Layouts

PARTS = {
    "columns": lambda a: a[:, 1:5],
    "backwards": lambda a: a[::-1, ::-2],
    "turned": lambda a: a.T,
    "spread": lambda a: np.broadcast_to(a[:, :1], a.shape),
}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_strided_arguments(part):
    whole = RNG.normal(size=(30, 8))
    view = part(whole)
    assert_alike(value_and_grad(wave, device="cuda")(Strided(whole, view)), value_and_grad(wave)(view))
    sums = lambda row: np.sum(np.sin(row) * row[::-1])  # noqa: E731
    assert_alike(vmap(grad(sums), device="cuda")(Strided(whole, view)), vmap(grad(sums))(view))


def test_results_are_arrays_of_their_own():
    x = given(RNG.normal(size=20))

    def both(x):
        y = x * 2.0
        return x, y, y, y.reshape(4, 5), x[3]

    found = jit(both, device="cuda")(x)
    addresses = {a.__cuda_array_interface__["data"][0] for a in (x, *found)}
    assert len(addresses) == 6
    assert_alike(found, jit(both)(taken(x)))


def test_trees_of_arguments_and_results():
    data = {"a": RNG.normal(size=6), "b": (RNG.normal(size=(2, 3)), 2.0)}

    def loss(data):
        return np.sum(data["a"] ** 2) * data["b"][1] + np.sum(np.sin(data["b"][0]))

    assert_alike(value_and_grad(loss, device="cuda")(given(data)), value_and_grad(loss)(data))


SCALE = 1.5
TABLE = RNG.normal(size=20)


def test_what_is_closed_over_is_read_at_the_call(monkeypatch):
    def scaled(x):
        return np.sum(np.sin(x) * SCALE * TABLE)

    x = RNG.normal(size=20)
    function = grad(scaled, device="cuda")
    assert_alike(function(given(x)), grad(scaled)(x))
    monkeypatch.setitem(globals(), "SCALE", 2.5)
    monkeypatch.setitem(globals(), "TABLE", TABLE * 2.0)
    assert_alike(function(given(x)), np.cos(x) * SCALE * TABLE)


def test_numbers_of_the_host_stay_there():
    assert jit(lambda x: x * 2.0 + math.sin(x), device="cuda")(0.5) == 1.0 + math.sin(0.5)


# The same on all devices


def test_results_do_not_depend_on_how_many_threads_there_are(monkeypatch):
    x, arguments = RNG.normal(size=100_000), given(epidemics(300))
    found = []
    for block in (1, 32, 128):
        monkeypatch.setattr(running, "BLOCK", block)
        value, gradient = value_and_grad(wave, device="cuda")(given(x))
        fits = vmap(grad(epidemic), in_axes=(0, 0, None), device="cuda")(*arguments)
        found.append([taken(a).tobytes() for a in (value, gradient, fits)])
    assert found[0] == found[1] == found[2]


def test_functions_on_a_device_are_pickled():
    x = RNG.normal(size=30)
    function = pickle.loads(pickle.dumps(grad(wave, device="cuda")))
    assert_alike(function(given(x)), grad(wave)(x))


# Sums in any order


def sums_of_groups(x, groups, n):
    sums = np.zeros(n, x.dtype)
    np.add.at(sums, groups, x * x)
    return sums


NUMBERS = {
    "float64": RNG.normal(size=900),
    "float32": RNG.normal(size=900).astype(np.float32),
    "complex128": RNG.normal(size=900) + 1j * RNG.normal(size=900),
    "int64": RNG.integers(-9, 9, 900),
    "rows": RNG.normal(size=(900, 1)),
}


@pytest.mark.parametrize("x", NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_added_atomically(x):
    groups = RNG.integers(-5, 5, x.shape)
    function = jit(sums_of_groups, device="cuda:atomics")
    assert_alike(function(*given((x, groups)), 5), sums_of_groups(x, groups, 5), 1e-4 if x.dtype == "f4" else 1e-10)
    assert any("atomicrmw" in kernel.text for kernel in kernels_of(function))


def test_adjoints_of_gathering_add_atomically_if_they_may():
    (model,) = [m for m in MODELS if m.function.__name__ == "gathered"]
    for name, atomic in (("cuda:atomics", True), ("cuda", False)):
        function = grad(model.function, device=name)
        assert_alike(function(*given(model.arguments)), grad(model.function)(*model.arguments))
        assert any("atomicrmw" in kernel.text for kernel in kernels_of(function)) is atomic


def test_what_is_written_last_stays():
    def written(x, places, values):
        x = x.copy()
        x[places] = values
        return x

    arguments = np.zeros(3), np.array([0, 1, 0, 2, 0]), np.arange(5.0)
    assert_alike(jit(written, device="cuda:atomics")(*given(arguments)), written(*arguments))
