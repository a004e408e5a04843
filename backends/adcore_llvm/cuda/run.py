"""One run of a plan: its values, the memory that it takes, and the launches of kernels."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from adcore.types import Atom, DType, Lit, Type, Var

from ..executable import raise_failure
from ..lower import Failure
from .kernel import Kernel
from .module import STATUS_WORDS

if TYPE_CHECKING:
    from .algebra import Operations

__all__ = ["Driver", "Memory", "Placed", "Run", "c_contiguous"]

FIRST_CAPACITY = 1 << 12  # bytes of a thread that allocates
LARGEST_LOCAL = 1 << 18  # bytes of a thread; devices give twice as much (CUDA C++ Programming Guide, table 24)
FEWEST = 32  # threads
BLOCK = 128  # threads
NOBODY = (1 << 64) - 1  # the number for which a body failed, where none did


class Driver(Protocol):
    """What is asked of a device; `adcore_llvm.cuda.driver` has a real one, `adcore_llvm.cuda.simulator` another."""

    def function(self, kernel: Kernel) -> Any:
        """The kernel, compiled and loaded."""
        ...

    def launch(self, function: Any, blocks: int, threads: int, values: list[Any], stream: int) -> None:
        """Start a kernel with these parameters, numbers of ctypes."""
        ...

    def allocate(self, size: int, stream: int) -> tuple[int, Any]:
        """Memory: its address, and what frees it when nothing refers to it any more."""
        ...

    def empty(self, dtype: np.dtype, shape: tuple[int, ...], stream: int) -> Any:
        """An array of the driver's own class."""
        ...

    def copy(self, target: int, source: int, size: int, stream: int) -> None: ...

    def read(self, address: int, size: int, stream: int) -> bytes:
        """Wait for the stream, and read."""
        ...

    def write(self, address: int, data: bytes, stream: int) -> None: ...

    def activate(self) -> int:
        """Have the thread work with a device; gives its number."""
        ...

    def device_of(self, pointer: int) -> int | None:
        """The number of the device where memory is; None where that does not matter."""
        ...

    def library(self, name: str) -> Operations | None:
        """What computes rows of matrices for arrays of a library of this name; None where nothing does."""
        ...

    def resident(self) -> int:
        """How many threads the device runs at a time."""
        ...

    def free(self) -> int:
        """How many bytes there are to be had."""
        ...


@dataclass(frozen=True)
class Placed:
    """A number or an array on the device; strides are counted in elements."""

    pointer: int
    lengths: tuple[int, ...]
    strides: tuple[int, ...]
    owner: Any


def c_contiguous(lengths: tuple[int, ...]) -> tuple[int, ...]:
    """The strides of an array in C order."""
    strides: list[int] = []
    step = 1
    for length in reversed(lengths):
        strides.append(step)
        step *= length
    return tuple(reversed(strides))


@dataclass
class Memory:
    """How much memory each thread of a kernel has needed so far.

    Attributes:
        capacity: bytes of its part of a workspace.
        local: the kernel with as much local memory, where the device has that.
        largest: bytes of local memory that are tried.
    """

    capacity: int = FIRST_CAPACITY
    local: Kernel | None = None
    largest: int = LARGEST_LOCAL


@dataclass
class Run:
    """What steps work on.

    Attributes:
        empty: makes an array of a dtype and shape, as the caller wants results: its address, and the array.
        values: what is on the device.
        numbers: those that the host knows.
    """

    driver: Driver
    stream: int
    empty: Callable[[np.dtype, tuple[int, ...]], tuple[int, Any]]
    failures: list[Failure]
    values: dict[Var, Placed] = field(default_factory=dict)
    numbers: dict[Var, Any] = field(default_factory=dict)

    def number(self, atom: Atom) -> Any:
        """A number of the host."""
        return atom.dtype.numpy.type(atom.value) if isinstance(atom, Lit) else self.numbers[atom]

    def shape(self, type: Type) -> tuple[int, ...]:
        return tuple(int(self.number(a)) for a in type.shape)

    def new(self, type: Type) -> Placed:
        return self.placed(type.dtype, self.shape(type))

    def placed(self, dtype: DType, lengths: tuple[int, ...]) -> Placed:
        """Memory for an array."""
        if any(n < 0 for n in lengths):
            raise ValueError("negative dimensions are not allowed")
        pointer, owner = self.empty(dtype.numpy, lengths)
        return Placed(pointer, lengths, c_contiguous(lengths), owner)

    def cell(self, dtype: DType, value: Any) -> Placed:
        """A number of the host's, on the device."""
        placed = self.placed(dtype, ())
        self.driver.write(placed.pointer, np.asarray(value, dtype.numpy).tobytes(), self.stream)
        return placed

    # Kernels

    def launch(self, kernel: Kernel, values: list[Any], trips: int, memory: Memory, begin: Callable[[], None]) -> None:
        """Run a kernel; raises what it fails with, and gives it more memory where it has had too little."""
        begin()
        if trips == 0:
            return
        blocks = -(-trips // BLOCK)
        if not kernel.can_fail:
            none = [ctypes.c_uint64(0), ctypes.c_uint64(0), ctypes.c_int64(0), ctypes.c_int64(trips)]
            self.driver.launch(self.driver.function(kernel), blocks, min(BLOCK, trips), [*values, *none], self.stream)
            return
        status, kept = self.driver.allocate(8 * STATUS_WORDS, self.stream)
        while True:
            self.driver.write(status, struct.pack("<3Q", 0, 0, NOBODY), self.stream)
            chosen = memory.local or kernel
            threads, workspace = self.workspace(chosen, blocks * BLOCK, memory)
            given = [ctypes.c_uint64(status), ctypes.c_uint64(workspace[0])]
            given += [ctypes.c_int64(chosen.local or memory.capacity), ctypes.c_int64(trips)]
            size = min(BLOCK, threads, trips)
            count = min(blocks, threads // size)
            try:
                self.driver.launch(self.driver.function(chosen), count, size, [*values, *given], self.stream)
            except MemoryError:
                if not chosen.local:
                    raise
                memory.local, memory.largest = None, chosen.local // 2  # there was more room when it was compiled
                continue
            reported = self.driver.read(status, 8 * STATUS_WORDS, self.stream)
            del workspace
            _, peak, first, number = struct.unpack_from("<4Q", reported)
            if first == NOBODY:
                del kept
                self.keep_local(kernel, peak, memory)
                return
            failure = self.failures[number - 1]
            if failure.error != "MemoryError" or not self.enlarge(memory):
                raise_failure(failure, reported[32:])
            begin()

    def workspace(self, kernel: Kernel, threads: int, memory: Memory) -> tuple[int, tuple[int, Any]]:
        """How many threads run, and memory for them."""
        if not kernel.allocates or kernel.local:
            return threads, (0, None)
        most = max(self.driver.free() // 2 // memory.capacity, FEWEST)
        threads = min(threads, self.driver.resident(), most)
        threads -= threads % BLOCK if threads > BLOCK else 0
        return threads, self.driver.allocate(threads * memory.capacity, self.stream)

    def enlarge(self, memory: Memory) -> bool:
        """Give each thread more memory from now on, if there is more."""
        if memory.local:
            memory.capacity = max(memory.capacity, memory.local.local)
            memory.local = None
        larger = 4 * memory.capacity
        if larger * FEWEST > self.driver.free():
            return False
        memory.capacity = larger
        return True

    def keep_local(self, kernel: Kernel, peak: int, memory: Memory) -> None:
        """Have threads use local memory from the next launch on, now that it is known how much they need."""
        if peak == 0 or memory.local:
            return
        size = rounded(peak)
        if size <= memory.largest and size * self.driver.resident() <= self.driver.free() // 4:
            memory.local = kernel.in_local_memory(size)
            self.driver.function(memory.local)


def rounded(size: int) -> int:
    """The least of 2 ** k and 3 * 2 ** k that is not smaller, so that a kernel is compiled for few sizes."""
    power = 1 << (size - 1).bit_length()
    return power * 3 // 4 if size <= power * 3 // 4 else power
