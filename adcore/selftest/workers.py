"""Programs judged in processes of their own, so that a crash or an endless loop is a verdict too."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from random import Random
from typing import Any

from ..errors import AdcoreError
from .checks import Verdict, judge
from .grammar import Point, point, program

__all__ = ["Worker", "generated"]

START = 60.0  # seconds that a worker may take to import adcore
LIFETIME = 300  # programs, after which a worker is replaced: compiled code is never unloaded


def generated(seed: str) -> tuple[str, Point]:
    """The program and the point of a seed."""
    random = Random(seed)
    return program(random), point(random)


def _serve(pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()  # what has been imported is never garbage, and programs leave little
    gc.set_threshold(50_000, 20, 100)
    pipe.send("ready")
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        pipe.send(judge(*task))


class Worker:
    """One process that judges one program at a time."""

    def __init__(self, patience: float, compiled: float = 1.0, threads: int = 1) -> None:
        self.patience = patience
        self.compiled = compiled
        self.threads = threads
        self.task: Any = None
        self.deadline = 0.0
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.judged = 0
        self.ready = False

    def _await(self) -> None:
        """Wait until the process has imported what it needs."""
        try:
            if self.pipe.poll(START):
                self.pipe.recv()
                self.ready = True
                return
        except EOFError:
            pass
        raise AdcoreError("a worker process does not start; its traceback is above")

    def begin(self, source: str, arguments: Sequence[Any], seed: str, task: Any = None) -> None:
        """Give it a program; the verdict is there when `ready` is true."""
        if self.judged >= LIFETIME:
            self.stop()
            self._start()
        if not self.ready:
            self._await()
        self.task = task
        self.deadline = time.monotonic() + self.patience
        self.judged += 1
        self.pipe.send((source, tuple(arguments), seed, self.compiled, self.threads))

    def verdict(self, timeout: float) -> Verdict | None:
        """The verdict, if it comes within so many seconds."""
        try:
            if self.pipe.poll(timeout):
                return self.pipe.recv()
        except (EOFError, OSError):
            return self._died()
        if time.monotonic() > self.deadline:
            self.stop()
            self._start()
            return Verdict("failed", "it ends in time", f"no verdict after {self.patience:.0f} seconds")
        return None

    def _died(self) -> Verdict:
        self.process.join()
        status = self.process.exitcode or 0
        died = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        self._start()
        return Verdict("failed", f"the interpreter survives ({died})", f"the process ended with {died}")

    def judge(self, source: str, arguments: Sequence[Any], seed: str) -> Verdict:
        """Give it a program and wait."""
        self.begin(source, arguments, seed)
        while (found := self.verdict(1.0)) is None:
            pass
        return found

    def stop(self) -> None:
        self.pipe.close()
        if self.process.pid is not None and self.process.is_alive():
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()
