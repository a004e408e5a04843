"""The rules of `custom_vjp`: a value with what is kept, and the cotangents of the arguments.

With a pushforward beside them both directions of the linear map are stated, as a rule of `adcore.ruling.Map` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from .builder import Builder
from .demands import around_of, demanded
from .linear import is_differentiable, zeros
from .linearity import Kind
from .marks import RULED
from .plugins import Leaf, Lowered, Spec, Static
from .program import Equation
from .rules import conformed, spliced
from .signatures import name_of
from .stated import Stated, described, still, tangent_like
from .transforms import parameter
from .trees import leaves, map_leaves
from .types import Atom, Var

__all__ = ["BothWays", "Pair"]


@dataclass(frozen=True, eq=False)
class Pair(Stated):
    """The rules of `defvjp`: `forward(*arguments) -> (value, kept)`, `backward(*constants, kept, cotangent)`."""

    forward: Callable[..., Any] = field(kw_only=True)
    backward: Callable[..., Any] = field(kw_only=True)
    types: tuple[Spec, ...] = field(kw_only=True)  # of the results

    @cached_property
    def first(self) -> tuple[Lowered, Any, Any]:
        """The program of the forward rule, and the structures of its value and of what it keeps."""
        lowered = self.lowered(self.forward, self.given, "(*arguments)")
        if not isinstance(lowered.result, tuple) or len(lowered.result) != 2:
            cause = (
                f"returns {described(lowered.result)}, and a pair (value, what is kept for the cotangents) is needed"
            )
            self.wrong(self.forward, cause, "return value, kept")
        return lowered, *lowered.result

    @cached_property
    def second(self) -> Lowered:
        """The program of the backward rule."""
        specs = iter(self.types)
        cotangent = map_leaves(
            lambda x: tangent_like(next(specs)) if isinstance(x, Leaf) else Static(None), self.result
        )
        before = tuple(self.given[k] for k in self.constant)
        signature = f"({'…, ' if before else ''}kept, cotangent)"
        lowered = self.lowered(self.backward, (*before, self.structure_kept, cotangent), signature)
        count = len(self.moving)
        if not isinstance(lowered.result, tuple) or len(lowered.result) != count:
            got = described(lowered.result)
            needed = f"a tuple of {count}, one cotangent an argument,"
            self.wrong(
                self.backward, f"returns {got}, and {needed} is needed", "return (x_bar, …), None where there is none"
            )
        return lowered

    @property
    def structure_kept(self) -> Any:
        """The structure of what the forward rule keeps, as an argument."""
        first, _, kept = self.first
        results = first.program.results
        return map_leaves(lambda x: self.spec(results[x.index]) if isinstance(x, Leaf) else x, kept)

    @property
    def kept(self) -> list[int]:
        """The results of the forward rule's program that are kept."""
        return [leaf.index for leaf in leaves(self.first[2]) if isinstance(leaf, Leaf)]

    @cached_property
    def linear(self) -> None:
        """Nothing, if the backward rule is linear in the cotangents.

        Raises:
            RuleError: it is not.
        """
        lowered, count = self.second, len(self.kept)
        linear = lowered.program.params[count : len(lowered.program.params) - len(lowered.captures)]
        write = f"reverse mode; or custom_jvp or custom_rule for {self.name}; or a linear rule"
        kinds = self.kinds(self.backward, lowered, linear, "cotangents, so there is no forward mode", write)
        if Kind.CONSTANT in kinds:
            self.wrong(self.backward, "is not linear in its cotangents, so there is no forward mode", write)

    def expand(self, b: Builder, equation: Equation, moving: frozenset[int]) -> None:
        lowered, value, _ = self.first
        outs = self.outs(equation)
        places = self.values(self.forward, lowered, value, outs)
        operands = [still(b, a, k in moving) for k, a in enumerate(equation.operands)]
        found = spliced(b, lowered.program, [*operands[: self.arguments], *self.beside(lowered, operands)])
        values = [found[k] for k in places]
        ruled = tuple(out for out in outs if is_differentiable(out))
        moved = {out: Var(out.type, out.name) for out in ruled}
        plain = replace(equation, outs=tuple(moved.get(o, o) for o in equation.outs))
        self.give(b, plain, values, [None for _ in values], name_of(self.forward), self.forward)
        given = [moved[out] for out in ruled]
        arguments = [equation.operands[k] for k in self.real(*self.moving)]
        kept = [*(found[k] for k in self.kept), *operands[self.arguments + len(self.closed) :]]
        params = {"values": len(given), "arguments": len(arguments)}
        b.enter(Equation(RULED, (*given, *arguments, *kept), params, ruled, b.source, rule=self))

    def apart(self, lowered: Lowered, kept: Sequence[Atom]) -> tuple[Sequence[Atom], list[Atom]]:
        """What the forward rule keeps, and what another rule's program reads of the functions around it."""
        count = len(self.kept)
        return kept[:count], [kept[count + k] for k in around_of(lowered)]

    def pullback(
        self, b: Builder, kept: tuple[Atom, ...], cotangents: list[Atom], arguments: tuple[Atom, ...], linear: bool
    ) -> list[Atom | None]:
        """As in `adcore.ruling.Pullback`."""
        if linear:
            _ = self.linear
        lowered, name = self.second, name_of(self.backward)
        given = tuple(self.given[k] for k in self.moving)
        types = [leaf for a in given for leaf in leaves(a) if isinstance(leaf, Spec)]
        real = iter(arguments)
        wanted = [next(real).type if spec.dtype.differentiable else None for spec in types]
        places = self.derivatives(self.backward, lowered, lowered.result, given, wanted, "a cotangent", none=True)
        own, around = self.apart(lowered, kept)
        found = spliced(b, lowered.program, [*own, *cotangents, *demanded(lowered, around)])
        pulled: list[Atom | None] = []
        for place, type in zip(places, wanted, strict=True):
            if type is not None:
                what = f"a cotangent that {name} gives"
                pulled.append(
                    None if place is None else conformed(b, found[place], type, what, self.place(self.backward))
                )
        return pulled


@dataclass(frozen=True, eq=False)
class BothWays(Pair):
    """The rules of `defvjp` with a third one: `along(*constants, kept, tangents) -> tangent`."""

    along: Callable[..., Any] = field(kw_only=True)

    @cached_property
    def third(self) -> Lowered:
        """The program of the pushforward."""
        tangents = tuple(map_leaves(tangent_like, self.given[k]) for k in self.moving)
        before = tuple(self.given[k] for k in self.constant)
        signature = f"({'…, ' if before else ''}kept, tangents)"
        return self.lowered(self.along, (*before, self.structure_kept, tangents), signature)

    def pushforward(
        self, b: Builder, kept: Sequence[Atom], tangents: Sequence[Atom | None], arguments: Sequence[Atom]
    ) -> list[Atom]:
        """As in `adcore.ruling.Map`."""
        lowered = self.third
        types = [parameter(spec, "y").type if spec.dtype.differentiable else None for spec in self.types]
        places = self.derivatives(self.along, lowered, lowered.result, self.result, types, "the tangent")
        own, around = self.apart(lowered, kept)
        pairs = zip(tangents, arguments, strict=True)
        given = [zeros(b, x.type) if t is None else t for t, x in pairs]
        found = spliced(b, lowered.program, [*own, *given, *demanded(lowered, around)])
        return [found[k] for k in places if k is not None]
