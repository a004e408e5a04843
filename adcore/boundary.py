"""The boundary between the primal part of a derivative and its reverse part: what is kept across it.

    Sweep.joined()   one program: the primal, then the reverse part           (grad)
    Sweep.split()    two programs, the second with what is kept as parameters (vjp)

Both keep the same. In forward mode in two parts (linearize) the second one is the linear program of the tangents.
What the reverse part needs is the coefficients of linear maps, indices, and what loops have stored. A minimum vertex
cut in bytes between what is costly to compute and what is needed says what to keep: from that, from the arguments and
from captured values the rest follows by cheap operations, done again where they are needed. Nothing costly is done
twice: no product of matrices, reduction, loop, nor any elementary function.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .choice import FAST, choose_kept, move_into, needed
from .passes.dce import eliminate_dead
from .passes.deferral import defer
from .passes.reading import read_elements
from .primitives import Kind
from .program import Equation, Program, clone, clone_equation, defined, free_variables, regions, uses
from .recomputation import rename, unchecked
from .types import Atom, Var

__all__ = ["Sweep"]

CHEAP = {*FAST, "expand", "reshape", "permute", "conform", "view", "iota", "empty"}


@dataclass
class Sweep:
    """A reverse-mode program in its two parts.

    Attributes:
        name: of the primal program.
        params: of the primal program.
        late: further parameters, the cotangents, which the reverse part alone has.
        primal, reverse: the equations of the two parts.
        values, gradients: the results of each.
        coefficients: values of the reverse part that are coefficients of linear maps.
        seeded: for each of `late` the position of the result that it is a cotangent of.
        cotangents: values of the primal part that loops give which are run together with their duals.
    """

    name: str
    params: tuple[Var, ...]
    late: tuple[Var, ...]
    primal: list[Equation]
    reverse: list[Equation]
    values: tuple[Atom, ...]
    gradients: tuple[Atom, ...]
    coefficients: set[Var] = field(default_factory=set)
    seeded: tuple[int, ...] = ()
    cotangents: set[Var] = field(default_factory=set)

    def joined(self) -> Program:
        return defer(read_elements(eliminate_dead(self.whole())))

    def whole(self) -> Program:
        """Both parts, with what no result depends on."""
        return Program(
            (*self.params, *self.late),
            [*self.primal, *self.reverse],
            (*self.values, *self.gradients),
            f"pull_{self.name}",
        )

    def split(self) -> tuple[Program, Program]:
        """The primal part, which gives the values, then what is kept; the reverse part, which takes that first."""
        region = Program(self.late, self.reverse, self.gradients)
        bound = {a for v in self.late for a in v.type.shape}
        kept: dict[Var, None] = {}
        for var in free_variables(region):
            if var not in bound:
                kept.update(dict.fromkeys(a for a in var.type.shape if isinstance(a, Var) and a not in bound))
                kept[var] = None
        first = Program(self.params, self.primal, (*self.values, *kept), f"forward_{self.name}")
        second = Program((*kept, *self.late), self.reverse, self.gradients, f"backward_{self.name}")
        return eliminate_dead(first), defer(read_elements(clone(second)))

    def kept(self) -> list[Var]:
        """The values that the primal part computes and the reverse part reads, lengths left out."""
        made = defined(Program((), self.primal)) - self.cotangents
        region = Program(self.late, self.reverse, self.gradients)
        lengths = lengths_in(self.primal) | lengths_in(self.reverse)
        return [v for v in free_variables(region) if v in made and (v.type.shape or v not in lengths)]

    def read(self) -> list[Var]:
        """The parameters of the primal program that the reverse part reads."""
        region = free_variables(Program(self.late, self.reverse, self.gradients))
        return [p for p in self.params if p in region]

    def prune(self) -> None:
        """Remove what no result depends on."""
        reverse = set(map(id, self.reverse))
        equations = eliminate_dead(self.whole()).equations
        self.primal = [e for e in equations if id(e) not in reverse]
        self.reverse = [e for e in equations if id(e) in reverse]

    def economize(self) -> Sweep:
        """Keep the fewest bytes."""
        self.prune()
        coefficients = [e for e in self.reverse if e.outs and e.outs[0] in self.coefficients]
        computed = [*self.primal, *coefficients]
        lengths = lengths_in(self.reverse) | lengths_in(self.primal)  # these have one name on both sides
        own = {out for e in computed for out in e.outs} - lengths
        others = [e for e in self.reverse if not (e.outs and e.outs[0] in self.coefficients)]
        wanted = needed(others, self.gradients, own)
        if not any(v.type.shape for v in wanted):
            return self  # a few numbers
        costly = [out for e in self.primal if is_costly(e) for out in e.outs]
        computed = [e for e in computed if not lengths.intersection(e.outs)]
        kept = choose_kept(computed, wanted, costly, self.coefficients)
        move_into(self.primal, coefficients, [*kept, *lengths])
        self._compute_again(computed, others, set(kept))
        self.prune()
        return self

    def settle(self) -> Sweep:
        """Keep the coefficients themselves, for a second part that is run many times."""
        self.prune()
        coefficients = [e for e in self.reverse if e.outs and e.outs[0] in self.coefficients]
        others = [e for e in self.reverse if not (e.outs and e.outs[0] in self.coefficients)]
        own = {out for e in coefficients for out in e.outs}
        move_into(self.primal, coefficients, needed(others, self.gradients, own))
        self.reverse = others
        return self

    def _compute_again(self, computed: list[Equation], others: list[Equation], kept: set[Var]) -> None:
        """Put copies of what follows from the kept values in front of the first use."""
        producers = {out: e for e in computed for out in e.outs}
        env: dict[Var, Atom] = {}
        equations: list[Equation] = []

        def provide(wanted: Iterable[Var]) -> None:
            for var in wanted:
                equation = producers.get(var)
                if equation is None or var in kept or var in env:
                    continue
                provide(uses(equation))
                equations.append(unchecked(clone_equation(equation, env)))

        for equation in others:
            provide(uses(equation))
            rename([equation], (), env)
            equations.append(equation)
        provide([g for g in self.gradients if isinstance(g, Var)])
        self.gradients = tuple(rename([], self.gradients, env))
        self.reverse = equations


def lengths_in(equations: list[Equation]) -> set[Var]:
    """The values that are lengths in the types of any values, at any depth."""
    found: set[Var] = set()
    for equation in equations:
        found.update(a for out in equation.outs for a in out.type.shape if isinstance(a, Var))
        for _, region in regions(equation):
            found.update(a for p in region.params for a in p.type.shape if isinstance(a, Var))
            found |= lengths_in(region.equations)
    return found


def is_costly(equation: Equation) -> bool:
    """Whether the equation is not to be run a second time."""
    return equation.primitive.kind is not Kind.CHECK and equation.primitive.name not in CHEAP
