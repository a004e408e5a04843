"""The suites run on one processor, as the report does."""

from bench.timing import one_processor

one_processor()
