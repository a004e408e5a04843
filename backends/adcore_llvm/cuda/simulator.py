"""A device of the processor's: the kernels of a CUDA device, one thread after the other, over the host's memory.

It stands in for a device where there is none, to test and to debug: its kernels are the same code, but for the
mathematical functions, which are the C library's.  The environment variable `ADCORE_CUDA_SIMULATOR=1` has
`device="cuda"` mean it; arrays are made by `SimulatedArray`.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from ..engine import NAME, load, machine_code
from .algebra import Operations
from .by_host import Library
from .kernel import Kernel
from .module import Module
from .ptx import without_vectors

__all__ = ["SimulatedArray", "Simulator"]

RESIDENT = 256  # threads
MEMORY = 1 << 28  # bytes


class SimulatedArray:
    """An array of the simulated device, in a NumPy array's memory.

    >>> import numpy as np
    >>> x = SimulatedArray(np.arange(3.0))
    >>> x.__cuda_array_interface__["shape"]
    (3,)
    >>> x.host()
    array([0., 1., 2.])
    """

    def __init__(self, array: Any) -> None:
        self.array = np.asarray(array)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    def host(self) -> Any:
        """The numbers, as a NumPy array."""
        return self.array

    def reshape(self, shape: tuple[int, ...]) -> SimulatedArray:
        """The same elements with other lengths."""
        return SimulatedArray(self.array.reshape(shape))

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return {**self.array.__array_interface__, "version": 3, "stream": None}


class Simulator:
    """The driver of the simulated device.

    Attributes:
        launches: how many kernels have been started.
        algebra: what stands in for a library of matrices; None to have none.
    """

    def __init__(self) -> None:
        self.known: dict[Module, dict[str, Any]] = {}
        self.launches = 0
        self.algebra: Operations | None = Library()

    def function(self, kernel: Kernel) -> Any:
        module = kernel.module
        if module not in self.known:
            # every module has kernels of these names, and the loader knows functions by theirs
            text = without_vectors(module.host_text().replace("@adcore_", f"@{NAME}."))
            names = [each.name for each in module.kernels]
            addresses = load(machine_code(text), *(name.replace("adcore_", f"{NAME}.") for name in names))
            kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)
            self.known[module] = {name: kind(address) for name, address in zip(names, addresses, strict=True)}
        return self.known[module][kernel.name]

    def launch(self, function: Any, blocks: int, threads: int, values: list[Any], stream: int) -> None:
        self.launches += 1
        given = (ctypes.c_void_p * len(values))(*(ctypes.addressof(v) for v in values))
        function(ctypes.addressof(given), blocks * threads)

    def allocate(self, size: int, stream: int) -> tuple[int, Any]:
        owner = np.full(size, 0xA5, np.uint8)  # what nobody has written is not 0 by chance
        return owner.ctypes.data, owner

    def empty(self, dtype: np.dtype, shape: tuple[int, ...], stream: int) -> SimulatedArray:
        """An array of the device's own."""
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        return SimulatedArray(np.full(size, 0xA5, np.uint8).view(dtype).reshape(shape))

    def copy(self, target: int, source: int, size: int, stream: int) -> None:
        ctypes.memmove(target, source, size)

    def read(self, address: int, size: int, stream: int) -> bytes:
        return ctypes.string_at(address, size)

    def write(self, address: int, data: bytes, stream: int) -> None:
        ctypes.memmove(address, data, len(data))

    def activate(self) -> int:
        return 0

    def device_of(self, pointer: int) -> int | None:
        return 0

    def library(self, name: str) -> Operations | None:
        return self.algebra

    def resident(self) -> int:
        return RESIDENT

    def free(self) -> int:
        return MEMORY
