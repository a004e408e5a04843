"""On what was measured: the machine, which two measurements must share to be compared, and versions."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from adcore import doctor
from bench.peers import PEERS, installed

__all__ = ["compiler_version", "machine", "versions"]

PACKAGES = ("adcore", "numpy", "scipy", "llvmlite", *(p for p in PEERS if p not in ("c++", "scipy")))


def machine() -> dict[str, Any]:
    """The processor and the system."""
    return {
        "processor": _model(),
        "target": doctor.examine()["processor"]["name"],
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _model() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def versions() -> dict[str, str | None]:
    """Of Python, of the packages and of the C++ compiler; None for what is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    found |= {name: doctor.version_of(name) for name in PACKAGES}
    found["c++"] = compiler_version() if installed("c++") else None
    return found


def compiler_version() -> str:
    """What g++ says it is."""
    done = subprocess.run(["g++", "--version"], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()[0]
