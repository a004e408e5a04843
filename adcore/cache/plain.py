"""What compiled programs consist of beside their code, as plain lists, numbers and strings, and back.

An object that is the same in every process is known by its name, one of the function's surroundings by its number in a
`World`; of others there must be no more than what they are made of.
"""

from __future__ import annotations

import base64
import dataclasses
import enum
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import Source
from ..plugins import Capture, Guard, Objects, Seldom, Static
from ..program import Program
from ..structured import Structured
from ..trees import instance, is_namedtuple
from .names import is_ours, is_trusted, name_of, named
from .world import UnstorableError, World

__all__ = ["from_plain", "to_plain"]

_PLAIN = (str, int, bool, type(None))


def to_plain(value: Any, world: World) -> Any:
    """The plain form.

    Raises:
        UnstorableError: there is none.
    """
    return _Writer(world).any(value)


def from_plain(plain: Any, world: World, program: Callable[[], Program] = lambda: Program(())) -> Any:
    """What has this plain form; `program` gives what stands in the place of a program.

    Raises:
        LookupError, TypeError, ValueError: the form is not one that `to_plain` gave.
    """
    return _Reader(world, program).any(plain)


class _Writer:
    def __init__(self, world: World) -> None:
        self.world = world

    def any(self, x: Any) -> Any:
        """A structure: what it is made of."""
        kind = type(x)
        if kind in _PLAIN:
            return x
        if kind in (tuple, list):
            return ["tuple" if kind is tuple else "list", *map(self.any, x)]
        if kind is dict:
            return ["dict", *([self.object(k), self.any(v)] for k, v in x.items())]
        if kind is Objects:
            return ["list", *map(self.object, x)]
        if kind is Seldom:
            return ["seldom", *map(self.any, x)]
        if kind is frozenset:
            return ["frozenset", *map(self.any, sorted(x))]
        if isinstance(x, Program):
            return ["program"]
        if kind is Source:
            return ["source", self.file(x.file), x.line, x.function, x.column, x.end_column, x.text, x.sweep]
        if kind is Static:
            return ["static", self.object(x.value)]
        if isinstance(x, Guard):
            return self.guard(x)
        if isinstance(x, Capture):
            return self.capture(x)
        if kind is Structured:
            return ["structured", self.any(x.layout), *map(self.any, x.fields)]
        if isinstance(x, functools.partial):
            return ["partial", self.object(x.func), *map(self.any, x.args)]
        if isinstance(x, tuple) and is_namedtuple(x):
            return ["named tuple", self.object(kind), *map(self.any, x)]
        if dataclasses.is_dataclass(x) and not isinstance(x, type) and self.world.number(x) is None:
            fields = [[f.name, self.any(getattr(x, f.name))] for f in dataclasses.fields(x)]
            return ["instance", self.object(kind), *fields]
        return self.object(x)

    def object(self, x: Any) -> Any:
        """An object that counts by itself."""
        kind = type(x)
        if kind in _PLAIN:
            return x
        if isinstance(x, Guard):
            return self.guard(x)
        number = self.world.number(x)
        if number is not None:
            return ["object", number]
        if kind is dict and _is_namespace(x):
            return ["namespace", x["__name__"]]
        if kind is float:
            return ["float", x.hex()]
        if kind is complex:
            return ["complex", x.real.hex(), x.imag.hex()]
        if kind is bytes:
            return ["bytes", base64.b64encode(x).decode()]
        if kind is tuple:
            return ["tuple", *map(self.object, x)]
        if isinstance(x, np.generic) and not isinstance(x, np.void) and not x.dtype.hasobject:
            return ["scalar", x.dtype.str, base64.b64encode(x.tobytes()).decode()]
        if isinstance(x, np.dtype) and x.names is None and np.dtype(x.str) is x:
            return ["dtype", x.str]
        if isinstance(x, enum.Enum) and is_ours(kind):
            return ["member", self.object(kind), x.name]
        name = name_of(x)
        if name is not None:
            return ["name", *name]
        if is_ours(kind) and dataclasses.is_dataclass(x):
            return self.any(x)
        raise UnstorableError(f"a {kind.__module__}.{kind.__qualname__} that the program refers to")

    def file(self, name: str) -> Any:
        files = self.world.files
        return files.index(name) if name in files else name

    def owner(self, x: Any) -> Any:
        """What a captured value is held by: one of the surroundings, or a module of the library of ours."""
        if self.world.number(x) is None and not (isinstance(x, dict) and _is_namespace(x)):
            raise UnstorableError("something read from an object that is not known by any name")
        return self.object(x)

    def capture(self, x: Capture) -> Any:
        owner = self.owner(x.owner)
        if owner[0] == "object" and self.world.slot(x.owner, x.name) is None:
            raise UnstorableError(f"{x.name!r}, which is read at every call from an unknown place")
        extra = [self.any(getattr(x, f.name)) for f in dataclasses.fields(x)[3:]]
        return ["capture", self.object(type(x)), self.object(x.name), owner, self.any(x.spec), *extra]

    def guard(self, x: Guard) -> Any:
        owner = self.owner(x.owner)
        if owner[0] == "object" and not self.world.follows(x.owner, x.name):
            raise UnstorableError(f"{x.name!r}, which comes from an unknown place")
        extra = [self.any(getattr(x, f.name)) for f in dataclasses.fields(x)[3:]]
        return ["guard", self.object(type(x)), self.object(x.name), owner, *extra]


def _is_namespace(x: dict[Any, Any]) -> bool:
    """Whether a dict is that of a module of adcore's or of a package that it uses."""
    module = x.get("__name__")
    return isinstance(module, str) and is_trusted(module) and vars(named(module, "")) is x


class _Later(Sequence[Any]):
    """A list whose items are made when they are asked for; only files of the surroundings are in them."""

    def __init__(self, items: Sequence[Any], files: list[str]) -> None:
        self.items = items
        self.reader = _Reader(_Files(files), lambda: Program(()))

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: Any) -> Any:
        return self.reader.any(self.items[place])


@dataclasses.dataclass
class _Files:
    files: list[str]


class _Reader:
    def __init__(self, world: Any, program: Callable[[], Program]) -> None:
        self.world = world
        self.program = program

    def any(self, x: Any) -> Any:
        if type(x) in _PLAIN:
            return x
        return getattr(self, "_" + x[0].replace(" ", "_"))(*x[1:])

    def _tuple(self, *items: Any) -> Any:
        return tuple(map(self.any, items))

    def _list(self, *items: Any) -> Any:
        return list(map(self.any, items))

    def _seldom(self, *items: Any) -> Any:
        return _Later(items, self.world.files)

    def _dict(self, *items: Any) -> Any:
        return {self.any(k): self.any(v) for k, v in items}

    def _frozenset(self, *items: Any) -> Any:
        return frozenset(map(self.any, items))

    def _program(self) -> Any:
        return self.program()

    def _source(self, file: Any, line: int, function: str, column: int, end: int, text: str, sweep: str) -> Any:
        name = self.world.files[file] if isinstance(file, int) else file
        return Source(name, line, function, column, end, text, sweep)

    def _static(self, value: Any) -> Any:
        return Static(self.any(value))

    def _structured(self, layout: Any, *fields: Any) -> Any:
        return Structured(self.any(layout), tuple(map(self.any, fields)))

    def _partial(self, function: Any, *arguments: Any) -> Any:
        return functools.partial(self.any(function), *map(self.any, arguments))

    def _named_tuple(self, kind: Any, *items: Any) -> Any:
        return tuple.__new__(self.any(kind), map(self.any, items))

    def _instance(self, kind: Any, *fields: Any) -> Any:
        return instance(self.any(kind), [(name, self.any(value)) for name, value in fields])

    def _object(self, number: int) -> Any:
        return self.world.object(number)

    def _float(self, text: str) -> float:
        return float.fromhex(text)

    def _complex(self, real: str, imaginary: str) -> complex:
        return complex(float.fromhex(real), float.fromhex(imaginary))

    def _bytes(self, text: str) -> bytes:
        return base64.b64decode(text)

    def _scalar(self, dtype: str, text: str) -> Any:
        return np.frombuffer(base64.b64decode(text), dtype)[0]

    def _dtype(self, text: str) -> Any:
        return np.dtype(text)

    def _member(self, kind: Any, name: str) -> Any:
        return self.any(kind)[name]

    def _name(self, module: str, name: str) -> Any:
        return named(module, name)

    def _namespace(self, module: str) -> Any:
        return vars(named(module, ""))

    def _capture(self, kind: Any, name: Any, owner: Any, spec: Any, *extra: Any) -> Any:
        return self.any(kind)(self.any(name), self.any(owner), self.any(spec), *map(self.any, extra))

    def _guard(self, kind: Any, name: Any, owner: Any, *extra: Any) -> Any:
        held, key = self.any(owner), self.any(name)
        value = held[key] if isinstance(held, dict) else held.cell_contents
        return self.any(kind)(key, held, value, *map(self.any, extra))
