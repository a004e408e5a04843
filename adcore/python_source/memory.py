"""Where a write in place would show elsewhere, so that a copy must be taken first.

Each array has a set of blocks of memory that it may be in.  A new array is a block of its own, a view is where its
array is, an array written in place where it was before.  What a loop carries is at first where the initial value is,
and then where the iteration before has left it: inside, each carry has a block that stands for this, other than that
of another carry if they start and are left in different blocks.

    for _ in range(n):
        z = np.empty(m)      z is another block than u, in which the z of the iteration before is
        z[0] = u[0]
        u = z

A write in place is right if no other value in these blocks is read afterwards and they are the function's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from ..program import Equation, Program, all_defined, regions
from ..types import Atom, Var
from .liveness import Position
from .separate import is_fresh_constant

__all__ = ["VIEWS", "WRITES", "Cut", "carried", "cuts_of"]

WRITES = ("update", "add_at", "scatter", "scatter_add")
VIEWS = ("view", "permute", "reshape", "conform", "expand", "real", "imag")
_LOOPS = ("loop", "while")

Cut = tuple[Equation, int]
Blocks = frozenset[Var]  # each named by the value that it is there for first
_NOWHERE: Blocks = frozenset()


def cuts_of(program: Program) -> set[Cut]:
    """Where copies are taken: `(equation, 0)` for a write, `(loop, j)` for what a loop begins with."""
    memory = _Memory(program)
    memory.visit(program, ())
    return memory.cuts


class _Memory:
    def __init__(self, program: Program) -> None:
        self.cuts: set[Cut] = set()
        self.position = Position()
        self.foreign: set[Var] = set(program.params)  # blocks that must not be written
        self.written: set[Var] = set()  # blocks
        self.blocks: dict[Var, Blocks] = {}
        self.places: defaultdict[Var, set[Var]] = defaultdict(set)  # the values that may be in a block
        for param in program.params:
            self.put(param, frozenset((param,)))

    def put(self, var: Var, blocks: Blocks) -> None:
        if var.type.shape:
            self.blocks[var] = blocks
            for block in blocks:
                self.places[block].add(var)

    def of(self, atom: Atom) -> Blocks:
        return self.blocks.get(atom, _NOWHERE) if isinstance(atom, Var) else _NOWHERE

    def neighbours(self, blocks: Blocks) -> Iterator[Var]:
        """The values that may be in some of the blocks."""
        for var in {v for block in blocks for v in self.places[block]}:
            if self.of(var) & blocks:
                yield var

    def visit(self, region: Program, repeated: tuple[Program, ...]) -> None:
        """Decide on a region whose parameters have their blocks."""
        frame = self.position.enter(region, repeated)
        for frame.index, equation in enumerate(region.equations):
            name, operands, outs = equation.primitive.name, equation.operands, equation.outs
            if name in WRITES:
                self.put(outs[0], self.write(equation))
            elif name in VIEWS and not is_fresh_constant(equation):
                self.put(outs[0], self.of(operands[0]))
                if name == "expand":  # whose elements are the same memory
                    self.put(outs[0], self.of(outs[0]) | {outs[0]})
                    self.foreign.add(outs[0])
            elif name == "cond":
                for _, branch in regions(equation):
                    self.visit(branch, ())
                for out, *results in zip(outs, *(b.results for _, b in regions(equation)), strict=True):
                    self.put(out, _NOWHERE.union(*map(self.of, results)))
            elif name in _LOOPS:
                _Loop(self, equation).decide()
            else:
                for out in outs:
                    self.put(out, frozenset((out,)))
        self.position.leave()

    def write(self, equation: Equation) -> Blocks:
        """The blocks of what is written, in place or not."""
        (out,), blocks = equation.outs, self.of(equation.operands[0])
        self.cuts.discard((equation, 0))
        if blocks & self.foreign or any(self.position.live(v) for v in self.neighbours(blocks)):
            self.cuts.add((equation, 0))
            return frozenset((out,))
        self.written |= blocks
        return blocks


class _Loop:
    """A loop under consideration: which of its carries may be in the same block, and which in blocks from outside."""

    def __init__(self, memory: _Memory, equation: Equation) -> None:
        self.memory, self.equation = memory, equation
        self.inner = tuple(r for _, r in regions(equation))
        self.inits, self.params = carried(equation)
        self.results: Sequence[Atom] = equation.params["body"].results
        self.arrays = [j for j, param in enumerate(self.params) if param.type.shape]
        self.starts = {j: memory.of(self.inits[j]) for j in self.arrays}
        self.within = {v for region in self.inner for v in all_defined(region)}
        self.alike = {j: self.params[j] for j in self.arrays}  # the block that stands for a carry's
        self.outside: dict[int, Blocks] = dict.fromkeys(self.arrays, _NOWHERE)

    def decide(self) -> None:
        self.join(self.starts)
        while True:
            self.visit()
            left = {j: self.memory.of(self.results[j]) for j in self.arrays}
            outside = {j: self.outside[j] | (blocks - self.within) for j, blocks in left.items()}
            if not self.join(left) and outside == self.outside:
                break
            self.outside = outside
        self.leave(left)

    def join(self, blocks: dict[int, Blocks]) -> bool:
        """Let carries that may be in the same block have one; gives whether there were any that had not."""
        found = False
        for j in self.arrays:
            for k in self.arrays:
                if blocks[j] & blocks[k] and self.alike[j] is not self.alike[k]:
                    old, new = self.alike[k], self.alike[j]
                    self.alike = {i: new if block is old else block for i, block in self.alike.items()}
                    found = True
        return found

    def visit(self) -> None:
        memory = self.memory
        for var in self.within:
            memory.blocks.pop(var, None)
            memory.written.discard(var)
        for region in self.inner:
            for j, param in zip(range(len(self.params)), region.params[-len(self.params) :], strict=False):
                if param.type.shape:
                    memory.put(param, self.outside[j] | {self.alike[j]})
        for region in self.inner:
            memory.visit(region, self.inner)

    def leave(self, left: dict[int, Blocks]) -> None:
        """Decide where the loop begins with a copy, and where its results are."""
        memory = self.memory
        before = {j: self.origins(j, left) for j in self.arrays}
        starts = dict(self.starts)
        for j in self.arrays:
            memory.cuts.discard((self.equation, j))
            later = {self.alike[k] for k in self.arrays if j in before[k]}
            if later & memory.written:
                if self.needs_copy(j):
                    memory.cuts.add((self.equation, j))
                    starts[j] = frozenset((self.params[j],))
                memory.written |= starts[j]
        for j in self.arrays:
            found = set(self.outside[j])
            for k in before[j]:
                found |= starts[k] | {b for b in left[k] if b not in self.alike.values()}
            memory.put(self.equation.outs[j], frozenset(found))

    def origins(self, j: int, left: dict[int, Blocks]) -> set[int]:
        """The carries of which an earlier iteration's array may be a carry's."""
        found, new = set[int](), {j}
        while new:
            found |= new
            held = {b for k in new for b in (*left[k], self.alike[k])}
            new = {k for k in self.arrays if self.alike[k] in held} - found
        return found

    def needs_copy(self, j: int) -> bool:
        """Whether the initial value of a carry that is written is somebody else's, or is read otherwise."""
        memory, blocks = self.memory, self.starts[j]
        if blocks & memory.foreign or any(k != j and blocks & self.starts[k] for k in self.arrays):
            return True
        position = memory.position
        others = [v for v in memory.neighbours(blocks) if v not in self.within]
        return any(position.live(v) or any(position.used_in(r, v) for r in self.inner) for v in others)


def carried(equation: Equation) -> tuple[tuple[Atom, ...], tuple[Var, ...]]:
    """Initial values and body parameters of a loop's carries."""
    if equation.primitive.name == "loop":
        return equation.operands[1:], equation.params["body"].params[1:]
    return equation.operands, equation.params["body"].params
