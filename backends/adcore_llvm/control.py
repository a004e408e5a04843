"""Loops and branches.  Array carries keep their memory: an iteration that writes in place moves nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from adcore.program import Equation, Program, free_variables
from adcore.types import Atom, DType, Lit, Type, Var

from .code import LLVM_TYPE
from .values import Root, Strided, fits_frame, move, row_major

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
    block: Block,
    dtype: DType,
    pointer: str,
    lengths: tuple[str, ...],
    owner: Any,
    lent: Var | None = None,
    framed: bool = False,
) -> Strided:
    """Memory in C order that `owner` owns from now on."""
    root = Root(pointer, owner, lent=lent, framed=framed)
    owner.owned.append(root)
    return Strided(dtype, pointer, lengths, row_major(block.code, lengths), root, whole=True)


@dataclass(frozen=True)
class Handed:
    """A value that goes from a region to another one: its register, and of an array what its memory is."""

    register: str
    lent: Var | None = None
    framed: bool = False


def small_lengths(type: Type) -> tuple[str, ...]:
    """The lengths of an array that is kept in the stack frame; none of another one."""
    lengths = tuple(str(a.value) if isinstance(a, Lit) else "" for a in type.shape)
    return lengths if lengths and fits_frame(type.dtype, lengths) else ()


def places_of(block: Block, types: Iterable[Type]) -> list[Strided | None]:
    """Memory in the stack frame for those arrays that are small."""
    places: list[Strided | None] = []
    for type in types:
        lengths = small_lengths(type)
        place = block.lowering.in_frame(block, type.dtype, lengths) if lengths else None
        if place is not None:
            block.take(place.root)
        places.append(place)
    return places


def handed_over(block: Block, values: Sequence[Atom], places: Sequence[Strided | None]) -> list[Handed]:
    """A region's results: small arrays are moved to their places, others in memory that is handed over."""
    found: list[Handed] = []
    for value, place in zip(values, places, strict=True):
        if place is not None:
            found.append(Handed(place.pointer, framed=True))
        elif value.type.shape:
            found.append(handed(block.handed_over(block.array(value))))
        else:
            found.append(Handed(block.scalar(value)))
    # last, as others may have been read from the places
    move(block.code, [(block.array(v), place) for v, place in zip(values, places, strict=True) if place is not None])
    return found


def handed(array: Strided) -> Handed:
    return Handed(array.pointer, array.root.lent)


def require_in_place(before: Sequence[Handed], after: Sequence[Handed]) -> None:
    """See to it that what is lent on one way, or before, is lent on another one, or afterwards."""
    if [value.lent for value in before] != [value.lent for value in after]:
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
        params = body.params[1:] if self.counted else body.params
        inits = equation.operands[self.counted :]
        places = self.places(params, inits)
        starts = self.starts(inits, places)
        trips = block.scalar(equation.operands[0]) if self.counted else ""

        before, head, inside, done = code.block, code.label(), code.label(), code.label()
        code.jump(head)
        code.start(head)
        registers = [start if start.framed else replace(start, register=code.name()) for start in starts]
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
        nexts = handed_over(level, body.results, places)
        require_in_place(starts, nexts)
        level.finish()
        if self.counted:
            following, begin = code.op(f"add nuw nsw i64 {counter}, 1"), f"[ {self.first}, %{before} ]"
            code.lines[phis + len(params)] = f"  {counter} = phi i64 {begin}, [ {following}, %{code.block} ]"
        for k, (param, start, following) in enumerate(zip(params, starts, nexts, strict=True)):
            if not start.framed:
                ways = f"[ {start.register}, %{before} ], [ {following.register}, %{code.block} ]"
                code.lines[phis + k] = f"  {registers[k].register} = phi {register_type(param.type)} {ways}"
        code.jump(head)
        code.start(done)
        bind_results(block, equation.outs, registers)

    def starts(self, inits: Sequence[Atom], places: Sequence[Strided | None]) -> list[Handed]:
        found = [
            self.initial(init) if place is None else Handed(place.pointer, framed=True)
            for init, place in zip(inits, places, strict=True)
        ]
        move(self.code, [(self.block.array(i), place) for i, place in zip(inits, places, strict=True) if place])
        return found

    def places(self, params: Sequence[Var], inits: Sequence[Atom]) -> list[Strided | None]:
        """Memory in the stack frame for the carries that are small: that of the start, where nothing else reads it."""
        found: list[Strided | None] = []
        for param, init in zip(params, inits, strict=True):
            place = self.start_as_place(init, small_lengths(param.type))
            found += places_of(self.block, [param.type]) if place is None else [place]
        return found

    def start_as_place(self, init: Atom, lengths: tuple[str, ...]) -> Strided | None:
        """The memory of the start, taken over, if it is in the stack frame and nothing else reads it."""
        start = self.block.array(init) if lengths else None
        if not isinstance(start, Strided) or not start.root.framed or not start.whole or start.lengths != lengths:
            return None
        if not self.block.is_last_use(start.root) or start.root.variables & self.read_inside():
            return None
        self.block.take(start.root)
        return start

    def read_inside(self) -> set[Var]:
        """What the loop reads from outside."""
        inside = set(free_variables(self.body))
        if "test" in self.equation.params:
            inside |= set(free_variables(self.equation.params["test"]))
        return inside

    def initial(self, init: Atom, also_read: Iterable[Atom] = ()) -> Handed:
        """The start of a carry; arrays that the body reads from outside, or that are `also_read`, are copied."""
        block = self.block
        if not init.type.shape:
            return Handed(block.scalar(init))
        array = block.array(init)
        inside = {*self.read_inside(), *also_read}
        if isinstance(array, Strided) and any(v in inside for v in array.root.variables):
            array = block.copied(array)  # the loop also reads the initial value from outside
        return handed(block.handed_over(array))

    def bind_carries(self, level: Block, params: Sequence[Var], registers: list[Handed], owner: Any) -> None:
        for param, value in zip(params, registers, strict=True):
            register = value.register
            if not param.type.shape:
                level.bind(param, register)
                continue
            lengths = level.lengths(param.type)
            if owner is None:
                strides = row_major(self.code, lengths)
                level.bind(param, Strided(param.type.dtype, register, lengths, strides, Root(register), whole=True))
            else:
                dtype = param.type.dtype
                level.bind(param, whole(level, dtype, register, lengths, owner, value.lent, value.framed))


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
    values = handed_over(level, region.results, places_of(block, (out.type for out in equation.outs)))
    level.finish()
    bind_results(block, equation.outs, values)


def bind_results(block: Block, outs: Sequence[Var], values: Sequence[Handed]) -> None:
    """Bind the results of a region, numbers first, as they may be lengths of arrays."""
    for out, value in zip(outs, values, strict=True):
        if not out.type.shape:
            block.bind(out, value.register)
    for out, value in zip(outs, values, strict=True):
        if out.type.shape:
            lengths, dtype = block.lengths(out.type), out.type.dtype
            block.bind(out, whole(block, dtype, value.register, lengths, block, value.lent, value.framed))


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
        places = places_of(block, (out.type for out in equation.outs))
        yes, no, done = code.label(), code.label(), code.label()
        code.branch(condition, yes, no)
        kept = list(block.owned)
        ends = [
            self.branch(label, region, roots, done, kept, places) for label, region in ((yes, then), (no, otherwise))
        ]
        block.owned = [r for r in kept if r not in roots]
        for root in roots:
            root.owner = None
        code.start(done)
        require_in_place(ends[0][0], ends[1][0])
        registers: list[Handed] = []
        for k, (out, value) in enumerate(zip(equation.outs, ends[0][0], strict=True)):
            if value.framed:
                registers.append(value)
                continue
            pairs = ", ".join(f"[ {values[k].register}, %{label} ]" for values, label in ends)
            registers.append(replace(value, register=code.op(f"phi {register_type(out.type)} {pairs}")))
        bind_results(block, equation.outs, registers)

    def branch(
        self,
        label: str,
        region: Program,
        roots: list[Root],
        done: str,
        owned: list[Root],
        places: Sequence[Strided | None],
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
        values = handed_over(level, region.results, places)
        level.finish()
        for root, pointer in pointers:
            root.pointer = pointer
        code.jump(done)
        return values, code.block
