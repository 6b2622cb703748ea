"""What is said of a count of work: how far it moved, whether that is certain, and what caused it."""

from perfci.model import Comparison, Culprit, Role, SeriesVerdict
from perfci.sentences.series import claim, count, signed

ACCEPTED = "; accepted: this change writes it into census.json"


def not_compared(comparison: Comparison) -> str:
    """The reason of a count that has nothing to be compared with."""
    return f"{comparison.series.endpoint}: {comparison.series.metric.name} not compared ({comparison.note})"


def certain(comparison: Comparison, verdict: SeriesVerdict, base: float, candidate: float, *, same: bool) -> str:
    """The reason of a count that is the same in every request of a side."""
    metric, endpoint = comparison.series.metric, comparison.series.endpoint
    if same:
        return f"{endpoint}: {count(candidate)} {metric.name} in every request, as before{_advisory(comparison)}"
    grown = claim(metric, candidate - base, count(abs(candidate - base)))
    small = {
        SeriesVerdict.EQUIVALENT: ", within its margin",
        SeriesVerdict.BELOW_BUDGET: ", below its budget",
    }.get(verdict, "")
    values = f"{count(base)} -> {count(candidate)}"
    return f"{endpoint} {grown} in every request ({values}){small}{_advisory(comparison)}"


def varying(
    comparison: Comparison, verdict: SeriesVerdict, base: float, candidate: float, *, of: tuple[int, int], level: float
) -> str:
    """The reason of a count that depends on data; *of* how many requests of each side, *level* is of the interval."""
    metric, endpoint = comparison.series.metric, comparison.series.endpoint
    assert comparison.change is not None
    grown = claim(metric, candidate - base, count(abs(candidate - base)))
    what = {
        SeriesVerdict.EQUIVALENT: f": {metric.name} stays within its margin",
        SeriesVerdict.BELOW_BUDGET: f": {metric.name} stays below its budget",
        SeriesVerdict.INCONCLUSIVE: f": {metric.name} can neither be called changed nor unchanged",
    }.get(verdict, f" {grown} a request on average")
    interval = f"{100 * level:.0f} % interval {signed(comparison.change.low)}..{signed(comparison.change.high)}"
    values = f"{count(base)} -> {count(candidate)}, {interval}, {of[0]} and {of[1]} requests"
    return f"{endpoint}{what} ({values}){_advisory(comparison)}"


def cause(culprit: Culprit, shortened: str) -> str:
    """A culprit in a few words, beside the reason of the count that it explains."""
    return f"{culprit.kind}: {count(culprit.before)} -> {count(culprit.after)} {culprit.unit} of {shortened}"


def _advisory(comparison: Comparison) -> str:
    return "; advisory" if comparison.budget.role is Role.ADVISORY else ""
