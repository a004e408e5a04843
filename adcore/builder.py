"""Building programs: emit equations, with types checked, equal ones shared and trivial ones simplified."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from .errors import Source
from .passes.simplify import simplify
from .primitives import LENGTH, TABLE, Kind, Primitive
from .program import Equation, Program, retyped, substitute
from .types import Atom, Lit, Type, Var, literal

__all__ = ["Builder"]

_KEYWORDS = {"land": "and", "lor": "or", "lnot": "not"}
_UNSHARED = {Kind.CONTROL, Kind.CHECK}


class Builder:
    """A sequence of equations under construction; `parent` is the scope around it, whose values it may use.

    Every primitive is a method: `b.sin(x)`, `b.view(a, i, codes="i")`.  Python's numbers are taken as literals, in
    elementwise operations of the dtype that they meet; there a scalar is expanded to the shape of the arrays it meets.

    >>> from adcore.types import F64, Var
    >>> x = Var(F64, "x")
    >>> b = Builder()
    >>> y = b.mul(b.sin(x), 1.0)
    >>> [e.primitive.name for e in b.equations]
    ['sin']
    """

    def __init__(self, parent: Builder | None = None) -> None:
        self.parent = parent
        self.equations: list[Equation] = []
        self.coefficients: set[Var] = set()  # of linear maps: computed from primal values alone
        self.adopted: set[Var] = set()
        self._of_coefficients = False
        self.source: Source | None = parent.source if parent else None
        self.surrogate: Any = parent.surrogate if parent else None  # what the equations emitted stand for
        self.sweep: str = parent.sweep if parent else ""  # what the places in the user's program are marked with
        self.home: list[Equation] | None = None  # the primal equations beside which these will stand, if they will
        self._shared: dict[Any, tuple[Atom, ...]] = {}
        self._defining: dict[Var, Equation] = {}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        name = _KEYWORDS.get(name, name)
        if name not in TABLE:
            raise AttributeError(name)
        primitive = TABLE[name]
        return lambda *operands, **params: self.emit(primitive, operands, params)

    def emit(self, primitive: Primitive, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Emit an equation; gives its result (a tuple where there are none or several)."""
        if primitive.kind is Kind.ELEMENTWISE:
            atoms = self._aligned(_of_one_dtype(primitive, operands))
        else:
            atoms = tuple(a if isinstance(a, Var | Lit) else literal(a) for a in operands)
        simple = simplify(self, primitive, atoms, params)
        if simple is not None:
            return simple
        if primitive.kind in _UNSHARED or self._begins_an_array(primitive, atoms):
            outs = self.append(primitive, atoms, params)
        else:
            outs = self._share(primitive, atoms, params)
        return outs[0] if len(outs) == 1 else outs

    def _begins_an_array(self, primitive: Primitive, operands: tuple[Atom, ...]) -> bool:
        """Whether this is the first write into a new array, which whoever shared it would have to copy to write on."""
        made = self.defining(operands[0]) if primitive.kind is Kind.WRITE else None
        return made is not None and made.primitive.name in ("empty", "expand")

    def append(
        self,
        primitive: Primitive,
        operands: tuple[Atom, ...],
        params: dict[str, Any],
        types: tuple[Type, ...] | None = None,
        name: str = "t",
    ) -> tuple[Var, ...]:
        """Add an equation as it is."""
        if types is None:
            types = primitive.typing(operands, params)
        first = tuple(Var(t, name) for t in types[:1])
        outs = (*first, *(Var(retyped(t, {LENGTH: first[0]}), name) for t in types[1:]))
        equation = Equation(primitive, operands, params, outs, self.source, surrogate=self.surrogate)
        self.enter(equation)
        return outs

    def adopt(self, equations: Iterable[Equation]) -> None:
        """Add equations of an existing program, and share their results with what is emitted later."""
        for equation in equations:
            self.enter(equation)
            self.know(equation)

    def know(self, equation: Equation) -> None:
        """Share the results of an equation of an existing program with what is emitted later."""
        self.adopted.update(equation.outs)
        primitive, operands = equation.primitive, equation.operands
        if primitive.kind not in _UNSHARED and not self._begins_an_array(primitive, operands):
            self._shared.setdefault(_key(primitive, operands, equation.params), equation.outs)

    def enter(self, equation: Equation) -> None:
        self.equations.append(equation)
        for out in equation.outs:
            self._defining[out] = equation

    def defining(self, atom: Atom) -> Equation | None:
        """The equation that defines a value, if a scope here does."""
        scope: Builder | None = self
        while scope is not None and isinstance(atom, Var):
            if atom in scope._defining:
                return scope._defining[atom]
            scope = scope.parent
        return None

    def _aligned(self, atoms: tuple[Atom, ...]) -> tuple[Atom, ...]:
        """Scalars expanded to the shape of the arrays."""
        shape = next((a.type.shape for a in atoms if a.type.shape), ())
        if not shape:
            return atoms
        axes = tuple(range(len(shape)))
        return tuple(a if a.type.shape else self.expand(a, *shape, axes=axes) for a in atoms)

    def _share(self, primitive: Primitive, atoms: tuple[Atom, ...], params: dict[str, Any]) -> tuple[Atom, ...]:
        key = _key(primitive, atoms, params)
        scope: Builder | None = self
        while scope is not None:
            shared = scope._shared.get(key)
            if shared is not None and not (self._of_coefficients and scope.is_linear(shared)):
                return shared
            scope = scope.parent
        outs = self.append(primitive, atoms, params)
        self._shared[key] = outs
        return outs

    def is_linear(self, outs: tuple[Atom, ...]) -> bool:
        """Whether the linear part has computed these values for itself: neither primal nor coefficients."""
        return not any(out in self.coefficients or out in self.adopted for out in outs)

    @contextmanager
    def for_coefficients(self) -> Iterator[None]:
        """What is emitted inside is computed from primal values alone, and may be moved to where these are.

        So it shares nothing with what the linear part has emitted for itself, not even constants.
        """
        before, self._of_coefficients = len(self.equations), True
        try:
            yield
        finally:
            self._of_coefficients = False
            self.coefficients.update(out for e in self.equations[before:] for out in e.outs)

    def size(self, lengths: Iterable[Atom]) -> Atom:
        """The number of elements of an array with axes of these lengths."""
        size: Atom = literal(1)
        for length in lengths:
            size = self.mul(size, length)
        return size

    # Control flow

    def region(self) -> Builder:
        """A builder for a region inside this scope."""
        return Builder(self)

    def program(self, params: tuple[Var, ...], results: tuple[Atom, ...], name: str = "body") -> Program:
        return Program(params, self.equations, results, name)

    def loop(self, n: Atom, inits: tuple[Atom, ...], body: Program) -> tuple[Var, ...]:
        return self._carrying("loop", (n, *inits), {"body": body}, body.params[1:])

    def while_(self, inits: tuple[Atom, ...], test: Program, body: Program) -> tuple[Var, ...]:
        return self._carrying("while", inits, {"test": test, "body": body}, body.params)

    def cond(self, p: Atom, then: Program, otherwise: Program) -> tuple[Var, ...]:
        params = {"then": then, "otherwise": otherwise}
        return self._carrying("cond", (p,), params, then.results, otherwise.results)

    def checkpoint_(self, body: Program) -> tuple[Var, ...]:
        return self._carrying("checkpoint", (), {"body": body}, body.results)

    def custom_(self, arguments: tuple[Atom, ...], body: Program, rule: Any) -> tuple[Var, ...]:
        """A function of the arguments with a stated derivative (see `adcore.rules`)."""
        outs = self._carrying("custom", arguments, {"body": body, "name": str(rule)}, body.results)
        self.equations[-1].rule = rule
        return outs

    def _carrying(
        self, name: str, operands: tuple[Atom, ...], params: dict[str, Any], *inner: tuple[Atom, ...]
    ) -> tuple[Var, ...]:
        """Outs for the inner values; lengths that are inner values become the outs of the same position."""
        types = TABLE[name].typing(operands, params)
        env: dict[Var, Atom] = {}
        outs: list[Var] = []
        for type, *atoms in zip(types, *inner, strict=True):
            named = next((a.name for a in atoms if isinstance(a, Var)), "t")
            out = Var(Type(type.dtype, tuple(substitute(a, env) for a in type.shape)), named)
            for atom in atoms:
                if isinstance(atom, Var):
                    env.setdefault(atom, out)
            outs.append(out)
        self.enter(Equation(TABLE[name], operands, params, tuple(outs), self.source, surrogate=self.surrogate))
        return tuple(outs)

    @contextmanager
    def at(self, source: Source | None) -> Iterator[None]:
        """Equations emitted inside carry this place of the user's program."""
        if source is not None and self.sweep:
            source = source.of(self.sweep)
        before, self.source = self.source, source or self.source
        try:
            yield
        finally:
            self.source = before

    @contextmanager
    def standing_for(self, surrogate: Any) -> Iterator[None]:
        """Equations emitted inside are labelled as this surrogate (see `adcore.surrogates`)."""
        before, self.surrogate = self.surrogate, surrogate
        try:
            yield
        finally:
            self.surrogate = before

    @contextmanager
    def sweeping(self, sweep: str) -> Iterator[None]:
        """What is emitted inside, at places of the user's program, is their adjoint, or their tangent."""
        before, self.sweep = self.sweep, sweep
        try:
            yield
        finally:
            self.sweep = before


def _of_one_dtype(primitive: Primitive, operands: tuple[Any, ...]) -> tuple[Atom, ...]:
    """Python's numbers as literals of the dtype of the other operands, the condition of a `select` left out."""
    free = 1 if primitive.name == "select" else 0
    met = next((a.type.dtype for a in operands[free:] if isinstance(a, Var | Lit)), None)
    return tuple(
        a if isinstance(a, Var | Lit) else literal(a) if met is None or k < free else met.constant(a)
        for k, a in enumerate(operands)
    )


def _key(primitive: Primitive, operands: tuple[Atom, ...], params: dict[str, Any]) -> Any:
    return (primitive.name, operands, tuple(sorted(params.items(), key=_first)) if params else ())


def _first(item: tuple[str, Any]) -> str:
    return item[0]
