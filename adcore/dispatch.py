"""Transformed functions as Python callables: the first call compiles, later ones enter machine code directly.

Every transformed function has a class of its own, whose `__call__` is the builtin function that the backend made for
the arguments seen last.  Other arguments fall back to `dispatch`, which finds or compiles their specialisation.
"""

from __future__ import annotations

import enum
import functools
import inspect
import threading
import types
import weakref
from collections.abc import Callable, Hashable, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np

from . import debugging, policies, threads
from .arguments import (
    abstract,
    abstracted,
    normalized,
    serves_any_lengths,
    shortened,
    specialisation_key,
    when_set,
)
from .cache import Kept
from .demands import with_demands
from .errors import AdcoreError, AliasError, UnsupportedFunctionError
from .nonfinite import is_finite
from .outcomes import apply_changes, rebuilt
from .pickling import BySource
from .plugins import Capture, Change, Held, Leaf, Lowered, Part, Spec, Static, backend
from .program import Program
from .signatures import definition
from .splitting import SplitLowered
from .statics import NOTHING, constant
from .transforms import Transform
from .trees import PyTreeSpec, below, children_of, flatten, is_plain, structure

__all__ = ["Transformed", "begun", "derived", "finished", "specialise", "transformed"]


def _refuse(*_: Any, **__: Any) -> Any:
    raise TypeError("the arguments changed while they were being converted")


class _OtherCallError(Exception):
    """The arguments are not those that a program was compiled for."""


def _other_call(*_: Any, **__: Any) -> Any:
    raise _OtherCallError


@dataclass
class Specialisation:
    """One lowered and compiled instance of a function, for one loop policy, and for one thread or several."""

    lowered: Lowered
    leaves: list[Spec | Static]  # of the arguments
    tree: PyTreeSpec  # that they are taken from
    name: str
    function: Callable[..., Any]
    sharing: threads.Sharing
    kept: Kept | None = None  # on disk
    entry: Any = None  # None where parts of captured objects have to be computed first
    direct: Callable[..., Any] = field(init=False)  # captures are read by the code itself
    linear: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        self.changing = any(c.contents is not None for c in self.lowered.changes)
        self.native = is_plain(structure(self.lowered.result)) and not self.changing
        self.whole = is_plain(self.tree) and all(map(is_recognized, self.leaves))  # or the code is given the leaves
        parts = any(isinstance(c, Part) for c in self.lowered.captures)
        untouched = not self.lowered.writes and not self.lowered.changes
        self.drawing = self.native and (any(w.state for w in self.lowered.writes) or (parts and untouched))
        if parts:
            return
        if self.entry is None:
            self.entry = self.compiled()
        self.direct = self.entry.function(_refuse)

    def compiled(self) -> Any:
        """The program compiled for the arguments of the function, or for their leaves."""
        lowered = self.lowered
        result = lowered.result if self.native else self.flat_result()
        arguments = self.tree.unflatten(self.leaves) if self.whole else self.specs
        inputs = (*arguments, *lowered.captures)
        rest = (lowered.guards, lowered.writes, self.sharing)
        return backend().entry(lowered.program, inputs, result, self.name, *rest)

    @property
    def specs(self) -> list[Spec]:
        return specs_of(self.leaves)

    def arranged(self, given: list[Any]) -> Iterable[Any]:
        """The arguments of the code, for the numbers and arrays in the arguments of the function."""
        if not self.whole:
            return given
        values = iter(given)
        return self.tree.unflatten([next(values) if isinstance(leaf, Spec) else leaf.value for leaf in self.leaves])

    def is_direct(self) -> bool:
        """Whether the code takes the arguments of the function, and does all that a call does."""
        return self.whole and self.native and self.entry is not None and not self.lowered.changes

    def flat_result(self) -> tuple[Leaf, ...]:
        written = [w.result for w in self.lowered.writes if w.result is not None]  # which come last
        return tuple(Leaf(k) for k in range(min(written, default=len(self.lowered.program.results))))

    def is_current(self) -> bool:
        """Whether what the specialisation assumed of closures and globals still holds."""
        return all(g.holds() for g in self.lowered.guards) and all(fits(c) for c in self.lowered.captures)

    @functools.cached_property
    def explicit(self) -> Callable[..., Any]:
        """The same program with the captured values passed as arguments, for captures that need conversion."""
        return self.explicit_entry.function(_refuse)

    @functools.cached_property
    def explicit_entry(self) -> Any:
        def compiled() -> Any:
            inputs = (*self.specs, *(c.spec for c in self.lowered.captures))
            result = self.lowered.result if self.native else self.flat_result()
            rest = ((), self.lowered.writes, self.sharing)
            return backend().entry(self.lowered.program, inputs, result, self.name, *rest)

        return compiled() if self.kept is None else self.kept.part("explicit", self.name, compiled)

    def late(self, linear: Program) -> Callable[..., Any]:
        """The compiled linear map of a split function."""
        if self.linear is not None:
            return self.linear

        def compiled() -> Any:
            return backend().flat(linear, self.sharing)

        entry = self.kept.part("linear map", self.name, compiled) if self.kept else compiled()
        self.linear = function = entry.function(_refuse)
        return function

    def __call__(self, values: list[Any], arguments: tuple[Any, ...]) -> Any:
        """The result for the Spec leaves of the arguments; what the function changes in them is in them afterwards."""
        captured = [c.read() for c in self.lowered.captures]
        with held([*values, *captured]):
            return self.run(values, captured, arguments)

    def run(self, values: list[Any], captured: list[Any], arguments: tuple[Any, ...]) -> Any:
        """The result for the Spec leaves of the arguments and for captured values."""
        given = [normalized(v) for v in values]
        converted = [normalized(v) for v in captured]
        self.check_writes([*values, *captured])
        if self.entry is not None and all(a is b for a, b in zip(captured, converted, strict=True)):
            result = self.direct(*self.arranged(given))
        else:
            result = self.explicit(*given, *converted)
        for write in self.lowered.writes:
            if write.result is not None and not write.state and given[write.param] is not values[write.param]:
                values[write.param][...] = given[write.param]
        if self.changing:
            apply_changes(self.lowered, arguments, result)
        return result if self.native else rebuilt(self.lowered.result, result)

    def copied(self, arguments: tuple[Any, ...]) -> list[Any]:
        """What the program is given for arguments, in copies."""
        leaves = zip(flatten(arguments)[0], self.leaves, strict=True)
        values = [*(v for v, leaf in leaves if isinstance(leaf, Spec)), *(c.read() for c in self.lowered.captures)]
        return [np.array(v) if isinstance(v, np.ndarray) else v for v in values]

    def check_writes(self, values: list[Any]) -> None:
        """Refuse arguments that are written into and cannot be, or that share memory with another array."""
        for write in self.lowered.writes:
            written = values[write.param]
            if write.result is not None and not written.flags.writeable:
                raise ValueError("assignment destination is read-only")
            for k, other in enumerate(values):
                if write.meets(k) and isinstance(other, np.ndarray) and share_memory(written, other):
                    names = [p.name for p in self.lowered.program.params]
                    if write.state:
                        raise AliasError(
                            f"{self.name} draws from {names[write.param]!r} and {names[k]!r}, which are one generator",
                            definition(self.function),
                            "one name for it, an argument or a variable from outside",
                        )
                    raise AliasError(
                        f"{self.name} writes into {names[write.param]!r}, which shares memory with {names[k]!r}",
                        definition(self.function),
                        f"a copy in the call: {names[k]}.copy()",
                    )


def specs_of(leaves: list[Any]) -> list[Spec]:
    return [leaf for leaf in leaves if isinstance(leaf, Spec)]


def has_lengths(short: Spec, spec: Spec) -> bool:
    """Whether an array with these short axes has the lengths that a program is specialised on."""
    return all(n is None or n == m for m, n in zip(short.shape, spec.shape, strict=True))


def with_common_lengths(one: Spec | Static, other: Spec | Static) -> Spec | Static:
    """A leaf with the lengths that two have in common."""
    if not isinstance(one, Spec) or not isinstance(other, Spec):
        return one
    return replace(one, shape=tuple(n if n == m else None for n, m in zip(one.shape, other.shape, strict=True)))


def fits(capture: Capture) -> bool:
    try:
        value = capture.read()
    except (KeyError, ValueError):
        return False
    return abstract(value, capture.name) == capture.spec


def held(values: list[Any]) -> AbstractContextManager[Any]:
    """A context in which no other thread touches the states among some values."""
    owners = {id(v.owner): v.owner for v in values if type(v) is Held}
    if len(owners) == 1:
        return next(iter(owners.values())).lock
    stack = ExitStack()
    for _, owner in sorted(owners.items()):  # in one order everywhere, so that nobody waits in a circle
        stack.enter_context(owner.lock)
    return stack


WORK: Any = 1000  # steps that finding a common element of two arrays may take


def share_memory(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays have an element in common; where that is too hard to say, whether their ranges overlap."""
    try:
        return np.shares_memory(one, other, max_work=WORK)
    except np.exceptions.TooHardError:
        return True


def is_given(value: Any, argument: Any) -> bool:
    """Whether an argument is this value, or this value as a constant."""
    return value is (argument.value if type(argument) is Static else argument)


def is_recognized(leaf: Spec | Static) -> bool:
    """Whether compiled code can tell by its identity that a constant is the one that it was compiled for.

    Not where it may be equal to another one now than it was then.
    """
    if isinstance(leaf, Spec):
        return True
    return is_unchanging(leaf.value)


def is_unchanging(value: Any) -> bool:
    if type(value) in (tuple, frozenset):
        return all(map(is_unchanging, value))
    unchanging = type(value) in _UNCHANGING or isinstance(value, np.generic | enum.Enum)
    return unchanging or type(value).__hash__ in (None, object.__hash__)


_UNCHANGING = {str, bytes, int, float, complex, bool, types.NoneType, types.BuiltinFunctionType}


class Transformed(BySource):
    """A function derived from another one, compiled when called.

    `functools.wraps` is applied: name, docstring and signature are those of the original.
    """

    transform: Transform
    dispatcher: Dispatcher
    __signature__: inspect.Signature

    def __adcore_lower__(self, arguments: tuple[Any, ...]) -> Lowered:
        self.transform.constants().marked(self.transform.signature(), arguments, self._require_constant)
        return with_demands(lambda: self.transform.lower(arguments))

    def _require_constant(self, value: Any, argument: int | str) -> Any:
        """Refuse a static argument that is known at run time only."""
        if any(isinstance(leaf, Spec) for leaf in flatten(value)[0]):
            name = self.dispatcher.name
            raise UnsupportedFunctionError(
                f"the static argument {argument!r} of {name} is not a constant in the function that calls {name}",
                write="static_argnums of that function too, or a number in its text",
            )
        return value

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(cast("Callable[..., Any]", self), instance)

    def __repr__(self) -> str:
        kind = type(self.transform).__name__
        return f"<{kind} of {getattr(self.transform.function, '__qualname__', self.transform.function)}>"


class Dispatcher:
    """Finds the specialisation for given arguments, or makes it."""

    device: str | None = None  # where it runs, if that is not the host

    def __init__(self, target: Transformed, name: str, debug: bool = False, parallel: bool = False) -> None:
        self.target = target
        self.name = name
        self.known: dict[Any, list[Specialisation]] = {}
        self.latest: Specialisation | None = None
        self.waits = False  # for the end of a loop policy or of debugging, to enter machine code directly
        self.debug = debug  # whether what calls give is checked
        self.parallel = parallel  # whether all processors run it where one thread is set
        self.any_lengths = False  # whether what is compiled serves arrays of all lengths from the first call on
        self.signature: inspect.Signature | None = None
        self.constants = NOTHING

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        arguments = self.bind(args, kwargs)
        values, tree = flatten(arguments)
        specs = abstracted(values, lambda k: self.place(arguments, k))
        found = self.find(specs, tree, self.shortened(values, specs))
        if found.lowered.changes:
            self.check_distinct(arguments, found.lowered.changes[0])
        plain = not kwargs and len(args) == len(arguments) and all(map(is_given, args, arguments))
        if found is not self.latest or self.waits:
            self.latest, self.waits = found, False
            if plain and found.is_direct():
                self.enter_directly(self.entered(specs, tree))
            elif found.drawing and not self.debug and not kwargs and len(args) == len(arguments):
                takes = [state_of(a) for a in args]
                if all(takes):
                    self.enter_directly(_Drawing(self, found, takes))
        numbers = [v for v, s in zip(values, specs, strict=True) if isinstance(s, Spec)]
        if self.is_checked():
            return self.checked(found, numbers, arguments)
        return found(numbers, arguments)

    # Debugging

    def is_checked(self) -> bool:
        """Whether what a call gives is checked for numbers that are not finite."""
        return self.debug or debugging.checks()

    def checked(self, found: Specialisation, numbers: list[Any], arguments: tuple[Any, ...]) -> Any:
        """A call whose result is checked.

        Raises:
            NonFiniteError: it is infinite or NaN, and what is in the arguments has not made it so.
        """
        lowered = found.lowered
        captured = [c.read() for c in lowered.captures]
        written = [w for w in lowered.writes if w.result is not None]
        before = [*numbers, *captured]
        for w in written:
            before[w.param] = np.array(before[w.param])
        result = found(numbers, arguments)
        value = result[0] if isinstance(lowered, SplitLowered) else result
        seen = [*numbers, *captured]
        if is_finite(value) and all(is_finite(seen[w.param]) for w in written if not w.state):
            return result
        structure = lowered.value if isinstance(lowered, SplitLowered) else lowered.result
        further = [w.result for w in written if w.result is not None and not w.state]
        debugging.examine(self.title, debugging.traced(lowered.program, before), structure, further)
        return result

    @property
    def title(self) -> str:
        """What errors call a call."""
        title = getattr(self.target.transform, "title", "")
        return f"{title} of {self.name}" if title else self.name

    def check_distinct(self, arguments: tuple[Any, ...], change: Change) -> None:
        """Refuse arguments that hold one list, dict or object twice, where the function changes one."""
        met: set[int] = set()
        stack: list[Any] = list(arguments)
        while stack:
            value = stack.pop()
            children = below(value)
            if children and not isinstance(value, tuple):
                if id(value) in met:
                    raise AliasError(
                        f"{self.name} changes {change.name!r}, and its arguments hold one {type(value).__name__} twice",
                        definition(self.target.transform.function),
                        "copies in the call, e.g. copy.copy(x)",
                    )
                met.add(id(value))
            stack.extend(children)

    def place(self, arguments: tuple[Any, ...], leaf: int) -> str:
        """What errors call a leaf of the arguments."""
        counts = [len(flatten(a)[0]) for a in arguments]
        position = next(k for k in range(len(counts)) if sum(counts[: k + 1]) > leaf)
        return f"argument {position} of {self.name}"

    def enter_directly(self, function: Callable[..., Any]) -> None:
        """Have calls enter machine code from now on, unless they have to look at the loop policy first."""
        if policies.in_force() or debugging.in_force():
            self.waits = True
            return
        if self.debug:
            written = self.latest is not None and any(w.result is not None for w in self.latest.lowered.writes)
            split = self.latest is not None and isinstance(self.latest.lowered, SplitLowered)
            if written or split:
                return
            function = _Watched(self, function)
        with _lock:
            _direct.add(self)
        type(self.target).__call__ = function  # type: ignore[method-assign]
        if policies.in_force():  # set since, by another thread that may not have seen this one
            self.look_first()

    def look_first(self) -> None:
        """Have the next call come here."""
        self.waits = True
        type(self.target).__call__ = _Caller(self)  # type: ignore[method-assign]

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """One value for each parameter of the signature, defaults filled in and constants marked as such."""
        transform = self.target.transform
        if self.signature is None:
            self.signature, self.constants = transform.signature(), transform.constants()
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.name}(): {error}") from None
        transform.check_call(len(args), kwargs)
        bound.apply_defaults()
        arguments = tuple(bound.arguments.values())
        return self.constants.marked(self.signature, arguments, functools.partial(constant, transform.function))

    def specialisation(self, arguments: tuple[Any, ...]) -> Specialisation:
        """The specialisation for arguments like these."""
        values, tree = flatten(arguments)
        specs = abstracted(values, lambda k: self.place(arguments, k))
        return self.find(specs, tree, self.shortened(values, specs))

    def shortened(self, values: list[Any], specs: list[Any]) -> list[Any]:
        """The leaves with the lengths that a first program is specialised on."""
        return specs if self.any_lengths else shortened(values, specs)

    def find(self, specs: list[Any], tree: Any, short: list[Any]) -> Specialisation:
        """The specialisation for arguments whose leaves are like these, in a tree like this; known or made now.

        The first one is for leaves with the lengths of `short` axes, the second one for any lengths of the axes that
        other arguments have otherwise, and the third one for all lengths: more are not compiled.
        """
        try:
            return self._found(specs, tree, short)
        except AdcoreError as error:
            raise error.with_traceback(None) from None  # the user's line is in the message, ours help nobody

    def _found(self, leaves: list[Any], tree: Any, short: list[Any]) -> Specialisation:
        current = self.current(leaves, tree)
        for found in current:
            if all(map(has_lengths, specs_of(short), found.specs)):
                return found
        known = self.known[self.key(leaves, tree)]
        if current:
            wanted = list(map(with_common_lengths, short, current[0].leaves)) if len(current) == 1 else leaves
            known.append(self._made_for(leaves, tree, wanted))
            return known[-1]
        known.insert(0, self._made_for(leaves, tree, short))
        return known[0]

    def _made_for(self, leaves: list[Any], tree: Any, short: list[Any]) -> Specialisation:
        """A specialisation for short axes, or for any lengths where what is done along such an axis is refused."""
        try:
            return self._made(short, tree)
        except AdcoreError:
            if specs_of(short) == specs_of(leaves):
                raise
        return self._made(leaves, tree)

    def key(self, leaves: list[Any], tree: Any) -> Hashable:
        return *self.setting(), tree, specialisation_key(leaves)

    def setting(self) -> tuple[policies.LoopPolicy | None, threads.Sharing, bool]:
        """What a specialisation is made for, beside the arguments.

        The loop policy, which loops threads are to run, and whether it has to serve arrays of any lengths.
        """
        return policies.current(), threads.sharing(self.parallel), serves_any_lengths()

    def current(self, leaves: list[Any], tree: Any) -> list[Specialisation]:
        """What has been compiled for leaves like these, of whatever lengths, and can be used: for short axes first."""
        return [found for found in self.known.setdefault(self.key(leaves, tree), []) if found.is_current()]

    def entered(self, leaves: list[Any], tree: Any) -> Callable[..., Any]:
        """Machine code that takes arguments like these: each asks the next one where the lengths are others."""
        function: Any = self
        for found in reversed(self.current(leaves, tree)):
            if found.is_direct():
                function = found.entry.function(function)
        return function

    def _made(self, leaves: list[Any], tree: Any) -> Specialisation:
        """The specialisation for such arguments, from the disk or compiled."""
        transform, (policy, sharing, _) = self.target.transform, self.setting()
        arguments = cast("tuple[Any, ...]", tree.unflatten(leaves))

        def lower() -> Lowered:
            with policies.under(policy):  # also where the program is asked for later
                return with_demands(lambda: transform.lower(arguments))

        rest = (leaves, tree, self.name, transform.function, sharing)
        kept = Kept.of(f"{type(transform).__name__} of {self.name}", lower, transform, policy, sharing, arguments)
        if kept is not None and kept.load(self.name):
            assert kept.lowered is not None
            found = Specialisation(kept.lowered, *rest, kept, kept.entry)
            if found.is_current():
                return found
            kept = None  # what a part of an object is specialised on is told by more than the cache knows
        if kept is None:
            return Specialisation(lower(), *rest)
        with kept.noting():
            lowered = lower()
        made = Specialisation(lowered, *rest, kept)
        kept.store(lowered, made.entry)
        return made


_lock = threading.Lock()
_direct: weakref.WeakSet[Dispatcher] = weakref.WeakSet()  # those whose calls enter machine code


def _look_first() -> None:
    """A context has set a loop policy, somebody the number of threads, or a test what is compiled.

    Machine code would not know.
    """
    with _lock:
        dispatchers = list(_direct)
        _direct.clear()
    for dispatcher in dispatchers:
        dispatcher.look_first()


policies.when_set(_look_first)
debugging.when_set(_look_first)
threads.when_set(_look_first)
when_set(_look_first)


def transformed(
    transform: Transform,
    wraps: bool = True,
    kind: type[Transformed] = Transformed,
    debug: str | None = None,
    parallel: bool = False,
    device: str | None = None,
) -> Any:
    """A callable for a transform of a function.

    It is checked if `debug` says so, and run by several threads if it is `parallel`, or what it is a transform of is.
    With a `device` it runs there.
    """
    inner = getattr(transform.function, "dispatcher", None)
    checked, shared = debugging.option(debug), bool(parallel)
    if isinstance(inner, Dispatcher):
        checked, shared = checked or inner.debug, shared or inner.parallel
    return finished(begun(kind), transform, wraps, checked, shared, device)


def begun(kind: type[Transformed]) -> Any:
    """A transformed function of a class of its own, which nothing is known of yet."""
    return type(kind.__name__, (kind,), {"__module__": kind.__module__})()


def finished(
    made: Any, transform: Transform, wraps: bool, debug: bool, parallel: bool, device: str | None = None
) -> Any:
    """The same as the callable for a transform."""
    function = transform.function
    if wraps:
        functools.update_wrapper(made, function)
    else:
        made.__signature__ = transform.signature()  # its arguments may be others, as those of `jvp` are
    made.transform = transform  # after the wrapping, which copies the attributes of a wrapped transform
    name = getattr(function, "__name__", type(function).__name__)
    made.dispatcher = dispatcher = Dispatcher(made, name, debug, parallel)
    if device is not None:
        from .devices import DeviceDispatcher  # which is written with what is defined here

        made.dispatcher = dispatcher = DeviceDispatcher(made, name, debug, parallel, device)
    type(made).__call__ = _Caller(dispatcher)
    return made


def derived(
    f: Callable[..., Any], make: Callable[[Any], Transform], debug: str | None = None, parallel: bool = False
) -> Any:
    """The transformed function kept with `f`, so that repeated calls compile once."""
    key = (make, debug, bool(parallel))
    kept = getattr(f, "__dict__", None)
    if kept is None:
        return transformed(make(f), wraps=False, debug=debug, parallel=parallel)
    cache = kept.setdefault("__adcore_derived__", {})
    found = cache.get(key)
    if found is None or found.transform.function is not f:  # functools.wraps copies the attribute to wrappers
        found = transformed(make(f), wraps=False, debug=debug, parallel=parallel)
        kept["__adcore_derived__"] = {**cache, key: found}
    return found


def state_of(argument: Any) -> Callable[[Any], Any] | None:
    """What takes the number, array or state out of an argument, and raises ValueError for one of another kind.

    None where there is more in the argument.
    """
    values, _ = flatten(argument)
    if len(values) == 1 and values[0] is argument:
        return (lambda x: x) if isinstance(abstract(argument), Spec) else None
    if not values or type(values[0]) is not Held or any(isinstance(abstract(v), Spec) for v in values[1:]):
        return None
    kind, rest = type(argument), tuple(values[1:])
    children = children_of(kind)

    def take(x: Any) -> Any:
        if type(x) is not kind:
            raise ValueError(f"a {kind.__name__} is expected")
        state, *others = children(x)
        if tuple(others) != rest:
            raise ValueError(f"a {kind.__name__} of another kind is expected")
        return state

    return take


class _Drawing:
    """What `__call__` is where machine code takes states or parts of objects, out of arguments and captured values."""

    def __init__(self, dispatcher: Dispatcher, found: Specialisation, takes: list[Any]) -> None:
        self.dispatcher = dispatcher
        self.takes = takes
        self.function = (found.entry or found.explicit_entry).function(_other_call)
        self.guards = found.lowered.guards
        self.captures = () if found.entry is not None else found.lowered.captures

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) != len(self.takes) or not all(g.holds() for g in self.guards):
            return self.dispatcher(*args, **kwargs)
        try:
            values = [take(a) for take, a in zip(self.takes, args, strict=True)]
            values += [c.read() for c in self.captures]
        except (KeyError, ValueError):
            return self.dispatcher(*args, **kwargs)
        try:
            with held(values):
                return self.function(*[v.view(np.ndarray) if type(v) is Held else v for v in values])
        except _OtherCallError:
            return self.dispatcher(*args, **kwargs)


class _Watched:
    """What `__call__` is where machine code is entered directly, and what it gives is checked."""

    def __init__(self, dispatcher: Dispatcher, function: Callable[..., Any]) -> None:
        self.dispatcher = dispatcher
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = self.function(*args, **kwargs)
        return result if is_finite(result) else self.dispatcher(*args, **kwargs)


class _Caller:
    """What `__call__` is before the first compilation."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.dispatcher(*args, **kwargs)


def specialise(function: Any, arguments: tuple[Any, ...]) -> Specialisation | None:
    """The specialisation of a transformed function for these arguments; without arguments the latest one."""
    if not arguments:
        return function.dispatcher.latest
    return function.dispatcher.specialisation(function.dispatcher.bind(arguments, {}))
