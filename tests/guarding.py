"""A plugin of pytest's: arrays of NumPy's have the guards of ADCORE_GUARD_MEMORY=1 as well.

ADCORE_GUARD_MEMORY=1 python -m pytest -p tests.guarding tests/llvm
"""

from __future__ import annotations

import ctypes

import numpy as np
from adcore_llvm import guarded
from adcore_llvm.capi import numpy_function
from adcore_llvm.memory import handler
from numpy._core.multiarray import get_handler_name  # type: ignore[attr-defined]

SET_HANDLER = 304  # PyDataMem_SetHandler in numpy/__multiarray_api.h


def pytest_sessionstart() -> None:
    assert guarded.is_on(), f"{guarded.VARIABLE}=1 is not set"
    set_handler = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.py_object)(numpy_function(SET_HANDLER))
    set_handler(handler())
    assert get_handler_name(np.zeros(3)) == "adcore"
