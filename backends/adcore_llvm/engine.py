"""LLVM: parse, optimize for this machine, generate code."""

from __future__ import annotations

from functools import cache
from typing import Any

import llvmlite.binding as llvm

__all__ = ["function_address", "optimized_assembly", "prepare", "to_machine_code"]

OPTIMIZATION = 2


@cache
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
def _engine() -> Any:
    empty = llvm.parse_assembly("")
    return llvm.create_mcjit_compiler(empty, _machine())


def prepare() -> None:
    """Start LLVM: its first module takes several times as long as a later one."""
    to_machine_code("define void @adcore_prepared() { ret void }", "adcore_prepared")


def _optimized(text: str) -> llvm.ModuleRef:
    machine = _machine()
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


def to_machine_code(text: str, name: str) -> int:
    """Compile a module and give the address of one of its functions, which stays valid until the process ends."""
    module = _optimized(text)
    engine = _engine()
    engine.add_module(module)
    engine.finalize_object()
    return engine.get_function_address(name)


def function_address(name: str) -> int:
    """The address of a function in a module that has been compiled."""
    return _engine().get_function_address(name)


def optimized_assembly(text: str) -> str:
    """The module after optimization, for people to read."""
    return str(_optimized(text))
