"""The text form of programs: what a Program looks like to people, and how it is read back.

    program total(x: f64[n]) -> (f64) {
      (s: f64) = loop(n, 0.0) {
        body(i: i64, acc: f64) {
          v: f64 = view(x, i; codes="i")
          w: f64 = add(acc, v)
          yield w
        }
      }
      return s
    }

Literals tell their dtype: `1` is i64, `1.0`, `nan` and `-inf` are f64, `(0.0, 1.0)` is c128, `True` is bool, and
`1.0:f32` names another.  A name is visible from its
definition to the end of its region; the results of control flow are named before its regions and visible after them.
`from_text(to_text(p))` is `p` up to names of values, and prints as the same text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from .errors import Source
from .naming import Names, identifier
from .primitives.host import HostFunction
from .program import Equation, Program, regions
from .text_parser import RESERVED, from_text
from .types import Atom, DType, Type, Var

__all__ = ["from_text", "to_text"]

_INDENT = "  "


def to_text(program: Program, sources: bool = False) -> str:
    """The program as text; with `sources`, each user line is named in a comment where its equations begin.

    >>> from adcore.builder import Builder
    >>> from adcore.types import F64
    >>> x = Var(F64, "x")
    >>> b = Builder()
    >>> y = b.mul(2.0, b.sin(x))
    >>> print(to_text(Program((x,), b.equations, (y,), "f")), end="")
    program f(x: f64) -> (f64) {
      t: f64 = sin(x)
      t_1: f64 = mul(2.0, t)
      return t_1
    }
    """
    return _Printer(sources).program(program)


class _Printer:
    def __init__(self, sources: bool) -> None:
        self.sources = sources
        self.last: Source | None = None

    def program(self, program: Program) -> str:
        names = Names(reserved=RESERVED)
        for param in program.params:
            names.enter(param)
        for param in program.params:
            for length in param.type.shape:
                if isinstance(length, Var) and length not in names:
                    names.enter(length)
        params = ", ".join(_declared(names, p) for p in program.params)
        lines = list(self.equations(program, names, _INDENT))
        results = ", ".join(_type(names, a.type) for a in program.results)
        head = f"program {identifier(program.name)}({params}) -> ({results}) {{"
        last = _statement("return", names, program.results)
        return "\n".join([head, *lines, _INDENT + last, "}"]) + "\n"

    def equations(self, region: Program, names: Names, indent: str) -> Iterator[str]:
        for equation in region.equations:
            yield from self.equation(equation, names, indent)

    def equation(self, equation: Equation, names: Names, indent: str) -> Iterator[str]:
        comment = self.comment(equation.source)
        call = f"{equation.primitive.name}({_arguments(names, equation)})"
        inner = [line for item in regions(equation) for line in self.region(*item, names, indent + _INDENT)]
        for out in equation.outs:
            names.enter(out)
        head = indent + _left(names, equation) + call
        if not inner:
            yield head + comment
            return
        yield f"{head} {{{comment}"
        yield from inner
        yield indent + "}"

    def region(self, key: str, region: Program, around: Names, indent: str) -> Iterator[str]:
        names = Names(around)
        for param in region.params:
            names.enter(param)
        params = ", ".join(_declared(names, p) for p in region.params)
        yield f"{indent}{key}({params}) {{"
        yield from self.equations(region, names, indent + _INDENT)
        yield indent + _INDENT + _statement("yield", names, region.results)
        yield indent + "}"

    def comment(self, source: Source | None) -> str:
        if not self.sources or source is None:
            return ""
        new = self.last is None or (source.file, source.line) != (self.last.file, self.last.line)
        self.last = source
        return f"  # {source}" if new else ""


def _statement(keyword: str, names: Names, results: Iterable[Atom]) -> str:
    return f"{keyword} {', '.join(_atom(names, a) for a in results)}".rstrip()


def _left(names: Names, equation: Equation) -> str:
    if not equation.outs:
        return ""
    outs = ", ".join(_declared(names, v) for v in equation.outs)
    return f"({outs}) = " if equation.primitive.has_regions or len(equation.outs) > 1 else f"{outs} = "


def _atom(names: Names, atom: Atom) -> str:
    if not isinstance(atom, Var):
        return str(atom)
    return names[atom] if atom in names else f"{identifier(atom.name)}?"


def _type(names: Names, type: Type) -> str:
    return type.dtype.short + (f"[{', '.join(_atom(names, a) for a in type.shape)}]" if type.shape else "")


def _declared(names: Names, var: Var) -> str:
    return f"{_atom(names, var)}: {_type(names, var.type)}"


def _arguments(names: Names, equation: Equation) -> str:
    operands = ", ".join(_atom(names, a) for a in equation.operands)
    static = {k: v for k, v in equation.params.items() if not isinstance(v, Program)}
    params = ", ".join(f"{k}={_static(v)}" for k, v in sorted(static.items()))
    return f"{operands}; {params}" if params else operands


def _static(value: Any) -> str:
    if isinstance(value, DType):
        return value.short
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, HostFunction):
        return f"<{value.name}>"
    return repr(value)
