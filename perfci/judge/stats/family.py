"""Corrects for many tests: alpha is the chance that any series of the family turns red by accident."""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float], weights: Sequence[float] | None = None) -> list[float]:
    """
    Adjust p-values so that comparing each with alpha holds the error of the whole family at alpha.

    Each *weight* is a share of alpha, in any unit; all alike unless given. In the order of p / weight, each p is
    multiplied by the weight of what is left over its own, and never falls below the one before it; no independence is
    needed (S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6, 1979, section 4).
    """
    p = np.asarray(p_values, dtype=np.float64)
    share = np.ones_like(p) if weights is None else np.asarray(weights, dtype=np.float64)
    order = np.argsort(p / share, kind="stable")
    left = np.cumsum(share[order][::-1])[::-1]
    stepped = np.minimum(1.0, np.maximum.accumulate(p[order] * left / share[order]))
    adjusted = np.empty_like(p)
    adjusted[order] = stepped
    return [float(value) for value in adjusted]
