"""The functions of Python's `operator` module, which are the operators themselves."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from .operators import compare, invert, negative, numeric, operate, truth
from .values import Scalar, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["OPERATOR"]


def _binary(op: str) -> Any:
    return lambda low, x, y: operate(low, op, x, y)


def _comparison(op: str) -> Any:
    return lambda low, x, y: compare(low, op, x, y)


def _negation(low: Lowering, x: Value) -> Value:
    return Scalar(low.b.lnot(truth(low, x).atom), True)


OPERATOR: dict[Any, Any] = {
    operator.add: _binary("+"),
    operator.sub: _binary("-"),
    operator.mul: _binary("*"),
    operator.truediv: _binary("/"),
    operator.floordiv: _binary("//"),
    operator.mod: _binary("%"),
    operator.pow: _binary("**"),
    operator.matmul: _binary("@"),
    operator.and_: _binary("&"),
    operator.or_: _binary("|"),
    operator.xor: _binary("^"),
    operator.lshift: _binary("<<"),
    operator.rshift: _binary(">>"),
    operator.lt: _comparison("<"),
    operator.le: _comparison("<="),
    operator.gt: _comparison(">"),
    operator.ge: _comparison(">="),
    operator.eq: _comparison("=="),
    operator.ne: _comparison("!="),
    operator.is_: _comparison("is"),
    operator.is_not: _comparison("is not"),
    operator.neg: lambda low, x: negative(low, x),
    operator.pos: lambda low, x: numeric(low, x),
    operator.invert: lambda low, x: invert(low, x),
    operator.not_: _negation,
    operator.truth: lambda low, x: truth(low, x),
}
