"""Response times: from when a task was due until the answer, where a latency begins when the request was sent."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def responses(latency_ms: Floats, late_ms: Floats, pace_ms: Floats) -> Floats:
    """
    The response times of requests, sorted, all in ms: what each took, and how late its task had begun before.

    A user that keeps a pace leaves out the starts that pass while it is busy. Each would have begun a pace later and so
    have waited a pace less: they are put in, as G. Tene's HdrHistogram does with its expected interval (2013). A pace
    of 0 is none.
    """
    more = np.zeros(len(late_ms), dtype=np.int64)
    paced = pace_ms > 0
    more[paced] = late_ms[paced] / pace_ms[paced]
    before = np.cumsum(more + 1) - more - 1
    number = np.arange(int((more + 1).sum())) - np.repeat(before, more + 1)
    found: Floats = np.repeat(latency_ms + late_ms, more + 1) - number * np.repeat(pace_ms, more + 1)
    found.sort()
    return found
