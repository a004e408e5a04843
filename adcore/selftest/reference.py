"""The very same source text run on dual numbers: what the value and the derivative along a direction exactly are."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np

from .decimals import CONTEXT
from .duals import MARGIN, CloseCallError, Dual, TooLongError

__all__ = ["CloseCallError", "Exact", "exact"]

_FUNCTIONS = {"sin": "sin", "cos": "cos", "tanh": "tanh", "exp": "exp", "log": "log", "sqrt": "sqrt", "atan": "arctan"}


@dataclass(frozen=True)
class Exact:
    """A value, its derivative along a direction, and how far binary64 may be from either."""

    value: float
    slope: float
    value_bound: float
    slope_bound: float
    field: str


def exact(source: str, arguments: Sequence[Any], along: Sequence[Any]) -> Exact:
    """The value of `f` of a source text and its derivative along a direction, with bounds of rounding errors.

    Fractions where the program is rational and they stay short, else numbers of 50 digits.

    Raises:
        CloseCallError: a comparison is within the rounding errors of its operands.
    """
    try:
        return _run(source, arguments, along, Fraction)
    except TooLongError:
        return _run(source, arguments, along, Decimal)


def _run(source: str, arguments: Sequence[Any], along: Sequence[Any], field: type) -> Exact:
    namespace = {"__name__": "reference", "__builtins__": _builtins(field)}
    exec(compile(source, "<reference>", "exec"), namespace)
    given = [_dual(a, t, field) for a, t in zip(arguments, along, strict=False)]
    with localcontext(CONTEXT):
        found = namespace["f"](*given, *arguments[len(given) :])
    if not isinstance(found, Dual):
        found = Dual(field(found), field(0))
    margin = lambda bound, size: MARGIN * (bound + 2.0**-53 * size)  # noqa: E731
    value, slope = float(found.value), float(found.tangent)
    return Exact(value, slope, margin(found.lost, abs(value)), margin(found.blurred, abs(slope)), field.__name__)


def _dual(value: Any, tangent: Any, field: type) -> Any:
    if not isinstance(value, np.ndarray):
        return Dual(field(float(value)), field(float(tangent)))
    out = np.empty(value.shape, object)
    for place in np.ndindex(value.shape):
        out[place] = Dual(field(float(value[place])), field(float(tangent[place])))
    return out


def _builtins(field: type) -> dict[str, Any]:
    """Python's, except that `float` keeps what it is given, and `math` and `numpy` know dual numbers."""
    modules = {"math": _math(), "numpy": _numpy(field)}

    def importing(name: str, *rest: Any) -> Any:
        return modules[name] if name in modules else __import__(name, *rest)

    own = {"float": lambda v: v if isinstance(v, Dual) else float(v), "__import__": importing}
    return {**vars(builtins), **own}


def _math() -> SimpleNamespace:
    def on_duals(name: str, method: str) -> Any:
        plain = getattr(math, name)
        return lambda v: getattr(v, method)() if isinstance(v, Dual) else plain(v)

    return SimpleNamespace(**{**vars(math), **{name: on_duals(name, m) for name, m in _FUNCTIONS.items()}})


def _numpy(field: type) -> SimpleNamespace:
    """NumPy, whose new arrays hold dual numbers where it would give real ones."""

    scalar = vars(_math())

    def constant(value: Any) -> Dual:
        return Dual(field(value), field(0))

    def filled(value: float) -> Any:
        return lambda shape: np.full(shape, constant(value), object)

    def array(values: Any) -> Any:
        found = np.array(values, object)
        if found.size and all(isinstance(v, int) for v in found.flat):
            return np.array(values)
        for place in np.ndindex(found.shape):
            if isinstance(found[place], float):
                found[place] = constant(found[place])
        return found

    changed = {
        "zeros": filled(0.0),
        "ones": filled(1.0),
        "empty": filled(0.0),
        "zeros_like": lambda a: np.full(a.shape, constant(0.0), object),
        "ones_like": lambda a: np.full(a.shape, constant(1.0), object),
        "array": array,
        **{name: np.frompyfunc(scalar[name], 1, 1) for name in ("sin", "cos", "tanh", "exp", "log", "sqrt")},
        "arctan": np.frompyfunc(scalar["atan"], 1, 1),
    }
    return SimpleNamespace(**{**{name: getattr(np, name) for name in np.__all__}, **changed})
