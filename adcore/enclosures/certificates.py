"""`certify`: whether a function is differentiable on a whole box, and what it and its derivatives are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ..plugins import Lowered
from .boxes import Search, progressing
from .intervals import Interval, hull
from .refutation import refuted
from .results import Enclosure, Touched, Undecided
from .subject import Box, Subject, Trial

__all__ = ["Certificate", "certify"]

ATTEMPTS = 8  # at a proof that there is a kink
Domain = Literal["interval", "zonotope"]
Status = Literal["differentiable", "undecided", "not differentiable"]


@dataclass(frozen=True)
class Certificate:
    """What is proven of a function on a box.

    Attributes:
        name: of the function.
        lower, upper: the corners of the box.
        status: "differentiable": at every point of the box; "not differentiable": somewhere in it certainly not, for
            the reason in `refutation`; "undecided": it is not known.  In all cases the function is differentiable
            outside of the boxes in `undecided`, unless the search has ended where it is not defined.
        value: what the function is between.
        gradient: what its gradient, of a function that gives one number, or else its Jacobian, is between, wherever in
            the box it exists.
        hessian: the same of second derivatives, where they were asked for.
        undecided: the boxes that are left.
        reasons: the kinks that may lie in these, and what else is in the way, each with the user's line.
        share: of the box, by volume, that is decided.
        examined: how many boxes were executed.
        refutation: why the function is not differentiable.
    """

    name: str
    lower: Any
    upper: Any
    status: Status
    value: Enclosure | None
    gradient: Enclosure | None
    hessian: Enclosure | None
    undecided: tuple[Undecided, ...]
    reasons: tuple[Touched, ...]
    share: float
    examined: int
    refutation: str = ""

    def __str__(self) -> str:
        head = f"{self.name} on {Enclosure(self.lower, self.upper)}: {self.status}"
        lines = [head]
        if self.refutation:
            lines.append(f"  {self.refutation}")
        lines += [
            f"  {what} in {found}"
            for what, found in (("value", self.value), ("gradient", self.gradient), ("hessian", self.hessian))
            if found is not None
        ]
        boxes = "1 box" if self.examined == 1 else f"{self.examined} boxes"
        if self.undecided:
            lines.append(f"  {100.0 * self.share:.6g} % of the box decided, {len(self.undecided)} of {boxes} left:")
            lines += [f"    {reason}" for reason in self.reasons]
        else:
            lines.append(f"  by {boxes}")
        return "\n".join(lines)


def certify(
    f: Callable[..., Any],
    lower: Any,
    upper: Any,
    budget: int = 1000,
    *,
    hessian: bool = False,
    domain: Domain = "interval",
    progress: bool = False,
) -> Certificate:
    """Prove that no kink of a function lies in a box, and enclose its values and derivatives there.

    The function's Program is run over intervals with outward rounding, and so are those of its derivatives.  Where a
    kink may lie in the box, it is split, and its parts are looked at in their turn, the largest first.

    Args:
        f: a function of numbers, arrays and trees of them.
        lower, upper: its argument at the corners of the box, or tuples of its arguments.  A number or array of
            integers or booleans is the same in both.
        budget: how many boxes are looked at, at most.
        hessian: whether second derivatives are enclosed too.
        domain: "interval", or "zonotope" to know of each value how it depends on the arguments in first order too: a
            box takes longer, and is decided with fewer splits where operands depend on each other.
        progress: show how far it is, on the terminal, by rich.

    Returns:
        A `Certificate`.  Its enclosures hold what the function and its derivatives are for real numbers, and what is
        computed for floating-point numbers, operation by operation in the program's order, with sums in any order.

    Raises:
        MissingRuleError: an operation has no interval meaning yet; the message shows the line.
        DtypeError: no argument is a real number, or one is complex.
        ValueError: ends that are not finite or in the wrong order; a budget below 1.

    Sources: Moore, Interval Analysis (1966); outward rounding and decorations after IEEE 1788-2015; differentiability
    by boxes after Lee, Park and Aiken, On the Correctness of Automatic Differentiation for Neural Networks (2023).

    >>> import numpy as np
    >>> from adcore import certify
    >>> found = certify(lambda x: np.maximum(x, 0.0) ** 2 + x, 0.5, 2.0)
    >>> found.status
    'differentiable'
    >>> 3.0 in found.gradient and found.gradient.width < 3.1
    True
    >>> certify(lambda x: abs(x - 1.0) * x, 0.0, 3.0, budget=50).status
    'not differentiable'
    """
    if budget < 1:
        raise ValueError(f"certify: a budget of {budget} boxes; the least is 1")
    if domain not in ("interval", "zonotope"):
        raise ValueError(f"certify: the domain is 'interval' or 'zonotope', not {domain!r}")
    subject = Subject(f, lower, upper, affine=domain == "zonotope")
    search = Search(subject)
    with progressing(progress, subject.name, budget) as report:
        search.run(budget, report)
    undecided = search.undecided()
    status: Status = "undecided" if undecided else "differentiable"
    refutation = _refutation(search)
    if refutation:
        status = "not differentiable"
    reasons = dict.fromkeys(reason for _, trial in undecided for reason in trial.reasons)
    return Certificate(
        subject.name,
        lower,
        upper,
        status,
        _values(search),
        _derivatives(search, subject.derivative),
        _derivatives(search, subject.second) if hessian else None,
        tuple(
            Undecided(subject.arguments(b.lower), subject.arguments(b.upper), tuple(t.reasons)) for b, t in undecided
        ),
        tuple(reasons),
        search.share,
        search.examined,
        refutation,
    )


def _refutation(search: Search) -> str:
    """Why the function is not differentiable somewhere, by one of the smallest boxes that are left."""
    if search.refuted is not None:
        return search.refuted[0]
    single = [(b, t) for b, t in search.undecided() if t.touched and all(reason.primitive for reason in t.reasons)]
    smallest = sorted(single, key=lambda pair: pair[0].share)[:ATTEMPTS]
    return next((why for box, _ in smallest if (why := refuted(search.subject, box))), "")


def _left(subject: Subject, box: Box, trial: Trial) -> Undecided:
    return Undecided(subject.arguments(box.lower), subject.arguments(box.upper), tuple(trial.reasons))


def _values(search: Search) -> Enclosure | None:
    return _together(search, search.subject.lowered, [trial.values for _, trial in search.parts()])


def _derivatives(search: Search, lowered: Lowered) -> Enclosure | None:
    return _together(search, lowered, [search.subject.derived(box, lowered) for box, _ in search.parts()])


def _together(search: Search, lowered: Lowered, found: list[tuple[Interval, ...] | None]) -> Enclosure | None:
    """The hull of what was found on all parts; None where one of them has nothing."""
    known = [values for values in found if values is not None]
    if len(known) < len(found) or any(len({x.shape for x in column}) > 1 for column in zip(*known, strict=True)):
        return None
    return search.subject.enclosure(lowered, [hull(column) for column in zip(*known, strict=True)])
