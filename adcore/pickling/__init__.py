"""Pickling of compiled functions: by the source of the Python functions in them, never by machine code.

A function that can be imported is pickled by its name, as `pickle` does.  Of others, lambdas, closures and those of
`__main__` or of a notebook, there travel the text, what they close over, and the globals that they read; another
process needs neither the file nor the module.  It compiles what it is asked for, once for each pickle that it loads.
"""

from .by_source import BySource
from .loading import Failed, restored

__all__ = ["BySource", "Failed", "restored"]
