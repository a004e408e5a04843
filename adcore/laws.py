"""The laws that every row of the table obeys, tested at random points.

    meaning      the executor computes the row's meaning, whose value has the type that the type rule gives
    symbol       the meaning is the row's symbol
    types        a tangent has the type of the result, a cotangent the type of its operand
    adjoint      <L u, w> = <u, L^T w>
    involution   the dual of the dual is the map itself
    accumulate   accumulating is applying and adding
    derivative   the linear map is the derivative of the meaning, found without the rule's algebra: by a complex step
                 where the meaning takes complex numbers, else by central differences of the symbol with 50 digits,
                 else by extrapolated central differences; where there is no map, that derivative is zero
    kink         at a kink the map is the mean of the one-sided derivatives
    examples     every row has an example

Each law takes a `Case` and an executor, and raises `LawError`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn, TypeGuard

import numpy as np

from .builder import Builder
from .law_examples import CHOICES, KINKS, SIZES, Example, examples_of
from .linear import Generator
from .primitives import TABLE, Kind, Missing, Primitive
from .program import Equation, Program
from .types import I64, Atom, DType, Lit, Type, Var
from .verify import verify

__all__ = ["LAWS", "Case", "LawError", "cases", "check_row", "check_table", "on_mpmath"]

Execute = Callable[[Program, tuple[Any, ...]], tuple[Any, ...]]
Law = Callable[["Case", Execute], None]


class LawError(AssertionError):
    """A row breaks a law."""


@dataclass(slots=True)
class Case:
    """One example of a row at one random point.

    Attributes:
        example: the operands and the call.
        builder, equation: where the call was emitted.
        params: the operands' variables.
        point: a value for each parameter.
        lengths: the variable of each axis length, by letter.
    """

    primitive: Primitive
    example: Example
    seed: int
    builder: Builder = field(init=False)
    params: tuple[Var, ...] = field(init=False)
    equation: Equation = field(init=False)
    point: tuple[Any, ...] = field(init=False)
    lengths: dict[str, Var] = field(init=False)

    def __post_init__(self) -> None:
        self.lengths = {letter: Var(I64, letter) for letter in SIZES}
        rng = self.random()
        self.point = tuple(_drawn(rng, o.axes, o.interval, o.dtype) for o in self.example.operands)
        self.params = tuple(
            Var(Type(o.dtype, tuple(self.lengths[letter] for letter in o.axes)), f"x{i}")
            for i, o in enumerate(self.example.operands)
        )
        self.restart()

    def restart(self) -> None:
        """Emit the call, on the same parameters, into a new builder."""
        self.builder = Builder()
        self.example.call(self.builder, *self.params)
        self.equation = self.builder.equations[-1]
        if self.equation.primitive.name != self.primitive.name:
            self.fail("the example emits another row")

    def random(self) -> np.random.Generator:
        return np.random.default_rng([self.seed, *self.primitive.name.encode()])

    def fail(self, cause: str) -> NoReturn:
        shapes = ", ".join(f"{o.dtype.short}[{','.join(o.axes)}]" for o in self.example.operands)
        raise LawError(f"{self.primitive.name}({shapes}): {cause}")

    @property
    def result(self) -> Var:
        return self.equation.outs[0]

    def program(self, *results: Atom, extra: tuple[Var, ...] = ()) -> Program:
        program = Program((*self.params, *extra), self.builder.equations, results, self.primitive.name)
        verify(program)
        return program

    def shape(self, type: Type) -> tuple[int, ...]:
        """The lengths in a type, at the point."""
        env = self.environment()
        return tuple(int(_evaluated(a, env)) for a in type.shape)

    def environment(self) -> dict[Var, Any]:
        """The values of everything the call's operands name."""
        env: dict[Var, Any] = {v: SIZES[letter] for letter, v in self.lengths.items()}
        env.update(zip(self.params, self.point, strict=True))
        for equation in self.builder.equations[: self.builder.equations.index(self.equation)]:
            env[equation.outs[0]] = _meant(equation, [_evaluated(a, env) for a in equation.operands])
        return env

    def values(self) -> list[Any]:
        env = self.environment()
        return [_evaluated(a, env) for a in self.equation.operands]

    def maps(self) -> list[tuple[int, Var]]:
        """The operands with a linear map."""
        found = enumerate(self.equation.operands)
        return [(i, x) for i, x in found if self.is_real(x) and self.has_map(i)]

    def has_map(self, index: int) -> bool:
        rule = self.equation.primitive.map_for(index)
        return rule is not None and not isinstance(rule, Missing)

    def is_real(self, operand: Atom) -> TypeGuard[Var]:
        """Whether the operand is one of the example's, and the result may have a derivative in it."""
        is_float = operand.type.dtype is DType.F64 and self.result.type.dtype is DType.F64
        return is_float and operand in self.params

    def generator(self, index: int) -> Generator:
        """The linear map of an operand, in a fresh builder."""
        self.restart()
        rule = self.equation.primitive.map_for(index)
        assert rule is not None
        return rule(self.builder, self.equation)

    def applied(self, index: int, execute: Execute, vector: Any, dual: bool = False) -> Any:
        """The linear map of an operand, or its dual, of a tangent."""
        map = self.generator(index)
        source, target = self.equation.operands[index].type, self.result.type
        t = Var(target if dual else source, "t")
        y = (map.dual() if dual else map).apply(self.builder, t)
        return execute(self.program(y, extra=(t,)), (*self.point, vector))[0]

    def tangent(self, type: Type, rng: np.random.Generator) -> Any:
        return rng.uniform(-1.0, 1.0, self.shape(type))[()]


def _drawn(rng: np.random.Generator, axes: str, interval: tuple[float, float], dtype: DType) -> Any:
    shape = tuple(SIZES[letter] for letter in axes)
    if dtype is DType.F64:
        return rng.uniform(*interval, shape)[()]
    low, high = (0, 2) if dtype is DType.BOOL else map(int, interval)
    return np.asarray(rng.integers(low, high, shape), dtype.numpy)[()]


def _evaluated(atom: Atom, env: dict[Var, Any]) -> Any:
    return np.asarray(atom.value, atom.dtype.numpy)[()] if isinstance(atom, Lit) else env[atom]


def _meant(equation: Equation, values: Sequence[Any]) -> Any:
    with np.errstate(all="ignore"):
        return np.asarray(equation.primitive.meaning(*values, **equation.params))[()]


def _near(x: Any, y: Any, tolerance: float = 1e-9) -> bool:
    return np.shape(x) == np.shape(y) and np.allclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True)


# The laws


def meaning(case: Case, execute: Execute) -> None:
    value = _meant(case.equation, case.values())
    wanted = case.result.type
    if value.shape != case.shape(wanted) or value.dtype != wanted.dtype.numpy:
        case.fail(f"the meaning is {value.dtype}{value.shape}, its type {wanted.dtype.value}{case.shape(wanted)}")
    got = np.asarray(execute(case.program(case.result), case.point)[0])
    if not _near(got, value) or got.dtype != value.dtype:
        case.fail(f"the executor gives {got}, the meaning is {value}")


def symbol(case: Case, execute: Execute) -> None:
    if not case.primitive.symbol:
        return
    values = [np.asarray(v) for v in case.values()]
    expected = [
        float(_symbol(case.primitive.symbol, len(values))(*xs)) for xs in zip(*(v.flat for v in values), strict=True)
    ]
    if not _near(np.reshape(expected, values[0].shape), _meant(case.equation, case.values()), 1e-12):
        case.fail("the meaning is not the symbol")


def types(case: Case, execute: Execute) -> None:
    for index, _ in case.maps():
        for dual in (False, True):
            map = case.generator(index)
            source, target = case.equation.operands[index].type, case.result.type
            if dual:
                map, source, target = map.dual(), target, source
            t, acc = Var(source, "t"), Var(target, "acc")
            for got in (map.apply(case.builder, t), map.accumulate(case.builder, acc, t)):
                if got.type != target:
                    case.fail(f"operand {index}: {map.name} gives {got.type}, wanted {target}")
            vector, shape = case.tangent(source, case.random()), case.shape(target)
            value = case.applied(index, execute, vector, dual)
            if np.shape(value) != shape:
                case.fail(f"operand {index}: {map.name} gives the shape {np.shape(value)}, wanted {shape}")


def adjoint(case: Case, execute: Execute) -> None:
    rng = case.random()
    for index, operand in case.maps():
        u, w = case.tangent(operand.type, rng), case.tangent(case.result.type, rng)
        forward = np.sum(case.applied(index, execute, u) * w)
        backward = np.sum(u * case.applied(index, execute, w, dual=True))
        if not _near(forward, backward):
            case.fail(f"operand {index}: <L u, w> = {forward}, <u, L^T w> = {backward}")


def involution(case: Case, execute: Execute) -> None:
    for index, _ in case.maps():
        map = case.generator(index)
        if map.dual().dual() != map:
            case.fail(f"operand {index}: the dual of the dual of {map.name} is {map.dual().dual().name}")


def accumulate(case: Case, execute: Execute) -> None:
    rng = case.random()
    for index, operand in case.maps():
        for dual in (False, True):
            map = case.generator(index)
            source, target = (case.result.type, operand.type) if dual else (operand.type, case.result.type)
            t, acc = Var(source, "t"), Var(target, "acc")
            total = (map.dual() if dual else map).accumulate(case.builder, acc, t)
            vector, before = case.tangent(source, rng), case.tangent(target, rng)
            got = execute(case.program(total, extra=(t, acc)), (*case.point, vector, before))[0]
            if not _near(got, before + case.applied(index, execute, vector, dual)):
                case.fail(f"operand {index}: accumulating {map.name} is not adding it")


def derivative(case: Case, execute: Execute) -> None:
    rng = case.random()
    mapped = dict(case.maps())
    for index, operand in enumerate(case.equation.operands):
        if not case.is_real(operand) or isinstance(case.equation.primitive.map_for(index), Missing):
            continue
        u = case.tangent(operand.type, rng)
        wanted, tolerance = _directional(case, index, u)
        got = case.applied(index, execute, u) if index in mapped else np.zeros_like(wanted)
        if not _near(got, wanted, tolerance):
            case.fail(f"operand {index}: the map gives {got}, the derivative is {wanted}")


def kink(case: Case, execute: Execute) -> None:
    if case.result.type.shape:
        return
    drawn = case.point
    for point in KINKS.get(case.primitive.name, ()):
        case.point = point
        for index, _ in case.maps():
            got, wanted = case.applied(index, execute, 1.0), _extrapolated(case, index, 1.0)
            if not _near(got, wanted):
                case.fail(f"operand {index} at {case.point}: the map gives {got}, the mean of both sides is {wanted}")
    case.point = drawn


def choice(case: Case, execute: Execute) -> None:
    """Of an operand that is not taken nothing comes through, not even what is infinite or nan."""
    if case.primitive.name not in CHOICES:
        return
    for index, operand in case.maps():
        for dual, source in ((False, operand.type), (True, case.result.type)):
            ones = np.ones(np.shape(case.tangent(source, case.random())))
            blocked = np.asarray(case.applied(index, execute, ones[()], dual)) == 0.0
            through = np.asarray(case.applied(index, execute, (ones * np.inf)[()], dual))
            if np.any(through[blocked] != 0.0):
                case.fail(f"operand {index}: infinity times 0 comes through where the operand is not taken")


LAWS: dict[str, Law] = {
    law.__name__: law for law in (meaning, symbol, types, adjoint, involution, accumulate, derivative, kink, choice)
}

# Derivatives of meanings


def _directional(case: Case, index: int, u: Any) -> tuple[Any, float]:
    """The derivative of the meaning in one operand along u, and how far it is to be trusted."""
    if case.primitive.kind is Kind.ELEMENTWISE and not case.primitive.symbol:
        return _extrapolated(case, index, u), 1e-6  # NumPy's complex meaning need not be analytic: sign
    stepped = _complex_step(case, index, u)
    if stepped is not None:
        return stepped, 1e-9
    if case.primitive.symbol:
        return _symbolic_difference(case, index) * u, 1e-9
    return _extrapolated(case, index, u), 1e-6


def _complex_step(case: Case, index: int, u: Any, h: float = 1e-100) -> Any:
    """Im f(x + ihu) / h (Squire and Trapp 1998), or None where the meaning does not take complex numbers."""
    values = [v.astype(complex) if np.asarray(v).dtype == float else v for v in case.values()]
    values[index] = values[index] + 1j * h * u
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
        try:
            value = _meant(case.equation, values)
        except TypeError:
            return None
    return value.imag / h if np.iscomplexobj(value) else None


@cache
def _symbol(text: str, arity: int) -> Callable[..., Any]:
    """A row's symbol as a function on mpmath's numbers."""
    import sympy  # only the laws need it: an extra of the package

    names = sympy.symbols("x y z w")[:arity]
    return on_mpmath(names, sympy.sympify(text))


def on_mpmath(names: Sequence[Any], expression: Any) -> Callable[..., Any]:
    """A SymPy expression of these symbols as a function on mpmath's numbers."""
    import mpmath  # as above
    import sympy

    unspelled = {
        "airyaiprime": lambda x: mpmath.airyai(x, derivative=1),
        "airybiprime": lambda x: mpmath.airybi(x, derivative=1),
        "assoc_laguerre": mpmath.laguerre,
        "laguerre": lambda n, x: mpmath.laguerre(n, 0, x),
        "hermite_prob": lambda n, x: mpmath.hermite(n, x / mpmath.sqrt(2)) / mpmath.sqrt(2) ** n,
    }
    return sympy.lambdify(names, expression, [unspelled, "mpmath"])


def _symbolic_difference(case: Case, index: int) -> Any:
    """The partial derivative of the symbol at each element, by central differences with 50 digits."""
    import mpmath  # as above

    values = [np.asarray(v) for v in case.values()]
    f = _symbol(case.primitive.symbol, len(values))
    slopes = []
    with mpmath.workdps(50):
        h = mpmath.mpf(10) ** -15
        for xs in zip(*(v.flat for v in values), strict=True):
            at = [mpmath.mpf(float(x)) for x in xs]
            above, below = ([*at[:index], at[index] + s, *at[index + 1 :]] for s in (h, -h))
            slopes.append(float((f(*above) - f(*below)) / (2 * h)))
    return np.reshape(slopes, values[0].shape)[()]


def _extrapolated(case: Case, index: int, u: Any, h: float = 1e-3) -> Any:
    """Central differences at steps h and h/2, extrapolated (Richardson)."""

    def slope(step: float) -> Any:
        values = case.values()
        above, below = ([*values[:index], values[index] + s * u, *values[index + 1 :]] for s in (step, -step))
        return (_meant(case.equation, above) - _meant(case.equation, below)) / (2 * step)

    return (4 * slope(h / 2) - slope(h)) / 3


# The whole table


def cases(primitive: Primitive, seeds: Sequence[int] = (0, 1)) -> list[Case]:
    """The row's examples at random points.

    Raises:
        LawError: the row has no example.
    """
    examples = examples_of(primitive)
    if not examples and primitive.kind not in (Kind.CONTROL, Kind.CHECK):
        raise LawError(f"{primitive.name}: no example in adcore.law_examples")
    return [Case(primitive, example, seed) for example in examples for seed in seeds]


def check_row(primitive: Primitive, execute: Execute) -> None:
    """All laws for one row.

    Raises:
        LawError: the first law that is broken.
        VerifyError: a rule emits an ill-formed program.
    """
    for case in cases(primitive):
        for law in LAWS.values():
            law(case, execute)


def check_table(execute: Execute) -> dict[str, LawError]:
    """All laws for all rows: the broken ones by row."""
    broken: dict[str, LawError] = {}
    for primitive in TABLE:
        try:
            check_row(primitive, execute)
        except LawError as error:
            broken[primitive.name] = error
    return broken
