"""Reversing a counted loop with few snapshots: the binomial schedule (Griewank and Walther, ACM TOMS 26, 2000).

At most s states are kept at any time, on a stack of (position, state) in the order of the iterations.  To reverse
iteration k, the loop is run from the state on top of the stack to k; on the way, where slots are free, states are put
on the stack at the positions that make the number of iterations run again the least possible,

    t(n, s) = min over m of m + t(n - m, s - 1) + t(m, s) = r n - b(s + 1, r - 1),   b(s, r) = (s + r choose s)

for the r with b(s, r - 1) < n <= b(s, r).  The minimum is attained where the m iterations in front take r - 1 rounds
and the others r, that is for b(s, r - 2) <= m <= b(s, r - 1) and b(s - 1, r - 1) <= n - m <= b(s - 1, r); the greatest
such m is taken.  The primal run itself is the first of these runs: it leaves the first states on the stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .builder import Builder
from .choice import needed
from .errors import UnsupportedFunctionError, refuse
from .passes.dce import eliminate_dead
from .passes.stability import read_from, versions
from .policies import policy_of
from .primitives import TABLE
from .program import Equation, Program, clone, defined, fresh, uses
from .recomputation import effect_free, recompute, rename, unchecked
from .types import I64, Atom, DType, Type, Var, literal

__all__ = ["Snapshots", "binomial_advance"]


class Snapshots:
    """The primal values that a linear loop needs, from the states that its primal loop keeps on a stack.

    Made before the loop's linear body is emitted, which may extend the primal body with stores.
    """

    def __init__(self, origin: Equation, scope: list[Equation]) -> None:
        self.origin = origin
        self.scope = scope
        self.number = origin.number
        self.found = versions(origin)
        body: Program = origin.params["body"]
        self.plain = clone(body, {})
        final = Program(body.params, read_from(body.equations, origin, self.found), body.results, "again")
        self.again = clone(final, {}, keep=effect_free)
        for equation in self.again.equations:
            unchecked(equation)
        self.inits: list[Atom] = []  # what the reverse loop carries for the stack
        self.params: list[Var] = []
        self.results: list[Atom] = []

    def provide(self, inner: Builder, counter: Var, results: list[Atom]) -> tuple[Atom, list[Equation], list[Atom]]:
        """As `adcore.residuals.provide_iterations`, of a loop run backwards."""
        origin = self.origin
        body: Program = origin.params["body"]
        inner.equations[:] = read_from(inner.equations, origin, self.found)
        primal = read_from(body.equations, origin, self.found)
        own = defined(body)
        wanted = needed(inner.equations, results, own)
        for var in list(wanted):
            wanted.update(dict.fromkeys(a for a in var.type.shape if a in own))
        carries = body.params[1:]
        kept = self._closed(k for k, p in enumerate(carries) if p in _sources(primal, wanted))

        count = origin.operands[0]
        front = Builder()
        front.source = origin.source
        step = front.sub(front.sub(count, 1), counter)
        env: dict[Var, Atom] = {body.params[0]: step}
        if kept:
            stack = self._first_run(kept)
            reached = self._way_to(front, step, kept, stack)
            env.update({carries[k]: state for k, state in zip(kept, reached, strict=True)})
        copies, env = recompute(primal, wanted, env)
        results = rename(inner.equations, results, env)
        return count, [*front.equations, *copies, *inner.equations], results

    def _closed(self, positions: Iterable[int]) -> list[int]:
        """The carries that these ones depend on, through any number of iterations."""
        found = set(positions)
        carries = self.again.params[1:]
        while True:
            read = _sources(self.again.equations, [r for k in found if isinstance(r := self.again.results[k], Var)])
            more = found | {k for k, p in enumerate(carries) if p in read}
            if more == found:
                return sorted(found)
            found = more

    def _first_run(self, kept: list[int]) -> _Stack:
        """Turn the primal loop into its first run: it leaves the first states on the stack, and in hand the last one.

        The last of its rounds is a single iteration, for the loop's results; what it starts from is in hand.
        """
        origin, plain = self.origin, self.plain
        types = [plain.params[1:][k].type for k in kept]
        if any(a in defined(plain) for type in types for a in type.shape):
            refuse(
                UnsupportedFunctionError,
                'policy "revolve": an array whose shape changes from one iteration to the next',
                origin.source,
                'policy "sqrt", or an array that is as long from the start as it gets',
            )
        count, inits = origin.operands[0], origin.operands[1:]
        front = Builder()
        front.source = origin.source
        stack = _Stack(slots(front, origin, count, types), types)
        begun = stack.begin(front, [inits[k] for k in kept])
        place = next(k for k, e in enumerate(self.scope) if e is origin)
        self.scope[place:place] = front.equations

        position = Var(I64, "position")
        names: dict[Var, Atom] = {}
        states = [fresh(p, names) for p in plain.params[1:]]
        inside = stack.like()
        body = Builder()
        body.source = origin.source
        steps = binomial_advance(body, body.sub(count, position), body.sub(stack.slots, inside.top))
        after = _run(body, plain, origin.number, position, steps, states)
        further = body.add(position, steps)
        pushed = inside.push(body, further, count, [after[k] for k in kept])
        for k, kept_state in zip(kept, pushed[2:], strict=True):
            push = body.defining(kept_state)
            assert push is not None
            push.keeps = states[k]
        started = (position, *(states[k] for k in kept))
        last = [Var(I64, "last"), *(Var(type, states[k].name) for k, type in zip(kept, types, strict=True))]
        params = (position, *states, *last, *inside.params)
        test = Builder()
        copied: dict[Var, Atom] = {}
        tested = tuple(fresh(v, copied) for v in params)
        goes_on = test.lt(tested[0], count)
        origin.primitive = TABLE["while"]
        origin.params = {
            "test": Program(tested, test.equations, (goes_on,), "test"),
            "body": Program(params, body.equations, (further, *after, *started, *pushed), "first_run"),
        }
        origin.number = 0  # it goes round once a snapshot, not once an iteration
        origin.operands = (literal(0), *inits, literal(0), *(inits[k] for k in kept), *begun)
        left = (*(Var(v.type, v.name) for v in last), *stack.like().params)
        origin.outs = (Var(I64, "position"), *origin.outs, *left)
        self.inits = list(left)
        return stack

    def _way_to(self, b: Builder, step: Atom, kept: list[int], stack: _Stack) -> Sequence[Atom]:
        """Emit, in the reverse loop, the run to the state that iteration `step` starts from; gives that state."""
        held = stack.like()
        start = Var(I64, "position")
        hand = [Var(type, self.again.params[1:][k].name) for k, type in zip(kept, stack.types, strict=True)]
        again = Program(
            (self.again.params[0], *(self.again.params[1:][k] for k in kept)),
            list(self.again.equations),
            tuple(self.again.results[k] for k in kept),
            "again",
        )
        eliminate_dead(again)
        position = Var(I64, "position")
        states = [Var(type, self.again.params[1:][k].name) for k, type in zip(kept, stack.types, strict=True)]
        inside = stack.like()
        body = Builder()
        body.source = self.origin.source
        end = body.add(step, 1)
        steps = binomial_advance(body, body.sub(end, position), body.sub(stack.slots, inside.top))
        after = _run(body, again, self.number, position, steps, states)
        further = body.add(position, steps)
        pushed = inside.push(body, further, end, after)
        params = (position, *states, *inside.params)
        test = Builder()
        copied: dict[Var, Atom] = {}
        tested = tuple(fresh(v, copied) for v in params)
        goes_on = test.lt(tested[0], step)
        outs = b.while_(
            (start, *hand, *held.params),
            Program(tested, test.equations, (goes_on,), "test"),
            Program(params, body.equations, (further, *after, *pushed), "again"),
        )
        reached, top, rest = outs[1 : 1 + len(kept)], outs[1 + len(kept)], outs[2 + len(kept) :]
        done = b.land(b.eq(b.view(rest[0], top, codes="i"), step), b.gt(top, 0))
        left = _Stack(stack.slots, stack.types, (b.select(done, b.sub(top, 1), top), *rest))
        self.params = [start, *hand, *held.params]
        self.results = [*left.read(b), *left.parts]
        return reached


def _sources(equations: list[Equation], wanted: Iterable[Var]) -> set[Var]:
    """All values that the equations compute the wanted ones from, themselves included."""
    found = set(wanted)
    for equation in reversed(equations):
        if any(out in found for out in equation.outs):
            found.update(uses(equation))
    return found


class _Stack:
    """Positions and states, the first `top + 1` slots of the arrays.

    Attributes:
        parts: the top slot, the positions, then an array for each part of a state.
        params: parameters for these, which are the parts unless others are given.
    """

    def __init__(self, slots: Atom, types: list[Type], parts: Sequence[Atom] = ()) -> None:
        self.slots = slots
        self.types = types
        arrays = (Var(t.with_shape(slots, *t.shape), "snapshots") for t in types)
        self.params = (Var(I64, "top"), Var(Type(DType.I64, (slots,)), "positions"), *arrays)
        self.parts = tuple(parts) or self.params
        self.top, self.positions, *self.arrays = self.parts

    def like(self) -> _Stack:
        """Another one with parameters of its own."""
        return _Stack(self.slots, self.types)

    def begin(self, b: Builder, states: Sequence[Atom]) -> list[Atom]:
        """The stack with the state at the loop's entrance."""
        begun: list[Atom] = [literal(0), b.update(b.empty(self.slots, dtype=DType.I64), 0, 0, codes="i")]
        for type, state in zip(self.types, states, strict=True):
            value = b.conform(state, *type.shape, checked=False) if type.shape else state
            room = b.empty(self.slots, *type.shape, dtype=type.dtype)
            begun.append(b.update(room, value, 0, codes="i" + ":" * type.rank))
        return begun

    def read(self, b: Builder) -> list[Atom]:
        """The position and the state on top."""
        read = [b.view(self.positions, self.top, codes="i")]
        for type, array in zip(self.types, self.arrays, strict=True):
            read.append(b.view(array, self.top, codes="i" + ":" * type.rank))
        return read

    def push(self, b: Builder, position: Atom, end: Atom, states: Sequence[Atom]) -> list[Atom]:
        """The stack with this state, if a slot is free and more than one iteration is left before `end`."""
        above = b.add(self.top, 1)
        pays = b.land(b.gt(b.sub(end, position), 1), b.lt(above, self.slots))
        one = b.select(pays, 1, 0)
        pushed: list[Atom] = [b.add(self.top, one)]
        pushed.append(b.update(self.positions, b.expand(position, one, axes=(0,)), above, one, 1, codes="s"))
        for type, array, state in zip(self.types, self.arrays, states, strict=True):
            value = b.expand(state, one, axes=(0,))
            pushed.append(b.update(array, value, above, one, 1, codes="s" + ":" * type.rank))
        return pushed


def _run(
    b: Builder, plain: Program, number: int, position: Atom, steps: Atom, states: Sequence[Atom]
) -> tuple[Var, ...]:
    """So many iterations, from a position on, of the loop of that number."""
    body = clone(plain, {})
    step, counter = Var(I64, "j"), body.params[0]
    shift = Equation(TABLE["add"], (position, step), {}, (counter,), b.source)
    iteration = Program((step, *body.params[1:]), [shift, *body.equations], body.results, "iteration")
    outs = b.loop(steps, tuple(states), iteration)
    b.equations[-1].number = number
    return outs


def slots(b: Builder, loop: Equation, count: Atom, types: list[Type]) -> Atom:
    """How many states are kept: as given, or as fit into the budget; no more than there are iterations."""
    policy = policy_of(loop.params)
    most = b.maximum(count, 1)
    if policy.bytes is None:
        return b.minimum(most, policy.snapshots)
    size: Atom = literal(0)
    for type in types:
        one: Atom = literal(type.dtype.numpy.itemsize)
        for length in type.shape:
            one = b.mul(one, length)
        size = b.add(size, one)
    size = b.maximum(size, 1)
    message = f'policy "revolve": one state of this loop takes {{0}} bytes, and the budget is {policy.bytes}'
    b.check(b.le(size, policy.bytes), size, error="ValueError", message=message)
    return b.minimum(most, b.floordiv(policy.bytes, size))


def binomial_advance(b: Builder, iterations: Atom, slots: Atom) -> Atom:
    """How many of so many iterations to run before the next state is kept, the one in front being kept; at least 1."""
    rounds, before, within = Var(I64, "rounds"), Var(I64, "before"), Var(I64, "within")
    body = Builder()
    more = body.add(rounds, 1)
    beyond = body.floordiv(body.mul(within, body.add(slots, more)), more)  # b(s, r) = b(s, r - 1) (s + r) / r
    test = Builder()
    tested = (Var(I64, "rounds"), Var(I64, "before"), Var(I64, "within"))
    goes_on = test.lt(tested[2], iterations)
    outs = b.while_(
        (literal(1), literal(1), b.add(slots, 1)),
        Program(tested, test.equations, (goes_on,), "test"),
        Program((rounds, before, within), body.equations, (more, within, beyond), "body"),
    )
    others = b.floordiv(b.mul(outs[1], slots), b.add(slots, b.sub(outs[0], 1)))  # b(s - 1, r - 1)
    return b.maximum(b.minimum(outs[1], b.sub(iterations, others)), 1)
