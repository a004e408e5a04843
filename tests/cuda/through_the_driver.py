"""Run by test_driver.py, where libcuda.so.1 is the driver in C: a module is the addresses of functions, as text."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from adcore_llvm.cuda import driver
from adcore_llvm.cuda.driver import CudaDriver, DeviceArray
from adcore_llvm.cuda.simulator import Simulator
from device_arrays import given, taken
from models import newton, own_array, wave

from adcore import grad, value_and_grad, vmap
from adcore.errors import DeviceError
from adcore.plugins import device
from bench.cuda import epidemic

simulator = Simulator()
load = CudaDriver.function
TABLE = np.random.default_rng(1).normal(size=10_000)


def function(self, kernel):
    functions = [simulator.function(each) for each in kernel.module.kernels]
    addresses = [str(ctypes.cast(f, ctypes.c_void_p).value) for f in functions]
    names = [each.name for each in kernel.module.kernels]
    lines = "".join(f"{name} {address}\n" for name, address in zip(names, addresses, strict=True))
    driver.ptx = lambda text, capability: lines
    return load(self, kernel)


class ByDLPack:
    """An array that is taken by DLPack alone."""

    def __init__(self, array):
        self.__dlpack_device__ = array.__dlpack_device__
        self.__dlpack__ = array.__dlpack__


def main() -> None:
    """Run programs, and compare what they give with the host."""
    CudaDriver.function = function

    assert isinstance(device("cuda").driver, CudaDriver)
    assert device("cuda").driver.described() == ((9, 0), 4096)

    rng = np.random.default_rng(0)
    fits = rng.normal(size=(300, 2)), rng.normal(size=(300, 12)), 12
    found = vmap(grad(epidemic), in_axes=(0, 0, None), device="cuda")(*given(fits))
    assert isinstance(found, DeviceArray)
    np.testing.assert_allclose(taken(found), vmap(grad(epidemic), in_axes=(0, 0, None))(*fits), rtol=1e-12, atol=1e-12)

    x = rng.normal(size=10_000)
    value, gradient = value_and_grad(wave, device="cuda")(given(x))
    assert value.shape == ()
    np.testing.assert_allclose(taken(value), wave(x), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(taken(gradient), grad(wave)(x), rtol=1e-12, atol=1e-12)

    arrays = vmap(grad(own_array), in_axes=(0, None), device="cuda")(given(x[:20]), 3000)
    np.testing.assert_allclose(
        taken(arrays), vmap(grad(own_array), in_axes=(0, None))(x[:20], 3000), rtol=1e-9, atol=1e-12
    )

    np.testing.assert_allclose(taken(grad(lambda x: np.sum(x * TABLE), device="cuda")(given(x))), TABLE)

    with pytest.raises(ValueError, match="no root after 61 steps"):
        vmap(newton, device="cuda")(*given((np.ones(3), -np.ones(3))))

    assert found.__dlpack_device__() == (2, 0)
    back = device("cuda").view(ByDLPack(found))
    assert back is not None
    assert (back.pointer, back.shape, back.dtype) == (found.pointer, found.shape, found.dtype)
    del back
    with pytest.raises(BufferError):
        found.__dlpack__(copy=True)
    found.__dlpack__(stream=7)  # which waits for the stream of the array

    # in the driver in C device 1 has these addresses; all devices reach the second one, and nobody knows the third one
    assert [device("cuda").driver.device_of(a) for a in (0x1000, 0x2000, 0x3000, found.pointer)] == [1, None, None, 0]
    with pytest.raises(DeviceError, match="argument 0 of wave is on CUDA device 1, and the current device is 0"):
        grad(wave, device="cuda")(DeviceArray(None, 0x1000, (3,), np.dtype(float), 0))

    before = device("cuda").driver.free()
    del found, value, gradient, arrays
    assert device("cuda").driver.free() > before, "memory comes back"
    print("as on the host")


if __name__ == "__main__":
    main()
