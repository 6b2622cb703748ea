"""Many series are one family: the chance that any of them turns red by accident is what alpha promises."""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """
    Adjust p-values so that comparing each with alpha holds the error of the whole family at alpha.

    The k-th smallest of m is multiplied by m - k + 1 and never falls below the one before it; no independence is
    needed (S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6, 1979).
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    adjusted = np.empty_like(p)
    adjusted[order] = stepped
    return [float(value) for value in adjusted]
