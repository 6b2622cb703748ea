"""Many requests at once: nobody waits for what another one holds, and what is too much is refused at once."""

from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from threading import Event

import pytest

from demo.common.database import CONNECTIONS
from tests.unit.demo.test_faults import service, services

MANY = 3 * CONNECTIONS


def test_three_requests_for_each_connection_are_all_answered() -> None:
    """Nobody holds a connection while waiting for a thread, also where the database is asked who has signed in."""
    with service("no-cache") as client, ThreadPoolExecutor(MANY) as many:
        answers = list(many.map(client.get, ["/tickets/"] * MANY))
        assert [answer.status_code for answer in answers] == [200] * MANY
        assert services(client).database.engine.pool.checkedout() == 0


def test_what_is_too_much_is_refused_and_liveness_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every place taken and nobody allowed to wait, others get a 503 at once that says when to come back."""
    ended = Event()
    monkeypatch.setattr("demo.tickets.directory.time.sleep", lambda _seconds: ended.wait(30))
    with service("", directory_ms=10.0, most_waiting=0) as client, ThreadPoolExecutor(2 * CONNECTIONS) as many:
        asked = [many.submit(client.get, "/tickets/") for _ in range(2 * CONNECTIONS)]
        refused = [answer.result() for answer in islice(as_completed(asked, timeout=20), CONNECTIONS)]
        assert {answer.status_code for answer in refused} == {503}
        assert {answer.headers["retry-after"] for answer in refused} == {"1"}
        assert client.get("/auth/profile").status_code == 503
        assert client.get("/health").status_code == 200
        ended.set()
        served = [answer.result().status_code for answer in asked]
        assert served.count(200) == CONNECTIONS
        assert client.get("/auth/profile").status_code == 200
