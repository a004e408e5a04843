"""Printing loops and branches: which variable carries what, and the moves between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..primitives import Kind
from ..program import Equation, Program
from ..types import Atom, Var
from .buffers import stays_in_place
from .expressions import Expression, Level, negated, union
from .memory import carried
from .writer import Writer, is_temporary

__all__ = ["print_cond", "print_loop", "print_while"]

Body = Callable[[Program], None]
_BRANCHES = ("then", "otherwise")


def print_loop(writer: Writer, equation: Equation, body_of: Body) -> None:
    """`for k in range(n):`, with a variable for each carry."""
    body = equation.params["body"]
    count = writer.value(equation.operands[0])
    names = _enter(writer, equation, (body,), count.names)
    counter = body.params[0]
    name = "_"
    if writer.position.used_in(body, counter):
        name = writer.choose(counter, names, (body,))
    writer.emit(f"for {name} in range({count.text}):")
    writer.hold(name, counter)
    free = writer.protected
    writer.protected = free | {name}
    _repeat(writer, body, (body,), names, body.params[1:], body_of)
    writer.protected = free
    _leave(writer, equation, names)


def print_while(writer: Writer, equation: Equation, body_of: Body) -> None:
    """`while test:`, or `while True:` with a break where the test takes statements."""
    test, body = equation.params["test"], equation.params["body"]
    names = _enter(writer, equation, (test, body), frozenset())
    for var, name in zip((*test.params, *body.params), names * 2, strict=True):
        writer.hold(name, var, also=True)
    start, source = len(writer.lines), writer.source
    free = writer.protected
    writer.protected = free | set(names)
    writer.position.enter(test, (test, body))
    writer.depth += 1
    body_of(test)
    condition = writer.value(test.results[0])
    writer.depth -= 1
    writer.position.leave()
    writer.protected = free
    writer.source = source
    before, writer.lines = writer.lines[start:], writer.lines[:start]
    if before:
        writer.emit("while True:")
        writer.lines += before
        writer.depth += 1
        writer.emit(f"if {negated(condition).text}:")
        writer.emit("    break")
        writer.depth -= 1
    else:
        writer.emit(f"while {condition.text}:")
    _repeat(writer, body, (test, body), names, body.params, body_of)
    _leave(writer, equation, names)


def _enter(writer: Writer, equation: Equation, inner: tuple[Program, ...], avoid: frozenset[str]) -> list[str]:
    """Choose a variable for each carry and give it its initial value."""
    inits, params = carried(equation)
    writer.settle(keep=inits)
    names: list[str] = []
    for j, (init, param) in enumerate(zip(inits, params, strict=True)):
        if _is_in_buffer(writer, equation, j, init, {*avoid, *names}):
            names.append(str(writer.variable(init)))
        else:
            names.append(_carry_name(writer, init, param, equation.outs[j], inner, {*avoid, *names}))
    pairs = []
    for j, (init, name) in enumerate(zip(inits, names, strict=True)):
        value = writer.value(init)
        if writer.storage.copies(equation, j):
            value = union(f"{value.within(Level.ATOM)}.copy()", value)
        pairs.append((name, value))
    writer.moves(pairs)
    return names


def _is_in_buffer(writer: Writer, equation: Equation, j: int, init: Atom, avoid: set[str]) -> bool:
    """Whether a loop writes in place into an array that is there for all iterations of a loop around it."""
    name, body = writer.variable(init), equation.params["body"]
    if name not in writer.buffers or name in avoid or writer.storage.copies(equation, j):
        return False
    return stays_in_place(writer.storage, body, body.results[j], carried(equation)[1][j])


def _carry_name(writer: Writer, init: Atom, param: Var, out: Var, inner: Sequence[Program], avoid: set[str]) -> str:
    """The variable aimed at, that of the initial value if it is not needed otherwise, or one of the carry's name."""
    wanted, held = writer.targets.get(out), writer.variable(init)
    named = held is not None and (is_temporary(param.name) or not is_temporary(held))
    for name in (wanted, held if named else None):
        if name is not None and name not in avoid and writer.may_hold(name, param, inner):
            return name
    return writer.choose(param, avoid, inner)


def _repeat(
    writer: Writer,
    body: Program,
    inner: tuple[Program, ...],
    names: Sequence[str],
    params: Sequence[Var],
    body_of: Body,
) -> None:
    writer.position.enter(body, inner)
    for param, name in zip(params, names, strict=True):
        writer.hold(name, param)
    _nested(writer, body, names, body_of)
    writer.position.leave()


def _nested(writer: Writer, region: Program, names: Sequence[str], body_of: Body) -> None:
    """A region's statements, then its results moved into the variables that stand for them."""
    start = len(writer.lines)
    writer.depth += 1
    own = {v for e in region.equations for v in e.outs}
    for result, name in zip(region.results, names, strict=True):
        if isinstance(result, Var) and result in own:
            writer.targets.setdefault(result, name)
    body_of(region)
    writer.position.frames[-1].index = len(region.equations)
    values: dict[Atom, Expression] = {}
    for result in region.results:
        if result not in values:
            values[result] = writer.value(result)
    writer.moves([(name, values[r]) for name, r in zip(names, region.results, strict=True)])
    if len(writer.lines) == start:
        writer.emit("pass")
    writer.depth -= 1


def _leave(writer: Writer, equation: Equation, names: Sequence[str]) -> None:
    for out, name in zip(equation.outs, names, strict=True):
        writer.hold(name, out)


def print_cond(writer: Writer, equation: Equation, body_of: Body) -> None:
    """`if p: ... else: ...`, with a variable for each result; an empty branch is left out."""
    condition = writer.value(equation.operands[0])
    then, otherwise = (equation.params[branch] for branch in _BRANCHES)
    writer.settle()
    names: list[str] = []
    for out, *results in zip(equation.outs, then.results, otherwise.results, strict=True):
        names.append(_branch_name(writer, equation, out, dict(zip(_BRANCHES, results, strict=True)), names))
    held = writer.snapshot()
    writer.emit(f"if {condition.text}:")
    at = len(writer.lines) - 1
    _branch(writer, then, names, body_of)
    writer.restore(held)
    middle = len(writer.lines)
    _branch(writer, otherwise, names, body_of)
    writer.restore(held)
    _tidy(writer, at, middle, condition)
    _leave(writer, equation, names)


def _branch_name(writer: Writer, equation: Equation, out: Var, results: dict[str, Atom], avoid: Sequence[str]) -> str:
    """The variable aimed at, one that a branch leaves as it is or writes in place, or one of the result's name."""
    held = [writer.variable(_origin(equation.params[branch], r)) for branch, r in results.items()]
    for name in (writer.targets.get(out), *held):
        if name is not None and name not in avoid and writer.may_hold(name, out):
            return name
    return writer.choose(out, avoid)


def _origin(region: Program, atom: Atom) -> Atom:
    """The value outside the region whose array a result is, after writes and loops."""
    for equation in reversed(region.equations):
        for j, out in enumerate(equation.outs):
            if out is not atom:
                continue
            if equation.primitive.name in ("loop", "while"):
                atom = carried(equation)[0][j]
            elif equation.primitive.kind is Kind.WRITE:
                atom = equation.operands[0]
    return atom


def _branch(writer: Writer, region: Program, names: Sequence[str], body_of: Body) -> None:
    writer.position.enter(region)
    _nested(writer, region, names, body_of)
    writer.position.leave()


def _tidy(writer: Writer, at: int, middle: int, condition: Expression) -> None:
    """Leave out an empty branch."""
    indent = "    " * writer.depth
    nothing = [f"{indent}    pass"]
    first, second = writer.lines[at + 1 : middle], writer.lines[middle:]
    head = writer.lines[at]
    if second == nothing:
        second = []
    elif first == nothing:
        head = head.replace(f"if {condition.text}:", f"if {negated(condition).text}:", 1)
        first, second = second, []
    writer.lines[at:] = [head, *first, *([f"{indent}else:", *second] if second else [])]
