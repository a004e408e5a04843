"""A pool of threads that run the chunks of a range, and the function by which compiled code starts them.

One word says what there is to do: the number of the job, how many chunks it has, and the next one.  Whoever adds one to
it has taken a chunk, and knows of which job.  The caller takes chunks too, and returns when all are done.  Threads that
find nothing look on for a moment, which is long enough in a loop that forks again and again, and then sleep.  A call
from inside a chunk, or while another thread of Python's is inside one, is done by the caller alone.

OpenBLAS has threads of its own, which would wait for each other where several of ours call it, and round otherwise than
one does: while chunks are run it is told to do with one.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import llvmlite.binding as llvm

from adcore import threads as number

from . import memory
from .engine import function_address, load, support
from .symbols import Needs, note, provider

__all__ = ["FUNCTIONS", "in_turn", "note_blas", "provide", "set_threads"]

STACK = 1 << 24  # bytes
LOOKS = 4000  # at the word, before a thread sleeps: some tens of microseconds
MOST_CHUNKS = 1 << 19  # so that all who look for a chunk in vain can be counted in the word, too

# How compiled code declares them
FUNCTIONS = {
    "adcore_fork_join": "declare void @adcore_fork_join(ptr, ptr, i64) nounwind",
    "adcore_threads": "declare i64 @adcore_threads() nounwind willreturn",
    "adcore_fork_join_wide": "declare void @adcore_fork_join_wide(ptr, ptr, i64) nounwind",
    "adcore_threads_wide": "declare i64 @adcore_threads_wide() nounwind willreturn",
}


@provider("threads")
def provide() -> None:
    """Let compiled code find the functions."""
    memory.provide()
    code, _ = support("threads", _module)
    load(code, "adcore_fork_join")
    for name in FUNCTIONS:
        note(name, "threads")
    set_threads(number.get_num_threads())
    ctypes.CFUNCTYPE(None, ctypes.c_int64)(function_address("adcore_set_processors"))(number.processors())
    number.when_set(lambda: set_threads(number.get_num_threads()))
    if hasattr(os, "register_at_fork"):
        forget = ctypes.CFUNCTYPE(None)(function_address("adcore_forget_threads"))
        os.register_at_fork(after_in_child=forget)
    _provided.append(True)
    for library in _blas:
        _connect(library)


_provided: list[bool] = []


_blas: list[str] = []  # the library that calls it, if one has been loaded
NAMES = tuple(f"{prefix}openblas_{{}}_num_threads{suffix}" for prefix in ("scipy_", "") for suffix in ("", "64_"))


def note_blas(library: str) -> None:
    """Note which library the BLAS is that compiled code calls, or a library that is linked to it."""
    if library not in _blas:
        _blas.append(library)
        if _provided:
            _connect(library)


def _connect(library: str) -> None:
    """Have a BLAS do with one thread while several of ours are at work, if it is OpenBLAS."""
    found = ctypes.CDLL(library)
    for name in NAMES:
        functions = [getattr(found, name.format(verb), None) for verb in ("get", "set")]
        if all(functions):
            addresses = [ctypes.cast(function, ctypes.c_void_p).value for function in functions if function]
            connect = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
            connect(function_address("adcore_connect_blas"))(*addresses)
            return


def set_threads(count: int) -> None:
    """Have so many threads run chunks, those that call included.  They begin when there is something to do."""
    ctypes.CFUNCTYPE(None, ctypes.c_int64)(function_address("adcore_set_threads"))(count)


@contextmanager
def in_turn(stride: int) -> Iterator[None]:
    """A context in which the caller runs all chunks, one after the other in an order of which the stride is: for tests.

    The stride is a prime larger than any number of chunks, or 0 for the order of the chunks.  What chunks give depends
    on the order if one of them reads or writes what another one writes.
    """
    provide()
    set_stride = ctypes.CFUNCTYPE(None, ctypes.c_int64)(function_address("adcore_set_stride"))
    set_stride(stride)
    try:
        yield
    finally:
        set_stride(0)


def _module() -> tuple[str, Needs]:
    if not llvm.address_of_symbol("pthread_create"):
        return _RUN_ALONE + _ALONE, []
    machine = llvm.get_process_triple().partition("-")[0]
    declaration, look = _LOOK.get(machine, ("", ""))
    text = _POOL.format(
        stack=STACK,
        looks=LOOKS,
        most=MOST_CHUNKS,
        block=int(signal.SIG_BLOCK),
        restore=int(signal.SIG_SETMASK),
        look=look,
    )
    return f"{declaration}\n{_RUN_ALONE}{text}", [["memory"]]


_YIELD = "declare void @llvm.aarch64.hint(i32)", "call void @llvm.aarch64.hint(i32 1)"
_LOOK = {  # by processor: an instruction that says to it that somebody waits
    "x86_64": ("declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()"),
    "aarch64": _YIELD,
    "arm64": _YIELD,
}


# Where there is a stride, the chunks come in the order of its multiples, modulo how many they are.

_RUN_ALONE = """
@stride = internal global i64 0

define void @adcore_set_stride(i64 %stride) nounwind {
  store i64 %stride, ptr @stride
  ret void
}

define internal void @run_alone(ptr %function, ptr %frame, i64 %chunks) nounwind {
entry:
  %stride = load i64, ptr @stride
  %in_order = icmp eq i64 %stride, 0
  br label %head
head:
  %c = phi i64 [ 0, %entry ], [ %next, %run ]
  %more = icmp ult i64 %c, %chunks
  br i1 %more, label %body, label %done
body:
  %next = add i64 %c, 1
  br i1 %in_order, label %run, label %turn
turn:
  %far = mul i64 %next, %stride
  %place = urem i64 %far, %chunks
  br label %run
run:
  %at = phi i64 [ %c, %body ], [ %place, %turn ]
  call void %function(ptr %frame, i64 %at)
  br label %head
done:
  ret void
}"""

_ALONE = """
define void @adcore_fork_join(ptr %function, ptr %frame, i64 %chunks) nounwind {
  call void @run_alone(ptr %function, ptr %frame, i64 %chunks)
  ret void
}
define i64 @adcore_threads() nounwind { ret i64 1 }
define void @adcore_fork_join_wide(ptr %function, ptr %frame, i64 %chunks) nounwind {
  call void @run_alone(ptr %function, ptr %frame, i64 %chunks)
  ret void
}
define i64 @adcore_threads_wide() nounwind { ret i64 1 }
define void @adcore_set_processors(i64 %count) nounwind { ret void }
define void @adcore_connect_blas(ptr %get, ptr %set) nounwind { ret void }
define void @adcore_set_threads(i64 %count) nounwind { ret void }
define void @adcore_forget_threads() nounwind { ret void }
"""

# The word @work holds the number of the job (24 bits), how many chunks it has (20) and the next one (20).

_POOL = """
@wanted = internal global i64 1
@processors = internal global i64 1
@allowed = internal global i64 1  ; of the threads, for the job in hand
@begun = internal global i64 0  ; threads of the pool
@prepared = internal global i32 0
@taken = internal global i32 0  ; by a caller
@work = internal global i64 0, align 128
@function = internal global ptr null, align 128
@frame = internal global ptr null
@finished = internal global i64 0, align 128  ; chunks
@asleep = internal global i64 0, align 128  ; threads
@get_blas = internal global ptr null
@set_blas = internal global ptr null
@blas_lock = internal global i32 0, align 128
@blas_users = internal global i64 0  ; callers whose chunks are run
@blas_before = internal global i32 0  ; its number of threads otherwise
@mutex = internal global [128 x i8] zeroinitializer, align 64
@condition = internal global [128 x i8] zeroinitializer, align 64

declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_detach(ptr)
declare i32 @pthread_attr_init(ptr)
declare i32 @pthread_attr_setstacksize(ptr, i64)
declare i32 @pthread_attr_destroy(ptr)
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_broadcast(ptr)
declare i32 @pthread_sigmask(i32, ptr, ptr)
declare i32 @sigfillset(ptr)
declare i32 @sched_yield()
declare void @adcore_set_parallel(i32)
declare i1 @adcore_expect_threads()
declare i1 @adcore_have_lists()

define i64 @adcore_threads() nounwind {{
  %count = load i64, ptr @wanted
  ret i64 %count
}}

define void @adcore_set_threads(i64 %count) nounwind {{
  store i64 %count, ptr @wanted
  ret void
}}

; Where one thread is wanted, what is declared to be worth several of them has as many as there are processors.

define i64 @adcore_threads_wide() nounwind {{
  %count = load i64, ptr @wanted
  %processors = load i64, ptr @processors
  %several = icmp ugt i64 %count, 1
  %wide = select i1 %several, i64 %count, i64 %processors
  ret i64 %wide
}}

define void @adcore_set_processors(i64 %count) nounwind {{
  store i64 %count, ptr @processors
  ret void
}}

define void @adcore_connect_blas(ptr %get, ptr %set) nounwind {{
  store ptr %get, ptr @get_blas
  store ptr %set, ptr @set_blas
  ret void
}}

define internal void @lock_blas() nounwind {{
entry:
  br label %look
look:
  %taken = cmpxchg ptr @blas_lock, i32 0, i32 1 seq_cst seq_cst
  %got = extractvalue {{i32, i1}} %taken, 1
  br i1 %got, label %done, label %wait
wait:
  %ignored = call i32 @sched_yield()
  br label %look
done:
  ret void
}}

define internal void @set_blas_threads(i32 %count) nounwind {{
entry:
  %several = icmp sgt i32 %count, 1
  br i1 %several, label %change, label %done
change:
  %set = load ptr, ptr @set_blas
  %users = load i64, ptr @blas_users
  %free = icmp eq i64 %users, 0
  %wanted = select i1 %free, i32 %count, i32 1
  call void %set(i32 %wanted)
  br label %done
done:
  ret void
}}

; Have the BLAS do with one thread, until the last one who has asked for it gives it back.

define internal void @quiet_blas() nounwind {{
entry:
  %get = load ptr, ptr @get_blas
  %known = icmp ne ptr %get, null
  br i1 %known, label %ask, label %done
ask:
  call void @lock_blas()
  %before = load i64, ptr @blas_users
  %users = add i64 %before, 1
  store i64 %users, ptr @blas_users
  %first = icmp eq i64 %before, 0
  br i1 %first, label %reduce, label %unlock
reduce:
  %count = call i32 %get()
  store i32 %count, ptr @blas_before
  call void @set_blas_threads(i32 %count)
  br label %unlock
unlock:
  store atomic i32 0, ptr @blas_lock seq_cst, align 4
  br label %done
done:
  ret void
}}

define internal void @restore_blas() nounwind {{
entry:
  %get = load ptr, ptr @get_blas
  %known = icmp ne ptr %get, null
  br i1 %known, label %ask, label %done
ask:
  call void @lock_blas()
  %before = load i64, ptr @blas_users
  %users = sub i64 %before, 1
  store i64 %users, ptr @blas_users
  %last = icmp eq i64 %users, 0
  br i1 %last, label %restore, label %unlock
restore:
  %count = load i32, ptr @blas_before
  call void @set_blas_threads(i32 %count)
  br label %unlock
unlock:
  store atomic i32 0, ptr @blas_lock seq_cst, align 4
  br label %done
done:
  ret void
}}

; After a fork the child has none of the threads.

define void @adcore_forget_threads() nounwind {{
  store i64 0, ptr @begun
  store i64 0, ptr @work
  store i32 0, ptr @prepared
  store i32 0, ptr @taken
  store i64 0, ptr @asleep
  store i32 0, ptr @blas_lock
  store i64 0, ptr @blas_users
  call void @adcore_set_parallel(i32 0)
  ret void
}}

; Chunks, taken from the word until it has none; gives the number of the job that was the last.

define internal i64 @take() nounwind {{
entry:
  br label %head
head:
  %before = atomicrmw add ptr @work, i64 1 seq_cst
  %job = lshr i64 %before, 40
  %shifted = lshr i64 %before, 20
  %chunks = and i64 %shifted, 1048575
  %c = and i64 %before, 1048575
  %there = icmp ult i64 %c, %chunks
  br i1 %there, label %run, label %none
run:
  %function = load ptr, ptr @function
  %frame = load ptr, ptr @frame
  call void %function(ptr %frame, i64 %c)
  %ended = atomicrmw add ptr @finished, i64 1 seq_cst
  br label %head
none:
  ret i64 %job
}}

define internal ptr @worker(ptr %place) nounwind {{
entry:
  %number = ptrtoint ptr %place to i64
  %able = call i1 @adcore_have_lists()
  br i1 %able, label %begin, label %useless
useless:
  ret ptr null
begin:
  %allowed = load atomic i64, ptr @allowed seq_cst, align 8
  %needed = icmp ult i64 %number, %allowed
  br i1 %needed, label %work_on, label %stand_by
work_on:
  %last = call i64 @take()
  br label %look
stand_by:
  %state = load atomic i64, ptr @work seq_cst, align 8
  %seen = lshr i64 %state, 40
  br label %look
look:
  %known = phi i64 [ %last, %work_on ], [ %seen, %stand_by ], [ %known, %again ]
  %looks = phi i64 [ 0, %work_on ], [ 0, %stand_by ], [ %more_looks, %again ]
  %now = load atomic i64, ptr @work seq_cst, align 8
  %job = lshr i64 %now, 40
  %new = icmp ne i64 %job, %known
  br i1 %new, label %begin, label %wait
wait:
  {look}
  %more_looks = add i64 %looks, 1
  %enough = icmp ugt i64 %more_looks, {looks}
  br i1 %enough, label %sleep, label %again
again:
  br label %look
sleep:
  call i32 @pthread_mutex_lock(ptr @mutex)
  %ignored = atomicrmw add ptr @asleep, i64 1 seq_cst
  br label %asleep
asleep:
  %then = load atomic i64, ptr @work seq_cst, align 8
  %job_then = lshr i64 %then, 40
  %other = icmp ne i64 %job_then, %known
  br i1 %other, label %wake, label %dream
dream:
  call i32 @pthread_cond_wait(ptr @condition, ptr @mutex)
  br label %asleep
wake:
  %ignored_too = atomicrmw sub ptr @asleep, i64 1 seq_cst
  call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %begin
}}

; Threads begin with all signals blocked, so that those of the process reach Python's main thread.

define internal void @begin_threads(i64 %wanted) nounwind {{
entry:
  %thread = alloca ptr
  %attributes = alloca [128 x i8], align 16
  %all = alloca [128 x i8], align 16
  %before = alloca [128 x i8], align 16
  %ready = load i32, ptr @prepared
  %is_ready = icmp ne i32 %ready, 0
  br i1 %is_ready, label %check, label %prepare
prepare:
  call i32 @pthread_mutex_init(ptr @mutex, ptr null)
  call i32 @pthread_cond_init(ptr @condition, ptr null)
  %expected = call i1 @adcore_expect_threads()
  br i1 %expected, label %prepared, label %done
prepared:
  store i32 1, ptr @prepared
  br label %check
check:
  %begun = load i64, ptr @begun
  %with_caller = add i64 %begun, 1
  %missing = icmp ult i64 %with_caller, %wanted
  br i1 %missing, label %create, label %done
create:
  call i32 @sigfillset(ptr %all)
  call i32 @pthread_sigmask(i32 {block}, ptr %all, ptr %before)
  call i32 @pthread_attr_init(ptr %attributes)
  call i32 @pthread_attr_setstacksize(ptr %attributes, i64 {stack})
  br label %one
one:
  %number = phi i64 [ %with_caller, %create ], [ %next, %created ]
  %place = inttoptr i64 %number to ptr
  %status = call i32 @pthread_create(ptr %thread, ptr %attributes, ptr @worker, ptr %place)
  %failed = icmp ne i32 %status, 0
  br i1 %failed, label %restore, label %created
created:
  store i64 %number, ptr @begun
  %handle = load ptr, ptr %thread
  call i32 @pthread_detach(ptr %handle)
  %next = add i64 %number, 1
  %enough = icmp uge i64 %next, %wanted
  br i1 %enough, label %restore, label %one
restore:
  call i32 @pthread_attr_destroy(ptr %attributes)
  call i32 @pthread_sigmask(i32 {restore}, ptr %before, ptr null)
  br label %done
done:
  ret void
}}

define void @adcore_fork_join(ptr %function, ptr %frame, i64 %chunks) nounwind {{
  %threads = load i64, ptr @wanted
  call void @fork_join(ptr %function, ptr %frame, i64 %chunks, i64 %threads)
  ret void
}}

define void @adcore_fork_join_wide(ptr %function, ptr %frame, i64 %chunks) nounwind {{
  %threads = call i64 @adcore_threads_wide()
  call void @fork_join(ptr %function, ptr %frame, i64 %chunks, i64 %threads)
  ret void
}}

define internal void @fork_join(ptr %function, ptr %frame, i64 %chunks, i64 %threads) nounwind {{
entry:
  %more = icmp ugt i64 %threads, 1
  %stride = load i64, ptr @stride
  %any_order = icmp eq i64 %stride, 0
  %several = and i1 %more, %any_order
  %parts = icmp ugt i64 %chunks, 1
  %few = icmp ule i64 %chunks, {most}
  %both = and i1 %several, %parts
  %all = and i1 %both, %few
  br i1 %parts, label %quiet, label %alone
quiet:
  call void @quiet_blas()
  br i1 %all, label %try, label %in_turn
try:
  %taken = cmpxchg ptr @taken, i32 0, i32 1 seq_cst seq_cst
  %got = extractvalue {{i32, i1}} %taken, 1
  br i1 %got, label %fork, label %in_turn
fork:
  call void @begin_threads(i64 %threads)
  store atomic i64 %threads, ptr @allowed seq_cst, align 8
  call void @adcore_set_parallel(i32 1)
  store ptr %function, ptr @function
  store ptr %frame, ptr @frame
  store atomic i64 0, ptr @finished seq_cst, align 8
  %before = load atomic i64, ptr @work seq_cst, align 8
  %last = lshr i64 %before, 40
  %job = add i64 %last, 1
  %high = shl i64 %job, 40
  %middle = shl i64 %chunks, 20
  %word = or i64 %high, %middle
  store atomic i64 %word, ptr @work seq_cst, align 8
  %asleep = load atomic i64, ptr @asleep seq_cst, align 8
  %any = icmp ne i64 %asleep, 0
  br i1 %any, label %wake, label %help
wake:
  call i32 @pthread_mutex_lock(ptr @mutex)
  call i32 @pthread_cond_broadcast(ptr @condition)
  call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %help
help:
  %own = call i64 @take()
  br label %join
join:
  %looks = phi i64 [ 0, %help ], [ %more_looks, %again ], [ 0, %give_way ]
  %finished = load atomic i64, ptr @finished seq_cst, align 8
  %complete = icmp eq i64 %finished, %chunks
  br i1 %complete, label %joined, label %wait
wait:
  {look}
  %more_looks = add i64 %looks, 1
  %enough = icmp ugt i64 %more_looks, {looks}
  br i1 %enough, label %give_way, label %again
again:
  br label %join
give_way:
  call i32 @sched_yield()
  br label %join
joined:
  call void @adcore_set_parallel(i32 0)
  store atomic i32 0, ptr @taken seq_cst, align 4
  br label %done
in_turn:
  call void @run_alone(ptr %function, ptr %frame, i64 %chunks)
  br label %done
done:
  call void @restore_blas()
  ret void
alone:
  call void @run_alone(ptr %function, ptr %frame, i64 %chunks)
  ret void
}}
"""
