"""`debug="nan"` and `debug_nans`: results checked, and what made them infinite or NaN found by running them again.

A check of the results is all that a call takes.  Where one is not finite, the program is run by the reference backend,
which keeps track of where such numbers come from.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any

from .arguments import normalized
from .errors import AdcoreError, NonFiniteError
from .nonfinite import Traced, first_of
from .plugins import Leaf, reference
from .program import Program
from .trees import flatten

__all__ = ["checks", "debug_nans", "examine", "in_force", "option", "traced", "when_set"]

VARIABLE = "ADCORE_DEBUG"

_set: ContextVar[bool | None] = ContextVar("adcore_debug_nans", default=None)
_told: list[Any] = []
_lock = Lock()
_contexts = 0  # that are open in any thread


@contextmanager
def debug_nans(enabled: bool = True) -> Iterator[None]:
    """A context in which all calls of transformed functions are checked as with `debug="nan"`, or none of them.

    It is for calls in this thread or task.  The environment variable ADCORE_DEBUG=nan does the same for a process.

    Raises:
        NonFiniteError: from a call inside whose result is infinite or NaN, while its arguments are not.

    >>> import math
    >>> from adcore import grad
    >>> def f(x):
    ...     return math.sqrt(x) * x
    >>> grad(f)(0.0)
    nan
    >>> with debug_nans():
    ...     grad(f)(0.0)
    Traceback (most recent call last):
        ...
    adcore.errors.NonFiniteError: grad of f: the result is nan
    div(0.5, 0) = inf, in the adjoint of this line
    ...
    """
    token = _set.set(enabled)
    _count(1)
    try:
        yield
    finally:
        _set.reset(token)
        _count(-1)


def _count(change: int) -> None:
    global _contexts
    with _lock:
        _contexts += change
    for tell in _told:
        tell()


def in_force() -> bool:
    """Whether any context of any thread, or the environment, says something: then no call may go past the look."""
    return _contexts > 0 or checks()


def checks() -> bool:
    """Whether a context, or the environment, has calls checked.

    Raises:
        AdcoreError: the environment variable is something else than "nan".
    """
    said = _set.get()
    if said is not None:
        return said
    text = os.environ.get(VARIABLE, "")
    if text not in ("", "nan"):
        raise AdcoreError(f"{VARIABLE}={text!r} is not a way to debug", write=f"{VARIABLE}=nan")
    return text == "nan"


def when_set(tell: Any) -> None:
    """Call `tell` whenever a context begins or ends."""
    _told.append(tell)


def option(debug: str | None) -> bool:
    """Whether the option `debug` of a transform says that calls are checked.

    Raises:
        ValueError: it is neither None nor "nan".
    """
    if debug not in (None, "nan"):
        raise ValueError(f'debug={debug!r}: there is "nan", and None')
    return debug == "nan"


def examine(title: str, traced: Traced, structure: Any, further: Iterable[int] = (), first: int = 0) -> None:
    """Say where numbers that are not finite come from, if they were not given.

    Args:
        title: what was called.
        traced: what it ran.
        structure: that of what is looked at, with `Leaf` leaves.
        further: more results that are looked at.
        first: the index by which leaves name the first of the results.

    Raises:
        NonFiniteError: a result is not finite and was made so; or all are finite, while those of the compiled program
            are not.
    """
    places = {leaf.index - first: path for leaf, path in _leaves(structure) if leaf.index >= first}
    looked_at = [*places, *further]
    found = first_of(traced, looked_at)
    if found is not None:
        result, element, origins = found
        place = places.get(result, "") + _index(element)
        raise NonFiniteError(f"{title}: the result{place} is {_what(origins)}", origins)
    if all(traced.numbers[k] is None for k in looked_at):
        cause = "the result is not finite; the reference backend, which rounds otherwise, finds finite numbers"
        raise NonFiniteError(f"{title}: {cause}")


def traced(program: Program, values: Sequence[Any], before: Traced | None = None, kept: Sequence[int] = ()) -> Traced:
    """A program run by the reference backend; its first arguments are results of one that was traced before."""
    known = [] if before is None else [before.numbers[k] for k in kept]
    return reference().trace(program, [normalized(v) for v in values], known, () if before is None else before.origins)


def _what(origins: Sequence[Any]) -> str:
    return "nan" if origins[-1].is_nan else "infinite"


def _index(element: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, element))}]" if element else ""


def _leaves(structure: Any) -> Iterator[tuple[Leaf, str]]:
    """The results in a structure, each with how one gets to it."""
    found, tree = flatten(structure)
    for leaf, path in zip(found, tree.paths(), strict=True):
        if isinstance(leaf, Leaf):
            yield leaf, "".join(f"[{part!r}]" if isinstance(part, int | str) else f".{part}" for part in path)
