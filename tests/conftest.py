"""Half of the tests, by their names, compile functions for arrays of any lengths; the others for short axes as well.

So both are tested with all that there is, and a test that fails does so again.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import pytest

from adcore.arguments import any_lengths


@pytest.fixture(autouse=True)
def _lengths(request: pytest.FixtureRequest) -> Iterator[None]:
    if zlib.crc32(request.node.nodeid.encode()) % 2:
        with any_lengths():
            yield
    else:
        yield
