"""Half of the tests, by their names, compile functions for arrays of any lengths; the others for short axes as well.

So both are tested with all that there is, and a test that fails does so again.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from adcore.arguments import any_lengths


@pytest.fixture(autouse=True)
def _lengths(request: pytest.FixtureRequest) -> Iterator[None]:
    if zlib.crc32(request.node.nodeid.encode()) % 2:
        with any_lengths():
            yield
    else:
        yield


@pytest.fixture
def jax() -> Iterator[Any]:
    """JAX in 64 bits, for what is compared with it; these tests alone are skipped where it is not installed."""
    module = pytest.importorskip("jax")
    with module.enable_x64(True):
        yield module
