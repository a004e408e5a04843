"""Allocation in compiled code: malloc's memory, with blocks kept for those who want as many bytes.

Small blocks are kept in lists by size: an array of three numbers inside a loop should cost about as much as they do.
A large block that is freed goes back to the system, and the next one costs a page fault for every 4 KiB: more than the
work on it.  So the blocks that compiled code frees are kept, up to a limit, and new ones are asked for in pages of
2 MiB, as NumPy does from 4 MiB on.  Arrays that compiled code returns have these functions as their memory handler
(NumPy enhancement proposal 49), so that their blocks come back as well.  In front of each block its size is written.
Calls hold Python's lock, and so do those who free arrays.  While several threads run a part of a program each,
each has lists of its own of small blocks, and who takes a large block or keeps it holds a lock.  `guarded` has what
stands in the place of all this where the environment asks for it.
"""

from __future__ import annotations

import ctypes

import llvmlite.binding as llvm

from adcore.once import once

from . import guarded
from .engine import function_address, load, support
from .symbols import Needs, note, provider
from .targets import machine

__all__ = ["FUNCTIONS", "give_back", "handler", "provide", "unshared"]

LINE = 64  # bytes: a vector of 512 bits that crosses the lines of the cache is loaded in twice the time
SMALL = 1 << 10  # bytes: larger blocks begin with a line
LONGEST_LIST = 64  # small blocks of one size that are kept
LARGE = 1 << 20  # bytes
LARGEST_KEPT = 1 << 28
SLOTS = 8
POSSIBLE = 1 << 62  # bytes of a block
MADV_HUGEPAGE = 14

# How compiled code declares them.  A block of no bytes is one too; null says that there is no memory.  A product that
# is too large for 64 bits is the largest number that they have.
FUNCTIONS = {
    "adcore_product": "declare i64 @adcore_product(i64, i64) nounwind willreturn memory(none)",
    "adcore_allocate": "declare noalias ptr @adcore_allocate(i64) nounwind willreturn allocsize(0) "
    'allockind("alloc,uninitialized") "alloc-family"="adcore" memory(inaccessiblemem: readwrite)',
    "adcore_allocate_zeroed": "declare noalias ptr @adcore_allocate_zeroed(i64) nounwind willreturn allocsize(0) "
    'allockind("alloc,zeroed") "alloc-family"="adcore" memory(inaccessiblemem: readwrite)',
    "adcore_resize": "declare ptr @adcore_resize(ptr, i64) nounwind",
    "adcore_release": "declare void @adcore_release(ptr allocptr) nounwind willreturn "
    'allockind("free") "alloc-family"="adcore" memory(argmem: readwrite, inaccessiblemem: readwrite)',
}


@provider("memory")
def provide() -> None:
    """Let compiled code find the functions."""
    code, _ = support("guarded memory" if guarded.is_on() else "memory", _module)
    load(code, "adcore_allocate")
    for name in FUNCTIONS:
        note(name, "memory")


def _module() -> tuple[str, Needs]:
    parts = [
        _STATE,
        guarded.ALLOCATION if guarded.is_on() else _ALLOCATE,
        _COMMON,
        "declare noalias ptr @aligned_alloc(i64, i64)" if llvm.address_of_symbol("aligned_alloc") else _UNALIGNED,
        "declare i32 @madvise(ptr, i64, i32)" if llvm.address_of_symbol("madvise") else _NO_ADVICE,
        _OWN_LISTS if llvm.address_of_symbol("pthread_getspecific") else _NO_THREADS,
        _HANDLER,
    ]
    text = "\n".join(parts).format(
        linkage="",
        line=LINE,
        small=SMALL,
        classes=SMALL // LINE + 1,
        longest=LONGEST_LIST,
        large=LARGE,
        most=LARGEST_KEPT,
        possible=POSSIBLE,
        slots=SLOTS,
        advice=MADV_HUGEPAGE,
    )
    return text, []


def unshared() -> str:
    """The same functions over malloc for one module alone: any number of threads can call them at once."""
    there = machine()
    has_aligned = "windows" not in there.triple if there else llvm.address_of_symbol("aligned_alloc")
    aligned = "declare noalias ptr @aligned_alloc(i64, i64)" if has_aligned else _UNALIGNED
    text = "\n".join([aligned, _COMMON, guarded.ALLOCATION if guarded.is_on() else _UNSHARED])
    return text.format(linkage="internal ", line=LINE, small=SMALL, possible=POSSIBLE)


class _Handler(ctypes.Structure):
    """PyDataMem_Handler of numpy/ndarraytypes.h."""

    _fields_ = [
        ("name", ctypes.c_char * 127),
        ("version", ctypes.c_uint8),
        *((name, ctypes.c_void_p) for name in ("context", "malloc", "calloc", "realloc", "free")),
    ]


_handlers: list[_Handler] = []


@once
def handler() -> object:
    """The capsule that says to NumPy how the memory of a result is freed."""
    provide()
    functions = (function_address(f"adcore_{name}") for name in ("malloc", "calloc", "realloc", "free"))
    _handlers.append(_Handler(b"adcore", 1, None, *functions))
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    return new(ctypes.addressof(_handlers[-1]), b"mem_handler", None)


def give_back() -> None:
    """Give the blocks that are kept back to the system."""
    provide()
    ctypes.CFUNCTYPE(None)(function_address("adcore_give_back"))()


_STATE = """
@kept = internal global [{slots} x {{ptr, i64}}] zeroinitializer  ; large blocks and their bytes
@parallel = internal global [32 x i32] zeroinitializer, align 128  ; whether several threads are at work
@lock = internal global [32 x i32] zeroinitializer, align 128  ; of the large blocks
@free_small = internal global [{classes} x {{ptr, i64}}] zeroinitializer  ; lists of blocks by lines, and their lengths

define void @adcore_set_parallel(i32 %whether) nounwind {{
  store atomic i32 %whether, ptr @parallel seq_cst, align 4
  store atomic i32 0, ptr @lock seq_cst, align 4
  ret void
}}"""

_ALLOCATE = """
declare noalias ptr @malloc(i64)
declare i64 @llvm.umax.i64(i64, i64)

define internal void @acquire() nounwind {{
entry:
  %parallel = load i32, ptr @parallel
  %several = icmp ne i32 %parallel, 0
  br i1 %several, label %try, label %done
try:
  %before = atomicrmw xchg ptr @lock, i32 1 acquire
  %free = icmp eq i32 %before, 0
  br i1 %free, label %done, label %try
done:
  ret void
}}

define internal void @leave() nounwind {{
  store atomic i32 0, ptr @lock release, align 4
  ret void
}}

define noalias ptr @adcore_allocate(i64 %bytes) nounwind noinline {{
begin:
  %impossible = icmp ugt i64 %bytes, {possible}
  br i1 %impossible, label %none, label %entry
entry:
  %some = call i64 @llvm.umax.i64(i64 %bytes, i64 1)
  %above = add i64 %some, {line}
  %beyond = sub i64 %above, 1
  %lines = and i64 %beyond, -{line}
  %is_small = icmp ule i64 %lines, {small}
  br i1 %is_small, label %small, label %other
small:
  %class = udiv i64 %lines, {line}
  %lists = call ptr @lists()
  %list = getelementptr {{ptr, i64}}, ptr %lists, i64 %class
  %first = load ptr, ptr %list
  %any = icmp ne ptr %first, null
  br i1 %any, label %pop, label %new_small
pop:
  %second = load ptr, ptr %first
  store ptr %second, ptr %list
  %length_at = getelementptr {{ptr, i64}}, ptr %list, i64 0, i32 1
  %length = load i64, ptr %length_at
  %shorter = sub i64 %length, 1
  store i64 %shorter, ptr %length_at
  ret ptr %first
new_small:
  %with_header = add i64 %lines, 16
  %base = call ptr @malloc(i64 %with_header)
  %got = icmp ne ptr %base, null
  br i1 %got, label %enter_small, label %none
enter_small:
  %block = getelementptr i8, ptr %base, i64 16
  %header = getelementptr i8, ptr %base, i64 8
  store i64 %lines, ptr %header
  ret ptr %block
none:
  ret ptr null
other:
  %is_large = icmp uge i64 %lines, {large}
  br i1 %is_large, label %search, label %fresh
search:
  call void @acquire()
  br label %head
head:
  %i = phi i64 [ 0, %search ], [ %next, %look ]
  %more = icmp ult i64 %i, {slots}
  br i1 %more, label %look, label %nothing
nothing:
  call void @leave()
  br label %fresh
look:
  %next = add i64 %i, 1
  %slot = getelementptr {{ptr, i64}}, ptr @kept, i64 %i
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
  call void @leave()
  ret ptr %found
fresh:
  %in_all = add i64 %lines, {line}
  %line_before = call ptr @aligned_alloc(i64 {line}, i64 %in_all)
  %has = icmp ne ptr %line_before, null
  br i1 %has, label %enter, label %none
enter:
  %made = getelementptr i8, ptr %line_before, i64 {line}
  %header_at = getelementptr i8, ptr %made, i64 -8
  store i64 %lines, ptr %header_at
  br i1 %is_large, label %advise, label %done
advise:
  %address = ptrtoint ptr %made to i64
  %up = add i64 %address, 4095
  %page = and i64 %up, -4096
  %start = inttoptr i64 %page to ptr
  %inside = sub i64 %lines, 4096
  %ignored = call i32 @madvise(ptr %start, i64 %inside, i32 {advice})
  br label %done
done:
  ret ptr %made
}}

define void @adcore_release(ptr %block) nounwind noinline {{
entry:
  %header = getelementptr i8, ptr %block, i64 -8
  %size = load i64, ptr %header
  %is_small = icmp ule i64 %size, {small}
  br i1 %is_small, label %small, label %other
small:
  %class = udiv i64 %size, {line}
  %lists = call ptr @lists()
  %list = getelementptr {{ptr, i64}}, ptr %lists, i64 %class
  %length_at = getelementptr {{ptr, i64}}, ptr %list, i64 0, i32 1
  %length = load i64, ptr %length_at
  %full = icmp uge i64 %length, {longest}
  br i1 %full, label %give_small, label %push
push:
  %longer = add i64 %length, 1
  store i64 %longer, ptr %length_at
  %first = load ptr, ptr %list
  store ptr %first, ptr %block
  store ptr %block, ptr %list
  ret void
give_small:
  %base = getelementptr i8, ptr %block, i64 -16
  call void @free(ptr %base)
  ret void
other:
  %is_large = icmp uge i64 %size, {large}
  %is_kept = icmp ule i64 %size, {most}
  %keep = and i1 %is_large, %is_kept
  br i1 %keep, label %search, label %give
search:
  call void @acquire()
  br label %head
head:
  %i = phi i64 [ 0, %search ], [ %next, %look ]
  %more = icmp ult i64 %i, {slots}
  br i1 %more, label %look, label %nothing
nothing:
  call void @leave()
  br label %give
look:
  %next = add i64 %i, 1
  %slot = getelementptr {{ptr, i64}}, ptr @kept, i64 %i
  %there = load ptr, ptr %slot
  %empty = icmp eq ptr %there, null
  br i1 %empty, label %put, label %head
put:
  store ptr %block, ptr %slot
  %place = getelementptr {{ptr, i64}}, ptr %slot, i64 0, i32 1
  store i64 %size, ptr %place
  call void @leave()
  ret void
give:
  %line_before = getelementptr i8, ptr %block, i64 -{line}
  call void @free(ptr %line_before)
  ret void
}}"""

_COMMON = """
declare void @free(ptr)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare i64 @llvm.umin.i64(i64, i64)
declare {{i64, i1}} @llvm.umul.with.overflow.i64(i64, i64)

define {linkage}i64 @adcore_product(i64 %x, i64 %y) nounwind willreturn memory(none) {{
  %both = call {{i64, i1}} @llvm.umul.with.overflow.i64(i64 %x, i64 %y)
  %product = extractvalue {{i64, i1}} %both, 0
  %over = extractvalue {{i64, i1}} %both, 1
  %result = select i1 %over, i64 -1, i64 %product
  ret i64 %result
}}

define {linkage}noalias ptr @adcore_allocate_zeroed(i64 %bytes) nounwind noinline {{
  %pointer = call ptr @adcore_allocate(i64 %bytes)
  %got = icmp ne ptr %pointer, null
  br i1 %got, label %clear, label %done
clear:
  call void @llvm.memset.p0.i64(ptr %pointer, i8 0, i64 %bytes, i1 false)
  br label %done
done:
  ret ptr %pointer
}}

define {linkage}ptr @adcore_resize(ptr %block, i64 %bytes) nounwind noinline {{
entry:
  %header = getelementptr i8, ptr %block, i64 -8
  %size = load i64, ptr %header
  %fits = icmp ule i64 %bytes, %size
  %half = lshr i64 %size, 1
  %most_of_it = icmp uge i64 %bytes, %half
  %stay = and i1 %fits, %most_of_it
  br i1 %stay, label %same, label %move
same:
  ret ptr %block
move:
  %moved = call ptr @adcore_allocate(i64 %bytes)
  %got = icmp ne ptr %moved, null
  br i1 %got, label %copy, label %none
copy:
  %common = call i64 @llvm.umin.i64(i64 %size, i64 %bytes)
  call void @llvm.memcpy.p0.p0.i64(ptr %moved, ptr %block, i64 %common, i1 false)
  call void @adcore_release(ptr %block)
  ret ptr %moved
none:
  ret ptr null
}}"""

_UNSHARED = """
declare noalias ptr @malloc(i64)

define internal noalias ptr @adcore_allocate(i64 %bytes) nounwind noinline {{
  %impossible = icmp ugt i64 %bytes, {possible}
  br i1 %impossible, label %none, label %some
some:
  %above = add i64 %bytes, {line}
  %beyond = sub i64 %above, 1
  %lines = and i64 %beyond, -{line}
  %is_small = icmp ule i64 %lines, {small}
  br i1 %is_small, label %small, label %other
small:
  %with_header = add i64 %lines, 16
  %base = call ptr @malloc(i64 %with_header)
  %has = icmp ne ptr %base, null
  br i1 %has, label %enter_small, label %none
enter_small:
  %small_block = getelementptr i8, ptr %base, i64 16
  br label %enter
other:
  %in_all = add i64 %lines, {line}
  %line_before = call ptr @aligned_alloc(i64 {line}, i64 %in_all)
  %got = icmp ne ptr %line_before, null
  br i1 %got, label %enter_other, label %none
enter_other:
  %other_block = getelementptr i8, ptr %line_before, i64 {line}
  br label %enter
enter:
  %block = phi ptr [ %small_block, %enter_small ], [ %other_block, %enter_other ]
  %header = getelementptr i8, ptr %block, i64 -8
  store i64 %lines, ptr %header
  ret ptr %block
none:
  ret ptr null
}}

define internal void @adcore_release(ptr %block) nounwind noinline {{
  %header = getelementptr i8, ptr %block, i64 -8
  %size = load i64, ptr %header
  %is_small = icmp ule i64 %size, {small}
  %distance = select i1 %is_small, i64 -16, i64 -{line}
  %base = getelementptr i8, ptr %block, i64 %distance
  call void @free(ptr %base)
  ret void
}}"""

_OWN_LISTS = """
@key = internal global [32 x i32] zeroinitializer, align 128

declare i32 @pthread_key_create(ptr, ptr)
declare ptr @pthread_getspecific(i32)
declare i32 @pthread_setspecific(i32, ptr)
declare noalias ptr @calloc(i64, i64)

; Threads that run parts of programs for others say so once each, after the first of all calls.  Both give whether there
; was memory.

define i1 @adcore_expect_threads() nounwind {{
  %status = call i32 @pthread_key_create(ptr @key, ptr null)
  %made = icmp eq i32 %status, 0
  ret i1 %made
}}

define i1 @adcore_have_lists() nounwind {{
  %key = load i32, ptr @key
  %lists = call ptr @calloc(i64 {classes}, i64 16)
  %some = icmp ne ptr %lists, null
  %status = call i32 @pthread_setspecific(i32 %key, ptr %lists)
  %kept = icmp eq i32 %status, 0
  %both = and i1 %some, %kept
  ret i1 %both
}}

define internal ptr @lists() nounwind {{
entry:
  %parallel = load i32, ptr @parallel
  %several = icmp ne i32 %parallel, 0
  br i1 %several, label %look, label %common
look:
  %key = load i32, ptr @key
  %own = call ptr @pthread_getspecific(i32 %key)
  %any = icmp ne ptr %own, null
  br i1 %any, label %found, label %common
found:
  ret ptr %own
common:
  ret ptr @free_small
}}"""

_NO_THREADS = """
define internal ptr @lists() nounwind {{
  ret ptr @free_small
}}"""

_UNALIGNED = """
define internal noalias ptr @aligned_alloc(i64 %line, i64 %bytes) nounwind {{
  %block = call ptr @malloc(i64 %bytes)
  ret ptr %block
}}"""

_NO_ADVICE = """
define internal i32 @madvise(ptr %start, i64 %length, i32 %advice) nounwind {{
  ret i32 0
}}"""

_HANDLER = """
define ptr @adcore_malloc(ptr %context, i64 %bytes) nounwind {{
  %block = call ptr @adcore_allocate(i64 %bytes)
  ret ptr %block
}}
define ptr @adcore_calloc(ptr %context, i64 %count, i64 %each) nounwind {{
  %bytes = mul i64 %count, %each
  %block = call ptr @adcore_allocate_zeroed(i64 %bytes)
  ret ptr %block
}}
define ptr @adcore_realloc(ptr %context, ptr %block, i64 %bytes) nounwind {{
  %moved = call ptr @adcore_resize(ptr %block, i64 %bytes)
  ret ptr %moved
}}
define void @adcore_free(ptr %context, ptr %block, i64 %bytes) nounwind {{
  %nothing = icmp eq ptr %block, null
  br i1 %nothing, label %done, label %give
give:
  call void @adcore_release(ptr %block)
  br label %done
done:
  ret void
}}
define void @adcore_give_back() nounwind {{
entry:
  br label %head
head:
  %i = phi i64 [ 0, %entry ], [ %next, %look ], [ %next, %give ]
  %more = icmp ult i64 %i, {slots}
  br i1 %more, label %look, label %done
look:
  %next = add i64 %i, 1
  %slot = getelementptr {{ptr, i64}}, ptr @kept, i64 %i
  %found = load ptr, ptr %slot
  %any = icmp ne ptr %found, null
  br i1 %any, label %give, label %head
give:
  store ptr null, ptr %slot
  %line_before = getelementptr i8, ptr %found, i64 -{line}
  call void @free(ptr %line_before)
  br label %head
done:
  ret void
}}"""
