"""Random subscripts, of slices, integers, index arrays, masks, new axes and ellipses, read and written.

The primal is compared with NumPy; every function here is linear or quadratic in its real arguments, so that central
differences are exact up to rounding, and reverse mode is compared with forward mode by a dot product.
"""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from typing import Any

import numpy as np
from adcore_llvm import LLVMBackend
from adcore_numpy import interpret
from adcore_python import PythonFrontend
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from adcore.derive import pull, push
from adcore.errors import AdcoreError
from adcore.plugins import Spec
from adcore.transforms import without_writes
from adcore.types import DType
from adcore.verify import verify

BACKEND = LLVMBackend()


@dataclass(frozen=True)
class Subscript:
    """An array's shape, a subscript of it, and the index arrays that it names."""

    shape: tuple[int, ...]
    text: str
    arrays: dict[str, np.ndarray]

    @property
    def index(self) -> Any:
        class Itself:
            def __getitem__(self, index: Any) -> Any:
                return index

        return eval(f"itself[{self.text}]", {"itself": Itself(), "np": np, **self.arrays})


@st.composite
def subscripts(draw: st.DrawFn) -> Subscript:
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    lengths = tuple(draw(st.lists(st.integers(2, 3), min_size=1, max_size=2)))
    arrays: dict[str, np.ndarray] = {}
    items: list[str] = []
    axis = 0
    count = None  # of the places of the masks so far, which all index arrays have to fit
    while axis < len(shape) and (draw(st.booleans()) or not items):
        kind = draw(st.sampled_from(("integer", "slice", "slice", "array", "array", "array", "mask", "new", "list")))
        if kind == "integer":
            items.append(str(draw(st.integers(-shape[axis], shape[axis] - 1))))
        elif kind == "slice":
            items.append(draw(slices()))
        elif kind == "mask" and count is None and not any("[" in i or "i" in i for i in items):
            rank = draw(st.integers(1, min(2, len(shape) - axis)))
            taken = shape[axis : axis + rank]
            cells = draw(st.lists(st.booleans(), min_size=int(np.prod(taken)), max_size=int(np.prod(taken))))
            arrays["m"] = np.array(cells).reshape(taken)
            items.append("m")
            count = int(arrays["m"].sum())
            axis += rank - 1
        elif kind == "array":
            fitting = (lengths, lengths[-1:], (1,) * len(lengths)) if count in (None, 1) else ((count,), (1, 1))
            own = draw(st.sampled_from(fitting))
            name = f"i{len(arrays)}"
            arrays[name] = draw(index_array(own, shape[axis]))
            items.append(name)
        elif kind == "list" and count is None and len(lengths) == 1:
            items.append(str(draw(index_array(lengths, shape[axis])).tolist()))
        elif kind == "new":
            items.append("None")
            axis -= 1
        else:
            items.append(":")
        axis += 1
    if axis < len(shape) and draw(st.booleans()):
        items.append("...")
        items.extend(draw(slices()) for _ in range(draw(st.integers(0, len(shape) - axis))))
    return Subscript(shape, ", ".join(items) + ("," if len(items) == 1 else ""), arrays)


def index_array(shape: tuple[int, ...], length: int) -> st.SearchStrategy[np.ndarray]:
    size = int(np.prod(shape))
    places = st.lists(st.integers(-length, length - 1), min_size=size, max_size=size)
    return places.map(lambda found: np.array(found, dtype=np.int64).reshape(shape))


def slices() -> st.SearchStrategy[str]:
    bound = st.sampled_from(("", "", "0", "1", "2", "-1", "-2"))
    return st.tuples(bound, bound, st.sampled_from(("", "", "1", "2", "-1", "-2"))).map(":".join)


READS = ("return x[{0}]", "y = x[::-1]\nreturn y[{0}] * y[{0}]", "y = x.T.T[{0}]\nx[{0}] = 0.0\nreturn y + x[{0}]")
WRITES = (
    "y = x * 1.0\ny[{0}] = v\nreturn y",
    "y = x * 1.0\ny[{0}] = 2.5\nreturn y",
    "y = x * 1.0\ny[{0}] += v\nreturn y",
    "y = x * 1.0\ny[{0}] *= v\nreturn y",
    "y = x * 1.0\ny[{0}] -= 0.5 * y[{0}]\nreturn y",
    "y = x * 1.0\nz = y[::-1]\nz[{0}] = v\nreturn y * z",
    "y = x * 1.0\ny.T.T[{0}] -= v\nreturn y[{0}] * v",
    "y = x * 1.0\ny[{0}] = v\ny[{0}] = y[{0}] * v\nreturn y",
)


def made(body: str, parameters: list[str]) -> Any:
    text = f"def f({', '.join(parameters)}):\n    " + body.replace("\n", "\n    ") + "\n"
    note(text)
    file = f"<subscript {hash(text)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    namespace: dict[str, Any] = {"np": np}
    exec(compile(text, file, "exec"), namespace)
    return namespace["f"]


def spec(value: np.ndarray) -> Spec:
    return Spec(DType(value.dtype.name), tuple(1 if n == 1 else None for n in value.shape))


def check(body: str, subscript: Subscript, real: dict[str, np.ndarray]) -> None:
    function = made(body.format(subscript.text), [*real, *subscript.arrays])
    values = [*real.values(), *subscript.arrays.values()]
    note(repr({**{k: v.shape for k, v in real.items()}, **subscript.arrays}))
    try:
        expected = function(*(v.copy() for v in values))
    except (IndexError, ValueError) as error:
        refused(function, values, type(error))
        return
    program = without_writes(PythonFrontend().lower(function, tuple(map(spec, values)))).program
    verify(program)
    np.testing.assert_allclose(interpret(program, values)[0], expected, rtol=1e-13)

    rng = np.random.default_rng(0)
    wrt = list(range(len(real)))
    tangents = [rng.normal(size=values[k].shape) for k in wrt]
    pushed = push(program, wrt)
    verify(pushed)
    tangent = interpret(pushed, [*values, *tangents])[1]
    ends = [[v + s * t for v, t in zip(values, tangents, strict=False)] for s in (1.0, -1.0)]
    above, below = (function(*(v.copy() for v in (*e, *values[len(wrt) :]))) for e in ends)
    np.testing.assert_allclose(tangent, (above - below) / 2, rtol=1e-11, atol=1e-11)

    pulled = pull(program, wrt)
    verify(pulled)
    cotangent = rng.normal(size=np.shape(expected))
    arguments = [v if np.shape(v) else float(v) for v in (*values, cotangent)]
    results = interpret(pulled, arguments)
    forward = np.sum(cotangent * tangent)
    backward = sum(np.sum(g * t) for g, t in zip(results[1:], tangents, strict=True))
    np.testing.assert_allclose(backward, forward, rtol=1e-10, atol=1e-10)
    for ours, theirs in zip(BACKEND.compile(pulled)(*arguments), results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def refused(function: Any, values: list[np.ndarray], kind: type[Exception]) -> None:
    """Where NumPy raises, the program raises the same, or is refused at compile time."""
    try:
        program = PythonFrontend().lower(function, tuple(map(spec, values))).program
    except AdcoreError:
        return
    try:
        interpret(program, values)
    except kind:
        return
    raise AssertionError(f"{kind.__name__} is not raised")


relaxed = settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))


@relaxed
@given(subscripts(), st.sampled_from(READS))
def test_reads(subscript, body):
    real = {"x": np.random.default_rng(1).normal(size=subscript.shape)}
    check(body, subscript, real)


@relaxed
@given(subscripts(), st.sampled_from(WRITES), st.integers(0, 3))
def test_writes(subscript, body, dropped):
    rng = np.random.default_rng(2)
    x = rng.normal(size=subscript.shape)
    shape = np.shape(x[subscript.index])
    check(body, subscript, {"x": x, "v": rng.normal(size=shape[min(dropped, len(shape)) :])})
