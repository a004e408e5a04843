"""Measurements: `python -m bench` from the root of the repository runs them."""
