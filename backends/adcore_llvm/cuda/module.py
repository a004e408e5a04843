"""The kernels of a plan as one module: for a device, and for a processor that stands in for one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..kernels import assembly_of
from ..lower import Failure
from .arena import FUNCTIONS

if TYPE_CHECKING:
    from .kernel import Kernel

__all__ = ["REPORT_WORDS", "STATUS_WORDS", "Module"]

REPORT_WORDS = 8
# A lock, the bytes that a thread has needed at most, the smallest number for which a body failed, the failure, what it
# reports.
STATUS_WORDS = 4 + REPORT_WORDS


@dataclass(eq=False)
class Module:
    """Kernels, and what they have in common.

    Attributes:
        failures: what the numbers mean that kernels give, from 1 on.
        declarations: what the module declares and defines beside them.
    """

    failures: list[Failure] = field(default_factory=list)
    declarations: dict[str, str] = field(default_factory=dict)
    kernels: list[Kernel] = field(default_factory=list)

    @property
    def mark(self) -> tuple[int, int]:
        """How far it has come, for `cut`."""
        return len(self.failures), len(self.kernels)

    def cut(self, mark: tuple[int, int]) -> None:
        """Forget what has been added since."""
        failures, kernels = mark
        del self.failures[failures:], self.kernels[kernels:]

    def device_text(self) -> str:
        """The module for a device: each kernel is a function of its parameters."""
        return self.text([_DEVICE_INDICES, *(_device(kernel) for kernel in self.kernels)])

    def host_text(self) -> str:
        """The module for a processor: each kernel is a function `(parameters, threads)`, run thread after thread."""
        return self.text([_host(kernel) for kernel in self.kernels])

    def text(self, entries: list[str]) -> str:
        common = FUNCTIONS + _FAIL
        own = {k: v for k, v in self.declarations.items() if f"@{k}(" not in common}
        return assembly_of(own, common, *(kernel.text for kernel in self.kernels), *entries)


def _device(kernel: Kernel) -> str:
    given = ", ".join(f"{type} %p{k}" for k, type in enumerate(kernel.parameters))
    return _DEVICE.format(name=kernel.name, given=given)


def _host(kernel: Kernel) -> str:
    loads = [
        f"  %a{k} = getelementptr ptr, ptr %given, i64 {k}\n  %q{k} = load ptr, ptr %a{k}\n"
        f"  %p{k} = load {type}, ptr %q{k}"
        for k, type in enumerate(kernel.parameters)
    ]
    values = ", ".join(f"{type} %p{k}" for k, type in enumerate(kernel.parameters))
    return _HOST.format(name=kernel.name, loads="\n".join(loads), values=values)


# The failure for the smallest number wins: whoever has a smaller one takes the lock and looks again.
_FAIL = f"""
define internal void @adcore_fail(ptr %status, i64 %k, i64 %failure, ptr %err) nounwind noinline {{
entry:
  %first_at = getelementptr i64, ptr %status, i64 2
  %seen = load atomic i64, ptr %first_at monotonic, align 8
  %late = icmp uge i64 %k, %seen
  br i1 %late, label %done, label %acquire
acquire:
  %before = atomicrmw xchg ptr %status, i64 1 acquire
  %free = icmp eq i64 %before, 0
  br i1 %free, label %look, label %acquire
look:
  %first = load atomic i64, ptr %first_at monotonic, align 8
  %smaller = icmp ult i64 %k, %first
  br i1 %smaller, label %enter, label %leave
enter:
  store atomic i64 %k, ptr %first_at monotonic, align 8
  %failure_at = getelementptr i64, ptr %status, i64 3
  store i64 %failure, ptr %failure_at
  %report_at = getelementptr i64, ptr %status, i64 4
  call void @llvm.memcpy.p0.p0.i64(ptr %report_at, ptr %err, i64 {8 * REPORT_WORDS}, i1 false)
  br label %leave
leave:
  store atomic i64 0, ptr %status release, align 8
  br label %done
done:
  ret void
}}"""

_DEVICE_INDICES = """
declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.nctaid.x()"""

_DEVICE = """
define ptx_kernel void @{name}({given}) {{
  %tid = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %ntid = call i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
  %ctaid = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %nctaid = call i32 @llvm.nvvm.read.ptx.sreg.nctaid.x()
  %t = zext i32 %tid to i64
  %size = zext i32 %ntid to i64
  %block = zext i32 %ctaid to i64
  %blocks = zext i32 %nctaid to i64
  %before = mul i64 %block, %size
  %thread = add i64 %before, %t
  %threads = mul i64 %blocks, %size
  call void @{name}.sweep(i64 %thread, i64 %threads, {given})
  ret void
}}"""

_HOST = """
define void @{name}(ptr %given, i64 %threads) nounwind {{
entry:
{loads}
  br label %head
head:
  %t = phi i64 [ 0, %entry ], [ %next, %run ]
  %more = icmp ult i64 %t, %threads
  br i1 %more, label %run, label %done
run:
  call void @{name}.sweep(i64 %t, i64 %threads, {values})
  %next = add i64 %t, 1
  br label %head
done:
  ret void
}}"""
