"""The data of github-action-benchmark (`data.js`, or JSON): the newest entry of each suite."""

import json

from perfci.importers.content import Content, milliseconds, number
from perfci.importers.foreign import Aggregate, ForeignResult

_PREFIX = "window.BENCHMARK_DATA"
_UNITS = {"ns/iter": "ns", "ns/op": "ns", "ns": "ns", "us": "us", "μs": "us", "ms": "ms", "s": "s", "sec": "s"}
_RATES = {"iter/sec": 1.0, "ops/sec": 1.0, "req/sec": 1.0}


def recognises(content: Content) -> bool:
    """Whether *content* is `data.js`, or its data as JSON."""
    return content.first_line.startswith(_PREFIX) or (
        isinstance(content.fields.get("entries"), dict) and "lastUpdate" in content.fields
    )


def parse(content: Content) -> ForeignResult:
    """One aggregate for each benchmark; values in another unit than time or rate are left out."""
    data = content.fields
    if not data:
        data, _ = json.JSONDecoder().raw_decode(content.text, content.text.index("{"))
    aggregates, skipped, newest = [], set(), 0.0
    for suite, entries in data["entries"].items():
        if not entries:
            continue
        newest = max(newest, number(entries[-1].get("date")) or 0.0)
        for found in entries[-1]["benches"]:
            name, unit, value = f"{suite}: {found['name']}", str(found.get("unit", "")), number(found["value"])
            if unit in _UNITS:
                aggregates.append(Aggregate(name=name, mean_ms=milliseconds(value, _UNITS[unit])))
            elif unit in _RATES and value:
                aggregates.append(Aggregate(name=name, mean_ms=1000 / value, throughput=value))
            else:
                skipped.add(unit)
    if not aggregates:
        raise ValueError("it has no entry with a time or a rate")
    notes = ["only the newest entry of each suite is read"]
    notes += [f"values in {', '.join(sorted(skipped))} are neither times nor rates"] if skipped else []
    return ForeignResult(
        tool="github-action-benchmark",
        aggregates=tuple(aggregates),
        started_at=newest / 1000 or None,
        notes=tuple(notes),
    )
