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
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            expected = function(*copy.deepcopy(arguments))
    except Exception as error:
        with pytest.raises(type(error)) as caught:
            run(function, *arguments)
        assert caught.type is type(error)
    else:
        same(run(function, *arguments), expected)
