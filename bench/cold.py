"""Prints the seconds from `grad(f)` to its first result, in a process that has imported the library and no more.

python bench/cold.py adcore|jax|autograd
"""

from __future__ import annotations

import math
import sys
import time
from importlib import import_module

from timing import one_processor


def adcore_seconds() -> float:
    from adcore import grad

    began = time.perf_counter()
    grad(lambda x: math.sin(x) * x)(1.3)
    return time.perf_counter() - began


def jax_seconds() -> float:
    jax = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    began = time.perf_counter()
    jax.jit(jax.grad(lambda x: jax.numpy.sin(x) * x))(1.3).block_until_ready()
    return time.perf_counter() - began


def autograd_seconds() -> float:
    numpy = import_module("autograd.numpy")
    grad = import_module("autograd").grad
    began = time.perf_counter()
    grad(lambda x: numpy.sin(x) * x)(1.3)
    return time.perf_counter() - began


if __name__ == "__main__":
    one_processor()
    print({"adcore": adcore_seconds, "jax": jax_seconds, "autograd": autograd_seconds}[sys.argv[1]]())
