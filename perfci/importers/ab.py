"""ApacheBench (`ab`): its output, and its gnuplot file (`-g`) with every request, in whole milliseconds."""

import re

from perfci.importers.content import Content, number
from perfci.importers.foreign import Aggregate, ForeignResult, Sample, requests_of

_FIELD = re.compile(r"^([A-Z][A-Za-z0-9 -]+):\s+([\d.]+)", re.MULTILINE)
_PATH = re.compile(r"^Document Path:\s+(\S+)", re.MULTILINE)
_TOTAL = re.compile(r"^Total:\s+(\d+)\s+(\d+)\s+[\d.]+\s+(\d+)\s+(\d+)", re.MULTILINE)
_QUANTILE = re.compile(r"^\s+(\d+)%\s+(\d+)", re.MULTILINE)


def is_gnuplot(content: Content) -> bool:
    """Whether *content* is what `ab -g` writes."""
    return content.first_line.split("\t") == ["starttime", "seconds", "ctime", "dtime", "ttime", "wait"]


def parse_gnuplot(content: Content) -> ForeignResult:
    """Every answered request; the file names no URL and no failures."""
    samples = [
        Sample(
            name="(all requests)",
            start_s=number(row["seconds"]) or 0.0,
            latency_ms=number(row["ttime"]) or 0.0,
        )
        for row in content.rows("\t")
    ]
    notes = ("ApacheBench rounds times to 1 ms", "failures are not in the file")
    return ForeignResult(tool="ApacheBench", requests=requests_of(samples), notes=notes)


def recognises(content: Content) -> bool:
    """Whether *content* is ApacheBench's output."""
    return "ApacheBench" in content.head and "Document Path:" in content.head


def parse(content: Content) -> ForeignResult:
    """One aggregate for the path."""
    text = content.text
    fields, path, total = dict(_FIELD.findall(text)), _PATH.search(text), _TOTAL.search(text)
    if "Complete requests" not in fields or path is None:
        raise ValueError("it has no number of requests: it is cut off")
    refused = int(fields.get("Non-2xx responses", 0))
    aggregate = Aggregate(
        name=path[1],
        requests=int(fields["Complete requests"]),
        failures=max(int(fields.get("Failed requests", 0)), refused),
        mean_ms=float(total[2]) if total else None,
        min_ms=float(total[1]) if total else None,
        max_ms=float(total[4]) if total else None,
        quantiles_ms={int(share) / 100: float(time) for share, time in _QUANTILE.findall(text) if int(share) < 100},
        throughput=float(fields["Requests per second"]) if "Requests per second" in fields else None,
    )
    duration = fields.get("Time taken for tests")
    return ForeignResult(
        tool="ApacheBench",
        aggregates=(aggregate,),
        duration_s=float(duration) if duration else None,
        notes=(
            "ApacheBench rounds times to 1 ms",
            "it counts answers of another length as failures, which dynamic pages have",
        ),
    )
