"""What is said of a count of work: how far it moved, whether that is certain, and what caused it."""

from perfci.model import Comparison, Culprit, Interval, Reason, SeriesVerdict
from perfci.sentences.reason import reason
from perfci.sentences.series import advisory, claim, count, signed


@reason
class Counted:
    """A count that is the same in every request of a side."""

    code = "counted"
    comparison: Comparison
    verdict: SeriesVerdict
    base: float
    candidate: float
    same: bool  # on both sides

    def __str__(self) -> str:
        metric, endpoint = self.comparison.series.metric, self.comparison.series.endpoint
        end = advisory(self.comparison)
        if self.same:
            return f"{endpoint}: {count(self.candidate)} {metric.name} in every request, as before{end}"
        small = {
            SeriesVerdict.EQUIVALENT: ", within its margin",
            SeriesVerdict.BELOW_BUDGET: ", below its budget",
        }.get(self.verdict, "")
        values = f"{count(self.base)} -> {count(self.candidate)}"
        moved = _moved(self.comparison, self.base, self.candidate)
        return f"{endpoint} {moved} in every request ({values}){small}{end}"


@reason
class CountedOnAverage:
    """A count that depends on data, so that the requests of both sides were tested."""

    code = "counted-on-average"
    comparison: Comparison
    verdict: SeriesVerdict
    base: float
    candidate: float
    interval: Interval  # of the difference
    confidence: float  # of the interval
    requests: tuple[int, int]  # of the base and of the candidate

    def __str__(self) -> str:
        metric, endpoint = self.comparison.series.metric, self.comparison.series.endpoint
        what = {
            SeriesVerdict.EQUIVALENT: f": {metric.name} stays within its margin",
            SeriesVerdict.BELOW_BUDGET: f": {metric.name} stays below its budget",
            SeriesVerdict.INCONCLUSIVE: f": {metric.name} can neither be called changed nor unchanged",
        }.get(self.verdict, f" {_moved(self.comparison, self.base, self.candidate)} a request on average")
        interval = f"{100 * self.confidence:.0f} % interval {signed(self.interval.low)}..{signed(self.interval.high)}"
        requests = " and ".join(map(str, self.requests))
        values = f"{count(self.base)} -> {count(self.candidate)}, {interval}, {requests} requests"
        return f"{endpoint}{what} ({values}){advisory(self.comparison)}"


@reason
class WithCulprit:
    """A count that grew, with what made it grow."""

    code = "with-culprit"
    of: Reason
    culprit: Culprit
    shortened: str  # what the culprit is

    def __str__(self) -> str:
        calls = f"{count(self.culprit.before)} -> {count(self.culprit.after)} {self.culprit.unit}"
        return f"{self.of} ({self.culprit.kind}: {calls} of {self.shortened})"


@reason
class Accepted:
    """A count that grew, which the change itself accepts."""

    code = "accepted"
    of: Reason

    def __str__(self) -> str:
        return f"{self.of}; accepted: this change writes it into census.json"


def _moved(comparison: Comparison, base: float, candidate: float) -> str:
    return claim(comparison.series.metric, candidate - base, count(abs(candidate - base)))
