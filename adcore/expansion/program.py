"""The Taylor expansion of a whole Program."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from ..builder import Builder
from ..derive import seed_like
from ..marks import resolve
from ..passes.dce import eliminate_dead
from ..preparation import prepared
from ..program import Program
from ..types import Atom, Var
from .control import expand_equations, or_zeros
from .orders import Index, Orders
from .values import Values

__all__ = ["expand"]


def factorial(index: Index) -> float:
    """α! = α₁! α₂! …"""
    return float(math.prod(map(math.factorial, index)))


def expand(
    program: Program, wrt: Sequence[int], orders: Orders, given: Collection[Index], derivatives: bool = False
) -> Program:
    """The coefficients of a Program's results, of those of its parameters.

    Args:
        program: the Program.
        wrt: the parameters that are series, by position; they are differentiable.
        orders: the monomials of the series.
        given: those of which the parameters' coefficients are given; all others are 0.
        derivatives: whether all coefficients, given and computed, are multiplied by α!.

    Returns:
        Parameters followed, for each monomial given, by a coefficient of each of `wrt`, to results followed, for each
        monomial but 1, by a coefficient of each differentiable result.

    Raises:
        MissingRuleError: a value has no derivative, or none of as high an order.
    """
    program, stated = prepared(program, wrt)
    b = Builder()
    values = Values(b, orders)
    params: list[Var] = []
    coefficients: dict[Var, dict[Index, Atom]] = {program.params[k]: {} for k in wrt}
    for index in given:
        for primal, known in coefficients.items():
            param, seed = seed_like(b, primal, "_".join((primal.name, *map(str, index))), alike=False)
            known[index] = b.div(seed, factorial(index)) if derivatives else seed
            params.append(param)
    for primal, known in coefficients.items():
        values.define(primal, known)
    expand_equations(values, program.equations)
    moving = [r for r in program.results if r.type.dtype.differentiable]
    outs = [or_zeros(values, r, index) for index in orders.indices for r in moving]
    if derivatives:
        factors = [factorial(index) for index in orders.indices for _ in moving]
        outs = [b.mul(out, by) for out, by in zip(outs, factors, strict=True)]
    results = (*program.results, *outs)
    if stated:
        results = resolve(b.equations, results)
    return eliminate_dead(Program((*program.params, *params), b.equations, results, f"jet_{program.name}"))
