"""`check_grads`: derivatives held against differences of the function's values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np

from .api import jvp, vjp
from .derive import pull
from .dispatch import transformed
from .plugins import Leaf, Lowered, Spec, Static
from .program import Program
from .signatures import arranged, name_of, signature_of
from .transforms import Pushforward, Transform, cotangents, differentiable, numbered, pruned, replaced, without_writes
from .trees import flatten, leaves, map_leaves

__all__ = ["check_grads"]

Mode = Literal["fwd", "rev"]
STEPS = {8: 1e-2, 4: 1e-1}  # relative ones, by the bytes of a number
TOLERANCES = {8: 1e-6, 4: 5e-3}
HALVINGS = 10


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int = 1,
    modes: Mode | Sequence[Mode] = ("fwd", "rev"),
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
) -> None:
    """Check derivatives against differences of values, along a random direction for each argument.

    Derivatives of higher order are checked as derivatives of the derivatives before, in every order of the modes.  A
    numerical derivative is that of Ridders: central differences for steps that are halved, extrapolated to a step of 0.

    Args:
        f: the function, compiled or not; its values are taken by calling it.
        args: its arguments, trees of numbers and arrays.  What is an integer or anything else is left as it is.
        order: up to which order.
        modes: "fwd" for `jvp`, "rev" for `vjp`, or both.
        atol, rtol: a derivative d may differ from the numerical one by atol + rtol · max|d|.  By default 1e-6 each for
            double precision, and 5e-3 where there is a number of single precision among the arguments or results.
        eps: the first step, relative to the arguments; 1e-2, and 0.1 for single precision.

    Raises:
        AssertionError: a derivative is another one; the message says which, and both numbers.
        AdcoreError: what taking the derivatives raises.

    Source: Ridders, Accurate computation of F'(x) and F'(x) F''(x), Advances in Engineering Software 4 (1982) 75-76.

    >>> import math
    >>> check_grads(lambda x, y: math.sin(x) * y, (0.3, 2.0), order=3)
    >>> from adcore import custom_jvp
    >>> square = custom_jvp(lambda x: x * x)
    >>> square.defjvps(lambda t, y, x: 3.0 * x * t)
    >>> try:
    ...     check_grads(square, (1.0,), modes="fwd")
    ... except AssertionError as error:
    ...     print(str(error).partition(": along")[0])
    check_grads: order 1 (fwd) of <lambda>
    """
    chosen = (modes,) if isinstance(modes, str) else tuple(modes)
    unknown = [m for m in chosen if m not in ("fwd", "rev")]
    if unknown or not chosen:
        raise ValueError(f"check_grads: modes are 'fwd' and 'rev', not {unknown[0] if unknown else 'none'!r}")
    if order < 1:
        raise ValueError(f"check_grads: order {order}; the least is 1")
    _Check(f, name_of(f), chosen, atol, rtol, eps, np.random.default_rng(0)).run(tuple(args), order, ())


@dataclass(frozen=True)
class _Check:
    """One function whose derivatives are checked, and how."""

    f: Callable[..., Any]
    name: str
    modes: tuple[Mode, ...]
    atol: float | None
    rtol: float | None
    eps: float | None
    rng: np.random.Generator

    def run(self, args: tuple[Any, ...], order: int, path: tuple[Mode, ...]) -> None:
        value = self.call(args)
        for mode in self.modes:
            further = (*path, mode)
            if mode == "fwd":
                self.forward(args, further)
            else:
                self.reverse(args, value, further)
            if order > 1:
                derived, arguments = self.derivative(mode, args, value)
                replace(self, f=derived).run(arguments, order - 1, further)

    def call(self, args: tuple[Any, ...]) -> Any:
        return self.f(*map_leaves(_copied, args))

    def derivative(self, mode: Mode, args: tuple[Any, ...], value: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """The derivative as a function of more arguments, and these."""
        if mode == "fwd":
            along = map_leaves(lambda x: self.direction(x) if _is_real(x) else None, args)
            return _callable(Pushforward(self.f)), (args, along)
        seeds = [self.direction(y) for y in leaves(value) if _is_real(y)]
        return _callable(_Pulled(self.f)), (args, seeds)

    # One order

    def forward(self, args: tuple[Any, ...], path: tuple[Mode, ...]) -> None:
        for k in self.real(args):
            along = self.along(args, k)
            found = _numbers(jvp(self.f, args, along)[1])
            self.compare(found, *self.numerical(args, along), args, k, path)

    def reverse(self, args: tuple[Any, ...], value: Any, path: tuple[Mode, ...]) -> None:
        seeds = map_leaves(lambda y: self.direction(y) if _is_real(y) else None, value)
        pulled = vjp(self.f, *map_leaves(_copied, args))[1](seeds)
        for k in self.real(args):
            along = self.along(args, k)
            numerical, error = self.numerical(args, along)
            weights = _numbers(seeds, conjugate=True)
            found = _numbers(pulled[k], conjugate=True) @ _numbers(along[k])
            self.compare(np.array([found]), np.array([weights @ numerical]), error * len(weights), args, k, path)

    def real(self, args: tuple[Any, ...]) -> list[int]:
        return [k for k, a in enumerate(args) if any(map(_is_real, leaves(a)))]

    def along(self, args: tuple[Any, ...], position: int) -> tuple[Any, ...]:
        """A random direction for one argument, zeros for the others."""

        def tangent(x: Any, moves: bool) -> Any:
            if not _is_real(x):
                return None
            return self.direction(x) if moves else _like(np.zeros(np.shape(x)), x)

        return tuple(map_leaves(lambda x, k=k: tangent(x, k == position), a) for k, a in enumerate(args))

    def direction(self, x: Any) -> Any:
        """A random direction in proportion to each number, so that none changes its sign on the way."""
        size = np.abs(x)
        largest = np.max(size, initial=0.0)
        scale = np.where(size > 0.0, size, min(largest, 1.0) or 1.0)
        drawn = self.drawn(np.shape(x))
        if np.iscomplexobj(x):
            drawn = drawn + 1j * self.drawn(np.shape(x))
        return _like(scale * drawn, x)

    def drawn(self, shape: tuple[int, ...]) -> Any:
        return self.rng.uniform(0.5, 1.0, shape) * self.rng.choice([-1.0, 1.0], shape)

    def numerical(self, args: tuple[Any, ...], along: tuple[Any, ...]) -> tuple[np.ndarray, float]:
        """The derivative along a direction, and an estimate of its error."""

        def difference(h: float) -> np.ndarray:
            ends = [_numbers(self.call(_moved(args, along, sign * h))) for sign in (1.0, -1.0)]
            return (ends[0] - ends[1]) / (2.0 * h)

        h = STEPS[_bytes(args)] if self.eps is None else self.eps
        rows = [[difference(h)]]
        best, error = rows[0][0], np.inf
        for _ in range(HALVINGS):
            h /= 2.0
            row = [difference(h)]
            for k, before in enumerate(rows[-1]):
                factor = 4.0 ** (k + 1)
                row.append((factor * row[-1] - before) / (factor - 1.0))
                estimate = max(_size(row[-1] - row[-2]), _size(row[-1] - before))
                if estimate < error:
                    best, error = row[-1], estimate
            if _size(row[-1] - rows[-1][-1]) >= 2.0 * error and len(rows) > 2:
                break
            rows.append(row)
        return best, float(error)

    def compare(
        self,
        found: np.ndarray,
        numerical: np.ndarray,
        error: float,
        args: tuple[Any, ...],
        position: int,
        path: tuple[Mode, ...],
    ) -> None:
        tolerance = TOLERANCES[min(_bytes(args), _bytes(self.call(args)))]
        atol, rtol = (tolerance if t is None else t for t in (self.atol, self.rtol))
        allowed = atol + rtol * max(_size(found), _size(numerical))
        apart = np.abs(found - numerical)
        if apart.size == 0 or bool(np.all(apart <= allowed)):
            return
        worst = int(np.argmax(np.where(np.isnan(apart), np.inf, apart)))
        where = f", in number {worst} of the result," if len(found) > 1 else ""
        raise AssertionError(
            f"check_grads: order {len(path)} ({' of '.join(reversed(path))}) of {self.name}: along a random direction "
            f"of {self.argument(position, path)} the derivative{where} is {found[worst]:.10g}, and "
            f"{numerical[worst]:.10g} by differences of values (whose error is about {error:.1g}); allowed is a "
            f"difference of {allowed:.1g}"
        )

    def argument(self, position: int, path: tuple[Mode, ...]) -> str:
        """What an argument is called; those of a derivative are (arguments, tangents) or (arguments, cotangents)."""
        names = list(signature_of(self.f).parameters) if len(path) == 1 else []
        return f"argument {position}" + (f" ({names[position]})" if position < len(names) else "")


def _callable(transform: Transform) -> Any:
    """A transformed function that further transforms take by its own parameters."""
    made = transformed(transform, wraps=False)
    made.__signature__ = transform.signature()
    return made


def _is_real(x: Any) -> bool:
    return isinstance(x, float | complex | np.ndarray | np.generic) and np.issubdtype(np.asarray(x).dtype, np.inexact)


def _like(value: Any, x: Any) -> Any:
    """A value with the dtype of another one, and Python's own number for such a one."""
    if isinstance(x, np.ndarray):
        return np.asarray(value, x.dtype)
    return type(x)(value)


def _copied(x: Any) -> Any:
    return x.copy() if isinstance(x, np.ndarray) else x


def _moved(args: tuple[Any, ...], along: tuple[Any, ...], step: float) -> tuple[Any, ...]:
    values, tree = flatten(args)
    pairs = zip(values, leaves(along), strict=True)
    return cast("Any", tree.unflatten([_like(x + step * t, x) if _is_real(x) else x for x, t in pairs]))


def _numbers(tree: Any, conjugate: bool = False) -> np.ndarray:
    """All real numbers in a tree side by side; of complex ones the two parts, the second one negative if asked for."""
    found: list[np.ndarray] = []
    for x in leaves(tree):
        if _is_real(x):
            flat = np.ravel(x)
            found.append(np.real(flat).astype(float))
            if np.iscomplexobj(flat):
                found.append(np.imag(flat).astype(float) * (-1.0 if conjugate else 1.0))
    return np.concatenate(found) if found else np.zeros(0)


def _size(x: np.ndarray) -> float:
    return float(np.max(np.abs(x), initial=0.0))


def _bytes(tree: Any) -> int:
    """The bytes of the least precise real number in a tree."""
    real = [np.real(np.asarray(x)).dtype.itemsize for x in leaves(tree) if _is_real(x)]
    return min(real, default=8)


@dataclass(frozen=True)
class _Pulled(Transform):
    """The cotangents of a function's arguments as a function of (arguments, cotangents of the real results)."""

    def signature(self) -> Any:
        return signature_of(lambda arguments, seeds: None)

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        primals, seeds = arguments
        lowered = without_writes(differentiable(self.function, arranged(self.function, primals)))
        results = lowered.program.results
        order = [leaf.index for leaf in leaves(lowered.result) if isinstance(leaf, Leaf)]
        chosen = [k for k in dict.fromkeys(order) if results[k].type.dtype.differentiable]
        specs = [leaf for leaf in leaves(tuple(primals)) if isinstance(leaf, Spec)]
        wrt = [k for k, spec in enumerate(specs) if spec.dtype.differentiable]
        program = pull(lowered.program, wrt, differentiated=chosen)
        late, count = program.params[len(lowered.program.params) :], len(specs)
        assert len(late) == len(seeds)
        params = (*program.params[:count], *late, *program.params[count : len(lowered.program.params)])
        program = Program(params, program.equations, program.results, program.name)
        place = {k: Leaf(len(results) + position) for position, k in enumerate(wrt)}
        structures = numbered(tuple(primals))
        gradients = tuple(cotangents(lambda k: place.get(k, Static(None)), s) for s in structures)
        return pruned(replaced(lowered, program, gradients))
