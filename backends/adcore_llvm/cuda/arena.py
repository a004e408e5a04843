"""Memory inside kernels: each thread has a part of a workspace that the host gives, or an array of its own.

A block has a header of two words, its size and whether it is free, and lies next to the one before.  The first free
block that is large enough is taken; neighbours that are free are joined when they are met.  A thread has few blocks at
a time.  Where its part is used up, an allocation gives null, the kernel fails, and the host launches it again with
more.
"""

from __future__ import annotations

__all__ = ["ARENA", "FUNCTIONS"]

# Of a thread: where its part begins, its bytes, up to where it is in use, and up to where it has been.
ARENA = "{ptr, i64, i64, i64}"

FUNCTIONS = """
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare i64 @llvm.umax.i64(i64, i64)
declare i64 @llvm.umin.i64(i64, i64)
declare {i64, i1} @llvm.umul.with.overflow.i64(i64, i64)

define internal i64 @adcore_product(i64 %x, i64 %y) nounwind {
  %both = call {i64, i1} @llvm.umul.with.overflow.i64(i64 %x, i64 %y)
  %product = extractvalue {i64, i1} %both, 0
  %over = extractvalue {i64, i1} %both, 1
  %result = select i1 %over, i64 -1, i64 %product
  ret i64 %result
}

define internal ptr @adcore_allocate(ptr %arena, i64 %bytes) nounwind noinline {
entry:
  %impossible = icmp ugt i64 %bytes, 4611686018427387904
  br i1 %impossible, label %none, label %begin
begin:
  %above = add i64 %bytes, 15
  %lines = and i64 %above, -16
  %base = load ptr, ptr %arena
  %capacity_at = getelementptr {ptr, i64, i64, i64}, ptr %arena, i64 0, i32 1
  %capacity = load i64, ptr %capacity_at
  %top_at = getelementptr {ptr, i64, i64, i64}, ptr %arena, i64 0, i32 2
  %top = load i64, ptr %top_at
  br label %head
head:
  %at = phi i64 [ 0, %begin ], [ %end, %used ], [ %end_now, %short ]
  %more = icmp ult i64 %at, %top
  br i1 %more, label %look, label %fresh
look:
  %header = getelementptr i8, ptr %base, i64 %at
  %size = load i64, ptr %header
  %flag_at = getelementptr i64, ptr %header, i64 1
  %flag = load i64, ptr %flag_at
  %begins = add i64 %at, 16
  %end = add i64 %begins, %size
  %is_free = icmp ne i64 %flag, 0
  br i1 %is_free, label %join, label %used
used:
  br label %head
join:
  %size_now = phi i64 [ %size, %look ], [ %joined, %joins ]
  %end_now = add i64 %begins, %size_now
  %last = icmp uge i64 %end_now, %top
  br i1 %last, label %back, label %neighbour
back:
  store i64 %at, ptr %top_at
  br label %fresh
neighbour:
  %next = getelementptr i8, ptr %base, i64 %end_now
  %next_flag_at = getelementptr i64, ptr %next, i64 1
  %next_flag = load i64, ptr %next_flag_at
  %next_is_free = icmp ne i64 %next_flag, 0
  br i1 %next_is_free, label %joins, label %measured
joins:
  %next_size = load i64, ptr %next
  %with_header = add i64 %next_size, 16
  %joined = add i64 %size_now, %with_header
  store i64 %joined, ptr %header
  br label %join
measured:
  %enough = icmp uge i64 %size_now, %lines
  br i1 %enough, label %take, label %short
short:
  br label %head
take:
  store i64 0, ptr %flag_at
  %rest = sub i64 %size_now, %lines
  %splits = icmp uge i64 %rest, 32
  br i1 %splits, label %split, label %found
split:
  store i64 %lines, ptr %header
  %second_at = add i64 %begins, %lines
  %second = getelementptr i8, ptr %base, i64 %second_at
  %second_size = sub i64 %rest, 16
  store i64 %second_size, ptr %second
  %second_flag = getelementptr i64, ptr %second, i64 1
  store i64 1, ptr %second_flag
  br label %found
found:
  %block = getelementptr i8, ptr %header, i64 16
  ret ptr %block
fresh:
  %place = phi i64 [ %at, %head ], [ %at, %back ]
  %needed = add i64 %lines, 16
  %left = sub i64 %capacity, %place
  %fits = icmp ule i64 %needed, %left
  br i1 %fits, label %enter, label %none
enter:
  %new = getelementptr i8, ptr %base, i64 %place
  store i64 %lines, ptr %new
  %new_flag = getelementptr i64, ptr %new, i64 1
  store i64 0, ptr %new_flag
  %new_top = add i64 %place, %needed
  store i64 %new_top, ptr %top_at
  %peak_at = getelementptr {ptr, i64, i64, i64}, ptr %arena, i64 0, i32 3
  %peak = load i64, ptr %peak_at
  %peak_now = call i64 @llvm.umax.i64(i64 %peak, i64 %new_top)
  store i64 %peak_now, ptr %peak_at
  %made = getelementptr i8, ptr %new, i64 16
  ret ptr %made
none:
  ret ptr null
}

define internal void @adcore_release(ptr %arena, ptr %block) nounwind {
  %flag_at = getelementptr i8, ptr %block, i64 -8
  store i64 1, ptr %flag_at
  ret void
}

define internal ptr @adcore_allocate_zeroed(ptr %arena, i64 %bytes) nounwind noinline {
  %pointer = call ptr @adcore_allocate(ptr %arena, i64 %bytes)
  %got = icmp ne ptr %pointer, null
  br i1 %got, label %clear, label %done
clear:
  call void @llvm.memset.p0.i64(ptr %pointer, i8 0, i64 %bytes, i1 false)
  br label %done
done:
  ret ptr %pointer
}

define internal ptr @adcore_resize(ptr %arena, ptr %block, i64 %bytes) nounwind noinline {
entry:
  %header = getelementptr i8, ptr %block, i64 -16
  %size = load i64, ptr %header
  %fits = icmp ule i64 %bytes, %size
  br i1 %fits, label %same, label %move
same:
  ret ptr %block
move:
  %moved = call ptr @adcore_allocate(ptr %arena, i64 %bytes)
  %got = icmp ne ptr %moved, null
  br i1 %got, label %copy, label %none
copy:
  %common = call i64 @llvm.umin.i64(i64 %size, i64 %bytes)
  call void @llvm.memcpy.p0.p0.i64(ptr %moved, ptr %block, i64 %common, i1 false)
  call void @adcore_release(ptr %arena, ptr %block)
  ret ptr %moved
none:
  ret ptr null
}"""
