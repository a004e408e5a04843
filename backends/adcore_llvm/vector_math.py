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

__all__ = ["call_site", "has_masks", "vector_functions"]

PURE = " nounwind willreturn memory(none)"
_UNARY = [
    *("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "cbrt", "erf", "erfc"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
]
_BINARY = ["pow", "atan2", "hypot"]


def lanes() -> tuple[tuple[str, int], ...]:
    """The letters and doubles of the variants, the widest first: 8 for AVX-512, 4 for AVX2, 2 for older processors."""
    machine = targets.machine()
    return machine.lanes if machine else _own_lanes()


@cache
def _own_lanes() -> tuple[tuple[str, int], ...]:
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return ("e", 8), ("d", 4)  # many such processors do more with the shorter vectors, LLVM thinks
    if features.get("avx2"):
        return (("d", 4),)
    return ()


def has_masks() -> bool:
    """Whether the machine loads and stores a part of a vector."""
    return all(n > 2 for _, n in lanes())


def vector_functions() -> dict[str, str]:
    """Scalar names to the symbols of the widest variants found in libmvec."""
    return _found(*lanes()[0]) if lanes() else {}


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
    """The attributes of a call of a scalar math function; declares and keeps alive its vector variants."""
    if name not in vector_functions():
        return PURE
    code.vector_calls += 1
    variants = []
    for letter, doubles in lanes():
        symbol = _found(letter, doubles).get(name)
        if symbol is None:
            continue
        n = doubles if type == "double" else 2 * doubles
        vector = f"<{n} x {type}>"
        code.declare(symbol, f"declare {vector} @{symbol}({', '.join([vector] * arity)})")
        variants.append(f"_ZGV_LLVM_N{n}{'v' * arity}_{name}({symbol})")
    return f'{PURE} "vector-function-abi-variant"="{",".join(variants)}"'
