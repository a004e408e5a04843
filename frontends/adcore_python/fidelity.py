"""Whether a syntax tree is what a function was compiled from: files change after they were imported.

The tree is compiled again, and every instruction that this gives must be one of the function's, with the same place
in the file.  The function may have more: pytest rewrites `assert`, and other import hooks add checks.
"""

from __future__ import annotations
import __future__

import ast
import copy
import dis
import inspect
import types
from collections.abc import Iterator
from typing import Any

__all__ = ["compiled", "compiled_from", "features_of", "mangled"]

FEATURES = 0
for _name in __future__.all_feature_names:
    FEATURES |= getattr(__future__, _name).compiler_flag

LEFT_OUT = {"RESUME", "CACHE", "MAKE_CELL", "COPY_FREE_VARS", "NOP", "KW_NAMES", "PRECALL", "PUSH_NULL", "EXTENDED_ARG"}
SAME = {"LOAD_METHOD": "LOAD_ATTR"}  # which of them depends on the imports of the whole file

Instruction = tuple[Any, ...]


def compiled_from(node: ast.FunctionDef | ast.Lambda, shift: int, code: types.CodeType) -> bool:
    """Whether the function's instructions are those of the syntax tree, whose line numbers are `shift` too small."""
    try:
        again = compiled(node, code.co_freevars, code.co_filename, features_of(code))
    except (SyntaxError, ValueError, RecursionError):
        return False
    if again.co_freevars != code.co_freevars or _parameters(again) != _parameters(code):
        return False
    asserts = [n for n in ast.walk(node) if isinstance(n, ast.Assert)]
    rewritten = [(n.lineno + shift, (n.end_lineno or n.lineno) + shift) for n in asserts]
    ours = [i for i in _instructions(again, shift) if not any(a <= (i[0] or 0) <= z for a, z in rewritten)]
    theirs = list(_instructions(code, 0))
    if not _has_columns(code):
        ours, theirs = [_line_only(i) for i in ours], [_line_only(i) for i in theirs]
        return set(ours) <= set(theirs) if rewritten else ours == theirs
    return {i for i in ours if i[3]} <= set(theirs)  # what has no columns the compiler made up by itself


def _parameters(code: types.CodeType) -> tuple[Any, ...]:
    variadic = code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
    count = code.co_argcount + code.co_kwonlyargcount + variadic.bit_count()
    return (code.co_posonlyargcount, code.co_argcount, code.co_kwonlyargcount, variadic, code.co_varnames[:count])


def features_of(code: types.CodeType) -> int:
    """The flags of `from __future__ import …` in the file of a function."""
    return code.co_flags & FEATURES


def compiled(node: ast.FunctionDef | ast.Lambda, closed: tuple[str, ...], file: str, features: int) -> types.CodeType:
    """The tree compiled inside a function that binds the names it closes over."""
    made = copy.copy(node)
    place: dict[str, Any] = {"lineno": node.lineno, "col_offset": 0, "end_lineno": node.lineno, "end_col_offset": 0}
    body: list[ast.stmt] = []
    for name in closed:
        body.append(ast.Assign([ast.Name(name, ast.Store(), **place)], ast.Constant(None, **place), **place))
    nothing = ast.arguments([], [], None, [], [], None, [])
    if isinstance(made, ast.Lambda):
        made.args = _bare(made.args)
        body.append(ast.Expr(made, **place))
    else:
        made.args, made.decorator_list, made.returns, made.name = _bare(made.args), [], None, "$made"
        body.append(made)
    outer = ast.FunctionDef("outer", nothing, body, [], **place)
    if hasattr(made, "type_params"):
        outer.type_params = []  # type: ignore[attr-defined]
    tree = ast.Module([outer], [])
    whole = compile(tree, file, "exec", flags=features, dont_inherit=True)
    (around,) = (c for c in whole.co_consts if isinstance(c, types.CodeType))
    (again,) = (c for c in around.co_consts if isinstance(c, types.CodeType))
    return again


def _bare(given: ast.arguments) -> ast.arguments:
    """The parameters without defaults and annotations, which are not part of the function's code."""

    def plain(p: ast.arg) -> ast.arg:
        return ast.copy_location(ast.arg(p.arg), p)

    return ast.arguments(
        [plain(p) for p in given.posonlyargs],
        [plain(p) for p in given.args],
        plain(given.vararg) if given.vararg else None,
        [plain(p) for p in given.kwonlyargs],
        [None] * len(given.kwonlyargs),
        plain(given.kwarg) if given.kwarg else None,
        [],
    )


def _line_only(instruction: Instruction) -> Instruction:
    line, _, _, _, *rest = instruction
    return (line, *rest)


def _has_columns(code: types.CodeType) -> bool:
    return any(column is not None for _, _, column, _ in code.co_positions())


def _instructions(code: types.CodeType, shift: int) -> Iterator[Instruction]:
    """Line, columns, operation and what it is applied to, of all instructions, inner functions' included."""
    for i in dis.get_instructions(code):
        line, end, column, end_column = i.positions or (None, None, None, None)
        if i.opname in LEFT_OUT:
            continue
        name = SAME.get(i.opname, i.opname)
        place = (None if line is None else line + shift, None if end is None else end + shift, column, end_column)
        if isinstance(i.argval, types.CodeType):
            yield (*place, name, "code")
        else:
            jump = i.opcode in dis.hasjrel or i.opcode in dis.hasjabs
            yield (*place, name, None if jump else _constant(i.argval))
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _instructions(inner, shift)


def _constant(value: Any) -> Any:
    """A constant, so that 1, 1.0 and True are different, and nan is itself."""
    if isinstance(value, tuple):
        return tuple(map(_constant, value))
    if isinstance(value, frozenset):
        return frozenset(map(_constant, value))
    return (type(value).__name__, repr(value))


# Names that begin with two underscores


def mangled(node: Any, qualname: str) -> Any:
    """The tree of a function of this qualified name with private names as the compiler changes them inside a class."""
    if not any(name.startswith("__") for name in _private(node)):
        return node
    owner = qualname.rpartition(".")[0].rpartition(".")[2]
    if owner in ("", "<locals>") or not owner.strip("_"):
        return node
    found = _Mangler(f"_{owner.lstrip('_')}").visit(copy.deepcopy(node))
    if isinstance(node, ast.FunctionDef):
        found.name = node.name  # the function's own name is kept in its code as it is written
    return found


def _private(node: ast.AST) -> Iterator[str]:
    for n in ast.walk(node):
        name = getattr(n, "id", None) or getattr(n, "attr", None) or getattr(n, "arg", None) or getattr(n, "name", None)
        if isinstance(name, str) and not name.endswith("__"):
            yield name


class _Mangler(ast.NodeTransformer):
    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for field in ("id", "attr", "arg", "name"):
            name = getattr(node, field, None)
            if isinstance(name, str) and name.startswith("__") and not name.endswith("__"):
                setattr(node, field, self.prefix + name)
        return super().generic_visit(node)
