"""Rows of matrices by libraries for a device: cuBLAS and cuSOLVER, as CuPy and PyTorch have them.

A library offers a few operations (`Operations`); the rows of `adcore.primitives.linear_algebra` and
`adcore.primitives.spectra` are what is made of these here, with the conventions of `adcore.factorizations`.  All
arrays are those of the library, over memory that is there already; nothing is copied to the host.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from adcore.primitives import Kind
from adcore.program import Equation

from .run import Placed

__all__ = ["Operations", "compute", "offered", "operations_for"]

LIBRARIES = ("cupy", "torch")


class Operations(Protocol):
    """What a library for a device offers.

    None raises for a matrix that has no such factorization: `info` is LAPACK's, an array without axes.
    """

    name: str

    def on(self, stream: int) -> AbstractContextManager[Any]:
        """Where operations run on a stream."""
        ...

    def array(self, placed: Placed, dtype: Any) -> Any:
        """An array of the library in memory that is there."""
        ...

    def numbers(self, n: int) -> Any:
        """0 … n - 1."""
        ...

    def product(self, left: Any, right: Any, out: Any) -> None: ...

    def lu(self, a: Any) -> tuple[Any, Any, Any, Any]:
        """L and U in one matrix, the order of the rows, the swaps from 0 on, info."""
        ...

    def cholesky(self, a: Any) -> tuple[Any, Any]:
        """The lower triangle, with zeros above it, of a matrix whose lower triangle is given; info."""
        ...

    def qr(self, a: Any) -> tuple[Any, Any]: ...

    def eigh(self, a: Any) -> tuple[Any, Any, Any]:
        """Eigenvalues, ascending, and vectors, of a matrix whose lower triangle is given; info."""
        ...

    def svd(self, a: Any) -> tuple[Any, Any, Any, Any]:
        """U, the singular values, Vᴴ, as many as the smaller side has; info."""
        ...

    def substitution(self, t: Any, x: Any, lower: bool, unit: bool, transposed: bool) -> Any:
        """t⁻¹ x of one triangle of t, or that of its transpose."""
        ...


# Rows


def lu(library: Operations, a: Any, k: Any) -> tuple[Any, ...]:
    return library.lu(a)


def cholesky(library: Operations, a: Any) -> tuple[Any, ...]:
    return library.cholesky(a)


def qr(library: Operations, a: Any) -> tuple[Any, ...]:
    """Q and R; the diagonal of R is real, as LAPACK has it."""
    q, r = library.qr(a)
    if not _is_complex(r):
        return q, r
    diagonal = r.diagonal()
    size = abs(diagonal)
    phase = (diagonal + (size == 0)) / (size + (size == 0))
    return q * phase[None, :], r * phase.conj()[:, None]


def eigh(library: Operations, a: Any) -> tuple[Any, ...]:
    return library.eigh(a)


def svd(library: Operations, a: Any, k: Any) -> tuple[Any, ...]:
    return library.svd(a)


def solve_triangular(library: Operations, t: Any, x: Any, lower: bool, unit: bool, transposed: bool) -> tuple[Any, ...]:
    return (library.substitution(t, x, lower, unit, transposed),)


def solve(library: Operations, a: Any, x: Any, *factors: Any, **params: Any) -> tuple[Any, ...]:
    solved = _solved_by_cholesky if params["by"] == "cholesky" else _solved_by_lu
    return (solved(library, x, *factors, transposed=params["transposed"]),)


def _solved_by_lu(library: Operations, x: Any, packed: Any, order: Any, transposed: bool) -> Any:
    # a[order] = L U; so aᵀ x = Uᵀ Lᵀ x[order]
    if not transposed:
        y = library.substitution(packed, x[order], True, True, False)
        return library.substitution(packed, y, False, False, False)
    y = library.substitution(packed, x, False, False, True)
    found = y + 0
    found[order] = library.substitution(packed, y, True, True, True)
    return found


def _solved_by_cholesky(library: Operations, x: Any, lower: Any, transposed: bool) -> Any:
    # a = L Lᴴ, where L⁻ᴴ y is the conjugate of L⁻ᵀ ȳ; the transposed matrix is the conjugate one
    y = library.substitution(lower, x.conj() if transposed else x, True, False, False)
    found = library.substitution(lower, y.conj(), True, False, True)
    return found if transposed else found.conj()


def determinant(library: Operations, a: Any, packed: Any, order: Any, swaps: Any) -> tuple[Any, ...]:
    odd = (swaps != library.numbers(swaps.shape[0])).sum() % 2
    return (packed.diagonal().prod() * (1 - 2 * odd),)


def pseudo_inverse(library: Operations, a: Any, u: Any, s: Any, vt: Any, cutoff: Any) -> tuple[Any, ...]:
    large = s > cutoff * s.max()
    inverses = large / (s + ~large)
    return ((vt.conj().T * inverses) @ u.conj().T,)


def _is_complex(a: Any) -> bool:
    return "complex" in str(a.dtype)


ROWS: Mapping[str, Callable[..., tuple[Any, ...]]] = {
    each.__name__: each for each in (lu, cholesky, qr, eigh, svd, solve_triangular, solve, determinant, pseudo_inverse)
}


def offered(equation: Equation) -> bool:
    """Whether a library computes an equation."""
    if equation.primitive.kind is Kind.CONTRACTION:
        return equation.outs[0].type.dtype.kind in "fc"
    return equation.primitive.name in ROWS


def compute(library: Operations, equation: Equation, operands: Sequence[Any], outs: Sequence[Any]) -> None:
    """Write what an equation gives for operands, arrays of the library and numbers, into arrays of it."""
    if equation.primitive.kind is Kind.CONTRACTION:
        left, right = operands
        library.product(left, right, outs[0])
        return
    for out, value in zip(outs, ROWS[equation.primitive.name](library, *operands, **equation.params), strict=True):
        out[...] = value


# Which library


@cache
def operations_for(library: str) -> Operations | None:
    """The library of that name, if it is one that offers this, else one that is imported or installed; None if none is.

    Which one it is is settled when it is asked for first.
    """
    if library in LIBRARIES:
        return _operations(library)
    for name in sorted(LIBRARIES, key=lambda name: name not in sys.modules):
        if name in sys.modules or find_spec(name) is not None:
            found = _operations(name)
            if found is not None and found.is_usable():
                return found
    return None


def _operations(name: str) -> Any:
    """The operations of a library; None of one that is there without cuBLAS and cuSOLVER."""
    library = import_module(name)
    try:
        return import_module(f".by_{name}", __package__).Library(library)
    except ImportError:
        return None
