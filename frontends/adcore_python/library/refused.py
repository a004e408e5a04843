"""Functions of NumPy and SciPy that are refused for a reason, and what to write in their place.

What draws random numbers from a state that NumPy keeps for itself is refused: a generator that is an argument, or a
variable from outside, does the same, and its state is a value of the program.
"""

from __future__ import annotations

import numpy as np

__all__ = ["MADE_OUTSIDE", "REFUSED", "refusal"]

_BASIS = "an orthonormal basis of a subspace is not a function of the matrix"
_FILE = "reads what is outside the function"

REFUSED: dict[str, tuple[str, str]] = {
    "numpy.lib.stride_tricks.as_strided": (
        "numpy.lib.stride_tricks.as_strided makes a view of memory by its strides",
        "np.lib.stride_tricks.sliding_window_view, or an index array",
    ),
    "numpy.frombuffer": (f"numpy.frombuffer {_FILE}", "an array made outside and passed as an argument"),
    "numpy.fromfile": (f"numpy.fromfile {_FILE}", "an array made outside and passed as an argument"),
    "numpy.fromstring": (f"numpy.fromstring {_FILE}", "an array made outside and passed as an argument"),
    "numpy.load": (f"numpy.load {_FILE}", "an array made outside and passed as an argument"),
    "numpy.loadtxt": (f"numpy.loadtxt {_FILE}", "an array made outside and passed as an argument"),
    "numpy.genfromtxt": (f"numpy.genfromtxt {_FILE}", "an array made outside and passed as an argument"),
    "numpy.einsum_path": ("numpy.einsum_path gives a plan and no numbers", "np.einsum, which plans for itself"),
    "numpy.shares_memory": ("numpy.shares_memory asks where arrays lie in memory", "a copy where they must not share"),
    "numpy.may_share_memory": (
        "numpy.may_share_memory asks where arrays lie in memory",
        "a copy where they must not share",
    ),
    "numpy.asmatrix": ("numpy.asmatrix makes a matrix, which NumPy advises against", "an array, and x @ y"),
    "numpy.matrix": ("numpy.matrix makes a matrix, which NumPy advises against", "an array, and x @ y"),
    "numpy.bmat": ("numpy.bmat makes a matrix, which NumPy advises against", "np.block"),
    "numpy.nditer": ("numpy.nditer gives views of elements that are written through", "a loop over indices"),
}

_LINEAR_ALGEBRA = {
    "scipy.linalg.schur": ("Schur forms", "scipy.linalg.eig, or scipy.linalg.eigh of a symmetric matrix"),
    "scipy.linalg.hessenberg": (
        "Hessenberg forms",
        "scipy.linalg.qr, or scipy.linalg.eigvals for what they are made for",
    ),
    "scipy.linalg.null_space": (_BASIS, "the projection np.eye(n) - np.linalg.pinv(a) @ a"),
    "scipy.linalg.orth": (_BASIS, "the projection a @ np.linalg.pinv(a)"),
    "scipy.linalg.ldl": ("factorizations of indefinite matrices", "scipy.linalg.lu"),
}
REFUSED |= {name: (f"{name} is not supported: {why}", write) for name, (why, write) in _LINEAR_ALGEBRA.items()}

MADE_OUTSIDE = "rng = np.random.default_rng(seed), made outside and passed as an argument"
_RENAMED = {
    **dict.fromkeys(("rand", "random_sample", "ranf", "sample"), "random"),
    "randn": "standard_normal",
    "randint": "integers",
    "random_integers": "integers",
}


_PLANNING = {
    *(f"adcore.sparse.compressed.{name}" for name in ("jacobian_pattern", "hessian_pattern")),
    *(f"adcore.sparse.colouring.color_{name}" for name in ("columns", "rows", "bidirectional")),
    *(f"adcore.sparse.colouring.color_symmetric_{name}" for name in ("star", "acyclic")),
}


def refusal(name: str) -> tuple[str, str] | None:
    """Why a function is refused, and what to write instead; None where there is nothing to say of it."""
    if name.startswith("numpy.random."):
        method = name.rpartition(".")[2]
        method = _RENAMED.get(method, method)
        drawn = f"rng.{method}(…) with {MADE_OUTSIDE}" if hasattr(np.random.Generator, method) else MADE_OUTSIDE
        return f"{name} has a state that the function does not see", drawn
    if name.startswith("scipy.sparse.linalg."):
        return f"scipy.sparse.linalg.{name.rpartition('.')[2]} is not supported", "scipy.sparse.linalg.spsolve, or splu"
    if name in _PLANNING:
        cause = f"{name.rpartition('.')[2]} in a compiled function: patterns and colourings are made when it is called"
        return cause, "jacobian(f, sparse=True) there, which finds the pattern and colours it"
    return REFUSED.get(name)
