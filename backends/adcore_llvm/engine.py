"""LLVM: parse, optimize for this machine, generate code, load it."""

from __future__ import annotations

import os
from functools import cache
from threading import Lock
from typing import Any

import llvmlite.binding as llvm

from adcore import cache as disk
from adcore.once import once

from . import symbols

__all__ = [
    "NAME",
    "described",
    "function_address",
    "load",
    "machine_code",
    "optimized",
    "optimized_assembly",
    "start",
    "support",
]

OPTIMIZATION = 2
NAME = "adcore_module_00000000"  # in modules: a name that is another one wherever such a module is loaded

_lock = Lock()
_loaded = 0


@once
def _machine() -> llvm.TargetMachine:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=OPTIMIZATION,
        jit=True,
    )


@cache
def described() -> tuple[str, ...]:
    """What machine code depends on beside its assembly."""
    version = ".".join(map(str, llvm.llvm_version_info))
    libraries = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in getattr(os, "confstr_names", ()) else None
    processor = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    return (version, llvm.get_process_triple(), str(libraries), *processor)


@once
def _engine() -> Any:
    empty = llvm.parse_assembly("")
    return llvm.create_mcjit_compiler(empty, _machine())


def start() -> None:
    """Start LLVM: its first module takes several times as long as a later one."""
    load(machine_code("define void @adcore_prepared() { ret void }"), "adcore_prepared")


def optimized(text: str, machine: llvm.TargetMachine) -> llvm.ModuleRef:
    """A module after optimization for a machine."""
    module = llvm.parse_assembly(text)
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=OPTIMIZATION)
    options.loop_vectorization = True
    options.slp_vectorization = False  # doubles the time of optimization, and scalar derivatives run no faster
    options.loop_interleaving = False  # but where a loop asks for it
    options.loop_unrolling = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return module


def machine_code(text: str) -> bytes:
    """A module compiled to an object file, in which nothing internal has a name."""
    module = optimized(text, _machine())
    hide(module)
    return _machine().emit_object(module)


def hide(module: llvm.ModuleRef) -> None:
    """Make what is internal private.

    The loader enters internal names in its table as well: what other modules call by such a name would be this.
    """
    for value in (*module.functions, *module.global_variables):
        if value.linkage == llvm.Linkage.internal:
            value.linkage = llvm.Linkage.private


def load(code: bytes, *names: str) -> tuple[int, ...]:
    """The addresses of functions and variables of an object file, which stay valid until the process ends.

    `NAME` is replaced, so that the same file can be loaded again.  What the file refers to has to be there.
    """
    global _loaded
    with _lock:
        _loaded += 1
        own = f"{NAME[:-8]}{_loaded:08}"
        engine = _engine()
        engine.add_object_file(llvm.ObjectFileRef.from_data(code.replace(NAME.encode(), own.encode())))
        engine.finalize_object()
        return tuple(engine.get_global_value_address(name.replace(NAME, own)) for name in names)


def support(name: str, make: Any) -> tuple[bytes, symbols.Needs]:
    """The object file of a module that is the same for all programs, and the symbols that it needs.

    `make` gives its assembly and them; what it gives must depend on `name`, on this package and on the machine only.
    """

    def compiled() -> tuple[bytes, symbols.Needs]:
        _engine()  # before which LLVM finds no symbols of this process
        text, needs = make()
        return machine_code(text), needs

    code, needs = disk.support(name, compiled)
    symbols.provide(needs)
    return code, needs


def function_address(name: str) -> int:
    """The address of a function in a module that has been compiled."""
    return _engine().get_function_address(name)


def optimized_assembly(text: str) -> str:
    """The module after optimization, for people to read."""
    return str(optimized(text, _machine()))
