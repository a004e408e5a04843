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

__all__ = ["Interpreter", "fresh", "interpret"]

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
    interpreter = Interpreter(program, arguments)
    interpreter.run(program)
    return tuple(fresh(interpreter.value(atom), atom.type) for atom in program.results)


class Interpreter:
    """An environment, and what runs regions in it.

    What is known of a value is its slot in the environment: here the value itself.  A subclass may keep more there.
    """

    def __init__(self, program: Program, arguments: Sequence[Any]) -> None:
        if len(arguments) != len(program.params):
            raise TypeError(f"{program.name} takes {len(program.params)} arguments, not {len(arguments)}")
        self.env: dict[Var, Any] = {}
        values: dict[Var, Any] = {}
        for param, argument in zip(program.params, arguments, strict=True):
            _bind(values, param, argument)
        for var, value in values.items():
            self.env[var] = self.argument(var, value)

    # What slots hold

    def argument(self, var: Var, value: Any) -> Any:
        """The slot of an argument."""
        return value

    def constant(self, value: Any) -> Any:
        """The slot of a number that is in the program, or of the number of an iteration."""
        return value

    def plain(self, slot: Any) -> Any:
        """The value in a slot."""
        return slot

    def computed(self, equation: Equation, operands: list[Any]) -> tuple[Any, ...]:
        """The slots of an equation's results."""
        return self.meaning(equation, operands)

    def iterating(self, equation: Equation, iteration: int | None) -> None:
        """An iteration of a loop begins; None at the end of the loop."""

    # Running regions

    def value(self, atom: Atom) -> Any:
        return self.plain(self.slot(atom))

    def slot(self, atom: Atom) -> Any:
        if isinstance(atom, Var):
            return self.env[atom]
        return self.constant(np.asarray(atom.value, atom.dtype.numpy)[()])

    def run(self, region: Program) -> None:
        with np.errstate(all="ignore"):
            self._run(region)

    def _run(self, region: Program) -> None:
        for equation in region.equations:
            control = _CONTROL.get(equation.primitive.name)
            if control is not None:
                slots = control(self, equation)
            else:
                slots = self.computed(equation, [self.slot(atom) for atom in equation.operands])
            self.env.update(zip(equation.outs, slots, strict=True))

    def meaning(self, equation: Equation, operands: list[Any]) -> tuple[Any, ...]:
        """The values of an equation's results, for those of its operands."""
        try:
            meant = equation.primitive.meaning(*map(self.plain, operands), **equation.params)
        except _RAISED as error:
            if equation.source is not None:
                error.add_note(equation.source.caret())
            raise
        if equation.primitive.kind is Kind.CHECK:
            return ()
        return tuple(np.asarray(v)[()] for v in (meant if len(equation.outs) > 1 else (meant,)))

    def results(self, region: Program, params: Sequence[Var], slots: Sequence[Any]) -> tuple[Any, ...]:
        self.env.update(zip(params, slots, strict=True))
        self._run(region)
        return tuple(self.slot(atom) for atom in region.results)

    def loop(self, equation: Equation) -> tuple[Any, ...]:
        body = equation.params["body"]
        count, *initial = (self.slot(atom) for atom in equation.operands)
        carries = tuple(initial)
        for k in range(int(self.plain(count))):
            self.iterating(equation, k)
            carries = self.results(body, body.params, (self.constant(np.int64(k)), *carries))
        self.iterating(equation, None)
        return carries

    def loop_while(self, equation: Equation) -> tuple[Any, ...]:
        test, body = equation.params["test"], equation.params["body"]
        carries = tuple(self.slot(atom) for atom in equation.operands)
        k = 0
        while True:
            self.iterating(equation, k)
            if not self.plain(self.results(test, test.params, carries)[0]):
                break
            carries = self.results(body, body.params, carries)
            k += 1
        self.iterating(equation, None)
        return carries

    def cond(self, equation: Equation) -> tuple[Any, ...]:
        taken = "then" if self.value(equation.operands[0]) else "otherwise"
        return self.results(equation.params[taken], (), ())

    def checkpoint(self, equation: Equation) -> tuple[Any, ...]:
        return self.results(equation.params["body"], (), ())


_CONTROL: dict[str, Callable[[Any, Equation], tuple[Any, ...]]] = {
    "loop": Interpreter.loop,
    "while": Interpreter.loop_while,
    "cond": Interpreter.cond,
    "checkpoint": Interpreter.checkpoint,
    "custom": Interpreter.checkpoint,
}


def _bind(env: dict[Var, Any], param: Var, argument: Any) -> None:
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


def fresh(value: Any, type: Type) -> Any:
    """A value as a result that the caller keeps."""
    if type.shape:
        return np.array(value, type.dtype.numpy, order="C")
    return _PYTHON_SCALAR.get(type.dtype, type.dtype.numpy.type)(value)
