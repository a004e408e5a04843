"""Between structures of specs and values: arguments and results, of the function and of transformed ones it calls."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from adcore import plugins
from adcore.dispatch import Transformed
from adcore.errors import AdcoreError, AliasError, UnsupportedFunctionError, refuse
from adcore.program import Program, clone
from adcore.trees import instance
from adcore.types import Atom, Var

from .classes import is_user_class
from .containers import entries, items, maybe_items
from .joins import Diverges
from .operators import describe, is_one
from .outside import captured_value, constant, make_param
from .records import attributes, field_names
from .values import NONE, Array, Dict, List, Record, Scalar, Static, Tuple, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["call_lowered", "finished", "given", "result_of", "value_of"]


def value_of(low: Lowering, structure: Any, name: str) -> Value:
    """The value of an argument of which the structure is given; makes parameters of the Program."""
    if isinstance(structure, plugins.Spec):
        value = make_param(low, structure, name)
        if isinstance(value, Array):
            low.lent[len(low.params) - 1] = value.buffer
        return value
    if isinstance(structure, plugins.Static):
        return constant(structure.value)
    if isinstance(structure, dict):
        made = low.memory.new_dict({k: value_of(low, v, f"{name}[{k!r}]") for k, v in structure.items()}, name)
        low.lent_objects.append(made.identity)
        return made
    if isinstance(structure, list):
        made = low.memory.new_list((value_of(low, v, f"{name}[{k}]") for k, v in enumerate(structure)), name)
        low.lent_objects.append(made.identity)
        return made
    if isinstance(structure, tuple):
        names = getattr(structure, "_fields", None) or range(len(structure))
        places = [f"{name}.{k}" if isinstance(k, str) else f"{name}[{k}]" for k in names]
        return Tuple(tuple(value_of(low, v, p) for v, p in zip(structure, places, strict=True)), type(structure))
    if dataclasses.is_dataclass(structure) and not isinstance(structure, type):
        return _instance_of(low, structure, name)
    return constant(structure)


def _instance_of(low: Lowering, structure: Any, name: str) -> Value:
    kind = type(structure)
    if not is_user_class(kind):
        low.refuse(
            UnsupportedFunctionError,
            f"{name!r} is a {kind.__name__}, a dataclass with methods that Python calls by itself, e.g. __getattr__",
            "a plain dataclass",
        )
    known = {f: value_of(low, getattr(structure, f), f"{name}.{f}") for f in field_names(kind)}
    made = low.memory.new_record(kind, known, name)
    low.lent_objects.append(made.identity)
    return made


def result_of(low: Lowering, value: Value, results: list[Atom]) -> Any:
    """The structure of a value, its numbers and arrays appended to the results."""
    if isinstance(value, Scalar | Array):
        results.append(low.atom(value))
        return plugins.Leaf(len(results) - 1)
    if isinstance(value, Tuple):
        parts = [result_of(low, v, results) for v in value.items]
        return value.kind(*parts) if hasattr(value.kind, "_fields") else tuple(parts)
    if isinstance(value, List):
        return [result_of(low, v, results) for v in _returned(low, value)]
    if isinstance(value, Dict):
        return {k: result_of(low, v, results) for k, v in entries(low, value).items()}
    if isinstance(value, Record):
        return instance(value.kind, [(k, result_of(low, v, results)) for k, v in _fields_of(low, value).items()])
    if isinstance(value, Static):
        return plugins.Static(value.value)
    return low.refuse(
        UnsupportedFunctionError, f"the function returns {describe(value)}", "numbers, arrays, tuples of them"
    )


def _returned(low: Lowering, value: List) -> list[Value]:
    found = maybe_items(low, value)
    if found is None:
        low.refuse(
            UnsupportedFunctionError,
            "the function returns a list whose length is known at run time only",
            "an array made of it, np.array(x)",
        )
    return found


def _fields_of(low: Lowering, value: Record) -> dict[str, Value]:
    """The fields of a dataclass that leaves the function."""
    if not dataclasses.is_dataclass(value.kind):
        low.refuse(
            UnsupportedFunctionError,
            f"{describe(value)}, which is not a dataclass, as a result of the function",
            "a dataclass, or a tuple of its attributes",
        )
    known, names = attributes(low, value), field_names(value.kind)
    other = [n for n in known if n not in names and not hasattr(value.kind, n)]
    missing = [n for n in names if n not in known]
    if other or missing:
        problem = f"attribute {other[0]!r}, which is no field" if other else f"no value for field {missing[0]!r}"
        low.refuse(
            UnsupportedFunctionError, f"the function returns {describe(value)} with {problem}", "its fields only"
        )
    return {n: known[n] for n in names}


# Calls of functions that were lowered by themselves


def call_lowered(low: Lowering, function: Any, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    """Call a transformed function, e.g. `grad(f)`: its Program is copied in place."""
    leaves: list[Scalar | Array] = []
    structures = tuple(_structure(low, a, leaves) for a in _parameters(low, function, arguments, keywords))
    lowered = _lowered(low, function, structures)
    operands = [low.atom(v) for v in leaves]
    for capture in lowered.captures:
        operands.append(low.atom(captured_value(low, capture)))
    low.guards.extend(lowered.guards)
    python = all(isinstance(v, Scalar) and v.python for v in leaves)
    found = _inlined(low, lowered.program, operands)
    results = [low.value(r, python) for r in found]
    for write in lowered.writes:
        _written(low, leaves, write, found)
    return _result(low, lowered.result, results)


def _written(low: Lowering, leaves: list[Scalar | Array], write: plugins.Write, results: list[Atom]) -> None:
    """An argument that the called function writes into gets its new contents."""
    array = leaves[write.param]
    assert isinstance(array, Array)
    others = [v.buffer for k, v in enumerate(leaves) if isinstance(v, Array) and write.meets(k)]
    shared = next((o for o in others if low.memory.may_share(array.buffer, o)), None)
    if shared is not None:
        low.refuse(
            AliasError,
            f"the called function writes into an argument that shares memory with another one, {shared.name!r}",
            "a copy of one of the two",
        )
    if write.result is not None:
        low.write(array, results[write.result])


def _parameters(low: Lowering, function: Any, arguments: list[Value], keywords: dict[str, Value]) -> list[Value]:
    """One value for each parameter, defaults filled in."""
    if not isinstance(function, Transformed):
        if keywords:
            low.refuse(UnsupportedFunctionError, "a lowered function called with keywords", "positional arguments")
        return arguments
    try:
        bound = function.transform.signature().bind(*arguments, **keywords)
    except TypeError as error:
        low.refuse(UnsupportedFunctionError, f"{function!r}: {error}", "the function's own parameters")
    bound.apply_defaults()
    found: list[Value] = []
    for name, value in bound.arguments.items():
        kind = bound.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            found.append(Tuple(tuple(value)))
        elif kind is inspect.Parameter.VAR_KEYWORD:
            found.append(low.memory.new_dict(dict(value), name))
        else:
            found.append(value if isinstance(value, Value) else constant(value))
    return found


def _lowered(low: Lowering, function: Any, structures: tuple[Any, ...]) -> plugins.Lowered:
    """The transformed function's program; what the transform finds wrong is an error at the call."""
    write = "a transform that fits the function and these arguments"
    try:
        return function.__adcore_lower__(structures)
    except AdcoreError as error:
        if error.source is not None:
            raise
        refuse(type(error), error.cause, low.source, error.write or write)
    except (TypeError, ValueError) as error:
        low.refuse(UnsupportedFunctionError, str(error), write)


def given(
    low: Lowering, parameters: Iterable[inspect.Parameter], arguments: tuple[Any, ...]
) -> tuple[list[Value], dict[str, Value]]:
    """The values of arguments of these structures, by position and by name as the parameters demand."""
    positional: list[Value] = []
    keywords: dict[str, Value] = {}
    for parameter, structure in zip(parameters, arguments, strict=True):
        value = value_of(low, structure, parameter.name)
        if parameter.kind is parameter.VAR_POSITIONAL and isinstance(value, Tuple):
            positional.extend(value.items)
        elif parameter.kind is parameter.VAR_KEYWORD and isinstance(value, Dict):
            keywords.update(entries(low, value))
        elif parameter.kind is parameter.KEYWORD_ONLY:
            keywords[parameter.name] = value
        else:
            positional.append(value)
    return positional, keywords


def finished(low: Lowering, lowering: Callable[[], Value], name: str) -> plugins.Lowered:
    """What a lowering comes to; a function that always raises returns nothing."""
    try:
        value = lowering()
    except Diverges:
        value = NONE
    results: list[Atom] = []
    structure = result_of(low, value, results)
    writes: list[plugins.Write] = []
    for param, buffer in low.lent.items():
        contents = low.memory.read(buffer)
        if buffer in low.memory.doubtful:
            writes.append(plugins.Write(param, None, True, low.memory.doubtful[buffer]))
        elif contents is not low.params[param]:
            writes.append(plugins.Write(param, len(results)))
            results.append(contents)
    program = Program(tuple(low.params), low.b.equations, tuple(results), "f" if name == "<lambda>" else name)
    written = low.memory.root.written
    changes = tuple(plugins.Change(i.name, written[i]) for i in low.lent_objects if i in written)
    return plugins.Lowered(program, structure, tuple(low.captures), tuple(low.guards), tuple(writes), changes)


def _structure(low: Lowering, value: Value, leaves: list[Scalar | Array]) -> Any:
    if isinstance(value, Scalar | Array):
        leaves.append(value)
        shape = value.shape if isinstance(value, Array) else ()
        python = isinstance(value, Scalar) and value.python
        return plugins.Spec(value.dtype, tuple(1 if is_one(n) else None for n in shape), python)
    if isinstance(value, Tuple):
        parts = [_structure(low, v, leaves) for v in value.items]
        return value.kind(*parts) if hasattr(value.kind, "_fields") else tuple(parts)
    if isinstance(value, List):
        return [_structure(low, v, leaves) for v in items(low, value)]
    if isinstance(value, Dict):
        return {k: _structure(low, v, leaves) for k, v in entries(low, value).items()}
    if isinstance(value, Record):
        return instance(value.kind, [(k, _structure(low, v, leaves)) for k, v in _fields_of(low, value).items()])
    if isinstance(value, Static):
        return plugins.Static(value.value)
    return low.refuse(
        UnsupportedFunctionError, f"{describe(value)} is passed to a transformed function", "numbers and arrays"
    )


def _inlined(low: Lowering, program: Program, operands: list[Atom]) -> list[Atom]:
    """The program's equations emitted here, its parameters being the operands."""
    env: dict[Var, Atom] = {}
    for param, operand in zip(program.params, operands, strict=True):
        lengths: list[Atom] = []
        for inner, outer in zip(param.type.shape, operand.type.shape, strict=True):
            if isinstance(inner, Var):
                env.setdefault(inner, outer)
            lengths.append(env.get(inner, inner) if isinstance(inner, Var) else inner)
        env[param] = low.b.conform(operand, *lengths, checked=True) if lengths else operand
    copy = clone(Program((), program.equations, program.results), env)
    for equation in copy.equations:
        equation.source = equation.source or low.source  # a checkpoint is the call
    low.b.adopt(copy.equations)
    return list(copy.results)


def _result(low: Lowering, structure: Any, results: list[Scalar | Array]) -> Value:
    if isinstance(structure, plugins.Leaf):
        return results[structure.index]
    if isinstance(structure, plugins.Static):
        return constant(structure.value)
    if isinstance(structure, dict):
        return low.memory.new_dict({k: _result(low, v, results) for k, v in structure.items()})
    if isinstance(structure, list):
        return low.memory.new_list(_result(low, v, results) for v in structure)
    if isinstance(structure, tuple):
        return Tuple(tuple(_result(low, v, results) for v in structure), type(structure))
    if dataclasses.is_dataclass(structure):
        kind = type(structure)
        return low.memory.new_record(kind, {f: _result(low, getattr(structure, f), results) for f in field_names(kind)})
    return constant(structure)
