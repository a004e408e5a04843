"""The rules of `custom_jvp` and `custom_rule`: a value and its tangent, or a tangent by each argument."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .builder import Builder
from .errors import RuleError, refuse
from .linear import is_differentiable, zeros
from .linearity import Kind
from .marks import tangent_of
from .plugins import Leaf, Lowered, Spec
from .program import Equation, clone_equation
from .rules import conformed, spliced
from .signatures import definition, name_of
from .stated import Stated, described, still, tangent_like
from .trees import leaves, map_leaves
from .types import Atom, Var

__all__ = ["ByArgument", "Forward"]

LINEAR = (
    "sums of products of tangents with values that do not depend on them; np.where and `if` by such values are fine"
)


@dataclass(frozen=True, eq=False)
class Forward(Stated):
    """The rule of `defjvp`: `rule(*constants, primals, tangents) -> (value, tangent)`."""

    rule: Callable[..., Any] = field(kw_only=True)

    @cached_property
    def program(self) -> tuple[Lowered, Any, Any]:
        """The rule's program, and the structures of its value and tangent."""
        primals = tuple(self.given[k] for k in self.moving)
        tangents = tuple(map_leaves(tangent_like, a) for a in primals)
        before = tuple(self.given[k] for k in self.constant)
        signature = f"({'…, ' if before else ''}primals, tangents)"
        lowered = self.lowered(self.rule, (*before, primals, tangents), signature)
        if not isinstance(lowered.result, tuple) or len(lowered.result) != 2:
            got = described(lowered.result)
            self.wrong(self.rule, f"returns {got}, and a pair (value, tangent) is needed", "return value, tangent")
        count = len(self.numbers(*self.moving))
        linear = lowered.program.params[count : count + len(self.real(*self.moving))]
        kinds = self.kinds(self.rule, lowered, linear, "tangents", LINEAR)
        for leaf in leaves(lowered.result[0]):
            if isinstance(leaf, Leaf) and kinds[leaf.index] is Kind.LINEAR:
                self.wrong(self.rule, "gives a value that depends on the tangents")
        for leaf in leaves(lowered.result[1]):
            if isinstance(leaf, Leaf) and kinds[leaf.index] is Kind.CONSTANT:
                cause = "is not linear in its tangents: what it gives does not vanish where they do"
                self.wrong(self.rule, cause, LINEAR)
        return lowered, *lowered.result

    def expand(self, b: Builder, equation: Equation, moving: frozenset[int]) -> None:
        lowered, value, tangent = self.program
        outs = self.outs(equation)
        values = self.values(self.rule, lowered, value, outs)
        types = [out.type if is_differentiable(out) else None for out in outs]
        tangents = self.derivatives(self.rule, lowered, tangent, self.result, types, "the tangent")
        operands = equation.operands
        fixed = [still(b, a, k in moving) for k, a in enumerate(operands)]
        primals = [fixed[k] for k in self.numbers(*self.moving)]
        along = [along_with(b, operands[k], k in moving) for k in self.real(*self.moving)]
        found = spliced(b, lowered.program, [*primals, *along, *self.beside(lowered, fixed)])
        by = [None if k is None else found[k] for k in tangents]
        self.give(b, equation, [found[k] for k in values], by, name_of(self.rule), self.rule)


def along_with(b: Builder, operand: Atom, moves: bool) -> Atom:
    """The tangent of an operand."""
    return tangent_of(b, operand) if moves and isinstance(operand, Var) else zeros(b, operand.type)


@dataclass(frozen=True, eq=False)
class ByArgument(Stated):
    """The rules of `defjvps`, one an argument: `rule(tangent, value, *primals) -> tangent`."""

    rules: tuple[Callable[..., Any] | None, ...] = field(kw_only=True)
    types: tuple[Spec, ...] = field(kw_only=True)  # of the results

    @cached_property
    def programs(self) -> dict[int, Lowered]:
        """The program of each rule, by the position of the argument."""
        if len(self.rules) != len(self.given):
            refuse(
                RuleError,
                f"{self.name} is called with {len(self.given)} arguments, and defjvps has rules for {len(self.rules)}",
                definition(self.function) if callable(self.function) else None,
                "one rule an argument, None where there is no derivative",
            )
        return {k: self.program(k, rule) for k, rule in enumerate(self.rules) if rule is not None and self.real(k)}

    def program(self, position: int, rule: Callable[..., Any]) -> Lowered:
        tangent = map_leaves(tangent_like, self.given[position])
        lowered = self.lowered(rule, (tangent, self.own(), *self.given), "(tangent, value, *primals)")
        linear = lowered.program.params[: len(self.real(position))]
        kinds = self.kinds(rule, lowered, linear, "tangent", LINEAR)
        if Kind.CONSTANT in kinds:
            self.wrong(rule, "is not linear in its tangent: what it gives does not vanish where that does", LINEAR)
        return lowered

    def own(self) -> Any:
        """The structure of the value, as an argument."""
        specs = iter(self.types)
        return map_leaves(lambda leaf: next(specs) if isinstance(leaf, Leaf) else leaf, self.result)

    def expand(self, b: Builder, equation: Equation, moving: frozenset[int]) -> None:
        operands = [still(b, a, k in moving) for k, a in enumerate(equation.operands)]
        pairs = zip(equation.operands, operands, strict=True)
        again = clone_equation(equation, {a: s for a, s in pairs if isinstance(a, Var)})
        b.enter(again)
        values = self.outs(again)
        outs = self.outs(equation)
        types = [out.type if is_differentiable(out) else None for out in outs]
        sums: list[Atom | None] = [None for _ in outs]
        for position, lowered in self.programs.items():
            rule: Any = self.rules[position]
            if moving.isdisjoint(self.real(position)):
                continue
            places = self.derivatives(rule, lowered, lowered.result, self.result, types, "the tangent")
            along = [along_with(b, equation.operands[k], k in moving) for k in self.real(position)]
            primals = operands[: self.arguments]
            found = spliced(b, lowered.program, [*along, *values, *primals, *self.beside(lowered, operands)])
            for k, place in enumerate(places):
                if place is not None:
                    what = f"the tangent that {name_of(rule)} gives"
                    tangent = conformed(b, found[place], values[k].type, what, self.place(rule))
                    before = sums[k]
                    sums[k] = tangent if before is None else b.plus(before, tangent)
        self.give(b, equation, values, sums, self.name, self.function)
