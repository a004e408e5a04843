"""Random statements about who shares what: views of views, overlaps, early rows, containers, closures, aliases."""

from __future__ import annotations

from .expressions import COLUMNS, LENGTH, ROWS
from .writer import Writer

__all__ = ["Sharing"]


class Sharing(Writer):
    """Each `write_…` writes a few lines after which two names may mean the same memory, or seem to."""

    def write_overlap(self, depth: int, loop: bool) -> None:
        """A part of an array assigned from another part of it."""
        v, m, s = self.vector_name(LENGTH), self.random.choice(self.matrices), self.scalar(1)
        i, j = self.index(ROWS), self.index(ROWS)
        forms = [
            f"{v}[1:] += 0.3 * {v}[:-1]",
            f"{v}[:-1] -= 0.3 * {v}[1:]",
            f"{v}[1:4], {v}[:3] = 0.9 * {v}[:3], {v}[1:4].copy()",
            f"{v}[1:4], {v}[:3] = {v}[:3].copy(), {v}[1:4] * {s}",
            f"{v}[::2] = {v}[::-2]",
            f"{v}[::-1][1:] *= 0.8 + 0.1 * {v}[:-1]",
            f"{m}[1:] = {m}[:-1]",
            f"{m}[:, 1:] += 0.3 * {m}[:, :-1]",
            f"{m}[:{ROWS}, :{ROWS}] = {m}[:{ROWS}, :{ROWS}].T",
            f"{m}[1:3, 1:3] = 0.9 * {m}[:2, :2].T",
            f"{m}[{i}, 1:] -= 0.2 * {m}[{j}, :-1]",
            f"{m}[{i}][1:] = np.tanh({m}[{j}][:-1] + {s})",
            f"{m}.T[1:] *= 0.9 + 0.1 * {m}.T[:-1]",
        ]
        self.emit(depth, self.random.choice(forms))

    def write_nested_view(self, depth: int, loop: bool) -> None:
        """A view of a view, or of a transpose, written through; the array is read afterwards."""
        m, s, name, inner = self.random.choice(self.matrices), self.scalar(1), self.fresh("t"), self.fresh("t")
        outer, rows, columns = self.random.choice(
            [
                (f"{m}.T", COLUMNS, ROWS),
                (f"{m}[1:]", ROWS - 1, COLUMNS),
                (f"{m}[::-1]", ROWS, COLUMNS),
                (f"{m}[:, 1:]", ROWS, COLUMNS - 1),
                (f"{m}[::2, ::-1]", ROWS // 2, COLUMNS),
                (f"{m}.T[1:, :]", COLUMNS - 1, ROWS),
            ]
        )
        self.emit(depth, f"{name} = {outer}")
        part, length = self.random.choice(
            [
                (f"{name}[{self.index(rows)}]", columns),
                (f"{name}[:, {self.index(columns)}]", rows),
                (f"{name}.T[{self.index(columns)}]", rows),
                (f"{name}[{self.index(rows)}, ::-1]", columns),
            ]
        )
        self.emit(depth, f"{inner} = {part}")
        k = self.random.randint(-length, length - 1)
        forms = [
            f"{inner}[{k}] = {s}",
            f"{inner}[{k}] += 0.2 * {s}",
            f"{inner}[:] = 0.9 * {inner}[::-1]",
            f"{inner} *= 0.8",
            f"{name}[{self.index(rows)}, {self.index(columns)}] = {s} * {inner}[{k}]",
            f"{name}[1:] = 0.7 * {name}[:-1]",
        ]
        self.emit(depth, self.random.choice(forms))
        self.emit(depth, f"{self.pick('a', 'b')} = math.tanh({inner}[{k}] + {self.element()})")
        self.vectors[inner] = length

    def write_early_row(self, depth: int, loop: bool) -> None:
        """A row taken, the matrix written, the row read: a view sees the write, a copy does not."""
        m, row = self.random.choice(self.matrices), self.fresh("r")
        i, j = self.index(ROWS), self.index(COLUMNS)
        self.emit(depth, f"{row} = {m}[{i}]{self.pick('', '', '.copy()', ' * 1.0')}")
        self.emit(depth, f"{m}[{self.pick(i, self.index(ROWS))}, {j}] {self.pick('=', '+=')} {self.scalar(1)}")
        self.emit(depth, f"{self.pick('a', 'b', 'c')} = math.sin({row}[{j}] + {self.leaf()})")
        if self.chance(0.5):
            self.emit(depth, f"{row}[{self.index(COLUMNS)}] = {self.scalar(1)}")
        self.vectors[row] = COLUMNS

    def write_container(self, depth: int, loop: bool) -> None:
        """Numbers and arrays in tuples, lists and dicts."""
        box, s = self.fresh("box"), self.scalar(1)
        k = self.index(LENGTH)
        forms = [
            f"{box} = [a, {s}, b]\n{box}[1] = {box}[0] * math.cos({box}[1])\na, b = {box}[1], {box}[2]",
            f"{box} = {{'u': {s}, 'v': y}}\n{box}['u'] = math.tanh({box}['u'] + a)\n"
            f"{box}['v'][{k}] = {box}['u']\nb = {box}['u']",
            f"{box} = [x, y]\n{box}[1][{k}] = {s}\nx, y = {box}[1].copy(), {box}[0]",
            f"{box} = (x, (a, b))\n{box}[0][{k}] += 0.1 * {box}[1][0]\nb = {box}[1][1] * {s}",
            f"{box} = {{'w': {{'z': {s}}}, 'y': (b, a)}}\n{box}['w']['z'] += a\na, b = {box}['y']\nc = {box}['w']['z']",
            f"{box} = [x[{k}], {s}]\nx[{k}] = 0.5\na = math.sin({box}[0] + {box}[1])",
        ]
        self.emit_lines(depth, self.random.choice(forms))

    def write_closure(self, depth: int, loop: bool) -> None:
        """A function that reads names of this one, called after they have changed."""
        g, s = self.fresh("g"), self.scalar(1)
        k = self.index(LENGTH)
        forms = [
            f"{g} = lambda u: math.tanh(u * a)\na = {s}\nb = {g}(b)",
            f"{g} = lambda u, w=a: math.sin(u + w)\na = {g}({s})",
            f"def {g}(u):\n    return 0.5 * u * y[{k}]\ny[{k}] = {s}\nc = {g}(a)",
            f"def {g}(u):\n    def inner(w):\n        return w * u\n    return inner\nb = math.tanh({g}({s})(a))",
            f"def {g}(u):\n    x[{k}] = 0.7 * u\n    return x[{k}] + a\na = math.sin({g}({s}))",
        ]
        self.emit_lines(depth, self.random.choice(forms))

    def write_alias(self, depth: int, loop: bool) -> None:
        """One array under two names, or passed as two arguments."""
        z, s, m = self.fresh("z"), self.scalar(1), self.random.choice(self.matrices)
        v, i = self.vector_name(LENGTH), self.index(ROWS)
        k = self.index(LENGTH)
        forms = [
            f"{z} = {v}\n{z} += 0.1 * {s}\n{v}[{k}] = {z}[{k}] * a",
            f"{z} = {v}\n{z} = {z} + 0.1 * {s}\n{z}[{k}] = a\nb = {v}[{k}] + 0.1 * {z}[0]",
            f"blend({v}, {v})",
            f"blend({v}, {v}[::-1])",
            f"blend({v}[1:], {v}[:-1])",
            f"blend({m}[{i}], {m}[{i}])",
            f"blend({m}[:, {i}], {m}[{i}])",
            f"exchange({v}, {v})",
            f"tail({v})[{self.index(LENGTH - 1)}] = {s}",
            f"tail(tail({v}))[0] += {s}",
            f"{z} = raised({v}, {s})\n{z}[{k}] = 0.5 * a\nb = math.sin({v}[{k}] + b)",
        ]
        self.emit_lines(depth, self.random.choice(forms))

    def write_state(self, depth: int, loop: bool) -> None:
        """A loop whose state is a tuple, a list or a dict, or two arrays that change places."""
        i, box, s = self.fresh("i"), self.fresh("box"), self.scalar(1)
        steps = self.pick("3", "n", "n + 1", "1, 4")
        k = f"{i} % {LENGTH}"
        forms = [
            (f"{box} = (a, b)", f"{box} = (math.tanh({box}[1] + {s}), 0.5 * {box}[0])", f"a, b = {box}"),
            (
                f"{box} = [a, x]",
                f"{box} = [math.sin({box}[0] + {box}[1][{k}]), {box}[1]]\n{box}[1][{k}] = {s}",
                f"a = {box}[0]",
            ),
            (
                f"{box} = {{'a': a, 'y': y}}",
                f"{box} = {{'y': {box}['y'], 'a': {box}['a'] + 0.1 * {box}['y'][{k}]}}\n"
                f"{box}['y'][{k}] = math.cos({box}['a'])",
                f"b = {box}['a']",
            ),
            (
                f"{box}, {box}n = x.copy(), y.copy()",
                f"{box}n[1:] = 0.9 * {box}[:-1]\n{box}, {box}n = {box}n, {box}",
                f"x = {box}.copy()",
            ),
            (
                f"{box} = x.copy()",
                f"{box}n = np.tanh({box}[::-1] + {s})\n{box}n[{k}] = {box}[0]\n{box} = {box}n",
                f"y = {box}.copy()",
            ),
        ]
        before, body, after = self.random.choice(forms)
        self.emit(depth, before)
        self.emit(depth, f"for {i} in range({steps}):")
        self.emit_lines(depth + 1, body)
        if self.chance(0.3):
            self.emit(depth + 1, f"if {self.condition()}:")
            self.emit(depth + 2, self.pick("break", "continue"))
        self.emit(depth, after)

    def write_search(self, depth: int, loop: bool) -> None:
        """Loops in loops that are left early, with an `else` for where they are not."""
        i, j, k = self.fresh("i"), self.fresh("j"), self.fresh("k")
        m, s = self.random.choice(self.matrices), self.scalar(1)
        forms = [
            f"for {i} in range({ROWS}):\n    for {j} in range({COLUMNS}):\n        if {m}[{i}, {j}] > 0.4137:\n"
            f"            break\n        {m}[{i}, {j}] *= 0.9\n    else:\n        continue\n"
            f"    a += {m}[{i}, {j}]\n    break\nelse:\n    b = {s}",
            f"{k} = 0\nwhile True:\n    {k} += 1\n    if {k} > 4:\n        break\n    if x[{k}] < 0.1137:\n"
            f"        continue\n    x[{k}] = math.sin(x[{k} - 1] + {s})",
            f"{k} = 4\nwhile {k} > 0 and x[{k}] < 0.3137:\n    x[{k} - 1] += 0.2 * x[{k}]\n    {k} -= 1\n"
            f"else:\n    c = x[{k}] * {s}",
            f"for {i} in range({ROWS}):\n    for {j} in range({i} + 1):\n        if {m}[{i}, {j}] < -0.8137:\n"
            f"            return {s} + np.sum({m} * {m}) + a\n        {m}[{i}, {j}] = math.tanh({m}[{j}, {i}] + a)",
            f"{k} = 0\nwhile {k} < 5:\n    if 0.1 * {k} < x[{k}] < 0.9 or not {k} < n:\n        y[{k}] = {s}\n"
            f"        {k} += 2\n        continue\n    y[(3 * {k} + 1) % {LENGTH}] *= 0.9\n    {k} += 1",
        ]
        self.emit_lines(depth, self.random.choice(forms))
