"""What is done about gradients that explode: cut every so many iterations of a loop, or clipped.

What comes out is not the derivative any more, which is said: both are surrogates, which `adcore.rules.surrogates` lists
with the lines where they are used.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .builder import Builder
from .custom_calls import Custom
from .dispatch import transformed
from .errors import UnsupportedFunctionError, refuse
from .loop_states import OPAQUE, carried, loops_of, state_of
from .plugins import Lowered, Spec
from .primitives import Kind
from .program import Equation, Program, defined, regions
from .recomputation import rename
from .rules import spliced
from .signatures import definition, name_of
from .storage import extend_test
from .transforms import Transform, decided, lower
from .types import I64, Atom, DType, Lit, Var, literal

__all__ = ["Truncation", "clip_gradient", "truncate"]

_MISSING: Any = object()


def truncate(f: Callable[..., Any] = _MISSING, every: int = _MISSING, lines: int | Sequence[int] | None = None) -> Any:
    """The function itself, its gradients cut every so many iterations of its loops: truncated backpropagation.

    Between two iterations a gradient goes through the state of the loop, and through sums and arrays that are only
    added to or written into.  It is the state's that is cut, so that losses that are summed up in the loop keep theirs.
    A loop whose number of iterations is known when it begins is cut `every`, 2 · `every`, … iterations before its end,
    so that what depends on the last state alone sees the last `every` iterations; a `while` after as many from its
    start.  Values are those of `f`.  What `grad` gives is not the derivative of `f`: the result counts as a surrogate.

    Args:
        f: the function; without it a decorator is returned, so that `@truncate(every=20)` works.
        every: how many iterations a gradient goes through at most; `adcore.stability` suggests a number.
        lines: the lines, in their file, of the loops to cut; else those that have a state and are in no other such
            loop.

    Returns:
        A function with the same values, to call or to differentiate, in both modes.

    Raises:
        ValueError: `every` is not a positive integer.
        UnsupportedFunctionError: at the call: there is no such loop; or it keeps its states in an array, whose elements
            are written one by one and read again, so that what was written cannot be told from what is carried on.

    Source: Williams and Peng, An efficient gradient-based algorithm for on-line training of recurrent network
    trajectories, Neural Computation 2 (1990) 490-501.

    >>> from adcore import grad
    >>> def power(x, n):
    ...     y = x
    ...     for _ in range(n):
    ...         y = x * y
    ...     return y
    >>> grad(power)(2.0, 9), grad(truncate(power, every=2))(2.0, 9)
    (5120.0, 1024.0)
    """
    if f is _MISSING:
        return functools.partial(truncate, every=every, lines=lines)
    if every is _MISSING or not isinstance(every, int) or isinstance(every, bool) or every < 1:
        raise ValueError("truncate: every is a positive number of iterations")
    chosen = None if lines is None else (lines,) if isinstance(lines, int) else tuple(lines)
    return transformed(Truncation(f, every, chosen))


@dataclass(frozen=True)
class Truncation(Transform):
    """The function itself, with the states of loops cut.

    Attributes:
        every: after how many iterations.
        lines: of the loops; None for the outermost ones with a state.
    """

    every: int
    lines: tuple[int, ...] | None = None

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        lowered = decided(lower(self.function, arguments))
        chosen = self.chosen(lowered.program)
        if not chosen:
            where = "" if self.lines is None else f" at {', '.join(f'line {n}' for n in self.lines)}"
            cause = f"truncate: {name_of(self.function)} has no loop{where} whose iterations act on the next ones"
            refuse(UnsupportedFunctionError, cause, definition(self.function))
        for loop, state in chosen:
            _cut(loop, state, self.every)
        return lowered

    def chosen(self, program: Program) -> list[tuple[Equation, list[int]]]:
        """The loops to cut, with the positions of their states."""
        if self.lines is None:
            return list(_outermost(program))
        at = [loop for loop in loops_of(program) if loop.source is not None and loop.source.line in self.lines]
        missing = set(self.lines) - {loop.source.line for loop in at if loop.source is not None}
        if missing:
            cause = f"truncate: {name_of(self.function)} has no loop at line {min(missing)}"
            refuse(UnsupportedFunctionError, cause, definition(self.function))
        found = [(loop, state_of(loop)) for loop in at]
        return [(loop, state) for loop, state in found if state]


def _outermost(region: Program) -> list[tuple[Equation, list[int]]]:
    """Loops with a state that are in no other such loop."""
    found: list[tuple[Equation, list[int]]] = []
    for equation in region.equations:
        state = state_of(equation) if equation.primitive.name in ("loop", "while") else []
        if state:
            found.append((equation, state))
        elif equation.primitive.name not in OPAQUE:
            for _, inner in regions(equation):
                found += _outermost(inner)
    return found


def _cut(loop: Equation, state: list[int], every: int) -> None:
    """Cut what a loop's state is to the iteration, every so many of them, in place."""
    body: Program = loop.params["body"]
    _, params = carried(loop)
    for k in state:
        _require_whole(body, params[k], body.results[k], loop)
    b = Builder()
    b.source = loop.source
    if loop.primitive.name == "loop":
        step: Atom = body.params[0]
        left = b.sub(loop.operands[0], step)
    else:
        step = left = _counter(loop)
        body = loop.params["body"]
    keeps = b.lor(b.ne(b.mod(left, literal(every)), literal(0)), b.eq(step, literal(0)))
    env: dict[Var, Atom] = {}
    for k in state:
        env[params[k]] = _cut_at(b, params[k], keeps)
    body.results = tuple(rename(body.equations, body.results, env))
    body.equations[:0] = b.equations


def _counter(loop: Equation) -> Var:
    """Have a `while` count its iterations; gives the number of the iteration in the body."""
    body: Program = loop.params["body"]
    step = Var(I64, "step")
    extend_test(loop.params["test"], body.params, [step])
    b = Builder()
    after = b.add(step, 1)
    body.equations += b.equations
    body.params = (*body.params, step)
    body.results = (*body.results, after)
    loop.operands = (*loop.operands, literal(0))
    loop.outs = (*loop.outs, Var(I64, "step"))
    return step


def _require_whole(body: Program, param: Var, result: Atom, loop: Equation) -> None:
    """Refuse a state of which an iteration writes a part that the number of the iteration says."""
    own, producers = defined(body), {out: e for e in body.equations for out in e.outs}
    while isinstance(result, Var) and result in producers and producers[result].primitive.kind is Kind.WRITE:
        write = producers[result]
        if any(isinstance(a, Var) and a in own and not a.type.shape for a in write.operands[2:]):
            refuse(
                UnsupportedFunctionError,
                f"truncate: this loop keeps its states in the array {param.name!r}, and what is cut would be all that "
                "was written into it before",
                write.source or loop.source,
                f"a variable for the state beside the array: x = …; {param.name}[k] = x",
            )
        result = write.operands[0]


def _cut_at(b: Builder, x: Var, keeps: Atom) -> Atom:
    """The value itself, whose derivative is cut where it is not said to be kept."""
    shape = tuple(int(n.value) if isinstance(n, Lit) else None for n in x.type.shape)
    lowered = lower(_kept_where, (Spec(x.type.dtype, shape), Spec(DType.BOOL, ())))
    (value,) = spliced(b, lowered.program, (x, keeps))
    return b.conform(value, *x.type.shape, checked=False) if shape else value


def _truncated(x: Any, keeps: Any) -> Any:
    return x


def _where(tangent: Any, value: Any, x: Any, keeps: Any) -> Any:
    return np.where(keeps, tangent, np.zeros_like(tangent))


_truncated.__name__ = "truncate"
_kept_where = transformed(Custom(_truncated, jvps=(_where, None), surrogate=True))


def clip_gradient(x: Any, bound: Any, norm: bool = False) -> Any:
    """x itself, whose gradient is clipped: a surrogate, for reverse mode.

    Inside of a loop, applied to its state, it keeps gradients from exploding.

    Args:
        x: a real number or array.
        bound: a positive number; without `norm` also an array that broadcasts to x.
        norm: whether the gradient is scaled down as a whole so that its norm is at most the bound; else each of its
            elements is moved into [-bound, bound].

    Returns:
        x.  What is not a number stays so: clipping hides nothing.

    Raises:
        RuleError: in forward mode, for which there is no such thing, clipping not being linear.

    Source: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, arXiv:1211.5063.

    >>> from adcore import grad
    >>> grad(lambda x: clip_gradient(x, 1.0) ** 2)(3.0)
    1.0
    >>> grad(lambda x: np.sum(clip_gradient(x, 5.0, norm=True) ** 2))(np.array([3.0, 4.0]))
    array([3., 4.])
    """
    if norm:
        return _within_norm(x, bound)
    return _within(x, bound)


def _same(x: Any, bound: Any) -> Any:
    return x


def _keep_bound(x: Any, bound: Any) -> Any:
    return x, bound


def _clipped(bound: Any, cotangent: Any) -> Any:
    most = np.full_like(cotangent, bound)
    return np.clip(cotangent, -most, most), None


def _scaled(bound: Any, cotangent: Any) -> Any:
    size = np.sqrt(np.sum(cotangent * cotangent))
    return np.full_like(cotangent, bound / size if size > bound else 1.0) * cotangent, None


_same.__name__ = "clip_gradient"
_within = transformed(Custom(_same, vjp=(_keep_bound, _clipped), surrogate=True))
_within_norm = transformed(Custom(_same, vjp=(_keep_bound, _scaled), surrogate=True))
