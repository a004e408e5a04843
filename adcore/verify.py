"""Well-formed programs: what every pass may assume and must preserve."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

from .errors import VerifyError
from .primitives import LENGTH, Primitive
from .primitives.control import compatible
from .primitives.host import HostFunction
from .program import Equation, Program, regions, retyped
from .types import I64, Atom, DType, Lit, Type, Var

__all__ = ["verify"]


def verify(program: Program) -> None:
    """Check that a program is well formed.

    Every value has one definition, in the whole program; it is used only after it, in the same region or in one
    inside.  A length in a type is an i64 scalar in scope; those in the parameters of the program itself are bound by
    them.  Every equation has the result types that its primitive's type rule gives (for control flow, up to the names
    of lengths), and static parameters that the text form can write.

    Raises:
        VerifyError: with the equation, where it stands, and the user's line.
    """
    lengths = {a for p in program.params for a in p.type.shape if isinstance(a, Var)}
    _Scope(program.name, set(), lengths - set(program.params)).region(program)


def _named(atom: Atom) -> str:
    return atom.name if isinstance(atom, Var) else str(atom)


def _shown(type: Type) -> str:
    return type.dtype.short + (f"[{', '.join(map(_named, type.shape))}]" if type.shape else "")


def _headline(equation: Equation) -> str:
    outs = ", ".join(f"{v.name}: {_shown(v.type)}" for v in equation.outs)
    operands = ", ".join(map(_named, equation.operands))
    name = equation.primitive.name if isinstance(equation.primitive, Primitive) else repr(equation.primitive)
    return f"{outs} = {name}({operands})" if outs else f"{name}({operands})"


def _is_static(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(isinstance(item, int) and not isinstance(item, bool) for item in value)
    return isinstance(value, str | bool | int | DType | HostFunction)


class _Scope:
    """The values in scope at one place, and all that were defined anywhere before it."""

    def __init__(self, path: str, everywhere: set[Var], visible: set[Var]) -> None:
        self.path = path
        self.everywhere = everywhere
        self.visible = visible
        self.place = path
        self.equation: Equation | None = None

    def fail(self, cause: str) -> NoReturn:
        raise VerifyError(f"{self.place}: {cause}", self.equation.source if self.equation else None)

    def region(self, region: Program) -> None:
        """Check a region, or the whole program, from its parameters to its results."""
        self.place = f"parameters of {self.path}"
        self.define(region.params)
        for number, equation in enumerate(region.equations):
            self.place = f"equation {number} of {self.path}, `{_headline(equation)}`"
            self.equation = equation
            self.check(equation)
        self.place, self.equation = f"results of {self.path}", None
        self.need(region.results)

    def define(self, vars: Iterable[Var]) -> None:
        """Enter new values.  Their types may name each other, and anything in scope."""
        new = tuple(vars)
        for var in new:
            if var in self.everywhere:
                self.fail(f"{var.name} is defined a second time")
            self.everywhere.add(var)
        self.visible.update(new)
        for var in new:
            self.need(var.type.shape)
            for length in var.type.shape:
                if length.type != I64:
                    self.fail(f"{_named(length)}, a length of {var.name}, is {_shown(length.type)}, not i64")

    def need(self, atoms: Iterable[Atom]) -> None:
        for atom in atoms:
            if isinstance(atom, Var) and atom not in self.visible:
                where = "out of scope" if atom in self.everywhere else "not defined yet"
                self.fail(f"{atom.name} is used where it is {where}")

    def check(self, equation: Equation) -> None:
        primitive = equation.primitive
        if not isinstance(primitive, Primitive):
            self.fail("that is not a primitive")
        for operand in equation.operands:
            if not isinstance(operand, Var | Lit):
                self.fail(f"operand {operand!r} is neither a value nor a literal")
        self.need(equation.operands)
        self.params(equation)
        self.types(equation, primitive)
        self.define(equation.outs)

    def params(self, equation: Equation) -> None:
        inner = dict(regions(equation))
        for name, value in equation.params.items():
            if name in inner:
                continue
            if isinstance(value, Program):
                self.fail("only control flow has regions")
            if not _is_static(value):
                self.fail(f"parameter {name}={value!r} is not static")
        for name, region in inner.items():
            path = f"the {name} of a {equation.primitive.name} in {self.path}"
            _Scope(path, self.everywhere, set(self.visible)).region(region)

    def types(self, equation: Equation, primitive: Primitive) -> None:
        try:
            types = primitive.typing(equation.operands, equation.params)
        except (TypeError, ValueError, KeyError, IndexError) as error:
            raise VerifyError(f"{self.place}: {error or type(error).__name__}", equation.source) from error
        if len(types) != len(equation.outs):
            self.fail(f"{len(types)} results, {len(equation.outs)} names for them")
        for out, given in zip(equation.outs, types, strict=True):
            wanted = retyped(given, {LENGTH: equation.outs[0]})
            agree = compatible(out.type, wanted) if primitive.has_regions else out.type == wanted
            if not agree:
                self.fail(f"{out.name} is {_shown(out.type)}, the type rule gives {_shown(wanted)}")
        if primitive.name == "while":
            self.test_parameters(equation)

    def test_parameters(self, equation: Equation) -> None:
        """A while's test takes the carries that its body takes."""
        test, body = equation.params["test"].params, equation.params["body"].params
        if len(test) != len(body) or not all(compatible(t.type, c.type) for t, c in zip(test, body, strict=True)):
            self.fail(f"the test takes {len(test)} values, the body {len(body)}, or their types differ")
