"""Findings about a service that died, failed or did not answer."""

from perfci.model import Side, Weight
from perfci.sentences.finding import Shows, finding, listed, percent

RARE = "Make the rounds longer, or use more users, so that some requests are due in each."
"""The hint for a zero that may be chance."""


@finding
class Died:
    """The service died or was restarted."""

    code = "target-died"
    who: Shows
    note: str  # how it ended; empty where nobody knows

    @property
    def weight(self) -> Weight:
        return self.who.weight

    @property
    def message(self) -> str:
        return self.who.did("died or restarted while measured")

    @property
    def hint(self) -> str:
        return self.note or "See the log of the service."


@finding
class NoAnswer:
    """The candidate answered nothing under a load to which the reference answered."""

    code = "no-answer"
    weight = Weight.REGRESSION
    message = "The candidate answered no request; the reference did, under the same load"
    because: str  # what its users did instead; empty where nobody knows

    @property
    def hint(self) -> str:
        return f"{self.because or 'Its requests hang'}: see the logs of the service and of the load."


@finding
class NoAnswerByChance:
    """The candidate answered nothing, and the reference so little that this may be chance."""

    code = "no-requests"
    weight = Weight.INVALID
    reference_requests: int
    hint = RARE

    @property
    def message(self) -> str:
        return f"The candidate answered no request, and the reference {self.reference_requests}: that may be chance"


@finding
class NoRequests:
    """No request reached a side."""

    code = "no-requests"
    weight = Weight.INVALID
    sides: tuple[Side, ...]
    because: str
    hint = (
        "Does the load reach the service at all? What clients other than Locust's send is seen only where the Locust"
        " file fires `events.request` for it."
    )

    @property
    def message(self) -> str:
        who = " and ".join(side.value for side in self.sides)
        return f"No request to the {who} completed{f': {self.because}' if self.because else ''}"


@finding
class SilentRound:
    """A round without any answer that chance does not explain."""

    code = "silent-round"
    who: Shows
    hint = "See the log of the service."

    @property
    def weight(self) -> Weight:
        return self.who.weight

    @property
    def message(self) -> str:
        return self.who.did("answered no request in a whole round")


@finding
class SilentByChance:
    """Rounds without a request, in which few were due."""

    code = "silent-round"
    weight = Weight.WARNING
    silent: int  # rounds
    rounds: int
    hint = RARE

    @property
    def message(self) -> str:
        return f"In {self.silent} of {self.rounds} rounds no request was made: which may be chance, since few were due"


def _failures(error: str) -> str:
    return f"The first: {error}" if error else "See the failures of the run."


@finding
class TooFewFailed:
    """Every request of the candidate failed, but there were too few to exclude chance."""

    code = "everything-failed"
    weight = Weight.INVALID
    requests: int
    first: str  # error with its count; empty where none was recorded

    @property
    def message(self) -> str:
        return f"All {self.requests} requests of the candidate failed: too few to exclude chance"

    @property
    def hint(self) -> str:
        return _failures(self.first)


@finding
class EverythingFailed:
    """No request to any endpoint succeeded."""

    code = "everything-failed"
    who: Shows
    first: str

    @property
    def weight(self) -> Weight:
        return self.who.weight

    @property
    def message(self) -> str:
        return self.who.did("failed every request")

    @property
    def hint(self) -> str:
        return _failures(self.first)


def _on(shares: tuple[float, ...]) -> str:
    texts = [percent(share) for share in shares]
    return f"on both sides ({' and '.join(texts)})" if len(texts) > 1 else f"({texts[0]}), with no reference"


def _commonest(error: str) -> str:
    return f"The commonest: {error}" if error else "See the failures of the run."


@finding
class MostlyFailing:
    """Most of the requests fail, on both sides alike."""

    code = "mostly-failing"
    weight = Weight.INVALID
    shares: tuple[float, ...]  # of each side
    commonest: str  # error with its count; empty where none was recorded

    @property
    def message(self) -> str:
        return f"Most of the requests fail {_on(self.shares)}"

    @property
    def hint(self) -> str:
        return _commonest(self.commonest)


@finding
class PartlyFailing:
    """A part of the requests fails, on both sides alike."""

    code = "partly-failing"
    weight = Weight.NOTICE
    shares: tuple[float, ...]
    commonest: str

    @property
    def message(self) -> str:
        return f"A part of the load fails {_on(self.shares)}"

    @property
    def hint(self) -> str:
        return _commonest(self.commonest)


@finding
class EndpointFailed:
    """An endpoint never succeeded on the candidate, but did on the reference."""

    code = "endpoint-failed"
    weight = Weight.REGRESSION
    endpoints: tuple[str, ...]
    hint = ""

    @property
    def message(self) -> str:
        return f"Every request of the candidate failed at {listed(self.endpoints)}"


@finding
class EndpointBroken:
    """An endpoint never succeeded on any side."""

    code = "endpoint-broken"
    weight = Weight.WARNING
    endpoints: tuple[str, ...]
    both: bool  # sides; else there is no reference
    hint = "It is not measured: fix these requests, or remove them from the load."

    @property
    def message(self) -> str:
        where = "on both sides" if self.both else "with no reference"
        return f"Every request failed at {listed(self.endpoints)}, {where}"


@finding
class EndpointFailedByChance:
    """An endpoint of the candidate never succeeded, but got too few requests to exclude chance."""

    code = "endpoint-broken"
    weight = Weight.WARNING
    endpoints: tuple[str, ...]
    hint = RARE

    @property
    def message(self) -> str:
        return f"Every request of the candidate failed at {listed(self.endpoints)}: too few to tell it from chance"


@finding
class FailuresGrown:
    """More requests to some endpoints fail than on the reference."""

    code = "failures-grown"
    weight = Weight.WARNING
    grown: tuple[tuple[str, float, float], ...]  # endpoint, share of failures in the reference and in the candidate
    hint = "Their times are those of the requests that still succeed."

    @property
    def message(self) -> str:
        each = [f"{name} ({100 * base:.1f} -> {100 * candidate:.1f} %)" for name, base, candidate in self.grown]
        return f"More requests fail than in the reference: {listed(each)}"
