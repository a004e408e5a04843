"""Refusals that other parts of the frontend know how to deal with."""

from __future__ import annotations

from adcore.errors import UnsupportedSyntaxError

__all__ = ["NotConstantError", "TestChangesError"]


class NotConstantError(UnsupportedSyntaxError):
    """A place in a list or dict that has to be constant and is not: possible in a loop that is unrolled."""


class TestChangesError(UnsupportedSyntaxError):
    """The condition of a loop changes something: possible as the first statement of its body."""
