"""Arrays on the device, of the driver's own class, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from adcore.plugins import device
from adcore.trees import map_leaves


def given(tree: Any, numbers: bool = False) -> Any:
    """The arrays in a tree on the device, in C order; its NumPy scalars too where `numbers` says so."""
    return map_leaves(
        lambda a: _given(a) if isinstance(a, (np.ndarray, np.generic) if numbers else np.ndarray) else a, tree
    )


def _given(array: Any) -> Any:
    array = np.asarray(array)
    driver = device("cuda").driver
    made = driver.empty(array.dtype, array.shape, 0)
    driver.write(made.__cuda_array_interface__["data"][0], array.tobytes(), 0)
    return made


class Strided:
    """A view of an array on the device, with NumPy's strides for it."""

    def __init__(self, whole: np.ndarray, part: np.ndarray) -> None:
        self.whole = _given(whole)
        self.shift = part.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
        self.part = part

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        found = dict(self.whole.__cuda_array_interface__)
        address, _ = found["data"]
        return {**found, "shape": self.part.shape, "strides": self.part.strides, "data": (address + self.shift, False)}


def taken(tree: Any) -> Any:
    """The arrays of a tree as NumPy's; numbers of the device as arrays without axes."""
    return map_leaves(lambda a: _taken(a) if hasattr(a, "__cuda_array_interface__") else a, tree)


def _taken(array: Any) -> np.ndarray:
    interface = array.__cuda_array_interface__
    dtype, shape = np.dtype(interface["typestr"]), interface["shape"]
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    return np.frombuffer(device("cuda").driver.read(interface["data"][0], size, 0), dtype).reshape(shape)
