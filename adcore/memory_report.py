"""`memory`: what the reverse sweep of a derivative keeps, in bytes, by source line and variable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .arguments import abstract, as_flat
from .boundary import Sweep
from .builder import Builder
from .demands import collecting
from .dispatch import Transformed, transformed
from .errors import AdcoreError, Source
from .passes.census import Census, bytes_of, kept_by
from .passes.stability import note_stable_reads
from .plugins import Spec, backend
from .policies import LoopPolicy, current, forget_policies, loop_policy, note_policy
from .program import Program, clone
from .recomputation import rename
from .signatures import definition, name_of
from .splitting import PullbackSplit
from .transforms import Gradient, lower, without_writes
from .trees import leaves, map_leaves
from .types import Atom, Var, literal

__all__ = ["Line", "MemoryReport", "PolicyCost", "memory"]

SNAPSHOTS = 10  # of the "revolve" that is compared


@dataclass(frozen=True)
class Line:
    """What is kept of one variable of one source line.

    Attributes:
        file, line, text: the place in the user's program.
        variable: its name there; empty for an intermediate result.
        bytes: how many bytes are kept; of a growing store its final capacity.
        kind: "stored each iteration"; "state of a loop", at the start of a segment or in a snapshot; "kept array";
            "kept number"; or "argument", which is there anyway and costs 0 bytes.
    """

    file: str
    line: int
    text: str
    variable: str
    bytes: int
    kind: str


@dataclass(frozen=True)
class PolicyCost:
    """What the loops of a function cost under a policy.

    Attributes:
        policy: as `loop_policy` takes it.
        bytes: the residuals, and what is stored while parts of the primal are run again.
        runs: how many times the primal's iterations are run, the primal itself included; 1 is the least.
        refused: why the policy does not apply, or empty.
    """

    policy: str
    bytes: int
    runs: float
    refused: str = ""


@dataclass(frozen=True)
class MemoryReport:
    """What a derivative keeps, measured at its arguments.

    Attributes:
        name: of the function.
        total: bytes of residuals: all that the primal part keeps for the reverse part, beyond arguments and captured
            values.
        again: the most bytes that parts of the primal store while they are run again in the reverse sweep.
        runs: how many times the primal's iterations are run.
        lines: what is kept, the most bytes first.
        policies: what other policies would cost.
    """

    name: str
    total: int
    again: int
    runs: float
    lines: tuple[Line, ...]
    policies: tuple[PolicyCost, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """The report as dicts, lists, strings and numbers, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        head = f"{self.name}: {human(self.total)} kept for the reverse sweep"
        if self.again:
            head += f", {human(self.again)} more while parts of it are run again"
        rows = [(human(x.bytes), x.kind, x.variable or "·", place(x), x.text.strip()) for x in self.lines]
        costs = [
            (x.policy, x.refused or human(x.bytes), "" if x.refused else f"{x.runs:.4g} runs") for x in self.policies
        ]
        parts = [head, *table(rows, right=(0,))]
        if costs:
            parts += ["policies:", *table(costs, right=(1, 2))]
        return "\n".join(parts)


def place(line: Line) -> str:
    return f"{Path(line.file).name}:{line.line}" if line.file else ""


def human(bytes: int) -> str:
    """A number of bytes in units of 1000."""
    size, units = float(bytes), iter(("B", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while size >= 1000.0 and unit != "TB":
        size, unit = size / 1000.0, next(units)
    return f"{bytes} B" if unit == "B" else f"{size:.3g} {unit}" if size < 999.5 else f"{size:.0f} {unit}"


def table(rows: list[tuple[str, ...]], right: tuple[int, ...]) -> list[str]:
    """Aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [c.rjust(w) if k in right else c.ljust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True))]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines


def memory(g: Callable[..., Any], *args: Any) -> MemoryReport:
    """What the reverse sweep of a derivative keeps, in bytes, measured at these arguments.

    A residual is a value that the primal part of the program computes and the reverse part reads.  `grad` and `vjp`
    keep the same ones.  In the joint program of `grad` those that machine code computes and uses in one pass are in no
    memory; the pullback of `vjp` has besides copies of the arguments that it reads, so that writing to them later
    does no harm, and these are not counted.  A growing store (in a loop of unknown length) counts with its final
    capacity, which is less than twice its used length from 64 elements on.

    The program is run once, with counters; what is counted is not in the program that `g` runs.

    Args:
        g: `grad(f)`, `value_and_grad(f)`, or a function, whose `vjp` is meant.
        *args: its arguments.

    Returns:
        A report: `total`, `lines`, `policies`, and a readable `str`.

    Raises:
        DtypeError, UnsupportedFunctionError, …: as a call of `g` would.

    >>> import math
    >>> from adcore import grad
    >>> def f(x, n):
    ...     for _ in range(n):
    ...         x = math.sin(x)
    ...     return x
    >>> report = memory(grad(f), 0.5, 1000)
    >>> report.total, [(line.variable, line.bytes) for line in report.lines]
    (8000, [('x', 8000)])
    """
    target: Any = g
    if not isinstance(g, Transformed) or not isinstance(g.transform, Gradient | PullbackSplit):
        target = transformed(PullbackSplit(target), wraps=False)
    transform, arguments = target.transform, target.dispatcher.bind(args, {})
    measured = _Measured(transform, arguments, None)
    costs = [_cost(transform, arguments, policy) for policy in _COMPARED] if measured.loops else []
    return MemoryReport(
        name=name_of(transform.function),
        total=measured.total,
        again=measured.again,
        runs=measured.runs,
        lines=measured.lines,
        policies=tuple(costs),
    )


_COMPARED = (loop_policy("all"), loop_policy("sqrt"), loop_policy("revolve", snapshots=SNAPSHOTS))


def _cost(transform: Any, arguments: tuple[Any, ...], policy: LoopPolicy) -> PolicyCost:
    name = str(policy.kind) if policy.snapshots is None else f"{policy.kind}, snapshots={policy.snapshots}"
    try:
        measured = _Measured(transform, arguments, policy)
    except AdcoreError as error:
        return PolicyCost(name, 0, 0.0, error.cause)
    return PolicyCost(name, measured.total + measured.again, measured.runs)


class _Measured:
    """A derivative with counters, run at some arguments; with a policy, all its loops under that one."""

    def __init__(
        self, transform: Gradient | PullbackSplit, arguments: tuple[Any, ...], policy: LoopPolicy | None
    ) -> None:
        structures = tuple(map_leaves(abstract, a) for a in arguments)
        lowered = without_writes(lower(transform.function, structures))
        if policy is not None:
            forget_policies(lowered.program)
        chosen = policy or current()
        if chosen is not None:
            note_policy(lowered.program, chosen)
        values = [as_flat(v) for a in arguments for v in leaves(a) if isinstance(abstract(v), Spec)]
        self.values = [*values, *(as_flat(c.read()) for c in lowered.captures)]
        with collecting() as demands:
            self.sweep = transform.sweep(lowered, structures)
        self.sweep.params = (*self.sweep.params, *(var for var, _ in demands.captures))
        self.values += [as_flat(capture.read()) for _, capture in demands.captures]
        self.kept = self.sweep.kept()
        read = [_Origin(definition(transform.function), p.name, "argument") for p in self.sweep.read()]
        self.loops, plain = self._iterations(lowered.program)
        origins = [_origin(self.sweep, v, self.loops) for v in self.kept]
        sizes, self.again, iterations = self._run()
        self.total = sum(sizes)
        self.runs = iterations / plain if plain else 1.0
        self.lines = _lines([*origins, *read], [*sizes, *(0 for _ in read)])

    def _iterations(self, program: Program) -> tuple[int, int]:
        """How many loops the primal has, and how many iterations they make."""
        program = clone(program)
        loops = note_stable_reads(program)
        count, _ = Census(loops).extend(program.equations, literal(0))
        values = self.values[: len(program.params)]
        (plain,) = backend().compile(Program(program.params, program.equations, (count,), "census"))(*values)
        return loops, plain

    def _run(self) -> tuple[list[int], int, int]:
        """The bytes of what is kept, the most that is stored besides, and the iterations made."""
        parts = self.sweep
        b = Builder()
        b.adopt(parts.primal)
        sizes = [bytes_of(b, v.type) for v in self.kept]
        env: dict[Var, Atom] = {}
        for param, position in zip(parts.late, parts.seeded, strict=True):
            shape = parts.values[position].type.shape
            env.update({n: a for n, a in zip(param.type.shape, shape, strict=True) if isinstance(n, Var)})
            env[param] = b.expand(1.0, *shape, axes=tuple(range(len(shape))))
        rename(parts.reverse, (), env)
        census = Census(self.loops)
        primal, reverse = list(b.equations), parts.reverse
        count, _ = census.extend(primal, literal(0))
        count, again = census.extend(reverse, count)
        results = (*sizes, again, count)
        *found, again, count = backend().compile(Program(parts.params, [*primal, *reverse], results, "census"))(
            *self.values
        )
        return found, again, count


# Where a value comes from


@dataclass(frozen=True)
class _Origin:
    """The variable of a source line that a residual keeps, and how."""

    source: Source | None
    variable: str
    kind: str


def _origin(parts: Sweep, var: Var, loops: int) -> _Origin:
    equation = next(e for e in parts.primal if var in e.outs)
    kept = kept_by(equation, var)
    if kept is None:
        return _Origin(equation.source, shown(var), "kept array" if var.type.shape else "kept number")
    loop, value = kept
    kind = "stored each iteration" if 0 < loop.number <= loops else "state of a loop"
    producer = next((e for e in loop.params["body"].equations if value in e.outs), loop)
    return _Origin(producer.source, shown(value), kind)


def shown(var: Var) -> str:
    return "" if var.name == "t" else var.name


def _lines(origins: list[_Origin], sizes: list[int]) -> tuple[Line, ...]:
    """One line for each variable of a source line, the most bytes first."""
    found: dict[_Origin, int] = {}
    for origin, size in zip(origins, sizes, strict=True):
        found[origin] = found.get(origin, 0) + size
    lines = []
    for origin, size in found.items():
        where = origin.source or Source("", 0)
        lines.append(Line(where.file, where.line, where.text, origin.variable, size, origin.kind))
    return tuple(sorted(lines, key=lambda line: -line.bytes))
