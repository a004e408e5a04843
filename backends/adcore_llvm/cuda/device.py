"""Programs on a CUDA device, as Python calls them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from adcore.once import once
from adcore.program import Program
from adcore.types import Lit, Var

from .arrays import DeviceView, Library, library_of, view
from .kernel import Layout
from .plan import Options, Plan, planned
from .run import Driver, Placed, Run
from .simulator import Simulator

__all__ = ["CudaDevice", "device"]

ATOMICS = "cuda:atomics"
NAMES = "cuda", ATOMICS
SIMULATED = "ADCORE_CUDA_SIMULATOR"


@once
def _driver(simulated: bool) -> Driver:
    if simulated:
        return Simulator()
    from .driver import CudaDriver  # which needs a package that is no requirement

    return CudaDriver()


def device(name: str = "cuda") -> CudaDevice:
    """The CUDA device, or the simulated one; with ":atomics" it adds numbers in no particular order.

    Raises:
        ValueError: another name.
        DeviceError: there is none, or a package is missing.
    """
    if name not in NAMES:
        known = " and ".join(map(repr, NAMES))
        raise ValueError(f"device={name!r}: the devices are {known}, and None for the host")
    return _device(name, os.environ.get(SIMULATED, "0") not in ("", "0"))


@once
def _device(name: str, simulated: bool) -> CudaDevice:
    return CudaDevice(_driver(simulated), name, atomics=name == ATOMICS)


class CudaDevice:
    """Runs programs on a device."""

    def __init__(self, driver: Driver, name: str = "cuda", atomics: bool = False) -> None:
        self.driver = driver
        self.name = name
        self.atomics = atomics

    def view(self, value: Any) -> DeviceView | None:
        """An array on the device; None for anything else."""
        return view(value)

    def apart(self, view: DeviceView) -> str:
        """On what other device an array is than the current one; nothing where it is on that."""
        number = self.driver.device_of(view.pointer) if view.pointer else None
        current = self.driver.activate()
        if number in (None, current):
            return ""
        return f"on CUDA device {number}, and the current device is {current}"

    def host_array(self, array: np.ndarray) -> DeviceView:
        """A copy of an array of the host's on the device."""
        array = np.ascontiguousarray(array)
        pointer, owner = self.driver.allocate(max(array.nbytes, 1), 0)
        self.driver.write(pointer, array.tobytes(), 0)
        shape = array.shape
        strides = tuple(s // array.itemsize for s in array.strides)
        return DeviceView(pointer, shape, strides, array.dtype, 0, None, owner)

    def compile(self, program: Program) -> Executable:
        """A program that is run on the device."""
        return Executable(self, program)


class Executable:
    """A program: called with a number or a view for each parameter, it gives a number or an array for each result."""

    def __init__(self, device: CudaDevice, program: Program) -> None:
        self.device = device
        self.program = program
        self.plans: dict[tuple[tuple[Layout, ...], str], Plan] = {}

    def plan(self, layouts: tuple[Layout, ...], library: str) -> Plan:
        """The steps for arguments in these layouts, of a library of that name."""
        by = self.device.driver.library(library)
        key = layouts, by.name if by else ""
        found = self.plans.get(key)
        if found is None:
            found = self.plans[key] = planned(self.program, layouts, Options(by, self.device.atomics))
        return found

    def __call__(self, arguments: Sequence[Any]) -> list[Any]:
        views = [a for a in arguments if isinstance(a, DeviceView) and a.value is not None]
        library = library_of(views[0].value) if views else None
        plan = self.plan(tuple(map(layout_of, arguments)), library.name if library else "")
        waits = [(v.value, own.wait) for v in views if (own := library_of(v.value)) and own.wait]
        for value, wait in waits:
            wait(value)
        run = self.started(plan, views, library)
        for param, argument in zip(plan.program.params, arguments, strict=True):
            self.bind(run, param, argument)
        for position, step in enumerate(plan.steps):
            step.do(run)
            for var in step.reads():
                if plan.last_use[var] == position and var not in plan.program.params:
                    run.values.pop(var, None)
        if waits:
            run.driver.read(0, 0, run.stream)
        found = [self.result(run, r) for r in plan.results]
        if library and library.taken:
            return [library.taken(r) if hasattr(r, "__cuda_array_interface__") else r for r in found]
        return found

    def started(self, plan: Plan, views: list[DeviceView], library: Library | None) -> Run:
        """A run on the stream of the first array, which waits for what others are made on."""
        driver = self.device.driver
        like = views[0].value if views else None
        made_on = views[0].stream if views else None
        stream = library.stream(like) if library and library.stream else made_on or 0
        for other in views[1:]:
            if other.stream not in (None, stream):
                driver.read(other.pointer, 0, other.stream)  # type: ignore[arg-type]

        def empty(dtype: np.dtype, shape: tuple[int, ...]) -> tuple[int, Any]:
            if library is not None and library.empty is not None:
                made = library.empty(like, dtype, shape)
            else:
                made = self.device.driver.empty(dtype, shape, stream)
            found = view(made)
            assert found is not None
            return found.pointer, made

        return Run(driver, stream, empty, plan.module.failures)

    def bind(self, run: Run, param: Var, argument: Any) -> None:
        if not isinstance(argument, DeviceView):
            run.numbers[param] = param.type.dtype.numpy.type(argument)
            return
        run.values[param] = Placed(argument.pointer, argument.shape, argument.strides, argument.owner)
        for axis, (atom, length) in enumerate(zip(param.type.shape, argument.shape, strict=True)):
            known = atom.value if isinstance(atom, Lit) else run.numbers.setdefault(atom, np.int64(length))
            if known != length:
                raise ValueError(f"axis {axis} of {param.name} has length {length}, expected {known}")

    def result(self, run: Run, atom: Any) -> Any:
        if isinstance(atom, Var) and atom in run.values:
            return self.array(run.values[atom])
        return run.number(atom).item()

    def array(self, placed: Placed) -> Any:
        return placed.owner if placed.owner.shape == placed.lengths else placed.owner.reshape(placed.lengths)


def layout_of(argument: Any) -> Layout:
    if not isinstance(argument, DeviceView):
        return Layout.NUMBER
    if not argument.shape:
        return Layout.CELL
    return Layout.WHOLE if argument.whole else Layout.STRIDED
