"""The user's rules as programs: what `adcore.rules` puts in place of calls.

A rule is an ordinary function of the language.  It is lowered when a derivative first needs it, for arguments like
those of the call, and what it gives is held against the function's own result: structure, element types and ranks when
the program is made, lengths when it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn, cast

from .builder import Builder
from .demands import around_of, demanded
from .errors import AdcoreError, RuleError, Source, refuse
from .linearity import Kind, NotLinearError, kinds_of
from .marks import attached, once
from .plugins import Leaf, Lowered, Rows, Spec, Static
from .program import Equation
from .rules import Rule, conformed
from .signatures import definition, name_of, signature_of
from .transforms import lower, unchanging, without_writes
from .trees import leaves, map_nodes, matched, structure
from .types import Atom, Lit, Type, Var

__all__ = ["LINEARIZATION", "Stated", "described", "has_rows", "is_within", "still", "tangent_like"]


@dataclass(frozen=True, eq=False)
class Stated(Rule):
    """A rule for one call of a function.

    Attributes:
        name, function: the function.
        arguments: how many numbers and arrays its arguments have.
        closed: the names of what it closes over.
        surrogate: whether the derivative is, on purpose, not that of the function.
        instead: of a surrogate, what the derivative is of.
        given: the structure of each argument, by position.
        constant: the positions of those that rules are given first, as constants.
        result: the structure of what the function returns, with the equation's outs in order as leaves.
    """

    name: str
    function: object
    arguments: int
    closed: tuple[str, ...]
    surrogate: bool
    instead: str
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

    def around(self, lowered: Lowered, operands: Sequence[Atom]) -> list[Atom]:
        """Those of the equation's operands that a rule's program reads of the functions around it."""
        first = self.arguments + len(self.closed)
        return [operands[first + k] for k in around_of(lowered)]

    def beside(self, lowered: Lowered, operands: Sequence[Atom]) -> list[Atom]:
        """What a rule's program reads and is not given as arguments."""
        return demanded(lowered, self.around(lowered, operands))

    def outs(self, equation: Equation) -> tuple[Var, ...]:
        """The results of the function, without lengths."""
        return equation.outs[len(equation.outs) - sum(isinstance(x, Leaf) for x in leaves(self.result)) :]

    def give(
        self,
        b: Builder,
        equation: Equation,
        values: Sequence[Atom],
        tangents: Sequence[Atom | None],
        what: str,
        by: Any,
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
            value = conformed(b, value, out.type, f"the value that {what} gives", self.place(by), known)
            if tangent is not None:
                tangent = conformed(b, tangent, out.type, f"the tangent that {what} gives", self.place(by), known)
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
        try:
            lowered = unchanging(lower(rule, tuple(bound.arguments.values())))
        except AdcoreError as error:
            if is_within(error, rule):
                self.wrong(rule, f"does not fit: {error.cause}", LINEARIZATION)
            raise
        if any(w.state for w in lowered.writes):
            self.wrong(rule, "draws from a random generator", "what was drawn, as an argument of the function")
        if has_rows(lowered.result):
            self.wrong(rule, "returns a list whose length is known at run time", "an array")
        return without_writes(lowered)

    def place(self, rule: Callable[..., Any]) -> Source | None:
        """Where a rule is defined; of those that adcore makes, where the function is."""
        return definition(cast("Any", self.function) if is_ours(rule) else rule)

    def wrong(self, rule: Callable[..., Any], cause: str, write: str = "") -> NoReturn:
        """Refuse a rule."""
        refuse(RuleError, f"{name_of(rule)}, a rule of {self.name}, {cause}", self.place(rule), write)

    def aligned(self, rule: Callable[..., Any], tree: Any, like: Any, what: str, none: bool = True) -> list[Any]:
        """The leaves of a tree for those of another one; with `none`, None stands for a whole subtree."""
        try:
            return matched(structure(like), tree)
        except ValueError:
            pass
        if none and isinstance(tree, Static) and tree.value is None:
            return [tree for _ in leaves(like)]
        if isinstance(tree, tuple | list) and type(tree) is type(like) and len(tree) == len(like):
            pairs = zip(tree, like, strict=True)
            return [leaf for t, part in pairs for leaf in self.aligned(rule, t, part, what, none)]
        if isinstance(tree, dict) and isinstance(like, dict) and tree.keys() == like.keys():
            return [leaf for k, part in like.items() for leaf in self.aligned(rule, tree[k], part, what, none)]
        return self.wrong(rule, f"gives {what} as {described(tree)}, and {described(like)} is needed")

    def values(self, rule: Callable[..., Any], lowered: Lowered, tree: Any, outs: Sequence[Var]) -> list[int]:
        """The results of a rule's program that are the function's value."""
        expected = iter(outs)
        found: list[int] = []
        for leaf, like in zip(
            self.aligned(rule, tree, self.result, "the value", False), leaves(self.result), strict=True
        ):
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

    def kinds(
        self, rule: Callable[..., Any], lowered: Lowered, linear: Sequence[Var], what: str, write: str
    ) -> list[Kind]:
        """What the results of a rule's program are, where these parameters vary."""
        try:
            return kinds_of(lowered.program, linear)
        except NotLinearError as error:
            cause = f"{name_of(rule)}, a rule of {self.name}, is not linear in its {what}: {error.cause}"
            refuse(RuleError, cause, error.source or self.place(rule), write)


def is_ours(function: Any) -> bool:
    """Whether a function is one of those that `adcore.custom` puts around the user's."""
    return getattr(getattr(function, "__code__", None), "co_filename", "") == OURS


def is_within(error: AdcoreError, function: Any) -> bool:
    """Whether an error is about a line of such a function, which the user did not write."""
    return is_ours(function) and error.source is not None and error.source.file == OURS


OURS = str(Path(__file__).with_name("custom.py"))
LINEARIZATION = "return value, pushforward, where pushforward(*tangents) takes a tangent for each argument"


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


def tangent_like(leaf: Any) -> Any:
    """The structure of the tangent of a number or an array, None of anything else."""
    return leaf if isinstance(leaf, Spec) and leaf.dtype.differentiable else Static(None)


def still(b: Builder, operand: Atom, moves: bool) -> Atom:
    """An operand without its tangent."""
    return once(b, operand) if moves else operand
