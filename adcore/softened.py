"""`soft`: a function with jumps and bends as a smooth one near it."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from types import CellType
from typing import Any

from .dispatch import transformed
from .errors import UnsupportedFunctionError
from .plugins import Capture, Lowered, Rows, Spec
from .signatures import definition, name_of
from .transforms import Transform, lower, replaced, unchanging
from .trees import leaves, map_nodes

__all__ = ["Softened", "soft"]

_MISSING: Any = object()


def soft(f: Callable[..., Any] = _MISSING, tau: float = 0.1, kernel: str = "logistic", swap: str = "cauchy") -> Any:
    """A smooth function near f: each jump and bend in it replaced by a smooth one of width tau.

    It is another function, a surrogate: its value is not that of f, and its derivatives, which are exact, are not those
    of f.  `adcore.surrogate_report` lists each line that was changed and what stands there now.  As tau falls its value
    tends to that of f wherever f is continuous.

    - Bends and jumps of real numbers (abs, max, sign, floor, round, %, …) become means over a noise on where they are.
    - Comparisons become probabilities, and what is made of these by `and`, `or`, `not`, `np.where`, `np.sum` the
      probability, or mean, for independent ones.  An `if` gives the mean of both branches, where both can be run; a
      branch whose probability is 0 is not.
    - Sorting becomes a sorting network with soft swaps, `argmax` a softmax; what is read at such places is a mean.
    - A comparison for equality of real numbers stays, as does what `stop_gradient` is applied to, and functions with
      stated derivatives.

    Args:
        f: the function; without it a decorator is returned.  Inside, everything that depends on its real arguments is
            made smooth; what depends on other values from outside stays.
        tau: the temperature, positive, in the units of what is compared.
        kernel: the noise: `logistic`, `gaussian` or `algebraic` (see `adcore.relaxations`).
        swap: that of sorting networks: `cauchy`, `reciprocal`, `optimal` or `logistic`.

    Returns:
        A function with the signature of f.  Results that were booleans or integers are real numbers.  It leaves its
        arguments alone, whatever f writes into them.

    Raises:
        ValueError: tau is not positive, or there is no such kernel or swap.
        UnsupportedFunctionError: at the call: the number of iterations of a loop, the length of an array, or an index
            other than from argmax and argsort, depends on the arguments.  The message shows the line.

    >>> import numpy as np
    >>> from adcore import grad
    >>> hits = soft(lambda x: np.sum(x > 1.0), tau=0.5)
    >>> x = np.array([0.0, 1.0, 3.0])
    >>> round(hits(x), 4), grad(hits)(x).round(4)
    (1.6012, array([0.21  , 0.5   , 0.0353]))
    >>> round(soft(lambda x: -x if x < 0.0 else 2.0 * x, tau=0.1)(0.05), 6)
    0.043369
    """
    if f is _MISSING:
        return functools.partial(soft, tau=tau, kernel=kernel, swap=swap)
    from .relaxations import KERNELS, SWAPS  # which need scipy.special, slow to import

    if not (isinstance(tau, int | float) and 0.0 < tau < math.inf):
        raise ValueError(f"soft: tau is {tau!r}, and a positive number is needed")
    if kernel not in KERNELS:
        raise ValueError(f"soft: kernel is {kernel!r}; there are {', '.join(KERNELS)}")
    if swap not in SWAPS:
        raise ValueError(f"soft: swap is {swap!r}; there are {', '.join(SWAPS)}")
    return transformed(Softened(f, float(tau), kernel, swap))


@dataclass(frozen=True)
class Softened(Transform):
    """A smooth function near another one.

    Attributes:
        tau, kernel, swap: as of `soft`.
    """

    tau: float
    kernel: str
    swap: str

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        from .softening import softened  # as above
        from .softening.values import Options

        lowered = unchanging(lower(self.function, arguments))
        program = lowered.program
        specs = [leaf for leaf in leaves(arguments) if isinstance(leaf, Spec)]
        given = [*(True for _ in specs), *(_is_inner(c) for c in lowered.captures)]
        moving = [p for p, inner in zip(program.params, given, strict=True) if inner and p.type.dtype.differentiable]
        before = [r.type.dtype for r in program.results]
        made = softened(program, moving, Options(self.tau, self.kernel, self.swap))
        changed = {k for k, r in enumerate(made.results) if r.type.dtype is not before[k]}
        self.require_means(lowered, changed)
        return replaced(lowered, made, lowered.result)

    def require_means(self, lowered: Lowered, changed: set[int]) -> None:
        """Refuse where a mean cannot stand for an integer."""
        lists: list[Rows] = []
        map_nodes(lambda x: lists.append(x) if isinstance(x, Rows) else x, lowered.result, Rows)
        if any(rows.length.index in changed for rows in lists):
            self.refuse("the length of a list that it returns depends on the arguments")
        if any(w.state and w.result in changed for w in lowered.writes):
            self.refuse("what is drawn from a random generator depends on the arguments")

    def refuse(self, cause: str) -> None:
        where = definition(self.function)
        raise UnsupportedFunctionError(f"soft: {name_of(self.function)}: {cause}", where, "stop_gradient(…) of it")


def _is_inner(capture: Capture) -> bool:
    """Whether a capture is a value of a function that is compiled around this one, and not of the program outside."""
    return not isinstance(capture.owner, dict | CellType)
