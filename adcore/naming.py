"""Printed names: a value's own name where it is free, the name with a numeric suffix where it is not."""

from __future__ import annotations

import re

from .types import Var

__all__ = ["Names", "identifier"]


def identifier(name: str) -> str:
    """The name as an identifier: other characters become underscores.

    >>> identifier("x[0]"), identifier("2nd")
    ('x_0_', '_2nd')
    """
    name = re.sub(r"\W", "_", name) or "_"
    return f"_{name}" if name[0].isdigit() else name


class Names:
    """Names of the values in one scope; those of the scopes around it are visible and are not shadowed.

    Printing what was parsed gives the same names again, since names that do not collide stay as they are.
    """

    def __init__(self, parent: Names | None = None, reserved: frozenset[str] = frozenset()) -> None:
        self._of: dict[Var, str] = dict(parent._of) if parent else {}
        self._taken: set[str] = set(parent._taken) if parent else set(reserved)

    def __getitem__(self, var: Var) -> str:
        return self._of[var]

    def __contains__(self, var: Var) -> bool:
        return var in self._of

    def enter(self, var: Var) -> str:
        """Give a value its name, for good."""
        name = self.unused(identifier(var.name))
        self._taken.add(name)
        self._of[var] = name
        return name

    def unused(self, base: str) -> str:
        """The first of base, base_1, base_2, ... that is free."""
        name, number = base, 0
        while name in self._taken:
            number += 1
            name = f"{base}_{number}"
        return name
