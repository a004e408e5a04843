"""Calls of functions that are not compiled: Python as it stands, whatever it calls.

The real arguments lie in one array of float64, one after the other, and so do the results.  The derivative is a
matrix, by differences of the function or by complex steps, whose columns are the derivatives by single elements.
Of a function that gives integers, they lie in one array of these; it has no derivative.
"""

from __future__ import annotations

import ctypes
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from optree import PyTreeSpec

from ..errors import MissingRuleError
from ..linear import Generator, compose, left, reshape
from ..types import I64, Atom, DType, Type, f64, i64, literal
from .base import Kind, require, row
from .scipy_rows import Missing

__all__ = ["HostFunction", "HostLeaf", "taken_error"]


@dataclass(frozen=True)
class HostLeaf:
    """An argument or a result of a host function: its dtype and rank, and whether it is a Python number."""

    dtype: DType
    rank: int = 0
    python: bool = False

    @property
    def real(self) -> bool:
        return self.dtype.kind == "f"


@dataclass(eq=False)
class HostFunction:
    """A Python function, and how its arguments and results lie in memory.

    Attributes:
        function: what is called.
        leaves: its arguments' leaves, constants among them as they are.
        tree: the tuple of arguments that they are taken from.
        results: the results' leaves, all of them real or all of them integers.
        result_tree: the structure of what is returned.
        derivative: "central" for differences, "complex" for complex steps, None where there is none.
    """

    function: Callable[..., Any]
    leaves: Sequence[Any]
    tree: PyTreeSpec
    results: Sequence[HostLeaf]
    result_tree: PyTreeSpec
    derivative: str | None = None

    @property
    def name(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)

    def operands(self) -> list[HostLeaf]:
        """What the operands after the first two are: the lengths of the real arguments, the others, result lengths."""
        given = [leaf for leaf in self.leaves if isinstance(leaf, HostLeaf)]
        lengths = [HostLeaf(DType.I64) for leaf in given if leaf.real for _ in range(leaf.rank)]
        others = [leaf for leaf in given if not leaf.real]
        return [*lengths, *others, *(HostLeaf(DType.I64) for leaf in self.results for _ in range(leaf.rank))]

    # Calling it

    def __call__(self, x: Any, m: Any, *numbers: Any) -> Any:
        """The results one after the other."""
        kind = int if self.results and not self.results[0].real else float
        return self.column(self.call(np.asarray(x), numbers), self.shapes(numbers), kind)

    def jacobian(self, x: Any, m: Any, *numbers: Any) -> Any:
        """The matrix of derivatives.

        Central differences of fourth order, at ±h and ±2h with h = ε^(1/5) max(1, |x|), whose error is about 1e-12 of
        the function's fifth derivative; or complex steps Im f(x + ih) / h with h = 1e-40, exact for functions that
        are analytic and take complex numbers (Squire and Trapp 1998).
        """
        x, shapes = np.asarray(x), self.shapes(numbers)
        column = self._by_steps if self.derivative == "complex" else self._by_differences
        found = np.empty((int(m), len(x)))
        for k in range(len(x)):
            found[:, k] = column(x, k, numbers, shapes)
        return found

    def _by_differences(self, x: Any, k: int, numbers: Sequence[Any], shapes: Sequence[tuple[int, ...]]) -> Any:
        h = np.finfo(float).eps ** 0.2 * max(1.0, abs(x[k]))
        h = (x[k] + h) - x[k]  # a step that the number really takes
        at = [self.column(self.call(_moved(x, k, s * h), numbers), shapes, float) for s in (-2, -1, 1, 2)]
        return (8.0 * (at[2] - at[1]) - (at[3] - at[0])) / (12.0 * h)

    def _by_steps(self, x: Any, k: int, numbers: Sequence[Any], shapes: Sequence[tuple[int, ...]]) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)  # an imaginary part lost is a derivative lost
            moved = self.call(_moved(x.astype(complex), k, 1e-40j), numbers)
        return self.column(moved, shapes, complex).imag / 1e-40

    def call(self, x: Any, numbers: Sequence[Any]) -> Any:
        """What the function returns for the column of its real arguments and for the other operands."""
        return self.function(*self.tree.unflatten(self._given(x, iter(numbers))))

    def _given(self, x: Any, numbers: Iterator[Any]) -> list[Any]:
        start = 0
        real: list[Any] = []
        for leaf in self.leaves:
            if isinstance(leaf, HostLeaf) and leaf.real:
                shape = tuple(int(next(numbers)) for _ in range(leaf.rank))
                size = int(np.prod(shape, dtype=int))
                part = x[start : start + size]
                start += size
                real.append(_as_leaf(part.reshape(shape), leaf))
        parts = iter(real)
        found: list[Any] = []
        for leaf in self.leaves:
            if not isinstance(leaf, HostLeaf):
                found.append(leaf)
            elif leaf.real:
                found.append(next(parts))
            else:
                found.append(_as_leaf(np.asarray(next(numbers), leaf.dtype.numpy), leaf))
        return found

    def shapes(self, numbers: Sequence[Any]) -> list[tuple[int, ...]]:
        """The shapes of the results, whose lengths are the last of the operands."""
        count = sum(leaf.rank for leaf in self.results)
        lengths = iter(numbers[len(numbers) - count :])
        return [tuple(int(next(lengths)) for _ in range(leaf.rank)) for leaf in self.results]

    def column(self, result: Any, shapes: Sequence[tuple[int, ...]], kind: type) -> Any:
        """The results one after the other.

        Raises:
            TypeError: they are of another structure than was said, or no real numbers.
            ValueError: one is of another shape.
        """
        from ..trees import matched  # which imports the plugins, and these the table

        try:
            found = matched(self.result_tree, result)
        except ValueError:
            raise TypeError(f"host_call: {self.name} returns another structure than was said") from None
        parts: list[Any] = []
        for value, shape in zip(found, shapes, strict=True):
            if np.shape(value) != shape:
                what = f"{self.name} returns an array of shape {np.shape(value)}, not {shape}, as was said"
                raise ValueError(f"host_call: {what}")
            if kind is not complex and np.iscomplexobj(value):
                raise TypeError(f"host_call: {self.name} returns complex numbers")
            parts.append(np.asarray(value, kind).ravel())
        return np.concatenate(parts) if parts else np.zeros(0, kind)

    def rebuilt(self, column: Any, shapes: Sequence[tuple[int, ...]]) -> Any:
        """The results out of a column, in the structure that they are returned in."""
        found: list[Any] = []
        start = 0
        for leaf, shape in zip(self.results, shapes, strict=True):
            size = int(np.prod(shape, dtype=int))
            found.append(_as_leaf(column[start : start + size].reshape(shape), leaf))
            start += size
        return self.result_tree.unflatten(found)

    # From machine code

    def callback(self, wanted: str) -> Any:
        """A C function that takes the address of what it reads and writes, and gives 0, or 1 where it has raised.

        There are, in words of 8 bytes: the address and length of the column, those of the result, and then for each
        further operand the number, or the address and the lengths of the array.
        """
        operands = self.operands()

        def entered(address: int) -> int:
            try:
                words = _Words(address)
                x = words.operand(HostLeaf(DType.F64, 1))
                pointer, m = words.next(), words.next()
                numbers = [words.operand(leaf) for leaf in operands]
                made = self(x, m, *numbers) if wanted == "value" else self.jacobian(x, m, *numbers)
                ctypes.memmove(pointer, np.ascontiguousarray(made).ctypes.data, made.nbytes)
            except BaseException as error:  # it may not pass through machine code: whoever has called that raises it
                _raised.error = error
                return 1
            return 0

        return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(entered)


_raised = threading.local()


def taken_error() -> BaseException:
    """What a host function has raised in this thread."""
    error, _raised.error = _raised.error, None
    return error


class _Words:
    """Words of 8 bytes in memory, one after the other."""

    def __init__(self, address: int) -> None:
        self.address = address

    def next(self) -> int:
        value = ctypes.c_int64.from_address(self.address).value
        self.address += 8
        return value

    def operand(self, leaf: HostLeaf) -> Any:
        if not leaf.rank:
            return np.int64(self.next()).astype(leaf.dtype.numpy)
        pointer = self.next()
        shape = tuple(self.next() for _ in range(leaf.rank))
        size = int(np.prod(shape, dtype=int)) * leaf.dtype.numpy.itemsize
        memory = bytes((ctypes.c_char * size).from_address(pointer)) if size else b""
        return np.frombuffer(memory, leaf.dtype.numpy).reshape(shape)


def _moved(x: Any, k: int, by: complex) -> Any:
    moved = x.copy()
    moved[k] += by
    return moved


def _as_leaf(value: Any, leaf: HostLeaf) -> Any:
    """A part of what was in memory as the function is given it; in a complex step it stays complex."""
    if leaf.dtype.kind != "f" or value.dtype.kind != "c":
        value = value.astype(leaf.dtype.numpy)
    if leaf.rank:
        return np.array(value)
    return value.item() if leaf.python else value[()]


# The rows: operands are an array of numbers, how many the results are, and further numbers (see `HostFunction`).


def _check_operands(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> None:
    x, m, *rest = operands
    function: HostFunction = params["function"]
    require(x.type.rank == 1 and x.type.dtype is DType.F64, "host_call of {}, not of float64[n]", x.type)
    require(m.type == I64, "host_call: how many results there are is an integer")
    wanted = function.operands()
    require(len(rest) == len(wanted), "host_call: {} further operands, not {}", len(wanted), len(rest))
    for operand, leaf in zip(rest, wanted, strict=True):
        require((operand.type.dtype, operand.type.rank) == (leaf.dtype, leaf.rank), "host_call of {}", operand.type)


def _typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    _check_operands(operands, params)
    return (f64(operands[1]),)


def _integers_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    _check_operands(operands, params)
    return (i64(operands[1]),)


def _jacobian_typing(operands: tuple[Atom, ...], params: Mapping[str, Any]) -> tuple[Type, ...]:
    _check_operands(operands, params)
    return (f64(operands[1], operands[0].type.shape[0]),)


def _map(b: Any, e: Any) -> Generator:
    function: HostFunction = e.params["function"]
    if function.derivative is None:
        raise MissingRuleError(
            f"the derivative of host_call of {function.name}",
            e.source,
            'host_call(…, derivative="central"), or a function with custom_jvp that calls it',
        )
    (n,), (m,), one = e.operands[0].type.shape, e.outs[0].type.shape, literal(1)
    matrix = left(b.host_jacobian(*e.operands, function=function))
    return compose(reshape((m, one), (m,)), matrix, reshape((n,), (n, one)))


@dataclass(frozen=True, slots=True)
class _MissingSecond(Missing):
    """The derivative of a matrix that differences have given."""

    def __call__(self, b: Any, e: Any) -> NoReturn:
        cause = f"a second derivative of host_call of {e.params['function'].name}, whose first one is by differences"
        raise MissingRuleError(cause, e.source, "a function with custom_jvp that calls it")


row("host_call", Kind.HOST, _typing, lambda *operands, function: function(*operands), maps=(_map, None))
row("host_integers", Kind.HOST, _integers_typing, lambda *operands, function: function(*operands))
row(
    "host_jacobian",
    Kind.HOST,
    _jacobian_typing,
    lambda *operands, function: function.jacobian(*operands),
    maps=(_MissingSecond("host_jacobian", 0), None),
)
