"""The meaning of a Program, by interpretation.

One environment serves all nested regions: a value has one definition, so a region sees the values around it and an
iteration overwrites only values that the iteration before it has finished with.  Inside, scalars are NumPy scalars and
arrays may be views of each other, which no meaning writes to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from adcore.primitives import CHECKED_ERRORS, Kind
from adcore.program import Equation, Program
from adcore.types import Atom, DType, Lit, Type, Var

__all__ = ["interpret"]

Environment = dict[Var, Any]

_PYTHON_SCALAR: dict[DType, type] = {DType.BOOL: bool, DType.I64: int, DType.F64: float, DType.C128: complex}
_RAISED = tuple(CHECKED_ERRORS.values())


def interpret(program: Program, arguments: Sequence[Any]) -> tuple[Any, ...]:
    """The results of a program: scalars, Python's where it has the dtype, and fresh C-contiguous arrays.

    Args:
        program: a well-formed program (`adcore.verify`).
        arguments: a scalar or array for each parameter, of its dtype or one that NumPy casts to it safely.

    Raises:
        TypeError: an argument of another dtype or rank, or a wrong number of arguments.
        ValueError: lengths that contradict each other, or a literal length.
        Exception: what a `check` of the program names, with the user's line as a note.

    >>> from adcore.builder import Builder
    >>> from adcore.types import I64, Var, f64
    >>> n = Var(I64, "n")
    >>> x = Var(f64(n), "x")
    >>> b = Builder()
    >>> interpret(Program((x,), b.equations, (b.total(b.mul(x, x), axes=(0,)), n)), ([3.0, 4.0],))
    (25.0, 2)
    """
    if len(arguments) != len(program.params):
        raise TypeError(f"{program.name} takes {len(program.params)} arguments, not {len(arguments)}")
    env: Environment = {}
    for param, argument in zip(program.params, arguments, strict=True):
        _bind(env, param, argument)
    with np.errstate(all="ignore"):
        _run(program, env)
    return tuple(_fresh(_value(env, atom), atom.type) for atom in program.results)


def _bind(env: Environment, param: Var, argument: Any) -> None:
    """Enter a parameter, and the lengths that its shape names."""
    value = np.asarray(argument)
    wanted = param.type.dtype
    weak = isinstance(argument, bool | int | float | complex) and np.can_cast(value.dtype, wanted.numpy, "same_kind")
    if not weak and not np.can_cast(value.dtype, wanted.numpy, "safe"):
        raise TypeError(f"{param.name}: expected {wanted.value}, got {value.dtype}")
    if value.ndim != param.type.rank:
        raise TypeError(f"{param.name}: expected an array of rank {param.type.rank}, got shape {value.shape}")
    for axis, (atom, length) in enumerate(zip(param.type.shape, value.shape, strict=True)):
        known = atom.value if isinstance(atom, Lit) else env.setdefault(atom, np.int64(length))
        if known != length:
            raise ValueError(f"{param.name}: axis {axis} has length {length}, expected {known}")
    value = value.astype(wanted.numpy)[()]
    if not param.type.shape and param in env and env[param] != value:
        raise ValueError(f"{param.name} is {value}, but an array has that length {env[param]}")
    env[param] = value


def _value(env: Environment, atom: Atom) -> Any:
    return env[atom] if isinstance(atom, Var) else np.asarray(atom.value, atom.dtype.numpy)[()]


def _fresh(value: Any, type: Type) -> Any:
    if type.shape:
        return np.array(value, type.dtype.numpy, order="C")
    return _PYTHON_SCALAR.get(type.dtype, type.dtype.numpy.type)(value)


def _run(region: Program, env: Environment) -> None:
    for equation in region.equations:
        control = _CONTROL.get(equation.primitive.name)
        if control is not None:
            values = control(equation, env)
        elif equation.primitive.kind is Kind.CHECK:
            _meaning(equation, env)
            values = ()
        else:
            meant = _meaning(equation, env)
            values = tuple(np.asarray(v)[()] for v in (meant if len(equation.outs) > 1 else (meant,)))
        env.update(zip(equation.outs, values, strict=True))


def _meaning(equation: Equation, env: Environment) -> Any:
    operands = [_value(env, atom) for atom in equation.operands]
    try:
        return equation.primitive.meaning(*operands, **equation.params)
    except _RAISED as error:
        if equation.source is not None:
            error.add_note(equation.source.caret())
        raise


def _results(region: Program, env: Environment, params: Sequence[Var], values: Sequence[Any]) -> tuple[Any, ...]:
    env.update(zip(params, values, strict=True))
    _run(region, env)
    return tuple(_value(env, atom) for atom in region.results)


def _loop(equation: Equation, env: Environment) -> tuple[Any, ...]:
    body = equation.params["body"]
    count, *initial = (_value(env, atom) for atom in equation.operands)
    carries = tuple(initial)
    for k in range(int(count)):
        carries = _results(body, env, body.params, (np.int64(k), *carries))
    return carries


def _while(equation: Equation, env: Environment) -> tuple[Any, ...]:
    test, body = equation.params["test"], equation.params["body"]
    carries = tuple(_value(env, atom) for atom in equation.operands)
    while _results(test, env, test.params, carries)[0]:
        carries = _results(body, env, body.params, carries)
    return carries


def _cond(equation: Equation, env: Environment) -> tuple[Any, ...]:
    taken = "then" if _value(env, equation.operands[0]) else "otherwise"
    return _results(equation.params[taken], env, (), ())


def _checkpoint(equation: Equation, env: Environment) -> tuple[Any, ...]:
    return _results(equation.params["body"], env, (), ())


_CONTROL: dict[str, Callable[[Equation, Environment], tuple[Any, ...]]] = {
    "loop": _loop,
    "while": _while,
    "cond": _cond,
    "checkpoint": _checkpoint,
    "custom": _checkpoint,
}
