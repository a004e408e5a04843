"""Functions that solve a condition, by which they are differentiated: `custom_root` and `custom_fixed_point`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from ..builder import Builder
from ..custom_calls import called, lengths_of, more_than_a_value
from ..dispatch import Transformed, transformed
from ..errors import AliasError, DtypeError, RuleError, refuse
from ..plugins import Leaf, Lowered, Spec, Static
from ..program import Program
from ..rules import conformed
from ..signatures import definition, name_of, places_of, signature_of
from ..stated import described
from ..transforms import Transform, lower, parameter, unchanging, without_writes
from ..trees import leaves, map_leaves, matched, structure
from ..types import Atom, DType
from .rule import Implicit
from .systems import Solver

__all__ = ["ImplicitFunction", "Solution", "custom_fixed_point", "custom_root", "implicit"]


@dataclass(frozen=True)
class Solution(Transform):
    """A function that solves a condition, as one equation whose derivative is that of the condition.

    Attributes:
        condition: `condition(solution, *arguments)`, the arguments being those of the function after its first one.
        fixed_point: whether the condition gives the solution again, instead of zeros.
        has_aux: whether the function returns (solution, aux), of which the latter has no derivative.
        solver: of the linear systems.
    """

    condition: Callable[..., Any] = field(kw_only=True)
    fixed_point: bool = field(default=False, kw_only=True)
    has_aux: bool = field(default=False, kw_only=True)
    solver: Solver = field(kw_only=True)

    @property
    def title(self) -> str:
        return "custom_fixed_point" if self.fixed_point else "custom_root"

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        places, _ = places_of(self.function, arguments)
        if not places:
            self.wrong(RuleError, "takes no argument: the first one is where its solver begins", "def solver(init, …)")
        first, *rest = (place.of(arguments) for place in places)
        lowered = lower(self.function, arguments)
        problem = more_than_a_value(lowered)
        if problem is not None:
            self.wrong(*problem)
        solution, aux = self.parted(lowered.result)
        program = lowered.program
        order = [leaf.index for leaf in leaves((solution, aux)) if isinstance(leaf, Leaf)]
        unknowns = [program.results[leaf.index] for leaf in leaves(solution) if isinstance(leaf, Leaf)]
        if not unknowns or not all(x.type.dtype.differentiable for x in unknowns):
            self.wrong(DtypeError, f"returns {described(solution)}, not real or complex numbers or arrays of them")
        count = iter(range(len(order)))
        lowered.result = map_leaves(lambda x: Leaf(next(count)) if isinstance(x, Leaf) else x, lowered.result)
        condition = self.conditioned(solution, unknowns, rest)
        own = len(program.params)
        before = sum(isinstance(leaf, Spec) for leaf in leaves(first))
        given = sum(isinstance(leaf, Spec) for leaf in leaves(tuple(rest)))
        captured = condition.program.params[len(unknowns) + given :]
        around = tuple(parameter(capture.spec, str(capture.name)) for capture in self.solver.around)
        closed = own + len(captured)
        rule = Implicit(
            name=name_of(self.function),
            function=self.function,
            arguments=closed + len(around),
            condition=condition.program,
            unknowns=len(unknowns),
            places=(*range(before, before + given), *range(own, closed)),
            solver=self.solver,
            further=len(order) - len(unknowns),
            around=tuple(range(closed, closed + len(around))),
        )
        results = tuple(program.results[k] for k in order)
        params = (*program.params, *captured, *around)
        lowered.program = called(Program(params, program.equations, results, program.name), rule)
        lowered.captures = (*lowered.captures, *condition.captures, *self.solver.around)
        lowered.guards = (*lowered.guards, *condition.guards)
        return lowered

    def parted(self, result: Any) -> tuple[Any, Any]:
        """The structures of the solution and of what is returned beside it."""
        if not self.has_aux:
            return result, ()
        if not isinstance(result, tuple) or len(result) != 2:
            self.wrong(RuleError, f"returns {described(result)}, and has_aux=True is for a pair (solution, aux)")
        return result

    def conditioned(self, solution: Any, unknowns: list[Atom], rest: list[Any]) -> Lowered:
        """The program of the condition, with one result for each unknown, of its type and shape."""
        values = iter(unknowns)

        def as_argument(leaf: Any) -> Any:
            if not isinstance(leaf, Leaf):
                return leaf if isinstance(leaf, Static) else Static(leaf)
            x = next(values)
            return Spec(
                x.type.dtype, lengths_of(x), python=not x.type.shape and x.type.dtype in (DType.F64, DType.C128)
            )

        given = (map_leaves(as_argument, solution), *rest)
        try:
            bound = signature_of(self.condition).bind(*given)
        except TypeError as error:
            cause = f"is called with a solution and {len(rest)} arguments: {error}"
            self.wrong_condition(cause, f"def {name_of(self.condition)}(solution, *arguments)")
        bound.apply_defaults()
        lowered = without_writes(unchanging(lower(self.condition, tuple(bound.arguments.values()))))
        if any(w.state for w in lowered.writes):
            self.wrong_condition("draws from a random generator", "what was drawn, as an argument")
        try:
            found = matched(structure(solution), lowered.result)
        except ValueError:
            self.wrong_condition(f"gives {described(lowered.result)} for {described(solution)}")
        lowered.program = self.residual(lowered.program, [leaf.index for leaf in found if isinstance(leaf, Leaf)])
        return lowered

    def residual(self, program: Program, order: list[int]) -> Program:
        """The program whose results are 0 at the solution."""
        b = Builder()
        b.source = definition(self.condition)
        b.adopt(program.equations)
        found: list[Atom] = []
        for k, x in zip(order, program.params, strict=False):
            value = program.results[k]
            if value.type.dtype is not x.type.dtype or value.type.rank != x.type.rank:
                self.wrong_condition(f"gives {described(value.type)} for {described(x.type)}")
            what = f"what {name_of(self.condition)} gives"
            value = conformed(b, value, x.type, what, definition(self.condition))
            found.append(b.sub(value, x) if self.fixed_point else value)
        if not order:
            self.wrong_condition("gives no number or array")
        return Program(program.params, b.equations, tuple(found), program.name)

    def wrong(self, kind: type[RuleError | AliasError | DtypeError], cause: str, write: str = "") -> NoReturn:
        refuse(
            kind, f"{name_of(self.function)}, differentiated by {self.title}, {cause}", definition(self.function), write
        )

    def wrong_condition(
        self, cause: str, write: str = "one value for each number and array of the solution"
    ) -> NoReturn:
        what = f"{name_of(self.condition)}, the condition of {name_of(self.function)}"
        refuse(RuleError, f"{what}, {cause}", definition(self.condition), write)


class ImplicitFunction(Transformed):
    """What `custom_root` and `custom_fixed_point` make of a solver."""


def implicit(
    solver: Callable[..., Any], condition: Callable[..., Any], solve: Any, fixed_point: bool, has_aux: bool
) -> Any:
    """A solver with the derivative that its condition gives."""
    made = Solution(solver, condition=condition, solver=Solver.of(solve), fixed_point=fixed_point, has_aux=has_aux)
    return transformed(made, kind=ImplicitFunction)


def custom_root(condition: Callable[..., Any], has_aux: bool = False, solve: Any = "auto") -> Callable[..., Any]:
    """Differentiate a solver by the condition that its solution fulfils, whatever its iterations are.

    With F(x, *arguments) = 0 for all arguments, the derivative of the solution x is that of the implicit function
    theorem: ∂₁F dx = -∂₂F d(arguments), in either mode and of any order (Blondel et al., arXiv:2105.15183).

    Args:
        condition: F, a function of the solution and of the solver's arguments after its first one, of the language.  It
            gives as many numbers as the solution has, in the same structure, and may close over values: the derivative
            by these is right too.
        has_aux: whether the solver returns (solution, aux); aux has no derivative.
        solve: how the linear systems are solved: "auto" ("lu" for up to 256 unknowns, else "gmres"), "lu", "lstsq",
            "sparse", "cg" (symmetric definite derivatives, as of minima), "bicgstab", "gmres", "normal_cg", "lsmr",
            "neumann", "scipy:gmres", …, or a function `solve(matvec, b)` of the language, which gets a product and a
            vector (see `adcore.implicit`).

    Returns:
        A decorator of a solver `solver(init, *arguments)`.  What it begins with has no derivative, and neither has
        anything that it closes over and the condition does not.

    Raises:
        RuleError: the condition does not fit the solution.
        LinAlgError: at the call of a derivative: ∂₁F is singular there, or an iteration has not converged.
        ValueError: a solver of this name is not known.

    >>> from scipy.optimize import brentq
    >>> from adcore import grad, host_call
    >>> def by_scipy(a):
    ...     return brentq(lambda x: x**3 + x - a, -10.0, 10.0, xtol=1e-14)
    >>> @custom_root(lambda x, a: x**3 + x - a)
    ... def cubic(init, a):
    ...     return host_call(by_scipy, 0.0, a)
    >>> round(grad(cubic, argnums=1)(0.0, 10.0), 12)  # 1 / (3 x² + 1) at x = 2
    0.076923076923
    """
    return functools.partial(implicit, condition=condition, solve=solve, fixed_point=False, has_aux=has_aux)


def custom_fixed_point(condition: Callable[..., Any], has_aux: bool = False, solve: Any = "auto") -> Callable[..., Any]:
    """Differentiate a solver by the map whose fixed point its solution is: T(x, *arguments) = x.

    Arguments, result and errors as of `custom_root`, to which T(x) - x = 0 is the condition.

    >>> import math
    >>> from adcore import grad
    >>> def cosine(x, a):
    ...     return math.cos(a * x)
    >>> @custom_fixed_point(cosine)
    ... def solver(x, a):
    ...     for _ in range(200):
    ...         x = cosine(x, a)
    ...     return x
    >>> x = solver(1.0, 1.0)
    >>> math.isclose(grad(solver, argnums=1)(1.0, 1.0), -math.sin(x) * x / (1.0 + math.sin(x)))
    True
    """
    return functools.partial(implicit, condition=condition, solve=solve, fixed_point=True, has_aux=has_aux)
