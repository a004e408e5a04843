"""Where an element of a view is: at which place of which array."""

from __future__ import annotations

from collections.abc import Callable

from ..builder import Builder
from ..primitives import TABLE, array_axes, index_arrays, without_arrays
from ..program import Equation
from ..types import Atom, Type, Var, literal

__all__ = ["Place", "Places"]

ONE, ZERO = literal(1), literal(0)
Place = tuple[Atom, ...]


class Places:
    """The views of a program, in terms of the arrays that they are views of."""

    def __init__(self) -> None:
        self._views: dict[Var, Equation] = {}

    def note(self, equation: Equation) -> None:
        """Learn of a view."""
        self._views[equation.outs[0]] = equation

    def expanded(self, x: Atom, type: Type, axis: int, length: Atom) -> Var:
        """A view of the array, of which nobody else knows, with one axis more."""
        return self._view("expand", (x, length), {"axes": (axis,)}, type)

    def permuted(self, x: Atom, order: tuple[int, ...]) -> Var:
        """A view of the array, of which nobody else knows, with its axes in another order."""
        return self._view("permute", (x,), {"order": order}, x.type.with_shape(*(x.type.shape[a] for a in order)))

    def _view(self, name: str, operands: Place, params: dict[str, object], type: Type) -> Var:

        out = Var(type)
        self.note(Equation(TABLE[name], operands, params, (out,)))
        return out

    def element(self, b: Builder, atom: Atom, place: Place) -> tuple[Atom, Place]:
        """An array and the place in it of an element; without a place, the element itself.

        Where a place is computed, `b` gets the equations.
        """
        while isinstance(atom, Var) and atom in self._views:
            equation = self._views[atom]
            step = _STEPS[equation.primitive.name](self, b, equation, place)
            if step is None:
                break
            atom, place = step
        return atom, place

    def within(self, b: Builder, codes: str, operands: Place, place: Place) -> Place:
        """The place, in an array, of an element of the region that axis codes and their operands name."""
        scalars, inner = list(operands), list(place)
        found: list[Atom] = []
        for code in codes:
            if code == "i":
                found.append(scalars.pop(0))
            elif code == "s":
                start, _, step = scalars[:3]
                del scalars[:3]
                found.append(_stepped(b, start, step, inner.pop(0)))
            else:
                found.append(inner.pop(0))
        return tuple(found)

    def picked(self, b: Builder, codes: str, operands: Place, place: Place, element: Callable[[Var], Atom]) -> Place:
        """The same where there are index arrays, of which `element` gives the element at hand."""
        plain, scalars, arrays = _parted(codes, operands)
        rank = arrays[0].type.rank
        indices, rest = [element(a) if a.type.rank == len(place) else None for a in arrays], list(place[rank:])
        for k, array in enumerate(arrays):
            if indices[k] is None:
                x, at = self.element(b, array, place[:rank])
                indices[k] = b.emit(TABLE["view"], (x, *at), {"codes": "i" * len(at)}) if at else x
        found = dict(zip(array_axes(codes), indices, strict=True))
        inner = tuple(found[axis] if axis in found else rest.pop(0) for axis in range(len(plain.replace("i", ""))))
        return self.within(b, plain, scalars, inner)  # type: ignore[arg-type]

    # One step from a view to what it is a view of

    def _viewed(self, b: Builder, equation: Equation, place: Place) -> tuple[Atom, Place]:
        x, *scalars = equation.operands
        return x, self.within(b, equation.params["codes"], tuple(scalars), place)

    def _iota(self, b: Builder, equation: Equation, place: Place) -> tuple[Atom, Place]:
        return place[0], ()

    def _empty(self, b: Builder, equation: Equation, place: Place) -> tuple[Atom, Place]:
        return equation.params["dtype"].zero, ()

    def _expanded(self, b: Builder, equation: Equation, place: Place) -> tuple[Atom, Place]:
        return equation.operands[0], tuple(i for axis, i in enumerate(place) if axis not in equation.params["axes"])

    def _permuted(self, b: Builder, equation: Equation, place: Place) -> tuple[Atom, Place]:
        found = dict(zip(equation.params["order"], place, strict=True))
        return equation.operands[0], tuple(found[axis] for axis in range(len(place)))

    def _conforming(self, b: Builder, equation: Equation, place: Place) -> tuple[Atom, Place]:
        return equation.operands[0], place

    def _reshaped(self, b: Builder, equation: Equation, place: Place) -> tuple[Atom, Place] | None:
        """Where only axes of length 1 come or go; else the array in its new shape is there as a whole."""
        x, out = equation.operands[0], equation.outs[0]
        if not x.type.shape or not out.type.shape:
            return x, (ZERO,) * x.type.rank
        before, after = _without_ones(x.type.shape), _without_ones(out.type.shape)
        if [x.type.shape[a] for a in before] != [out.type.shape[a] for a in after]:
            return None
        found = dict(zip(before, (place[a] for a in after), strict=True))
        return x, tuple(found.get(axis, ZERO) for axis in range(x.type.rank))


_STEPS: dict[str, Callable[[Places, Builder, Equation, Place], tuple[Atom, Place] | None]] = {
    "view": Places._viewed,
    "iota": Places._iota,
    "empty": Places._empty,
    "expand": Places._expanded,
    "permute": Places._permuted,
    "conform": Places._conforming,
    "reshape": Places._reshaped,
}


def _without_ones(shape: tuple[Atom, ...]) -> list[int]:
    return [axis for axis, length in enumerate(shape) if length != ONE]


def _stepped(b: Builder, start: Atom, step: Atom, index: Atom) -> Atom:
    if step == literal(-1):
        return b.sub(start, index)
    return b.add(start, b.mul(step, index))


def _parted(codes: str, operands: Place) -> tuple[str, Place, tuple[Var, ...]]:

    return (*without_arrays(codes, operands), index_arrays(codes, operands))
