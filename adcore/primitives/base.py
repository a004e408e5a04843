"""What a row of the table of primitives says, and the table itself.

A row states a primitive's name, its type rule, its meaning in NumPy, and one linear map for each operand: the
derivative at the point, in the linear language of `adcore.linear`.  There is no reverse column: reverse mode is the
dual of the linear program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..types import I64, Atom, Type, Var

if TYPE_CHECKING:
    from ..builder import Builder
    from ..linear import Generator
    from ..program import Equation
    from .kinks import Kink

__all__ = ["LENGTH", "TABLE", "Kind", "Primitive", "Rule", "Sampler", "TypeRuleError", "row"]

LENGTH = Var(I64, "length")  # in the types that a type rule gives: a length that is the first of the results


class TypeRuleError(TypeError):
    """Operands that a primitive's type rule does not take."""


class Kind(Enum):
    """What a lowering needs to know of a primitive before its name."""

    ELEMENTWISE = "elementwise"  # same shape in and out, element by element
    VIEW = "view"  # the same elements seen differently: no arithmetic
    REDUCTION = "reduction"  # folds axes away
    GATHER = "gather"  # elements at places that arrays name
    WRITE = "write"  # the first operand with some elements changed
    CONTRACTION = "contraction"  # matrix products
    FACTORIZATION = "factorization"  # matrices taken apart, in cubic time
    SOLVE = "solve"  # what is solved with a factorization
    ORDER = "order"  # the places of the elements in another order
    FOURIER = "fourier"  # discrete Fourier transforms
    HOST = "host"  # calls of functions that are not compiled
    CONTROL = "control"  # parameters hold regions
    CHECK = "check"  # raises or does nothing


Rule = Callable[["Builder", "Equation"], "Generator"]
TypeRule = Callable[[tuple[Atom, ...], Mapping[str, Any]], tuple[Type, ...]]


@dataclass(frozen=True, slots=True)
class Sampler:
    """How the laws draw a point for a row: an interval for each differentiable operand, away from its kinks."""

    intervals: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Primitive:
    """One row of the table.

    Attributes:
        name: the name in the text form.
        kind: its family, for lowerings.
        typing: operands and parameters to result types; raises `TypeRuleError`.
        meaning: operands' NumPy values and parameters to the result's NumPy value.
        maps: the linear map for each operand, `None` where the derivative is zero or cannot exist; the last entry
            serves all further operands.  Where a row has several results with a derivative, an entry is a tuple with
            a map for each result.
        kinks: where the maps are not the derivative; empty where the primitive is smooth on its domain.
        sampler: where the laws test it.
        symbol: for scalar rows, the meaning as a SymPy expression of x, y, z, for the certificate.
        constant: operands that derivatives take as constants, whatever the meaning makes of them.
        has_regions: whether there are Programs among its parameters.
    """

    name: str
    kind: Kind
    typing: TypeRule
    meaning: Callable[..., Any]
    maps: tuple[Rule | tuple[Rule | None, ...] | None, ...] = (None,)
    kinks: tuple[Kink, ...] = ()
    sampler: Sampler | None = None
    symbol: str = ""
    constant: tuple[int, ...] = ()
    has_regions: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "has_regions", self.kind is Kind.CONTROL)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __call__(self, *operands: Any, **params: Any) -> Any:
        """The row's meaning, so that a routine in plain Python may call a row."""
        return self.meaning(*operands, **params)

    def map_for(self, index: int, result: int = 0) -> Rule | None:
        """The linear map from an operand to a result."""
        rule = self.maps[min(index, len(self.maps) - 1)]
        if isinstance(rule, tuple):
            return rule[result] if result < len(rule) else None
        return rule if result == 0 else None


@dataclass(slots=True)
class Table:
    """All primitives by name."""

    rows: dict[str, Primitive] = field(default_factory=dict)

    def add(self, primitive: Primitive) -> Primitive:
        if primitive.name in self.rows:
            raise ValueError(f"primitive {primitive.name!r} is in the table already")
        self.rows[primitive.name] = primitive
        return primitive

    def __getitem__(self, name: str) -> Primitive:
        if name not in self.rows and "@" in name:
            from .routines import partial_row

            return partial_row(name)
        return self.rows[name]

    def __contains__(self, name: str) -> bool:
        """Whether there is a row of this name; `zeta@0` is the derivative of the routine `zeta` in operand 0."""
        return name.partition("@")[0] in self.rows

    def __iter__(self):
        return iter(self.rows.values())


TABLE = Table()


def row(name: str, kind: Kind, typing: TypeRule, meaning: Callable[..., Any], **rest: Any) -> Primitive:
    """Enter a primitive in the table."""
    return TABLE.add(Primitive(name, kind, typing, meaning, **rest))


def require(condition: bool, message: str, *about: Any) -> None:
    """Raise unless the condition holds; the message is only put together then."""
    if not condition:
        raise TypeRuleError(message.format(*about))


def operand_types(operands: tuple[Atom, ...]) -> tuple[Type, ...]:
    return tuple(a.type for a in operands)


def scalar_of(atom: Atom) -> bool:
    return isinstance(atom, Var) is False or not atom.type.shape
