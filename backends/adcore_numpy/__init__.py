"""The reference backend: a Program means what its rows' NumPy meanings say, equation by equation.

Nothing here is fast.  Every other backend, and every derivative, is tested against it.
"""

from __future__ import annotations

from typing import Any

from adcore.plugins import Executable
from adcore.program import Program
from adcore.verify import verify

from .interpreter import interpret

__all__ = ["NumPyBackend", "interpret"]


class NumPyBackend:
    """The `adcore.backends` plugin named `numpy`."""

    def compile(self, program: Program) -> Executable:
        """A function of the program's flat arguments that interprets it.

        Raises:
            VerifyError: the program is not well formed.
        """
        verify(program)

        def run(*arguments: Any) -> tuple[Any, ...]:
            return interpret(program, arguments)

        return run
