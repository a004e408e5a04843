"""Tests neither write to the user's cache nor are served from it; those of the cache have one of their own.

To run others with a cache, name both: ADCORE_CACHE=1 ADCORE_CACHE_DIR=…
"""

import os

if "ADCORE_CACHE_DIR" not in os.environ:
    os.environ["ADCORE_CACHE"] = "0"
os.environ.setdefault("ADCORE_CACHE", "0")
