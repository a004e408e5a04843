"""Code that works on Python objects: constants, fields, calls of the C interface, the way out where a test fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adcore.plugins import Capture, Guard

from . import capi
from .code import Code
from .engine import NAME

__all__ = ["TABLE", "PythonCode", "Special"]

TABLE = f"{NAME}_table"  # of addresses
_COMPARED = (str, int, bytes)  # whose equal instances are alike; of these another object may be as good


@dataclass(frozen=True, slots=True)
class Special:
    """In the table of addresses: `fail`, which raises a failure; `handler`, NumPy's of our memory; or `numpy N`, the
    function of this number in NumPy's C interface.
    """

    name: str


@dataclass(frozen=True, eq=False)
class _Owned:
    """A reference that the code owns, and the one that it took before."""

    thing: str
    before: _Owned | None


@dataclass
class PythonCode:
    """LLVM code of an entry point.

    Addresses of objects are in a table that is filled where the code is loaded.

    The references that the code owns are a stack.  Where it fails, what is on the stack is given back on the way out,
    by blocks of their own, each of which gives one back and goes on to the next one.
    """

    code: Code = field(default_factory=Code)
    table: list[Any] = field(default_factory=list)  # objects, guards for theirs, or what is `Special`
    ways_out: list[str] = field(default_factory=list)  # the lines of those blocks
    _places: dict[Any, int] = field(default_factory=dict)  # in the table
    _owned: _Owned | None = None
    _labels: dict[tuple[_Owned, str], str] = field(default_factory=dict)

    def constant(self, thing: Any) -> str:
        """The address of a Python object, which is kept alive as long as the code."""
        return self._address(id(thing), thing)

    def guarded(self, guard: Guard) -> str:
        """The address of the object that a guard wants."""
        return self._address(id(guard), guard)

    def special(self, name: str) -> str:
        """The address of something that every process has its own of; see `Special`."""
        return self._address(name, Special(name))

    def _address(self, key: int | str, thing: Any) -> str:
        if key not in self._places:
            self._places[key] = len(self.table)
            self.table.append(thing)
        place = self.code.op(f"getelementptr ptr, ptr @{TABLE}, i64 {self._places[key]}")
        return self.code.op(f"load ptr, ptr {place}, !invariant.load !{{}}")

    def guard(self, holds: str, otherwise: str = "fallback") -> None:
        """Go on where the condition holds, and to the fallback elsewhere."""
        code = self.code
        fine = code.label()
        code.branch(holds, fine, self._way_out(otherwise), ", !prof !0")
        code.start(fine)

    def made(self, thing: str) -> str:
        """The same reference, where it is not null; an exception is on its way elsewhere."""
        self.guard(self.code.op(f"icmp ne ptr {thing}, null"), "broken")
        return thing

    def field(self, thing: str, offset: int, type: str = "ptr") -> str:
        place = self.code.op(f"getelementptr i8, ptr {thing}, i64 {offset}")
        return self.code.op(f"load {type}, ptr {place}")

    def same(self, x: str, thing: Any) -> str:
        return self.code.op(f"icmp eq ptr {x}, {self.constant(thing)}")

    def guard_equal(self, x: str, thing: Any) -> None:
        """Go on where an object is this one, or equal to it and of a type for which that says enough."""
        code = self.code
        if type(thing) not in _COMPARED:
            self.guard(self.same(x, thing))
            return
        other, fine = code.label(), code.label()
        code.branch(self.same(x, thing), fine, other)
        code.start(other)
        self.guard(self.same(self.field(x, capi.OB_TYPE), type(thing)))
        arguments = (("ptr", x), ("ptr", self.constant(thing)), ("i32", str(capi.EQUAL)))
        self.guard(code.op(f"icmp eq i32 {self.call('PyObject_RichCompareBool', 'i32', *arguments)}, 1"))
        code.jump(fine)
        code.start(fine)

    def call(self, name: str, result: str, *arguments: tuple[str, str]) -> str:
        return self.code.call(result, name, *arguments)

    def captured(self, capture: Capture | Guard) -> str:
        """The object that a closure cell or a dict of globals holds now."""
        code = self.code
        if isinstance(capture.owner, dict):
            thing = self.call(
                "PyDict_GetItemWithError",
                "ptr",
                ("ptr", self.constant(capture.owner)),
                ("ptr", self.constant(capture.name)),
            )
        else:
            cell = code.op(f"getelementptr i8, ptr {self.constant(capture.owner)}, i64 {capi.CELL_CONTENTS}")
            thing = code.op(f"load ptr, ptr {cell}")
        self.guard(code.op(f"icmp ne ptr {thing}, null"))
        return thing

    # References

    def take(self, thing: str) -> str:
        """A further reference to an object."""
        self.call("Py_IncRef", "void", ("ptr", thing))
        return thing

    def release(self, thing: str) -> None:
        self.call("Py_DecRef", "void", ("ptr", thing))

    def own(self, thing: str) -> str:
        """Note a reference that the code owns from here."""
        self._owned = _Owned(thing, self._owned)
        return thing

    def hand_over(self, count: int = 1) -> None:
        """The references noted last have another owner from here."""
        for _ in range(count):
            assert self._owned is not None
            self._owned = self._owned.before

    def release_all(self) -> None:
        """Give everything back, on the way that the code takes here."""
        owned = self._owned
        while owned is not None:
            self.release(owned.thing)
            owned = owned.before

    def _way_out(self, to: str) -> str:
        """The label of where everything that is owned here is given back, and which then goes `to` a block."""
        missing: list[_Owned] = []
        owned = self._owned
        while owned is not None and (owned, to) not in self._labels:
            missing.append(owned)
            owned = owned.before
        label = to if owned is None else self._labels[owned, to]
        self.code.declare("Py_DecRef", "declare void @Py_DecRef(ptr)")
        for each in reversed(missing):
            own = self._labels[each, to] = self.code.label()
            self.ways_out += [f"{own}:", f"  call void @Py_DecRef(ptr {each.thing})", f"  br label %{label}"]
            label = own
        return label
