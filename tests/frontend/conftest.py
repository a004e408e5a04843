"""Running a function through the frontend and the reference meaning."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np
from adcore_numpy import interpret
from adcore_python import PythonFrontend

from adcore.outcomes import rebuilt
from adcore.plugins import Leaf, Lowered, Rows, Spec, Static
from adcore.types import DType, literal
from adcore.verify import verify


def spec_of(value: Any) -> Any:
    """The structure of specs of an argument."""
    if isinstance(value, np.ndarray | np.generic):
        return Spec(DType(value.dtype.name), tuple(1 if n == 1 else None for n in value.shape))
    if isinstance(value, bool | int | float):
        return Spec(literal(value).dtype, python=True)
    if isinstance(value, tuple | list):
        return type(value)(spec_of(v) for v in value)
    if isinstance(value, dict):
        return {k: spec_of(v) for k, v in value.items()}
    return Static(value)


def flat(value: Any) -> list[Any]:
    """The numbers and arrays of an argument, in order."""
    if isinstance(value, tuple | list):
        return [leaf for v in value for leaf in flat(v)]
    if isinstance(value, dict):
        return [leaf for v in value.values() for leaf in flat(v)]
    return [value] if isinstance(value, np.ndarray | np.generic | bool | int | float) else []


def lower(function: Any, *arguments: Any) -> Lowered:
    """The function lowered for these arguments, and verified."""
    parameters = len(inspect.signature(function).parameters)
    assert parameters == len(arguments), "tests pass one argument a parameter"
    lowered = PythonFrontend().lower(function, tuple(spec_of(a) for a in arguments))
    verify(lowered.program)
    return lowered


def run(function: Any, *arguments: Any) -> Any:
    """What the lowered function gives, in the structure that it returns."""
    lowered = lower(function, *arguments)
    operands = copy.deepcopy(flat(list(arguments)))
    results = interpret(lowered.program, [*operands, *(c.read() for c in lowered.captures)])
    return filled(lowered.result, results)


def filled(structure: Any, results: tuple[Any, ...]) -> Any:
    if isinstance(structure, Leaf):
        return results[structure.index]
    if isinstance(structure, Static):
        return structure.value
    if isinstance(structure, Rows):
        return rebuilt(structure, results)
    if isinstance(structure, dict):
        return {k: filled(v, results) for k, v in structure.items()}
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*(filled(v, results) for v in structure))
    return type(structure)(filled(v, results) for v in structure)


def same(found: Any, expected: Any) -> None:
    """Assert that two results have one structure, the same dtypes and (up to rounding) numbers."""
    if isinstance(expected, tuple | list):
        assert type(found) is type(expected)
        assert len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            same(f, e)
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected:
            same(found[key], expected[key])
    elif isinstance(expected, np.ndarray):
        assert isinstance(found, np.ndarray)
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-300)
    elif isinstance(expected, bool | int | float | np.generic):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-300)
    else:
        assert found == expected
