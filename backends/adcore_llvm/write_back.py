"""Arguments that the function writes into: tested before the call, filled with their new contents after it."""

from __future__ import annotations

from collections.abc import Sequence

from adcore.plugins import Write
from adcore.program import Program
from adcore.types import Type

from . import memory
from .boxing import slots_of
from .code import SIZE
from .python_code import PythonCode
from .unboxing import Registers

__all__ = ["guard_writes", "write_back"]


def guard_writes(py: PythonCode, program: Program, writes: Sequence[Write], values: list[Registers]) -> None:
    """What is written into shares no memory with any other array."""
    code = py.code
    if not writes:
        return
    spans = {
        k: span(py, program.params[k].type, value) for k, value in enumerate(values) if program.params[k].type.shape
    }
    for write in writes:
        begin, end = spans[write.param]
        for k, (other, its_end) in spans.items():
            if write.meets(k):
                before, after = code.op(f"icmp ule i64 {end}, {other}"), code.op(f"icmp ule i64 {its_end}, {begin}")
                py.guard(code.op(f"or i1 {before}, {after}"))


def span(py: PythonCode, type: Type, value: Registers) -> tuple[str, str]:
    """Where the memory of an array begins and ends, as integers."""
    code = py.code
    begin = code.op(f"ptrtoint ptr {value[0][1]} to i64")
    return begin, code.add(begin, size(py, type, value))


def size(py: PythonCode, type: Type, value: Registers) -> str:
    """The bytes of an array."""
    return py.code.mul(py.code.product([n for _, n in value[1:]]), str(SIZE[type.dtype]))


def write_back(py: PythonCode, program: Program, writes: Sequence[Write], values: list[Registers], out: str) -> None:
    """Arguments that are written into get their new contents."""
    code = py.code
    for write in writes:
        if write.result is None:
            continue
        memory.provide()
        code.declarations.update(memory.FUNCTIONS)
        code.declare("llvm.memcpy.p0.p0.i64", "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
        slot = sum(slots_of(r.type) for r in program.results[: write.result])
        new = code.op(f"load ptr, ptr {code.op(f'getelementptr i64, ptr {out}, i64 {slot}')}")
        place = values[write.param][0][1]
        count = size(py, program.params[write.param].type, values[write.param])
        code.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {place}, ptr {new}, i64 {count}, i1 false)")
        code.do(f"call void @adcore_release(ptr {new})")
