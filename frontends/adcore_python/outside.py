"""Objects from outside the function: globals, closure cells, attributes.

Numbers and arrays are captures, read anew at every call.  Everything else is a constant of the specialisation, with a
guard that notices when the name is bound to something else.
"""

from __future__ import annotations

import builtins
import collections
import dataclasses
import inspect
import types
from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.arguments import abstract, otherwise
from adcore.cache import is_trusted, unrepeatable
from adcore.errors import DtypeError
from adcore.plugins import Capture, Guard, Part, Spec
from adcore.structured import Structured, taken_apart
from adcore.structured import is_structured as can_be_taken_apart
from adcore.types import DType, Type, Var, literal

from .numba_types import refuse_boxed
from .values import Array, Fields, Range, Record, Scalar, Static, Tuple, Value, number

if TYPE_CHECKING:
    from .frame import Frame
    from .lowering import Lowering

__all__ = [
    "captured_value",
    "constant",
    "getter_of",
    "held_item",
    "is_computed",
    "is_ours",
    "look_up",
    "make_param",
    "member",
    "opened",
    "part",
    "plain_dict",
]

DTYPES = {d.numpy: d for d in DType}
# Modules in the language, of which nobody changes anything.
OURS = (
    f"{__name__.rpartition('.')[0]}.library.",
    *("adcore.implicit.", "adcore.ode.", "adcore.vectors", "adcore.closures"),
    *("adcore.conditions", "adcore.isotonic", "adcore.layers", "adcore.projections", "adcore.proximal"),
    "adcore.transport",
)


def look_up(low: Lowering, frame: Frame, name: str) -> Value | None:
    """The value of a name that the function does not bind: enclosing functions, cells, globals, builtins."""
    python = frame.python
    if name in python.__code__.co_freevars:
        cell = (python.__closure__ or ())[python.__code__.co_freevars.index(name)]
        try:
            found = cell.cell_contents
        except ValueError:
            return None
        if is_ours(python) and not _has_array((found,)):
            return constant(found)  # nobody binds it to anything else
        return _outside(low, name, cell, found)
    if name in python.__globals__:
        found = python.__globals__[name]
        if is_ours(python) and isinstance(found, int | float):
            return constant(found)
        return _outside(low, name, python.__globals__, found)
    if hasattr(builtins, name):
        return Static(getattr(builtins, name))
    return None


def is_ours(function: types.FunctionType) -> bool:
    """Whether a function is one of adcore's own that are written in the language."""
    return (function.__module__ or "").startswith(OURS)


def getter_of(owner: Any, name: str) -> types.FunctionType | None:
    """The Python function that computes an attribute, if it is a property."""
    found = inspect.getattr_static(type(owner), name, None)
    getter = getattr(found, "fget", None) if isinstance(found, property) else None
    return getter if isinstance(getter, types.FunctionType) else None


_LOOKED_UP = (
    *(types.FunctionType, types.MethodDescriptorType, types.WrapperDescriptorType, types.ClassMethodDescriptorType),
    *(types.MemberDescriptorType, types.GetSetDescriptorType, staticmethod, classmethod),
)


def is_computed(owner: Any, name: str) -> bool:
    """Whether reading an attribute runs code of the user's."""
    if isinstance(owner, types.ModuleType):
        return not is_trusted(owner.__name__)
    for special in ("__getattribute__", "__getattr__"):
        found = inspect.getattr_static(type(owner), special, None)
        if isinstance(found, types.FunctionType) and not is_trusted(found.__module__):
            return True
    found = inspect.getattr_static(owner, name, None)
    looked_up = not hasattr(type(found), "__get__") or isinstance(found, _LOOKED_UP)
    if looked_up or is_trusted(type(owner).__module__):
        return False
    getter = getattr(found, "fget", None)  # of a property, which a class of Python's own may have
    return not is_trusted(getattr(getter, "__module__", None))


def member(low: Lowering, owner: Any, name: str, found: Any) -> Value:
    """An attribute of an object from outside."""
    namespace = getattr(owner, "__dict__", None)
    if isinstance(owner, types.ModuleType):
        if owner.__name__.partition(".")[0] in ("math", "numpy", "cmath", "scipy", "numba"):
            return constant(found)
        return _outside(low, name, vars(owner), found)
    if isinstance(namespace, dict) and name in namespace:
        return _outside(low, name, namespace, found)
    numeric = isinstance(found, float | int | complex | np.generic | np.ndarray)
    if numeric and not isinstance(owner, type | np.generic | np.dtype):
        low.refuse_syntax(
            f"attribute {name!r} of a {type(owner).__name__} is computed, so it cannot be read at every call",
            f"pass the value of {name!r} as an argument",
        )
    return constant(found)


def constant(value: Any) -> Value:
    """An object taken as it is now."""
    if isinstance(value, bool | int | float | complex) and not isinstance(value, np.generic) and fits(value):
        return number(value)
    if isinstance(value, np.generic) and value.dtype in DTYPES:
        return Scalar(literal(value))
    if isinstance(value, tuple):
        return Tuple(tuple(constant(v) for v in value), type(value))
    if isinstance(value, range) and all(fits(bound) for bound in (value.start, value.stop, value.step)):
        return Range(number(value.start), number(value.stop), number(value.step))
    return Static(value)


def fits(value: complex) -> bool:
    """Whether a Python number is one of ours: integers have 64 bits."""
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _outside(low: Lowering, name: Any, owner: Any, found: Any) -> Value:
    key = (id(owner), name)
    known = low.captured.get(key)
    if known is None:
        known = low.captured[key] = _wrapped(low, name, owner, found)
    return known


def _wrapped(low: Lowering, name: Any, owner: Any, found: Any) -> Value:
    if isinstance(found, types.ModuleType):
        return Static(found)
    if can_be_taken_apart(found):
        return _structured(low, name, owner, found, taken_apart(found), str(name), ())
    if isinstance(found, bool | int | float | complex | np.generic | np.ndarray):
        spec = _spec(low, name, found)
        low.captures.append(Capture(name, owner, spec))
        return make_param(low, spec, str(name), captured=True)
    sparse = _sparse(low, name, owner, found)
    if sparse is not None:
        return sparse
    interpolator = _interpolator(low, name, owner, found)
    if interpolator is not None:
        return interpolator
    generator = _generator(low, name, owner, found)
    if generator is not None:
        return generator
    if isinstance(found, list | set) or (isinstance(found, dict) and not plain_dict(found)):
        low.refuse_syntax(
            f"{name!r} is a {type(found).__name__} defined outside the function; it may change between calls",
            f"a tuple or a NumPy array, or pass {name!r} as an argument",
        )
    refuse_boxed(low, found, str(name))
    low.guards.append(Guard(name, owner, found))
    if isinstance(found, tuple) and _has_array(found):
        unrepeatable(f"arrays in the tuple {name!r} from outside")
        return _tuple(low, str(name), found)
    return constant(found)


def _has_array(found: tuple[Any, ...]) -> bool:
    return any(_has_array(x) if isinstance(x, tuple) else isinstance(x, np.ndarray) for x in found)


def _tuple(low: Lowering, name: str, found: tuple[Any, ...]) -> Tuple:
    """A tuple from outside, whose arrays are read at every call; the tuple itself is always the same."""
    items: list[Value] = []
    for k, x in enumerate(found):
        spoken = f"{name}[{k}]"
        if isinstance(x, tuple):
            items.append(_tuple(low, spoken, x))
        elif isinstance(x, np.ndarray):
            items.append(_outside(low, spoken, {spoken: x}, x))
        else:
            items.append(constant(x))
    return Tuple(tuple(items), type(found))


def _generator(low: Lowering, name: Any, owner: Any, found: Any) -> Value | None:
    from .generator_values import outside_generator

    return outside_generator(low, name, owner, found)


def _interpolator(low: Lowering, name: Any, owner: Any, found: Any) -> Value | None:
    from .interpolator_values import outside_interpolator

    return outside_interpolator(low, name, owner, found)


def _sparse(low: Lowering, name: Any, owner: Any, found: Any) -> Value | None:
    """A sparse matrix from outside, taken apart at every call; None of anything else."""
    from .sparse_values import FIELDS, layout_of, reader, sparse_class

    kind = sparse_class(type(found))
    if kind is None:
        return None
    fields = {f: part(low, f"{name}.{f}", owner, name, found, reader(type(found), f)) for f in FIELDS}
    fields["layout"] = constant(layout_of(type(found)))
    with low.inside(low.memory.root):
        return Record(low.memory.identity(Fields(fields), str(name), "defined outside the function"), kind)


def _structured(
    low: Lowering, name: str, owner: Any, found: Any, node: Structured, spoken: str, place: tuple[int, ...]
) -> Value:
    """A structured array or record from outside, taken apart at every call."""
    from .structured_arrays import captured_part, of_parts

    layout = taken_apart(found).layout
    numbers = iter(range(len(node.fields)))

    def held(field: str, child: Any) -> Value:
        at = (*place, next(numbers))
        if isinstance(child, Structured):
            return _structured(low, name, owner, found, child, f"{spoken}[{field!r}]", at)
        if isinstance(child, np.dtype):
            return Static(child)
        return part(low, f"{spoken}[{field!r}]", owner, name, found, captured_part(layout, at))

    with low.inside(low.memory.root):
        return of_parts(low, node, spoken, held)


def part(low: Lowering, spoken: str, owner: Any, name: str, found: Any, compute: Any) -> Value:
    """A number or array that is computed at every call from an object from outside."""
    key = (id(owner), (name, compute))
    if key not in low.captured:
        spec = abstract(compute(found), spoken)
        assert isinstance(spec, Spec)
        low.captures.append(Part(name, owner, spec, compute))
        low.captured[key] = make_param(low, spec, spoken, captured=True)
    return low.captured[key]


def plain_dict(value: Any) -> bool:
    """Whether reading an item of a dict is no more than that, so that compiled code can do it."""
    return type(value) in (dict, collections.OrderedDict, collections.defaultdict)


def held_item(low: Lowering, owner: dict[Any, Any], key: Any) -> Value:
    """An item of a dict from outside, read at every call as a global variable is."""
    try:
        found = owner[key]
    except (KeyError, TypeError) as error:
        low.refuse_syntax(f"{type(error).__name__}: {error}", "a key that exists")
    return _outside(low, key, owner, found)


def opened(low: Lowering, value: Value, name: str = "a dict from outside") -> Value:
    """A dict or dataclass from outside as one with the items that it has at every call; anything else as it is.

    The keys are those that it has when the function is compiled: further ones at a call are an error there.
    """
    if isinstance(value, Tuple):
        return Tuple(tuple(opened(low, item, name) for item in value.items), value.kind)
    if not isinstance(value, Static):
        return value
    found = value.value
    if isinstance(found, list):
        cause = f"in {name} there is a list, which may change between calls"
        low.refuse_syntax(cause, "a tuple or a NumPy array, or the whole as an argument")
    if plain_dict(found):
        unrepeatable("the keys of a dict from outside")
        count = part(low, f"len of {name}", {name: found}, name, found, len)
        message = "a dict from outside has {} keys, and had {} when the function that reads it was compiled"
        known = literal(len(found))
        assert isinstance(count, Scalar)
        now = low.atom(count)
        low.b.check(low.b.eq(now, known), now, known, error="RuntimeError", message=message)
        items = {key: opened(low, held_item(low, found, key), str(key)) for key in found}
        return low.memory.new_dict(items, name)
    if dataclasses.is_dataclass(found) and not isinstance(found, type):
        fields = [f.name for f in dataclasses.fields(found)]
        return low.memory.new_record(
            type(found), {f: opened(low, member(low, found, f, getattr(found, f)), f) for f in fields}
        )
    return value


def captured_value(low: Lowering, capture: Capture) -> Any:
    """The value of what a function lowered by itself reads from outside."""
    if not isinstance(capture.owner, dict | types.CellType):
        if getattr(capture.owner, "low", None) is low:  # a value of the function that is being lowered here
            return capture.owner.value
        return _passed_on(low, capture)
    if isinstance(capture, Part):
        whole = Capture.read(capture)
        generator = _generator(low, capture.name, capture.owner, whole)
        if isinstance(generator, Record):
            contents = low.memory.contents(generator.identity)
            assert isinstance(contents, Fields)
            return contents.items["words"]
        return part(low, capture.name, capture.owner, capture.name, whole, capture.compute)
    return _outside(low, capture.name, capture.owner, capture.read())


def _passed_on(low: Lowering, capture: Capture) -> Any:
    """The value of what only those around this function know: a capture of this function too."""
    value = getattr(capture.owner, "value", None)
    key = (0, capture.owner) if value is None else (id(value), capture.name)
    if key not in low.captured:
        low.captures.append(capture)
        low.captured[key] = make_param(low, capture.spec, capture.name, captured=True)
    return low.captured[key]


def _spec(low: Lowering, name: str, found: Any) -> Spec:
    if isinstance(found, np.generic | np.ndarray):
        problem = otherwise(found) if isinstance(found, np.ndarray) else None
        if problem is not None:
            low.refuse(DtypeError, f"{name!r} is a {problem[0]}", problem[1])
        if found.dtype not in DTYPES:
            low.refuse(DtypeError, f"{name!r} has dtype {found.dtype}", "an array of real or complex numbers")
        return Spec(DTYPES[found.dtype], tuple(1 if n == 1 else None for n in found.shape))
    if not fits(found):
        low.refuse(DtypeError, f"{name!r} is an integer that does not fit into 64 bits", "a float")
    return Spec(literal(found).dtype, python=True)


def make_param(low: Lowering, spec: Spec, name: str, captured: bool = False) -> Scalar | Array:
    """A parameter of the Program, and the number or array that it is in the function."""
    shape = spec.lengths(name)
    for length in shape:
        low.facts.length(length)
    param = Var(Type(spec.dtype, shape), name)
    low.params.append(param)
    if not shape:
        return Scalar(param, spec.python)
    root = low.memory.root
    with low.inside(root):
        array = low.array(param, name)
    array.buffer.captured = captured
    return array
