"""Comprehensions and generator expressions as the functions that Python makes of them.

`[f(x) for x in v if p(x)]` is the call, with `v`, of a function that appends to a list in a loop and returns the list.
`sum`, `any` and `all` of a generator expression are loops without a list.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

__all__ = ["FOLDS", "Generator", "copying", "fold_function", "list_function"]

SOURCE, RESULT = "__source__", "__result__"
Body = tuple[list[ast.stmt], list[ast.stmt], list[ast.stmt]]

_FUNCTIONS: dict[tuple[ast.expr, Any], ast.FunctionDef] = {}


class Generator(ast.For):
    """The loop of a comprehension, which is unrolled where its length is constant and small."""


def list_function(e: Any, name: str) -> ast.FunctionDef:
    """The function of the first iterable that gives the list."""
    return _made(e, "list", name, _listed)


def fold_function(e: Any, fold: Any, name: str) -> ast.FunctionDef:
    """The function of the first iterable that gives the `sum`, or what `any` or `all` is."""
    return _made(e, fold, name, FOLDS[fold])


def copying() -> ast.FunctionDef:
    """The function that makes a list of anything."""
    return list_function(_ITEMS, "list")


def _made(e: Any, kind: Any, name: str, body: Callable[[ast.expr], Body]) -> ast.FunctionDef:
    node = _FUNCTIONS.get((e, kind))
    if node is None:
        node = _FUNCTIONS[e, kind] = _function(e, name, *body(e.elt))
    return node


def _function(
    e: Any, name: str, before: list[ast.stmt], inside: list[ast.stmt], after: list[ast.stmt]
) -> ast.FunctionDef:
    for generator in reversed(e.generators):
        for test in reversed(generator.ifs):
            inside = [ast.copy_location(ast.If(test, inside, []), test)]
        first = generator is e.generators[0]
        over = ast.Name(SOURCE, ast.Load()) if first else generator.iter
        inside = [ast.copy_location(Generator(generator.target, over, inside, []), generator.target)]
    parameters = ast.arguments([], [ast.arg(SOURCE)], None, [], [], None, [])
    node = ast.FunctionDef(name, parameters, [*before, *inside, *after], [], None)
    for each in ast.walk(node):
        if isinstance(each, ast.expr | ast.stmt | ast.arg) and not hasattr(each, "lineno"):
            ast.copy_location(each, e)
    return node


def _listed(item: ast.expr) -> Body:
    append = ast.Call(ast.Attribute(_read(), "append", ast.Load()), [item], [])
    return [_set(ast.List([], ast.Load()))], [ast.Expr(append)], [ast.Return(_read())]


def _summed(item: ast.expr) -> Body:
    return [_set(ast.Constant(0))], [_set(ast.BinOp(_read(), ast.Add(), item))], [ast.Return(_read())]


def _quantified(decided: bool) -> Callable[[ast.expr], Body]:
    def made(item: ast.expr) -> Body:
        test = item if decided else ast.UnaryOp(ast.Not(), item)
        leave = ast.If(test, [ast.Return(ast.Constant(decided))], [])
        return [], [leave], [ast.Return(ast.Constant(not decided))]

    return made


def _read() -> ast.Name:
    return ast.Name(RESULT, ast.Load())


def _set(value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Name(RESULT, ast.Store())], value)


FOLDS: dict[Any, Callable[[ast.expr], Body]] = {sum: _summed, any: _quantified(True), all: _quantified(False)}
_ITEMS: Any = ast.parse("[item for item in ()]", mode="eval").body
