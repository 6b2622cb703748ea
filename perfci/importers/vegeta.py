"""Vegeta: its reports as JSON and text, and its results as `vegeta encode` writes them; all times are nanoseconds."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from perfci.importers.content import Content, count, milliseconds, number
from perfci.importers.foreign import Aggregate, ForeignResult, Sample, requests_of

TOOL = "Vegeta"
_NAME = "(all requests)"
_DURATION = re.compile(r"([\d.]+)(h|ms|m|s|µs|us|ns)")
_LATENCIES = re.compile(r"^Latencies\s+\[([^\]]*)\]\s+(.*)$", re.MULTILINE)


def is_report(content: Content) -> bool:
    """Whether *content* is what `vegeta report -type=json` prints."""
    return isinstance(content.fields.get("latencies"), dict) and "status_codes" in content.fields


def parse_report(content: Content) -> ForeignResult:
    """One aggregate for all requests."""
    report = content.fields
    latencies = report["latencies"]
    quantiles = {
        int(key.removesuffix("th")) / 100: milliseconds(value, "ns")
        for key, value in latencies.items()
        if key.endswith("th") and key[:-2].isdigit()
    }
    requests, success = count(report["requests"]), number(report.get("success"))
    duration = number(report.get("duration"))
    aggregate = Aggregate(
        name=_NAME,
        requests=requests,
        failures=round(requests * (1 - success)) if requests is not None and success is not None else None,
        mean_ms=milliseconds(latencies.get("mean"), "ns"),
        min_ms=milliseconds(latencies.get("min"), "ns"),
        max_ms=milliseconds(latencies.get("max"), "ns"),
        quantiles_ms={share: value for share, value in quantiles.items() if value is not None},
        throughput=number(report.get("throughput")),
    )
    return ForeignResult(tool=TOOL, aggregates=(aggregate,), duration_s=None if duration is None else duration / 1e9)


def is_results(content: Content) -> bool:
    """Whether *content* is what `vegeta encode -to json` writes."""
    return content.first_line.startswith("{") and all(
        f'"{key}"' in content.first_line[:4000] for key in ("attack", "latency", "timestamp", "code")
    )


def parse_results(content: Content) -> ForeignResult:
    """Every request."""
    return ForeignResult(tool=TOOL, requests=requests_of(_sample_of(line) for line in content.json_lines()))


def is_csv(content: Content) -> bool:
    """Whether *content* is what `vegeta encode -to csv` writes: no head, a time in nanoseconds, a status, a latency."""
    fields = content.first_line.split(",")
    return len(fields) >= 9 and len(fields[0]) == 19 and all(field.isdigit() for field in fields[:5])


def parse_csv(content: Content) -> ForeignResult:
    """Every request."""
    return ForeignResult(tool=TOOL, requests=requests_of(_rows(content)))


def is_text(content: Content) -> bool:
    """Whether *content* is what `vegeta report` prints."""
    return content.first_line.startswith("Requests ") and "[total, rate" in content.first_line


def parse_text(content: Content) -> ForeignResult:
    """One aggregate for all requests."""
    found = _LATENCIES.search(content.text)
    if found is None:
        raise ValueError("it has no line of latencies: it is cut off")
    values = dict(
        zip(
            (name.strip() for name in found[1].split(",")),
            (_duration_ms(text.strip()) for text in found[2].split(",")),
            strict=True,
        )
    )
    requests, success = _numbers(content, "Requests"), _numbers(content, "Success")
    failures = round(requests[0] * (1 - success[0] / 100)) if requests and success else None
    aggregate = Aggregate(
        name=_NAME,
        requests=int(requests[0]) if requests else None,
        failures=failures,
        mean_ms=values.get("mean"),
        min_ms=values.get("min"),
        max_ms=values.get("max"),
        quantiles_ms={int(name) / 100: value for name, value in values.items() if name.isdigit()},
        throughput=requests[2] if len(requests) > 2 else None,
    )
    return ForeignResult(tool=TOOL, aggregates=(aggregate,))


def is_binary(content: Content) -> bool:
    """Whether *content* is what `vegeta attack` writes: Go's own encoding of its results."""
    return b"\x06Result" in content.data[:32]


def parse_binary(_: Content) -> ForeignResult:
    """Refuse the file, with a hint how to encode it readably."""
    raise ValueError(
        "results of `vegeta attack` are in Go's own encoding: `vegeta encode -to csv FILE` makes them readable"
    )


def _sample_of(line: dict[str, Any]) -> Sample:
    status = count(line["code"]) or 0
    return Sample(
        name=_name(line.get("method"), line.get("url")),
        start_s=datetime.fromisoformat(line["timestamp"]).timestamp(),
        latency_ms=milliseconds(line["latency"], "ns") or 0.0,
        failed=bool(line.get("error")) or not 200 <= status < 400,
        status=status,
        size=count(line.get("bytes_in")) or 0,
    )


def _rows(content: Content) -> Iterator[Sample]:
    csv.field_size_limit(1 << 30)  # bodies stand in the file
    for number_, row in enumerate(csv.reader(io.StringIO(content.text)), start=1):
        if not row:
            continue
        if len(row) < 7:
            raise ValueError(f"line {number_} is cut off")
        status = count(row[1]) or 0
        yield Sample(
            name=_name(row[9] if len(row) > 10 else None, row[10] if len(row) > 10 else None),
            start_s=(number(row[0]) or 0.0) / 1e9,
            latency_ms=milliseconds(row[2], "ns") or 0.0,
            failed=bool(row[5]) or not 200 <= status < 400,
            status=status,
            size=count(row[4]) or 0,
        )


def _name(method: object, url: object) -> str:
    return " ".join(str(part) for part in (method, url) if part) or _NAME


def _duration_ms(text: str) -> float:
    """A duration as Go prints it, "1m2.5s", in milliseconds."""
    parts = _DURATION.findall(text)
    if not parts:
        raise ValueError(f"{text[:40]!r} is no duration")
    return sum(milliseconds(value, unit) or 0.0 for value, unit in parts)


def _numbers(content: Content, name: str) -> list[float]:
    """The numbers after the bracket in the line that begins with *name*."""
    found = re.search(rf"^{name}\s+\[[^\]]*\]\s+(.*)$", content.text, re.MULTILINE)
    return [float(text) for text in re.findall(r"[\d.]+", found[1])] if found else []
