"""`cfunc`: a function, or a derivative, as a C function pointer."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from typing import Any

from ..errors import SignatureError
from ..plugins import compiler
from ..signatures import name_of
from .declarations import ctypes_type, declaration
from .fitting import fitted
from .plans import Declaration, Native, Pointer

__all__ = ["CFunction", "cfunc"]


class CFunction:
    """A C function in this process, made by `cfunc`; also a function of `ctypes`.

    It needs no lock of Python's, and any number of threads may call it at once.

    Attributes:
        address: the pointer, as an integer.
        ctypes: itself, as `ctypes` and `scipy.LowLevelCallable` take it.
        signature: its declaration in C.
        function: what it was made of.
    """

    address: int
    signature: str
    function: Callable[..., Any]
    _pointer: Pointer
    _native: Native

    @property
    def ctypes(self) -> Any:
        return self

    def last_error(self) -> BaseException | None:
        """The exception of the first call that failed since this was asked last; None where none did.

        It is the one that the Python function raises; its notes name the line.
        """
        return self._pointer.take_error()

    def __repr__(self) -> str:
        return f"<cfunc {self.signature} at {self.address:#x}>"

    def __reduce__(self) -> Any:
        return cfunc, (self.function, self._native.declaration.text)


def cfunc(g: Callable[..., Any], signature: str) -> CFunction:
    """A function, or a function made by a transform, as a C function pointer.

    Args:
        g: the function.  What it closes over and what is global to it, and the defaults of its arguments, are copied:
            later changes are not seen.
        signature: a declaration in C: `"double(double)"`, `"double(double, void *)"`,
            `"void(double t, const double y[3], double dy[3])"`,
            `"int64_t(int64_t n, const double x[n], double gradient[n], double *value)"`; or the types alone of what
            SciPy and nutpie call.  Numbers by value and what is `const` are arguments, in order; integers that are
            lengths are none.  Other pointers are for results, or further arguments that `g` writes into, if it takes as
            many.  `void *` is ignored.  See docs/native.md.

    Returns:
        A pointer to machine code, which the object keeps together with the copied arrays: it has to be kept as long as
        the pointer is used.  `scipy.LowLevelCallable` takes it as it is, and keeps it.

        Where the Python function would raise, the C function returns: a status, which is 0 where all went well, if
        an integer is returned that is no result; else, and in all its results, NaN.  `last_error()` has the exception.

    Raises:
        SignatureError: the signature cannot be read, or the function takes or returns something else.
        UnsupportedFunctionError: the function calls Python, which machine code cannot do without its lock.
        AdcoreError: as at a call of the function.

    >>> import math
    >>> from adcore import cfunc, grad
    >>> slope = cfunc(grad(lambda x: math.exp(-x * x)), "double(double)")
    >>> slope(0.5) == -math.exp(-0.25)
    True
    >>> from scipy import LowLevelCallable, integrate
    >>> round(integrate.quad(LowLevelCallable(slope), 0.0, 2.0)[0], 12) == round(math.exp(-4.0) - 1.0, 12)
    True
    """
    if not isinstance(signature, str):
        raise SignatureError(f"a signature is a string, not a {type(signature).__name__}", write='"double(double)"')
    declared = declaration(signature, re.sub(r"\W", "_", name_of(g)).strip("_") or "function")
    native = fitted(g, declared)
    pointer = compiler().pointer(native)
    made = _kind(declared)(pointer.address)
    made.address = pointer.address
    made.signature = str(declared)
    made.function = g
    made._pointer = pointer
    made._native = native
    return made


def _kind(declared: Declaration) -> Any:
    """A class of functions of `ctypes`."""
    parameters = [ctypes_type(p.dtype, p.pointer) for p in declared.parameters]
    base = ctypes.CFUNCTYPE(ctypes_type(declared.returns), *parameters)
    return type(
        "CFunction",
        (CFunction, base),
        {
            "__module__": __name__,
            "_flags_": base._flags_,
            "_restype_": base._restype_,
            "_argtypes_": base._argtypes_,
            "__reduce__": CFunction.__reduce__,
        },
    )
