"""Functions with stated derivatives, as text that adcore and JAX both take.

Each maker is given NumPy (or `jax.numpy`) and the decorators of either, and makes a function; its derivatives, of any
order and in any mode, are to be those that JAX finds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

__all__ = ["MADE", "Made"]


@dataclass(frozen=True)
class Made:
    """A function to differentiate.

    Attributes:
        make: from (numpy, custom_jvp, custom_vjp, stop_gradient).
        arguments: where.
        forward: whether there is forward mode here; JAX has none for `custom_vjp`.
    """

    make: Callable[..., Any]
    arguments: tuple[Any, ...]
    forward: bool = True

    @property
    def name(self) -> str:
        return self.make.__name__


X = np.array([0.5, -0.3, 1.7])


def log1pexp(np, custom_jvp, custom_vjp, stop_gradient):
    @custom_jvp
    def f(x):
        return np.log(1.0 + np.exp(x))

    @f.defjvp
    def f_jvp(primals, tangents):
        (x,) = primals
        (x_dot,) = tangents
        ans = f(x)
        return ans, (1.0 - 1.0 / (1.0 + np.exp(x))) * x_dot

    return lambda x: np.sum(f(x) * x)


def both_arguments(np, custom_jvp, custom_vjp, stop_gradient):
    @custom_jvp
    def f(x, y):
        return np.sin(x) * y

    @f.defjvp
    def f_jvp(primals, tangents):
        x, y = primals
        x_dot, y_dot = tangents
        return f(x, y), np.cos(x) * x_dot * y + np.sin(x) * y_dot

    return lambda x: np.sum(f(x, x * x) + f(2.0, x))


def by_argument(np, custom_jvp, custom_vjp, stop_gradient):
    @custom_jvp
    def f(x, y, z):
        return np.sin(x) * y + z

    f.defjvps(
        lambda x_dot, ans, x, y, z: 2.0 * np.cos(x) * x_dot * y,
        lambda y_dot, ans, x, y, z: (ans - z) / y * y_dot,
        None,
    )
    return lambda x: np.sum(f(x, x * x + 1.0, x * 3.0))


def branches(np, custom_jvp, custom_vjp, stop_gradient):
    @custom_jvp
    def f(x):
        return np.where(x > 0.0, np.sin(x), np.cos(x))

    @f.defjvp
    def f_jvp(primals, tangents):
        (x,) = primals
        (x_dot,) = tangents
        return f(x), np.where(x > 0.0, 2.0 * x * x_dot, 3.0 * x_dot)

    return lambda x: np.sum(f(x) ** 2)


def pullback(np, custom_jvp, custom_vjp, stop_gradient):
    @custom_vjp
    def f(x, y):
        return np.sin(x) * y

    def f_fwd(x, y):
        return f(x, y), (np.cos(x), np.sin(x), y)

    def f_bwd(res, g):
        cos_x, sin_x, y = res
        return (cos_x * g * y, 2.0 * sin_x * g)

    f.defvjp(f_fwd, f_bwd)
    return lambda x: np.sum(f(x, x * x) * x)


def clipped(np, custom_jvp, custom_vjp, stop_gradient):
    @custom_vjp
    def clip_gradient(lo, hi, x):
        return x

    def clip_gradient_fwd(lo, hi, x):
        return x, (lo, hi)

    def clip_gradient_bwd(res, g):
        lo, hi = res
        return (None, None, np.clip(g, lo, hi))

    clip_gradient.defvjp(clip_gradient_fwd, clip_gradient_bwd)
    return lambda x: np.sum(np.sin(clip_gradient(-0.75, 0.75, x) * 2.0))


def clipped_by_constants(np, custom_jvp, custom_vjp, stop_gradient):
    @partial(custom_vjp, nondiff_argnums=(0, 1))
    def clip_gradient(lo, hi, x):
        return x

    def clip_gradient_fwd(lo, hi, x):
        return x, ()

    def clip_gradient_bwd(lo, hi, _, g):
        return (np.clip(g, lo, hi),)

    clip_gradient.defvjp(clip_gradient_fwd, clip_gradient_bwd)
    return lambda x: np.sum(np.sin(clip_gradient(-0.75, 0.75, x) * 2.0))


def functions_as_constants(np, custom_jvp, custom_vjp, stop_gradient):
    @partial(custom_jvp, nondiff_argnums=(0, 2))
    def app2(f, x, g):
        return f(g(x))

    @app2.defjvp
    def app2_jvp(f, g, primals, tangents):
        (x,) = primals
        (x_dot,) = tangents
        return f(g(x)), 3.0 * x * x_dot

    @partial(custom_vjp, nondiff_argnums=(0,))
    def app(f, x):
        return f(x)

    def app_fwd(f, x):
        return f(x), x

    def app_bwd(f, x, g):
        return (5.0 * g * f(x),)

    app.defvjp(app_fwd, app_bwd)
    return lambda x: np.sum(app2(lambda y: y**3, x, lambda y: 5.0 * y) + app(lambda y: y * y, x))


class Point(NamedTuple):
    x: Any
    y: Any


def trees(np, custom_jvp, custom_vjp, stop_gradient):
    @custom_jvp
    def f(pt):
        x, y = pt.x, pt.y
        return {"a": x**2, "b": (np.sin(x), np.cos(y))}

    @f.defjvp
    def f_jvp(primals, tangents):
        (pt,) = primals
        (pt_dot,) = tangents
        ans = f(pt)
        ans_dot = {"a": 2.0 * pt.x * pt_dot.x, "b": (np.cos(pt.x) * pt_dot.x, -np.sin(pt.y) * pt_dot.y)}
        return ans, ans_dot

    @custom_vjp
    def g(pt, pair):
        return pt.x * pair[0], {"z": np.sum(pt.y) + pair[1]["k"]}

    def g_fwd(pt, pair):
        return g(pt, pair), {"pt": pt, "pair": pair}

    def g_bwd(kept, ct):
        pt, pair = kept["pt"], kept["pair"]
        first, second = ct
        along = pt.x * 0.0 + second["z"]
        return Point(first * pair[0], along), (np.sum(first * pt.x), {"k": second["z"]})

    g.defvjp(g_fwd, g_bwd)

    def h(x):
        found = f(Point(x, x * x))
        one, two = g(Point(x, found["a"]), (np.sum(x), {"k": x[0]}))
        return np.sum(found["a"] * found["b"][0] + found["b"][1] + one) * two["z"]

    return h


def stopped(np, custom_jvp, custom_vjp, stop_gradient):
    def f(x):
        y = stop_gradient(x * x)
        z = stop_gradient({"a": x, "b": (y, 3)})
        return np.sum(x * y + np.sin(x) * z["a"] + z["b"][0] * z["b"][1] * x)

    return f


def calling_others(np, custom_jvp, custom_vjp, stop_gradient):
    @custom_jvp
    def sine(x):
        return np.sin(x)

    @custom_vjp
    def square(x):
        return x * x

    @sine.defjvp
    def sine_jvp(primals, tangents):
        return sine(primals[0]), 2.0 * np.cos(square(primals[0])) * tangents[0]

    def square_fwd(x):
        return square(x), sine(x)

    def square_bwd(s, g):
        return (3.0 * square(s) * g,)

    square.defvjp(square_fwd, square_bwd)
    return lambda x: np.sum(square(sine(x) + x))


def calling_itself(np, custom_jvp, custom_vjp, stop_gradient):
    @custom_vjp
    def f(x):
        return np.sin(x)

    def fwd(x):
        return f(x), x

    def bwd(x, g):
        return (f(x + 1.5) * g,)

    f.defvjp(fwd, bwd)
    return lambda x: np.sum(f(x) * x)


def linear_in_itself(np, custom_jvp, custom_vjp, stop_gradient):
    """A linear function whose rule is the function itself."""

    @custom_jvp
    def differences(x):
        return x[1:] - x[:-1]

    @differences.defjvp
    def differences_jvp(primals, tangents):
        return differences(primals[0]), differences(tangents[0])

    return lambda x: np.sum(differences(x) ** 3)


def repeated(np, custom_jvp, custom_vjp, stop_gradient):
    @custom_jvp
    def f(x, y):
        return np.sin(x) * y

    @f.defjvp
    def f_jvp(primals, tangents):
        x, y = primals
        x_dot, y_dot = tangents
        return f(x, y), 2.0 * np.cos(x) * x_dot * y + np.sin(x) * y_dot

    @custom_vjp
    def g(x):
        return np.cos(x)

    g.defvjp(lambda x: (g(x), x), lambda x, ct: (-0.5 * np.sin(x) * ct,))

    def h(x):
        s = 0.0
        for i in range(3):
            x = f(x, x + 0.5 * i)
            for _ in range(2):
                x = g(x) * 1.5
            s = s + np.sum(f(x[0], x[1]))
        return s + np.sum(x)

    return h


def closures(np, custom_jvp, custom_vjp, stop_gradient):
    scale, weights = 1.5, np.array([1.0, 2.0, -1.0])

    def helper(x):
        return np.cos(x) * scale

    @custom_vjp
    def f(x):
        return np.sum(np.sin(x) * weights) * scale

    f.defvjp(lambda x: (f(x), (x, scale)), lambda kept, ct: (helper(kept[0]) * weights * ct * kept[1],))
    return lambda x: f(x * x)


def shape_changing(np, custom_jvp, custom_vjp, stop_gradient):
    @custom_jvp
    def outer(x, y):
        return x[:, None] * y[None, :]

    @outer.defjvp
    def outer_jvp(primals, tangents):
        x, y = primals
        dx, dy = tangents
        return outer(x, y), outer(dx, y) + x[:, None] * dy[None, :] * 2.0

    @custom_vjp
    def trace(a):
        return np.sum(a * np.eye(3))

    trace.defvjp(lambda a: (trace(a), None), lambda _, ct: (np.eye(3) * ct,))
    return lambda x: trace(outer(x, np.sin(x)) @ outer(x, x))


MADE = [
    Made(log1pexp, (X,)),
    Made(both_arguments, (X,)),
    Made(by_argument, (X,)),
    Made(branches, (X,)),
    Made(pullback, (X,), forward=False),
    Made(clipped, (X,), forward=False),
    Made(clipped_by_constants, (X,), forward=False),
    Made(functions_as_constants, (X,), forward=False),
    Made(trees, (X,), forward=False),
    Made(stopped, (X,)),
    Made(calling_others, (X,), forward=False),
    Made(calling_itself, (X,), forward=False),
    Made(linear_in_itself, (X,)),
    Made(repeated, (X,), forward=False),
    Made(closures, (X,), forward=False),
    Made(shape_changing, (X,), forward=False),
]
