"""What Numba's users write beside NumPy: `prange`, casts by Numba's types, `vectorize`, typed lists and dicts.

All of it means what it means when Numba is switched off and Python runs the function.  Nothing here imports Numba.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import UnsupportedFunctionError
from adcore.types import DType

from ..array_functions import array_like
from ..iteration import range_of
from ..numba_types import declared_loop, dtype_of, dtypes_of
from ..numpy_names import conversion
from ..values import Array, Scalar, Static, Value
from .registry import describes, lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["dufunc", "numba_range", "typed_dict", "typed_list"]


@lowers("numba.prange")
def numba_range(low: Lowering, *bounds: Value) -> Value:
    """`numba.prange(…)`, a range whose iterations may go in any order."""
    return range_of(low, list(bounds))


@lowers("numba.core.types.abstract.Type.__call__")
def cast(low: Lowering, self: Value, *args: Value) -> Value:
    """`numba.int64(x)`."""
    kind: Any = self.value if isinstance(self, Static) else None
    dtype = dtype_of(kind)
    if dtype is None or len(args) != 1 or isinstance(args[0], Static):
        low.refuse(UnsupportedFunctionError, f"a call of Numba's type {kind}", "numba.float64(x), numba.int64(x), …")
    return conversion(dtype)(low, args[0])


@lowers("numba.np.ufunc.dufunc.DUFunc.__call__")
def dufunc(low: Lowering, self: Value, *args: Value, **kwargs: Value) -> Value:
    """A call of what `@numba.vectorize` has made."""
    function: Any = self.value if isinstance(self, Static) else None
    if not hasattr(function, "_dispatcher"):
        low.refuse(UnsupportedFunctionError, "this is not made by numba.vectorize", "a function")
    if kwargs or len(args) != function.nin:
        name = function.__name__
        cause = f"{name}, made by numba.vectorize, takes {function.nin} arguments, and here no others such as out="
        low.refuse(UnsupportedFunctionError, cause, f"{name}({', '.join('xyzuvw'[: function.nin])})")
    values = [array_like(low, x) for x in args]
    loop = declared_loop(low, function, values)
    inputs, results = ([], []) if loop is None else dtypes_of(function.types[loop])
    values = [conversion(d)(low, v) for v, d in zip(values, inputs, strict=True)] if inputs else values
    inner = Static(function._dispatcher.py_func)
    if all(isinstance(v, Scalar) for v in values):
        found = low.call(inner, [Scalar(low.atom(v)) for v in values], {})
    else:
        found = low.call(Static(_element_by_element), [inner, *values], {})
    return conversion(results[0] if results else _dtype(low, found))(low, found)


def _dtype(low: Lowering, value: Value) -> DType:
    if not isinstance(value, Scalar | Array):
        low.refuse(UnsupportedFunctionError, "a function of numba.vectorize that returns no number", "return value")
    return value.dtype


def _element_by_element(function, *args):
    arrays = np.broadcast_arrays(*args)
    flat = [x.ravel() for x in arrays]
    return np.reshape(np.array([function(*[x[k] for x in flat]) for k in range(len(flat[0]))]), arrays[0].shape)


def _empty_list(item_type, allocated=0):
    return []


@describes("numba.typed.typedlist.List", {"empty_list": _empty_list})
def typed_list(iterable=()):
    return list(iterable)


def _empty_dict(key_type, value_type, n_keys=0):
    return {}


@describes("numba.typed.typeddict.Dict", {"empty": _empty_dict})
def typed_dict(entries=None):
    return {} if entries is None else dict(entries)


@lowers("numba.njit", "numba.jit", "numba.extending.register_jitable")
def decorated(low: Lowering, *function: Value, **options: Value) -> Value:
    """`@numba.njit` of a function that is defined inside another one, with or without options."""
    if len(function) == 1 and not isinstance(function[0], Static):
        return function[0]
    if function or "locals" in options:
        low.refuse(UnsupportedFunctionError, "types declared for a function inside another one", "njit alone")
    return Static(_as_it_is)


def _as_it_is(function):
    return function


_REFUSED = {
    "numba.experimental.jitclass.base.JitClassType.__call__": (
        "an instance of a jitclass",
        "a class without the decorator, a dataclass or a NamedTuple",
    ),
    "numba.core.extending._Intrinsic.__call__": (
        "a function made by numba.extending.intrinsic, which has no Python code",
        "adcore.host_call, or a Python function with a derivative stated by adcore.custom_jvp",
    ),
    **dict.fromkeys(
        ("numba.get_thread_id", "numba.get_num_threads", "numba.set_num_threads", "numba.get_parallel_chunksize"),
        ("what a function computes must not depend on the threads that run it", "a number that is an argument"),
    ),
    "numba.objmode": ("numba.objmode, which goes back to Python", "adcore.host_call"),
    "numba.carray": ("numba.carray makes an array of a pointer", "an array that is an argument"),
    "numba.farray": ("numba.farray makes an array of a pointer", "an array that is an argument"),
}


def _refused(cause: str, write: str) -> Any:
    def lower(low: Lowering, *_: Value, **__: Value) -> Any:
        low.refuse(UnsupportedFunctionError, cause, write)

    return lower


for _name, _said in _REFUSED.items():
    lowers(_name)(_refused(*_said))
