"""Functions made by `numba.guvectorize`: a kernel for the last axes of arrays, run for each index of the others.

The kernel writes into its last arguments.  An array is passed on as the part that it is, a number as a number, or as an
array of one element where that is declared.

Source: NumPy, Generalized universal function API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import DtypeError, UnsupportedFunctionError

from ..array_functions import array_like
from ..numba_types import declared_loop, dtypes_of
from ..numpy_names import conversion
from ..outside import constant
from ..values import Static, Tuple, Value
from .registry import lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__ = ["generalized"]


@lowers("numba.np.ufunc.gufunc.GUFunc.__call__")
def generalized(low: Lowering, self: Value, *args: Value, **kwargs: Value) -> Value:
    """A call of what `@numba.guvectorize` has made, which writes into outputs that are given, or gives new ones."""
    from numba.core.types import Array as NumbaArray
    from numba.np.ufunc.sigparse import parse_signature

    function: Any = self.value if isinstance(self, Static) else None
    if not hasattr(function, "gufunc_builder"):
        low.refuse(UnsupportedFunctionError, "this is not made by numba.guvectorize", "a function")
    name, made_of = function.__name__, function.gufunc_builder
    inputs, outputs = parse_signature(made_of.signature)
    taken, given = args[: len(inputs)], args[len(inputs) :] or _outputs(kwargs.pop("out", None))
    usual = f"{name}({', '.join(f'in{k}' for k in range(len(inputs)))})"
    if kwargs or len(taken) < len(inputs) or (given and len(given) != len(outputs)):
        cause = f"{name}, made by numba.guvectorize with {made_of.signature}, has other arguments here"
        low.refuse(UnsupportedFunctionError, cause, f"{usual}, or out= beside them")
    if not given and function.is_dynamic:
        cause = f"{name}, made by numba.guvectorize without types, is called without what it writes into"
        low.refuse(UnsupportedFunctionError, cause, f"np.zeros(…) as the last argument of {name}")
    arrays = [array_like(low, x) for x in taken]
    written = [array_like(low, x) for x in given]
    loop = declared_loop(low, function, arrays)
    alone = [False] * len(inputs)
    kinds = [x.dtype for x in written]
    if loop is not None:
        into, kinds = dtypes_of(function.types[loop])
        arrays = [conversion(d)(low, x) for x, d in zip(arrays, into, strict=True)]
        for y, d in zip(written, kinds, strict=False):
            if not np.can_cast(d.numpy, y.dtype.numpy, "same_kind"):
                cause = f"{name} gives {d}, which does not go into an output of {y.dtype}"
                low.refuse(DtypeError, cause, f"an output of {d}")
        types = made_of._cres[made_of._sigs[loop]].signature.args
        alone = [not core and isinstance(t, NumbaArray) for core, t in zip(inputs, types, strict=False)]
    about = [(name, made_of.signature), tuple(inputs), tuple(outputs), tuple(alone), tuple(d.numpy for d in kinds)]
    values = [Static(made_of.py_func), *map(constant, about), Tuple(tuple(arrays)), Tuple(tuple(written))]
    return low.call(Static(_over_cores), values, {})


def _outputs(out: Value | None) -> tuple[Value, ...]:
    """The outputs in `out=`, which is one or a tuple of them."""
    if out is None or (isinstance(out, Static) and out.value is None):
        return ()
    return out.items if isinstance(out, Tuple) else (out,)


def _over_cores(kernel, title, inputs, outputs, alone, dtypes, arrays, given):
    sizes = _core_sizes(title, "Input", inputs, arrays, {})
    written = outputs[: len(given)]
    _core_sizes(title, "Output", written, given, sizes)
    around = [x.shape[: x.ndim - len(core)] for x, core in zip(arrays, inputs, strict=True)]
    filled = [y.shape[: y.ndim - len(core)] for y, core in zip(given, written, strict=True)]
    shape = np.broadcast_shapes(*around, *filled)
    for each in filled:
        if each != shape:
            raise ValueError("non-broadcastable output operand")
    count = 1
    for n in shape:
        count *= n
    rows = []
    for x, core in zip(arrays, inputs, strict=True):
        last = tuple([sizes[name] for name in core])
        rows.append(np.reshape(np.broadcast_to(x, shape + last), (count, *last)))
    results = []
    for k, (core, dtype) in enumerate(zip(outputs, dtypes, strict=True)):
        last = tuple([sizes[name] for name in core])
        result = np.zeros((count, *last) if len(core) > 0 else (count, 1), dtype)
        if len(given) > 0:
            result[...] = np.reshape(given[k], result.shape)
        results.append(result)
    for i in range(count):
        parts = [x[i : i + 1] if one else x[i] for x, one in zip(rows, alone, strict=True)]
        kernel(*parts, *[y[i] for y in results])
    shaped = []
    for y, core in zip(results, outputs, strict=True):
        shaped.append(np.reshape(y, shape + tuple([sizes[name] for name in core])))
    for k in range(len(given)):
        given[k][...] = shaped[k]
    found = given if len(given) > 0 else tuple(shaped)
    return found[0] if len(found) == 1 else found


def _core_sizes(title, role, cores, arrays, sizes):
    """The lengths of the axes by their names, with those that are known."""
    name, signature = title
    for k, (x, core) in enumerate(zip(arrays, cores, strict=True)):
        if x.ndim < len(core):
            raise ValueError(
                f"{name}: {role} operand {k} does not have enough dimensions (has {x.ndim}, gufunc core with "
                f"signature {signature} requires {len(core)})"
            )
        for j, axis in enumerate(core):
            n = x.shape[x.ndim - len(core) + j]
            if axis not in sizes:
                sizes[axis] = n
            elif sizes[axis] != n:
                raise ValueError(
                    f"{name}: {role} operand {k} has a mismatch in its core dimension {j}, with gufunc signature "
                    f"{signature} (size {n} is different from {sizes[axis]})"
                )
    return sizes
