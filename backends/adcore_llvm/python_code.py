"""Code that works on Python objects: constants, fields, calls of the C interface, the way out where a test fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adcore.plugins import Capture, Guard

from . import capi
from .code import Code

__all__ = ["PythonCode"]


@dataclass
class PythonCode:
    """LLVM code of an entry point; `keep` are the objects whose addresses it contains."""

    code: Code = field(default_factory=Code)
    keep: list[Any] = field(default_factory=list)

    def constant(self, thing: Any) -> str:
        """The address of a Python object, which is kept alive as long as the code."""
        self.keep.append(thing)
        return f"inttoptr (i64 {capi.address_of(thing)} to ptr)"

    def guard(self, holds: str, otherwise: str = "fallback") -> None:
        """Go on where the condition holds, and to the fallback elsewhere."""
        code = self.code
        fine = code.label()
        code.branch(holds, fine, otherwise, ", !prof !0")
        code.start(fine)

    def field(self, thing: str, offset: int, type: str = "ptr") -> str:
        place = self.code.op(f"getelementptr i8, ptr {thing}, i64 {offset}")
        return self.code.op(f"load {type}, ptr {place}")

    def same(self, x: str, thing: Any) -> str:
        return self.code.op(f"icmp eq ptr {x}, {self.constant(thing)}")

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
