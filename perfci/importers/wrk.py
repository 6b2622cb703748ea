"""The output of wrk and wrk2, with `--latency` for quantiles."""

import re

from perfci.importers.content import Content, milliseconds
from perfci.importers.foreign import Aggregate, ForeignResult

_TEST = re.compile(r"^Running .* test @ (\S+)", re.MULTILINE)
_TIME = r"([\d.]+)(us|ms|s|m|h)"
_LATENCY = re.compile(rf"^\s+Latency\s+{_TIME}\s+\S+\s+{_TIME}", re.MULTILINE)
_QUANTILE = re.compile(rf"^\s+([\d.]+)%\s+{_TIME}\s*$", re.MULTILINE)
_REQUESTS = re.compile(rf"^\s*(\d+) requests in {_TIME}", re.MULTILINE)
_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)", re.MULTILINE)
_REFUSED = re.compile(r"^\s*Non-2xx or 3xx responses: (\d+)", re.MULTILINE)
_ERRORS = re.compile(r"^\s*Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", re.MULTILINE)
_CORRECTED = "HdrHistogram - Recorded Latency"


def recognises(content: Content) -> bool:
    """Whether it begins as wrk's output does."""
    return _TEST.search(content.head) is not None and "threads and" in content.head


def parse(content: Content) -> ForeignResult:
    """One aggregate for the address."""
    text = content.text
    latency, requests, rate = _LATENCY.search(text), _REQUESTS.search(text), _RATE.search(text)
    address = _TEST.search(text)
    if latency is None or requests is None or address is None:
        raise ValueError("it has no latency, or no number of requests: it is cut off")
    refused, errors = _REFUSED.search(text), _ERRORS.search(text)
    unanswered = sum(map(int, errors.groups())) if errors else 0  # not among the requests that wrk counts
    quantiles = {
        round(float(share) / 100, 8): time
        for share, value, unit in _QUANTILE.findall(text)
        if float(share) < 100 and (time := milliseconds(value, unit)) is not None
    }
    notes: tuple[str, ...] = () if quantiles else ("without --latency wrk prints no quantiles",)
    if _CORRECTED in text:
        notes += ("wrk2 counts latency from when a request was due",)
    aggregate = Aggregate(
        name=address[1],
        requests=int(requests[1]) + unanswered,
        failures=(int(refused[1]) if refused else 0) + unanswered,
        mean_ms=milliseconds(latency[1], latency[2]),
        max_ms=milliseconds(latency[3], latency[4]),
        quantiles_ms=quantiles,
        throughput=float(rate[1]) if rate else None,
    )
    duration_ms = milliseconds(requests[2], requests[3])
    return ForeignResult(
        tool="wrk2" if _CORRECTED in text else "wrk",
        aggregates=(aggregate,),
        duration_s=None if duration_ms is None else duration_ms / 1000,
        notes=notes,
    )
