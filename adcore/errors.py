"""The errors a user can meet.  Each class's docstring is its documentation page."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

__all__ = [
    "AdcoreError",
    "AliasError",
    "CompileError",
    "ConvergenceWarning",
    "DeviceError",
    "DtypeError",
    "MissingRuleError",
    "NonDifferentiableError",
    "NonDifferentiableWarning",
    "NonFiniteError",
    "PickleError",
    "RuleError",
    "SignatureError",
    "Source",
    "UnsupportedFunctionError",
    "UnsupportedSyntaxError",
    "VerifyError",
    "refuse",
]


@dataclass(frozen=True, slots=True)
class Source:
    """A place in the user's program: file, function, 1-based line, 0-based columns, and the line's text.

    `sweep` says what of a derivative stands for that place: "adjoint", "tangent", "tangent of the adjoint"; it is empty
    for what the place itself says.
    """

    file: str
    line: int
    function: str = ""
    column: int = 0
    end_column: int = 0
    text: str = ""
    sweep: str = field(default="", compare=False)

    def of(self, sweep: str) -> Source:
        """The place, for its adjoint or tangent."""
        word = f"{sweep} of the {self.sweep}" if self.sweep else sweep
        return Source(self.file, self.line, self.function, self.column, self.end_column, self.text, word)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    def caret(self) -> str:
        """The place as Python's tracebacks show it: file and line, the text, a caret below the expression."""
        head = f'  File "{self.file}", line {self.line}'
        if self.function:
            head += f", in {self.function}"
        stripped = self.text.lstrip()
        if not stripped:
            return head
        shift = len(self.text) - len(stripped)
        start = max(self.column - shift, 0)
        width = max(min(self.end_column, len(self.text)) - self.column, 1)
        return f"{head}\n    {stripped.rstrip()}\n    {' ' * start}{'^' * width}"


class AdcoreError(Exception):
    """The root of every error that adcore raises on its own account."""

    def __init__(self, cause: str, source: Source | None = None, write: str = "") -> None:
        self.cause = cause
        self.source = source
        self.write = write
        parts = [cause]
        if source is not None:
            parts.append(source.caret())
        if write:
            parts.append(f"  Write instead: {write}")
        super().__init__("\n".join(parts))


class UnsupportedSyntaxError(AdcoreError):
    """The function uses a Python construct that is outside the language adcore compiles.

    The message names the construct, shows the line with a caret, and says what to write instead.
    """


class UnsupportedFunctionError(AdcoreError):
    """The function calls something that adcore has no primitive for, or whose source it cannot read.

    Functions need source text: a file, a notebook cell, or a source registered with `linecache`.
    """


class AliasError(AdcoreError):
    """A write goes through a name that may or may not share memory with another name.

    adcore tracks views exactly.  Where branches or loop iterations leave two names sharing memory on some paths
    only, a later write through one of them is refused; take a copy (`y = x.copy()`) to say what is meant.
    """


class MissingRuleError(AdcoreError):
    """A derivative was asked of a primitive that has no linear map for that argument yet."""


class RuleError(AdcoreError):
    """A derivative that was stated with `custom_jvp`, `custom_vjp` or `custom_rule` is missing, or does not fit.

    A rule gives the value and a tangent (or cotangents) with the structure, dtype and shape of what they belong to, and
    the tangent is linear in the tangents given.  The message names the rule, its line, what it gives and what is
    needed.
    """


class SignatureError(AdcoreError, TypeError):
    """A C signature cannot be read, or a function's arguments and results do not fit it.

    `adcore.cfunc(f, "double(double)")` needs a function of one number that returns one; docs/native.md says how
    arrays and several results are declared.
    """


class DtypeError(AdcoreError, TypeError):
    """A value has a type that the operation or the transform does not take.

    `grad` of an integer argument is the usual case: a derivative is with respect to a real number, so pass `2.0`.
    """


class CompileError(AdcoreError):
    """The compiler itself failed on a valid program.  This is a bug in adcore: please report it."""


class PickleError(AdcoreError, pickle.PickleError):
    """A compiled function cannot be pickled, or was pickled by another version of adcore.

    The message names what cannot be pickled, and how the function has it: by a variable that it closes over, a global
    that it reads, a default.  Pass it as an argument, or make it inside of the function.
    """


class DeviceError(AdcoreError):
    """`device="cuda"` was asked for, and something is missing on this machine: a package, the driver, or a device.

    The message says what, and how to get it.  Also raised where an argument is on another device than the current one.
    """


class VerifyError(AdcoreError):
    """A Program is not well formed: a value used before it is defined, or an equation that breaks its type rule."""


class NonDifferentiableError(AdcoreError, ArithmeticError):
    """A gradient was asked for with `on_kink="raise"` at a point where the function has none, or another one.

    The message is the verdict (`adcore.verdict`): the kinks that the point touches, with file and line.
    """


class NonDifferentiableWarning(UserWarning):
    """A gradient was asked for with `on_kink="warn"` at a point where the function has none, or another one."""


class NonFiniteError(AdcoreError, FloatingPointError):
    """A result is infinite or not a number, and was made so from finite numbers: with `debug="nan"`.

    The message names the equation that made the first such number, in the function itself or in the adjoint or tangent
    of one of its lines, with the operands, the element and the iterations of the loops around it; and where an infinity
    became a NaN later, the equation that did that.

    Attributes:
        origins: these equations (`adcore.nonfinite.Origin`): the one that made the number, and what became of it.
    """

    def __init__(self, cause: str, origins: Sequence[Any] = ()) -> None:
        super().__init__(cause, origins[0].source if origins else None)
        self.origins = tuple(origins)
        lines = [cause]
        for origin in self.origins:
            lines.append(f"{origin.text}, {origin.where}" if origin.source is not None else origin.text)
            if origin.source is not None:
                lines.append(origin.source.caret())
        self.args = ("\n".join(lines),)


class ConvergenceWarning(UserWarning):
    """A solution does not fulfil its condition so well, or not in such a place, that its derivative can be relied on.

    The report that warns says what it has found (`adcore.implicit.report`).
    """


def refuse(kind: type[AdcoreError], cause: str, source: Source | None = None, write: str = "") -> NoReturn:
    raise kind(cause, source, write)
