"""Programs as Python: what `adcore.source` prints.

The source reads as a person would write it, with the names of the user's own code, and runs unchanged under plain
Python and NumPy: executed, it computes what the program means.  One difference is Python's own: its integers do not
wrap around at 64 bits.
"""

from .source import Form, to_python

__all__ = ["Form", "to_python"]
