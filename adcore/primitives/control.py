"""Rows of control flow: their parameters hold regions, and they are linearized structurally in `adcore.derive`.

loop(n, *inits; body)     body: (k, *carries) -> carries, for k = 0 .. n-1
while(*inits; test, body) test: (*carries) -> bool, body: (*carries) -> carries
cond(p; then, otherwise)  both: () -> results of the same types
checkpoint(; body)        body: () -> results, run again where a derivative needs values of it
custom(*arguments; body)  body: () -> results, a function of the arguments whose derivative is stated by the user
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..program import Program
from ..types import BOOL, I64, Atom, Lit, Type
from .base import Kind, operand_types, require, row

__all__: list[str] = []


def compatible(got: Type, wanted: Type) -> bool:
    """Same dtype and rank; lengths that are values of the program are equal by construction, literals must agree."""
    if got.dtype is not wanted.dtype or got.rank != wanted.rank:
        return False
    pairs = zip(got.shape, wanted.shape, strict=True)
    return all(g == w for g, w in pairs if isinstance(g, Lit) or isinstance(w, Lit))


def fits(got: Type, wanted: Type) -> bool:
    """As `compatible`, for a value that control flow takes in: there a known length may be forgotten, not learned."""
    if got.dtype is not wanted.dtype or got.rank != wanted.rank:
        return False
    return all(g == w for g, w in zip(got.shape, wanted.shape, strict=True) if isinstance(w, Lit))


def _carried(name: str, inits: tuple[Atom, ...], region: Program, skip: int) -> tuple[Type, ...]:
    carries = region.params[skip:]
    same = len(carries) == len(inits) == len(region.results)
    require(same, "{}: as many carries as initial values and results", name)
    for init, param, result in zip(inits, carries, region.results, strict=True):
        require(fits(init.type, param.type), "{}: initial {} for a carry {}", name, init.type, param.type)
        require(fits(result.type, param.type), "{}: the body turns {} into {}", name, param.type, result.type)
    return operand_types(carries)


def _loop_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    require(operands[0].type == I64, "loop takes an integer trip count")
    body = params["body"]
    require(body.params[0].type == I64, "loop: the counter is an integer")
    return _carried("loop", operands[1:], body, 1)


def _while_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    test = params["test"]
    require(len(test.results) == 1 and test.results[0].type == BOOL, "while: the test gives one boolean")
    return _carried("while", operands, params["body"], 0)


def _cond_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    then, otherwise = params["then"], params["otherwise"]
    require(operands[0].type == BOOL, "cond takes a boolean")
    require(not then.params and not otherwise.params, "cond: branches take no parameters")
    require(len(then.results) == len(otherwise.results), "cond: branches give different numbers of results")
    return tuple(_joined(a.type, c.type) for a, c in zip(then.results, otherwise.results, strict=True))


def _joined(then: Type, otherwise: Type) -> Type:
    """The type of either value: a length that only one of them knows is not known."""
    require(then.rank == otherwise.rank, "cond: branches give {} and {}", then, otherwise)
    shapes = zip(then.shape, otherwise.shape, strict=True)
    joined = then.with_shape(*(c if isinstance(a, Lit) else a for a, c in shapes))
    require(fits(then, joined) and fits(otherwise, joined), "cond: branches give {} and {}", then, otherwise)
    return joined


def _checkpoint_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    require(not operands and not params["body"].params, "checkpoint takes no operands, its body no parameters")
    return operand_types(params["body"].results)


def _custom_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    require(not params["body"].params, "custom: the body takes no parameters")
    return operand_types(params["body"].results)


def _structural(*_: Any, **__: Any) -> Any:
    raise TypeError("control flow has no meaning apart from its regions; interpret the regions")


row("loop", Kind.CONTROL, _loop_typing, _structural)
row("while", Kind.CONTROL, _while_typing, _structural)
row("cond", Kind.CONTROL, _cond_typing, _structural)
row("checkpoint", Kind.CONTROL, _checkpoint_typing, _structural)
row("custom", Kind.CONTROL, _custom_typing, _structural)
