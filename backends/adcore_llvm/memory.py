"""Allocation in compiled code: malloc's memory, in huge pages where it is large.

Large arrays are touched once and given back, so that page faults cost as much as the work on them; with pages of
2 MiB they cost a third (NumPy asks for them too, from 4 MiB on).
"""

from __future__ import annotations

__all__ = ["FUNCTIONS"]

LARGE = 1 << 22  # bytes
MADV_HUGEPAGE = 14


def _allocator(name: str, kind: str, declaration: str, call: str) -> str:
    return f"""{declaration}
define internal noalias ptr @{name}(i64 %bytes) nounwind noinline allockind("alloc,{kind}") allocsize(0) {{
  %some = call i64 @llvm.umax.i64(i64 %bytes, i64 8)
  %pointer = {call}
  %large = icmp uge i64 %bytes, {LARGE}
  br i1 %large, label %advise, label %done
advise:
  %address = ptrtoint ptr %pointer to i64
  %up = add i64 %address, 4095
  %page = and i64 %up, -4096
  %start = inttoptr i64 %page to ptr
  %length = sub i64 %bytes, 4096
  %ignored = call i32 @madvise(ptr %start, i64 %length, i32 {MADV_HUGEPAGE})
  br label %done
done:
  ret ptr %pointer
}}"""


FUNCTIONS = {
    "allocate": _allocator(
        "allocate", "uninitialized", "declare noalias ptr @malloc(i64)", "call ptr @malloc(i64 %some)"
    ),
    "allocate_zeroed": _allocator(
        "allocate_zeroed", "zeroed", "declare noalias ptr @calloc(i64, i64)", "call ptr @calloc(i64 %some, i64 1)"
    ),
}
