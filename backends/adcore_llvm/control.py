"""Loops and branches.  Array carries keep their memory: an iteration that writes in place moves nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from adcore.program import Equation, Program, free_variables
from adcore.types import Atom, DType, Type, Var

from .code import LLVM_TYPE
from .values import Root, Strided, row_major

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["CopiedError", "Loop", "lower_control", "whole"]


class CopiedError(Exception):
    """Memory that is lent to a loop's iterations would be copied or freed by one of them."""


def lower_control(block: Block, equation: Equation) -> None:
    if equation.primitive.name == "cond":
        _Cond(block, equation).emit()
    elif equation.primitive.name == "checkpoint":
        lower_checkpoint(block, equation)
    else:
        Loop(block, equation).emit()


def register_type(type: Type) -> str:
    return "ptr" if type.shape else LLVM_TYPE[type.dtype]


def child(block: Block) -> Block:
    return type(block)(block.lowering, block)


def whole(
    block: Block, dtype: DType, pointer: str, lengths: tuple[str, ...], owner: Any, lent: Var | None = None
) -> Strided:
    """Memory in C order that `owner` owns from now on."""
    root = Root(pointer, owner, lent=lent)
    owner.owned.append(root)
    return Strided(dtype, pointer, lengths, row_major(block.code, lengths), root, whole=True)


Handed = tuple[str, "Var | None"]  # a register, and for memory that is lent, what to


def results_of(block: Block, results: Sequence[Atom]) -> list[Handed]:
    """A region's results as registers; arrays in memory that is handed over."""
    return [handed(block.handed_over(block.array(r))) if r.type.shape else (block.scalar(r), None) for r in results]


def handed(array: Strided) -> Handed:
    return array.pointer, array.root.lent


def require_in_place(before: Sequence[Handed], after: Sequence[Handed]) -> None:
    """See to it that what is lent on one way, or before, is lent on another one, or afterwards."""
    if [lent for _, lent in before] != [lent for _, lent in after]:
        raise CopiedError


class Loop:
    """`loop` and `while`: a header with a phi for each carry, a test, a body.

    `first` is where the counter of a `loop` begins.
    """

    first = "0"

    def __init__(self, block: Block, equation: Equation) -> None:
        self.block = block
        self.equation = equation
        self.code = block.code
        self.body: Program = equation.params["body"]
        self.counted = equation.primitive.name == "loop"

    def emit(self) -> None:
        code, block, equation, body = self.code, self.block, self.equation, self.body
        starts = [self.initial(init) for init in equation.operands[self.counted :]]
        params = body.params[1:] if self.counted else body.params
        trips = block.scalar(equation.operands[0]) if self.counted else ""

        before, head, inside, done = code.block, code.label(), code.label(), code.label()
        code.jump(head)
        code.start(head)
        registers = [(code.name(), lent) for _, lent in starts]
        counter = code.name()
        phis = len(code.lines)
        code.lines.extend([""] * (len(params) + self.counted))
        level = child(block)
        self.bind_carries(level, params, registers, level)
        if self.counted:
            level.bind(body.params[0], counter)
            code.branch(code.op(f"icmp slt i64 {counter}, {trips}"), inside, done)
        else:
            test: Program = equation.params["test"]
            block.lowering.blocks.append(level)  # what it carries is freed if the test fails
            testing = child(block)
            self.bind_carries(testing, test.params, registers, None)
            testing.run(test.equations, test.results)
            goes_on = testing.scalar(test.results[0])
            testing.finish()
            assert block.lowering.blocks.pop() is level
            code.branch(goes_on, inside, done)
        code.start(inside)
        level.run(body.equations, body.results)
        nexts = results_of(level, body.results)
        require_in_place(starts, nexts)
        level.finish()
        if self.counted:
            following, begin = code.op(f"add nuw nsw i64 {counter}, 1"), f"[ {self.first}, %{before} ]"
            code.lines[phis + len(params)] = f"  {counter} = phi i64 {begin}, [ {following}, %{code.block} ]"
        for k, param in enumerate(params):
            type, start, following = register_type(param.type), starts[k][0], nexts[k][0]
            ways = f"[ {start}, %{before} ], [ {following}, %{code.block} ]"
            code.lines[phis + k] = f"  {registers[k][0]} = phi {type} {ways}"
        code.jump(head)
        code.start(done)
        for out, (register, lent) in zip(equation.outs, registers, strict=True):
            if out.type.shape:
                lengths = block.lengths(out.type)
                block.bind(out, whole(block, out.type.dtype, register, lengths, block, lent))
            else:
                block.bind(out, register)

    def initial(self, init: Atom, also_read: Iterable[Atom] = ()) -> Handed:
        """The start of a carry; arrays that the body reads from outside, or that are `also_read`, are copied."""
        block = self.block
        if not init.type.shape:
            return block.scalar(init), None
        array = block.array(init)
        inside = {*free_variables(self.body), *also_read}
        if "test" in self.equation.params:
            inside |= set(free_variables(self.equation.params["test"]))
        if isinstance(array, Strided) and any(v in inside for v in array.root.variables):
            array = block.copied(array)  # the loop also reads the initial value from outside
            block.take(array.root)
            return handed(array)
        return handed(block.handed_over(array))

    def bind_carries(self, level: Block, params: Sequence[Var], registers: list[Handed], owner: Any) -> None:
        for param, (register, lent) in zip(params, registers, strict=True):
            if not param.type.shape:
                level.bind(param, register)
                continue
            lengths = level.lengths(param.type)
            if owner is None:
                strides = row_major(self.code, lengths)
                level.bind(param, Strided(param.type.dtype, register, lengths, strides, Root(register), whole=True))
            else:
                level.bind(param, whole(level, param.type.dtype, register, lengths, owner, lent))


def lower_checkpoint(block: Block, equation: Equation) -> None:
    """The region in a block of its own, so that nothing of it is computed earlier or kept longer."""
    region: Program = equation.params["body"]
    used = set(free_variables(region))
    level = child(block)
    for root in [r for r in block.owned if r.variables & used and block.is_last_use(r)]:
        block.owned.remove(root)
        root.owner = level
        level.owned.append(root)
    level.run(region.equations, region.results)
    values = results_of(level, region.results)
    level.finish()
    bind_results(block, equation.outs, values)


def bind_results(block: Block, outs: Sequence[Var], values: Sequence[Handed]) -> None:
    """Bind the results of a region, numbers first, as they may be lengths of arrays."""
    for out, (value, _) in zip(outs, values, strict=True):
        if not out.type.shape:
            block.bind(out, value)
    for out, (value, lent) in zip(outs, values, strict=True):
        if out.type.shape:
            block.bind(out, whole(block, out.type.dtype, value, block.lengths(out.type), block, lent))


class _Cond:
    """`cond`: memory that nothing reads afterwards is handed to the branches, which keep it or free it."""

    def __init__(self, block: Block, equation: Equation) -> None:
        self.block = block
        self.equation = equation
        self.code = block.code

    def emit(self) -> None:
        code, block, equation = self.code, self.block, self.equation
        then, otherwise = equation.params["then"], equation.params["otherwise"]
        used = {*free_variables(then), *free_variables(otherwise)}
        roots = [r for r in block.owned if r.variables & used and block.is_last_use(r)]
        condition = block.scalar(equation.operands[0])
        yes, no, done = code.label(), code.label(), code.label()
        code.branch(condition, yes, no)
        kept = list(block.owned)
        ends = [self.branch(label, region, roots, done, kept) for label, region in ((yes, then), (no, otherwise))]
        block.owned = [r for r in kept if r not in roots]
        for root in roots:
            root.owner = None
        code.start(done)
        require_in_place(ends[0][0], ends[1][0])
        registers: list[Handed] = []
        for k, out in enumerate(equation.outs):
            pairs = ", ".join(f"[ {values[k][0]}, %{label} ]" for values, label in ends)
            registers.append((code.op(f"phi {register_type(out.type)} {pairs}"), ends[0][0][k][1]))
        bind_results(block, equation.outs, registers)

    def branch(
        self, label: str, region: Program, roots: list[Root], done: str, owned: list[Root]
    ) -> tuple[list[Handed], str]:
        """Emit one branch, which owns `roots`; gives its results and the block it ends in."""
        code = self.code
        code.start(label)
        self.block.owned = [r for r in owned if r not in roots]
        level = child(self.block)
        pointers = [(r, r.pointer) for r in roots]
        for root in roots:
            root.owner = level
            level.owned.append(root)
        level.run(region.equations, region.results)
        values = results_of(level, region.results)
        level.finish()
        for root, pointer in pointers:
            root.pointer = pointer
        code.jump(done)
        return values, code.block
