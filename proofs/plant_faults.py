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
from adcore.primitives import TABLE, Missing, Primitive, TypeRuleError
from adcore.primitives.base import Rule
from adcore.primitives.routines import Routine
from adcore.primitives.scipy_rows import SciPy
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
        for index, result, rule in _rules(primitive):
            where = f"map {index}" + (f" to result {result}" if result else "")
            for name, altered in _alterations(primitive, (index, result), rule):
                entry: Any = primitive.maps[index]
                if isinstance(entry, tuple):
                    altered = (*entry[:result], altered, *entry[result + 1 :])
                maps = (*primitive.maps[:index], altered, *primitive.maps[index + 1 :])
                yield _row(f"{primitive.name}: {where} {name}", primitive, maps=maps)


def _rules(primitive: Primitive) -> Iterator[tuple[int, int, Rule]]:
    """The linear maps of a row: operand, result, rule."""
    for index, entry in enumerate(primitive.maps):
        for result, rule in enumerate(entry if isinstance(entry, tuple) else (entry,)):
            if rule is not None and not isinstance(rule, Missing):
                yield index, result, rule


def _row(name: str, primitive: Primitive, **changes: Any) -> Fault:
    return Fault(name, TABLE.rows, primitive.name, replace(primitive, **changes), (primitive.name,))


def _alterations(primitive: Primitive, pair: tuple[int, int], rule: Rule) -> Iterator[tuple[str, Rule | None]]:
    generator, asked = _observed(primitive, pair, rule)
    yield "left out", None
    yield "with the wrong sign", _after(rule, lambda g: compose(negate(), g))
    yield "doubled", lambda b, e: compose(scale(_two(b, e.outs[pair[1]])), rule(b, e))
    for part in sorted({part.name for part in _parts(generator)} & {"scale", "mask"}):
        yield f"without its {part}", _after(rule, lambda g, part=part: _without(g, part))
    if any(part.name == "mask" for part in _parts(generator)):
        yield "with its mask inverted", lambda b, e: _inverted(b, rule(b, e))
    if isinstance(primitive.meaning, SciPy | Routine):  # of whose branches the laws see one: accuracy tests see all
        return
    for operation in sorted(asked & _NEIGHBOURS.keys()):
        instead = _NEIGHBOURS[operation] or "its operand"
        yield f"with {instead} for {operation}", lambda b, e, o=operation: rule(_Altered(b, o), e)  # type: ignore[arg-type]


def _observed(primitive: Primitive, pair: tuple[int, int], rule: Rule) -> tuple[Generator, set[str]]:
    """What a rule gives, and which operations it asks the builder for, on the row's first example with that operand."""
    case = next(c for c in cases(primitive, seeds=(0,)) if pair in c.maps())
    watched = _Altered(case.builder)
    return rule(watched, case.equation), watched.asked  # type: ignore[arg-type]


def _after(rule: Rule, change: Callable[[Generator], Generator]) -> Rule:
    return lambda b, e: change(rule(b, e))


_MADE_OF_OTHERS = ("compose", "sum")


def _parts(g: Generator) -> list[Generator]:
    """What a map is composed of, or a sum of."""
    return [p for part in g.residuals for p in _parts(part)] if g.name in _MADE_OF_OTHERS else [g]


def _each(g: Generator, change: Callable[[Generator], Generator]) -> Generator:
    if g.name in _MADE_OF_OTHERS:
        return replace(g, residuals=tuple(_each(part, change) for part in g.residuals))
    return change(g)


def _without(g: Generator, name: str) -> Generator:
    return _each(g, lambda part: identity() if part.name == name else part)


def _inverted(b: Builder, g: Generator) -> Generator:
    return _each(g, lambda part: mask(b.lnot(part.residuals[0])) if part.name == "mask" else part)


def _two(b: Builder, out: Atom) -> Atom:
    shape = out.type.shape
    return b.expand(2.0, *shape, axes=tuple(range(len(shape))))


# In other columns


def _in_rows() -> Iterator[Fault]:
    for primitive in TABLE:
        two = [rule for rule in primitive.maps if callable(rule) and not isinstance(rule, Missing)]
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


def _within(g: Generator) -> list[Generator]:
    """A map and all that it is made of."""
    return [g, *(p for part in g.residuals for p in _within(part))] if g.name in _MADE_OF_OTHERS else [g]


def _users(generator: str) -> tuple[str, ...]:
    """The rows whose maps or whose maps' duals are made of a generator."""
    found = []
    for primitive in TABLE:
        for index, result, rule in _rules(primitive):
            g, _ = _observed(primitive, (index, result), rule)
            names = {part.name for h in (g, g.dual()) for part in _within(h)}
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
