"""What must hold of one program at one point, by independent routes to the same numbers.

- primal: the value is plain Python's;
- reverse: <gradient, u> is the forward derivative along u,
- differences: and the Richardson extrapolation of differences of the plain Python function;
- machine code: gives what the reference interpreter gives;
- second order: <H u, w> = <H w, u> forward over reverse, and reverse over reverse gives the same.
"""

from __future__ import annotations

import copy
import linecache
import math
import re
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from random import Random
from typing import Any

import numpy as np

from adcore import jit, jvp, value_and_grad, vjp
from adcore.arguments import abstract
from adcore.derive import gradient as gradient_of
from adcore.derive import pull, push
from adcore.errors import AliasError, UnsupportedFunctionError, UnsupportedSyntaxError
from adcore.plugins import backend
from adcore.program import Program
from adcore.transforms import lower, without_writes
from adcore.trees import leaves

__all__ = ["Verdict", "check", "compiled_from", "judge"]

REFUSALS = (AliasError, UnsupportedSyntaxError, UnsupportedFunctionError)
WRT = (0, 1, 2, 3)
_numbers = count(1)


@dataclass(frozen=True)
class Verdict:
    """How a program fared.

    Attributes:
        kind: "right", "inconclusive", "refused" or "failed".
        reason: the law that does not hold, the refusal's cause or the exception, without numbers, so that like
            verdicts can be counted together.
        detail: the numbers or the traceback.
    """

    kind: str
    reason: str = ""
    detail: str = ""


class LawError(Exception):
    """A law that does not hold."""


class UnclearError(Exception):
    """Differences that do not settle: a branch switches close by, or the function is too rough for them."""


def compiled_from(source: str) -> Callable[..., Any]:
    """The function `f` of a source text; tracebacks and adcore can show its lines."""
    file = f"<selftest {next(_numbers)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"__name__": file}
    exec(compile(source, file, "exec"), namespace)
    return namespace["f"]


def judge(source: str, arguments: Sequence[Any], seed: str, compiled: float = 1.0) -> Verdict:
    """The verdict on the program of a source text."""
    try:
        f = compiled_from(source)
    except (SyntaxError, NameError, KeyError) as error:
        return Verdict("discarded", type(error).__name__)
    arguments = tuple(np.array(a) if isinstance(a, list) else a for a in arguments)
    try:
        check(f, arguments, seed, compiled)
    except UnclearError as error:
        return Verdict("inconclusive", str(error))
    except LawError as error:
        law, _, numbers = str(error).partition(": ")
        return Verdict("failed", law, numbers)
    except REFUSALS as error:
        return Verdict("refused", f"{type(error).__name__}: {_nameless(error.cause)}", str(error))
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        reason = f"{type(error).__name__} in {last.name}: {_nameless(str(error).partition(chr(10))[0])}"
        return Verdict("failed", reason, traceback.format_exc())
    finally:
        linecache.cache.pop(f.__code__.co_filename, None)
    return Verdict("right")


def _nameless(text: str) -> str:
    return re.sub(r"\b[a-z]+_?\d+\b|\d+(\.\d+)?(e-?\d+)?", "#", re.sub(r"'[^']*'", "'…'", text))[:100]


def check(f: Callable[..., Any], arguments: tuple[Any, ...], seed: str, compiled: float = 1.0) -> None:
    """Check all laws; the seed chooses directions, and whether the second order and the other transforms are looked at.

    Raises:
        LawError: a law does not hold.
        UnclearError: all holds, but differences could not be judged.
    """
    random = Random(seed)
    second, machine, others = random.random() < 0.25, random.random() < compiled, random.random() < 0.15 * compiled
    along, further = _direction(arguments, random), _direction(arguments, random)
    with np.errstate(all="ignore"):
        try:
            expected = float(f(*copy.deepcopy(arguments)))
        except Exception as error:
            raises_alike(f, arguments, error)
            return
    if not math.isfinite(expected):
        raise UnclearError("the value is not finite")
    program = without_writes(lower(f, tuple(abstract(a) for a in arguments))).program
    pulled = gradient_of(program, WRT)
    value, *gradient = interpreted(pulled, *arguments)
    if not all(np.all(np.isfinite(part)) for part in gradient):
        raise UnclearError("the gradient is not finite")
    scale = size(gradient, along)
    same("the primal with its gradient is plain Python's", value, expected, 1e-9)
    value, forward = interpreted(push(program, WRT), *arguments, *along)
    reverse = inner(gradient, along)
    same("the primal with its tangent is plain Python's", value, expected, 1e-9)
    same("reverse is forward", reverse, forward, 1e-8, scale)
    if machine:
        machine_code(f, arguments, (expected, tuple(gradient)))
    if others:
        other_transforms(f, arguments, along, expected, reverse, scale)
    if second:
        second_order(pulled, arguments, along, further)
    differences(f, arguments, along, reverse, scale)


def interpreted(program: Program, *arguments: Any) -> tuple[Any, ...]:
    """What the reference interpreter gives, which verifies the Program first."""
    return backend("numpy").compile(program)(*arguments)


def raises_alike(f: Callable[..., Any], arguments: tuple[Any, ...], error: Exception) -> None:
    """Where plain Python raises, so does compiled code."""
    try:
        value_and_grad(f, argnums=WRT)(*copy.deepcopy(arguments))
    except type(error):
        raise UnclearError(f"raises {type(error).__name__}") from None
    raise LawError(f"compiled code raises what Python raises: {error!r}")


def machine_code(f: Callable[..., Any], arguments: tuple[Any, ...], found: Any) -> None:
    """Machine code gives what the reference interpreter gives, and leaves the arguments as they are."""
    given = copy.deepcopy(arguments)
    ours = value_and_grad(f, argnums=WRT)(*given)
    if not all(np.array_equal(a, b) for a, b in zip(given, arguments, strict=True)):
        raise LawError("value_and_grad leaves the arguments as they are: they have changed")
    for one, other in zip(leaves(ours), leaves(found), strict=True):
        gap = float(np.max(np.abs(np.asarray(one) - other), initial=0.0))
        if not gap <= 1e-8 * max(1.0, float(np.max(np.abs(other), initial=0.0))):
            raise LawError(f"machine code gives what the interpreter gives: {one} is not {other}")


def other_transforms(
    f: Callable[..., Any], arguments: tuple[Any, ...], along: Any, expected: float, slope: float, scale: float
) -> None:
    """`jit`, `jvp` and `vjp` in machine code."""
    same("jit is plain Python", jit(f)(*copy.deepcopy(arguments)), expected, 1e-9)
    value, forward = jvp(f, arguments, (*along, 0))
    same("the value of jvp is plain Python's", value, expected, 1e-9)
    same("jvp is forward mode interpreted", forward, slope, 1e-8, scale)
    value, pullback = vjp(f, *arguments)
    same("the value of vjp is plain Python's", value, expected, 1e-9)
    same("vjp is the gradient", inner(pullback(1.0)[:4], along), slope, 1e-8, scale)


def second_order(pulled: Program, arguments: tuple[Any, ...], u: tuple[Any, ...], w: tuple[Any, ...]) -> None:
    """The Hessian is symmetric, and reverse over reverse gives the same products as forward over reverse."""
    count = len(pulled.results)
    pushed, twice = push(pulled, WRT), pull(pulled, WRT)
    along_u = interpreted(pushed, *arguments, *u)[count + 1 :]
    along_w = interpreted(pushed, *arguments, *w)[count + 1 :]
    scale = max(size(along_u, w), size(along_w, u))
    if not math.isfinite(scale):
        return
    same("the Hessian is symmetric", inner(along_u, w), inner(along_w, u), 1e-6, scale)
    back = interpreted(twice, *arguments, 0.0, *w)[count:]
    same("reverse over reverse is forward over reverse", inner(back, u), inner(along_w, u), 1e-6, scale)


def differences(
    f: Callable[..., Any], arguments: tuple[Any, ...], along: tuple[Any, ...], found: float, scale: float
) -> None:
    """Differences of the plain Python function, extrapolated from two step sizes."""

    def plain(s: float) -> float:
        moved = (a + s * d for a, d in zip(arguments, along, strict=False))
        with np.errstate(all="ignore"):
            return float(f(*moved, *arguments[4:]))

    try:
        estimates = [richardson(plain, h) for h in (1e-2, 2e-3)]
    except Exception:
        raise UnclearError("plain Python raises close by") from None
    if not abs(estimates[0] - estimates[1]) <= 1e-6 * scale:
        estimates = [richardson(plain, h) for h in (3e-4, 1e-4)]
        if not abs(estimates[0] - estimates[1]) <= 1e-5 * scale:
            raise UnclearError("two step sizes of differences disagree")
    same("reverse is what differences of plain Python give", found, estimates[1], 1e-4, scale)


def richardson(f: Callable[[float], float], h: float, levels: int = 4) -> float:
    """df/ds at 0, by central differences with steps h, h/2, ... extrapolated to 0."""
    table = [(f(h / 2**k) - f(-h / 2**k)) / (2 * h / 2**k) for k in range(levels)]
    for order in range(1, levels):
        table = [q + (q - p) / (4**order - 1) for p, q in pairwise(table)]
    return table[0]


def same(law: str, ours: float, theirs: float, tolerance: float, scale: float = 1.0) -> None:
    if not abs(ours - theirs) <= tolerance * max(scale, abs(theirs)):
        raise LawError(f"{law}: {ours!r} is not {theirs!r}")


def inner(one: Any, other: Any) -> float:
    return float(sum(np.sum(a * b) for a, b in zip(leaves(one), leaves(other), strict=True)))


def size(one: Any, other: Any) -> float:
    """The size of the terms of an inner product, at least 1."""
    return max(1.0, float(sum(np.sum(np.abs(a * b)) for a, b in zip(one, other, strict=True))))


def _direction(arguments: tuple[Any, ...], random: Random) -> tuple[Any, ...]:
    """A direction of the real arguments."""
    return tuple(_normal(arguments[k], random) for k in WRT)


def _normal(like: Any, random: Random) -> Any:
    if isinstance(like, np.ndarray):
        return np.array([random.gauss(0.0, 1.0) for _ in range(like.size)]).reshape(like.shape)
    return random.gauss(0.0, 1.0)
