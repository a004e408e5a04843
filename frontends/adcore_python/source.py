"""From a function object to its syntax tree: only the function's own lines are read and parsed."""

from __future__ import annotations

import ast
import inspect
import linecache
import types
from dataclasses import dataclass, field
from typing import Any

from adcore.errors import Source, UnsupportedFunctionError

from .liveness import closed_over

__all__ = ["Code", "code_of"]


@dataclass(slots=True, eq=False)
class Code:
    """A function's syntax tree and where it stands in its file."""

    node: ast.FunctionDef | ast.Lambda
    name: str
    file: str
    shift: int
    lines: list[str]
    sources: dict[ast.AST, Source] = field(default_factory=dict)
    statements: list[ast.stmt] = field(default_factory=list)
    nested: dict[ast.AST, Code] = field(default_factory=dict)
    read_inside: frozenset[str] | None = None

    def source(self, node: Any) -> Source:
        """The place of a node in the user's file."""
        found = self.sources.get(node)
        if found is None:
            line = node.lineno + self.shift
            text = self.lines[line - 1].rstrip("\n") if 0 < line <= len(self.lines) else ""
            end = node.end_col_offset if node.end_lineno == node.lineno else len(text)
            found = Source(self.file, line, self.name, node.col_offset, end, text)
            self.sources[node] = found
        return found

    def body(self) -> list[ast.stmt]:
        """The function's statements, ending with a return."""
        if not self.statements:
            node = self.node
            if isinstance(node, ast.Lambda):
                self.statements = [ast.copy_location(ast.Return(node.body), node.body)]
            else:
                self.statements = [*node.body, ast.copy_location(ast.Return(None), node.body[-1])]
        return self.statements

    def escaping(self) -> frozenset[str]:
        """Names that functions defined inside read."""
        if self.read_inside is None:
            self.read_inside = closed_over(self.body())
        return self.read_inside

    def inner(self, node: ast.FunctionDef | ast.Lambda) -> Code:
        """The code of a function defined inside this one."""
        found = self.nested.get(node)
        if found is None:
            name = getattr(node, "name", "<lambda>")
            found = self.nested[node] = Code(node, name, self.file, self.shift, self.lines)
        return found


_CODES: dict[tuple[str, types.CodeType], Code] = {}
_FILES: dict[str, tuple[list[str], list[ast.Lambda]]] = {}


def code_of(function: types.FunctionType) -> Code:
    """The syntax tree of a Python function, read once."""
    key = (function.__code__.co_filename, function.__code__)
    found = _CODES.get(key)
    if found is None:
        found = _CODES[key] = _read(function)
    return found


def _read(function: types.FunctionType) -> Code:
    code = function.__code__
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename, function.__globals__)
    if not lines or code.co_firstlineno > len(lines):
        _no_source(function)
    if code.co_name == "<lambda>":
        node, shift = _lambda_of(function, lines), 0
    else:
        node, shift = _def_of(function, lines)
    if _parameters(node) != code.co_varnames[: len(_parameters(node))]:
        _no_source(function)
    return Code(node, code.co_name, code.co_filename, shift, lines)


def _no_source(function: types.FunctionType) -> Any:
    raise UnsupportedFunctionError(
        f"the source of function {function.__qualname__!r} cannot be read (looked in {function.__code__.co_filename})",
        write="the function in a file or a notebook cell, unchanged since it was imported",
    )


def _parameters(node: ast.FunctionDef | ast.Lambda) -> tuple[str, ...]:
    a = node.args
    names = [p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
    names += [p.arg for p in (a.vararg, a.kwarg) if p]
    return tuple(names)


def _last_line(code: types.CodeType) -> int:
    """The last line that any instruction of a function or of those inside it comes from."""
    last = max((end for _, end, _, _ in code.co_positions() if end), default=code.co_firstlineno)
    return max([last, *(_last_line(c) for c in code.co_consts if isinstance(c, types.CodeType))])


def _def_of(function: types.FunctionType, lines: list[str]) -> tuple[ast.FunctionDef, int]:
    """The `def` statement, and how far its line numbers are from those of the file."""
    code = function.__code__
    first = code.co_firstlineno
    node = _parsed("".join(lines[first - 1 : _last_line(code)]))
    if node is None:
        node = _parsed("".join(inspect.getblock(lines[first - 1 :])))
    if not isinstance(node, ast.FunctionDef) or node.name != code.co_name:
        _no_source(function)
    return node, first - 2


def _parsed(text: str) -> Any:
    """The one statement of the text, at whatever depth it is indented; line numbers begin at 2."""
    head = "if 1:\n" if text[:1].isspace() else "\n"
    try:
        (statement,) = ast.parse(head + text).body
        if isinstance(statement, ast.If) and head != "\n":
            (statement,) = statement.body
    except (SyntaxError, ValueError):
        return None
    return statement


def _lambda_of(function: types.FunctionType, lines: list[str]) -> ast.Lambda:
    """The lambda expression whose instructions are those of the function."""
    code = function.__code__
    candidates = [n for n in _lambdas(code.co_filename, lines) if n.lineno == code.co_firstlineno]
    spans = [p for p in code.co_positions() if None not in p and p[:1] + p[2:3] != p[1:2] + p[3:4]]
    inside = [n for n in candidates if all(_encloses(n.body, p) for p in spans)]
    if not spans or not inside:
        inside = [n for n in candidates if _same_code(n, code)]
    if not inside:
        _no_source(function)
    return min(inside, key=_extent)


def _lambdas(file: str, lines: list[str]) -> list[ast.Lambda]:
    known = _FILES.get(file)
    if known is not None and known[0] == lines:
        return known[1]
    try:
        tree = ast.parse("".join(lines))
    except SyntaxError:
        found: list[ast.Lambda] = []
    else:
        found = [n for n in ast.walk(tree) if isinstance(n, ast.Lambda)]
    _FILES[file] = (lines, found)
    return found


def _encloses(body: ast.expr, span: Any) -> bool:
    line, end_line, column, end_column = span
    start = (body.lineno, body.col_offset) <= (line, column)
    return start and (end_line, end_column) <= (body.end_lineno, body.end_col_offset)


def _extent(node: ast.Lambda) -> tuple[int, int]:
    body: Any = node.body
    return (body.end_lineno - body.lineno, body.end_col_offset - body.col_offset)


def _same_code(node: ast.Lambda, code: types.CodeType) -> bool:
    compiled = compile(ast.Expression(node), "<lambda>", "eval")
    (inner,) = (c for c in compiled.co_consts if isinstance(c, types.CodeType))
    return (inner.co_code, inner.co_names, inner.co_consts) == (code.co_code, code.co_names, code.co_consts)
