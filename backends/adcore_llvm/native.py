"""Programs as the C functions that users declare: parameters by value and by pointer, results in the caller's memory.

The body gives 0 or the number of a failure.  Around it is the function that C calls, which returns the status or a
result; after a failure it leaves NaN where results should be, and a record of the failure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from adcore.native.plans import Element, Frozen, Given, Into, Made, Native, Parameter, Returned
from adcore.passes.inline import inline_customs
from adcore.types import DType, Lit, Var

from .code import LLVM_TYPE, SIZE, Code, constant
from .complexes import pair
from .kernels import refuse_python
from .lower import Block, Lowering, begun
from .nests import copy_elements
from .scalar import cast
from .targets import machine
from .values import Array, Root, Strided, Undefined, load, load_at, row_major, store, store_at

__all__ = ["Record", "emit_native"]

NAN = float("nan")
Record = Callable[[Code, str, str], None]  # notes a failure: its number, and the address of what it reports


def emit_native(
    native: Native, name: str, code: Code, record: Record, embed: Callable[[np.ndarray], str]
) -> tuple[Lowering, str]:
    """The text of the C function, called `name`, for a module with the declarations of `code`; how it was lowered.

    `embed` gives the address of a frozen array's elements.

    Raises:
        UnsupportedFunctionError: the program calls Python.
    """
    lowering = Lowering(code)
    lowering.is_part = True  # whoever calls it may be one of several threads
    body = _Body(native, lowering, embed).emit(name)
    return lowering, f"{body}\n{_outside(native, name, Code(code.declarations), record)}"


def _parameters(native: Native) -> list[str]:
    return [f"{_c_type(p)} %p{k}" for k, p in enumerate(native.declaration.parameters)]


def _c_type(parameter: Parameter) -> str:
    """The type of a parameter, with what the caller does to widen it."""
    if parameter.pointer or parameter.dtype is None:
        return "ptr"
    return _passed(parameter.dtype)


def _passed(dtype: DType) -> str:
    if dtype is DType.BOOL:
        return "i8 zeroext"
    if dtype.kind in "iu" and dtype.bits < 64:
        widened = machine()  # RISC-V's callers extend 32 bits by the sign, whatever they mean
        by_sign = dtype.kind == "i" or (dtype.bits == 32 and widened is not None and "riscv" in widened.triple)
        extension = "signext" if by_sign else "zeroext"
        return f"i{dtype.bits} {extension}"
    return LLVM_TYPE[dtype]


def _returned(dtype: DType | None) -> tuple[str, str]:
    """The type of what is returned: with what the callee does to widen it, and alone."""
    if dtype is None:
        return "void", "void"
    type, _, extension = _passed(dtype).partition(" ")
    return f"{extension} {type}".strip(), type


def _number(code: Code, parameter: Parameter, register: str) -> str:
    """A number that is passed by value."""
    return code.op(f"icmp ne i8 {register}, 0") if parameter.dtype is DType.BOOL else register


def _length(code: Code, native: Native, length: int | str) -> str:
    if isinstance(length, int):
        return str(length)
    for k, parameter in enumerate(native.declaration.parameters):
        if parameter.name == length and parameter.dtype is not None:
            return cast(code, parameter.dtype, DType.I64, f"%p{k}")
    raise KeyError(length)


class _Body:
    """The function inside, of what failures report, the memory for what is returned, and the C parameters."""

    def __init__(self, native: Native, lowering: Lowering, embed: Callable[[np.ndarray], str]) -> None:
        self.native = native
        self.lowering = lowering
        self.code = lowering.code
        self.embed = embed
        self.lengths: dict[str, str] = {}

    def emit(self, name: str) -> str:
        native, code, lowering = self.native, self.code, self.lowering
        program = inline_customs(native.program)
        refuse_python(program)
        code.entry.append("entry:")
        self.read_lengths()
        pairs = zip(native.arguments, program.params, strict=True)
        arguments = [self.argument(place, param) for place, param in pairs]
        block = begun(program, lowering, arguments)
        self.give(block, program.results)
        block.finish()
        code.do("ret i64 0")
        parameters = ", ".join(["ptr noalias %err", "ptr noalias %value", *_parameters(native)])
        head = f"define internal i64 @{name}.body({parameters}) nounwind {{"
        return "\n".join([head, *code.entry, *code.lines, *lowering.tails, *lowering.failing(), "}"])

    # Arguments

    def read_lengths(self) -> None:
        declared = self.native.declaration
        for name in dict.fromkeys(n for p in declared.parameters for n in p.lengths if isinstance(n, str)):
            self.lengths[name] = _length(self.code, self.native, name)
            enough = self.code.op(f"icmp sge i64 {self.lengths[name]}, 0")
            message = f"the length {name} is {{0}}"
            self.lowering.fail_unless(enough, "ValueError", message, [(self.lengths[name], DType.I64)])
        for parameter_index, of in {(e.index, e.of) for e in self.native.arguments if isinstance(e, Element)}:
            length = self.axes(declared.parameters[parameter_index])[0]
            fits = self.code.op(f"icmp eq i64 {length}, {of}")
            message = f"{self.native.name} takes {of} numbers, and is given {{0}}"
            self.lowering.fail_unless(fits, "TypeError", message, [(length, DType.I64)])

    def axes(self, parameter: Parameter) -> tuple[str, ...]:
        return tuple(str(n) if isinstance(n, int) else self.lengths[n] for n in parameter.lengths)

    def argument(self, place: Given | Element | Frozen, param: Var) -> str | Strided:
        code = self.code
        if isinstance(place, Frozen):
            return self.frozen(place.value, param)
        parameter = self.native.declaration.parameters[place.index]
        assert parameter.dtype is not None
        register = f"%p{place.index}"
        if param.type.shape:
            return self.whole(register, parameter)
        if isinstance(place, Element):
            at = code.op(f"getelementptr {_stored(parameter.dtype)}, ptr {register}, i64 {place.position}")
            value = load_at(code, parameter.dtype, at)
        elif parameter.pointer:
            value = load_at(code, parameter.dtype, register)
        else:
            value = _number(code, parameter, register)
        return cast(code, parameter.dtype, param.type.dtype, value)

    def whole(self, pointer: str, parameter: Parameter) -> Strided:
        """The array that a parameter points to."""
        assert parameter.dtype is not None
        lengths = self.axes(parameter)
        strides = row_major(self.code, lengths)
        return Strided(parameter.dtype, pointer, lengths, strides, Root(pointer), whole=True)

    def frozen(self, value: Any, param: Var) -> str | Strided:
        dtype = param.type.dtype
        if not param.type.shape:
            return constant(Lit(value.item() if isinstance(value, np.generic) else value, dtype))
        pointer = self.embed(value)
        lengths = tuple(str(n) for n in value.shape)
        return Strided(dtype, pointer, lengths, row_major(self.code, lengths), Root(pointer), whole=True)

    # Results

    def give(self, block: Block, results: Any) -> None:
        """Leave the results where they belong: all are there, and apart from the caller's memory, before one is."""
        found: list[tuple[Any, Any, str | Array]] = []
        for place, result in zip(self.native.results, results, strict=True):
            if not result.type.shape:
                found.append((place, result, block.scalar(result)))
            elif isinstance(place, Made):
                found.append((place, result, block.handed_over(block.array(result))))
            else:
                assert isinstance(place, Into)
                self.check_lengths(block, place.index, result)
                found.append((place, result, self.apart(block, block.array(result))))
        for place, result, value in found:
            self.put(block, place, result, value)

    def apart(self, block: Block, array: Array) -> Array:
        """The array in memory of its own, if it is in memory."""
        return block.copied(array) if isinstance(array, Strided) and array.root.owner is None else array

    def check_lengths(self, block: Block, index: int, result: Any) -> None:
        parameter = self.native.declaration.parameters[index]
        for axis, (has, wanted) in enumerate(
            zip(block.lengths(result.type), self.axes(parameter), strict=True),
        ):
            if has == wanted:
                continue
            same = self.code.op(f"icmp eq i64 {has}, {wanted}")
            message = f"the result {parameter.name} has length {{0}} along axis {axis}, and there is memory for {{1}}"
            self.lowering.fail_unless(same, "ValueError", message, [(has, DType.I64), (wanted, DType.I64)])

    def put(self, block: Block, place: Any, result: Any, value: str | Array) -> None:
        code, dtype = self.code, result.type.dtype
        if isinstance(place, Returned):
            returns = self.native.declaration.returns
            assert isinstance(value, str)
            assert returns is not None
            store_at(code, returns, cast(code, dtype, returns, value), "%value")
            return
        parameter = self.native.declaration.parameters[place.index]
        target = f"%p{place.index}"
        assert parameter.dtype is not None
        if isinstance(value, str):
            store_at(code, parameter.dtype, cast(code, dtype, parameter.dtype, value), target)
        elif isinstance(place, Made):
            assert isinstance(value, Strided)
            code.do(f"store ptr {value.pointer}, ptr {target}")
            for axis, length in enumerate(value.lengths):
                code.do(f"store i64 {length}, ptr %p{place.index + 1 + axis}")
        elif not isinstance(value, Undefined):
            _copy(block, value, self.whole(target, parameter))


def _stored(dtype: DType) -> str:
    return "i8" if dtype is DType.BOOL else LLVM_TYPE[dtype]


def _copy(block: Block, source: Array, target: Strided) -> None:
    code = block.code
    if isinstance(source, Strided) and source.whole:
        size = code.mul(code.product(list(source.lengths)), str(SIZE[source.dtype]))
        code.declare("llvm.memcpy.p0.p0.i64", "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
        code.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {target.pointer}, ptr {source.pointer}, i64 {size}, i1 false)")
    elif isinstance(source, Strided):
        copy_elements(block, source, target)
    else:
        code.nest(list(source.lengths), lambda ix: store(code, target, ix, load(code, source, ix)))


def _outside(native: Native, name: str, code: Code, record: Record) -> str:
    """The function that C calls."""
    declared = native.declaration
    extended, type = _returned(declared.returns)
    value, err = code.name(), code.name()
    code.entry += ["entry:", f"  {err} = alloca [8 x i64]", f"  {value} = alloca [2 x i64]"]
    passed = [f"ptr {err}", f"ptr {value}", *_parameters(native)]
    status = code.op(f"call i64 @{name}.body({', '.join(passed)})")
    fine, failed = code.label(), code.label()
    code.branch(code.op(f"icmp eq i64 {status}, 0"), fine, failed, ", !prof !0")
    code.start(fine)
    _return(code, native, type, "0", value)
    code.start(failed)
    record(code, status, err)
    _spoil(code, native)
    _return(code, native, type, status, "")
    parameters = ", ".join(_parameters(native))
    head = f"define {extended} @{name}({parameters}) nounwind {{"
    return "\n".join([head, *code.entry, *code.lines, "}"])


def _return(code: Code, native: Native, type: str, status: str, value: str) -> None:
    """Return the status, or what is at the address `value`; without one what stands for nothing."""
    declared = native.declaration
    if declared.returns is None:
        code.do("ret void")
    elif native.status and declared.success:
        code.do(f"ret {type} {declared.success if value else 0}")
    elif native.status:
        code.do(f"ret {type} {cast(code, DType.I64, declared.returns, status)}")
    elif value:
        code.do(f"ret {type} {code.op(f'load {type}, ptr {value}')}")
    else:
        code.do(f"ret {type} {_nothing(code, declared.returns)}")


def _nothing(code: Code, dtype: DType) -> str:
    """What stands for a number that there is not: NaN, or the least number."""
    if dtype.complex:
        part = constant(Lit(NAN, dtype.real))
        return pair(code, dtype, part, part)
    if dtype.kind == "f":
        return constant(Lit(NAN, dtype))
    return "0" if dtype.kind in "bu" else str(-(1 << (dtype.bits - 1)))


def _spoil(code: Code, native: Native) -> None:
    """Leave NaN in the results, and null where memory would be that the function allocates."""
    for index in sorted({place.index for place in native.results if not isinstance(place, Returned)}):
        parameter = native.declaration.parameters[index]
        assert parameter.dtype is not None
        if parameter.made:
            code.do(f"store ptr null, ptr %p{index}")
        elif parameter.dtype.kind in "fc":
            lengths = tuple(_length(code, native, n) for n in parameter.lengths)
            array = Strided(parameter.dtype, f"%p{index}", lengths, row_major(code, lengths), Root(f"%p{index}"))
            nothing = _nothing(code, parameter.dtype)
            code.nest(list(lengths), lambda ix, a=array, x=nothing: store(code, a, ix, x))
