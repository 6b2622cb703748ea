"""oha: its summary as JSON, and its CSV with every answered request; all times are seconds."""

from perfci.importers.content import Content, count, milliseconds, number
from perfci.importers.foreign import Aggregate, ForeignResult, Sample, requests_of

DEADLINE = "aborted due to deadline"
"""The error of a request that was in flight when the load ended: no fault of the service, as oha itself counts it."""


def is_json(content: Content) -> bool:
    """Whether *content* is what `oha --output-format json` prints."""
    return isinstance(content.fields.get("summary"), dict) and "statusCodeDistribution" in content.fields


def parse_json(content: Content) -> ForeignResult:
    """One aggregate for all requests."""
    summary, quantiles = content.fields["summary"], content.fields.get("latencyPercentiles") or {}
    statuses = {int(status): count(found) or 0 for status, found in content.fields["statusCodeDistribution"].items()}
    errors_by_message = content.fields.get("errorDistribution") or {}
    errors = sum(count(found) or 0 for error, found in errors_by_message.items() if error != DEADLINE)
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


def is_csv(content: Content) -> bool:
    """Whether *content* is what `oha --output-format csv` prints."""
    return {"request-start", "request-duration", "status"} <= set(content.columns)


def parse_csv(content: Content) -> ForeignResult:
    """Every request that was answered; the file names no address."""
    samples = []
    for row in content.rows():
        status = count(row["status"]) or 0
        samples.append(
            Sample(
                name="(all requests)",
                start_s=number(row["request-start"]) or 0.0,
                latency_ms=milliseconds(row["request-duration"], "s") or 0.0,
                failed=not 200 <= status < 400,
                status=status,
                size=count(row.get("bytes")) or 0,
            )
        )
    notes = ("requests without an answer are not in the CSV of oha",)
    return ForeignResult(tool="oha", requests=requests_of(samples), notes=notes)
