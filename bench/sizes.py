"""How large derivatives of derivatives are, in adcore and in JAX: the problems of the suite `repeated`.

    python -m bench.sizes

Equations are those that the derivative consists of before the machine's compiler (LLVM, XLA) sees it, all that its
loops contain included: of adcore's Program, of JAX's jaxpr.  XLA's instructions are those of its optimized module.
"""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory
from typing import Any

from adcore_llvm import LLVMBackend
from rich.console import Console
from rich.table import Table

from adcore import program
from adcore.program import Program, regions
from bench import peers
from bench.repeated import ORDERS, derivative, ported, problems

__all__ = ["main"]


def equations(found: Program) -> int:
    """Those of a program and of its regions."""
    return sum(1 + sum(equations(region) for _, region in regions(e)) for e in found.equations)


def of_ours(transformed: Any, at: Any) -> tuple[int, int]:
    """The equations of a derivative, and the bytes of the object file that its machine code is."""
    found = program(transformed, at)
    portable = LLVMBackend().flat(found).portable
    assert portable is not None
    return equations(found), len(portable.code)


def of_theirs(function: Any, at: Any) -> tuple[int, int]:
    """The equations of a jaxpr, and the instructions of XLA's optimized module."""
    jax = peers.jax()
    text = jax.jit(function).lower(at).compile().as_text()
    return _jaxpr_equations(jax.make_jaxpr(function)(at).jaxpr), text.count(" = ")


def _jaxpr_equations(jaxpr: Any) -> int:
    """Those of a jaxpr and of what its control flow contains; calls count by what they call."""
    total = 0
    for equation in jaxpr.eqns:
        inner = [getattr(part, "jaxpr", part) for value in equation.params.values() for part in _parts(value)]
        inner = [part for part in inner if hasattr(part, "eqns")]
        total += sum(map(_jaxpr_equations, inner)) + (equation.primitive.name not in ("jit", "pjit", "custom_jvp_call"))
    return total


def _parts(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def main() -> None:
    """Print the table."""
    with TemporaryDirectory() as folder:  # where code can be kept, it is known how long it is
        os.environ.update(ADCORE_CACHE="1", ADCORE_CACHE_DIR=folder)
        Console().print(_table())


def _table() -> Table:
    """A row for each derivative."""
    table = Table("derivative", "adcore: equations", "machine code", "JAX: equations", "XLA: instructions")
    for name, at, along in problems():
        for order, what in ORDERS.items():
            ours = of_ours(derivative(name, order, along), at)
            theirs = of_theirs(ported(name, order, along), at)
            table.add_row(f"{what} of {name}", str(ours[0]), f"{ours[1] / 1000:.1f} kB", *map(str, theirs))
    return table


if __name__ == "__main__":
    main()
