"""`stability`: how products of Jacobians grow through the loops of a function, and what that means for gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .arguments import abstracted, as_flat, shortened
from .demands import with_demands
from .dispatch import fits, transformed
from .errors import AdcoreError, Source
from .growth import NAMES, begun, measuring
from .loop_states import carried, loops_of, state_of
from .plugins import Lowered, Spec, backend
from .program import Equation
from .signatures import name_of
from .transforms import Identity, lower, unchanging, without_writes
from .trees import flatten

__all__ = ["LoopStability", "Stability", "StabilityReport", "stability"]

ROWS = 1024  # of a history


@dataclass(frozen=True)
class LoopStability:
    """How the product of the Jacobians of a loop's iterations grows.

    Attributes:
        file, line, text: the loop's place in the user's program.
        kind: "for" where the number of iterations is known when the loop begins, else "while".
        state: the names of the values through which an iteration acts on the next ones.
        size: how many real numbers these are.
        runs, iterations: how often the loop was run, and for how many iterations at most.
        exponents: the Lyapunov exponents, the largest first, by iteration or by the unit of time that `dt` says; of a
            state with more elements than directions are followed, the largest ones.
        growth: the natural logarithm of the norm of the product at the end of a run, the largest of all runs.
        at, log_norms: of the first run, after how many iterations, and the logarithm of the norm there.
        verdict: "stable", "exploding", "vanishing" or "mixed"; "unknown" where `problem` says why.
        horizon: for how many iterations the product tells anything: beyond it a rounding error of the state has grown
            to the size of the state, or what is left of a derivative is less than a rounding error.  inf where it does
            neither grow nor shrink.
        truncation: after how many iterations to cut gradients (`adcore.truncate`), or None where there is no need.
        overflow: the iteration in which a derivative is no finite number, or None.
        problem: why nothing was measured, or empty.
    """

    file: str
    line: int
    text: str
    kind: str
    state: tuple[str, ...]
    size: int = 0
    runs: int = 0
    iterations: int = 0
    exponents: tuple[float, ...] = ()
    growth: float = 0.0
    at: tuple[int, ...] = ()
    log_norms: tuple[float, ...] = ()
    verdict: str = "unknown"
    horizon: float = math.inf
    truncation: int | None = None
    overflow: int | None = None
    problem: str = ""

    def __str__(self) -> str:
        lines = [f"{Path(self.file).name}:{self.line}  {self.text.strip()}"]
        state = ", ".join(self.state)
        if self.problem:
            return "\n".join([*lines, f"  unknown: {self.problem}"])
        runs = f", {self.runs} runs" if self.runs != 1 else ""
        lines.append(
            f"  {self.verdict}: state {state} of {_counted(self.size, 'number')}, {self.iterations} iterations{runs}"
        )
        if self.exponents:
            shown = ", ".join(f"{x:.4g}" for x in self.exponents[:6]) + (", …" if len(self.exponents) > 6 else "")
            lines.append(f"  exponents {shown}")
        lines.append(f"  the product of Jacobians has the norm {_power(self.growth)}")
        if self.overflow is not None:
            lines.append(f"  a derivative is not finite in iteration {self.overflow}")
        if math.isfinite(self.horizon):
            lines.append(f"  gradients are informative over {_counted(int(self.horizon), 'iteration')}")
        if self.truncation is not None:
            lines.append(f"  suggested: truncate(f, every={self.truncation})")
        return "\n".join(lines)


@dataclass(frozen=True)
class StabilityReport:
    """What `stability` finds.

    Attributes:
        name: of the function.
        loops: those with a state that make iterations with the arguments given, in the order of the program.
    """

    name: str
    loops: tuple[LoopStability, ...] = field(default=())

    @property
    def worst(self) -> LoopStability | None:
        """The loop whose product has grown most."""
        known = [loop for loop in self.loops if not loop.problem]
        return max(known, key=lambda loop: math.inf if loop.overflow is not None else loop.growth, default=None)

    @property
    def verdict(self) -> str:
        """That of the worst loop; "stable" where there is none, "unknown" where nothing could be measured."""
        if not self.loops:
            return "stable"
        return "unknown" if self.worst is None else self.worst.verdict

    @property
    def exponents(self) -> tuple[float, ...]:
        """Those of the worst loop."""
        return () if self.worst is None else self.worst.exponents

    def as_dict(self) -> dict[str, Any]:
        """The report as dicts, lists, strings and numbers, for JSON."""
        return asdict(self) | {"verdict": self.verdict}

    def __str__(self) -> str:
        head = f"{self.name}: {self.verdict}"
        if not self.loops:
            head += ", no loop that was run carries a state"
        return "\n".join([head, *(_indented(str(loop)) for loop in self.loops)])


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _power(log: float) -> str:
    """A number that may be too large or too small to be one, by its logarithm."""
    if abs(log) < 20.0 or not math.isfinite(log):
        return f"{math.exp(log):.4g}"
    exponent = math.floor(log / math.log(10.0))
    return f"{math.exp(log - exponent * math.log(10.0)):.3f}e{exponent:+d}"


def stability(
    f: Callable[..., Any], *, directions: int = 16, transient: int = 0, dt: float = 1.0, limit: float = 1e3
) -> Stability:
    """How products of Jacobians grow through the loops of a function: Lyapunov exponents, a verdict, and a horizon.

    A gradient through a loop is a product of the Jacobians of its iterations, which grows or shrinks like exp(λ T) with
    the largest Lyapunov exponent λ and the number T of iterations.  Every loop whose iterations act on the next ones is
    measured: its body is linearized, and an orthonormal frame is pushed through it and made orthonormal again by QR
    after each iteration, in machine code.  Sums and arrays that are only written into are no part of the state.

    Args:
        f: an ordinary function, as for `grad`.
        directions: how many directions are followed at most.  Of a state with more elements the largest exponents are
            found, and the norm is that along these directions.
        transient: by how many iterations of every run the exponents are to begin later, when the state has come to
            where it stays and the directions have turned to where they grow.
        dt: the time that an iteration stands for; exponents are by this unit.
        limit: a growth that is still good, and its inverse for what shrinks.

    Returns:
        A function with the arguments of `f`, which gives a `StabilityReport`.  A loop is

        - "exploding" where the norm of the product is more than `limit` at the end of a run;
        - "mixed" where it is, and where some direction shrinks to less than 1/limit in as many iterations;
        - "vanishing" where it is less than 1/limit after every run;
        - "stable" otherwise.

        The horizon is log(1/ε)/|λ| iterations with the precision ε of the state.  The suggested truncation is
        log(limit)/λ iterations where gradients explode, and the horizon where they vanish: what is cut is nothing then.

    Raises:
        AdcoreError: what compiling `f` raises.  Of a loop that cannot be measured the report says why.
        ValueError: an option is out of range.

    Source: Benettin et al., Lyapunov characteristic exponents for smooth dynamical systems, Meccanica 15 (1980) 9-20;
    Metz et al., Gradients are not all you need, arXiv:2111.05803 (2021).

    >>> def logistic(x, r, n):
    ...     for _ in range(n):
    ...         x = r * x * (1.0 - x)
    ...     return x
    >>> report = stability(logistic)(0.3, 4.0, 10000)
    >>> report.verdict, round(report.exponents[0], 2), report.worst.horizon, report.worst.truncation
    ('exploding', 0.69, 52, 9)
    >>> stability(logistic)(0.3, 2.8, 100).verdict
    'vanishing'
    """
    if directions < 1 or transient < 0 or not dt > 0.0 or not limit > 1.0:
        raise ValueError("stability: directions ≥ 1, transient ≥ 0, dt > 0 and limit > 1 are needed")
    return Stability(f, directions, transient, dt, limit)


class Stability:
    """What `stability` gives: called with the arguments of the function, it measures there."""

    def __init__(self, f: Callable[..., Any], directions: int, transient: int, dt: float, limit: float) -> None:
        self.function = f
        self.directions = directions
        self.transient = transient
        self.dt = dt
        self.limit = limit
        self.target = transformed(Identity(f))
        self._known: dict[Any, _Plan] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> StabilityReport:
        arguments = self.target.dispatcher.bind(args, kwargs)
        values, tree = flatten(arguments)
        specs = shortened(values, abstracted(values, lambda k: self.target.dispatcher.place(arguments, k)))
        plan = self._plan(specs, tree)
        numbers = [as_flat(v) for v, s in zip(values, specs, strict=True) if isinstance(s, Spec)]
        numbers += [as_flat(c.read()) for c in plan.lowered.captures]
        loops = (self._measured(plan, k, state, numbers) for k, state in plan.states)
        return StabilityReport(name_of(self.function), tuple(loop for loop in loops if loop is not None))

    def _plan(self, specs: list[Any], tree: Any) -> _Plan:
        key = (tree, *(s if isinstance(s, Spec) else id(s.value) for s in specs))
        plan = self._known.get(key)
        if plan is None or not plan.is_current():
            structures: Any = tree.unflatten(specs)
            lowered = with_demands(lambda: without_writes(unchanging(lower(self.function, structures))))
            plan = self._known[key] = _Plan(lowered, specs)
        return plan

    def _measured(self, plan: _Plan, number: int, state: list[int], values: list[Any]) -> LoopStability | None:
        """The report of a loop; None of one that makes no iterations, or has no state, with these arguments."""
        loop = plan.loops[number]
        params = [carried(loop)[1][k] for k in state]
        source = loop.source or Source("", 0)
        kind = "for" if loop.primitive.name == "loop" else "while"
        place = (source.file, source.line, source.text, kind, tuple(p.name for p in params))
        try:
            run = plan.compiled(number, state, self.directions)
        except AdcoreError as error:
            return LoopStability(*place, problem=error.cause)
        stride = 1
        while True:
            figures, sums, history = run(*values, *begun(ROWS, self.directions), stride, self.transient)
            found: dict[str, float] = dict(zip(NAMES, map(float, figures), strict=True))
            if found["longest"] <= stride * ROWS:
                break
            stride = math.ceil(found["longest"] / ROWS)
        if not found["size"] or (not found["longest"] and found["overflow"] < 0.0):
            return None
        epsilon = max(float(np.finfo(p.type.dtype.numpy).eps) for p in params)
        return self._judged(place, found, sums, history, stride, epsilon)

    def _judged(
        self,
        place: tuple[Any, ...],
        found: dict[str, float],
        sums: np.ndarray,
        history: np.ndarray,
        stride: int,
        epsilon: float,
    ) -> LoopStability:
        """The report of a loop, from its figures."""
        width = int(found["width"])
        rates = np.sort(sums[:width] / found["counted"])[::-1] if found["counted"] else np.zeros(0)
        kept = history[np.isfinite(history[:-1, 0]).nonzero()[0], 0]
        longest, most, bound = found["longest"], found["largest"], math.log(self.limit)
        overflow = None if found["overflow"] < 0.0 else int(found["overflow"])
        first = float(rates[0]) if len(rates) else most / max(longest, 1.0)
        verdict, truncation = "stable", None
        horizon = abs(math.log(epsilon) / first) if first else math.inf
        horizon = math.floor(horizon) if horizon < 1e15 else math.inf
        if most > bound or overflow is not None:
            shrinks = bool(len(rates)) and float(rates[-1]) * longest < -bound
            verdict = "mixed" if shrinks else "exploding"
            rate = first if first > 0.0 else most / max(longest, 1.0)
            truncation = max(1, math.floor(bound / rate)) if rate > 0.0 else 1
        elif most < -bound:
            verdict, truncation = "vanishing", max(1, int(min(horizon, 1e15)))
        return LoopStability(
            *place,
            size=int(found["size"]),
            runs=int(found["runs"]),
            iterations=int(longest),
            exponents=tuple(float(r) / self.dt for r in rates),
            growth=most,
            at=tuple(stride * (k + 1) for k in range(len(kept))),
            log_norms=tuple(map(float, kept)),
            verdict=verdict,
            horizon=horizon,
            truncation=truncation,
            overflow=overflow,
        )


class _Plan:
    """A function lowered for some arguments, its loops with a state, and the programs that measure them."""

    def __init__(self, lowered: Lowered, leaves: list[Any]) -> None:
        self.lowered = lowered
        self.leaves = leaves  # kept alive, since the key of this plan has their identities
        self.loops: list[Equation] = loops_of(lowered.program)
        found = ((k, state_of(loop)) for k, loop in enumerate(self.loops))
        self.states = [(k, state) for k, state in found if state]
        self._compiled: dict[int, Any] = {}

    def is_current(self) -> bool:
        return all(g.holds() for g in self.lowered.guards) and all(fits(c) for c in self.lowered.captures)

    def compiled(self, number: int, state: list[int], directions: int) -> Any:
        if number not in self._compiled:
            self._compiled[number] = backend().compile(measuring(self.lowered.program, number, state, directions))
        return self._compiled[number]
