"""Calls of every kind that a second process makes again; run as a script it prints what came of each.

python -m tests.cache.programs [NAME …]
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.special
import scipy.stats

import adcore
from adcore import cache, grad, hessian, jacfwd, jacrev, jit, jvp, loop_policy, value_and_grad, vjp

X = np.linspace(0.5, 1.5, 6)
MATRIX = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.25], [0.5, 0.25, 2.0]])
WEIGHTS = np.linspace(1.0, 2.0, 6)
STRIDED = np.linspace(1.0, 2.0, 12)[::2]
SCALAR = np.array(1.5)
RNG = np.random.default_rng(5)
SPARSE = scipy.sparse.csr_matrix(np.diag([1.0, 2.0, 3.0]) + np.eye(3, k=1))
TABLE = np.array([(1.0, 2), (3.0, 4)], [("a", "f8"), ("n", "i8")])


@dataclass
class Layer:
    w: np.ndarray
    b: float
    title: str = "plain"

    def __call__(self, x: Any) -> Any:
        return np.tanh(self.w * x + self.b)


class Point(NamedTuple):
    x: float
    y: float

    def norm(self) -> float:
        return math.hypot(self.x, self.y)


class Settings:
    def __init__(self) -> None:
        self.rate = 0.5
        self.layer = Layer(np.ones(6), 0.25)


SETTINGS = Settings()
ADD = functools.partial(lambda x, k: x + k, k=2)


def chain(x):
    return np.sum(np.sin(x) * np.exp(-x) / (1.0 + x * x))


def network(layer, x):
    return np.sum(layer(x))


def with_objects(x):
    return np.sum(SETTINGS.layer(x)) * SETTINGS.rate


def loop(x, n):
    y = np.zeros(n)
    for i in range(n):
        y[i] = x * (y[i - 1] if i else 1.0)
    return y[n - 1]


def bounded(x, k):
    if k < 0:
        raise ValueError(f"{k} is negative")
    return x[k] * x[k]


def solved(b):
    return np.sum(np.linalg.solve(MATRIX, b) * b) + np.linalg.slogdet(MATRIX * b[0])[1]


def noisy(x, rng):
    return np.sum(x * rng.normal(size=6))


def noisy_global(x):
    return np.sum(x * RNG.normal(size=6))


def increments(x, out):
    out += x
    return np.sum(out * x)


def appended(items, x):
    items.append(x * 2.0)
    return items[0] * x


def fails(x):
    return x[7]


@grad
def decorated(x):
    return x * x * x


def called(x):
    return decorated(x) * grad(chain)(np.full(2, x))[0]


def of(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a call of the primitive's pullback gives."""
    value, pullback = vjp(function, *arguments)
    return value, pullback(np.ones_like(value) if np.ndim(value) else 1.0)


def twice(g: Callable[..., Any], *arguments: Any) -> list[Any]:
    return [g(*arguments), g(*arguments)]


def message(g: Callable[..., Any], *arguments: Any) -> list[Any]:
    """Where and how a call fails."""
    try:
        g(*arguments)
    except (IndexError, ValueError) as error:
        trace = error.__traceback__
        assert trace is not None
        while trace.tb_next is not None:
            trace = trace.tb_next
        return [type(error).__name__, str(error), trace.tb_lineno, trace.tb_frame.f_code.co_filename]
    raise AssertionError("it does not fail")


def with_policy() -> Any:
    with loop_policy("revolve", snapshots=2):
        return grad(loop)(1.1, 9)


def changed() -> list[Any]:
    items = [1.0]
    return [jit(appended)(items, 3.0), items]


def written() -> list[Any]:
    out = np.ones(6)
    return [jit(increments)(X, out), out]


PROGRAMS: dict[str, Callable[[], Any]] = {
    "grad": lambda: grad(chain)(X),
    "value and grad": lambda: value_and_grad(chain)(X),
    "jit": lambda: jit(chain)(X),
    "jvp": lambda: jvp(chain, (X,), (WEIGHTS,)),
    "vjp": lambda: of(chain, X),
    "vjp of an array": lambda: of(lambda x: np.cumsum(x * x), X),
    "jacfwd": lambda: jacfwd(lambda x: x * np.sum(x))(X),
    "jacrev": lambda: jacrev(lambda x: x * np.sum(x))(X),
    "hessian": lambda: hessian(chain)(X),
    "nested": lambda: grad(lambda x: np.sum(grad(chain)(x) ** 2))(X),
    "called inside": lambda: jit(called)(1.25),
    "decorated": lambda: decorated(1.25),
    "checkpoint": lambda: grad(adcore.checkpoint(loop))(1.1, 9),
    "policy": with_policy,
    "scalars": lambda: grad(lambda x, y: x**y, argnums=(0, 1))(1.5, 2.5),
    "complex": lambda: grad(lambda z: abs(z * z))(1.5 + 0.5j),
    "single precision": lambda: grad(chain)(X.astype(np.float32)),
    "static": lambda: grad(lambda x, names: x * len(names), static_argnums=1)(2.0, ("a", 1.5, None)),
    "dataclass": lambda: dataclasses.astuple(grad(network)(Layer(np.ones(6), 0.5), X)),
    "NamedTuple": lambda: grad(Point.norm)(Point(3.0, 4.0)),
    "dict": lambda: grad(lambda d: d["a"][0] * d["b"])({"a": [1.5, 2.0], "b": 3.0}),
    "a NamedTuple that is made": lambda: jit(lambda x: Point(x, 2.0 * x))(1.5),
    "a dataclass that is made": lambda: dataclasses.astuple(jit(lambda x: Layer(x * X, 2.0, "made"))(1.5)),
    "a string that is returned": lambda: jit(lambda x: (x, "text", None, 2.5, True))(1.5),
    "globals": lambda: grad(lambda x: np.sum(x * WEIGHTS))(X),
    "a global with strides": lambda: twice(grad(lambda x: np.sum(x * STRIDED)), X),
    "a global of rank 0": lambda: twice(grad(lambda x: x * SCALAR), 2.0),
    "objects": lambda: grad(with_objects)(X),
    "partial": lambda: grad(ADD)(1.5),
    "closure": lambda: [grad(lambda x, k=k: x * k * WEIGHTS[0])(1.5) for k in (2.0, 3.0)],
    "linear algebra": lambda: grad(solved)(np.ones(3)),
    "Fourier transform": lambda: grad(lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2))(X),
    "special functions": lambda: grad(lambda x: scipy.special.gammaln(x) + scipy.special.jv(1, x))(1.5),
    "distributions": lambda: grad(lambda x: scipy.stats.norm.logpdf(x, 0.5, 2.0))(1.5),
    "sorted": lambda: grad(lambda x: np.sum(np.sort(x)[::-1] * X))(X[::-1].copy()),
    "matrices": lambda: grad(lambda x: np.sum((MATRIX @ x) ** 2))(np.ones((3, 20))),
    "sparse argument": lambda: grad(lambda a: np.sum((a @ np.ones(3)) ** 2))(SPARSE).values,
    "sparse global": lambda: grad(lambda x: np.sum((SPARSE @ x) ** 2))(np.ones(3)),
    "sparse solution": lambda: grad(lambda x: np.sum(scipy.sparse.linalg.spsolve(SPARSE, x)))(np.ones(3)),
    "structured argument": lambda: grad(lambda t: np.sum(t["a"] * t["n"]))(TABLE)["a"],
    "structured global": lambda: grad(lambda x: np.sum(x * TABLE["a"]))(np.ones(2)),
    "a generator": lambda: twice(grad(noisy), X, np.random.default_rng(3)),
    "a generator outside": lambda: twice(grad(noisy_global), X),
    "a list that is changed": changed,
    "an array that is changed": written,
    "an index out of range": lambda: message(grad(lambda x: fails(x)), X),
    "an exception": lambda: message(grad(bounded), X, -1),
    "an exception of a pullback": lambda: message(lambda x: of(fails, x), X),
    "readable": lambda: adcore.source(grad(lambda x: x * x), 1.25),
}


def exactly(value: Any) -> Any:
    """A result so that its JSON says all of it."""
    if isinstance(value, np.ndarray | np.generic):
        return [str(value.dtype), list(value.shape), value.tobytes().hex()]
    if isinstance(value, float):
        return value.hex()
    if isinstance(value, complex):
        return [value.real.hex(), value.imag.hex()]
    if isinstance(value, dict):
        return {k: exactly(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [type(value).__name__, *map(exactly, value)]
    return value


def main(names: list[str]) -> None:
    counts, found = cache.COUNTS, {}
    for name in names or PROGRAMS:
        before = counts.served, counts.stored
        result = exactly(PROGRAMS[name]())
        found[name] = {"result": result, "served": counts.served - before[0], "stored": counts.stored - before[1]}
    print(json.dumps({"programs": found, "refused": counts.refused}))


if __name__ == "__main__":
    main(sys.argv[1:])
