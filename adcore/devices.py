"""Functions that run on a device: arguments and results are arrays there.

A function is specialised as it is for the host, on the dtypes and short axes of its arguments; what is compiled is a
plan of kernels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import lanes, policies
from .arguments import abstracted, shortened
from .demands import with_demands
from .dispatch import Dispatcher, Transformed, fits, specs_of
from .errors import DeviceError, DtypeError, UnsupportedFunctionError
from .outcomes import rebuilt
from .plugins import Device, DeviceProgram, Lowered, Part, Rows, Spec, Static, device
from .signatures import definition
from .structured import Structured
from .trees import flatten, map_nodes

__all__ = ["DeviceDispatcher"]


@dataclass
class OnDevice:
    """One instance of a function, for a device."""

    lowered: Lowered
    leaves: list[Spec | Static]
    program: DeviceProgram

    @property
    def specs(self) -> list[Spec]:
        return specs_of(self.leaves)

    def is_current(self) -> bool:
        """Whether what it assumed of closures and globals still holds."""
        return all(g.holds() for g in self.lowered.guards) and all(map(fits, self.lowered.captures))


class DeviceDispatcher(Dispatcher):
    """Runs a function on a device."""

    def __init__(self, target: Transformed, name: str, debug: bool, parallel: bool, device: str) -> None:
        super().__init__(target, name)
        if debug:
            raise ValueError(f"debug beside device={device!r}: debug the function on the host")
        if parallel:
            raise ValueError(f"parallel=True beside device={device!r}, whose threads are its own")
        self.device = device

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        where = self.place_of_work()
        arguments = self.bind(args, kwargs)
        values, tree = flatten(arguments)
        views = [where.view(v) for v in values]
        for k, (value, view) in enumerate(zip(values, views, strict=True)):
            if view is None and isinstance(value, np.ndarray):
                raise DtypeError(
                    f"{self.place(arguments, k)} is an array of the host, and {self.name} runs on a device",
                    write="an array on the device, e.g. cupy.asarray(x) or torch.as_tensor(x, device='cuda')",
                )
            if view is not None and (cause := where.apart(view)):
                raise DeviceError(
                    f"{self.place(arguments, k)} is {cause}",
                    write="the array on that device, or the call where its own is the current one",
                )
        shapes = [v if view is None else _like(view) for v, view in zip(values, views, strict=True)]
        specs = abstracted(shapes, lambda k: self.place(arguments, k))
        found: Any = self.find(specs, tree, shortened(shapes, specs))
        given = [
            v if view is None else view for v, view, s in zip(values, views, specs, strict=True) if isinstance(s, Spec)
        ]
        captured = [_on(where, c.read()) for c in found.lowered.captures]
        return rebuilt(found.lowered.result, found.program([*given, *captured]))

    def place_of_work(self) -> Device:
        """The device; an error says what is missing."""
        assert self.device is not None
        return device(self.device)

    def _made(self, leaves: list[Any], tree: Any) -> Any:
        transform = self.target.transform
        with policies.under(policies.current()), lanes.none():
            lowered = with_demands(lambda: transform.lower(tree.unflatten(leaves)))
        self.require_plain(lowered)
        return OnDevice(lowered, leaves, self.place_of_work().compile(lowered.program))

    def require_plain(self, lowered: Lowered) -> None:
        """Refuse what only the host does at a call."""
        what = write = ""
        if any(w.result is not None for w in lowered.writes) or lowered.changes:
            what, write = "writes into an argument", "a copy: x = x.copy()"
        elif _has(lowered.result, (Rows, Structured)):
            what, write = "returns a list whose length is known at run time, or a structured array", "an array"
        elif any(isinstance(c, Part) for c in lowered.captures):
            what, write = "reads a part of an object from outside", "an argument"
        if what:
            cause = f"{self.name} {what}, which a function on a device cannot do"
            raise UnsupportedFunctionError(cause, definition(self.target.transform.function), write)


def _like(view: Any) -> np.ndarray:
    """An array of the shape and dtype of one on the device, without its memory."""
    return np.broadcast_to(np.zeros((), view.dtype), view.shape)


def _on(where: Device, value: Any) -> Any:
    return where.host_array(value) if isinstance(value, np.ndarray) else value


def _has(tree: Any, kinds: tuple[type, ...]) -> bool:
    """Whether there is a node of these classes in a tree."""
    found: list[bool] = []
    map_nodes(lambda node: found.append(isinstance(node, kinds)), tree, kinds)
    return any(found)
