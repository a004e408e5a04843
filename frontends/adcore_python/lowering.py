"""The state of one lowering, and what every part of the frontend needs of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from adcore.builder import Builder
from adcore.cache import unrepeatable
from adcore.errors import AdcoreError, AliasError, Source, UnsupportedSyntaxError, refuse
from adcore.plugins import Capture, Guard
from adcore.types import Atom, DType, Lit, Var

from .depth import shallow_recursion
from .facts import Facts
from .frame import Frame
from .memory import Memory, Scope
from .refusals import NotConstantError
from .values import Array, Buffer, Contents, Identity, Record, Reference, Scalar, Value
from .views import view_read, view_write

__all__ = ["Lowering"]

REWRITES: dict[type, str] = {
    ast.NamedExpr: "an assignment before this line",
    ast.Set: "a tuple",
    ast.SetComp: "a list comprehension",
}
WORK = 200_000


class Lowering:
    """Everything that is known while one function is being lowered.

    Attributes:
        memory: the contents of buffers, and the regions under construction.
        frames: the calls that are being lowered, innermost last.
        params: parameters of the Program, captures after arguments.
        captures, guards: outside objects that the Program depends on.
        lent: the memory of the arguments, by the index of the parameter.
        lent_objects: the lists, dicts and objects in the arguments, with what they hold at the beginning.
        places: where in the arguments their memory, their lists, dicts and objects, and their numbers are.
        generators: the random generators from outside, by their id, with the captures that their states are.
        states: the parameters that are states of generators, by index.
        facts: bounds of integers.
        hints: for loops met before in the same context, the types that their carries were found to need.
        unrolled: loops that have to be unrolled, since their bodies need a constant counter.
        changing: loops whose conditions change something.
        unknown: names that a loop reads before it binds them, while what it binds them to is being found out.
        work: how many expressions and statements have been lowered.
        guessed, guess_rank: those that were read, and the rank that they are taken to have meanwhile.
        stacked: copies of lists of constant length, made for an index that is not constant.
        strict: counts the places so far whose meaning depends on a number being a Python rather than a NumPy one.
    """

    def __init__(self) -> None:
        self.memory = Memory(Builder())
        self.frames: list[Frame] = []
        self.memory.context = lambda: (*self.frame.path, *self.frame.call_sites) if self.frames else ()
        self.params: list[Var] = []
        self.captures: list[Capture] = []
        self.captured: dict[tuple[int, Any], Value] = {}
        self.guards: list[Guard] = []
        self.generators: dict[int, tuple[Record, Capture]] = {}
        self.states: set[int] = set()
        self.lent: dict[int, Buffer] = {}
        self.lent_objects: list[tuple[Reference, Contents]] = []
        self.places: dict[Any, tuple[Any, ...]] = {}
        self.facts = Facts()
        self.hints: dict[Any, Any] = {}
        self.unrolled: set[Any] = set()
        self.changing: set[Any] = set()
        self.stacked: set[Any] = set()
        self.strict = 0
        self.unknown: set[tuple[Frame, str]] = set()
        self.guessed: set[tuple[Frame, str | Identity]] = set()
        self.guess_rank = 0
        self.work = 0

    @property
    def b(self) -> Builder:
        return self.memory.scope.builder

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    @property
    def source(self) -> Source | None:
        return self.b.source

    # Places and errors

    def evaluate(self, node: ast.expr) -> Value:
        """The value of an expression; emits what computes it."""
        from .expressions import EXPRESSIONS

        b = self.b
        before, b.source = b.source, self.frame.source(node)
        try:
            self.worked()
            lower = EXPRESSIONS.get(type(node))
            if lower is None:
                write = REWRITES.get(type(node), "plain expressions on numbers and arrays")
                self.refuse_syntax(f"{_spoken(node)} is not supported", write)
            return lower(self, node)
        finally:
            b.source = before

    def test(self, node: ast.expr) -> Scalar:
        """Whether an expression holds."""
        from .expressions import test_of

        return test_of(self, node)

    def worked(self, items: int = 1) -> None:
        """Count what is lowered, and refuse where it becomes too much: loops and calls are unrolled only so far."""
        self.work += items
        if self.work > WORK:
            self.refuse_syntax(
                "this function unrolls into too many operations: loops over tuples and lists, comprehensions and "
                "calls are followed one by one",
                "a loop over a range or an array, which is compiled as a loop",
            )

    @contextmanager
    def foreign(self, doing: str, own: bool = False) -> Iterator[None]:
        """Code of the user's objects that runs while compiling: what it raises is a refusal here.

        With `own` it is written by the user, or reads what is: nobody knows what it depends on.
        """
        if own:
            unrepeatable(f"{doing}, which runs code of the user's while compiling")
        try:
            with shallow_recursion():
                yield
        except AdcoreError:
            raise
        except Exception as error:
            said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            self.refuse_syntax(f"{doing} raises {said}", "values that are plain numbers, arrays or strings")

    def execute(self, statements: Sequence[ast.stmt], after: frozenset[str]) -> str:
        """Lower a block; gives a `Status`."""
        from .statements import execute

        return execute(self, statements, after)

    def call(self, function: Value, arguments: list[Value], keywords: dict[str, Value]) -> Value:
        from .calls import call

        return call(self, function, arguments, keywords)

    def refuse(self, kind: type[AdcoreError], cause: str, write: str) -> NoReturn:
        refuse(kind, cause, self.source, write)

    def refuse_syntax(self, cause: str, write: str) -> NoReturn:
        refuse(UnsupportedSyntaxError, cause, self.source, write)

    @contextmanager
    def at(self, node: Any) -> Iterator[None]:
        with self.b.at(self.frame.source(node)):
            yield

    # Regions

    @contextmanager
    def region(self, loop: bool = False) -> Iterator[Scope]:
        """A region under construction; what is emitted inside goes there."""
        outer = self.memory.scope
        self.memory.scope = scope = Scope(outer, outer.builder.region(), loop)
        try:
            yield scope
        finally:
            self.memory.scope = outer

    @contextmanager
    def inside(self, scope: Scope) -> Iterator[Scope]:
        """Back in a region that was left: what is emitted inside goes at its end."""
        outer, self.memory.scope = self.memory.scope, scope
        try:
            yield scope
        finally:
            self.memory.scope = outer

    # Values

    def atom(self, value: Scalar | Array) -> Atom:
        """The atom of a number, or of an array's present contents."""
        if isinstance(value, Scalar):
            return value.atom
        return view_read(self.b, self.memory.read(value.buffer), value.views)

    def array(self, atom: Atom, name: str = "") -> Array:
        """A new array with these contents."""
        return Array(self.memory.fresh(atom, name), atom.type.dtype, atom.type.shape)

    def value(self, atom: Atom, python: bool = False, name: str = "") -> Scalar | Array:
        """A new number or array, by the atom's rank."""
        return self.array(atom, name) if atom.type.shape else Scalar(atom, python)

    def guess(self, frame: Frame, name: str | Identity) -> Scalar | Array:
        """Something to go on with in the place of a name's value, or a list's item, that is not known yet."""
        self.guessed.add((frame, name))
        if self.guess_rank == 0:
            return Scalar(Lit(0, DType.I64), python=True)
        length = self.opaque(Lit(0, DType.I64))
        return self.array(self.b.empty(*[length] * self.guess_rank, dtype=DType.F64))

    def cast(self, atom: Atom, dtype: DType) -> Atom:
        return atom if atom.type.dtype is dtype else self.b.cast(atom, dtype=dtype)

    def opaque(self, atom: Atom, axes: int = 1) -> Atom:
        """The same integer as a value of its own, that no simplification sees through; another for other `axes`."""
        over, ones = tuple(range(axes)), [Lit(1, DType.I64)] * axes
        return self.b.total(self.b.expand(atom, *ones, axes=over), axes=over)

    def check(self, holds: Any, error: str, message: str, *reported: Atom) -> None:
        """Raise `error` at run time unless the condition holds."""
        self.b.check(holds, *reported, error=error, message=message)

    # Writing

    def write(self, array: Array, value: Atom, add: bool = False) -> None:
        """Write the atom (of the array's shape and dtype) through the array into its buffer."""
        self.writable(array.buffer)
        contents = view_write(self.b, self.memory.read(array.buffer), array.views, value, add)
        if isinstance(contents, Var) and contents.name == "t":
            contents.name = array.buffer.name or "t"
        self.memory.write(array.buffer, contents, self.source)

    def change(self, identity: Identity, contents: Contents) -> None:
        """Give a list, dict or object other contents."""
        if identity.outside:
            name = identity.name
            self.refuse_syntax(
                f"changing {name!r}, which is {identity.outside}", f"pass {name!r} as an argument, or make a copy"
            )
        for other in sorted(self.memory.marks.get(identity, ()), key=lambda each: each.name):
            self.distinct(identity, other, self.source)
        self.memory.change(identity, contents, self.source)

    def writable(self, buffer: Buffer) -> None:
        """Refuse a write whose effect on other names is not known."""
        if buffer.captured:
            self.refuse_syntax(
                f"writing into {buffer.name!r}, which is defined outside the function",
                f"pass {buffer.name!r} as an argument, or work on {buffer.name}.copy()",
            )
        for other in sorted(self.memory.marks.get(buffer, ()), key=lambda each: each.name):
            self.distinct(buffer, other, self.source)

    def distinct(self, written: Any, other: Any, source: Source | None) -> None:
        """Raise AliasError where a live name leads to the other buffer."""
        theirs = self.reaching(other)
        if not theirs:
            return
        if self.stacked & {written, other, *self.memory.marks.get(written, ())}:
            raise NotConstantError(
                f"this changes an item of a list at an index that is not constant, which may be {theirs[0]!r}",
                source,
                "an index that is constant, or a loop over the items themselves",
            )
        ours = self.reaching(written) or [written.name or "an array"]
        if isinstance(written, Identity):
            cause = f"this changes {ours[0]!r}, which may or may not be {theirs[0]!r}"
            write = "a copy where one is made from the other, e.g. `copy.copy(x)` or `list(x)`"
        else:
            cause = f"this writes into {ours[0]!r}, which may or may not share memory with {theirs[0]!r}"
            write = f"take a copy where one is made from the other, e.g. `{ours[0]} = {theirs[0]}.copy()`"
        refuse(AliasError, cause, source, write)

    def reaching(self, wanted: Buffer | Identity) -> list[str]:
        """Names still needed, and places in them, that lead to a buffer or identity."""
        inner, memory = self.frame, self.memory
        return [n for f in reversed(self.frames) for n in f.names_of(wanted, during=f is not inner, memory=memory)]


def _spoken(node: ast.AST) -> str:
    return f"the Python construct {type(node).__name__}"
