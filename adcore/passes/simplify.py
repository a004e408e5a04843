"""Simplifications that are exact in IEEE arithmetic, applied as equations are emitted.

`x * 1`, `x / 1`, `x - 0.0` are exact for every x (also a complex one, where NumPy's product makes a nan of infinity
times 1); `x + 0.0` (wrong for -0.0) and `x * 0.0` (wrong for inf, nan) are not, and stay.  Integer identities hold
modulo 2**64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..masking import placed
from ..primitives.indexed import OPERANDS, indexed_shape
from ..types import Atom, DType, Lit, literal

if TYPE_CHECKING:
    from ..builder import Builder
    from ..primitives import Primitive

__all__ = ["simplify"]


def simplify(b: Builder, primitive: Primitive, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    """An atom equal to the equation's result, or None if it has to be emitted."""
    if operands and all(isinstance(a, Lit) for a in operands) and primitive.kind.value == "elementwise":
        return _folded(primitive, operands, params)
    rule = RULES.get(primitive.name)
    return rule(b, operands, params) if rule else None


def raises_at(name: str, values: list[Any]) -> bool:
    """Whether the meaning is undefined on these integers; a check in front of the equation raises."""
    if name == "integer_pow":
        return values[1] < 0
    return name in ("floordiv", "mod") and values[1] == 0


def _folded(primitive: Primitive, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    values = [np.asarray(a.value, a.dtype.numpy)[()] for a in operands if isinstance(a, Lit)]
    if raises_at(primitive.name, values):
        return None
    (type,) = primitive.typing(operands, params)
    with np.errstate(all="ignore"):
        return type.dtype.constant(np.asarray(primitive.meaning(*values, **params)).item())


def constant(b: Builder, atom: Atom) -> Lit | None:
    """The literal that a value is, or that all its elements are."""
    if isinstance(atom, Lit):
        return atom
    equation = b.defining(atom)
    if equation is not None and equation.primitive.name == "expand":
        inner = equation.operands[0]
        return inner if isinstance(inner, Lit) else None
    return None


def _is(b: Builder, atom: Atom, value: float) -> bool:
    found = constant(b, atom)
    return found is not None and found.dtype is not DType.BOOL and found == found.dtype.constant(value)


def _mul(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    x, y = operands
    if _is(b, x, 1):
        return y
    if _is(b, y, 1):
        return x
    if _is(b, x, -1):
        return b.neg(y)
    if _is(b, y, -1):
        return b.neg(x)
    if x.type.dtype.integer and (_is(b, x, 0) or _is(b, y, 0)):
        return x if _is(b, x, 0) else y
    return None


def _add(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    x, y = operands
    if not x.type.dtype.integer:
        return None
    if _is(b, x, 0):
        return y
    if _is(b, y, 0):
        return x
    return None


def _plus(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    """Sums of (co)tangents: of a part with zeros around it only the part is added."""
    for one, other in (operands, operands[::-1]):
        around = placed(b, other) if one.type.shape else None
        if around is not None:
            return b.add_at(one, *around.operands[1:], **around.params)
    return None


def _sub(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    x, y = operands
    if _is(b, y, 0):
        return x
    if x == y and x.type.dtype.integer and not x.type.shape:
        return x.type.dtype.constant(0)
    return None


def _div(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    return operands[0] if _is(b, operands[1], 1) else None


def _neg(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    equation = b.defining(operands[0])
    return equation.operands[0] if equation is not None and equation.primitive.name == "neg" else None


def _pow(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    x, y = operands
    if _is(b, y, 1):
        return x
    if _is(b, y, 2):
        return b.mul(x, x)
    return None


def _select(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    condition, yes, no = operands
    found = constant(b, condition)
    if found is not None:
        return yes if found.value else no
    return yes if yes == no else None


def _logic(neutral: bool) -> Callable[[Builder, tuple[Atom, ...], dict[str, Any]], Atom | None]:
    def rule(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
        x, y = operands
        for one, other in ((x, y), (y, x)):
            found = constant(b, one)
            if found is not None and found.dtype is DType.BOOL:
                return other if found.value is neutral else one
        return None

    return rule


def _same_type(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    return operands[0] if operands[0].type.dtype is params["dtype"] else None


def _expand(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    x, *lengths = operands
    axes = params["axes"]
    if not axes:
        return x
    equation = b.defining(x)
    if equation is None or equation.primitive.name != "expand":
        return None
    inner, *others = equation.operands  # both at once
    kept = [axis for axis in range(len(axes) + x.type.rank) if axis not in axes]
    merged = dict(zip(axes, lengths, strict=True))
    merged.update((kept[axis], length) for axis, length in zip(equation.params["axes"], others, strict=True))
    return b.expand(inner, *(merged[axis] for axis in sorted(merged)), axes=tuple(sorted(merged)))


def _reshape(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    x, shape = operands[0], operands[1:]
    if x.type.shape == shape:
        return x
    equation = b.defining(x)
    if equation is not None and equation.primitive.name == "reshape":
        return b.reshape(equation.operands[0], *shape)
    return None


def _conform(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    return operands[0] if operands[0].type.shape == operands[1:] else None


def _permute(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    order = params["order"]
    if order == tuple(range(len(order))):
        return operands[0]
    equation = b.defining(operands[0])
    if equation is not None and equation.primitive.name == "permute":
        return b.permute(equation.operands[0], order=tuple(equation.params["order"][a] for a in order))
    return None


def _view(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    x, codes = operands[0], params["codes"]
    if set(codes) <= {":"}:
        return x
    if "s" not in codes and ":" not in codes:
        return constant(b, x)
    shorter, rest = _without_whole_slices(codes, operands[1:], x.type.shape)
    return b.view(x, *rest, codes=shorter) if shorter != codes else None


def _without_whole_slices(codes: str, operands: tuple[Atom, ...], shape: tuple[Atom, ...]) -> tuple[str, list[Atom]]:
    """Codes and operands that leave an axis alone where a slice takes all of it."""
    found, kept = "", list[Atom]()
    rest = iter(operands)
    for code, length in zip(codes, shape, strict=True):
        own = [next(rest) for _ in range(OPERANDS[code])]
        whole = code == "s" and own == [literal(0), length, literal(1)]
        found += ":" if whole else code
        kept += [] if whole else own
    return found, kept


def _update(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    return operands[1] if set(params["codes"]) <= {":"} else None


def _add_at(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    if set(params["codes"]) <= {":"}:
        return b.add(operands[0], operands[1])
    equation = b.defining(operands[0])
    if equation is None or equation.primitive.name != "update":
        return None
    same = equation.params == params and equation.operands[2:] == operands[2:]
    if same and _is(b, equation.operands[1], 0):  # a cleared region: adding is writing
        return b.update(equation.operands[0], *operands[1:], **params)
    return None


def _gather(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    found = constant(b, operands[0])
    if found is None:
        return None
    shape = indexed_shape(params["codes"], operands[1:], operands[0].type.shape)
    return b.expand(found, *shape, axes=tuple(range(len(shape))))


def _fold(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    return None if params["axes"] else operands[0]


def _matmul(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Atom | None:
    """The product of a column and a row is elementwise."""
    x, y = operands
    if x.type.shape[-1] != literal(1) or y.type.shape[-2] != literal(1):
        return None
    each, rank = ":" * (x.type.rank - 2), x.type.rank
    rows, columns = x.type.shape[-2], y.type.shape[-1]
    column = b.expand(b.view(x, 0, codes=each + ":i"), columns, axes=(rank - 1,))
    return b.mul(column, b.expand(b.view(y, 0, codes=each + "i:"), rows, axes=(rank - 2,)))


def _check(b: Builder, operands: tuple[Atom, ...], params: dict[str, Any]) -> Any:
    holds = operands[0]
    return () if isinstance(holds, Lit) and holds.value else None


RULES: dict[str, Callable[[Builder, tuple[Atom, ...], dict[str, Any]], Any]] = {
    "mul": _mul,
    "add": _add,
    "plus": _plus,
    "sub": _sub,
    "div": _div,
    "neg": _neg,
    "pow": _pow,
    "select": _select,
    "and": _logic(True),
    "or": _logic(False),
    "cast": _same_type,
    "expand": _expand,
    "reshape": _reshape,
    "conform": _conform,
    "permute": _permute,
    "view": _view,
    "update": _update,
    "add_at": _add_at,
    "gather": _gather,
    "total": _fold,
    "reduce_max": _fold,
    "reduce_min": _fold,
    "matmul": _matmul,
    "check": _check,
}
