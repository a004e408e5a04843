"""Programs that measure how products of Jacobians grow through a loop: the function, with one loop that measures.

The loop carries, beside its own values, an orthonormal frame of directions in its state.  An iteration pushes all of
them through the linearization of its body, and takes the result apart as Q R: Q is the next frame, the logarithms of
the diagonal of R are summed up (Benettin et al. 1980), and the product of all R so far, kept at norm 1 with the
logarithm of what was taken out, gives the norm of the product of the Jacobians.

Where the loop stands inside of other control flow, what is measured is carried through that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .batching import Batch
from .builder import Builder
from .columns import concatenated
from .derive import push
from .loop_states import OPAQUE, carried
from .plugins import Leaf, Spec
from .program import Equation, Program, clone, regions
from .rules import spliced
from .storage import extend_test
from .transforms import lower
from .trees import leaves
from .types import I64, Atom, DType, Lit, Type, Var, literal

__all__ = ["NAMES", "begun", "measuring"]

NAMES = ("runs", "iterations", "counted", "longest", "largest", "smallest", "overflow", "size", "width")


def begun(rows: int, directions: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The arrays at the start of a program: figures, sums and history.

    The figures are, in the order of `NAMES`: runs of the loop, iterations of all of them and those of them that count,
    those of the longest run, the largest and the smallest logarithm of the norm of the product at the ends of runs, the
    first iteration in which a number overflows (-1 where none does), elements of the state, directions followed.  The
    sums are those of the logarithms for each direction over the iterations that count.  The history is that of the
    first run: a row for every so many iterations with the logarithm of the norm so far, and for each direction the sum.
    """
    figures = np.array([0.0, 0.0, 0.0, 0.0, -np.inf, np.inf, -1.0, 0.0, 0.0])
    return figures, np.zeros(directions), np.full((rows + 1, 1 + directions), np.nan)


def measuring(program: Program, number: int, state: list[int], directions: int) -> Program:
    """The program in which the loop of this number (as of `loop_states.loops_of`) measures its state.

    Its parameters are followed by the arrays of `begun`, by every how many iterations the history has a row, and by how
    many iterations of a run do not count.  Its results are those arrays.
    """
    program = clone(program)
    rows, stride, transient = Var(I64, "rows"), Var(I64, "stride"), Var(I64, "transient")
    measured = _Measured(number, state, directions, rows, stride, transient)
    record = measured.record()
    equations, results = measured.through(program.equations, record, Builder())
    params = (*program.params, *record, stride, transient)
    return Program(params, equations, results, f"growth_{program.name}")


Record = tuple[Atom, ...]  # figures, sums, history


@dataclass
class _Measured:
    """Puts the measuring into the equations of a program, from the loop outwards."""

    number: int
    state: list[int]
    directions: int
    rows: Var
    stride: Var
    transient: Var
    met: int = -1

    def through(self, equations: list[Equation], record: Record, b: Builder) -> tuple[list[Equation], Record]:
        """The equations with the measuring in them, and what has been measured after them."""
        for equation in equations:
            is_loop = equation.primitive.name in ("loop", "while")
            self.met += is_loop
            with b.at(equation.source):
                if is_loop and self.met == self.number:
                    self.met += _loops_inside(equation)
                    record = _Loop(self, equation, b).measured(record)
                elif equation.primitive.name not in OPAQUE and self.is_inside(equation):
                    record = self.around(equation, record, b)
                else:
                    self.met += 0 if equation.primitive.name in OPAQUE else _loops_inside(equation)
                    b.enter(equation)
        return b.equations, record

    def is_inside(self, equation: Equation) -> bool:
        return self.met < self.number <= self.met + _loops_inside(equation)

    def around(self, equation: Equation, record: Record, b: Builder) -> Record:
        """Control flow with the loop somewhere inside, which takes what is measured through."""
        outs = self.record()
        loop = equation.primitive.name in ("loop", "while")
        params = dict(equation.params)
        for name, region in regions(equation):
            own = self.record()
            if name == "test":
                extend_test(region, equation.params["body"].params, own)
                continue
            inner = b.region()
            equations, ends = self.through(region.equations, own if loop else record, inner)
            more = own if loop else ()
            params[name] = Program((*region.params, *more), equations, (*region.results, *ends), region.name)
        operands = (*equation.operands, *record) if loop else equation.operands
        b.enter(Equation(equation.primitive, operands, params, (*equation.outs, *outs), equation.source))
        return outs

    def record(self) -> tuple[Var, ...]:
        """Variables for what is measured."""
        count = literal(self.directions)
        shapes = {
            "figures": (literal(len(NAMES)),),
            "totals": (count,),
            "history": (self.rows, literal(1 + count.value)),
        }
        return tuple(Var(Type(DType.F64, shape), name) for name, shape in shapes.items())


def _loops_inside(equation: Equation) -> int:
    found = 0
    for _, region in regions(equation):
        for inner in region.equations:
            found += inner.primitive.name in ("loop", "while")
            found += 0 if inner.primitive.name in OPAQUE else _loops_inside(inner)
    return found


class _Loop:
    """The loop itself."""

    def __init__(self, around: _Measured, loop: Equation, b: Builder) -> None:
        self.around = around
        self.loop = loop
        self.b = b
        inits, _ = carried(loop)
        self.state = [inits[k] for k in around.state]

    def measured(self, record: Record) -> Record:
        """Emit the loop; gives what has been measured after it."""
        b, loop = self.b, self.loop
        figures, totals, history = record
        size: Atom = literal(0)
        for x in self.state:
            size = b.add(size, b.mul(b.size(x.type.shape), 2 if x.type.dtype.complex else 1))
        width = b.minimum(size, self.around.directions)
        (frame,) = _call(b, _frame, size, width)
        product, sums = _call(b, _begin, width)
        begun = (
            b.conform(frame, size, width, checked=False),
            b.conform(product, width, width, checked=False),
            b.conform(sums, width, checked=False),
            *(literal(0.0), literal(0), literal(-1)),
            history,
        )
        carries = [Var(a.type, name) for a, name in zip(begun, _CARRIED, strict=True)]
        params = dict(loop.params, body=self.body(width, carries, figures, totals))
        if "test" in params:
            extend_test(params["test"], loop.params["body"].params, carries)
        outs = tuple(Var(v.type, v.name) for v in carries)
        b.enter(Equation(loop.primitive, (*loop.operands, *begun), params, (*loop.outs, *outs), loop.source))
        *ended, history = outs[1:]
        ended = _call(b, _finish, *ended, figures, totals, self.around.transient, size, width)
        fitted = [b.conform(x, *of.type.shape, checked=False) for x, of in zip(ended, record, strict=False)]
        return (*fitted, history)

    def body(self, width: Atom, carries: list[Var], figures: Atom, totals: Atom) -> Program:
        """An iteration: its values, the frame pushed through it, and what is measured of that."""
        original: Program = self.loop.params["body"]
        skip = len(original.params) - len(original.results)
        pushed = push(original, [skip + k for k in self.around.state], alike=True)
        lengths: dict[Var, Atom] = {}
        for ours, theirs in zip(pushed.params, original.params, strict=False):
            pairs = zip(ours.type.shape, theirs.type.shape, strict=True)
            lengths.update((inner, outer) for inner, outer in pairs if isinstance(inner, Var))
        pushed = clone(pushed, lengths)
        params, tangents = pushed.params[: len(original.params)], pushed.params[len(original.params) :]
        frame, *measured, history = carries
        inner = self.b.region()
        batch = Batch(inner, width, _parts(inner, frame, width, tangents))
        batch.emit(pushed.equations)
        values, further = pushed.results[: len(original.results)], pushed.results[len(original.results) :]
        moving = [k for k, r in enumerate(values) if r.type.dtype.differentiable]
        moved = dict(zip(moving, further, strict=True))
        columns: list[Atom] = []
        for k in self.around.state:
            column = batch.value(moved[k])
            columns += [inner.real(column), inner.imag(column)] if column.type.dtype.complex else [column]
        whole = concatenated(inner, [inner.cast(c, dtype=DType.F64) for c in columns], (width,))
        rows, size = whole.type.shape[0], frame.type.shape[0]
        message = "stability: the state of a loop has {} numbers after an iteration, and {} at the start"
        inner.check(inner.eq(rows, size), rows, size, error="ValueError", message=message)
        whole = inner.conform(whole, *frame.type.shape, checked=False)
        settings = (self.around.stride, self.around.transient, figures, totals, self.around.rows)
        *after, row, place = _call(inner, _advance, whole, frame, *measured, *settings)
        ended = (*after, inner.update(history, row, place, codes="i:"))
        fitted = tuple(
            inner.conform(r, *p.type.shape, checked=False) if p.type.shape else r
            for r, p in zip(ended, carries, strict=True)
        )
        return Program((*params, *carries), inner.equations, (*values, *fitted), original.name)


_CARRIED = ("frame", "product", "sums", "scale", "step", "overflow", "history")


def _parts(b: Builder, frame: Atom, width: Atom, tangents: tuple[Var, ...]) -> dict[Var, Atom]:
    """For each tangent its rows of the frame, with the columns along a further last axis."""
    found: dict[Var, Atom] = {}
    at: Atom = literal(0)

    def taken(tangent: Var, at: Atom) -> tuple[Atom, Atom]:
        shape = tangent.type.shape
        size = b.size(shape)
        if not shape:
            return b.view(frame, at, codes="i:"), b.add(at, 1)
        return b.reshape(b.view(frame, at, size, 1, codes="s:"), *shape, width), b.add(at, size)

    for tangent in tangents:
        part, at = taken(tangent, at)
        real = tangent.type.dtype.real if tangent.type.dtype.complex else tangent.type.dtype
        part = b.cast(part, dtype=real)
        if tangent.type.dtype.complex:
            imaginary, at = taken(tangent, at)
            part = b.complex(part, b.cast(imaginary, dtype=real))
        found[tangent] = part
    return found


# What is measured, in the language itself


def _call(b: Builder, function: Callable[..., Any], *operands: Atom) -> list[Atom]:
    """Emit a function of the language, of numbers and arrays; gives what it returns, a tuple."""
    specs = tuple(_spec(a) for a in operands)
    lowered = lower(function, specs)
    found = spliced(b, lowered.program, operands)
    return [found[leaf.index] for leaf in leaves(lowered.result) if isinstance(leaf, Leaf)]


def _spec(atom: Atom) -> Spec:
    shape = tuple(int(n.value) if isinstance(n, Lit) else None for n in atom.type.shape)
    return Spec(atom.type.dtype, shape)


def _frame(size, width):
    """Orthonormal directions: those of the elements where there are as many, else directions in no particular one."""
    if size == width:
        return (np.eye(size, width),)
    i, j = np.arange(size), np.arange(width)
    q, _ = np.linalg.qr(np.cos(1.0 + 2.3 * np.outer(i + 1.0, np.sqrt(j + 2.0))))
    return (q,)


def _begin(width):
    """The product of no factors, and the sums."""
    return np.eye(width), np.zeros(width)


def _advance(pushed, frame, product, sums, scale, step, overflow, stride, transient, figures, totals, rows):
    row = np.full(1 + totals.shape[0], np.nan)
    place = rows - 1  # of what is not kept
    if overflow < 0 and not np.all(np.isfinite(pushed)):
        overflow = step
    if overflow < 0 and pushed.shape[0] > 0:
        frame, r = np.linalg.qr(pushed)
        if step >= transient:
            sums = sums + np.log(np.abs(np.diag(r)))
        product = r @ product
        size = np.max(np.abs(product))
        scale = scale + np.log(size)
        if size > 0.0:
            product = product / size
        if (step + 1) % stride == 0 and figures[0] == 0.0 and (step + 1) // stride < rows:
            place = (step + 1) // stride - 1
            row[0] = scale + np.log(np.linalg.norm(product, 2))
            row[1 : 1 + sums.shape[0]] = sums
    return frame, product, sums, scale, step + 1, overflow, row, place


def _finish(product, sums, scale, step, overflow, figures, totals, transient, size, width):
    out = figures.copy()
    whole = step if overflow < 0 else overflow
    out[0] += 1.0
    out[1] += step
    out[2] += max(whole - transient, 0)
    out[3] = max(out[3], whole)
    norm = scale + np.log(np.linalg.norm(product, 2)) if width > 0 else 0.0
    out[4] = max(out[4], norm)
    out[5] = min(out[5], norm)
    if overflow >= 0 and out[6] < 0.0:
        out[6] = overflow
    out[7] = size
    out[8] = width
    after = totals.copy()
    after[:width] += sums
    return out, after
