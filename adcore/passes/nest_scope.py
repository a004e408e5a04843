"""Where the equations of a nest of loops go: each in the outermost loop that it can stand in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ..builder import Builder
from ..primitives import TABLE
from ..types import Atom, Lit, Var

__all__ = ["COUNTERS", "Scope"]

COUNTERS = "ijklmnpqrs"
_TEMPORARY = re.compile(r"t(_\d+)*")


class Scope(Builder):
    """A region under construction, or the body of a loop of a nest, which has a counter."""

    def __init__(self, parent: Scope | None, letters: list[str], counter: Var | None = None) -> None:
        super().__init__(parent)
        self.outer = parent
        self.letters = letters
        self.counter = counter

    def put(self, name: str, operands: tuple[Atom, ...], **params: Any) -> Any:
        """Emit an equation; gives its result."""
        return self.emit(TABLE[name], operands, params)

    def empty_like(self, out: Var) -> Var:
        """A new array of the type of a value, and with its name."""
        return self.append(TABLE["empty"], out.type.shape, {"dtype": out.type.dtype}, name=out.name)[0]

    def filled_like(self, out: Var, value: Atom) -> Var:
        """The same, with a number in all its elements."""
        axes = tuple(range(out.type.rank))
        return self.append(TABLE["expand"], (value, *out.type.shape), {"axes": axes}, name=out.name)[0]

    def counters(self, count: int) -> list[str]:
        """Names for the counters of so many loops."""
        return [self.letters[k % len(self.letters)] for k in range(count)]

    def home_of(self, atoms: Iterable[Atom]) -> Scope:
        """The outermost scope of the nest in which these values are there."""
        scope: Scope = self
        needed = [a for a in atoms if isinstance(a, Var)]
        while scope.counter is not None and scope.outer is not None:
            if any(a is scope.counter or a in scope._defining for a in needed):
                return scope
            scope = scope.outer
        return scope

    def element_name(self, name: str, around: int = 0) -> str:
        """What an element of an array of this name is called here, or in so many loops that will stand here."""
        letters = self._letters() + "".join(self.counters(around))
        return name if _TEMPORARY.fullmatch(name) else f"{name}_{letters}".rstrip("_")

    def _letters(self) -> str:
        around = "" if self.outer is None or self.counter is None else self.outer._letters()
        return around + (self.counter.name if self.counter is not None else "")

    def name_elements(self, reads: Mapping[Var, Var], stored: Iterable[Atom]) -> None:
        """Name the elements that are read here and used more than once, or in an inner loop.

        Those that are stored, and not used otherwise, need no name of their own.
        """
        uses = Counter(a for e in self.equations for a in e.operands)
        for element in stored:
            if isinstance(element, Var) and uses[element] == 1 and element in self._defining:
                element.name = "t"
        for element, array in reads.items():
            made = self.defining(element)
            if made is None or (uses[element] == 1 and element in self._defining) or _TEMPORARY.fullmatch(array.name):
                continue
            place = made.operands[1:]
            if all(isinstance(i, Lit) or i.name in self.letters for i in place):
                letters = "".join(str(i.value) if isinstance(i, Lit) else i.name for i in place)
                element.name = f"{array.name}_{letters}"
