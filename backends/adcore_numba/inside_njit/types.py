"""What Numba's types are to adcore, and what the results of Programs are to Numba."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from numba.core import types
from numba.core.typing.typeof import typeof
from numba.np.numpy_support import from_dtype

from adcore.arguments import abstract
from adcore.errors import DtypeError, UnsupportedFunctionError
from adcore.plugins import ANY, Leaf, Rows, Spec, Static
from adcore.trees import flatten, is_namedtuple
from adcore.types import DType, Type

__all__ = ["Together", "function_of", "items_of", "leaves_of", "numba_type", "result_type", "static_of", "structure_of"]

_PYTHON = (DType.F64, DType.I64, DType.BOOL, DType.C128)  # of which Numba makes Python's numbers
_NAMES = {d.value for d in DType}


@dataclass(frozen=True)
class Together:
    """The place in a result structure of a value of one of our own types, and the results that are its fields."""

    kind: Any
    parts: dict[str, Leaf]


def function_of(kind: Any) -> Any:
    """The function that an argument of this type is, compiled by Numba or a derivative; None if it is none."""
    return getattr(kind, "dispatcher", None) or getattr(kind, "stands_for", None)


def structure_of(kind: Any, name: str) -> Any:
    """The structure of specs of an argument that has this type; lengths are unknown.

    A value of Python's, which stands for a default, is what it is to a call from Python.

    Raises:
        DtypeError, UnsupportedFunctionError: there are no such arguments.
    """
    if not isinstance(kind, types.Type):
        values, tree = flatten(kind)
        return tree.unflatten([abstract(v, name) for v in values])
    if isinstance(kind, types.Omitted):
        return structure_of(kind.value, name)
    if isinstance(kind, types.BaseTuple):
        items = [structure_of(item, f"{name}[{k}]") for k, item in enumerate(items_of(kind))]
        named = getattr(kind, "instance_class", None)
        return named(*items) if named else tuple(items)
    if isinstance(kind, types.NoneType):
        return Static(None)
    if isinstance(kind, types.StringLiteral):
        return Static(kind.literal_value)
    function = function_of(kind)
    if function is not None:
        return Static(function)
    number = types.unliteral(kind)
    if isinstance(number, types.Array):
        if not number.aligned:
            raise UnsupportedFunctionError(f"{name} is an array that is not aligned", write="x.copy()")
        return Spec(_dtype(number.dtype, name), (ANY,) * number.ndim)
    dtype = _dtype(number, name)
    return Spec(dtype, (), python=dtype in _PYTHON)


def items_of(kind: Any) -> Iterator[Any]:
    """The types in the type of a tuple."""
    return iter(kind)


def _dtype(kind: Any, name: str) -> DType:
    found = str(types.unliteral(kind))
    if found in _NAMES:
        return DType(found)
    if isinstance(kind, types.Float | types.Complex | types.Integer | types.Record):
        raise DtypeError(f"{name} has dtype {found}, which is not supported", write="x.astype(numpy.float64)")
    if isinstance(kind, types.NumPyRandomGeneratorType):
        raise UnsupportedFunctionError(f"{name} is a random generator", write="numbers that the caller draws")
    cause = f"{name} is a {found}; inside @njit arguments are numbers, arrays and tuples of these"
    raise UnsupportedFunctionError(cause, write="a tuple, or an array")


def static_of(kind: Any, argument: int | str) -> Static:
    """The constant that an argument is, by its type or as a default.

    Raises:
        UnsupportedFunctionError: it is known at run time only.
    """
    if not isinstance(kind, types.Type):
        return Static(kind)
    if isinstance(kind, types.Omitted):
        return Static(kind.value)
    if isinstance(kind, types.Literal):
        return Static(kind.literal_value)
    if isinstance(kind, types.NoneType):
        return Static(None)
    if isinstance(kind, types.BaseTuple):
        return Static(tuple(static_of(item, argument).value for item in items_of(kind)))
    cause = f"the static argument {argument!r} is a {kind}, and not a constant in the text of the caller"
    raise UnsupportedFunctionError(cause, write="a number in its text")


def leaves_of(kind: Any) -> Iterator[tuple[tuple[int, ...], Any]]:
    """The numbers and arrays in an argument of this type, in their order: steps to each, and its type or value."""
    if not isinstance(kind, types.Type):
        yield from (((), v) for v in flatten(kind)[0] if isinstance(abstract(v), Spec))
    elif isinstance(kind, types.Omitted):
        yield from leaves_of(kind.value)
    elif isinstance(kind, types.BaseTuple):
        for k, item in enumerate(items_of(kind)):
            yield from (((k, *steps), leaf) for steps, leaf in leaves_of(item))
    elif isinstance(structure_of(kind, "argument"), Spec):
        yield (), types.unliteral(kind)


def numba_type(kind: Type) -> Any:
    """The type of one result of a Program."""
    dtype = from_dtype(kind.dtype.numpy)
    return types.Array(dtype, kind.rank, "C") if kind.shape else dtype


def result_type(structure: Any, results: tuple[Any, ...]) -> Any:
    """The type of a result structure, for the types of a Program's results.

    Raises:
        UnsupportedFunctionError: Numba has no such results.
    """
    if isinstance(structure, Leaf):
        return results[structure.index]
    if isinstance(structure, Together):
        return structure.kind
    if isinstance(structure, Static) and isinstance(structure.value, bool | int | float | complex | str | None):
        return typeof(structure.value)
    if isinstance(structure, tuple):
        items = [result_type(item, results) for item in structure]
        return types.BaseTuple.from_types(items, type(structure) if is_namedtuple(type(structure)) else None)
    kind = "list" if isinstance(structure, Rows) else type(getattr(structure, "value", structure)).__name__
    cause = f"the result has a {kind}; inside @njit results are numbers, arrays and tuples of these"
    raise UnsupportedFunctionError(cause, write="a tuple")
