"""Going through a program and emitting the smooth one: equations one by one, and control flow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import NoReturn

from ..builder import Builder
from ..errors import UnsupportedFunctionError, refuse
from ..linear import zeros
from ..primitives import Kind
from ..primitives.kinks import constant
from ..program import Equation, Program, clone_equation, defined, fresh, regions, retyped, substitute
from ..surrogates import Surrogate
from ..types import Atom, DType, Lit, Type, Var
from .choosing import hard_place
from .marking import Marks, is_constant, is_kept, is_real, places_of_extremum
from .rows import KEPT_KINKS, rule_of
from .values import Choice, Options, Soft, mean
from .writing import Write, common_write

__all__ = ["Softening", "softened"]


def softened(program: Program, moving: Iterable[Var], options: Options) -> Program:
    """The smooth program, with results of real numbers where booleans and integers depend on what moves.

    Args:
        program: the program, which is used up.
        moving: its parameters by which it is to be smooth.
        options: the temperature and so on.

    Raises:
        UnsupportedFunctionError: what depends on the parameters decides how often a loop runs, a length, or an index,
            or a branch gives an array of a length of its own.
    """
    given = set(moving)
    work = Softening(Marks(program, given), given, options)
    work.convert(program.equations)
    results = tuple(work.real(r) if work.is_soft(r) else work.name(r) for r in program.results)
    return Program(program.params, work.b.equations, results, program.name)


class Softening:
    """The smooth program under construction.

    Attributes:
        b: where equations are emitted at present.
        marks: what depends on the arguments, in the original program.
        moving: the real values among these, so far.
        names: for each original value, what it is now; for a soft one what it would be if it were not.
        soft: for booleans and integers that depend on the arguments, what has become of them.
        exact: for real values that are smooth now, what they would be if the equations in front, up to the begin of the
            region, were not: for `stop_gradient`.
        dtype: that of probabilities and means.
    """

    def __init__(self, marks: Marks, moving: set[Var], options: Options) -> None:
        self.b = Builder()
        self.marks = marks
        self.moving = set(moving)
        self.options = options
        self.names: dict[Var, Atom] = {}
        self.soft: dict[Var, Soft | Choice] = {}
        self.exact: dict[Var, Atom] = {}
        wide = any(v.type.dtype in (DType.F64, DType.C128) for v in moving)
        self.dtype = DType.F64 if wide else DType.F32

    # Values

    def name(self, atom: Atom) -> Atom:
        return substitute(atom, self.names)

    def exactly(self, atom: Atom) -> Atom:
        """A value that nothing has smoothed, as far as that is known."""
        return substitute(atom, self.exact) if isinstance(atom, Var) and atom in self.exact else self.name(atom)

    def is_soft(self, atom: Atom) -> bool:
        return isinstance(atom, Var) and atom in self.soft

    def moves(self, atom: Atom) -> bool:
        """Whether a value depends on the arguments."""
        return isinstance(atom, Var) and (atom in self.moving or atom in self.soft)

    def real(self, atom: Atom) -> Atom:
        """A value as real numbers: a real one itself, of a soft one the mean."""
        if isinstance(atom, Var) and atom in self.soft:
            found = self.soft[atom]
            return found.value if isinstance(found, Soft) else mean(self.b, found)
        given = self.name(atom)
        return given if is_real(given) else self.b.cast(given, dtype=self.dtype)

    def hard(self, value: Atom, dtype: DType) -> Atom:
        """The boolean or integer nearest to real numbers."""
        if dtype is DType.BOOL:
            return self.b.gt(value, 0.5)
        return self.b.cast(self.b.rint(value), dtype=dtype)

    def refuse(self, equation: Equation, cause: str, write: str = "stop_gradient(…) of what decides it") -> NoReturn:
        refuse(UnsupportedFunctionError, f"soft: {cause}", equation.source, write)

    def label(self, equation: Equation, instead: str, exact: bool = False) -> Surrogate:
        return Surrogate(equation.primitive.name, instead, exact, equation.source)

    # Equations

    def convert(self, equations: Iterable[Equation]) -> None:
        for equation in equations:
            with self.b.at(equation.source):
                if self.marks.is_reported(equation):
                    self.copied(equation)
                elif equation.primitive.has_regions:
                    self.control(equation)
                else:
                    self.row(equation)

    def row(self, equation: Equation) -> None:
        found = places_of_extremum(equation, self.marks)
        if found is None and not any(map(self.moves, equation.operands)):
            self.copied(equation)
            return
        if equation.primitive.kind is Kind.CHECK or is_kept(equation):
            self.kept(equation)
            return
        rule = rule_of(self, equation, found)
        if rule is None:
            self.plain(equation)
            return
        instead, emit = rule
        if found is not None:
            self.names[equation.outs[0]] = hard_place(self, equation, *found)
        elif not is_real(equation.outs[0]):
            self.copied(equation)
        with self.b.standing_for(self.label(equation, instead) if instead else self.b.surrogate):
            result = emit()
        (out,) = equation.outs
        if isinstance(result, Soft | Choice):
            self.soft[out] = result
        else:
            self.names[out] = result
            self.moving.add(out)
            self.remember(equation)

    def remember(self, equation: Equation) -> None:
        """What an equation is without smoothing; whatever nothing comes to need is left out in the end."""
        operands = tuple(map(self.exactly, equation.operands))
        self.exact[equation.outs[0]] = self.b.emit(equation.primitive, operands, equation.params)

    def plain(self, equation: Equation) -> None:
        """An equation that is smooth, or whose kinks stay."""
        if any(map(self.is_soft, equation.operands)):
            what = "an integer or a boolean that depends on the arguments"
            self.refuse(equation, f"{equation.primitive.name!r} of {what} has no smooth form")
        if equation.primitive.name in KEPT_KINKS:
            with self.b.standing_for(self.label(equation, f"itself: the kink at {equation.primitive.kinks[0]} stays")):
                self.copied(equation)
        else:
            self.copied(equation)
        self.moving.update(filter(is_real, equation.outs))
        if len(equation.outs) == 1 and any(a in self.exact for a in equation.operands if isinstance(a, Var)):
            self.remember(equation)

    def kept(self, equation: Equation) -> None:
        """An equation whose decision stays as it is, on the values of the smooth program."""
        if equation.primitive.name in ("eq", "ne", "cast"):
            with self.b.standing_for(self.label(equation, "itself: a comparison for equality stays")):
                self.copied(equation)
        else:
            self.copied(equation)

    def copied(self, equation: Equation) -> None:
        """An equation as it is, of what its operands are now."""
        if equation.primitive.kind is Kind.ELEMENTWISE and len(equation.outs) == 1:
            operands = tuple(map(self.name, equation.operands))
            self.names[equation.outs[0]] = self.b.emit(equation.primitive, operands, equation.params)
            return
        copy = clone_equation(equation, self.names)
        copy.surrogate = copy.surrogate or self.b.surrogate
        self.b.enter(copy)

    # Control flow

    def control(self, equation: Equation) -> None:
        name = equation.primitive.name
        if name == "custom":
            self.custom(equation)
        elif name in ("loop", "while"):
            self.loop(equation)
        elif name == "cond" and self.is_soft(equation.operands[0]):
            self.blended(equation)
        else:
            self.regions(equation)

    def custom(self, equation: Equation) -> None:
        """A function with a stated derivative, which is taken as smooth."""
        if is_constant(equation):
            exact = {a: self.exactly(a) for a in equation.operands if isinstance(a, Var)}
            copy = clone_equation(equation, {**self.names, **exact})
            self.b.enter(copy)
            self.names.update(zip(equation.outs, copy.outs, strict=True))
            return
        if any(map(self.is_soft, equation.operands)):
            what = "an integer or a boolean that depends on the arguments"
            self.refuse(equation, f"{equation.params['name']!r}, which has a stated derivative, is given {what}")
        self.b.enter(clone_equation(equation, self.names))
        if any(map(self.moves, equation.operands)):
            self.moving.update(filter(is_real, equation.outs))

    @contextmanager
    def inside(self) -> Iterator[Builder]:
        """A region in which equations are emitted."""
        outer, self.b = self.b, self.b.region()
        self.b.source, self.b.surrogate = outer.source, outer.surrogate
        try:
            yield self.b
        finally:
            self.b = outer

    def region(self, region: Program, params: tuple[Var, ...], ends: Sequence[Var] | None) -> Program:
        """A region whose results are real numbers where what they end in is soft; all are as they are without ends."""
        with self.inside() as b:
            for old, new in zip(region.params, params, strict=True):
                if old in self.soft:
                    self.names[old] = self.hard(new, old.type.dtype)
            self.convert(region.equations)
            results = tuple(map(self.name, region.results))
            if ends is not None:
                pairs = zip(region.results, results, ends, strict=True)
                results = tuple(self.real(r) if end in self.soft else name for r, name, end in pairs)
            return Program(params, b.equations, results, region.name)

    def entered(self, var: Var) -> Var:
        """The counterpart of a carried value or of a result of control flow."""
        if var not in self.marks:
            return fresh(var, self.names)
        if is_real(var):
            self.moving.add(var)
            return fresh(var, self.names)
        new = Var(Type(self.dtype, retyped(var.type, self.names).shape), var.name)
        self.soft[var] = Soft(new)
        return new

    def left(self, equation: Equation, outs: tuple[Var, ...]) -> None:
        """What soft results of control flow would be if they were not."""
        for old, new in zip(equation.outs, outs, strict=True):
            if old in self.soft:
                self.names[old] = self.hard(new, old.type.dtype)

    def require_lengths(self, equation: Equation, vars: Iterable[Var]) -> None:
        """Refuse lengths that depend on the arguments."""
        if any(n in self.marks for v in vars for n in v.type.shape):
            self.refuse(equation, "the length of an array depends on the arguments")

    def regions(self, equation: Equation) -> None:
        """A branch that nothing soft decides, or a checkpoint."""
        self.require_lengths(equation, equation.outs)
        outs = tuple(map(self.entered, equation.outs))
        made = {name: self.region(region, (), equation.outs) for name, region in regions(equation)}
        operands = tuple(map(self.name, equation.operands))
        self.b.enter(replace(equation, operands=operands, params={**equation.params, **made}, outs=outs))
        self.left(equation, outs)

    def loop(self, equation: Equation) -> None:
        body: Program = equation.params["body"]
        count = len(body.results)
        counters = body.params[: len(body.params) - count]
        carries = body.params[len(counters) :]
        first, inits = equation.operands[: len(counters)], equation.operands[len(counters) :]
        test: Program | None = equation.params.get("test")
        if any(map(self.is_soft, first)) or (test is not None and test.results[0] in self.marks):
            cause = "how often a loop runs depends on the arguments, and there is no mean of that"
            self.refuse(equation, cause, "stop_gradient(…) in what decides it, or a fixed number of iterations")
        self.require_lengths(equation, carries)
        made: dict[str, Program] = {}
        starts = tuple(self.real(i) if p in self.marks else self.name(i) for i, p in zip(inits, carries, strict=True))
        if test is not None:
            made["test"] = self.region(test, tuple(map(self.entered, test.params)), None)
        params = tuple(map(self.entered, body.params))
        made["body"] = self.region(body, params, carries)
        outs = tuple(map(self.entered, equation.outs))
        operands = (*map(self.name, first), *starts)
        self.b.enter(replace(equation, operands=operands, params={**equation.params, **made}, outs=outs))
        self.left(equation, outs)

    # Branches

    def blended(self, equation: Equation) -> None:
        """The mean of both branches by the probability of each.

        A branch whose probability is 0 is not run, so that it need not have a value there.
        """
        inner = {v for _, region in regions(equation) for v in defined(region)}
        if any(n in inner or n in equation.outs for out in equation.outs for n in out.type.shape):
            self.refuse(equation, "a branch that depends on the arguments gives an array of a length of its own")
        yes = self.real(equation.operands[0])
        label = self.label(equation, "the mean of both branches by the probability of the condition")
        weights = {"then": yes, "otherwise": self.b.sub(1.0, yes)}
        ends = [k for k, out in enumerate(equation.outs) if not self.settled(equation, k, out)]
        writes = {k: common_write(equation, k, inner, self.marks) for k in ends}
        parts: dict[str, dict[int, Atom]] = {}
        for name, region in regions(equation):
            wanted = {k: w.values.get(name) if (w := writes[k]) else region.results[k] for k in ends}
            found = {k: atom for k, atom in wanted.items() if atom is not None}
            parts[name] = dict(zip(found, self.branch(equation, name, region, weights[name], found), strict=True))
        with self.b.standing_for(label):
            for k in ends:
                write, given = writes[k], {name: part[k] for name, part in parts.items() if k in part}
                if write is None:
                    value = self.blend(equation.outs[k], yes, given["then"], given["otherwise"])
                else:
                    value = self.write(write, weights, given)
                self.settle(equation.outs[k], value)

    def settled(self, equation: Equation, k: int, out: Var) -> bool:
        """Whether both branches give the same value, from outside."""
        one, other = (region.results[k] for _, region in regions(equation))
        if one != other:
            return False
        self.names[out] = self.name(one)
        if self.is_soft(one):
            self.soft[out] = self.soft[one]  # type: ignore[index]
        elif self.moves(one):
            self.moving.add(out)
        return True

    def blend(self, out: Var, yes: Atom, one: Atom, other: Atom) -> Atom:
        """The mean of two values."""
        shape = tuple(map(self.name, out.type.shape))
        one, other = (self.b.conform(x, *shape, checked=True) if shape else x for x in (one, other))
        return weighted(self.b, yes, one, other)

    def write(self, write: Write, weights: dict[str, Atom], given: dict[str, Atom]) -> Atom:
        """The array after a write that one branch or both may do."""
        b, base, places = self.b, self.real(write.base), tuple(map(self.name, write.places))
        if len(given) == 2:
            return b.update(
                base, weighted(b, weights["then"], given["then"], given["otherwise"]), *places, **write.params
            )
        ((name, value),) = given.items()
        with self.inside() as inner:  # where the branch is not run, its place need not be one
            mixed = weighted(inner, weights[name], value, inner.view(base, *places, **write.params))
            certain = inner.select(inner.ge(weights[name], 1.0), value, mixed) if not mixed.type.shape else mixed
            written = Program((), inner.equations, (inner.update(base, certain, *places, **write.params),), "written")
        (out,) = b.cond(b.gt(weights[name], 0.0), written, Program((), [], (base,), "left"))
        return out

    def settle(self, out: Var, value: Atom) -> None:
        """Enter what a result has become."""
        if is_real(out):
            self.names[out] = value
            self.moving.add(out)
        else:
            self.soft[out] = Soft(value)
            self.names[out] = self.hard(value, out.type.dtype)

    def branch(
        self, equation: Equation, name: str, region: Program, weight: Atom, wanted: dict[int, Atom]
    ) -> list[Atom]:
        """Values of a branch as real numbers, zeros where its probability is 0."""
        with self.assumed(equation.operands[0], name == "then"), self.inside() as inner:
            self.convert(region.equations)
            results = [self.real(atom) for atom in wanted.values()]
        for each in inner.equations:
            explain(each, equation)
        if all(map(is_harmless, inner.equations)):
            for each in inner.equations:
                self.b.enter(each)
            return results
        then = Program((), inner.equations, tuple(results), name)
        nothing = self.b.region()
        types = [
            Type(r.type.dtype, tuple(map(self.name, (out if region.results[k] is atom else atom).type.shape)))
            for (k, atom), r, out in zip(wanted.items(), results, (equation.outs[k] for k in wanted), strict=True)
        ]
        otherwise = Program((), nothing.equations, tuple(zeros(nothing, t) for t in types), "nothing")
        return list(self.b.cond(self.b.gt(weight, 0.0), then, otherwise))

    @contextmanager
    def assumed(self, condition: Atom, holds: bool) -> Iterator[None]:
        """Inside, the condition is known, and what follows from it."""
        before: dict[Var, tuple[Soft | Choice | None, Atom]] = {}
        self._assume(condition, holds, before)
        try:
            yield
        finally:
            for var, (soft, name) in before.items():
                self.names[var] = name
                if soft is not None:
                    self.soft[var] = soft

    def _assume(self, atom: Atom, holds: bool, before: dict[Var, tuple[Soft | Choice | None, Atom]]) -> None:
        if not isinstance(atom, Var) or atom in before:
            return
        before[atom] = (self.soft.pop(atom, None), self.name(atom))
        self.names[atom] = constant(self.b, holds, self.name(atom))
        made = self.marks.defining.get(atom)
        name = made.primitive.name if made is not None else ""
        if made is None:
            return
        if name == "not":
            self._assume(made.operands[0], not holds, before)
        elif (name == "and" and holds) or (name == "or" and not holds):
            for operand in made.operands:
                self._assume(operand, holds, before)
        elif name in OPPOSITE:
            self._decide(made, holds, before)
        elif name == "select" and made.operands[0] in made.operands[1:]:  # Python's `and` and `or`
            conjunction = made.operands[2] == made.operands[0]
            if conjunction is holds:
                self._assume(made.operands[0], holds, before)
                self._assume(made.operands[1 if conjunction else 2], holds, before)

    def _decide(self, made: Equation, holds: bool, before: dict[Var, tuple[Soft | Choice | None, Atom]]) -> None:
        """Other comparisons of the same numbers, which are taken to be different."""
        x, y = made.operands
        above = holds is (made.primitive.name in ("gt", "ge"))
        for other in self.marks.compared.get((x, y), ()):
            self._assume(other.outs[0], above is (other.primitive.name in ("gt", "ge")), before)
        for other in self.marks.compared.get((y, x), ()):
            self._assume(other.outs[0], above is (other.primitive.name in ("lt", "le")), before)

    def resolved(self, atom: Atom) -> Atom:
        """Of a selection by a condition that is assumed, what is selected."""
        made = self.marks.defining.get(atom) if isinstance(atom, Var) else None
        while made is not None and made.primitive.name == "select":
            condition, one, other = made.operands
            known = known_of(self.b, self.name(condition))
            if known is None or self.is_soft(condition):
                break
            atom = one if known else other
            made = self.marks.defining.get(atom) if isinstance(atom, Var) else None
        return atom


OPPOSITE = ("lt", "le", "gt", "ge")


def known_of(b: Builder, atom: Atom) -> bool | None:
    """The boolean that a value is, or that all its elements are, if it is a constant."""
    made = b.defining(atom)
    if made is not None and made.primitive.name == "expand":
        atom = made.operands[0]
    return bool(atom.value) if isinstance(atom, Lit) else None


def weighted(b: Builder, yes: Atom, one: Atom, other: Atom) -> Atom:
    """yes · one + (1 - yes) · other."""
    if one == other:
        return one
    dtype = one.type.dtype
    yes = b.cast(yes, dtype=dtype)
    return b.add(b.mul(yes, one), b.mul(b.sub(1.0, yes), other))


_HARMLESS = {
    *("add", "sub", "mul", "neg", "maximum", "minimum", "abs", "select", "cast", "sign", "floor", "rint", "expit"),
    *("lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "sin", "cos", "tanh", "arctan", "erf", "erfc"),
    *("expand", "permute", "logaddexp", "hypot", "isnan", "isfinite"),
}


def is_harmless(equation: Equation) -> bool:
    """Whether an equation, and its derivative, have finite values for all finite operands, and no effect."""
    if any(a.type.dtype.integer for a in (*equation.operands, *equation.outs)) and equation.primitive.name == "cast":
        return equation.operands[0].type.dtype.integer
    return equation.primitive.name in _HARMLESS


def explain(equation: Equation, branch: Equation) -> None:
    """Have checks in a branch say why it is run."""
    for _, region in regions(equation):
        for inner in region.equations:
            explain(inner, branch)
    if equation.primitive.kind is Kind.CHECK and "soft runs" not in equation.params["message"]:
        where = f" in line {branch.source.line}" if branch.source else ""
        said = f"{equation.params['message']} (soft runs both branches of the condition{where})"
        equation.params = {**equation.params, "message": said}
