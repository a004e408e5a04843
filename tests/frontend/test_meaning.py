"""The lowered function gives what Python gives, or raises what Python raises."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pytest

from .conftest import run, same
from .programs import CASES

POINTS = [(f, a) for f, inputs in CASES for a in inputs]


@pytest.mark.parametrize(
    ("function", "arguments"), POINTS, ids=[f"{f.__name__}-{k}" for f, inputs in CASES for k in range(len(inputs))]
)
def test_same_as_python(function, arguments):
    expected, kind = _python(function, copy.deepcopy(arguments))
    if kind is None:
        same(run(function, *arguments), expected)
        return
    with pytest.raises(kind) as caught:
        run(function, *arguments)
    assert caught.type is kind


def _python(function, arguments):
    """What Python gives, or the type of what it raises."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return function(*arguments), None
        except (ArithmeticError, LookupError, NameError, TypeError, ValueError, AssertionError) as error:
            return None, type(error)
