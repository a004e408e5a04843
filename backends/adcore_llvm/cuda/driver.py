"""The driver of CUDA, through NVIDIA's package cuda-bindings."""

from __future__ import annotations

import ctypes
from importlib import import_module
from typing import Any

import numpy as np

from adcore.errors import DeviceError

from . import dlpack
from .algebra import Operations, operations_for
from .kernel import Kernel
from .module import Module
from .ptx import ptx

__all__ = ["CudaDriver", "DeviceArray"]


def _bindings() -> Any:
    """The package's module of the driver.

    Raises:
        DeviceError: the package is missing, or the driver, or there is no device.
    """
    try:
        driver = import_module("cuda.bindings.driver")
    except ImportError as error:
        raise DeviceError(
            'device="cuda" needs the package cuda-bindings', write='pip install "adcore[cuda]"'
        ) from error
    try:
        (status,) = driver.cuInit(0)
    except (RuntimeError, OSError) as error:  # the package's own are of these classes
        raise DeviceError(f'device="cuda" finds no driver of CUDA: {error}') from error
    if status != driver.CUresult.CUDA_SUCCESS:
        raise DeviceError(f'device="cuda" finds no device: {status.name}')
    return driver


class DeviceArray:
    """An array on the device that belongs to no library.

    `cupy.asarray`, `torch.as_tensor`, `jax.dlpack.from_dlpack` and others take it, without a copy.

    Attributes:
        shape, dtype: as of NumPy's arrays.
    """

    def __init__(self, owner: Any, pointer: int, shape: tuple[int, ...], dtype: np.dtype, stream: int) -> None:
        self.owner = owner
        self.pointer = pointer
        self.shape = shape
        self.dtype = dtype
        self.stream = stream

    def reshape(self, shape: tuple[int, ...]) -> DeviceArray:
        """The same elements, in C order, with other lengths."""
        return DeviceArray(self.owner, self.pointer, shape, self.dtype, self.stream)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {
            "version": 3,
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (self.pointer, False),
            "strides": None,
            "stream": self.stream or 1,  # 0 is forbidden there, and 1 the default stream
        }

    def __dlpack_device__(self) -> tuple[int, int]:
        return dlpack.CUDA, self.owner.device

    def __dlpack__(self, *, stream: int | None = None, dl_device: Any = None, copy: Any = None, **_: Any) -> Any:
        """The capsule of DLPack; what is started on this stream from now on waits for the array.

        Raises:
            BufferError: a copy is asked for, or an array on another device.
        """
        if copy or dl_device not in (None, self.__dlpack_device__()):
            raise BufferError("an array of adcore's is given as it is, on its device")
        waiting = 0 if stream in (None, 1) else stream  # 1 is what the protocol calls the default stream
        if waiting not in (-1, self.stream):
            self.owner.driver.order(self.stream, waiting)
        return dlpack.capsule(self.pointer, self.shape, self.dtype, self.__dlpack_device__(), self.owner)


class _Block:
    """Memory, which is freed in the order of its stream when nothing refers to it any more."""

    def __init__(self, driver: CudaDriver, size: int, stream: int) -> None:
        self.driver = driver
        self.stream = stream
        self.device = driver.activate()
        self.pointer = int(driver.call("cuMemAllocAsync", max(size, 1), stream))

    def __del__(self) -> None:
        self.driver.bindings.cuMemFreeAsync(self.pointer, self.stream)


class CudaDriver:
    """The current device of the calling thread, or the first one."""

    def __init__(self) -> None:
        self.bindings = _bindings()
        self.modules: dict[tuple[int, Module], Any] = {}
        self.attributes: dict[int, tuple[tuple[int, int], int]] = {}

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a function of the driver's; gives its result, if it has one.

        Raises:
            MemoryError: there is not enough on the device.
            RuntimeError: any other failure.
        """
        status, *results = getattr(self.bindings, name)(*arguments)
        if status == self.bindings.CUresult.CUDA_ERROR_OUT_OF_MEMORY:
            raise MemoryError("the CUDA device has no memory of that size left")
        if status != self.bindings.CUresult.CUDA_SUCCESS:
            raise RuntimeError(f"{name} of the CUDA driver fails: {status.name}")
        return results[0] if results else None

    # Devices

    def activate(self) -> int:
        """Have the thread work with a device: the one that it works with already, else the first one."""
        if int(self.call("cuCtxGetCurrent")) == 0:
            first = self.call("cuDeviceGet", 0)
            self.call("cuCtxSetCurrent", self.call("cuDevicePrimaryCtxRetain", first))
        return int(self.call("cuCtxGetDevice"))

    def device_of(self, pointer: int) -> int | None:
        """The number of the device where memory is; None where all devices reach it, or the driver has not made it."""
        names = self.bindings.CUpointer_attribute
        status, number = self.bindings.cuPointerGetAttribute(names.CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, pointer)
        if status == self.bindings.CUresult.CUDA_ERROR_INVALID_VALUE:
            return None
        if status != self.bindings.CUresult.CUDA_SUCCESS:
            raise RuntimeError(f"cuPointerGetAttribute of the CUDA driver fails: {status.name}")
        if number != self.activate() and self.call(
            "cuPointerGetAttribute", names.CU_POINTER_ATTRIBUTE_IS_MANAGED, pointer
        ):
            return None
        return int(number)

    def described(self) -> tuple[tuple[int, int], int]:
        """The compute capability of the device, and how many threads it runs at a time."""
        number = self.activate()
        if number not in self.attributes:
            names = self.bindings.CUdevice_attribute
            device = self.call("cuDeviceGet", number)

            def attribute(name: str) -> int:
                which = getattr(names, f"CU_DEVICE_ATTRIBUTE_{name}")
                return int(self.call("cuDeviceGetAttribute", which, device))

            capability = attribute("COMPUTE_CAPABILITY_MAJOR"), attribute("COMPUTE_CAPABILITY_MINOR")
            threads = attribute("MULTIPROCESSOR_COUNT") * attribute("MAX_THREADS_PER_MULTIPROCESSOR")
            self.attributes[number] = capability, threads
        return self.attributes[number]

    def library(self, name: str) -> Operations | None:
        return operations_for(name)

    def resident(self) -> int:
        return self.described()[1]

    def free(self) -> int:
        self.activate()
        status, free, _ = self.bindings.cuMemGetInfo()
        if status != self.bindings.CUresult.CUDA_SUCCESS:
            raise RuntimeError(f"cuMemGetInfo of the CUDA driver fails: {status.name}")
        return int(free)

    # Streams

    def order(self, first: int, then: int) -> None:
        """Have what is started on a stream from now on wait for what has been started on another."""
        event = self.call("cuEventCreate", self.bindings.CUevent_flags.CU_EVENT_DISABLE_TIMING)
        self.call("cuEventRecord", event, first)
        self.call("cuStreamWaitEvent", then, event, 0)
        self.call("cuEventDestroy", event)  # once it has been waited for

    # Kernels

    def function(self, kernel: Kernel) -> Any:
        key = self.activate(), kernel.module
        if key not in self.modules:
            code = ptx(kernel.module.device_text(), self.described()[0]).encode() + b"\0"
            loaded = self.call("cuModuleLoadDataEx", code, 0, [], [])
            names = [each.name for each in kernel.module.kernels]
            self.modules[key] = {name: self.call("cuModuleGetFunction", loaded, name.encode()) for name in names}
        return self.modules[key][kernel.name]

    def launch(self, function: Any, blocks: int, threads: int, values: list[Any], stream: int) -> None:
        given = (ctypes.c_void_p * len(values))(*(ctypes.addressof(v) for v in values))
        self.call("cuLaunchKernel", function, blocks, 1, 1, threads, 1, 1, 0, stream, ctypes.addressof(given), 0)

    # Memory

    def allocate(self, size: int, stream: int) -> tuple[int, Any]:
        block = _Block(self, size, stream)
        return block.pointer, block

    def empty(self, dtype: np.dtype, shape: tuple[int, ...], stream: int) -> DeviceArray:
        """An array of the driver's own."""
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        pointer, owner = self.allocate(size, stream)
        return DeviceArray(owner, pointer, shape, dtype, stream)

    def copy(self, target: int, source: int, size: int, stream: int) -> None:
        if size:
            self.call("cuMemcpyDtoDAsync", target, source, size, stream)

    def read(self, address: int, size: int, stream: int) -> bytes:
        buffer = ctypes.create_string_buffer(max(size, 1))
        if size:
            self.call("cuMemcpyDtoHAsync", ctypes.addressof(buffer), address, size, stream)
        self.call("cuStreamSynchronize", stream)
        return buffer.raw[:size]

    def write(self, address: int, data: bytes, stream: int) -> None:
        if data:
            buffer = ctypes.create_string_buffer(data, len(data))
            self.call("cuMemcpyHtoDAsync", address, ctypes.addressof(buffer), len(data), stream)
            self.call("cuStreamSynchronize", stream)  # the buffer is not needed any longer
