"""Loops and branches.  Array carries keep their memory: an iteration that writes in place moves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from adcore.program import Equation, Program, free_variables
from adcore.types import I64, Atom, DType, Type, Var

from .code import LLVM_TYPE
from .values import Root, Strided, row_major

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["lower_control"]


def lower_control(block: Block, equation: Equation) -> None:
    if equation.primitive.name == "cond":
        _Cond(block, equation).emit()
    elif equation.primitive.name == "checkpoint":
        lower_checkpoint(block, equation)
    else:
        _Loop(block, equation).emit()


def register_type(type: Type) -> str:
    return "ptr" if type.shape else LLVM_TYPE[type.dtype]


def child(block: Block) -> Block:
    return type(block)(block.lowering, block)


def whole(block: Block, dtype: DType, pointer: str, lengths: tuple[str, ...], owner: Any) -> Strided:
    """Memory in C order that `owner` owns from now on."""
    root = Root(pointer, owner)
    owner.owned.append(root)
    return Strided(dtype, pointer, lengths, row_major(block.code, lengths), root, whole=True)


def results_of(block: Block, results: Sequence[Atom]) -> list[str]:
    """A region's results as registers; arrays in memory that is handed over."""
    return [block.handed_over(block.array(r)).pointer if r.type.shape else block.scalar(r) for r in results]


class _Loop:
    """`loop` and `while`: a header with a phi for each carry, a test, a body."""

    def __init__(self, block: Block, equation: Equation) -> None:
        self.block = block
        self.equation = equation
        self.code = block.code
        self.body: Program = equation.params["body"]
        self.counted = equation.primitive.name == "loop"

    def emit(self) -> None:
        code, block, equation, body = self.code, self.block, self.equation, self.body
        inits = equation.operands[1:] if self.counted else equation.operands
        params = body.params[1:] if self.counted else body.params
        trips = block.scalar(equation.operands[0]) if self.counted else ""
        starts = [self.initial(i) for i in inits]

        before, head, inside, done = code.block, code.label(), code.label(), code.label()
        code.jump(head)
        code.start(head)
        registers = [code.name() for _ in params]
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
        level.finish()
        if self.counted:
            following = code.op(f"add nuw nsw i64 {counter}, 1")
            code.lines[phis + len(params)] = f"  {counter} = phi i64 [ 0, %{before} ], [ {following}, %{code.block} ]"
        for k, (param, start, register, following) in enumerate(zip(params, starts, registers, nexts, strict=True)):
            type = register_type(param.type)
            code.lines[phis + k] = f"  {register} = phi {type} [ {start}, %{before} ], [ {following}, %{code.block} ]"
        code.jump(head)
        code.start(done)
        for out, register in zip(equation.outs, registers, strict=True):
            if out.type.shape:
                lengths = block.lengths(out.type)
                block.bind(out, whole(block, out.type.dtype, register, lengths, block))
            else:
                block.bind(out, register)

    def initial(self, init: Atom) -> str:
        block = self.block
        if not init.type.shape:
            return block.scalar(init)
        array = block.array(init)
        inside = set(free_variables(self.body))
        if "test" in self.equation.params:
            inside |= set(free_variables(self.equation.params["test"]))
        if isinstance(array, Strided) and any(v in inside for v in array.root.variables):
            array = block.copied(array)  # the loop also reads the initial value from outside
            block.take(array.root)
            return array.pointer
        return block.handed_over(array).pointer

    def bind_carries(self, level: Block, params: Sequence[Var], registers: list[str], owner: Any) -> None:
        for param, register in zip(params, registers, strict=True):
            if not param.type.shape:
                level.bind(param, register)
                continue
            lengths = level.lengths(param.type)
            if owner is None:
                strides = row_major(self.code, lengths)
                level.bind(param, Strided(param.type.dtype, register, lengths, strides, Root(register), whole=True))
            else:
                level.bind(param, whole(level, param.type.dtype, register, lengths, owner))


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
    for out, value in zip(equation.outs, values, strict=True):
        if not out.type.shape:
            block.bind(out, value)
    for out, value in zip(equation.outs, values, strict=True):
        if out.type.shape:
            block.bind(out, whole(block, out.type.dtype, value, block.lengths(out.type), block))


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
        registers = []
        for k, out in enumerate(equation.outs):
            pairs = ", ".join(f"[ {values[k]}, %{label} ]" for values, label in ends)
            registers.append(code.op(f"phi {register_type(out.type)} {pairs}"))
        for out, register in zip(equation.outs, registers, strict=True):
            if out.type == I64 or not out.type.shape:
                block.bind(out, register)
        for out, register in zip(equation.outs, registers, strict=True):
            if out.type.shape:
                block.bind(out, whole(block, out.type.dtype, register, block.lengths(out.type), block))

    def branch(
        self, label: str, region: Program, roots: list[Root], done: str, owned: list[Root]
    ) -> tuple[list[str], str]:
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
