"""What a Python expression can be worth while a function is lowered.

Numbers are atoms of the Program.  Arrays are references: a buffer, whose current contents the memory knows, seen
through a chain of views.  Lists, dicts and objects are references too: an identity, whose present contents the memory
knows.  Tuples, strings, functions and modules are known at compile time.
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
    "LAST",
    "NONE",
    "TRUE",
    "ZERO",
    "Array",
    "Buffer",
    "Callee",
    "Cell",
    "Contents",
    "Derived",
    "Dict",
    "Fields",
    "Growing",
    "Identity",
    "Iteration",
    "List",
    "LocalFunction",
    "Maybe",
    "Method",
    "Partial",
    "Poison",
    "Range",
    "Record",
    "Reference",
    "Scalar",
    "Snapshot",
    "Static",
    "Super",
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


class Identity:
    """The identity of a list, dict or object.

    Attributes:
        name: what the user calls it, as far as that is known.
        outside: what it is where it was made outside the function and may not be changed, e.g. "an argument"; else "".
        key: where and as the how manieth it was made; the same where a loop's body is lowered again.
    """

    __slots__ = ("key", "name", "outside")

    def __init__(self, name: str = "", outside: str = "", key: Any = None) -> None:
        self.name = name
        self.outside = outside
        self.key = key


@dataclass(frozen=True, slots=True)
class List:
    """A Python list; its contents are a `Tuple`, or a `Growing` where its length is known at run time only."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class Dict:
    """A Python dict; its contents are `Fields`, one for each key."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class Record:
    """An instance of a Python class; its contents are `Fields`, one for each attribute."""

    identity: Identity
    kind: type


@dataclass(frozen=True, slots=True)
class Cell:
    """A variable that inner functions rebind; its contents are `Fields` of one."""

    identity: Identity


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """What a dict or object holds at one moment."""

    items: dict[Any, Value]


@dataclass(frozen=True, slots=True, eq=False)
class Growing:
    """What a list of run-time length holds: its items taken apart, each number and array kept in a row of a store.

    Attributes:
        length: how many items there are.
        item: an item with stand-ins for its numbers and arrays, its lists, dicts and objects as snapshots.
        stores: one array for each of these; its leading length is at least the list's.
    """

    length: Scalar
    item: Value
    stores: tuple[Array, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A list, dict or object together with its contents at one moment."""

    reference: List | Dict | Record | Cell
    contents: Value


@dataclass(frozen=True, slots=True)
class Range:
    start: Scalar
    stop: Scalar
    step: Scalar


@dataclass(frozen=True, slots=True, eq=False)
class Iteration:
    """Something to iterate over: a trip count and the item of each index.

    Attributes:
        length, item: the trip count, and what gives the item of an index from 0.
        over: the buffers and identities that the items are read from.
        static: the items differ in kind, so that each needs its own copy of a loop's body; the index is a literal.
        ends: what must hold where all items have been taken, each with the ValueError's message.
    """

    length: Atom
    item: Callable[[Atom], Value]
    over: tuple[Any, ...] = ()
    static: bool = False
    ends: tuple[tuple[Atom, str], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class LocalFunction:
    """A function or lambda defined in the code that is being lowered.

    Attributes:
        attributes: what it has been given by `f.name = value`, constants.
        scope: the region that it is defined in, the one where it can be given them.
    """

    node: ast.FunctionDef | ast.Lambda
    code: Code
    frame: Frame
    defaults: tuple[Value, ...] = ()
    keyword_defaults: dict[str, Value] = field(default_factory=dict)
    attributes: dict[str, Value] = field(default_factory=dict)
    scope: Any = None

    @property
    def name(self) -> str:
        return getattr(self.node, "name", "<lambda>")

    def closes_over(self) -> str | None:
        """A name that it, or a default of it, has from a function around that is being lowered; None if it has none."""
        if self.defaults or self.keyword_defaults:
            return self.node.args.args[-1].arg if self.defaults else next(iter(self.keyword_defaults))
        nodes = [*ast.walk(self.node)]
        own = {n.arg for n in nodes if isinstance(n, ast.arg)}
        if not any(isinstance(n, ast.Nonlocal) for n in nodes):
            own |= {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        names = [n.id for n in nodes if isinstance(n, ast.Name) and n.id not in own]
        frame: Frame | None = self.frame
        while frame is not None:
            found = next((n for n in names if n in frame.bound), None)
            if found is not None:
                return found
            frame = frame.enclosing
        return None


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
class Super:
    """`super()`: the object as an instance of the classes that come after one of its own."""

    kind: type
    owner: Any


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


Reference = List | Dict | Record | Cell
Container = Tuple | Reference | Range | Iteration
Contents = Tuple | Fields | Growing | Poison
Callee = LocalFunction | Derived | Partial | Method | Super
Value = Scalar | Array | Static | Container | Callee | Maybe | Poison | Fields | Growing | Snapshot


def number(value: complex) -> Scalar:
    """A Python number as a value."""
    return Scalar(literal(value), python=True)


def spoken(name: str) -> str:
    """A name as messages say it."""
    if name == "$expression":
        return "this expression"
    if name == "__result__":
        return "what the comprehension makes"
    return "what the function returns" if name.startswith("$") else repr(name)


def named(atom: Atom, name: str) -> None:
    """Give a value the user's name for it, if it has none yet."""
    if isinstance(atom, Var) and atom.name == "t":
        atom.name = name


NONE = Static(None)
FALSE, TRUE = number(False), number(True)
ZERO, LAST = number(0), number(-1)
EMPTY = Tuple(())
