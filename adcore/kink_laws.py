"""The law of kinks: a margin is 0 at the kink, and on either side of it the row is the piece that belongs there."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .primitives.kinks import Effect, Kink

if TYPE_CHECKING:
    from .laws import Case
    from .program import Program

__all__ = ["TOUCHING", "pieces"]

Execute = Callable[["Program", tuple[Any, ...]], tuple[Any, ...]]

STEP = 2.0**-10
COMPARED = ((1.5, 1.5), (0.0, 0.0), (-2.0, -2.0))

# Points on the kinks of rows whose pieces are known.
TOUCHING: dict[str, tuple[tuple[Any, ...], ...]] = {
    **dict.fromkeys(("lt", "le", "gt", "ge", "eq", "ne", "maximum", "minimum"), COMPARED),
    "abs": ((0.0,),),
    "sign": ((0.0,),),
    "floor": ((2.0,), (0.0,), (-3.0,)),
    "ceil": ((2.0,), (0.0,), (-3.0,)),
    "trunc": ((2.0,), (0.0,), (-3.0,)),
    "cast": ((2.0,), (0.0,), (-3.0,)),
    "rint": ((0.5,), (1.5,), (-2.5,)),
    "floordiv": ((3.0, 1.5), (-3.0, 1.5), (0.0, 2.0)),
    "mod": ((3.0, 1.5), (-3.0, 1.5), (0.0, 2.0)),
    "fmod": ((3.0, 1.5), (-3.0, 1.5), (3.0, -1.5)),
    "copysign": ((0.0, 1.0), (0.0, -1.0), (2.0, 0.0), (-2.0, 0.0)),
    "arctan2": ((0.0, -1.0), (0.0, -2.5)),
    "ive": ((1.0, 0.0),),
    "i0e": ((0.0,),),
}


def pieces(case: Case, execute: Execute) -> None:
    """Of a row whose pieces are known, the margin, and that they are what it is beside the kink."""
    for kink in case.primitive.kinks:
        if not kink.sided or any(o.axes for o in case.example.operands):
            continue
        case.restart()
        assert kink.margin is not None
        margin = kink.margin(case.builder, case.equation)
        if margin is None or margin.type.dtype.complex or case.params[0].type.dtype.integer:
            continue
        points = TOUCHING.get(case.primitive.name)
        if points is None:
            case.fail(f"its kink at {kink} has pieces, and no point of it is in TOUCHING")
        assert kink.below is not None
        assert kink.above is not None
        sides = (kink.below(case.builder, case.equation), kink.above(case.builder, case.equation))
        if sides[0].type.dtype is not case.equation.outs[0].type.dtype:
            continue
        run = functools.partial(execute, case.program(margin, *sides, case.equation.outs[0]))
        seen = [_beside(case, kink, run, np.array(point)) for point in points]
        if not any(seen):
            case.fail(f"no point in TOUCHING touches its kink at {kink}")
    case.restart()


def _beside(case: Case, kink: Kink, run: Callable[[tuple[Any, ...]], tuple[Any, ...]], point: np.ndarray) -> bool:
    """Look around a point; whether it is on the kink."""
    dtypes = [o.dtype.numpy for o in case.example.operands]
    if len(dtypes) != len(point) or any(d.kind not in "f" for d in dtypes):
        return True  # an example with other operands

    def at(x: np.ndarray) -> tuple[Any, ...]:
        return run(tuple(d.type(v) for d, v in zip(dtypes, x, strict=True)))

    margin, below, above, value = at(point)
    if margin != 0.0:
        return False
    if kink.effect is Effect.BEND and not below == above == value:
        case.fail(f"at {point} the pieces are {below} and {above}, the row is {value}")
    signs: set[float] = set()
    for k in range(len(point)):
        for step in (-STEP, STEP):
            moved = point + step * np.eye(len(point))[k]
            margin, below, above, value = at(moved)
            if margin == 0.0 or not np.isfinite(margin):
                continue
            signs.add(np.sign(margin))
            piece = above if margin > 0.0 else below
            if not np.isclose(float(piece), float(value), rtol=1e-6, atol=1e-12):
                case.fail(f"at {moved} the piece is {piece}, the row is {value}")
    if signs != {-1.0, 1.0}:
        case.fail(f"around {point} the margin has the signs {signs}")
    return True
