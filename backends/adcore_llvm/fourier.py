"""Discrete Fourier transforms by NumPy's own loops (pocketfft), called as NumPy calls them.

`numpy.fft.fft` is a generalized universal function of signature (n),()->(m); its loops have the C signature
`(char **args, npy_intp *dimensions, npy_intp *steps, void *data)` of numpy/ufuncobject.h.
"""

from __future__ import annotations

import ctypes
from importlib import import_module
from typing import TYPE_CHECKING

from adcore.program import Equation
from adcore.types import DType

from .code import LLVM_TYPE, SIZE, Code, constant
from .symbols import provider, register
from .values import Strided

if TYPE_CHECKING:
    from .lower import Block

__all__ = ["lower_fourier"]

# PyUFuncObject: PyObject_HEAD; int nin, nout, nargs, identity; functions; data
FUNCTIONS, DATA = 32, 40
LOOPS = {DType.C128: "Dd->D", DType.C64: "Ff->F"}


@provider("fourier")
def _loop(inverse: bool, loop: str) -> tuple[str, str]:
    """The names under which compiled code finds a loop, of these types, and the data that it is passed."""
    ufunc = getattr(import_module("numpy.fft._pocketfft_umath"), "ifft" if inverse else "fft")
    which = ufunc.types.index(loop)
    names = []
    for title, offset in (("loop", FUNCTIONS), ("data", DATA)):
        table = ctypes.c_void_p.from_address(id(ufunc) + offset).value or 0
        address = ctypes.c_void_p.from_address(table + 8 * which).value
        name = f"adcore_{ufunc.__name__}_{loop[0]}_{title}"
        if address is not None:
            register(name, address, "fourier", inverse, loop)
        names.append(name if address is not None else "")
    return names[0], names[1]


def lower_fourier(block: Block, equation: Equation) -> None:
    code, dtype = block.code, equation.outs[0].type.dtype
    x = block.materialized(block.array(equation.operands[0]))
    x = x if x.whole else block.copied(x)
    out = block.lowering.new(block, dtype, x.lengths)
    _call(code, equation.params["inverse"], x, out)
    block.bind(equation.outs[0], out)


def _call(code: Code, inverse: bool, x: Strided, out: Strided) -> None:
    loop, data = _loop(inverse, LOOPS[x.dtype])
    n, element = x.lengths[-1], str(SIZE[x.dtype])
    row = code.mul(n, element)
    real = x.dtype.real
    factor = code.slot(LLVM_TYPE[real], constant(real.constant(1)))
    arguments = _words(code, "ptr", [x.pointer, factor, out.pointer])
    dimensions = _words(code, "i64", [code.product(list(x.lengths[:-1])), n, n])
    steps = _words(code, "i64", [row, "0", row, element, element])
    if data:
        code.declare(data, f"@{data} = external global i8")
    passed = ("ptr", arguments), ("ptr", dimensions), ("ptr", steps), ("ptr", f"@{data}" if data else "null")
    code.call("void", loop, *passed)


def _words(code: Code, type: str, values: list[str]) -> str:
    """An array of words in the stack frame."""
    name = code.name()
    code.entry.append(f"  {name} = alloca [{len(values)} x {type}]")
    for k, value in enumerate(values):
        code.do(f"store {type} {value}, ptr {code.op(f'getelementptr {type}, ptr {name}, i64 {k}')}")
    return name
