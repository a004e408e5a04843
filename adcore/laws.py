"""The laws that every row of the table obeys, tested at random points.

    meaning      the executor computes the row's meaning, whose value has the type that the type rule gives
    symbol       the meaning is the row's symbol
    types        a tangent has the type of the result, a cotangent the type of its operand
    adjoint      <L u, w> = <u, L^T w>, where <x, y> is Re(sum(x y))
    involution   the dual of the dual is the map itself
    accumulate   accumulating is applying and adding
    together     of tangents side by side, along a further axis, the map gives its results side by side
    derivative   the linear map is the derivative of the meaning, found without the rule's algebra: by a complex step
                 where the meaning takes complex numbers, else by central differences of the symbol with 50 digits,
                 else (and in complex operands) by extrapolated central differences; where there is no map, that
                 derivative is zero
    kink         at a kink the map is the mean of the one-sided derivatives
    pieces       on either side of a kink the row is the piece that is stated for it
    examples     every row has an example

Each law takes a `Case` and an executor, and raises `LawError`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn

import numpy as np

from .batching import Batch
from .builder import Builder
from .kink_laws import pieces
from .law_examples import ALIGNED, CHOICES, CONJUGATING, KINKS, SIZES, Example, Operand, examples_of
from .linear import Generator
from .primitives import TABLE, Kind, Missing, Primitive
from .primitives.base import Rule
from .program import Equation, Program
from .types import I64, Atom, DType, Lit, Type, Var, literal
from .verify import verify

__all__ = ["LAWS", "Case", "LawError", "cases", "check_row", "check_table", "on_mpmath", "symbol_of"]

Execute = Callable[[Program, tuple[Any, ...]], tuple[Any, ...]]
Law = Callable[["Case", Execute], None]
Pair = tuple[int, int]  # of an operand and a result, by position


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
        rng = np.random.default_rng([self.seed, *self.primitive.name.encode()])
        self.point = tuple(_drawn(rng, o) for o in self.example.operands)
        self.params = self.example.variables(self.lengths)
        self.restart()

    def restart(self) -> None:
        """Emit the call, on the same parameters, into a new builder."""
        self.builder = Builder()
        self.example.call(self.builder, *self.params)
        self.equation = self.builder.equations[-1]
        if self.equation.primitive.name != self.primitive.name:
            self.fail("the example emits another row")

    def random(self) -> np.random.Generator:
        """For tangents: not those that the point was drawn from, which would be a multiple of it."""
        return np.random.default_rng([self.seed + 1000, *self.primitive.name.encode()])

    def fail(self, cause: str) -> NoReturn:
        shapes = ", ".join(f"{o.dtype.short}[{','.join(o.axes)}]" for o in self.example.operands)
        raise LawError(f"{self.primitive.name}({shapes}): {cause}")

    def program(self, *results: Atom, extra: tuple[Var, ...] = ()) -> Program:
        program = Program((*self.params, *extra), self.builder.equations, results, self.primitive.name)
        verify(program)
        return program

    def shape(self, type: Type, results: Mapping[Var, Any] | None = None) -> tuple[int, ...]:
        """The lengths in a type, at the point; of a result, where `results` may be among them."""
        env = {**self.environment(), **(results or {})}
        return tuple(int(_evaluated(a, env)) for a in type.shape)

    def environment(self) -> dict[Var, Any]:
        """The values of everything the call's operands name."""
        env: dict[Var, Any] = {v: SIZES[letter] for letter, v in self.lengths.items()}
        env.update(zip(self.params, self.point, strict=True))
        for equation in self.builder.equations[: self.builder.equations.index(self.equation)]:
            meant = _meant(equation, [_evaluated(a, env) for a in equation.operands])
            env.update(zip(equation.outs, meant, strict=True))
        return env

    def values(self) -> list[Any]:
        env = self.environment()
        return [_evaluated(a, env) for a in self.equation.operands]

    def pairs(self) -> list[Pair]:
        """The operands of the example and the results that may have a derivative in them."""
        operands = [i for i, x in enumerate(self.equation.operands) if x in self.params and _is_real(x)]
        results = [j for j, out in enumerate(self.equation.outs) if _is_real(out)]
        return [(i, j) for i in operands for j in results if not isinstance(self.rule(i, j), Missing)]

    def rule(self, operand: int, result: int) -> Rule | None:
        return self.equation.primitive.map_for(operand, result)

    def maps(self) -> list[Pair]:
        """The operands and results with a linear map."""
        return [pair for pair in self.pairs() if self.rule(*pair)]

    def ends(self, pair: Pair, dual: bool = False) -> tuple[Type, Type]:
        """The types that a linear map, or its dual, goes from and to."""
        operand, result = self.equation.operands[pair[0]].type, self.equation.outs[pair[1]].type
        return (result, operand) if dual else (operand, result)

    def generator(self, pair: Pair, dual: bool = False) -> Generator:
        """The linear map from an operand to a result, or its dual, in a fresh builder."""
        self.restart()
        rule = self.rule(*pair)
        assert rule is not None
        map = rule(self.builder, self.equation)
        return map.dual() if dual else map

    def applied(self, pair: Pair, execute: Execute, vector: Any, dual: bool = False) -> Any:
        """The linear map, or its dual, of a tangent."""
        map = self.generator(pair, dual)
        t = Var(self.ends(pair, dual)[0], "t")
        y = map.apply(self.builder, t)
        return execute(self.program(y, extra=(t,)), (*self.point, vector))[0]

    def tangent(self, type: Type, rng: np.random.Generator) -> Any:
        return _uniform(rng, (-1.0, 1.0), self.shape(type), type.dtype)

    @property
    def coarse(self) -> bool:
        """Whether there are numbers of single precision."""
        dtypes = [*(out.type.dtype for out in self.equation.outs), *(o.dtype for o in self.example.operands)]
        return DType.F32 in dtypes or DType.C64 in dtypes

    def near(self, x: Any, y: Any, tolerance: float = 1e-9) -> bool:
        tolerance = max(tolerance, 1e-3) if self.coarse else tolerance
        return np.shape(x) == np.shape(y) and np.allclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True)


def _drawn(rng: np.random.Generator, operand: Operand) -> Any:
    shape = tuple(SIZES[letter] for letter in operand.axes)
    if operand.dtype.differentiable:
        drawn = _uniform(rng, operand.interval, shape, operand.dtype)
        return drawn + operand.diagonal * np.eye(shape[0], dtype=drawn.dtype) if operand.diagonal else drawn
    low, high = (0, 2) if operand.dtype is DType.BOOL else map(int, operand.interval)
    return np.asarray(rng.integers(low, high, shape), operand.dtype.numpy)[()]


def _uniform(rng: np.random.Generator, interval: tuple[float, float], shape: tuple[int, ...], dtype: DType) -> Any:
    """Numbers of an interval; complex ones have as large an imaginary part."""
    drawn = rng.uniform(*interval, shape)
    if dtype.complex:
        half = 0.5 * (interval[1] - interval[0])
        drawn = drawn + 1j * rng.uniform(-half, half, shape)
    return np.asarray(drawn, dtype.numpy)[()]


def _evaluated(atom: Atom, env: dict[Var, Any]) -> Any:
    return np.asarray(atom.value, atom.dtype.numpy)[()] if isinstance(atom, Lit) else env[atom]


def _meant(equation: Equation, values: Sequence[Any]) -> tuple[Any, ...]:
    """The values of the results."""
    with np.errstate(all="ignore"):
        meant = equation.primitive.meaning(*values, **equation.params)
    return tuple(np.asarray(v)[()] for v in (meant if len(equation.outs) > 1 else (meant,)))


def _is_real(atom: Atom) -> bool:
    return atom.type.dtype.differentiable


def _named(pair: Pair) -> str:
    return f"operand {pair[0]}" + (f", result {pair[1]}" if pair[1] else "")


# The laws


def meaning(case: Case, execute: Execute) -> None:
    values = _meant(case.equation, case.values())
    executed = execute(case.program(*case.equation.outs), case.point)
    known = dict(zip(case.equation.outs, values, strict=True))
    for out, value, given in zip(case.equation.outs, values, executed, strict=True):
        wanted, got = out.type, np.asarray(given)
        shape = case.shape(wanted, known)
        if value.shape != shape or value.dtype != wanted.dtype.numpy:
            case.fail(f"the meaning is {value.dtype}{value.shape}, its type {wanted.dtype.value}{shape}")
        if not case.near(got, value) or got.dtype != value.dtype:
            case.fail(f"the executor gives {got}, the meaning is {value}")


def symbol(case: Case, execute: Execute) -> None:
    if not case.primitive.symbol:
        return
    values = [np.asarray(v) for v in case.values()]
    number = complex if case.equation.outs[0].type.dtype.complex else float
    expected = [
        number(symbol_of(case.primitive.symbol, len(values))(*(v.item() for v in xs)))
        for xs in zip(*(v.flat for v in values), strict=True)
    ]
    if not case.near(np.reshape(expected, values[0].shape), _meant(case.equation, case.values())[0], 1e-12):
        case.fail("the meaning is not the symbol")


def types(case: Case, execute: Execute) -> None:
    for pair in case.maps():
        for dual in (False, True):
            map = case.generator(pair, dual)
            source, target = case.ends(pair, dual)
            t, acc = Var(source, "t"), Var(target, "acc")
            for got in (map.apply(case.builder, t), map.accumulate(case.builder, acc, t)):
                if got.type != target:
                    case.fail(f"{_named(pair)}: {map.name} gives {got.type}, wanted {target}")
            vector, shape = case.tangent(source, case.random()), case.shape(target)
            value = case.applied(pair, execute, vector, dual)
            if np.shape(value) != shape:
                case.fail(f"{_named(pair)}: {map.name} gives the shape {np.shape(value)}, wanted {shape}")


def adjoint(case: Case, execute: Execute) -> None:
    rng = case.random()
    for pair in case.maps():
        u, w = (case.tangent(end, rng) for end in case.ends(pair))
        with np.errstate(invalid="ignore"):
            forward = np.real(np.sum(case.applied(pair, execute, u) * w))
            backward = np.real(np.sum(u * case.applied(pair, execute, w, dual=True)))
        if not case.near(forward, backward):
            case.fail(f"{_named(pair)}: <L u, w> = {forward}, <u, L^T w> = {backward}")


def involution(case: Case, execute: Execute) -> None:
    for pair in case.maps():
        map = case.generator(pair)
        if map.dual().dual() != map:
            case.fail(f"{_named(pair)}: the dual of the dual of {map.name} is {map.dual().dual().name}")


def accumulate(case: Case, execute: Execute) -> None:
    rng = case.random()
    for pair in case.maps():
        for dual in (False, True):
            map = case.generator(pair, dual)
            source, target = case.ends(pair, dual)
            t, acc = Var(source, "t"), Var(target, "acc")
            total = map.accumulate(case.builder, acc, t)
            vector, before = case.tangent(source, rng), case.tangent(target, rng)
            got = execute(case.program(total, extra=(t, acc)), (*case.point, vector, before))[0]
            if not case.near(got, before + case.applied(pair, execute, vector, dual)):
                case.fail(f"{_named(pair)}: accumulating {map.name} is not adding it")


def together(case: Case, execute: Execute) -> None:
    rng = case.random()
    for pair in case.maps():
        for dual in (False, True):
            map = case.generator(pair, dual)
            source, target = case.ends(pair, dual)
            t, acc = Var(source, "t"), Var(target, "acc")
            total = map.accumulate(case.builder, acc, t)
            several, b = literal(3), Builder()
            seeds = {v: Var(v.type.with_shape(*v.type.shape, several), v.name) for v in (t, acc)}
            batch = Batch(b, several, dict(seeds))
            batch.emit(case.builder.equations)
            program = Program((*case.params, *seeds.values()), b.equations, (batch.value(total),), case.primitive.name)
            verify(program)
            vectors = [case.tangent(source, rng) for _ in range(3)]
            before = [case.tangent(target, rng) for _ in range(3)]
            got = execute(program, (*case.point, np.stack(vectors, -1), np.stack(before, -1)))[0]
            wanted = [a + case.applied(pair, execute, v, dual) for a, v in zip(before, vectors, strict=True)]
            if not case.near(got, np.stack(wanted, -1)):
                case.fail(f"{_named(pair)}: {map.name} of tangents side by side is not that of each")


def derivative(case: Case, execute: Execute) -> None:
    rng = case.random()
    mapped = case.maps()
    for pair in case.pairs():
        if pair[0] in case.primitive.constant:
            continue
        u = case.tangent(case.ends(pair)[0], rng)
        wanted, tolerance = _directional(case, pair, u)
        got = case.applied(pair, execute, u) if pair in mapped else np.zeros_like(wanted)
        if not case.near(got, wanted, tolerance):
            case.fail(f"{_named(pair)}: the map gives {got}, the derivative is {wanted}")


def kink(case: Case, execute: Execute) -> None:
    drawn = case.point
    for point in KINKS.get(case.primitive.name, ()):
        if [np.shape(x) for x in point] != [np.shape(x) for x in drawn]:
            continue
        case.point = tuple(np.asarray(x, o.dtype.numpy)[()] for x, o in zip(point, case.example.operands, strict=True))
        for pair in case.maps():
            u = case.tangent(case.ends(pair)[0], case.random())
            try:
                got = case.applied(pair, execute, u)
            except np.linalg.LinAlgError:  # there is no derivative here, and the map says so
                continue
            wanted = _extrapolated(case, pair, u, 1e-6)
            if not case.near(got, wanted, 1e-5):
                at = f"{_named(pair)} at {case.point}"
                case.fail(f"{at}: the map gives {got}, the mean of both sides is {wanted}")
    case.point = drawn


def choice(case: Case, execute: Execute) -> None:
    """Of an operand that is not taken nothing comes through, not even what is infinite or nan."""
    if case.primitive.name not in CHOICES:
        return
    for pair in case.maps():
        for dual in (False, True):
            ones = np.ones_like(case.tangent(case.ends(pair, dual)[0], case.random()))
            blocked = np.asarray(case.applied(pair, execute, ones[()], dual)) == 0.0
            through = np.asarray(case.applied(pair, execute, np.full_like(ones, np.inf)[()], dual))
            if np.any(through[blocked] != 0.0):
                case.fail(f"{_named(pair)}: infinity times 0 comes through where the operand is not taken")


LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (meaning, symbol, types, adjoint, involution, accumulate, together, derivative, kink, pieces, choice)
}

# Derivatives of meanings


def _directional(case: Case, pair: Pair, u: Any) -> tuple[Any, float]:
    """The derivative of a result of the meaning in one operand along u, and how far it is to be trusted."""
    if any(a.type.dtype.complex for a in (*case.equation.operands, *case.equation.outs)):
        return _extrapolated(case, pair, u), 1e-6
    if case.primitive.kind is Kind.ELEMENTWISE and not case.primitive.symbol:
        return _extrapolated(case, pair, u), 1e-6  # NumPy's complex meaning need not be analytic: sign
    stepped = None if case.primitive.name in CONJUGATING else _complex_step(case, pair, u)
    if stepped is not None:
        return stepped, 1e-9
    if case.primitive.symbol:
        return _symbolic_difference(case, pair[0]) * u, 1e-9
    return _extrapolated(case, pair, u), 1e-6


def _complex_step(case: Case, pair: Pair, u: Any, h: float = 1e-100) -> Any:
    """Im f(x + ihu) / h (Squire and Trapp 1998), or None where the meaning does not take complex numbers."""
    values = [v.astype(complex) if np.asarray(v).dtype.kind == "f" else v for v in case.values()]
    values[pair[0]] = values[pair[0]] + 1j * h * _precise(u)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
        try:
            value = _meant(case.equation, values)[pair[1]]
        except TypeError:
            return None
    return value.imag / h if np.iscomplexobj(value) else None


@cache
def symbol_of(text: str, arity: int) -> Callable[..., Any]:
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
    f = symbol_of(case.primitive.symbol, len(values))
    slopes = []
    with mpmath.workdps(50):
        h = mpmath.mpf(10) ** -15
        for xs in zip(*(v.flat for v in values), strict=True):
            at = [mpmath.mpf(float(x)) for x in xs]
            above, below = ([*at[:index], at[index] + s, *at[index + 1 :]] for s in (h, -h))
            slopes.append(float((f(*above) - f(*below)) / (2 * h)))
    return np.reshape(slopes, values[0].shape)[()]


def _extrapolated(case: Case, pair: Pair, u: Any, h: float = 1e-3) -> Any:
    """Central differences at steps h and h/2, extrapolated (Richardson)."""
    index, result = pair
    values = [_precise(v) for v in case.values()]
    align = ALIGNED.get(case.primitive.name)

    def moved(step: float) -> Any:
        found = _meant(case.equation, [*values[:index], values[index] + step * u, *values[index + 1 :]])
        return (align(found, _meant(case.equation, case.values())) if align else found)[result]

    def slope(step: float) -> Any:
        return (moved(step) - moved(-step)) / (2 * step)

    return (4 * slope(h / 2) - slope(h)) / 3


def _precise(value: Any) -> Any:
    wide = {np.dtype(np.float32): np.float64, np.dtype(np.complex64): np.complex128}.get(np.asarray(value).dtype)
    return value if wide is None else value.astype(wide)


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
