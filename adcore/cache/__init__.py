"""Compiled code on disk, so that a second process need not compile.

What is on disk belongs to a function with all that its compilation may depend on (`world`), to the arguments, and to
the sources of adcore, versions and the machine (`environment`).  What another process could not recognize is not kept.
"""

from .kept import Kept, unrepeatable
from .names import is_ours, is_trusted
from .store import COUNTS, Counts, clear, directory, examine, is_on, listed, prepare, support
from .world import globals_of, has_own_code

__all__ = [
    "COUNTS",
    "Counts",
    "Kept",
    "clear",
    "directory",
    "examine",
    "globals_of",
    "has_own_code",
    "is_on",
    "is_ours",
    "is_trusted",
    "listed",
    "prepare",
    "support",
    "unrepeatable",
]
