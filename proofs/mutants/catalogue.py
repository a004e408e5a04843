"""All mutants."""

from .backend import BACKEND
from .core import CORE
from .frontend import FRONTEND
from .mutant import Mutant

__all__ = ["MUTANTS", "Mutant"]

MUTANTS: tuple[Mutant, ...] = (*CORE, *FRONTEND, *BACKEND)
