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
from .operators import broadcast, compare, describe, invert, mapped, negative, numeric, operate, truth
from .promotion import converted, inexact, is_python, join, meeting, promoted
from .values import NONE, TRUE, ZERO, Array, Scalar, Static, Tuple, Value, number

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["NUMPY", "clip", "conversion"]


def _of_floats(name: str) -> Any:
    """An elementwise function of real or complex numbers; integers are converted."""

    def lower(low: Lowering, *operands: Value) -> Value:
        values = [array_like(low, x) for x in operands]
        return mapped(low, name, values, inexact(promoted(values)), False)

    return lower


def _of_float(name: str) -> Any:
    of_any = _of_floats(name)
    return lambda low, x: of_any(low, x)


def _of_two_floats(name: str) -> Any:
    of_any = _of_floats(name)
    return lambda low, x, y: of_any(low, x, y)


def _of_numbers(name: str) -> Any:
    """An elementwise function that keeps integers integers."""

    def lower(low: Lowering, x: Value) -> Value:
        value = array_like(low, x)
        return mapped(low, name, (value,), DType.I64 if value.dtype is DType.BOOL else None, False)

    return lower


def _of_two_numbers(name: str, of_booleans: str) -> Any:
    def lower(low: Lowering, x: Value, y: Value) -> Value:
        values = (array_like(low, x), array_like(low, y))
        dtype = promoted(values)
        return mapped(low, of_booleans if dtype is DType.BOOL else name, values, dtype, False)

    return lower


def _rounding(name: str) -> Any:
    """A function that does nothing to integers."""

    def lower(low: Lowering, x: Value) -> Value:
        value = array_like(low, x)
        if not value.dtype.differentiable:
            return low.value(low.atom(value))
        return mapped(low, name, (value,), None, False)

    return lower


def _operator(op: str) -> Any:
    """An operator as a function: its results are NumPy's."""
    return lambda low, x, y: operate(low, op, *_both(low, x, y))


def _comparison(op: str) -> Any:
    return lambda low, x, y: compare(low, op, *_both(low, x, y))


def _both(low: Lowering, x: Value, y: Value) -> tuple[Scalar | Array, Scalar | Array]:
    """Operands of a function of NumPy: a number of Python's beside an array's takes the array's dtype."""
    p, q = array_like(low, x), array_like(low, y)
    return (_numpy(low, p), _numpy(low, q)) if is_python(p) and is_python(q) else (p, q)


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
    return _of_float(name)


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
    if not value.dtype.differentiable:
        low.refuse(DtypeError, "np.reciprocal of integers is integer division", "1.0 / x")
    return operate(low, "/", number(1.0), value)


def _of_reals(rule: Any) -> Any:
    """A function of one argument that NumPy does not have for complex numbers."""

    def lower(low: Lowering, x: Value) -> Value:
        if array_like(low, x).dtype.kind == "c":
            low.refuse(
                DtypeError, "this function is not defined on complex numbers", "real numbers, e.g. x.real or abs(x)"
            )
        return rule(low, x)

    return lower


def _scaled(factor: float) -> Any:
    return _of_reals(lambda low, x: operate(low, "*", _numpy(low, x), number(factor)))


def _where(low: Lowering, condition: Value, x: Value = NONE, y: Value = NONE) -> Value:
    if isinstance(x, Static) or isinstance(y, Static):
        if isinstance(x, Static) and isinstance(y, Static):
            return masks.nonzero(low, condition)
        low.refuse(UnsupportedFunctionError, "np.where takes both or neither of x and y", "np.where(condition, x, y)")
    test, yes, no = _truths(low, condition), array_like(low, x), array_like(low, y)
    dtype = promoted((yes, no))
    atoms = [low.atom(test), converted(low, yes, dtype), converted(low, no, dtype)]
    return low.value(low.b.select(*broadcast(low, atoms)))


def clip(low: Lowering, a: Value, a_min: Value = NONE, a_max: Value = NONE) -> Value:
    """`np.clip`."""
    result = _numpy(low, a)
    if not isinstance(a_min, Static):
        result = numeric(low, NUMPY[np.maximum](low, result, a_min))
    if not isinstance(a_max, Static):
        result = numeric(low, NUMPY[np.minimum](low, result, a_max))
    return result


def conversion(dtype: DType) -> Any:
    """`np.float64(x)` and the like."""

    def lower(low: Lowering, x: Value = ZERO) -> Value:
        value = array_like(low, x)
        if dtype is DType.BOOL:
            return _truths(low, value)
        return low.value(converted(low, Scalar(value.atom) if isinstance(value, Scalar) else value, dtype))

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
    return conversion(dtype_of(low, dtype, DType.F64))(low, x)


def _shape(low: Lowering, a: Value) -> Value:
    x = array_like(low, a)
    return Tuple(tuple(Scalar(n, True) for n in x.shape)) if isinstance(x, Array) else Tuple(())


def _size(low: Lowering, a: Value) -> Value:
    x = array_like(low, a)
    return Scalar(fold.product(low, x.shape), True) if isinstance(x, Array) else number(1)


def _rank(low: Lowering, a: Value) -> Value:
    x = array_like(low, a)
    return number(x.rank if isinstance(x, Array) else 0)


def _result_type(low: Lowering, *arrays_and_dtypes: Value) -> Static:
    """`np.result_type`."""
    named = [dtype_of(low, v, DType.F64) for v in arrays_and_dtypes if isinstance(v, Static)]
    values = [array_like(low, v) for v in arrays_and_dtypes if not isinstance(v, Static)]
    if not named and not values:
        low.refuse_syntax("ValueError: at least one array or dtype is required", "an array or a dtype")
    strong = named + [v.dtype for v in values if not is_python(v)]
    return Static(meeting(strong, [v.dtype for v in values if is_python(v)]).numpy)


def _promote_types(low: Lowering, type1: Value, type2: Value) -> Static:
    return Static(join([dtype_of(low, v, DType.F64) for v in (type1, type2)]).numpy)


def _issubdtype(low: Lowering, arg1: Value, arg2: Value) -> Scalar:
    if not isinstance(arg1, Static) or not isinstance(arg2, Static):
        low.refuse_syntax(f"np.issubdtype of {describe(arg1)} and {describe(arg2)}", "np.issubdtype(x.dtype, …)")
    with low.foreign("np.issubdtype"):
        return number(bool(np.issubdtype(arg1.value, arg2.value)))


def _iterable(low: Lowering, y: Value) -> Scalar:
    return number(not isinstance(y, Scalar) and not (isinstance(y, Static) and not np.iterable(y.value)))


NUMPY: dict[Any, Any] = {
    # Elementwise
    np.sin: _of_float("sin"),
    np.cos: _of_float("cos"),
    np.tan: _of_float("tan"),
    np.arcsin: _of_float("arcsin"),
    np.arccos: _of_float("arccos"),
    np.arctan: _of_float("arctan"),
    np.sinh: _of_float("sinh"),
    np.cosh: _of_float("cosh"),
    np.tanh: _of_float("tanh"),
    np.arcsinh: _of_float("arcsinh"),
    np.arccosh: _of_float("arccosh"),
    np.arctanh: _of_float("arctanh"),
    np.exp: _of_float("exp"),
    np.exp2: _of_float("exp2"),
    np.expm1: _of_float("expm1"),
    np.log: _of_float("log"),
    np.log2: _of_float("log2"),
    np.log10: _of_float("log10"),
    np.log1p: _of_float("log1p"),
    np.sqrt: _of_float("sqrt"),
    np.cbrt: _of_float("cbrt"),
    np.fabs: _of_reals(_of_float("abs")),
    np.arctan2: _of_two_floats("arctan2"),
    np.hypot: _of_two_floats("hypot"),
    np.copysign: _of_two_floats("copysign"),
    np.logaddexp: _of_two_floats("logaddexp"),
    np.nextafter: _of_two_floats("nextafter"),
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
    np.rint: _of_reals(_of_float("rint")),
    np.maximum: _of_two_numbers("maximum", "or"),
    np.minimum: _of_two_numbers("minimum", "and"),
    np.add: _operator("+"),
    np.subtract: _operator("-"),
    np.multiply: _operator("*"),
    np.divide: _operator("/"),
    np.floor_divide: _operator("//"),
    np.remainder: _operator("%"),
    np.power: _operator("**"),
    np.float_power: lambda low, x, y: operate(low, "**", conversion(DType.F64)(low, x), _numpy(low, y)),
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
    np.max: fold.MAXIMUM,
    np.min: fold.MINIMUM,
    np.amax: fold.MAXIMUM,
    np.amin: fold.MINIMUM,
    np.any: fold.any_of,
    np.all: fold.all_of,
    # Products
    np.matmul: products.matmul,
    np.dot: products.dot,
    np.inner: products.inner,
    np.vdot: products.vdot,
    np.outer: products.outer,
    np.tensordot: products.tensordot,
    # Making
    np.zeros: make.filled(0),
    np.ones: make.filled(1),
    np.empty: make.empty,
    np.full: make.full,
    np.zeros_like: make.filled_like(0),
    np.ones_like: make.filled_like(1),
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
    np.shape: _shape,
    np.size: _size,
    np.ndim: _rank,
    np.dtype: lambda low, dtype: Static(dtype_of(low, dtype, DType.F64).numpy),
    np.result_type: _result_type,
    np.promote_types: _promote_types,
    np.issubdtype: _issubdtype,
    np.iterable: _iterable,
    # Numbers
    **{d.numpy.type: conversion(d) for d in DType},
}
