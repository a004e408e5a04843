"""Which values to keep: a minimum vertex cut between what a region starts from and what its dual needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from .builder import Builder
from .cut import minimum_cut
from .primitives import Kind
from .primitives.elementwise import is_short_power
from .program import Equation, uses
from .types import Atom, Lit, Var

__all__ = ["FAST", "choose_kept", "choose_stored", "coefficients_of", "is_elementary", "is_slow", "move_into", "needed"]

ARRAY_COST = 1000  # an array counts as so many scalars an axis
PARTS_COST = 2  # so many times as much counts an array that index arrays read or write a part of
ONCE_COST = 1 << 32  # bytes: a matrix that has been taken apart is kept, and what a host function has returned
RUN_COST = 200  # to run a loop again counts as so many bytes: a few scalars are rather kept, an array is not
SLOW_COST = 2  # to do a slow elementwise operation again counts as so many times the bytes of its result
FEW = 8
PRODUCT_COST = 2  # to multiply the state of a loop again counts as so many times the bytes of the product
NEVER = 1 << 58
TIES = 1 << 20  # bytes decide first, then how many coefficients are kept
FAST = {
    *("neg", "add", "plus", "sub", "mul", "abs", "maximum", "minimum", "select", "cast", "sign"),
    *("lt", "le", "gt", "ge", "eq", "ne", "and", "or", "xor", "not", "isnan", "isfinite", "side", "portion"),
}
COSTLY = {
    Kind.CONTROL,
    Kind.REDUCTION,
    Kind.CONTRACTION,
    Kind.FACTORIZATION,
    Kind.SOLVE,
    Kind.ORDER,
    Kind.HOST,
}


def needed(equations: Iterable[Equation], results: Iterable[Atom], own: set[Var]) -> dict[Var, None]:
    """Values of the primal region that the linear region names."""
    found: dict[Var, None] = {}
    for equation in equations:
        found.update(dict.fromkeys(v for v in uses(equation) if v in own))
    found.update(dict.fromkeys(r for r in results if isinstance(r, Var) and r in own))
    return found


def cost(var: Var) -> int:
    """The bytes of a value, an unknown axis counted as `ARRAY_COST`."""
    bytes = var.type.dtype.numpy.itemsize
    for length in var.type.shape:
        bytes *= ARRAY_COST if isinstance(length, Var) else 1
    return bytes


def choose_stored(
    equations: list[Equation],
    wanted: Iterable[Var],
    roots: Iterable[Var],
    coefficients: AbstractSet[Var] = frozenset(),
    written: AbstractSet[Var] = frozenset(),
    spared: Callable[[Equation], bool] = lambda _: False,
) -> list[Var]:
    """The cheapest values to keep from which, with what is outside, all wanted ones follow.

    Values that are `written` where they can be read again cost next to nothing.  Coefficients of linear maps are kept
    instead of what they are computed from where that takes fewer bytes.

    Running a loop, a reduction or a matrix product again has a price too: a further source, whose removal means to
    run it.  So has doing an elementwise operation again that is to be `spared`.  A matrix product with the state of a
    loop, one of the `roots`, takes as long as the iterations do, and its result is no larger than what they keep
    anyway: it is rather kept too.
    """
    producers = {out: e for e in equations for out in e.outs}
    in_parts = {e.operands[0] for e in equations if e.primitive.name in ("gather", "scatter", "scatter_add")}
    edges: list[tuple[Any, Any]] = []
    sources: list[Any] = []
    seen: set[Var] = set()
    stack = list(wanted)
    while stack:
        var = stack.pop()
        if var in seen:
            continue
        seen.add(var)
        equation = producers.get(var)
        if equation is None:
            continue
        if equation.primitive.kind in COSTLY or spared(equation):
            edges.append((_Run(equation), var))
            sources.append(_Run(equation))
        elif equation.keep:
            sources.append(var)
        for source in uses(equation):
            edges.append((source, var))
            stack.append(source)
    sources += [r for r in roots if r in seen]
    chain = set(roots)
    for equation in equations:
        if not chain.isdisjoint(uses(equation)):
            chain.update(equation.outs)

    def price(vertex: Any) -> int:
        if isinstance(vertex, _Run) and vertex.equation.primitive.kind is Kind.ELEMENTWISE:
            return TIES * sum(SLOW_COST * cost(out) for out in vertex.equation.outs)
        if isinstance(vertex, _Run) and _is_product(vertex.equation) and not chain.isdisjoint(uses(vertex.equation)):
            return TIES * sum(PRODUCT_COST * cost(out) for out in vertex.equation.outs)
        if isinstance(vertex, _Run):
            once = vertex.equation.primitive.kind in (Kind.FACTORIZATION, Kind.HOST)
            return TIES * (ONCE_COST if once else RUN_COST)
        if vertex in written:
            return 1
        bytes = cost(vertex) * (PARTS_COST if vertex in in_parts else 1)
        return TIES * bytes + (vertex in coefficients)

    return [v for v in minimum_cut(edges, sources, list(wanted), price) if isinstance(v, Var)]


def _is_product(equation: Equation) -> bool:
    """Whether an equation multiplies matrices with many numbers summed for each of the product."""
    inner = equation.operands[0].type.shape[-1] if equation.primitive.kind is Kind.CONTRACTION else None
    return isinstance(inner, Var) or (isinstance(inner, Lit) and int(inner.value) > FEW)


def is_slow(equation: Equation) -> bool:
    """Whether an elementwise operation takes longer than writing its result and reading it."""
    if equation.primitive.kind is not Kind.ELEMENTWISE or equation.primitive.name in FAST:
        return False
    exponent = _short_power(equation)
    return exponent is None or exponent < 0.0 or exponent % 1.0 != 0.0


def is_elementary(equation: Equation) -> bool:
    """Whether an elementwise operation takes many times as long as an addition: more than a division does."""
    return is_slow(equation) and equation.primitive.name not in ("div", "sqrt") and _short_power(equation) is None


def _short_power(equation: Equation) -> float | None:
    """The exponent of a power that is a few products."""
    if equation.primitive.name != "pow" or not isinstance(equation.operands[1], Lit):
        return None
    exponent = equation.operands[1].value
    return exponent if isinstance(exponent, float) and is_short_power(exponent) else None


def choose_kept(
    equations: list[Equation], wanted: Iterable[Var], costly: Iterable[Var], coefficients: AbstractSet[Var]
) -> list[Var]:
    """The values of the fewest bytes from which all wanted ones follow, running nothing again that gives a costly one.

    Single numbers that are coefficients are computed from what they depend on.
    """
    producers = {out: e for e in equations for out in e.outs}
    sources = set(costly)
    edges: list[tuple[Var, Var]] = []
    seen: set[Var] = set()
    stack = list(wanted)
    while stack:
        var = stack.pop()
        if var in seen:
            continue
        seen.add(var)
        if var in sources or var not in producers:
            continue
        before = uses(producers[var])
        edges += [(source, var) for source in before]
        stack += before

    def price(var: Var) -> int:
        if var not in producers:
            return 0
        if var in coefficients and not var.type.shape:
            return NEVER
        return TIES * cost(var) + (var in coefficients)

    cut = minimum_cut(edges, [v for v in seen if v in sources], list(dict.fromkeys(wanted)), price)
    return [v for v in cut if v in producers]


@dataclass(frozen=True)
class _Run:
    """The running of a costly equation, in the graph of the cut."""

    equation: Equation

    def __hash__(self) -> int:
        return id(self.equation)


# Coefficients


def coefficients_of(b: Builder) -> list[Equation]:
    """The equations of linear maps' coefficients, in order."""
    return [e for e in b.equations if e.outs and e.outs[0] in b.coefficients]


def move_into(primal: list[Equation], coefficients: list[Equation], stored: Iterable[Var]) -> None:
    """Have the primal compute the coefficients that are kept, each as soon as what it needs is there."""
    wanted = set(stored)
    chosen: list[Equation] = []
    for equation in reversed(coefficients):
        if any(out in wanted for out in equation.outs):
            wanted.update(uses(equation))
            chosen.append(equation)
    for equation in reversed(chosen):
        names = set(uses(equation))
        position = max((k + 1 for k, e in enumerate(primal) if names.intersection(e.outs)), default=0)
        primal.insert(position, equation)
