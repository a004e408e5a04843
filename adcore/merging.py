"""A loop and its dual as one loop.

The dual of

    for k in range(n):
        value += f(k, x)

adds to the cotangents of `x` in every iteration, and nothing that it adds depends on another iteration or on `value`.
So it may go through the iterations in the order of the primal, and together with it: an iteration runs the primal's
body, and then the dual of that, with all values at hand.  Nothing is kept from one loop for the other, and what the
primal's loop gives, the joint loop gives as well.  A tree of such loops, as the expansion of a determinant is one,
takes a time that is proportional to the primal's, where each loop run again for its dual would add one to the factor.
"""

from __future__ import annotations

from collections.abc import Iterable

from .accumulation import targets
from .builder import Builder
from .linear import Edge, Linear, LinearLoop, Step, loop_ends
from .passes.dce import checks_shapes_alone, has_effect
from .program import Equation, Program, clone_equation, free_variables, fresh, regions, substitute, uses
from .recomputation import rename, unchecked
from .types import Atom, Var

__all__ = ["are_sums", "joint_loop", "loops_first", "may_join", "unite"]


# Whether it may be done


def may_join(
    origin: Equation,
    scope: list[Equation],
    b: Builder,
    ends: list[tuple[Atom, Atom, Atom, Atom]],
    inits: list[Atom],
) -> bool:
    """Whether the dual of a loop can be run together with it: if it turns out to carry nothing but sums.

    `ends` are those of the dual (see `loop_ends`), `inits` what it begins with.
    """
    if b.home is not scope or origin.primitive.name != "loop" or origin.segment or "policy" in origin.params:
        return False
    carries = [(param, result) for _, result, param, _ in ends if isinstance(param, Var)]
    if not are_sums(origin.params["body"].equations, carries):
        return False  # cotangents go from iteration to iteration
    return not depends([*scope, *b.equations], inits, set(origin.outs))


def are_sums(equations: list[Equation], values: Iterable[tuple[Var, Atom]]) -> bool:
    """Whether values stay as they are, or are only added to, from a state of each to the last one."""
    users = _users(equations)
    passed = _passed(equations)
    return all(passed.get(end, end) is state or _is_sum(users, state, end) for state, end in values)


def _users(equations: list[Equation]) -> dict[Var, list[Equation]]:
    found: dict[Var, list[Equation]] = {}
    for equation in equations:
        for var in dict.fromkeys(uses(equation)):
            found.setdefault(var, []).append(equation)
    return found


def _passed(equations: list[Equation]) -> dict[Atom, Var]:
    """Values from outside that a `cond` gives whichever branch is taken, by what they are called after it."""
    found: dict[Atom, Var] = {}
    for equation in equations:
        if equation.primitive.name == "cond":
            then, otherwise = (region for _, region in regions(equation))
            for out, one, other in zip(equation.outs, then.results, otherwise.results, strict=True):
                if one is other and isinstance(one, Var):
                    found[out] = found.get(one, one)
    return found


def _is_sum(users: dict[Var, list[Equation]], state: Var, end: Atom) -> bool:
    """Whether a value is only added to, and not read: not where it stays as it is for a while either."""
    while state is not end:
        readers = users.get(state, [])
        following = _added_to(readers[0], state) if len(readers) == 1 else None
        if following is None:
            return False
        state = following
    return state not in users


def _added_to(equation: Equation, state: Var) -> Var | None:
    """What the value is after an equation that adds to it, if that is all that the equation does with it."""
    name, operands = equation.primitive.name, equation.operands
    if name in ("plus", "add") and operands.count(state) == 1:
        return equation.outs[0]
    first = name == "update" and equation.first
    if (first or name in ("sub", "add_at", "scatter_add", "conform")) and operands[0] is state:
        return equation.outs[0] if operands.count(state) == 1 else None
    if name == "cond" and state not in operands:
        branches = [region for _, region in regions(equation)]
        places = [k for k in range(len(equation.outs)) if all(_added_to_in(r, state, k) for r in branches)]
        return equation.outs[places[0]] if len(places) == 1 else None
    if name == "loop":
        body: Program = equation.params["body"]
        places = [k for k, init in enumerate(operands[1:]) if init is state]
        if len(places) == 1 and operands[0] is not state and state not in free_variables(body):
            (k,) = places
            inside = _is_sum(_users(body.equations), body.params[1 + k], body.results[k])
            return equation.outs[k] if inside and body.results.count(body.results[k]) == 1 else None
    return None


def _added_to_in(branch: Program, state: Var, place: int) -> bool:
    """Whether a branch does nothing else with a value from outside, and gives the sum as this result."""
    result = branch.results[place]
    if result is state:
        return not any(state in uses(e) for e in branch.equations) and branch.results.count(state) == 1
    return state not in branch.results and _is_sum(_users(branch.equations), state, result)


def depends(equations: list[Equation], atoms: Iterable[Atom], on: set[Var]) -> bool:
    """Whether some atoms are computed from some of the values."""
    producers = {out: e for e in equations for out in e.outs}
    seen: set[Var] = set()
    stack = [a for a in atoms if isinstance(a, Var)]
    while stack:
        var = stack.pop()
        if var in on:
            return True
        if var not in seen and var in producers:
            seen.add(var)
            stack += uses(producers[var])
    return False


def loops_first(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The statements of a dual, where those that add to what a loop adds to as well come after it if they may.

    So what such a statement adds, which may depend on what the primal's loop gives, does not keep the two apart.
    """
    if not any(isinstance(step, LinearLoop) for step in steps):
        return steps
    order: list[Step] = []
    for step in steps:
        if not isinstance(step, LinearLoop):
            order.append(step)
            continue
        sums = targets(Linear((step,)))
        read = {feed for feed, _, _, _ in loop_ends(step)}
        later: list[Step] = []
        place = len(order)
        while place and isinstance(edge := order[place - 1], Edge):
            place -= 1
            if edge.target in sums and edge.target not in read:
                later.insert(0, order.pop(place))
            else:
                read.add(edge.source)
        order += [step, *later]
    return tuple(order)


# The joint loop


def joint_loop(
    b: Builder,
    origin: Equation,
    inner: Builder,
    counter: Var,
    params: list[Var],
    results: list[Atom],
    inits: list[Atom],
) -> tuple[Var, ...]:
    """A loop of the primal's iterations, each followed by its dual; gives what the dual carries at the end.

    `params`, `results` and `inits` are those of the dual.
    """
    body: Program = origin.params["body"]
    env: dict[Var, Atom] = {body.params[0]: counter}
    own = [fresh(p, env) for p in body.params[1:]]
    copies = [clone_equation(e, env) for e in body.equations]
    ends = [substitute(r, env) for r in body.results]
    results = rename(inner.equations, results, env)
    equations = unite([*copies, *inner.equations])
    region = Program((counter, *own, *params), equations, (*ends, *results), "body")
    outs = b.loop(origin.operands[0], (*origin.operands[1:], *inits), region)
    b.equations[-1].number, b.equations[-1].joins = origin.number, True
    if origin.params.get("parallel"):
        b.equations[-1].params["parallel"] = True
    return outs[len(own) :]


def unite(equations: list[Equation]) -> list[Equation]:
    """Have joint loops take the place of the loops that they run again, where nothing stands in the way."""
    for joint in [e for e in equations if e.joins]:
        place = next((k for k, e in enumerate(equations) if e.number == joint.number and e is not joint), None)
        joint.joins, joint.number = False, 0  # what it is from here on is a loop, which may have a dual of its own
        if place is None:
            continue
        united = _united(equations, place, joint)
        if united is None:
            unchecked(joint)  # the primal's loop checks
        else:
            equations = united
    return equations


def _united(equations: list[Equation], place: int, joint: Equation) -> list[Equation] | None:
    """The equations with a joint loop at the place of the primal's loop, what it needs in front of it."""
    primal, after = equations[place], equations[place + 1 :]
    count = len(primal.outs)
    if primal.operands != joint.operands[: 1 + count]:
        return None
    producers = {out: e for e in after for out in e.outs}
    needed: set[int] = set()
    stack = uses(joint)
    while stack:
        var = stack.pop()
        equation = producers.get(var)
        if var in primal.outs or (equation is not None and has_effect(equation)):
            return None
        if equation is not None and id(equation) not in needed:
            needed.add(id(equation))
            stack += uses(equation)
    taken = set(joint.outs[:count])
    if any(not taken.isdisjoint(uses(e)) for e in after) or any(a in taken for o in joint.outs for a in o.type.shape):
        return None
    before = [e for e in after if id(e) in needed]
    rest = [e for e in after if id(e) not in needed and e is not joint]
    if checks_shapes_alone(primal):  # a loop by itself, of which only the checks are left, takes next to no time
        before.insert(0, clone_equation(primal, {}))
        unchecked(joint)
    joint.outs = (*primal.outs, *joint.outs[count:])
    return [*equations[:place], *before, joint, *rest]
