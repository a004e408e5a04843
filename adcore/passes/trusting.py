"""Programs whose indices are where they should be: nothing is checked, and none is counted from the end of an axis."""

from __future__ import annotations

from ..program import Equation, Program, clone, regions
from ..recomputation import effect_free, rename
from ..types import Atom, Var
from .dce import eliminate_dead

__all__ = ["trusting"]


def trusting(program: Program) -> Program:
    """A copy that leaves out checks, and takes what adds an axis' length to negative indices as the indices."""
    copy = clone(program, None, effect_free)
    producers: dict[Atom, Equation] = {}
    env: dict[Var, Atom] = {}
    _find(copy, producers, env)
    copy.results = tuple(rename(copy.equations, copy.results, env))
    return eliminate_dead(copy)


def _find(region: Program, producers: dict[Atom, Equation], env: dict[Var, Atom]) -> None:
    for equation in region.equations:
        producers.update(dict.fromkeys(equation.outs, equation))
        if equation.primitive.name == "select":
            _take(equation, producers, env)
        for _, inner in regions(equation):
            _find(inner, producers, env)


def _take(equation: Equation, producers: dict[Atom, Equation], env: dict[Var, Atom]) -> None:
    """Enter the index i for `select(i < 0, i + n, i)`."""
    condition, added, index = equation.operands
    test, total = producers.get(condition), producers.get(added)
    if test is None or total is None or test.primitive.name != "lt" or total.primitive.name != "add":
        return
    if test.operands == (index, index.type.dtype.zero) and total.operands[0] is index:
        env[equation.outs[0]] = index
