"""The backend for Numba: Programs printed as Python source of loops, compiled with `numba.njit`.

Numba takes about a second to import, so that only those who compile import it.  And Numba imports this package wherever
it compiles anything, so that nothing of adcore is imported here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adcore.printed import Function
    from adcore.program import Program
    from adcore.rows import Row

    from .compiling import Printed

__all__ = ["NumbaBackend"]


class NumbaBackend:
    """Compiles Programs by way of the source that a person reads."""

    def compile(self, program: Program) -> Printed:
        """A function of flat arguments, one a parameter, that gives the tuple of results.

        Raises:
            MissingRuleError: the program calls Python.
        """
        from .compiling import compiled

        return compiled(program)

    def row_type(self, row: Row) -> Any:
        """What Numba takes a function of `adcore.rows` for."""
        from .rows import row_type

        return row_type(row)

    def function_type(self, function: Function) -> Any:
        """What Numba takes a function of `adcore.printed` for."""
        from .functions import function_type

        return function_type(function)
