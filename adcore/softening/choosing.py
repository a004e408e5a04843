"""Places that are one of many: extrema and orders, and what is read and written there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import relaxations
from ..linear import zeros
from ..primitives import Kind
from ..primitives.indexed import OPERANDS
from ..program import Equation
from ..types import Atom, Type, Var
from .marking import is_real
from .values import Choice, emit_arrays

if TYPE_CHECKING:
    from .conversion import Softening

__all__ = ["carried_choice", "chosen_places", "hard_place", "ordered", "picked", "put"]


# Where choices come from


def chosen_places(s: Softening, equation: Equation, x: Var, largest: bool, places: Atom) -> Choice:
    """The places of an extremum, with the weights of `soft_argmax`."""
    (axis,) = equation.params["axes"]
    function = relaxations.soft_argmax if largest else relaxations.soft_argmin
    weights = emit_arrays(s.b, function, s.real(x), s.options.tau, axis)
    order = (*(k for k in range(x.type.rank) if k != axis), axis)
    return Choice(s.b.permute(weights, order=order), s.b.permute(s.name(places), order=order))


def hard_place(s: Softening, equation: Equation, x: Var, largest: bool, places: Atom) -> Atom:
    """The first place of an extremum, of the values of the smooth program."""
    b, values, (axis,) = s.b, s.name(x), equation.params["axes"]
    extremum = (b.reduce_max if largest else b.reduce_min)(values, axes=(axis,))
    n = values.type.shape[axis]
    hit = b.lor(b.eq(values, b.expand(extremum, n, axes=(axis,))), b.isnan(values))
    return b.reduce_min(b.select(hit, s.name(places), n), axes=(axis,))


def ordered(s: Softening, equation: Equation) -> Choice:
    """The places in ascending order: of a permutation its inverse, of numbers the weights of a sorting network."""
    (x,) = equation.operands
    known = s.soft.get(x) if isinstance(x, Var) else None
    b = s.b
    if isinstance(known, Choice) and known.permutation:
        rank = known.weights.type.rank
        return Choice(b.permute(known.weights, order=(*range(rank - 2), rank - 1, rank - 2)), known.value, True)
    values = s.real(x)
    *leading, n = values.type.shape
    rows = b.reshape(values, b.size(leading), n)
    options = (s.options.tau, s.options.swap)
    weights = b.reshape(emit_arrays(b, relaxations.soft_permutations, rows, *options), *leading, n, n)
    value = b.expand(b.iota(n), *leading, n, axes=tuple(range(len(leading) + 1)))
    return Choice(weights, value, True)


# What is computed of them


def carried_choice(s: Softening, equation: Equation) -> Callable[[], Choice] | None:
    """What an equation makes of a choice, in each of its cases, where that is a choice again."""
    if len(equation.outs) != 1 or is_real(equation.outs[0]):
        return None
    if equation.primitive.kind is Kind.ELEMENTWISE:
        return _elementwise(s, equation)
    found = s.soft.get(equation.operands[0]) if isinstance(equation.operands[0], Var) else None
    if not isinstance(found, Choice) or any(map(s.is_soft, equation.operands[1:])):
        return None
    name, params = equation.primitive.name, equation.params
    rest = tuple(map(s.name, equation.operands[1:]))
    n = found.weights.type.shape[-1]
    if name in ("view", "gather"):
        params = {**params, "codes": params["codes"] + ":"}
    elif name == "permute":
        params = {**params, "order": (*params["order"], len(params["order"]))}
    elif name in ("reshape", "conform"):
        rest = (*rest, n)
    elif name != "expand":
        return None
    return lambda: Choice(
        s.b.emit(equation.primitive, (found.weights, *rest), params),
        s.b.emit(equation.primitive, (found.value, *rest), params),
    )


def _elementwise(s: Softening, equation: Equation) -> Callable[[], Choice] | None:
    soft = [s.soft[a] for a in equation.operands if isinstance(a, Var) and a in s.soft]
    if not soft or any(isinstance(a, Var) and a in s.moving for a in equation.operands):
        return None
    first = soft[0]
    if not isinstance(first, Choice):
        return None
    if any(not isinstance(c, Choice) or c.weights is not first.weights for c in soft):
        return None
    weights = first.weights
    axis, n = weights.type.rank - 1, weights.type.shape[-1]

    def lifted(atom: Atom) -> Atom:
        found = s.soft.get(atom) if isinstance(atom, Var) else None
        if isinstance(found, Choice):
            return found.value
        return s.b.expand(s.name(atom), n, axes=(axis,))

    return lambda: Choice(weights, s.b.emit(equation.primitive, tuple(map(lifted, equation.operands)), equation.params))


# What is read and written there


def picked(s: Softening, equation: Equation) -> Atom:
    """The mean of the elements at a choice of places."""
    b, x = s.b, equation.operands[0]
    data = s.real(x)
    codes, operands, weights = _at_all(s, equation, 1)
    elements = b.gather(data, *operands, codes=codes)
    axis = weights.type.rank - 1
    rest = elements.type.shape[weights.type.rank :]
    factors = b.cast(weights, dtype=elements.type.dtype)
    if rest:
        factors = b.expand(factors, *rest, axes=tuple(range(axis + 1, axis + 1 + len(rest))))
    return b.total(b.mul(factors, elements), axes=(axis,))


def _at_all(s: Softening, equation: Equation, skipped: int) -> tuple[str, list[Atom], Atom]:
    """Codes and operands for the elements in all cases, and the weights of these."""
    weights: Atom | None = None
    found: list[tuple[str, list[Atom]]] = []
    rest = list(equation.operands[skipped:])
    for code in equation.params["codes"]:
        group = rest[: OPERANDS[code]]
        del rest[: OPERANDS[code]]
        choice = s.soft.get(group[0]) if len(group) == 1 and isinstance(group[0], Var) else None
        if isinstance(choice, Choice):
            if weights is not None and weights is not choice.weights:
                s.refuse(equation, "two indices of one element depend on the arguments in different ways")
            weights = choice.weights
            found.append(("a", [choice.value]))
            continue
        if any(map(s.is_soft, group)):
            s.refuse(equation, "an index depends on the arguments, and it is no place that argmax or argsort give")
        found.append((code, [s.name(a) for a in group]))
    assert weights is not None
    axis, n = weights.type.rank - 1, weights.type.shape[-1]
    scalar = weights.type.rank == 1
    operands: list[Atom] = []
    codes = ""
    for code, group in found:
        chosen = code == "a" and group[0].type.rank == weights.type.rank
        if code == "a" and not chosen:
            group = [s.b.expand(group[0], n, axes=(axis,))]
        codes += code
        operands += group
    if scalar and "a" in equation.params["codes"]:
        s.refuse(equation, "an index that depends on the arguments stands beside an array of indices")
    return codes, operands, weights


def put(s: Softening, equation: Equation) -> Atom:
    """An array of one axis after a write at a choice of places: at each of them the mean of old and new."""
    name, b = equation.primitive.name, s.b
    if equation.params["codes"] not in ("i", "a"):
        s.refuse(equation, "a write into a matrix, at a place that depends on the arguments")
    x, value, place = equation.operands
    choice = s.soft[place] if isinstance(place, Var) else None
    assert isinstance(choice, Choice)
    if equation.params["codes"] == "a" and not choice.permutation:
        s.refuse(equation, "a write at several places that depend on the arguments, and are no permutation")
    old, new = s.real(x), s.real(value)
    dtype = old.type.dtype
    weights = b.cast(choice.weights, dtype=dtype)
    if equation.params["codes"] == "i":
        at = b.scatter_add(zeros(b, Type(dtype, old.type.shape)), weights, choice.value, codes="a")
        added = b.mul(at, new)
        kept = b.mul(b.sub(1.0, at), old)
    else:
        spread = b.expand(new, weights.type.shape[-1], axes=(1,))
        added = b.total(b.mul(weights, spread), axes=(0,))
        kept = b.mul(b.sub(1.0, b.total(weights, axes=(0,))), old)
    return b.add(old if name in ("add_at", "scatter_add") else kept, added)
