"""Elements of arrays as Python's numbers: what the methods `item` and `tolist` give."""

from __future__ import annotations

__all__ = ["element_of", "list_of"]


def element_of(x, *index):
    if len(index) == 0:
        if x.size != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        return x.ravel()[0]
    place = index[0] if len(index) == 1 else index
    return x.ravel()[place] if isinstance(place, int) else x[place]


def list_of(x):
    if x.ndim == 0:
        return x.item()
    return [list_of(row) for row in x]
