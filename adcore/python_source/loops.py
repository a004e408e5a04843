"""How equations are written where array work is loops: arithmetic on scalars, and calls of rows by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from ..primitives import Kind
from ..primitives.routines import Routine
from ..program import Equation, Program, regions
from ..rows import name_of
from ..types import BOOL, I64, DType, Lit
from .expressions import Expression, Level, call, infix, negated, union
from .separate import is_fresh_constant
from .spelling import COMPARISONS, SPELLED, compared, constant_array, shape_text

__all__ = ["CALLED", "PRINTED", "rows_called", "running_folds", "spelled_in_loops"]

_ARITHMETIC = {
    "add": ("+", Level.SUM),
    "plus": ("+", Level.SUM),
    "sub": ("-", Level.SUM),
    "mul": ("*", Level.PRODUCT),
}
_BITS = {"and": ("&", Level.BIT_AND), "or": ("|", Level.BIT_OR), "xor": ("^", Level.BIT_XOR)}
_LOGIC = {"and": ("and", Level.AND), "or": ("or", Level.OR), "xor": ("!=", Level.COMPARISON)}
_WHOLE_POWERS = range(2, 17)


def spelled_in_loops(
    equation: Equation, x: Sequence[Expression], lengths: Sequence[Expression], folds: AbstractSet[Equation]
) -> Expression:
    """The value of an equation that is one expression."""
    name, (out, *_) = equation.primitive.name, equation.outs
    if name in _ARRAYS:
        return _ARRAYS[name](equation, x)
    if is_fresh_constant(equation):
        return constant_array(equation, x)
    if equation.primitive.kind in (Kind.VIEW, Kind.HOST):
        return SPELLED[name](equation, x, lengths)
    if equation in folds:
        return _row(equation, x, _EXTREMES.get(name))
    if name not in _SCALARS:
        return _row(equation, x)
    found = _SCALARS[name](equation, x)
    if found is None:
        return _row(equation, x)
    if name not in ("cast", "select") and _is_short(out.type.dtype):
        return call(f"np.{out.type.dtype.value}", replace(found, loose=None), numpy=True)
    return found


def _is_short(dtype: DType) -> bool:
    """Whether Numba computes with wider integers than NumPy."""
    return dtype.integer and dtype is not DType.I64


def rows_called(region: Program, folds: AbstractSet[Equation]) -> Iterator[str]:
    """The names of rows that the printed source may call."""
    for equation in region.equations:
        if equation in folds or equation.primitive.kind in CALLED:
            yield name_of(equation.primitive)
        for _, inner in regions(equation):
            yield from rows_called(inner, folds)


CALLED = (Kind.ELEMENTWISE, Kind.FACTORIZATION, Kind.SOLVE, Kind.ORDER, Kind.FOURIER)
PRINTED = ("Failure", "largest", "smallest")  # of `adcore.printed`
_EXTREMES = {"maximum": "largest", "minimum": "smallest"}


def running_folds(region: Program) -> frozenset[Equation]:
    """The steps of the sums, maxima and minima of floats that loops carry and that may be taken in any order."""
    found: set[Equation] = set()
    for equation in region.equations:
        for _, inner in regions(equation):
            found |= running_folds(inner)
        if equation.primitive.name != "loop":
            continue
        body = equation.params["body"]
        carried = dict(zip(body.results, body.params[1:], strict=True))
        found |= {e for e in body.equations if _is_fold(e) and carried.get(e.outs[0]) in e.operands}
    return frozenset(found)


def _is_fold(equation: Equation) -> bool:
    name = equation.primitive.name
    return name == "plus" or (name in _EXTREMES and equation.outs[0].type.dtype.kind == "f")


def _row(equation: Equation, x: Sequence[Expression], name: str | None = None) -> Expression:
    params = [Expression(f"{k}={v!r}") for k, v in equation.params.items()]
    number = not isinstance(equation.primitive.meaning, Routine) and all(not out.type.shape for out in equation.outs)
    return call(name or name_of(equation.primitive), *x, *params, numpy=number)


# Scalars.  None stands for the row's function, where the operator is not the same in Python, NumPy and Numba.


def _dtype(equation: Equation) -> DType:
    return equation.operands[0].type.dtype


def _numpy(x: Sequence[Expression]) -> bool:
    return any(e.numpy for e in x)


def _operation(equation: Equation, x: Sequence[Expression]) -> Expression:
    return infix(*_ARITHMETIC[equation.primitive.name], x[0], x[1], numpy=_numpy(x))


def _of_bits(equation: Equation, x: Sequence[Expression]) -> Expression:
    operators = _LOGIC if _dtype(equation) is DType.BOOL else _BITS
    return infix(*operators[equation.primitive.name], x[0], x[1])


def _comparison(equation: Equation, x: Sequence[Expression]) -> Expression:
    return compared(equation, infix(*COMPARISONS[equation.primitive.name], x[0], x[1]), x)


def _negation(equation: Equation, x: Sequence[Expression]) -> Expression:
    return union(f"-{x[0].within(Level.UNARY)}", *x, level=Level.UNARY, numpy=_numpy(x))


def _inversion(equation: Equation, x: Sequence[Expression]) -> Expression:
    if equation.operands[0].type == BOOL:
        return negated(x[0])
    return union(f"~{x[0].within(Level.UNARY)}", *x, level=Level.UNARY)


def _quotient(equation: Equation, x: Sequence[Expression]) -> Expression:
    """`x / y` where Python does not raise: of NumPy's numbers, and by a literal."""
    divisor = equation.operands[1]
    harmless = _numpy(x) or (isinstance(divisor, Lit) and divisor.value != 0)
    if harmless and not _dtype(equation).complex:
        return infix("/", Level.PRODUCT, x[0], x[1], numpy=_numpy(x))
    return call("np.divide", *x, numpy=True)


def _whole_quotient(operator: str) -> Callable[[Equation, Sequence[Expression]], Expression | None]:
    def spell(equation: Equation, x: Sequence[Expression]) -> Expression | None:
        divisor = equation.operands[1]
        if equation.outs[0].type == I64 and isinstance(divisor, Lit) and divisor.value > 0:
            return infix(operator, Level.PRODUCT, x[0], x[1], numpy=_numpy(x))
        return None

    return spell


def _power(equation: Equation, x: Sequence[Expression]) -> Expression | None:
    exponent = equation.operands[1]
    if x[0].numpy and not _dtype(equation).complex and isinstance(exponent, Lit) and exponent.value in _WHOLE_POWERS:
        return union(f"{x[0].within(Level.ATOM)}**{int(exponent.value)}", x[0], level=Level.POWER, numpy=True)
    return None


def _shift(operator: str) -> Callable[[Equation, Sequence[Expression]], Expression | None]:
    def spell(equation: Equation, x: Sequence[Expression]) -> Expression | None:
        places = equation.operands[1]
        if equation.outs[0].type == I64 and isinstance(places, Lit) and 0 <= places.value < 64:
            return infix(operator, Level.SHIFT, x[0], x[1])
        return None

    return spell


def _magnitude(equation: Equation, x: Sequence[Expression]) -> Expression | None:
    if _dtype(equation).kind == "u":
        return None
    return call("abs", *x, numpy=_numpy(x))


def _selection(equation: Equation, x: Sequence[Expression]) -> Expression:
    condition, yes, no = (e.within(Level.OR) for e in x)
    return union(f"{yes} if {condition} else {no}", *x, level=Level.CONDITIONAL, numpy=x[1].numpy and x[2].numpy)


def _extreme(equation: Equation, x: Sequence[Expression]) -> Expression | None:
    if equation.outs[0].type == I64:
        return call(equation.primitive.name.removesuffix("imum"), *x)
    return None


def _conversion(equation: Equation, x: Sequence[Expression]) -> Expression:
    """Of the numbers that Python has by Python's names, where Numba takes these for the same types."""
    source, target = _dtype(equation), equation.params["dtype"]
    if target is DType.BOOL:
        return infix("!=", Level.COMPARISON, x[0], Expression(_zero(source)))
    plain = {(DType.F64, DType.I64): "int", (DType.I64, DType.F64): "float", (DType.F64, DType.C128): "complex"}
    function = plain.get((source, target))
    return call(function or f"np.{target.value}", *x, numpy=function is None)


def _zero(dtype: DType) -> str:
    return {"b": "False", "i": "0", "u": "0", "f": "0.0", "c": "0.0"}[dtype.kind]


def _part(equation: Equation, x: Sequence[Expression]) -> Expression:
    return union(f"{x[0].within(Level.ATOM)}.{equation.primitive.name}", *x)


def _complex(equation: Equation, x: Sequence[Expression]) -> Expression:
    whole = call("complex", *x)
    return whole if equation.outs[0].type.dtype is DType.C128 else call("np.complex64", whole, numpy=True)


def _portion(equation: Equation, x: Sequence[Expression]) -> Expression:
    side = x[0].within(Level.BIT_OR)
    found = union(f"1.0 * ({side} == {equation.params['of']}) + 0.5 * ({side} == 0)", *x, level=Level.SUM)
    dtype = equation.params["dtype"]
    return found if dtype is DType.F64 else call(f"np.{dtype.value}", found, numpy=True)


_SCALARS: dict[str, Callable[[Equation, Sequence[Expression]], Expression | None]] = {
    **dict.fromkeys(_ARITHMETIC, _operation),
    **dict.fromkeys(_BITS, _of_bits),
    **dict.fromkeys(COMPARISONS, _comparison),
    "neg": _negation,
    "not": _inversion,
    "div": _quotient,
    "floordiv": _whole_quotient("//"),
    "mod": _whole_quotient("%"),
    "pow": _power,
    "shift_left": _shift("<<"),
    "shift_right": _shift(">>"),
    "abs": _magnitude,
    "select": _selection,
    "maximum": _extreme,
    "minimum": _extreme,
    "cast": _conversion,
    "real": _part,
    "imag": _part,
    "complex": _complex,
    "portion": _portion,
}

# Arrays


def _new(equation: Equation, x: Sequence[Expression]) -> Expression:
    dtype = equation.params["dtype"]
    kind = "" if dtype is DType.F64 else f", dtype={dtype_of(dtype)}"
    return union(f"np.empty({shape_text(x)}{kind})", *x)


def dtype_of(dtype: DType) -> str:
    return "np.bool_" if dtype is DType.BOOL else f"np.{dtype.value}"


def _reshaped(equation: Equation, x: Sequence[Expression]) -> Expression:
    if not equation.operands[0].type.shape:
        return union(f"np.full({shape_text(x[1:])}, {x[0].text})", *x)
    shape = ", ".join(n.text for n in x[1:])
    return union(f"np.ascontiguousarray({x[0].text}).reshape({shape})", *x)


def _product(equation: Equation, x: Sequence[Expression]) -> Expression:
    """BLAS wants the elements of a line together, which those of a view may not be."""
    left, right = (
        e if e.text.removesuffix(".T").isidentifier() else union(f"np.ascontiguousarray({e.text})", e) for e in x
    )
    return infix("@", Level.PRODUCT, left, right)


_ARRAYS: dict[str, Callable[[Equation, Sequence[Expression]], Expression]] = {
    "empty": _new,
    "reshape": _reshaped,
    "matmul": _product,
}
