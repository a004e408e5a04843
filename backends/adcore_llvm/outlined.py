"""Functions of a range, which several threads run for parts of it.

A loop over a range becomes two functions, and the caller fills a frame with what they need:

    part(first, last, carries, captures)   the loop over a part of the range, with the values that it uses
    chunk(frame, c)                        the part that is the c-th chunk's, with the values in the frame
    fork_join(chunk, frame, chunks)        runs the chunks, on as many threads as there are

How many chunks there are, and where they begin, depends on the trip counts and lengths alone, and not on the number of
threads: so does how sums are grouped, and all that depends on it to the last bit.

Each chunk has a row of words: its status (0, or the number of a failure), what the failure reports, and what the chunk
gives to be added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from adcore.threads import EFFORT
from adcore.types import Atom, Type, Var

from . import threads
from .code import LLVM_TYPE, Code
from .control import whole
from .values import Array, Constant, Counting, Root, Strided, Undefined

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["Chunks", "Part", "chunks_of"]

MOST_CHUNKS = 64
SHARE = 8  # chunks where there are just enough operations for several
WIDE = "_wide"  # functions for what all processors run where one thread is wanted
ERROR_WORDS = 8
SLOT_WORDS = 2  # of a value in a frame or in a row: a complex number has two parts


class Part:
    """A function of a range `%first` to `%last`, with a block of its own for what is written into it.

    Attributes:
        captures: registers of the caller, with their types and the names that they have inside.
        carries: the types and names of its own parameters, one for each array that the caller hands over.
        given: how many values it leaves in the row of its chunk.
    """

    first, last = "%first", "%last"

    def __init__(self, outside: Block) -> None:
        lowering = outside.lowering
        self.outside = outside
        self.code = Code(lowering.code.declarations)
        self.lowering = type(lowering)(self.code, failures=lowering.failures)
        self.lowering.is_part = True
        self.lowering.source = lowering.source
        self.top = type(outside)(self.lowering)
        self.lowering.blocks.append(self.top)
        self.captures: dict[str, tuple[str, str]] = {}
        self.roots: dict[Root, Root] = {}
        self.carries: list[tuple[str, str]] = []
        self.given = 0
        self.code.entry.append("entry:")
        self.name = f"part.{sum(name.startswith('part.') for name in self.code.declarations)}"

    # What comes from outside

    def register(self, text: str, type: str) -> str:
        """The name inside of a register outside; constants are the same."""
        if not text.startswith("%"):
            return text
        return self.captures.setdefault(text, (type, f"%c{len(self.captures)}"))[1]

    def numbers(self, registers: Sequence[str]) -> tuple[str, ...]:
        """Lengths, strides and the like."""
        return tuple(self.register(n, "i64") for n in registers)

    def capture(self, var: Var, value: Atom | None = None) -> None:
        """Have a variable mean inside what it means outside, or what another value means there."""
        atom = var if value is None else value
        if var.type.shape:
            self.top.bind(var, self.array(self.outside.array(atom)))
        else:
            self.top.bind(var, self.register(self.outside.scalar(atom), LLVM_TYPE[var.type.dtype]))

    def array(self, array: Array) -> Array:
        """An array of the caller's, inside."""
        if isinstance(array, Strided):
            return self.memory(array)
        lengths = self.numbers(array.lengths)
        if isinstance(array, Constant):
            return Constant(array.dtype, self.register(array.value, LLVM_TYPE[array.dtype]), lengths)
        assert isinstance(array, Counting | Undefined)
        return replace(array, lengths=lengths)

    def memory(self, array: Strided) -> Strided:
        pointer = self.register(array.pointer, "ptr")
        root = self.roots.setdefault(array.root, Root(pointer))
        lengths, strides = self.numbers(array.lengths), self.numbers(array.strides)
        return Strided(array.dtype, pointer, lengths, strides, root, array.whole)

    def carry(self, name: str) -> str:
        """A parameter for an array that the caller hands over."""
        self.carries.append(("ptr", name))
        return name

    def zeros(self, type: Type, name: str) -> Strided:
        """An array that is added to: the one that the caller hands over, or a new one where it hands over none."""
        code, lengths, pointer = self.code, self.top.lengths(type), self.carry(name)
        before, missing, there = code.block, code.label(), code.label()
        code.branch(code.op(f"icmp eq ptr {pointer}, null"), missing, there)
        code.start(missing)
        made = self.lowering.allocate(type.dtype, lengths, zeroed=True)
        after = code.block
        code.jump(there)
        code.start(there)
        memory = code.op(f"phi ptr [ {pointer}, %{before} ], [ {made}, %{after} ]")
        return whole(self.top, type.dtype, memory, lengths, self.top)

    # What it gives

    def give(self, type: str, value: str) -> int:
        """Leave a value in the row of the chunk; gives its place there."""
        self.code.do(f"store {type} {value}, ptr {word(self.code, '%given', SLOT_WORDS * self.given)}")
        self.given += 1
        return self.given - 1

    def finish(self, writes: bool) -> None:
        """Add the function to the module; `writes` says whether it writes into arrays that it captures."""
        code = self.code
        self.top.finish()
        code.do("ret i64 0")
        signature = ["ptr noalias %err", "ptr noalias %given", f"i64 {self.first}", f"i64 {self.last}"]
        signature += [f"{type} noalias {name}" for type, name in self.carries]
        only_read = "" if writes else " noalias readonly"
        signature += [f"{type}{only_read * (type == 'ptr')} {name}" for type, name in self.captures.values()]
        head = f"define internal i64 @{self.name}({', '.join(signature)}) nounwind noinline {{"
        lines = [head, *code.entry, *code.lines, *self.lowering.tails, *self.lowering.failing(), "}"]
        code.declare(self.name, "\n".join(lines))


class Chunks:
    """The call of a part for a range, in chunks.

    Attributes:
        handed: the arrays that the part carries, each with whether it is handed to the first chunk alone.
        wide: whether all processors serve where one thread is wanted.
    """

    def __init__(
        self, part: Part, trips: str, handed: Sequence[tuple[str, bool]], count: str, wide: bool = False
    ) -> None:
        self.part = part
        self.block = part.outside
        self.code = self.block.code
        self.trips = trips
        self.handed = handed
        self.count = count
        self.wide = wide or self.block.lowering.sharing.wide
        self.words = 1 + ERROR_WORDS + SLOT_WORDS * part.given
        self.rows = self.code.scratch("rows", MOST_CHUNKS * self.words)

    def run(self) -> None:
        """Run the part for the range: at once, or the chunks with a frame."""
        code, part = self.code, self.part
        at_once, in_chunks, done = code.label(), code.label(), code.label()
        code.branch(code.op(f"icmp eq i64 {self.count}, 1"), at_once, in_chunks)
        code.start(at_once)
        registers = [("ptr", pointer) for pointer, _ in self.handed]
        registers += [(type, register) for register, (type, _) in part.captures.items()]
        self.call_part(code, self.rows, "0", self.trips, registers)
        code.jump(done)
        code.start(in_chunks)
        self.fork()
        code.jump(done)
        code.start(done)

    def call_part(self, code: Code, row: str, first: str, last: str, values: Sequence[tuple[str, str]]) -> None:
        """Call the part for a range, and leave its status in a row."""
        for place in range(self.part.given):
            code.do(f"store ptr null, ptr {word(code, row, place_in_row(place))}")
        reported, given = word(code, row, 1), word(code, row, 1 + ERROR_WORDS)
        arguments = [("ptr", reported), ("ptr", given), ("i64", first), ("i64", last), *values]
        status = code.op(f"call i64 @{self.part.name}({', '.join(f'{type} {value}' for type, value in arguments)})")
        code.do(f"store i64 {status}, ptr {row}")

    def fork(self) -> None:
        """Fill the frame and run the chunks."""
        code = self.code
        values = [("i64", self.trips), ("i64", self.count), ("ptr", self.rows)]
        values += [("ptr", pointer) for pointer, _ in self.handed]
        values += [(type, register) for register, (type, _) in self.part.captures.items()]
        frame = code.scratch("frame", SLOT_WORDS * len(values))
        for k, (type, value) in enumerate(values):
            code.do(f"store {type} {value}, ptr {word(code, frame, SLOT_WORDS * k)}")
        chunk = self.define_chunk()
        threads.provide()
        name = f"adcore_fork_join{WIDE if self.wide else ''}"
        code.declare(name, threads.FUNCTIONS[name])
        code.do(f"call void @{name}(ptr @{chunk}, ptr {frame}, i64 {self.count})")

    def define_chunk(self) -> str:
        """Add the function that runs the part of one chunk; gives its name."""
        part = self.part
        code = Code(self.code.declarations)
        slots = [("i64", "%trips"), ("i64", "%chunks"), ("ptr", "%rows"), *part.carries, *part.captures.values()]
        for k, (type, name) in enumerate(slots):
            place = word(code, "%frame", SLOT_WORDS * k)
            code.do(f"{name} = load {type}, ptr {place}")
        is_first = code.op("icmp eq i64 %c, 0")
        carries = [
            code.op(f"select i1 {is_first}, ptr {name}, ptr null") if first_alone else name
            for (_, name), (_, first_alone) in zip(part.carries, self.handed, strict=True)
        ]
        each, rest = code.op("udiv i64 %trips, %chunks"), code.op("urem i64 %trips, %chunks")
        first = boundary(code, "%c", each, rest)
        last = boundary(code, code.op("add i64 %c, 1"), each, rest)
        own = row(code, "%rows", "%c", self.words)
        self.call_part(code, own, first, last, [*(("ptr", p) for p in carries), *part.captures.values()])
        name = part.name.replace("part", "chunk")
        head = f"define internal void @{name}(ptr %frame, i64 %c) nounwind {{"
        return code.declare(name, "\n".join([head, "entry:", *code.lines, "  ret void", "}"]))

    def fail_as_first(self, arrays: Sequence[int]) -> None:
        """Leave the function with the failure of the first chunk that failed, if one did.

        `arrays` are the places in the rows where chunks leave arrays, which are freed then.
        """
        code, lowering = self.code, self.block.lowering
        code.declare("llvm.memcpy.p0.p0.i64", "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
        code.declare("first.failure", FIRST_FAILURE)
        table = f"ptr {self.rows}, i64 {self.count}, i64 {self.words}"
        status = code.op(f"call i64 @first.failure({table}, ptr %err)")
        fine, failed, way_out = code.label(), code.label(), lowering.way_out()
        code.branch(code.op(f"icmp eq i64 {status}, 0"), fine, failed, ", !prof !0")
        code.start(failed)
        for place in arrays:
            lowering.use_memory()
            code.declare("release.all", RELEASE_ALL)
            slot = word(code, self.rows, place_in_row(place))
            code.do(f"call void @release.all(ptr {slot}, i64 {self.count}, i64 {self.words})")
        way_out.entries.append((status, code.block))
        code.jump(way_out.label)
        code.start(fine)

    def given(self, type: str, place: int, chunk: str) -> str:
        """What a chunk left in its row."""
        slot = word(self.code, self.rows, place_in_row(place))
        return self.code.op(f"load {type}, ptr {row(self.code, slot, chunk, self.words)}")


def chunks_of(block: Block, trips: str, effort: str, most: str = str(float(MOST_CHUNKS))) -> str:
    """How many chunks a range of so many operations has: one where there is little to do; `most` is a double."""
    code = block.code
    least = EFFORT if block.lowering.sharing.least is None else block.lowering.sharing.least
    if least:
        most = code.intrinsic("minnum", "double", most, code.op(f"fmul double {effort}, {SHARE / least!r}"))
    wanted = code.intrinsic("smin", "i64", trips, code.op(f"fptosi double {most} to i64"))
    worth = code.op(f"fcmp oge double {effort}, {float(least)!r}")
    return code.op(f"select i1 {worth}, i64 {code.intrinsic('smax', 'i64', wanted, '1')}, i64 1")


def boundary(code: Code, c: str, each: str, rest: str) -> str:
    """Where the c-th chunk begins: the first `rest` ones are longer by one."""
    longer = code.intrinsic("umin", "i64", c, rest)
    return code.op(f"add i64 {code.op(f'mul i64 {c}, {each}')}, {longer}")


def place_in_row(place: int) -> int:
    return 1 + ERROR_WORDS + SLOT_WORDS * place


def word(code: Code, pointer: str, number: int) -> str:
    return code.op(f"getelementptr i64, ptr {pointer}, i64 {number}")


def row(code: Code, pointer: str, c: str, words: int) -> str:
    """What a pointer into the row of the first chunk is in that of another."""
    return code.op(f"getelementptr i64, ptr {pointer}, i64 {code.op(f'mul i64 {c}, {words}')}")


FIRST_FAILURE = f"""
define internal i64 @first.failure(ptr %rows, i64 %chunks, i64 %words, ptr %err) nounwind {{
entry:
  br label %head
head:
  %c = phi i64 [ 0, %entry ], [ %next, %look ]
  %more = icmp ult i64 %c, %chunks
  br i1 %more, label %look, label %none
look:
  %next = add i64 %c, 1
  %offset = mul i64 %c, %words
  %row = getelementptr i64, ptr %rows, i64 %offset
  %status = load i64, ptr %row
  %fine = icmp eq i64 %status, 0
  br i1 %fine, label %head, label %failed
failed:
  %reported = getelementptr i64, ptr %row, i64 1
  call void @llvm.memcpy.p0.p0.i64(ptr %err, ptr %reported, i64 {8 * ERROR_WORDS}, i1 false)
  ret i64 %status
none:
  ret i64 0
}}"""

RELEASE_ALL = """
define internal void @release.all(ptr %slot, i64 %chunks, i64 %words) nounwind {
entry:
  br label %head
head:
  %c = phi i64 [ 0, %entry ], [ %next, %after ]
  %more = icmp ult i64 %c, %chunks
  br i1 %more, label %look, label %done
look:
  %next = add i64 %c, 1
  %offset = mul i64 %c, %words
  %place = getelementptr i64, ptr %slot, i64 %offset
  %pointer = load ptr, ptr %place
  %there = icmp ne ptr %pointer, null
  br i1 %there, label %release, label %after
release:
  call void @adcore_release(ptr %pointer)
  br label %after
after:
  br label %head
done:
  ret void
}"""
