"""Measurements: `python -m bench` from the root of the repository runs them."""

import os

os.environ["ADCORE_CACHE"] = "0"  # first calls compile, but where the disk cache is what is measured
