"""Elementwise primitives on integers of any size, with and without sign, and on booleans: one entry a primitive."""

from __future__ import annotations

from adcore.types import DType

from .code import LLVM_TYPE, Code
from .floats import comparison, instruction, select

__all__ = ["BOOLEAN", "INTEGER"]


def _signed(d: DType) -> bool:
    return d.kind == "i"


def _by_sign(of_signed, of_unsigned):
    """One of two entries, by whether the dtype has a sign."""
    return lambda c, d, *xs: (of_signed if _signed(d) else of_unsigned)(c, d, *xs)


def _ordered(name: str):
    return _by_sign(comparison(f"icmp s{name}"), comparison(f"icmp u{name}"))


def _extremum(name: str):
    return lambda c, d, x, y: select(c, d, _ordered(name)(c, d, x, y), x, y)


def _sign(c: Code, d: DType, x: str) -> str:
    negative = select(c, d, comparison("icmp slt")(c, d, x, "0"), "-1", "0") if _signed(d) else "0"
    return select(c, d, _ordered("gt")(c, d, x, "0"), "1", negative)


def _abs(c: Code, d: DType, x: str) -> str:
    if not _signed(d):
        return x
    type = LLVM_TYPE[d]
    name = c.declare(f"llvm.abs.{type}", f"declare {type} @llvm.abs.{type}({type}, i1)")
    return c.op(f"call {type} @{name}({type} {x}, i1 false)")


def _safe_divisor(c: Code, d: DType, y: str) -> tuple[str, str, str]:
    # division by 0 and of the least integer by -1 trap: divide by 1 there and choose the result afterwards
    same = comparison("icmp eq")
    zero = same(c, d, y, "0")
    minus = same(c, d, y, "-1") if _signed(d) else "false"
    return zero, minus, select(c, d, c.op(f"or i1 {zero}, {minus}"), "1", y)


def _adjusts(c: Code, d: DType, x: str, y: str) -> tuple[str, str]:
    """C's remainder, and whether its sign is not the divisor's."""
    remainder = instruction("srem")(c, d, x, y)
    differs = comparison("icmp slt")(c, d, instruction("xor")(c, d, remainder, y), "0")
    return remainder, c.op(f"and i1 {differs}, {comparison('icmp ne')(c, d, remainder, '0')}")


def _floordiv(c: Code, d: DType, x: str, y: str) -> str:
    zero, minus, divisor = _safe_divisor(c, d, y)
    if not _signed(d):
        return select(c, d, zero, "0", instruction("udiv")(c, d, x, divisor))
    quotient = instruction("sdiv")(c, d, x, divisor)
    _, adjust = _adjusts(c, d, x, divisor)
    floored = select(c, d, adjust, instruction("sub")(c, d, quotient, "1"), quotient)
    negated = select(c, d, minus, instruction("sub")(c, d, "0", x), floored)
    return select(c, d, zero, "0", negated)


def _mod(c: Code, d: DType, x: str, y: str) -> str:
    zero, _, divisor = _safe_divisor(c, d, y)
    if not _signed(d):
        return select(c, d, zero, "0", instruction("urem")(c, d, x, divisor))
    remainder, adjust = _adjusts(c, d, x, divisor)
    return select(c, d, adjust, instruction("add")(c, d, remainder, divisor), remainder)


def _integer_pow(c: Code, d: DType, x: str, y: str) -> str:
    # by squaring; a negative exponent is refused before
    type, mul = LLVM_TYPE[d], instruction("mul")
    result, base, rest = c.slot(type, "1"), c.slot(type, x), c.slot(type, y)
    head, body, done = c.label(), c.label(), c.label()
    c.jump(head)
    c.start(head)
    left = c.op(f"load {type}, ptr {rest}")
    c.branch(_ordered("gt")(c, d, left, "0"), body, done)
    c.start(body)
    power, square = c.op(f"load {type}, ptr {result}"), c.op(f"load {type}, ptr {base}")
    odd = c.op(f"trunc {type} {left} to i1")
    c.do(f"store {type} {select(c, d, odd, mul(c, d, power, square), power)}, ptr {result}")
    c.do(f"store {type} {mul(c, d, square, square)}, ptr {base}")
    c.do(f"store {type} {instruction('lshr')(c, d, left, '1')}, ptr {rest}")
    c.jump(head)
    c.start(done)
    return c.op(f"load {type}, ptr {result}")


def _shift(text: str, keeps_sign: bool):
    def emit(c: Code, d: DType, x: str, y: str) -> str:
        fits = comparison("icmp ult")(c, d, y, str(d.bits))
        amount = select(c, d, fits, y, "0")
        far = instruction("ashr")(c, d, x, str(d.bits - 1)) if keeps_sign else "0"
        return select(c, d, fits, instruction(text)(c, d, x, amount), far)

    return emit


def _wraps(operation: str):
    def emit(c: Code, d: DType, x: str, y: str) -> str:
        type = LLVM_TYPE[d]
        name = f"llvm.{operation}.with.overflow.{type}"
        c.declare(name, f"declare {{{type}, i1}} @{name}({type}, {type})")
        pair = c.op(f"call {{{type}, i1}} @{name}({type} {x}, {type} {y})")
        return c.op(f"extractvalue {{{type}, i1}} {pair}, 1")

    return emit


INTEGER = {
    "neg": lambda c, d, x: instruction("sub")(c, d, "0", x),
    "add": instruction("add"),
    "sub": instruction("sub"),
    "mul": instruction("mul"),
    "add_wraps": _wraps("sadd"),
    "sub_wraps": _wraps("ssub"),
    "mul_wraps": _wraps("smul"),
    "integer_pow": _integer_pow,
    "floordiv": _floordiv,
    "mod": _mod,
    "maximum": _extremum("ge"),
    "minimum": _extremum("le"),
    "abs": _abs,
    "sign": _sign,
    "and": instruction("and"),
    "or": instruction("or"),
    "xor": instruction("xor"),
    "not": lambda c, d, x: instruction("xor")(c, d, x, "-1"),
    "shift_left": _shift("shl", False),
    "shift_right": _by_sign(_shift("ashr", True), _shift("lshr", False)),
    **{name: _ordered(name) for name in ("lt", "le", "gt", "ge")},
    **{name: comparison(f"icmp {name}") for name in ("eq", "ne")},
}

BOOLEAN = {
    **{name: instruction(name) for name in ("and", "or", "xor")},
    "not": lambda c, d, x: instruction("xor")(c, d, x, "true"),
    **{name: comparison(f"icmp u{name}") for name in ("lt", "le", "gt", "ge")},
    **{name: comparison(f"icmp {name}") for name in ("eq", "ne")},
}
