"""What happened when in a round, as it is stored: second by second, and in stretches."""

from typing import Annotated, Self

from pydantic import Field

from perfci.model import Histogram, Second, Stretch
from perfci.schema.stored import stored

HistogramText = Annotated[str, Field(pattern=r"^(-?[0-9]{1,4}:( [1-9][0-9]{0,15}| -[1-9][0-9]{0,3})+)?$")]


@stored
class SecondDocument:
    """One second of a round, counted from its beginning; `p50_ms` and `p95_ms` are of the requests that succeeded."""

    at_s: int
    users: int
    requests: int
    failures: int
    p95_ms: float | None
    p50_ms: float | None = None

    @classmethod
    def from_model(cls, second: Second) -> Self:
        return cls(
            at_s=second.at_s,
            users=second.users,
            requests=second.requests,
            failures=second.failures,
            p95_ms=second.p95_ms,
            p50_ms=second.p50_ms,
        )

    def to_model(self) -> Second:
        return Second(
            at_s=self.at_s,
            users=self.users,
            requests=self.requests,
            failures=self.failures,
            p95_ms=self.p95_ms,
            p50_ms=self.p50_ms,
        )


@stored
class StretchDocument:
    """All requests of a part of a round that begins `at_s` seconds after it; latencies are of those that succeeded."""

    at_s: float
    seconds: float
    requests: int
    failures: int
    histogram: HistogramText

    @classmethod
    def from_model(cls, stretch: Stretch) -> Self:
        return cls(
            at_s=stretch.at_s,
            seconds=stretch.seconds,
            requests=stretch.requests,
            failures=stretch.failures,
            histogram=stretch.histogram.text,
        )

    def to_model(self) -> Stretch:
        return Stretch(
            at_s=self.at_s,
            seconds=self.seconds,
            requests=self.requests,
            failures=self.failures,
            histogram=Histogram(self.histogram),
        )
