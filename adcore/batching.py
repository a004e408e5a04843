"""Many tangents at once: values with one more axis.

What depends on the tangents of a derivative gets a further axis, the last one, which lies innermost in memory; all else
stays as it is and is computed once.  So the seeds of a Jacobian become the lanes of vector instructions, beside one
run of the primal.  Tangents decide no branch, no length and no index, which is what the pass relies on; elements of a
batch (`adcore.lanes`) may, and are refused then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from .builder import Builder
from .errors import MissingRuleError
from .linear import zeros
from .marks import RULED
from .primitives import Kind
from .program import Equation, Program, clone_equation, regions, uses
from .rules import Rule
from .types import I64, Atom, Lit, Var

__all__ = ["Batch"]


class Batch:
    """Equations emitted with a further axis at what depends on the seeds.

    Args:
        b: where they are emitted.
        length: the length of the further axis.
        seeds: for each value that is to have it, one that has.
    """

    def __init__(self, b: Builder, length: Atom, seeds: dict[Var, Atom]) -> None:
        self.b = b
        self.length = length
        self.names = dict(seeds)  # of what has the further axis
        self.marked = set(seeds)

    def emit(self, equations: list[Equation]) -> None:
        """Emit the equations, which are used up.

        Raises:
            MissingRuleError: a primitive meets the further axis that has no rule for it.
        """
        self.spread(equations)
        self.convert(self.b, equations)

    def value(self, atom: Atom) -> Atom:
        """A value with the further axis."""
        return self.lifted(self.b, atom)

    def lifted(self, b: Builder, atom: Atom) -> Atom:
        if isinstance(atom, Var) and atom in self.marked:
            return self.names[atom]
        return b.expand(atom, self.length, axes=(atom.type.rank,))

    # Which values

    def is_marked(self, atom: Atom) -> bool:
        return not isinstance(atom, Lit) and atom in self.marked

    def spread(self, equations: Iterable[Equation]) -> None:
        """Mark what depends on marked values."""
        for equation in equations:
            if equation.primitive.name in ("loop", "while"):
                self._spread_loop(equation)
            elif equation.primitive.has_regions:
                for _, region in regions(equation):
                    self.spread(region.equations)
                    self._mark(zip(region.results, equation.outs, strict=True))
                if any(map(self.is_marked, equation.operands)):  # of a function with a stated derivative
                    self.marked.update(out for out in equation.outs if out.type.dtype.differentiable)
            elif any(v in self.marked for v in uses(equation)):
                self.marked.update(equation.outs)

    def _spread_loop(self, equation: Equation) -> None:
        body: Program = equation.params["body"]
        inits, params = carries(equation)
        self._mark(zip(inits, params, strict=True))
        count = -1
        while count != len(self.marked):
            count = len(self.marked)
            self.spread(body.equations)
            self._mark(zip(body.results, params, strict=True))
        self._mark(zip(params, equation.outs, strict=True))
        if "test" in equation.params:
            test: Program = equation.params["test"]
            self._mark(zip(params, test.params, strict=True))
            self.spread(test.equations)

    def _mark(self, pairs: Iterable[tuple[Atom, Var]]) -> None:
        self.marked.update(to for source, to in pairs if self.is_marked(source))

    # Emitting them

    def enter(self, var: Var) -> Var:
        """The counterpart of a value, with the further axis; the value itself where it has none."""
        if var not in self.marked:
            return var
        new = self.names[var] = Var(var.type.with_shape(*var.type.shape, self.length), var.name)
        return new

    def convert(self, b: Builder, equations: Iterable[Equation]) -> None:
        for equation in equations:
            with b.at(equation.source):
                if equation.primitive.has_regions:
                    self._control(b, equation)
                elif equation.primitive is RULED and not self.marked.isdisjoint(equation.outs):
                    self._ruled(b, equation)
                elif self.marked.isdisjoint(equation.outs):
                    if any(v in self.marked for v in uses(equation)):
                        self.refuse(equation)
                    b.adopt([equation])
                else:
                    rule = RULES.get(equation.primitive.name) or KINDS.get(equation.primitive.kind) or _without_rule
                    self.names[equation.outs[0]] = rule(_Operands(b, self, equation))

    def refuse(self, equation: Equation) -> Any:
        cause = f"many derivatives at once through {equation.primitive.name!r}"
        raise MissingRuleError(cause, equation.source, "one direction after the other: jvp(f, primals, tangents)")

    def _control(self, b: Builder, equation: Equation) -> None:
        if equation.primitive.name == "custom":
            self._custom(b, equation)
            return
        if self._is_decided(equation):
            self.refuse(equation)
        inits, params = carries(equation)
        decisive = equation.operands[: len(equation.operands) - len(inits)]
        ends: dict[str, tuple[Var, ...]] = dict.fromkeys(("body", "then", "otherwise"), params or equation.outs)
        operands = (*decisive, *self._like(b, inits, params))
        converted = {name: self._region(b, region, ends.get(name)) for name, region in regions(equation)}
        outs = tuple(self.enter(out) for out in equation.outs)
        b.enter(replace(equation, operands=operands, params={**equation.params, **converted}, outs=outs))

    def _custom(self, b: Builder, equation: Equation) -> None:
        """The values of a function for all directions at once, and its stated derivative for that."""
        from .batched_rules import Batched

        if self._refuses(equation.params["body"].equations):
            self._one_by_one(b, equation)
            return
        marked = tuple(map(self.is_marked, equation.operands))
        operands = tuple(self.lifted(b, a) if m else a for a, m in zip(equation.operands, marked, strict=True))
        params = {**equation.params, "body": self._region(b, equation.params["body"], equation.outs)}
        rule = equation.rule
        if isinstance(rule, Rule) and any(marked):
            one = clone_equation(equation, {})
            rule = Batched(rule.name, rule.arguments, rule.closed, rule.surrogate, rule.instead, one, marked)
        outs = tuple(self.enter(out) for out in equation.outs)
        b.enter(replace(equation, operands=operands, params=params, outs=outs, rule=rule))

    def _refuses(self, equations: Iterable[Equation]) -> bool:
        """Whether there is a branch or a loop that marked values decide, or an equation without a rule."""
        for equation in equations:
            name = equation.primitive.name
            if equation.primitive.has_regions:
                inner = () if name == "custom" else tuple(r.equations for _, r in regions(equation))
                if self._is_decided(equation) or any(map(self._refuses, inner)):
                    return True
            elif not self.marked.isdisjoint(equation.outs):
                if name not in RULES and equation.primitive.kind not in KINDS and equation.primitive is not RULED:
                    return True
            elif any(v in self.marked for v in uses(equation)):
                return True
        return False

    def _is_decided(self, equation: Equation) -> bool:
        """Whether marked values decide which region of an equation is run, or how often."""
        inits, _ = carries(equation)
        decisive = equation.operands[: len(equation.operands) - len(inits)]
        decided = equation.params["test"].results if "test" in equation.params else decisive
        return equation.primitive.name != "custom" and any(map(self.is_marked, decided))

    def _one_by_one(self, b: Builder, equation: Equation) -> None:
        """A function with a stated derivative, called for one direction after the other."""
        self._run_ahead(b, equation)
        k = Var(I64, "k")
        inside, env = b.region(), {}
        for operand in equation.operands:
            if self.is_marked(operand):
                codes = ":" * operand.type.rank + "i"
                env[operand] = inside.view(self.lifted(inside, operand), k, codes=codes)
        one = clone_equation(equation, env)
        inside.enter(one)
        inits: list[Atom] = []
        arrays: list[Var] = []
        results: list[Atom] = []
        pairs = [(out, found) for out, found in zip(equation.outs, one.outs, strict=True) if out in self.marked]
        for out, found in pairs:
            made = b.empty(*out.type.shape, self.length, dtype=out.type.dtype)
            inits.append(made)
            arrays.append(Var(made.type, out.name))
            value = inside.conform(found, *out.type.shape, checked=False) if out.type.shape else found
            results.append(inside.update(arrays[-1], value, k, codes=":" * out.type.rank + "i"))
        body = Program((k, *arrays), inside.equations, tuple(results), "directions")
        for (out, _), array in zip(pairs, b.loop(self.length, tuple(inits), body), strict=True):
            self.names[out] = array

    def _run_ahead(self, b: Builder, equation: Equation) -> None:
        """What a function gives that no direction decides, as lengths are: by a call for zeros."""
        if all(out in self.marked for out in equation.outs):
            return
        still = {a: zeros(b, a.type) for a in equation.operands if isinstance(a, Var) and self.is_marked(a)}
        ahead = clone_equation(equation, still)
        ahead.outs = tuple(
            found if out in self.marked else out for out, found in zip(equation.outs, ahead.outs, strict=True)
        )
        b.enter(ahead)

    def _ruled(self, b: Builder, equation: Equation) -> None:
        """A value with a stated pullback (see `adcore.marks`)."""
        from .batched_rules import BatchedMap, BatchedPullback
        from .ruling import Map

        first, count = equation.params["values"], equation.params["arguments"]
        marked = tuple(map(self.is_marked, equation.operands))
        values = tuple(self.lifted(b, a) for a in equation.operands[:first])
        rest = zip(equation.operands[first:], marked[first:], strict=True)
        operands = (*values, *(self.lifted(b, a) if m else a for a, m in rest))
        kind = BatchedMap if isinstance(equation.rule, Map) else BatchedPullback
        rule = kind(equation.rule, marked[first + count :], marked[first : first + count])
        outs = tuple(self.enter(out) for out in equation.outs)
        b.enter(replace(equation, operands=operands, outs=outs, rule=rule))

    def _region(self, b: Builder, region: Program, ends: tuple[Var, ...] | None) -> Program:
        """A region whose results have the further axis where `ends` have it."""
        inner = b.region()
        params = tuple(self.enter(p) for p in region.params)
        self.convert(inner, region.equations)
        results = region.results if ends is None else self._like(inner, region.results, ends)
        return Program(params, inner.equations, results, region.name)

    def _like(self, b: Builder, atoms: tuple[Atom, ...], ends: tuple[Var, ...]) -> tuple[Atom, ...]:
        """Values with the further axis where what they end in has it."""
        pairs = zip(atoms, ends, strict=True)
        return tuple(self.lifted(b, atom) if end in self.marked else atom for atom, end in pairs)


def carries(equation: Equation) -> tuple[tuple[Atom, ...], tuple[Var, ...]]:
    """The initial values that a loop carries and their parameters; none for a branch."""
    if equation.primitive.name not in ("loop", "while"):
        return (), ()
    counted = equation.primitive.name == "loop"
    return equation.operands[counted:], equation.params["body"].params[counted:]


class _Operands:
    """An equation's operands, those with the further axis replaced by what has it."""

    def __init__(self, b: Builder, batch: Batch, equation: Equation) -> None:
        self.b = b
        self.batch = batch
        self.equation = equation
        self.marked = [batch.is_marked(a) for a in equation.operands]
        self.values = [batch.lifted(b, a) if m else a for a, m in zip(equation.operands, self.marked, strict=True)]
        self.shape = equation.outs[0].type.shape

    @property
    def length(self) -> Atom:
        return self.batch.length

    def emit(self, *operands: Atom, **params: Any) -> Atom:
        """The equation itself on other operands."""
        return self.b.emit(self.equation.primitive, operands, {**self.equation.params, **params})

    def lifted(self, k: int) -> Atom:
        return self.batch.lifted(self.b, self.equation.operands[k])

    def only(self, *places: int) -> None:
        """Refuse unless all operands in other places are without the further axis."""
        if any(marked for k, marked in enumerate(self.marked) if k not in places):
            self.batch.refuse(self.equation)


# The rules: each gives the equation's result with the further axis.


def _without_rule(of: _Operands) -> Atom:
    return of.batch.refuse(of.equation)


def _elementwise(of: _Operands) -> Atom:
    return of.emit(*(of.lifted(k) if of.shape or of.marked[k] else v for k, v in enumerate(of.values)))


def _lengthened(of: _Operands) -> Atom:
    """`reshape` and `conform`: the operands after the first are the lengths of the result."""
    of.only(0)
    return of.emit(*of.values, of.length)


def _read(of: _Operands) -> Atom:
    of.only(0)
    return of.emit(*of.values, codes=of.equation.params["codes"] + ":")


def _written(of: _Operands) -> Atom:
    of.only(0, 1)
    return of.emit(of.lifted(0), of.lifted(1), *of.values[2:], codes=of.equation.params["codes"] + ":")


def _of_first(of: _Operands) -> Atom:
    of.only(0)
    return of.emit(*of.values)


def _permuted(of: _Operands) -> Atom:
    return of.emit(of.values[0], order=(*of.equation.params["order"], len(of.shape)))


def _product(of: _Operands) -> Atom:
    b, (left, right) = of.b, of.values
    if of.marked == [False, True]:
        return _columns(of, left, right)
    if of.marked == [True, False]:  # (right' left')', so that the further axis stays where it is
        turned = _columns(of, _turned(b, right, 0), _turned(b, left, 1))
        return _turned(b, turned, 1)
    return _last(b, b.matmul(_first(b, left), _first(b, right)))


def _columns(of: _Operands, matrix: Atom, x: Atom) -> Atom:
    """matrix @ x for each element of the further axis of x: its columns side by side."""
    *leading, rows, columns, length = x.type.shape
    flat = of.b.reshape(x, *leading, rows, of.b.mul(columns, length))
    product = of.b.matmul(matrix, flat)
    return of.b.reshape(product, *product.type.shape[:-1], columns, length)


def _turned(b: Builder, x: Atom, further: int) -> Atom:
    """Each matrix transposed, in front of the further axis where there is one."""
    axes = list(range(x.type.rank))
    row, column = x.type.rank - 2 - further, x.type.rank - 1 - further
    axes[row], axes[column] = column, row
    return b.permute(x, order=tuple(axes))


def _first(b: Builder, x: Atom) -> Atom:
    """The last axis brought to the front."""
    rank = x.type.rank
    return b.permute(x, order=(rank - 1, *range(rank - 1)))


def _last(b: Builder, x: Atom) -> Atom:
    """The first axis brought to the end."""
    return b.permute(x, order=(*range(1, x.type.rank), 0))


def _solved(of: _Operands) -> Atom:
    """Right-hand sides side by side."""
    place = 3 if of.equation.primitive.name == "sparse_solve" else 1
    of.only(place)
    *leading, rows, columns, length = of.values[place].type.shape
    flat = of.b.reshape(of.values[place], *leading, rows, of.b.mul(columns, length))
    solution = of.emit(*of.values[:place], flat, *of.values[place + 1 :])
    return of.b.reshape(solution, *leading, rows, columns, length)


def _balanced(of: _Operands) -> Atom:
    """Right-hand sides of Sylvester's equation, one after the other."""
    of.only(2)
    b, (first, second, given, *factors) = of.b, of.values
    k, made = Var(I64, "k"), b.empty(*given.type.shape, dtype=given.type.dtype)
    inside, so_far = b.region(), Var(made.type, "made")
    one = inside.view(given, k, codes="::i")
    solution = inside.emit(of.equation.primitive, (first, second, one, *factors), of.equation.params)
    body = Program((k, so_far), inside.equations, (inside.update(so_far, solution, k, codes="::i"),), "directions")
    return b.loop(of.length, (made,), body)[0]


def _transformed(of: _Operands) -> Atom:
    """The Fourier transform along the last axis but one."""
    rank = len(of.shape) + 1
    order = (*range(rank - 2), rank - 1, rank - 2)
    return of.b.permute(of.emit(of.b.permute(of.values[0], order=order)), order=order)


def _marked(of: _Operands) -> Atom:
    """A mark of `adcore.marks`, of one result."""
    return of.b.append(of.equation.primitive, tuple(of.lifted(k) for k in range(len(of.values))), {})[0]


Rewrite = Callable[[_Operands], Atom]

KINDS: dict[Kind, Rewrite] = {
    Kind.ELEMENTWISE: _elementwise,
    Kind.REDUCTION: _of_first,
    Kind.GATHER: _read,
    Kind.FOURIER: _transformed,
    Kind.CONTRACTION: _product,
}
RULES: dict[str, Rewrite] = {
    "expand": _of_first,
    "reshape": _lengthened,
    "conform": _lengthened,
    "permute": _permuted,
    "view": _read,
    **dict.fromkeys(("update", "add_at", "scatter", "scatter_add"), _written),
    "grow": _of_first,
    **dict.fromkeys(("once", "same", "detach", "tangent", "attach"), _marked),
    **dict.fromkeys(("solve", "solve_triangular", "sparse_solve"), _solved),
    "sylvester": _balanced,
}
