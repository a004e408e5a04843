"""All mutants."""

from .backend import BACKEND
from .core import CORE
from .frontend import FRONTEND
from .mutant import Mutant
from .rules import RULES

__all__ = ["MUTANTS", "Mutant"]

MUTANTS: tuple[Mutant, ...] = (*CORE, *RULES, *FRONTEND, *BACKEND)
