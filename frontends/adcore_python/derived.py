"""adcore's transforms called inside a compiled function: `grad(f)(x)`, `jvp(f, (x,), (v,))`, `jacrev(f)(x)`.

Where `f` is a Python function from outside, the transform is applied while compiling.  Where it is defined inside, it
is lowered by itself, with each value that it closes over as a capture: a further parameter, which the transform does
not differentiate.  The derived program is then copied in place and given the closed-over values, so that an outer
derivative flows through them, and only through them.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import CodeType
from typing import TYPE_CHECKING, Any, cast

from adcore import api, custom, debugging
from adcore.dispatch import transformed
from adcore.errors import Source, UnsupportedFunctionError
from adcore.jets import jet, taylor
from adcore.mapping import vmap
from adcore.maps_at_points import PullbackAt, PushforwardAt
from adcore.plugins import Capture, Lowered, Spec, Stateful
from adcore.signatures import definition, name_of, signature_of
from adcore.softened import soft
from adcore.types import Lit

from .carries import with_identity
from .classes import is_stated
from .containers import entries, items
from .frame import Frame
from .generator_values import lent_state
from .lowered_calls import call_lowered
from .operators import describe
from .outside import constant, make_param
from .programs import finished, given
from .records import attributes, deepcopy
from .strings import plain
from .values import (
    FALSE,
    NONE,
    Array,
    Cell,
    Derived,
    Dict,
    Fields,
    Growing,
    Identity,
    List,
    LocalFunction,
    Maybe,
    Partial,
    Poison,
    Range,
    Record,
    Reference,
    Scalar,
    Static,
    Tuple,
    Value,
    number,
)

if TYPE_CHECKING:
    from .lowering import Lowering

__all__ = [
    "TRANSFORMS",
    "Closed",
    "Held",
    "Mirror",
    "Names",
    "applied",
    "call_derived",
    "option",
    "origin_of",
    "said_of",
    "transform_by",
    "transform_of",
]


def transform_of(make: Callable[..., Any]) -> Any:
    """A transform with the parameters that it has outside; without a function a decorator."""
    signature = inspect.signature(make)

    def lower(low: Lowering, *arguments: Value, **keywords: Value) -> Value:
        options = dict(signature.bind(*arguments, **keywords).arguments)
        return _with_options(low, make, options.pop("f", NONE), options)

    own = inspect.Parameter("low", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    function, *options = signature.parameters.values()
    as_values = (p.replace(default=constant(p.default)) for p in options)
    cast("Any", lower).__signature__ = inspect.Signature([own, function.replace(default=NONE), *as_values])
    return lower


def _with_options(low: Lowering, make: Callable[..., Any], f: Value, options: dict[str, Value]) -> Value:
    """A transform with these options, of a function or of one that is still to come."""
    if isinstance(f, Static) and f.value is None:
        return Partial(Static(make), (), options)
    known = {name: option(low, name, value) for name, value in options.items()}
    return transform_by(low, lambda function: make(function, **known), f)


def option(low: Lowering, name: str, value: Value) -> Any:
    if isinstance(value, Dict):
        return {key: option(low, name, part) for key, part in entries(low, value).items()}
    if isinstance(value, List):
        return [option(low, name, part) for part in items(low, value)]
    if isinstance(value, Tuple):
        parts = [option(low, name, part) for part in value.items]
        return value.kind(*parts) if hasattr(value.kind, "_fields") else tuple(parts)
    known = plain(value)
    if known is None and name in ("sparse", "pattern"):
        cause = f"the pattern of a sparse matrix of derivatives is {describe(value)}"
        low.refuse(UnsupportedFunctionError, cause, "the function with this pattern made outside of the compiled one")
    if known is None:
        low.refuse_syntax(f"{name} is {describe(value)}, not a constant", f"{name}=0")
    return known[0]


def _jvp(
    low: Lowering,
    f: Value,
    primals: Value = NONE,
    tangents: Value = NONE,
    has_aux: Value = FALSE,
    *,
    debug: Value = NONE,
) -> Value:
    _require_debug(low, debug)
    known = bool(option(low, "has_aux", has_aux))
    return _along(low, functools.partial(api.jvp, has_aux=known), f, primals, tangents)


def _require_debug(low: Lowering, debug: Value) -> None:
    """Check the option, which inside of a compiled function says nothing: the call of that function is checked."""
    debugging.option(option(low, "debug", debug))


def _hvp(low: Lowering, f: Value, primals: Value = NONE, tangents: Value = NONE, *, debug: Value = NONE) -> Value:
    _require_debug(low, debug)
    return _along(low, api.hvp, f, primals, tangents)


def _vhp(low: Lowering, f: Value, primals: Value = NONE, cotangents: Value = NONE, *, debug: Value = NONE) -> Value:
    _require_debug(low, debug)
    return _along(low, api.vhp, f, primals, cotangents)


def _along(low: Lowering, make: Callable[..., Any], f: Value, primals: Value, direction: Value) -> Value:
    """A derivative along a direction; without a point a function of it and of the direction."""
    derived = transform_by(low, make, f)
    if isinstance(primals, Static):
        return derived
    pair: list[Value] = [Tuple(tuple(items(low, v))) if isinstance(v, List) else v for v in (primals, direction)]
    return low.call(derived, pair, {})


TAYLOR = Static("taylor")


def _jet(low: Lowering, f: Value, x: Value = NONE, series: Value = NONE, scaling: Value = TAYLOR) -> Value:
    known = option(low, "scaling", scaling)
    derived = transform_by(low, lambda function: jet(function, scaling=known), f)
    if x is NONE and series is NONE:
        return derived
    coefficients = Tuple(tuple(items(low, series))) if isinstance(series, List) else series
    return low.call(derived, [x, coefficients], {})


TWO = number(2)


def _taylor(
    low: Lowering, f: Value, x: Value = NONE, directions: Value = NONE, degree: Value = TWO, scaling: Value = TAYLOR
) -> Value:
    options = {"degree": option(low, "degree", degree), "scaling": option(low, "scaling", scaling)}
    derived = transform_by(low, lambda function: taylor(function, **options), f)
    if x is NONE and directions is NONE:
        return derived
    given = Tuple(tuple(items(low, directions))) if isinstance(directions, List) else directions
    return low.call(derived, [x, given], {})


def _jit(
    low: Lowering,
    f: Value = NONE,
    static_argnums: Value = NONE,
    static_argnames: Value = NONE,
    debug: Value = NONE,
) -> Value:
    """The function itself, which is being compiled already, if no arguments have to be constants."""
    _require_debug(low, debug)
    options = {"static_argnums": static_argnums, "static_argnames": static_argnames}
    is_given = not (isinstance(f, Static) and f.value is None)
    if is_given and all(option(low, name, value) is None for name, value in options.items()):
        return f
    return _with_options(low, api.jit, f, options)


def _vjp(low: Lowering, f: Value, *primals: Value, has_aux: Value = FALSE, debug: Value = NONE) -> Value:
    _require_debug(low, debug)
    aux = bool(option(low, "has_aux", has_aux))
    derived = transform_by(low, lambda function: transformed(PullbackAt(function, aux), wraps=False), f)
    return _with_map(low, f, primals, derived, aux)


def _linearize(low: Lowering, f: Value, *primals: Value, has_aux: Value = FALSE, debug: Value = NONE) -> Value:
    _require_debug(low, debug)
    aux = bool(option(low, "has_aux", has_aux))
    derived = transform_by(low, lambda function: transformed(PushforwardAt(function, has_aux=aux), wraps=False), f)
    return _with_map(low, f, primals, derived, aux)


def _with_map(low: Lowering, f: Value, primals: tuple[Value, ...], derived: Value, has_aux: bool) -> Value:
    """The value of a function, and its linear map at this point, which is called later; arguments stay as they are."""
    point = Tuple(tuple(deepcopy(low, primal) for primal in primals))
    value = low.call(f, [deepcopy(low, primal) for primal in primals], {})
    aux: tuple[Value, ...] = ()
    if has_aux:
        if not isinstance(value, Tuple) or len(value.items) != 2:
            low.refuse(UnsupportedFunctionError, "has_aux=True: the function must return a pair (value, aux)", "")
        value, *rest = value.items
        aux = tuple(rest)
    return Tuple((value, Partial(derived, (point,), {}), *aux))


def _straight_through(low: Lowering, f: Value, surrogate: Value = NONE) -> Value:
    if not (isinstance(surrogate, Static) and surrogate.value is None):
        if isinstance(f, Static) and callable(f.value) and isinstance(surrogate, Static) and callable(surrogate.value):
            with low.foreign("straight_through"):
                return Static(custom.straight_through(f.value, surrogate.value))
        cause = "straight_through with a surrogate, of a function that is defined inside of a compiled one"
        low.refuse(UnsupportedFunctionError, cause, "both functions defined outside")
    if isinstance(f, Static) and callable(f.value):
        with low.foreign("straight_through"):
            return Static(custom.straight_through(f.value))
    return transform_by(low, custom.straight_through, f)


TRANSFORMS: dict[Any, Any] = {
    api.checkpoint: transform_of(api.checkpoint),
    api.grad: transform_of(api.grad),
    api.hessian: transform_of(api.hessian),
    api.hessian_diagonal: transform_of(api.hessian_diagonal),
    api.hvp: _hvp,
    api.jacfwd: transform_of(api.jacfwd),
    api.jacobian: transform_of(api.jacobian),
    api.jacrev: transform_of(api.jacrev),
    api.jit: _jit,
    api.jvp: _jvp,
    api.laplacian: transform_of(api.laplacian),
    api.linearize: _linearize,
    custom.straight_through: _straight_through,
    jet: _jet,
    soft: transform_of(soft),
    taylor: _taylor,
    api.value_and_grad: transform_of(api.value_and_grad),
    api.vhp: _vhp,
    api.vjp: _vjp,
    vmap: transform_of(vmap),
}


def transform_by(low: Lowering, make: Callable[[Any], Any], f: Value) -> Value:
    if isinstance(f, LocalFunction | Derived | Partial) or is_stated(f):
        return Derived(make, f)
    if isinstance(f, Static) and callable(f.value):
        from .known import known_function

        if known_function(f.value) is not None:
            name = getattr(f.value, "__name__", "f")
            cause = f"a transform of {name}, which is not a Python function"
            low.refuse(UnsupportedFunctionError, cause, f"lambda x: {name}(x)")
        with low.foreign("this transform"):
            return Static(make(f.value))
    return low.refuse(UnsupportedFunctionError, f"a transform of {describe(f)}", "a transform of a lambda or def")


def call_derived(
    low: Lowering, function: Derived | Record, arguments: list[Value], keywords: dict[str, Value]
) -> Value:
    """Call a transform of a function that is defined in the code being lowered."""
    return call_lowered(low, applied(low, function), arguments, keywords)


def applied(low: Lowering, value: Value) -> Any:
    """A function defined in the code being lowered, transformed or not, as something that is lowered by itself."""
    if isinstance(value, Static):
        return value.value
    if is_stated(value):
        from .local_rules import stated

        return stated(low, value)
    if not isinstance(value, Derived):
        return Closed(low, value)
    function = applied(low, value.function)
    with low.foreign("this transform"):
        return value.make(function)


class Closed:
    """A function defined in the code being lowered, as something that transforms can lower by itself.

    Attributes:
        low: the lowering that it is a value of.
        function: the function.
        __adcore_origin__: what is the same for a function that several lowerings have.
    """

    __code__: CodeType  # of what adcore puts around it

    def __init__(self, low: Lowering, function: Value) -> None:
        self.low = low
        self.function = function
        self.__name__, self.__signature__, self.__adcore_source__ = said_of(low, function)
        self.__adcore_origin__ = origin_of(low, function)

    def __call__(self, *_: Any) -> Any:
        raise TypeError("this function exists while compiling only")

    def __adcore_lower__(self, arguments: tuple[Any, ...]) -> Lowered:
        from .lowering import Lowering

        outer, low = self.low, Lowering()
        low.work = outer.work
        with low.b.at(outer.source):
            positional, keywords = given(low, self.__signature__.parameters.values(), arguments)
            mirror = Mirror(outer, low)
            function = mirror.value(self.without_defaults(len(arguments)), self.__name__)
            lowered = finished(low, lambda: low.call(function, positional, keywords), self.__name__)
        outer.work = low.work
        return lowered

    def without_defaults(self, given: int) -> Value:
        """The function, which closes over no defaults where so many arguments are all that it has."""
        if not isinstance(self.function, LocalFunction) or given < len(self.__signature__.parameters):
            return self.function
        return replace(self.function, defaults=(), keyword_defaults={})


def origin_of(low: Lowering, value: Any) -> Any:
    """What is the same for a function that several lowerings have: its text, and the call that has defined it."""
    while not isinstance(value, LocalFunction):
        if isinstance(value, Derived | Partial):
            value = value.function
        elif is_stated(value):
            value = attributes(low, value)["function"]
        else:
            return value.value
    return value.node, value.frame.origin


def said_of(low: Lowering, value: Value) -> tuple[str, inspect.Signature, Source | None]:
    """The name, the parameters and the place of a function."""
    if isinstance(value, LocalFunction):
        from .calls import parameters_of

        parameters = parameters_of(value.code, value.defaults, value.keyword_defaults)
        return value.name, inspect.Signature(parameters), value.frame.standing or value.code.source(value.node)
    if isinstance(value, Partial):
        function = applied(low, value.function)
        with low.foreign("this partial"):
            bound = signature_of(functools.partial(function, *value.arguments, **value.keywords))
            own = [p for p in bound.parameters.values() if p.name not in value.keywords]
            return name_of(function), bound.replace(parameters=own), definition(function)
    function = applied(low, value)
    with low.foreign("this function"):
        return name_of(function), signature_of(function), definition(function)


@dataclass(frozen=True)
class Held:
    """The owner of a capture that is a value of the function being lowered around it, by `low`."""

    value: Any
    low: Lowering


class Mirror:
    """The values of one lowering as those of another, to which each number and array is a capture."""

    def __init__(self, outer: Lowering, inner: Lowering) -> None:
        self.outer = outer
        self.inner = inner
        self.frames: dict[Frame, Frame] = {}
        self.known: dict[Any, Any] = {}

    def frame(self, frame: Frame) -> Frame:
        found = self.frames.get(frame)
        if found is None:
            around = None if frame.enclosing is None else self.frame(frame.enclosing)
            found = Frame(frame.code, frame.python, around, (), frame.escaping)
            found.bound, found.rebinds, found.shared = frame.bound, frame.rebinds, frame.shared
            found.standing = frame.standing
            found.origin = frame.origin
            found.names = Names(self, frame)
            self.frames[frame] = found
        return found

    def value(self, value: Any, name: str) -> Any:
        if isinstance(value, Scalar | Array):
            return value if isinstance(value, Scalar) and value.known is not None else self.captured(value, name)
        if isinstance(value, Tuple):
            return Tuple(tuple(self.value(v, name) for v in value.items), value.kind)
        if isinstance(value, List | Dict | Record | Cell):
            return self.reference(value, name)
        if isinstance(value, Fields):
            return Fields({k: self.value(v, f"{name}_{k}") for k, v in value.items.items()})
        if isinstance(value, Growing):
            stores = tuple(self.value(s, name) for s in value.stores)
            return Growing(self.value(value.length, name), value.item, stores)
        if isinstance(value, Range):
            return Range(*(self.value(v, name) for v in (value.start, value.stop, value.step)))
        if isinstance(value, LocalFunction):
            places = (*value.node.args.posonlyargs, *value.node.args.args)
            last = places[len(places) - len(value.defaults) :]
            defaults = tuple(self.value(v, p.arg) for p, v in zip(last, value.defaults, strict=True))
            keywords = {k: self.value(v, k) for k, v in value.keyword_defaults.items()}
            return LocalFunction(
                value.node, value.code, self.frame(value.frame), defaults, keywords, dict(value.attributes)
            )
        if isinstance(value, Derived):
            return Derived(value.make, self.value(value.function, name))
        if isinstance(value, Partial):
            arguments = tuple(self.value(v, name) for v in value.arguments)
            keywords = {k: self.value(v, k) for k, v in value.keywords.items()}
            return Partial(self.value(value.function, name), arguments, keywords)
        if isinstance(value, Static):
            return value
        return self.outer.refuse(
            UnsupportedFunctionError,
            f"{name!r} is {describe(value)}, which a function that is differentiated here closes over",
            f"pass {name!r} as an argument",
        )

    def reference(self, value: Reference, name: str) -> Reference:
        """A list, dict or object of the function around, which the differentiated function may only read."""
        found = self.known.get(value.identity)
        if found is None:
            contents = self.outer.memory.contents(value.identity)
            if isinstance(value, Record) and issubclass(value.kind, Stateful):
                return self.generator(value, contents, name)
            contents = self.value(contents, name)
            made = Identity(name, "made outside of the function that is differentiated here")
            self.inner.memory.root.objects[made] = contents
            found = self.known[value.identity] = with_identity(value, made)
        return found

    def generator(self, value: Record, contents: Any, name: str) -> Reference:
        """A random generator, from which the differentiated function may draw."""
        words = contents.items["words"]
        self.inner.captures.append(Capture(name, Held(words, self.outer), _spec(words)))
        made = Identity(name)
        self.inner.memory.root.objects[made] = Fields({"words": lent_state(self.inner, _spec(words), name)})
        found = self.known[value.identity] = with_identity(value, made)
        return found

    def captured(self, value: Scalar | Array, name: str) -> Value:
        if value not in self.known:
            spec = _spec(value)
            self.inner.captures.append(Capture(name, Held(value, self.outer), spec))
            self.known[value] = make_param(self.inner, spec, name, captured=True)
        return self.known[value]


def _spec(value: Scalar | Array) -> Spec:
    shape = value.shape if isinstance(value, Array) else ()
    python = isinstance(value, Scalar) and value.python
    return Spec(value.dtype, tuple(int(n.value) if isinstance(n, Lit) else None for n in shape), python)


class Names(dict[str, Any]):
    """The names of a frame, taken over when they are first read."""

    def __init__(self, mirror: Mirror, frame: Frame) -> None:
        super().__init__()
        self.mirror = mirror
        self.frame = frame

    def __contains__(self, name: object) -> bool:
        outer = self.mirror.outer
        return super().__contains__(name) or name in self.frame.names or (self.frame, name) in outer.unknown

    def __missing__(self, name: str) -> Any:
        outer = self.mirror.outer
        value = self.frame.names[name] if name in self.frame.names else outer.guess(self.frame, name)
        if isinstance(value, Poison):
            outer.refuse_syntax(value.cause, value.write)
        if isinstance(value, Maybe):
            message = f"cannot access free variable '{name}' where it is not associated with a value in enclosing scope"
            outer.check(value.defined, "NameError", message)
            value = value.value
        self[name] = self.mirror.value(value, name)
        return self[name]
