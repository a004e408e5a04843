"""Calls of functions that are not compiled: `adcore.host_call`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adcore.cache import unrepeatable
from adcore.errors import DtypeError, UnsupportedFunctionError
from adcore.hosting import DERIVATIVES, host_call, host_operands, host_parts
from adcore.plugins import Leaf, Spec
from adcore.plugins import Static as Constant
from adcore.primitives.host import HostFunction, HostLeaf
from adcore.trees import leaves, map_leaves, structure
from adcore.types import Atom

from .lowered_calls import Incoming, structure_of
from .operators import describe
from .strings import plain
from .values import NONE, Array, Scalar, Static, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["FUNCTIONS"]


def _host_call(low: Lowering, function: Value, result: Value, *arguments: Value, derivative: Value = NONE) -> Value:
    if not isinstance(function, Static) or not callable(function.value):
        cause = f"host_call of {describe(function)}"
        low.refuse(UnsupportedFunctionError, cause, "a function from outside of the one that is compiled")
    kind = plain(derivative)
    if kind is None or kind[0] not in DERIVATIVES:
        low.refuse_syntax("derivative is not None or a constant of those that there are", 'derivative="central"')
    unrepeatable(f"a call of {getattr(function.value, '__name__', 'a function')} as it stands")
    given: list[Scalar | Array] = []
    wanted: list[Scalar | Array] = []
    taken = tuple(structure_of(low, a, given) for a in arguments)
    returned = structure_of(low, result, wanted)
    for value in wanted:
        if value.dtype.kind != "f":
            low.refuse(DtypeError, f"host_call with a result of dtype {value.dtype.value}", "a float64 result")
    for value in given:
        if value.dtype.kind == "c":
            low.refuse(DtypeError, "host_call with a complex argument", "its real and imaginary parts")
    if any(not isinstance(leaf, Spec) for leaf in leaves(returned)):
        low.refuse(UnsupportedFunctionError, "host_call with a result that is no number or array", "numbers, arrays")
    inputs = [_leaf(leaf) if isinstance(leaf, Spec) else leaf.value for leaf in leaves(taken)]
    outputs = [_leaf(leaf) for leaf in leaves(returned)]
    called = HostFunction(function.value, inputs, structure(taken), outputs, structure(returned), kind[0])
    shapes = [_shape(v) for v in wanted]
    column = low.b.host_call(*host_operands(low.b, [low.atom(v) for v in given], shapes), function=called)
    parts = [
        low.value(low.cast(part, value.dtype), isinstance(value, Scalar) and value.python)
        for part, value in zip(host_parts(low.b, column, shapes), wanted, strict=True)
    ]
    places = iter(range(len(wanted)))
    shape = map_leaves(lambda leaf: leaf if isinstance(leaf, Constant) else Leaf(next(places)), returned)
    return Incoming(low, parts, [], ()).value(shape)


def _leaf(spec: Spec) -> HostLeaf:
    return HostLeaf(spec.dtype, len(spec.shape), spec.python)


def _shape(value: Scalar | Array) -> tuple[Atom, ...]:
    return value.shape if isinstance(value, Array) else ()


FUNCTIONS = {host_call: _host_call}
