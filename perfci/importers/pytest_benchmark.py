"""pytest-benchmark's JSON, in seconds; single rounds only from `--benchmark-json` and `--benchmark-save-data`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from perfci.importers.content import Content, count, milliseconds
from perfci.importers.foreign import Aggregate, ForeignResult, Sample, requests_of

TOOL = "pytest-benchmark"


def recognises(content: Content) -> bool:
    """Whether *content* is a JSON file of pytest-benchmark."""
    return isinstance(content.fields.get("benchmarks"), list) and "machine_info" in content.fields


def parse(content: Content) -> ForeignResult:
    """Each round as a request, else one aggregate for each benchmark."""
    benchmarks = content.fields["benchmarks"]
    if not benchmarks:
        raise ValueError("it has no benchmark")
    started_at = _time(content.fields.get("datetime"))
    if all(found["stats"].get("data") for found in benchmarks):
        samples = [sample for found in benchmarks for sample in _samples(found)]
        return ForeignResult(tool=TOOL, requests=requests_of(samples), started_at=started_at)
    return ForeignResult(
        tool=TOOL,
        aggregates=tuple(_aggregate(found) for found in benchmarks),
        started_at=started_at,
        notes=(
            "single rounds are only in files of --benchmark-json and of --benchmark-save with --benchmark-save-data",
        ),
    )


def _samples(benchmark: Mapping[str, Any]) -> list[Sample]:
    times = [milliseconds(seconds, "s") or 0.0 for seconds in benchmark["stats"]["data"]]
    return [
        Sample(name=str(benchmark["fullname"]), start_s=sum(times[:position]) / 1000, latency_ms=latency)
        for position, latency in enumerate(times)
    ]


def _aggregate(benchmark: Mapping[str, Any]) -> Aggregate:
    stats = benchmark["stats"]
    quantiles = {0.25: stats.get("q1"), 0.5: stats.get("median"), 0.75: stats.get("q3")}
    return Aggregate(
        name=str(benchmark["fullname"]),
        requests=count(stats.get("rounds")),
        failures=0,
        mean_ms=milliseconds(stats.get("mean"), "s"),
        min_ms=milliseconds(stats.get("min"), "s"),
        max_ms=milliseconds(stats.get("max"), "s"),
        quantiles_ms={
            share: time for share, value in quantiles.items() if (time := milliseconds(value, "s")) is not None
        },
    )


def _time(text: object) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None
