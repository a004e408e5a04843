"""How far an implicit derivative can be relied on at a solution: a report with figures, and warnings."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConvergenceWarning
from ..signatures import name_of
from ..vectors import vector_of
from .problems import kept, matrices_of

__all__ = ["Report", "report"]

FAR = 1e-6  # a distance to the solution, by its size, from which on it has not been reached
SINGULAR = 1e-12  # a singular value, by the largest one
NEAR = 1e-6  # how far, by the size of the solution, a jump of the derivative is looked for
JUMP = 1e-3  # a change of the derivative over such a distance, by its size, that no smooth condition has


@dataclass(frozen=True)
class Report:
    """What is known of the derivative of a solution by its condition.

    Attributes:
        name: of the condition F.
        unknowns: how many numbers the solution has.
        residual: the largest element of F at the solution.
        distance: an estimate of how far the exact solution is, by one step of Newton's method.
        condition: the condition number of A = ∂₁F.
        rank: of A; where it is less than `unknowns`, derivatives are those of the least squares solution of the least
            norm at best, and only with `solve="lstsq"` or "normal_cg".
        bound: an estimate of how far the derivative at this solution is from that at the exact one:
            (β/α + γR/α²) · distance (Blondel et al., arXiv:2105.15183, theorem 1), with α the smallest singular value
            of A, R the norm of B = ∂₂F, and β, γ by how much these change nearby.
        jump: the largest relative change of A over 1e-6 of the size of the solution; where the condition is smooth it
            is about that small.
    """

    name: str
    unknowns: int
    residual: float
    distance: float
    condition: float
    rank: int
    bound: float
    jump: float
    size: float

    @property
    def converged(self) -> bool:
        return self.distance <= FAR * (1.0 + self.size)

    @property
    def singular(self) -> bool:
        return self.rank < self.unknowns

    @property
    def degenerate(self) -> bool:
        """Whether the derivative of the condition jumps next to the solution, as where a constraint is just active."""
        return self.jump > JUMP

    @property
    def problems(self) -> list[str]:
        """What is wrong, in words."""
        found: list[str] = []
        if not self.converged:
            found.append(f"the solver has not converged: the solution is about {self.distance:.1e} away")
        if self.singular:
            found.append(
                f"the derivative of the condition is singular, of rank {self.rank} for {self.unknowns} unknowns: "
                "only a least squares answer exists"
            )
        if self.degenerate:
            found.append(
                "the derivative of the condition jumps next to the solution: a constraint or another kink is just "
                "active, and derivatives are one-sided"
            )
        return found

    def __str__(self) -> str:
        lines = [
            f"{self.name}: {self.unknowns} unknowns, derivative of rank {self.rank}, condition {self.condition:.1e}",
            f"  residual {self.residual:.1e}, distance to the solution about {self.distance:.1e}",
            f"  error of derivatives about {self.bound:.1e}",
        ]
        return "\n".join([*lines, *(f"  ! {problem}" for problem in self.problems)])


def report(condition: Callable[..., Any], solution: Any, *args: Any, warn: bool = True) -> Report:
    """Examine the derivative of a solution of F(solution, *args) = 0.

    It makes the dense matrix of F by the solution, so that it is for up to a few thousand unknowns.

    Args:
        condition: F, as of `custom_root`; of a fixed point T it is T(x) - x, of a minimum the gradient.
        solution: what a solver gave, a number, an array or a tree of them.
        *args: further arguments of F.
        warn: whether problems are warned of.

    Returns:
        The report; `str` of it is for people.

    Warns:
        ConvergenceWarning: the solution has not been reached, A is singular, or its derivative jumps nearby.

    >>> print(report(lambda x, a: x**3 + x - a, 2.0, 10.0))
    <lambda>: 1 unknowns, derivative of rank 1, condition 1.0e+00
      residual 0.0e+00, distance to the solution about 0.0e+00
      error of derivatives about 0.0e+00
    >>> report(lambda x, a: x**3 + x - a, 2.1, 10.0, warn=False).problems
    ['the solver has not converged: the solution is about 9.6e-02 away']
    """
    matrices = kept(condition, matrices_of)
    x = np.asarray(vector_of(solution), float)

    def at(v: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        return matrices(v, solution, *args)

    r, a, b = at(x)
    size = float(np.max(np.abs(x), initial=0.0))
    singular_values = np.linalg.svd(a, compute_uv=False)
    largest = float(singular_values[0]) if len(singular_values) else 0.0
    rank = int(np.sum(singular_values > SINGULAR * largest)) if largest else 0
    step = np.linalg.pinv(a, rcond=SINGULAR) @ r
    distance = float(np.linalg.norm(step))
    smallest = float(singular_values[rank - 1]) if rank else 0.0
    near = NEAR * (1.0 + size)
    jumps: list[float] = []
    beta = gamma = 0.0
    for direction in _directions(step, len(x)):
        (_, a_up, b_up), (_, a_down, b_down) = at(x + near * direction), at(x - near * direction)
        change = float(np.linalg.norm(a_up - a_down))
        jumps.append(change / largest if largest else 0.0)
        gamma = max(gamma, change / (2.0 * near))
        beta = max(beta, float(np.linalg.norm(b_up - b_down)) / (2.0 * near))
    norm = float(np.linalg.norm(b))
    bound = (beta / smallest + gamma * norm / smallest**2) * distance if smallest else np.inf
    found = Report(
        name=name_of(condition),
        unknowns=len(x),
        residual=float(np.max(np.abs(r), initial=0.0)),
        distance=distance,
        condition=largest / float(singular_values[-1]) if rank == len(x) and largest else np.inf,
        rank=rank,
        bound=float(bound),
        jump=max(jumps, default=0.0),
        size=size,
    )
    if warn:
        for problem in found.problems:
            warnings.warn(f"{found.name}: {problem}", ConvergenceWarning, stacklevel=2)
    return found


def _directions(step: NDArray[Any], n: int) -> list[NDArray[Any]]:
    """That of the exact solution, and a few others."""
    rng = np.random.default_rng(0)
    found = [rng.choice([-1.0, 1.0], n) for _ in range(3)]
    length = float(np.max(np.abs(step), initial=0.0))
    return [*found, step / length] if length else found
