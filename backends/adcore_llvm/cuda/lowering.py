"""The lowering of programs to the code of one thread of a device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adcore.errors import UnsupportedFunctionError
from adcore.passes.schedule import Group, Step
from adcore.primitives import Kind
from adcore.program import Equation, Program, regions

from ..lower import Block, Lowering
from . import libdevice

__all__ = ["DeviceBlock", "DeviceLowering", "needs_host", "refuse"]

ON_HOST = {
    Kind.HOST: "a call of Python",
    Kind.FACTORIZATION: "a factorization of matrices",
    Kind.SOLVE: "a linear system of equations",
    Kind.FOURIER: "a Fourier transform",
}


class DeviceLowering(Lowering):
    """The lowering of a function that a thread runs, whose memory is a part of a workspace.

    Attributes:
        allocates: whether it needs such memory.
    """

    heap = "ptr %arena, "
    has_blas = False
    allocates = False
    is_part = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.is_part = True  # of what the threads of the device run

    def use_memory(self) -> None:
        self.allocates = True


class DeviceBlock(Block):
    """A block of such a function: it calls nothing that a device has not."""

    def step(self, step: Step) -> None:
        before = set(self.code.declarations)
        super().step(step)
        for name in self.code.declarations:
            if name not in before and self.code.declarations[name].startswith("declare") and not is_there(name):
                source = step.members[-1].source if isinstance(step, Group) else step.source
                raise UnsupportedFunctionError(f"a CUDA device has no function {name}", source, INSTEAD)


INSTALL = "pip install cupy-cuda12x, or torch: a library that has it for the device"
INSTEAD = "that part outside of what is compiled for the device"


def is_there(name: str) -> bool:
    """Whether a device has a function of this name."""
    return name.startswith(("llvm.", "_ZGV")) or name in libdevice.FUNCTIONS


def refuse(equations: list[Equation], called: Callable[[Equation], bool] | None = None) -> None:
    """Refuse what only a host can run, but for what a library for the device is called for.

    Raises:
        UnsupportedFunctionError: an equation calls Python, LAPACK or FFTs.
    """
    for equation in equations:
        kind = equation.primitive.kind
        if kind in ON_HOST and not (called and called(equation)):
            lapack = kind in (Kind.FACTORIZATION, Kind.SOLVE)
            write = INSTALL if called is None and lapack else INSTEAD
            raise UnsupportedFunctionError(f"{ON_HOST[kind]} on a CUDA device", equation.source, write)
        for _, inner in regions(equation):
            refuse(inner.equations, called)


def needs_host(region: Program) -> bool:
    """Whether there is something in a region that no kernel can do."""
    return any(e.primitive.kind in ON_HOST for e in inside(region))


def inside(program: Program) -> list[Equation]:
    """All equations of a region, those of regions in it included."""
    return [e for own in program.equations for e in (own, *(i for _, r in regions(own) for i in inside(r)))]
