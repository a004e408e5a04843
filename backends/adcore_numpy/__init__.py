"""The reference backend: a Program means what its rows' NumPy meanings say, equation by equation.

Nothing here is fast.  Every other backend, and every derivative, is tested against it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adcore.arguments import serves
from adcore.nonfinite import Origin, Traced
from adcore.outcomes import rebuilt
from adcore.plugins import Capture, Executable, Guard, Spec, Write
from adcore.program import Program
from adcore.threads import Sharing
from adcore.trees import flatten
from adcore.verify import verify

from .interpreter import interpret
from .tracing import trace

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

    def trace(
        self, program: Program, arguments: Sequence[Any], known: Sequence[Any] = (), before: Sequence[Origin] = ()
    ) -> Traced:
        """The results of a program, and where numbers that are not finite come from (see `tracing`)."""
        return trace(program, arguments, known, before)

    def entry(
        self,
        program: Program,
        inputs: tuple[Any, ...],
        result: Any,
        name: str,
        guards: tuple[Guard, ...] = (),
        writes: tuple[Write, ...] = (),
        sharing: Sharing | None = None,
    ) -> Interpreted:
        """The program for the user's own call, interpreted: by one thread, whatever is shared out elsewhere."""
        verify(program)
        return Interpreted(program, inputs, result, name, guards, writes)


class Interpreted:
    """A program that is interpreted at every call."""

    def __init__(
        self,
        program: Program,
        inputs: tuple[Any, ...],
        result: Any,
        name: str,
        guards: tuple[Guard, ...],
        writes: tuple[Write, ...],
    ) -> None:
        self._program = program
        self._leaves, self._tree = flatten(tuple(i for i in inputs if not isinstance(i, Capture)))
        self._captures = tuple(i for i in inputs if isinstance(i, Capture))
        self._result = result
        self._name = name
        self._guards = guards
        self._writes = writes

    def function(self, fallback: Callable[..., Any]) -> Callable[..., Any]:
        """A callable of arguments like the inputs; anything else goes to the fallback."""

        def call(*arguments: Any, **keywords: Any) -> Any:
            given, tree = flatten(arguments)
            if keywords or tree != self._tree or not all(map(serves, self._leaves, given)):
                return fallback(*arguments, **keywords)
            if not all(g.holds() for g in self._guards):
                return fallback(*arguments, **keywords)
            numbers = (v for v, leaf in zip(given, self._leaves, strict=True) if isinstance(leaf, Spec))
            values = (*numbers, *(c.read() for c in self._captures))
            results = interpret(self._program, values)
            for write in self._writes:
                if write.result is not None:
                    values[write.param][...] = results[write.result]
            return rebuilt(self._result, results)

        call.__name__ = self._name
        return call
