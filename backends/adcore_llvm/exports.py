"""Libraries: C functions in object files that need nothing of Python, of SciPy and of NumPy.

What a function's last failure in a thread was is kept there, so that `<name>_message` can tell what was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np

from adcore.errors import UnsupportedFunctionError
from adcore.native.plans import Library, Made, Native, Target
from adcore.passes.inline import inline_customs
from adcore.primitives import Kind
from adcore.primitives.routines import Routine
from adcore.program import Program, regions
from adcore.types import DType

from .code import Code
from .engine import optimized
from .floats import FLOAT
from .kernels import release, standalone
from .lower import Failure
from .native import emit_native
from .special import needs_scipy
from .targets import anywhere, machine_of

__all__ = ["library_of"]

TEXT = 1024  # bytes of a message


def library_of(functions: Sequence[Native], name: str, target: Target) -> Library:
    """The functions compiled for a target; `<name>_release` gives back what they allocate.

    Raises:
        UnsupportedFunctionError: one of them needs Python, NumPy or SciPy at run time.
        AdcoreError: there is no such target.
    """
    machine = machine_of(target.triple, target.cpu, target.features)
    compiler = machine.compiler()
    texts: list[str] = []
    failures: list[tuple[Failure, ...]] = []
    routines: set[str] = set()
    with anywhere(machine):
        for native in functions:
            refuse_elsewhere(inline_customs(native.program))
            exported = _Function(native)
            texts.append(exported.module())
            failures.append(tuple(exported.failures))
            routines |= {d for d in exported.code.declarations if re.fullmatch(r"[sdcz][a-z0-9]+_", d)}
        if any(isinstance(place, Made) for native in functions for place in native.results):
            texts.append(standalone({}, release(name)))
    module = llvm.parse_assembly(texts[0])
    for text in texts[1:]:
        module.link_in(llvm.parse_assembly(text))
    module = optimized(str(module), compiler)
    assembly = compiler.emit_assembly(module)
    libraries = ("mvec", "m") if "_ZGV" in assembly.replace("_ZGV_LLVM", "") else ("m",)
    return Library(
        machine.triple,
        machine.cpu,
        machine.native,
        compiler.emit_object(module),
        assembly,
        str(module),
        libraries,
        tuple(sorted(routines)),
        tuple(failures),
    )


def refuse_elsewhere(region: Program) -> None:
    """Refuse what is called by its address in this process."""
    for equation in region.equations:
        meaning, name = equation.primitive.meaning, equation.primitive.name
        if equation.primitive.kind is Kind.FOURIER:
            raise UnsupportedFunctionError("Fourier transforms are NumPy's, which a library has not", equation.source)
        if name not in FLOAT and (
            needs_scipy(name) or (isinstance(meaning, Routine) and _is_of_scipy(meaning.program))
        ):
            cause = f"{name} is computed by SciPy, which a library has not"
            raise UnsupportedFunctionError(cause, equation.source, write="a formula of functions that C has")
        for _, inner in regions(equation):
            refuse_elsewhere(inner)


def _is_of_scipy(region: Program) -> bool:
    """Whether a routine calls a function of SciPy's."""
    return any(
        (e.primitive.name not in FLOAT and needs_scipy(e.primitive.name))
        or any(_is_of_scipy(inner) for _, inner in regions(e))
        or (isinstance(e.primitive.meaning, Routine) and _is_of_scipy(e.primitive.meaning.program))
        for e in region.equations
    )


class _Function:
    """One function, with what tells of its failures, as a module."""

    def __init__(self, native: Native) -> None:
        self.native = native
        self.code = Code()
        self.data: list[str] = []
        self.failures: list[Failure] = []

    def module(self) -> str:
        name = self.native.name
        lowering, function = emit_native(self.native, name, self.code, self.note, self.embed)
        self.failures = lowering.failures
        state = _STATE.format(name=name, size=TEXT)
        further = [state, *self.data, *self.message()]
        if not self.native.status:
            further.append(_STATUS.format(name=name))
        return standalone(self.code.declarations, function, *further)

    def embed(self, array: np.ndarray) -> str:
        """The elements as a constant of the module."""
        name = f"@{self.native.name}.data{len(self.data)}"
        raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
        text = "".join(f"\\{byte:02X}" for byte in raw)
        self.data.append(f'{name} = internal unnamed_addr constant [{len(raw)} x i8] c"{text}", align 64')
        return self.code.op(f"getelementptr i8, ptr {name}, i64 0")

    def note(self, code: Code, status: str, err: str) -> None:
        code.do(f"call void @{self.native.name}.note(i64 {status}, ptr {err})")

    def message(self) -> Iterator[str]:
        """The function that says what a status means."""
        name = self.native.name
        labels = " ".join(f"i64 {k}, label %told{k}" for k in range(1, len(self.failures) + 1))
        yield _string(f"{name}.fine", "no failure")
        yield _string(f"{name}.unknown", "no status of this function")
        code = Code()
        for k, failure in enumerate(self.failures, 1):
            text = f"{failure.error}: {failure.message}{_place(failure)}"
            values = [int(i) for i in re.findall(_PLACEHOLDER, text)]
            yield _string(f"{name}.text{k}", re.sub(_PLACEHOLDER, "…", text))
            yield _string(f"{name}.format{k}", _printed(text, failure.dtypes))
            code.start(f"told{k}")
            last = code.op(f"load i64, ptr {code.op(_thread_local(f'{name}.last'))}")
            code.branch(code.op(f"icmp eq i64 {last}, {k}"), f"found{k}", f"general{k}")
            code.start(f"general{k}")
            code.do(f"ret ptr @{name}.text{k}")
            code.start(f"found{k}")
            text_at = code.op(_thread_local(f"{name}.text"))
            arguments = [f"ptr {text_at}", f"i64 {TEXT}", f"ptr @{name}.format{k}"]
            arguments += [self.reported(code, i, failure.dtypes[i]) for i in values]
            code.op(f"call i32 (ptr, i64, ptr, ...) @snprintf({', '.join(arguments)})")
            code.do(f"ret ptr {text_at}")
        yield "declare i32 @snprintf(ptr, i64, ptr, ...)"
        yield _string(f"{name}.true", "True")
        yield _string(f"{name}.false", "False")
        head = [f"define ptr @{name}_message(i64 %status) nounwind {{", "entry:"]
        head += [f"  switch i64 %status, label %unknown [ i64 0, label %fine {labels} ]"]
        tail = ["fine:", f"  ret ptr @{name}.fine", "unknown:", f"  ret ptr @{name}.unknown", "}"]
        yield "\n".join([*head, *code.lines, *tail])

    def reported(self, code: Code, index: int, dtype: DType) -> str:
        """A number that the last failure has reported, as an argument of `printf`."""
        name = self.native.name
        at = code.op(f"getelementptr i64, ptr {code.op(_thread_local(f'{name}.last'))}, i64 {1 + index}")
        if dtype is DType.F64:
            return f"double {code.op(f'load double, ptr {at}')}"
        word = code.op(f"load i64, ptr {at}")
        if dtype is not DType.BOOL:
            return f"i64 {word}"
        true = code.op(f"icmp ne i64 {word}, 0")
        return f"ptr {code.op(f'select i1 {true}, ptr @{name}.true, ptr @{name}.false')}"


_PLACEHOLDER = r"\{(\d+)(?:[:!][^}]*)?\}"


def _printed(text: str, dtypes: Sequence[DType]) -> str:
    """A message as a format of `printf`."""
    kinds = {DType.F64: "%g", DType.BOOL: "%s"}
    return re.sub(_PLACEHOLDER, lambda m: kinds.get(dtypes[int(m[1])], "%lld"), text.replace("%", "%%"))


def _place(failure: Failure) -> str:
    source = failure.source
    if source is None:
        return ""
    return f" ({Path(source.file).name}, line {source.line}: {source.text.strip()})".replace("{", "{{").replace(
        "}", "}}"
    )


def _string(name: str, text: str) -> str:
    plain = text.replace("{{", "{").replace("}}", "}").encode() + b"\0"
    escaped = "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:02X}" for b in plain)
    return f'@{name} = internal unnamed_addr constant [{len(plain)} x i8] c"{escaped}"'


def _thread_local(name: str) -> str:
    return f"call ptr @llvm.threadlocal.address.p0(ptr @{name})"


# The last failure in a thread: its number and what it reports, and its number again until that is asked for.
_STATE = """
@{name}.last = internal thread_local global [10 x i64] zeroinitializer
@{name}.text = internal thread_local global [{size} x i8] zeroinitializer
declare ptr @llvm.threadlocal.address.p0(ptr)

define internal void @{name}.note(i64 %status, ptr %err) nounwind noinline cold {{
  %last = call ptr @llvm.threadlocal.address.p0(ptr @{name}.last)
  store i64 %status, ptr %last
  %words = getelementptr i64, ptr %last, i64 1
  call void @llvm.memcpy.p0.p0.i64(ptr %words, ptr %err, i64 64, i1 false)
  %pending = getelementptr i64, ptr %last, i64 9
  store i64 %status, ptr %pending
  ret void
}}"""

_STATUS = """
define i64 @{name}_status() nounwind {{
  %last = call ptr @llvm.threadlocal.address.p0(ptr @{name}.last)
  %pending = getelementptr i64, ptr %last, i64 9
  %status = load i64, ptr %pending
  store i64 0, ptr %pending
  ret i64 %status
}}"""
