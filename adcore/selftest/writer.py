"""What writes a program line by line: indentation, fresh names, blocks, the choice of the next statement."""

from __future__ import annotations

from random import Random

from .expressions import Expressions

__all__ = ["Writer"]

STATEMENTS = {
    "assign": 4,
    "element": 6,
    "augment": 4,
    "vector": 2,
    "slice": 3,
    "matrix": 3,
    "swap": 2,
    "view": 2,
    "rebind": 1,
    "helper": 2,
    "ragged": 1,
    "integer": 2,
    "overlap": 2,
    "nested_view": 1,
    "early_row": 1,
    "container": 1,
    "closure": 1,
    "alias": 1,
}
NESTING = {
    "loop": 5,
    "triangular": 4,
    "factor": 2,
    "sweep": 3,
    "scratch": 2,
    "over": 3,
    "condition": 4,
    "repeat": 2,
    "state": 1,
    "search": 1,
}
JUMPS = {"jump": 2}
DEEPEST = 5


class Writer(Expressions):
    """Lines of a program; `write_…` methods of the classes above it write statements."""

    def __init__(self, random: Random, size: int) -> None:
        super().__init__(random)
        self.lines: list[str] = []
        self.size = size
        self.names = 0

    def emit(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def emit_lines(self, depth: int, text: str) -> None:
        for line in text.split("\n"):
            self.emit(depth, line)

    def fresh(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def block(self, depth: int, loop: bool, most: int = 3) -> None:
        with self.scope():
            for _ in range(self.random.randint(1, most)):
                self.statement(depth, loop)

    def statement(self, depth: int, loop: bool) -> None:
        """One statement; inside a `loop` it may jump."""
        self.size -= 1
        kinds = dict(STATEMENTS)
        if depth < DEEPEST and self.size > 0:
            kinds |= NESTING
        if loop:
            kinds |= JUMPS
        (kind,) = self.random.choices(list(kinds), list(kinds.values()))
        getattr(self, f"write_{kind}")(depth, loop)
