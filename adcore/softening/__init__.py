"""Programs made smooth: each equation with a jump or a bend replaced by a smooth one (see `adcore.soft`).

What a float is, is another float.  A boolean or an integer that depends on the arguments becomes a real number: the
probability that it is true, the mean of what it is.  A place that is one of many (`argmax`, `argsort`) becomes weights
of all of them, so that reading there is a mean of what is read.
"""

from .conversion import softened

__all__ = ["softened"]
