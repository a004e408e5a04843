"""What a Python expression can be worth while a function is lowered.

Numbers are atoms of the Program.  Arrays are references: a buffer, whose current contents the memory knows, seen
through a chain of views.  Containers, strings, functions and modules are known at compile time.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from adcore.types import Atom, DType, Lit, Var, literal

if TYPE_CHECKING:
    from .frame import Frame
    from .source import Code

__all__ = [
    "EMPTY",
    "FALSE",
    "FIFTY",
    "LAST",
    "NONE",
    "TRUE",
    "ZERO",
    "Array",
    "Buffer",
    "Derived",
    "Dict",
    "Iteration",
    "List",
    "LocalFunction",
    "Maybe",
    "Method",
    "Partial",
    "Poison",
    "Range",
    "Scalar",
    "Static",
    "Tuple",
    "Value",
    "named",
    "number",
    "spoken",
]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number; `python` says that its arithmetic raises where Python's does, rather than giving inf or nan."""

    atom: Atom
    python: bool = False

    @property
    def dtype(self) -> DType:
        return self.atom.type.dtype

    @property
    def known(self) -> Any:
        """The number where it is known at compile time, else None."""
        return self.atom.value if isinstance(self.atom, Lit) else None


class Buffer:
    """The identity of a piece of memory."""

    __slots__ = ("captured", "name")

    def __init__(self, name: str = "", captured: bool = False) -> None:
        self.name = name
        self.captured = captured


@dataclass(frozen=True, slots=True)
class Array:
    """A reference to memory: a buffer seen through views, outermost first."""

    buffer: Buffer
    dtype: DType
    shape: tuple[Atom, ...]
    views: tuple[Any, ...] = ()

    @property
    def rank(self) -> int:
        return len(self.shape)


@dataclass(frozen=True, slots=True)
class Static:
    """An object known at compile time: a string, None, a function, a module."""

    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class Tuple:
    items: tuple[Value, ...]
    kind: type = tuple


@dataclass(slots=True, eq=False)
class List:
    """A Python list of static length; `scope` is the region it was made in, the only one that may change it."""

    items: list[Value]
    scope: Any


@dataclass(slots=True, eq=False)
class Dict:
    items: dict[Any, Value]
    scope: Any


@dataclass(frozen=True, slots=True)
class Range:
    start: Scalar
    stop: Scalar
    step: Scalar


@dataclass(frozen=True, slots=True, eq=False)
class Iteration:
    """Something to iterate over: a trip count and the item of each index, from `enumerate`, `zip`, `reversed`."""

    length: Atom
    item: Callable[[Atom], Value]
    over: tuple[Buffer, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class LocalFunction:
    """A function or lambda defined in the code that is being lowered."""

    node: ast.FunctionDef | ast.Lambda
    code: Code
    frame: Frame
    defaults: tuple[Value, ...] = ()
    keyword_defaults: dict[str, Value] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return getattr(self.node, "name", "<lambda>")


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """A transform, such as `grad`, of a function defined in the code that is being lowered; `make` applies it."""

    make: Callable[[Any], Any]
    function: Any


@dataclass(frozen=True, slots=True, eq=False)
class Partial:
    """`functools.partial`, applied in the code that is being lowered."""

    function: Any
    arguments: tuple[Value, ...]
    keywords: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Method:
    """A method of an array or container, not called yet."""

    owner: Any
    name: str


@dataclass(frozen=True, slots=True)
class Maybe:
    """The value of a name that is bound only where `defined` holds."""

    value: Any
    defined: Atom


@dataclass(frozen=True, slots=True)
class Poison:
    """A name whose value cannot be said; reading it is an error, for this reason."""

    cause: str
    write: str


Container = Tuple | List | Dict | Range | Iteration
Value = Scalar | Array | Static | Container | LocalFunction | Derived | Partial | Method | Maybe | Poison


def number(value: bool | int | float) -> Scalar:
    """A Python number as a value."""
    return Scalar(literal(value), python=True)


def spoken(name: str) -> str:
    """A name as messages say it."""
    return "what the function returns" if name.startswith("$") else repr(name)


def named(atom: Atom, name: str) -> None:
    """Give a value the user's name for it, if it has none yet."""
    if isinstance(atom, Var) and atom.name == "t":
        atom.name = name


NONE = Static(None)
FALSE, TRUE = number(False), number(True)
ZERO, LAST, FIFTY = number(0), number(-1), number(50)
EMPTY = Tuple(())
