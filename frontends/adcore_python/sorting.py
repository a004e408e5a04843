"""`sorted(x)` and `x.sort()`: at compile time where all is known, else by NumPy's sort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adcore.cache import has_own_code
from adcore.errors import UnsupportedFunctionError

from .containers import held, needs_constant, resizing
from .growing import item_of
from .library.sorted_items import by_keys, numbers_in_order
from .operators import describe
from .statements import items_of
from .strings import plain
from .values import FALSE, NONE, Array, Growing, List, Scalar, Static, Tuple, Value

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["sort", "sorted_items"]


def sorted_items(low: Lowering, iterable: Value, key: Value = NONE, reverse: Value = FALSE) -> Value:
    """`sorted(x, key=…, reverse=…)`, a new list."""
    if isinstance(iterable, Array):
        low.refuse(UnsupportedFunctionError, "sorted() of an array", "np.sort(x)")
    down = plain(reverse)
    if down is None:
        needs_constant(low, "reverse= of sorted() is known at run time only", "reverse=True or reverse=False")
    contents = held(low, iterable) if isinstance(iterable, List | Tuple) else None
    if isinstance(contents, Growing):
        return _at_run_time(low, iterable, [item_of(contents)], key, reverse)
    items = items_of(low, iterable)
    keys = [plain(low.call(key, [v], {}) if key is not NONE else v) for v in items]
    if any(k is None for k in keys):
        return _at_run_time(low, low.memory.new_list(items), items, key, reverse)
    with low.foreign("this comparison", has_own_code(*keys)):
        order = sorted(range(len(items)), key=lambda k: keys[k], reverse=bool(down[0]))  # type: ignore[arg-type, return-value]
    return low.memory.new_list(items[k] for k in order)


def _at_run_time(low: Lowering, values: Value, items: list[Value], key: Value, reverse: Value) -> Value:
    if key is not NONE:
        return low.call(Static(by_keys), [values, key, reverse], {})
    kinds: set[Any] = {(v.dtype, v.python) if isinstance(v, Scalar) else None for v in items}
    if len(kinds) != 1 or None in kinds:
        cause = f"sorted() of {describe(values)} whose items are not numbers of one kind, and known at run time only"
        low.refuse(UnsupportedFunctionError, cause, "sorted(x, key=…), with a key that is a number")
    return low.call(Static(numbers_in_order), [values, reverse], {})


def sort(low: Lowering, owner: Value, *, key: Value = NONE, reverse: Value = FALSE) -> Value:
    """`x.sort(key=…, reverse=…)` of a list."""
    if not isinstance(owner, List):
        low.refuse(UnsupportedFunctionError, f"{describe(owner)} has no method 'sort'", "a list")
    resizing(low, owner)
    found = sorted_items(low, owner, key, reverse)
    assert isinstance(found, List)
    low.change(owner.identity, low.memory.contents(found.identity))
    return NONE
