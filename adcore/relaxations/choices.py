"""Smooth extrema of arrays and the places of them, smooth sorting, ranking and choosing of the largest.

Three ways to sort smoothly, each with a temperature tau in the units of x:

- `network`: a sorting network whose comparators exchange two numbers by a probability (Petersen, Borgelt, Kuehne and
  Deussen, Differentiable sorting networks, ICML 2021; Monotonic differentiable sorting networks, arXiv:2203.09630).
- `transport`: the plan of optimal transport with an entropy from x to an ascending sequence (Cuturi, Teboul and Vert,
  Differentiable ranks and sorting using optimal transport, arXiv:1905.11885).
- `isotonic`: the projection onto the permutahedron, by isotonic regression in O(n log n) (Blondel, Teboul, Berthet and
  Djolonga, Fast differentiable sorting and ranking, arXiv:2002.08871).  It is piecewise smooth, and exact where tau is
  small beside the gaps.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..custom import stop_gradient
from ..isotonic import isotonic_regression
from ..transport import sinkhorn

__all__ = [
    "NETWORKS",
    "SWAPS",
    "all_of",
    "any_of",
    "soft_argmax",
    "soft_argmin",
    "soft_max",
    "soft_min",
    "soft_permutation",
    "soft_permutations",
    "soft_rank",
    "soft_sort",
    "soft_swap",
    "soft_top_k",
    "sorting_network",
]

SWAPS = ("cauchy", "reciprocal", "optimal", "logistic")
NETWORKS = ("bitonic", "odd_even", "odd_even_merge")


def soft_max(x: Any, tau: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """tau log Σ exp(x/tau): the maximum and at most tau log n more.

    Args:
        x: an array.
        tau: the temperature, positive.
        axis, keepdims: as of `np.max`.

    >>> soft_max(np.array([1.0, 1.0]), 1.0).round(6)
    np.float64(1.693147)
    """
    top = stop_gradient(np.max(x, axis=axis, keepdims=True))
    sums = np.sum(np.exp((x - top) / tau), axis=axis, keepdims=keepdims)
    return stop_gradient(np.max(x, axis=axis, keepdims=keepdims)) + tau * np.log(sums)


def soft_min(x: Any, tau: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """-tau log Σ exp(-x/tau), as `soft_max`."""
    return -soft_max(-x, tau, axis, keepdims)


def soft_argmax(x: Any, tau: Any, axis: int = -1) -> Any:
    """The probability of each element to be the largest, exp(x/tau)/Σ exp(x/tau).

    Its sum with the places is a smooth place, and its sum with other values is the smooth one among them.

    Args:
        x: an array.
        tau: the temperature, positive.
        axis: along which the probabilities add up to 1.

    >>> soft_argmax(np.array([1.0, 2.0, 4.0]), 0.5).round(4)
    array([0.0024, 0.0179, 0.9796])
    """
    weights = np.exp((x - stop_gradient(np.max(x, axis=axis, keepdims=True))) / tau)
    return weights / np.sum(weights, axis=axis, keepdims=True)


def soft_argmin(x: Any, tau: Any, axis: int = -1) -> Any:
    """The probability of each element to be the smallest, as `soft_argmax`."""
    return soft_argmax(-x, tau, axis)


def all_of(p: Any, axis: Any = None) -> Any:
    """The probability that independent conditions hold all: the product of theirs."""
    return np.prod(p, axis=axis)


def any_of(p: Any, axis: Any = None) -> Any:
    """The probability that one of independent conditions holds."""
    return 1.0 - np.prod(1.0 - p, axis=axis)


# Sorting networks


def soft_swap(gap: Any, tau: Any, swap: str = "cauchy") -> Any:
    """The probability to leave two numbers in place, whose difference, the second less the first, is the gap.

    The smaller of two numbers is a mean of both by it, and so is the larger.  With the first three of the swaps they
    are monotone in both numbers; with the logistic one they are not: a derivative is as low as -0.0998.

    Args:
        gap: a number or an array.
        tau: the temperature, positive.
        swap: of `SWAPS`: 1/2 + arctan(t)/π, 1/2 + t/(1 + 2|t|), the step with the smallest error among the monotone
            ones, which is 1/2 + t, and 1 - 1/(16 t) from t = 1/4 on, or 1/(1 + exp(-t)), of t = gap/tau.

    Raises:
        ValueError: there is no such swap.

    >>> soft_swap(1.0, 1.0), soft_swap(1.0, 1.0, "optimal")
    (np.float64(0.75), np.float64(0.9375))
    """
    t = gap / tau
    if swap == "cauchy":
        return 0.5 + np.arctan(t) / math.pi
    if swap == "reciprocal":
        return 0.5 + t / (1.0 + 2.0 * np.abs(t))
    if swap == "optimal":
        size = np.abs(t)
        far = 0.5 - 1.0 / (16.0 * np.maximum(size, 0.25))
        return 0.5 + np.sign(t) * np.where(size > 0.25, far, size)
    if swap == "logistic":
        return 0.5 + 0.5 * np.tanh(0.5 * t)
    raise ValueError("swap is 'cauchy', 'reciprocal', 'optimal' or 'logistic'")


def sorting_network(n: int, network: str = "bitonic") -> Any:
    """The comparators of a sorting network for n numbers: (m, 2), the first place of each pair before the second.

    Args:
        n: how many numbers, any.
        network: of `NETWORKS`: Batcher's two with about log²(n)/2 layers, and the transposition of neighbours with n.

    Raises:
        ValueError: there is no such network.

    >>> sorting_network(3, "odd_even")
    array([[0, 1],
           [1, 2],
           [0, 1]])
    """
    pairs = np.zeros((_bound(n, network), 2), np.int64)
    if network == "bitonic":
        return pairs[: _bitonic(n, pairs)]
    if network == "odd_even":
        return pairs[: _transpositions(n, pairs)]
    return pairs[: _merges(n, pairs)]


def _bound(n: int, network: str) -> int:
    """No fewer than the comparators of a network."""
    if network == "odd_even":
        return (n * n + n) // 2
    if network != "bitonic" and network != "odd_even_merge":
        raise ValueError("network is 'bitonic', 'odd_even' or 'odd_even_merge'")
    depth = 0
    size = 1
    while size < n:
        size *= 2
        depth += 1
    return size * depth * (depth + 1) // 4


def _bitonic(n: int, pairs: Any) -> int:
    """All comparators ascend: a block begins with its second half mirrored.  Places from n on count as infinity."""
    count = 0
    size = 2
    while size < 2 * n:
        for i in range(n):
            j = i - i % size + size - 1 - i % size
            if i < j < n:
                pairs[count, 0] = i
                pairs[count, 1] = j
                count += 1
        stride = size // 4
        while stride > 0:
            for i in range(n - stride):
                if i % (2 * stride) < stride:
                    pairs[count, 0] = i
                    pairs[count, 1] = i + stride
                    count += 1
            stride //= 2
        size *= 2
    return count


def _transpositions(n: int, pairs: Any) -> int:
    count = 0
    for layer in range(n):
        for i in range(layer % 2, n - 1, 2):
            pairs[count, 0] = i
            pairs[count, 1] = i + 1
            count += 1
    return count


def _merges(n: int, pairs: Any) -> int:
    """Batcher's odd-even merge sort for any n (Knuth, volume 3, algorithm 5.2.2M)."""
    count = 0
    p = 1
    while p < n:
        k = p
        while k > 0:
            for j in range(k % p, n - k, 2 * k):
                for i in range(j, min(j + k, n - k)):
                    if i // (2 * p) == (i + k) // (2 * p):
                        pairs[count, 0] = i
                        pairs[count, 1] = i + k
                        count += 1
            k //= 2
        p *= 2
    return count


def _by_network(x: Any, tau: Any, swap: str, network: str) -> Any:
    """The weights of all numbers at each sorted place, (n, n): what the comparators do to the rows of the identity."""
    n = len(x)
    pairs = sorting_network(n, network)
    values = x.copy()
    weights = np.eye(n, dtype=x.dtype)
    for k in range(len(pairs)):
        i, j = pairs[k, 0], pairs[k, 1]
        stay = soft_swap(values[j] - values[i], tau, swap)
        low = stay * values[i] + (1.0 - stay) * values[j]
        values[j] = stay * values[j] + (1.0 - stay) * values[i]
        values[i] = low
        lower = stay * weights[i] + (1.0 - stay) * weights[j]
        weights[j] = stay * weights[j] + (1.0 - stay) * weights[i]
        weights[i] = lower
    return weights


# Sorting


def soft_permutation(x: Any, tau: Any, method: str = "network", swap: str = "cauchy", network: str = "bitonic") -> Any:
    """The weights of the elements of x at each place of the ascending order: a smooth permutation matrix.

    Args:
        x: (n,).
        tau: the temperature, positive.
        method: `network` or `transport`.
        swap, network: of the sorting network.

    Returns:
        (n, n), not negative, rows and columns with the sum 1.

    Raises:
        ValueError: there is no such method, swap or network.
        RuntimeError: optimal transport has not converged.

    >>> soft_permutation(np.array([3.0, 1.0]), 0.01).round(2)
    array([[0., 1.],
           [1., 0.]])
    """
    if method == "network":
        return _by_network(x, tau, swap, network)
    if method == "transport":
        ones = np.ones(len(x), x.dtype)
        places = np.arange(len(x)).astype(x.dtype)
        return sinkhorn(-places[:, None] * x[None, :], ones, ones, tau)
    raise ValueError("method is 'network' or 'transport'; soft_sort, soft_rank and soft_top_k have 'isotonic', too")


def soft_permutations(x: Any, tau: Any, swap: str = "cauchy") -> Any:
    """`soft_permutation` of each row of (m, n), by sorting networks: (m, n, n)."""
    found = np.zeros((x.shape[0], x.shape[1], x.shape[1]), x.dtype)
    for k in range(x.shape[0]):
        found[k] = _by_network(x[k], tau, swap, "bitonic")
    return found


def soft_sort(x: Any, tau: Any, method: str = "network", swap: str = "cauchy", network: str = "bitonic") -> Any:
    """x in ascending order, smoothly.

    Args:
        x: (n,).
        tau: the temperature, positive.
        method: `network`, `transport` or `isotonic`.
        swap, network: of the sorting network.

    Returns:
        (n,), with the sum of x.

    Raises:
        ValueError: there is no such method, swap or network.

    >>> soft_sort(np.array([3.0, 1.0, 2.0]), 0.01).round(1)
    array([1., 2., 3.])
    >>> soft_sort(np.array([3.0, 1.0, 2.0]), 0.1, "isotonic").round(6)
    array([1., 2., 3.])
    """
    if method == "isotonic":
        return _projected(np.arange(len(x)) / tau, np.sort(x))
    return soft_permutation(x, tau, method, swap, network) @ x


def soft_rank(x: Any, tau: Any, method: str = "network", swap: str = "cauchy", network: str = "bitonic") -> Any:
    """The place that each element has in ascending order, from 0, smoothly.  Arguments as of `soft_sort`.

    >>> soft_rank(np.array([30.0, 10.0, 20.0]), 0.01).round(1)
    array([2., 0., 1.])
    >>> soft_rank(np.array([3.0, 1.0, 2.0]), 0.1, "isotonic").round(6)
    array([2., 0., 1.])
    """
    if method == "isotonic":
        return _projected(x / tau, np.arange(len(x)).astype(x.dtype))
    return np.arange(len(x)) @ soft_permutation(x, tau, method, swap, network)


def soft_top_k(
    x: Any, k: int, tau: Any, method: str = "network", swap: str = "cauchy", network: str = "bitonic"
) -> Any:
    """For each element the weight, from 0 to 1, with which it is among the k largest.

    Other arguments are those of `soft_sort`.

    By `isotonic` it is the projection onto {p : 0 ≤ p ≤ 1, Σ p = k} (Sander, Puigcerver, Djolonga, Peyré and Blondel,
    Fast, differentiable and sparse top-k, arXiv:2302.01425).

    Returns:
        (n,), with the sum k.

    >>> soft_top_k(np.array([3.0, 1.0, 2.0]), 2, 0.1, "isotonic").round(6)
    array([1., 0., 1.])
    """
    if method == "isotonic":
        return _projected(x / tau, np.where(np.arange(len(x)) < len(x) - k, 0.0, 1.0).astype(x.dtype))
    weights = soft_permutation(x, tau, method, swap, network)
    return np.sum(weights[len(x) - k :], axis=0)


def _projected(z: Any, w: Any) -> Any:
    """The point nearest to z of the permutahedron of w, which is ascending: z less an isotonic regression in its order.

    Of the ascending s = sort(z) that point is s - v, where v is the ascending sequence nearest to s - w (Blondel et
    al., proposition 3).
    """
    order = np.argsort(z)
    v = isotonic_regression(z[order] - w)
    return z - v[np.argsort(order)]
