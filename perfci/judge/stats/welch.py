"""Two means whose spreads differ, where the single requests are the replicates."""

from dataclasses import dataclass
from math import sqrt

from scipy import special

from perfci.model import Interval, Tally


@dataclass(frozen=True, slots=True)
class Difference:
    """Candidate minus base, and how well it is known."""

    estimate: float
    standard_error: float
    freedom: float

    @property
    def p_greater(self) -> float:
        """One-sided p-value that the mean grew."""
        return float(special.stdtr(self.freedom, -self.estimate / self.standard_error))

    @property
    def p_smaller(self) -> float:
        """One-sided p-value that the mean fell."""
        return float(special.stdtr(self.freedom, self.estimate / self.standard_error))

    def interval(self, confidence: float) -> Interval:
        """Of the difference, in the counter's unit."""
        half = float(special.stdtrit(self.freedom, (1 + confidence) / 2)) * self.standard_error
        return Interval(estimate=self.estimate, low=self.estimate - half, high=self.estimate + half)


def difference(base: Tally, candidate: Tally) -> Difference:
    """
    Of two tallies with two requests or more, at least one of which varies.

    The variances are not pooled (B. L. Welch, "The generalization of 'Student's' problem when several different
    population variances are involved", Biometrika 34, 1947): work that became data-dependent varies on one side only.
    """
    parts = [(one.spread**2 / one.requests, one.requests - 1) for one in (base, candidate)]
    variance = sum(part for part, _ in parts)
    freedom = variance**2 / sum(part**2 / own for part, own in parts)
    return Difference(candidate.mean - base.mean, sqrt(variance), freedom)
