"""What `sorted` gives for items that are known at run time only, as functions of the language."""

from __future__ import annotations

import numpy as np

__all__ = ["by_keys", "keys_of", "numbers_in_order"]


def numbers_in_order(values, reverse):
    """The numbers of a list, sorted; nan comes last, where Python leaves the order to chance."""
    found = np.sort(np.array(values))
    return (found[::-1] if reverse else found).tolist()


def keys_of(values, key):
    return [key(value) for value in values]


def by_keys(values, keys, reverse):
    """The items of a list in the order of their keys; those of equal keys as they were."""
    found = np.array(keys)
    if reverse:
        order = (len(found) - 1 - np.argsort(found[::-1], kind="stable"))[::-1]
    else:
        order = np.argsort(found, kind="stable")
    return [values[k] for k in order]
