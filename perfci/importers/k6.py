"""
k6: the summary (`--summary-export` or `handleSummary`), and the samples of `--out json` and `--out csv`.

`http_req_failed` counts the other way round: its *passes* are requests that failed.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from perfci.importers.content import Content, count, number
from perfci.importers.foreign import Aggregate, ForeignResult, Sample, requests_of

TOOL = "k6"
_DURATION = "http_req_duration"
_SUCCEEDED = f"{_DURATION}{{expected_response:true}}"
"""The metric of every summary that counts successful requests, which is no endpoint."""

_CSV = {"metric_name", "timestamp", "metric_value"}


def is_summary(content: Content) -> bool:
    """Whether *content* is a summary with metrics."""
    metrics = content.fields.get("metrics")
    return isinstance(metrics, dict) and any(
        name in metrics for name in (_DURATION, "iterations", "iteration_duration")
    )


def parse_summary(content: Content) -> ForeignResult:
    """One aggregate over all requests; those of thresholds or tags (`http_req_duration{name:x}`) each for itself."""
    metrics = {name: _values(metric) for name, metric in content.fields["metrics"].items()}
    state = content.fields.get("state") or {}
    duration = number(state.get("testRunDurationMs"))
    aggregates = [
        _aggregate(name, values, metrics)
        for name, values in sorted(metrics.items())
        if name.split("{")[0] == _DURATION and name != _SUCCEEDED
    ]
    if not aggregates:
        raise ValueError("it has no http_req_duration: k6 sent no HTTP request")
    return ForeignResult(
        tool=TOOL,
        aggregates=tuple(aggregates),
        duration_s=duration / 1000 if duration is not None else None,
        users=count(metrics.get("vus_max", {}).get("max", metrics.get("vus_max", {}).get("value"))),
        notes=("the summary of k6 has all requests in one line, unless thresholds or tags part them",),
    )


def is_stream(content: Content) -> bool:
    """Whether *content* is what `--out json` writes: one JSON object in each line."""
    return (
        content.first_line.startswith("{")
        and '"type":"' in content.first_line.replace(" ", "")
        and ('"metric":' in content.first_line)
    )


def parse_stream(content: Content) -> ForeignResult:
    """Every request."""
    return ForeignResult(tool=TOOL, requests=requests_of(_points(content)))


def is_csv(content: Content) -> bool:
    """Whether *content* is what `--out csv` writes."""
    return set(content.columns) >= _CSV


def parse_csv(content: Content) -> ForeignResult:
    """Every request."""
    rows = (row for row in content.rows() if row["metric_name"] == _DURATION)
    samples = [_sample(row, row["timestamp"], row["metric_value"]) for row in rows]
    return ForeignResult(tool=TOOL, requests=requests_of(samples))


def _values(metric: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values of a metric, which `handleSummary` has in an object of their own."""
    values = metric.get("values", metric)
    return values if isinstance(values, dict) else metric


def _aggregate(name: str, values: Mapping[str, Any], metrics: Mapping[str, Mapping[str, Any]]) -> Aggregate:
    tags = name[len(_DURATION) :]
    failed, made = metrics.get(f"http_req_failed{tags}", {}), metrics.get(f"http_reqs{tags}", {})
    failures, succeeded = count(failed.get("passes")), count(failed.get("fails"))
    requests = count(made.get("count"))
    if requests is None and failures is not None and succeeded is not None:
        requests = failures + succeeded
    quantiles = {0.5: number(values.get("med"))}
    quantiles |= {
        round(float(key[2:-1]) / 100, 8): number(value)
        for key, value in values.items()
        if key.startswith("p(") and key.endswith(")")
    }
    return Aggregate(
        name=tags.strip("{}") or "(all requests)",
        requests=requests,
        failures=failures,
        mean_ms=number(values.get("avg")),
        min_ms=number(values.get("min")),
        max_ms=number(values.get("max")),
        quantiles_ms={share: value for share, value in sorted(quantiles.items()) if value is not None and share < 1},
        throughput=number(made.get("rate")),
    )


def _points(content: Content) -> Iterator[Sample]:
    for line in content.json_lines():
        if line.get("metric") == _DURATION and line.get("type") == "Point":
            data = line["data"]
            yield _sample(data.get("tags") or {}, data["time"], data["value"])


def _sample(tags: Mapping[str, Any], ended: str, value: object) -> Sample:
    """One request from its tags; k6 logs the end of a request."""
    latency = number(value) or 0.0
    name, method = str(tags.get("name") or tags.get("url") or "(no name)"), str(tags.get("method") or "")
    expected = str(tags.get("expected_response", "")).lower()
    return Sample(
        name=f"{method} {name}" if method and not name.startswith(f"{method} ") else name,
        start_s=_seconds(ended) - latency / 1000,
        latency_ms=latency,
        failed=expected == "false" if expected else bool(tags.get("error_code")),
        status=count(tags.get("status")) or 0,
    )


def _seconds(text: str) -> float:
    found = text.strip()
    if found.replace(".", "", 1).isdigit():
        return float(found)
    return datetime.fromisoformat(found).timestamp()
