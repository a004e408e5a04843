"""Python statements under construction: lines, variables and what they hold, expressions not yet written down."""

from __future__ import annotations

import keyword
import re
from collections.abc import Container, Iterable, Sequence
from pathlib import PurePath

from ..errors import Source
from ..naming import identifier
from ..types import Atom, DType, Var
from .expressions import Expression, constant, read
from .liveness import Position
from .storage import Storage

__all__ = ["WIDTH", "Writer", "function_name", "is_temporary"]

WIDTH = 100
_BUILTINS = ("abs", "bool", "complex", "float", "int", "len", "math", "max", "min", "np", "range", "slice", "span")
_RESERVED = frozenset((*keyword.kwlist, *_BUILTINS, "factorizations"))
_INDENT = "    "


def function_name(name: str, reserved: Container[str] = ()) -> str:
    """A name for the function itself that hides nothing it calls."""
    name = identifier(name)
    return f"{name}_1" if name in _RESERVED or name in reserved else name


def is_temporary(name: str) -> bool:
    """Whether the name is not the user's: `t`, or `t_1` from a printed program.

    >>> is_temporary("t_1"), is_temporary("total")
    (True, False)
    """
    return re.fullmatch(r"t(_\d+)*", name) is not None


class Writer:
    """The state of printing one function.

    A Python variable may hold several values in turn.  It is assigned anew only when no value that it holds is read
    any more, and expressions that read it and are not written yet are written first.  Where variables are `typed`, it
    holds values of one type only, as Numba wants it.
    """

    def __init__(self, storage: Storage, function: str, reserved: Iterable[str] = (), typed: bool = False) -> None:
        self.storage = storage
        self.reserved = _RESERVED | frozenset(reserved)
        self.typed = typed
        self.position = Position()
        self.lines: list[str] = []
        self.depth = 1
        self.source: Source | None = None
        self.protected: set[str] = {function}
        self.buffers: set[str] = set()  # variables that hold one array for all iterations of a loop
        self.targets: dict[Var, str] = {}
        self._bound: dict[Var, Expression] = {}
        self._pending: dict[Var, Expression] = {}
        self._holders: dict[str, set[Var]] = {}
        self._seen: set[str] = set(self.reserved)
        self._types: dict[str, tuple[DType, int]] = {}
        self._commented: Source | None = None

    # Lines

    def emit(self, line: str) -> None:
        line = _INDENT * self.depth + line
        source, before = self.source, self._commented
        if source is not None and (before is None or (before.file, before.line) != (source.file, source.line)):
            self._commented = source
            comment = f"# {PurePath(source.file).name}:{source.line}"
            if len(line) + 2 + len(comment) > WIDTH:
                self.lines.append(_INDENT * self.depth + comment)
            else:
                line = f"{line}  {comment}"
        self.lines.append(line)

    # Values

    def value(self, atom: Atom) -> Expression:
        """The expression of a value, to be written into the statement at hand."""
        if not isinstance(atom, Var):
            return constant(atom)
        return self._pending.pop(atom, None) or self._bound[atom]

    def is_pending(self, atom: Atom) -> bool:
        return isinstance(atom, Var) and atom in self._pending

    def variable(self, atom: Atom) -> str | None:
        """The Python variable that holds a value, if one does."""
        return self._bound[atom].text if isinstance(atom, Var) and atom in self._bound else None

    def defer(self, var: Var, value: Expression) -> None:
        self._pending[var] = value

    def hold(self, name: str, var: Var, numpy: bool = False, also: bool = False) -> None:
        """Say that the variable holds the value now; with `also`, in addition to what it holds."""
        if not also or name not in self._holders:
            self._holders[name] = set()
        self._holders[name].add(var)
        self._types.setdefault(name, (var.type.dtype, var.type.rank))
        self._seen.add(name)
        storage = frozenset((self.storage.root(var),)) if var.type.shape else frozenset()
        self._bound[var] = read(name, storage, numpy)

    def assign(self, var: Var, value: Expression, avoid: Iterable[str] = ()) -> str:
        """Write `name = value`; gives the name."""
        name = self.choose(var, avoid)
        self.settle(names={name})
        self.emit(f"{name} = {value.text}")
        self.hold(name, var, value.numpy)
        return name

    def settle(self, names: set[str] | None = None, storage: Var | None = None, keep: Sequence[Atom] = ()) -> None:
        """Write down pending expressions that read the variables or the memory given; without either, all.

        `keep` are values that the statement at hand takes in.
        """
        for var, value in list(self._pending.items()):
            touched = names is None and storage is None
            touched |= bool(names and value.names & names) or (storage is not None and storage in value.storage)
            if touched and not any(var is k for k in keep):
                del self._pending[var]
                self.write_down(var, value)

    def write_down(self, var: Var, value: Expression) -> Expression:
        """Write a pending expression into a variable that was never used before; gives what reads it."""
        name = self.unused(identifier(var.name))
        self.emit(f"{name} = {value.text}")
        self.hold(name, var, value.numpy)
        return self._bound[var]

    # Names

    def unused(self, base: str, avoid: Iterable[str] = ()) -> str:
        name, number = base, 0
        while name in self._seen or name in self.protected or name in avoid:
            number += 1
            name = f"{base}_{number}"
        return name

    def is_free(self, name: str, repeated: Sequence[object] = ()) -> bool:
        """Whether nothing the variable holds is read after the equation at hand, nor in the regions it repeats."""
        return name not in self.protected | self.buffers and not any(
            self.position.live(var) or any(self.position.used_in(region, var) for region in repeated)  # type: ignore[arg-type]
            for var in self._holders.get(name, ())
        )

    def may_hold(self, name: str, var: Var, repeated: Sequence[object] = ()) -> bool:
        """Whether the variable is free for a value; where they are `typed`, it has held none of another type."""
        known = self._types.get(name) if self.typed else None
        return known in (None, (var.type.dtype, var.type.rank)) and self.is_free(name, repeated)

    def choose(self, var: Var, avoid: Iterable[str] = (), repeated: Sequence[object] = ()) -> str:
        """A variable for a value: the one aimed at, the value's own name, or that with a suffix."""
        avoid = set(avoid)
        wanted = self.targets.get(var)
        if wanted is not None and wanted not in avoid and self.may_hold(wanted, var, repeated):
            return wanted
        base = identifier(var.name)
        reusable = not is_temporary(base) and base not in self.reserved and base not in avoid
        if reusable and self.may_hold(base, var, repeated):
            return base
        return self.unused(base, avoid)

    def snapshot(self) -> dict[str, set[Var]]:
        return {name: set(vars) for name, vars in self._holders.items()}

    def restore(self, holders: dict[str, set[Var]]) -> None:
        self._holders = {name: set(vars) for name, vars in holders.items()}

    def moves(self, pairs: Sequence[tuple[str, Expression]]) -> None:
        """Assign all at once: one after the other where the order allows, else as a tuple."""
        rest = [(name, value) for name, value in pairs if value.text != name]
        while rest:
            ready = next((p for p in rest if not any(p[0] in v.names for n, v in rest if n != p[0])), None)
            if ready is None:
                self.emit(f"{', '.join(n for n, _ in rest)} = {', '.join(v.text for _, v in rest)}")
                return
            rest.remove(ready)
            self.emit(f"{ready[0]} = {ready[1].text}")
