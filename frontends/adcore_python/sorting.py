"""`sorted(x)` and `x.sort()`: at compile time where all is known, else by NumPy's sort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adcore.cache import has_own_code
from adcore.errors import UnsupportedFunctionError

from .containers import held, needs_constant, resizing
from .growing import item_of
from .library.sorted_items import by_keys, keys_of, numbers_in_order
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
        if key is not NONE:
            return low.call(Static(by_keys), [iterable, low.call(Static(keys_of), [iterable, key], {}), reverse], {})
        return _numbers(low, iterable, [item_of(contents)], reverse)
    items = items_of(low, iterable)
    values = [low.call(key, [v], {}) if key is not NONE else v for v in items]
    keys = [plain(v) for v in values]
    if any(k is None for k in keys):
        _require_numbers(low, iterable, values)
        if key is not NONE:
            return low.call(Static(by_keys), [low.memory.new_list(items), low.memory.new_list(values), reverse], {})
        return _numbers(low, low.memory.new_list(items), items, reverse)
    with low.foreign("this comparison", has_own_code(*keys)):
        order = sorted(range(len(items)), key=lambda k: keys[k], reverse=bool(down[0]))  # type: ignore[arg-type, return-value]
    return low.memory.new_list(items[k] for k in order)


def _require_numbers(low: Lowering, iterable: Value, keys: list[Value]) -> None:
    """Refuse keys that are not real numbers: integers are counters of loops, which may be constants when unrolled."""
    if not all(isinstance(k, Scalar) and k.dtype.kind == "f" for k in keys):
        cause = f"sorted() of {describe(iterable)} by what is known at run time only, and is not a real number"
        needs_constant(low, cause, "sorted(x, key=…), with a key that is a float, or np.sort(np.array(x))")


def _numbers(low: Lowering, values: Value, items: list[Value], reverse: Value) -> Value:
    kinds: set[Any] = {(v.dtype, v.python) if isinstance(v, Scalar) else None for v in items}
    if len(kinds) != 1 or None in kinds:
        cause = f"sorted() of {describe(values)} whose items are not numbers of one kind, and known at run time only"
        needs_constant(low, cause, "sorted(x, key=…), with a key that is a number")
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
