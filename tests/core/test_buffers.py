"""Printed loops: arrays that iterations need one after the other are made in front, and none is copied in vain."""

import re

import numpy as np
import pytest

import adcore
from adcore import jacrev, jit
from adcore.arguments import any_lengths
from adcore.plugins import backend
from adcore.python_source import to_python
from tests.core import buffer_functions as functions

X = np.array([0.3, 0.9, -0.4, 0.6])
Y = np.array([1.1, -0.7, 0.5])
FRONT = {  # the arrays of the function itself that are made in front of a loop
    "scratch": 1,
    "handed_on": 0,
    "handed_on_in_a_branch": 0,
    "exchanged": 2,
    "one_of_two": 2,
    "viewed": 1,
    "of_a_computed_length": 0,
    "within_two_loops": 2,
    "until": 1,
    "each_kept": 1,
    "stepped": 0,
    "stepped_twice": 1,
}


def printed(program):
    names = {}
    text = to_python(program, "loops")
    exec(text, names)
    (name,) = re.findall(r"^def (\w+)", text, re.MULTILINE)
    return text, names[name]


@pytest.mark.parametrize("name", FRONT)
def test_what_is_made_in_front_of_loops(name):
    with any_lengths():
        text, _ = printed(adcore.program(jit(getattr(functions, name)), X, Y))
    lines = text.splitlines()
    inside = [line for line in lines if re.match(r" {8,}\w+ = np\.empty", line)]
    outside = [line for line in lines if re.match(r" {4}\w+ = np\.empty", line)]
    assert len(outside) == FRONT[name]
    assert bool(inside) == (outside == [] or name == "stepped_twice")
    assert not [line for line in lines if re.match(r" {8,}.*\.copy\(\)", line)]


@pytest.mark.parametrize("derive", [jit, jacrev], ids=["values", "derivatives"])
@pytest.mark.parametrize("name", FRONT)
def test_numbers_are_the_same(name, derive):
    program = adcore.program(derive(getattr(functions, name)), X, Y)
    _, run = printed(program)
    for arguments in ((X, Y), (X[::-1].copy(), Y[::-1].copy())):
        wanted = backend().compile(program)(*arguments)
        found = run(*arguments)
        for got, want in zip(found if len(wanted) > 1 else (found,), wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-12)
