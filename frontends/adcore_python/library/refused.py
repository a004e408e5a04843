"""Functions that are refused by name, and what may be written instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from adcore.errors import UnsupportedFunctionError

from ..values import Value
from .registry import lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__: list[str] = []

COMPLEX = "eigenvalues of a matrix that is not symmetric are complex numbers"
BASIS = "an orthonormal basis of a subspace is not a function of the matrix"
REFUSED = {
    "numpy.linalg.eig": (COMPLEX, "np.linalg.eigh of a symmetric matrix"),
    "numpy.linalg.eigvals": (COMPLEX, "np.linalg.eigvalsh of a symmetric matrix"),
    "scipy.linalg.eig": (COMPLEX, "scipy.linalg.eigh of a symmetric matrix"),
    "scipy.linalg.eigvals": (COMPLEX, "scipy.linalg.eigvalsh of a symmetric matrix"),
    "scipy.linalg.schur": (COMPLEX, "scipy.linalg.eigh of a symmetric matrix"),
    "scipy.linalg.hessenberg": ("Hessenberg forms", "scipy.linalg.qr"),
    "scipy.linalg.null_space": (BASIS, "the projection np.eye(n) - np.linalg.pinv(a) @ a"),
    "scipy.linalg.orth": (BASIS, "the projection a @ np.linalg.pinv(a)"),
    "scipy.linalg.ldl": ("factorizations of indefinite matrices", "scipy.linalg.lu"),
    "scipy.linalg.solve_continuous_are": ("Riccati equations", "Newton's iteration with solve_continuous_lyapunov"),
    "scipy.linalg.solve_discrete_are": ("Riccati equations", "Newton's iteration with solve_discrete_lyapunov"),
}


def _refusing(name: str, cause: str, write: str) -> Any:
    def refuse(low: Lowering, *arguments: Value, **keywords: Value) -> NoReturn:
        low.refuse(UnsupportedFunctionError, f"{name} is not supported: {cause}", write)

    return refuse


for _name, _reasons in REFUSED.items():
    lowers(_name)(_refusing(_name, *_reasons))
