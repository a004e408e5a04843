"""The types that a function compiled by Numba declares, and what they do to arguments and results.

A signature, as in `@njit("float64(float64, int64)")`, converts numbers; arrays have to have the type that it says.
Numba is here already where any of this is called.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import DtypeError, UnsupportedFunctionError
from adcore.types import DType

from .operators import describe
from .promotion import is_python
from .values import Array, Scalar, Static, Tuple, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["Signed", "declared_loop", "dtype_of", "dtypes_of", "is_compiled", "refuse_boxed", "signed"]

KINDS = {"b": "biufc", "i": "iufc", "u": "iufc", "f": "fc", "c": "c"}  # what a Python number of a kind goes into


class Signed:
    """One of the signatures that a function was compiled for, and the conversions that it stands for."""

    def __init__(self, name: str, arguments: Sequence[Any], result: Any) -> None:
        self.name = name
        self.arguments = arguments
        self.result = result

    def converted(self, low: Lowering, arguments: Sequence[Value]) -> list[Value]:
        return [_as(low, v, t, self.name) for v, t in zip(arguments, self.arguments, strict=True)]

    def returned(self, low: Lowering, value: Value) -> Value:
        return _as(low, value, self.result, f"the result of {self.name}")


def is_compiled(function: Any) -> bool:
    """Whether something is a function decorated by `numba.njit` or `numba.jit`."""
    module = sys.modules.get("numba.core.dispatcher")
    return module is not None and isinstance(function, module.Dispatcher)


def refuse_boxed(low: Lowering, value: Any, name: str) -> None:
    """Refuse an object from outside the function whose contents are Numba's."""
    module = type(value).__module__
    if module == "numba.experimental.jitclass.boxing":
        write = "a class without the decorator, a dataclass or a NamedTuple"
        low.refuse(UnsupportedFunctionError, f"{name!r} is an instance of the jitclass {type(value).__name__}", write)
    if module in ("numba.typed.typedlist", "numba.typed.typeddict") and not isinstance(value, type):
        kind = type(value).__name__
        low.refuse(UnsupportedFunctionError, f"{name!r} is a numba.typed.{kind}", f"{kind.lower()}({name}) in the call")


def dtype_of(kind: Any) -> DType | None:
    """The element type that one of Numba's types stands for, as `numba.float64`; None where it stands for none."""
    name = getattr(kind, "name", None)
    if not type(kind).__module__.startswith("numba.core.types.") or name not in _NAMES:
        return None
    return DType(name)


_NAMES = {d.value for d in DType}


def signed(low: Lowering, function: Any, arguments: Sequence[Value]) -> Signed | None:
    """The signature by which Numba would call a function of its; None where it declares none.

    Raises:
        UnsupportedFunctionError: types of local variables are declared, or no signature takes such arguments.
    """
    narrow = {k: t for k, t in function.locals.items() if dtype_of(t) not in (DType.F64, DType.C128)}
    if narrow:
        name, kind = next(iter(narrow.items()))
        cause = f"{function.__name__} declares its local variable {name!r} as {kind}"
        low.refuse(UnsupportedFunctionError, cause, f"{name} = numba.{kind}(…) where it gets its value")
    if function._can_compile:
        return None
    types = [_type_of(value) for value in arguments]
    chosen = None
    if None not in types:
        alike = {tuple(map(_by_rows, s.args)): s for s in reversed(function.nopython_signatures)}
        cases = [s.replace(args=args) for args, s in alike.items()]
        context = function.typingctx
        chosen = context.resolve_overload(
            function, cases, tuple(types), {}, allow_ambiguous=True, unsafe_casting=True, exact_match_required=False
        )
    if chosen is None:
        said = ", ".join(map(describe, arguments))
        cause = f"{function.__name__} is declared for {_listed(function)}, and is called with {said}"
        low.refuse(UnsupportedFunctionError, cause, "arguments of these types, or njit without a signature")
    return Signed(function.__name__, chosen.args, chosen.return_type)


def _listed(function: Any) -> str:
    return " or ".join(f"({', '.join(map(str, s.args))})" for s in function.nopython_signatures)


def _type_of(value: Value) -> Any:
    """Numba's type of a value, arrays in C order; None for what no signature speaks of."""
    from numba.core import types
    from numba.np.numpy_support import from_dtype

    if isinstance(value, Scalar):
        return from_dtype(value.dtype.numpy)
    if isinstance(value, Array):
        return types.Array(from_dtype(value.dtype.numpy), value.rank, "C")
    if isinstance(value, Static):
        return types.none if value.value is None else None
    if isinstance(value, Tuple):
        items = [_type_of(v) for v in value.items]
        if None in items:
            return None
        return types.BaseTuple.from_types(items, value.kind if value.kind is not tuple else None)
    return None


def _by_rows(kind: Any) -> Any:
    """A type with arrays in C order: how they lie in memory is no business of a Program."""
    from numba.core import types

    if isinstance(kind, types.Array):
        return types.Array(kind.dtype, kind.ndim, "C")
    if isinstance(kind, types.BaseTuple):
        items: Any = kind
        return types.BaseTuple.from_types([_by_rows(t) for t in items], getattr(kind, "instance_class", None))
    return kind


def _as(low: Lowering, value: Value, kind: Any, where: str) -> Value:
    """A value as one of a declared type."""
    dtype = dtype_of(getattr(kind, "dtype", kind))
    if isinstance(value, Scalar) and dtype is not None:
        if value.dtype.complex and not dtype.complex:
            low.refuse(DtypeError, f"{where}: a complex number where {kind} is declared", "x.real, or abs(x)")
        return Scalar(low.cast(value.atom, dtype), value.python and dtype.bits in (8, 64, 128))
    if isinstance(value, Array) and value.dtype is not dtype:
        low.refuse(DtypeError, f"{where}: {describe(value)} where {kind} is declared", f"x.astype({dtype})")
    if isinstance(value, Tuple):
        return Tuple(tuple(_as(low, v, t, where) for v, t in zip(value.items, kind.types, strict=True)), value.kind)
    return value


def declared_loop(low: Lowering, function: Any, values: Sequence[Scalar | Array]) -> int | None:
    """The place of one of the loops that a ufunc of Numba's declares; None where none are declared.

    It is the first one that takes such arguments without loss, as NumPy has it.
    """
    if not function._frozen:
        return None
    for k, loop in enumerate(function.types):
        taken = loop.partition("->")[0]
        if all(_goes_into(v, np.dtype(letter)) for v, letter in zip(values, taken, strict=True)):
            return k
    said = ", ".join(map(describe, values))
    cause = f"{function.__name__} is declared for {' or '.join(function.types)}, and is called with {said}"
    return low.refuse(UnsupportedFunctionError, cause, "arguments of these types, or no signature in the decorator")


def dtypes_of(loop: str) -> tuple[list[DType], list[DType]]:
    """The element types of the arguments and the results of a loop, as NumPy writes them."""
    taken, _, given = loop.partition("->")
    return [DType(np.dtype(letter).name) for letter in taken], [DType(np.dtype(letter).name) for letter in given]


def _goes_into(value: Scalar | Array, dtype: np.dtype) -> bool:
    if is_python(value):
        return dtype.kind in KINDS[value.dtype.kind]
    return np.can_cast(value.dtype.numpy, dtype, "safe")
