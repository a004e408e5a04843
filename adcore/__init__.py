"""adcore: an automatic-differentiation compiler for Python.

>>> import math
>>> from adcore import grad
>>> grad(lambda x: math.sin(x) * x)(0.0)
0.0
"""

from typing import TYPE_CHECKING, Any

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
from .custom import custom_jvp, custom_rule, custom_vjp, stop_gradient, straight_through
from .debugging import debug_nans
from .enclosures import Certificate, certify, worst_case
from .errors import (
    AdcoreError,
    AliasError,
    CompileError,
    ConvergenceWarning,
    DeviceError,
    DtypeError,
    MissingRuleError,
    NonDifferentiableError,
    NonDifferentiableWarning,
    NonFiniteError,
    PickleError,
    RuleError,
    SignatureError,
    UnsupportedFunctionError,
    UnsupportedSyntaxError,
)
from .gradient_check import check_grads
from .hosting import host_call
from .implicit import (
    custom_fixed_point,
    custom_root,
    fixed_point,
    least_squares,
    linear_solve,
    minimize,
    root,
    root_jvp,
    root_vjp,
)
from .jets import jet, taylor
from .mapping import vmap
from .memory_report import MemoryReport, memory
from .ode import odeint
from .policies import loop_policy
from .softened import soft
from .stability_report import stability
from .surrogates import Surrogate, SurrogateReport, surrogate_report
from .threads import get_num_threads, set_num_threads
from .truncation import clip_gradient, truncate
from .verdicts import Verdict, kinks, verdict

if TYPE_CHECKING:
    from .estimators import Estimate, estimate
    from .native.library import export
    from .native.pointers import cfunc

__all__ = [
    "AdcoreError",
    "AliasError",
    "Certificate",
    "CompileError",
    "ConvergenceWarning",
    "DeviceError",
    "DtypeError",
    "Estimate",
    "MemoryReport",
    "MissingRuleError",
    "NonDifferentiableError",
    "NonDifferentiableWarning",
    "NonFiniteError",
    "PickleError",
    "RuleError",
    "SignatureError",
    "Surrogate",
    "SurrogateReport",
    "UnsupportedFunctionError",
    "UnsupportedSyntaxError",
    "Verdict",
    "certify",
    "cfunc",
    "check_grads",
    "checkpoint",
    "clip_gradient",
    "custom_fixed_point",
    "custom_jvp",
    "custom_root",
    "custom_rule",
    "custom_vjp",
    "debug_nans",
    "estimate",
    "export",
    "fixed_point",
    "get_num_threads",
    "grad",
    "hessian",
    "hessian_diagonal",
    "host_call",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jet",
    "jit",
    "jvp",
    "kinks",
    "laplacian",
    "least_squares",
    "linear_solve",
    "linearize",
    "loop_policy",
    "memory",
    "minimize",
    "odeint",
    "program",
    "root",
    "root_jvp",
    "root_vjp",
    "set_num_threads",
    "soft",
    "source",
    "stability",
    "stop_gradient",
    "straight_through",
    "surrogate_report",
    "taylor",
    "truncate",
    "value_and_grad",
    "verdict",
    "vhp",
    "vjp",
    "vmap",
    "worst_case",
]

__version__ = "0.1.0"

# The modules of names that need what takes long to import, scipy.special, or that few programs use.
_LATER = {
    "Estimate": "estimators",
    "estimate": "estimators",
    "cfunc": "native.pointers",
    "export": "native.library",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f".{_LATER[name]}", __name__), name)
    globals()[name] = found
    return found


if plugins.preload():
    cache.prepare()
    plugins.backend().prepare()
plugins.extend()
