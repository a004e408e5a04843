"""Equations of a Program in order, each followed by the coefficients of its results; loops and branches carry them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..activity import spread
from ..batching import carries
from ..linear import zeros
from ..marks import is_mark
from ..program import Equation, Program, regions
from ..storage import extend_test
from ..types import Atom, Var
from .orders import Index
from .stated import expand_mark, expand_stated, rule_of
from .values import Values

__all__ = ["expand_equations", "or_zeros"]


def expand_equations(values: Values, equations: Iterable[Equation]) -> None:
    """Emit the equations and the coefficients of all that they compute."""
    for equation in equations:
        with values.b.at(equation.source):
            if is_mark(equation):
                expand_mark(values, equation, expand_equations)
            elif (rule := rule_of(values, equation)) is not None:
                expand_stated(values, equation, rule, expand_equations)
            elif equation.primitive.name in ("loop", "while"):
                _expand_loop(values, equation)
            elif equation.primitive.has_regions:
                _expand_regions(values, equation)
            else:
                values.enter(equation)


def or_zeros(values: Values, atom: Atom, index: Index) -> Atom:
    """A coefficient, as zeros where it is absent."""
    found = values.coefficient(atom, index)
    return zeros(values.b, atom.type) if found is None else found


def _named(var: Var, index: Index) -> str:
    return "_".join((var.name, *map(str, index)))


def _expand_loop(values: Values, origin: Equation) -> None:
    """One loop that carries values and their coefficients side by side."""
    body: Program = origin.params["body"]
    active = set(values.active)
    spread([origin], active, ("once",))
    moving = [c for c in zip(*carries(origin), body.results, origin.outs, strict=True) if c[1] in active]
    if not moving:
        values.b.adopt([origin])
        return
    inner = values.inside()
    indices = values.orders.indices
    further: list[Var] = []
    for _, param, _, _ in moving:
        carried = {index: Var(param.type, _named(param, index)) for index in indices}
        inner.define(param, dict(carried))
        further += carried.values()
    expand_equations(inner, body.equations)
    results = [or_zeros(inner, result, index) for _, _, result, _ in moving for index in indices]
    inits = [or_zeros(values, init, index) for init, _, _, _ in moving for index in indices]
    region = Program((*body.params, *further), inner.b.equations, (*body.results, *results), body.name)
    params: dict[str, Any] = dict(origin.params, body=region)
    if "test" in params:
        extend_test(params["test"], body.params, further)
    _enter(values, origin, (*origin.operands, *inits), params, [(out, indices) for _, _, _, out in moving])


def _expand_regions(values: Values, origin: Equation) -> None:
    """One branch, or the region of a checkpoint, that gives values and their coefficients."""
    inside = {name: (region, values.inside()) for name, region in regions(origin)}
    for region, inner in inside.values():
        expand_equations(inner, region.equations)

    def present(k: int, index: Index) -> bool:
        return any(inner.coefficient(region.results[k], index) is not None for region, inner in inside.values())

    numbers = [k for k, out in enumerate(origin.outs) if out.type.dtype.differentiable]
    moving = [(k, [index for index in values.orders.indices if present(k, index)]) for k in numbers]
    params: dict[str, Any] = {}
    for name, (region, inner) in inside.items():
        results = [or_zeros(inner, region.results[k], index) for k, indices in moving for index in indices]
        params[name] = Program((), inner.b.equations, (*region.results, *results), region.name)
    _enter(values, origin, origin.operands, params, [(origin.outs[k], indices) for k, indices in moving if indices])


def _enter(
    values: Values,
    origin: Equation,
    operands: tuple[Atom, ...],
    params: dict[str, Any],
    moving: list[tuple[Var, Iterable[Index]]],
) -> None:
    """Emit a loop or branch with further results: the coefficients of those that move."""
    further: list[Var] = []
    for out, indices in moving:
        coefficients = {index: Var(out.type, _named(out, index)) for index in indices}
        further += coefficients.values()
        values.define(out, dict(coefficients))
    values.b.enter(Equation(origin.primitive, operands, params, (*origin.outs, *further), origin.source))
