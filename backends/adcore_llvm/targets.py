"""What code is emitted for: this process, any thread of it, or another program on a machine of some kind.

Code for any thread, or for another program, brings what it calls in its own module, and allocates by malloc; code for
another program refers to libraries by their own names, and to nothing of SciPy's and NumPy's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import llvmlite.binding as llvm

from adcore.errors import AdcoreError

__all__ = ["Machine", "anywhere", "in_any_thread", "is_alone", "machine", "machine_of"]

OPTIMIZATION = 2
FAMILIES = {  # of processors: the oldest ones that a library runs on, their features, and the ABI by name
    "x86-64": ("x86-64-v2", "", ""),
    "aarch64": ("generic", "", ""),
    "ppc64le": ("pwr8", "", ""),
    "riscv64": ("generic-rv64", "+m,+a,+f,+d,+c", "lp64d"),
}


@dataclass(frozen=True, slots=True)
class Machine:
    """A kind of machine.

    Attributes:
        triple, cpu, features: as LLVM writes them.
        native: whether it is like this one, in system and family of processors.
        lanes: the letters and the numbers of doubles of libmvec's functions there, the widest first.
    """

    triple: str
    cpu: str
    features: str
    native: bool
    lanes: tuple[tuple[str, int], ...]
    abi: str = ""

    def compiler(self) -> llvm.TargetMachine:
        target = llvm.Target.from_triple(self.triple)
        return target.create_target_machine(
            cpu=self.cpu,
            features=self.features,
            opt=OPTIMIZATION,
            reloc="pic",
            codemodel="default",
            abiname=self.abi,
        )


_alone: ContextVar[bool] = ContextVar("alone", default=False)
_machine: ContextVar[Machine | None] = ContextVar("machine", default=None)


@contextmanager
def in_any_thread() -> Iterator[None]:
    """A context in which code is emitted that any number of threads can run at once, without Python's lock."""
    token = _alone.set(True)
    try:
        yield
    finally:
        _alone.reset(token)


@contextmanager
def anywhere(machine: Machine) -> Iterator[None]:
    """A context in which code is emitted for other programs, on machines of this kind."""
    token = _machine.set(machine)
    try:
        with in_any_thread():
            yield
    finally:
        _machine.reset(token)


def is_alone() -> bool:
    """Whether the module that is emitted has to bring the functions that it calls."""
    return _alone.get()


def machine() -> Machine | None:
    """What code is emitted for, if not for this process."""
    return _machine.get()


def machine_of(triple: str, cpu: str, features: str) -> Machine:
    """The kind of machine; what is left empty is the usual.

    Raises:
        AdcoreError: LLVM has no such target here, libraries are not made for it, or cpu="native" is another family.
    """
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    here = llvm.get_process_triple()
    triple = triple or here
    try:
        family = llvm.Target.from_triple(triple).name
    except RuntimeError as error:
        raise AdcoreError(f"target={triple!r}: {error}", write=f'a triple, such as "{here}"') from None
    if family not in FAMILIES:
        raise AdcoreError(f"target={triple!r}: libraries are made for {', '.join(FAMILIES)}, not for {family}")
    of_here = llvm.Target.from_triple(here).name == family
    usual, needed, abi = FAMILIES[family]
    wanted = [f for f in (needed, features) if f]
    if cpu == "native":
        if not of_here:
            raise AdcoreError(f'target={triple!r}: cpu="native" is the processor of this machine, of another family')
        cpu = llvm.get_host_cpu_name()
        wanted.insert(0, llvm.get_host_cpu_features().flatten())
    native = of_here and _system(triple) == _system(here)
    joined = ",".join(wanted)
    lanes = _lanes(cpu, joined.split(",")) if native and family == "x86-64" and "linux" in triple else ()
    return Machine(triple, cpu or usual, joined, native, lanes, abi)


def _system(triple: str) -> str:
    return "linux" if "linux" in triple else triple.split("-")[-1]


def _lanes(cpu: str, features: list[str]) -> tuple[tuple[str, int], ...]:
    """The functions of libmvec that such a processor runs."""
    if cpu == "x86-64-v4" or "+avx512f" in features:
        return ("e", 8), ("d", 4)
    if cpu == "x86-64-v3" or "+avx2" in features:
        return (("d", 4),)
    return (("b", 2),)
