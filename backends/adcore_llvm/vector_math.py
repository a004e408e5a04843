"""glibc's vector functions (libmvec) for the loop vectorizer.

A call of `exp` whose call site has the attribute `vector-function-abi-variant` lets the vectorizer call the named
vector function instead.  A variant that the library lacks would be a call of address 0, so each is looked up first;
without one the loop keeps the scalar function.
"""

from __future__ import annotations

from functools import cache

import llvmlite.binding as llvm

from . import targets
from .code import Code
from .symbols import note, provider

__all__ = ["call_site", "vector_functions"]

PURE = " nounwind willreturn memory(none)"
_UNARY = [
    *("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "cbrt", "erf", "erfc"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
]
_BINARY = ["pow", "atan2", "hypot"]


def lanes() -> tuple[str, int] | None:
    """The letter and doubles of the widest variant: ("e", 8) for AVX-512, ("d", 4) for AVX2, ("b", 2) for others."""
    machine = targets.machine()
    return machine.lanes if machine else _own_lanes()


@cache
def _own_lanes() -> tuple[str, int] | None:
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return "e", 8
    if features.get("avx2"):
        return "d", 4
    return None


def vector_functions() -> dict[str, str]:
    """Scalar names to the vector symbols found in libmvec."""
    width = lanes()
    return {} if width is None else _found(*width)


@provider("vectors")
def _found(letter: str, n: int) -> dict[str, str]:
    try:
        llvm.load_library_permanently("libmvec.so.1")
    except RuntimeError:  # no glibc, or an old one
        return {}
    found = {}
    for names, arguments in ((_UNARY, "v"), (_BINARY, "vv")):
        for name in names:
            for function, width in ((name, n), (f"{name}f", 2 * n)):
                symbol = f"_ZGV{letter}N{width}{arguments}_{function}"
                if llvm.address_of_symbol(symbol):
                    found[function] = symbol
                    note(symbol, "vectors", letter, n)
    return found


def call_site(code: Code, name: str, arity: int, type: str = "double") -> str:
    """The attributes of a call of a scalar math function; declares and keeps alive its vector variant."""
    symbol = vector_functions().get(name)
    if symbol is None:
        return PURE
    code.vector_calls += 1
    _, doubles = lanes() or ("", 0)
    n = doubles if type == "double" else 2 * doubles
    vector = f"<{n} x {type}>"
    code.declare(symbol, f"declare {vector} @{symbol}({', '.join([vector] * arity)})")
    arguments = "v" * arity
    return f'{PURE} "vector-function-abi-variant"="_ZGV_LLVM_N{n}{arguments}_{name}({symbol})"'
