"""Whether a program is linear in some of its parameters, told by the table.

A value is zero, linear, or neither.  An equation is linear in those of its operands that are when the linear maps by
them do not depend on linear values themselves, and when the maps by its other operands do: a product of a constant and
a linear value is linear, a sum of them is not.  So nothing is stated here about any primitive that its row does not
say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import Any

from .builder import Builder
from .errors import Source
from .linear import Generator, is_differentiable
from .program import Equation, Program, regions, uses
from .types import Atom, Lit, Var

__all__ = ["Kind", "NotLinearError", "kinds_of"]


class Kind(IntEnum):
    """What a value is: 0 whatever the linear parameters are, linear in them, or independent of them."""

    ZERO = 0
    LINEAR = 1
    CONSTANT = 2


class NotLinearError(Exception):
    """A value is neither linear nor constant.

    Attributes:
        cause: what does it.
        source: where.
    """

    def __init__(self, cause: str, source: Source | None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.source = source


def kinds_of(program: Program, linear: Iterable[Var]) -> list[Kind]:
    """What each result of a program is, where these parameters vary.

    Raises:
        NotLinearError: some value depends on them, and not linearly.

    >>> from adcore.text import from_text
    >>> program = from_text('''
    ...     program f(x: f64, t: f64) -> (f64, f64) {
    ...       c: f64 = cos(x)
    ...       y: f64 = mul(c, t)
    ...       return y, c
    ...     }''')
    >>> kinds_of(program, program.params[1:])
    [<Kind.LINEAR: 1>, <Kind.CONSTANT: 2>]
    """
    found = _Kinds(linear)
    found.follow(program.equations)
    return [found.of(r) for r in program.results]


class _Kinds:
    """What values are, as far as they have been followed."""

    def __init__(self, linear: Iterable[Var]) -> None:
        self.known: dict[Var, Kind] = {}
        self.linear: set[Var] = set()
        for var in linear:
            self.enter(var, Kind.LINEAR)

    def enter(self, var: Var, kind: Kind) -> None:
        self.known[var] = kind
        if kind is Kind.LINEAR:
            self.linear.add(var)

    def enter_all(self, vars: Iterable[Var], kinds: Iterable[Kind]) -> None:
        for var, kind in zip(vars, kinds, strict=True):
            self.enter(var, kind)

    def of(self, atom: Atom) -> Kind:
        if isinstance(atom, Lit):
            is_zero = atom.dtype.differentiable and atom.value == 0
            return Kind.ZERO if is_zero else Kind.CONSTANT
        return self.known.get(atom, Kind.CONSTANT)

    def follow(self, equations: Iterable[Equation]) -> None:
        for equation in equations:
            name = equation.primitive.name
            if name in ("loop", "while"):
                self.follow_loop(equation)
            elif equation.primitive.has_regions:
                self.follow_branches(equation)
            else:
                self.follow_one(equation)

    def follow_branches(self, equation: Equation) -> None:
        branches = [region for _, region in regions(equation)]
        for branch in branches:
            self.follow(branch.equations)
        for out, *results in zip(equation.outs, *(b.results for b in branches), strict=True):
            self.enter(out, self.joined([self.of(r) for r in results], equation))

    def follow_loop(self, equation: Equation) -> None:
        body: Program = equation.params["body"]
        count = len(body.results)
        inits, params = equation.operands[len(equation.operands) - count :], body.params[len(body.params) - count :]
        for init, param in zip(inits, params, strict=True):
            self.enter(param, self.of(init))
        while True:
            self.follow(body.equations)
            pairs = list(zip(params, body.results, strict=True))
            after = [self.joined([self.of(p), self.of(r)], equation) for p, r in pairs]
            if after == [self.of(p) for p in params]:
                break
            self.enter_all(params, after)
        self.enter_all(equation.outs, map(self.of, params))
        if "test" in equation.params:
            test: Program = equation.params["test"]
            self.enter_all(test.params, map(self.of, params))
            self.follow(test.equations)

    def joined(self, kinds: Sequence[Kind], equation: Equation) -> Kind:
        """What may be either."""
        if Kind.LINEAR in kinds and Kind.CONSTANT in kinds:
            self.fail("this is linear on some paths, and a constant on others", equation)
        return max(kinds)

    def follow_one(self, equation: Equation) -> None:
        kinds = [self.of(a) for a in equation.operands]
        if equation.primitive.name == "empty":
            self.enter(equation.outs[0], Kind.ZERO)  # of which every element is still to be written
        elif Kind.LINEAR in kinds:
            self.require_linear(equation, kinds)
            self.enter_all(equation.outs, (Kind.LINEAR for _ in equation.outs))
        elif Kind.ZERO in kinds and self.vanishes(equation, kinds):
            self.enter_all(equation.outs, (Kind.ZERO for _ in equation.outs))

    def require_linear(self, equation: Equation, kinds: Sequence[Kind]) -> None:
        problem = self.problem(equation, kinds, [k for k, kind in enumerate(kinds) if kind is Kind.LINEAR])
        if problem is not None:
            self.fail(problem, equation)

    def vanishes(self, equation: Equation, kinds: Sequence[Kind]) -> bool:
        """Whether an equation gives zeros, as it is linear in one of its operands that are zero."""
        zeros = [k for k, kind in enumerate(kinds) if kind is Kind.ZERO]
        return any(self.problem(equation, kinds, [k]) is None for k in zeros)

    def problem(self, equation: Equation, kinds: Sequence[Kind], varying: Sequence[int]) -> str | None:
        """Why an equation is not linear in some of its operands, the constant ones fixed; None where it is."""
        name = equation.primitive.name
        if not all(map(is_differentiable, equation.outs)) or not equation.outs:
            return f"{name!r} is not linear"
        moving: set[Atom] = {equation.operands[k] for k in varying} | set(equation.outs)
        for index, (operand, kind) in enumerate(zip(equation.operands, kinds, strict=True)):
            fixed = index not in varying
            if not operand.type.dtype.differentiable or (fixed and kind is not Kind.CONSTANT):
                continue
            for number in range(len(equation.outs)):
                rule = equation.primitive.map_for(index, number)
                if fixed:
                    if rule is not None and not self.depends(rule, equation, moving):
                        return f"{name!r} of a linear value and of one that does not vary is not linear"
                elif rule is None or self.depends(rule, equation, moving):
                    return f"{name!r} is not linear"
        return None

    def depends(self, rule: Any, equation: Equation, varying: set[Atom]) -> bool:
        """Whether a linear map depends on linear values, or on others that vary."""
        b = Builder()
        generator = rule(b, equation)
        found = set(varying)
        for each in b.equations:
            if any(v in found or v in self.linear for v in uses(each)):
                found.update(each.outs)
        return any(a in found or a in self.linear for a in _atoms(generator))

    def fail(self, cause: str, equation: Equation) -> None:
        raise NotLinearError(cause, equation.source)


def _atoms(thing: Any) -> Iterator[Atom]:
    """The residuals of a linear map, at any depth."""
    if isinstance(thing, Var | Lit):
        yield thing
    elif isinstance(thing, Generator):
        yield from _atoms(thing.residuals)
    elif isinstance(thing, tuple):
        for part in thing:
            yield from _atoms(part)
