"""Robust estimates of what many series share."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def median_of_others(values: Floats) -> Floats:
    """
    For each row of *values* (series x replicates) the median of all other rows, column by column.

    Sorted once: leaving out an element moves what comes after it down by one.
    """
    count = len(values)
    ranks = values.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    ordered = np.sort(values, axis=0)
    columns = np.arange(values.shape[1])
    middle = [(count - 2) // 2, (count - 1) // 2]  # of the count - 1 that stay
    low, high = (ordered[at + (ranks <= at), columns] for at in middle)
    centre: Floats = (low + high) / 2
    return centre
