"""Locust's HTML report, of versions that keep their numbers in it as JSON (from 2.5 on)."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from perfci.importers.content import Content, count, number
from perfci.importers.foreign import Aggregate, ForeignResult
from perfci.importers.locust_csv import ROUNDED

_ARGUMENTS = re.compile(r"window\.templateArgs\s*=\s*")
_QUANTILE = re.compile(r"response_time_percentile_(\d(?:\.\d+)?)$")


def recognises(content: Content) -> bool:
    """Whether *content* is a page that Locust wrote."""
    return "<html" in content.head.lower() and "locust" in content.head.lower()


def parse(content: Content) -> ForeignResult:
    """One aggregate for each endpoint."""
    found = _ARGUMENTS.search(content.text)
    if found is None:
        raise ValueError(
            "its version of Locust keeps no numbers in the page that a program can read: give the CSV files"
        )
    arguments, _ = json.JSONDecoder().raw_decode(content.text, found.end())
    started = _time(arguments.get("start_time"))
    ended = _time(arguments.get("end_time"))
    shown = {(entry.get("method"), entry["name"]): entry for entry in arguments.get("response_time_statistics") or []}
    aggregates = tuple(
        _aggregate(entry, shown.get((entry.get("method"), entry["name"]), {}))
        for entry in arguments["requests_statistics"]
        if entry.get("method") or entry["name"] != "Aggregated"
    )
    if not aggregates:
        raise ValueError("it has no endpoint: Locust sent no request")
    return ForeignResult(
        tool="Locust",
        aggregates=aggregates,
        started_at=started,
        duration_s=ended - started if started is not None and ended is not None else None,
        notes=(ROUNDED,),
    )


def _aggregate(entry: Mapping[str, Any], times: Mapping[str, Any]) -> Aggregate:
    quantiles = {0.5: number(entry.get("median_response_time"))}
    for name, value in {**entry, **times}.items():
        if match := _QUANTILE.fullmatch(name):
            quantiles[float(match[1])] = number(value)
        elif (text := str(name)).replace(".", "", 1).isdigit() and 0 < float(text) < 1:
            quantiles[float(text)] = number(value)
    return Aggregate(
        name=" ".join(part for part in (entry.get("method") or "", str(entry["name"])) if part),
        requests=count(entry.get("num_requests")),
        failures=count(entry.get("num_failures")),
        mean_ms=number(entry.get("avg_response_time")),
        min_ms=number(entry.get("min_response_time")),
        max_ms=number(entry.get("max_response_time")),
        quantiles_ms={share: value for share, value in sorted(quantiles.items()) if value is not None and share < 1},
        throughput=number(entry.get("total_rps")),
    )


def _time(text: object) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None
