"""Random expressions: smooth, and of order 1 where their variables are, so that differences are a fair reference."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

__all__ = ["COLUMNS", "LENGTH", "ROWS", "Counter", "Expressions"]

LENGTH = 5  # of the vectors
ROWS, COLUMNS = 4, 5  # of the matrices

_UNARY = (
    "math.sin({0})",
    "math.cos(0.5 * {0})",
    "math.tanh({0})",
    "math.exp(-({0}) ** 2)",
    "{0} / (1.0 + {0} * {0})",
    "math.sqrt(1.0 + {0} ** 2) - 1.0",
    "math.atan({0})",
    "near({0})",
    "-0.8 * ({0})",
)
_BINARY = (
    "math.tanh({0} + {1})",
    "0.5 * ({0} + {1})",
    "{0} * math.cos({1})",
    "({0} - {1}) / (2.0 + {0} * {0})",
    "math.sin({0} * {1})",
    "math.tanh({0} * {1})",
    "mix({0}, {1})",
    "mix({0}, {1}, weight=0.6)",
    "({0} if {0} > {1} + 0.0137 else 0.5 * {1} - 0.1)",
    "({0} if {2} % 2 == 0 else math.sin({1}))",
    "float(np.tanh({0} - {1}))",
)
_VECTORS = (
    "np.sin({0}) + {2}",
    "0.5 * ({0} + {1})",
    "np.tanh({0} * {1})",
    "{0}[::-1] * math.tanh({2})",
    "np.where({0} > {1} + 0.0137, {0}, 0.5 * {1})",
    "{0} - np.mean({1})",
    "np.exp(-{0} * {0}) * np.sum({1}) * 0.2",
    "0.3 * np.cumsum({0})",
    "{0}.copy()",
    "np.cos({0}) * ({1} - {2})",
    "np.concatenate(({0}[1:], {1}[:1]))",
    "np.concatenate(({1}[-1:], {0}[:-1]))",
    "np.tanh(m.T @ {0}[:4])",
    "np.array([t * math.cos(a) for t in ({2}, 0.3, a, b, c)])",
    "0.4 * np.concatenate((np.diff({0}), m[1, :1]))",
    "np.sum(m * {0}, axis=0) * 0.3",
)


@dataclass(frozen=True)
class Counter:
    """An integer in scope, and the values between which it stays."""

    name: str
    least: int
    most: int


@dataclass
class Expressions:
    """Expressions over what is in scope at a place of the program.

    Attributes:
        scalars: names of real numbers.
        vectors: names of one-dimensional arrays, with their lengths.
        matrices: names of arrays of shape (ROWS, COLUMNS).
        ragged: names of one-dimensional arrays of unknown length.
        counters: integers of the loops around.
    """

    random: Random
    scalars: list[str] = field(default_factory=lambda: ["a", "b", "c"])
    vectors: dict[str, int] = field(default_factory=dict)
    matrices: list[str] = field(default_factory=list)
    ragged: list[str] = field(default_factory=list)
    counters: list[Counter] = field(default_factory=list)

    @contextmanager
    def scope(self):
        """What is bound inside is forgotten at the end."""
        before = (self.scalars, self.vectors, self.ragged, self.counters)
        self.scalars, self.vectors, self.ragged, self.counters = map(_copy, before)
        yield
        self.scalars, self.vectors, self.ragged, self.counters = before

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, *choices: str) -> str:
        return self.random.choice(choices)

    # Integers

    def index(self, length: int) -> str:
        """An index within an axis of the length, near the counters of the loops around."""
        if self.counters and self.chance(0.85):
            for _ in range(4):
                text, least, most = self._near_counter(length)
                if -length <= least and most < length:
                    return text
            counter = self.random.choice(self.counters).name
            return self.pick(
                f"({counter} + {self.random.randint(0, 3)}) % {length}",
                f"(3 * {counter} + 1) % {length}",
                f"({counter} * {counter} - 2) % {length}",
                f"-{counter} % {length}",
                f"({counter} & 3) % {length}",
                f"(7 - {counter}) // 2 % {length}",
            )
        if self.chance(0.1):
            return f"n % {length}"
        return str(self.random.randint(-length, length - 1))

    def _near_counter(self, length: int) -> tuple[str, int, int]:
        c = self.random.choice(self.counters[-3:])
        d = self.random.choice(self.counters)
        shift = self.random.choice((1, 1, 2))
        forms = [
            (c.name, c.least, c.most),
            (c.name, c.least, c.most),
            (f"{c.name} - {shift}", c.least - shift, c.most - shift),
            (f"{c.name} + {shift}", c.least + shift, c.most + shift),
            (f"{length - 1} - {c.name}", length - 1 - c.most, length - 1 - c.least),
            (f"-{c.name} - 1", -c.most - 1, -c.least - 1),
            (f"{c.name} // 2", c.least // 2, c.most // 2),
            (f"max({c.name} - 1, 0)", max(c.least - 1, 0), max(c.most - 1, 0)),
            (f"min({c.name} + 1, {length - 1})", min(c.least + 1, length - 1), min(c.most + 1, length - 1)),
        ]
        if c is not d:
            forms += [
                (f"{c.name} - {d.name}", c.least - d.most, c.most - d.least),
                (f"{c.name} + {d.name}", c.least + d.least, c.most + d.most),
            ]
        return self.random.choice(forms)

    def bound(self, length: int) -> str:
        """An integer from 0 to the length, as an end of a slice."""
        names = [c.name for c in self.counters if c.least >= 0 and c.most <= length]
        ends = [f"{c.name} + 1" for c in self.counters if c.least >= -1 and c.most < length]
        if names and self.chance(0.6):
            return self.random.choice(names + ends)
        return self.pick(f"n % {length}", str(self.random.randint(0, length)))

    def integer(self) -> str:
        return self.random.choice([c.name for c in self.counters] + ["n"])

    # Elements

    def element(self, writable: bool = False) -> str:
        """An element of an array."""
        if self.matrices and self.chance(0.3):
            name = self.random.choice(self.matrices)
            row, column = self.index(ROWS), self.index(COLUMNS)
            forms = [f"{name}[{row}, {column}]"] * 4 + [f"{name}[{row}][{column}]", f"{name}.T[{column}, {row}]"]
            return self.random.choice(forms)
        name = self.random.choice(list(self.vectors))
        return f"{name}[{self.index(self.vectors[name])}]"

    def condition(self) -> str:
        """A test of data or of integers."""
        if self.chance(0.4):
            i = self.integer()
            return self.pick(f"{i} % 2 == 0", f"{i} > 1", f"0 < {i} < 4", f"{i} != 2", f"{i} == n")
        one = self.scalar(1)
        return self.pick(
            f"{one} > 0.3137",
            f"{one} < 0.1371",
            f"-0.4137 < {one} < 0.5713",
            f"not {one} > 0.1713",
            f"{one} > 0.2173 or {self.integer()} == 1",
            f"{self.integer()} > 0 and {one} < 0.3371",
            f"-0.5137 < {one} < {self.leaf()} + 0.3137 < 1.7137",
            f"({one} > 0.5137 or {self.integer()} > 2) and not {self.leaf()} < -0.6137",
        )

    # Real numbers and arrays

    def leaf(self) -> str:
        chosen = self.random.random()
        if chosen < 0.4:
            return self.random.choice(self.scalars)
        if chosen < 0.82:
            return self.element()
        if chosen < 0.9 and self.counters:
            return f"0.1 * {self.integer()}"
        return self.pick("0.5", "-0.7", "1.3")

    def reduction(self) -> str:
        """A number made from parts of arrays."""
        one, other = self.vector_name(), self.vector_name()
        bound = self.bound(min(self.vectors[one], self.vectors[other]))
        forms = [
            f"0.2 * np.sum({one}[:{bound}])",
            f"0.2 * np.sum({one}[{self.bound(self.vectors[one])}:])",
            f"0.2 * np.dot({one}[:{bound}], {other}[:{bound}])",
            f"np.tanh({one}[:{bound}] @ {other}[:{bound}])",
            f"np.mean(np.sin({one}))",
            f"0.2 * {one}[::-2].sum()",
            f"first_above({one}, 0.3137)",
        ]
        if self.matrices:
            m = self.random.choice(self.matrices)
            row, column = self.bound(ROWS), self.bound(COLUMNS)
            forms += [
                f"0.1 * np.sum({m}[{self.index(ROWS)}, :{column}])",
                f"0.2 * np.sum({m}[:{row}, {self.index(COLUMNS)}])",
                f"0.1 * np.sum({m}[{row}:, :{column}])",
            ]
        forms += [f"0.2 * np.sum(np.sin({w}))" for w in self.ragged]
        return self.random.choice(forms)

    def scalar(self, depth: int = 2) -> str:
        """A real number."""
        if depth == 0 or self.chance(0.25):
            return self.leaf()
        if self.chance(0.12):
            return self.reduction()
        one = _operand(self.scalar(depth - 1))
        if self.chance(0.4):
            return self.pick(*_UNARY).format(one)
        return self.pick(*_BINARY).format(one, _operand(self.scalar(depth - 1)), self.integer())

    def vector_name(self, length: int | None = None) -> str:
        return self.random.choice([v for v, n in self.vectors.items() if length in (None, n)])

    def vector(self) -> str:
        """A fresh array of LENGTH elements."""
        one, other = self.vector_operand(), self.other_operand()
        return self.pick(*_VECTORS).format(one, other, self.scalar(1))

    def vector_operand(self) -> str:
        """An array of LENGTH elements that is a name or a view."""
        if self.matrices and self.chance(0.2):
            m = self.random.choice(self.matrices)
            return self.pick(f"{m}[{self.index(ROWS)}]", f"{m}[{self.index(ROWS)}, ::-1]", f"{m}.T[:, 1]")
        name = self.vector_name(LENGTH)
        return f"{name}[::-1]" if self.chance(0.1) else name

    def other_operand(self) -> str:
        """What is combined with an array of LENGTH elements: another, one that counts, or a slice of one element."""
        if self.chance(0.1):
            return self.pick(f"np.arange({LENGTH})", f"(np.arange({LENGTH}) - n)")
        if self.chance(0.1):
            name, place = self.vector_name(LENGTH), self.random.randrange(LENGTH - 1)
            return self.pick(f"{name}[{place}:{place + 1}]", f"{name}[-1:]", f"{name}[-2:-1]")
        return self.vector_operand()


def _operand(text: str) -> str:
    """The expression in parentheses where an operator around it could take it apart."""
    depth = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if depth == 0 and character in " -":
            return f"({text})"
    return text


def _copy(value):
    return value.copy()
