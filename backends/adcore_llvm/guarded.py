"""Allocation with guards, for whoever looks for code that writes where it must not: ADCORE_GUARD_MEMORY=1.

Each block has marks before and behind it, which are looked at when it is freed or resized; where one has changed, the
process says so and ends.  New blocks and freed ones are full of numbers that are NaN: what reads them shows it.
"""

from __future__ import annotations

import os

__all__ = ["ALLOCATION", "VARIABLE", "is_on"]

VARIABLE = "ADCORE_GUARD_MEMORY"


def is_on() -> bool:
    """Whether the environment asks for guards."""
    return os.environ.get(VARIABLE, "0") not in ("", "0")


# In front of a block are a mark and its size, 8 bytes each; behind it are 32 bytes of another mark.
ALLOCATION = """
@adcore_before = internal constant [8 x i8] c"adcore<<"
@adcore_behind = internal constant [32 x i8] c">>adcore>>adcore>>adcore>>adcore"
@adcore_said = internal constant [60 x i8] c"adcore: written before or behind a block of %lld bytes: %p\\0A\\00"

declare noalias ptr @malloc(i64)
declare i32 @memcmp(ptr, ptr, i64)
declare i32 @dprintf(i32, ptr, ...)
declare void @abort() noreturn

define {linkage}noalias ptr @adcore_allocate(i64 %bytes) nounwind noinline {{
begin:
  %impossible = icmp ugt i64 %bytes, {possible}
  br i1 %impossible, label %none, label %some
some:
  %in_all = add i64 %bytes, 48
  %base = call ptr @malloc(i64 %in_all)
  %got = icmp ne ptr %base, null
  br i1 %got, label %enter, label %none
enter:
  %block = getelementptr i8, ptr %base, i64 16
  %header = getelementptr i8, ptr %base, i64 8
  %end = getelementptr i8, ptr %block, i64 %bytes
  call void @llvm.memset.p0.i64(ptr %block, i8 -1, i64 %bytes, i1 false)
  call void @llvm.memcpy.p0.p0.i64(ptr %base, ptr @adcore_before, i64 8, i1 false)
  call void @llvm.memcpy.p0.p0.i64(ptr %end, ptr @adcore_behind, i64 32, i1 false)
  store i64 %bytes, ptr %header
  ret ptr %block
none:
  ret ptr null
}}

define {linkage}void @adcore_release(ptr %block) nounwind noinline {{
  %base = getelementptr i8, ptr %block, i64 -16
  %header = getelementptr i8, ptr %block, i64 -8
  %size = load i64, ptr %header
  %one = call i32 @memcmp(ptr %base, ptr @adcore_before, i64 8)
  %starts = icmp eq i32 %one, 0
  br i1 %starts, label %look, label %bad
look:
  %end = getelementptr i8, ptr %block, i64 %size
  %other = call i32 @memcmp(ptr %end, ptr @adcore_behind, i64 32)
  %ends = icmp eq i32 %other, 0
  br i1 %ends, label %give, label %bad
give:
  %in_all = add i64 %size, 48
  call void @llvm.memset.p0.i64(ptr %base, i8 -1, i64 %in_all, i1 false)
  call void @free(ptr %base)
  ret void
bad:
  %printed = call i32 (i32, ptr, ...) @dprintf(i32 2, ptr @adcore_said, i64 %size, ptr %block)
  call void @abort()
  unreachable
}}"""
