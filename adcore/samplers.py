"""Samplers of other packages, called with compiled log densities and gradients: nutpie, without Python in its loop."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from .api import jit, value_and_grad
from .native.pointers import CFunction, cfunc
from .signatures import definition, name_of

__all__ = ["nutpie_model"]

LOGP = "int64_t(uint64_t n, const double x[n], double gradient[n], double *value, void *user)"
KEPT = "int64_t(uint64_t n, uint64_t m, const double x[n], double kept[m], void *user)"


def nutpie_model(
    logp: Callable[[Any], Any],
    start: Any,
    kept: Callable[[Any], Mapping[str, Any]] | None = None,
    *,
    dims: Mapping[str, Sequence[str]] | None = None,
    coords: Mapping[str, Sequence[Any]] | None = None,
) -> Any:
    """A model for `nutpie.sample`, whose chains run in threads of their own on machine code.

    Args:
        logp: the log density, up to a constant, of a vector of shape (n,) of real numbers without bounds; a
            function of one argument, differentiated here.  Where it raises, the point is rejected as a divergence.
        start: a vector of shape (n,), around which chains begin, at most 1 away in each coordinate; or a function of a
            seed that gives the beginning of a chain.
        kept: what is kept of a point: a function of the vector that gives a dict of real numbers and arrays, say
            constrained parameters; by default the vector itself, as `x`.
        dims: for arrays among these the names of their axes.
        coords: the labels along such an axis.

    Returns:
        A compiled model of nutpie's.  Captured arrays and numbers are copied: it has to be made anew for other data.

    Raises:
        ImportError: nutpie is not installed (`pip install adcore[sampling]`).
        AdcoreError: as `value_and_grad(logp)` and `cfunc`.

    A normal distribution of two numbers:

        model = nutpie_model(lambda x: -0.5 * np.sum(x * x), np.zeros(2))
        trace = nutpie.sample(model, chains=4, draws=1000)
    """
    begin = start if callable(start) else _around(np.array(start, float))
    first = np.asarray(begin(0), float)
    found = jit(kept or _all)(first)
    names = tuple(found)
    model = _model_class()
    return model(
        dims={name: tuple(axes) for name, axes in (dims or {}).items()},
        size=len(first),
        names=names,
        sizes=tuple(np.shape(found[name]) for name in names),
        labels=dict(coords or {}),
        density=cfunc(value_and_grad(logp), LOGP),
        expand=cfunc(_flattened(kept or _all, names), KEPT),
        begin=begin,
    )


def _around(center: np.ndarray) -> Callable[[int], np.ndarray]:
    def begin(seed: int) -> np.ndarray:
        return center + np.random.default_rng(seed).uniform(-1.0, 1.0, center.shape)

    return begin


def _all(x: Any) -> dict[str, Any]:
    return {"x": x}


def _flattened(kept: Callable[[Any], Mapping[str, Any]], names: tuple[str, ...]) -> Callable[[Any], Any]:
    """What is kept, in one vector."""

    def flat(x: Any) -> Any:
        found = kept(x)
        return np.concatenate([np.ravel(found[name]) for name in names])

    flat.__name__ = name_of(kept)
    flat.__adcore_source__ = definition(kept)  # type: ignore[attr-defined]
    return flat


@cache
def _model_class() -> type:
    """The class of models; nutpie is imported by those who sample."""
    _lib, base = import_module("nutpie._lib"), import_module("nutpie.sample").CompiledModel

    @dataclasses.dataclass(frozen=True)
    class CompiledPointers(base):
        """A model whose density and whose kept values are C functions."""

        size: int
        names: tuple[str, ...]
        sizes: tuple[tuple[int, ...], ...]
        labels: dict[str, Any]
        density: CFunction
        expand: CFunction
        begin: Callable[[int], np.ndarray]

        @property
        def n_dim(self) -> int:
            return self.size

        @property
        def shapes(self) -> dict[str, tuple[int, ...]]:
            return dict(zip(self.names, self.sizes, strict=True))

        @property
        def coords(self) -> dict[str, Any]:
            return self.labels

        def _make_model(self, init_mean: Any) -> Any:
            lengths = {name: len(values) for name, values in self.labels.items()}
            kinds = ["float64"] * len(self.names)
            dims = dict(self.dims or {})  # nutpie adds to both
            variables = _lib.PyVariable.new_variables(list(self.names), kinds, list(self.sizes), lengths, dims)
            total = sum(int(np.prod(shape)) for shape in self.sizes)
            return _lib.PyMcModel(
                _lib.LogpFunc(self.density.address, 0, self.density),
                _lib.ExpandFunc(self.size, total, self.expand.address, 0, self.expand),
                variables,
                self.size,
                lengths,
                self.labels,
                self.begin,
                None,
            )

        def _make_sampler(self, settings: Any, init_mean: Any, cores: int, progress: Any, store: Any) -> Any:
            return _lib.PySampler.from_pymc(settings, cores, self._make_model(init_mean), progress, store)

    return CompiledPointers
