"""Arrays of other libraries: what is taken, what comes back, and on which stream kernels run."""

from __future__ import annotations

import os
import sys
import types
import weakref

import numpy as np
import pytest
from adcore_llvm.cuda import dlpack
from adcore_llvm.cuda.simulator import SimulatedArray, Simulator
from models import wave

from adcore import grad, jit, vmap
from adcore.errors import DeviceError

pytestmark = pytest.mark.skipif(
    os.environ.get("ADCORE_TEST_CUDA", "0") == "1", reason="what stands in for libraries has the host's memory"
)

X = np.linspace(-1.0, 1.0, 50)


class Device:
    id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


class Array(SimulatedArray):
    """An array of a library that stands in for one of the device's."""

    device = Device()
    requires_grad = False

    def reshape(self, shape):
        return type(self)(self.array.reshape(shape))


def library(name, monkeypatch):
    """A module of that name, and its class of arrays."""
    kind = type("ndarray", (Array,), {"__module__": name})
    module = types.ModuleType(name)
    module.empty = lambda shape, dtype=None, device=None: kind(np.empty(shape, dtype))
    module.float64 = np.float64
    stream = types.SimpleNamespace(ptr=77, cuda_stream=77)
    module.cuda = types.SimpleNamespace(get_current_stream=lambda _: stream, current_stream=lambda _: stream)
    monkeypatch.setitem(sys.modules, name, module)
    return kind


@pytest.fixture
def streams(monkeypatch):
    found = []
    launch = Simulator.launch

    def noted(self, function, blocks, threads, values, stream):
        found.append(stream)
        launch(self, function, blocks, threads, values, stream)

    monkeypatch.setattr(Simulator, "launch", noted)
    return found


@pytest.mark.parametrize("name", ["cupy", "torch"])
def test_results_are_of_the_kind_of_the_arguments(name, monkeypatch, streams):
    kind = library(name, monkeypatch)
    gradient = grad(wave, device="cuda")(kind(X))
    assert type(gradient) is kind
    np.testing.assert_allclose(gradient.array, grad(wave)(X))
    value = jit(wave, device="cuda")(kind(X))
    assert type(value) is kind
    assert value.array.shape == ()
    assert set(streams) == {77}


def test_results_of_numba(monkeypatch):
    kind = library("numba.cuda.cudadrv.devicearray", monkeypatch)
    module = types.ModuleType("numba.cuda")
    module.device_array = lambda shape, dtype: kind(np.empty(shape, dtype))
    monkeypatch.setitem(sys.modules, "numba.cuda", module)
    assert type(grad(wave, device="cuda")(kind(X))) is kind


def test_tensors_that_record_are_detached(monkeypatch):
    kind = library("torch", monkeypatch)

    class Recording(kind):
        requires_grad = True

        @property
        def __cuda_array_interface__(self):
            raise RuntimeError("use detach()")

        def detach(self):
            return kind(self.array)

    np.testing.assert_allclose(grad(wave, device="cuda")(Recording(X)).array, grad(wave)(X))


class OnStream(SimulatedArray):
    @property
    def __cuda_array_interface__(self):
        return {**super().__cuda_array_interface__, "stream": 5}


def test_the_stream_that_an_array_names(streams):
    grad(wave, device="cuda")(OnStream(X))
    assert set(streams) == {5}


def test_other_streams_are_waited_for(monkeypatch):
    waited = []
    read = Simulator.read
    noted = lambda self, address, size, stream: (waited.append(stream), read(self, address, size, stream))[1]  # noqa: E731
    monkeypatch.setattr(Simulator, "read", noted)
    vmap(lambda x, y: x * y, device="cuda")(SimulatedArray(X), OnStream(X))
    assert 5 in waited


class ByDLPack:
    """An array that has DLPack alone."""

    def __init__(self, array):
        self.array = array

    def __dlpack_device__(self):
        return 2, 0

    def __dlpack__(self, **_):
        return self.array.__dlpack__()


@pytest.mark.parametrize(
    "array",
    [X, X[::-2], X.astype(np.float32), np.arange(6), np.ones((2, 3), bool), np.ones((4, 3)).T, np.ones(3) * 1j],
    ids=lambda a: f"{a.dtype}{a.shape}{a.strides}",
)
def test_arrays_by_dlpack(array):
    found = jit(lambda x: x + x, device="cuda")(ByDLPack(array)).array
    assert found.dtype == (array + array).dtype
    np.testing.assert_array_equal(found, array + array)


class OnTheHost:
    """An array that is given by our capsule, as one of the host, so that NumPy takes it."""

    def __init__(self, array):
        self.array = array

    def __dlpack_device__(self):
        return 1, 0

    def __dlpack__(self, **_):
        address = self.array.__array_interface__["data"][0]
        return dlpack.capsule(address, self.array.shape, self.array.dtype, (1, 0), self.array)


@pytest.mark.parametrize(
    "array", [X, X.astype(np.float32).reshape(5, 10), np.arange(6), np.ones((2, 0), bool), np.array(1j)], ids=repr
)
def test_arrays_to_dlpack(array):
    kept = weakref.ref(array := array.view(type("Watched", (np.ndarray,), {})))
    taken = np.from_dlpack(OnTheHost(array))
    assert taken.dtype == array.dtype
    np.testing.assert_array_equal(taken, array)
    del array
    assert kept() is not None
    del taken
    assert kept() is None


def test_a_capsule_that_nobody_takes():
    array = X.view(type("Watched", (np.ndarray,), {}))
    kept, capsule = weakref.ref(array), OnTheHost(array).__dlpack__()
    del array
    assert kept() is not None
    del capsule
    assert kept() is None


def test_jax_is_waited_for_and_given_its_own_arrays(monkeypatch, streams):
    waited = []
    kind = type("ArrayImpl", (Array,), {"__module__": "jaxlib._jax", "block_until_ready": lambda a: waited.append(a)})
    module = types.ModuleType("jax")
    module.dlpack = types.SimpleNamespace(from_dlpack=lambda a: kind(a.array))
    monkeypatch.setitem(sys.modules, "jax", module)
    x = kind(X)
    gradient, value = grad(wave, device="cuda")(x), jit(wave, device="cuda")(x)
    assert type(gradient) is kind
    assert type(value) is kind
    assert waited == [x, x]
    np.testing.assert_allclose(gradient.array, grad(wave)(X))


def test_arrays_on_another_device_are_refused(monkeypatch):
    x, y = SimulatedArray(X), SimulatedArray(X.copy())
    elsewhere = y.__cuda_array_interface__["data"][0]
    monkeypatch.setattr(Simulator, "device_of", lambda self, pointer: 3 if pointer == elsewhere else 0)
    product = jit(lambda x, y: x * y, device="cuda")
    assert product(x, x).shape == X.shape
    with pytest.raises(DeviceError, match=r"argument 1 of .* is on CUDA device 3, and the current device is 0"):
        product(x, y)


def test_what_is_refused():
    class Masked(SimulatedArray):
        @property
        def __cuda_array_interface__(self):
            return {**super().__cuda_array_interface__, "mask": self}

    with pytest.raises(TypeError, match="with a mask"):
        grad(wave, device="cuda")(Masked(X))
    records = np.zeros(4, [("a", "f8"), ("b", "i4")])["a"]
    with pytest.raises(TypeError, match="no multiples"):
        grad(wave, device="cuda")(SimulatedArray(records))
