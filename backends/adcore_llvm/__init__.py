"""The default backend: Programs to machine code through LLVM."""

from __future__ import annotations

from typing import Any

from adcore.plugins import Guard, Write
from adcore.program import Program

from .engine import optimized_assembly, prepare
from .entry import emit_module
from .executable import Compiled, Function, flat_inputs, flat_result

__all__ = ["LLVMBackend"]


def _refuse(*_: Any, **__: Any) -> Any:
    raise TypeError("compiled program called with other arguments than it was compiled for")


class LLVMBackend:
    """Compiles Programs for this machine's processor."""

    def __init__(self) -> None:
        prepare()

    def compile(self, program: Program) -> Function:
        """A function of flat arguments, one a parameter, that gives the tuple of results."""
        return self.entry(program, flat_inputs(program), flat_result(program), program.name).function(_refuse)

    def entry(
        self,
        program: Program,
        inputs: tuple[Any, ...],
        result: Any,
        name: str,
        guards: tuple[Guard, ...] = (),
        writes: tuple[Write, ...] = (),
    ) -> Compiled:
        """A program compiled for the user's own call.

        The inputs are structures of arguments, then captures.  These are read, and guards tested, at every call;
        results come in the structure `result`, and those of `writes` in the arguments' own memory.
        """
        return Compiled(program, inputs, result, name, guards, writes)

    def assembly(self, program: Program, optimized: bool = False) -> str:
        """The LLVM assembly of a program, to read."""
        module = emit_module(program, flat_inputs(program), flat_result(program), _refuse)
        return optimized_assembly(module.text) if optimized else module.text
