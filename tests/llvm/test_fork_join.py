"""The pool of threads runs every chunk once, and memory may be asked for and released inside chunks."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time
from functools import cache

import numpy as np
import pytest
from adcore_llvm import engine, memory
from adcore_llvm import threads as pool

from adcore import threads

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no POSIX threads on this system")

COUNTS = (1, 2, 3, 8)
SIZES = (8, 100, 1000, 5000, 1 << 20, 3 << 20)  # bytes: on both sides of what is small, and of what is large

DECLARATIONS = """
declare ptr @pthread_self()
declare i32 @pthread_sigmask(i32, ptr, ptr)
declare i32 @sigismember(ptr, i32)
declare i32 @sched_yield()
declare void @adcore_fork_join(ptr, ptr, i64)
declare ptr @adcore_allocate(i64)
declare ptr @adcore_allocate_zeroed(i64)
declare ptr @adcore_resize(ptr, i64)
declare void @adcore_release(ptr)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
"""

# What a chunk does, by name: the environment is an array of numbers.
CHUNKS = {
    "counts": """
  %place = getelementptr i64, ptr %env, i64 %c
  %before = atomicrmw add ptr %place, i64 1 monotonic""",
    "squares": """
  %place = getelementptr i64, ptr %env, i64 %c
  %square = mul i64 %c, %c
  store i64 %square, ptr %place""",
    "says_who": """
  %place = getelementptr i64, ptr %env, i64 %c
  %self = call ptr @pthread_self()
  store ptr %self, ptr %place
  %ignored = call i32 @sched_yield()""",
    # A list: its length, and the numbers of the chunks.
    "appends": """
  %length = load i64, ptr %env
  %longer = add i64 %length, 1
  store i64 %longer, ptr %env
  %place = getelementptr i64, ptr %env, i64 %longer
  store i64 %c, ptr %place""",
    # Row c: a list, and then a row for each chunk of the inner call that says who ran it; the first says who calls.
    "nests": """
  %at = mul i64 %c, 32
  %list = getelementptr i64, ptr %env, i64 %at
  call void @adcore_fork_join(ptr @appends, ptr %list, i64 10)
  %whose = getelementptr i64, ptr %list, i64 16
  call void @says_who(ptr %whose, i64 0)
  %inner = getelementptr i64, ptr %whose, i64 1
  call void @adcore_fork_join(ptr @says_who, ptr %inner, i64 10)""",
    # The first number says how many chunks meet, the second one how many have come.
    "meets": """
  %wanted = load i64, ptr %env
  %place = getelementptr i64, ptr %env, i64 1
  %before = atomicrmw add ptr %place, i64 1 seq_cst
  br label %look
look:
  %k = phi i64 [ 0, %entry ], [ %next, %again ]
  %come = load atomic i64, ptr %place seq_cst, align 8
  %all = icmp uge i64 %come, %wanted
  br i1 %all, label %met, label %wait
wait:
  %ignored = call i32 @sched_yield()
  %next = add i64 %k, 1
  %never = icmp ugt i64 %next, 1000000
  br i1 %never, label %done, label %again
again:
  br label %look
met:
  %second = getelementptr i64, ptr %env, i64 2
  %before_too = atomicrmw add ptr %second, i64 1 seq_cst
  br label %done
done:""",
    # Chunks meet, and then say who they are and whether they get the signal of an interrupt.
    "hears": """
  %mask = alloca [128 x i8], align 16
  %rows = getelementptr i64, ptr %env, i64 3
  call void @meets(ptr %env, i64 %c)
  call void @says_who(ptr %rows, i64 %c)
  %got = call i32 @pthread_sigmask(i32 0, ptr null, ptr %mask)
  %blocked = call i32 @sigismember(ptr %mask, i32 2)
  %wide = sext i32 %blocked to i64
  %after = add i64 %c, 8
  %place = getelementptr i64, ptr %rows, i64 %after
  store i64 %wide, ptr %place""",
    # Chunks meet, and then write all over a large frame.
    "is_deep": """
  call void @meets(ptr %env, i64 %c)
  %sum = call i64 @deep(i64 %c)
  %after = add i64 %c, 3
  %place = getelementptr i64, ptr %env, i64 %after
  store i64 %sum, ptr %place""",
    # Blocks of all sizes at once; the environment counts the bytes that are not what was written.
    "uses": """
  %blocks = alloca [8 x ptr]
  br label %head
head:
  %round = phi i64 [ 0, %entry ], [ %next, %head ]
  call void @make_all(ptr %blocks, i64 %c)
  %wrong = call i64 @check_all(ptr %blocks, i64 %c)
  call void @release_all(ptr %blocks)
  %before = atomicrmw add ptr %env, i64 %wrong seq_cst
  %next = add i64 %round, 1
  %more = icmp ult i64 %next, 4
  br i1 %more, label %head, label %done
done:""",
    # Chunks meet, and then make blocks of all sizes again and again, of which they write the first words only.
    "hurries": """
  %blocks = alloca [8 x ptr]
  call void @meets(ptr %env, i64 %c)
  br label %head
head:
  %round = phi i64 [ 0, %entry ], [ %next, %head ]
  call void @mark_all(ptr %blocks, i64 %c)
  %wrong = call i64 @look_at_all(ptr %blocks, i64 %c)
  call void @release_all(ptr %blocks)
  %place = getelementptr i64, ptr %env, i64 3
  %before = atomicrmw add ptr %place, i64 %wrong monotonic
  %next = add i64 %round, 1
  %more = icmp ult i64 %next, 100000
  br i1 %more, label %head, label %done
done:""",
    # Row c: blocks of all sizes.
    "makes": """
  %at = mul i64 %c, 8
  %blocks = getelementptr ptr, ptr %env, i64 %at
  call void @make_all(ptr %blocks, i64 %c)""",
    "releases": """
  %at = mul i64 %c, 8
  %blocks = getelementptr ptr, ptr %env, i64 %at
  call void @release_all(ptr %blocks)""",
    # Blocks of zeros that grow; the environment counts the bytes that are not zero.
    "grows": """
  br label %head
head:
  %round = phi i64 [ 0, %entry ], [ %next, %head ]
  %bytes = phi i64 [ 40, %entry ], [ %tripled, %head ]
  %first = call ptr @adcore_allocate_zeroed(i64 %bytes)
  %tripled = mul i64 %bytes, 3
  %grown = call ptr @adcore_resize(ptr %first, i64 %tripled)
  %wrong = call i64 @differing(ptr %grown, i8 0, i64 %bytes)
  %before = atomicrmw add ptr %env, i64 %wrong seq_cst
  %byte = trunc i64 %c to i8
  call void @llvm.memset.p0.i64(ptr %grown, i8 %byte, i64 %tripled, i1 false)
  call void @adcore_release(ptr %grown)
  %next = add i64 %round, 1
  %more = icmp ult i64 %next, 11
  br i1 %more, label %head, label %done
done:""",
}

DEEP = f"""
define internal i64 @deep(i64 %c) noinline {{
entry:
  %frame = alloca [{8 << 20} x i8]
  %byte = trunc i64 %c to i8
  call void @llvm.memset.p0.i64(ptr %frame, i8 %byte, i64 {8 << 20}, i1 true)
  %wrong = call i64 @differing(ptr %frame, i8 %byte, i64 {8 << 20})
  ret i64 %wrong
}}"""

DIFFERING = """
define internal i64 @differing(ptr %block, i8 %byte, i64 %bytes) noinline {
entry:
  br label %head
head:
  %k = phi i64 [ 0, %entry ], [ %next, %head ]
  %count = phi i64 [ 0, %entry ], [ %total, %head ]
  %place = getelementptr i8, ptr %block, i64 %k
  %found = load i8, ptr %place
  %differs = icmp ne i8 %found, %byte
  %one = zext i1 %differs to i64
  %total = add i64 %count, %one
  %next = add i64 %k, 1
  %more = icmp ult i64 %next, %bytes
  br i1 %more, label %head, label %done
done:
  ret i64 %total
}"""


def of_all_sizes() -> str:
    """Functions that make blocks of each size, fill or mark them, check this and release them."""
    fill, check, mark, look, release = [], [], [], [], []
    for k, size in enumerate(SIZES):
        make = f"  %block{k} = call ptr @adcore_allocate(i64 {size})"
        place = f"  %place{k} = getelementptr ptr, ptr %blocks, i64 {k}"
        keep = f"{place}\n  store ptr %block{k}, ptr %place{k}"
        get = f"{place}\n  %block{k} = load ptr, ptr %place{k}"
        add = f"  %sum{k + 1} = add i64 %sum{k}, %wrong{k}"
        fill += [make, f"  call void @llvm.memset.p0.i64(ptr %block{k}, i8 %byte, i64 {size}, i1 false)", keep]
        check += [get, f"  %wrong{k} = call i64 @differing(ptr %block{k}, i8 %byte, i64 {size})", add]
        mark += [make, f"  store volatile i64 %c, ptr %block{k}", keep]
        look += [get, f"  %found{k} = load volatile i64, ptr %block{k}"]
        look += [f"  %differs{k} = icmp ne i64 %found{k}, %c\n  %wrong{k} = zext i1 %differs{k} to i64", add]
        release += [get, f"  call void @adcore_release(ptr %block{k})"]
    byte, sum = "  %byte = trunc i64 %c to i8", "  %sum0 = add i64 0, 0"
    return "\n".join(
        [
            *("define internal void @make_all(ptr %blocks, i64 %c) {", byte, *fill, "  ret void\n}"),
            *(
                "define internal i64 @check_all(ptr %blocks, i64 %c) {",
                byte,
                sum,
                *check,
                f"  ret i64 %sum{len(SIZES)}\n}}",
            ),
            *("define internal void @mark_all(ptr %blocks, i64 %c) {", *mark, "  ret void\n}"),
            *("define internal i64 @look_at_all(ptr %blocks, i64 %c) {", sum, *look, f"  ret i64 %sum{len(SIZES)}\n}}"),
            *("define internal void @release_all(ptr %blocks) {", *release, "  ret void\n}"),
        ]
    )


@cache
def addresses() -> dict[str, int]:
    """For each kind of chunk a function of an environment and a count that runs so many of them."""
    engine.start()
    pool.provide()
    parts = [DECLARATIONS, DIFFERING, DEEP, of_all_sizes()]
    for name, body in CHUNKS.items():
        parts.append(f"define internal void @{name}(ptr %env, i64 %c) {{\nentry:{body}\n  ret void\n}}")
        parts.append(f"""define void @test_{name}(ptr %env, i64 %chunks) {{
  call void @adcore_fork_join(ptr @{name}, ptr %env, i64 %chunks)
  ret void
}}""")
    found = engine.load(engine.machine_code("\n".join(parts)), *(f"test_{name}" for name in CHUNKS))
    return dict(zip(CHUNKS, found, strict=True))


def run(name: str, env: np.ndarray, chunks: int) -> None:
    """Run chunks without Python's lock, so that several of its threads may do so at once."""
    ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(addresses()[name])(env.ctypes.data, chunks)


def run_locked(name: str, env: np.ndarray, chunks: int) -> None:
    """Run chunks with Python's lock, as compiled programs do: those that use memory need it."""
    ctypes.PYFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(addresses()[name])(env.ctypes.data, chunks)


def numbers(count: int) -> np.ndarray:
    return np.zeros(count, np.int64)


def meet(count: int) -> bool:
    """Whether so many chunks are under way at once."""
    env = numbers(3)
    env[0] = count
    run("meets", env, count)
    return env[2] == count


def who(chunks: int) -> set[int]:
    env = numbers(chunks)
    run("says_who", env, chunks)
    return set(env.tolist())


@pytest.fixture(autouse=True)
def _number_of_threads():
    yield
    addresses()
    pool.set_threads(threads.get_num_threads())


# Chunks


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("chunks", [0, 1, 2, 1000, 100_000, 1 << 19, (1 << 20) - 2, (1 << 20) + 1])
def test_every_chunk_runs_once(chunks, count):
    addresses()
    pool.set_threads(count)
    env = numbers(chunks + 1)
    run("counts", env, chunks)
    assert np.all(env[:-1] == 1)
    assert env[-1] == 0


@pytest.mark.parametrize("count", COUNTS)
def test_every_chunk_runs_once_in_many_calls(count):
    """Calls follow each other while threads look, while they fall asleep and while they sleep."""
    addresses()
    pool.set_threads(count)
    env = numbers(7)
    for k in range(2000):
        run("counts", env, 2 + k % 6)
        if k % 100 == 0:
            time.sleep(0.001)
    assert env.tolist() == [sum(2 + k % 6 > c for k in range(2000)) for c in range(7)]


@pytest.mark.parametrize("count", COUNTS)
def test_the_caller_sees_what_chunks_wrote(count):
    addresses()
    pool.set_threads(count)
    for _ in range(200):
        env = numbers(100)
        run("squares", env, 100)
        np.testing.assert_array_equal(env, np.arange(100) ** 2)


@pytest.mark.parametrize(("count", "chunks"), [(1, 20), (3, 1)])
def test_the_caller_runs_chunks_alone_in_their_order(count, chunks):
    addresses()
    pool.set_threads(count)
    assert who(chunks) == {threading.get_ident()}
    env = numbers(chunks + 1)
    run("appends", env, chunks)
    assert env.tolist() == [chunks, *range(chunks)]


@pytest.mark.parametrize("count", COUNTS)
def test_a_call_inside_a_chunk_is_run_by_who_calls(count):
    addresses()
    pool.set_threads(count)
    env = numbers(32 * 50)
    run("nests", env, 50)
    for row in env.reshape(50, 32):
        assert row[:11].tolist() == [10, *range(10)]
        assert set(row[17:27]) == {row[16]}


def test_threads_of_python_may_call_at_once():
    addresses()
    pool.set_threads(2)
    envs = [numbers(500) for _ in range(3)]

    def call(env: np.ndarray) -> None:
        for _ in range(300):
            run("counts", env, 500)

    callers = [threading.Thread(target=call, args=(env,)) for env in envs]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert all(np.all(env == 300) for env in envs)


# Threads


def test_so_many_threads_take_part_as_are_set():
    addresses()
    for count in (2, 3, 8, 2, 1, 4):
        pool.set_threads(count)
        time.sleep(0.02)  # until threads that are not wanted any more have fallen asleep
        assert meet(count)
        assert len(who(1000)) <= count


def test_threads_of_the_pool_leave_signals_to_python():
    addresses()
    pool.set_threads(2)
    env = numbers(20)
    env[0] = 2
    run("hears", env, 2)
    blocked = dict(zip(env[3:5].tolist(), env[11:13].tolist(), strict=True))
    assert len(blocked) == 2
    assert blocked.pop(threading.get_ident()) == 0
    assert list(blocked.values()) == [1]


@pytest.mark.skipif(sys.platform != "linux", reason="the frame may not fit the main thread's stack on this system")
def test_large_frames_fit_the_stack():
    """In a thread of Python's with a stack as large, since this one's may be 8 MiB in all."""
    addresses()
    pool.set_threads(2)
    env = numbers(5)
    env[0] = 2
    before = threading.stack_size(16 << 20)
    try:
        caller = threading.Thread(target=run, args=("is_deep", env, 2))
        caller.start()
        caller.join()
    finally:
        threading.stack_size(before)
    assert env.tolist() == [2, 2, 2, 0, 0]


def test_threads_with_nothing_to_do_take_no_time():
    addresses()
    pool.set_threads(8)
    assert meet(8)
    time.sleep(0.05)
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.03


# Processes


def in_a_process(text: str) -> str:
    """What a script prints that has the names of this module."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"from {__name__} import *\n{text}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_process_has_threads_of_its_own():
    in_a_process("""
addresses()
pool.set_threads(3)
assert meet(3)
child = os.fork()
for _ in range(3):
    assert meet(3)
env = numbers(1)
run_locked("uses", env, 10)
assert env[0] == 0
if child:
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
""")


def test_a_process_with_threads_exits_at_once():
    end = in_a_process("""
addresses()
pool.set_threads(8)
assert meet(8)
print(time.time())
""")
    assert time.time() - float(end) < 2.0


# Memory


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", ["uses", "grows"])
def test_chunks_have_memory_of_their_own(name, count):
    addresses()
    pool.set_threads(count)
    env = numbers(1)
    run_locked(name, env, 24)
    assert env[0] == 0


@pytest.mark.parametrize("count", COUNTS)
def test_blocks_that_are_made_at_once_are_different_ones(count):
    addresses()
    pool.set_threads(count)
    for _ in range(3):
        env = numbers(4)
        env[0] = count
        run_locked("hurries", env, count)
        assert env.tolist() == [count, count, count, 0]


@pytest.mark.parametrize(("making", "releasing"), [(1, 3), (3, 1), (3, 3), (3, 8)])
def test_memory_is_released_by_whom_it_may(making, releasing):
    """Blocks are made by one thread or by several, released so, and made again: no two of them overlap."""
    addresses()
    blocks = numbers(8 * 24)
    for _ in range(3):
        pool.set_threads(making)
        run_locked("makes", blocks, 24)
        begins = blocks.reshape(24, 8)[:, : len(SIZES)]
        order = np.argsort(begins, axis=None)
        ends = (begins + np.array(SIZES)).ravel()[order]
        assert np.all(ends[:-1] <= begins.ravel()[order][1:])
        pool.set_threads(releasing)
        run_locked("releases", blocks, 24)
    memory.give_back()
