"""adcore: an automatic-differentiation compiler for Python."""
