"""adcore: an automatic-differentiation compiler for Python.

>>> import math
>>> from adcore import grad
>>> grad(lambda x: math.sin(x) * x)(0.0)
0.0
"""

from . import started as started  # isort: split

from . import cache, plugins
from .api import (
    checkpoint,
    grad,
    hessian,
    hessian_diagonal,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jit,
    jvp,
    laplacian,
    linearize,
    program,
    source,
    value_and_grad,
    vhp,
    vjp,
)
from .errors import (
    AdcoreError,
    AliasError,
    CompileError,
    DtypeError,
    MissingRuleError,
    UnsupportedFunctionError,
    UnsupportedSyntaxError,
)
from .hosting import host_call
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
    "hessian_diagonal",
    "host_call",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "laplacian",
    "linearize",
    "loop_policy",
    "memory",
    "program",
    "set_num_threads",
    "source",
    "value_and_grad",
    "vhp",
    "vjp",
    "vmap",
]

__version__ = "0.1.0"

plugins.preload()
cache.prepare()
plugins.prepare()
