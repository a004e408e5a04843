"""Objects that are pickled by the source of the functions in them."""

from __future__ import annotations

from typing import Any

__all__ = ["BySource"]


class BySource:
    """What holds functions of the user's, and is pickled with the source of those that cannot be imported.

    Copies are the thing itself, as those of functions are.
    """

    is_kept = True  # whether the process that loads it keeps it for the next time

    def __reduce_ex__(self, protocol: Any) -> Any:
        from .dumping import reduced  # needed by nobody who only computes

        return reduced(self, protocol)

    def made_from(self) -> tuple[Any, ...]:
        """The arguments by which its class makes it again."""
        raise NotImplementedError

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self
