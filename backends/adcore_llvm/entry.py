"""The C-level entry point: Python objects in, compiled code, Python objects out.

It is a METH_FASTCALL | METH_KEYWORDS function, `(self, arguments, count, keyword names)`, whose self is the fallback:
an ordinary Python callable, which gets the arguments that are not exactly what the program was specialised on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adcore.plugins import ANY, Capture, Guard, Leaf, Spec, Static, Write
from adcore.program import Program
from adcore.types import DType, Lit, Type

from . import capi, memory
from .code import LLVM_TYPE, SIZE, Code, constant
from .lower import Lowering, lower_program
from .values import Root, Strided, row_major

__all__ = ["Input", "Module", "emit_module"]

Input = Spec | Capture

@dataclass
class Module:
    """LLVM assembly, the failures its code can report, and objects whose addresses it contains."""

    text: str
    failures: list[Any]
    keep: list[Any]


def emit_module(
    program: Program,
    inputs: tuple[Input, ...],
    result: Any,
    fail: Any,
    guards: tuple[Guard, ...] = (),
    writes: tuple[Write, ...] = (),
) -> Module:
    """The kernel of a program and its entry point.

    `inputs` says for each parameter what it is (a Spec is taken from the next argument, a Capture from its owner),
    `result` is the structure of what is returned; `fail(status, reported)` raises a failure; a call for which one of
    `guards` does not hold goes to the fallback.  `writes` says which arguments are written into.
    """
    kernel = Code()
    lowering = Lowering(kernel)
    header = _emit_kernel(program, lowering)
    entry = _Entry(program, inputs, result, fail, guards, writes)
    body = entry.emit()
    declarations = {**kernel.declarations, **entry.code.declarations}
    vectors = [name for name in declarations if name.startswith("_ZGV")]
    used = ""
    if vectors:
        list_ = ", ".join(f"ptr @{v}" for v in vectors)
        used = f'@llvm.compiler.used = appending global [{len(vectors)} x ptr] [{list_}], section "llvm.metadata"'
    text = "\n".join(
        [
            used,
            *declarations.values(),
            header,
            *kernel.entry,
            *kernel.lines,
            *lowering.tails,
            "}",
            *body,
            '!0 = !{!"branch_weights", i32 1048575, i32 1}',
        ]
    )
    return Module(text, lowering.failures, entry.keep)


# The kernel


def _emit_kernel(program: Program, lowering: Lowering) -> str:
    code = lowering.code
    code.entry.append("entry:")
    code.entry.append("  %status = alloca i64")
    signature = ["ptr noalias %err", "ptr noalias %out"]
    arguments: list[str | Strided] = []
    for k, param in enumerate(program.params):
        if not param.type.shape:
            signature.append(f"{LLVM_TYPE[param.type.dtype]} %a{k}")
            arguments.append(f"%a{k}")
            continue
        signature.append(f"ptr noalias readonly %a{k}")
        lengths = [f"%a{k}_{axis}" for axis in range(param.type.rank)]
        signature.extend(f"i64 {n}" for n in lengths)
        known = tuple(constant(a) if isinstance(a, Lit) else n for a, n in zip(param.type.shape, lengths, strict=True))
        arguments.append(
            Strided(param.type.dtype, f"%a{k}", known, row_major(code, known), Root(f"%a{k}"), whole=True)
        )
    results = lower_program(program, lowering, arguments)
    slot = 0
    for value, result in zip(results, program.results, strict=True):
        registers = [(LLVM_TYPE[result.type.dtype], value)] if isinstance(value, str) else [("ptr", value.pointer)]
        if isinstance(value, Strided):
            registers += [("i64", n) for n in value.lengths]
        for type, register in registers:
            place = code.op(f"getelementptr i64, ptr %out, i64 {slot}")
            code.do(f"store {type} {register}, ptr {place}")
            slot += 1
    code.do("ret i64 0")
    code.start("failed")
    code.do(f"ret i64 {code.op('load i64, ptr %status')}")
    return f"define internal i64 @kernel({', '.join(signature)}) nounwind {{"


# The entry point


def slots_of(type: Type) -> int:
    """How many words a result takes in the kernel's output."""
    return 1 + type.rank


class _Entry:
    def __init__(
        self,
        program: Program,
        inputs: tuple[Input, ...],
        result: Any,
        fail: Any,
        guards: tuple[Guard, ...],
        writes: tuple[Write, ...],
    ) -> None:
        self.guards = guards
        self.writes = writes
        self.program = program
        self.inputs = inputs
        self.result = result
        self.fail = fail
        self.code = Code()
        self.keep: list[Any] = [fail]

    def constant(self, thing: Any) -> str:
        """The address of a Python object, which is kept alive as long as the code."""
        self.keep.append(thing)
        return f"inttoptr (i64 {capi.address_of(thing)} to ptr)"

    def emit(self) -> list[str]:
        code = self.code
        code.entry.append("entry:")
        err, out = code.name(), code.name()
        words = sum(slots_of(r.type) for r in self.program.results)
        code.entry.append(f"  {err} = alloca [8 x i64]")
        code.entry.append(f"  {out} = alloca [{max(words, 1)} x i64]")
        count = sum(isinstance(i, Spec) for i in self.inputs)
        given = code.op("and i64 %count, 9223372036854775807")
        self.guard(code.op(f"icmp eq i64 {given}, {count}"))
        self.guard(code.op("icmp eq ptr %names, null"))
        for guard in self.guards:
            self.guard(self.same(self.captured(guard), guard.value))
        values = self.unbox_all()
        self.guard_writes(values)
        flat = [pair for value in values for pair in value]
        arguments = ", ".join([f"ptr {err}", f"ptr {out}", *(f"{t} {v}" for t, v in flat)])
        status = code.op(f"call i64 @kernel({arguments})")
        fine, failed = code.label(), code.label()
        code.branch(code.op(f"icmp eq i64 {status}, 0"), fine, failed, ", !prof !0")
        code.start(failed)
        self.raise_failure(status, err)
        code.start(fine)
        self.write_back(values, out)
        code.do(f"ret ptr {self.boxed(out)}")
        code.start("fallback")
        code.declare("PyObject_Vectorcall", "declare ptr @PyObject_Vectorcall(ptr, ptr, i64, ptr)")
        again = code.op("call ptr @PyObject_Vectorcall(ptr %self, ptr %arguments, i64 %count, ptr %names)")
        code.do(f"ret ptr {again}")
        code.start("broken")
        code.do("ret ptr null")
        head = "define ptr @entry(ptr %self, ptr %arguments, i64 %count, ptr %names) nounwind {"
        return [head, *code.entry, *code.lines, "}"]

    def guard(self, holds: str, otherwise: str = "fallback") -> None:
        code = self.code
        fine = code.label()
        code.branch(holds, fine, otherwise, ", !prof !0")
        code.start(fine)

    def field(self, thing: str, offset: int, type: str = "ptr") -> str:
        place = self.code.op(f"getelementptr i8, ptr {thing}, i64 {offset}")
        return self.code.op(f"load {type}, ptr {place}")

    def same(self, x: str, thing: Any) -> str:
        return self.code.op(f"icmp eq ptr {x}, {self.constant(thing)}")

    def call(self, name: str, result: str, *arguments: tuple[str, str]) -> str:
        return self.code.call(result, name, *arguments)

    # Arguments

    def unbox_all(self) -> list[list[tuple[str, str]]]:
        """For each parameter its registers: a number, or pointer and lengths of an array."""
        values: list[list[tuple[str, str]]] = []
        written = {w.param for w in self.writes if w.result is not None}
        position = 0
        for k, given in enumerate(self.inputs):
            if isinstance(given, Spec):
                place = self.code.op(f"getelementptr ptr, ptr %arguments, i64 {position}")
                thing = self.code.op(f"load ptr, ptr {place}")
                position += 1
                values.append(self.unboxed(thing, given))
                if k in written:
                    flags = self.code.op(f"and i32 {self.field(thing, capi.ARRAY_FLAGS, 'i32')}, {capi.WRITEABLE}")
                    self.guard(self.code.op(f"icmp ne i32 {flags}, 0"))
            else:
                values.append(self.unboxed(self.captured(given), given.spec))
        return values

    def guard_writes(self, values: list[list[tuple[str, str]]]) -> None:
        """What is written into shares no memory with any other array."""
        code = self.code
        if not self.writes:
            return
        spans = {k: self.span(k, value) for k, value in enumerate(values) if self.program.params[k].type.shape}
        for write in self.writes:
            begin, end = spans[write.param]
            for k, (other, its_end) in spans.items():
                if k != write.param:
                    before, after = code.op(f"icmp ule i64 {end}, {other}"), code.op(f"icmp ule i64 {its_end}, {begin}")
                    self.guard(code.op(f"or i1 {before}, {after}"))

    def span(self, k: int, value: list[tuple[str, str]]) -> tuple[str, str]:
        """Where the memory of an array begins and ends, as integers."""
        code = self.code
        begin = code.op(f"ptrtoint ptr {value[0][1]} to i64")
        return begin, code.add(begin, self.size(k, value))

    def size(self, k: int, value: list[tuple[str, str]]) -> str:
        """The bytes of an array."""
        return self.code.mul(self.code.product([n for _, n in value[1:]]), str(SIZE[self.program.params[k].type.dtype]))

    def write_back(self, values: list[list[tuple[str, str]]], out: str) -> None:
        """Arguments that are written into get their new contents."""
        code = self.code
        for write in self.writes:
            if write.result is None:
                continue
            code.declarations.update(memory.functions())
            code.declare("llvm.memcpy.p0.p0.i64", "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
            slot = sum(slots_of(r.type) for r in self.program.results[: write.result])
            new = code.op(f"load ptr, ptr {code.op(f'getelementptr i64, ptr {out}, i64 {slot}')}")
            place, size = values[write.param][0][1], self.size(write.param, values[write.param])
            code.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {place}, ptr {new}, i64 {size}, i1 false)")
            code.do(f"call void @release(ptr {new})")

    def captured(self, capture: Capture | Guard) -> str:
        """The object that a closure cell or a dict of globals holds now."""
        code = self.code
        if isinstance(capture.owner, dict):
            thing = self.call(
                "PyDict_GetItemWithError",
                "ptr",
                ("ptr", self.constant(capture.owner)),
                ("ptr", self.constant(capture.name)),
            )
        else:
            cell = code.op(f"getelementptr i8, ptr {self.constant(capture.owner)}, i64 {capi.CELL_CONTENTS}")
            thing = code.op(f"load ptr, ptr {cell}")
        self.guard(code.op(f"icmp ne ptr {thing}, null"))
        return thing

    def unboxed(self, thing: str, spec: Spec) -> list[tuple[str, str]]:
        if spec.shape:
            return self.unboxed_array(thing, spec)
        return [(LLVM_TYPE[spec.dtype], self.unboxed_scalar(thing, spec))]

    def unboxed_scalar(self, thing: str, spec: Spec) -> str:
        code = self.code
        if spec.python and spec.dtype is DType.BOOL:
            yes = self.same(thing, True)
            self.guard(code.op(f"or i1 {yes}, {self.same(thing, False)}"))
            return yes
        type = {DType.F64: float, DType.I64: int}[spec.dtype] if spec.python else capi.NUMPY_SCALARS[spec.dtype]
        self.guard(self.same(self.field(thing, capi.OB_TYPE), type))
        if spec.python and spec.dtype is DType.I64:
            overflow = code.slot("i32", "0")
            value = self.call("PyLong_AsLongLongAndOverflow", "i64", ("ptr", thing), ("ptr", overflow))
            self.guard(code.op(f"icmp eq i32 {code.op(f'load i32, ptr {overflow}')}, 0"))
            return value
        if spec.dtype is DType.BOOL:
            return code.op(f"icmp ne i8 {self.field(thing, capi.FLOAT_VALUE, 'i8')}, 0")
        return self.field(thing, capi.FLOAT_VALUE, LLVM_TYPE[spec.dtype])

    def unboxed_array(self, thing: str, spec: Spec) -> list[tuple[str, str]]:
        code = self.code
        self.guard(self.same(self.field(thing, capi.OB_TYPE), capi.np.ndarray))
        self.guard(self.same(self.field(thing, capi.ARRAY_DESCR), spec.dtype.numpy))
        rank = self.field(thing, capi.ARRAY_NDIM, "i32")
        self.guard(code.op(f"icmp eq i32 {rank}, {len(spec.shape)}"))
        flags = code.op(f"and i32 {self.field(thing, capi.ARRAY_FLAGS, 'i32')}, {capi.C_CONTIGUOUS_ALIGNED}")
        self.guard(code.op(f"icmp eq i32 {flags}, {capi.C_CONTIGUOUS_ALIGNED}"))
        values = [("ptr", self.field(thing, capi.ARRAY_DATA))]
        dimensions = self.field(thing, capi.ARRAY_DIMENSIONS)
        for axis, wanted in enumerate(spec.shape):
            length = self.field(dimensions, 8 * axis, "i64")
            if wanted != ANY:
                comparison = "ne i64 {}, 1" if wanted is None else f"eq i64 {{}}, {wanted}"
                self.guard(code.op(f"icmp {comparison.format(length)}"))
            values.append(("i64", length))
        return values

    # Results

    def boxed(self, out: str) -> str:
        code = self.code
        things: list[str] = []
        slot = 0
        for result in self.program.results[: self.returned()]:
            place = code.op(f"getelementptr i64, ptr {out}, i64 {slot}")
            box = self.boxed_array if result.type.shape else self.boxed_scalar
            things.append(box(place, result.type))
            slot += slots_of(result.type)
        return self.structure(self.result, things)

    def returned(self) -> int:
        """How many of the program's results are returned: those that are written back come after them."""
        return min((w.result for w in self.writes if w.result is not None), default=len(self.program.results))

    def boxed_scalar(self, place: str, type: Type) -> str:
        dtype = type.dtype
        value = self.code.op(f"load {LLVM_TYPE[dtype]}, ptr {place}")
        if dtype is DType.F64:
            thing = self.call("PyFloat_FromDouble", "ptr", ("double", value))
        elif dtype is DType.I64:
            thing = self.call("PyLong_FromLongLong", "ptr", ("i64", value))
        else:
            thing = self.call("PyBool_FromLong", "ptr", ("i64", self.code.op(f"zext i1 {value} to i64")))
        self.guard(self.code.op(f"icmp ne ptr {thing}, null"), "broken")
        return thing

    def boxed_array(self, place: str, type: Type) -> str:
        """A NumPy array that owns the kernel's memory, which is malloc's, as NumPy's default is."""
        code = self.code
        data = code.op(f"load ptr, ptr {place}")
        dimensions = code.op(f"getelementptr i64, ptr {place}, i64 1")
        descr = self.constant(type.dtype.numpy)
        self.call("Py_IncRef", "void", ("ptr", descr))
        new = f"inttoptr (i64 {capi.numpy_function(capi.NEW_FROM_DESCR)} to ptr)"
        array = code.op(
            f"call ptr {new}(ptr {self.constant(capi.np.ndarray)}, ptr {descr}, i32 {type.rank}, ptr {dimensions}, "
            f"ptr null, ptr {data}, i32 {capi.CARRAY}, ptr null)"
        )
        self.guard(code.op(f"icmp ne ptr {array}, null"), "broken")
        flags = code.op(f"getelementptr i8, ptr {array}, i64 {capi.ARRAY_FLAGS}")
        owned = code.op(f"or i32 {code.op(f'load i32, ptr {flags}')}, {capi.OWNDATA}")
        code.do(f"store i32 {owned}, ptr {flags}")
        return array

    def structure(self, result: Any, things: list[str]) -> str:
        """Tuples built of the results; anything else in the structure is a constant."""
        code = self.code
        if isinstance(result, Leaf):
            return things[result.index]
        if isinstance(result, tuple):
            built = self.call("PyTuple_New", "ptr", ("i64", str(len(result))))
            self.guard(code.op(f"icmp ne ptr {built}, null"), "broken")
            for k, part in enumerate(result):
                item = self.structure(part, things)
                self.call("PyTuple_SetItem", "i32", ("ptr", built), ("i64", str(k)), ("ptr", item))
            return built
        value = self.constant(result.value if isinstance(result, Static) else result)
        self.call("Py_IncRef", "void", ("ptr", value))
        return value

    def raise_failure(self, status: str, err: str) -> None:
        code = self.code
        number = self.call("PyLong_FromLongLong", "ptr", ("i64", status))
        words = self.call("PyBytes_FromStringAndSize", "ptr", ("ptr", err), ("i64", "64"))
        code.declare("PyObject_CallFunctionObjArgs", "declare ptr @PyObject_CallFunctionObjArgs(ptr, ...)")
        raised = code.op(
            f"call ptr (ptr, ...) @PyObject_CallFunctionObjArgs(ptr {self.constant(self.fail)}, ptr {number}, "
            f"ptr {words}, ptr null)"
        )
        self.call("Py_DecRef", "void", ("ptr", number))
        self.call("Py_DecRef", "void", ("ptr", words))
        code.do(f"ret ptr {raised}")
