"""The linear systems of implicit differentiation, emitted: a product from a condition, and a solver around it.

A solver is a function of the language.  It is lowered for a product that is a program, so that it is compiled together
with it.  Solvers that make a matrix are emitted as they stand: what depends on no right-hand side is a coefficient of
the linear program, computed once.  Of an iteration the steps do not matter, so that it is a function with a derivative
of its own, which is again that of a condition: A x = b.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from ..again import inner_lengths
from ..builder import Builder
from ..demands import Around, demanded
from ..derive import push_split, sweep
from ..errors import RuleError, refuse
from ..passes.dce import eliminate_dead
from ..plugins import Capture, Leaf, Lowered, Spec, Static
from ..program import Program, clone, substitute, uses
from ..rules import spliced
from ..signatures import definition, name_of
from ..transforms import lower
from ..types import I64, Atom, DType, Lit, Type, Var, literal
from . import linear_solvers
from .scipy_linear import ScipySolver, scipy_solver
from .unknowns import apart, dtype_of, is_complex_linear, joined

__all__ = ["LinearMap", "Solver", "solved"]

DIRECT = ("lu", "lstsq", "sparse")


@dataclass(frozen=True)
class Solver:
    """What solves the linear systems of a condition.

    Attributes:
        function: `function(matvec, b)`, of the language.
        around: what it may read of the functions around it, where it is defined inside of one that is compiled.
    """

    function: Callable[..., Any]
    around: tuple[Capture, ...] = ()

    @classmethod
    def of(cls, given: Any) -> Solver:
        """A solver by name, or a function.

        Raises:
            ValueError: there is none of this name.
        """
        if isinstance(given, Solver):
            return given
        if isinstance(given, str) and given == "sparse":
            from .sparse_direct import sparse

            return cls(sparse)
        if isinstance(given, str) and given.startswith("scipy:"):
            return cls(scipy_solver(given.removeprefix("scipy:")))
        if isinstance(given, str):
            if given not in linear_solvers.SOLVERS:
                known = ", ".join(map(repr, (*linear_solvers.SOLVERS, "sparse")))
                raise ValueError(f"solve={given!r}; there are {known}, scipy:gmres, …, and functions solve(matvec, b)")
            return cls(linear_solvers.SOLVERS[given])
        if not callable(given):
            raise TypeError(f"solve is {given!r}, not the name of a solver or a function solve(matvec, b)")
        return cls(given)

    @staticmethod
    def kept(given: Any) -> Any:
        """What is given; a partial that binds what one before has bound is that one, so that both compile once.

        >>> from adcore.implicit import cg, gmres
        >>> Solver.kept(functools.partial(cg, tol=1e-6)) is Solver.kept(functools.partial(cg, tol=1e-6))
        True
        >>> Solver.kept(functools.partial(cg, maxiter=1)) is Solver.kept(functools.partial(cg, maxiter=1.0))
        False
        """
        if type(given) is not functools.partial or given.__dict__:
            return given
        bound = (*given.args, *given.keywords.values())
        if not all(isinstance(value, bool | int | float | complex | str | FunctionType | None) for value in bound):
            return given
        return _partial(given.func, len(given.args), tuple(given.keywords), tuple(map(_Bound, bound)))

    def for_unknowns(self, count: Atom) -> Solver:
        """What it is for so many unknowns, where that is known."""
        if self.function is not linear_solvers.auto or not isinstance(count, Lit):
            return self
        return Solver(linear_solvers.lu if int(count.value) <= linear_solvers.DENSE else linear_solvers.gmres)

    @property
    def is_emitted(self) -> bool:
        """Whether it is no function to be called, but makes its program where a derivative is emitted."""
        return isinstance(self.function, ScipySolver)

    @property
    def is_direct(self) -> bool:
        """Whether what it computes is differentiated as it stands."""
        return name_of(self.function) in DIRECT and self.function.__module__.startswith(f"{__package__}.")


class _Bound:
    """A number, a string or a function that a partial binds, equal to another one if nothing tells them apart."""

    def __init__(self, value: Any) -> None:
        self.value = value
        number = isinstance(value, bool | int | float | complex)
        self.key = (type(value), repr(value) if number else value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Bound) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@functools.lru_cache(maxsize=64)
def _partial(
    function: Callable[..., Any], count: int, names: tuple[str, ...], bound: tuple[_Bound, ...]
) -> functools.partial[Any]:
    values = [each.value for each in bound]
    return functools.partial(function, *values[:count], **dict(zip(names, values[count:], strict=True)))


class Kept(Around):
    """The owner of a capture that is a value which a linear map depends on."""


class LinearMap:
    """A linear map of vectors, a program, as something that a function of the language can call.

    The program's parameters are the vector and what the map depends on.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.__name__ = "matvec"
        names = inspect.Parameter("v", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        self.__signature__ = inspect.Signature([names])

    def __call__(self, v: Any) -> Any:
        raise TypeError("this linear map exists while compiling only")

    def __adcore_lower__(self, arguments: tuple[Any, ...]) -> Lowered:
        copy = clone(self.program)
        captures = [
            Capture(f"kept_{k}", Kept(k), Spec(p.type.dtype, tuple(_length(n) for n in p.type.shape)))
            for k, p in enumerate(copy.params[1:])
        ]
        return Lowered(copy, Leaf(0), tuple(captures))


def _length(atom: Atom) -> int | None:
    return int(atom.value) if isinstance(atom, Lit) else None


def solved(
    b: Builder,
    condition: Program,
    unknowns: int,
    point: Sequence[Atom],
    right: Sequence[Atom],
    solver: Solver,
    transposed: bool,
    name: str,
    around: Sequence[Atom] = (),
) -> list[Atom]:
    """Emit the solution x of A x = right, where A is the derivative of a condition by its first parameters.

    Args:
        b: the builder.
        condition: the program, with as many results as unknowns, of the same types.
        unknowns: how many parameters these are.
        point: the values of all parameters.
        right: the right-hand side, in numbers and arrays like the unknowns.
        solver: what solves it.
        transposed: whether the system is that of the transposed matrix.
        name: of the function that the condition is about.
        around: the values of what the solver may read of the functions around it.

    Returns:
        The solution, in numbers and arrays like the unknowns.

    Raises:
        RuleError: the solver does not return a vector.
    """
    product, kept = _product(b, condition, unknowns, point, transposed)
    dtype = product.params[0].type.dtype
    likes = [Var(x.type, "x") for x in point[:unknowns]]
    whole = joined(b, right, dtype)
    if unknowns == 1 and not point[0].type.shape and dtype.complex is point[0].type.dtype.complex:
        return apart(b, _quotient(b, product, kept, whole, name), likes)
    whole = b.conform(whole, _count(b, point[:unknowns], dtype), checked=False)
    return apart(b, _solution(b, product, kept, whole, solver, name, around), likes)


def _solution(
    b: Builder,
    product: Program,
    kept: Sequence[Atom],
    right: Atom,
    solver: Solver,
    name: str,
    around: Sequence[Atom],
) -> Atom:
    """The solution, a vector, of a system whose product with a vector is a program."""
    solver = solver.for_unknowns(right.type.shape[0])
    lowered = lower(solver.function, (Static(LinearMap(product)), Spec(right.type.dtype, (None,))))
    found = lowered.program.results[lowered.result.index] if isinstance(lowered.result, Leaf) else None
    if found is None or found.type.rank != 1 or found.type.dtype is not right.type.dtype:
        cause = f"{name_of(solver.function)}, which solves for a derivative of {name}, does not return a vector like b"
        refuse(RuleError, cause, definition(solver.function), "def solve(matvec, b): …; return x")
    program = Program(lowered.program.params, lowered.program.equations, (found,), lowered.program.name)
    owners = [c.owner for c in lowered.captures if isinstance(c.owner, Around)]
    read = [(kept if isinstance(owner, Kept) else around)[owner.index] for owner in owners]
    operands = [right, *demanded(lowered, read)]
    wrapped = functools.partial(_wrapped, product=product, kept=kept, solver=solver, around=around)
    emit = _emitted if solver.is_direct else wrapped
    return b.conform(emit(b, program, operands), right.type.shape[0], checked=False)


def _count(b: Builder, unknowns: Sequence[Atom], dtype: DType) -> Atom:
    """How many numbers of a dtype they are: by the lengths of primal values, as coefficients depend on it."""
    with b.for_coefficients():
        count: Atom = literal(0)
        for x in unknowns:
            for _ in range(1 + (x.type.dtype.complex and not dtype.complex)):
                count = b.add(count, b.size(x.type.shape))
        return count


def _product(
    b: Builder, condition: Program, unknowns: int, point: Sequence[Atom], transposed: bool
) -> tuple[Program, list[Atom]]:
    """The product of the derivative with a vector, and the values that it needs of the point, emitted here."""
    own = range(unknowns)
    swept = sweep(condition, own, alike=True) if transposed else push_split(condition, own, own, alike=True)
    first, second = swept.split()
    with b.for_coefficients():
        found = spliced(b, first, point)[len(swept.values) :]
    dtype = dtype_of(point[:unknowns])
    product, lengths = _of_vectors(second, len(found), point, dtype)
    if dtype.complex and not is_complex_linear(product):
        product, lengths = _of_vectors(second, len(found), point, dtype.real)
    return product, [*lengths, *found]


def _of_vectors(linear: Program, first: int, point: Sequence[Atom], dtype: DType) -> tuple[Program, list[Atom]]:
    """A linear program as one of a vector, and the lengths that it needs of the unknowns.

    Args:
        linear: from values, so many at `first`, and tangents to tangents.
        point: the values that the tangents are like.
        dtype: of the vector.
    """
    late = linear.params[first:]
    env: dict[Var, Atom] = {}
    lengths: list[Var] = []
    values: list[Atom] = []
    for var, unknown in zip(late, point, strict=False):
        for inner, outer in zip(var.type.shape, unknown.type.shape, strict=True):
            if isinstance(inner, Var) and inner not in env:
                env[inner] = outer
                if isinstance(outer, Var):
                    env[inner] = Var(I64, inner.name)
                    lengths.append(env[inner])  # type: ignore[arg-type]
                    values.append(outer)
    inside = Builder()
    vector = Var(Type(dtype, (Var(I64, "n"),)), "v")
    typed = [Var(v.type.with_shape(*(substitute(a, env) for a in v.type.shape)), v.name) for v in late]
    for var, piece in zip(late, apart(inside, vector, typed), strict=True):
        env[var] = piece
    copy = clone(Program(linear.params[:first], linear.equations, linear.results), env)
    inside.adopt(copy.equations)
    whole = inside.conform(joined(inside, copy.results, dtype), *vector.type.shape, checked=False)
    program = Program((vector, *lengths, *copy.params), inside.equations, (whole,), "product")
    return eliminate_dead(program), values


def _quotient(b: Builder, product: Program, kept: Sequence[Atom], right: Atom, name: str) -> Atom:
    """The solution for one number."""
    with b.for_coefficients():
        one = b.expand(right.type.dtype.constant(1), 1, axes=(0,))
        (slope,) = spliced(b, product, [one, *kept])
        b.check(b.ne(b.view(slope, 0, codes="i"), slope.type.dtype.zero), error="LinAlgError", message=singular(name))
    return b.div(right, slope)


def singular(name: str) -> str:
    return f"the derivative of the condition of {name} by its solution is 0: there is no implicit derivative"


def _emitted(b: Builder, program: Program, operands: Sequence[Atom]) -> Atom:
    """A program whose first operand is a (co)tangent, emitted; what does not depend on it is a coefficient."""
    inside = Builder()
    (result,) = spliced(inside, program, operands)
    varying = {operands[0]}
    for equation in inside.equations:
        if varying.isdisjoint(uses(equation)):
            with b.for_coefficients():
                b.enter(equation)
        else:
            varying.update(equation.outs)
            b.enter(equation)
    return result


def _wrapped(
    b: Builder,
    program: Program,
    operands: Sequence[Atom],
    product: Program,
    kept: Sequence[Atom],
    solver: Solver,
    around: Sequence[Atom],
) -> Atom:
    """The same as a function whose derivative is that of the condition product(x) = right."""
    from .rule import Implicit

    unknown, *rest = product.params
    right = Var(unknown.type, "right")
    inside = Builder()
    inside.adopt(product.equations)
    condition = Program((unknown, right, *rest), inside.equations, (inside.sub(product.results[0], right),), "system")
    given = (operands[0], *kept)
    others = tuple(a for a in operands[1:] if a not in kept and a not in around)
    own = len(given) + len(others)
    rule = Implicit(
        name=name_of(solver.function),
        function=solver.function,
        arguments=own + len(around),
        condition=condition,
        unknowns=1,
        places=tuple(range(len(given))),
        solver=solver,
        around=tuple(range(own, own + len(around))),
    )
    body = Builder()
    results = spliced(body, program, operands)
    made = Program((), body.equations, tuple(results), program.name)
    lengths = inner_lengths(made)
    made.results = (*lengths, *made.results)
    return b.custom_((*given, *others, *around), made, rule)[len(lengths)]
