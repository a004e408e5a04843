"""What stands in a program only while a derivative of it is taken, where a stated rule has taken a function's place.

    once(x)               x, which does not depend on anything smoothly, where a rule reads it
    same(y)               y, and its tangent
    detach(y)             y, which does not depend on anything smoothly, where a rule says that
    tangent(x)            zeros like x, of which the tangent is that of x
    attach(y, t)          y, of which the tangent is that of t
    ruled(y…, x…, kept…)  y…, of which the cotangents go to x… by the rule of the equation

They are primitives, but no rows of the table: their linear maps are not the derivatives of what they mean.  `resolve`
puts in their place what they mean, before anybody else sees the program.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .builder import Builder
from .linear import identity
from .primitives import TABLE, Kind, Primitive
from .program import Equation, regions, substitute
from .recomputation import rename
from .types import Atom, Type, Var

__all__ = [
    "ATTACH",
    "DETACH",
    "ONCE",
    "RULED",
    "SAME",
    "TANGENT",
    "attached",
    "is_mark",
    "once",
    "resolve",
    "ruled_arguments",
    "ruled_kept",
    "tangent_of",
]


def _of_first(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    return (operands[0].type,)


def _of_values(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    return tuple(y.type for y in operands[: params["values"]])


def _first(*operands: Any, values: int, arguments: int) -> Any:
    return operands[:values] if values > 1 else operands[0]


ONCE = Primitive("once", Kind.VIEW, _of_first, lambda x: x)
SAME = Primitive("same", Kind.VIEW, _of_first, lambda y: y, maps=(lambda b, e: identity(),))
DETACH = Primitive("detach", Kind.VIEW, _of_first, lambda y: y)
TANGENT = Primitive("tangent", Kind.VIEW, _of_first, np.zeros_like, maps=(lambda b, e: identity(),))
ATTACH = Primitive("attach", Kind.VIEW, _of_first, lambda y, t: y, maps=(None, lambda b, e: identity()))
RULED = Primitive("ruled", Kind.VIEW, _of_values, _first)
MARKS = {ONCE, SAME, DETACH, TANGENT, ATTACH, RULED}


def is_mark(equation: Equation) -> bool:
    return equation.primitive in MARKS


def ruled_arguments(equation: Equation) -> tuple[Atom, ...]:
    """The arguments of a `ruled` equation."""
    first = equation.params["values"]
    return equation.operands[first : first + equation.params["arguments"]]


def ruled_kept(equation: Equation) -> tuple[Atom, ...]:
    """What the pullback of a `ruled` equation is given beside cotangents."""
    return equation.operands[equation.params["values"] + equation.params["arguments"] :]


def once(b: Builder, x: Atom) -> Atom:
    return b.append(ONCE, (x,), {}, name=x.name)[0] if isinstance(x, Var) else x


def tangent_of(b: Builder, x: Var) -> Var:
    return b.append(TANGENT, (x,), {}, name=f"d{x.name}")[0]


def attached(b: Builder, y: Atom, t: Atom | None, out: Var) -> None:
    """Have `out` be y, of which the tangent is that of t; without one, y does not depend on anything smoothly."""
    primitive, operands = (DETACH, (y,)) if t is None else (ATTACH, (y, t))
    b.enter(Equation(primitive, operands, {}, (out,), b.source))


def resolve(equations: list[Equation], results: Iterable[Atom], params: list[Var] | None = None) -> tuple[Atom, ...]:
    """Put in the place of all marks, in place and at any depth, what they mean; gives the results.

    Parameters with a length that has got another name are replaced, in their list too.
    """
    env: dict[Var, Atom] = {}
    _collect(equations, env)
    for var in env:
        while (further := substitute(env[var], env)) is not env[var]:
            env[var] = further
    for k, param in enumerate(params or ()):
        shape = tuple(substitute(a, env) for a in param.type.shape)
        if params is not None and shape != param.type.shape:
            params[k] = Var(param.type.with_shape(*shape), param.name)
            env[param] = params[k]
    _remove(equations, env)
    return tuple(rename(equations, results, env))


def _collect(equations: list[Equation], env: dict[Var, Atom]) -> None:
    for equation in equations:
        if equation.primitive is TANGENT:
            _collect_zeros(equation, env)
        elif is_mark(equation):
            env.update(zip(equation.outs, equation.operands, strict=False))
        for _, region in regions(equation):
            _collect(region.equations, env)


def _collect_zeros(equation: Equation, env: dict[Var, Atom]) -> None:
    """A tangent's equation becomes that of an array of zeros."""
    (out,) = equation.outs
    zero = out.type.dtype.zero
    if not out.type.shape:
        env[out] = zero
        return
    equation.primitive, equation.operands = TABLE["expand"], (zero, *out.type.shape)
    equation.params = {"axes": tuple(range(out.type.rank))}


def _remove(equations: list[Equation], env: Mapping[Var, Atom]) -> None:
    equations[:] = [e for e in equations if not is_mark(e)]
    for equation in equations:
        kept = None if equation.keeps is None else substitute(equation.keeps, env)
        equation.keeps = kept if isinstance(kept, Var) else None
        for _, region in regions(equation):
            _remove(region.equations, env)
