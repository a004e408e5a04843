"""Loops of independent iterations, run by several threads.

What of such a loop goes from one iteration to the next one, `adcore.independence` says.  What iterations add up begins
with zeros in all chunks but the first, and is added in their order afterwards: results depend neither on which thread
is faster nor on how many there are.  Of failures that of the first chunk counts, which is the one that the loop would
have met first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from adcore.independence import Inspected, Role, Same, Step, Sum, roles
from adcore.program import Equation, Program, free_variables
from adcore.types import I64, Atom, DType, Type, Var

from . import control
from .code import LLVM_TYPE, Code
from .control import CopiedError, Loop, whole
from .effort import effort, product
from .fused import combine
from .inspection import can_be_inspected, inspected
from .outlined import MOST_CHUNKS, Chunks, Part, chunks_of
from .values import Root, Strided, load, store

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["lower_control"]

MOST_SUMS = 16  # of an array, by as many chunks
MOST_NUMBERS = 1 << 25  # in the sums of all chunks
WORTH = 8.0  # operations for an element of the sum, from which on a second chunk is worth its own sum


def lower_control(block: Block, equation: Equation) -> None:
    """Loops and branches; loops of independent iterations by several threads, where there are to be some."""
    lowering = block.lowering
    is_shared_out = lowering.sharing.least is not None or (equation.params.get("parallel") and not lowering.is_part)
    found = roles(equation) if is_shared_out else None
    if found is None or not can_be_inspected(found) or not _Split(block, equation, found).emit():
        control.lower_control(block, equation)


class _Split:
    """A loop as a function of a range, and its call."""

    def __init__(self, block: Block, equation: Equation, found: Sequence[Role]) -> None:
        self.block = block
        self.code = block.code
        self.equation = equation
        self.body: Program = equation.params["body"]
        self.roles = found
        self.inits = equation.operands[1:]
        self.params = self.body.params[1:]
        self.carried = [k for k, role in enumerate(found) if not isinstance(role, Same)]
        self.arrays = [k for k in self.carried if self.params[k].type.shape]
        self.part = Part(block)
        self.wide = bool(equation.params.get("parallel"))
        self.places: dict[int, int] = {}  # of sums, in the rows of the chunks

    def emit(self) -> bool:
        """Whether the loop could be emitted: it cannot where an array would be copied in each iteration."""
        failures = self.block.lowering.failures
        count = len(failures)
        try:
            self.emit_part()
        except CopiedError:
            del failures[count:]
            return False
        self.emit_call()
        return True

    def is_sum(self, k: int) -> bool:
        return isinstance(self.roles[k], Sum)

    # The function

    def emit_part(self) -> None:
        part, body = self.part, self.body
        for var in free_variables(body):
            part.capture(var)
        for k, role in enumerate(self.roles):
            if isinstance(role, Same):
                part.capture(self.params[k], self.inits[k])
        end = self.number("last", part.last)
        inits = [self.begin(k) for k in self.carried]
        outs = tuple(Var(self.params[k].type, self.params[k].name) for k in self.carried)
        params = (body.params[0], *(self.params[k] for k in self.carried))
        inside = Program(params, body.equations, tuple(body.results[k] for k in self.carried), body.name)
        loop = Loop(part.top, replace(self.equation, operands=(end, *inits), params={"body": inside}, outs=outs))
        loop.first = part.first
        loop.emit()
        for k, out in zip(self.carried, outs, strict=True):
            if self.is_sum(k):
                self.places[k] = self.give(out)
            elif out.type.shape:
                self.leave(out, self.params[k])
        part.finish(writes=False)

    def begin(self, k: int) -> Atom:
        """What a part begins with, for a carry."""
        part, role, param = self.part, self.roles[k], self.params[k]
        if isinstance(role, Step):
            by = [part.register(self.block.scalar(atom), "i64") for atom in role.by]
            init = part.register(self.block.scalar(self.inits[k]), "i64")
            return self.number("start", stepped(part.code, init, part.first, by))
        if not param.type.shape:
            return param.type.dtype.zero
        begin = Var(param.type, param.name)
        name = f"%carry{k}"
        if self.is_sum(k):
            part.top.bind(begin, part.zeros(param.type, name))
        else:
            lengths = part.top.lengths(param.type)
            lent = whole(part.top, param.type.dtype, part.carry(name), lengths, part.top, param)
            part.top.bind(begin, lent)
        return begin

    def number(self, name: str, register: str) -> Var:
        var = Var(I64, name)
        self.part.top.bind(var, register)
        return var

    def give(self, out: Var) -> int:
        top = self.part.top
        if out.type.shape:
            return self.part.give("ptr", top.handed_over(top.array(out)).pointer)
        return self.part.give(LLVM_TYPE[out.type.dtype], top.scalar(out))

    def leave(self, out: Var, param: Var) -> None:
        """Leave an array to the caller, in whose memory it is."""
        array = self.part.top.array(out)
        assert isinstance(array, Strided), "what a loop carries is in memory"
        if array.root.lent is not param:
            raise CopiedError
        self.part.top.take(array.root)

    # The call

    def emit_call(self) -> None:
        code, block = self.code, self.block
        trips = block.scalar(self.equation.operands[0])
        handed = [(self.start(k), self.is_sum(k)) for k in self.arrays]
        operations = effort(block, self.body, trips)
        count = chunks_of(block, trips, operations, self.most(operations))
        if any(isinstance(role, Inspected) for role in self.roles):
            count = self.inspected(count)
        chunks = Chunks(self.part, trips, handed, count, self.wide)
        chunks.run()
        chunks.fail_as_first([self.places[k] for k in self.arrays if self.is_sum(k)])
        for k, (out, role, init) in enumerate(zip(self.equation.outs, self.roles, self.inits, strict=True)):
            if isinstance(role, Same):
                block.bind(out, block.array(init) if out.type.shape else block.scalar(init))
            elif isinstance(role, Step):
                block.bind(out, stepped(code, block.scalar(init), trips, map(block.scalar, role.by)))
            elif self.is_sum(k) and out.type.shape:
                block.bind(out, self.added_arrays(out.type, chunks, self.places[k]))
            elif self.is_sum(k):
                block.bind(out, self.added(out.type.dtype, block.scalar(init), chunks, self.places[k]))

    def most(self, operations: str) -> str:
        """How many chunks there may be, as a double: few where each has arrays of its own to add to.

        An element of these costs what some ten operations do.  So two chunks gain where two threads run them, from a
        few operations an element on; and for many threads many chunks do where there are many operations an element.
        """
        code, sums = self.code, [k for k in self.arrays if self.is_sum(k)]
        if not sums:
            return repr(float(MOST_CHUNKS))
        numbers = "1.0"
        for k in sums:
            size = product(code, 1, self.block.lengths(self.params[k].type))
            numbers = code.op(f"fadd double {numbers}, {size}")
        bounds = [code.op(f"fdiv double {float(MOST_NUMBERS)!r}, {numbers}")]
        if self.block.lowering.sharing.least != 0:
            each = code.op(f"fdiv double {operations}, {code.op(f'fmul double {numbers}, {WORTH!r}')}")
            bounds.append(code.op(f"fadd double 1.0, {code.intrinsic('sqrt', 'double', each)}"))
        most = repr(float(MOST_SUMS))
        for bound in bounds:
            most = code.intrinsic("minnum", "double", most, bound)
        return most

    def inspected(self, count: str) -> str:
        """How many chunks there are: one if iterations may not be apart."""
        code, look, done = self.code, self.code.label(), self.code.label()
        before = code.block
        code.branch(code.op(f"icmp sgt i64 {count}, 1"), look, done)
        code.start(look)
        apart = inspected(self.block, self.equation, self.roles, count)
        found = code.op(f"select i1 {apart}, i64 {count}, i64 1")
        after = code.block
        code.jump(done)
        code.start(done)
        return code.op(f"phi i64 [ 1, %{before} ], [ {found}, %{after} ]")

    def start(self, k: int) -> str:
        """The memory of an array that is carried.  What is written in parts stays the block's."""
        block, out = self.block, self.equation.outs[k]
        also_read = [init for init, role in zip(self.inits, self.roles, strict=True) if isinstance(role, Same)]
        pointer = Loop(block, self.equation).initial(self.inits[k], also_read).register
        if not self.is_sum(k):
            block.bind(out, whole(block, out.type.dtype, pointer, block.lengths(out.type), block))
        return pointer

    def added(self, dtype: DType, init: str, chunks: Chunks, place: int) -> str:
        """A number, with those that the chunks give added to it."""
        code, type = self.code, LLVM_TYPE[dtype]
        total = code.slot(type, init)
        with code.counting(chunks.count) as c:
            before, more = code.op(f"load {type}, ptr {total}"), chunks.given(type, place, c)
            code.do(f"store {type} {combine(code, 'total', dtype, before, more)}, ptr {total}")
        return code.op(f"load {type}, ptr {total}")

    def added_arrays(self, type: Type, chunks: Chunks, place: int) -> Strided:
        """The array of the first chunk, with those of the others added to it."""
        code, block, lengths = self.code, self.block, self.block.lengths(type)
        size = (code.product(list(lengths)),)
        first = chunks.given("ptr", place, "0")
        target = Strided(type.dtype, first, size, ("1",), Root(first))
        with code.counting(code.op(f"sub i64 {chunks.count}, 1")) as c:
            pointer = chunks.given("ptr", place, code.op(f"add i64 {c}, 1"))
            source = Strided(type.dtype, pointer, size, ("1",), Root(pointer))

            def add(indices: list[str]) -> None:
                both = load(code, target, indices), load(code, source, indices)
                store(code, target, indices, combine(code, "total", type.dtype, *both))

            with code.apart([target.root]):
                code.nest(list(size), add)
            code.do(f"call void @adcore_release(ptr {pointer})")
        return whole(block, type.dtype, first, lengths, block)


def stepped(code: Code, begin: str, count: str, by: Iterable[str]) -> str:
    """A number after so many iterations, each of which adds to it."""
    step = "0"
    for amount in by:
        step = code.op(f"add i64 {step}, {amount}")
    return code.op(f"add i64 {begin}, {code.op(f'mul i64 {count}, {step}')}")
