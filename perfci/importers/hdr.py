"""HdrHistogram: the table of percentiles that its tools print; its compressed log is only recognised."""

import re

from perfci.importers.content import Content
from perfci.importers.foreign import Aggregate, ForeignResult

_HEAD = re.compile(r"^\s*Value(?:\((\w+)\))?\s+Percentile\s+TotalCount\s+1/\(1-Percentile\)")
_ROW = re.compile(r"^\s*([\d.]+)\s+([01]\.\d+)\s+(\d+)", re.MULTILINE)
_MEAN = re.compile(r"#\[Mean\s*=\s*([\d.]+)")
_FACTORS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3}


def is_percentiles(content: Content) -> bool:
    """Whether *content* is a table of percentiles."""
    return _HEAD.match(content.first_line) is not None


def parse_percentiles(content: Content) -> ForeignResult:
    """One aggregate; a table without a unit is taken for milliseconds."""
    head = _HEAD.match(content.first_line)
    unit = head[1].lower() if head and head[1] else "ms"
    rows = [(float(value), float(share), int(seen)) for value, share, seen in _ROW.findall(content.text)]
    if not rows or unit not in _FACTORS:
        raise ValueError(f"it has no row, or is in {unit}")
    factor, mean = _FACTORS[unit], _MEAN.search(content.text)
    aggregate = Aggregate(
        name="(all requests)",
        requests=max(seen for _, _, seen in rows),
        mean_ms=float(mean[1]) * factor if mean else None,
        min_ms=rows[0][0] * factor if rows[0][1] == 0 else None,
        max_ms=rows[-1][0] * factor if rows[-1][1] == 1 else None,
        quantiles_ms={share: value * factor for value, share, _ in rows if 0 < share < 1},
    )
    notes = () if head and head[1] else ("the table names no unit: its values are taken for milliseconds",)
    return ForeignResult(tool="HdrHistogram", aggregates=(aggregate,), notes=(*notes, "failures are not in the table"))


def is_log(content: Content) -> bool:
    """Whether *content* is a log of compressed histograms."""
    return content.first_line.startswith("#[") or '"StartTimestamp"' in content.first_line


def parse_log(_: Content) -> ForeignResult:
    """Refuse the log, with a hint how to get a readable table."""
    raise ValueError(
        "its histograms are compressed: HistogramLogProcessor of HdrHistogram makes a table of percentiles of them"
    )
