"""Several unknowns as one vector: of complex numbers where a product is linear over them, else of real ones.

A condition of complex unknowns has a derivative that is linear over real numbers.  Where nothing in its program takes
a conjugate or a part, it is linear over complex ones, and its system is one of as many complex numbers.  Elsewhere each
complex unknown is two real ones, as its real and its imaginary part.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..builder import Builder
from ..columns import concatenated, from_reals, parts, reals
from ..linear import converted
from ..program import Program, regions, uses
from ..types import Atom, DType, Var

__all__ = ["apart", "dtype_of", "is_complex_linear", "joined"]


def dtype_of(unknowns: Sequence[Atom]) -> DType:
    """That of a vector of them all: of complex numbers if all of them are complex."""
    dtypes = [x.type.dtype for x in unknowns]
    real = DType.F64 if any(d.real is DType.F64 for d in dtypes) else DType.F32
    return real.as_complex if all(d.complex for d in dtypes) else real


def joined(b: Builder, pieces: Sequence[Atom], dtype: DType) -> Atom:
    """The elements of numbers and arrays as one vector."""
    own = pieces if dtype.complex else reals(b, pieces)
    return concatenated(b, [converted(b, piece, dtype) for piece in own])


def apart(b: Builder, whole: Atom, likes: Sequence[Var]) -> list[Atom]:
    """A vector as numbers and arrays like these."""
    if not whole.type.dtype.complex:
        pieces = from_reals(b, whole, likes)
        return [pieces[like] for like in likes]
    pieces = parts(b, whole, likes)
    return [converted(b, pieces[like], like.type.dtype) for like in likes]


def is_complex_linear(program: Program) -> bool:
    """Whether a program that is linear over real numbers in its first parameter is so over complex ones.

    It is where all that depends on the parameter is complex and no conjugate.  That is no for some programs which are,
    as those that solve a system by an iteration, whose lengths of steps are real.
    """
    varying = {program.params[0]}
    while True:
        known = len(varying)
        if not _follow(program, varying):
            return False
        if len(varying) == known:
            return True


def _follow(region: Program, varying: set[Var]) -> bool:
    """Enter what depends on values that vary; whether all of it is complex and no conjugate."""
    for equation in region.equations:
        if varying.isdisjoint(uses(equation)):
            continue
        inner = [program for _, program in regions(equation)]
        met: list[Var] = [*equation.outs, *(param for program in inner for param in program.params)]
        numbers = [var for var in met if var.type.dtype.differentiable] if inner else met
        if equation.primitive.name == "conj" or not all(var.type.dtype.complex for var in numbers):
            return False
        varying.update(numbers)
        if not all(_follow(program, varying) for program in inner):
            return False
    return True
