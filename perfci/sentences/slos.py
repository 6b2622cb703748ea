"""What is said of a limit: in how many rounds it is held, or why no round could tell."""

from collections.abc import Mapping
from math import isfinite

from perfci.model import Metric, Reason
from perfci.sentences.reason import reason
from perfci.sentences.series import amount

_NEEDS: Mapping[str, str] = {
    "availability": "nobody asked, see `availability` of [monitor]",
    "cache_hit_rate": "no gauge tells it: a Redis of the project, or [monitor.gauges.cache-hit-rate]",
    "cache_hit_loss": "the cache was not watched for long enough",
    "recovery": "it needs stages with a spike, five seconds before it and five after it",
    "breaking_point": "it needs stages that add users, of four seconds each or more",
    "memory_growth": "the memory of the target was not watched for long enough",
    "connection_growth": "the connections were not watched for long enough",
    "latency_drift": "the load does not stay the same for long enough",
}
"""Quantity -> what a round must have to show it."""


@reason
class RoundsWithin:
    """In how many rounds the limit was held."""

    code = "rounds-within"
    within: int
    rounds: int  # that can tell
    silent: int  # rounds that cannot
    limit: float
    metric: Metric
    evidence: Reason | None

    def __str__(self) -> str:
        silent = f", {self.silent} could not tell" if self.silent else ""
        return f"{self.within}/{self.rounds} rounds within {amount(self.limit, self.metric)}{silent}" + _behind(
            self.evidence
        )


@reason
class NotSettled:
    """The limit lies between the bounds that a round shows."""

    code = "not-settled"
    low: float  # -inf: not known
    high: float  # inf: not known
    limit: float
    metric: Metric
    evidence: Reason | None

    def __str__(self) -> str:
        low, high = (amount(bound, self.metric) if isfinite(bound) else "" for bound in (self.low, self.high))
        bounds = f"between {low} and {high}" if low and high else f"at least {low}" if low else f"at most {high}"
        return f"not settled: {bounds}, and the limit is {amount(self.limit, self.metric)}{_behind(self.evidence)}"


@reason
class NotHeld:
    """No round has a value for the limit."""

    code = "not-held"
    limit: float
    metric: Metric
    lacks: Reason

    def __str__(self) -> str:
        return f"no round could be held against {amount(self.limit, self.metric)}: {self.lacks}"


@reason
class NoLoadRound:
    """Nothing was measured under load."""

    code = "no-load-round"

    def __str__(self) -> str:
        return "there was no load round"


@reason
class NoPhase:
    """The stages of the load have no phase of that name."""

    code = "no-phase"
    phase: str

    def __str__(self) -> str:
        return f"the load has no phase {self.phase}"


@reason
class NoWindows:
    """The rounds were stored without their latencies over time."""

    code = "no-windows"

    def __str__(self) -> str:
        return "its latencies over time were not stored"


@reason
class NotShown:
    """The rounds do not show the quantity."""

    code = "not-shown"
    metric: str

    def __str__(self) -> str:
        return _NEEDS.get(self.metric, "the rounds do not show it")


@reason
class NotSent:
    """The users that the limit is on made no request."""

    code = "not-sent"
    user: str  # a class
    senders: tuple[str, ...]  # the classes that made some; empty where nobody noted it

    def __str__(self) -> str:
        senders = ", ".join(self.senders) or "users that nobody noted"
        return f"no request was made by {self.user}, but by {senders}"


@reason
class NotRequested:
    """No request was made to the endpoint."""

    code = "not-requested"
    near: str  # an endpoint that is called alike; empty where there is none

    def __str__(self) -> str:
        return f"no request was made to it{f' (but to {self.near})' if self.near else ''}"


@reason
class TooFewRequests:
    """No round has enough requests for the metric."""

    code = "too-few-requests"
    least: int  # that succeed

    def __str__(self) -> str:
        return f"{self.least} successful requests in a round are needed"


@reason
class Restarted:
    """The service died or was restarted."""

    code = "restarted"
    died: int  # rounds
    rounds: int
    note: str  # of the first; may be empty

    def __str__(self) -> str:
        return f"it died or restarted in {self.died} of {self.rounds} rounds{f': {self.note}' if self.note else ''}"


def _behind(evidence: Reason | None) -> str:
    return f" ({evidence})" if evidence else ""
