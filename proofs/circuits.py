"""Programs over Z₂: Boolean circuits, whose derivatives come from the same linear programs (Wilson and Zanasi 2021).

A program whose real values only meet sums and products is a polynomial map, over any commutative ring.  Over Z₂ a sum
is an exclusive or and a product an and; bit by bit in words of 64 that is the ring Z₂^64, so a program over words
computes 64 points at once.  Differentiation comes first and is the core's, of the formal polynomials: it composes, as
the difference f(x + v) + f(x) of Boolean functions does not.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from adcore_llvm import LLVMBackend
from adcore_numpy import interpret
from adcore_python import PythonFrontend

from adcore.builder import Builder
from adcore.derive import pull, push
from adcore.plugins import Spec
from adcore.program import Equation, Program, regions, retyped
from adcore.types import I64, Atom, DType, Type, Var, literal
from adcore.verify import verify
from proofs.categories import Arrow, matrix_arrow

__all__ = ["Circuit", "NotAPolynomialError", "bits", "interpreted", "over_words", "random_circuit"]

Words = np.ndarray
Names = dict[Var, Atom]


class NotAPolynomialError(TypeError):
    """A program does with real values what has no meaning over Z₂."""


@dataclass(frozen=True)
class Circuit:
    """A program of one vector of bits to one vector of bits, as a real program that is read over Z₂."""

    program: Program

    @classmethod
    def of(cls, function: Callable[[Any], Any], length: int) -> Circuit:
        """An ordinary function of an array, with sums, products, loops, slices and writes.

        Raises:
            NotAPolynomialError: it reads numbers or arrays from outside.
        """
        lowered = PythonFrontend().lower(function, (Spec(DType.F64, (length,)),))
        if lowered.captures:
            raise NotAPolynomialError(f"{lowered.captures[0].name} is read from outside")
        return cls(lowered.program)

    def __call__(self, a: Words) -> Words:
        return self._value(a)[0]

    def forward(self, a: Words, v: Words) -> Words:
        """D[f](a, v)."""
        return self._forward(a, v)[1]

    def reverse(self, a: Words, w: Words) -> Words:
        """R[f](a, w)."""
        return self._reverse(a, w)[1]

    @cached_property
    def _value(self) -> Callable[..., Any]:
        return compiled(self.program)

    @cached_property
    def _forward(self) -> Callable[..., Any]:
        return compiled(push(self.program, (0,)))

    @cached_property
    def _reverse(self) -> Callable[..., Any]:
        return compiled(pull(self.program, (0,)))


def compiled(program: Program) -> Callable[..., tuple[Any, ...]]:
    """A program over words, compiled; by interpretation it means the same (`test_circuits`)."""
    return LLVMBackend().compile(over_words(program))


def interpreted(program: Program) -> Callable[..., tuple[Any, ...]]:
    """The same by interpretation."""
    read = over_words(program)
    return lambda *arguments: interpret(read, arguments)


def bits(values: Any) -> Words:
    """Each bit in all 64 places of a word."""
    return -np.asarray(values, np.int64)


def over_words(program: Program) -> Program:
    """The program with words of 64 bits in place of real numbers.

    Raises:
        NotAPolynomialError: what the program does with real values is no sum, no product and no movement of elements.
    """
    read = _region(Builder(), program, {})
    verify(read)
    return read


def _region(b: Builder, region: Program, names: Names) -> Program:
    params = tuple(_over(p, names) for p in region.params)
    for equation in region.equations:
        with b.at(equation.source):
            _equation(b, equation, names)
    return b.program(params, tuple(_atom(a, names) for a in region.results), region.name)


def _over(var: Var, names: Names) -> Var:
    new = names[var] = Var(_type(retyped(var.type, names)), var.name)
    return new


def _type(type: Type) -> Type:
    return type.with_dtype(I64.dtype) if type.dtype is DType.F64 else type


def _atom(atom: Atom, names: Names) -> Atom:
    if isinstance(atom, Var):
        return names[atom]
    if atom.dtype is not DType.F64:
        return atom
    if not float(atom.value).is_integer():
        raise NotAPolynomialError(f"{atom.value} is no element of Z₂")
    return literal(-(int(atom.value) % 2))


def _equation(b: Builder, equation: Equation, names: Names) -> None:
    primitive, operands = equation.primitive, [_atom(a, names) for a in equation.operands]
    real = any(a.type.dtype is DType.F64 for a in (*equation.operands, *equation.outs))
    if real and primitive.name in RING:
        (out,) = equation.outs
        names[out] = RING[primitive.name](b, operands, equation.params)
        return
    if real and primitive.name not in MOVED and not primitive.has_regions:
        where = f" at {equation.source}" if equation.source else ""
        raise NotAPolynomialError(f"{primitive.name}{where} has no meaning over Z₂")
    inner = {name: _region(b.region(), region, names) for name, region in regions(equation)}
    outs = tuple(_over(out, names) for out in equation.outs)
    b.enter(Equation(primitive, tuple(operands), equation.params | inner, outs, equation.source))


# Sums and products over Z₂


def _summed(b: Builder, x: Atom, axis: int) -> Atom:
    """The sum along an axis."""
    shape = x.type.shape
    counter = Var(I64, "k")
    start: Atom = literal(0)
    rest = shape[:axis] + shape[axis + 1 :]
    if rest:
        start = b.expand(start, *rest, axes=tuple(range(len(rest))))
    carry, region = Var(start.type, "sum"), b.region()
    element = region.view(x, counter, codes=":" * axis + "i" + ":" * (len(rest) - axis))
    body = region.program((counter, carry), (region.xor(carry, element),))
    return b.loop(shape[axis], (start,), body)[0]


def _total(b: Builder, operands: Sequence[Atom], params: dict[str, Any]) -> Atom:
    (x,) = operands
    for axis in sorted(params["axes"], reverse=True):
        x = _summed(b, x, axis)
    return x


def _matmul(b: Builder, operands: Sequence[Atom], params: dict[str, Any]) -> Atom:
    left, right = operands
    (n, _), (_, m) = left.type.shape, right.type.shape
    return _summed(b, b.land(b.expand(left, m, axes=(2,)), b.expand(right, n, axes=(0,))), 1)


def _add_at(b: Builder, operands: Sequence[Atom], params: dict[str, Any]) -> Atom:
    """A sum into the elements of a region."""
    into, value, *place = operands
    return b.update(into, b.xor(b.view(into, *place, **params), value), *place, **params)


RING: dict[str, Callable[[Builder, Sequence[Atom], dict[str, Any]], Atom]] = {
    **dict.fromkeys(("add", "plus", "sub"), lambda b, xs, _: b.xor(*xs)),
    "neg": lambda b, xs, _: xs[0],
    "mul": lambda b, xs, _: b.land(*xs),
    "empty": lambda b, xs, _: b.empty(*xs, dtype=I64.dtype),
    "add_at": _add_at,
    "total": _total,
    "matmul": _matmul,
}
# What moves elements means the same over any ring.
MOVED = frozenset({"conform", "expand", "gather", "grow", "permute", "reshape", "scatter", "select", "update", "view"})


# Random circuits


def random_circuit(seed: int, source: int, target: int, *, depth: int = 2, loops: bool = True) -> Arrow:
    """A polynomial map: a matrix, then sums of the identity and products, some of them in loops."""
    choices = random.Random(seed)
    arrow = _mixed(choices, target, source)
    for _ in range(depth):
        layer = choices.choice((_product, _loop)) if loops else _product
        arrow = layer(choices, target).after(arrow)
    return arrow


def _mixed(choices: random.Random, rows: int, columns: int, turn: int = 1) -> Arrow:
    """A matrix of full rank over Z₂: ones on the diagonal, anything beside it on one side; or its columns backwards."""
    ones = np.eye(rows, columns)
    for k in range(rows):
        ones[k, k + 1 :] = [choices.choice((0.0, 1.0)) for _ in range(columns - k - 1)]
    return matrix_arrow(ones[:, ::turn])


def _product(choices: random.Random, n: int) -> Arrow:
    """x + A x · (B x + 1)."""
    one, other = _mixed(choices, n, n, -1), _mixed(choices, n, n)
    return Arrow.of(n, lambda b, x: b.add(x, b.mul(one.at(b, x), b.add(other.at(b, x), 1.0))))


def _loop(choices: random.Random, n: int) -> Arrow:
    """y ↦ y - A y · x, some times."""
    trips, mixed = choices.randint(1, 3), _mixed(choices, n, n, -1)

    def make(b: Builder, x: Atom) -> Atom:
        counter, carry = Var(I64, "i"), Var(x.type, "y")
        region = b.region()
        step = region.sub(carry, region.mul(mixed.at(region, carry), x))
        return b.loop(literal(trips), (x,), region.program((counter, carry), (step,)))[0]

    return Arrow.of(n, make)
