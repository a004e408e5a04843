"""Loop policies: what the reverse sweep keeps of a loop's iterations, and what it runs again.

"all"        what every iteration needs
"sqrt"       the states of √n iterations; the iterations in between are run again, one more run of the loop
a number     the states of so many iterations, likewise
"revolve"    the states of at most so many iterations as given, or as fit into a budget of bytes, dropped and taken
             again so that the fewest possible iterations are run again (Griewank and Walther, Algorithm 799, 2000)
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from .program import Program, regions

__all__ = [
    "LoopPolicy",
    "Policy",
    "current",
    "forget_policies",
    "in_force",
    "loop_policy",
    "note_policy",
    "policy_of",
    "under",
    "when_set",
]

ALTERNATIVES = '"all", "sqrt", "revolve" with snapshots or bytes, or a positive number of segments'


@dataclass(frozen=True)
class LoopPolicy:
    """What to keep of a loop's iterations; as a context manager, in all derivatives compiled inside.

    Attributes:
        kind: "all", "sqrt", "revolve", or the number of segments.
        snapshots: for "revolve" how many states are kept at most.
        bytes: for "revolve", instead: how many bytes the states may take.
    """

    kind: str | int
    snapshots: int | None = None
    bytes: int | None = None

    def __post_init__(self) -> None:
        known = self.kind in ("all", "sqrt", "revolve") or is_positive(self.kind)
        if not known:
            raise ValueError(f"policy {self.kind!r} is not {ALTERNATIVES}")
        for name, value in (("snapshots", self.snapshots), ("bytes", self.bytes)):
            if value is not None and not is_positive(value):
                raise ValueError(f"{name}={value!r} is not a positive integer")
        budgets = (self.snapshots is not None) + (self.bytes is not None)
        if self.kind == "revolve" and budgets != 1:
            raise ValueError('policy "revolve" takes either snapshots=… or bytes=…')
        if self.kind != "revolve" and budgets:
            raise ValueError(f'policy {self.kind!r} takes no snapshots or bytes; "revolve" does')

    @property
    def params(self) -> dict[str, Any]:
        """As static parameters of a loop."""
        found = {"policy": self.kind, "snapshots": self.snapshots, "bytes": self.bytes}
        return {name: value for name, value in found.items() if value is not None}

    def __enter__(self) -> LoopPolicy:
        _setting.set(_Setting(self, _setting.get()))
        for told in list(_told):
            told()
        return self

    def __exit__(self, *_: object) -> None:
        setting = _setting.get()
        assert setting is not None
        _setting.set(setting.around)


Policy = LoopPolicy | str | int


def is_positive(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def loop_policy(policy: Policy, snapshots: int | None = None, bytes: int | None = None) -> LoopPolicy:
    """What the reverse sweep keeps of loops: for `checkpoint`, or as a context for all loops without a policy.

    Args:
        policy: "all" keeps what every iteration needs (the default everywhere); "sqrt" the states of √n iterations; a
            number the states of so many; "revolve" at most `snapshots` states, or as many as fit into `bytes`, with
            the fewest iterations run again (Griewank and Walther, ACM TOMS 2000, Algorithm 799).
        snapshots: how many states "revolve" keeps.
        bytes: how many bytes the states that "revolve" keeps may take; one state has to fit, else the call raises
            ValueError with the bytes it needs.

    Returns:
        A policy.  As a context manager it applies to derivatives that are called inside, in this thread or task; a
        function is compiled once for each policy.  The policy of a `checkpoint` comes first.

    Raises:
        ValueError: another policy, or a budget that does not go with it.

    >>> from adcore import grad
    >>> def f(x, n):
    ...     for _ in range(n):
    ...         x = x * (1.5 - x)
    ...     return x
    >>> g = grad(f)
    >>> with loop_policy("revolve", snapshots=3):
    ...     again = g(0.3, 100)
    >>> again == g(0.3, 100)
    True
    """
    if isinstance(policy, LoopPolicy):
        if snapshots is not None or bytes is not None:
            raise ValueError("a policy that is made already takes no snapshots or bytes")
        return policy
    return LoopPolicy(policy, snapshots, bytes)


# The policy in force


class _Setting:
    """A policy that a context has set, and what was set around it."""

    def __init__(self, policy: LoopPolicy, around: _Setting | None) -> None:
        self.policy = policy
        self.around = around
        _alive.add(self)


_setting: ContextVar[_Setting | None] = ContextVar("adcore_loop_policy", default=None)
_alive: weakref.WeakSet[_Setting] = weakref.WeakSet()
_told: list[Callable[[], None]] = []


def current() -> LoopPolicy | None:
    """The policy that the context sets."""
    setting = _setting.get()
    return None if setting is None else setting.policy


@contextmanager
def under(policy: LoopPolicy | None) -> Iterator[None]:
    """A context for compiling in which this policy is in force, or none."""
    token = _setting.set(None if policy is None else _Setting(policy, None))
    try:
        yield
    finally:
        _setting.reset(token)


def in_force() -> bool:
    """Whether any context of any thread holds a policy: then no call may go past the look at `current`."""
    return bool(_alive)


def when_set(tell: Callable[[], None]) -> None:
    """Call `tell` whenever a context sets a policy."""
    _told.append(tell)


# Policies of a program's loops


def note_policy(program: Program, policy: LoopPolicy) -> Program:
    """Note the policy at every loop of a program that has none, in place."""
    for equation in program.equations:
        if equation.primitive.name in ("loop", "while") and "policy" not in equation.params:
            equation.params = {**equation.params, **policy.params}
        for _, region in regions(equation):
            note_policy(region, policy)
    return program


def forget_policies(program: Program) -> None:
    """Take the policies of a program's loops away, in place."""
    for equation in program.equations:
        equation.params = {k: v for k, v in equation.params.items() if k not in ("policy", "snapshots", "bytes")}
        for _, region in regions(equation):
            forget_policies(region)


def policy_of(params: dict[str, Any]) -> LoopPolicy:
    """The policy noted among a loop's parameters."""
    return LoopPolicy(params.get("policy", "all"), params.get("snapshots"), params.get("bytes"))
