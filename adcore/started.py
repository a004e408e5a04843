"""When this process began to import adcore: sources that are older are those that it runs."""

import time

__all__ = ["STARTED"]

STARTED = time.time()
