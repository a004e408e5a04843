"""Linear programs of control flow, emitted structurally: the dual of a loop is the loop backwards.

`push_*` emits primal and tangent together, in one loop or branch.  `emit_*` emits the linear part alone, after the
primal, in either direction; what it needs of the primal's iterations is planned in `adcore.residuals`.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

from .accumulation import outside_of, targets
from .builder import Builder
from .linear import Linear, LinearCond, LinearLoop, cond_ends, loop_ends, reached_loop, zeros
from .merging import are_sums, joint_loop, may_join, unite
from .program import Equation, Program, defined, regions
from .recomputation import rename
from .residuals import provide_branch, provide_iterations
from .revolve import Snapshots
from .storage import extend_test
from .types import I64, Atom, Type, Var

__all__ = ["emit_cond", "emit_loop", "push_cond", "push_loop", "value_or_zeros"]

Values = MutableMapping[Var, Atom]
Emit = Callable[[Builder, Linear, Values, list[Equation]], None]
Push = Callable[[Builder, Iterable[Equation], Values], None]
Like = Callable[[Type], Type]  # the type of what takes the place of a tangent, from that of the value


def unchanged(type: Type) -> Type:
    """The type of a number's tangent: the number's."""
    return type


def value_or_zeros(b: Builder, values: Values, of: Atom, like: Like = unchanged) -> Atom:
    found = values.get(of) if isinstance(of, Var) else None
    return zeros(b, like(of.type)) if found is None else found


# Forward mode


def push_loop(
    b: Builder, loop: LinearLoop, live: set[Var], tangents: Values, push: Push, like: Like = unchanged
) -> None:
    """One loop that carries values and tangents side by side."""
    origin = loop.origin
    body: Program = origin.params["body"]
    moving = [c for c in loop.carries if c[1] in live or c[2] in live]
    inner = b.region()
    seeds = {param: Var(like(param.type), f"d{param.name}") for _, param, _, _ in moving}
    local: Values = ChainMap(dict(seeds), tangents)  # type: ignore[arg-type]
    push(inner, body.equations, local)
    results = tuple(value_or_zeros(inner, local, r, like) for _, _, r, _ in moving)
    inits = tuple(value_or_zeros(b, tangents, i, like) for i, _, _, _ in moving)
    outs = tuple(Var(like(out.type), f"d{out.name}") for _, _, _, out in moving)
    extended = Program((*body.params, *seeds.values()), inner.equations, (*body.results, *results), body.name)
    params: dict[str, Any] = dict(origin.params, body=extended)
    if "test" in params:
        extend_test(params["test"], body.params, seeds.values())
    operands, results = (*origin.operands, *inits), (*origin.outs, *outs)
    b.enter(Equation(origin.primitive, operands, params, results, origin.source, backwards=origin.backwards))
    for (_, _, _, out), tangent in zip(moving, outs, strict=True):
        tangents[out] = tangent


def push_cond(
    b: Builder, origin: Equation, active: set[Var], tangents: Values, push: Push, like: Like = unchanged
) -> None:
    """One branch, or the region of a checkpoint, that gives values and tangents."""
    moving = [k for k, out in enumerate(origin.outs) if out in active]
    params: dict[str, Any] = {}
    for name, branch in regions(origin):
        inner = b.region()
        local: Values = ChainMap({}, tangents)  # type: ignore[arg-type]
        push(inner, branch.equations, local)
        results = tuple(value_or_zeros(inner, local, branch.results[k], like) for k in moving)
        params[name] = Program((), inner.equations, (*branch.results, *results), branch.name)
    outs = tuple(Var(like(origin.outs[k].type), f"d{origin.outs[k].name}") for k in moving)
    b.enter(Equation(origin.primitive, origin.operands, params, (*origin.outs, *outs), origin.source))
    for k, tangent in zip(moving, outs, strict=True):
        tangents[origin.outs[k]] = tangent


# The linear part alone, in either direction


def emit_loop(b: Builder, loop: LinearLoop, values: Values, scope: list[Equation], emit: Emit) -> None:
    """The linear loop over the iterations of a primal loop, in their order or in reverse.

    Values from outside that the dual adds to are carried as sums, so that an iteration adds to them in place.
    """
    origin = loop.origin
    body: Program = origin.params["body"]
    live = reached_loop(loop, set(values))
    ends = [end for end in loop_ends(loop) if end[0] in values or end[2] in live]
    if not ends:
        return
    own = defined(body)
    outside = outside_of(own, [*targets(loop.body), *(enter for _, enter, _, _ in ends)])
    sums = [v for v in outside if v in live]

    revolving = loop.backwards and origin.params.get("policy") == "revolve" and origin.primitive.name == "loop"
    snapshots = Snapshots(origin, scope) if revolving else None
    inits = [value_or_zeros(b, values, v) for v in sums]
    inits += [value_or_zeros(b, values, feed) for feed, _, _, _ in ends]
    joins = loop.backwards and may_join(origin, scope, b, ends, inits)
    inner = b.region()
    inner.home = body.equations if joins else None
    for equation in body.equations:
        inner.know(equation)
    counter = Var(I64, "j")
    carried = _Carried(inner, own)
    local: Values = ChainMap({v: carried.enter(v.type, f"d{v.name}") for v in sums}, values)  # type: ignore[arg-type]
    for (_, enter, _, _), param in zip(ends, _enter_all(carried, ends), strict=True):
        if isinstance(enter, Var):
            before = local.maps[0].get(enter)  # type: ignore[attr-defined]
            value = inner.conform(param, *enter.type.shape, checked=False)
            local[enter] = value if before is None else inner.plus(before, value)
    emit(inner, loop.body, local, body.equations)
    own_values = local.maps[0]  # type: ignore[attr-defined]
    sum_results = [own_values[v] for v in sums]
    results = [value_or_zeros(inner, own_values, leave) for _, _, leave, _ in ends]
    every = [*sum_results, *results]
    moving = carried.moving(inits, every)
    still = {carried.values[k][0]: init for k, init in enumerate(inits) if k not in moving}
    every = rename(inner.equations, [every[k] for k in moving], still)
    carried.keep(moving)
    ordered = carried.leave(every)
    begun = carried.initial([inits[k] for k in moving])
    if joins and are_sums(inner.equations, zip(carried.params, ordered, strict=True)):
        ended = carried.outs(joint_loop(b, origin, inner, counter, carried.params, ordered, begun))
    else:
        ended = carried.outs(_separate(b, loop, scope, inner, counter, carried.params, ordered, begun, snapshots))
    found = dict(zip(moving, ended, strict=True))
    outs = [found.get(k, init) for k, init in enumerate(inits)]
    for v, out in zip(sums, outs[: len(sums)], strict=True):
        values[v] = out
    for (_, _, _, end), out in zip(ends, outs[len(sums) :], strict=True):
        if isinstance(end, Var) and end.type.dtype.differentiable:
            before = values.get(end)
            fitted = b.conform(out, *end.type.shape, checked=False)
            values[end] = fitted if before is None else b.plus(before, fitted)


def _separate(
    b: Builder,
    loop: LinearLoop,
    scope: list[Equation],
    inner: Builder,
    counter: Var,
    params: list[Var],
    ordered: list[Atom],
    inits: list[Atom],
    snapshots: Snapshots | None,
) -> tuple[Var, ...]:
    """The linear loop by itself, which is provided with what it needs of the primal's iterations."""
    stack = _NOTHING
    if snapshots is None:
        given = provide_iterations(b, loop.origin, scope, inner, counter, ordered, loop.backwards)
        count, equations, ordered = given
    else:
        count, equations, ordered = snapshots.provide(inner, counter, ordered)
        stack = (snapshots.inits, snapshots.params, snapshots.results)
    further, stacked, nexts = stack
    region = Program((counter, *params, *stacked), unite(equations), (*ordered, *nexts), "body")
    outs = b.loop(count, (*inits, *further), region)
    b.equations[-1].backwards = (
        loop.backwards != loop.origin.backwards and snapshots is None and not loop.origin.segment
    )
    if loop.origin.params.get("parallel"):
        b.equations[-1].params["parallel"] = True
    return outs


_NOTHING: tuple[list[Atom], list[Var], list[Atom]] = ([], [], [])


def _enter_all(carried: _Carried, ends: list[tuple[Atom, Atom, Atom, Atom]]) -> list[Var]:
    return [carried.enter(leave.type, f"d{leave.name if isinstance(leave, Var) else 't'}") for _, _, leave, _ in ends]


class _Carried:
    """Parameters of the linear loop.  A length that the primal body defines is carried beside its array."""

    def __init__(self, b: Builder, own: set[Var]) -> None:
        self.b = b
        self.own = own
        self.params: list[Var] = []
        self.values: list[tuple[Var, list[int]]] = []  # each carried value and the axes whose lengths are carried

    def enter(self, type: Type, name: str) -> Var:
        varying = [axis for axis, length in enumerate(type.shape) if length in self.own]
        shape = list(type.shape)
        for axis in varying:
            length = Var(I64, "length")
            shape[axis] = length
            self.params.append(length)
        param = Var(Type(type.dtype, tuple(shape)), name)
        self.params.append(param)
        self.values.append((param, varying))
        return param

    def moving(self, inits: list[Atom], results: list[Atom]) -> list[int]:
        """The positions of the values that do not stay what they are: the others need not be carried."""
        every = enumerate(zip(self.values, inits, results, strict=True))
        return [k for k, ((p, varying), i, r) in every if varying or r is not p or i.type != p.type]

    def keep(self, positions: list[int]) -> None:
        """Carry only the values at these positions."""
        left = {param for k, (param, _) in enumerate(self.values) if k not in positions}
        self.params = [p for p in self.params if p not in left]
        self.values = [self.values[k] for k in positions]

    def leave(self, results: list[Atom]) -> list[Atom]:
        """The region's results: each value preceded by its carried lengths."""
        return self._with_lengths(results)

    def initial(self, inits: list[Atom]) -> list[Atom]:
        return self._with_lengths(inits)

    def _with_lengths(self, atoms: list[Atom]) -> list[Atom]:
        flat: list[Atom] = []
        for atom, (_, varying) in zip(atoms, self.values, strict=True):
            flat.extend(atom.type.shape[axis] for axis in varying)
            flat.append(atom)
        return flat

    def outs(self, outs: tuple[Var, ...]) -> list[Var]:
        """The loop's outs without the lengths."""
        rest = iter(outs)
        found = []
        for _, varying in self.values:
            for _ in varying:
                next(rest)
            found.append(next(rest))
        return found


def emit_cond(b: Builder, cond: LinearCond, values: Values, emit: Emit) -> None:
    """The linear part of the branch taken.  In the dual, sums to outside values pass through both branches."""
    origin = cond.origin
    branches: dict[str, tuple[Builder, Any]] = {}
    for name, linear in cond.branches:
        branch: Program = origin.params[name]
        inner = b.region()
        for equation in branch.equations:
            inner.know(equation)
        local: Any = ChainMap({}, values)  # type: ignore[arg-type]
        if cond.backwards:
            for result, out in cond_ends(cond, name):
                if isinstance(result, Var) and out in values:
                    before = local.get(result)
                    seed = inner.conform(values[out], *result.type.shape, checked=False)
                    local[result] = seed if before is None else inner.plus(before, seed)
        emit(inner, linear, local, branch.equations)
        branches[name] = (inner, local)

    if cond.backwards:
        ends = _outside_ends(origin, branches)
        sources = dict.fromkeys(branches, ends)
    else:
        moving = [k for k, out in enumerate(origin.outs) if _moves(origin, branches, k)]
        ends = [origin.outs[k] for k in moving]
        sources = {name: [origin.params[name].results[k] for k in moving] for name in branches}
    if not ends:
        return
    # lengths that the branches decide come in front of the arrays
    decided = [(k, axis) for k, end in enumerate(ends) for axis, n in enumerate(end.type.shape) if n in origin.outs]
    programs: dict[str, Program] = {}
    for name, (inner, local) in branches.items():
        lengths = [sources[name][k].type.shape[axis] for k, axis in decided]
        results = (*lengths, *(value_or_zeros(inner, local, s) for s in sources[name]))
        programs[name] = provide_branch(origin, name, inner, results)
    outs = b.cond(origin.operands[0], programs["then"], programs["otherwise"])
    for end, out in zip(ends, outs[len(decided) :], strict=True):
        values[end] = b.conform(out, *end.type.shape, checked=False) if decided else out


def _outside_ends(origin: Equation, branches: dict[str, tuple[Builder, Any]]) -> list[Var]:
    found: dict[Var, None] = {}
    for name, (_, local) in branches.items():
        own = defined(origin.params[name])
        found.update(dict.fromkeys(v for v in local.maps[0] if v not in own))
    return list(found)


def _moves(origin: Equation, branches: dict[str, tuple[Builder, Any]], k: int) -> bool:
    return any(origin.params[name].results[k] in local for name, (_, local) in branches.items())
