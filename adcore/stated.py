"""The user's rules as programs: what `adcore.rules` puts in place of calls.

A rule is an ordinary function of the language.  It is lowered when a derivative first needs it, for arguments like
those of the call, and what it gives is held against the function's own result: structure, element types and ranks when
the program is made, lengths when it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NoReturn

from .builder import Builder
from .demands import demanded
from .errors import RuleError, refuse
from .linear import is_differentiable, zeros
from .linearity import Kind, NotLinearError, kinds_of
from .marks import RULED, attached, once, tangent_of
from .plugins import Leaf, Lowered, Rows, Spec, Static
from .program import Equation, clone_equation
from .rules import Rule, conformed, spliced
from .signatures import definition, name_of, signature_of
from .transforms import lower, unchanging, without_writes
from .trees import leaves, map_leaves, map_nodes, matched, structure
from .types import Atom, Lit, Type, Var

__all__ = ["ByArgument", "Forward", "Pair", "Stated", "described", "has_rows"]


@dataclass(frozen=True, eq=False)
class Stated(Rule):
    """A rule for one call of a function.

    Attributes:
        name: of the function.
        function: the function itself, or what stands for it.
        arguments: how many numbers and arrays its arguments have.
        closed: the names of what it closes over.
        surrogate: whether the derivative is, on purpose, not that of the function.
        given: the structure of each argument, by position.
        constant: the positions of those that rules are given first, as constants.
        result: the structure of what the function returns, with the equation's outs in order as leaves.
    """

    name: str
    function: object
    arguments: int
    closed: tuple[str, ...]
    surrogate: bool
    given: tuple[Any, ...]
    constant: tuple[int, ...]
    result: Any

    # What rules are given

    @property
    def python(self) -> bool:
        """Whether all numbers are Python's own."""
        return all(leaf.python for leaf in leaves(self.given) if isinstance(leaf, Spec))

    @property
    def moving(self) -> tuple[int, ...]:
        """The positions of the arguments that are not constants."""
        return tuple(k for k in range(len(self.given)) if k not in self.constant)

    @cached_property
    def places(self) -> list[list[int | None]]:
        """For each leaf of each argument, the operand of the equation that it is, if it is a number or an array."""
        count = iter(range(self.arguments))
        return [[next(count) if isinstance(x, Spec) else None for x in leaves(a)] for a in self.given]

    def numbers(self, *positions: int) -> list[int]:
        """The operands in some arguments, in order."""
        return [k for position in positions for k in self.places[position] if k is not None]

    def real(self, *positions: int) -> list[int]:
        """Those of them that have a derivative."""
        specs = [leaf for a in self.given for leaf in leaves(a) if isinstance(leaf, Spec)]
        return [k for k in self.numbers(*positions) if specs[k].dtype.differentiable]

    def spec(self, atom: Atom | Var) -> Spec:
        lengths = tuple(int(a.value) if isinstance(a, Lit) else None for a in atom.type.shape)
        return Spec(atom.type.dtype, lengths, python=self.python and not lengths)

    # The equation

    def outs(self, equation: Equation) -> tuple[Var, ...]:
        """The results of the function, without lengths."""
        return equation.outs[len(equation.outs) - sum(isinstance(x, Leaf) for x in leaves(self.result)) :]

    def give(
        self, b: Builder, equation: Equation, values: Sequence[Atom], tangents: Sequence[Atom | None], what: str, by: Any
    ) -> None:
        """Have the equation's outs be these values, with these tangents; lengths among the outs are the values' own."""
        outs = self.outs(equation)
        pairs = list(zip(outs, values, strict=True))
        known: dict[Var, Atom] = {}
        for length in equation.outs[: len(equation.outs) - len(outs)]:
            found = (value.type.shape[out.type.shape.index(length)] for out, value in pairs if length in out.type.shape)
            known[length] = next(found)
            attached(b, known[length], None, length)
        for out, value, tangent in sorted(zip(outs, values, tangents, strict=True), key=lambda x: x[0].type.rank):
            value = conformed(b, value, out.type, f"the value that {what} gives", definition(by), known)
            if tangent is not None:
                tangent = conformed(b, tangent, out.type, f"the tangent that {what} gives", definition(by), known)
            attached(b, value, tangent, out)

    # The rules' programs

    def lowered(self, rule: Callable[..., Any], given: tuple[Any, ...], signature: str) -> Lowered:
        """The program of a rule for arguments of these structures.

        Raises:
            RuleError: it takes other arguments, draws from a random generator, or returns a list of unknown length.
        """
        try:
            bound = signature_of(rule).bind(*given)
        except TypeError as error:
            name = "rule" if name_of(rule) == "<lambda>" else name_of(rule)
            self.wrong(rule, f"takes other arguments than {signature}: {error}", f"def {name}{signature}")
        lowered = unchanging(lower(rule, tuple(bound.arguments.values())))
        if any(w.state for w in lowered.writes):
            self.wrong(rule, "draws from a random generator", "what was drawn, as an argument of the function")
        if has_rows(lowered.result):
            self.wrong(rule, "returns a list whose length is known at run time", "an array")
        return without_writes(lowered)

    def wrong(self, rule: Callable[..., Any], cause: str, write: str = "") -> NoReturn:
        """Refuse a rule."""
        refuse(RuleError, f"{name_of(rule)}, a rule of {self.name}, {cause}", definition(rule), write)

    def aligned(self, rule: Callable[..., Any], tree: Any, like: Any, what: str, none: bool = True) -> list[Any]:
        """The leaves of a tree for those of another one; with `none`, None stands for a whole subtree."""
        try:
            return matched(structure(like), tree)
        except ValueError:
            pass
        if none and isinstance(tree, Static) and tree.value is None:
            return [tree for _ in leaves(like)]
        if type(tree) is type(like) and isinstance(like, tuple | list) and len(tree) == len(like):
            pairs = zip(tree, like, strict=True)
            return [leaf for t, part in pairs for leaf in self.aligned(rule, t, part, what, none)]
        if isinstance(tree, dict) and isinstance(like, dict) and tree.keys() == like.keys():
            return [leaf for k, part in like.items() for leaf in self.aligned(rule, tree[k], part, what, none)]
        self.wrong(rule, f"gives {what} as {described(tree)}, and {described(like)} is needed")

    def values(self, rule: Callable[..., Any], lowered: Lowered, tree: Any, outs: Sequence[Var]) -> list[int]:
        """The results of a rule's program that are the function's value."""
        expected = iter(outs)
        found: list[int] = []
        for leaf, like in zip(self.aligned(rule, tree, self.result, "the value", False), leaves(self.result), strict=True):
            if isinstance(leaf, Leaf) is not isinstance(like, Leaf):
                self.wrong(rule, f"gives the value as {described(tree)}, and {described(self.result)} is needed")
            if isinstance(leaf, Leaf):
                self.require_type(rule, "the value", lowered.program.results[leaf.index].type, next(expected).type)
                found.append(leaf.index)
        return found

    def derivatives(
        self,
        rule: Callable[..., Any],
        lowered: Lowered,
        tree: Any,
        like: Any,
        types: Sequence[Type | None],
        what: str,
        none: bool = False,
    ) -> list[int | None]:
        """The results of a rule's program that are derivatives of things like these, of these types.

        One for each type; None where there is none.  Where a type is None, what has it has no derivative; with `none`
        there need not be one elsewhere.
        """
        found: list[int | None] = []
        wanted = iter(types)
        for leaf, place in zip(self.aligned(rule, tree, like, what), leaves(like), strict=True):
            type = next(wanted) if isinstance(place, Leaf | Spec) else None
            if not isinstance(leaf, Leaf):
                if not isinstance(leaf, Static) or leaf.value is not None:
                    self.wrong(rule, f"gives {what} as {described(leaf)}, and a number or an array is needed")
                if type is not None and not none:
                    self.wrong(rule, f"gives {what} as None, and {described(type)} is needed", "zeros")
                index = None
            else:
                index = leaf.index
                if type is None:
                    cause = f"gives {what} by what has none, an integer, a boolean or a constant"
                    self.wrong(rule, cause, "None in its place")
                self.require_type(rule, what, lowered.program.results[index].type, type)
            if isinstance(place, Leaf | Spec):
                found.append(index)
        return found

    def require_type(self, rule: Callable[..., Any], what: str, got: Type, wanted: Type) -> None:
        if got.dtype is not wanted.dtype or got.rank != wanted.rank:
            self.wrong(rule, f"gives {what} as {described(got)}, and {described(wanted)} is needed")

    def kinds(self, rule: Callable[..., Any], lowered: Lowered, linear: Sequence[Var], what: str, write: str) -> list[Kind]:
        """What the results of a rule's program are, where these parameters vary."""
        try:
            return kinds_of(lowered.program, linear)
        except NotLinearError as error:
            cause = f"{name_of(rule)}, a rule of {self.name}, is not linear in its {what}: {error.cause}"
            refuse(RuleError, cause, error.source or definition(rule), write)


def has_rows(result: Any) -> bool:
    """Whether there is a list whose length is known at run time in a result."""
    found: list[Any] = []
    map_nodes(found.append, result, Rows)
    return any(isinstance(node, Rows) for node in found)


def described(thing: Any) -> str:
    """A structure or a type, as errors call it."""
    if isinstance(thing, Type):
        kind = f"an array of rank {thing.rank}" if thing.rank else "a number"
        return f"{kind} ({thing.dtype.value})"
    if isinstance(thing, Static):
        return repr(thing.value)
    if isinstance(thing, Leaf | Spec):
        return "a number or array"
    if isinstance(thing, tuple | list):
        return f"a {type(thing).__name__} of {len(thing)}"
    if isinstance(thing, dict):
        return f"a dict with {', '.join(map(repr, thing))}"
    return f"a {type(thing).__name__}"


LINEAR = "sums of products of tangents with values that do not depend on them; np.where and `if` by such values are fine"


@dataclass(frozen=True, eq=False)
class Forward(Stated):
    """The rule of `defjvp`: `rule(*constants, primals, tangents) -> (value, tangent)`."""

    rule: Callable[..., Any] = field(kw_only=True)

    @cached_property
    def program(self) -> tuple[Lowered, Any, Any]:
        """The rule's program, and the structures of its value and tangent."""
        primals = tuple(self.given[k] for k in self.moving)
        tangents = tuple(map_leaves(_tangent, a) for a in primals)
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
        primals = [still(b, operands[k], k in moving) for k in self.numbers(*self.moving)]
        along = [along_with(b, operands[k], k in moving) for k in self.real(*self.moving)]
        found = spliced(b, lowered.program, [*primals, *along, *demanded(lowered)])
        by = [None if k is None else found[k] for k in tangents]
        self.give(b, equation, [found[k] for k in values], by, name_of(self.rule), self.rule)


def _tangent(leaf: Any) -> Any:
    return leaf if isinstance(leaf, Spec) and leaf.dtype.differentiable else Static(None)


def still(b: Builder, operand: Atom, moves: bool) -> Atom:
    """An operand without its tangent."""
    return once(b, operand) if moves else operand


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
        tangent = map_leaves(_tangent, self.given[position])
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
        again = clone_equation(replace(equation, operands=tuple(operands)), {})
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
            found = spliced(b, lowered.program, [*along, *values, *primals, *demanded(lowered)])
            for k, place in enumerate(places):
                if place is not None:
                    what = f"the tangent that {name_of(rule)} gives"
                    tangent = conformed(b, found[place], values[k].type, what, definition(rule))
                    before = sums[k]
                    sums[k] = tangent if before is None else b.plus(before, tangent)
        self.give(b, equation, values, sums, self.name, self.function)


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
            cause = f"returns {described(lowered.result)}, and a pair (value, what is kept for the cotangents) is needed"
            self.wrong(self.forward, cause, "return value, kept")
        return lowered, *lowered.result

    @cached_property
    def second(self) -> Lowered:
        """The program of the backward rule."""
        first, _, kept = self.first
        results = first.program.results
        structure_kept = map_leaves(lambda x: self.spec(results[x.index]) if isinstance(x, Leaf) else x, kept)
        specs = iter(self.types)
        cotangent = map_leaves(lambda x: _tangent(next(specs)) if isinstance(x, Leaf) else Static(None), self.result)
        before = tuple(self.given[k] for k in self.constant)
        signature = f"({'…, ' if before else ''}kept, cotangent)"
        lowered = self.lowered(self.backward, (*before, structure_kept, cotangent), signature)
        count = len(self.moving)
        if not isinstance(lowered.result, tuple) or len(lowered.result) != count:
            got = described(lowered.result)
            needed = f"a tuple of {count}, one cotangent an argument,"
            self.wrong(self.backward, f"returns {got}, and {needed} is needed", "return (x_bar, …), None where there is none")
        return lowered

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
        found = spliced(b, lowered.program, [*operands[: self.arguments], *demanded(lowered)])
        values = [found[k] for k in places]
        ruled = tuple(out for out in outs if is_differentiable(out))
        moved = {out: Var(out.type, out.name) for out in ruled}
        plain = replace(equation, outs=tuple(moved.get(o, o) for o in equation.outs))
        self.give(b, plain, values, [None for _ in values], name_of(self.forward), self.forward)
        given = [moved[out] for out in ruled]
        arguments = [equation.operands[k] for k in self.real(*self.moving)]
        kept = [found[k] for k in self.kept]
        params = {"values": len(given), "arguments": len(arguments)}
        b.enter(Equation(RULED, (*given, *arguments, *kept), params, ruled, b.source, rule=self))

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
        found = spliced(b, lowered.program, [*kept, *cotangents, *demanded(lowered)])
        pulled: list[Atom | None] = []
        for place, type in zip(places, wanted, strict=True):
            if type is not None:
                what = f"a cotangent that {name} gives"
                pulled.append(None if place is None else conformed(b, found[place], type, what, definition(self.backward)))
        return pulled

