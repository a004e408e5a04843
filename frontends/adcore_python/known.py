"""The functions that adcore knows, by function object."""

from __future__ import annotations

from typing import Any

import numpy as np

from adcore.primitives import Primitive

from . import library
from .array_functions import array_like
from .builtin_functions import BUILTINS
from .complexes import CMATH, COMPLEX
from .derived import TRANSFORMS
from .hosting import FUNCTIONS as HOST
from .local_rules import FUNCTIONS as RULES
from .math_functions import MATH
from .numpy_names import NUMPY
from .operator_functions import OPERATOR
from .operators import in_doubles

__all__ = ["known_function"]

KNOWN: dict[Any, Any] = {**BUILTINS, **MATH, **CMATH, **NUMPY, **COMPLEX, **OPERATOR, **TRANSFORMS, **HOST, **RULES}


def known_function(function: Any) -> Any:
    """What lowers a call of the function, or is called in its place (a `library.Written`), or None."""
    try:
        found = KNOWN.get(function)
        if found is None:
            found = library.found(function)
    except TypeError:
        return None
    if found is None and isinstance(function, Primitive):
        return _row(function)
    owner = getattr(function, "__self__", None)
    if found is None and isinstance(owner, np.ufunc):
        return library.ufunc_method(owner, function.__name__)
    return found


def _row(primitive: Primitive) -> Any:
    """A row of the table that a routine calls by itself."""
    return lambda low, *operands: in_doubles(low, primitive.name, [array_like(low, x) for x in operands])
