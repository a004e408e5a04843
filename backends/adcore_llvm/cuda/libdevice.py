"""NVIDIA's library of mathematical functions, libdevice, as the code of a device calls it."""

from __future__ import annotations

import os
import re
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import llvmlite.binding as llvm

from adcore.errors import DeviceError

__all__ = ["FUNCTIONS", "linked", "path", "with_own_names"]

FILE = Path("nvvm", "libdevice", "libdevice.10.bc")
_UNARY = [
    *("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "cbrt", "erf", "erfc", "lgamma"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
]
_BINARY = ["pow", "atan2", "hypot", "fmod", "nextafter"]
FUNCTIONS = frozenset(name + suffix for name in (*_UNARY, *_BINARY) for suffix in ("", "f"))


@cache
def path() -> Path:
    """Where the library is: in a toolkit, or in a package of NVIDIA's.

    Raises:
        DeviceError: it is nowhere.
    """
    found = next((root / FILE for root in _roots() if (root / FILE).is_file()), None)
    if found is None:
        raise DeviceError(
            "libdevice.10.bc, NVIDIA's mathematical functions, is not on this machine",
            write="pip install nvidia-nvvm, or CUDA_HOME set to the CUDA toolkit",
        )
    return found


def _roots() -> list[Path]:
    """Where a toolkit may be."""
    named = [Path(os.environ[name]) for name in ("CUDA_HOME", "CUDA_PATH") if os.environ.get(name)]
    package = find_spec("nvidia")
    wheels: list[Path] = []
    for place in (package and package.submodule_search_locations) or ():
        wheels += [Path(place, "cuda_nvcc"), *sorted(Path(place).glob("cu[0-9]*"), reverse=True)]
    return [*named, *wheels, Path(sys.prefix), Path("/usr/local/cuda"), Path("/usr/lib/cuda"), Path("/opt/cuda")]


def with_own_names(text: str) -> str:
    """A module that calls the library's functions where it has called those of the C library."""
    text = re.sub(r"frem double ([^,\n]+), ([^,\n]+)", r"call double @fmod(double \1, double \2)", text)
    text = re.sub(r"frem float ([^,\n]+), ([^,\n]+)", r"call float @fmodf(float \1, float \2)", text)
    for name, type in (("fmod", "double"), ("fmodf", "float")):
        if f"@{name}(" in text and f"declare {type} @{name}(" not in text:
            text += f"\ndeclare {type} @{name}({type}, {type})"
    return re.sub(r"@(\w+)\(", lambda m: f"@__nv_{m[1]}(" if m[1] in FUNCTIONS else m[0], text)


def linked(module: llvm.ModuleRef) -> None:
    """Add the library's functions to a module."""
    module.link_in(llvm.parse_bitcode(path().read_bytes()))
    for function in module.functions:
        if function.name.startswith("__") and not function.is_declaration:
            function.linkage = "internal"
