"""Rows of the table as kernels of the LLVM backend: a program of one equation for the types of a call."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import combinations
from typing import Any

from adcore.errors import MissingRuleError
from adcore.plugins import Kernel, backend
from adcore.primitives import LENGTH, Kind, Primitive, TypeRuleError
from adcore.program import Equation, Program, retyped
from adcore.types import I64, DType, Type, Var

__all__ = ["Called", "Signature", "called"]

Signature = tuple[tuple[DType, int], ...]  # dtype and rank of each operand
_INLINED = r"define weak_odr \1 \2 alwaysinline {"
_UNCALLED = (Kind.CONTROL, Kind.CHECK, Kind.HOST, Kind.VIEW, Kind.WRITE)


@dataclass(frozen=True, slots=True)
class Called:
    """A row as a function of machine code.

    Attributes:
        kernel: its kernel, whose functions may be in several modules.
        given: which operands of the call the kernel takes; others are lengths of arrays among them.
        results: the types of what it gives.
    """

    kernel: Kernel
    given: tuple[int, ...]
    results: tuple[Type, ...]


@cache
def called(primitive: Primitive, operands: Signature, params: tuple[tuple[str, Any], ...]) -> Called | None:
    """The kernel of a row for operands of these types, if the row takes them.

    Raises:
        MissingRuleError: the row is one that source has no call of.
    """
    if primitive.kind in _UNCALLED:
        raise MissingRuleError(f"{primitive.name} has no place in code that Numba compiles")
    found = _typed(primitive, operands, dict(params))
    if found is None:
        return None
    atoms, types = found
    lengths = {a for v in atoms for a in v.type.shape}
    given = tuple(k for k, v in enumerate(atoms) if v not in lengths)
    first = Var(types[0])
    outs = (first, *(Var(retyped(t, {LENGTH: first})) for t in types[1:]))
    equation = Equation(primitive, atoms, dict(params), outs)
    program = Program(tuple(atoms[k] for k in given), [equation], outs, primitive.name)
    text = f"{primitive.name} {[(d.value, rank) for d, rank in operands]} {params}"
    name = f"adcore_row_{sha256(text.encode()).hexdigest()[:24]}"
    kernel = backend("llvm").kernel(program, name)  # type: ignore[attr-defined]
    backend("llvm").provide(kernel)  # type: ignore[attr-defined]
    return Called(_mergeable(kernel), given, tuple(types))


def _mergeable(kernel: Kernel) -> Kernel:
    """The kernel with functions that several modules may have, and that are inlined where that is no loss."""
    shared = re.sub(rf"^define +(i64|void) (@{kernel.name}.*) {{$", _INLINED, kernel.assembly, flags=re.M)
    return Kernel(kernel.name, shared, kernel.failures, kernel.needs)


def _typed(
    primitive: Primitive, operands: Signature, params: Mapping[str, Any]
) -> tuple[tuple[Var, ...], tuple[Type, ...]] | None:
    """Operands of which no more lengths agree than the row's type rule says, and the types of the results."""
    places = [(k, axis) for k, (_, rank) in enumerate(operands) for axis in range(rank)]
    places += [(k, None) for k, (dtype, rank) in enumerate(operands) if dtype is DType.I64 and not rank]

    def typed(classes: tuple[int, ...]) -> tuple[tuple[Var, ...], tuple[Type, ...]] | None:
        names = {number: Var(I64, f"n{number}") for number in classes}
        lengths = {place: names[number] for place, number in zip(places, classes, strict=True)}
        atoms = tuple(
            lengths.get((k, None)) or Var(Type(dtype, tuple(lengths[k, a] for a in range(rank))), f"x{k}")
            for k, (dtype, rank) in enumerate(operands)
        )
        try:
            return atoms, primitive.typing(atoms, params)
        except TypeRuleError:
            return None

    if typed((0,) * len(places)) is None:
        return None
    return typed(_classes(len(places), lambda classes: typed(classes) is not None))


def _classes(count: int, fits: Callable[[tuple[int, ...]], bool]) -> tuple[int, ...]:
    """Which of some lengths have to be the same: the least groups that may have a length of their own."""
    found: dict[int, int] = {}
    for first in range(count):
        rest = [k for k in range(first + 1, count) if k not in found]
        if first in found:
            continue
        groups = ({first, *more} for size in range(len(rest) + 1) for more in combinations(rest, size))
        group = next(g for g in groups if fits(tuple(int(k in g) for k in range(count))))
        found.update(dict.fromkeys(group, first))
    return tuple(found[k] for k in range(count))
