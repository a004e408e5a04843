"""Mutants of the compiler: one fragment of one module replaced, and a suite that must notice.

Planted faults (`proofs.plant_faults`) ask whether the laws catch wrong rows of the tables; mutants ask whether the
tests catch wrong algorithms around the tables: who owns memory, what is stored for the reverse sweep, which names
share an array.  Run as `python -m proofs.mutants`.
"""

from .catalogue import MUTANTS, Mutant

__all__ = ["MUTANTS", "Mutant"]
