"""Products of matrices, factorizations and solves by a library for the device; what stands in for one is SciPy's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import cupy_of_the_host
import numpy as np
import pytest
from adcore_llvm.cuda import algebra, by_host, by_torch, calls
from device_arrays import given, taken
from plans import plans_of

from adcore import factorizations, grad, jit, value_and_grad, vmap
from adcore.errors import UnsupportedFunctionError
from adcore.plugins import device

RNG = np.random.default_rng(3)
A = RNG.normal(size=(6, 6)) + 3.0 * np.eye(6)
TALL = RNG.normal(size=(9, 4))
B = RNG.normal(size=(6, 3))
X = RNG.normal(size=6)
TURNED = A + 1j * RNG.normal(size=(6, 6))

FUNCTIONS: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []


def at(*arguments: Any):
    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        FUNCTIONS.append((function, arguments))
        return function

    return enter


@at(A, B)
def product(a, b):
    return np.sum(np.tanh(a @ b) ** 2)


@at(A, X)
def solved(a, x):
    return np.sum(np.linalg.solve(a, x) ** 3)


@at(A, B)
def solved_for_many(a, b):
    return np.sum(np.sin(np.linalg.solve(a, b)))


@at(A, X)
def gaussian(a, x):
    covariance = a @ a.T + np.eye(6)
    lower = np.linalg.cholesky(covariance)
    return np.sum(np.log(np.diagonal(lower))) + x @ np.linalg.solve(covariance, x)


@at(A)
def determinants(a):
    return np.log(np.abs(np.linalg.det(a))) + np.linalg.slogdet(a @ a.T)[1]


@at(A)
def inverted(a):
    return np.sum(np.linalg.inv(a) ** 2)


@at(TALL)
def orthogonal(a):
    q, r = np.linalg.qr(a)
    return np.sum(q**3) + np.sum(np.sin(r))


@at(A)
def spectrum(a):
    w, v = np.linalg.eigh(a + a.T)
    return np.sum(w**3) + np.sum(v**4)


@at(TALL)
def singular(a):
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    return np.sum(s**2 * np.arange(4.0)) + np.sum(u**4) + np.sum(vt**4)


@at(TALL)
def pseudo_inverse(a):
    return np.sum(np.linalg.pinv(a) ** 3)


@at(TALL, RNG.normal(size=9))
def least_squares(a, y):
    return np.sum(np.linalg.lstsq(a, y)[0] ** 3)


@at(A, 4)
def in_a_loop(a, n):
    x = np.ones(6)
    for _ in range(n):
        x = np.linalg.solve(a, x) + np.sin(x)
    return np.sum(x * x)


@at(A, X)
def in_a_branch(a, x):
    y = np.linalg.solve(a, x) if np.sum(x) > 0.0 else np.linalg.solve(a.T, x)
    return np.sum(y * y)


@at(A.astype(np.float32), X.astype(np.float32))
def of_32_bits(a, x):
    return np.sum(np.linalg.solve(a, x) ** 2)


@at(A, B)
def of_complex_numbers(a, b):
    z = np.linalg.solve(a + 1j * a.T, b + 0j)
    return np.sum(np.abs(z) ** 2)


@at(np.zeros((0, 0)), np.zeros(0))
def of_nothing(a, x):
    return np.sum(np.linalg.solve(a, x)) + np.linalg.det(a)


def real(arguments):
    return tuple(k for k, a in enumerate(arguments) if isinstance(a, np.ndarray))


def assert_alike(found, wanted, tolerance=1e-9):
    for one, other in zip(found, wanted, strict=True):
        one, other = np.asarray(taken(one)), np.asarray(other)
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("function", "arguments"), FUNCTIONS, ids=lambda v: getattr(v, "__name__", ""))
def test_functions(function, arguments):
    at = real(arguments)
    value, gradients = value_and_grad(function, argnums=at)(*arguments)
    derivative = value_and_grad(function, argnums=at, device="cuda")
    found, slopes = derivative(*given(arguments))
    tolerance = 1e-3 if arguments[0].dtype == np.float32 else 1e-9
    assert_alike([found, *slopes], [value, *gradients], tolerance)


@pytest.mark.parametrize(("function", "arguments"), FUNCTIONS, ids=lambda v: getattr(v, "__name__", ""))
def test_batches(function, arguments):
    batch = [np.stack([a * (1 + 0.01 * j) for j in range(3)]) if isinstance(a, np.ndarray) else a for a in arguments]
    axes = tuple(0 if isinstance(a, np.ndarray) else None for a in arguments)
    wanted = vmap(grad(function), in_axes=axes)(*batch)
    found = vmap(grad(function), in_axes=axes, device="cuda")(*given(tuple(batch)))
    assert_alike([found], [wanted], 1e-3 if arguments[0].dtype == np.float32 else 1e-9)


def test_products_are_the_librarys():
    function = jit(lambda a, b: a @ b, device="cuda")
    function(*given((A, B)))
    function(*given((np.arange(6).reshape(2, 3), np.arange(6).reshape(3, 2))))
    calls_of = [sum(isinstance(step, calls.Call) for step in plan.steps) for plan in plans_of(function)]
    assert calls_of == [1, 0]  # no library multiplies integers


def test_turned_factors_are_not_copied():
    def turned(a, b):
        return a.T @ b, b.T @ a.T, (a.T @ b) * 2.0, a.T

    function = jit(turned, device="cuda")
    assert_alike(function(*given((A, B))), turned(A, B))
    (plan,) = plans_of(function)
    assert [type(s).__name__ for s in plan.steps].count("Copy") == 1  # of the last result


def test_singular_matrices():
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        jit(solved, device="cuda")(*given((np.ones((3, 3)), np.ones(3))))
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        jit(lambda a: np.linalg.cholesky(a), device="cuda")(given(-np.eye(3)))


def test_what_a_library_cannot_do_names_the_line():
    def failing(*_):
        raise RuntimeError("CUBLAS_STATUS_ALLOC_FAILED")

    library = SimpleNamespace(**{n: getattr(device("cuda").driver.library(""), n) for n in ("on", "array")})
    library.name, library.product = "failing", failing
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(device("cuda").driver), "library", lambda self, name: library)
        with pytest.raises(RuntimeError, match="ALLOC_FAILED") as error:
            jit(product, device="cuda")(*given((A, B)))
    assert "tanh(a @ b)" in str(error.traceback[-1].statement)


@pytest.fixture
def without(monkeypatch):
    monkeypatch.setattr(type(device("cuda").driver), "library", lambda self, name: None)


def test_without_a_library(without):
    assert_alike([grad(product, device="cuda")(*given((A, B)))], [grad(product)(A, B)])
    with pytest.raises(UnsupportedFunctionError, match=r"np.linalg.solve\(a, x\)") as error:
        grad(solved, device="cuda")(*given((A, X)))
    assert "pip install cupy" in str(error.value)


def test_what_no_library_is_asked_for():
    with pytest.raises(UnsupportedFunctionError, match="a Fourier transform on a CUDA device"):
        jit(lambda x: np.abs(np.fft.fft(x)), device="cuda")(given(X))


# Which library


@pytest.mark.parametrize(
    ("asked", "imported", "installed", "usable", "found"),
    [
        ("cupy", ["torch"], ["cupy", "torch"], ["cupy", "torch"], "cupy"),
        ("torch", ["torch"], ["torch"], ["torch"], "torch"),
        ("numba", ["torch"], ["cupy", "torch"], ["cupy", "torch"], "torch"),
        ("numba", [], ["cupy", "torch"], ["cupy", "torch"], "cupy"),
        ("", [], ["cupy", "torch"], ["torch"], "torch"),
        ("", [], ["torch"], [], None),
        ("jax", [], [], [], None),
    ],
)
def test_which_library_is_taken(monkeypatch, asked, imported, installed, usable, found):
    for name in algebra.LIBRARIES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    for name in imported:
        monkeypatch.setitem(sys.modules, name, SimpleNamespace())
    made = {name: SimpleNamespace(name=name, is_usable=lambda name=name: name in usable) for name in installed}
    monkeypatch.setattr(algebra, "find_spec", made.get)
    monkeypatch.setattr(algebra, "_operations", made.get)
    library = algebra.operations_for.__wrapped__(asked)
    assert (library and library.name) == found


# The rows over the operations of each library, on the processor


@dataclass
class Row:
    name: str
    operands: tuple[Any, ...]
    params: dict[str, Any]


def rows_of(a, b):
    square = a @ a.conj().T + np.eye(len(a))
    packed, order, swaps, _ = factorizations.lu(a)
    lower, _ = factorizations.cholesky(square)
    tall = np.concatenate([a, 0.5 * a[:2]])
    u, s, vt, _ = factorizations.svd(tall)
    yield Row("lu", (a, 6), {})
    yield Row("lu", (tall, 6), {})
    yield Row("lu", (tall.T.copy(), 6), {})
    yield Row("lu", (np.ones_like(a), 6), {})
    yield Row("cholesky", (square,), {})
    yield Row("qr", (tall,), {})
    yield Row("eigh", (square,), {})
    yield Row("svd", (tall, 6), {})
    yield Row("determinant", (a, packed, order, swaps), {})
    yield Row("pseudo_inverse", (tall, u, s, vt, 1e-12), {})
    yield Row("pseudo_inverse", (tall, u, s, vt, 0.5), {})
    for transposed in (False, True):
        yield Row("solve", (a, b, packed, order), {"by": "lu", "transposed": transposed})
        yield Row("solve", (square, b, lower), {"by": "cholesky", "transposed": transposed})
        for shape in ((lo, unit) for lo in (False, True) for unit in (False, True)):
            yield Row("solve_triangular", (a, b), {"lower": shape[0], "unit": shape[1], "transposed": transposed})


ROWS = [*rows_of(A, B), *rows_of(TURNED, B + 1j)]


class OnProcessor(by_torch.Library):
    device = "cpu"


@pytest.fixture(params=["scipy", "cupy", "torch"])
def library(request, monkeypatch):
    if request.param == "scipy":
        return by_host.Library(), np.array, np.asarray
    if request.param == "cupy":
        for name, module in cupy_of_the_host.MODULES.items():
            monkeypatch.setitem(sys.modules, name, module)
        from adcore_llvm.cuda import by_cupy

        return by_cupy.Library(cupy_of_the_host), cupy_of_the_host.array, np.asarray
    torch = pytest.importorskip("torch", reason="PyTorch is no requirement of adcore; its adapter is tested with it")
    return OnProcessor(torch), lambda a: torch.from_numpy(np.array(a)), lambda t: t.resolve_conj().numpy()


def settled(name, values):
    """Vectors have a phase of their own: what does not depend on it."""
    if name == "eigh":
        w, v, info = values
        return w, v @ np.diag(w) @ v.conj().T, info
    if name == "svd":
        u, s, vt, info = values
        return u @ np.diag(s) @ vt, s, vt.conj().T @ vt, info
    if name == "qr":
        q, r = values
        sign = np.sign(np.real(np.diagonal(r)))
        return q * sign, sign[:, None] * r
    return values


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"{r.name}-{r.operands[0].dtype}-{len(r.operands[0])}")
def test_rows(row, library):
    operations, to, back = library
    meaning = getattr(factorizations, row.name)
    operands = row.operands[:1] if row.name in ("lu", "svd") else row.operands
    found = meaning(*operands, **row.params)
    wanted = found if isinstance(found, tuple) else (found,)
    outs = [to(np.zeros_like(np.asarray(w))) for w in wanted]
    equation = SimpleNamespace(primitive=SimpleNamespace(name=row.name, kind=None), params=row.params)
    algebra.compute(operations, equation, [to(o) if isinstance(o, np.ndarray) else o for o in row.operands], outs)
    got = tuple(np.asarray(back(o)) for o in outs)
    for one, other in zip(settled(row.name, got), settled(row.name, wanted), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


def test_all_rows_are_tested():
    assert {r.name for r in ROWS} == set(algebra.ROWS)
