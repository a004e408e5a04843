"""Functions that are not compiled, called out of compiled ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .arguments import abstract
from .errors import DtypeError
from .plugins import Spec
from .primitives.host import HostFunction, HostLeaf
from .trees import flatten, structure
from .types import Atom, DType, literal

if TYPE_CHECKING:
    from .builder import Builder

__all__ = ["DERIVATIVES", "host_call", "host_operands", "host_parts"]

DERIVATIVES = (None, "central", "complex")


def host_call(function: Callable[..., Any], result: Any, *arguments: Any, derivative: str | None = None) -> Any:
    """Call a function as it stands, without compiling it: SciPy, a C library, Python outside of the language.

    In a compiled function the arguments become Python numbers and arrays again, and the call is made at run time, each
    time; it may be left out where nothing needs its result, so that it should have no effects.  Loops with such a call
    run on one thread.  Functions that have one are not kept on disk.

    Args:
        function: what is called; known when the function around it is compiled, not defined inside of that.
        result: an example of what it returns, of which dtypes, shapes and structure matter: real numbers and arrays.
        *arguments: its arguments; complex ones are not passed.
        derivative: None: there is none, and a derivative through the call is refused (give one by a function with
            `custom_jvp` or `custom_vjp` that makes the call).  "central": by central differences of fourth order, four
            calls for each element of the real arguments, with errors of about 1e-12 for functions of the size of 1
            that vary over distances of 1.  "complex": by complex steps, one call for each, exact to rounding, for
            analytic functions that take complex numbers.  Either gives first derivatives only.

    Returns:
        What the function returns, in the dtypes of `result`.

    Raises:
        TypeError: what is returned has another structure, or is complex.
        ValueError: it has another shape.  What the function raises comes through compiled code as it is.

    >>> import numpy as np
    >>> from scipy.optimize import brentq
    >>> from adcore import grad
    >>> def root(a):
    ...     return brentq(lambda x: x**3 + x - a, 0.0, 10.0, xtol=1e-14)
    >>> round(grad(lambda a: host_call(root, 0.0, a * a, derivative="central"))(3.0), 6)  # 2 a / (3 x² + 1)
    0.497462
    """
    if derivative not in DERIVATIVES:
        raise ValueError(f'host_call: derivative is None, "central" or "complex", not {derivative!r}')
    specs = [abstract(leaf) for leaf in flatten(result)[0]]
    for spec in specs:
        if not isinstance(spec, Spec) or spec.dtype.kind != "f":
            raise DtypeError("host_call: the results are real numbers and arrays", write="a float for an integer")
    leaves = [HostLeaf(s.dtype, len(s.shape), s.python) for s in specs if isinstance(s, Spec)]
    called = HostFunction(function, [], structure(()), leaves, structure(result))
    shapes = [np.shape(leaf) for leaf in flatten(result)[0]]
    return called.rebuilt(called.column(function(*arguments), shapes, float), shapes)


def host_operands(b: Builder, given: Sequence[Atom], shapes: Sequence[Sequence[Atom]]) -> list[Atom]:
    """The operands of a host row, for the arguments and for the shapes of the results.

    A column of the real arguments, the number of results, the lengths of the real arguments, the others, and the
    lengths of the results.
    """
    real = [a for a in given if a.type.dtype.kind == "f"]
    flat = [b.reshape(b.cast(a, dtype=DType.F64), b.size(a.type.shape)) for a in real]
    if len(flat) == 1:
        column = flat[0]
    else:
        column, start = b.expand(0.0, _total(b, (a.type.shape for a in real)), axes=(0,)), literal(0)
        for a in flat:
            (size,) = a.type.shape
            column, start = b.update(column, a, start, size, 1, codes="s"), b.add(start, size)
    lengths = [n for a in real for n in a.type.shape]
    others = [a for a in given if a.type.dtype.kind != "f"]
    return [column, _total(b, shapes), *lengths, *others, *(n for shape in shapes for n in shape)]


def host_parts(b: Builder, column: Atom, shapes: Sequence[Sequence[Atom]]) -> list[Atom]:
    """The results of a host row, of these shapes, out of the column that they lie in."""
    start: Atom = literal(0)
    found: list[Atom] = []
    for shape in shapes:
        size = b.size(shape)
        if shape:
            found.append(b.reshape(b.view(column, start, size, 1, codes="s"), *shape))
        else:
            found.append(b.view(column, start, codes="i"))
        start = b.add(start, size)
    return found


def _total(b: Builder, shapes: Iterable[Sequence[Atom]]) -> Atom:
    total: Atom = literal(0)
    for shape in shapes:
        total = b.add(total, b.size(shape))
    return total
