"""Random programs of loops, branches, jumps and aliased writes: the same as Python, or refused."""

from __future__ import annotations

import copy
import linecache
import random

import numpy as np
import pytest

from adcore.errors import AliasError, UnsupportedSyntaxError

from .conftest import run, same

SCALARS = ("a", "b", "c")
ARRAYS = ("u", "v", "w")


class Writer:
    """Writes one random function."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.names: list[str] = []
        self.counters = 0
        self.budget = 14

    def function(self) -> str:
        names = self.names = [n for n in (*SCALARS, *ARRAYS) if self.random.random() < 0.7] or ["u"]
        self.lines = ["def made(a, b, u, v, n):"]
        for text in ("w = u.copy()", "c = 1"):
            if self.random.random() < 0.2:
                self.emit(1, "if n > 1:")
                self.emit(2, text)
            else:
                self.emit(1, text)
        self.block(1, False)
        self.emit(1, f"return {', '.join(names)},")
        return "\n".join(self.lines) + "\n"

    def emit(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def block(self, depth: int, loop: bool) -> None:
        for _ in range(self.random.randint(1, 4)):
            self.statement(depth, loop)

    def statement(self, depth: int, loop: bool) -> None:
        self.budget -= 1
        kinds = ["scalar", "element", "slice", "augment", "bind", "swap"]
        if depth < 4 and self.budget > 0:
            kinds += ["if", "if", "for", "for", "while"]
        if loop:
            kinds += ["jump"]
        getattr(self, self.random.choice(kinds))(depth, *([loop] if loop is not None else []))

    def number(self) -> str:
        pick = self.random.random()
        if pick < 0.4:
            return self.random.choice(SCALARS)
        if pick < 0.7:
            return f"{self.random.choice(ARRAYS)}[{self.index()}]"
        return self.random.choice(("0.5", "2", "-1.0", "n"))

    def index(self) -> str:
        return self.random.choice(("0", "1", "-1", "n % 3", "2"))

    def expression(self) -> str:
        op = self.random.choice(("+", "-", "*"))
        return f"0.25 * {self.number()} {op} {self.number()}"

    def test(self) -> str:
        return f"{self.number()} {self.random.choice('<>')} {self.number()}"

    def scalar(self, depth: int, loop: bool) -> None:
        name = self.random.choice(SCALARS)
        self.emit(depth, f"{name} {self.random.choice(('=', '=', '+='))} {self.expression()}")

    def element(self, depth: int, loop: bool) -> None:
        op = self.random.choice(("=", "+=", "*="))
        self.emit(depth, f"{self.random.choice(ARRAYS)}[{self.index()}] {op} {self.expression()}")

    def slice(self, depth: int, loop: bool) -> None:
        part = self.random.choice((":2", "1:3", "::2", "1:"))
        source = self.random.choice(ARRAYS)
        op = self.random.choice(("=", "+="))
        self.emit(depth, f"{self.random.choice(ARRAYS)}[{part}] {op} {source}[{part}] * 0.5")

    def augment(self, depth: int, loop: bool) -> None:
        self.emit(depth, f"{self.random.choice(ARRAYS)} += {self.number()}")

    def bind(self, depth: int, loop: bool) -> None:
        name, source = self.random.choice(ARRAYS), self.random.choice(ARRAYS)
        form = self.random.choice(("{}", "{}", "{}[::-1]", "{}.copy()", "{} * 0.5 + 1", "{}[:]"))
        self.emit(depth, f"{name} = {form.format(source)}")

    def swap(self, depth: int, loop: bool) -> None:
        one, two = self.random.sample(ARRAYS, 2)
        self.emit(depth, f"{one}, {two} = {two}, {one}")

    def jump(self, depth: int, loop: bool) -> None:
        self.emit(depth, f"if {self.test()}:")
        returned = f"return {', '.join(self.names)},"
        self.emit(depth + 1, self.random.choice(("break", "break", "continue", returned)))

    def condition(self, depth: int, loop: bool) -> None:
        self.emit(depth, f"if {self.test()}:")
        self.block(depth + 1, loop)
        if self.random.random() < 0.6:
            self.emit(depth, "else:")
            self.block(depth + 1, loop)

    def repeat(self, depth: int, loop: bool) -> None:
        self.counters += 1
        self.emit(depth, f"for i{self.counters} in range({self.random.choice(('n', '2', 'n - 1'))}):")
        self.block(depth + 1, True)
        if self.random.random() < 0.2:
            self.emit(depth, "else:")
            self.block(depth + 1, loop)

    def until(self, depth: int, loop: bool) -> None:
        self.counters += 1
        name = f"k{self.counters}"
        self.emit(depth, f"{name} = 0")
        self.emit(depth, f"while {name} < 3 and {self.test()}:")
        self.emit(depth + 1, f"{name} += 1")
        self.block(depth + 1, True)


setattr(Writer, "if", Writer.condition)
setattr(Writer, "for", Writer.repeat)
setattr(Writer, "while", Writer.until)


def compare_with_python(seed: int) -> str:
    """Run one random program both ways for two inputs; says how it went."""
    text = Writer(seed).function()
    name = f"<random {seed}>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    namespace: dict = {}
    exec(compile(text, name, "exec"), namespace)
    made = namespace["made"]
    outcome = "same"
    for n in (3, 0):
        arguments = (1.5, -0.5, np.array([1.0, -2.0, 3.0]), np.array([0.5, 0.25, -1.0]), n)
        try:
            with np.errstate(all="ignore"):
                expected = made(*copy.deepcopy(arguments))
        except UnboundLocalError:
            expected = None
        try:
            found = run(made, *arguments)
        except (AliasError, UnsupportedSyntaxError) as error:
            outcome = type(error).__name__
            continue
        except UnboundLocalError:
            assert expected is None, text
            continue
        assert expected is not None, text
        if not all(np.all(np.isfinite(leaf)) for leaf in expected):
            continue
        same(found, expected)
    return outcome


@pytest.mark.parametrize("seed", range(150))
def test_random_program(seed):
    compare_with_python(seed)


def test_most_programs_are_accepted():
    outcomes = [compare_with_python(seed) for seed in range(60)]
    assert outcomes.count("same") > 25
