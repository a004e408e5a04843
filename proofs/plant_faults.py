"""Faults planted in the table, one at a time, and the law that catches each.

Run as `python -m proofs.plant_faults`.  Faults are made systematically: in every linear map of every row (its sign
flipped, its factor or mask dropped, an operation in it replaced by its neighbour, the map left out, two operands' maps
exchanged), and in every entry of the tables of duals, of sums and of applications of generators.
"""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from adcore_numpy import interpret

from adcore.builder import Builder
from adcore.errors import AdcoreError
from adcore.laws import LAWS, cases
from adcore.linear import ACCUMULATE, APPLY, DUAL, Generator, compose, identity, mask, negate, scale
from adcore.primitives import TABLE, Primitive, TypeRuleError
from adcore.primitives.base import Rule
from adcore.program import Equation
from adcore.types import Atom
from proofs.linear_programs import matrix, random_chain

__all__ = ["Fault", "faults", "law_that_catches"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of a table replaced, and the rows that the laws are then asked about."""

    name: str
    table: MutableMapping[str, Any]
    key: str
    value: Any
    rows: tuple[str, ...]

    @contextlib.contextmanager
    def planted(self) -> Iterator[None]:
        before = self.table[self.key]
        self.table[self.key] = self.value
        try:
            yield
        finally:
            self.table[self.key] = before


def law_that_catches(fault: Fault) -> str | None:
    """The first law that a fault breaks, the error it ends in where no program can be built, or None."""
    with fault.planted():
        return next((caught for row in fault.rows if (caught := _broken(TABLE[row]))), None) or _broken_chain()


def _broken(primitive: Primitive) -> str | None:
    for case in cases(primitive, seeds=(0, 1, 2)):
        for name, law in LAWS.items():
            if caught := _breaks(name, lambda law=law, case=case: law(case, interpret)):
                return caught
    return None


def _breaks(name: str, test: Callable[[], None]) -> str | None:
    try:
        test()
    except AssertionError:
        return name
    except (AdcoreError, TypeRuleError, ValueError, IndexError) as error:
        return type(error).__name__
    return None


def _broken_chain() -> str | None:
    """What composition does shows in linear programs only: the rows compose maps that commute."""
    return next((caught for seed in range(40) if (caught := _breaks("transpose", lambda s=seed: _chain_law(s)))), None)


def _chain_law(seed: int) -> None:
    chain = random_chain(random.Random(seed), 6)
    assert np.allclose(matrix(chain.transposed()), matrix(chain).T)


def faults() -> list[Fault]:
    """All faults, in the order of the tables."""
    return [*_in_maps(), *_in_rows(), *_in_duals(), *_in_sums(), *_in_applications()]


# In the maps of rows

# What an operation inside a rule is replaced by: a neighbour, or (None) its first operand.
_NEIGHBOURS = {
    "add": "sub",
    "sub": "add",
    "mul": "add",
    "div": "mul",
    "neg": None,
    "sqrt": None,
    "pow": "mul",
    "hypot": "mul",
    "exp": "cosh",
    "log": None,
    "sin": "cos",
    "cos": "sin",
    "sinh": "cosh",
    "cosh": "sinh",
    "sign": None,
    "copysign": None,
    "floordiv": "mod",
    "ge": "le",
    "le": "ge",
    "eq": "ne",
    "lnot": None,
}


class _Altered:
    """A builder that one operation is altered in, and that notes the operations asked of it."""

    def __init__(self, b: Builder, operation: str = "") -> None:
        self.b = b
        self.operation = operation
        self.asked: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.asked.add(name)
        if name != self.operation:
            return getattr(self.b, name)
        neighbour = _NEIGHBOURS[name]
        return getattr(self.b, neighbour) if neighbour else lambda first, *_: first


def _in_maps() -> Iterator[Fault]:
    for primitive in TABLE:
        for index, rule in enumerate(primitive.maps):
            if rule is None:
                continue
            for name, altered in _alterations(primitive, index, rule):
                maps = (*primitive.maps[:index], altered, *primitive.maps[index + 1 :])
                yield _row(f"{primitive.name}: map {index} {name}", primitive, maps=maps)


def _row(name: str, primitive: Primitive, **changes: Any) -> Fault:
    return Fault(name, TABLE.rows, primitive.name, replace(primitive, **changes), (primitive.name,))


def _alterations(primitive: Primitive, index: int, rule: Rule) -> Iterator[tuple[str, Rule | None]]:
    generator, asked = _observed(primitive, index, rule)
    yield "left out", None
    yield "with the wrong sign", _after(rule, lambda g: compose(negate(), g))
    yield "doubled", lambda b, e: compose(scale(_two(b, e)), rule(b, e))
    for part in sorted({part.name for part in _parts(generator)} & {"scale", "mask"}):
        yield f"without its {part}", _after(rule, lambda g, part=part: _without(g, part))
    if any(part.name == "mask" for part in _parts(generator)):
        yield "with its mask inverted", lambda b, e: _inverted(b, rule(b, e))
    for operation in sorted(asked & _NEIGHBOURS.keys()):
        instead = _NEIGHBOURS[operation] or "its operand"
        yield f"with {instead} for {operation}", lambda b, e, o=operation: rule(_Altered(b, o), e)  # type: ignore[arg-type]


def _observed(primitive: Primitive, index: int, rule: Rule) -> tuple[Generator, set[str]]:
    """What a rule gives, and which operations it asks the builder for, on the row's first example with that operand."""
    case = next(c for c in cases(primitive, seeds=(0,)) if any(i == index for i, _ in c.maps()))
    watched = _Altered(case.builder)
    return rule(watched, case.equation), watched.asked  # type: ignore[arg-type]


def _after(rule: Rule, change: Callable[[Generator], Generator]) -> Rule:
    return lambda b, e: change(rule(b, e))


def _parts(g: Generator) -> list[Generator]:
    return list(g.residuals) if g.name == "compose" else [g]


def _without(g: Generator, name: str) -> Generator:
    return compose(*(identity() if part.name == name else part for part in _parts(g)))


def _inverted(b: Builder, g: Generator) -> Generator:
    return compose(*(mask(b.lnot(part.residuals[0])) if part.name == "mask" else part for part in _parts(g)))


def _two(b: Builder, e: Equation) -> Atom:
    shape = e.outs[0].type.shape
    return b.expand(2.0, *shape, axes=tuple(range(len(shape))))


# In other columns


def _in_rows() -> Iterator[Fault]:
    for primitive in TABLE:
        two = [rule for rule in primitive.maps if rule is not None]
        if len(two) == len(primitive.maps) == 2 and primitive.name not in ("add", "plus"):
            yield _row(f"{primitive.name}: maps exchanged", primitive, maps=primitive.maps[::-1])
        if primitive.symbol:
            yield _row(f"{primitive.name}: meaning of another function", primitive, meaning=_other(primitive))
    sin, total = TABLE["sin"], TABLE["total"]
    yield _row("sin: symbol of cos", sin, symbol="cos(x)")
    yield _row("total: meaning in another dtype", total, meaning=lambda x, axes: np.sum(x, axis=axes).astype("f4"))
    yield _row("total: type of its operand", total, typing=lambda operands, params: (operands[0].type,))


def _other(primitive: Primitive) -> Callable[..., Any]:
    return lambda *xs: primitive.meaning(*xs) + 0.125 * np.square(xs[0])


# In the linear language


def _users(generator: str) -> tuple[str, ...]:
    """The rows whose maps or whose maps' duals are made of a generator."""
    found = []
    for primitive in TABLE:
        for index, rule in enumerate(primitive.maps):
            if rule is None:
                continue
            g, _ = _observed(primitive, index, rule)
            names = {part.name for h in (g, g.dual()) for part in (h, *_parts(h))}
            if generator in names and primitive.name not in found:
                found.append(primitive.name)
    return tuple(found)


_SELF_DUAL = ("identity", "negate", "scale", "mask", "clear", "clear_at", "conjugate", "fourier")


def _in_duals() -> Iterator[Fault]:
    for name, dual in DUAL.items():
        wrong = (lambda g, dual=dual: compose(negate(), dual(g))) if name in _SELF_DUAL else (lambda g: g)
        what = "with the wrong sign" if name in _SELF_DUAL else "left as it is"
        yield Fault(f"dual of {name} {what}", DUAL, name, wrong, _users(name))


def _in_sums() -> Iterator[Fault]:
    for name, into in ACCUMULATE.items():
        forgets = lambda b, g, acc, t: g.apply(b, t)  # noqa: E731
        yield Fault(f"sum of {name} forgets what was there", ACCUMULATE, name, forgets, _users(name))
        twice = lambda b, g, acc, t, into=into: into(b, g, into(b, g, acc, t), t)  # noqa: E731
        yield Fault(f"sum of {name} adds twice", ACCUMULATE, name, twice, _users(name))
    overwrites = lambda b, g, acc, t: b.update(acc, t, *g.residuals[0], codes=g.params[0])  # noqa: E731
    yield Fault("sum of place overwrites", ACCUMULATE, "place", overwrites, _users("place"))
    replaces = lambda b, g, acc, t: b.scatter(acc, t, *g.residuals[0], codes=g.params[0], unique=False)  # noqa: E731
    yield Fault("sum of scatter_add overwrites", ACCUMULATE, "scatter_add", replaces, _users("scatter_add"))


def _in_applications() -> Iterator[Fault]:
    for name, apply in APPLY.items():
        negated = lambda b, g, t, apply=apply: b.neg(apply(b, g, t))  # noqa: E731
        yield Fault(f"{name} applied with the wrong sign", APPLY, name, negated, _users(name))


def main() -> int:
    """Print the table of faults; the exit status tells whether all were caught."""
    missed = 0
    found = faults()
    width = max(len(fault.name) for fault in found)
    for fault in found:
        law = law_that_catches(fault)
        missed += law is None
        print(f"{fault.name:{width}}  {law or 'NOT CAUGHT'}")
    print(f"{len(found) - missed} of {len(found)} faults caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
