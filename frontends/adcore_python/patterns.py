"""`match` as the tests and assignments that it stands for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

__all__ = ["Test", "branches_of"]

_BRANCHES: dict[ast.Match, list[ast.stmt]] = {}


class Test(ast.expr):
    """A test of the subject: `kind` says which, `value` with what; names of captures are bound by assignments."""

    _fields = ("subject", "value")
    subject: ast.expr
    value: Any
    kind: str


def branches_of(s: ast.Match) -> list[ast.stmt]:
    """Statements that do what the `match` does, made once."""
    found = _BRANCHES.get(s)
    if found is None:
        found = _BRANCHES[s] = list(_branches(s))
    return found


def _branches(s: ast.Match) -> Iterator[ast.stmt]:
    name = f"$match{s.lineno}_{s.col_offset}"
    yield _at(s.subject, ast.Assign([ast.Name(name, ast.Store())], s.subject))
    below: list[ast.stmt] = []
    for case in reversed(s.cases):
        test = _pattern(case.pattern, _at(case.pattern, ast.Name(name, ast.Load())))
        if case.guard is not None:
            test = _all(case.guard, [test, case.guard])
        below = [_at(case.pattern, ast.If(test, case.body, below))]
    yield from below


def _at(place: Any, node: Any) -> Any:
    """The node and those in it that have none, at a place of the user's."""
    for each in ast.walk(node):
        if isinstance(each, ast.expr | ast.stmt) and not hasattr(each, "lineno"):
            each.lineno, each.col_offset = place.lineno, place.col_offset
            each.end_lineno, each.end_col_offset = place.end_lineno, place.end_col_offset
    return node


def _all(place: Any, tests: list[ast.expr]) -> ast.expr:
    return tests[0] if len(tests) == 1 else _at(place, ast.BoolOp(ast.And(), tests))


def _test(place: Any, kind: str, subject: ast.expr, value: Any) -> ast.expr:
    made = Test()
    made.subject, made.value, made.kind = subject, value, kind
    return _at(place, made)


def _capture(place: Any, name: str, subject: ast.expr) -> ast.expr:
    """Binds the name; always true."""
    bound = ast.NamedExpr(ast.Name(name, ast.Store()), subject)
    return _test(place, "bound", _at(place, bound), None)


def _pattern(p: ast.pattern, subject: ast.expr) -> ast.expr:
    """Whether the subject matches, binding what the pattern captures."""
    if isinstance(p, ast.MatchValue):
        return _at(p, ast.Compare(subject, [ast.Eq()], [p.value]))
    if isinstance(p, ast.MatchSingleton):
        return _at(p, ast.Compare(subject, [ast.Is()], [ast.Constant(p.value)]))
    if isinstance(p, ast.MatchOr):
        return _at(p, ast.BoolOp(ast.Or(), [_pattern(each, subject) for each in p.patterns]))
    if isinstance(p, ast.MatchAs):
        tests = [] if p.pattern is None else [_pattern(p.pattern, subject)]
        if p.name is not None:
            tests.append(_capture(p, p.name, subject))
        return _all(p, tests) if tests else _at(p, ast.Constant(True))
    if isinstance(p, ast.MatchSequence):
        return _sequence(p, subject)
    if isinstance(p, ast.MatchMapping):
        return _mapping(p, subject)
    assert isinstance(p, ast.MatchClass)
    return _class(p, subject)


def _item(place: Any, subject: ast.expr, index: Any) -> ast.expr:
    key = index if isinstance(index, ast.expr | ast.Slice) else ast.Constant(index)
    return _at(place, ast.Subscript(subject, key, ast.Load()))


def _sequence(p: ast.MatchSequence, subject: ast.expr) -> ast.expr:
    stars = [k for k, each in enumerate(p.patterns) if isinstance(each, ast.MatchStar)]
    least = len(p.patterns) - len(stars)
    tests = [_test(p, "sequence", subject, (least, bool(stars)))]
    for k, each in enumerate(p.patterns):
        after = k - len(p.patterns)
        if isinstance(each, ast.MatchStar):
            if each.name is not None:
                stop = ast.Constant(after + 1) if after + 1 else None
                rest = ast.Slice(ast.Constant(k), stop)
                rest = ast.Call(ast.Name("list", ast.Load()), [_item(each, subject, _at(each, rest))], [])
                tests.append(_capture(each, each.name, _at(each, rest)))
            continue
        tests.append(_pattern(each, _item(each, subject, after if stars and k > stars[0] else k)))
    return _all(p, tests)


def _mapping(p: ast.MatchMapping, subject: ast.expr) -> ast.expr:
    tests = [_test(p, "mapping", subject, tuple(p.keys))]
    tests += [_pattern(each, _item(each, subject, key)) for key, each in zip(p.keys, p.patterns, strict=True)]
    if p.rest is not None:
        tests.append(_test(p, "rest", subject, p.rest))
    return _all(p, tests)


def _class(p: ast.MatchClass, subject: ast.expr) -> ast.expr:
    tests = [_test(p, "class", subject, (p.cls, len(p.patterns), tuple(p.kwd_attrs)))]
    for k, each in enumerate(p.patterns):
        tests.append(_pattern(each, _test(each, "positional", subject, (p.cls, k))))
    for name, each in zip(p.kwd_attrs, p.kwd_patterns, strict=True):
        tests.append(_pattern(each, _at(each, ast.Attribute(subject, name, ast.Load()))))
    return _all(p, tests)
