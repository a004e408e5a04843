"""Reading the text form: a recursive descent parser, one method a rule of the grammar.

    atom      = name | number [":" dtype]
    number    = integer | float | "True" | "False" | "(" float "," float ")"
    program   = "program" name "(" vars ")" "->" "(" types ")" block("return")
    block(w)  = "{" equation* w [atom {"," atom}] "}"
    equation  = [outs "="] name "(" [atom {"," atom}] [";" param {"," param}] ")" ["{" region+ "}"]
    outs      = var | "(" vars ")"
    var       = name ":" type
    type      = dtype ["[" atom {"," atom} "]"]
    param     = name "=" (string | integer | boolean | dtype | "(" integers ")")
    region    = name "(" vars ")" block("yield")

A comment runs from `#` to the end of its line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from .errors import Source, VerifyError
from .primitives import TABLE
from .program import Equation, Program
from .types import I64, Atom, DType, Type, Var, literal

__all__ = ["RESERVED", "from_text"]

T = TypeVar("T")

RESERVED = frozenset({"True", "False", "nan", "inf", "return", "yield"})
_CONSTANTS = {"True": True, "False": False, "nan": float("nan"), "inf": float("inf")}
_KINDS = {"name": "a name", "integer": "an integer", "end": "the end"}
_DTYPES = {d.short: d for d in DType}
_TOKEN = re.compile(
    r"""(?P<blank>\s+|\#[^\n]*)
      | (?P<string>"(?:[^"\\\n]|\\.)*")
      | (?P<float>-?(?:inf\b|\d+(?:\.\d*(?:e[+-]?\d+)?|e[+-]?\d+)))
      | (?P<integer>-?\d+)
      | (?P<name>[^\W\d]\w*)
      | (?P<sign>->|[(){}\[\],;:=])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int


def from_text(text: str) -> Program:
    """The program that a text describes.

    The text need not describe a well-formed program: that is for `adcore.verify` to say.

    Raises:
        VerifyError: with the line and column where the text stops making sense.
    """
    return _Parser(text).program()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self.tokenize()
        self.at = 0

    # Tokens

    def tokenize(self) -> list[_Token]:
        tokens, start = [], 0
        while start < len(self.text):
            match = _TOKEN.match(self.text, start)
            if match is None:
                self.fail(f"unexpected character {self.text[start]!r}", _Token("sign", self.text[start], start))
            if match.lastgroup != "blank":
                tokens.append(_Token(match.lastgroup or "", match.group(), start))
            start = match.end()
        return [*tokens, _Token("end", "", len(self.text))]

    def fail(self, cause: str, token: _Token | None = None) -> NoReturn:
        token = token or self.tokens[self.at]
        begin = self.text.rfind("\n", 0, token.start) + 1
        line = self.text[begin:].partition("\n")[0]
        column = token.start - begin
        number = self.text.count("\n", 0, token.start) + 1
        raise VerifyError(cause, Source("<text>", number, "", column, column + len(token.text), line))

    def sees(self, *texts: str) -> bool:
        ahead = self.tokens[self.at : self.at + len(texts)]
        return [t.text for t in ahead if t.kind != "string"] == list(texts)

    def take(self, kind: str) -> str:
        token = self.tokens[self.at]
        if token.kind != kind:
            self.fail(f"expected {_KINDS[kind]}, got {token.text or 'the end'!r}")
        self.at += 1
        return token.text

    def skip(self) -> None:
        """Pass over a token of a type, which is read later."""
        if self.tokens[self.at].kind == "end" or self.sees("{"):
            self.fail("a type does not end")
        self.at += 1

    def expect(self, text: str) -> None:
        if not self.sees(text):
            self.fail(f"expected {text!r}, got {self.tokens[self.at].text or 'the end'!r}")
        self.at += 1

    def listed(self, item: Callable[[], T], *closing: str) -> list[T]:
        """Items with commas between them, up to (not including) one of the closing tokens."""
        items: list[T] = []
        while not any(self.sees(c) for c in closing):
            if items:
                self.expect(",")
                if any(self.sees(c) for c in closing):
                    break
            items.append(item())
        return items

    # Programs

    def program(self) -> Program:
        scope: dict[str, Var] = {}
        self.expect("program")
        name = self.take("name")
        self.expect("(")
        params = self.variables(scope, binding=True)
        self.expect(")")
        self.expect("->")
        types = self.at
        while not self.sees("{"):
            self.skip()
        equations, results = self.block(scope, "return")
        self.take("end")
        self.result_types(types, scope, results)
        return Program(params, equations, results, name)

    def result_types(self, at: int, scope: dict[str, Var], results: tuple[Atom, ...]) -> None:
        """Check the declared result types, which may name lengths that the body defines."""
        self.at = at
        self.expect("(")
        declared = self.listed(lambda: self.type(scope, False), ")")
        if declared != [a.type for a in results]:
            self.fail("the declared result types are not those of the results", self.tokens[at])

    def block(self, scope: dict[str, Var], last: str) -> tuple[list[Equation], tuple[Atom, ...]]:
        self.expect("{")
        equations = []
        while not self.sees(last):
            equations.append(self.equation(scope))
        self.expect(last)
        results = tuple(self.listed(lambda: self.atom(scope), "}"))
        self.expect("}")
        return equations, results

    def variables(self, scope: dict[str, Var], binding: bool = False) -> tuple[Var, ...]:
        """Declarations up to a closing parenthesis; their types may name each other."""
        start = self.at
        fresh = self.listed(self.variable, ")")
        visible = {**scope, **{v.name: v for v in fresh}}
        self.at = start
        for var in fresh:
            if var.name in scope:
                self.fail(f"{var.name} is defined already")
            self.at += 2
            var.type = self.type(visible, binding)
            if self.sees(","):
                self.expect(",")
            scope[var.name] = var
        for name, var in visible.items():
            scope.setdefault(name, var)
        return tuple(fresh)

    def variable(self) -> Var:
        """One declaration: its name; the type is skipped, and read when the names beside it are known."""
        name = self.take("name")
        self.expect(":")
        self.take("name")
        if self.sees("["):
            while not self.sees("]"):
                self.skip()
            self.expect("]")
        return Var(I64, name)

    def type(self, scope: dict[str, Var], binding: bool) -> Type:
        dtype = self.dtype()
        if not self.sees("["):
            return Type(dtype)
        self.expect("[")
        shape = self.listed(lambda: self.length(scope, binding), "]")
        self.expect("]")
        return Type(dtype, tuple(shape))

    def length(self, scope: dict[str, Var], binding: bool) -> Atom:
        token = self.tokens[self.at]
        if binding and token.kind == "name":
            scope.setdefault(token.text, Var(I64, token.text))
        return self.atom(scope)

    def atom(self, scope: dict[str, Var]) -> Atom:
        token = self.tokens[self.at]
        if token.kind == "name" and token.text in scope:
            self.at += 1
            return scope[token.text]
        if token.kind == "name" and token.text not in _CONSTANTS:
            self.fail(f"{token.text} is not defined", token)
        value = self.complex() if self.sees("(") else self.number()
        if not self.sees(":"):
            return literal(value)
        self.expect(":")
        return self.dtype().constant(value)

    def number(self) -> Any:
        token = self.tokens[self.at]
        self.at += 1
        if token.text in _CONSTANTS:
            return _CONSTANTS[token.text]
        if token.kind not in ("integer", "float"):
            self.fail(f"expected a value, got {token.text or 'the end'!r}", token)
        return int(token.text) if token.kind == "integer" else float(token.text)

    def complex(self) -> complex:
        self.expect("(")
        real = self.number()
        self.expect(",")
        imag = self.number()
        self.expect(")")
        return complex(real, imag)

    def dtype(self) -> DType:
        token = self.tokens[self.at]
        if token.text not in _DTYPES:
            self.fail(f"no dtype is called {token.text!r}; there are {', '.join(_DTYPES)}")
        self.at += 1
        return _DTYPES[token.text]

    # Equations

    def equation(self, scope: dict[str, Var]) -> Equation:
        outside = dict(scope)
        outs = self.outs(outside)
        token = self.tokens[self.at]
        name = self.take("name")
        if name not in TABLE:
            self.fail(f"no primitive is called {name!r}", token)
        self.expect("(")
        operands = tuple(self.listed(lambda: self.atom(scope), ")", ";"))
        params: dict[str, Any] = {}
        if self.sees(";"):
            self.expect(";")
            params.update(self.listed(self.param, ")"))
        self.expect(")")
        if self.sees("{"):
            self.expect("{")
            while not self.sees("}"):
                params.update([self.region(scope)])
            self.expect("}")
        scope.update(outside)
        return Equation(TABLE[name], operands, params, outs)

    def outs(self, scope: dict[str, Var]) -> tuple[Var, ...]:
        if self.sees("("):
            self.expect("(")
            outs = self.variables(scope)
            self.expect(")")
            self.expect("=")
            return outs
        if self.tokens[self.at + 1].text != ":":
            return ()
        name = self.take("name")
        if name in scope:
            self.fail(f"{name} is defined already", self.tokens[self.at - 1])
        self.expect(":")
        scope[name] = Var(self.type(scope, False), name)
        self.expect("=")
        return (scope[name],)

    def param(self) -> tuple[str, Any]:
        name = self.take("name")
        self.expect("=")
        return name, self.static()

    def static(self) -> Any:
        token = self.tokens[self.at]
        self.at += 1
        if token.kind == "string":
            return json.loads(token.text)
        if token.kind == "integer":
            return int(token.text)
        if token.text in ("True", "False"):
            return token.text == "True"
        if token.text in _DTYPES:
            return _DTYPES[token.text]
        if token.text != "(":
            self.fail(f"{token.text!r} is no static parameter", token)
        items = self.listed(lambda: int(self.take("integer")), ")")
        self.expect(")")
        return tuple(items)

    def region(self, scope: dict[str, Var]) -> tuple[str, Program]:
        inner = dict(scope)
        key = self.take("name")
        self.expect("(")
        params = self.variables(inner)
        self.expect(")")
        equations, results = self.block(inner, "yield")
        return key, Program(params, equations, results, key)
