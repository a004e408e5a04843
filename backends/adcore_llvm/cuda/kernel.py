"""Kernels: functions that the threads of a device run, each for some of the numbers 0 … trips - 1.

    kernel(arguments…, status, arenas, capacity, trips)

Thread t of T runs the body for t, t + T, t + 2T, …; no thread waits for another one.  So a processor can run a kernel
too, one thread after the other, with the same results.

A number is passed by value, or as the address where the device has it; an array as the pointer to its elements, its
lengths, and its strides, counted in elements, unless it is C-contiguous.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from adcore.program import Equation
from adcore.types import DType, Lit, Type, Var

from ..code import LLVM_TYPE, Code, constant
from ..complexes import pair
from ..values import Root, Strided, load_at, row_major
from .arena import ARENA
from .lowering import DeviceBlock, DeviceLowering
from .module import REPORT_WORDS, Module

__all__ = ["Argument", "Body", "Kernel", "Layout"]


class Layout(Enum):
    """How a kernel is given a value."""

    NUMBER = "number"  # by value
    CELL = "cell"  # the address of a number
    WHOLE = "whole"  # an array in C order
    STRIDED = "strided"  # another array


@dataclass(frozen=True)
class Argument:
    """A value that a kernel is given, and how."""

    var: Var
    layout: Layout

    @property
    def type(self) -> Type:
        return self.var.type


@dataclass(eq=False)
class Kernel:
    """A kernel in LLVM assembly.

    Attributes:
        name: of the function.
        module: that it belongs to.
        body: the function that runs it for one number.
        parameters: the types of its parameters.
        arguments: the values that it is given, in their order.
        written: the arrays that it writes, each given as a pointer and lengths, after those.
        failures: how many failures there are before its own, and after them.
        allocates: whether its threads need memory of their own.
        local: the bytes of local memory that each thread has for that; 0 where the workspace is for it.
    """

    name: str
    module: Module
    body: str
    parameters: tuple[str, ...]
    arguments: tuple[Argument, ...]
    written: tuple[Var, ...]
    failures: tuple[int, int]
    allocates: bool
    local: int = 0

    @property
    def can_fail(self) -> bool:
        return self.allocates or self.failures[0] < self.failures[1]

    @property
    def text(self) -> str:
        """Its functions, without the one that is launched."""
        given = [(type, f"%a{k}") for k, type in enumerate(self.parameters[:-4])]
        sweep = _SWEEP.format(
            name=self.name,
            signature="".join(f", {type} {name}" for type, name in given),
            arena=ARENA,
            words=REPORT_WORDS,
            own=_LOCAL.format(size=self.local) if self.local else _SHARE,
            done=_PEAK.format(arena=ARENA) if self.allocates else "",
        )
        return f"{self.body}\n{sweep}"

    def in_local_memory(self, size: int) -> Kernel:
        """The kernel in a module of its own, with so many bytes of local memory for each thread.

        Local memory is laid out by words of 32 bits, thread beside thread, so that threads which write the same element
        of arrays of their own write to one line.
        """
        module = Module(self.module.failures, self.module.declarations)
        module.kernels.append(replace(self, module=module, local=size))
        return module.kernels[0]


@dataclass
class Body:
    """The body of a kernel under construction: a function of the number of a run.

    Attributes:
        number: the register of that number.
        following: that of the next one.
        block: where the body is emitted.
    """

    name: str
    arguments: Sequence[Argument]
    module: Module
    number: str = "%k"
    following: str = "%following"
    parameters: list[tuple[str, str]] = field(default_factory=list)
    written: list[Var] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.before = len(self.module.failures)
        self.lowering = DeviceLowering(Code(self.module.declarations), failures=self.module.failures)
        self.block = DeviceBlock(self.lowering)
        self.code.entry.append("entry:")
        for argument in self.arguments:
            self.take(argument)

    @property
    def code(self) -> Code:
        return self.lowering.code

    def parameter(self, type: str, qualities: str = "") -> str:
        name = f"%a{len(self.parameters)}"
        self.parameters.append((f"{type}{qualities}", name))
        return name

    # Arguments

    def take(self, argument: Argument) -> None:
        """Bind a value that the kernel is given."""
        type = argument.type
        if argument.layout is Layout.NUMBER:
            self.bind(argument.var, self.number_given(type.dtype))
        elif argument.layout is Layout.CELL:
            self.bind(argument.var, load_at(self.code, type.dtype, self.parameter("ptr", " noalias readonly")))
        else:
            self.bind(argument.var, self.array(type, argument.layout))

    def bind(self, var: Var, value: str | Strided) -> None:
        self.block.bind(var, value)
        if isinstance(value, Strided):
            for atom, length in zip(var.type.shape, value.lengths, strict=True):
                if isinstance(atom, Var):
                    self.block.values.setdefault(atom, length)

    def number_given(self, dtype: DType) -> str:
        if dtype.complex:
            part = LLVM_TYPE[dtype.real]
            return pair(self.code, dtype, self.parameter(part), self.parameter(part))
        if dtype is DType.BOOL:
            return self.code.op(f"icmp ne i8 {self.parameter('i8')}, 0")
        return self.parameter(LLVM_TYPE[dtype])

    def array(self, type: Type, layout: Layout) -> Strided:
        pointer = self.parameter("ptr", " noalias readonly")
        lengths = self.lengths(type)
        if layout is Layout.WHOLE:
            strides = row_major(self.code, lengths)
        else:
            strides = tuple(self.parameter("i64") for _ in type.shape)
        return Strided(type.dtype, pointer, lengths, strides, Root(pointer), whole=layout is Layout.WHOLE)

    def lengths(self, type: Type) -> tuple[str, ...]:
        given = [self.parameter("i64") for _ in type.shape]
        return tuple(constant(a) if isinstance(a, Lit) else n for a, n in zip(type.shape, given, strict=True))

    def target(self, var: Var) -> Strided:
        """An array that the kernel writes, as it is described to it."""
        pointer = self.parameter("ptr", " noalias")
        lengths = self.lengths(var.type)
        self.written.append(var)
        return Strided(var.type.dtype, pointer, lengths, row_major(self.code, lengths), Root(pointer), whole=True)

    def cell(self, var: Var) -> str:
        """The address where the kernel leaves a number."""
        self.written.append(var)
        return self.parameter("ptr", " noalias")

    # The whole

    def define(self, equations: list[Equation], results: Iterable[Var]) -> None:
        """Emit equations whose results are wanted; once, before anything else is emitted."""
        self.block.run(equations, tuple(results))

    def finish(self) -> Kernel:
        self.block.finish()
        code = self.code
        code.do("ret i64 0")
        signature = ["ptr noalias %err", "ptr noalias %arena", f"i64 {self.number}", f"i64 {self.following}"]
        signature += [f"{type} {name}" for type, name in self.parameters]
        head = f"define internal i64 @{self.name}.body({', '.join(signature)}) nounwind {{"
        body = "\n".join([head, *code.entry, *code.lines, *self.lowering.tails, *self.lowering.failing(), "}"])
        types = (*(type.partition(" ")[0] for type, _ in self.parameters), "ptr", "ptr", "i64", "i64")
        failures = (self.before, len(self.module.failures))
        kernel = Kernel(
            self.name,
            self.module,
            body,
            types,
            tuple(self.arguments),
            tuple(self.written),
            failures,
            self.lowering.allocates,
        )
        self.module.kernels.append(kernel)
        return kernel


_SWEEP = """
define internal void @{name}.sweep(i64 %thread, i64 %threads{signature}, ptr %status, ptr %arenas, i64 %capacity,
    i64 %trips) nounwind {{
entry:
  %err = alloca [{words} x i64]
  %arena = alloca {arena}
{own}
  %capacity_at = getelementptr {arena}, ptr %arena, i64 0, i32 1
  %top_at = getelementptr {arena}, ptr %arena, i64 0, i32 2
  %peak_at = getelementptr {arena}, ptr %arena, i64 0, i32 3
  store ptr %own, ptr %arena
  store i64 %capacity, ptr %capacity_at
  store i64 0, ptr %peak_at
  br label %head
head:
  %k = phi i64 [ %thread, %entry ], [ %next, %after ]
  %more = icmp slt i64 %k, %trips
  br i1 %more, label %run, label %done
run:
  %following = add nuw nsw i64 %k, 1
  store i64 0, ptr %top_at
  %failure = call i64 @{name}.body(ptr %err, ptr %arena, i64 %k, i64 %following{signature})
  %fine = icmp eq i64 %failure, 0
  br i1 %fine, label %after, label %failed, !prof !0
after:
  %next = add nuw nsw i64 %k, %threads
  br label %head
failed:
  call void @adcore_fail(ptr %status, i64 %k, i64 %failure, ptr %err)
  br label %done
done:{done}
  ret void
}}"""

_SHARE = """\
  %offset = mul i64 %thread, %capacity
  %own = getelementptr i8, ptr %arenas, i64 %offset"""

_LOCAL = """\
  %own = alloca [{size} x i8], align 16"""

_PEAK = """
  %most_at = getelementptr i64, ptr %status, i64 1
  %peak = load i64, ptr %peak_at
  %before = atomicrmw umax ptr %most_at, i64 %peak monotonic"""
