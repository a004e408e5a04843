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

__all__ = ["FUNCTIONS", "link", "path", "with_own_names"]

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


def link(module: llvm.ModuleRef, machine: llvm.TargetMachine) -> None:
    """Add those of the library's functions to a module that it calls."""
    names = sorted(f.name for f in module.functions if f.name.startswith("__nv_"))
    if not names:
        return
    module.link_in(llvm.parse_bitcode(_part(tuple(names), machine)))
    for function in module.functions:
        if function.name.startswith("__") and not function.is_declaration:
            function.linkage = "internal"


@cache
def _part(names: tuple[str, ...], machine: llvm.TargetMachine) -> bytes:
    """The part of the library that these functions need: to go through all of it takes a tenth of a second."""
    library = llvm.parse_bitcode(path().read_bytes())
    for function in library.functions:
        if not function.is_declaration and function.name not in names:
            function.linkage = "internal"
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(library, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    return library.as_bitcode()
