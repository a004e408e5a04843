"""Prints the seconds that importing a library takes, NumPy and what else it imports included.

python bench/imports.py adcore|jax|autograd
"""

from __future__ import annotations

import sys
import time
from importlib import import_module

if __name__ == "__main__":
    began = time.perf_counter()
    import_module(sys.argv[1])
    print(time.perf_counter() - began)
