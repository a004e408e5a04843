"""The functions that adcore knows, by function object."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import library
from .builtin_functions import BUILTINS
from .derived import TRANSFORMS
from .math_functions import MATH
from .numpy_names import NUMPY, NUMPY_BY_NAME
from .operator_functions import OPERATOR

__all__ = ["known_function"]

KNOWN: dict[Any, Any] = {**BUILTINS, **MATH, **NUMPY, **OPERATOR, **TRANSFORMS}


def known_function(function: Any) -> Any:
    """What lowers a call of the function, or is called in its place (a `library.Written`), or None."""
    try:
        found = KNOWN.get(function)
        if found is None:
            found = library.found(function)
    except TypeError:
        return None
    if found is None and isinstance(function, np.ufunc):
        return NUMPY_BY_NAME.get(function.__name__)
    owner = getattr(function, "__self__", None)
    if found is None and isinstance(owner, np.ufunc):
        return library.ufunc_method(owner, function.__name__)
    return found
