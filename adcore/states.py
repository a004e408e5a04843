"""What becomes of a value that a loop carries, within an iteration.

The body is given a state of it and yields one; the states between come one from the other.  What they are used for
beside, and what leads from one to the next, tells whether iterations only add to the value, or touch elements of it.
"""

from __future__ import annotations

from .program import Equation, Program, regions, uses
from .types import Atom, Var

__all__ = ["Additions", "Elements"]


class States:
    """The states of a carry, from the one that the body is given to the one that it yields.

    Control flow leads a state on if its regions do: a loop that carries it, branches that all give one.
    """

    def __init__(self, carry: Var) -> None:
        self.states: set[Atom] = {carry}
        self.past: set[Atom] = set()  # states of which the next one has been made
        self.kept: set[Atom] = set()  # those that all iterations of an inner loop see, or its body after its test

    def lead(self, body: Program, k: int) -> bool:
        """Whether the body leads from the carry to its k-th result alone, and uses the states for nothing else."""
        return self.through(body) and self.given(body) == [k]

    def through(self, region: Program) -> bool:
        return all(map(self.passes, region.equations))

    def passes(self, equation: Equation) -> bool:
        """Whether an equation leaves the states alone, or makes the next one."""
        used = self.states.intersection(uses(equation))
        if not used:
            return True
        if not used.isdisjoint(self.past):
            return False
        if not equation.primitive.has_regions:
            places = [k for k, atom in enumerate(equation.operands) if atom in self.states]
            return self.links(equation, places)
        loops = equation.primitive.name in ("loop", "while")
        leads = self.passes_loop(equation) if loops else self.passes_branches(equation)
        typed = [*equation.outs, *(param for _, region in regions(equation) for param in region.params)]
        return leads and self.states.isdisjoint(length for var in typed for length in var.type.shape)

    def links(self, equation: Equation, places: list[int]) -> bool:
        """Whether an equation without regions, of which some operands are states, does nothing else with them."""
        raise NotImplementedError

    def left(self, state: Atom) -> bool:
        """Whether the next state may be made of this one."""
        return True

    def given(self, region: Program) -> list[int] | None:
        """Which results of a region are states; None if they may not be."""
        places = [k for k, result in enumerate(region.results) if result in self.states]
        return places if all(self.left(region.results[k]) for k in places) else None

    def passes_loop(self, equation: Equation) -> bool:
        carried = len(equation.outs)
        first = len(equation.operands) - carried
        inits = equation.operands[first:]
        places = [k for k, init in enumerate(inits) if init in self.states]
        if any(atom in self.states for atom in equation.operands[:first]):
            return False
        if not all(self.left(inits[k]) for k in places):
            return False
        kept, self.kept = self.kept, set(self.states)
        for name, region in regions(equation):
            params = region.params[len(region.params) - carried :]
            entered = {params[k] for k in places}
            self.states |= entered
            if name == "test":
                self.kept |= entered
            if not self.through(region) or self.given(region) != (places if name == "body" else []):
                return False
        self.kept = kept
        self.states.update(equation.outs[k] for k in places)
        return True

    def passes_branches(self, equation: Equation) -> bool:
        # the condition is no state: it is a boolean
        before, after = self.past, set(self.past)
        given: list[list[int] | None] = []
        for _, region in regions(equation):
            self.past = set(before)
            if not self.through(region):
                return False
            given.append(self.given(region))
            after |= self.past
        self.past = after
        places = given[0]
        if places is None or any(others != places for others in given):
            return False
        self.states.update(equation.outs[k] for k in places)
        return True


class Additions(States):
    """States each of which is the carry and something that does not depend on it."""

    def __init__(self, carry: Var) -> None:
        super().__init__(carry)
        self.adds = carry.type.dtype.integer or carry.type.dtype.differentiable

    def lead(self, body: Program, k: int) -> bool:
        return self.adds and super().lead(body, k)

    def links(self, equation: Equation, places: list[int]) -> bool:
        name = equation.primitive.name
        adds = (
            (name in ("add", "plus") and len(places) == 1)
            or (name in ("sub", "add_at", "scatter_add", "conform") and places == [0])
            or (name == "select" and places == [1, 2])
        )
        self.states.update(equation.outs)
        return adds


class Elements(States):
    """States of an array of which elements at indices are read and written in place.

    Attributes:
        accesses: axis codes and their operands.
        reads: whether elements are read.
    """

    def __init__(self, carry: Var) -> None:
        super().__init__(carry)
        self.rank = carry.type.rank
        self.accesses: list[tuple[str, tuple[Atom, ...]]] = []
        self.reads = False

    def left(self, state: Atom) -> bool:
        if state in self.past or state in self.kept:
            return False
        self.past.add(state)
        return True

    def links(self, equation: Equation, places: list[int]) -> bool:
        name, operands = equation.primitive.name, equation.operands
        if places != [0] or name not in ("view", "update", "add_at", "conform"):
            return False
        if name != "conform":
            self.accesses.append((equation.params["codes"], operands[1 if name == "view" else 2 :]))
            self.reads |= name != "update"
        if name == "view":
            return True
        self.states.update(equation.outs)
        return self.left(operands[0])
