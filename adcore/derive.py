"""Derivatives: a Program is linearized once; forward mode runs the linear program, reverse mode runs its dual.

linearize : equations -> Linear                the statements `target += generator(source)`
push      : Program -> Program                 primal and linear program together (forward mode)
pull      : Program -> Program                 the primal, then the dual of the linear program (reverse mode)

def pull(p): return p ; emit(transpose(linearize(p)))
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence

from .again import emit_again, is_run_again, run_again
from .boundary import Sweep
from .builder import Builder
from .composition import composed
from .control import emit_cond, emit_loop, push_cond, push_loop, value_or_zeros
from .errors import CompileError
from .guarding import Guard
from .linear import (
    Edge,
    Generator,
    Linear,
    LinearAgain,
    LinearCond,
    LinearLoop,
    LinearRule,
    Step,
    identity,
    is_differentiable,
    reached_loop,
    transpose,
)
from .marks import is_mark, resolve, ruled_arguments
from .merging import loops_first, unite
from .passes.dce import eliminate_dead
from .preparation import prepared
from .program import Equation, Program
from .ruling import emit_rule
from .types import I64, Atom, Lit, Var

__all__ = ["emit", "gradient", "linearize", "pull", "push", "push_split", "sweep", "sweep_each"]


def linearize(equations: Iterable[Equation], active: set[Var]) -> Linear:
    """The linear program of the equations with respect to the active values; `active` grows to all that depend.

    What is active inside of regions is in it too, so that a loop around them, which is gone through until nothing
    turns active any more, does not find it again from nothing.
    """
    steps: list[Step] = []
    for equation in equations:
        steps.extend(linearize_equation(equation, active))
    return Linear(tuple(steps))


def linearize_equation(equation: Equation, active: set[Var]) -> list[Step]:
    if is_run_again(equation):
        return _linearize_again(equation, active)
    if equation.primitive.name in ("loop", "while"):
        return _linearize_loop(equation, active)
    if equation.primitive.name == "cond":
        return _linearize_cond(equation, active)
    if equation.primitive.name == "ruled":
        return _linearize_rule(equation, active)
    if equation.primitive.name == "custom" and any(a in active for a in equation.operands):
        _require_constant(equation)
    edges: list[Step] = []
    moved: list[Var] = []
    for index, operand in enumerate(equation.operands):
        if not isinstance(operand, Var) or operand not in active:
            continue
        for number, out in enumerate(equation.outs):
            rule = equation.primitive.map_for(index, number)
            if rule is not None and is_differentiable(out) and number not in equation.unread:
                label = _unchanged if equation.first and not index else _label(rule, equation)
                edges.append(Edge(label, operand, out, equation))
                moved.append(out)
    active.update(moved)
    return edges


def _label(rule, equation: Equation):
    return lambda b: rule(b, equation)


def _unchanged(_: Builder) -> Generator:
    """Of an array elements of which are written that hold nothing yet: there is nothing to clear."""
    return identity()


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
    active.update(inside)
    active.update(o for _, p, r, o in carries if (p in inside or r in inside) and is_differentiable(o))
    return [loop] if any(o in active for o in equation.outs) else []


def _linearize_cond(equation: Equation, active: set[Var]) -> list[Step]:
    branches = []
    for name in ("then", "otherwise"):
        branch: Program = equation.params[name]
        inside = set(active)
        branches.append((name, linearize(branch.equations, inside)))
        active.update(inside)
        active.update(
            o for r, o in zip(branch.results, equation.outs, strict=True) if r in inside and is_differentiable(o)
        )
    return [LinearCond(equation, tuple(branches))] if any(o in active for o in equation.outs) else []


def _linearize_again(equation: Equation, active: set[Var]) -> list[Step]:
    again, outs = run_again(equation)
    inside = set(active)
    linear = linearize(again.equations, inside)
    moving = [o for r, o in zip(again.results, outs, strict=True) if r in inside and is_differentiable(o)]
    active.update(moving)
    return [LinearAgain(equation, again, outs, linear)] if moving else []


def _linearize_rule(equation: Equation, active: set[Var]) -> list[Step]:
    arguments = ruled_arguments(equation)
    moving = tuple((k, x) for k, x in enumerate(arguments) if isinstance(x, Var) and x in active)
    if not moving:
        return []
    active.update(equation.outs)
    return [LinearRule(equation, moving)]


def _require_constant(equation: Equation) -> None:
    """Refuse to linearize a function whose stated derivative ought to have taken its place."""
    if any(map(is_differentiable, equation.outs)):
        raise CompileError(f"the rule of {equation.params['name']!r} was not put in its place", equation.source)


def emit(b: Builder, linear: Linear, values: MutableMapping[Var, Atom], scope: list[Equation]) -> None:
    """Emit a linear program, forwards or dualized, over the (co)tangents in `values`.

    `scope` is the list of equations that holds the primal equations the program came from; where a residual of a
    loop iteration is needed, the primal loop there is made to store it.
    """
    steps = loops_first(linear.steps) if linear.backwards and b.home is scope else linear.steps
    guard = Guard(steps, scope) if linear.backwards else None
    with b.sweeping("adjoint" if linear.backwards else "tangent"):
        for position, step in enumerate(steps):
            if guard is None or (position not in guard.done and not guard.emit(b, position, values, emit_step)):
                emit_step(b, step, values, scope)


def emit_step(b: Builder, step: Step, values: MutableMapping[Var, Atom], scope: list[Equation]) -> None:
    """Emit one statement of a linear program."""
    with b.at(step.origin.source):
        if isinstance(step, Edge):
            t = values.get(step.source)
            if t is not None:
                with b.for_coefficients():
                    label = step.label(b)
                values[step.target] = label.accumulate(b, values.get(step.target), t)
        elif isinstance(step, LinearLoop):
            emit_loop(b, step, values, scope, emit)
        elif isinstance(step, LinearAgain):
            emit_again(b, step, values, emit)
        elif isinstance(step, LinearRule):
            emit_rule(b, step, values, emit, linearize)
        else:
            emit_cond(b, step, values, emit)


def push_equations(b: Builder, equations: Iterable[Equation], tangents: MutableMapping[Var, Atom]) -> None:
    """Emit the equations, each followed by its linear statements."""
    for equation in equations:
        with b.at(equation.source):
            active = set(tangents)
            steps = linearize_equation(equation, active)
            if not steps or isinstance(steps[0], Edge | LinearRule):
                b.adopt([equation])
                emit(b, Linear(tuple(steps)), tangents, b.equations)
            elif isinstance(steps[0], LinearLoop):
                live = reached_loop(steps[0], set(tangents))
                push_loop(b, steps[0], live, tangents, push_equations)
            else:
                push_cond(b, equation, active, tangents, push_equations)


def seed_like(b: Builder, value: Atom, name: str, alike: bool) -> tuple[Var, Atom]:
    """A parameter for a (co)tangent of the value, and that parameter checked to have the value's shape.

    One that is `alike` has the value's type, so that there is nothing to check.
    """
    if alike:
        param = Var(value.type, name)
        return param, param
    lengths = tuple(a if isinstance(a, Lit) else Var(I64, f"{name}_{k}") for k, a in enumerate(value.type.shape))
    param = Var(value.type.with_shape(*lengths), name)
    return param, b.conform(param, *value.type.shape, checked=True) if lengths else param


def _seeds(b: Builder, program: Program, wrt: Sequence[int], alike: bool) -> tuple[list[Var], dict[Var, Atom]]:
    """A parameter for the tangent of each of `wrt`, and these tangents."""
    params: list[Var] = []
    tangents: dict[Var, Atom] = {}
    for k in wrt:
        primal = program.params[k]
        param, tangents[primal] = seed_like(b, primal, f"d{primal.name}", alike)
        params.append(param)
    return params, tangents


def push(program: Program, wrt: Sequence[int], alike: bool = False) -> Program:
    """Forward mode: parameters followed by a tangent for each of `wrt`, to results followed by their tangents.

    Results that are not differentiable (integers, booleans) have no tangent.  With `alike` the tangents have the
    lengths of the parameters, and are to be replaced by values of the program.
    """
    program, stated = prepared(program, wrt)
    b = Builder()
    params, tangents = _seeds(b, program, wrt, alike)
    push_equations(b, program.equations, tangents)
    outs = tuple(value_or_zeros(b, tangents, r) for r in program.results if r.type.dtype.differentiable)
    results = (*program.results, *outs)
    if stated:
        results = resolve(b.equations, results)
    return eliminate_dead(Program((*program.params, *params), b.equations, results, f"push_{program.name}"))


def push_split(program: Program, wrt: Sequence[int], differentiated: Sequence[int], alike: bool = False) -> Sweep:
    """Forward mode in two parts: the primal, and the linear program of the tangents of `wrt`.

    The second part gives the tangents of the results that are `differentiated`, and may be run any number of times.
    With `alike` the tangents have the lengths of the parameters, and are to be replaced by values of the second part.
    """
    program, stated = prepared(program, wrt, apart=True)
    b = Builder()
    b.adopt(program.equations)
    linear = linearize(program.equations, {program.params[k] for k in wrt})
    last = next((e for e in reversed(b.equations) if not is_mark(e)), None)
    late, tangents = _seeds(b, program, wrt, alike)
    emit(b, linear, tangents, b.equations)
    outs = tuple(value_or_zeros(b, tangents, program.results[k]) for k in differentiated)
    outs = _unmarked(b, program, outs, late) if stated else outs
    return _parted(b, program, last, tuple(late), outs, ()).settle()


def pull(
    program: Program,
    wrt: Sequence[int],
    seeds: Sequence[Atom | None] | None = None,
    differentiated: Sequence[int] | None = None,
) -> Program:
    """Reverse mode: parameters followed by a cotangent for each differentiable result, to results followed by the
    cotangents of `wrt`.  Arguments as of `sweep`.
    """
    return sweep(program, wrt, seeds, differentiated, whole=True).joined()


def sweep(
    program: Program,
    wrt: Sequence[int],
    seeds: Sequence[Atom | None] | None = None,
    differentiated: Sequence[int] | None = None,
    alike: bool = False,
    whole: bool = False,
) -> Sweep:
    """Reverse mode in its two parts.

    With `differentiated` only these results have a cotangent; with `seeds` (one for each result, `None` where there
    is none) the cotangents are these constants instead of parameters.  With `alike` the cotangents have the lengths of
    the results, and are to be replaced by values of the reverse part.  Of one that is to be `whole`, the primal part
    may depend on cotangents.
    """
    return _swept(program, wrt, seeds, differentiated, alike, whole=whole)


def sweep_each(program: Program, wrt: Sequence[int], chosen: Sequence[int]) -> Sweep:
    """Reverse mode of several scalar results, one after the other beside one run of the primal.

    The gradients are those of the first of the chosen results by all of `wrt`, then those of the second one, …
    """
    return _swept(program, wrt, None, chosen, each=True)


def _swept(
    program: Program,
    wrt: Sequence[int],
    seeds: Sequence[Atom | None] | None,
    differentiated: Sequence[int] | None,
    alike: bool = False,
    each: bool = False,
    whole: bool = False,
) -> Sweep:
    program, stated = prepared(program, wrt, apart=True, backwards=True)
    b = Builder()
    b.adopt(program.equations)
    results = program.results
    further: list[Var] = []
    seeded: list[int] = []
    linear = composed(linearize(program.equations, {program.params[k] for k in wrt}), results)
    last = next((e for e in reversed(b.equations) if not is_mark(e)), None)
    if each:
        assert differentiated is not None
        every = [[r.type.dtype.constant(1) if k == j else None for k, r in enumerate(results)] for j in differentiated]
        outs = tuple(out for row in every for out in _pulled(b, program, linear, wrt, row))
        outs = _unmarked(b, program, outs, []) if stated else outs
        return _parted(b, program, last, (), outs, ()).economize()
    if seeds is None:
        chosen = range(len(results)) if differentiated is None else differentiated
        given: list[Atom | None] = [None] * len(results)
        for k in chosen:
            if results[k].type.dtype.differentiable:
                param, given[k] = seed_like(b, results[k], "ct", alike)
                further.append(param)
                seeded.append(k)
        seeds = given
    if whole:
        b.home = b.equations
    outs = _pulled(b, program, linear, wrt, seeds)
    outs = _unmarked(b, program, outs, further) if stated else outs
    return _parted(b, program, last, tuple(further), outs, tuple(seeded)).economize()


def _pulled(
    b: Builder, program: Program, linear: Linear, wrt: Sequence[int], seeds: Sequence[Atom | None]
) -> tuple[Atom, ...]:
    """Emit the dual of the linear program; gives the cotangents of `wrt`."""
    cotangents: MutableMapping[Var, Atom] = {}
    for result, seed in zip(program.results, seeds, strict=True):
        if isinstance(result, Var) and seed is not None:
            before = cotangents.get(result)
            cotangents[result] = seed if before is None else b.plus(before, seed)
    emit(b, transpose(linear), cotangents, b.equations)
    return tuple(value_or_zeros(b, cotangents, program.params[k]) for k in wrt)


def _unmarked(b: Builder, program: Program, gradients: tuple[Atom, ...], late: list[Var]) -> tuple[Atom, ...]:
    """Resolve the marks of stated derivatives; gives the gradients."""
    found = resolve(b.equations, (*program.results, *gradients), late)
    program.results, gradients = found[: len(program.results)], found[len(program.results) :]
    return gradients


def _parted(
    b: Builder,
    program: Program,
    last: Equation | None,
    late: tuple[Var, ...],
    gradients: tuple[Atom, ...],
    seeded: tuple[int, ...],
) -> Sweep:
    """The equations parted behind the last one of the primal."""
    primal = {id(e) for e in b.equations[: next((k + 1 for k, e in enumerate(b.equations) if e is last), 0)]}
    cotangents = {out for e in b.equations if e.joins for out in e.outs}
    equations = unite(b.equations)
    boundary = next((k + 1 for k in reversed(range(len(equations))) if id(equations[k]) in primal), 0)
    parts = equations[:boundary], equations[boundary:]
    return Sweep(
        program.name, program.params, late, *parts, program.results, gradients, b.coefficients, seeded, cotangents
    )


def gradient(program: Program, wrt: Sequence[int], index: int = 0) -> Program:
    """The program of the results followed by the gradient of the scalar result `index`."""
    seeds: list[Atom | None] = [None] * len(program.results)
    seeds[index] = program.results[index].type.dtype.constant(1)
    return pull(program, wrt, seeds)
