"""Which names are still needed: a backward analysis of structured statements.

Each statement is summarised once by a `Flow`: the names it may read before writing them, the names it surely writes,
and how it ends.  A name is live before a statement when the statement reads it, or when it is live afterwards and
the statement does not surely write it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .patterns import branches_of

__all__ = [
    "Flow",
    "assigned",
    "block_flow",
    "closed_over",
    "escapes",
    "live_before",
    "nonlocals",
    "plain_statements",
    "reads_of",
    "rebound_inside",
    "yields",
]

EMPTY: frozenset[str] = frozenset()
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
LOOPS = (ast.For, ast.While)


@dataclass(frozen=True, slots=True)
class Flow:
    """Reads before writes, sure writes; `ends` when control never leaves below, `jumps` when it may go elsewhere."""

    reads: frozenset[str] = EMPTY
    writes: frozenset[str] = EMPTY
    ends: bool = False
    jumps: bool = False


_FLOWS: dict[ast.stmt, Flow] = {}
_READS: dict[ast.AST, frozenset[str]] = {}
_ASSIGNED: dict[ast.stmt, frozenset[str]] = {}
_ESCAPES: dict[ast.stmt, frozenset[type]] = {}


def live_before(statements: Sequence[ast.stmt], after: frozenset[str]) -> frozenset[str]:
    """The names that are live where the statements begin, given those live where they end."""
    flow = block_flow(statements)
    return flow.reads if flow.ends else flow.reads | (after - flow.writes)


def block_flow(statements: Sequence[ast.stmt]) -> Flow:
    reads: set[str] = set()
    writes: set[str] = set()
    jumps = False
    for statement in statements:
        flow = _flow(statement)
        reads |= flow.reads - writes
        jumps = jumps or flow.jumps
        if not jumps:
            writes |= flow.writes
        if flow.ends:
            return Flow(frozenset(reads), frozenset(writes), True, jumps)
    return Flow(frozenset(reads), frozenset(writes), False, jumps)


def _flow(statement: ast.stmt) -> Flow:
    found = _FLOWS.get(statement)
    if found is None:
        found = _FLOWS[statement] = _summary(statement)
    return found


def _summary(s: ast.stmt) -> Flow:
    if isinstance(s, ast.If):
        return _branches(reads_of(s.test), block_flow(s.body), block_flow(s.orelse))
    if isinstance(s, ast.For):
        body = block_flow(s.body).reads - _targets(s.target)
        return Flow(reads_of(s.iter) | _stored_reads(s.target) | body | block_flow(s.orelse).reads)
    if isinstance(s, ast.While):
        return Flow(reads_of(s.test) | block_flow(s.body).reads | block_flow(s.orelse).reads)
    if isinstance(s, ast.Return | ast.Raise):
        return Flow(reads_of(s), ends=True)
    if isinstance(s, ast.Break | ast.Continue):
        return Flow(jumps=True)
    if isinstance(s, ast.FunctionDef):
        return Flow(reads_of(s), frozenset((s.name,)))
    if isinstance(s, ast.AugAssign):
        own = _targets(s.target)
        return Flow(reads_of(s) | own, own)
    if isinstance(s, ast.Match | ast.Try):
        return block_flow(plain_statements(s))
    return Flow(reads_of(s), _targets(s, sure=True))


def _branches(test: frozenset[str], then: Flow, other: Flow) -> Flow:
    if then.ends and other.ends:
        writes = EMPTY
    elif then.ends:
        writes = other.writes
    elif other.ends:
        writes = then.writes
    else:
        writes = then.writes & other.writes
    ends = then.ends and other.ends
    return Flow(test | then.reads | other.reads, writes, ends, then.jumps or other.jumps)


def reads_of(node: ast.AST) -> frozenset[str]:
    """Names that an expression or simple statement reads, those inside functions it defines included."""
    found = _READS.get(node)
    if found is None:
        found = _READS[node] = frozenset(_reads(node))
    return found


def _reads(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Name):
        return (node.id,) if isinstance(node.ctx, ast.Load) else ()
    if isinstance(node, FUNCTIONS):
        return _function_reads(node)
    if isinstance(node, COMPREHENSIONS):
        bound = {n for g in node.generators for n in _targets(g.target)}
        return _children_reads(node) - bound
    return _children_reads(node)


def _children_reads(node: ast.AST) -> set[str]:
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        found.update(reads_of(child))
    return found


def _function_reads(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    a = node.args
    own = {p.arg for p in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg) if p}
    body: Sequence[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else node.body
    inner: set[str] = set()
    for child in body:
        inner |= reads_of(child)
        own |= assigned([child]) if isinstance(child, ast.stmt) else EMPTY
    if not isinstance(node, ast.Lambda):
        own -= (outer := nonlocals(node.body))
        inner |= outer
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    outer = {n for d in (*a.defaults, *a.kw_defaults, *decorators) if d is not None for n in reads_of(d)}
    return (inner - own) | outer


def _stored_reads(target: ast.expr) -> frozenset[str]:
    return EMPTY if isinstance(target, ast.Name) else reads_of(target)


def plain_statements(s: ast.Match | ast.Try) -> list[ast.stmt]:
    """The simpler statements that a statement stands for."""
    return branches_of(s) if isinstance(s, ast.Match) else [*s.body, *s.finalbody]


def _targets(node: ast.AST, sure: bool = False) -> frozenset[str]:
    """Names that are bound directly in a target or simple statement; `sure` leaves out those that `:=` binds."""
    found: set[str] = set()
    stack = [node]
    while stack:
        n = stack.pop()
        if isinstance(n, ast.Name):
            if not isinstance(n.ctx, ast.Load):
                found.add(n.id)
        elif isinstance(n, ast.alias):
            found.add(n.asname or n.name.partition(".")[0])
        elif sure and isinstance(n, ast.NamedExpr):
            stack.append(n.value)
        elif not isinstance(n, FUNCTIONS + COMPREHENSIONS):
            stack.extend(ast.iter_child_nodes(n))
    return frozenset(found)


def assigned(statements: Iterable[ast.stmt]) -> frozenset[str]:
    """Names that the statements may bind, in blocks inside them too."""
    found: frozenset[str] = EMPTY
    for statement in statements:
        if statement not in _ASSIGNED:
            _ASSIGNED[statement] = _assigned(statement)
        found |= _ASSIGNED[statement]
    return found


def _assigned(statement: ast.stmt) -> frozenset[str]:
    if isinstance(statement, ast.FunctionDef):
        return frozenset((statement.name,))
    if isinstance(statement, ast.If | ast.While):
        return _targets(statement.test) | assigned(statement.body) | assigned(statement.orelse)
    if isinstance(statement, ast.For):
        own = _targets(statement.target) | _targets(statement.iter)
        return own | assigned(statement.body) | assigned(statement.orelse)
    if isinstance(statement, ast.Match | ast.Try):
        return assigned(plain_statements(statement))
    return _targets(statement)


def rebound(statements: Iterable[ast.stmt]) -> frozenset[str]:
    """Names that the statements may bind to something else: not those that are the target of `+=` and the like only."""
    found: frozenset[str] = EMPTY
    for statement in statements:
        if isinstance(statement, ast.AugAssign):
            found |= _targets(statement.value)
        elif isinstance(statement, ast.If | ast.While | ast.For):
            own = [statement.test] if not isinstance(statement, ast.For) else [statement.target, statement.iter]
            found |= frozenset().union(*map(_targets, own)) | rebound([*statement.body, *statement.orelse])
        elif isinstance(statement, ast.Match | ast.Try):
            found |= rebound(plain_statements(statement))
        else:
            found |= assigned([statement])
    return found


def closed_over(statements: Iterable[ast.stmt]) -> frozenset[str]:
    """Names that functions defined in the statements read: live as long as those functions may be called."""
    found: set[str] = set()
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, FUNCTIONS):
                found |= reads_of(node)
    return frozenset(found)


def nonlocals(statements: Iterable[ast.stmt]) -> frozenset[str]:
    """Names that the function with these statements declares `nonlocal`."""
    found: set[str] = set()
    stack: list[ast.AST] = list(statements)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Nonlocal):
            found.update(node.names)
        elif not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(node))
    return frozenset(found)


def rebound_inside(statements: Iterable[ast.stmt]) -> frozenset[str]:
    """Names that functions defined in the statements declare `nonlocal`."""
    everywhere = {n for s in statements for node in ast.walk(s) if isinstance(node, ast.Nonlocal) for n in node.names}
    return frozenset(everywhere) - nonlocals(statements)


def yields(statements: Iterable[ast.stmt]) -> list[ast.expr]:
    """What makes a function with these statements a generator or a coroutine."""
    found: list[ast.expr] = []
    stack: list[ast.AST] = list(statements)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom | ast.Await):
            found.append(node)
        elif not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(node))
    return found


def escapes(statement: ast.stmt) -> frozenset[type]:
    """Which of return, break and continue may leave the statement."""
    found = _ESCAPES.get(statement)
    if found is None:
        found = _ESCAPES[statement] = _escapes(statement)
    return found


def _escapes(s: ast.stmt) -> frozenset[type]:
    if isinstance(s, ast.Return | ast.Break | ast.Continue):
        return frozenset((type(s),))
    if isinstance(s, ast.If | ast.For | ast.While):
        inner = frozenset(e for child in s.body for e in escapes(child))
        if isinstance(s, LOOPS):
            inner &= {ast.Return}
        return inner | frozenset(e for child in s.orelse for e in escapes(child))
    if isinstance(s, ast.Match | ast.Try):
        return frozenset(e for child in plain_statements(s) for e in escapes(child))
    return EMPTY_ESCAPES


EMPTY_ESCAPES: frozenset[type] = frozenset()
