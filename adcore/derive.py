"""Derivatives: a Program is linearized once; forward mode runs the linear program, reverse mode runs its dual.

    linearize : equations -> Linear                the statements `target += generator(source)`
    push      : Program -> Program                 primal and linear program together (forward mode)
    pull      : Program -> Program                 the primal, then the dual of the linear program (reverse mode)

    def pull(p): return p ; emit(transpose(linearize(p)))
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence

from .builder import Builder
from .control import emit_cond, emit_loop, push_cond, push_loop
from .linear import Edge, Linear, LinearCond, LinearLoop, Step, is_differentiable, reached_loop, transpose, zeros
from .passes.dce import eliminate_dead
from .program import Equation, Program, clone
from .types import Atom, Var, literal

__all__ = ["emit", "gradient", "linearize", "pull", "push"]


def linearize(equations: Iterable[Equation], active: set[Var]) -> Linear:
    """The linear program of the equations with respect to the active values; `active` grows to all that depend."""
    steps: list[Step] = []
    for equation in equations:
        steps.extend(linearize_equation(equation, active))
    return Linear(tuple(steps))


def linearize_equation(equation: Equation, active: set[Var]) -> list[Step]:
    if equation.primitive.name in ("loop", "while"):
        return _linearize_loop(equation, active)
    if equation.primitive.name == "cond":
        return _linearize_cond(equation, active)
    edges: list[Step] = []
    for index, operand in enumerate(equation.operands):
        if not isinstance(operand, Var) or operand not in active:
            continue
        rule = equation.primitive.map_for(index)
        if rule is not None and is_differentiable(equation.outs[0]):
            edges.append(Edge(_label(rule, equation), operand, equation.outs[0], equation))
    if edges:
        active.add(equation.outs[0])
    return edges


def _label(rule, equation: Equation):
    return lambda b: rule(b, equation)


def _linearize_loop(equation: Equation, active: set[Var]) -> list[Step]:
    body: Program = equation.params["body"]
    inits = equation.operands[1:] if equation.primitive.name == "loop" else equation.operands
    params = body.params[1:] if equation.primitive.name == "loop" else body.params
    carries = tuple(zip(inits, params, body.results, equation.outs, strict=True))
    inside = set(active)
    while True:  # a carry that turns active in the body is active from the start
        before = len(inside)
        inside.update(p for i, p, r, _ in carries if (i in inside or r in inside) and is_differentiable(p))
        linear = linearize(body.equations, inside)
        if len(inside) == before:
            break
    loop = LinearLoop(equation, linear, carries)
    active.update(o for _, p, r, o in carries if (p in inside or r in inside) and is_differentiable(o))
    return [loop] if any(o in active for o in equation.outs) else []


def _linearize_cond(equation: Equation, active: set[Var]) -> list[Step]:
    branches = []
    for name in ("then", "otherwise"):
        branch: Program = equation.params[name]
        inside = set(active)
        branches.append((name, linearize(branch.equations, inside)))
        active.update(
            o for r, o in zip(branch.results, equation.outs, strict=True) if r in inside and is_differentiable(o)
        )
    return [LinearCond(equation, tuple(branches))] if any(o in active for o in equation.outs) else []


def emit(b: Builder, linear: Linear, values: MutableMapping[Var, Atom], scope: list[Equation]) -> None:
    """Emit a linear program, forwards or dualized, over the (co)tangents in `values`.

    `scope` is the list of equations that holds the primal equations the program came from; where a residual of a
    loop iteration is needed, the primal loop there is made to store it.
    """
    for step in linear.steps:
        with b.at(step.origin.source):
            if isinstance(step, Edge):
                t = values.get(step.source)
                if t is not None:
                    values[step.target] = step.label(b).accumulate(b, values.get(step.target), t)
            elif isinstance(step, LinearLoop):
                emit_loop(b, step, values, scope, emit)
            else:
                emit_cond(b, step, values, emit)


def push_equations(b: Builder, equations: Iterable[Equation], tangents: MutableMapping[Var, Atom]) -> None:
    """Emit the equations, each followed by its linear statements."""
    for equation in equations:
        with b.at(equation.source):
            active = set(tangents)
            steps = linearize_equation(equation, active)
            if not steps or isinstance(steps[0], Edge):
                b.adopt([equation])
                emit(b, Linear(tuple(steps)), tangents, b.equations)
            elif isinstance(steps[0], LinearLoop):
                live = reached_loop(steps[0], set(tangents))
                push_loop(b, steps[0], live, tangents, push_equations)
            else:
                push_cond(b, equation, active, tangents, push_equations)


def _value_or_zeros(b: Builder, values: MutableMapping[Var, Atom], of: Atom) -> Atom:
    found = values.get(of) if isinstance(of, Var) else None
    return zeros(b, of.type.shape) if found is None else found


def push(program: Program, wrt: Sequence[int]) -> Program:
    """Forward mode: parameters followed by a tangent for each of `wrt`, to results followed by their tangents.

    Results that are not differentiable (integers, booleans) have no tangent.
    """
    program = clone(program)
    b = Builder()
    seeds = tuple(Var(program.params[k].type, f"d{program.params[k].name}") for k in wrt)
    tangents: MutableMapping[Var, Atom] = {program.params[k]: s for k, s in zip(wrt, seeds, strict=True)}
    push_equations(b, program.equations, tangents)
    outs = tuple(_value_or_zeros(b, tangents, r) for r in program.results if r.type.dtype.differentiable)
    return eliminate_dead(
        Program((*program.params, *seeds), b.equations, (*program.results, *outs), f"push_{program.name}")
    )


def pull(program: Program, wrt: Sequence[int], seeds: Sequence[Atom | None] | None = None) -> Program:
    """Reverse mode: parameters followed by a cotangent for each differentiable result, to results followed by the
    cotangents of `wrt`.

    With `seeds` (one for each result, `None` where there is none) the cotangents are these constants instead of
    parameters.
    """
    program = clone(program)
    b = Builder()
    b.adopt(program.equations)
    params = program.params
    if seeds is None:
        seeds = [Var(r.type, "ct") if r.type.dtype.differentiable else None for r in program.results]
        params = (*params, *(s for s in seeds if isinstance(s, Var)))
    linear = linearize(program.equations, {program.params[k] for k in wrt})
    cotangents: MutableMapping[Var, Atom] = {}
    for result, seed in zip(program.results, seeds, strict=True):
        if isinstance(result, Var) and seed is not None:
            before = cotangents.get(result)
            cotangents[result] = seed if before is None else b.add(before, seed)
    emit(b, transpose(linear), cotangents, b.equations)
    outs = tuple(_value_or_zeros(b, cotangents, program.params[k]) for k in wrt)
    return eliminate_dead(Program(params, b.equations, (*program.results, *outs), f"pull_{program.name}"))


def gradient(program: Program, wrt: Sequence[int], index: int = 0) -> Program:
    """The program of the results followed by the gradient of the scalar result `index`."""
    seeds: list[Atom | None] = [None] * len(program.results)
    seeds[index] = literal(1.0)
    return pull(program, wrt, seeds)

