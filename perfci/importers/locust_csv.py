"""
Locust's CSV files of every version from 0.12 on: statistics, history, failures, exceptions, and the request log.

Locust rounds response times in its statistics: to 1 ms below 100 ms, to two digits above. Of the line "Aggregated"
the times count and the requests do not, since they are not always the sum of the others.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from perfci.importers.content import Content, count, number
from perfci.importers.foreign import Aggregate, ForeignResult, Sample, requests_of

TOOL = "Locust"
ROUNDED = "Locust rounds the times in its statistics to 1 ms, above 100 ms to two digits"
LOSES_THE_END = "Locust does not write the last second of a run into its CSV files"

_ALL = {"Aggregated", "Total", "None"}
_REQUESTS = ("Request Count", "# requests")
_FAILURES = ("Failure Count", "# failures")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%$")


def is_statistics(content: Content) -> bool:
    """Whether *content* is `PREFIX_stats.csv`, or `PREFIX_requests.csv` of versions before 1.0."""
    return "Name" in content.columns and any(name in content.columns for name in _REQUESTS)


def is_percentiles(content: Content) -> bool:
    """Whether *content* is `PREFIX_distribution.csv` of versions before 1.0."""
    return content.columns[:3] == ("Name", "# requests", "50%")


def parse_statistics(content: Content) -> ForeignResult:
    """One aggregate for each (Type, Name)."""
    aggregates = tuple(_aggregate(row) for row in content.rows() if _is_endpoint(row))
    whole = next((_aggregate(row) for row in content.rows() if not _is_endpoint(row)), None)
    if not aggregates:
        raise ValueError("it has no line for any endpoint: Locust sent no request, or the file is cut off")
    return ForeignResult(tool=TOOL, aggregates=aggregates, whole=whole, notes=(ROUNDED, LOSES_THE_END))


def joined(first: ForeignResult, others: Iterable[ForeignResult]) -> ForeignResult:
    """
    The results of several files of one run: the times of *first*, completed by *others*.

    That are quantiles of the same endpoint, when the run was, its users, and the notes.
    """
    rest = list(others)
    quantiles = {each.name: each.quantiles_ms for other in rest for each in other.aggregates if each.quantiles_ms}
    aggregates = tuple(
        replace(each, quantiles_ms={**quantiles.get(each.name, {}), **each.quantiles_ms}) for each in first.aggregates
    )
    notes = [note for each in (first, *rest) for note in each.notes if not note.startswith("the file has")]
    known = [first, *rest]
    return replace(
        first,
        aggregates=aggregates,
        duration_s=next((each.duration_s for each in known if each.duration_s), None),
        started_at=next((each.started_at for each in known if each.started_at), None),
        users=next((each.users for each in known if each.users), None),
        notes=tuple(dict.fromkeys(notes)),
    )


def is_history(content: Content) -> bool:
    """Whether *content* is `PREFIX_stats_history.csv`."""
    return {"Timestamp", "Name"} <= set(content.columns) and bool({"User Count", "# requests"} & set(content.columns))


def parse_history(content: Content) -> ForeignResult:
    """
    The totals in the last line of each endpoint; without `--csv-full-history` there are only those of all together.

    The percentiles of the columns are those of the last seconds with the full history, and so are not taken.
    """
    last: dict[tuple[str, str], Mapping[str, str]] = {}
    times: list[float] = []
    users = 0
    for row in content.rows():
        times += [found for found in [number(row.get("Timestamp"))] if found is not None]
        users = max(users, count(row.get("User Count")) or 0)
        last[row.get("Type", ""), row["Name"]] = row
    rows = [row for row in last.values() if _is_endpoint(row)] or list(last.values())
    if not rows:
        raise ValueError("it has no line: Locust wrote none, or the file is cut off")
    return ForeignResult(
        tool=TOOL,
        aggregates=tuple(
            Aggregate(
                name=_endpoint(row),
                requests=count(row.get("Total Request Count")),
                failures=count(row.get("Total Failure Count")),
                mean_ms=number(row.get("Total Average Response Time")),
                min_ms=number(row.get("Total Min Response Time")),
                max_ms=number(row.get("Total Max Response Time")),
                quantiles_ms=_median(row.get("Total Median Response Time")),
            )
            for row in rows
        ),
        duration_s=max(times) - min(times) if times else None,
        started_at=min(times, default=None),
        users=users or None,
        notes=(ROUNDED, LOSES_THE_END),
    )


def is_failures(content: Content) -> bool:
    """Whether *content* is `PREFIX_failures.csv`."""
    return {"Name", "Error", "Occurrences"} <= set(content.columns)


def parse_failures(content: Content) -> ForeignResult:
    """The number of failures by endpoint; the file has neither times nor successful requests."""
    failures: dict[str, int] = {}
    for row in content.rows():
        name = _endpoint({"Type": row.get("Method", ""), "Name": row["Name"]})
        failures[name] = failures.get(name, 0) + (count(row["Occurrences"]) or 0)
    aggregates = tuple(Aggregate(name=name, failures=found) for name, found in failures.items())
    return ForeignResult(
        tool=TOOL, aggregates=aggregates, notes=("the file has failures alone: no times, no successes",)
    )


def is_exceptions(content: Content) -> bool:
    """Whether *content* is `PREFIX_exceptions.csv`."""
    return {"Count", "Message", "Traceback"} <= set(content.columns)


def parse_exceptions(content: Content) -> ForeignResult:
    """The exceptions of the Locust file, as notes: they belong to no endpoint."""
    notes = [f"{row['Count']} x {row['Message'][:200]}" for row in content.rows()]
    return ForeignResult(tool=TOOL, notes=("the file has exceptions alone: no times, no requests", *notes))


def is_requests(content: Content) -> bool:
    """Whether *content* is the log of `CsvRequestLogger`, one line for each request."""
    return {"timestamp", "request_type", "name", "response_time_ms"} <= set(content.columns)


def parse_requests(content: Content) -> ForeignResult:
    """Every request; the timestamp is that of its end."""
    samples = [
        Sample(
            name=_endpoint({"Type": row["request_type"], "Name": row["name"]}),
            latency_ms=(latency := number(row["response_time_ms"]) or 0.0),
            start_s=_seconds(row["timestamp"]) - latency / 1000,
            failed=bool(row.get("exception", "").strip()),
            status=count(row.get("status_code")) or 0,
            size=count(row.get("response_length")) or 0,
        )
        for row in content.rows()
    ]
    return ForeignResult(tool=TOOL, requests=requests_of(samples))


def _is_endpoint(row: Mapping[str, str]) -> bool:
    return row.get("Name", "") not in _ALL or bool(row.get("Type", row.get("Method", "")).strip("None"))


def _endpoint(row: Mapping[str, str]) -> str:
    method, name = row.get("Type") or row.get("Method", ""), row.get("Name", "")
    return name if method in {"", "None"} or name.startswith(f"{method} ") else f"{method} {name}"


def _aggregate(row: Mapping[str, str]) -> Aggregate:
    requests = count(_first(row, _REQUESTS))
    return Aggregate(
        name=_endpoint(row),
        requests=requests,
        failures=count(_first(row, _FAILURES)),
        mean_ms=number(_of_times(row, "average")) if requests else None,
        min_ms=number(_of_times(row, "min")) if requests else None,
        max_ms=number(_of_times(row, "max")) if requests else None,
        quantiles_ms=_quantiles(row) or _median(_of_times(row, "median")) if requests else {},
        throughput=number(row.get("Requests/s")),
    )


def _first(row: Mapping[str, str], names: Iterable[str]) -> str | None:
    return next((row[name] for name in names if name in row), None)


def _of_times(row: Mapping[str, str], which: str) -> str | None:
    """The column "Median Response Time", in the spelling of any version."""
    return next((value for name, value in row.items() if name.lower() == f"{which} response time"), None)


def _quantiles(row: Mapping[str, str]) -> dict[float, float]:
    found = {match: number(value) for name, value in row.items() if (match := _PERCENT.fullmatch(name))}
    return {
        round(float(match[1]) / 100, 8): value
        for match, value in found.items()
        if value is not None and match[1] != "100"
    }


def _median(value: str | None) -> dict[float, float]:
    found = number(value)
    return {} if found is None else {0.5: found}


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()
