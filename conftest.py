"""Tests neither write to the user's cache nor are served from it; those of the cache have one of their own."""

import os

os.environ.setdefault("ADCORE_CACHE", "0")
