"""NumPy's functions: a table from function objects to what lowers them; one line for a plain elementwise function."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from adcore.errors import DtypeError, UnsupportedFunctionError
from adcore.types import DType

from . import array_functions as make
from . import linear_algebra as products
from . import masks, picking, shapes
from . import reductions as fold
from .array_functions import array_like, dtype_of
from .operators import broadcast, compare, invert, join, mapped, negative, numeric, operate, truth
from .values import NONE, TRUE, ZERO, Array, Scalar, Static, Tuple, Value, number

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["NUMPY", "NUMPY_BY_NAME", "clip", "converted"]


def _of_floats(name: str) -> Any:
    """An elementwise function of floats; integers are converted."""
    return lambda low, x: mapped(low, name, (array_like(low, x),), DType.F64, False)


def _of_two_floats(name: str) -> Any:
    return lambda low, x, y: mapped(low, name, (array_like(low, x), array_like(low, y)), DType.F64, False)


def _of_numbers(name: str) -> Any:
    """An elementwise function that keeps integers integers."""

    def lower(low: Lowering, x: Value) -> Value:
        value = array_like(low, x)
        return mapped(low, name, (value,), DType.I64 if value.dtype is DType.BOOL else None, False)

    return lower


def _of_two_numbers(name: str, of_booleans: str) -> Any:
    def lower(low: Lowering, x: Value, y: Value) -> Value:
        values = (array_like(low, x), array_like(low, y))
        dtype = join([v.dtype for v in values])
        return mapped(low, of_booleans if dtype is DType.BOOL else name, values, dtype, False)

    return lower


def _rounding(name: str) -> Any:
    """A function that does nothing to integers."""

    def lower(low: Lowering, x: Value, decimals: Value = ZERO) -> Value:
        value = array_like(low, x)
        if not (isinstance(decimals, Scalar) and decimals.known == 0):
            low.refuse(UnsupportedFunctionError, "rounding to a number of decimals", "np.round(x * 100) / 100")
        if value.dtype is not DType.F64:
            return low.value(low.atom(value))
        return mapped(low, name, (value,), None, False)

    return lower


def _operator(op: str) -> Any:
    """An operator as a function: its results are NumPy's."""
    return lambda low, x, y: operate(low, op, _numpy(low, x), _numpy(low, y))


def _comparison(op: str) -> Any:
    return lambda low, x, y: compare(low, op, _numpy(low, x), _numpy(low, y))


def _numpy(low: Lowering, value: Value) -> Scalar | Array:
    x = array_like(low, value)
    return Scalar(x.atom) if isinstance(x, Scalar) else x


def _truths(low: Lowering, value: Value) -> Scalar | Array:
    x = array_like(low, value)
    if isinstance(x, Scalar):
        return Scalar(truth(low, x).atom)
    return numeric(low, compare(low, "!=", x, number(0))) if x.dtype is not DType.BOOL else x


def _logical(name: str) -> Any:
    return lambda low, x, y: mapped(low, name, (_truths(low, x), _truths(low, y)), None, False)


def _logical_not(low: Lowering, x: Value) -> Value:
    return mapped(low, "not", (_truths(low, x),), None, False)


def _predicate(name: str) -> Any:
    return lambda low, x: mapped(low, name, (array_like(low, x),), DType.F64, False)


def _isinf(low: Lowering, x: Value) -> Value:
    value = array_like(low, x)
    finite, nan = (numeric(low, _predicate(n)(low, value)) for n in ("isfinite", "isnan"))
    return mapped(low, "not", (numeric(low, mapped(low, "or", (finite, nan), None, False)),), None, False)


def _absolute(low: Lowering, x: Value) -> Value:
    value = array_like(low, x)
    return low.value(low.atom(value)) if value.dtype is DType.BOOL else mapped(low, "abs", (value,), None, False)


def _square(low: Lowering, x: Value) -> Value:
    value = _numpy(low, x)
    return operate(low, "*", value, value)


def _reciprocal(low: Lowering, x: Value) -> Value:
    value = _numpy(low, x)
    if value.dtype is not DType.F64:
        low.refuse(DtypeError, "np.reciprocal of integers is integer division", "1.0 / x")
    return operate(low, "/", number(1.0), value)


def _scaled(factor: float) -> Any:
    return lambda low, x: operate(low, "*", _numpy(low, x), number(factor))


def _where(low: Lowering, condition: Value, x: Value = NONE, y: Value = NONE) -> Value:
    if isinstance(x, Static) or isinstance(y, Static):
        if isinstance(x, Static) and isinstance(y, Static):
            return masks.nonzero(low, condition)
        low.refuse(UnsupportedFunctionError, "np.where takes both or neither of x and y", "np.where(condition, x, y)")
    test, yes, no = _truths(low, condition), array_like(low, x), array_like(low, y)
    dtype = join((yes.dtype, no.dtype))
    atoms = [low.atom(test), low.cast(low.atom(yes), dtype), low.cast(low.atom(no), dtype)]
    return low.value(low.b.select(*broadcast(low, atoms)))


def clip(low: Lowering, a: Value, a_min: Value = NONE, a_max: Value = NONE) -> Value:
    """`np.clip`."""
    result = _numpy(low, a)
    if not isinstance(a_min, Static):
        result = numeric(low, NUMPY[np.maximum](low, result, a_min))
    if not isinstance(a_max, Static):
        result = numeric(low, NUMPY[np.minimum](low, result, a_max))
    return result


def _logaddexp(low: Lowering, x: Value, y: Value) -> Value:
    """The larger plus log(1 + exp(-distance)); equal operands (two infinities, say) have distance 0."""
    p, q = numeric(low, x), numeric(low, y)
    larger = numeric(low, NUMPY[np.maximum](low, p, q))
    far = numeric(low, _absolute(low, operate(low, "-", _numpy(low, p), _numpy(low, q))))
    distance = _where(low, compare(low, "==", p, q), number(0.0), far)
    rest = _of_floats("log1p")(low, _of_floats("exp")(low, negative(low, distance)))
    return operate(low, "+", larger, rest)


def _logistic(low: Lowering, x: Value) -> Value:
    """1 / (1 + exp(-x))."""
    grown = _of_floats("exp")(low, negative(low, _numpy(low, x)))
    return operate(low, "/", number(1.0), operate(low, "+", number(1.0), grown))


def converted(dtype: DType) -> Any:
    """`np.float64(x)` and the like."""

    def lower(low: Lowering, x: Value = ZERO) -> Value:
        value = array_like(low, x)
        if dtype is DType.BOOL:
            return _truths(low, value)
        return low.value(low.cast(low.atom(value), dtype))

    return lower


def astype(
    low: Lowering,
    x: Value,
    dtype: Value,
    order: Value = NONE,
    casting: Value = NONE,
    subok: Value = NONE,
    copy: Value = TRUE,
) -> Value:
    """`x.astype(dtype)`."""
    make.by_rows(low, order)
    if isinstance(copy, Scalar) and copy.known is False:
        return make.asarray(low, x, dtype)
    return converted(dtype_of(low, dtype, DType.F64))(low, x)


def _shape(low: Lowering, a: Value) -> Value:
    x = array_like(low, a)
    return Tuple(tuple(Scalar(n, True) for n in x.shape)) if isinstance(x, Array) else Tuple(())


def _size(low: Lowering, a: Value) -> Value:
    x = array_like(low, a)
    return Scalar(fold.product(low, x.shape), True) if isinstance(x, Array) else number(1)


def _rank(low: Lowering, a: Value) -> Value:
    x = array_like(low, a)
    return number(x.rank if isinstance(x, Array) else 0)


NUMPY: dict[Any, Any] = {
    # Elementwise
    np.sin: _of_floats("sin"),
    np.cos: _of_floats("cos"),
    np.tan: _of_floats("tan"),
    np.arcsin: _of_floats("arcsin"),
    np.arccos: _of_floats("arccos"),
    np.arctan: _of_floats("arctan"),
    np.sinh: _of_floats("sinh"),
    np.cosh: _of_floats("cosh"),
    np.tanh: _of_floats("tanh"),
    np.arcsinh: _of_floats("arcsinh"),
    np.arccosh: _of_floats("arccosh"),
    np.arctanh: _of_floats("arctanh"),
    np.exp: _of_floats("exp"),
    np.exp2: _of_floats("exp2"),
    np.expm1: _of_floats("expm1"),
    np.log: _of_floats("log"),
    np.log2: _of_floats("log2"),
    np.log10: _of_floats("log10"),
    np.log1p: _of_floats("log1p"),
    np.sqrt: _of_floats("sqrt"),
    np.cbrt: _of_floats("cbrt"),
    np.fabs: _of_floats("abs"),
    np.arctan2: _of_two_floats("arctan2"),
    np.hypot: _of_two_floats("hypot"),
    np.copysign: _of_two_floats("copysign"),
    np.logaddexp: _logaddexp,
    np.absolute: _absolute,
    np.sign: _of_numbers("sign"),
    np.square: _square,
    np.reciprocal: _reciprocal,
    np.negative: lambda low, x: negative(low, _numpy(low, x)),
    np.positive: lambda low, x: low.value(low.atom(array_like(low, x))),
    np.deg2rad: _scaled(math.pi / 180.0),
    np.radians: _scaled(math.pi / 180.0),
    np.rad2deg: _scaled(180.0 / math.pi),
    np.degrees: _scaled(180.0 / math.pi),
    np.floor: _rounding("floor"),
    np.ceil: _rounding("ceil"),
    np.trunc: _rounding("trunc"),
    np.fix: _rounding("trunc"),
    np.rint: _rounding("rint"),
    np.round: _rounding("rint"),
    np.around: _rounding("rint"),
    np.maximum: _of_two_numbers("maximum", "or"),
    np.minimum: _of_two_numbers("minimum", "and"),
    np.add: _operator("+"),
    np.subtract: _operator("-"),
    np.multiply: _operator("*"),
    np.divide: _operator("/"),
    np.floor_divide: _operator("//"),
    np.remainder: _operator("%"),
    np.power: _operator("**"),
    np.float_power: lambda low, x, y: operate(low, "**", converted(DType.F64)(low, x), _numpy(low, y)),
    np.bitwise_and: _operator("&"),
    np.bitwise_or: _operator("|"),
    np.bitwise_xor: _operator("^"),
    np.left_shift: _operator("<<"),
    np.right_shift: _operator(">>"),
    np.invert: lambda low, x: invert(low, _numpy(low, x)),
    np.less: _comparison("<"),
    np.less_equal: _comparison("<="),
    np.greater: _comparison(">"),
    np.greater_equal: _comparison(">="),
    np.equal: _comparison("=="),
    np.not_equal: _comparison("!="),
    np.logical_and: _logical("and"),
    np.logical_or: _logical("or"),
    np.logical_xor: _logical("xor"),
    np.logical_not: _logical_not,
    np.isnan: _predicate("isnan"),
    np.isfinite: _predicate("isfinite"),
    np.isinf: _isinf,
    np.where: _where,
    # Places
    np.take: picking.take,
    np.ix_: picking.open_mesh,
    np.add.at: picking.add_at("+"),
    np.subtract.at: picking.add_at("-"),
    np.nonzero: masks.nonzero,
    np.flatnonzero: masks.flatnonzero,
    np.argwhere: masks.argwhere,
    np.count_nonzero: lambda low, a: fold.total(low, masks.truths(low, a)),
    np.clip: clip,
    # Folding
    np.sum: fold.total,
    np.mean: fold.mean,
    np.prod: fold.prod,
    np.max: fold.extremum("reduce_max", "maximum", "reduce_or"),
    np.min: fold.extremum("reduce_min", "minimum", "reduce_and"),
    np.amax: fold.extremum("reduce_max", "maximum", "reduce_or"),
    np.amin: fold.extremum("reduce_min", "minimum", "reduce_and"),
    np.any: fold.any_of,
    np.all: fold.all_of,
    np.var: fold.var,
    np.std: fold.std,
    np.cumsum: fold.cumulative("add"),
    np.cumprod: fold.cumulative("mul"),
    np.linalg.norm: fold.norm,
    # Products
    np.matmul: products.matmul,
    np.dot: products.dot,
    np.inner: products.inner,
    np.vdot: products.vdot,
    np.outer: products.outer,
    np.tensordot: products.tensordot,
    # Making
    np.zeros: make.filled(0.0),
    np.ones: make.filled(1.0),
    np.empty: make.empty,
    np.full: make.full,
    np.zeros_like: make.filled_like(0.0),
    np.ones_like: make.filled_like(1.0),
    np.empty_like: make.filled_like(None),
    np.full_like: make.full_like,
    np.arange: make.arange,
    np.eye: make.eye,
    np.identity: lambda low, n, dtype=NONE: make.eye(low, n, dtype=dtype),
    np.array: make.array,
    np.asarray: make.asarray,
    np.asanyarray: make.asarray,
    np.ascontiguousarray: make.laid_out(by_columns=False),
    np.asfortranarray: make.laid_out(by_columns=True),
    np.astype: lambda low, x, dtype, copy=TRUE: astype(low, x, dtype, copy=copy),
    np.copy: make.copy,
    np.concatenate: make.concatenate,
    np.stack: make.stack,
    np.hstack: make.hstack,
    np.vstack: make.vstack,
    # Arranging
    np.reshape: shapes.reshape_to,
    np.ravel: shapes.flat,
    np.transpose: shapes.transpose,
    np.swapaxes: shapes.swapaxes,
    np.expand_dims: shapes.expand_dims,
    np.squeeze: shapes.squeeze,
    np.broadcast_to: shapes.broadcast_to,
    np.flip: shapes.flip,
    np.diff: shapes.diff,
    np.shape: _shape,
    np.size: _size,
    np.ndim: _rank,
    np.dtype: lambda low, dtype: Static(dtype_of(low, dtype, DType.F64).numpy),
    # Numbers
    np.float64: converted(DType.F64),
    np.int64: converted(DType.I64),
    np.bool_: converted(DType.BOOL),
}

# Functions of SciPy, known by name so that SciPy need not be imported.
NUMPY_BY_NAME: dict[str, Any] = {
    "erf": _of_floats("erf"),
    "erfc": _of_floats("erfc"),
    "expit": _logistic,
}
