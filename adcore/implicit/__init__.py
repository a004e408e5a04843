"""Implicit differentiation: solutions by the conditions that they fulfil, not by the steps that found them."""

from .calls import custom_fixed_point, custom_root
from .linear_solvers import auto, bicgstab, cg, gmres, lstsq, lu, neumann, normal_cg

__all__ = [
    "auto",
    "bicgstab",
    "cg",
    "custom_fixed_point",
    "custom_root",
    "gmres",
    "lstsq",
    "lu",
    "neumann",
    "normal_cg",
]
