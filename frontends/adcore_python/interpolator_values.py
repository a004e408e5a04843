"""SciPy's splines and interpolators that come from outside: taken apart into what stands for them in the library.

An object is described by what compiled code is specialised on, numbers, strings and tuples, and by the paths to the
arrays that are read at every call.
"""

from __future__ import annotations

import sys
from functools import cache, partial, reduce
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from adcore.errors import UnsupportedFunctionError

from .library.gridded import Gridded, Interpolated
from .library.piecewise import PERIODIC, Pieces
from .library.splines import Spline
from .outside import constant, part
from .values import Fields, Record, Tuple, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from .lowering import Lowering

__all__ = ["constant_interpolator", "outside_interpolator"]

KINDS = {kind.__name__: kind for kind in (Gridded, Interpolated, Pieces, Spline)}
Path = tuple[str | int, ...]


class Described(NamedTuple):
    """What stands for an object.

    Attributes:
        kind: the name of a class of the library.
        constants: fields, and what they are.
        arrays: fields, and the paths to them.
        rows: fields that are tuples of arrays, and the paths to these.
        inner: fields that are objects of SciPy's themselves, with the attribute that holds them.
    """

    kind: str
    constants: tuple[tuple[str, Any], ...]
    arrays: tuple[tuple[str, Path], ...]
    rows: tuple[tuple[str, tuple[Path, ...]], ...] = ()
    inner: tuple[tuple[str, str, Any], ...] = ()


def _described(x: Any) -> Described | None:
    """What stands for an object; None where nothing does."""
    scipy = sys.modules.get("scipy.interpolate")
    if scipy is None:
        return None
    if isinstance(x, scipy.PPoly):
        c, ends = _held(x, "c"), _held(x, "x")
        knots = getattr(x, ends)
        if knots[0] > knots[-1]:
            return None
        constants = ("extrapolate", _beyond(x)), ("axis", int(x.axis)), ("order", len(getattr(x, c)))
        return Described("Pieces", constants, (("c", (c,)), ("x", (ends,))))
    if isinstance(x, scipy.BSpline):
        constants = ("k", int(x.k)), ("extrapolate", _beyond(x)), ("axis", int(x.axis))
        return Described("Spline", constants, (("t", (_held(x, "t"),)), ("c", (_held(x, "c"),))))
    if isinstance(x, scipy.UnivariateSpline) and x.ext == 0:
        constants = ("k", int(x._eval_args[2])), ("extrapolate", True), ("axis", 0)
        return Described("Spline", constants, (("t", ("_eval_args", 0)), ("c", ("_eval_args", 1))))
    if isinstance(x, scipy.interp1d):
        return _line(x)
    if isinstance(x, scipy.RegularGridInterpolator):
        return _grid(x)
    return None


def _held(x: Any, name: str) -> str:
    """The attribute that holds an array, of which newer versions of SciPy make a property that takes its time."""
    return f"_{name}" if hasattr(x, f"_{name}") else name


def _beyond(x: Any) -> bool | str:
    return PERIODIC if isinstance(x.extrapolate, str) else bool(x.extrapolate)


def _line(x: Any) -> Described:
    everywhere = bool(x._extrapolate)
    constants = (
        *(("axis", int(x._y_axis)), ("kind", x._kind), ("extrapolate", everywhere)),
        ("bounds_error", bool(x.bounds_error)),
    )
    arrays: tuple[tuple[str, Path], ...] = (("x", ("x",)), ("y", ("y",)))
    if everywhere:
        constants = (*constants, ("below", None), ("above", None))
    else:
        arrays = (*arrays, ("below", ("_fill_value_below",)), ("above", ("_fill_value_above",)))
    spline = getattr(x, "_spline", None)
    if spline is None:
        return Described("Interpolated", (*constants, ("spline", None)), arrays)
    return Described("Interpolated", constants, arrays, (), (("spline", "_spline", _described(spline)),))


def _grid(x: Any) -> Described:
    constants = ("method", x.method), ("bounds_error", bool(x.bounds_error))
    arrays: tuple[tuple[str, Path], ...] = (("values", ("_values",)),)
    if x.fill_value is None:
        constants = (*constants, ("fill_value", None))
    else:
        arrays = (*arrays, ("fill_value", ("fill_value",)))
    return Described("Gridded", constants, arrays, (("grid", tuple(("_grid", k) for k in range(len(x._grid)))),))


def _read(described: Described, path: Path, x: Any) -> Any:
    """An array of an object.

    Raises:
        ValueError: the object is not what was described.
    """
    if _described(x) != described:
        raise ValueError(f"a {type(x).__name__} of another kind is expected")
    return reduce(_step, path, x)


def _step(x: Any, step: str | int) -> Any:
    return x[step] if isinstance(step, int) else getattr(x, step)


@cache
def _reader(described: Described, path: Path) -> Callable[[Any], Any]:
    return partial(_read, described, path)


def outside_interpolator(low: Lowering, name: Any, owner: Any, found: Any) -> Record | None:
    """What stands for an object of `scipy.interpolate` from outside, read at every call; None of anything else."""
    if not type(found).__module__.startswith("scipy.interpolate.") or not callable(found):
        return None
    described = _described(found)
    if described is None:
        _refuse(low, found)
    return _record(low, name, owner, found, described, described, ())


def _refuse(low: Lowering, found: Any) -> NoReturn:
    kind = type(found).__name__
    if isinstance(found, sys.modules["scipy.interpolate"].PPoly):
        low.refuse(UnsupportedFunctionError, f"a {kind} whose x does not increase", "PPoly(c, x) with x increasing")
    cause = f"scipy.interpolate.{kind} is not supported"
    low.refuse(UnsupportedFunctionError, cause, "CubicSpline, BSpline, PPoly, interp1d, or RegularGridInterpolator")


def _record(
    low: Lowering, name: Any, owner: Any, found: Any, described: Described, whole: Described, before: Path
) -> Record:
    def read(path: Path) -> Value:
        at = (*before, *path)
        spoken = ".".join((str(name), *map(str, at)))
        return part(low, spoken, owner, name, found, _reader(whole, at))

    fields: dict[str, Value] = {field: constant(value) for field, value in described.constants}
    fields |= {field: read(path) for field, path in described.arrays}
    fields |= {field: Tuple(tuple(map(read, paths))) for field, paths in described.rows}
    for field, attribute, inner in described.inner:
        fields[field] = _record(low, name, owner, found, inner, whole, (*before, attribute))
    with low.inside(low.memory.root):
        return Record(
            low.memory.identity(Fields(fields), str(name), "defined outside the function"), KINDS[described.kind]
        )


def constant_interpolator(low: Lowering, found: Any) -> Record | None:
    """What stands for an object that something constant holds, a default or a tuple; None of anything else."""
    return outside_interpolator(low, type(found).__name__, {type(found).__name__: found}, found)
