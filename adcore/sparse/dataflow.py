"""Which results depend on which arguments: the linear program read over sets instead of numbers.

A value's tangent is replaced by a set of columns, one bit each of a word: those that the value depends on.  The linear
maps that the rows of the table state are read over the Boolean semiring: a factor leaves a set as it is, whatever its
value, and a sum is a union.  So the sets hold every column with a derivative that is not 0: at all points that take the
same branches and have the same indices.

A mask stays where it is the same at all points; where it depends on real numbers it is left out, so that both sides of
`np.where(x > 0, …)` count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping, Sequence

from ..batching import Batch
from ..builder import Builder
from ..columns import parts
from ..control import push_cond, push_loop, value_or_zeros
from ..derive import emit, linearize, linearize_equation
from ..errors import MissingRuleError
from ..linear import APPLY, Edge, Generator, LinearLoop, reached_loop, zeros
from ..marks import RULED, resolve
from ..masking import is_zero
from ..passes.dce import eliminate_dead
from ..preparation import prepared
from ..primitives.indexed import OPERANDS, index_arrays
from ..program import Equation, Program, all_defined, uses
from ..ruling import forwards
from ..types import I64, Atom, Type, Var, literal

__all__ = ["UNION", "Flow", "depend", "words"]

Sets = MutableMapping[Var, Atom]


def depend(program: Program, wrt: Sequence[int], given: Atom) -> Program:
    """The sets of the program's one result, of which `given` has the sets of all elements of the parameters in `wrt`.

    Sets are words of 64 bits, in arrays shaped as what they are of.
    """
    program, stated = prepared(program, wrt)
    b = Builder()
    sets: Sets = dict(parts(b, given, [program.params[k] for k in wrt]))
    Flow(program).push(b, program.equations, sets)
    (result,) = program.results
    results: tuple[Atom, ...] = (value_or_zeros(b, sets, result, words),)
    if stated:
        results = resolve(b.equations, results)
    return eliminate_dead(Program(program.params, b.equations, results, f"sets_{program.name}"))


def words(type: Type) -> Type:
    """The type of the sets of a value's elements."""
    return type.with_dtype(I64.dtype)


def united(b: Builder, one: Atom | None, other: Atom) -> Atom:
    if one is None or is_zero(b, one):
        return other
    return one if is_zero(b, other) else b.lor(one, other)


class Flow:
    """Emits equations, each followed by the sets of its results."""

    def __init__(self, program: Program) -> None:
        real = {p: p for p in program.params if p.type.dtype.differentiable}
        marks = Batch(Builder(), literal(1), dict(real))
        marks.spread(program.equations)
        self.moving = marks.marked  # what real arguments decide
        self.primal = set(all_defined(program))
        self.maps: dict[str, Callable[[Builder, Generator, Atom], Atom]] = {
            **UNION,
            "mask": self.masked,
            "compose": self.composed,
            "sum": lambda b, g, t: self.sums(b, g, None, t),
        }

    def push(self, b: Builder, equations: Iterable[Equation], sets: Sets) -> None:
        for equation in equations:
            with b.at(equation.source):
                if equation.primitive is RULED:
                    self.push(b, forwards(equation, lambda x: x in sets, emit, linearize), sets)
                    continue
                active = set(sets)
                steps = linearize_equation(equation, active)
                if steps and isinstance(steps[0], LinearLoop):
                    live = reached_loop(steps[0], set(sets))
                    push_loop(b, steps[0], live, sets, self.push, words)
                elif steps and not isinstance(steps[0], Edge):
                    push_cond(b, equation, active, sets, self.push, words)
                else:
                    b.adopt([equation])
                    for step in steps:
                        assert isinstance(step, Edge)
                        with b.for_coefficients():
                            label = step.label(b)
                        sets[step.target] = self.accumulate(b, label, sets.get(step.target), sets[step.source])

    def apply(self, b: Builder, g: Generator, t: Atom) -> Atom:
        if g.name not in self.maps:
            raise MissingRuleError(f"a pattern through the linear map {g.name!r}", b.source, "a pattern of your own")
        return self.maps[g.name](b, g, t)

    def accumulate(self, b: Builder, g: Generator, before: Atom | None, t: Atom) -> Atom:
        """The union of what there is with the map of t."""
        if g.name == "sum":
            return self.sums(b, g, before, t)
        if before is not None and g.name in INTO:
            return INTO[g.name](b, g, before, t)
        return united(b, before, self.apply(b, g, t))

    def composed(self, b: Builder, g: Generator, t: Atom) -> Atom:
        for part in reversed(g.residuals):
            t = self.apply(b, part, t)
        return t

    def sums(self, b: Builder, g: Generator, before: Atom | None, t: Atom) -> Atom:
        for part in g.residuals:
            before = self.accumulate(b, part, before, t)
        assert before is not None
        return before

    def masked(self, b: Builder, g: Generator, t: Atom) -> Atom:
        keep = g.residuals[0]
        return t if self.is_moving(b, keep, {}) else b.select(keep, t, 0)

    def is_moving(self, b: Builder, atom: Atom, known: dict[Atom, bool]) -> bool:
        """Whether real arguments decide a value, one of the primal or of what has been emitted from these."""
        if not isinstance(atom, Var) or atom in self.primal:
            return atom in self.moving
        if atom not in known:
            known[atom] = False
            equation = b.defining(atom)
            known[atom] = equation is not None and any(self.is_moving(b, v, known) for v in uses(equation))
        return known[atom]


# Sets that touch only the elements of a region.


def _place_into(b: Builder, g: Generator, before: Atom, t: Atom) -> Atom:
    scalars, codes = g.residuals[0], g.params[0]
    there = b.view(before, *scalars, codes=codes)
    return b.update(before, united(b, there, t), *scalars, codes=codes)


def _scatter_into(b: Builder, g: Generator, before: Atom, t: Atom) -> Atom:
    """One element of the index arrays after the other, since some may name the same place."""
    operands, codes = g.residuals[0], g.params[0]
    arrays = index_arrays(codes, operands)
    rank, lengths = arrays[0].type.rank, arrays[0].type.shape
    count = b.size(lengths)
    flat = {a: b.reshape(a, count) for a in arrays}
    given = b.reshape(t, count, *t.type.shape[rank:])
    inner = b.region()
    k, carried = Var(I64, "k"), Var(before.type, "sets")
    scalars = one_by_one(inner, codes, operands, [(inner.view(flat[a], k, codes="i")) for a in arrays], before.type)
    region_codes = codes.replace("a", "i")
    part = inner.view(given, k, codes="i" + ":" * (t.type.rank - rank))
    there = inner.view(carried, *scalars, codes=region_codes)
    after = inner.update(carried, inner.lor(there, part), *scalars, codes=region_codes)
    (out,) = b.loop(count, (before,), inner.program((k, carried), (after,)))
    return out


def one_by_one(
    b: Builder, codes: str, operands: tuple[Atom, ...], indices: list[Atom], whole: Type
) -> tuple[Atom, ...]:
    """The operands of axis codes with an index in the place of each index array; it may count from the end."""
    found: list[Atom] = []
    given, rest = iter(indices), list(operands)
    for code, length in zip(codes, whole.shape, strict=True):
        if code == "a":
            index = next(given)
            found.append(b.select(b.lt(index, 0), b.add(index, length), index))
        else:
            found += rest[: OPERANDS[code]]
        del rest[: OPERANDS[code]]
    return tuple(found)


INTO: dict[str, Callable[[Builder, Generator, Atom, Atom], Atom]] = {
    "place": _place_into,
    "scatter_add": _scatter_into,
}


def _around(b: Builder, g: Generator, t: Atom) -> Atom:
    """Nothing around what is placed or scattered."""
    return INTO[g.name](b, g, zeros(b, t.type.with_shape(*g.residuals[1])), t)


# Maps in which every element along an axis has a part in every result along it.


def _whole(axis: int, length: Callable[[Generator, Atom], Atom]) -> Callable[[Builder, Generator, Atom], Atom]:
    """The union along an axis, counted from the end, repeated along one of this length."""

    def apply(b: Builder, g: Generator, t: Atom) -> Atom:
        at = t.type.rank + axis
        return b.expand(b.reduce_or(t, axes=(at,)), length(g, t), axes=(at,))

    return apply


def _rows_of(axis: int) -> Callable[[Generator, Atom], Atom]:
    return lambda g, t: g.residuals[0].type.shape[axis]


def _same(axis: int) -> Callable[[Generator, Atom], Atom]:
    return lambda g, t: t.type.shape[axis]


def _folded(b: Builder, g: Generator, t: Atom) -> Atom:
    return b.reduce_or(t, axes=g.params) if g.params else t


def _itself(b: Builder, g: Generator, t: Atom) -> Atom:
    return t


_WHOLE_COLUMNS, _WHOLE_ROWS = (_whole(axis, _same(axis)) for axis in (-2, -1))

UNION: dict[str, Callable[[Builder, Generator, Atom], Atom]] = {
    **dict.fromkeys(("identity", "negate", "scale", "conjugate", "cast"), _itself),
    **{
        name: APPLY[name]
        for name in ("expand", "reshape", "conforming", "permute", "pick", "clear", "gather", "clear_at", "grown")
    },
    **dict.fromkeys(("total", "share"), _folded),
    "share_back": lambda b, g, t: b.expand(t, *g.residuals[1:], axes=g.params),
    **dict.fromkeys(("place", "scatter_add"), _around),
    "left": _whole(-2, _rows_of(-2)),
    "left_transposed": _whole(-2, _rows_of(-1)),
    "right": _whole(-1, _rows_of(-1)),
    "right_transposed": _whole(-1, _rows_of(-2)),
    **dict.fromkeys(("solution", "substitution", "sparse_solution"), _WHOLE_COLUMNS),
    "balance": lambda b, g, t: _WHOLE_COLUMNS(b, g, _WHOLE_ROWS(b, g, t)),
    "fourier": _WHOLE_ROWS,
}
