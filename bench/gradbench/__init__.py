"""The problems of GradBench, the field's shared benchmark, as ordinary Python functions that adcore differentiates."""
