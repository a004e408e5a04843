"""Arrays of which only single elements are read, replaced by these elements.

    z = a + b                    x = a[0] + b[0]
    c = update(z, 0, 1:)   ->
    x = c[0]

The dual of a write clears what is overwritten, and where that was one element of an array, only one element of the
cotangent is wanted afterwards.
"""

from __future__ import annotations

from ..builder import Builder
from ..primitives import Kind
from ..program import Equation, Program, regions, uses
from ..recomputation import rename
from ..types import Atom, DType, Var, literal

__all__ = ["read_elements"]

Index = tuple[Atom, ...]


def read_elements(program: Program) -> Program:
    """Replace the arrays, at any depth and in place.  Valid in, valid out; results unchanged."""
    for equation in program.equations:
        for _, region in regions(equation):
            read_elements(region)
    wanted = _wanted(program)
    if wanted:
        _replace(program, wanted)
    return program


def _wanted(program: Program) -> dict[Var, dict[Index, None]]:
    """The arrays to replace, and the indices at which each is read."""
    definitions = {out: e for e in program.equations for out in e.outs}
    wanted: dict[Var, dict[Index, None]] = {}
    whole = {r for r in program.results if isinstance(r, Var)}
    for equation in reversed(program.equations):
        indices = wanted.get(equation.outs[0]) if equation.outs else None
        if indices is not None and (equation.outs[0] in whole or not _is_replaceable(equation, definitions)):
            del wanted[equation.outs[0]]
            indices = None
        if indices is not None:
            for operand in equation.operands:
                if isinstance(operand, Var) and operand.type.shape == equation.outs[0].type.shape:
                    wanted.setdefault(operand, {}).update(indices)
        elif _is_element(equation) and definitions.keys().isdisjoint(equation.operands[1:]):
            # an index that is defined here may not be there yet where the array is
            source = equation.operands[0]
            assert isinstance(source, Var)
            wanted.setdefault(source, {})[equation.operands[1:]] = None
        else:
            whole.update(uses(equation))
    made = {e.outs[0] for e in program.equations if e.outs and e.outs[0] in wanted and e.outs[0] not in whole}
    return {var: indices for var, indices in wanted.items() if var in made}


def _is_element(equation: Equation) -> bool:
    return equation.primitive.name == "view" and not equation.outs[0].type.shape


def _is_replaceable(equation: Equation, definitions: dict[Var, Equation]) -> bool:
    """Whether an element of the result follows from scalars and the same elements of the operands."""
    if equation.primitive.kind is Kind.ELEMENTWISE:
        return True
    if equation.primitive.name == "expand":
        return not equation.operands[0].type.shape
    if equation.primitive.name != "update" or _scalar(equation.operands[1], definitions) is None:
        return False
    scalars = iter(equation.operands[2:])
    steps = [[next(scalars) for _ in range({"i": 1, "s": 3}.get(code, 0))][-1:] for code in equation.params["codes"]]
    return all(step == [literal(1)] for code, step in zip(equation.params["codes"], steps, strict=True) if code == "s")


def _scalar(atom: Atom, definitions: dict[Var, Equation]) -> Atom | None:
    """The number that all elements are."""
    if not atom.type.shape:
        return atom
    made = definitions.get(atom) if isinstance(atom, Var) else None
    found = made.operands[0] if made is not None and made.primitive.name == "expand" else None
    return found if found is not None and not found.type.shape else None


def _replace(program: Program, wanted: dict[Var, dict[Index, None]]) -> None:
    b = Builder()
    definitions = {out: e for e in program.equations for out in e.outs}
    elements: dict[Index, Atom] = {}  # by the array followed by the index
    env: dict[Var, Atom] = {}
    for equation in program.equations:
        rename([equation], (), env)
        out = equation.outs[0] if equation.outs else None
        with b.at(equation.source):
            if out in wanted:
                for index in wanted[out]:
                    elements[out, *index] = _element(b, equation, index, elements, definitions)
            elif _is_element(equation) and (found := elements.get(equation.operands)) is not None:
                env[equation.outs[0]] = found
            else:
                b.adopt([equation])
    program.equations[:] = b.equations
    program.results = tuple(rename([], program.results, env))


def _element(
    b: Builder,
    equation: Equation,
    index: Index,
    elements: dict[Index, Atom],
    definitions: dict[Var, Equation],
) -> Atom:
    """One element of the result of an equation."""

    def of(operand: Atom) -> Atom:
        if not isinstance(operand, Var) or not operand.type.shape:
            return operand
        found = elements.get((operand, *index))
        return b.view(operand, *index, codes="i" * len(index)) if found is None else found

    if equation.primitive.kind is Kind.ELEMENTWISE:
        return b.emit(equation.primitive, tuple(of(a) for a in equation.operands), equation.params)
    if equation.primitive.name == "expand":
        return equation.operands[0]
    written = _scalar(equation.operands[1], definitions)
    assert written is not None
    return b.select(_is_inside(b, equation, index), written, of(equation.operands[0]))


def _is_inside(b: Builder, write: Equation, index: Index) -> Atom:
    """Whether an element is in the region that is written."""
    inside: Atom = DType.BOOL.constant(True)
    scalars = iter(write.operands[2:])
    for code, position in zip(write.params["codes"], index, strict=True):
        if code == "i":
            inside = b.land(inside, b.eq(position, next(scalars)))
        elif code == "s":
            start, length, _ = (next(scalars) for _ in range(3))
            inside = b.land(inside, b.land(b.ge(position, start), b.lt(position, b.add(start, length))))
    return inside
