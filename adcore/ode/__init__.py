"""Ordinary differential equations: solvers in the language, and the derivatives of what they find."""

from .calls import daeint, odeint, odeint_event
from .flows import log_density

__all__ = ["daeint", "log_density", "odeint", "odeint_event"]
