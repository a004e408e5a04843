"""Random statements with blocks: branches, loops over numbers, elements and rows, recurrences, `while`."""

from __future__ import annotations

from .expressions import COLUMNS, LENGTH, ROWS, Counter
from .writer import Writer

__all__ = ["Loops"]


class Loops(Writer):
    """Each `write_…` writes one statement and its blocks."""

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

    def write_scratch(self, depth: int, loop: bool) -> None:
        """A loop that takes a copy of an array, after which the two go their own ways."""
        i, t, s = self.fresh("i"), self.fresh("t"), self.leaf()
        v = self.vector_name(LENGTH)
        bounds = self.pick("4", "1, 4", "n", "3, -1, -1", "3, 0, -1", "n - 1, -1, -1")
        place = lambda: self.pick(i, i, f"{i} + 1", f"{i} + 1", f"{i} - 1", f"{i} - 1", f"{i} // 2")  # noqa: E731
        self.emit(depth, f"for {i} in range({bounds}):")
        self.emit(depth + 1, f"{t} = {v}{self.pick('.copy()', '.copy()', ' * 1.0')}")
        for _ in range(self.random.randint(3, 5)):
            forms = [
                f"{t}[{place()}] = math.sin({v}[{place()}])",
                f"{t}[{place()}] *= {s}",
                f"{v}[{place()}] *= {v}[{place()}]",
                f"{v}[{place()}] = math.tanh({t}[{place()}] + {s})",
                f"{v}[{place()}] -= 0.5 * {t}[{place()}] * {v}[{place()}]",
                f"a += {t}[{place()}] ** 2 * {v}[{place()}]",
                f"b = math.tanh({t}[{place()}] * {t}[{place()}] + b)",
                f"if {t}[{place()}] > 0.1137:\n    {v}[{place()}] *= {t}[{place()}]",
                f"if {v}[{place()}] > 0.1137:\n    {t}[{place()}] *= {v}[{place()}]",
            ]
            self.emit_lines(depth + 1, self.random.choice(forms))
        if self.chance(0.2):
            self.emit(depth + 1, self.pick(f"{v} = {t}", f"{v}, {t} = {t}, {v}", f"{v}[:] = {t}"))
        self.otherwise(depth, loop)

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
