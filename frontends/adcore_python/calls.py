"""Calls: known functions by table, Python functions by lowering their bodies in place."""

from __future__ import annotations

import functools
import inspect
import types
from typing import TYPE_CHECKING, Any

from adcore.errors import Source, UnsupportedFunctionError, UnsupportedSyntaxError

from .classes import is_named_tuple, is_stated, is_user_class, special
from .derived import call_derived
from .frame import Frame
from .interpolator_values import constant_interpolator
from .joins import Diverges, Status
from .known import known_function
from .library import Written
from .library.refused import refusal
from .liveness import assigned
from .lowered_calls import call_lowered
from .methods import LIST_METHODS, METHODS
from .numba_types import is_compiled, signed
from .operators import describe
from .outputs import call_into
from .outside import constant, is_ours
from .records import make, named_tuple
from .source import Code, code_of
from .statements import bind
from .structured_arrays import call_on
from .values import (
    Array,
    Cell,
    Derived,
    Fields,
    List,
    LocalFunction,
    Method,
    Partial,
    Poison,
    Scalar,
    Static,
    Tuple,
    Value,
)

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = ["call", "enter", "parameters_of"]

DEPTH = 50
_signature = functools.cache(inspect.signature)


def call(low: Lowering, function: Value, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    """The value of `function(*arguments, **keywords)`."""
    if isinstance(function, LocalFunction):
        return _call_local(low, function, arguments, keywords)
    if isinstance(function, Derived) or is_stated(function):
        return call_derived(low, function, arguments, keywords)
    if isinstance(function, Method):
        return _call_method(low, function, arguments, keywords)
    if isinstance(function, Partial):
        return call(low, function.function, [*function.arguments, *arguments], {**function.keywords, **keywords})
    if isinstance(function, Static):
        return _call_object(low, function.value, arguments, keywords)
    own = special(function, "__call__")
    if own is not None:
        return call(low, own, arguments, keywords)
    return low.refuse_syntax(f"{describe(function)} is not callable", "a function")


def _call_object(low: Lowering, function: Any, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    made = call_on(low, function, arguments, keywords)
    if made is not None:
        return made
    interpolator = constant_interpolator(low, function)
    if interpolator is not None:
        return call(low, interpolator, arguments, keywords)
    known = known_function(function)
    if known is not None:
        apply = functools.partial(_apply, low, _name(function), known)
        return call_into(low, function, apply, arguments, keywords)
    refused = refusal(_name(function))
    if refused is not None:
        low.refuse(UnsupportedFunctionError, *refused)
    if inspect.getattr_static(type(function), "__adcore_lower__", None) is not None:
        return call_lowered(low, function, arguments, keywords)
    if isinstance(function, functools.partial):
        if function.func is not None and all(_plain(v) for v in (*function.args, *function.keywords.values())):
            before = [constant(a) for a in function.args]
            named = {k: constant(v) for k, v in function.keywords.items()}
            return call(low, constant(function.func), [*before, *arguments], {**named, **keywords})
        low.refuse(UnsupportedFunctionError, "a partial with arrays made outside the function", "a lambda or def")
    if is_compiled(function):
        return _call_compiled(low, function, arguments, keywords)
    function = python_of(function)
    if isinstance(function, types.MethodType):
        return _call_object(low, function.__func__, [Static(function.__self__), *arguments], keywords)
    if is_named_tuple(function):
        return named_tuple(low, function, arguments, keywords)
    if is_user_class(function):
        return make(low, function, arguments, keywords)
    if isinstance(function, types.FunctionType):
        return _call_python(low, function, arguments, keywords, low.source if is_ours(function) else None)
    method = inspect.getattr_static(type(function), "__call__", None)
    if isinstance(method, types.FunctionType):
        return _call_object(low, method, [Static(function), *arguments], keywords)
    return low.refuse(
        UnsupportedFunctionError,
        f"{_name(function)} is not supported",
        "NumPy and math functions that adcore knows, or a Python function of your own",
    )


def python_of(function: Any) -> Any:
    """The Python function that a compiler or a cache of functools has made something of; anything else as it is."""
    name = "__wrapped__" if isinstance(function, functools._lru_cache_wrapper) else "py_func"
    inner = getattr(function, name) if name == "__wrapped__" else inspect.getattr_static(function, name, None)
    return inner if isinstance(inner, types.FunctionType) else function


def _apply(low: Lowering, name: str, known: Any, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    """Call what lowers a known function; arguments that it does not take are refused."""
    if isinstance(known, Written):
        before = [constant(each) for each in known.first]
        return _call_python(low, known.function, [*before, *arguments], keywords, low.source)
    try:
        _signature(known).bind(low, *arguments, **keywords)
    except TypeError as error:
        low.refuse(UnsupportedFunctionError, f"{name}: {error}", "the supported arguments only")
    return known(low, *arguments, **keywords)


def _name(function: Any) -> str:
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None) or repr(function)
    return f"{module}.{name}" if module and module != "builtins" else str(name)


def _plain(value: Any) -> bool:
    return not hasattr(value, "__array__")


def _call_method(low: Lowering, method: Method, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    lower = LIST_METHODS.get(method.name) if isinstance(method.owner, List) else None
    lower = lower or METHODS.get(method.name)
    if lower is None or (isinstance(lower, Written) and not isinstance(method.owner, Scalar | Array)):
        low.refuse(
            UnsupportedFunctionError,
            f"{describe(method.owner)} has no supported method {method.name!r}",
            "an operation that adcore knows",
        )
    apply = functools.partial(_apply, low, method.name, lower)
    return call_into(low, method.name, apply, [method.owner, *arguments], keywords)


# Python functions


def _call_python(
    low: Lowering,
    function: types.FunctionType,
    arguments: list[Value],
    keywords: dict[str, Value],
    standing: Source | None = None,
) -> Value:
    code = code_of(function, low.source)
    defaults = tuple(constant(d) for d in function.__defaults__ or ())
    keyword_defaults = {k: constant(v) for k, v in (function.__kwdefaults__ or {}).items()}
    bound = _bound(low, code, defaults, keyword_defaults, arguments, keywords)
    return enter(low, code, function, None, bound, standing)


def _call_compiled(low: Lowering, function: Any, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    """Call a function compiled by Numba: its Python function, by a signature that it declares."""
    given = arguments
    if keywords:
        try:
            given = list(_signature(function.py_func).bind(*arguments, **keywords).args)
        except TypeError as error:
            low.refuse(UnsupportedSyntaxError, f"{function.__name__}(): {error}", "the function's own parameters")
    chosen = signed(low, function, given)
    if chosen is None:
        return _call_python(low, function.py_func, arguments, keywords)
    return chosen.returned(low, _call_python(low, function.py_func, chosen.converted(low, given), {}))


def _call_local(low: Lowering, function: LocalFunction, arguments: list[Value], keywords: dict[str, Value]) -> Value:
    bound = _bound(low, function.code, function.defaults, function.keyword_defaults, arguments, keywords)
    return enter(low, function.code, function.frame.python, function.frame, bound)


def _bound(
    low: Lowering,
    code: Code,
    defaults: tuple[Value, ...],
    keyword_defaults: dict[str, Value],
    arguments: list[Value],
    keywords: dict[str, Value],
) -> dict[str, Value]:
    """Parameters and what Python binds them to."""
    a = code.node.args
    try:
        bound = inspect.Signature(parameters_of(code, defaults, keyword_defaults)).bind(*arguments, **keywords)
    except TypeError as error:
        low.refuse(UnsupportedSyntaxError, f"{code.name}(): {error}", "the function's own parameters")
    bound.apply_defaults()
    found: dict[str, Value] = dict(bound.arguments)
    if a.vararg:
        found[a.vararg.arg] = Tuple(tuple(bound.arguments[a.vararg.arg]))
    if a.kwarg:
        found[a.kwarg.arg] = low.memory.new_dict(dict(bound.arguments[a.kwarg.arg]), a.kwarg.arg)
    return found


def parameters_of(
    code: Code, defaults: tuple[Value, ...], keyword_defaults: dict[str, Value]
) -> list[inspect.Parameter]:
    """A function's parameters, the defaults being values."""
    a = code.node.args
    kinds = inspect.Parameter
    parameters: list[inspect.Parameter] = []
    positional = [*a.posonlyargs, *a.args]
    for k, p in enumerate(positional):
        kind = kinds.POSITIONAL_ONLY if k < len(a.posonlyargs) else kinds.POSITIONAL_OR_KEYWORD
        at = k - len(positional) + len(defaults)
        parameters.append(kinds(p.arg, kind, default=defaults[at] if at >= 0 else kinds.empty))
    if a.vararg:
        parameters.append(kinds(a.vararg.arg, kinds.VAR_POSITIONAL))
    for p in a.kwonlyargs:
        parameters.append(kinds(p.arg, kinds.KEYWORD_ONLY, default=keyword_defaults.get(p.arg, kinds.empty)))
    if a.kwarg:
        parameters.append(kinds(a.kwarg.arg, kinds.VAR_KEYWORD))
    return parameters


def _inherited(low: Lowering, python: types.FunctionType, enclosing: Frame | None) -> Source | None:
    """The place of all that a function emits, where it is one of the library's that another of these calls."""
    if enclosing is not None:
        return enclosing.standing
    return low.frame.standing if low.frames and is_ours(python) else None


def enter(
    low: Lowering,
    code: Code,
    python: types.FunctionType,
    enclosing: Frame | None,
    bound: dict[str, Value],
    standing: Source | None = None,
) -> Value:
    """Lower a function's body for these values of its parameters; gives what it returns.

    All that it emits has the place `standing`, where that is given, instead of places in the function.
    """
    if len(low.frames) > DEPTH:
        low.refuse(
            UnsupportedFunctionError,
            f"{code.name!r} is called {DEPTH} levels deep: recursion is followed only where it ends by constants",
            "a loop",
        )
    if code.yields():
        low.b.source = standing or code.source(code.yields()[0])
        construct = f"the Python construct {type(code.yields()[0]).__name__} is not supported"
        low.refuse_syntax(f"{construct}: {code.name!r} is a generator or coroutine", "an array that is filled")
    path: tuple[Any, ...] = ()
    if low.frames:
        path = (*low.frame.path, *low.frame.call_sites)
    body = code.body()
    frame = Frame(code, python, enclosing, path, code.escaping())
    frame.standing = standing or _inherited(low, python, enclosing)
    frame.rebinds, frame.shared = code.rebinds(), code.rebound()
    frame.bound = (assigned(body) | set(bound)) - frame.rebinds
    source = low.source or code.source(code.node)
    low.frames.append(frame)
    try:
        frame.first = next(iter(bound.values()), None)
        for name in frame.shared & frame.bound:
            unbound = Poison(f"{name!r} has no value here", f"a value for {name!r} before this line")
            frame.names[name] = Cell(low.memory.identity(Fields({"": unbound}), name))
        for name, value in bound.items():
            bind(low, name, value)
        if low.execute(body, frozenset()) is Status.DEAD:
            raise Diverges(low)
        value = frame.names["$value"]
    finally:
        low.frames.pop()
        low.b.source = source
    if isinstance(value, Poison):
        low.refuse_syntax(value.cause, value.write)
    return value
