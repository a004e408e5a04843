"""What workers run in the tests."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path

import numpy as np

from adcore.plugins import backend

compiled: list[str] = []


def watch_compilations() -> None:
    """Count from now on what this process compiles."""
    compiled.clear()
    entry = type(backend()).entry

    def counting(program, inputs, result, name, *rest):
        compiled.append(name)
        return entry(backend(), program, inputs, result, name, *rest)

    backend().entry = counting


def compilations() -> list[str]:
    return list(compiled)


def slow_chunk(k: int, folder: str) -> np.ndarray:
    """A chunk of data that takes a while, and leaves a file that says that it was made."""
    time.sleep(0.15)
    Path(folder, f"{k}-{uuid.uuid4().hex}-{os.getpid()}").touch()
    return np.sin(np.arange(3000.0).reshape(1000, 3) + k)
