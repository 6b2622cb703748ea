"""autocannon's results as JSON, in milliseconds."""

from perfci.importers.content import Content, count, number
from perfci.importers.foreign import Aggregate, ForeignResult


def recognises(content: Content) -> bool:
    """Whether *content* is what `autocannon --json` prints."""
    return isinstance(content.fields.get("latency"), dict) and "non2xx" in content.fields


def parse(content: Content) -> ForeignResult:
    """One aggregate for the address."""
    found, latency = content.fields, content.fields["latency"]
    answered = count(found["requests"]["total"]) or 0
    errors = (count(found.get("errors")) or 0) + (count(found.get("timeouts")) or 0)
    quantiles = {
        round(float(key[1:].replace("_", ".")) / 100, 8): number(value)
        for key, value in latency.items()
        if key[0] == "p" and key[1:2].isdigit()
    }
    aggregate = Aggregate(
        name=str(found.get("title") or found.get("url") or "(all requests)"),
        requests=answered + errors,
        failures=(count(found["non2xx"]) or 0) + errors,
        mean_ms=number(latency.get("average", latency.get("mean"))),
        min_ms=number(latency.get("min")),
        max_ms=number(latency.get("max")),
        quantiles_ms={share: value for share, value in quantiles.items() if value is not None},
        throughput=number(found["requests"].get("average")),
    )
    return ForeignResult(
        tool="autocannon",
        aggregates=(aggregate,),
        duration_s=number(found.get("duration")),
        users=count(found.get("connections")),
        notes=("autocannon rounds latencies to 1 ms",),
    )
