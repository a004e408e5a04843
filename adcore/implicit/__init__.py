"""Implicit differentiation: solutions by the conditions that they fulfil, not by the steps that found them."""

from .calls import custom_fixed_point, custom_root
from .linear_solvers import auto, bicgstab, cg, gmres, lsmr, lstsq, lu, neumann, normal_cg
from .problems import fixed_point, least_squares, linear_solve, minimize, root, root_jvp, root_vjp
from .reports import Report, report
from .scipy_linear import scipy_solver

__all__ = [
    "Report",
    "auto",
    "bicgstab",
    "cg",
    "custom_fixed_point",
    "custom_root",
    "fixed_point",
    "gmres",
    "least_squares",
    "linear_solve",
    "lsmr",
    "lstsq",
    "lu",
    "minimize",
    "neumann",
    "normal_cg",
    "report",
    "root",
    "root_jvp",
    "root_vjp",
    "scipy_solver",
]
