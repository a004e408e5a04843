"""Which suites there are: the modules and packages of this folder that define `cases`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from bench.cases import Case

__all__ = ["Suite", "suites"]

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Suite:
    """A module that offers `cases(tiny)`.

    Attributes:
        name: of the module, and what chooses it.
        about: the first line of its docstring.
    """

    name: str
    about: str

    def cases(self, tiny: bool) -> Iterator[Case]:
        return import_module(f"bench.{self.name}").cases(tiny)

    def case(self, name: str, tiny: bool) -> Case:
        return next(case for case in self.cases(tiny) if case.name == name)


def suites() -> dict[str, Suite]:
    """The suites by name.  They are found by their source, as importing them imports what they measure."""
    found: dict[str, Suite] = {}
    for path in sorted([*HERE.glob("*.py"), *HERE.glob("*/__init__.py")]):
        module = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "cases" for node in module.body):
            name = path.parent.name if path.name == "__init__.py" else path.stem
            found[name] = Suite(name, (ast.get_docstring(module) or "").partition("\n")[0])
    return found
