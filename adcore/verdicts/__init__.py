"""Whether a gradient is the derivative: kinks found, watched, opened and judged.

`kinks` lists where a function can fail to be differentiable, without running it; `verdict` says of a point whether its
gradient is the derivative there, and why.  (Lee, Park and Aiken, On the correctness of automatic differentiation for
neural networks with machine-representable parameters, ICML 2023; Park, Chun and Lee, What does automatic
differentiation compute for neural networks?, ICLR 2024.)
"""

from .ask import Verifier, kinks, verdict
from .report import Kink, Near, Verdict
from .sites import Place

__all__ = ["Kink", "Near", "Place", "Verdict", "Verifier", "kinks", "verdict"]
