"""Pullbacks and pushforwards in functions that Numba compiles: values that hold residuals, and calls of these."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numba.core import cgutils, imputils, types
from numba.core.datamodel import models
from numba.core.typing.templates import signature as signature_of
from numba.extending import register_model

from adcore.errors import AdcoreError
from adcore.plugins import Spec, Static
from adcore.trees import PyTreeSpec, matched

from .calls import implement
from .failures import refused, return_mismatch
from .kernels import Code, Operands
from .types import items_of, result_type, structure_of

__all__ = ["LinearMap", "LinearMapType", "Place"]


@dataclass(frozen=True)
class Place:
    """A number or array of which a map takes a tangent or cotangent.

    Attributes:
        kind: its type; None where it is neither real nor complex, and what is given does not matter.
        lengths: of its axes, where they are among what the map keeps.
    """

    kind: Any
    lengths: tuple[int, ...] = ()


@dataclass(frozen=True)
class LinearMap:
    """A linear map that keeps residuals.

    Attributes:
        name: of the map.
        takes: what it takes.
        like: what that is like.
        function: the name of the function.
        kept: the types of what it keeps: residuals, then lengths.
        residuals: how many residuals there are.
        tree: the structure of the tuple of what it takes.
        places: the leaves of that.
        still: shapes and dtypes of further tangents, of arguments left out, which are zero.
        code: of the linear program.
        outcome: the structure of what it gives.
    """

    name: str
    takes: str
    like: str
    function: str
    kept: tuple[Any, ...]
    residuals: int
    tree: PyTreeSpec
    places: tuple[Place, ...]
    still: tuple[tuple[tuple[int, ...], str], ...]
    code: Code
    outcome: Any

    @property
    def key(self) -> Any:
        """What tells it from other maps; the kernel's name stands for its code."""
        kernel = self.code.kernel
        seen = (self.name, self.function, self.kept, self.residuals, self.tree, self.places, self.still)
        return *seen, self.outcome, kernel.name, kernel.failures


class LinearMapType(types.Callable):
    """Numba's type of pullbacks and pushforwards of one function, compiled for arguments of certain types."""

    def __init__(self, map: LinearMap) -> None:
        self.map = map
        self.calls: dict[tuple[Any, ...], MapCall] = {}
        super().__init__(f"adcore.{map.name} of {map.function} ({sha256(repr(map.key).encode()).hexdigest()[:16]})")

    @property
    def key(self) -> Any:
        return self.map.key

    @property
    def fields(self) -> list[str]:
        """The names of what a value of this type keeps."""
        return [f"kept_{k}" for k in range(len(self.map.kept))]

    def __reduce__(self) -> Any:
        return LinearMapType, (self.map,)

    def get_call_type(self, context: Any, args: tuple[Any, ...], kws: Any) -> Any:
        """The signature of a call.

        Raises:
            TypingError: in adcore's words.
        """
        try:
            pysig, kinds = self.bound(args, dict(kws))
            if kinds not in self.calls:
                self.calls[kinds] = MapCall(self, tuple(self.given(kinds)))
                implement(self.calls[kinds], self.calls[kinds].emit)
        except (AdcoreError, TypeError, ValueError) as error:
            raise refused(error) from None
        result = result_type(self.map.outcome, self.map.code.results)
        return signature_of(result, *kinds, recvr=self).replace(pysig=pysig)

    def get_call_signatures(self) -> tuple[tuple[Any, ...], bool]:
        return (), True

    def get_impl_key(self, sig: Any) -> Any:
        return self.calls[sig.args[1:]]  # as those of a function, whose first argument is the map

    def bound(self, args: tuple[Any, ...], kws: dict[str, Any]) -> tuple[inspect.Signature, tuple[Any, ...]]:
        """The parameters as Numba is told of them, and the type of what is given for each."""
        name, takes = self.map.name, self.map.takes
        count = len(self.map.tree.children())
        if name == "pullback":
            parameters = [inspect.Parameter(takes, inspect.Parameter.POSITIONAL_OR_KEYWORD)]
        else:
            if len(args) != count and not kws:
                raise TypeError(f"{name}: {len(args)} {takes}s for {count} {self.map.like}s")
            only = inspect.Parameter.POSITIONAL_ONLY
            parameters = [inspect.Parameter(f"{takes}_{k}", only) for k in range(count)]
        pysig = inspect.Signature(parameters)
        try:
            given = pysig.bind(*args, **kws).arguments
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None
        return pysig, tuple(types.unliteral(kind) for kind in given.values())

    def given(self, kinds: tuple[Any, ...]) -> Iterator[Given | None]:
        """What is given for each place.

        Raises:
            TypeError: another structure than that of the point, or a complex number for a real one.
            ValueError: another rank.
        """
        name, takes, like = self.map.name, self.map.takes, self.map.like
        opened = tuple(_opened(kind, (k,)) for k, kind in enumerate(kinds))
        try:
            found = matched(self.map.tree, opened)
        except ValueError:
            raise TypeError(f"{name}: the {takes} has another structure than the {like}") from None
        for place, given in zip(self.map.places, found, strict=True):
            if place.kind is None:
                yield None
                continue
            spec = structure_of(given.value.kind, f"the {takes}")
            if not isinstance(spec, Spec):
                raise TypeError(f"{name}: the {takes} has no number where the {like} has one")
            rank = len(place.lengths)
            if len(spec.shape) != rank:
                raise ValueError(f"{name}: a {takes} of {len(spec.shape)} axes for a {like} of {rank}")
            if spec.dtype.complex and not _is_complex(place.kind):
                raise TypeError(f"{name}: a complex {takes} for a real {like}")
            yield given.value


def _is_complex(kind: Any) -> bool:
    return isinstance(getattr(kind, "dtype", kind), types.Complex)


@dataclass(frozen=True)
class Given:
    """A number or an array among the arguments of a call: its type, which argument, and the steps to it in there."""

    kind: Any
    steps: tuple[int, ...]

    def of(self, builder: Any, arguments: Sequence[Any]) -> Any:
        return functools.reduce(builder.extract_value, self.steps[1:], arguments[self.steps[0]])


def _opened(kind: Any, steps: tuple[int, ...]) -> Any:
    """The structure of an argument of this type."""
    if isinstance(kind, types.BaseTuple):
        items = [_opened(item, (*steps, k)) for k, item in enumerate(items_of(kind))]
        named = getattr(kind, "instance_class", None)
        return named(*items) if named else tuple(items)
    return Static(Given(kind, steps))  # which is a leaf


@dataclass(frozen=True, eq=False)
class MapCall:
    """A call of a map with arguments of certain types."""

    kind: LinearMapType
    given: tuple[Given | None, ...]

    def emit(self, context: Any, builder: Any, signature: Any, arguments: Sequence[Any], loc: Any = None) -> Any:
        """The call, for Numba's lowering; the first argument is the map."""
        held, *values = arguments
        map = self.kind.map
        parts = cgutils.create_struct_proxy(self.kind)(context, builder, value=held)
        kept = [getattr(parts, name) for name in self.kind.fields]
        operands = Operands(context, builder)
        for kind, value in zip(map.kept[: map.residuals], kept, strict=False):
            operands.add(kind, value)
        taken = [(place, given) for place, given in zip(map.places, self.given, strict=True) if given is not None]
        for place, given in taken:
            self.require_shape(operands, given, given.of(builder, values), [kept[k] for k in place.lengths], loc)
        for place, given in taken:
            operands.cast(place.kind, given.kind, given.of(builder, values))
        for shape, dtype in map.still:
            operands.constant(np.zeros(shape, dtype)[()])
        found = map.code.run(operands)
        return imputils.impl_ret_new_ref(context, builder, signature.return_type, found.value(map.outcome))

    def require_shape(self, operands: Operands, given: Given, value: Any, lengths: list[Any], loc: Any) -> None:
        """Leave the function with a ValueError unless an array has these lengths."""
        if not lengths:
            return
        context, builder, map = operands.context, operands.builder, self.kind.map
        array = context.make_array(given.kind)(context, builder, value)
        ours = cgutils.unpack_tuple(builder, array.shape, len(lengths))
        differ = [builder.icmp_signed("!=", n, m) for n, m in zip(ours, lengths, strict=True)]
        with builder.if_then(functools.reduce(builder.or_, differ), likely=False):
            said = f"{map.name}: a {map.takes} of shape {{}} for a {map.like} of shape {{}}"
            return_mismatch(context, builder, said, (ours, lengths), loc)


@register_model(LinearMapType)
class _Model(models.StructModel):
    def __init__(self, manager: Any, kind: LinearMapType) -> None:
        super().__init__(manager, kind, list(zip(kind.fields, kind.map.kept, strict=True)))
