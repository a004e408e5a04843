"""Between structures of specs and values: arguments and results, of the function and of transformed ones it calls."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from adcore import plugins
from adcore.dispatch import Transformed
from adcore.errors import AdcoreError, AliasError, UnsupportedFunctionError, refuse
from adcore.program import Program, clone
from adcore.types import Atom, Var

from .joins import Diverges
from .operators import describe, is_one
from .outside import captured_value, constant, make_param
from .values import NONE, Array, Dict, List, Scalar, Static, Tuple, Value

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
        return Dict({k: value_of(low, v, f"{name}_{k}") for k, v in structure.items()}, low.memory.scope)
    if isinstance(structure, tuple | list):
        items = [value_of(low, v, f"{name}_{k}") for k, v in enumerate(structure)]
        return List(items, low.memory.scope) if isinstance(structure, list) else Tuple(tuple(items), type(structure))
    return constant(structure)


def result_of(low: Lowering, value: Value, results: list[Atom]) -> Any:
    """The structure of a value, its numbers and arrays appended to the results."""
    if isinstance(value, Scalar | Array):
        results.append(low.atom(value))
        return plugins.Leaf(len(results) - 1)
    if isinstance(value, Tuple):
        items = [result_of(low, v, results) for v in value.items]
        return value.kind(*items) if hasattr(value.kind, "_fields") else tuple(items)
    if isinstance(value, List):
        return [result_of(low, v, results) for v in value.items]
    if isinstance(value, Dict):
        return {k: result_of(low, v, results) for k, v in value.items.items()}
    if isinstance(value, Static):
        return plugins.Static(value.value)
    return low.refuse(
        UnsupportedFunctionError, f"the function returns {describe(value)}", "numbers, arrays, tuples of them"
    )


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
    others = [v.buffer for k, v in enumerate(leaves) if isinstance(v, Array) and k != write.param]
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
            found.append(Dict(dict(value), low.memory.scope))
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
            keywords.update(value.items)
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
        if contents is not low.params[param]:
            writes.append(plugins.Write(param, len(results)))
            results.append(contents)
    program = Program(tuple(low.params), low.b.equations, tuple(results), "f" if name == "<lambda>" else name)
    return plugins.Lowered(program, structure, tuple(low.captures), tuple(low.guards), tuple(writes))


def _structure(low: Lowering, value: Value, leaves: list[Scalar | Array]) -> Any:
    if isinstance(value, Scalar | Array):
        leaves.append(value)
        shape = value.shape if isinstance(value, Array) else ()
        python = isinstance(value, Scalar) and value.python
        return plugins.Spec(value.dtype, tuple(1 if is_one(n) else None for n in shape), python)
    if isinstance(value, Tuple):
        items = [_structure(low, v, leaves) for v in value.items]
        return value.kind(*items) if hasattr(value.kind, "_fields") else tuple(items)
    if isinstance(value, List):
        return [_structure(low, v, leaves) for v in value.items]
    if isinstance(value, Dict):
        return {k: _structure(low, v, leaves) for k, v in value.items.items()}
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
        return Dict({k: _result(low, v, results) for k, v in structure.items()}, low.memory.scope)
    items = [_result(low, v, results) for v in structure]
    return List(items, low.memory.scope) if isinstance(structure, list) else Tuple(tuple(items), type(structure))
