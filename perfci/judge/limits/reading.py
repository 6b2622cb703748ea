"""One value of one round, and between which bounds it lies for all that the round can show."""

from dataclasses import dataclass

from perfci.model import Better, Reason

CONFIDENCE = 0.95
"""One-sided, of the bound that has to lie within a limit before it is called held."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A value with its bounds; `value` is None where the round shows bounds alone."""

    value: float | None
    low: float
    high: float
    evidence: Reason | None = None  # what the value rests on

    def within(self, limit: float, better: Better) -> bool | None:
        """Whether the limit is kept: surely, surely not, or (None) not settled."""
        if better is Better.LOWER:
            return True if self.high <= limit else False if self.low > limit else None
        return True if self.low >= limit else False if self.high < limit else None


def exact(value: float) -> Reading:
    """A value without uncertainty: what was measured is what is judged."""
    return Reading(value, value, value)


def share(count: int, total: int) -> Reading:
    """
    The share of *count* among *total*, which is beyond a limit if its estimate is, and within if its bound is.

    The bounds are those of C. J. Clopper and E. S. Pearson ("The use of confidence or fiducial limits illustrated in
    the case of the binomial", Biometrika 26, 1934), one-sided: none of 2,995 requests shows at most 0.1 %.
    """
    from scipy import special

    value = count / total
    upper = 1.0 if count >= total else float(special.betaincinv(count + 1, total - count, CONFIDENCE))
    return Reading(value, value, upper)


def least_share(count: int, total: int) -> float:
    """The lower of the bounds that `share` names: so large the share surely is."""
    from scipy import special

    return float(special.betaincinv(count, total - count + 1, 1 - CONFIDENCE)) if count else 0.0


def complement(found: Reading) -> Reading:
    """The share of all others."""
    return Reading(None if found.value is None else 1 - found.value, 1 - found.high, 1 - found.low, found.evidence)
