"""Frontends and backends: what they offer the core, and how they are found.

Both are registered as entry points (groups `adcore.frontends` and `adcore.backends`) and loaded when first needed.
The core imports neither, and they do not import each other.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

import numpy as np

from .errors import AdcoreError, Source
from .program import Program
from .threads import Sharing
from .types import Atom, DType, Type, Var, literal

if TYPE_CHECKING:
    from .native.plans import Library, Native, Pointer, Target
    from .nonfinite import Origin, Traced

__all__ = [
    "ANY",
    "Attribute",
    "Backend",
    "Capture",
    "Change",
    "Compiler",
    "Device",
    "DeviceProgram",
    "Entry",
    "Executable",
    "Frontend",
    "Given",
    "Guard",
    "Held",
    "Kernel",
    "Known",
    "Leaf",
    "Lowered",
    "Made",
    "New",
    "Objects",
    "Portable",
    "Reference",
    "Rows",
    "Seldom",
    "Spec",
    "Stateful",
    "Static",
    "Text",
    "Write",
    "backend",
    "compiler",
    "device",
    "extend",
    "frontend",
    "preload",
    "reference",
]


ANY = -1


@dataclass(frozen=True, slots=True)
class Spec:
    """What a function is specialised on for one number or array: dtype, and which axes have what length.

    Attributes:
        dtype: the element type.
        shape: one entry an axis: the length where it is fixed (1, or that of a short axis), None where it is not 1, ANY
            where it does not matter.
        python: a Python scalar, whose arithmetic raises where Python's does (1.0 / 0.0), rather than a NumPy one.
    """

    dtype: DType
    shape: tuple[int | None, ...] = ()
    python: bool = False

    def lengths(self, name: str) -> tuple[Atom, ...]:
        """The lengths that a parameter of this name has in a program: numbers, or variables of their own."""
        return tuple(
            Var(Type(DType.I64), f"{name}_{axis}") if n in (None, ANY) else literal(n)
            for axis, n in enumerate(self.shape)
        )


@dataclass(frozen=True, slots=True)
class Static:
    """An argument, or a part of a result, that is a constant of the specialisation (a string, None, a function)."""

    value: Any


class Stateful:
    """The class of what stands for an object of the caller's that draws from a state, as a random generator does.

    A call advances the state, a call of a derivative as well as one of the function; it has no derivative itself, so
    that in gradients and tangents its place is None.

    Attributes:
        stands_for: the class of that object.
    """

    stands_for: ClassVar[type]


class Held(np.ndarray):
    """The state of an object of the caller's, in its own memory.

    Attributes:
        owner: what has the state, and with its `lock` keeps other threads away from it.
    """

    owner: Any


@dataclass(frozen=True, slots=True)
class Leaf:
    """The place in a result structure of the Program result with this index."""

    index: int


@dataclass(frozen=True, slots=True)
class Rows:
    """The place in a result structure of a list whose length is known at run time.

    Attributes:
        length: the result that says how many items there are.
        item: the structure of an item; its results have a row for each item.
        given: of a list of the caller's, how many items were there before.
    """

    length: Leaf
    item: Any
    given: Any = 0


@dataclass(frozen=True, slots=True)
class Capture:
    """A closed-over or global number or array, read anew at every call and passed as a further argument.

    Attributes:
        name: the variable's name.
        owner: the closure cell, or the dict of globals, that holds it.
        spec: what the program was specialised on.
    """

    name: str
    owner: Any
    spec: Spec

    def read(self) -> Any:
        return self.owner[self.name] if isinstance(self.owner, dict) else self.owner.cell_contents


@dataclass(frozen=True, slots=True)
class Part(Capture):
    """A number or array that is computed at every call from an object that is closed over or global.

    Attributes:
        compute: the part of the object; raises ValueError where that is of another kind now.
    """

    compute: Callable[[Any], Any]

    def read(self) -> Any:
        return self.compute(Capture.read(self))


@dataclass(frozen=True, slots=True)
class Guard:
    """A closed-over or global object that the program was specialised on: a helper function, a string."""

    name: str
    owner: Any
    value: Any

    def holds(self) -> bool:
        try:
            found = self.owner[self.name] if isinstance(self.owner, dict) else self.owner.cell_contents
        except (KeyError, ValueError):
            return False
        return found is self.value


@dataclass(frozen=True, slots=True)
class Write:
    """An argument that the function writes into: its parameter's index, and the result that it holds at the end.

    Without a result the caller's array stays as it is.  A doubtful write goes into what may or may not be the argument,
    so that what the argument holds is not known; `source` is where it stands.  The parameters in `unseen` may share
    memory with the argument: tangents, which the function itself knows nothing of.  A write into a `state` is the
    caller's to see whatever is computed: derivatives do it too.
    """

    param: int
    result: int | None = None
    doubtful: bool = False
    source: Source | None = None
    unseen: frozenset[int] = frozenset()
    state: bool = False

    def meets(self, param: int) -> bool:
        """Whether the argument must not share memory with this one."""
        return param != self.param and param not in self.unseen


@dataclass(frozen=True, slots=True)
class Attribute:
    """A step of a place in the arguments: to an attribute of an object; other steps are indices and keys."""

    name: str


@dataclass(frozen=True, slots=True)
class Change:
    """A list, dict or object in the arguments that the function changes, and where.

    Attributes:
        name: what it is called in the function.
        source: where it is changed.
        place: the steps to it, the first of which is the position of the argument.
        contents: what it holds at the end: the items of a list (or its `Rows`), the entries of a dict, or those
            attributes of an object that are others than before; None where the caller's stays as it is.
        problem: why that cannot be said.
    """

    name: str
    source: Source | None
    place: tuple[Any, ...] = ()
    contents: Any = None
    problem: AdcoreError | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """In what a change leaves: the very thing that the caller has at a place of the arguments.

    With `otherwise` that is so only where the array there is as before; else it is another one, this result.
    """

    place: tuple[Any, ...]
    otherwise: Leaf | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """In what a change leaves: a list, dict or object that the function makes, by its position in `Lowered.made`."""

    index: int


@dataclass(frozen=True, slots=True)
class New:
    """A list, dict or object that the function makes and leaves in one of the caller's; its contents as a change's."""

    kind: type
    contents: Any


@dataclass(slots=True)
class Lowered:
    """A function lowered to a Program for given argument specs.

    Attributes:
        program: parameters are the arguments' Spec leaves in order, then the captures; results are the leaves of
            `result`.
        result: the structure of the result, a tree with `Leaf` and `Static` leaves.
        captures: values read at call time.
        guards: objects whose replacement makes this specialisation stale.
        writes: arguments that the function writes into, which must not share memory with any other array it sees.
        changes: lists, dicts and objects in the arguments that the function changes.
        made: what it makes and leaves in them.
    """

    program: Program
    result: Any
    captures: tuple[Capture, ...] = ()
    guards: tuple[Guard, ...] = field(default=())
    writes: tuple[Write, ...] = ()
    changes: tuple[Change, ...] = ()
    made: tuple[New, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """Something that can be called in a function that the frontend lowers.

    Attributes:
        name: its public name.
        call: a call of it, by which the rest was found out.
        dtypes: the element types of arguments that it takes.
        order: how often it can be differentiated: `any`, a number, `zero` where the derivative is 0, or `none` with the
            reason; where arguments or element types differ, for each of them.
    """

    name: str
    call: str
    dtypes: tuple[str, ...]
    order: str


@dataclass(frozen=True, slots=True)
class Text:
    """A function of the user's as it is written, apart from the values that it reads.

    Attributes:
        name, qualname: of the function.
        file, line: where the lines begin.
        lines: those of the file on which the function stands.
        span: of a lambda, the bytes of the first line before it, and those of the last line up to its end; None of a
            `def`.
        closed: the variables of enclosing functions that it reads.
        features: the flags of `from __future__ import …` in the file.
    """

    name: str
    qualname: str
    file: str
    line: int
    lines: tuple[str, ...]
    span: tuple[int, int] | None
    closed: tuple[str, ...]
    features: int


class Frontend(Protocol):
    """`lower` turns a function and its arguments' structure (Spec and Static leaves) into a Program.

    `written` is the text of a function, from which `compiled` makes its code in another process, where it is lowered
    by the text and errors name its lines.

    `sparse_array` is what stands in a result structure for a sparse array: the elements that are stored, their rows and
    columns, how many rows and columns there are, and its layout. `callables` lists what functions may call.
    """

    def lower(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Lowered: ...

    def written(self, function: FunctionType) -> Text: ...

    def compiled(self, text: Text) -> CodeType: ...

    def sparse_array(self, values: Any, row: Any, col: Any, rows: Any, columns: Any, layout: Any) -> Any: ...

    def callables(self) -> tuple[Known, ...]: ...


class Executable(Protocol):
    """A compiled Program: flat NumPy arrays and scalars in, a tuple of fresh arrays and scalars out."""

    def __call__(self, *arguments: Any) -> tuple[Any, ...]: ...


class Objects(list[Any]):
    """A list of objects that count by themselves, not by what they consist of."""


class Seldom(list[Any]):
    """A list of plain values, places in the user's program and dataclasses of adcore's, which are seldom needed."""


@dataclass(frozen=True, slots=True)
class Portable:
    """Compiled code that other processes can load.

    Attributes:
        code: as it is.
        rest: what else is needed: lists and tuples of plain values and dataclasses of the backend, and in `Objects`
            those that the code refers to.
    """

    code: bytes
    rest: Any


@dataclass(frozen=True, slots=True)
class Kernel:
    """A Program as a function of the C calling convention, which nothing of Python is needed to call.

    Attributes:
        name: the function's name; `<name>_release` gives back the memory of an array among its results.
        assembly: its module, in the language of LLVM.
        failures: what the numbers mean that it gives where it fails, from 1 on.
        needs: what the module refers to; the backend's `provide` sees to that.
    """

    name: str
    assembly: str
    failures: tuple[Any, ...]
    needs: Any


class Entry(Protocol):
    """A Program compiled for the user's own call."""

    portable: Portable | None  # for another process; it can be taken away

    def function(self, fallback: Callable[..., Any]) -> Callable[..., Any]:
        """A callable of arguments like the inputs; others go to the fallback, as do calls for which a guard fails."""
        ...


class Backend(Protocol):
    """`compile` turns a Program into something callable, of which `flat` is the entry; `entry` into something that
    users call.

    The inputs of an entry are the structures of the arguments, then captures, which are read at the call.  They are
    trees of tuples, lists, dicts, NamedTuples and dataclasses, and each Spec in them is a parameter of the Program.
    `result` is the structure of what is returned, of the same kinds.  Arguments that are written into get their new
    contents after the call; one that is read-only or shares memory with another array goes to the fallback.

    `restored` makes an entry of what one was in another process, with the same `description` of the machine and of the
    compiler, and the same sources of this package.

    `sharing` says which loops several threads run; without it the number of threads does that is set now.

    `prepare` makes ready what most programs need, so that the first call need not.
    """

    def prepare(self) -> None: ...

    def compile(self, program: Program) -> Executable: ...

    def flat(self, program: Program, sharing: Sharing | None = None) -> Entry: ...

    def entry(
        self,
        program: Program,
        inputs: tuple[Any, ...],
        result: Any,
        name: str,
        guards: tuple[Guard, ...] = (),
        writes: tuple[Write, ...] = (),
        sharing: Sharing | None = None,
    ) -> Entry: ...

    def restored(self, portable: Portable, name: str) -> Entry: ...

    def description(self) -> tuple[str, ...]: ...

    def device(self, name: str) -> Device: ...


class DeviceProgram(Protocol):
    """A Program that runs on a device.

    It takes a number, or what `Device.view` gives, for each parameter, and gives a number or an array on the device for
    each result.
    """

    def __call__(self, arguments: Sequence[Any]) -> list[Any]: ...


class Device(Protocol):
    """Where Programs run that take arrays which are not in the host's memory.

    `view` is an array on the device, with a `shape` and a `dtype` of NumPy's; None of anything else.  `host_array` is a
    copy there of an array of the host's.  `apart` says of a view on what other device it is, and on which one programs
    run; nothing where there is no difference.
    """

    def view(self, value: Any) -> Any: ...

    def apart(self, view: Any) -> str: ...

    def host_array(self, array: np.ndarray) -> Any: ...

    def compile(self, program: Program) -> DeviceProgram: ...


class Reference(Protocol):
    """The reference backend, which besides says where numbers that are not finite come from (`adcore.nonfinite`).

    `known` are for the first arguments the numbers of their origins, which are those of `before`.
    """

    def trace(
        self, program: Program, arguments: Sequence[Any], known: Sequence[Any] = (), before: Sequence[Origin] = ()
    ) -> Traced: ...


class Compiler(Protocol):
    """The backend `llvm`, which besides makes C functions: in this process, and in libraries for others."""

    def pointer(self, native: Native) -> Pointer: ...

    def library(self, functions: Sequence[Native], name: str, target: Target) -> Library: ...


def _load(group: str, name: str) -> Any:
    installed = entry_points(group=group)
    found = [e for e in installed if e.name == name]
    if not found:
        known = sorted(e.name for e in installed)
        raise AdcoreError(f"no {group.removeprefix('adcore.')[:-1]} named {name!r} is installed; there are {known}")
    return found[0].load()()


@cache
def frontend(name: str = "python") -> Frontend:
    """The frontend of that name."""
    return _load("adcore.frontends", name)


@cache
def backend(name: str = "llvm") -> Backend:
    """The backend of that name."""
    return _load("adcore.backends", name)


def device(name: str) -> Device:
    """The device of that name.

    Raises:
        ValueError: there is no such kind of device.
        DeviceError: there is, and this machine has none, or a package is missing.
    """
    return backend().device(name)


def reference() -> Reference:
    """The backend named `numpy`."""
    return cast("Reference", backend("numpy"))


def compiler() -> Compiler:
    """The backend named `llvm`."""
    return cast("Compiler", backend("llvm"))


def preload() -> bool:
    """Load the default frontend and backend, so that the first call only compiles; whether the backend is there.

    A plugin that is being imported at this moment (it imports adcore itself) is left for the first call.
    """
    for group, load in (("adcore.frontends", frontend), ("adcore.backends", backend)):
        modules = {e.name: e.module for e in entry_points(group=group)}
        default = {"adcore.frontends": "python", "adcore.backends": "llvm"}[group]
        if default in modules and modules[default] not in sys.modules:
            load()
    return backend.cache_info().currsize > 0


def extend() -> None:
    """Tell packages that have been imported before adcore of what it adds to them; later ones ask for it themselves.

    An entry point of the group `adcore.extensions` has the name of the package, and stands for a function that does it.
    """
    if "numba" in sys.modules:
        for extension in entry_points(group="adcore.extensions", name="numba"):
            extension.load()()
