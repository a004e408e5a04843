"""The libraries that adcore is measured beside, and how they are made ready: 64 bits, one thread."""

from __future__ import annotations

import shutil
from importlib import import_module
from importlib.util import find_spec
from typing import Any

__all__ = ["PEERS", "installed", "jax", "jaxopt", "optimistix", "peer_of", "torch"]

PEERS = ("numba", "jax", "jaxopt", "optimistix", "autograd", "torch", "scipy", "c++")


def installed(peer: str) -> bool:
    """Whether the peer is there to be measured; for C++ that is its compiler."""
    return bool(shutil.which("g++")) if peer == "c++" else find_spec(peer) is not None


def peer_of(contender: str) -> str | None:
    """The peer whose work a contender does: "jax" for "jax primal", None for adcore's own.

    >>> peer_of("jax primal"), peer_of("primal")
    ('jax', None)
    """
    first = contender.split()[0]
    return first if first in PEERS else None


def jax() -> Any:
    """JAX in 64 bits, imported when the first contender wants it."""
    module = import_module("jax")
    module.config.update("jax_enable_x64", True)
    return module


def jaxopt() -> Any:
    """jaxopt, after JAX was told of 64 bits."""
    return _on_jax("jaxopt")


def optimistix() -> Any:
    """Optimistix, likewise."""
    return _on_jax("optimistix")


def _on_jax(name: str) -> Any:
    if not installed(name):
        raise ModuleNotFoundError(f"{name} is not installed: pip install 'adcore[bench]'", name=name)
    jax()
    return import_module(name)


def torch() -> Any:
    """PyTorch on one thread, imported when the first contender wants it."""
    module = import_module("torch")
    module.set_num_threads(1)
    return module
