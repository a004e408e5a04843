"""Functions of Python and declarations of C, brought together."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, cast

import numpy as np

from ..api import jit
from ..arguments import abstract, as_flat
from ..dispatch import Transformed
from ..errors import AdcoreError, SignatureError, refuse
from ..plugins import Leaf, Lowered, Rows, Spec, Static
from ..program import Program
from ..signatures import definition, name_of
from ..trees import PyTreeSpec, flatten, leaves, map_nodes
from ..types import DType, Lit, literal
from .plans import Declaration, Element, Frozen, Given, Into, Native, Parameter, Returned

__all__ = ["check_changes", "fitted", "lowered_with", "refuse_fit"]

SHORT = 4  # the longest axis whose length a program may be specialised on
INTEGERS = {d for d in DType if d.kind in "iu"}


def fitted(g: Callable[..., Any], declared: Declaration) -> Native:
    """A function as the C function that is declared.

    Raises:
        SignatureError: it takes or returns something else.
        AdcoreError: as a call of it: it is outside of the language, or cannot be differentiated.
    """
    function = g if isinstance(g, Transformed) else jit(g)
    lengths = {n for p in declared.parameters for n in p.lengths if isinstance(n, str)}
    spread = _spread(function, declared, lengths)
    given, in_place = (spread, False) if spread else _given(function, declared, lengths)
    values = [_placeholder(declared.parameters[each.index], each) for each in given]
    lowered, frozen = lowered_for(function, values, [_spec(declared, each) for each in given])
    arguments = (*given, *map(Frozen, frozen))
    _check_writes(function, declared, lowered, given)
    results, status = _results(function, declared, lowered, lengths, given, in_place)
    return Native(declared, lowered.program, arguments, results, status)


# Arguments


def _counts(function: Any) -> tuple[int, float]:
    """How many arguments a function needs by position, and how many it takes."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = list(function.transform.signature().parameters.values())
    named = [p for p in parameters if p.kind in kinds]
    rest = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return sum(p.default is p.empty for p in named), float("inf") if rest else len(named)


def _spread(function: Any, declared: Declaration, lengths: set[str]) -> list[Given | Element]:
    """An element of the array for each argument, where a function takes several numbers."""
    needed, most = _counts(function)
    if not declared.spread or needed < 2 or most == float("inf"):
        return []
    array = next(k for k, p in enumerate(declared.parameters) if p.lengths)
    return [Element(array, position, needed) for position in range(needed)]


def _given(function: Any, declared: Declaration, lengths: set[str]) -> tuple[list[Given | Element], bool]:
    """The parameters that are arguments of the function; whether it writes into some of them.

    Those are the numbers that are not lengths and what is only read; all other pointers are to results, unless the
    function takes them as arguments, too.
    """
    passed = [k for k, p in enumerate(declared.parameters) if p.dtype is not None and p.name not in lengths]
    read = [k for k in passed if not declared.parameters[k].pointer or declared.parameters[k].const]
    needed, most = _counts(function)
    if needed <= len(read) <= most:
        return [Given(k) for k in read], False
    if needed <= len(passed) <= most:
        return [Given(k) for k in passed], True
    names = ", ".join(declared.parameters[k].name for k in read)
    cause = f"{name_of(function)} takes {needed} arguments, and the signature gives {len(read)} ({names or 'none'})"
    written = [k for k in passed if k not in read]
    if written:
        cause += (
            f", beside pointers to {len(written)} results ({', '.join(declared.parameters[k].name for k in written)})"
        )
    return refuse_fit(function, declared, cause, "const before the type of what is only read")


def _spec(declared: Declaration, each: Given | Element) -> Spec:
    """What the program is specialised on for an argument."""
    parameter = declared.parameters[each.index]
    assert parameter.dtype is not None
    if isinstance(each, Element) or not parameter.lengths:
        dtype = DType.I64 if parameter.dtype in INTEGERS and parameter.dtype is not DType.U64 else parameter.dtype
        return Spec(dtype, (), python=dtype in (DType.F64, DType.I64, DType.BOOL, DType.C128))
    fixed = all(isinstance(n, int) and 1 <= n <= SHORT for n in parameter.lengths)
    ones = (n if n == 1 and isinstance(n, int) else None for n in parameter.lengths)
    return Spec(parameter.dtype, cast("tuple[int, ...]", parameter.lengths) if fixed else tuple(ones))


def _placeholder(parameter: Parameter, each: Given | Element) -> Any:
    """A value that has the place of an argument while a call is bound."""
    assert parameter.dtype is not None
    if isinstance(each, Element) or not parameter.lengths:
        return parameter.dtype.numpy.type(1)
    return np.zeros((1,) * len(parameter.lengths), parameter.dtype.numpy)


def lowered_for(function: Any, values: Sequence[Any], specs: Sequence[Spec]) -> tuple[Lowered, list[Any]]:
    """A transformed function for such arguments by position: what it is as a Program, and its further parameters.

    Those are defaults and captured values, as they are now.  `values` have the places of the arguments in the call.
    """
    found, tree = flatten(function.dispatcher.bind(tuple(values), {}))
    constant = [k for k in range(len(values)) if isinstance(found[k], Static)]
    if constant:
        cause = f"argument {constant[0]} of {name_of(function)} is a constant, which a C function cannot be given"
        refuse(SignatureError, cause, definition(function), "a lambda that calls it with the constant")
    return lowered_with(function, found, tree, specs)


def lowered_with(
    function: Any, found: Sequence[Any], tree: PyTreeSpec, specs: Sequence[Spec | Static]
) -> tuple[Lowered, list[Any]]:
    """The same for a call with these leaves, of which the first ones are as `specs` say."""
    rest = [abstract(v) for v in found[len(specs) :]]
    try:
        lowered = function.__adcore_lower__(tree.unflatten([*specs, *rest]))
    except AdcoreError as error:
        raise error.with_traceback(None) from None  # the user's line is in the message
    defaults = [v for v, spec in zip(found[len(specs) :], rest, strict=True) if isinstance(spec, Spec)]
    frozen = [_frozen(v) for v in (*defaults, *(c.read() for c in lowered.captures))]
    if sum(isinstance(s, Spec) for s in specs) + len(frozen) != len(lowered.program.params):
        cause = f"{name_of(function)} is a universal function with further arguments"
        refuse(SignatureError, cause, definition(function), f"lambda x: {name_of(function)}(x) in its place")
    return lowered, frozen


def _frozen(value: Any) -> Any:
    """A copy of a number or an array."""
    flat = as_flat(value)
    return np.array(flat, order="C") if isinstance(flat, np.ndarray) else flat


def check_changes(function: Any, lowered: Lowered, given: Sequence[Any]) -> None:
    """Refuse a function that changes what C has no place for; `given` are the program's parameters that C gives."""
    what = ""
    if any(c.contents is not None for c in lowered.changes):
        what = "changes a list, dict or object"
    for write in lowered.writes:
        name = lowered.program.params[write.param].name
        if write.state:
            what = f"draws from the random generator {name!r}"
        elif write.result is not None and (write.param >= len(given) or not isinstance(given[write.param], Given)):
            what = f"writes into {name!r}, which is no argument in C"
    if what:
        refuse(SignatureError, f"{name_of(function)} {what}, which a C function cannot do", definition(function))


def _check_writes(function: Any, declared: Declaration, lowered: Lowered, given: Sequence[Given | Element]) -> None:
    """Refuse a function that changes what is only read in C."""
    check_changes(function, lowered, given)
    for write in lowered.writes:
        if write.result is None:
            continue
        parameter, name = declared.parameters[given[write.param].index], lowered.program.params[write.param].name
        if parameter.const:
            refuse_fit(function, declared, f"{name_of(function)} writes into {name!r}, and {parameter} is only read")


# Results


def _results(
    function: Any,
    declared: Declaration,
    lowered: Lowered,
    lengths: set[str],
    given: Sequence[Given | Element],
    in_place: bool,
) -> tuple[tuple[Returned | Into, ...], bool]:
    """Where each result of the program goes, and whether what is returned is a status."""
    order = _returned_results(function, declared, lowered)
    outs = [k for k, p in enumerate(declared.parameters) if p.pointer and p.dtype and not p.const and not in_place]
    program = lowered.program
    places: dict[int, Returned | Into] = {}
    for write in lowered.writes:
        if write.result is not None:
            place = given[write.param]
            places[write.result] = Into(place.index)
    by_status = len(order) == len(outs) and (declared.returns in INTEGERS)
    if declared.success is not None:
        by_status = True
    if declared.returns is not None and not by_status:
        if not order:
            refuse_fit(function, declared, f"{name_of(function)} returns nothing to return as {declared.spelling}")
        _require(function, declared, program, order[0], declared.returns, (), f"what {declared.spelling} returns")
        places[order.pop(0)] = Returned()
    if len(order) != len(outs):
        pointers = ", ".join(str(declared.parameters[k]) for k in outs) or "none"
        cause = f"{name_of(function)} has {len(order)} results to write, and there are {len(outs)} pointers for them"
        refuse_fit(function, declared, f"{cause} ({pointers})")
    for result in order:
        rank = program.results[result].type.rank
        fitting = [k for k in outs if len(declared.parameters[k].lengths) == rank]
        kind = f"an array of rank {rank}" if rank else "a number"
        if not fitting:
            pointers = ", ".join(str(declared.parameters[k]) for k in outs)
            refuse_fit(function, declared, f"a result is {kind}, and what is left is {pointers}")
        parameter = declared.parameters[fitting[0]]
        assert parameter.dtype is not None
        _require(function, declared, program, result, parameter.dtype, parameter.lengths, str(parameter))
        places[result] = Into(fitting[0])
        outs.remove(fitting[0])
    return tuple(places[k] for k in range(len(program.results))), by_status


def _returned_results(function: Any, declared: Declaration, lowered: Lowered) -> list[int]:
    """The results of the program that the function returns, in order."""
    rows: list[Any] = []
    map_nodes(rows.append, lowered.result, Rows)
    if any(isinstance(r, Rows) for r in rows):
        refuse_fit(function, declared, "the length of a list that is returned is known at run time only", "an array")
    order = []
    for leaf in leaves(lowered.result):
        if isinstance(leaf, Leaf):
            order.append(leaf.index)
        elif not isinstance(leaf, Static) or leaf.value is not None:
            refuse_fit(function, declared, f"{getattr(leaf, 'value', leaf)!r} among the results is no number or array")
    return order


def _require(
    function: Any,
    declared: Declaration,
    program: Program,
    result: int,
    dtype: DType,
    lengths: tuple[Any, ...],
    what: str,
) -> None:
    """Refuse a result that has another type than its place."""
    type = program.results[result].type
    kind = f"an array of rank {type.rank} of {type.dtype.value}" if type.rank else f"a {type.dtype.value}"
    same = type.dtype is dtype if type.rank else np.can_cast(type.dtype.numpy, dtype.numpy, "safe")
    if type.rank != len(lengths) or not same:
        refuse_fit(function, declared, f"a result of {name_of(function)} is {kind}, and does not fit {what}")
    for axis, (found, wanted) in enumerate(zip(type.shape, lengths, strict=True)):
        if isinstance(found, Lit) and isinstance(wanted, int) and found != literal(wanted):
            cause = (
                f"a result of {name_of(function)} has length {found.value} along axis {axis}, and does not fit {what}"
            )
            refuse_fit(function, declared, cause)


def refuse_fit(function: Any, declared: Declaration, cause: str, write: str = "") -> NoReturn:
    refuse(SignatureError, f"{declared.text or declared}: {cause}", definition(function), write)
