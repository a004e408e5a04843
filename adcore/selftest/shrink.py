"""Shorter programs with the same failure: statements deleted, blocks put in the place of what holds them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

__all__ = ["shrink"]

_BLOCKS = ("body", "orelse")


def shrink(source: str, fails: Callable[[str], bool], attempts: int = 400) -> str:
    """The shortest program found within so many attempts for which `fails` holds, from one for which it does."""
    tried = {source}
    progress = True
    while progress and attempts > 0:
        progress = False
        for candidate in candidates(source):
            if candidate in tried:
                continue
            tried.add(candidate)
            attempts -= 1
            if fails(candidate):
                source, progress = candidate, True
                break
            if attempts <= 0:
                break
    return source


def candidates(source: str) -> Iterator[str]:
    """Programs that are one step shorter, the largest steps first."""
    edits = sorted(_edits(ast.parse(source)), key=lambda e: -e[0])
    for _, number in edits:
        tree = ast.parse(source)
        for k, edit in enumerate(_places(tree)):
            if k == number:
                edit()
                break
        ast.fix_missing_locations(tree)
        text = ast.unparse(tree) + "\n"
        if len(text) < len(source) or text.count("\n") < source.count("\n"):
            yield text


def _edits(tree: ast.Module) -> list[tuple[int, int]]:
    """How much each possible edit removes, and its number."""
    whole = len(ast.unparse(tree))
    sizes = []
    total = sum(1 for _ in _places(tree))
    for number in range(total):
        copy = ast.parse(ast.unparse(tree))
        for k, edit in enumerate(_places(copy)):
            if k == number:
                edit()
                break
        sizes.append((whole - len(ast.unparse(ast.fix_missing_locations(copy))), number))
    return sizes


def _places(tree: ast.Module) -> Iterator[Callable[[], None]]:
    """One function for each edit, which carries it out on the tree."""
    for node in ast.walk(tree):
        for name in _BLOCKS:
            block = getattr(node, name, None)
            if not isinstance(block, list):
                continue
            for k, statement in enumerate(block):
                if not isinstance(statement, ast.Return) or len(block) > 1:
                    yield _replacement(block, k, [] if len(block) > 1 or name == "orelse" else [ast.Pass()])
                for inner in _BLOCKS:
                    lines = getattr(statement, inner, None)
                    if lines and not isinstance(statement, ast.FunctionDef):
                        yield _replacement(block, k, lines)
                if isinstance(statement, ast.If | ast.For | ast.While) and statement.orelse:
                    yield _emptied(statement)
                if isinstance(statement, ast.Assign | ast.AugAssign | ast.Return) and statement.value is not None:
                    for part in _simpler(statement.value):
                        yield _assigned(statement, part)


def _simpler(value: ast.expr) -> Iterator[ast.expr]:
    """Parts of an expression that can stand for it."""
    if isinstance(value, ast.Constant | ast.Name):
        return
    for part in ast.walk(value):
        if part is not value and isinstance(part, ast.Subscript | ast.Name | ast.BinOp | ast.Call):
            if isinstance(part, ast.Name) and part.id in ("math", "np", "mix", "near", "two", "stir", "first_above"):
                continue
            yield part
    yield ast.Constant(0.5)


def _replacement(block: list[ast.stmt], k: int, new: list[ast.stmt]) -> Callable[[], None]:
    def edit() -> None:
        block[k : k + 1] = new

    return edit


def _emptied(statement: ast.If | ast.For | ast.While) -> Callable[[], None]:
    return lambda: statement.orelse.clear()


def _assigned(statement: ast.Assign | ast.AugAssign | ast.Return, part: ast.expr) -> Callable[[], None]:
    def edit() -> None:
        statement.value = part

    return edit
