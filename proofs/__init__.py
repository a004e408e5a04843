"""Evidence that the table is right: certificates of its rows, laws of linear programs, planted faults."""

import os

os.environ["ADCORE_CACHE"] = "0"  # faults that are planted must not get into programs that are kept
