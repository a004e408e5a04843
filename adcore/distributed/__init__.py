"""Values and gradients of sums over data that are spread over the machines of a Dask cluster.

The scheduling and the transport are Dask's.  Here are the chunks, and the order in which what they give is added:
always the same, so that neither the number of workers nor their speed nor the loss of one changes a bit of the result.
"""

try:
    import dask as dask
    import distributed as distributed
except ImportError as error:
    raise ImportError("adcore.distributed needs Dask: pip install 'adcore[distributed]'") from error

from .api import grad, total, value_and_grad

__all__ = ["grad", "total", "value_and_grad"]
