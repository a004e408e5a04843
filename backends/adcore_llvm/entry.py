"""The C-level entry point: Python objects in, compiled code, Python objects out.

It is a METH_FASTCALL | METH_KEYWORDS function, `(self, arguments, count, keyword names)`, whose self is the fallback:
an ordinary Python callable, which gets the arguments that are not exactly what the program was specialised on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adcore.passes.inline import inline_customs
from adcore.plugins import Capture, Guard, Write
from adcore.program import Program
from adcore.threads import Sharing
from adcore.types import Type

from . import symbols
from .boxing import boxed, slots_of
from .code import Code
from .engine import NAME
from .kernels import assembly_of, emit_function
from .lower import Lowering
from .python_code import TABLE, PythonCode
from .unboxing import unboxed_all
from .write_back import guard_writes, write_back

__all__ = ["Module", "emit_module"]


@dataclass
class Module:
    """LLVM assembly, the failures its code can report, its table of addresses, and the symbols that it needs."""

    text: str
    failures: list[Any]
    table: list[Any]
    needs: symbols.Needs


def emit_module(
    program: Program,
    inputs: tuple[Any, ...],
    result: Any,
    guards: tuple[Guard, ...] = (),
    writes: tuple[Write, ...] = (),
    sharing: Sharing | None = None,
) -> Module:
    """The kernel of a program and its entry point.

    `inputs` are the structures of the arguments, then captures; `result` is the structure of what is returned; a call
    for which one of `guards` does not hold goes to the fallback.  `writes` says which arguments are written into,
    and `sharing` which loops several threads run.
    """
    program = inline_customs(program)
    kernel = Code()
    lowering = Lowering(kernel, sharing)
    function = emit_function(program, lowering, "internal", "kernel")
    entry = _Entry(program, inputs, result, guards, writes, Code(kernel.declarations))
    body = entry.emit()
    declarations = kernel.declarations
    table = f"@{TABLE} = global [{max(len(entry.py.table), 1)} x ptr] zeroinitializer"
    text = assembly_of(declarations, table, function, *body)
    return Module(text, lowering.failures, entry.py.table, symbols.needs_of(declarations))


# The entry point


class _Entry:
    def __init__(
        self,
        program: Program,
        inputs: tuple[Any, ...],
        result: Any,
        guards: tuple[Guard, ...],
        writes: tuple[Write, ...],
        code: Code,
    ) -> None:
        self.guards = guards
        self.writes = writes
        self.program = program
        self.inputs = inputs
        self.result = result
        self.py = PythonCode(code)

    def emit(self) -> list[str]:
        py, code = self.py, self.py.code
        code.entry.append("entry:")
        err, out = code.name(), code.name()
        words = sum(slots_of(r.type) for r in self.program.results)
        code.entry.append(f"  {err} = alloca [8 x i64]")
        code.entry.append(f"  {out} = alloca [{max(words, 1)} x i64]")
        count = sum(not isinstance(i, Capture) for i in self.inputs)
        given = code.op("and i64 %count, 9223372036854775807")
        py.guard(code.op(f"icmp eq i64 {given}, {count}"))
        py.guard(code.op("icmp eq ptr %names, null"))
        for guard in self.guards:
            py.guard(py.code.op(f"icmp eq ptr {py.captured(guard)}, {py.guarded(guard)}"))
        values = unboxed_all(py, self.inputs, self.writes)
        guard_writes(py, self.program, self.writes, values)
        flat = [pair for value in values for pair in value]
        arguments = ", ".join([f"ptr {err}", f"ptr {out}", *(f"{t} {v}" for t, v in flat)])
        status = code.op(f"call i64 @kernel({arguments})")
        fine, failed = code.label(), code.label()
        code.branch(code.op(f"icmp eq i64 {status}, 0"), fine, failed, ", !prof !0")
        code.start(failed)
        self.raise_failure(status, err)
        code.start(fine)
        write_back(py, self.program, self.writes, values, out)
        code.do(f"ret ptr {boxed(py, self.returned(), self.result, out)}")
        code.lines += py.ways_out
        code.start("missing")
        py.call("PyErr_Clear", "void")
        code.jump("fallback")
        code.start("fallback")
        code.declare("PyObject_Vectorcall", "declare ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)")
        again = code.op("call ptr @PyObject_Vectorcall(ptr %self, ptr %arguments, i64 %count, ptr %names)")
        code.do(f"ret ptr {again}")
        code.start("broken")
        code.do("ret ptr null")
        head = f"define ptr @{NAME}(ptr %self, ptr %arguments, i64 %count, ptr %names) nounwind {{"
        return [head, *code.entry, *code.lines, "}"]

    def returned(self) -> list[Type]:
        """The types of the results that are returned: those that are written back come after them."""
        count = min((w.result for w in self.writes if w.result is not None), default=len(self.program.results))
        return [r.type for r in self.program.results[:count]]

    def raise_failure(self, status: str, err: str) -> None:
        py, code = self.py, self.py.code
        number = py.call("PyLong_FromLongLong", "ptr", ("i64", status))
        words = py.call("PyBytes_FromStringAndSize", "ptr", ("ptr", err), ("i64", "64"))
        code.declare("PyObject_CallFunctionObjArgs", "declare ptr @PyObject_CallFunctionObjArgs(ptr, ...)")
        arguments = f"ptr {py.special('fail')}, ptr {number}, ptr {words}, ptr null"
        raised = code.op(f"call ptr (ptr, ...) @PyObject_CallFunctionObjArgs({arguments})")
        py.release(number)
        py.release(words)
        py.release_all()
        code.do(f"ret ptr {raised}")
