"""The C function that a Python function is by itself: its declaration made from example arguments.

    int64_t f(const double *x, int64_t x_0, double *result)

An array is its pointer and its lengths.  A result whose lengths the arguments say goes into the caller's memory,
another one into memory that the function allocates.  What is returned is the status.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..api import jit
from ..arguments import abstracted
from ..dispatch import Transformed
from ..errors import SignatureError, refuse
from ..plugins import Leaf, Lowered, Rows, Spec, Static
from ..signatures import definition, name_of
from ..trees import flatten, is_namedtuple, leaves, map_nodes
from ..types import Atom, DType, Lit, Var
from .declarations import C_KEYWORDS, spelling
from .fitting import check_changes, lowered_with
from .plans import Declaration, Frozen, Given, Into, Made, Native, Parameter

__all__ = ["derived"]


def derived(g: Callable[..., Any], name: str, arguments: Sequence[Any]) -> Native:
    """A function as the C function of this name that takes arguments like these.

    Raises:
        SignatureError: it changes what C has no place for, or returns what C does not have.
        AdcoreError: as a call of it.
    """
    function = g if isinstance(g, Transformed) else jit(g)
    found, tree = flatten(function.dispatcher.bind(tuple(arguments), {}))
    specs = abstracted(found[: len(flatten(tuple(arguments))[0])], lambda k: f"leaf {k} of the arguments of {name}")
    lowered, frozen = lowered_with(function, found, tree, specs)
    return _Deriving(function, name, lowered, sum(isinstance(s, Spec) for s in specs), frozen).native()


class _Deriving:
    def __init__(self, function: Any, name: str, lowered: Lowered, given: int, frozen: list[Any]) -> None:
        self.function = function
        self.name = name
        self.lowered = lowered
        self.given = lowered.program.params[:given]
        self.frozen = frozen
        self.parameters: list[Parameter] = []
        self.known: dict[Var, int | str] = {}  # lengths by the parameters that say them
        self.taken: set[str] = set(C_KEYWORDS) | {name}

    def native(self) -> Native:
        written = {w.param for w in self.lowered.writes if w.result is not None}
        arguments = [self.argument(param, k in written) for k, param in enumerate(self.given)]
        check_changes(self.function, self.lowered, arguments)
        places: dict[int, Into | Made] = {}
        for write in self.lowered.writes:
            if write.result is not None:
                places[write.result] = Into(arguments[write.param].index)
        order = self.returned()
        for index, name in order:
            places[index] = self.result(index, name)
        results = tuple(places[k] for k in range(len(self.lowered.program.results)))
        declared = Declaration(self.name, DType.I64, "int64_t", tuple(self.parameters))
        places_of_all = (*arguments, *map(Frozen, self.frozen))
        return Native(declared, self.lowered.program, places_of_all, results, status=True)

    def fresh(self, name: str) -> str:
        """A name that C has and nobody else."""
        base = re.sub(r"\W", "_", name) or "x"
        found, count = base, 0
        while found in self.taken:
            count += 1
            found = f"{base}_{count}"
        self.taken.add(found)
        return found

    def add(self, name: str, dtype: DType, **how: Any) -> Parameter:
        self.parameters.append(Parameter(name, dtype, spelling(dtype), **how))
        return self.parameters[-1]

    def argument(self, param: Var, written: bool) -> Given:
        name, dtype, index = self.fresh(param.name), param.type.dtype, len(self.parameters)
        if not param.type.shape:
            pointer = dtype.complex
            self.add(name, dtype, pointer=pointer, const=pointer)
            if dtype is DType.I64:
                self.known.setdefault(param, name)
            return Given(index)
        self.add(name, dtype, pointer=True, const=not written)
        lengths: list[int | str] = []
        for axis, atom in enumerate(param.type.shape):
            if isinstance(atom, Lit):
                lengths.append(int(atom.value))
                continue
            lengths.append(self.add(self.fresh(f"{name}_{axis}"), DType.I64).name)
            self.known.setdefault(atom, lengths[-1])
        self.parameters[index] = replace(self.parameters[index], lengths=tuple(lengths))
        return Given(index)

    def returned(self) -> list[tuple[int, str]]:
        """The results that are returned, and what they are called."""
        rows: list[Any] = []
        map_nodes(rows.append, self.lowered.result, Rows)
        if any(isinstance(r, Rows) for r in rows):
            self.refuse("returns a list whose length is known at run time only", "an array")
        found: list[tuple[int, str]] = []
        for name, leaf in _titled(self.function, self.lowered.result):
            if isinstance(leaf, Leaf):
                found.append((leaf.index, name))
            elif not isinstance(leaf, Static) or leaf.value is not None:
                self.refuse(f"returns {getattr(leaf, 'value', leaf)!r}", "numbers and arrays")
        repeated = len({index for index, _ in found}) < len(found)
        if repeated:
            self.refuse("returns one thing twice", "it once")
        return found

    def result(self, index: int, name: str) -> Into | Made:
        type, own, place = self.lowered.program.results[index].type, self.fresh(name), len(self.parameters)
        lengths = [self.length(atom) for atom in type.shape]
        if None not in lengths:
            self.add(own, type.dtype, pointer=True, lengths=tuple(n for n in lengths if n is not None))
            return Into(place)
        self.add(own, type.dtype, pointer=True, made=True)
        for axis in range(type.rank):
            self.add(self.fresh(f"{own}_{axis}"), DType.I64, pointer=True)
        return Made(place)

    def length(self, atom: Atom) -> int | str | None:
        return int(atom.value) if isinstance(atom, Lit) else self.known.get(atom)

    def refuse(self, what: str, write: str) -> None:
        refuse(SignatureError, f"{name_of(self.function)} {what}", definition(self.function), write)


# What the results of transforms are called: a name for all, or for each
TITLES: dict[str, str | tuple[str, ...]] = {
    "grad": "gradient",
    "value_and_grad": ("value", "gradient"),
    "jvp": ("value", "tangent"),
    "hvp": ("gradient", "product"),
    "vhp": ("gradient", "product"),
    "hessian": "hessian",
}


def _titled(function: Any, result: Any) -> list[tuple[str, Any]]:
    """The leaves of a function's result, and names for them."""
    title = TITLES.get(getattr(function.transform, "title", ""), "result")
    if isinstance(title, str):
        return _named(result, title)
    if isinstance(result, tuple) and len(result) == len(title):
        return [pair for name, part in zip(title, result, strict=True) for pair in _named(part, name)]
    return _named(result, "result")


def _named(tree: Any, name: str) -> list[tuple[str, Any]]:
    """The leaves of a part of a result, named by their places in it."""
    if isinstance(tree, dict):
        parts = tree.items()
    elif isinstance(tree, tuple) and is_namedtuple(type(tree)):
        parts = zip(getattr(tree, "_fields", ()), tree, strict=True)
    elif isinstance(tree, tuple | list):
        parts = enumerate(tree)
    else:
        return [(name, leaf) for leaf in leaves(tree)]
    return [pair for key, part in parts for pair in _named(part, f"{name}_{key}")]
