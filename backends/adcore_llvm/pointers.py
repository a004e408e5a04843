"""C functions in the memory of this process."""

from __future__ import annotations

import ctypes
from itertools import count

import numpy as np

from adcore.native.plans import Native

from . import symbols
from .code import Code
from .engine import load, machine_code
from .executable import error_of
from .kernels import standalone
from .lower import Failure
from .native import emit_native
from .targets import in_any_thread

__all__ = ["LoadedPointer"]

_numbers = count()

# The record of a failure: its number, -1 while it is written, then what it reports.  The first one stays.
_NOTE = """
define internal void @note(i64 %status, ptr %err, ptr %record) nounwind noinline cold {
entry:
  %both = cmpxchg ptr %record, i64 0, i64 -1 acq_rel monotonic
  %free = extractvalue {i64, i1} %both, 1
  br i1 %free, label %write, label %done
write:
  %words = getelementptr i64, ptr %record, i64 1
  call void @llvm.memcpy.p0.p0.i64(ptr %words, ptr %err, i64 64, i1 false)
  store atomic i64 %status, ptr %record release, align 8
  br label %done
done:
  ret void
}"""


class LoadedPointer:
    """A C function, and what it refers to: its code is never unloaded, its arrays live as long as this.

    Attributes:
        address: of the function.
    """

    def __init__(self, native: Native) -> None:
        self.record = np.zeros(9, np.int64)
        self.arrays: list[np.ndarray] = []
        name = f"adcore_c_{next(_numbers)}"
        text, self.failures, needs = self.emit(native, name)
        symbols.provide(needs)
        (self.address,) = load(machine_code(text), name)

    def emit(self, native: Native, name: str) -> tuple[str, list[Failure], symbols.Needs]:
        code = Code()
        with in_any_thread():
            lowering, function = emit_native(native, name, code, self.note, lambda a: self.embed(code, a))
            text = standalone(code.declarations, function, _NOTE)
        return text, lowering.failures, symbols.needs_of(code.declarations)

    def note(self, code: Code, status: str, err: str) -> None:
        record = code.op(f"inttoptr i64 {self.record.ctypes.data} to ptr")
        code.do(f"call void @note(i64 {status}, ptr {err}, ptr {record})")

    def embed(self, code: Code, array: np.ndarray) -> str:
        self.arrays.append(array)
        return code.op(f"inttoptr i64 {array.ctypes.data} to ptr")

    def take_error(self) -> BaseException | None:
        """The first failure since this was asked last."""
        status = int(self.record[0])
        if status <= 0:
            return None
        failure = self.failures[status - 1]
        error = error_of(failure, self.record[1:].tobytes())
        ctypes.c_int64.from_address(self.record.ctypes.data).value = 0
        if failure.source is not None:
            error.add_note(failure.source.caret())
        return error
