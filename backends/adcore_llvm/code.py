"""LLVM assembly as text: numbered values, blocks, and the loops and constants that lowering writes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from adcore.types import DType, Lit

__all__ = ["LLVM_TYPE", "MEMORY_TYPE", "SIZE", "Code", "constant"]

_REAL = {DType.F32: "float", DType.F64: "double"}


def _type(dtype: DType) -> str:
    """The type of a value in registers: a complex number is the pair of its parts."""
    if dtype is DType.BOOL:
        return "i1"
    if dtype.complex:
        part = _REAL[dtype.real]
        return f"{{{part}, {part}}}"
    return _REAL.get(dtype, f"i{dtype.bits}")


LLVM_TYPE = {d: _type(d) for d in DType}
MEMORY_TYPE = {**LLVM_TYPE, DType.BOOL: "i8"}
SIZE = {d: d.bits // 8 for d in DType}

# Properties of loops
NOT_SEVERAL = '!"llvm.loop.unroll.runtime.disable"'  # a loop of unknown length does one iteration (or vector) at a time
NO_COPIES = '!"llvm.loop.unroll.disable"'  # of loops inside, which take time to compile and gain nothing
SUMS = '!"llvm.loop.interleave.count", i32 4'  # several vectors are added up at once, as one sum waits for the last
MASKED = '!"llvm.loop.vectorize.predicate.enable", i1 true'  # the last few elements are not done one by one

Hint = Callable[[], tuple[str, ...]]


def constant(lit: Lit) -> str:
    """A literal as LLVM writes it; floats by the bits of the double that they are."""
    value = lit.value
    if isinstance(value, complex):
        part = LLVM_TYPE[lit.dtype.real]
        return f"{{{part} {_float(value.real)}, {part} {_float(value.imag)}}}"
    if lit.dtype.kind == "f":
        return _float(value)
    if lit.dtype is DType.BOOL:
        return "true" if value else "false"
    return str(int(value))


def _float(value: float) -> str:
    (bits,) = struct.unpack("<Q", struct.pack("<d", float(value)))
    return f"0x{bits:016X}"


def known_float(operand: str) -> float | None:
    """The value of a float, where the operand is a literal."""
    return struct.unpack("<d", bytes.fromhex(operand[2:])[::-1])[0] if operand.startswith("0x") else None


class Code:
    """The body of one function under construction.  Values are named %1, %2, …; blocks L1, L2, …"""

    def __init__(self, declarations: dict[str, str] | None = None) -> None:
        self.lines: list[str] = []
        self.entry: list[str] = []  # allocas
        self.block = "entry"
        self._names = 0
        self.declarations: dict[str, str] = {} if declarations is None else declarations  # of the module
        self.vector_calls = 0  # of functions that have a vector variant
        self._scratch: dict[str, tuple[int, int]] = {}  # by its use: the line in `entry`, and how many words
        self.tags: dict[Any, str] = {}  # for loads and stores, by the memory that they touch
        self.other_tag = ""

    def name(self) -> str:
        self._names += 1
        return f"%v{self._names}"

    def label(self) -> str:
        self._names += 1
        return f"L{self._names}"

    def op(self, text: str) -> str:
        """An instruction with a result."""
        name = self.name()
        self.lines.append(f"  {name} = {text}")
        return name

    def do(self, text: str) -> None:
        """An instruction without one."""
        self.lines.append(f"  {text}")

    def start(self, label: str) -> None:
        self.lines.append(f"{label}:")
        self.block = label

    def jump(self, label: str) -> None:
        self.do(f"br label %{label}")

    def branch(self, condition: str, yes: str, no: str, weights: str = "") -> None:
        self.do(f"br i1 {condition}, label %{yes}, label %{no}{weights}")

    def declare(self, name: str, text: str) -> str:
        """Note an external symbol; gives its name."""
        self.declarations[name] = text
        return name

    def call(self, result: str, name: str, *arguments: tuple[str, str], attributes: str = "") -> str:
        """Call an external function, declaring it with the argument types."""
        types = ", ".join(t for t, _ in arguments)
        self.declare(name, f"declare {result} @{name}({types})")
        values = ", ".join(f"{t} {v}" for t, v in arguments)
        text = f"call {result} @{name}({values}){attributes}"
        if result == "void":
            self.do(text)
            return ""
        return self.op(text)

    def intrinsic(self, name: str, type: str, *arguments: str, suffix: str = "") -> str:
        return self.call(type, f"llvm.{name}.{suffix or _suffix(type)}", *((type, a) for a in arguments))

    def slot(self, type: str, init: str) -> str:
        """A variable in the stack frame, which the optimizer turns into registers."""
        name = self.name()
        self.entry.append(f"  {name} = alloca {type}")
        self.do(f"store {type} {init}, ptr {name}")
        return name

    def scratch(self, use: str, words: int) -> str:
        """Words of the stack frame for a use that needs them at one place of the function at a time."""
        place, most = self._scratch.get(use, (len(self.entry), 0))
        if place == len(self.entry):
            self.entry.append("")
        self._scratch[use] = place, max(words, most)
        self.entry[place] = f"  %{use} = alloca [{max(words, most)} x i64], align 16"
        return f"%{use}"

    # Metadata

    def node(self, fields: str, distinct: bool = False) -> str:
        """A node of metadata, of these fields after itself where it is a distinct one; gives its name."""
        name = f"!{len(self.declarations) + 1}"
        if distinct:
            self.declarations[name] = f"{name} = distinct !{{{name}, {fields}}}"
            return name
        text = f"!{{{fields}}}"
        return self.declarations.setdefault(text, f"{name} = {text}").partition(" ")[0]

    @contextmanager
    def apart(self, written: Iterable[Any]) -> Iterator[None]:
        """Say of loads and stores inside that memory which is written is shared with no other memory."""
        domain = self.node('!"nest"', distinct=True)
        scopes = {memory: self.node(domain, distinct=True) for memory in written}
        lists = {memory: self.node(scope) for memory, scope in scopes.items()}
        every = self.node(", ".join(scopes.values()))
        for memory, own in lists.items():
            others = ", ".join(s for m, s in scopes.items() if m is not memory)
            self.tags[memory] = f", !alias.scope {own}" + (f", !noalias {self.node(others)}" if others else "")
        self.other_tag = f", !noalias {every}" if scopes else ""
        try:
            yield
        finally:
            self.tags, self.other_tag = {}, ""

    def tag(self, memory: Any) -> str:
        """What loads and stores say of the memory that they touch."""
        return self.tags.get(memory, self.other_tag)

    # Integers

    def add(self, x: str, y: str) -> str:
        if x == "0":
            return y
        if y == "0":
            return x
        return self.op(f"add nsw i64 {x}, {y}")

    def mul(self, x: str, y: str) -> str:
        if x == "1":
            return y
        if y == "1":
            return x
        if "0" in (x, y):
            return "0"
        if x.isdigit() and y.isdigit() and int(x) * int(y) < 1 << 63:
            return str(int(x) * int(y))
        return self.op(f"mul nsw i64 {x}, {y}")

    def product(self, factors: list[str]) -> str:
        result = "1"
        for factor in factors:
            result = self.mul(result, factor)
        return result

    # Loops

    @contextmanager
    def counting(self, n: str, hint: Hint = tuple) -> Iterator[str]:
        """A loop `for i in range(n)` around what is written inside; gives i.  `hint` gives properties of the loop."""
        before, head, body, done = self.block, self.label(), self.label(), self.label()
        self.jump(head)
        self.start(head)
        i, following = self.name(), self.name()
        phi = len(self.lines)
        self.lines.append("")
        inside = self.op(f"icmp slt i64 {i}, {n}")
        self.branch(inside, body, done)
        self.start(body)
        yield i
        self.do(f"{following} = add nuw nsw i64 {i}, 1")
        self.lines[phi] = f"  {i} = phi i64 [ 0, %{before} ], [ {following}, %{self.block} ]"
        self.repeat(head, *hint())
        self.start(done)

    def repeat(self, head: str, *properties: str) -> None:
        """Jump back to the head of a loop that has these properties."""
        nodes = [self.node(each) for each in (NOT_SEVERAL, *properties)]
        self.do(f"br label %{head}, !llvm.loop {self.node(', '.join(nodes), distinct=True)}")

    def nest(self, lengths: list[str], body: Callable[[list[str]], None], hint: Hint = tuple) -> None:
        """Loops over an index space, the last axis innermost; `hint` is for that one."""
        last = max((k for k, n in enumerate(lengths) if n != "1"), default=0)
        around = () if not lengths or lengths[last].isdigit() else (NO_COPIES,)

        def level(indices: list[str]) -> None:
            if len(indices) == len(lengths):
                body(indices)
            elif lengths[len(indices)] == "1":
                level([*indices, "0"])
            else:
                with self.counting(lengths[len(indices)], hint if len(indices) == last else lambda: around) as i:
                    level([*indices, i])

        level([])


def _suffix(type: str) -> str:
    return {"double": "f64", "float": "f32"}.get(type, type)
