"""What `locust --json` prints: each endpoint's response times as counts of rounded values."""

from collections.abc import Mapping
from typing import Any

from perfci.importers.content import Content, count, number
from perfci.importers.foreign import Aggregate, ForeignResult
from perfci.importers.locust_csv import ROUNDED
from perfci.quantile import quantile

_SHARES = (0.5, 0.66, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99)


def recognises(content: Content) -> bool:
    """Whether *content* is a list of Locust's statistics."""
    found = content.json
    return isinstance(found, list) and bool(found) and isinstance(found[0], dict) and "response_times" in found[0]


def parse(content: Content) -> ForeignResult:
    """One aggregate for each endpoint."""
    entries = list(content.json)
    started = [found for entry in entries if (found := number(entry.get("start_time"))) is not None]
    ended = [found for entry in entries if (found := number(entry.get("last_request_timestamp"))) is not None]
    return ForeignResult(
        tool="Locust",
        aggregates=tuple(_aggregate(entry) for entry in entries),
        started_at=min(started, default=None),
        duration_s=max(ended) - min(started) if started and ended else None,
        notes=(ROUNDED,),
    )


def _aggregate(entry: Mapping[str, Any]) -> Aggregate:
    times = sorted(
        value
        for text, how_often in entry["response_times"].items()
        for value in [float(text)] * (count(how_often) or 0)
    )
    requests = count(entry["num_requests"])
    total = number(entry.get("total_response_time"))
    return Aggregate(
        name=" ".join(part for part in (entry.get("method") or "", str(entry["name"])) if part),
        requests=requests,
        failures=count(entry.get("num_failures")),
        mean_ms=total / requests if total is not None and requests else None,
        min_ms=number(entry.get("min_response_time")),
        max_ms=number(entry.get("max_response_time")),
        quantiles_ms={share: quantile(times, share) for share in _SHARES} if times else {},
    )
