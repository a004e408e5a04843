"""Where the laws test each row: operand shapes, and a call of the primitive.

Elementwise rows are tested on scalars and arrays at the points their sampler names; every other row has its examples
here.  A row without any fails the laws.  What is drawn as f64 is tested in f32 and as complex numbers too, where the
row takes them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .builder import Builder
from .primitives import Kind, Primitive, TypeRuleError
from .primitives.host import HostFunction, HostLeaf
from .trees import structure
from .types import I64, DType, Type, Var, literal

__all__ = ["ALIGNED", "CHOICES", "CONJUGATING", "KINKS", "SIZES", "Example", "Operand", "examples_of"]

# Axis lengths by letter; n and l are the same length under two names.
SIZES = {"n": 3, "m": 4, "k": 2, "l": 3}


@dataclass(frozen=True, slots=True)
class Operand:
    """An operand: one letter an axis, the interval of its elements, the dtype, what the diagonal has more."""

    axes: str = ""
    interval: tuple[float, float] = (-2.0, 2.0)
    dtype: DType = DType.F64
    diagonal: float = 0.0


@dataclass(frozen=True, slots=True)
class Example:
    """Operands, and a call on them that emits one equation of the row."""

    operands: tuple[Operand, ...]
    call: Callable[..., Any]

    def variables(self, lengths: Mapping[str, Var]) -> tuple[Var, ...]:
        """The operands as parameters, their lengths by letter."""
        return tuple(
            Var(Type(o.dtype, tuple(lengths[letter] for letter in o.axes)), f"x{i}")
            for i, o in enumerate(self.operands)
        )

    def within(self, dtype: DType) -> Example | None:
        """The example with this dtype for f64, or None where the row does not take it."""
        if all(o.dtype is not DType.F64 for o in self.operands):
            return None
        operands = tuple(replace(o, dtype=dtype) if o.dtype is DType.F64 else o for o in self.operands)
        example = Example(operands, self.call)
        b = Builder()
        try:
            example.call(b, *example.variables({letter: Var(I64, letter) for letter in SIZES}))
        except TypeRuleError:
            return None
        return example if b.equations else None


def _example(call: Callable[..., Any], *axes: str) -> Example:
    return Example(tuple(Operand(a) for a in axes), call)


def _indexing(call: Callable[..., Any], *axes: str, **indices: str) -> Example:
    """A call with index arrays after its operands; some of their elements are the same, some are negative."""
    arrays = tuple(Operand(a, (-2, 2), DType.I64) for a in indices.values())
    return Example((*(Operand(a) for a in axes), *arrays), call)


def _of(dtype: DType, interval: tuple[float, float], *axes: str) -> tuple[Operand, ...]:
    return tuple(Operand(a, interval, dtype) for a in axes)


def _shape(x: Any) -> tuple[Any, ...]:
    return x.type.shape


def _named(name: str) -> Callable[..., Any]:
    return lambda b, *operands: getattr(b, name)(*operands)


def _two_over(axes: str, call: Callable[..., Any]) -> Example:
    return Example((Operand(axes, dtype=DType.BOOL), Operand(axes), Operand(axes)), call)


def _definite(call: Callable[..., Any], *axes: str) -> Example:
    """A call with a matrix before its operands that is positive definite."""
    return Example((Operand("nn", diagonal=8.0), *(Operand(a) for a in axes)), call)


_HOSTED = HostFunction(
    lambda x: np.append(np.sin(x) * x[0], x[1]),
    [HostLeaf(DType.F64, 1)],
    structure((0,)),
    [HostLeaf(DType.F64, 1)],
    structure(0),
    "complex",
)


_COUNTED = HostFunction(
    lambda x: np.array([len(x), np.count_nonzero(x > 0.0), 7, -1]),
    [HostLeaf(DType.F64, 1)],
    structure((0,)),
    [HostLeaf(DType.I64, 1)],
    structure(0),
)


def _hosted(x: Any) -> tuple[Any, ...]:
    """Operands of a function of three numbers that gives four."""
    (n,) = _shape(x)
    return x, literal(4), n, literal(4)


def _cutoff(x: Any) -> Any:
    return x.type.dtype.real.constant(1e-15)


def _smaller(b: Any, x: Any) -> Any:
    return b.minimum(*_shape(x))


def _cyclic(b: Any, values: Any, n: Any) -> tuple[Any, Any]:
    """Rows and columns of the elements of a matrix whose diagonal is empty; those after the n-th are in one place."""
    (count,) = _shape(values)
    k = b.iota(count)
    row = b.select(b.lt(k, b.expand(n, count, axes=(0,))), k, 0)
    following = b.add(row, 1)
    return row, b.select(b.lt(following, b.expand(n, count, axes=(0,))), following, 0)


def _sparse_lu(b: Any, values: Any, columns: Any) -> tuple[Any, ...]:
    row, col = _cyclic(b, values, _shape(columns)[0])
    return (row, col, columns, *b.sparse_lu(values, row, col, columns))


def _sparse_solve(transposed: bool) -> Callable[..., Any]:
    def call(b: Any, values: Any, x: Any) -> Any:
        row, col, columns, _, *factors, _ = _sparse_lu(b, values, b.iota(_shape(x)[0]))
        return b.sparse_solve(values, row, col, x, columns, *factors, transposed=transposed)

    return call


def _schur(b: Any, x: Any, adjoint: bool = False) -> tuple[Any, ...]:
    if adjoint:
        x = b.permute(b.conj(x) if x.type.dtype.complex else x, order=(1, 0))
    return b.schur(x)[:2]


def _root(b: Any, a: Any) -> Any:
    """V √w V⁻¹."""
    w, v, _ = b.eig(a)
    (n,) = _shape(w)
    turned = b.permute(b.mul(v, b.expand(b.sqrt(w), n, axes=(0,))), order=(1, 0))
    root = b.permute(b.solve(v, turned, *b.lu(v, n)[:2], by="lu", transposed=True), order=(1, 0))
    return root if a.type.dtype.complex else b.real(root)


def _riccati(b: Any, x: Any, beside: Any, c: Any, y: Any) -> Any:
    """The smallest solution, by Newton's iteration."""
    found = b.sub(c, c)
    for _ in range(6):
        kept, other = b.neg(b.add(x, b.matmul(beside, found))), b.sub(y, b.matmul(found, beside))
        left = b.neg(b.add(c, b.matmul(found, b.matmul(beside, found))))
        found = b.sylvester(other, kept, left, *_schur(b, other), *_schur(b, kept), adjoint=False, transposed=False)
    return found


_LINEAR_ALGEBRA: dict[str, tuple[Example, ...]] = {
    "lu": (
        _example(lambda b, a: b.lu(a, _shape(a)[0]), "nn"),
        _example(lambda b, a: b.lu(a, _smaller(b, a)), "nm"),
        _example(lambda b, a: b.lu(a, _smaller(b, a)), "mn"),
    ),
    "cholesky": (_definite(lambda b, a: b.cholesky(a)),),
    "qr": (_example(lambda b, a: b.qr(a), "mn"), _example(lambda b, a: b.qr(a), "nn")),
    "eig": (_example(lambda b, a: b.eig(a), "nn"),),
    "eigh": (Example((Operand("nn", (0.5, 2.0)),), lambda b, a: b.eigh(a)),),  # away from where LAPACK turns a sign
    "svd": (
        _example(lambda b, a: b.svd(a, _shape(a)[0]), "nn"),
        _example(lambda b, a: b.svd(a, _smaller(b, a)), "nm"),
        _example(lambda b, a: b.svd(a, _smaller(b, a)), "mn"),
    ),
    "solve_triangular": tuple(
        _definite(
            lambda b, t, x, lower=lower, unit=unit, transposed=transposed: b.solve_triangular(
                t, x, lower=lower, unit=unit, transposed=transposed
            ),
            "nm",
        )
        for lower, unit, transposed in itertools.product((False, True), repeat=3)
    ),
    "solve": (
        *(
            _definite(
                lambda b, a, x, transposed=transposed: b.solve(
                    a, x, *b.lu(a, _shape(a)[0])[:2], by="lu", transposed=transposed
                ),
                "nm",
            )
            for transposed in (False, True)
        ),
        Example(
            (*(Operand(a) for a in ("nn", "nm", "nn")), Operand("n", (0, 3), DType.I64)),
            lambda b, a, x, f, p: b.solve(a, x, f, p, by="lu", transposed=False),
        ),
        _example(lambda b, a, x, f: b.solve(a, x, f, by="cholesky", transposed=False), "nn", "nm", "nn"),
    ),
    "schur": (_example(lambda b, a: b.schur(a), "nn"),),
    "sylvester": tuple(
        Example(
            (Operand("nn", diagonal=4.0), Operand("mm", diagonal=4.0), Operand("nm")),
            lambda b, x, y, q, adjoint=adjoint, transposed=transposed: b.sylvester(
                *(x, y, q), *_schur(b, x), *_schur(b, y, adjoint), adjoint=adjoint, transposed=transposed
            ),
        )
        for adjoint, transposed in itertools.product((False, True), repeat=2)
    ),
    "square_root": (_definite(lambda b, a: b.square_root(a, _root(b, a))),),
    "riccati": (
        Example(
            (Operand("nn", diagonal=-8.0), Operand("nm"), Operand("mn"), Operand("mm", diagonal=8.0)),
            lambda b, *blocks: b.riccati(*blocks, _riccati(b, *blocks)),
        ),
    ),
    "determinant": (_example(lambda b, a: b.determinant(a, *b.lu(a, _shape(a)[0])[:3]), "nn"),),
    "pseudo_inverse": (
        _example(lambda b, a: b.pseudo_inverse(a, *b.svd(a, _smaller(b, a))[:3], _cutoff(a)), "nm"),
        _example(lambda b, a: b.pseudo_inverse(a, *b.svd(a, _smaller(b, a))[:3], _cutoff(a)), "mn"),
    ),
}
_SPARSE: dict[str, tuple[Example, ...]] = {
    "sparse_order": (
        Example(
            (*_of(DType.I64, (0, 3), "m", "m"), Operand("n")), lambda b, i, j, x: b.sparse_order(i, j, _shape(x)[0])
        ),
    ),
    "sparse_lu": (
        Example((Operand("m", (0.5, 2.0)), Operand("n")), lambda b, v, x: _sparse_lu(b, v, b.iota(_shape(x)[0]))),
    ),
    "sparse_solve": tuple(
        Example((Operand("m", (0.5, 2.0)), Operand("nk")), _sparse_solve(transposed)) for transposed in (False, True)
    ),
}
_STRUCTURAL: dict[str, tuple[Example, ...]] = {
    "select": (
        _two_over("", lambda b, c, x, y: b.select(c, x, y)),
        _two_over("nm", lambda b, c, x, y: b.select(c, x, y)),
    ),
    "side": tuple(_example(lambda b, x, y: b.side(x, y), axes, axes) for axes in ("", "nm")),
    "portion": tuple(
        Example(tuple(Operand(axes) for _ in "xy"), lambda b, x, y: b.portion(b.side(x, y), of=1, dtype=x.type.dtype))
        for axes in ("", "nm")
    ),
    "cast": (
        Example(_of(DType.I64, (-5, 5), "n"), lambda b, x: b.cast(x, dtype=DType.F64)),
        Example(_of(DType.BOOL, (0, 2), ""), lambda b, x: b.cast(x, dtype=DType.I64)),
        _example(lambda b, x: b.cast(x, dtype=DType.I64), "n"),
        _example(lambda b, x: b.cast(x, dtype=DType.C128), "n"),
        _example(lambda b, x: b.cast(x, dtype=DType.C64), "nm"),
        Example(_of(DType.F64, (-2, 2), "n"), lambda b, x: b.cast(x, dtype=DType.F32)),
        Example(_of(DType.U8, (0, 9), "n"), lambda b, x: b.cast(x, dtype=DType.F32)),
    ),
    **{
        name: tuple(Example(_of(DType.C128, (-2, 2), axes), _named(name)) for axes in ("", "nm"))
        for name in ("real", "imag", "conj")
    },
    "complex": tuple(_example(_named("complex"), axes, axes) for axes in ("", "nm")),
    "iota": (_example(lambda b, x: b.iota(_shape(x)[0]), "n"),),
    "empty": (_example(lambda b, x: b.empty(*_shape(x), dtype=DType.I64), "nm"),),
    "expand": (
        _example(lambda b, x, y: b.expand(x, *_shape(y), axes=(0, 1)), "", "nm"),
        _example(lambda b, x, y: b.expand(x, _shape(y)[0], axes=(1,)), "nm", "k"),
        _example(lambda b, x: b.expand(x, 1, axes=(0,)), "n"),
    ),
    "reshape": (
        _example(lambda b, x: b.reshape(x, b.mul(*_shape(x))), "nm"),
        _example(lambda b, x: b.reshape(x, _shape(x)[1], _shape(x)[0], 1), "nm"),
    ),
    "permute": (
        _example(lambda b, x: b.permute(x, order=(1, 0)), "nm"),
        _example(lambda b, x: b.permute(x, order=(2, 0, 1)), "nmk"),
    ),
    "conform": (
        _example(lambda b, x, y: b.conform(x, *_shape(y), checked=True), "nm", "lm"),
        _example(lambda b, x, y: b.conform(x, *_shape(y), checked=False), "n", "l"),
    ),
    "view": (
        _example(lambda b, x: b.view(x, 2, codes="i"), "n"),
        _example(lambda b, x: b.view(x, 1, codes=":i"), "nm"),
        _example(lambda b, x: b.view(x, 1, 3, 2, -2, codes="is"), "nm"),
        _example(lambda b, x: b.view(x, 0, 2, 2, codes="s:"), "nm"),
    ),
    "update": (
        _example(lambda b, x, v: b.update(x, v, 1, codes="i"), "n", ""),
        _example(lambda b, x, v: b.update(x, v, 1, codes=":i"), "nm", "n"),
        _example(lambda b, x, v: b.update(x, v, 2, _shape(v)[0], -1, codes="s"), "n", "k"),
    ),
    "add_at": (
        _example(lambda b, x, v: b.add_at(x, v, 1, codes="i"), "n", ""),
        _example(lambda b, x, v: b.add_at(x, v, 1, codes=":i"), "nm", "n"),
        _example(lambda b, x, v: b.add_at(x, v, 0, _shape(v)[0], 2, codes="s"), "n", "k"),
    ),
    "gather": (
        _indexing(lambda b, x, i: b.gather(x, i, codes="a"), "n", i="m"),
        _indexing(lambda b, x, i: b.gather(x, i, codes=":a"), "nm", i="k"),
        _indexing(lambda b, x, i, j: b.gather(x, i, 1, j, codes="aia"), "nmk", i="nm", j="nm"),
        _indexing(lambda b, x, i: b.gather(x, 2, 2, -2, i, codes="s:a"), "nkm", i="k"),
    ),
    "scatter": (
        _indexing(lambda b, x, v, i: b.scatter(x, v, i, codes="a", unique=False), "n", "m", i="m"),
        _indexing(lambda b, x, v, i: b.scatter(x, v, i, codes=":a", unique=False), "nm", "kn", i="k"),
        _indexing(
            lambda b, x, v, i, j: b.scatter(x, v, i, 1, j, codes="aia", unique=False), "nmk", "nm", i="nm", j="nm"
        ),
        _indexing(
            lambda b, x, v, i: b.scatter(x, v, 2, _shape(v)[1], -2, i, codes="sa", unique=False), "nm", "mk", i="m"
        ),
        _example(lambda b, x, v: b.scatter(x, v, b.iota(_shape(v)[0]), codes="a", unique=True), "n", "k"),
    ),
    "scatter_add": (
        _indexing(lambda b, x, v, i: b.scatter_add(x, v, i, codes="a"), "n", "m", i="m"),
        _indexing(lambda b, x, v, i: b.scatter_add(x, v, i, codes=":a"), "nm", "kn", i="k"),
        _indexing(lambda b, x, v, i, j: b.scatter_add(x, v, i, j, codes="a:a"), "nmk", "nmm", i="nm", j="nm"),
    ),
    "grow": (
        _example(lambda b, x, y: b.grow(x, _shape(y)[0]), "nk", "m"),
        _example(lambda b, x, y: b.grow(x, _shape(y)[0]), "n", "k"),
    ),
    **_LINEAR_ALGEBRA,
    **_SPARSE,
    "argsort": tuple(
        Example((Operand(axes, interval, dtype),), lambda b, x: b.argsort(x))
        for axes in ("n", "nm", "nmk")
        for dtype, interval in ((DType.F64, (-2.0, 2.0)), (DType.I64, (-3, 3)), (DType.BOOL, (0, 2)))
    ),
    "fft": tuple(
        Example(_of(dtype, (-2, 2), axes), lambda b, x, k=inverse: b.fft(x, inverse=k))
        for dtype in (DType.C128, DType.C64)
        for axes in ("n", "nm", "nmk")
        for inverse in (False, True)
    ),
    "host_call": (Example((Operand("n"),), lambda b, x: b.host_call(*_hosted(x), function=_HOSTED)),),
    "host_integers": (Example((Operand("n"),), lambda b, x: b.host_integers(*_hosted(x), function=_COUNTED)),),
    "host_jacobian": (Example((Operand("n"),), lambda b, x: b.host_jacobian(*_hosted(x), function=_HOSTED)),),
    "matmul": (
        _example(lambda b, x, y: b.matmul(x, y), "nm", "mk"),
        _example(lambda b, x, y: b.matmul(x, y), "knm", "kml"),
        _example(lambda b, x, y: b.matmul(x, y), "nkmm", "nkml"),
    ),
    "isnan": (_example(lambda b, x: b.isnan(x), "n"),),
    "isfinite": (_example(lambda b, x: b.isfinite(x), ""),),
}

_FOLDS = ("total", "reduce_max", "reduce_min")
_LOGICAL_FOLDS = ("reduce_and", "reduce_or")
_COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
_BITWISE = ("and", "or", "xor", "not")
_WRAPPING = ("add_wraps", "sub_wraps", "mul_wraps")
_INTEGER = ("shift_left", "shift_right", "integer_pow")


# Points on a kink where the map is the mean of the one-sided derivatives.
KINKS: dict[str, tuple[tuple[Any, ...], ...]] = {
    "abs": ((0.0,),),
    "hypot": ((0.0, 0.0),),
    "maximum": ((1.5, 1.5), (0.0, 0.0)),
    "minimum": ((1.5, 1.5), (0.0, 0.0)),
    "svd": ((np.diag([2.0, 1.0, 0.0]),),),
}


# Rows whose meaning conjugates complex operands, so that a complex step does not give the derivative.
CONJUGATING = ("cholesky", "qr", "eig", "eigh", "schur", "svd", "sylvester", "square_root", "riccati", "pseudo_inverse")


def _phases(vectors: Any, near: Any) -> Any:
    """The phases, for each column, by which vectors are multiplied to point where the others do."""
    overlaps = np.sum(np.conj(vectors) * near, axis=0)
    return overlaps / np.abs(overlaps)


def _aligned_eigenvectors(found: tuple[Any, ...], near: tuple[Any, ...]) -> tuple[Any, ...]:
    w, v, *rest = found
    return (w, v * _phases(v, near[1]), *rest)


def _aligned_in_sign(found: tuple[Any, ...], near: tuple[Any, ...]) -> tuple[Any, ...]:
    w, v, *rest = found
    return (w, np.where(np.real(_phases(v, near[1])) < 0.0, -v, v), *rest)


def _aligned_singular_vectors(found: tuple[Any, ...], near: tuple[Any, ...]) -> tuple[Any, ...]:
    u, s, vt, *rest = found
    phases = _phases(np.conj(vt).T, np.conj(near[2]).T)
    return (u * phases, s, vt * np.conj(phases)[:, None], *rest)


# Rows whose results have phases, or signs, that the operands do not determine: those results with the phases that the
# results beside them have.
ALIGNED: dict[str, Callable[[tuple[Any, ...], tuple[Any, ...]], tuple[Any, ...]]] = {
    "eig": _aligned_in_sign,  # the phases are LAPACK's, but for signs that another precision turns
    "eigh": _aligned_eigenvectors,
    "svd": _aligned_singular_vectors,
}


# Rows that take one operand and leave the others.
CHOICES = ("select", "maximum", "minimum", "reduce_max", "reduce_min")


def _folding(name: str, dtype: DType) -> tuple[Example, ...]:
    def fold(axes: tuple[int, ...]) -> Callable[..., Any]:
        return lambda b, x: getattr(b, name)(x, axes=axes)

    cases = ((0,), "n"), ((1,), "nm"), ((0, 1), "nm"), ((0, 2), "nmk")
    return tuple(Example((Operand(axes, dtype=dtype),), fold(folded)) for folded, axes in cases)


def _calling(primitive: Primitive) -> Callable[..., Any]:
    """The row on operands, as it is; the builder's simplifications have nothing to do on variables."""
    return lambda b, *operands: b.emit(primitive, operands, {})


def _pointwise(primitive: Primitive, *operands: Operand) -> tuple[Example, ...]:
    """The row on scalars, and on arrays of rank 1 and 2."""
    return tuple(
        Example(tuple(Operand(axes, o.interval, o.dtype) for o in operands), _calling(primitive))
        for axes in ("", "n", "nm")
    )


DTYPES = (DType.F32, DType.C128, DType.C64)


def examples_of(primitive: Primitive) -> tuple[Example, ...]:
    """The examples of a row, in f64 and all other dtypes that it takes; none where none were given."""
    given = _given(primitive)
    return (*given, *(other for e in given for dtype in DTYPES if (other := e.within(dtype)) is not None))


def _given(primitive: Primitive) -> tuple[Example, ...]:
    name = primitive.name
    if name in _STRUCTURAL:
        return _STRUCTURAL[name]
    if name in _FOLDS:
        return _folding(name, DType.F64)
    if name in _LOGICAL_FOLDS:
        words = _folding(name, DType.I64) if name == "reduce_or" else ()
        return (*_folding(name, DType.BOOL), *words)
    if name in _COMPARISONS:
        return _pointwise(primitive, Operand(), Operand())
    if name in _WRAPPING:
        pairs = ((-9, 9), (3_000_000_000, 4_000_000_000), (2**63 - 9, 2**63 - 1), (1 - 2**63, 9 - 2**63))
        return tuple(
            Example(tuple(Operand("", interval, DType.I64) for interval in both), _calling(primitive))
            for both in itertools.product(pairs, repeat=2)
        )
    if name in _INTEGER:
        return _pointwise(primitive, *_of(DType.I64, (0, 6), "", ""))
    if name in _BITWISE:
        arity = 1 if name == "not" else 2
        return _pointwise(primitive, *_of(DType.BOOL, (0, 2), *[""] * arity))
    if primitive.kind is Kind.ELEMENTWISE and primitive.sampler is not None:
        return _pointwise(primitive, *(Operand("", interval) for interval in primitive.sampler.intervals))
    return ()
