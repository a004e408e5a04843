"""Allocation in compiled code: malloc's memory, large blocks kept for the next call and in huge pages.

A large block that is freed goes back to the system, and the next one costs a page fault for every 4 KiB: more than the
work on it.  So the blocks that compiled code frees are kept, up to a limit, and new ones are asked for in pages of
2 MiB, as NumPy does from 4 MiB on.  Blocks that become results are malloc's all the same, and NumPy frees them.
"""

from __future__ import annotations

import ctypes

import llvmlite.binding as llvm

__all__ = ["functions", "give_back"]

LARGE = 1 << 20  # bytes
LARGEST_KEPT = 1 << 28
SLOTS = 4
MADV_HUGEPAGE = 14

_kept = (ctypes.c_uint64 * (2 * SLOTS))()  # pointer and size of each block that is kept; calls hold Python's lock


def functions() -> dict[str, str]:
    """The allocation functions as LLVM assembly, by name, with what they declare."""
    keeps = llvm.address_of_symbol("malloc_usable_size") is not None
    return {
        "llvm.umax.i64": "declare i64 @llvm.umax.i64(i64, i64)",
        "llvm.memset.p0.i64": "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)",
        "allocate": _ALLOCATE.format(kept=ctypes.addressof(_kept), large=LARGE, slots=SLOTS, advice=MADV_HUGEPAGE),
        "allocate_zeroed": _ALLOCATE_ZEROED.format(large=LARGE),
        "release": _RELEASE.format(kept=ctypes.addressof(_kept), large=LARGE, most=LARGEST_KEPT, slots=SLOTS)
        if keeps
        else _RELEASE_AT_ONCE,
    }


def give_back() -> None:
    """Free the blocks that are kept for the next call."""
    free = ctypes.CDLL(None).free
    for k in range(SLOTS):
        block, _kept[2 * k] = _kept[2 * k], 0
        free(ctypes.c_void_p(block))  # a null pointer where none is kept


_ALLOCATE = """
declare noalias ptr @malloc(i64)
declare i32 @madvise(ptr, i64, i32)
define internal noalias ptr @allocate(i64 %bytes) nounwind noinline {{
entry:
  %is_large = icmp uge i64 %bytes, {large}
  br i1 %is_large, label %head, label %small
small:
  %some = call i64 @llvm.umax.i64(i64 %bytes, i64 8)
  %block = call ptr @malloc(i64 %some)
  ret ptr %block
head:
  %i = phi i64 [ 0, %entry ], [ %next, %look ]
  %more = icmp ult i64 %i, {slots}
  br i1 %more, label %look, label %fresh
look:
  %next = add i64 %i, 1
  %base = inttoptr i64 {kept} to ptr
  %slot = getelementptr {{ptr, i64}}, ptr %base, i64 %i
  %found = load ptr, ptr %slot
  %place = getelementptr {{ptr, i64}}, ptr %slot, i64 0, i32 1
  %size = load i64, ptr %place
  %there = icmp ne ptr %found, null
  %reaches = icmp uge i64 %size, %bytes
  %half = lshr i64 %size, 1
  %fits = icmp ule i64 %half, %bytes
  %a = and i1 %there, %reaches
  %b = and i1 %a, %fits
  br i1 %b, label %take, label %head
take:
  store ptr null, ptr %slot
  ret ptr %found
fresh:
  %pointer = call ptr @malloc(i64 %bytes)
  %address = ptrtoint ptr %pointer to i64
  %up = add i64 %address, 4095
  %page = and i64 %up, -4096
  %start = inttoptr i64 %page to ptr
  %length = sub i64 %bytes, 4096
  %ignored = call i32 @madvise(ptr %start, i64 %length, i32 {advice})
  ret ptr %pointer
}}"""

_ALLOCATE_ZEROED = """
declare noalias ptr @calloc(i64, i64)
define internal noalias ptr @allocate_zeroed(i64 %bytes) nounwind noinline {{
  %is_large = icmp uge i64 %bytes, {large}
  br i1 %is_large, label %large, label %small
small:
  %some = call i64 @llvm.umax.i64(i64 %bytes, i64 8)
  %block = call ptr @calloc(i64 %some, i64 1)
  ret ptr %block
large:
  %pointer = call ptr @allocate(i64 %bytes)
  %got = icmp ne ptr %pointer, null
  br i1 %got, label %clear, label %done
clear:
  call void @llvm.memset.p0.i64(ptr %pointer, i8 0, i64 %bytes, i1 false)
  br label %done
done:
  ret ptr %pointer
}}"""

_RELEASE = """
declare void @free(ptr)
declare i64 @malloc_usable_size(ptr)
define internal void @release(ptr %block) nounwind noinline {{
entry:
  %size = call i64 @malloc_usable_size(ptr %block)
  %is_large = icmp uge i64 %size, {large}
  %is_kept = icmp ule i64 %size, {most}
  %keep = and i1 %is_large, %is_kept
  br i1 %keep, label %head, label %give
head:
  %i = phi i64 [ 0, %entry ], [ %next, %look ]
  %more = icmp ult i64 %i, {slots}
  br i1 %more, label %look, label %give
look:
  %next = add i64 %i, 1
  %base = inttoptr i64 {kept} to ptr
  %slot = getelementptr {{ptr, i64}}, ptr %base, i64 %i
  %there = load ptr, ptr %slot
  %empty = icmp eq ptr %there, null
  br i1 %empty, label %put, label %head
put:
  store ptr %block, ptr %slot
  %place = getelementptr {{ptr, i64}}, ptr %slot, i64 0, i32 1
  store i64 %size, ptr %place
  ret void
give:
  call void @free(ptr %block)
  ret void
}}"""

_RELEASE_AT_ONCE = """
declare void @free(ptr)
define internal void @release(ptr %block) nounwind noinline {
  call void @free(ptr %block)
  ret void
}"""
