"""Stated derivatives of functions that are called for many values at once, along one further axis (`adcore.batching`).

Such a call keeps the call for one value.  Where its rule is needed, that of the one call is put in place, and what it
comes to is given the further axis, marks and all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .marks import DETACH, SAME
from .program import Equation, clone_equation
from .rules import Rule
from .types import Atom, Var

if TYPE_CHECKING:
    from .builder import Builder
    from .ruling import Map, Pullback

__all__ = ["Batched", "BatchedMap", "BatchedPullback"]


@dataclass(frozen=True, eq=False)
class Batched(Rule):
    """The rule of a call with a further axis.

    Attributes:
        one: the call without it.
        marked: which of its operands have the axis.
    """

    name: str
    arguments: int
    closed: tuple[str, ...]
    surrogate: bool
    instead: str
    one: Equation
    marked: tuple[bool, ...]

    @property
    def function(self) -> object:
        return self.one.rule.function

    def expand(self, b: Builder, equation: Equation, moving: frozenset[int]) -> None:
        from .batching import Batch
        from .builder import Builder

        rule: Rule = self.one.rule
        seeds, single = without_axis(self.one.operands, equation.operands, self.marked)
        one = replace(clone_equation(self.one, single.env), operands=single.atoms)
        inner = Builder()
        inner.source = b.source
        rule.expand(inner, one, moving)
        batch = Batch(b, single.length, seeds)
        batch.emit(inner.equations)
        for out, found in zip(equation.outs, one.outs, strict=True):
            value = batch.value(found) if out.type.rank > found.type.rank else found
            primitive = SAME if out.type.dtype.differentiable else DETACH
            b.enter(Equation(primitive, (value,), {}, (out,), b.source))


@dataclass(frozen=True, eq=False)
class BatchedPullback:
    """The pullback of a call with a further axis, which all cotangents have.

    Attributes:
        one: that without it.
        kept: which of the values that it keeps have the axis.
        arguments: which of the arguments have.
    """

    one: Pullback
    kept: tuple[bool, ...]
    arguments: tuple[bool, ...]

    def pullback(
        self, b: Builder, kept: tuple[Atom, ...], cotangents: list[Atom], arguments: tuple[Atom, ...], linear: bool
    ) -> list[Atom | None]:
        """As in `adcore.ruling.Pullback`; an argument without the axis gets the sum along it."""
        from .batching import Batch
        from .builder import Builder

        given = (*kept, *cotangents, *arguments)
        marked = (*self.kept, *(True for _ in cotangents), *self.arguments)
        seeds, single = without_axis(given, given, marked)
        ours = single.atoms
        first, second = len(kept), len(kept) + len(cotangents)
        inner = Builder()
        inner.source = b.source
        found = self.one.pullback(inner, ours[:first], list(ours[first:second]), ours[second:], linear)
        batch = Batch(b, single.length, seeds)
        batch.emit(inner.equations)
        pulled: list[Atom | None] = []
        for cotangent, has_axis in zip(found, self.arguments, strict=True):
            if cotangent is None:
                pulled.append(None)
                continue
            value = batch.value(cotangent)
            pulled.append(value if has_axis else b.total(value, axes=(value.type.rank - 1,)))
        return pulled


@dataclass(frozen=True, eq=False)
class BatchedMap(BatchedPullback):
    """The same of a rule that states both directions."""

    one: Map

    def pushforward(
        self, b: Builder, kept: Sequence[Atom], tangents: Sequence[Atom | None], arguments: Sequence[Atom]
    ) -> list[Atom]:
        """As in `adcore.ruling.Map`, of a rule that has it; an argument without the axis has a tangent without it."""
        from .batching import Batch
        from .builder import Builder

        moving = [t for t in tangents if t is not None]
        given = (*kept, *moving, *arguments)
        has_axis = [a for t, a in zip(tangents, self.arguments, strict=True) if t is not None]
        seeds, single = without_axis(given, given, (*self.kept, *has_axis, *self.arguments))
        ours, first = single.atoms, len(kept)
        second = first + len(moving)
        along = iter(ours[first:second])
        inner = Builder()
        inner.source = b.source
        one = [None if t is None else next(along) for t in tangents]
        found = self.one.pushforward(inner, ours[:first], one, ours[second:])
        batch = Batch(b, single.length, seeds)
        batch.emit(inner.equations)
        return [batch.value(t) for t in found]


@dataclass(frozen=True)
class _Single:
    """Values without the further axis, what stands for what in the call without it, and the axis's length."""

    atoms: tuple[Atom, ...]
    env: dict[Var, Atom]
    length: Atom


def without_axis(
    before: Sequence[Atom], now: Sequence[Atom], marked: Sequence[bool]
) -> tuple[dict[Var, Atom], _Single]:
    """Variables for values that have a further axis, with what has it, and the same for those that have none.

    `before` are the values of the call without the axis, `now` those of the call with it.
    """
    env: dict[Var, Atom] = {}
    seeds: dict[Var, Atom] = {}
    atoms: list[Atom] = []
    length: Any = None
    for old, new, has_axis in zip(before, now, marked, strict=True):
        shape = new.type.shape[:-1] if has_axis else new.type.shape
        if old is not new:
            lengths = zip(old.type.shape, shape, strict=True)
            env.update({mine: current for mine, current in lengths if isinstance(mine, Var)})
        atom = new
        if has_axis:
            length = new.type.shape[-1]
            atom = Var(new.type.with_shape(*shape), getattr(new, "name", "t"))
            seeds[atom] = new
        if isinstance(old, Var) and old is not new:
            env[old] = atom
        atoms.append(atom)
    return seeds, _Single(tuple(atoms), env, length)
