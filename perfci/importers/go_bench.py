"""The output of `go test -bench`: each line is one measurement, and several lines of one benchmark are replicates."""

import re

from perfci.importers.content import Content, milliseconds
from perfci.importers.foreign import Aggregate, ForeignResult
from perfci.quantile import quantile

_LINE = re.compile(r"^(Benchmark\S*?)(?:-\d+)?\s+(\d+)\s+([\d.]+) ns/op", re.MULTILINE)


def recognises(content: Content) -> bool:
    """Whether it has a line of a benchmark."""
    return _LINE.search(content.head) is not None


def parse(content: Content) -> ForeignResult:
    """One aggregate for each benchmark, over its lines."""
    times: dict[str, list[float]] = {}
    operations: dict[str, int] = {}
    for name, repeated, value in _LINE.findall(content.text):
        times.setdefault(name, []).append(milliseconds(value, "ns") or 0.0)
        operations[name] = operations.get(name, 0) + int(repeated)
    return ForeignResult(
        tool="go test -bench",
        aggregates=tuple(
            Aggregate(
                name=name,
                requests=operations[name],
                failures=0,
                mean_ms=sum(found) / len(found),
                min_ms=min(found),
                max_ms=max(found),
                quantiles_ms={0.5: quantile(sorted(found), 0.5)},
            )
            for name, found in times.items()
        ),
        notes=("each line is a mean over many operations: its quantiles are those of the lines",),
    )
