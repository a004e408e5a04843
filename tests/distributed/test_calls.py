"""Calls without a cluster."""

from __future__ import annotations

import numpy as np
import pytest

from adcore import AdcoreError
from adcore.distributed import grad, total, value_and_grad


def loss(w, x):
    return np.sum((x - w) ** 2)


@pytest.mark.parametrize("call", [grad(loss), value_and_grad(loss), total(loss, 1)], ids=["grad", "value", "total"])
def test_no_client(call):
    with pytest.raises(AdcoreError, match="of loss is computed by a cluster of Dask's, and there is no client"):
        call(1.0, [np.ones(2)])


def test_options():
    with pytest.raises(ValueError, match="reduction='max': it is 'sum' or 'mean'"):
        value_and_grad(loss, reduction="max")


def test_the_function_stays_itself():
    g = value_and_grad(loss)
    assert (g.__name__, g.__wrapped__) == ("loss", loss)
    with pytest.raises(TypeError, match="missing a required argument: 'x'"):
        g(1.0)
