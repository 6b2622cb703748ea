"""Artillery's report as JSON, of version 2 and of version 1; times are milliseconds."""

from collections.abc import Mapping
from typing import Any

from perfci.importers.content import Content, count, number
from perfci.importers.foreign import Aggregate, ForeignResult

_TIMES = "http.response_time"
_EACH = "plugins.metrics-by-endpoint.response_time."
_QUANTILES = {"median": 0.5, "p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


def recognises(content: Content) -> bool:
    """Whether *content* is a report of a whole test."""
    aggregate = content.fields.get("aggregate")
    return isinstance(aggregate, dict) and ("summaries" in aggregate or "requestsCompleted" in aggregate)


def parse(content: Content) -> ForeignResult:
    """One aggregate for all requests, and one for each endpoint where the plugin *metrics-by-endpoint* is used."""
    report = content.fields["aggregate"]
    if "summaries" not in report:
        return ForeignResult(tool="Artillery", aggregates=(_of_version_1(report),))
    counters, summaries = report.get("counters") or {}, report["summaries"]
    if _TIMES not in summaries:
        raise ValueError("it has no http.response_time: no request was answered")
    began, ended = number(report.get("firstMetricAt")), number(report.get("lastMetricAt"))
    each = [
        _endpoint(name.removeprefix(_EACH), summary, counters)
        for name, summary in sorted(summaries.items())
        if name.startswith(_EACH)
    ]
    failures = sum(
        count(found) or 0
        for name, found in counters.items()
        if name.startswith("errors.") or (name.startswith("http.codes.") and name[11:12] in {"4", "5"})
    )
    requests = count(counters.get("http.requests"))
    whole = Aggregate(
        name="(all requests)",
        requests=requests,
        failures=failures if requests is None else min(failures, requests),  # one request may have several errors
        throughput=number((report.get("rates") or {}).get("http.request_rate")),
        **_times(summaries[_TIMES]),
    )
    return ForeignResult(
        tool="Artillery",
        aggregates=tuple(each) or (whole,),
        started_at=None if began is None else began / 1000,
        duration_s=(ended - began) / 1000 if began is not None and ended is not None else None,
    )


def _endpoint(name: str, summary: Mapping[str, Any], counters: Mapping[str, Any]) -> Aggregate:
    codes = f"plugins.metrics-by-endpoint.{name}.codes."
    failed = [count(found) or 0 for key, found in counters.items() if key.startswith((codes + "4", codes + "5"))]
    return Aggregate(name=name, requests=count(summary.get("count")), failures=sum(failed), **_times(summary))


def _of_version_1(report: Mapping[str, Any]) -> Aggregate:
    codes = {str(code): count(found) or 0 for code, found in (report.get("codes") or {}).items()}
    errors = sum(count(found) or 0 for found in (report.get("errors") or {}).values())
    return Aggregate(
        name="(all requests)",
        requests=(count(report["requestsCompleted"]) or 0) + errors,  # which have no answer, and are not completed
        failures=sum(found for code, found in codes.items() if code[:1] in {"4", "5"}) + errors,
        throughput=number((report.get("rps") or {}).get("mean")),
        **_times(report["latency"]),
    )


def _times(summary: Mapping[str, Any]) -> dict[str, Any]:
    quantiles = {share: number(summary[name]) for name, share in _QUANTILES.items() if name in summary}
    return {
        "mean_ms": number(summary.get("mean")),
        "min_ms": number(summary.get("min")),
        "max_ms": number(summary.get("max")),
        "quantiles_ms": {share: value for share, value in sorted(quantiles.items()) if value is not None},
    }
