"""What cannot be done on a device, and what fails there: errors that name the user's line."""

from __future__ import annotations

import traceback

import numpy as np
import pytest
from device_arrays import given, taken
from models import newton, own_array, wave

import adcore
from adcore import grad, jit, value_and_grad, vmap
from adcore.errors import DeviceError, DtypeError, UnsupportedFunctionError

X = np.linspace(0.1, 2.0, 40)


def line_of(error):
    return traceback.extract_tb(error.tb)[-1].line


def test_the_first_instance_that_fails_is_the_one_that_raises():
    start = np.ones(200)
    target = np.full(200, 4.0)
    target[[7, 150]] = -1.0  # has no root
    with pytest.raises(ValueError, match="no root after 61 steps") as error:
        vmap(newton, device="cuda")(*given((start, target)))
    assert line_of(error) == 'raise ValueError(f"no root after {steps} steps")'


def picked(x, k):
    return x[k] * 2.0


def test_the_index_of_the_first_instance_is_reported():
    rows, places = np.ones((200, 3)), np.zeros(200, np.int64)
    places[[30, 31, 190]] = [5, 6, 7]
    with pytest.raises(IndexError, match="5") as error:
        vmap(picked, device="cuda")(*given((rows, places)))
    assert line_of(error) == "return x[k] * 2.0"
    places[:] = 1
    assert np.array_equal(taken(vmap(picked, device="cuda")(*given((rows, places)))), np.full(200, 2.0))


def test_a_function_can_be_called_again_after_it_has_failed():
    function = vmap(newton, device="cuda")
    with pytest.raises(ValueError, match="no root"):
        function(*given((np.ones(3), np.full(3, -1.0))))
    assert np.allclose(taken(function(*given((np.ones(3), np.full(3, 9.0))))), 3.0)


def test_numbers_on_the_device_are_checked():
    def guarded(x):
        if np.sum(x) > 1e3:
            raise ValueError("too much")
        return x / 2.0

    assert np.array_equal(taken(jit(guarded, device="cuda")(given(X))), X / 2.0)
    with pytest.raises(ValueError, match="too much"):
        jit(guarded, device="cuda")(given(X * 1e3))


def test_lengths_are_checked():
    add = jit(lambda x, y: x + y, device="cuda")
    with pytest.raises(ValueError, match="could not be broadcast together") as error:
        add(*given((X, X[:5])))
    assert "lambda x, y: x + y" in line_of(error)
    with pytest.raises(ValueError, match="inconsistent sizes"):
        vmap(lambda x, y: x + y, device="cuda")(*given((X, X[:7])))


def test_memory_runs_out():
    with pytest.raises(MemoryError):
        vmap(grad(own_array), in_axes=(0, None), device="cuda")(given(X), 10**12)


# What is refused


def test_arrays_of_the_host_are_refused():
    with pytest.raises(DtypeError, match="argument 0 of wave is an array of the host"):
        grad(wave, device="cuda")(X)


def turned(x):
    return np.sum(np.abs(np.fft.fft(x)))


def test_what_only_the_host_has_is_refused_with_its_line():
    with pytest.raises(UnsupportedFunctionError, match=r"np.fft.fft\(x\)"):
        grad(turned, device="cuda")(given(X))


def written(x):
    x[0] = 1.0
    return np.sum(x)


def test_writes_into_arguments_are_refused():
    with pytest.raises(UnsupportedFunctionError, match="writes into an argument"):
        jit(written, device="cuda")(given(X))
    assert_gradient = taken(grad(written, device="cuda")(given(X)))
    assert np.array_equal(assert_gradient, np.r_[0.0, np.ones(39)])


def test_other_devices_are_refused():
    with pytest.raises(ValueError, match="the devices are 'cuda'"):
        grad(wave, device="tpu")(given(X))


def test_what_the_host_has_to_look_at_is_refused():
    with pytest.raises(ValueError, match="beside device"):
        grad(wave, device="cuda", debug="nan")
    with pytest.raises(ValueError, match="beside on_kink"):
        value_and_grad(wave, device="cuda", on_kink="warn")
    with pytest.raises(ValueError, match="device"):
        adcore.jacobian(wave, sparse=True, device="cuda")


def test_a_machine_without_a_device_says_what_is_missing(monkeypatch):
    from adcore_llvm.cuda import driver

    monkeypatch.delenv("ADCORE_CUDA_SIMULATOR", raising=False)

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(driver, "import_module", missing)
    with pytest.raises(DeviceError, match="needs the package cuda-bindings"):
        driver.CudaDriver()
