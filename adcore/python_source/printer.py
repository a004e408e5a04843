"""Printing the statements of a program as Python, equation by equation.

A value without a name of the user's that is used once is written where it is used; any other becomes a variable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from ..naming import identifier
from ..program import Equation, Program
from ..types import Atom, Lit, Var
from .control import print_cond, print_loop, print_while
from .expressions import Expression, Level, negated, union
from .messages import Shape, formatted, shape_of, tuple_text
from .separate import is_fresh_constant
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
from .writer import WIDTH, Writer, is_temporary

__all__ = ["Printer"]

_LONG = 72


class Printer:
    """Writes the statements of a function whose work is on whole arrays, as NumPy has them."""

    def __init__(self, writer: Writer, used_once: set[Var], folds: frozenset[Equation]) -> None:
        self.writer = writer
        self.used_once = used_once
        self.folds = folds

    def spelled(self, equation: Equation, x: Sequence[Expression], lengths: Sequence[Expression]) -> Expression:
        """An equation as an expression."""
        return spelled(equation, x, lengths)

    def raising(self, error: str, message: str, reported: Sequence[Expression]) -> None:
        """Raise an error whose message has fields for what is reported."""
        self.writer.emit(f"    raise {error}({formatted(message, reported)})")

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
            self.mismatch(f"{name} has the shape {{}}", shape_of(name, rank))
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
            wanted = tuple_text(n.text for n in lengths)
            writer.emit(f"if {x.text}.shape != {wanted}:")
            message = "operands could not be broadcast together with shapes {} {}"
            self.mismatch(message, shape_of(x.text, len(lengths)), (wanted, lengths))
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


_STATEMENTS: dict[str, Callable[[Printer, Equation], None]] = {
    "check": Printer.check,
    "conform": Printer.conform,
    "update": Printer.write,
    "add_at": Printer.write,
    "scatter": Printer.scatter,
    "scatter_add": Printer.scatter,
    "grow": Printer.grow,
    "loop": Printer.loop,
    "while": Printer.while_,
    "cond": Printer.cond,
    **dict.fromkeys(FACTORIZATIONS, Printer.several),
}
