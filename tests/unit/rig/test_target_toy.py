"""The toy service itself: a test that leans on it must not be fooled by it."""

import time
from typing import Any

import requests

from tests.fakes.toy_service import serving

RECIPE: dict[str, Any] = {"rng_seed": 1, "counts": {"tickets": 4}}


def test_serves() -> None:
    """Without faults it answers everything."""
    with serving() as server, requests.Session() as session:
        assert session.get(f"{server.url}/any").json() == {"status": "ok"}
        first = session.post(f"{server.url}/test-data", json=RECIPE)
        assert (first.status_code, first.json()["created"]) == (201, {"tickets": 4})
        assert session.post(f"{server.url}/test-data", json=RECIPE).status_code == 409
        assert session.delete(f"{server.url}/test-data").status_code == 204
        assert session.post(f"{server.url}/test-data", json=RECIPE).json() == first.json()


def test_answers_at_once_on_a_kept_connection() -> None:
    """Of forty answers on one connection, the ten quickest wait for no delayed acknowledgement of 40 ms."""
    seconds = []
    with serving() as server, requests.Session() as session:
        for _ in range(40):
            began = time.monotonic()
            assert session.get(server.url).ok
            seconds.append(time.monotonic() - began)
    assert sorted(seconds)[9] < 0.03  # a busy machine delays many of them, and never all


def test_faults_are_faults() -> None:
    """Each fault shows."""
    with serving("--status", "500") as server:
        assert requests.get(server.url, timeout=5).status_code == 500
    with serving("--ready-after", "60") as server:
        assert requests.get(server.url, timeout=5).status_code == 503
    with serving("--redirect", "http://example.com/") as server:
        answer = requests.get(server.url, timeout=5, allow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (302, "http://example.com/")
    with serving("--half-seed", "loud") as server:
        assert requests.post(f"{server.url}/test-data", json=RECIPE, timeout=5).status_code == 500
        assert server.data == {"tickets": 2}
