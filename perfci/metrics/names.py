"""Groups requests by endpoint where several names belong to one, and summarises the answers to each name."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from perfci.metrics.columns import Window, inside_of
from perfci.model import Answered, Requests, kind_of_answer


def folded(requests: Requests, endpoints: Mapping[str, str]) -> Requests:
    """Return *requests* with each name replaced by its endpoint; names without an entry stay as they are."""
    called = [endpoints.get(name, name) for name in requests.names]
    names = tuple(dict.fromkeys(called))
    if len(names) == len(called):
        return replace(requests, names=names)
    position = {name: number for number, name in enumerate(names)}
    numbers = np.array([position[name] for name in called], dtype=np.uint32)
    column = numbers[np.asarray(requests.endpoint)] if len(requests) else numbers[:0]
    return replace(requests, names=names, endpoint=array("I", column.tobytes()))


def answered(requests: Requests, *, windows: Sequence[Window]) -> dict[str, Answered]:
    """Sum up the answers in the *windows* of each name that belongs to an endpoint of another name."""
    wanted = np.array([name in requests.endpoints for name in requests.names], dtype=bool)
    if not wanted.any() or not len(requests):
        return {}
    rows = np.flatnonzero(inside_of(requests, windows))
    rows = rows[wanted[np.asarray(requests.endpoint)[rows]]]
    rows = rows[np.argsort(np.asarray(requests.endpoint)[rows], kind="stable")]
    number, status = np.asarray(requests.endpoint)[rows], np.asarray(requests.status)[rows]
    failed, size = np.asarray(requests.failed)[rows] != 0, np.asarray(requests.size)[rows]
    borders = np.flatnonzero(np.diff(number)) + 1
    found = {}
    for span in np.split(np.arange(len(rows)), borders):
        if len(span):
            sizes = size[span][~failed[span]]
            pairs = set(zip(status[span].tolist(), failed[span].tolist(), strict=True))
            found[requests.names[number[span[0]]]] = Answered(
                answers=len(span),
                kinds=frozenset(kind_of_answer(code, failed=bad) for code, bad in pairs),
                bytes_=int(sizes.sum()),
                successes=len(sizes),
                smallest=int(sizes.min()) if len(sizes) else None,
                largest=int(sizes.max()) if len(sizes) else None,
            )
    return found
