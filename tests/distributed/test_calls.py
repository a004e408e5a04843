"""Calls without a cluster."""

from __future__ import annotations

import numpy as np
import pytest

from adcore import AdcoreError, PickleError
from adcore.distributed import grad, total, value_and_grad
from adcore.distributed.parts import Common, Sent, alone, on_chunk
from adcore.pickling import restored


def loss(w, x):
    return np.sum((x - w) ** 2)


@pytest.mark.parametrize("call", [grad(loss), value_and_grad(loss), total(loss, 1)], ids=["grad", "value", "total"])
def test_no_client(call):
    with pytest.raises(AdcoreError, match="of loss is computed by a cluster of Dask's, and there is no client"):
        call(1.0, [np.ones(2)])


def test_options():
    with pytest.raises(ValueError, match="reduction='max': it is 'sum' or 'mean'"):
        value_and_grad(loss, reduction="max")


def test_arguments_that_cannot_be_loaded_by_a_worker():
    failed = restored("0.0.0", True, b"")
    keywords = Sent({})
    common = Common(grad(loss).function, alone, failed, keywords, (1,), False)
    with pytest.raises(PickleError, match=r"pickled by adcore 0\.0\.0"):
        on_chunk(common, np.ones(2))
    with pytest.raises(PickleError, match=r"pickled by adcore 0\.0\.0"):
        on_chunk(Common(grad(loss).function, alone, Sent([1.0, None]), keywords, (1,), False), failed)


def test_the_function_stays_itself():
    g = value_and_grad(loss)
    assert (g.__name__, g.__wrapped__) == ("loss", loss)
    with pytest.raises(TypeError, match="missing a required argument: 'x'"):
        g(1.0)
