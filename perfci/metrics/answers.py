"""Counts the answers of a round by status, size and form, for each endpoint."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from perfci.metrics.columns import Window, inside_of
from perfci.model import AnswerForm, Answers, Requests

MOST_ENDPOINTS = 1000
"""Largest number of endpoints of a round that are kept, those with the most requests."""


def answers_of(requests: Requests, *, windows: Sequence[Window]) -> dict[str, Answers]:
    """Count the answers to requests that started in one of the *windows* by status, size and form; see `Answers`."""
    inside = inside_of(requests, windows)
    endpoint = np.asarray(requests.endpoint)[inside]
    failed = np.asarray(requests.failed)[inside] != 0
    status, size = np.asarray(requests.status)[inside], np.asarray(requests.size)[inside]
    form = np.asarray(requests.form)[inside] if len(requests.form) else np.zeros(len(endpoint), dtype=np.uint8)
    counts = np.bincount(endpoint, minlength=len(requests.names))
    order = np.argsort(endpoint.astype(np.min_scalar_type(len(requests.names))), kind="stable")
    ends = counts.cumsum()
    kept = sorted(np.flatnonzero(counts), key=lambda number: (-counts[number], requests.names[number]))
    made = {}
    for number in kept[:MOST_ENDPOINTS]:
        rows = order[ends[number] - counts[number] : ends[number]]
        good = rows[~failed[rows]]
        made[requests.names[number]] = Answers(
            statuses=_counted(status[good]),
            failures=_counted(status[rows[failed[rows]]]),
            sizes=_counted(size_classes(size[good])),
            median_bytes=float(np.median(size[good])) if len(good) else None,
            forms=_forms(form[good], requests.forms),
        )
    return dict(sorted(made.items()))


def size_classes(sizes: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Sort sizes of bodies into classes: 0 for an empty body, else 1 + floor(4 log2(bytes))."""
    classes = np.zeros(len(sizes), dtype=np.int64)
    some = sizes > 0
    classes[some] = 1 + np.floor(4 * np.log2(sizes[some].astype(np.float64))).astype(np.int64)
    return classes


def _counted(values: npt.NDArray[np.integer]) -> dict[int, int]:
    known, counts = np.unique(values, return_counts=True)
    return dict(zip(known.tolist(), counts.tolist(), strict=True))


def _forms(numbers: npt.NDArray[np.integer], forms: Sequence[AnswerForm]) -> dict[str, int]:
    counted = ((forms[number - 1], count) for number, count in _counted(numbers).items() if number)
    return {"; ".join((form.content_type, form.encoding, form.protocol)): count for form, count in counted}
