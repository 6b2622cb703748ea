"""What the values of a whole load rest on: its breaking point, its recovery from a spike, its worst window."""

from perfci.model import Reason
from perfci.sentences.reason import reason


@reason
class TooManyFailed:
    """A number of users was too much: too many of their requests failed."""

    code = "too-many-failed"
    users: int
    share: float  # of the requests

    def __str__(self) -> str:
        return f"{_short(100 * self.share, 3)} % of the requests of {self.users} users failed"


@reason
class TooSlow:
    """A number of users was too much: their requests were too slow."""

    code = "too-slow"
    users: int
    p95_ms: float
    limit_ms: float

    def __str__(self) -> str:
        return f"p95 of {self.users} users is {_short(self.p95_ms)} ms, beyond {_short(self.limit_ms)} ms"


@reason
class BusiestMinute:
    """The user that got most requests through in a minute."""

    code = "busiest-minute"
    users: int  # of whom it is the busiest
    requests: int
    seconds: float
    refused: bool  # whether its last request was refused

    def __str__(self) -> str:
        refused = ", then refused" if self.refused else ""
        return f"the busiest of {self.users} users: {self.requests} in {self.seconds:.0f} s{refused}"


@reason
class WorstWindow:
    """The part of a round in which the value of a limit is worst."""

    code = "worst-window"
    windows: int
    seconds: float  # length
    at_s: float  # seconds since the round began

    def __str__(self) -> str:
        number = f"the worst of {self.windows} windows" if self.windows > 1 else "one window"
        return f"{number} of {self.seconds:g} s, from {self.at_s:g} s on"


@reason
class NotReached:
    """Nothing broke."""

    code = "not-reached"
    users: int  # the most that there were

    def __str__(self) -> str:
        return f"not reached up to {self.users} users"


@reason
class ByLevel:
    """What the responses were at each number of users, behind what came of them."""

    code = "by-level"
    outcome: Reason
    levels: tuple[tuple[int, float, float], ...]  # users, requests a second that succeeded, p95 in ms

    def __str__(self) -> str:
        levels = ", ".join(f"{users} users {_short(rate)}/s in {_short(p95, 3)} ms" for users, rate, p95 in self.levels)
        return f"{self.outcome}; throughput and p95: {levels}"


@reason
class NotRecovered:
    """The latencies were not back before the round ended."""

    code = "not-recovered"
    limit_ms: float
    seconds: int  # after the spike

    def __str__(self) -> str:
        return f"p95 was not back within {_short(self.limit_ms, 3)} ms after {self.seconds} s"


@reason
class BeforeSpike:
    """What the latencies came back to."""

    code = "before-spike"
    p95_ms: float

    def __str__(self) -> str:
        return f"p95 before the spike {_short(self.p95_ms, 3)} ms"


def _short(value: float, digits: int = 4) -> str:
    """A number with so many significant digits, and never an exponent."""
    return f"{float(f'{value:.{digits}g}'):.10g}"
