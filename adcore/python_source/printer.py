"""Printing a program as a Python function, equation by equation.

A value without a name of the user's that is used once is written where it is used; any other becomes a variable.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from ..naming import identifier
from ..passes.element_loops import in_element_loops
from ..program import Equation, Program
from ..types import Atom, Lit, Var
from .buffers import buffers_of
from .control import print_cond, print_loop, print_while
from .expressions import Expression, Level, negated, union
from .liveness import reads
from .loops import PRINTED, rows_called, running_folds, spelled_in_loops
from .separate import is_fresh_constant, separated
from .spelling import (
    FACTORIZATIONS,
    as_region_value,
    elements_and_places,
    factorized,
    shape_text,
    spelled,
    subscript,
    whole_axes,
)
from .storage import Storage
from .writer import WIDTH, Writer, function_name, is_temporary

__all__ = ["Form", "to_python"]

_LONG = 72
_SHORT = 30  # of longer tuples Python's compiler makes lists first, which Numba takes if the elements are variables
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


Form = Literal["arrays", "loops"]
Shape = tuple[str, Sequence[Expression]]  # the text of a shape, and its lengths


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
    printer = (_LoopsPrinter if in_loops else _Printer)(writer, _used_once(program), folds)
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


class _Printer:
    def __init__(self, writer: Writer, used_once: set[Var], folds: frozenset[Equation]) -> None:
        self.writer = writer
        self.used_once = used_once
        self.folds = folds

    def spelled(self, equation: Equation, x: Sequence[Expression], lengths: Sequence[Expression]) -> Expression:
        """An equation as an expression."""
        return spelled(equation, x, lengths)

    def raising(self, error: str, message: str, reported: Sequence[Expression]) -> None:
        """Raise an error whose message has fields for what is reported."""
        self.writer.emit(f"    raise {error}({_formatted(message, reported)})")

    def mismatch(self, message: str, *shapes: Shape) -> None:
        """Raise an error about shapes."""
        self.raising("ValueError", message, [Expression(whole) for whole, _ in shapes])

    # The function

    def parameters(self, program: Program) -> list[str]:
        """Name the parameters, and read the lengths that are used off their shapes."""
        writer = self.writer
        writer.position.enter(program)
        names = []
        for param in program.params:
            names.append(writer.unused(identifier(param.name)))
            writer.hold(names[-1], param)
        shared = Counter(n for p in program.params for n in p.type.shape)
        for param, name in zip(program.params, names, strict=True):
            for axis, length in enumerate(param.type.shape):
                if isinstance(length, Lit) or shared[length] > 1 or writer.position.used_in(program, length):
                    self.length(length, axis, name, param.type.rank)
        return names

    def length(self, length: Atom, axis: int, name: str, rank: int) -> None:
        writer, text = self.writer, f"{name}.shape[{axis}]"
        if isinstance(length, Lit) or writer.variable(length):
            writer.emit(f"if {text} != {writer.value(length).text}:")
            self.mismatch(f"{name} has the shape {{}}", _shape_of(name, rank))
        else:
            writer.assign(length, Expression(text))

    def results(self, program: Program) -> None:
        writer = self.writer
        taken: set[Var] = set()
        texts = []
        for atom in program.results:
            value = writer.value(atom)
            if isinstance(atom, Var) and atom.type.shape:
                root = writer.storage.root(atom)
                fresh = writer.storage.is_own(atom) and root not in taken
                taken.add(root)
                value = value if fresh else union(f"{value.within(Level.ATOM)}.copy()", value)
            texts.append(value.text)
        writer.source = None
        line = f"return {', '.join(texts)}" if texts else "return ()"
        if len(line) + 4 <= WIDTH:
            writer.emit(line)
            return
        comma = "," if len(texts) > 1 else ""
        for line in ("return (", *(f"    {text}{comma}" for text in texts), ")"):
            writer.emit(line)

    # Equations

    def equations(self, region: Program) -> None:
        """Print a region's equations, in the frame that stands for it."""
        frame = self.writer.position.frames[-1]
        for index, equation in enumerate(region.equations):
            frame.index = index
            self.writer.source = equation.source
            special = _STATEMENTS.get(equation.primitive.name)
            if special is not None:
                special(self, equation)
            else:
                self.expression(equation)

    def expression(self, equation: Equation) -> None:
        (out,) = equation.outs
        value = self.composed(equation)
        if out in self.used_once and (is_temporary(out.name) or is_fresh_constant(equation)):
            self.writer.defer(out, value)
        else:
            self.writer.assign(out, value)

    def several(self, equation: Equation) -> None:
        """One call that gives several results."""
        writer = self.writer
        value = self.call(equation, [writer.value(a) for a in equation.operands])
        names: list[str] = []
        for out in equation.outs:
            names.append(writer.choose(out, avoid=names))
        writer.settle(names=set(names))
        writer.emit(f"{', '.join(names)} = {value.text}")
        for name, out in zip(names, equation.outs, strict=True):
            writer.hold(name, out, numpy=not out.type.shape)

    def call(self, equation: Equation, x: Sequence[Expression]) -> Expression:
        return factorized(equation, x)

    def composed(self, equation: Equation) -> Expression:
        """The equation as one expression, of which parts are written down first where it would grow too long."""
        writer = self.writer
        pending = [a for a in dict.fromkeys(equation.operands) if isinstance(a, Var) and writer.is_pending(a)]
        parts = {a: writer.value(a) for a in equation.operands}
        lengths = [writer.value(n) for n in equation.outs[0].type.shape] if equation.primitive.name == "expand" else ()
        if not lengths:
            lengths = [Expression("?")] * equation.outs[0].type.rank
        value = self.spelled(equation, [parts[a] for a in equation.operands], lengths)
        while len(value.text) > _LONG and pending:
            longest = max(pending, key=lambda a: len(parts[a].text))
            pending.remove(longest)
            parts[longest] = writer.write_down(longest, parts[longest])
            value = self.spelled(equation, [parts[a] for a in equation.operands], lengths)
        return value

    def check(self, equation: Equation) -> None:
        condition, *reported = (self.writer.value(a) for a in equation.operands)
        error, message = equation.params["error"], equation.params["message"]
        self.writer.emit(f"if {negated(condition).text}:")
        error = "np.linalg.LinAlgError" if error == "LinAlgError" else error
        self.raising(error, message, reported)

    def conform(self, equation: Equation) -> None:
        """The array itself, after a look at its shape."""
        writer, (out,) = self.writer, equation.outs
        x, *lengths = (writer.value(a) for a in equation.operands)
        if equation.params["checked"]:
            if writer.variable(equation.operands[0]) is None and isinstance(equation.operands[0], Var):
                x = writer.write_down(equation.operands[0], x)
            wanted = _tuple(n.text for n in lengths)
            writer.emit(f"if {x.text}.shape != {wanted}:")
            message = "operands could not be broadcast together with shapes {} {}"
            self.mismatch(message, _shape_of(x.text, len(lengths)), (wanted, lengths))
        if writer.variable(equation.operands[0]) is None:
            writer.assign(out, x)
        else:
            writer.hold(x.text, out, also=True)

    def write(self, equation: Equation) -> None:
        """`x[i] = v` or `x[i] += v`, of the same array or of a copy."""
        operator = "+=" if equation.primitive.name == "add_at" else "="
        index_parts = [self.writer.value(a) for a in equation.operands[2:]]
        index = subscript(equation.params["codes"], index_parts, whole_axes(equation, 2))
        name, value = self.target(equation, index_parts)
        self.writer.emit(f"{name}[{index}] {operator} {value.text}")

    def scatter(self, equation: Equation) -> None:
        """`x[i] = v` or `np.add.at(x, i, v)` with index arrays."""
        parts = [self.writer.value(a) for a in equation.operands[2:]]
        name, value = self.target(equation, parts)
        elements, places = elements_and_places(
            Expression(name), equation.params["codes"], parts, whole_axes(equation, 2)
        )
        if equation.primitive.name == "scatter":
            self.writer.emit(f"{elements.text}[{places}] = {value.text}")
            return
        places = f"({places})" if equation.params["codes"].count("a") > 1 else places
        self.writer.emit(f"np.add.at({elements.text}, {places}, {value.text})")

    def target(self, equation: Equation, index_parts: Sequence[Expression]) -> tuple[str, Expression]:
        """The variable that a write changes, which the result is from now on, and the value written."""
        writer, (out,) = self.writer, equation.outs
        x_atom, v_atom = equation.operands[:2]
        if isinstance(x_atom, Var):
            writer.settle(storage=writer.storage.root(x_atom), keep=equation.operands)
        name = writer.variable(x_atom)
        x, v = writer.value(x_atom), as_region_value(writer.value(v_atom), v_atom.type)
        if name is None or writer.storage.copies(equation):
            if writer.storage.copies(equation):
                x = union(f"{x.within(Level.ATOM)}.copy()", x)
            avoid = union("", v, *index_parts).names - {name}
            name = writer.assign(out, x, avoid)
        else:
            writer.hold(name, out, also=True)
        return name, v

    def grow(self, equation: Equation) -> None:
        """A new array with what fits of the old one."""
        writer, (out,) = self.writer, equation.outs
        x_atom, capacity_atom = equation.operands
        x, capacity = writer.value(x_atom), writer.value(capacity_atom)
        if writer.variable(x_atom) is None and isinstance(x_atom, Var):
            x = writer.write_down(x_atom, x)
        shape = shape_text([capacity, *(Expression(f"{x.text}.shape[{a}]") for a in range(1, out.type.rank))])
        new = union(f"np.zeros({shape}, dtype={x.text}.dtype)", x, capacity)
        name = writer.assign(out, new, avoid=x.names | capacity.names)
        writer.emit(f"{name}[:len({x.text})] = {x.text}[:{capacity.text}]")

    def before_loop(self, equation: Equation) -> None:
        """Write the statements that stand in front of a loop."""

    def loop(self, equation: Equation) -> None:
        self.before_loop(equation)
        print_loop(self.writer, equation, self.equations)

    def while_(self, equation: Equation) -> None:
        self.before_loop(equation)
        print_while(self.writer, equation, self.equations)

    def cond(self, equation: Equation) -> None:
        print_cond(self.writer, equation, self.equations)


class _LoopsPrinter(_Printer):
    """For programs whose arithmetic is on scalars, in the Python that Numba compiles."""

    def __init__(self, writer: Writer, used_once: set[Var], folds: frozenset[Equation]) -> None:
        super().__init__(writer, used_once, folds)
        self.buffers = buffers_of(writer.storage.program, writer.storage)

    def before_loop(self, equation: Equation) -> None:
        """Make the arrays that the iterations use one after the other."""
        writer = self.writer
        for array in self.buffers.get(equation, ()):
            (out,) = array.outs
            name = writer.unused(identifier(out.name))
            writer.emit(f"{name} = {self.composed(array).text}")
            writer.hold(name, out)
            writer.buffers.add(name)

    def expression(self, equation: Equation) -> None:
        if self.writer.variable(equation.outs[0]) not in self.writer.buffers:
            super().expression(equation)

    def spelled(self, equation: Equation, x: Sequence[Expression], lengths: Sequence[Expression]) -> Expression:
        return spelled_in_loops(equation, x, lengths, self.folds)

    def call(self, equation: Equation, x: Sequence[Expression]) -> Expression:
        return spelled_in_loops(equation, x, (), self.folds)

    def results(self, program: Program) -> None:
        if len(program.results) > _SHORT:
            self.writer.settle()
        super().results(program)

    def raising(self, error: str, message: str, reported: Sequence[Expression]) -> None:
        if any(field is not None for _, field, _, _ in string.Formatter().parse(message)):
            arguments = [error, _quoted(message), *(x.text for x in reported)]
            self.writer.emit(f"    raise Failure({', '.join(arguments)})")
        else:
            super().raising(error, message, reported)

    def mismatch(self, message: str, *shapes: Shape) -> None:
        fields = (_tuple(["{}"] * len(lengths), ",") for _, lengths in shapes)
        self.raising("ValueError", message.format(*fields), [n for _, lengths in shapes for n in lengths])


_STATEMENTS: dict[str, Callable[[_Printer, Equation], None]] = {
    "check": _Printer.check,
    "conform": _Printer.conform,
    "update": _Printer.write,
    "add_at": _Printer.write,
    "scatter": _Printer.scatter,
    "scatter_add": _Printer.scatter,
    "grow": _Printer.grow,
    "loop": _Printer.loop,
    "while": _Printer.while_,
    "cond": _Printer.cond,
    **dict.fromkeys(FACTORIZATIONS, _Printer.several),
}


def _shape_of(array: str, rank: int) -> Shape:
    return f"{array}.shape", [Expression(f"{array}.shape[{axis}]") for axis in range(rank)]


def _tuple(texts: Iterable[str], comma: str = ", ") -> str:
    items = list(texts)
    return f"({comma.join(items)}{',' * (len(items) == 1)})"


def _formatted(message: str, values: Sequence[Expression]) -> str:
    """A message with its fields filled in, as an f-string where it has any."""
    text, fields, automatic = "", False, iter(range(len(values)))
    for literal_text, field, spec, conversion in string.Formatter().parse(message):
        text += _escaped(literal_text)
        if field is None:
            continue
        fields = True
        value = values[int(field) if field else next(automatic)]
        text += "\0" + value.within(Level.OR) + (f"!{conversion}" if conversion else "")
        text += (f":{spec}" if spec else "") + "\1"
    if fields:
        text = text.replace("{", "{{").replace("}", "}}").replace("\0", "{").replace("\1", "}")
    return f'f"{text}"' if fields else f'"{text}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'
