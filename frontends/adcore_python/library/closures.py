"""Functions defined in compiled code apart from the values that they close over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adcore.closures import Apart, real_captures, said_of, together
from adcore.dispatch import transformed
from adcore.transforms import lower

from ..values import Derived, Static, Tuple, Value
from .registry import lowers

if TYPE_CHECKING:
    from ..lowering import Lowering

__all__: list[str] = []


@lowers("adcore.closures.closed_over")
def closed_over(low: Lowering, f: Value, *arguments: Value) -> Value:
    from ..derived import Held, applied
    from ..lowered_calls import structure_of
    from ..outside import captured_value

    if isinstance(f, Static):
        return low.call(Static(together), [f], {})
    lowered = lower(applied(low, f), tuple(structure_of(low, v, []) for v in arguments))
    places = real_captures(lowered, lambda capture: isinstance(capture.owner, Held))
    if not places:
        return low.call(Static(together), [f], {})
    captures = said_of(lowered)

    def apart(function: Any) -> Any:
        return transformed(Apart(function, places=places, captures=captures), wraps=False)

    values = tuple(captured_value(low, lowered.captures[k]) for k in places)
    return Tuple((Derived(apart, f), Tuple(values)))
