"""adcore: an automatic-differentiation compiler for Python.

>>> import math
>>> from adcore import grad
>>> grad(lambda x: math.sin(x) * x)(0.0)
0.0
"""

from . import started as started  # isort: split

from . import cache, plugins
from .api import checkpoint, grad, hessian, jacfwd, jacrev, jit, jvp, program, source, value_and_grad, vjp
from .custom import custom_jvp, custom_rule, custom_vjp, stop_gradient, straight_through
from .errors import (
    AdcoreError,
    AliasError,
    CompileError,
    DtypeError,
    MissingRuleError,
    RuleError,
    UnsupportedFunctionError,
    UnsupportedSyntaxError,
)
from .gradient_check import check_grads
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
    "RuleError",
    "UnsupportedFunctionError",
    "UnsupportedSyntaxError",
    "check_grads",
    "checkpoint",
    "custom_jvp",
    "custom_rule",
    "custom_vjp",
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
    "stop_gradient",
    "straight_through",
    "value_and_grad",
    "vjp",
]

__version__ = "0.1.0"

plugins.preload()
cache.prepare()
