"""The one definition of a quantile that every number of perfci uses."""

from typing import Protocol


class Values(Protocol):
    """A list or an array."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> float: ...


def quantile(ordered: Values, share: float) -> float:
    """
    The value that *share* of the *ordered* values do not exceed, by a straight line between the two nearest.

    The seventh type of R. J. Hyndman and Y. Fan ("Sample quantiles in statistical packages", The American Statistician
    50, 1996), which numpy and pandas compute, too. There must be a value; the smallest comes first.
    """
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (position - below) * (ordered[above] - ordered[below]))
