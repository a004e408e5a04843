"""Derivatives as functions that can be called in functions compiled by Numba.

Numba's type of a derivative is a callable whose call type is found by lowering the derivative for the types of the
arguments; the code of a call is the Program's kernel (`adcore_numba.inside_njit.calls`).
"""

from __future__ import annotations

import functools
import inspect
from typing import Any, cast

from numba.core import types
from numba.core.datamodel import models
from numba.core.imputils import lower_constant
from numba.core.typing.templates import signature as signature_of
from numba.extending import NativeValue, register_model, typeof_impl, unbox

import adcore
from adcore.api import splitting
from adcore.dispatch import Transformed
from adcore.errors import AdcoreError, UnsupportedFunctionError
from adcore.once import once
from adcore.plugins import Lowered
from adcore.signatures import definition
from adcore.splitting import PullbackSplit, PushforwardSplit, SplitLowered

from .calls import Call, compiled, implement
from .failures import refused
from .splits import with_map
from .types import static_of, structure_of

__all__ = ["DerivativeType"]


class DerivativeType(types.Callable, types.Dummy):
    """Numba's type of one transformed function.

    Attributes:
        stands_for: what it is in Python.
    """

    def __init__(self, derivative: Transformed) -> None:
        self.derivative = derivative
        self.stands_for: Any = derivative
        self.calls: dict[tuple[Any, ...], Call] = {}
        super().__init__(f"adcore.{derivative.dispatcher.name}({id(derivative)})")

    @property
    def key(self) -> Any:
        return id(self.derivative)

    def get_call_type(self, context: Any, args: tuple[Any, ...], kws: Any) -> Any:
        """The signature for arguments of these types.

        Raises:
            TypingError: in adcore's words.
        """
        try:
            pysig, kinds = self.bound(args, dict(kws))
            return signature_of(self.call(kinds).type, *kinds).replace(pysig=pysig)
        except (AdcoreError, TypeError, ValueError) as error:
            raise refused(error) from None

    def call(self, kinds: tuple[Any, ...]) -> Call:
        """The call for arguments of these types, one for each of the first parameters."""
        call = self.calls.get(kinds)
        if call is None or not call.is_current():
            call = self.calls[kinds] = self.compiled(kinds)
        return call

    def get_call_signatures(self) -> tuple[tuple[Any, ...], bool]:
        return (), True

    def get_impl_key(self, sig: Any) -> Call:
        return self.calls[sig.args]

    def bound(
        self, args: tuple[Any, ...], kws: dict[str, Any], by_name: bool = False
    ) -> tuple[inspect.Signature, tuple[Any, ...]]:
        """The parameters as Numba is told of them, and the type of each; of those by name alone too, if `by_name`."""
        transform, name = self.derivative.transform, self.derivative.dispatcher.name
        pysig = transform.signature()
        parameters = list(pysig.parameters.values())
        if any(p.kind is p.VAR_KEYWORD for p in parameters):
            cause = f"{name} takes any arguments by name, which nothing inside @njit does"
            raise UnsupportedFunctionError(cause, definition(transform.function), "parameters with names")
        if not by_name:
            parameters = self.positional(parameters)
        pysig = pysig.replace(parameters=parameters)
        try:
            given = pysig.bind(*args, **kws).arguments
        except TypeError as error:
            raise TypeError(f"{name}(): {error}") from None
        transform.check_call(len(args), kws)
        found: list[Any] = []
        for p in parameters:
            if p.kind is p.VAR_POSITIONAL:
                found.append(types.BaseTuple.from_types(tuple(given.get(p.name, ()))))
            else:
                found.append(given[p.name] if p.name in given else types.Omitted(p.default))
        constants = transform.constants()
        kept = constants.marked(pysig, found, lambda kind, _: _Kept(kind))
        return pysig, tuple(map(_widened, kept))

    def positional(self, parameters: list[inspect.Parameter]) -> list[inspect.Parameter]:
        """The parameters that Numba is told of: none by name alone, which behind `*args` keep their defaults."""
        variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        if variadic:
            return [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
        return [p.replace(kind=p.POSITIONAL_OR_KEYWORD) for p in parameters]

    def compiled(self, kinds: tuple[Any, ...]) -> Call:
        """The derivative for arguments of these types, of which Numba's lowering is told."""
        transform = self.derivative.transform
        signature = transform.signature()
        parameters = (*kinds, *(p.default for p in list(signature.parameters.values())[len(kinds) :]))
        marked = transform.constants().marked(signature, parameters, static_of)
        names = [f"argument {k} of {self.derivative.dispatcher.name}" for k in range(len(parameters))]
        arguments = tuple(map(_structure, marked, parameters, names))
        lowered = self.derivative.__adcore_lower__(arguments)
        self.check(lowered)
        if isinstance(lowered, SplitLowered):
            lowered = with_map(cast("Any", transform), lowered, arguments, parameters)
        call = compiled(lowered, tuple(map(_passed, marked, parameters)))
        implement(call, call.emit)
        return call

    def check(self, lowered: Lowered) -> None:
        """Refuse what a call from Python would do beside giving a result."""
        place = definition(self.derivative.transform.function)
        name = self.derivative.dispatcher.name
        written = [lowered.program.params[w.param].name for w in lowered.writes if w.result is not None]
        if self.derivative.dispatcher.debug:
            raise UnsupportedFunctionError(f"{name} with debug=, inside @njit", place, f"{name} without it")
        if written:
            cause = f"{name} writes into its argument {written[0]!r}, which a call inside @njit does not do"
            raise UnsupportedFunctionError(cause, place, f"{written[0]} = {written[0]}.copy() at its beginning")
        if any(change.contents is not None for change in lowered.changes):
            cause = f"{name} changes {lowered.changes[0].name!r}, which a call inside @njit does not do"
            raise UnsupportedFunctionError(cause, place, "a tuple that is returned")


class _Kept:
    """The type of an argument that is a constant, which tells its value."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind


def _widened(kind: Any) -> Any:
    if isinstance(kind, _Kept):
        return kind.kind
    if isinstance(kind, tuple):  # of `*args`, where some arguments are constants
        return types.BaseTuple.from_types(tuple(map(_widened, kind)))
    return kind if isinstance(kind, types.StringLiteral | types.Omitted) else types.unliteral(kind)


def _structure(marked: Any, kind: Any, name: str) -> Any:
    """The structure of an argument; what is marked as a constant is a Static."""
    if marked is kind:
        return structure_of(kind, name)
    if isinstance(marked, tuple):
        return tuple(structure_of(m, name) if isinstance(m, types.Type) else m for m in marked)
    return marked


def _passed(marked: Any, kind: Any) -> Any:
    """The type of what is passed to the kernel of an argument."""
    if marked is kind:
        return kind
    if isinstance(marked, tuple):
        return types.BaseTuple.from_types([m if isinstance(m, types.Type) else types.none for m in marked])
    return None


class SplitType(DerivativeType):
    """Numba's type of `vjp(f)` or `linearize(f)`, whose calls give a value and a linear map."""

    def __init__(self, derivative: Transformed) -> None:
        super().__init__(derivative)
        split: Any = derivative.transform
        made = adcore.vjp if isinstance(split, PullbackSplit) else adcore.linearize
        self.stands_for = functools.partial(made, split.function, has_aux=split.has_aux)

    def get_call_type(self, context: Any, args: tuple[Any, ...], kws: Any) -> Any:
        """As for other derivatives; all arguments are given by position."""
        if kws:
            title = self.stands_for.func.__name__
            raise refused(TypeError(f"{title}() got an unexpected keyword argument {next(iter(dict(kws)))!r}"))
        return super().get_call_type(context, args, kws)


@once
def type_of(derivative: Transformed) -> DerivativeType:
    """Numba's type of a transformed function."""
    is_split = isinstance(derivative.transform, PullbackSplit | PushforwardSplit)
    return SplitType(derivative) if is_split else DerivativeType(derivative)


_SPLITS: dict[Any, Any] = {adcore.vjp: PullbackSplit, adcore.linearize: PushforwardSplit}


@typeof_impl.register(functools.partial)
def _typeof_partial(value: functools.partial[Any], context: Any) -> DerivativeType | None:
    split = _SPLITS.get(value.func)
    return type_of(splitting(split, *value.args, **value.keywords)) if split and len(value.args) == 1 else None


@typeof_impl.register(Transformed)
def _typeof(value: Transformed, context: Any) -> DerivativeType:
    return type_of(value)


for _kind in (DerivativeType, SplitType):
    register_model(_kind)(models.OpaqueModel)


@lower_constant(DerivativeType)
@lower_constant(SplitType)
def _constant(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return context.get_dummy_value()


@unbox(DerivativeType)
@unbox(SplitType)
def _unboxed(kind: Any, value: Any, c: Any) -> NativeValue:
    return NativeValue(c.context.get_dummy_value())
