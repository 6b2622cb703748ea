"""Requests become counts of answers, per endpoint: by status, size and form."""

from array import array
from dataclasses import replace
from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.metrics import answers as metrics
from perfci.metrics.answers import answers_of, size_classes
from perfci.model import AnswerForm, Answers
from tests.builders import START, some_requests

pytestmark = pytest.mark.kind("I")

WINDOW = [(START, START + 20)]


def test_answers_are_counted_by_status_size_and_form() -> None:
    """Sizes and forms of successes alone; failures by their status."""
    requests = some_requests({"GET /a": [1.0] * 4, "GET /b": [1.0] * 2}, failed=[3, 5])
    requests = replace(
        requests,
        size=array("Q", [0, 100, 100, 7, 4000, 9]),
        status=array("H", [204, 200, 200, 500, 200, 0]),
        form=array("B", [0, 1, 2, 1, 1, 0]),
        forms=(AnswerForm("application/json", "", "HTTP/1.1"), AnswerForm("text/html", "gzip", "HTTP/1.0, closed")),
    )
    json, html = "application/json; ; HTTP/1.1", "text/html; gzip; HTTP/1.0, closed"
    assert answers_of(requests, windows=WINDOW) == {
        "GET /a": Answers(
            statuses={200: 2, 204: 1},
            failures={500: 1},
            sizes={0: 1, 1 + int(4 * log2(100)): 2},
            median_bytes=100.0,
            forms={json: 1, html: 1},
        ),
        "GET /b": Answers(
            statuses={200: 1}, failures={0: 1}, sizes={1 + int(4 * log2(4000)): 1}, median_bytes=4000.0, forms={json: 1}
        ),
    }


def test_only_answers_of_measured_time_count() -> None:
    """As for every metric."""
    requests = some_requests({"GET /a": [1.0] * 10})
    assert sum(answers_of(requests, windows=[(START + 0.045, START + 20)])["GET /a"].statuses.values()) == 5
    assert answers_of(requests, windows=[(START + 100, START + 200)]) == {}


def test_of_an_endpoint_that_only_failed_there_is_no_size() -> None:
    """A size of nothing would be zero."""
    seen = answers_of(some_requests({"GET /a": [1.0] * 3}, failed=[0, 1, 2]), windows=WINDOW)["GET /a"]
    assert (seen.median_bytes, seen.sizes, seen.statuses, seen.failures) == (None, {}, {}, {500: 3})


def test_of_thousands_of_endpoints_the_busiest_are_kept() -> None:
    """A file of a run has a limit."""
    many = {f"GET /{number:04}": [1.0] * (1 + (number % 7 == 0)) for number in range(metrics.MOST_ENDPOINTS + 500)}
    kept = answers_of(some_requests(many, every_s=0.001), windows=WINDOW)
    assert len(kept) == metrics.MOST_ENDPOINTS
    assert {name for name in many if len(many[name]) > 1} <= kept.keys()


@given(st.integers(1, 2**63))
def test_a_size_class_is_a_fifth_wide(size: int) -> None:
    """The largest of a class is at most a fifth larger than the smallest, and classes grow with sizes."""
    of, larger = (int(size_classes(np.array([each], dtype=np.uint64))[0]) for each in (size, 2 * size - size // 2))
    assert 2 ** ((of - 1) / 4) <= size * (1 + 1e-9)
    assert size <= 2 ** (of / 4) * (1 + 1e-9)
    assert larger >= of
    assert size_classes(np.array([0]))[0] == 0
