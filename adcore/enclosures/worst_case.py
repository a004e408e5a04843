"""`worst_case`: the largest loss on a box of arguments, as a Program that is differentiated like any other.

The intervals of Mirman, Gehr and Vechev (Differentiable Abstract Interpretation for Provably Robust Neural Networks,
ICML 2018) as a transform: of each value that depends on the box there are two, its ends, and each equation becomes
equations of the language between them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..builder import Builder
from ..dispatch import transformed
from ..errors import DtypeError
from ..passes.dce import eliminate_dead
from ..passes.inline import inline_regions
from ..plugins import Leaf, Lowered, Spec
from ..program import Program, clone
from ..signatures import definition, name_of
from ..transforms import Transform, differentiable, parameter, without_writes
from ..trees import leaves, structure
from ..types import Var
from .bounding import Bounding, Pair

__all__ = ["worst_case"]


def worst_case(f: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Any:
    """An upper bound of a function's value, a number, on a box of some of its arguments.

    Args:
        f: the function.
        argnums: which arguments are given as boxes.

    Returns:
        A function with the signature of `f`, in which these arguments are pairs (lower, upper) of what `f` takes.  It
        can be differentiated, with respect to the ends and to all other arguments, as any function: its gradient by the
        parameters of a model is that of robust training.  The bound is that of interval arithmetic, computed in
        floating point without outward rounding; `certify` rounds outwards.

    Raises:
        MissingRuleError: an operation has no bounds yet; the message shows the line.
        TypeError: such an argument is no pair of the same structure, or `f` gives something else than a real number.

    >>> import numpy as np
    >>> from adcore import grad, worst_case
    >>> loss = lambda w, x: np.maximum(1.0 - np.sum(w * x), 0.0)
    >>> w, x = np.array([1.0, -2.0]), np.array([0.5, -0.5])
    >>> float(worst_case(loss, 1)(w, (x - 0.25, x + 0.25)))
    0.25
    >>> grad(worst_case(loss, 1))(w, (x - 0.25, x + 0.25))
    array([-0.25,  0.25])
    """
    return transformed(WorstCase(f, (argnums,) if isinstance(argnums, int) else tuple(argnums)))


@dataclass(frozen=True)
class WorstCase(Transform):
    """The upper end of a function's value, for pairs in the place of some arguments."""

    argnums: tuple[int, ...] = (0,)

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        boxes = self.boxes(arguments)
        first = tuple(a[0] if k in boxes else a for k, a in enumerate(arguments))
        lowered = without_writes(differentiable(self.function, first))
        self.require_number(lowered)
        program = inline_regions(clone(lowered.program))
        b = Builder()
        params, ends = self.parameters(b, arguments, boxes, program)
        bounding = Bounding(b, ends)
        bounding.run(b, program.equations)
        value = bounding.value(program.results[lowered.result.index])
        result = value.upper if isinstance(value, Pair) else value
        made = eliminate_dead(Program(params, b.equations, (result,), f"worst_{program.name}"))
        return Lowered(made, Leaf(0), lowered.captures, lowered.guards)

    def boxes(self, arguments: tuple[Any, ...]) -> set[int]:
        """The positions of the arguments that are pairs."""
        count = len(arguments)
        wrong = [k for k in self.argnums if not -count <= k < count]
        if wrong:
            raise TypeError(f"worst_case: argnums {wrong[0]} of {name_of(self.function)}, which has {count} arguments")
        found = {k % count for k in self.argnums}
        for k in found:
            pair = arguments[k]
            if not isinstance(pair, tuple | list) or len(pair) != 2 or structure(pair[0]) != structure(pair[1]):
                raise TypeError(f"worst_case: argument {k} of {name_of(self.function)} is a pair (lower, upper)")
        return found

    def require_number(self, lowered: Lowered) -> None:
        result = lowered.result
        type = lowered.program.results[result.index].type if isinstance(result, Leaf) else None
        if type is None or type.shape or type.dtype.kind != "f":
            raise DtypeError(
                f"worst_case: {name_of(self.function)} must return one real number",
                definition(self.function),
                "np.sum or np.max of it",
            )

    def parameters(
        self, b: Builder, arguments: tuple[Any, ...], boxes: set[int], program: Program
    ) -> tuple[tuple[Var, ...], dict[Var, Pair]]:
        """The parameters of the new program, and the pairs that stand for some of the function's."""
        own = iter(program.params)
        params: list[Var] = []
        ends: dict[Var, Pair] = {}
        for k, argument in enumerate(arguments):
            if k not in boxes:
                params += [next(own) for leaf in leaves(argument) if isinstance(leaf, Spec)]
                continue
            lowest = [next(own) for leaf in leaves(argument[0]) if isinstance(leaf, Spec)]
            highest = [parameter(leaf, "upper") for leaf in leaves(argument[1]) if isinstance(leaf, Spec)]
            params += [*lowest, *highest]
            for low, high in zip(lowest, highest, strict=True):
                if low.type.dtype is not high.type.dtype or low.type.rank != high.type.rank:
                    raise TypeError(f"worst_case: the ends of argument {k} have different dtypes or ranks")
                if low.type.dtype.kind == "f":
                    upper = b.conform(high, *low.type.shape, checked=True) if low.type.shape else high
                    ends[low] = Pair(low, upper)
        return (*params, *own), ends
