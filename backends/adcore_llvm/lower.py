"""Programs to LLVM: blocks of steps over scalars and arrays, with memory owned, reused in place and freed.

Every array result owns its memory.  A write happens in place when no later step of the block reads the old value,
and on a copy otherwise.  A block frees what it owns after the last use; when a check fails, everything that is alive
is freed on the way out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod

from adcore.errors import Source
from adcore.passes.schedule import Group, Step, schedule
from adcore.primitives import Kind
from adcore.program import Equation, Program, uses
from adcore.threads import Sharing
from adcore.types import Atom, DType, Lit, Type, Var

from . import fourier, lapack, memory, nests, parallel, views, writes
from .code import LLVM_TYPE, SIZE, Code, constant
from .contraction import lower_matmul
from .control import CopiedError
from .hosting import lower_host
from .scalar import cast, lower_scalar
from .sorting import lower_order
from .values import Array, Constant, Root, Strided, Undefined, fits_frame, load, row_major, store, zero

__all__ = ["Block", "Failure", "Lowering"]

REPORTED = 8  # scalars a failed check can report


@dataclass(frozen=True)
class Failure:
    """A place where compiled code can raise: the exception, its message with {0}, {1}, …, and the user's line."""

    error: str
    message: str
    dtypes: tuple[DType, ...]
    source: Source | None


@dataclass
class WayOut:
    """A block by which the function is left on failure, and where that enters it: the failure's number, the block."""

    label: str
    entries: list[tuple[str, str]] = field(default_factory=list)


class Lowering:
    """The lowering of one program into one function body.

    Attributes:
        heap: what the functions that allocate and release take in front of their other arguments.
        has_blas: whether the code can call BLAS and LAPACK.
    """

    heap = ""
    has_blas = True

    def __init__(self, code: Code, sharing: Sharing | None = None, failures: list[Failure] | None = None) -> None:
        self.code = code
        self.sharing = sharing or Sharing()  # which loops several threads run
        self.is_part = False  # of what several threads run
        self.failures: list[Failure] = [] if failures is None else failures
        self.blocks: list[Block] = []
        self.ways_out: dict[tuple[str, ...], WayOut] = {}  # by the memory that is alive
        self.source: Source | None = None
        self.tails: list[str] = []

    # Failing

    def fail_unless(
        self,
        holds: str,
        error: str,
        message: str,
        reported: Sequence[tuple[str, DType]] = (),
        source: Source | None = None,
    ) -> None:
        """Leave the function with this failure unless the condition holds."""
        code = self.code
        if holds == "true":
            return
        self.failures.append(Failure(error, message, tuple(d for _, d in reported), source or self.source))
        number, fine, way_out = str(len(self.failures)), code.label(), self.way_out()
        if reported:
            failed = code.label()
            code.branch(holds, fine, failed, ", !prof !0")
            self.tails += [f"{failed}:", *self.report(reported[:REPORTED]), f"  br label %{way_out.label}"]
            way_out.entries.append((number, failed))
        else:
            code.branch(holds, fine, way_out.label, ", !prof !0")
            way_out.entries.append((number, code.block))
        code.start(fine)

    def report(self, reported: Sequence[tuple[str, DType]]) -> Iterator[str]:
        """The instructions that leave numbers where whoever raises the failure finds them."""
        for k, (value, dtype) in enumerate(reported):
            type = LLVM_TYPE[dtype]
            slot = self.code.name()
            yield f"  {slot} = getelementptr i64, ptr %err, i64 {k}"
            if dtype is DType.BOOL:
                wide = self.code.name()
                yield f"  {wide} = zext i1 {value} to i64"
                value, type = wide, "i64"
            yield f"  store {type} {value}, ptr {slot}"

    def way_out(self) -> WayOut:
        """The block that frees all that is alive here and returns the failure."""
        owned = (root for block in self.blocks for root in block.owned)
        alive = tuple(root.pointer for root in owned if not (root.lent or root.framed))
        for count in range(len(alive) + 1):
            if alive[:count] not in self.ways_out:
                self.ways_out[alive[:count]] = WayOut(self.code.label())
        return self.ways_out[alive]

    def failing(self) -> list[str]:
        """The blocks by which the function is left on failure: each frees one array, and goes on to free the others."""
        lines: list[str] = []
        for alive, way_out in reversed(self.ways_out.items()):
            number = self.code.name()
            entries = ", ".join(f"[ {n}, %{block} ]" for n, block in way_out.entries)
            lines += [f"{way_out.label}:", f"  {number} = phi i64 {entries}"]
            if alive:
                outer = self.ways_out[alive[:-1]]
                outer.entries.append((number, way_out.label))
                lines += [f"  call void @adcore_release({self.heap}ptr {alive[-1]})", f"  br label %{outer.label}"]
            else:
                lines.append(f"  ret i64 {number}")
        return lines

    # Memory

    def allocate(self, dtype: DType, lengths: tuple[str, ...], zeroed: bool = False) -> str:
        code = self.code
        self.use_memory()
        function = "adcore_allocate_zeroed" if zeroed else "adcore_allocate"
        pointer = code.op(f"call noalias ptr @{function}({self.heap}i64 {self.bytes(dtype, lengths)})")
        got = code.op(f"icmp ne ptr {pointer}, null")
        self.fail_unless(got, "MemoryError", "cannot allocate an array of that size")
        return pointer

    def bytes(self, dtype: DType, lengths: tuple[str, ...]) -> str:
        """The size of an array, or of nothing that there is where it is too large for 64 bits."""
        total = str(SIZE[dtype])
        for length in lengths:
            if length.isdigit() and total.isdigit():
                total = str(min(int(total) * int(length), (1 << 64) - 1))
            elif length != "1":
                total = self.code.op(f"call i64 @adcore_product(i64 {total}, i64 {length})")
        return total

    def new(self, block: Block, dtype: DType, lengths: tuple[str, ...], zeroed: bool = False) -> Strided:
        """Fresh memory in C order, owned by the block."""
        if fits_frame(dtype, lengths):
            return self.in_frame(block, dtype, lengths, zeroed)
        return self.on_heap(block, dtype, lengths, zeroed)

    def in_frame(self, block: Block, dtype: DType, lengths: tuple[str, ...], zeroed: bool = False) -> Strided:
        """Memory in the stack frame, where a small array has its place."""
        code = self.code
        size = max(prod(map(int, lengths)) * SIZE[dtype], 1)
        pointer = code.name()
        code.entry.append(f"  {pointer} = alloca [{size} x i8], align 16")
        if zeroed:
            code.do(f"store [{size} x i8] zeroinitializer, ptr {pointer}")
        root = Root(pointer, block, framed=True)
        block.owned.append(root)
        return Strided(dtype, pointer, lengths, row_major(code, lengths), root, whole=True)

    def on_heap(self, block: Block, dtype: DType, lengths: tuple[str, ...], zeroed: bool = False) -> Strided:
        root = Root(self.allocate(dtype, lengths, zeroed), block)
        block.owned.append(root)
        return Strided(dtype, root.pointer, lengths, row_major(self.code, lengths), root, whole=True)

    def free(self, root: Root) -> None:
        if root.lent is not None:
            raise CopiedError
        if root.framed:
            return
        self.use_memory()
        self.code.do(f"call void @adcore_release({self.heap}ptr {root.pointer})")

    def use_memory(self) -> None:
        """Have the module declare the functions that allocate and release."""
        memory.provide()
        self.code.declarations.update(memory.FUNCTIONS)


@dataclass(eq=False)
class Block:
    """One region's level: its values, what it owns, and when each value is used last."""

    lowering: Lowering
    parent: Block | None = None
    values: dict[Var, str | Array] = field(default_factory=dict)
    owned: list[Root] = field(default_factory=list)
    last_use: dict[Var, int] = field(default_factory=dict)
    now: int = -1

    @property
    def code(self) -> Code:
        return self.lowering.code

    # Values

    def lookup(self, var: Var) -> str | Array:
        block: Block | None = self
        while block is not None:
            if var in block.values:
                return block.values[var]
            block = block.parent
        raise KeyError(f"{var} is not defined here")

    def is_bound(self, var: Var) -> bool:
        """Whether a value has been emitted."""
        block: Block | None = self
        while block is not None and var not in block.values:
            block = block.parent
        return block is not None

    def scalar(self, atom: Atom) -> str:
        if isinstance(atom, Lit):
            return constant(atom)
        value = self.lookup(atom)
        assert isinstance(value, str), f"{atom} is an array"
        return value

    def array(self, atom: Atom) -> Array:
        assert isinstance(atom, Var)
        value = self.lookup(atom)
        assert not isinstance(value, str), f"{atom} is a scalar"
        return value

    def lengths(self, type: Type) -> tuple[str, ...]:
        return tuple(self.scalar(a) for a in type.shape)

    def bind(self, var: Var, value: str | Array) -> None:
        self.values[var] = value
        if isinstance(value, Strided):
            value.root.variables.add(var)

    # Ownership

    def is_last_use(self, root: Root) -> bool:
        """Whether no step after this one reads the memory, so that this one may take it over."""
        return root.owner is self and all(self.last_use.get(v, -1) <= self.now for v in root.variables)

    def take(self, root: Root) -> None:
        """Give up ownership: the memory has moved elsewhere."""
        self.owned.remove(root)
        root.owner = None

    def release_dead(self) -> None:
        for root in [r for r in self.owned if self.is_last_use(r)]:
            self.lowering.free(root)
            self.take(root)

    def materialized(self, array: Array) -> Strided:
        """The array in memory, wherever that is."""
        return array if isinstance(array, Strided) else self.copied(array)

    def copied(self, array: Array) -> Strided:
        """A copy in fresh memory of this block, in C order."""
        code = self.code
        zeroed = isinstance(array, Constant) and array.value == zero(array.dtype)
        new = self.lowering.new(self, array.dtype, array.lengths, zeroed)
        if zeroed or isinstance(array, Undefined):
            return new
        if isinstance(array, Strided) and array.whole:
            size = code.mul(code.product(list(array.lengths)), str(SIZE[array.dtype]))
            code.declare("llvm.memcpy.p0.p0.i64", "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
            code.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {new.pointer}, ptr {array.pointer}, i64 {size}, i1 false)")
            return new
        if isinstance(array, Strided):
            nests.copy_elements(self, array, new)
        else:
            code.nest(list(array.lengths), lambda ix: store(code, new, ix, load(code, array, ix)))
        return new

    def writable(self, array: Array) -> Strided:
        """The array in memory that may be written: its own where nothing reads the old value, else a copy."""
        if isinstance(array, Strided) and array.whole and self.is_free(array.root):
            return array
        return self.copied(array)

    def is_free(self, root: Root) -> bool:
        """Whether the memory may be overwritten; rows of it that are read later are copied first."""
        if root.owner is not self:
            return False
        later = [v for v in root.variables if self.last_use.get(v, -1) > self.now]
        parts = [(v, self.array(v)) for v in later]
        if not all(isinstance(p, Strided) and p.region is not None and "i" in p.region[0] for _, p in parts):
            return False
        for var, part in parts:
            root.variables.discard(var)
            self.bind(var, self.copied(part))
        return True

    def handed_over(self, array: Array) -> Strided:
        """Whole memory for someone else to own: moved where nothing reads it later, else copied."""
        moved = self.writable(array)
        if moved.root.framed:
            moved = self.on_heap(moved)
        self.take(moved.root)
        return moved

    def on_heap(self, array: Strided) -> Strided:
        """A copy of a small array that is not in the stack frame."""
        new = self.lowering.on_heap(self, array.dtype, array.lengths)
        nests.copy_elements(self, array, new)
        return new

    # Steps

    def run(self, equations: list[Equation], results: Sequence[Atom]) -> None:
        """Emit a region's equations.  Its results stay alive."""
        steps = schedule(equations, results)
        for position, step in enumerate(steps):
            for var in step.uses() if isinstance(step, Group) else uses(step):
                self.last_use[var] = position
        for result in results:
            if isinstance(result, Var):
                self.last_use[result] = len(steps)
        self.lowering.blocks.append(self)
        for position, step in enumerate(steps):
            self.now = position
            self.step(step)
            self.release_dead()
        self.now = len(steps)

    def finish(self) -> None:
        """Free what is left and close the block."""
        for root in list(self.owned):
            self.lowering.free(root)
            self.take(root)
        assert self.lowering.blocks.pop() is self

    def step(self, step: Step) -> None:
        if isinstance(step, Group):
            self.lowering.source = step.members[-1].source
            nests.lower_group(self, step)
            return
        self.lowering.source = step.source
        kind = step.primitive.kind
        if kind is Kind.ELEMENTWISE:
            dtypes = tuple(a.type.dtype for a in step.operands)
            operands = tuple(self.scalar(a) for a in step.operands)
            value = lower_scalar(self.code, step.primitive.name, dtypes, operands, step.params)
            self.bind(step.outs[0], value)
        else:
            KINDS[kind](self, step)


def lower_check(block: Block, equation: Equation) -> None:
    reported = [_wide(block.code, block.scalar(a), a.type.dtype) for a in equation.operands[1:]]
    holds = block.scalar(equation.operands[0])
    block.lowering.fail_unless(holds, equation.params["error"], equation.params["message"], reported, equation.source)


def _wide(code: Code, value: str, dtype: DType) -> tuple[str, DType]:
    """A number that a failure reports, as one of those that fill a word."""
    wide = {"f": DType.F64, "i": DType.I64, "u": DType.I64}.get(dtype.kind, dtype)
    return cast(code, dtype, wide, value), wide


KINDS: dict[Kind, Callable[[Block, Equation], None]] = {
    Kind.VIEW: views.lower_view,
    Kind.WRITE: writes.lower_write,
    Kind.CONTRACTION: lower_matmul,
    Kind.FACTORIZATION: lapack.lower_factorization,
    Kind.SOLVE: lapack.lower_solve,
    Kind.ORDER: lower_order,
    Kind.FOURIER: fourier.lower_fourier,
    Kind.HOST: lower_host,
    Kind.CONTROL: parallel.lower_control,
    Kind.CHECK: lower_check,
}


def lower_program(program: Program, lowering: Lowering, arguments: Iterable[str | Strided]) -> list[str | Strided]:
    """Emit a whole program.  Gives the results, arrays in memory that the caller owns."""
    block = begun(program, lowering, arguments)
    results: list[str | Strided] = []
    for result in program.results:
        if result.type.shape:
            results.append(block.handed_over(block.array(result)))
        else:
            results.append(block.scalar(result))
    block.finish()
    return results


def begun(program: Program, lowering: Lowering, arguments: Iterable[str | Strided]) -> Block:
    """Emit a whole program.  Gives its block, in which the results are alive, to be finished."""
    block = Block(lowering)
    for param, value in zip(program.params, arguments, strict=True):
        block.bind(param, value)
        if isinstance(value, Strided):
            bind_lengths(block, param, value)
    block.run(program.equations, program.results)
    return block


def bind_lengths(block: Block, param: Var, value: Strided) -> None:
    """Bind the lengths that a parameter's type names; one that another parameter has bound must agree."""
    for axis, (atom, length) in enumerate(zip(param.type.shape, value.lengths, strict=True)):
        if not isinstance(atom, Var):
            continue
        bound = block.values.setdefault(atom, length)
        if bound != length:
            agrees = block.code.op(f"icmp eq i64 {bound}, {length}")
            reported = [(str(length), DType.I64), (str(bound), DType.I64)]
            message = f"axis {axis} of {param.name} has length {{0}}, expected {{1}}"
            block.lowering.fail_unless(agrees, "ValueError", message, reported)
