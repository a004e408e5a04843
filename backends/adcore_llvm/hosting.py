"""Calls of Python functions out of compiled code, which holds the interpreter's lock while it runs."""

from __future__ import annotations

import ctypes
from itertools import count
from typing import TYPE_CHECKING, Any

from adcore.primitives.host import HostFunction
from adcore.program import Equation
from adcore.types import DType

from .scalar import cast
from .symbols import register

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["HOST_ERROR", "lower_host"]

HOST_ERROR = "what the host function has raised"

_numbers = count()
_alive: list[Any] = []  # the C functions, which compiled code may call until the process ends


def lower_host(block: Block, equation: Equation) -> None:
    """The function gets the addresses of what it reads and writes."""
    code, out = block.code, equation.outs[0]
    x = block.materialized(block.array(equation.operands[0]))
    x = x if x.whole else block.copied(x)
    result = block.lowering.new(block, out.type.dtype, block.lengths(out.type))
    words = [_address(block, x.pointer), x.lengths[0], _address(block, result.pointer), result.lengths[0]]
    for operand in equation.operands[2:]:
        if not operand.type.shape:
            words.append(cast(code, operand.type.dtype, DType.I64, block.scalar(operand)))
            continue
        array = block.materialized(block.array(operand))
        array = array if array.whole else block.copied(array)
        words += [_address(block, array.pointer), *array.lengths]
    memory = code.name()
    code.entry.append(f"  {memory} = alloca [{len(words)} x i64]")
    for k, word in enumerate(words):
        code.do(f"store i64 {word}, ptr {code.op(f'getelementptr i64, ptr {memory}, i64 {k}')}")
    wanted = "jacobian" if equation.primitive.name == "host_jacobian" else "value"
    symbol = _symbol(equation.params["function"], wanted)
    code.declare(symbol, f"declare i64 @{symbol}(ptr)")
    status = code.op(f"call i64 @{symbol}(ptr {memory})")
    block.bind(out, result)
    block.lowering.fail_unless(code.op(f"icmp eq i64 {status}, 0"), HOST_ERROR, "", source=equation.source)


def _address(block: Block, pointer: str) -> str:
    return block.code.op(f"ptrtoint ptr {pointer} to i64")


def _symbol(function: HostFunction, wanted: str) -> str:
    """A name under which compiled code finds the function; of this process alone."""
    callback = function.callback(wanted)
    _alive.append(callback)
    symbol = f"adcore_host_{next(_numbers)}"
    register(symbol, ctypes.cast(callback, ctypes.c_void_p).value or 0)
    return symbol
