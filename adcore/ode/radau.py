"""The Radau IIA method of order 5, for stiff equations: implicit, with steps of the size that a tolerance asks for.

The three stages of a step solve a system of equations, by Newton's iteration with one Jacobian a step.  A derivative is
that of this system, by the implicit function theorem, and not that of the iteration.

Source: Hairer and Wanner, Solving Ordinary Differential Equations II (1996), IV.8, and the code RADAU5 of that book.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..api import jacfwd
from ..custom import stop_gradient
from ..implicit import custom_root
from .dormand_prince import counted, first_step, underflow

__all__ = ["advanced", "integrated"]


def collocation(rhs: Any, y: Any, t: Any, h: Any, z1: Any, z2: Any, z3: Any) -> Any:
    """What is 0 where the stages of a step are y + z1, y + z2, y + z3."""
    f1 = rhs(y + z1, t + h * 0.15505102572168222)
    f2 = rhs(y + z2, t + h * 0.6449489742783178)
    f3 = rhs(y + z3, t + h)
    return (
        z1 - h * (0.19681547722366044 * f1 - 0.06553542585019838 * f2 + 0.02377097434822015 * f3),
        z2 - h * (0.3944243147390873 * f1 + 0.29207341166522843 * f2 - 0.04154875212599793 * f3),
        z3 - h * (0.3764030627004673 * f1 + 0.5124858261884216 * f2 + 0.1111111111111111 * f3),
    )


def stages(rhs: Any, y: Any, t: Any, h: Any, found: Any) -> Any:
    """The solution of the system that has been found, with the derivative that the system gives."""

    def condition(z: Any) -> Any:
        z1, z2, z3 = z
        return collocation(rhs, y, t, h, z1, z2, z3)

    @custom_root(condition, solve="lu")
    def solution(z: Any) -> Any:
        return z

    return solution(found)


def dense(theta: Any, y: Any, z1: Any, z2: Any, z3: Any) -> Any:
    """The state at the part `theta` of a step: the polynomial through its beginning and its stages."""
    one = 10.048809399827414 * z1 - 1.3821427331607485 * z2 + z3 / 3.0
    two = -25.62959144707665 * z1 + 10.29625811374331 * z2 - 8.0 / 3.0 * z3
    three = 15.580782047249236 * z1 - 8.914115380582556 * z2 + 10.0 / 3.0 * z3
    return y + theta * (one + theta * (two + theta * three))


def newton(rhs: Any, y: Any, t: Any, h: Any, real: Any, complexes: Any, scale: Any, limit: Any) -> Any:
    """The stages of a step by the simplified iteration of Newton, from 0.

    Args:
        rhs, y, t, h: the equation, the state, the time and the size of the step.
        real, complexes: the inverses of the two matrices of the system in the basis where it falls apart.
        scale: what is tolerated of an error.
        limit: of what is left, by the scale.

    Returns:
        z1, z2, z3, whether they have been found, and the number of iterations.
    """
    w1, w2, w3 = np.zeros_like(y), np.zeros_like(y), np.zeros_like(y)
    z1, z2, z3 = np.zeros_like(y), np.zeros_like(y), np.zeros_like(y)
    before = 0.0
    count = 0
    is_found = False
    is_over = False
    while not is_over:
        f1 = rhs(y + z1, t + h * 0.15505102572168222)
        f2 = rhs(y + z2, t + h * 0.6449489742783178)
        f3 = rhs(y + z3, t + h)
        d1 = real @ (
            4.178718591551904 * f1 + 0.32768282076106237 * f2 + 0.5233764454994495 * f3 - 3.637834252744496 / h * w1
        )
        right = -4.178718591551904 * f1 - 0.32768282076106237 * f2 + 0.47662355450055044 * f3
        turned = 0.5028726349457868 * f1 - 2.571926949855605 * f2 + 0.5960392048282249 * f3
        d23 = complexes @ ((right + 1j * turned) - (2.681082873627752 - 3.0504301992474105j) / h * (w2 + 1j * w3))
        d2, d3 = d23.real, d23.imag
        size = math.sqrt(np.mean((d1 / scale) ** 2 + (d2 / scale) ** 2 + (d3 / scale) ** 2) / 3.0)
        rate = size / before if count > 0 else 0.0
        count += 1
        if not size < math.inf or rate >= 1.0 or rate ** (7 - count) / (1.0 - rate) * size > limit > 0.0 < rate:
            is_over = True
        else:
            w1, w2, w3 = w1 + d1, w2 + d2, w3 + d3
            z1 = 0.09443876248897524 * w1 - 0.1412552950209542 * w2 + 0.03002919410514742 * w3
            z2 = 0.2502131229653333 * w1 + 0.20412935229379994 * w2 - 0.3829421127572619 * w3
            z3 = w1 + w2
            is_found = size == 0.0 or (count > 1 and rate / (1.0 - rate) * size < limit)
            is_over = is_found or count >= 10
            before = size
    return z1, z2, z3, is_found, count


def tried(rhs: Any, y: Any, t: Any, h: Any, rtol: Any, atol: Any, is_again: Any) -> Any:
    """One step, if it succeeds.

    Returns:
        z1, z2, z3, the ratio of its error to what is tolerated (infinite where the stages have not been found), and by
        what to multiply the size of the next step.
    """
    n = len(y)
    k = rhs(y, t)
    jacobian = jacfwd(lambda y: rhs(y, t))(y)
    scale = atol + rtol * np.abs(y)
    unit = np.eye(n)
    real = np.linalg.inv(3.637834252744496 / h * unit - jacobian)
    complexes = np.linalg.inv((2.681082873627752 - 3.0504301992474105j) / h * unit - jacobian)
    limit = max(2.3e-15 / np.min(rtol), min(0.03, math.sqrt(np.min(rtol)))) * 0.1
    z1, z2, z3, is_found, count = newton(rhs, y, t, h, real, complexes, scale, limit)
    found = math.inf
    factor = 0.5
    if is_found:
        wide = atol + rtol * np.maximum(np.abs(y), np.abs(y + z3))
        rest = (-10.048809399827414 * z1 + 1.3821427331607485 * z2 - z3 / 3.0) / h
        error = real @ (k + rest)
        found = math.sqrt(np.mean((error / wide) ** 2))
        if found > 1.0 and is_again:
            error = real @ (rhs(y + error, t) + rest)
            found = math.sqrt(np.mean((error / wide) ** 2))
        safety = 0.9 * 21.0 / (20.0 + count)
        if found < math.inf:
            factor = 8.0 if found == 0.0 else min(8.0, max(0.2, safety * found**-0.25))
    return z1, z2, z3, found, factor


def integrated(rhs: Any, y0: Any, ts: Any, rtol: Any, atol: Any, most: Any) -> Any:
    """The states at given times; arguments, result and errors as of `dormand_prince.integrated`."""
    count = len(ts)
    ys = np.empty((count, len(y0)), y0.dtype)
    ys[0] = y0
    if count == 1:
        return ys
    end = stop_gradient(ts[count - 1])
    y, t = y0, ts[0]
    h = stop_gradient(first_step(rhs, y, t, rhs(y, t), rtol, atol, end - t, 4.0))
    direction = 1.0 if h > 0.0 else -1.0
    is_again = True
    done = 1
    tries = 0
    while done < count:
        tries = counted(tries, most, t)
        left = stop_gradient(end - t)
        is_last = abs(h) >= abs(left)
        if is_last:
            h = left
        z1, z2, z3, found, factor = stop_gradient(
            tried(rhs, stop_gradient(y), stop_gradient(t), h, rtol, atol, is_again)
        )
        is_again = found > 1.0
        if is_again:
            underflow(h, t)
        else:
            z1, z2, z3 = stages(rhs, y, t, h, (z1, z2, z3))
            until = count
            if not is_last:
                reached = direction * (t + h)
                until = done
                while until < count - 1 and direction * ts[until] <= reached:
                    until += 1
            for i in range(done, until):
                tries = 0
                ys[i] = dense((ts[i] - t) / h, y, z1, z2, z3)
            done = until
            y, t = y + z3, t + h
        h = h * factor
    return ys


def advanced(rhs: Any, y: Any, t: Any, end: Any, h: Any, rtol: Any, atol: Any, most: Any) -> Any:
    """The state at another time, and a size for the step after; as `dormand_prince.advanced`."""
    is_again = True
    is_done = False
    tries = 0
    while not is_done:
        tries = counted(tries, most, t)
        left = end - t
        is_last = abs(h) >= abs(left)
        size = left if is_last else h
        constant = stop_gradient(size)
        z1, z2, z3, found, factor = stop_gradient(
            tried(rhs, stop_gradient(y), stop_gradient(t), constant, rtol, atol, is_again)
        )
        is_again = found > 1.0
        if is_again:
            underflow(constant, t)
        else:
            z1, z2, z3 = stages(rhs, y, t, size, (z1, z2, z3))
            y, t = y + z3, t + size
            is_done = is_last
        if not is_last or is_again or abs(constant) >= abs(h):
            h = constant * factor
    return y, h
