"""The Taylor expansion of every row of the table: against forward mode of forward mode, and against mpmath."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import sympy
from adcore_numpy import interpret

from adcore.builder import Builder
from adcore.derive import push
from adcore.errors import MissingRuleError
from adcore.expansion.orders import Orders
from adcore.expansion.program import expand
from adcore.expansion.values import EXACT, LINEAR
from adcore.laws import Case, cases, on_mpmath
from adcore.primitives import TABLE, Kind
from adcore.primitives.scipy_rows import Missing
from adcore.program import Program, clone
from adcore.types import F64, Var, literal
from adcore.verify import verify

# Functions that are not compiled have first derivatives only.
ROWS = [p for p in TABLE if p.kind not in (Kind.CONTROL, Kind.CHECK, Kind.HOST)]
SMOOTH = [p for p in ROWS if any(p.map_for(k, n) for k in range(6) for n in range(4))]
SYMBOLIC = [p for p in SMOOTH if p.symbol and p.sampler]


def along_curve(program: Program, at: list[int], order: int) -> list[Program]:
    """The derivatives by t, up to an order, of a program at x + t x1 + t**2 x2, by forward mode of forward mode.

    Their parameters are t, those of the program, and x1 and x2 of the parameters `at`.
    """
    b = Builder()
    t = Var(F64, "t")
    params = [Var(p.type, p.name) for p in program.params]
    further = [Var(program.params[k].type, f"d{n}") for n in (1, 2) for k in at]
    moved = list(params)
    for j, k in enumerate(at):
        s = b.cast(t, dtype=params[k].type.dtype)
        moved[k] = b.add(params[k], b.mul(s, b.add(further[j], b.mul(s, further[len(at) + j]))))
    body = clone(Program((), program.equations, program.results), dict(zip(program.params, moved, strict=True)))
    b.adopt(body.equations)
    found = [Program((t, *params, *further), b.equations, body.results)]
    for _ in range(order):
        pushed = push(found[-1], [0])
        kept = pushed.results[len(found[-1].results) :]
        seeded = Program(pushed.params[:-1], pushed.equations, kept)
        found.append(clone(seeded, {pushed.params[-1]: literal(1.0)}))
    return found


def has_rule(row, operand, result=0):
    rule = row.map_for(operand, result)
    return rule is not None and not isinstance(rule, Missing)


def moving_operands(case: Case) -> list[int]:
    row, outs = case.primitive, len(case.equation.outs)
    positions = {a: k for k, a in enumerate(case.params)}
    smooth = [a for k, a in enumerate(case.equation.operands) if any(has_rule(row, k, n) for n in range(outs))]
    return [positions[a] for a in smooth if a in positions and a.type.dtype.differentiable]


# Rows whose derivatives are long Programs.
LONG = {
    *("mittag_leffler", "regularized_beta", "beta_draw", "betaincinv", "betainccinv", "betainc", "betaincc"),
    *("carlson_rd", "elliprd", "ellipk", "ellipkm1", "ellipe", "ellipkinc", "ellipeinc", "gammainc_order_slope"),
    *("gammaincinv", "gammainccinv", "gammainc", "gammaincc", "gamma_draw", "zeta"),
}


@pytest.mark.parametrize("primitive", SMOOTH, ids=lambda p: p.name)
def test_rows_against_nested_forward_mode(primitive):
    every = list(cases(primitive))
    for case in every[:1] if primitive.name in LONG else every[:4]:
        at, rng = moving_operands(case), np.random.default_rng(5)
        program = Program(case.params, list(case.builder.equations), case.equation.outs)
        directions = [_like(case.point[k], rng, 0.1) for _ in range(2) for k in at]
        order = 2 if primitive.name in LONG else 3
        jets = expand(program, at, Orders(1, order), [(1,), (2,)])
        verify(jets)
        found = interpret(jets, (*case.point, *directions))[len(program.results) :]
        width = len(found) // order
        for n, derivative in enumerate(along_curve(program, at, order)[1:], 1):
            expected = interpret(derivative, (0.0, *case.point, *directions))
            ours = found[(n - 1) * width : n * width]
            close(ours, tuple(np.asarray(e) / math.factorial(n) for e in expected), 1e-6 if is_single(case) else 1e-9)


def is_single(case: Case) -> bool:
    return any(np.asarray(x).dtype in (np.float32, np.complex64) for x in case.point)


def _like(x, rng, size):
    drawn = size * rng.normal(size=np.shape(x))
    if np.iscomplexobj(x):
        drawn = drawn + 1j * size * rng.normal(size=np.shape(x))
    return np.asarray(drawn, np.asarray(x).dtype)[()]


def coefficients(row, point, direction, order):
    """The coefficients of a scalar row along a line, for those operands that have a rule."""
    params = tuple(Var(F64, f"x{k}") for k in range(len(point)))
    b = Builder()
    out = b.emit(row, params, {})
    at = [k for k in range(len(point)) if has_rule(row, k)]
    jets = expand(Program(params, b.equations, (out,)), at, Orders(1, order), [(1,)])
    return interpret(jets, (*point, *(direction[k] for k in at)))[1:]


# Rows whose derivatives are derivatives of routines in plain Python, of which no more than three are taken.
BY_ROUTINES = {
    *("beta", "betaln", "binom", "poch", "zeta", "digamma_increment", "gammainc_order_slope", "gammainc", "gammaincc"),
    *("carlson_rd", "ellipk", "ellipkm1", "ellipe", "ellipkinc", "ellipeinc", "mittag_leffler"),
}


@pytest.mark.parametrize("primitive", SYMBOLIC, ids=lambda p: p.name)
def test_elementwise_rows_against_mpmath(primitive):
    arity = len(primitive.sampler.intervals)
    order = min(3 if primitive.name in BY_ROUTINES else 5, EXACT.get(primitive.name, 5))
    symbols = sympy.symbols("x y z w")[:arity]
    exact = on_mpmath(symbols, sympy.sympify(primitive.symbol))
    at = [k for k in range(arity) if has_rule(primitive, k)]
    rng = np.random.default_rng(3)
    point = [low + (high - low) * (0.3 + 0.4 * rng.random()) for low, high in primitive.sampler.intervals]
    direction = [1.0 if k in at else 0.0 for k in range(arity)]
    found = coefficients(primitive, point, direction, order)
    with mpmath.workdps(30):
        path = [(mpmath.mpf(x), mpmath.mpf(d)) for x, d in zip(point, direction, strict=True)]
        expected = [float(c) for c in mpmath.taylor(lambda s: exact(*(x + s * d for x, d in path)), 0, order)[1:]]
    close(found, tuple(expected), 1e-9)


# Points at which a rule chooses another formula, with all operands moving.
PATCHED = [
    ("xlogy", (0.0, 1.5)),
    ("xlog1py", (0.0, 0.5)),
    ("rgamma", (0.0,)),
    ("rgamma", (-2.0,)),
    ("rgamma", (-0.999,)),
    ("tanh", (0.5,)),
    ("arcsin", (-0.5,)),
    ("exprel", (0.0,)),
    ("sici_si", (0.0,)),
    ("shichi_shi", (0.0,)),
    ("logaddexp", (1.0, 1.0)),
    ("expit", (0.0,)),
]


@pytest.mark.parametrize(("name", "point"), PATCHED)
def test_where_rules_choose_a_formula(name, point):
    row, order = TABLE[name], 4
    exact = on_mpmath(sympy.symbols("x y z w")[: len(point)], sympy.sympify(row.symbol))
    found = coefficients(row, point, (1.0,) * len(point), order)
    shift = mpmath.mpf(10) ** -12  # SymPy's forms have no value at some of the points
    with mpmath.workdps(60):
        path = [mpmath.mpf(x) + shift for x in point]
        expected = mpmath.taylor(lambda s: exact(*(x + s for x in path)), 0, order)[1:]
    close(found, tuple(float(c.real) for c in expected), 1e-9)


# Where terms cancel most.
HARDEST = [
    *(("ive", (1.5, 290.0)), ("i0e", (290.0,)), ("erfcx", (9.9,)), ("dawsn", (9.9,))),
    *(
        ("exprel", (0.99,)),
        ("exprel", (-0.99,)),
        ("inv_boxcox", (0.9, 0.1)),
        ("boxcox", (2.0, 1.4)),
        ("spence", (1.095,)),
    ),
]


@pytest.mark.parametrize(("name", "point"), HARDEST)
def test_orders_with_few_digits_are_refused(name, point):
    row, order = TABLE[name], EXACT[name]
    exact = on_mpmath(sympy.symbols("x y z w")[: len(point)], sympy.sympify(row.symbol))
    moving = [float(has_rule(row, k)) for k in range(len(point))]
    with mpmath.workdps(40):
        path = list(zip(map(mpmath.mpf, point), moving, strict=True))
        expected = mpmath.taylor(lambda s: exact(*(x + d * s for x, d in path)), 0, order)[1:]
        found = coefficients(row, point, moving, order)
        np.testing.assert_allclose(found, [float(c.real) for c in expected], rtol=2e-8)
    with pytest.raises(MissingRuleError, match=f"Taylor coefficients of '{name}' beyond order {order}"):
        coefficients(row, point, moving, order + 1)


def test_linear_rows_are_their_maps():
    """The rows of which the module says that they are linear in an operand: the value is the map of it."""
    for name, operand in LINEAR.items():
        for case in cases(TABLE[name]):
            rule = case.primitive.map_for(operand)
            assert rule is not None
            value = rule(case.builder, case.equation).apply(case.builder, case.equation.operands[operand])
            program = Program(case.params, case.builder.equations, (case.equation.outs[0], value))
            one, other = interpret(program, case.point)
            close((one,), (other,), 1e-4 if is_single(case) else 1e-11)


def close(one, other, tolerance):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert np.shape(a) == np.shape(b)
        scale = 1.0 + float(np.max(np.abs(np.asarray(b, complex)), initial=0.0))
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * scale)
