"""Functions and derivatives for C: pointers in this process (`cfunc`), and libraries for others (`export`)."""
