"""
Histograms of latencies that can be merged, so that a report can show distributions and quantiles over many rounds.

The bins are those of DDSketch (C. Masson, J. E. Rim, H. K. Lee, "DDSketch: a fast and fully-mergeable quantile sketch
with relative-error guarantees", PVLDB 12, 2019): each is 2 % wider than the one below it, so that its middle differs
from any latency in it by at most `RELATIVE_ERROR`. Merging adds counts, and so loses nothing.

The text of a histogram is "FIRST: COUNT COUNT ...": the counts of consecutive bins, from that with the key FIRST on,
where a negative number stands for as many empty bins. That of no latency is empty.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from perfci.model import Histogram
from perfci.quantile import Values

if TYPE_CHECKING:
    from ddsketch.mapping import LogarithmicMapping

RELATIVE_ERROR = 0.01
"""Of every latency and every quantile that is read from a histogram."""

SHORTEST_MS = 1e-3
"""What is shorter is counted as this: there is no bin for zero."""

LAST_BIN = 2000
"""Its latencies are of 10^17 ms. A key beyond it, in a file that somebody else wrote, is not read."""


@cache
def _mapping() -> "LogarithmicMapping":
    from ddsketch.mapping import LogarithmicMapping

    return LogarithmicMapping(RELATIVE_ERROR)


def of(ordered_ms: Values) -> Histogram:
    """The histogram of latencies in milliseconds, the shortest first."""
    counts: Counter[int] = Counter()
    done = 0
    while done < len(ordered_ms):
        key = _mapping().key(max(float(ordered_ms[done]), SHORTEST_MS))
        # At least one further: rounding may put a latency just beyond the edge of the bin that its key names.
        end = max(done + 1, bisect_right(ordered_ms, edges(key)[1], lo=done))
        counts[key] += end - done
        done = end
    return with_counts(counts)


def with_counts(counts: Mapping[int, int]) -> Histogram:
    """The histogram that has these counts by the keys of the bins."""
    keys = sorted(key for key, count in counts.items() if count)
    if not keys:
        return Histogram("")
    numbers = []
    for below, key in zip([keys[0] - 1, *keys], keys, strict=False):
        numbers += [] if key - below == 1 else [below + 1 - key]
        numbers.append(counts[key])
    return Histogram(f"{keys[0]}: {' '.join(map(str, numbers))}")


def counts_of(histogram: Histogram) -> dict[int, int]:
    """The counts by the keys of their bins, the shortest latencies first; none of them is zero."""
    first, _, numbers = histogram.text.partition(":")
    counts, key = {}, int(first or 0)
    for number in map(int, numbers.split()):
        if number < 0:
            key -= number
        elif abs(key) <= LAST_BIN:
            counts[key] = number
            key += 1
    return counts


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """The histogram of the latencies of all of them."""
    counts: Counter[int] = Counter()
    for each in histograms:
        counts.update(counts_of(each))
    return with_counts(counts)


def quantile(histogram: Histogram, share: float) -> float | None:
    """The latency in milliseconds that *share* of those in the histogram do not exceed; None where there are none."""
    from ddsketch import DDSketch

    sketch = DDSketch(RELATIVE_ERROR)
    for key, count in counts_of(histogram).items():
        sketch.add(middle(key), count)
    found = sketch.get_quantile_value(share)
    return None if found is None else float(found)


def middle(key: int) -> float:
    """The latency in milliseconds that stands for all in the bin."""
    return _mapping().value(key)


def edges(key: int) -> tuple[float, float]:
    """Between which latencies in milliseconds the bin is; the shorter one itself lies in the bin below."""
    return middle(key) * (1 - RELATIVE_ERROR), middle(key) * (1 + RELATIVE_ERROR)
