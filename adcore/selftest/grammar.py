"""Random functions in Python source: loops in loops, writes through views, helpers that write into their arguments."""

from __future__ import annotations

import re
from random import Random

from .expressions import COLUMNS, LENGTH, ROWS, Counter
from .loops import Loops
from .sharing import Sharing
from .statements import Statements

__all__ = ["Point", "point", "program"]

Point = tuple[float, float, list[float], list[list[float]], int]

RATIONAL = 0.06  # the part of the programs that is made rational, so that fractions can follow them

HELPERS = {
    "mix": """
def mix(u, v, weight=0.25):
    return math.tanh(u) * weight + v * (1.0 - weight)
""",
    "stir": """
def stir(target, amount):
    for k in range(target.shape[0]):
        target[k] = math.sin(target[k] + 0.5 * amount * k)
    return target[0]
""",
    "smooth": """
def smooth(target):
    for k in range(1, len(target)):
        target[k] = 0.5 * (target[k] + target[k - 1])
""",
    "exchange": """
def exchange(u, v):
    for k in range(min(u.shape[0], v.shape[0])):
        u[k], v[k] = v[k], 0.9 * u[k]
""",
    "first_above": """
def first_above(target, level):
    for v in target:
        if v > level:
            return v
    return 0.1 * level
""",
    "two": """
def two(u, v):
    return math.sin(v), 0.5 * (u + v)
""",
    "blend": """
def blend(target, source):
    for k in range(1, min(len(target), len(source))):
        target[k] = 0.5 * (target[k] + math.sin(source[k - 1]))
""",
    "tail": """
def tail(u):
    return u[1:]
""",
    "raised": """
def raised(target, amount):
    target += 0.2 * amount
    return target
""",
    "bend": """
def bend(u):
    return u / (1.0 + u * u)
""",
}


class Function(Statements, Loops, Sharing):
    """Writes one function `f(a, b, x, m, n)`."""

    def function(self) -> str:
        self.lines = ["def f(a, b, x, m, n):"]
        if self.chance(0.7):
            self.emit(1, "x = x.copy()")
        if self.chance(0.7):
            self.emit(1, "m = m.copy()")
        self.emit(1, "c = 0.25")
        self.emit(1, self.pick("p = n", "p = 2", "p = 4 - n"))
        self.counters = [Counter("p", 0, LENGTH - 1)]
        self.emit(1, self.pick(f"y = np.zeros({LENGTH})", "y = 0.5 * x", "y = np.ones_like(x)", "y = m[1].copy()"))
        self.vectors = {"x": LENGTH, "y": LENGTH}
        self.matrices = ["m"]
        if self.chance(0.3):
            self.emit(1, "q = 0.5 * m")
            self.matrices.append("q")
        self.emit(1, "def near(u):")
        self.emit(2, f"return math.tanh(u + 0.3 * {self.pick('a', 'c', 'y[2]', 'n')})")
        while self.size > 0:
            self.statement(1, False)
        self.emit(1, f"return {self.result()}")
        body = "\n".join(self.lines) + "\n"
        used = [text for name, text in HELPERS.items() if f"{name}(" in body]
        return "import math\n\nimport numpy as np\n\n" + "\n".join([*used, "\n" + body])

    def result(self) -> str:
        parts = ["a + 0.5 * b + c * np.sum(x)", "np.dot(x, y)", "np.sum(m * m) * 0.1"]
        parts += ["np.sum(np.sin(q))" for _ in self.matrices[1:]]
        parts += [f"np.sum({w} * {w})" for w in self.ragged]
        return " + ".join(parts)


def program(random: Random) -> str:
    """The source of a function `f(a, b, x, m, n)` of two numbers, a vector, a matrix and an integer from 0 to 4."""
    text = Function(random, min(random.randint(3, 14), random.randint(3, 14))).function()
    return rational(text) if random.random() < RATIONAL else text


def rational(text: str) -> str:
    """The program with a rational function in the place of every transcendental one."""
    text = re.sub(r"\b(math|np)\.(sin|cos|tanh|exp|sqrt|atan)\(", "bend(", text)
    return (
        text
        if "def bend" in text
        else text.replace("import numpy as np\n", f"import numpy as np\n\n{HELPERS['bend']}", 1)
    )


def point(random: Random) -> Point:
    """Arguments for a program."""
    real = lambda: round(random.uniform(-1.0, 1.0), 6)  # noqa: E731
    x = [real() for _ in range(LENGTH)]
    m = [[real() for _ in range(COLUMNS)] for _ in range(ROWS)]
    return real(), real(), x, m, random.choice((0, 1, 2, 3, 3, 4))
