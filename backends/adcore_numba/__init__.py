"""Programs as Python source that Numba compiles, and derivatives that functions compiled by Numba can call."""
