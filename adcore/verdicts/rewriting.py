"""Programs written again with further values carried through their control flow.

A `Rewriter` copies a program equation by equation into a builder.  What is to be known in the end, a distance or a
count, is a state: named values that every loop carries, and every branch gives, in which an equation changes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from ..builder import Builder
from ..program import Equation, Program, clone_equation, fresh, regions, substitute
from ..types import BOOL, Atom, Var

__all__ = ["Rewriter", "State"]

State = dict[Any, Atom]


@dataclass
class Rewriter:
    """Copies a program, and lets `visit` add to it behind each equation.

    Attributes:
        visit: (builder, original, copy, state): emits what is to be known, enters it in the state, and may give other
            values for the results of the equation.
        touched: the keys of the state that equations of a region change; None where there is nothing to visit in it.
    """

    visit: Callable[[Builder, Equation, Equation, State], dict[Var, Atom]]
    touched: Callable[[Program], Iterable[Any] | None]
    env: dict[Var, Atom] = field(default_factory=dict)

    def rewritten(self, program: Program, b: Builder, state: State) -> tuple[Atom, ...]:
        """Emit the equations of a program, whose parameters are in the environment, and give its results."""
        self.equations(program.equations, b, state)
        return tuple(substitute(r, self.env) for r in program.results)

    def equations(self, equations: Iterable[Equation], b: Builder, state: State) -> None:
        for equation in equations:
            name = equation.primitive.name
            keys = self.keys(equation)
            if keys is None:
                new = clone_equation(equation, self.env)
                b.enter(new)
                with b.at(equation.source):
                    self.env.update(self.visit(b, equation, new, state))
            elif name == "while" and self.touched(equation.params["test"]) is not None:
                self.turned_while(equation, b, state, keys)
            elif name in ("loop", "while"):
                self.loop(equation, b, state, keys)
            else:
                self.branches(equation, b, state, keys)

    def keys(self, equation: Equation) -> list[Any] | None:
        """What of the state the regions of an equation change; None where they are copied as they are."""
        if equation.primitive.name == "custom":
            return None
        found = [self.touched(region) for _, region in regions(equation)]
        if all(keys is None for keys in found):
            return None
        return list(dict.fromkeys(k for keys in found for k in keys or ()))

    def entered(self, region: Program, state: State, keys: list[Any]) -> tuple[tuple[Var, ...], State, tuple[Var, ...]]:
        """Fresh parameters of a region, the state inside of it, and its parameters for the state."""
        params = tuple(fresh(p, self.env) for p in region.params)
        carried = tuple(Var(state[k].type, "state") for k in keys)
        return params, {**state, **dict(zip(keys, carried, strict=True))}, carried

    def loop(self, equation: Equation, b: Builder, state: State, keys: list[Any]) -> None:
        """A loop that carries the state."""
        inits = tuple(substitute(a, self.env) for a in equation.operands)
        made: dict[str, Any] = dict(equation.params)
        if "test" in made:
            params, _, carried = self.entered(made["test"], state, keys)
            inner = b.region()
            (going,) = self.rewritten(made["test"], inner, state)
            made["test"] = Program((*params, *carried), inner.equations, (going,), "test")
        body: Program = equation.params["body"]
        params, inside, carried = self.entered(body, state, keys)
        inner = b.region()
        results = self.rewritten(body, inner, inside)
        made["body"] = Program((*params, *carried), inner.equations, (*results, *(inside[k] for k in keys)), "body")
        self.enter(b, equation, (*inits, *(state[k] for k in keys)), made, state, keys)

    def turned_while(self, equation: Equation, b: Builder, state: State, keys: list[Any]) -> None:
        """A loop that computes its test in front of it and at the end of its body, where the state can be changed."""
        test, body = equation.params["test"], equation.params["body"]
        inits = tuple(substitute(a, self.env) for a in equation.operands)
        self.env.update(zip(test.params, inits, strict=True))
        (going,) = self.rewritten(test, b, state)
        first = tuple(state[k] for k in keys)
        params, inside, carried = self.entered(body, state, keys)
        inner = b.region()
        results = self.rewritten(body, inner, inside)
        self.env.update(zip(test.params, results, strict=True))
        (further,) = self.rewritten(test, inner, inside)
        again = Var(BOOL, "going")
        after = (*results, *(inside[k] for k in keys), further)
        env: dict[Var, Atom] = {}
        asked = tuple(fresh(p, env) for p in (*params, *carried, again))
        made = {
            **equation.params,
            "test": Program(asked, [], (asked[-1],), "test"),
            "body": Program((*params, *carried, again), inner.equations, after, "body"),
        }
        self.enter(b, equation, (*inits, *first, going), made, state, keys, (Var(BOOL, "going"),))

    def branches(self, equation: Equation, b: Builder, state: State, keys: list[Any]) -> None:
        """Regions without parameters, each of which gives the state."""
        made: dict[str, Any] = dict(equation.params)
        for name, region in regions(equation):
            inner, inside = b.region(), dict(state)
            results = self.rewritten(region, inner, inside)
            made[name] = Program((), inner.equations, (*results, *(inside[k] for k in keys)), region.name)
        operands = tuple(substitute(a, self.env) for a in equation.operands)
        self.enter(b, equation, operands, made, state, keys)

    def enter(
        self,
        b: Builder,
        equation: Equation,
        operands: tuple[Atom, ...],
        params: dict[str, Any],
        state: State,
        keys: list[Any],
        further: tuple[Var, ...] = (),
    ) -> None:
        outs = tuple(fresh(v, self.env) for v in equation.outs)
        after = tuple(Var(state[k].type, "state") for k in keys)
        b.enter(replace(equation, operands=operands, params=params, outs=(*outs, *after, *further)))
        state.update(zip(keys, after, strict=True))
