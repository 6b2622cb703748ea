"""oha's summary as JSON; its times are seconds."""

from perfci.importers.content import Content, count, milliseconds, number
from perfci.importers.foreign import Aggregate, ForeignResult


def is_json(content: Content) -> bool:
    """Whether *content* is what `oha --output-format json` prints."""
    return isinstance(content.fields.get("summary"), dict) and "statusCodeDistribution" in content.fields


def parse_json(content: Content) -> ForeignResult:
    """One aggregate for all requests."""
    summary, quantiles = content.fields["summary"], content.fields.get("latencyPercentiles") or {}
    statuses = {int(status): count(found) or 0 for status, found in content.fields["statusCodeDistribution"].items()}
    errors = sum(count(found) or 0 for found in (content.fields.get("errorDistribution") or {}).values())
    aggregate = Aggregate(
        name="(all requests)",
        requests=sum(statuses.values()) + errors,
        failures=sum(found for status, found in statuses.items() if not 200 <= status < 400) + errors,
        mean_ms=milliseconds(summary.get("average"), "s"),
        min_ms=milliseconds(summary.get("fastest"), "s"),
        max_ms=milliseconds(summary.get("slowest"), "s"),
        quantiles_ms={
            round(float(key.lstrip("p")) / 100, 8): time
            for key, value in quantiles.items()
            if (time := milliseconds(value, "s")) is not None
        },
        throughput=number(summary.get("requestsPerSec")),
    )
    return ForeignResult(tool="oha", aggregates=(aggregate,), duration_s=number(summary.get("total")))
