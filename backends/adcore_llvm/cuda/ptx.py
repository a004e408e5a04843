"""Modules of LLVM's to PTX, the assembly language of NVIDIA's devices.

PTX is compiled for a device by the driver when it is loaded.  What is written for an older device runs on a later one.
"""

from __future__ import annotations

import re

import llvmlite.binding as llvm

from adcore.errors import DeviceError
from adcore.once import once

from . import libdevice

__all__ = ["CAPABILITIES", "ptx", "without_vectors"]

TRIPLE = "nvptx64-nvidia-cuda"
OPTIMIZATION = 3

# The compute capabilities that PTX is written for, and the version of PTX that each needs at least.  The oldest version
# is taken, since an older driver does not know a later one.
CAPABILITIES = {(7, 0): 63, (7, 5): 63, (8, 0): 70, (8, 6): 71, (8, 9): 78, (9, 0): 78, (10, 0): 86, (12, 0): 87}


@once
def _machine(capability: tuple[int, int]) -> llvm.TargetMachine:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    major, minor = capability
    target = llvm.Target.from_triple(TRIPLE)
    features = f"+ptx{CAPABILITIES[capability]}"
    return target.create_target_machine(cpu=f"sm_{major}{minor}", features=features, opt=OPTIMIZATION)


def ptx(text: str, capability: tuple[int, int]) -> str:
    """The PTX of a module for devices of a compute capability, and for later ones.

    Raises:
        DeviceError: a device older than Volta, or libdevice is missing.
    """
    known = [c for c in CAPABILITIES if c <= capability]
    if not known:
        major, minor = capability
        raise DeviceError(f"a CUDA device of compute capability {major}.{minor}; 7.0 is the oldest that can be used")
    machine = _machine(max(known))
    module = llvm.parse_assembly(libdevice.with_own_names(without_vectors(text)))
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    libdevice.link(module, machine)
    options = llvm.create_pipeline_tuning_options(speed_level=OPTIMIZATION)
    options.loop_vectorization = False
    options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return machine.emit_assembly(module)


def without_vectors(text: str) -> str:
    """A module without the vector functions of a processor's C library."""
    text = re.sub(r' "vector-function-abi-variant"="[^"]*"', "", text)
    text = re.sub(r"^@llvm\.compiler\.used = .*$", "", text, flags=re.MULTILINE)
    return re.sub(r"^declare .*@_ZGV.*$", "", text, flags=re.MULTILINE)
