"""Random statements without blocks: assignments, writes to elements, slices, rows and columns, views, jumps."""

from __future__ import annotations

from .expressions import COLUMNS, LENGTH, ROWS
from .writer import Writer

__all__ = ["Statements"]


class Statements(Writer):
    """Each `write_…` writes one statement at a depth of indentation; inside a `loop` it may jump."""

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
        self.emit_lines(depth, self.random.choice(forms))

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
