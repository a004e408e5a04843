"""Random functions in Python source: loops in loops, writes through views, helpers that write into their arguments."""

from __future__ import annotations

from random import Random

from .expressions import COLUMNS, LENGTH, ROWS, Counter, Expressions

__all__ = ["Point", "point", "program"]

Point = tuple[float, float, list[float], list[list[float]], int]

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
}

_STATEMENTS = {
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
}
_NESTING = {"loop": 5, "triangular": 4, "factor": 2, "sweep": 3, "over": 3, "condition": 4, "repeat": 2}
_JUMPS = {"jump": 2}


class Writer(Expressions):
    """Writes one function `f(a, b, x, m, n)`."""

    def __init__(self, random: Random, size: int) -> None:
        super().__init__(random)
        self.lines: list[str] = []
        self.size = size
        self.names = 0

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

    def emit(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

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
        kinds = dict(_STATEMENTS)
        if depth < 5 and self.size > 0:
            kinds |= _NESTING
        if loop:
            kinds |= _JUMPS
        (kind,) = self.random.choices(list(kinds), list(kinds.values()))
        getattr(self, f"write_{kind}")(depth, loop)

    # Statements

    def write_assign(self, depth: int, loop: bool) -> None:
        self.emit(depth, f"{self.pick('a', 'b', 'c')} = {self.scalar()}")

    def write_element(self, depth: int, loop: bool) -> None:
        self.emit(depth, f"{self.element()} = {self.scalar()}")

    def write_augment(self, depth: int, loop: bool) -> None:
        target = self.pick(self.pick("a", "b", "c"), self.element(), self.element())
        value = self.scalar()
        self.emit(depth, self.pick(f"{target} += 0.1 * ({value})", f"{target} -= 0.2 * ({value})"))
        if self.chance(0.2):
            self.emit(depth, f"{target} *= {self.pick('0.7', 'math.cos(' + self.leaf() + ')')}")

    def write_vector(self, depth: int, loop: bool) -> None:
        self.emit(depth, f"{self.pick('x', 'y')} = {self.vector()}")

    def write_slice(self, depth: int, loop: bool) -> None:
        v, other, s = self.vector_name(LENGTH), self.vector_operand(), self.scalar(1)
        k, fixed = self.bound(LENGTH), self.random.randint(1, LENGTH - 1)
        forms = [
            f"{v}[1:] = {v}[:-1]",
            f"{v}[1:] = {v}[:-1] * 0.9",
            f"{v}[:-2] = {v}[2:]",
            f"{v}[:] = {self.vector()}",
            f"{v}[::2] = {s}",
            f"{v}[-1:-4:-1] += 0.1 * {other}[:3]",
            f"{v}[::-1] = 0.8 * {other}",
            f"{v}[::-1] = {v}",
            f"{v}[:{k}] = 0.7 * {other}[:{k}]",
            f"{v}[:{k}] += 0.2 * ({s})",
            f"{v}[{k}:] *= 0.9",
            f"{v}[{k}:] = np.tanh({other}[{k}:] + {s})",
            f"{v}[:{fixed}] = {v}[-{fixed}:]",
            f"{v} += 0.1 * {other}",
            f"{v} *= math.cos({s})",
            f"{v}[1:][::2] = {s}",
            f"{v}[::-1][1:3] -= 0.1 * {other}[2:4]",
        ]
        self.emit(depth, self.random.choice(forms))

    def write_matrix(self, depth: int, loop: bool) -> None:
        m, s = self.random.choice(self.matrices), self.scalar(1)
        row, column, other = self.index(ROWS), self.index(COLUMNS), self.index(ROWS)
        forms = [
            f"{m}[{row}] = {self.vector()}",
            f"{m}[{row}, :] = 0.9 * {m}[{other}]",
            f"{m}[:, {column}] = {s}",
            f"{m}[:, {column}] += 0.2 * {self.vector_operand()}[:{ROWS}]",
            f"{m}[{row}, 1:] = {m}[{row}, :-1]",
            f"{m}[1:, 1:] = 0.9 * {m}[:-1, :-1]",
            f"{m}[:{self.bound(ROWS)}, {column}] *= 0.8",
            f"{m}.T[{column}] = 0.5 * {m}[:, {self.index(COLUMNS)}]",
            f"{m}[{row}, {self.bound(COLUMNS)}:] = {s}",
            f"{m}[::-1] = 0.9 * {m}",
            f"{m}[{row}], {m}[{other}] = {m}[{other}].copy(), {m}[{row}].copy()",
            f"{m} = np.tanh({m} + np.outer({self.vector_operand()}[:{ROWS}], {self.vector_operand()}))",
            f"{m} *= 0.9",
        ]
        self.emit(depth, self.random.choice(forms))

    def write_swap(self, depth: int, loop: bool) -> None:
        one, other = self.element(), self.element()
        forms = [
            f"a, {self.pick('b', 'c')} = {self.scalar(1)}, {self.scalar(1)}",
            f"{one}, {other} = {other}, {one}",
            f"b, {one} = {one}, {self.scalar(1)}",
            f"a, b = two({self.scalar(1)}, b)",
            "pair = (a, b)\n(b, c) = pair",
            "x, y = y, x",
            "x, y = y, x.copy()",
        ]
        for line in self.random.choice(forms).split("\n"):
            self.emit(depth, line)

    def write_view(self, depth: int, loop: bool) -> None:
        """A name for a part of an array, which later statements of the block read and write through."""
        name = self.fresh("v")
        source = self.vector_name()
        length = self.vectors[source]
        forms = [(f"{source}[::-1]", length), (f"{source}[:]", length), (f"{source}[::2]", (length + 1) // 2)]
        if length > 2:
            forms += [(f"{source}[1:]", length - 1), (f"{source}[1:-1]", length - 2), (f"{source}[-2::-1]", length - 1)]
        m = self.random.choice(self.matrices)
        forms += [
            (f"{m}[{self.index(ROWS)}]", COLUMNS),
            (f"{m}[:, {self.index(COLUMNS)}]", ROWS),
            (f"{m}.T[{self.index(COLUMNS)}]", ROWS),
            (f"{m}[1:, 1:][{self.index(ROWS - 1)}]", COLUMNS - 1),
            (f"{m}[{self.index(ROWS)}, ::-1]", COLUMNS),
        ]
        text, length = self.random.choice(forms)
        self.emit(depth, f"{name} = {text}")
        self.emit(depth, f"{name}[{self.random.randint(-length, length - 1)}] = {self.scalar(1)}")
        self.vectors[name] = length

    def write_rebind(self, depth: int, loop: bool) -> None:
        self.emit(depth, self.pick("y = x", "y = x[::-1]", "x = y[:]", "y = x.copy()", "x = m[2]", "x = x[::-1]"))

    def write_helper(self, depth: int, loop: bool) -> None:
        whole = self.vector_operand()
        part = self.pick(whole, f"{self.vector_name()}[1:]", f"{self.matrices[0]}[:, {self.index(COLUMNS)}]")
        forms = [
            f"{self.pick('a', 'b')} = 0.5 * stir({part}, {self.scalar(1)})",
            f"smooth({part})",
            "exchange(x, y)",
            f"exchange({part}, {self.matrices[0]}[{self.index(ROWS)}])",
            "near(a)",
            f"c = near({self.scalar(1)})",
        ]
        self.emit(depth, self.random.choice(forms))

    def write_ragged(self, depth: int, loop: bool) -> None:
        """An array whose length changes."""
        if not self.ragged:
            name = self.fresh("w")
            self.emit(
                depth, f"{name} = {self.vector_name()}[:{self.pick('n', '2', self.bound(3))}]{self.pick('', '.copy()')}"
            )
            self.ragged.append(name)
            return
        w, k = self.random.choice(self.ragged), self.bound(LENGTH - 1)
        other = self.vector_name(LENGTH)
        forms = [
            [f"{w} = np.concatenate(({w}, {other}[{k}:{k} + 1]))"],
            [f"{w} = np.concatenate(({other}[:{k}] * 0.5, {w}))"],
            [f"{w} = np.sin({w}[1:])"],
            [f"{w} = np.tanh({w}[::2] + {self.scalar(1)})"],
            [f"if {w}.shape[0] > 1:", f"    {w}[0] = {self.scalar(1)}"],
            [f"for t in {w}:", "    a = math.sin(a + 0.3 * t)"],
            [f"for t in range(len({w})):", f"    {w}[t] = math.tanh({w}[t] + a)", "    a = 0.5 * a"],
            [f"{w} = {other}[:{k}].copy()"],
            [f"{w} *= {self.scalar(1)}"],
            [f"b += 0.1 * np.sum({w})"],
        ]
        for line in self.random.choice(forms):
            self.emit(depth, line)

    def write_integer(self, depth: int, loop: bool) -> None:
        """A new value for the integer that loops carry along, from 0 to LENGTH - 1."""
        i = self.integer()
        self.emit(
            depth,
            self.pick(
                f"p = (p + {i} + 1) % {LENGTH}",
                f"p = {LENGTH - 1} - p",
                f"p = abs({i}) % {LENGTH}",
                f"p = p // 2 if {self.condition()} else min(p + 1, {LENGTH - 1})",
                f"p = max(p - 1, {i} % 2)",
            ),
        )

    def write_jump(self, depth: int, loop: bool) -> None:
        self.emit(depth, f"if {self.condition()}:")
        if self.chance(0.3):
            self.write_assign(depth + 1, loop)
        returned = f"return {self.scalar()} + 0.1 * np.sum(x) + np.sum(np.sin(m))"
        self.emit(depth + 1, self.pick("break", "break", "continue", "continue", returned))

    # Statements with blocks

    def write_condition(self, depth: int, loop: bool) -> None:
        self.emit(depth, f"if {self.condition()}:")
        self.block(depth + 1, loop)
        if self.chance(0.3):
            self.emit(depth, f"elif {self.condition()}:")
            self.block(depth + 1, loop)
        if self.chance(0.5):
            self.emit(depth, "else:")
            self.block(depth + 1, loop)

    def write_loop(self, depth: int, loop: bool) -> None:
        """A loop over a range of integers."""
        name = self.fresh("i")
        bounds, least, most = self.range()
        self.emit(depth, f"for {name} in range({bounds}):")
        with self.scope():
            self.counters.append(Counter(name, least, most))
            self.block(depth + 1, True)
        self.otherwise(depth, loop)

    def range(self) -> tuple[str, int, int]:
        """Bounds of a range, and the least and greatest number in it where it is not empty."""
        outer = [c for c in self.counters if c.least >= 0 and c.most < LENGTH]
        if outer and self.chance(0.6):
            c = self.random.choice(outer[-2:])
            i, last = c.name, LENGTH - 1
            return self.random.choice(
                [
                    (i, 0, c.most - 1),
                    (f"{i} + 1", 0, c.most),
                    (f"{i}, {LENGTH}", c.least, last),
                    (f"{i} + 1, {LENGTH}", c.least + 1, last),
                    (f"{i}, -1, -1", 0, c.most),
                    (f"{i} - 1, -1, -1", 0, c.most - 1),
                    (f"{last}, {i}, -1", c.least + 1, last),
                    (f"{last}, {i} - 1, -1", c.least, last),
                    (f"0, {i} + 1, 2", 0, c.most),
                    (f"{LENGTH} - {i}", 0, last - c.least),
                ]
            )
        return self.random.choice(
            [
                (f"{LENGTH}", 0, LENGTH - 1),
                (f"{ROWS}", 0, ROWS - 1),
                (f"1, {LENGTH}", 1, LENGTH - 1),
                (f"{LENGTH - 1}, -1, -1", 0, LENGTH - 1),
                ("0, 5, 2", 0, 4),
                ("4, 0, -2", 2, 4),
                ("n", 0, 3),
                ("n + 1", 0, 4),
                ("n, -1, -1", 0, 4),
                ("n, 5", 0, 4),
                ("0, 4, n + 1", 0, 3),
                ("n, -1, -n - 1", 0, 4),
                ("-2, 2", -2, 1),
                ("n - 2", 0, 1),
            ]
        )

    def write_triangular(self, depth: int, loop: bool) -> None:
        """A recurrence over an array: a sum over elements written before or to be written later, then a write."""
        i, j = self.fresh("i"), self.fresh("j")
        outer, least, most = self.random.choice(
            [("5", 0, 4), ("n + 1", 0, 4), ("4, -1, -1", 0, 4), ("1, 5", 1, 4), ("n, -1, -1", 0, 4), ("3, 0, -1", 1, 3)]
        )
        low, high = least - 1, most + 1
        inner, first, last = self.random.choice(
            [
                (i, 0, most - 1),
                (i, 0, most - 1),
                (f"{i} + 1", 0, most),
                (f"{i} + 1, 5", low + 2, 4),
                (f"{i}, 5", least, 4),
                (f"{i} - 1, -1, -1", 0, most - 1),
                (f"4, {i}, -1", least + 1, 4),
                (f"{i} - 1", 0, most - 2),
                ("5", 0, 4),
            ]
        )
        with self.scope():
            target = self.random.choice([v for v, length in self.vectors.items() if length == LENGTH])
            self.emit(depth, f"for {i} in range({outer}):")
            self.counters.append(Counter(i, least, most))
            m = self.random.choice(self.matrices)
            if self.chance(0.2):
                self.block(depth + 1, True, 1)
            self.emit(depth + 1, "s = 0.0")
            self.emit(depth + 1, f"for {j} in range({inner}):")
            with self.scope():
                self.counters.append(Counter(j, first, last))
                read = f"{target}[{self.index(LENGTH)}]" if self.chance(0.3) else f"{target}[{j}]"
                weight = self.pick(
                    f"math.cos({m}[{i} % {ROWS}, {j}])", "0.3", f"math.sin({self.leaf()})", f"{m}[{j} % {ROWS}, {i}]"
                )
                self.emit(depth + 2, f"s += 0.3 * {read} * {weight}")
                if self.chance(0.2):
                    self.statement(depth + 2, True)
            if self.chance(0.2):
                self.block(depth + 1, True, 1)
            where = self.random.choice([i] * 4 + [f"{i} - 1"] + ([f"{i} + 1"] if high < LENGTH else [f"{i} - 2"]))
            value = self.pick(
                f"math.tanh(s + {self.leaf()})", f"math.sin(s - {target}[{i}])", "0.5 * s", f"s + {self.leaf()}"
            )
            places = [f"{target}[{where}]"] * 3 + [f"{m}[{i} % {ROWS}, {self.index(COLUMNS)}]"]
            self.emit(depth + 1, f"{self.random.choice(places)} {self.pick('=', '=', '=', '-=')} {value}")
            if self.chance(0.1):
                self.emit(depth + 1, "x, y = y, x")
        self.otherwise(depth, loop)

    def write_factor(self, depth: int, loop: bool) -> None:
        """A recurrence over the elements of a matrix, like a factorization."""
        i, j, k = self.fresh("i"), self.fresh("j"), self.fresh("k")
        m = self.random.choice(self.matrices)
        rows, columns = self.random.choice(
            [(f"{ROWS}", f"{i} + 1"), (f"{ROWS}", f"{i}, {ROWS}"), (f"{ROWS - 1}, -1, -1", f"{i} + 1"), ("1, 4", i)]
        )
        inner = self.pick(j, f"{j} + 1", i, f"{j}, {ROWS}", f"{j} - 1, -1, -1")
        products = [
            f"{m}[{i}, {k}] * {m}[{j}, {k}]",
            f"{m}[{i}, {k}] * {m}[{k}, {j}]",
            f"{m}[{k}, {i}] * {m}[{k}, {j}]",
            f"{m}[{k}][{j}] * math.cos({self.leaf()})",
        ]
        self.emit(depth, f"for {i} in range({rows}):")
        self.emit(depth + 1, f"for {j} in range({columns}):")
        with self.scope():
            self.counters += [Counter(i, 0, ROWS - 1), Counter(j, 0, ROWS - 1)]
            self.emit(depth + 2, f"s = {self.pick(f'{m}[{i}, {j}]', '0.0', self.leaf())}")
            self.emit(depth + 2, f"for {k} in range({inner}):")
            self.emit(depth + 3, f"s {self.pick('-', '+')}= 0.4 * {self.random.choice(products)}")
            if self.chance(0.3):
                self.block(depth + 2, True, 1)
            place = self.pick(
                f"{m}[{i}, {j}]", f"{m}[{i}, {j}]", f"{m}[{j}, {i}]", f"{m}.T[{j}, {i}]", f"{m}[{i}][{j} - 1]"
            )
            value = self.pick("math.tanh(s)", f"s / (1.5 + {m}[{j}, {j}] ** 2)", "0.7 * s", "math.sin(s + a)")
            self.emit(depth + 2, f"{place} = {value}")

    def write_sweep(self, depth: int, loop: bool) -> None:
        """A recurrence over slices that grow or shrink."""
        i = self.fresh("i")
        v, other, m = self.vector_name(LENGTH), self.vector_operand(), self.random.choice(self.matrices)
        bounds, least, most = self.random.choice(
            [("4", 0, 3), ("1, 4", 1, 3), ("3, -1, -1", 0, 3), ("3, 0, -1", 1, 3), ("n", 0, 3), ("0, 4, 2", 0, 2)]
        )
        self.emit(depth, f"for {i} in range({bounds}):")
        with self.scope():
            self.counters.append(Counter(i, least, most))
            s = self.leaf()
            forms = [
                f"{v}[{i}] = math.tanh({s} + np.dot({v}[:{i}], {other}[:{i}]))",
                f"{v}[{i}] = math.sin({s} + np.sum({v}[{i} + 1:] * {other}[{i} + 1:]))",
                f"{v}[{i}:] = np.sin({v}[{i}:] + 0.3 * {v}[{i} - 1])",
                f"{v}[{i} + 1:] -= 0.3 * {v}[{i}] * {other}[{i} + 1:]",
                f"{v}[:{i}] += 0.3 * {v}[{i}] * {v}[:{i}]",
                f"{v}[{i} + 1:] = {v}[{i}:-1] * math.cos({s})",
                f"{m}[{i}, {i}:] = np.tanh({m}[{i} - 1, {i}:] + {s})",
                f"{m}[{i} + 1:, {i} + 1:] -= 0.2 * np.outer({m}[{i} + 1:, {i}], {m}[{i}, {i} + 1:])",
                f"{m}[{i} + 1:, {i}] /= 1.5 + {m}[{i}, {i}] ** 2",
                f"{m}[:, {i}] = 0.5 * ({m}[:, {i} - 1] + {m}[:, {i} + 1])",
                f"{m}[{i}] = 0.5 * ({m}[{i} - 1] + {m}[::-1][{i}])",
                f"{m}[{i}] -= 0.3 * np.dot({m}[{i}], {m}[{i} - 1]) * {m}[{i} - 1]",
                f"{v}[{i}] = math.tanh({m}[{i}] @ {v})",
                f"{v}[{i}] += 0.3 * np.sum({m}[{i}, :{i}] * {v}[:{i}])",
                f"{v}[:] = np.tanh({m}.T @ {v}[:{ROWS}])",
                f"{v}[{i}::2] *= math.cos({v}[{i} + 1])",
            ]
            for line in self.random.sample(forms, self.random.choice((1, 1, 2))):
                self.emit(depth + 1, line)
            if self.chance(0.3):
                self.block(depth + 1, True, 1)

    def write_over(self, depth: int, loop: bool) -> None:
        """A loop over elements or rows."""
        i, u, v, row = self.fresh("i"), self.fresh("u"), self.fresh("u"), self.fresh("r")
        x, y = self.vector_name(), self.vector_name()
        m = self.random.choice(self.matrices)
        longest = self.vectors[x] - 1
        shortest = min(longest, self.vectors[y] - 1)
        forms = [
            (f"{u} in {x}", [u], {}, []),
            (f"{u} in {x}[::-1]", [u], {}, []),
            (f"{u} in reversed({x})", [u], {}, []),
            (f"{u} in {x}[:n]", [u], {}, []),
            (f"{u} in ({self.scalar(1)}, b, {self.element()})", [u], {}, []),
            (f"{i}, {u} in enumerate({x})", [u], {}, [Counter(i, 0, longest)]),
            (f"{u}, {v} in zip({x}, {y})", [u, v], {}, []),
            (f"{i}, ({u}, {v}) in enumerate(zip({x}, {y}))", [u, v], {}, [Counter(i, 0, shortest)]),
            (f"{row} in {m}", [], {row: COLUMNS}, []),
            (f"{row} in {m}.T", [], {row: ROWS}, []),
            (f"{row} in {m}[1:]", [], {row: COLUMNS}, []),
            (f"{i}, {row} in enumerate({m})", [], {row: COLUMNS}, [Counter(i, 0, ROWS - 1)]),
            (f"{row}, {u} in zip({m}, {x})", [u], {row: COLUMNS}, []),
        ]
        header, scalars, vectors, counters = self.random.choice(forms)
        self.emit(depth, f"for {header}:")
        with self.scope():
            self.scalars += scalars * 2
            self.vectors |= vectors
            self.counters += counters
            self.block(depth + 1, True)
        self.otherwise(depth, loop)

    def write_repeat(self, depth: int, loop: bool) -> None:
        """A `while` loop."""
        k = self.fresh("k")
        tests = ["n", "3", f"n and {self.scalar(1)} < 0.7173", f"5 and x[{k}] < 0.7137", f"4 and m[{k}, {k}] > -0.8137"]
        chosen = self.random.choice(tests)
        self.emit(depth, f"{k} = 0")
        self.emit(depth, f"while {k} < {chosen}:")
        late = self.chance(0.3)
        with self.scope():
            if not late:
                self.emit(depth + 1, f"{k} += 1")
            self.counters.append(Counter(k, 0 if late else 1, 4 if late else 5))
            # a counter that is raised at the end must be raised before a `continue`
            self.block(depth + 1, not late)
            if late:
                self.emit(depth + 1, f"{k} += 1")
        self.otherwise(depth, loop)

    def otherwise(self, depth: int, loop: bool) -> None:
        if self.chance(0.12):
            self.emit(depth, "else:")
            self.block(depth + 1, loop, 1)


def program(random: Random) -> str:
    """The source of a function `f(a, b, x, m, n)` of two numbers, a vector, a matrix and an integer from 0 to 4."""
    return Writer(random, random.randint(3, 14)).function()


def point(random: Random) -> Point:
    """Arguments for a program."""
    real = lambda: round(random.uniform(-1.0, 1.0), 6)  # noqa: E731
    x = [real() for _ in range(LENGTH)]
    m = [[real() for _ in range(COLUMNS)] for _ in range(ROWS)]
    return real(), real(), x, m, random.choice((0, 1, 2, 3, 3, 4))
