"""A value of one round, with the bounds of its uncertainty."""

from dataclasses import dataclass

from perfci.model import Better, Reason

CONFIDENCE = 0.95
"""One-sided confidence of the bound that must lie within a limit for a pass."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A value with its bounds; `value` is None where the round shows bounds alone."""

    value: float | None
    low: float
    high: float
    evidence: Reason | None = None  # what the value rests on
    excluded: bool = False  # the better one of the bounds is: it was not recovered by then, it broke with so many

    def within(self, limit: float, better: Better) -> bool | None:
        """Whether the limit is kept: True, False, or None where the bounds do not settle it."""
        if better is Better.LOWER:
            best, worst, most = self.low, self.high, limit
        else:
            best, worst, most = -self.high, -self.low, -limit
        if worst <= most:
            return True
        return False if best > most or (self.excluded and best == most) else None


def exact(value: float) -> Reading:
    """A value without uncertainty."""
    return Reading(value, value, value)


def share(count: int, total: int) -> Reading:
    """
    The share of *count* among *total*, which breaches a limit if its estimate does, and keeps it if its bound does.

    The bounds are those of C. J. Clopper and E. S. Pearson ("The use of confidence or fiducial limits illustrated in
    the case of the binomial", Biometrika 26, 1934), one-sided: none of 2,995 requests shows at most 0.1 %.
    """
    from scipy import special

    value = count / total
    upper = 1.0 if count >= total else float(special.betaincinv(count + 1, total - count, CONFIDENCE))
    return Reading(value, value, upper)


def least_share(count: int, total: int, error: float = 1 - CONFIDENCE) -> float:
    """The lower bound of `share`, beyond which the true share lies with a probability of at most *error*."""
    from scipy import special

    return float(special.betaincinv(count, total - count + 1, error)) if count else 0.0


def complement(found: Reading) -> Reading:
    """The reading of one minus the share."""
    return Reading(None if found.value is None else 1 - found.value, 1 - found.high, 1 - found.low, found.evidence)
