"""hey: its output, which that of oha resembles, and its CSV with every request."""

import re

from perfci.importers.content import Content, count, milliseconds, number
from perfci.importers.foreign import Aggregate, ForeignResult, Sample, requests_of
from perfci.importers.oha import DEADLINE

_COLOUR = re.compile("\x1b\\[[0-9;]*m")
_FIELD = re.compile(r"^\s+(Total|Slowest|Fastest|Average|Requests/sec|Success rate):\s+([\d.]+)\s*(\S*)", re.MULTILINE)
_QUANTILE = re.compile(r"^\s+([\d.]+)%+ in ([\d.]+) (secs|sec|ms|us|ns|s)\s*$", re.MULTILINE)
_STATUS = re.compile(r"^\s+\[(\d{3})\]\s+(\d+) responses", re.MULTILINE)
_ERROR = re.compile(rf"^\s+\[(\d+)\]\s+(?!{DEADLINE})\D", re.MULTILINE)
_PARTS = "(2xx only)"  # of oha --stats-success-breakdown: distributions of some of the requests follow


def is_csv(content: Content) -> bool:
    """Whether *content* is what `hey -o csv` writes."""
    return {"response-time", "status-code", "offset"} <= set(content.columns)


def parse_csv(content: Content) -> ForeignResult:
    """Every request; the file names no address."""
    samples = []
    for row in content.rows():
        status = count(row["status-code"]) or 0
        samples.append(
            Sample(
                name="(all requests)",
                start_s=number(row["offset"]) or 0.0,
                latency_ms=milliseconds(row["response-time"], "s") or 0.0,
                failed=not 200 <= status < 400,
                status=status,
            )
        )
    return ForeignResult(tool="hey", requests=requests_of(samples), notes=("hey notes times in steps of 0.1 ms",))


def is_text(content: Content) -> bool:
    """Whether *content* is the output of hey or oha."""
    text = _COLOUR.sub("", content.head)
    return "Summary:" in text and "Requests/sec:" in text and "Slowest:" in text


def parse_text(content: Content) -> ForeignResult:
    """One aggregate for all requests."""
    text = _COLOUR.sub("", content.text)
    fields = {name: (float(value), unit) for name, value, unit in _FIELD.findall(text)}
    if not {"Total", "Average", "Requests/sec"} <= set(fields):
        raise ValueError("its summary is not whole: it is cut off")
    statuses = {int(status): int(how_often) for status, how_often in _STATUS.findall(text)}
    if not statuses:
        raise ValueError("it has no distribution of status codes: it is cut off, or no request was answered")
    errors = sum(int(found) for found in _ERROR.findall(text.partition("Error distribution:")[2]))
    refused = sum(found for status, found in statuses.items() if not 200 <= status < 400)
    quantiles = {
        round(float(share) / 100, 8): time
        for share, value, unit in _QUANTILE.findall(text.partition(_PARTS)[0])
        if 0 < float(share) < 100 and (time := milliseconds(value, _unit(unit))) is not None
    }
    total, unit = fields["Total"]
    aggregate = Aggregate(
        name="(all requests)",
        requests=sum(statuses.values()) + errors,
        failures=refused + errors,
        mean_ms=milliseconds(fields["Average"][0], _unit(fields["Average"][1])),
        min_ms=milliseconds(fields["Fastest"][0], _unit(fields["Fastest"][1])) if "Fastest" in fields else None,
        max_ms=milliseconds(fields["Slowest"][0], _unit(fields["Slowest"][1])) if "Slowest" in fields else None,
        quantiles_ms=quantiles,
        throughput=fields["Requests/sec"][0],
    )
    return ForeignResult(
        tool="oha" if "Success rate" in fields else "hey",
        aggregates=(aggregate,),
        duration_s=(milliseconds(total, _unit(unit)) or 0.0) / 1000,
    )


def _unit(text: str) -> str:
    return "s" if text in {"secs", "sec"} else text
