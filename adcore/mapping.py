"""`vmap`: a function of one element as a function of a batch."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from .axes import Axis, counted, paths, require_axes, spread
from .dispatch import transformed
from .errors import UnsupportedFunctionError
from .mapped_loop import Along, MappedLoop, Output
from .passes.elements import hoist_elements
from .plugins import Leaf, Lowered, Rows, Spec, Stateful, Static
from .signatures import definition, name_of, signature_of
from .structured import Structured
from .transforms import Transform, lower, unchanging
from .trees import flatten, is_plain, leaves, map_nodes, structure

__all__ = ["Mapped", "vmap"]

_MISSING: Any = object()


def vmap(
    f: Callable[..., Any] = _MISSING,
    in_axes: Any = 0,
    out_axes: Any = 0,
    parallel: bool = False,
    *,
    debug: str | None = None,
    device: str | None = None,
) -> Any:
    """The function over a batch of arguments: one call for what would be a loop of calls and a stack of the results.

    The function is run for each element by itself: its `while` loops run as often as the element needs, its branches
    are those that the element takes, and nothing that belongs to a branch not taken is computed.  What depends on no
    mapped argument, a factorization of a matrix that is the same for all for instance, is computed once.

    Args:
        f: a function of one element; without it a decorator is returned.  Inside, an element of an array of numbers is
            a NumPy scalar.  It is given copies: what it writes into an argument, nobody else sees.
        in_axes: the axis of the arguments that is mapped over; for a tuple one entry for each argument given by
            position, an integer, None for an argument that is the same for all elements, or a tree of these that is a
            prefix of the argument.  Axes may be negative.  Arguments given by name are mapped over their first axis;
            defaults are the same for all elements.
        out_axes: where the results have the axis: an integer, None for a result that does not depend on mapped
            arguments, or a tree of these that is a prefix of the result.
        parallel: run the elements by several threads: by `get_num_threads()` of them, or if that is one, by as many as
            there are processors.  Each element is computed by one thread, so that results do not depend on it.
        debug: as in `jit`.
        device: "cuda" to run on a CUDA device, one thread an element, as in `jit`.

    Returns:
        A function with the signature of `f`.  Results are fresh C-contiguous arrays; numbers become arrays of one axis,
        None and strings stay what they are.

    Raises:
        TypeError: `in_axes` or `out_axes` is not made of integers and None.
        ValueError: at a call, the axes do not fit the arguments or the result; the mapped axes have different lengths;
            nothing is mapped; a result depends on mapped arguments though its place in `out_axes` is None; or results
            have other lengths for one element than for another.
        UnsupportedFunctionError: a mapped argument is a random generator, a sparse matrix or a structured array, `f`
            draws random numbers, or returns a list whose length is known at run time.

    >>> import numpy as np
    >>> def steps(n):
    ...     k = 0
    ...     while n != 1:
    ...         n = n // 2 if n % 2 == 0 else 3 * n + 1
    ...         k += 1
    ...     return k
    >>> vmap(steps)(np.array([1, 6, 27]))
    array([  0,   8, 111])
    >>> vmap(lambda a, x: a @ x, in_axes=(None, 1), out_axes=1)(np.eye(2), np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[1., 2.],
           [3., 4.]])
    """
    if f is _MISSING:
        return functools.partial(
            vmap, in_axes=in_axes, out_axes=out_axes, parallel=parallel, debug=debug, device=device
        )
    require_axes("in_axes", in_axes)
    require_axes("out_axes", out_axes)
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if not (in_axes is None or isinstance(in_axes, int | tuple)):
        raise TypeError(
            "vmap in_axes must be an int, None, or a tuple of entries corresponding to the positional arguments passed "
            f"to the function, but got {in_axes!r}"
        )
    mapped = transformed(Mapped(f, in_axes, out_axes, bool(parallel)), debug=debug, device=device)
    mapped.__signature__ = mapped.transform.signature()
    return mapped


@dataclass(frozen=True)
class Mapped(Transform):
    """A function over a batch.

    Attributes:
        in_axes, out_axes: as of `vmap`.
        parallel: whether several threads run the elements.
    """

    in_axes: Any = 0
    out_axes: Any = 0
    parallel: bool = False

    @property
    def where(self) -> str:
        return f"vmap of {name_of(self.function)}"

    def signature(self) -> inspect.Signature:
        """That of the function, with the defaults as constants, which are mapped over nothing."""
        found = signature_of(self.function)
        return found.replace(parameters=[_with_constant(p) for p in found.parameters.values()])

    def check_call(self, count: int, names: Iterable[str]) -> None:
        inner = getattr(self.function, "transform", None)
        if isinstance(inner, Transform):
            inner.check_call(count, names)
        if isinstance(self.in_axes, tuple):
            if len(self.in_axes) != count:
                raise ValueError(
                    "vmap in_axes must be an int, None, or a tuple of entries corresponding to the positional "
                    f"arguments passed to the function, but got {len(self.in_axes)} entries for {count} arguments"
                )
            return
        parameters = signature_of(self.function).parameters
        named = [n for n in names if n in parameters and parameters[n].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
        if named and self.in_axes != 0:
            raise ValueError(
                f"{self.where}: arguments given by name are mapped over axis 0, and in_axes is {self.in_axes}; give "
                f"{named[0]!r} by position"
            )

    def lower(self, arguments: tuple[Any, ...]) -> Lowered:
        axes = self.axes_of(arguments)
        found, tree = flatten(arguments)
        along = [self.along(leaf, axis) for leaf, axis in zip(found, axes, strict=True)]
        if not any(along):
            raise ValueError(f"{self.where}: at least one argument must be mapped: an integer in in_axes")
        self.require_plain(arguments, axes)
        elements = [_element(leaf, a) if a else leaf for leaf, a in zip(found, along, strict=True)]
        lowered = unchanging(lower(self.function, tuple(tree.unflatten(elements))))
        if any(w.state for w in lowered.writes):
            self.refuse("draws random numbers", "draw them before: vmap(f)(x, rng.normal(size=len(x)))")
        of_params = [a for leaf, a in zip(found, along, strict=True) if isinstance(leaf, Spec)]
        loop = MappedLoop(lowered.program, [*of_params, *(None for _ in lowered.captures)])
        outputs, result = self.outputs(lowered.result, loop)
        program = loop.program(outputs, self.parallel)
        hoist_elements(program)
        return Lowered(program, result, lowered.captures, lowered.guards)

    def refuse(self, cause: str, write: str) -> Any:
        raise UnsupportedFunctionError(f"vmap: {name_of(self.function)} {cause}", definition(self.function), write)

    # Arguments

    def axes_of(self, arguments: tuple[Any, ...]) -> list[Axis]:
        """The axis of each leaf of the arguments."""
        axes: list[Axis] = []
        entries = self.entries()
        for parameter, argument in zip(signature_of(self.function).parameters.values(), arguments, strict=True):
            if parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_KEYWORD):
                axes += spread(0, argument, ValueError)
            elif parameter.kind is parameter.VAR_POSITIONAL:
                for each in argument:
                    axes += self.spread(next(entries), each, parameter.name)
            else:
                axes += self.spread(next(entries), argument, parameter.name)
        return axes

    def entries(self) -> Any:
        """The entries of in_axes, one for each argument by position."""
        if isinstance(self.in_axes, tuple):
            yield from self.in_axes
        while True:
            yield 0 if isinstance(self.in_axes, tuple) else self.in_axes

    def spread(self, axes: Any, argument: Any, name: str) -> list[Axis]:
        def wrong() -> Exception:
            return ValueError(
                f"vmap in_axes specification must be a tree prefix of the corresponding value, got {axes!r} for the "
                f"argument {name!r} of {name_of(self.function)}"
            )

        return spread(axes, argument, wrong)

    def along(self, leaf: Any, axis: Axis) -> Along | None:
        """The axis of a leaf of the arguments, if it is mapped over one."""
        if axis is None or not isinstance(leaf, Spec):
            return None
        rank = len(leaf.shape)
        place = counted(axis, rank)
        if place is None:
            needed = axis + 1 if axis >= 0 else -axis
            raise ValueError(
                f"vmap was requested to map its argument along axis {axis}, which implies that its rank should be at "
                f"least {needed}, but is only {rank}; an argument of {name_of(self.function)} that is the same for all "
                "elements has None in in_axes"
            )
        length = leaf.shape[place]
        return Along(place, None if length is None or length < 0 else length)

    def require_plain(self, arguments: tuple[Any, ...], axes: list[Axis]) -> None:
        """Refuse mapped arguments of which there are no elements."""
        rest = iter(axes)
        for argument in arguments:
            mapped = [leaf for leaf, axis in zip(leaves(argument), rest, strict=False) if axis is not None]
            if not any(isinstance(leaf, Spec) for leaf in mapped):
                continue
            if any(isinstance(node, Stateful) for node in _nodes(argument, Stateful)):
                self.refuse("is mapped over a random generator", "in_axes=None for it")
            if not is_plain(structure(argument)):
                what = "a structured array, or another object that stands for arrays"
                self.refuse(f"is mapped over {what}", "arrays, or in_axes=None for it")

    # Results

    def outputs(self, result: Any, loop: MappedLoop) -> tuple[list[Output], Any]:
        """The results over the batch, and the structure that they go to."""
        if any(isinstance(node, Rows | Structured) for node in _nodes(result, (Rows, Structured))):
            self.refuse("returns a list whose length is known at run time, or a structured array", "an array")

        def wrong() -> Exception:
            return ValueError(
                f"vmap out_axes specification must be a tree prefix of the corresponding value, got {self.out_axes!r} "
                f"for the result of {name_of(self.function)}"
            )

        axes = spread(self.out_axes, result, wrong)
        found, tree = flatten(result)
        names = paths(result, f"the result of {name_of(self.function)}")
        outputs: list[Output] = []
        places: list[Any] = []
        for leaf, axis, name in zip(found, axes, names, strict=True):
            if isinstance(leaf, Leaf):
                places.append(Leaf(len(outputs)))
                outputs.append(self.output(leaf.index, axis, name, loop))
            else:
                places.append(leaf)
        return outputs, tree.unflatten(places)

    def output(self, index: int, axis: Axis, name: str, loop: MappedLoop) -> Output:
        if axis is None:
            if loop.varies(index):
                raise ValueError(f"vmap has mapped output but out_axes is None: {name} depends on mapped arguments")
            return Output(index, None, name)
        rank = loop.type(index).rank
        place = counted(axis, rank + 1)
        if place is None:
            raise ValueError(f"vmap: out_axes {axis} for {name}, which has {rank + 1} axes with the mapped one")
        return Output(index, place, name)


def _with_constant(parameter: inspect.Parameter) -> inspect.Parameter:
    default = parameter.default
    if default is parameter.empty or isinstance(default, Static):
        return parameter
    return parameter.replace(default=Static(default))


def _element(spec: Spec, along: Along) -> Spec:
    """An element along an axis."""
    return replace(spec, shape=(*spec.shape[: along.axis], *spec.shape[along.axis + 1 :]), python=False)


def _nodes(tree: Any, kind: type | tuple[type, ...]) -> list[Any]:
    """The leaves of a tree, where nodes of these classes count as leaves."""
    found: list[Any] = []
    map_nodes(found.append, tree, kind)
    return found
