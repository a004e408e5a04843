"""The default backend: Programs to machine code through LLVM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adcore.native.plans import Library, Native, Target
from adcore.plugins import Guard, Kernel, Portable, Write
from adcore.program import Program
from adcore.threads import Sharing

from . import memory, symbols
from .engine import described, optimized_assembly, start
from .entry import emit_module
from .executable import Compiled, Function, compiled, flat_inputs, flat_result
from .exports import library_of
from .kernels import emit_kernel
from .pointers import LoadedPointer

if TYPE_CHECKING:
    from .cuda.device import CudaDevice

__all__ = ["LLVMBackend"]


def _refuse(*_: Any, **__: Any) -> Any:
    raise TypeError("compiled program called with other arguments than it was compiled for")


class LLVMBackend:
    """Compiles Programs for this machine's processor."""

    def __init__(self) -> None:
        start()

    def prepare(self) -> None:
        """Load the allocator, which is compiled once on a machine."""
        memory.provide()

    def compile(self, program: Program) -> Function:
        """A function of flat arguments, one a parameter, that gives the tuple of results."""
        return self.flat(program).function(_refuse)

    def flat(self, program: Program, sharing: Sharing | None = None) -> Compiled:
        """The entry of such a function."""
        return self.entry(program, flat_inputs(program), flat_result(program), program.name, sharing=sharing)

    def entry(
        self,
        program: Program,
        inputs: tuple[Any, ...],
        result: Any,
        name: str,
        guards: tuple[Guard, ...] = (),
        writes: tuple[Write, ...] = (),
        sharing: Sharing | None = None,
    ) -> Compiled:
        """A program compiled for the user's own call.

        The inputs are structures of arguments, then captures.  These are read, and guards tested, at every call;
        results come in the structure `result`, and those of `writes` in the arguments' own memory.
        """
        return compiled(program, inputs, result, name, guards, writes, sharing)

    def restored(self, portable: Portable, name: str) -> Compiled:
        """What `entry` gave in another process that had the same description."""
        return Compiled(portable, name)

    def kernel(self, program: Program, name: str) -> Kernel:
        """A program as a function of the C calling convention; `adcore_llvm.kernels` says how it is called."""
        return emit_kernel(program, name)

    def pointer(self, native: Native) -> LoadedPointer:
        """A C function in this process, which any number of threads can call at once."""
        return LoadedPointer(native)

    def library(self, functions: Sequence[Native], name: str, target: Target) -> Library:
        """C functions for other programs; `<name>_release` gives back what they allocate."""
        return library_of(functions, name, target)

    def provide(self, kernel: Kernel) -> None:
        """Let this process find what the module of a kernel refers to."""
        symbols.provide(kernel.needs)

    def device(self, name: str) -> CudaDevice:
        """The device of that name: "cuda", or "cuda:atomics".

        Raises:
            ValueError: another name.
            DeviceError: this machine has no such device, or a package is missing.
        """
        from .cuda.device import device  # which few processes need

        return device(name)

    def description(self) -> tuple[str, ...]:
        """What machine code depends on beside the program."""
        return described()

    def assembly(self, program: Program, optimized: bool = False) -> str:
        """The LLVM assembly of a program, to read."""
        module = emit_module(program, flat_inputs(program), flat_result(program))
        return optimized_assembly(module.text) if optimized else module.text
