"""Elementwise primitives as LLVM instructions on scalars: one entry a primitive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adcore.types import DType

from .code import LLVM_TYPE, Code
from .vector_math import call_site

__all__ = ["lower_scalar"]

Snippet = Callable[..., str]


def lower_scalar(code: Code, name: str, dtypes: tuple[DType, ...], operands: tuple[str, ...], params: Any) -> str:
    """Emit a primitive on scalar operands of these dtypes."""
    if name == "cast":
        return _cast(code, dtypes[0], params["dtype"], operands[0])
    if name == "select":
        type = LLVM_TYPE[dtypes[1]]
        return code.op(f"select i1 {operands[0]}, {type} {operands[1]}, {type} {operands[2]}")
    if name == "portion":
        return _portion(code, operands[0], params["of"])
    table = FLOAT if dtypes[0] is DType.F64 else BOOLEAN if dtypes[0] is DType.BOOL else INTEGER
    return table[name](code, *operands)


def _instruction(text: str, type: str) -> Snippet:
    return lambda c, *xs: c.op(f"{text} {type} {', '.join(xs)}")


def _intrinsic(name: str) -> Snippet:
    return lambda c, *xs: c.intrinsic(name, "double", *xs)


def _libm(name: str) -> Snippet:
    return lambda c, *xs: c.call("double", name, *(("double", x) for x in xs), attributes=call_site(c, name, len(xs)))


def _select(c: Code, condition: str, yes: str, no: str, type: str = "double") -> str:
    return c.op(f"select i1 {condition}, {type} {yes}, {type} {no}")


def _extremum(compare: str) -> Snippet:
    # NumPy: x if x >= y or isnan(x) else y
    def emit(c: Code, x: str, y: str) -> str:
        ordered = c.op(f"fcmp {compare} double {x}, {y}")
        nan = c.op(f"fcmp uno double {x}, {x}")
        return _select(c, c.op(f"or i1 {ordered}, {nan}"), x, y)

    return emit


def _integer_extremum(compare: str) -> Snippet:
    return lambda c, x, y: _select(c, c.op(f"icmp {compare} i64 {x}, {y}"), x, y, "i64")


def _sign(c: Code, x: str) -> str:
    positive = c.op(f"fcmp ogt double {x}, 0.0")
    negative = c.op(f"fcmp olt double {x}, 0.0")
    signed = _select(c, positive, "1.0", _select(c, negative, "-1.0", "0.0"))
    return _select(c, c.op(f"fcmp uno double {x}, {x}"), x, signed)


def _integer_sign(c: Code, x: str) -> str:
    positive = c.op(f"icmp sgt i64 {x}, 0")
    negative = c.op(f"icmp slt i64 {x}, 0")
    return _select(c, positive, "1", _select(c, negative, "-1", "0", "i64"), "i64")


def _remainder(c: Code, x: str, y: str) -> tuple[str, str]:
    """C's remainder, and whether its sign is not the divisor's."""
    remainder = c.op(f"frem double {x}, {y}")
    differs = c.op(f"xor i1 {c.op(f'fcmp olt double {y}, 0.0')}, {c.op(f'fcmp olt double {remainder}, 0.0')}")
    return remainder, c.op(f"and i1 {differs}, {c.op(f'fcmp one double {remainder}, 0.0')}")


def _float_mod(c: Code, x: str, y: str) -> str:
    # the remainder with the sign of the divisor; a zero remainder has it too
    remainder, wrong = _remainder(c, x, y)
    moved = _select(c, wrong, c.op(f"fadd double {remainder}, {y}"), remainder)
    is_zero = c.op(f"fcmp oeq double {remainder}, 0.0")
    return _select(c, is_zero, c.intrinsic("copysign", "double", "0.0", y), moved)


def _float_floordiv(c: Code, x: str, y: str) -> str:
    # (x - remainder) / y, one less where the signs differ, rounded to the integer it is; x / y where y is 0
    quotient = c.op(f"fdiv double {x}, {y}")
    remainder, wrong = _remainder(c, x, y)
    exact = c.op(f"fdiv double {c.op(f'fsub double {x}, {remainder}')}, {y}")
    exact = _select(c, wrong, c.op(f"fsub double {exact}, 1.0"), exact)
    floor = c.intrinsic("floor", "double", exact)
    rest = c.op(f"fsub double {exact}, {floor}")
    rounded = _select(c, c.op(f"fcmp ogt double {rest}, 5.0e-01"), c.op(f"fadd double {floor}, 1.0"), floor)
    is_zero = c.op(f"fcmp oeq double {exact}, 0.0")
    signed = _select(c, is_zero, c.intrinsic("copysign", "double", "0.0", quotient), rounded)
    return _select(c, c.op(f"fcmp oeq double {y}, 0.0"), quotient, signed)


def _safe_divisor(c: Code, y: str) -> tuple[str, str, str]:
    # division by 0 and of the least integer by -1 trap: divide by 1 there and choose the result afterwards
    zero = c.op(f"icmp eq i64 {y}, 0")
    minus = c.op(f"icmp eq i64 {y}, -1")
    return zero, minus, _select(c, c.op(f"or i1 {zero}, {minus}"), "1", y, "i64")


def _adjusts(c: Code, x: str, y: str) -> tuple[str, str]:
    remainder = c.op(f"srem i64 {x}, {y}")
    signs = c.op(f"icmp slt i64 {c.op(f'xor i64 {remainder}, {y}')}, 0")
    return remainder, c.op(f"and i1 {signs}, {c.op(f'icmp ne i64 {remainder}, 0')}")


def _integer_floordiv(c: Code, x: str, y: str) -> str:
    zero, minus, divisor = _safe_divisor(c, y)
    quotient = c.op(f"sdiv i64 {x}, {divisor}")
    _, adjust = _adjusts(c, x, divisor)
    floored = _select(c, adjust, c.op(f"sub i64 {quotient}, 1"), quotient, "i64")
    negated = _select(c, minus, c.op(f"sub i64 0, {x}"), floored, "i64")
    return _select(c, zero, "0", negated, "i64")


def _integer_mod(c: Code, x: str, y: str) -> str:
    _, _, divisor = _safe_divisor(c, y)
    remainder, adjust = _adjusts(c, x, divisor)
    return _select(c, adjust, c.op(f"add i64 {remainder}, {divisor}"), remainder, "i64")


def _integer_pow(c: Code, x: str, y: str) -> str:
    # by squaring; a negative exponent is refused before
    result, base, rest = c.slot("i64", "1"), c.slot("i64", x), c.slot("i64", y)
    head, body, done = c.label(), c.label(), c.label()
    c.jump(head)
    c.start(head)
    left = c.op(f"load i64, ptr {rest}")
    c.branch(c.op(f"icmp sgt i64 {left}, 0"), body, done)
    c.start(body)
    power, square = c.op(f"load i64, ptr {result}"), c.op(f"load i64, ptr {base}")
    odd = c.op(f"trunc i64 {left} to i1")
    c.do(f"store i64 {_select(c, odd, c.op(f'mul i64 {power}, {square}'), power, 'i64')}, ptr {result}")
    c.do(f"store i64 {c.op(f'mul i64 {square}, {square}')}, ptr {base}")
    c.do(f"store i64 {c.op(f'lshr i64 {left}, 1')}, ptr {rest}")
    c.jump(head)
    c.start(done)
    return c.op(f"load i64, ptr {result}")


def _shift(text: str, beyond: str) -> Snippet:
    def emit(c: Code, x: str, y: str) -> str:
        fits = c.op(f"icmp ult i64 {y}, 64")
        amount = _select(c, fits, y, "0", "i64")
        far = c.op(f"ashr i64 {x}, 63") if beyond == "sign" else "0"
        return _select(c, fits, c.op(f"{text} i64 {x}, {amount}"), far, "i64")

    return emit


def _wraps(operation: str) -> Snippet:
    def emit(c: Code, x: str, y: str) -> str:
        name = f"llvm.{operation}.with.overflow.i64"
        c.declare(name, f"declare {{i64, i1}} @{name}(i64, i64)")
        return c.op(f"extractvalue {{i64, i1}} {c.op(f'call {{i64, i1}} @{name}(i64 {x}, i64 {y})')}, 1")

    return emit


def _compare(text: str, type: str) -> Snippet:
    return lambda c, x, y: c.op(f"{text} {type} {x}, {y}")


def _cast(c: Code, source: DType, target: DType, x: str) -> str:
    if source is target:
        return x
    if target is DType.BOOL:
        return c.op(f"fcmp une double {x}, 0.0" if source is DType.F64 else f"icmp ne i64 {x}, 0")
    if source is DType.BOOL:
        return c.op(f"zext i1 {x} to i64" if target is DType.I64 else f"uitofp i1 {x} to double")
    if target is DType.F64:
        return c.op(f"sitofp i64 {x} to double")
    return c.call("i64", "llvm.fptosi.sat.i64.f64", ("double", x))


def _side(c: Code, x: str, y: str) -> str:
    equal = _select(c, c.op(f"fcmp oeq double {x}, {y}"), "0", "2", "i8")
    less = _select(c, c.op(f"fcmp olt double {x}, {y}"), "-1", equal, "i8")
    return _select(c, c.op(f"fcmp ogt double {x}, {y}"), "1", less, "i8")


def _portion(c: Code, side: str, of: int) -> str:
    shared = _select(c, c.op(f"icmp eq i8 {side}, 0"), "5.0e-1", "0.0")
    return _select(c, c.op(f"icmp eq i8 {side}, {of}"), "1.0", shared)


def _logistic(c: Code, x: str) -> str:
    # exp(min(x, 0)) / (1 + exp(-|x|))
    shrunk = _libm("exp")(c, c.op(f"fneg double {c.intrinsic('fabs', 'double', x)}"))
    above = _select(c, c.op(f"fcmp oge double {x}, 0.0"), "1.0", shrunk)
    return c.op(f"fdiv double {above}, {c.op(f'fadd double {shrunk}, 1.0')}")


def _logaddexp(c: Code, x: str, y: str) -> str:
    # the larger plus log(1 + exp(-distance)); equal operands (two infinities, say) have distance 0
    apart = c.intrinsic("fabs", "double", c.op(f"fsub double {x}, {y}"))
    distance = _select(c, c.op(f"fcmp oeq double {x}, {y}"), "0.0", apart)
    rest = _libm("log1p")(c, _libm("exp")(c, c.op(f"fneg double {distance}")))
    return c.op(f"fadd double {_extremum('oge')(c, x, y)}, {rest}")


def _is_finite(c: Code, x: str) -> str:
    return c.op(f"fcmp olt double {c.intrinsic('fabs', 'double', x)}, 0x7FF0000000000000")


FLOAT: dict[str, Snippet] = {
    "neg": _instruction("fneg", "double"),
    "add": _instruction("fadd", "double"),
    "plus": _instruction("fadd reassoc", "double"),
    "sub": _instruction("fsub", "double"),
    "mul": _instruction("fmul", "double"),
    "div": _instruction("fdiv", "double"),
    "floordiv": _float_floordiv,
    "mod": _float_mod,
    "fmod": _instruction("frem", "double"),
    "maximum": _extremum("oge"),
    "minimum": _extremum("ole"),
    "abs": _intrinsic("fabs"),
    "sqrt": _intrinsic("sqrt"),
    "floor": _intrinsic("floor"),
    "ceil": _intrinsic("ceil"),
    "trunc": _intrinsic("trunc"),
    "rint": _intrinsic("rint"),
    "copysign": _intrinsic("copysign"),
    "sign": _sign,
    "isnan": lambda c, x: c.op(f"fcmp uno double {x}, {x}"),
    "isfinite": _is_finite,
    "side": _side,
    "logistic": _logistic,
    "logaddexp": _logaddexp,
    "lt": _compare("fcmp olt", "double"),
    "le": _compare("fcmp ole", "double"),
    "gt": _compare("fcmp ogt", "double"),
    "ge": _compare("fcmp oge", "double"),
    "eq": _compare("fcmp oeq", "double"),
    "ne": _compare("fcmp une", "double"),
    **{
        ours: _libm(theirs)
        for ours, theirs in {
            "pow": "pow",
            "exp": "exp",
            "exp2": "exp2",
            "expm1": "expm1",
            "log": "log",
            "log1p": "log1p",
            "log2": "log2",
            "log10": "log10",
            "cbrt": "cbrt",
            "sin": "sin",
            "cos": "cos",
            "tan": "tan",
            "arcsin": "asin",
            "arccos": "acos",
            "arctan": "atan",
            "arctan2": "atan2",
            "hypot": "hypot",
            "sinh": "sinh",
            "cosh": "cosh",
            "tanh": "tanh",
            "arcsinh": "asinh",
            "arccosh": "acosh",
            "arctanh": "atanh",
            "erf": "erf",
            "erfc": "erfc",
            "nextafter": "nextafter",
        }.items()
    },
}

INTEGER: dict[str, Snippet] = {
    "neg": lambda c, x: c.op(f"sub i64 0, {x}"),
    "add": _instruction("add", "i64"),
    "sub": _instruction("sub", "i64"),
    "mul": _instruction("mul", "i64"),
    "add_wraps": _wraps("sadd"),
    "sub_wraps": _wraps("ssub"),
    "mul_wraps": _wraps("smul"),
    "integer_pow": _integer_pow,
    "floordiv": _integer_floordiv,
    "mod": _integer_mod,
    "maximum": _integer_extremum("sge"),
    "minimum": _integer_extremum("sle"),
    "abs": lambda c, x: c.op(f"call i64 @{_declare_abs(c)}(i64 {x}, i1 false)"),
    "sign": _integer_sign,
    "and": _instruction("and", "i64"),
    "or": _instruction("or", "i64"),
    "xor": _instruction("xor", "i64"),
    "not": lambda c, x: c.op(f"xor i64 {x}, -1"),
    "shift_left": _shift("shl", "zero"),
    "shift_right": _shift("ashr", "sign"),
    **{
        name: _compare(f"icmp {text}", "i64")
        for name, text in {"lt": "slt", "le": "sle", "gt": "sgt", "ge": "sge", "eq": "eq", "ne": "ne"}.items()
    },
}


def _declare_abs(c: Code) -> str:
    return c.declare("llvm.abs.i64", "declare i64 @llvm.abs.i64(i64, i1)")


BOOLEAN: dict[str, Snippet] = {
    "and": _instruction("and", "i1"),
    "or": _instruction("or", "i1"),
    "xor": _instruction("xor", "i1"),
    "not": lambda c, x: c.op(f"xor i1 {x}, true"),
    **{
        name: _compare(f"icmp {text}", "i1")
        for name, text in {"lt": "ult", "le": "ule", "gt": "ugt", "ge": "uge", "eq": "eq", "ne": "ne"}.items()
    },
}
