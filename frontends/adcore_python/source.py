"""From a function object to its syntax tree: only the function's own lines are read and parsed."""

from __future__ import annotations

import ast
import inspect
import linecache
import tokenize
import types
from dataclasses import dataclass, field
from typing import Any

from adcore.errors import Source, UnsupportedFunctionError, refuse

from .fidelity import compiled_from, mangled
from .liveness import closed_over, nonlocals, rebound_inside, yields

__all__ = ["NAMELESS", "Code", "code_of", "parsed", "place_of", "remember"]


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
    outer_names: frozenset[str] | None = None
    inner_names: frozenset[str] | None = None
    yielding: list[ast.expr] | None = None

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

    def rebinds(self) -> frozenset[str]:
        """Names of enclosing functions that this one declares `nonlocal`."""
        if self.outer_names is None:
            self.outer_names = nonlocals(self.body())
        return self.outer_names

    def rebound(self) -> frozenset[str]:
        """Names of this function that functions defined inside rebind."""
        if self.inner_names is None:
            self.inner_names = rebound_inside(self.body()) - self.rebinds()
        return self.inner_names

    def yields(self) -> list[ast.expr]:
        """The function's own `yield`s and `await`s."""
        if self.yielding is None:
            self.yielding = yields(self.body())
        return self.yielding

    def inner(self, node: ast.FunctionDef | ast.Lambda) -> Code:
        """The code of a function defined inside this one."""
        found = self.nested.get(node)
        if found is None:
            name = getattr(node, "name", "<lambda>")
            found = self.nested[node] = Code(node, name, self.file, self.shift, self.lines)
        return found


NAMELESS = "<dynamic-code>"  # the file of functions that cloudpickle has made
_CODES: dict[tuple[str, types.CodeType], Code] = {}
_FILES: dict[str, tuple[list[str], list[ast.Lambda]]] = {}


def place_of(function: Any) -> Source | None:
    """Where a function, method, partial or callable object begins, if it is written in Python; or where it says."""
    said = getattr(function, "__adcore_source__", None)
    if said is not None:
        return said
    seen: set[int] = set()
    while not isinstance(function, types.FunctionType) and id(function) not in seen:
        seen.add(id(function))
        for name in ("__func__", "func", "py_func"):
            inner = inspect.getattr_static(function, name, None)
            if inner is not None:
                function = getattr(function, name, None)
                break
        else:
            function = inspect.getattr_static(type(function), "__call__", None)
    if not isinstance(function, types.FunctionType):
        return None
    code = function.__code__
    text = linecache.getline(code.co_filename, code.co_firstlineno, function.__globals__).rstrip("\n")
    shift = len(text) - len(text.lstrip())
    return Source(code.co_filename, code.co_firstlineno, code.co_name, shift, len(text), text)


def remember(code: types.CodeType, found: Code) -> None:
    """Have functions with this code lowered by that tree, whatever their file has."""
    _CODES.setdefault((code.co_filename, code), found)
    _CODES.setdefault((NAMELESS, code), found)


class _Unreadable(Exception):  # noqa: N818 - becomes an error with a place
    write = "the function in a file or a notebook cell, unchanged since it was imported"


def code_of(function: types.FunctionType, called: Source | None = None) -> Code:
    """The syntax tree of a Python function, read once.

    Raises:
        UnsupportedFunctionError: there is no source, or what is in the file now is not what the function was made
            from.  The place is that of the call, `called`, or else that of the function.
    """
    key = (function.__code__.co_filename, function.__code__)
    found = _CODES.get(key)
    if found is None:
        try:
            found = _CODES[key] = _read(function)
        except _Unreadable as error:
            refuse(UnsupportedFunctionError, str(error), called or place_of(function), error.write)
    return found


def _read(function: types.FunctionType) -> Code:
    code = function.__code__
    if code.co_flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        error = _Unreadable(f"{function.__qualname__!r} is an async function")
        error.write = "a plain def"
        raise error
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename, function.__globals__)
    if code.co_filename == NAMELESS:
        error = _Unreadable(f"function {function.__qualname__!r} was pickled by cloudpickle, without its source")
        error.write = "a compiled function, as jit(f) or grad(f), in the pickle, where f is now"
        raise error
    looked = f"the source of function {function.__qualname__!r} cannot be read (looked in {code.co_filename})"
    if not lines:
        raise _Unreadable(looked)
    candidates, shift = (_lambdas_at, 0) if code.co_name == "<lambda>" else (_def_at, code.co_firstlineno - 2)
    nodes = candidates(code, lines)
    for node in nodes:
        if getattr(node, "name", code.co_name) == code.co_name and compiled_from(node, shift, code):
            return Code(node, code.co_name, code.co_filename, shift, lines)
    if nodes or code.co_firstlineno > len(lines):
        looked = f"the source of function {function.__qualname__!r} has changed since it was imported"
    raise _Unreadable(looked)


def _last_line(code: types.CodeType) -> int:
    """The last line that any instruction of a function or of those inside it comes from."""
    last = max((end for _, end, _, _ in code.co_positions() if end), default=code.co_firstlineno)
    return max([last, *(_last_line(c) for c in code.co_consts if isinstance(c, types.CodeType))])


def _def_at(code: types.CodeType, lines: list[str]) -> list[Any]:
    """The `def` statement where the function begins; line numbers begin at 2."""
    first = code.co_firstlineno
    node = parsed("".join(lines[first - 1 : _last_line(code)]))
    if node is None:
        node = parsed("".join(_block(lines[first - 1 :])))
    return [mangled(node, code.co_qualname)] if isinstance(node, ast.FunctionDef) else []


def _block(lines: list[str]) -> list[str]:
    try:
        return inspect.getblock(lines)
    except (SyntaxError, IndexError, tokenize.TokenError):
        return []


def parsed(text: str) -> Any:
    """The one statement of the text, at whatever depth it is indented; line numbers begin at 2."""
    head = "if 1:\n" if text[:1].isspace() else "\n"
    try:
        (statement,) = ast.parse(head + text).body
        if isinstance(statement, ast.If) and head != "\n":
            (statement,) = statement.body
    except (SyntaxError, ValueError, RecursionError):
        return None
    return statement


def _lambdas_at(code: types.CodeType, lines: list[str]) -> list[ast.Lambda]:
    """The lambda expressions that begin on the line where the function begins."""
    file = code.co_filename
    known = _FILES.get(file)
    if known is None or known[0] != lines:
        try:
            tree = ast.parse("".join(lines))
        except (SyntaxError, ValueError, RecursionError):
            tree = ast.Module([], [])
        known = _FILES[file] = (lines, [n for n in ast.walk(tree) if isinstance(n, ast.Lambda)])
    return [mangled(n, code.co_qualname) for n in known[1] if n.lineno == code.co_firstlineno]
