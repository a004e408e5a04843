"""What must hold of one program at one point, by independent routes to the same numbers.

- primal and reverse: the value, and <gradient, u>, are what the same source gives on dual numbers of 50 digits or on
  fractions (`reference`), up to a bound of the rounding errors that belongs to this program at this point;
- forward: <gradient, u> is the forward derivative along u;
- machine code: gives what the reference interpreter gives, in one of the transforms;
- second order: <H u, w> = <H w, u> forward over reverse, and reverse over reverse gives the same.

The first is checked for every program; the seed chooses which of the others are.
"""

from __future__ import annotations

import copy
import linecache
import math
import re
import traceback
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any

import numpy as np

from adcore import jit, jvp, value_and_grad, vjp
from adcore.arguments import abstract, any_lengths, shortened
from adcore.derive import gradient as gradient_of
from adcore.derive import pull, push
from adcore.errors import AliasError, UnsupportedFunctionError, UnsupportedSyntaxError
from adcore.plugins import backend
from adcore.program import Program
from adcore.threads import eager, get_num_threads
from adcore.transforms import lower, without_writes
from adcore.trees import leaves

from .duals import MARGIN, UNIT
from .reference import CloseCallError, exact

__all__ = ["Verdict", "check", "compiled_from", "judge"]

REFUSALS = (AliasError, UnsupportedSyntaxError, UnsupportedFunctionError)
WRT = (0, 1, 2, 3)
FORWARD, SECOND = 0.3, 0.08  # the parts of the programs whose forward mode, and second order, are looked at
LOOSE = 1e-3  # a bound beyond which a reference says nothing
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
    """A point that says nothing: a branch switches within rounding errors, or the function is too rough."""


def compiled_from(source: str) -> Callable[..., Any]:
    """The function `f` of a source text; tracebacks and adcore can show its lines."""
    file = f"<selftest {next(_numbers)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"__name__": file}
    exec(compile(source, file, "exec"), namespace)
    return namespace["f"]


def judge(source: str, arguments: Sequence[Any], seed: str, compiled: float = 1.0, threads: int = 1) -> Verdict:
    """The verdict on the program of a source text, its loops run by so many threads."""
    try:
        f = compiled_from(source)
    except (SyntaxError, NameError, KeyError) as error:
        return Verdict("discarded", type(error).__name__)
    arguments = tuple(np.array(a) if isinstance(a, list) else a for a in arguments)
    try:
        general = Random(f"lengths of {seed}").random() < 0.5
        with eager(threads) if threads > 1 else nullcontext(), any_lengths() if general else nullcontext():
            check(f, source, arguments, seed, compiled)
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


def check(f: Callable[..., Any], source: str, arguments: tuple[Any, ...], seed: str, compiled: float = 1.0) -> None:
    """Check the laws; the seed chooses directions, and which of the laws beside the reference's are looked at.

    Raises:
        LawError: a law does not hold.
        UnclearError: the program says nothing at this point.
    """
    random = Random(seed)
    ahead, second, machine = random.random() < FORWARD, random.random() < SECOND, random.random() < compiled
    along, further = _direction(arguments, random), _direction(arguments, random)
    with np.errstate(all="ignore"):
        try:
            plain = float(f(*copy.deepcopy(arguments)))
        except Exception as error:
            raises_alike(f, arguments, error)
            return
    if not math.isfinite(plain):
        raise UnclearError("the value is not finite")
    specs = shortened(arguments, [abstract(a) for a in arguments])
    program = without_writes(lower(f, tuple(specs))).program
    try:
        expected = exact(source, arguments, along)
    except CloseCallError:
        raise UnclearError("a decision is within rounding errors") from None
    except ArithmeticError as error:
        raise UnclearError(f"exact arithmetic raises {type(error).__name__}") from None
    if not expected.slope_bound <= LOOSE * max(1.0, abs(expected.slope)):
        raise UnclearError("rounding errors hide the derivative")
    pulled = gradient_of(program, WRT)
    value, *gradient = interpreted(pulled, *arguments)
    within("the primal with its gradient is the exact value", value, expected.value, expected.value_bound)
    reverse, scale = inner(gradient, along), size(gradient, along)
    rounding = expected.slope_bound + MARGIN * UNIT * scale
    within("reverse is the exact derivative", reverse, expected.slope, rounding)
    if ahead:
        value, forward = interpreted(push(program, WRT), *arguments, *along)
        within("the primal with its tangent is the exact value", value, expected.value, expected.value_bound)
        within("forward is the exact derivative", forward, expected.slope, rounding)
    if machine:
        machine_code(f, arguments, along, (plain, tuple(gradient)), random)
    if second:
        second_order(pulled, arguments, along, further)


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


def machine_code(f: Callable[..., Any], arguments: tuple[Any, ...], along: Any, found: Any, random: Random) -> None:
    """One of the transforms in machine code gives what was found, and does to the arguments what it should."""
    given, plain, gradient = copy.deepcopy(arguments), *found
    scale = size(gradient, along)
    chosen = random.choices(("value_and_grad", "jit", "jvp", "vjp"), (7, 1, 1, 1))[0]
    if chosen == "value_and_grad":
        both = value_and_grad(f, argnums=WRT)
        ours = leaves(both(*given))
        for one, other in zip(ours, leaves(found), strict=True):
            gap = float(np.max(np.abs(np.asarray(one) - other), initial=0.0))
            if not gap <= 1e-9 * max(1.0, float(np.max(np.abs(other), initial=0.0))):
                raise LawError(f"machine code gives what the interpreter gives: {one} is not {other}")
        if get_num_threads() > 1:
            with eager(2 * get_num_threads()):
                again = leaves(both(*given))
            if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(again, ours, strict=True)):
                raise LawError(f"the number of threads makes no difference: {again} is not {ours}")
    elif chosen == "jit":
        same("jit is plain Python", jit(f)(*given), plain, 1e-9)
    elif chosen == "jvp":
        value, forward = jvp(f, given, (*along, 0))
        same("the value of jvp is plain Python's", value, plain, 1e-9)
        same("jvp is the derivative", forward, inner(gradient, along), 1e-9, scale)
    else:
        value, pullback = vjp(f, *given)
        same("the value of vjp is plain Python's", value, plain, 1e-9)
        same("vjp is the gradient", inner(pullback(1.0)[:4], along), inner(gradient, along), 1e-9, scale)
    left = copy.deepcopy(arguments)
    if chosen == "jit":
        f(*left)
    if not all(np.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in zip(given, left, strict=True)):
        what = "writes what plain Python writes" if chosen == "jit" else "leaves the arguments as they are"
        raise LawError(f"{chosen} {what}: the arguments differ")


def second_order(pulled: Program, arguments: tuple[Any, ...], u: tuple[Any, ...], w: tuple[Any, ...]) -> None:
    """The Hessian is symmetric, and reverse over reverse gives the same products as forward over reverse."""
    count = len(pulled.results)
    pushed, twice = push(pulled, WRT), pull(pulled, WRT)
    along_u = interpreted(pushed, *arguments, *u)[count + 1 :]
    along_w = interpreted(pushed, *arguments, *w)[count + 1 :]
    scale = max(size(along_u, w), size(along_w, u))
    if not math.isfinite(scale):
        return
    same("the Hessian is symmetric", inner(along_u, w), inner(along_w, u), 1e-9, scale)
    back = interpreted(twice, *arguments, 0.0, *w)[count:]
    same("reverse over reverse is forward over reverse", inner(back, u), inner(along_w, u), 1e-9, scale)


def within(law: str, ours: float, theirs: float, bound: float) -> None:
    if not abs(ours - theirs) <= bound:
        raise LawError(f"{law}: {ours!r} is not {theirs!r}, though rounding explains {bound:.1e} at most")


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
