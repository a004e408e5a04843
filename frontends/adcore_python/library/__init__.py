"""Functions of NumPy and SciPy, by their public names.

A module here either writes functions in the language itself, as plain Python on what the frontend knows already
(`@defines("numpy.roll")`), or gives lowerings that emit equations (`@lowers(…)`).  The former are preferred:
plain Python runs them too, so that each is tested against NumPy as it stands, and its derivative is nobody's business
but the compiler's.
"""

from __future__ import annotations

import sys
from types import FunctionType, MethodType
from typing import Any

from adcore.errors import UnsupportedFunctionError

from . import (
    applying,
    arrangement,
    axes,
    closures,
    compiled_by_numba,
    composition,
    corners,
    counting,
    decompositions,
    distances,
    distributions,
    einsum,
    elementwise,
    factors,
    fitting,
    fourier,
    generalized,
    gridded,
    implicit,
    initial_values,
    interpolation,
    limits,
    making,
    matrix_equations,
    matrix_functions,
    minimizing,
    multivariate,
    norms,
    odes,
    ordering,
    padding,
    piecewise,
    places,
    polynomials,
    products,
    quadrature,
    random_seeds,
    root_finding,
    scans,
    searching,
    sets,
    signals,
    solving,
    sparse,
    sparse_jacobians,
    sparse_solving,
    sparse_spectra,
    special,
    special_functions,
    spectra,
    splines,
    splitting,
    statistics,
    stencils,
    structured,
    vectors,
)
from .registry import LIBRARY, METHODS, Written
from .scans import UFUNC_METHODS, ufunc_method

__all__ = [
    "LIBRARY",
    "METHODS",
    "MODULES",
    "UFUNC_METHODS",
    "Written",
    "found",
    "owner_of",
    "ufunc_method",
]

MODULES = (
    *(applying, arrangement, axes, closures, compiled_by_numba, composition, corners, counting, decompositions),
    *(distances, distributions, einsum, elementwise, factors, fitting, fourier, generalized, gridded, implicit),
    *(initial_values, interpolation, limits, making, matrix_equations, matrix_functions, minimizing, multivariate),
    *(norms, odes, ordering, padding, piecewise, places, polynomials, products, quadrature, random_seeds),
    *(root_finding, scans, searching, sets, signals, solving, sparse, sparse_jacobians, sparse_solving),
    *(sparse_spectra, special, special_functions, spectra, splines, splitting, statistics, stencils, structured),
    vectors,
)
_objects: dict[Any, Any] = {}
_with_methods: dict[int, tuple[Any, Any]] = {}  # by identity, which the object that is kept holds
_pending: dict[str, list[str]] = {}  # by what the names are attributes of
for _name in LIBRARY:
    _pending.setdefault(_name.rpartition(".")[0], []).append(_name)


def found(function: Any) -> Any:
    """What the library has for a function object: a `Written`, a lowering, or None.

    The object behind a name is looked up when its module has been imported, so that nothing of SciPy need be.
    """
    if isinstance(function, MethodType) and isinstance(function.__func__, FunctionType):
        return _method(function)
    known = _objects.get(function)
    if known is None and _pending:
        _look_up()
        known = _objects.get(function)
    return known


def _look_up() -> None:
    """Find the objects behind the names in modules that have been imported."""
    for holder, names in list(_pending.items()):
        owner = owner_of(names[0])
        if owner is None:
            continue
        del _pending[holder]
        for name in names:
            thing = getattr(owner, name.rpartition(".")[2], f"no {name}")
            _objects[thing] = LIBRARY[name]
            if getattr(LIBRARY[name], "methods", None):
                _with_methods[id(thing)] = thing, LIBRARY[name].methods


def _method(method: MethodType) -> Any:
    """What stands for a method of an object of the library; objects of the user's are not compared with any."""
    if _pending:
        _look_up()
    _, methods = _with_methods.get(id(method.__self__), (None, {}))
    found = methods.get(method.__name__)
    if found is None:
        return _refusal(method) if type(method.__self__).__module__.startswith("scipy.stats.") else None
    return Written(found)


def _refusal(method: MethodType) -> Any:
    """What is said of a method of SciPy's that is not known: its source would say less."""
    owner = method.__self__
    name = f"{getattr(owner, 'name', None) or type(owner).__name__}.{method.__name__}"

    def lower(low: Any, *_: Any, **__: Any) -> Any:
        cause = f"scipy.stats: {name} is not supported"
        low.refuse(UnsupportedFunctionError, cause, "the distributions and methods in docs/language.md, or a formula")

    return lower


def owner_of(name: str) -> Any:
    """What a public name is an attribute of, a module or an object in one; None where that is not imported."""
    holder, _, _ = name.rpartition(".")
    if holder in sys.modules:
        return sys.modules[holder]
    module, _, attribute = holder.rpartition(".")
    # SciPy imports a module of its when the attribute is asked for: what is there is read from the namespace.
    return vars(sys.modules[module]).get(attribute) if module in sys.modules else None
