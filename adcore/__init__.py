"""adcore: an automatic-differentiation compiler for Python.

>>> import math
>>> from adcore import grad
>>> grad(lambda x: math.sin(x) * x)(0.0)
0.0
"""

from . import started as started  # isort: split

from . import cache, plugins
from .api import checkpoint, grad, hessian, jacfwd, jacrev, jit, jvp, program, source, value_and_grad, vjp
from .errors import (
    AdcoreError,
    AliasError,
    CompileError,
    DtypeError,
    MissingRuleError,
    UnsupportedFunctionError,
    UnsupportedSyntaxError,
)
from .mapping import vmap
from .memory_report import MemoryReport, memory
from .policies import loop_policy
from .threads import get_num_threads, set_num_threads

__all__ = [
    "AdcoreError",
    "AliasError",
    "CompileError",
    "DtypeError",
    "MemoryReport",
    "MissingRuleError",
    "UnsupportedFunctionError",
    "UnsupportedSyntaxError",
    "checkpoint",
    "get_num_threads",
    "grad",
    "hessian",
    "jacfwd",
    "jacrev",
    "jit",
    "jvp",
    "loop_policy",
    "memory",
    "program",
    "set_num_threads",
    "source",
    "value_and_grad",
    "vjp",
    "vmap",
]

__version__ = "0.1.0"

plugins.preload()
cache.prepare()
