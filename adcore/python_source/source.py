"""A program as the source of a Python function."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from ..passes.element_loops import in_element_loops
from ..program import Equation, Program
from ..types import Var
from .liveness import reads
from .loops import PRINTED, rows_called, running_folds
from .loops_printer import LoopsPrinter
from .printer import Printer
from .separate import separated
from .storage import Storage
from .writer import Writer, function_name

__all__ = ["Form", "to_python"]

Form = Literal["arrays", "loops"]
_IMPORTS = (
    ("import math", "math."),
    ("import numpy as np", "np."),
    ("from adcore import factorizations", "factorizations."),
    ("from scipy import special", "special."),
    ("from adcore.primitives import TABLE", "TABLE["),
)
_SPAN = '''def span(start, length, step):
    """The slice of `length` elements from `start`, where the step may be negative."""
    stop = start + length * step
    return slice(start, stop if stop >= 0 else None, step) if length else slice(0, 0)
'''


def to_python(program: Program, form: Form = "arrays") -> str:
    """The source of a Python function that computes what the program means.

    Work on whole arrays is written for NumPy, or in the form "loops" as loops over their elements, for Numba.  It takes
    the program's parameters and gives its results: one value bare, several as a tuple.  Arguments must have
    the parameters' dtypes; scalars may be Python's.  Writes go in place where the old array is not read again, and
    never into an argument.

    >>> from adcore.builder import Builder
    >>> from adcore.types import F64
    >>> x = Var(F64, "x")
    >>> b = Builder()
    >>> y = b.add(b.mul(2.0, b.sin(x)), 1.0)
    >>> print(to_python(Program((x,), b.equations, (y,), "f")), end="")
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def f(x):
        return 2.0 * np.sin(x) + 1.0
    """
    in_loops = form == "loops"
    program = separated(in_element_loops(program) if in_loops else program)
    folds = running_folds(program) if in_loops else frozenset()
    called = sorted({*rows_called(program, folds), *PRINTED}) if in_loops else []
    function = function_name(program.name, called)
    writer = Writer(Storage(program), function, called, typed=in_loops)
    printer = (LoopsPrinter if in_loops else Printer)(writer, _used_once(program), folds)
    names = printer.parameters(program)
    printer.equations(program)
    printer.results(program)
    head = f"def {function}({', '.join(names)}):"
    body = "\n".join([head, *writer.lines]) + "\n"
    parts = [_SPAN] if "span(" in body else []
    imports = [line for line, used in _IMPORTS if used in body]
    called = [name for name in called if re.search(rf"(?<![\w.]){name}\(", body)]
    if called:
        imports.append("\n".join(_imports_of_ours(called)))
    gap = "\n\n\n" if imports else ""
    return "\n\n".join(imports) + gap + "\n\n".join([*parts, body])


def _imports_of_ours(called: Sequence[str]) -> Iterator[str]:
    rows = [name for name in called if name not in PRINTED]
    for module, names in (("printed", [name for name in called if name in PRINTED]), ("rows", rows)):
        if names:
            yield f"from adcore.{module} import {', '.join(names)}"


def _used_once(program: Program) -> set[Var]:
    """Values with one use, in the region that defines them."""
    counts: Counter[Var] = Counter()
    local: set[Var] = set()

    def visit(region: Program) -> None:
        own = {v for e in region.equations for v in e.outs}
        direct = [a for a in region.results if isinstance(a, Var)]
        for equation in region.equations:
            shallow = Equation(equation.primitive, equation.operands, _static(equation), equation.outs)
            direct += reads(shallow)
            for value in equation.params.values():
                if isinstance(value, Program):
                    visit(value)
        counts.update(direct)
        local.update(own.intersection(direct))

    visit(program)
    return {v for v in local if counts[v] == 1}


def _static(equation: Equation) -> dict[str, object]:
    return {k: v for k, v in equation.params.items() if not isinstance(v, Program)}
