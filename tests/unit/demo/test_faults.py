"""Each fault on request does what it is called, and nothing to its neighbours."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from threading import Barrier
from typing import Any

import pytest
from anyio.to_thread import current_default_thread_limiter
from fastapi.testclient import TestClient
from sqlalchemy import inspect

from demo.app import create_app
from demo.faults import FEW_CONNECTIONS, LOST_INDEX, QUESTIONS, Fault, FaultsMiddleware, few_workers
from demo.seeding import PASSWORD
from demo.settings import Settings
from tests.unit.demo.conftest import SMALL

Start = Callable[[str], AbstractContextManager[TestClient]]
PATHS = {"list": "/tickets/", "detail": "/tickets/7", "dashboard": "/reports/dashboard", "profile": "/auth/profile"}


@contextmanager
def service(faults: str, **settings: Any) -> Iterator[TestClient]:
    """The service with test data and *faults*, and somebody signed in."""
    with TestClient(create_app(Settings(test_data=True, faults=faults, **settings))) as client:
        assert client.post("/test-data", json={"rng_seed": 1, "counts": SMALL}).status_code == 201
        login = client.post("/auth/login", json={"email": "manager001@example.test", "password": PASSWORD}).json()
        client.headers["Authorization"] = f"Bearer {login['access_token']}"
        yield client


def work(client: TestClient) -> dict[str, dict[str, float]]:
    """What one request of each path makes the service do."""
    found = {}
    for name, path in PATHS.items():
        client.get(path)
        before = counted(client)
        answer = client.get(path)
        assert answer.status_code == 200
        after = counted(client)
        found[name] = {what: after[what] - before[what] for what in after} | {"bytes": len(answer.content)}
    return found


def counted(client: TestClient) -> dict[str, float]:
    """The service's own counters."""
    lines = client.get("/metrics").text.splitlines()
    starts = {
        "statements": "demo_db_statements_total",
        "hits": 'demo_cache_lookups_total{result="hit"}',
        "misses": 'demo_cache_lookups_total{result="miss"}',
    }
    return {
        name: sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(start))
        for name, start in starts.items()
    }


@pytest.fixture(scope="module")
def usual() -> dict[str, dict[str, float]]:
    """The work of the service as it should be."""
    with service("") as client:
        return work(client)


@pytest.mark.parametrize(
    ("fault", "path", "what"),
    [
        ("n-plus-one", "list", "statements"),
        ("extra-query", "detail", "statements"),
        ("double-payload", "list", "bytes"),
    ],
)
def test_one_path_does_more_and_the_others_what_they_did(
    usual: dict[str, dict[str, float]], fault: str, path: str, what: str
) -> None:
    """More of one thing on one path: as many people as there are, one statement, or twice the bytes."""
    with service(fault) as client:
        now = work(client)
    more = {"n-plus-one": SMALL["users"], "extra-query": 1, "double-payload": usual[path]["bytes"]}
    assert now[path][what] == usual[path][what] + more[fault]
    now[path][what] = usual[path][what]
    assert now == usual


def test_without_a_cache_every_request_asks_who_has_signed_in(usual: dict[str, dict[str, float]]) -> None:
    """Hits become misses, each of which costs one statement."""
    with service("no-cache") as client:
        now = work(client)
    for path in PATHS:
        assert (usual[path]["hits"], usual[path]["misses"]) == (1, 0)
        assert (now[path]["hits"], now[path]["misses"]) == (0, 1)
        assert now[path]["statements"] == usual[path]["statements"] + 1


def test_the_index_is_gone_and_no_other() -> None:
    """The comments have lost theirs."""
    names = {}
    for faults in ("", "dropped-index"):
        with service(faults) as client:
            looked = inspect(services(client).database.engine)
            names[faults] = {one["name"] for table in looked.get_table_names() for one in looked.get_indexes(table)}
    assert names[""] - names["dropped-index"] == {LOST_INDEX}


def services(client: TestClient) -> Any:
    """The inside of a running service."""
    app: Any = client.app
    return app._app.state.services


def test_a_chatty_service_asks_the_cache_question_by_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty more on the dashboard, none on the list."""
    with service("chatty-upstream") as client:
        asked: list[str] = []
        get = services(client).cache.get

        def note(key: str) -> str | None:
            asked.append(key)
            found: str | None = get(key)
            return found

        monkeypatch.setattr(services(client).cache, "get", note)
        client.get("/tickets/")
        assert len(asked) == 1
        client.get("/reports/dashboard")
        assert len(asked) == 1 + 1 + QUESTIONS


def test_contention_is_no_work(usual: dict[str, dict[str, float]]) -> None:
    """One request at a time does what it always did, and yet the pool and the threads are fewer."""
    with service("lock,small-pool,half-workers") as client:
        assert work(client) == usual
        assert services(client).database.engine.pool.size() == FEW_CONNECTIONS
        assert client.portal is not None
        assert client.portal.call(tokens) == few_workers()


def test_requests_wait_for_the_directory_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight at once are all there before the first goes on."""
    meeting = Barrier(8, timeout=30)
    monkeypatch.setattr("demo.deps.time.sleep", lambda _seconds: meeting.wait())
    assert eight_at_once("") == [200] * 8


@pytest.mark.parametrize(
    ("fault", "most"), [("lock", 1), ("small-pool", FEW_CONNECTIONS), ("half-workers", few_workers())]
)
def test_contention_keeps_them_from_it(fault: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All get their answer, but only so many are there at a time."""
    waiting: list[float] = []
    seen: list[int] = []
    sleep = time.sleep

    def note(seconds: float) -> None:
        waiting.append(seconds)
        seen.append(len(waiting))
        sleep(seconds)
        waiting.pop()

    monkeypatch.setattr("demo.deps.time.sleep", note)
    assert eight_at_once(fault) == [200] * 8
    assert max(seen) <= most


def eight_at_once(faults: str) -> list[int]:
    """The answers to as many requests that ask the directory."""
    with service(faults, directory_ms=10.0) as client, ThreadPoolExecutor(8) as many:
        return [answer.status_code for answer in many.map(client.get, ["/tickets/"] * 8)]


def test_nobody_waits_for_a_directory_that_is_not_there() -> None:
    """And what is no time at all is refused at the start."""
    assert Settings.from_environment({}).directory_ms == 0.0
    assert Settings.from_environment({"DEMO_DIRECTORY_MS": "25"}).directory_ms == 25.0
    for text in ("soon", "-1", "nan", "60000"):
        with pytest.raises(ValueError, match=f"DEMO_DIRECTORY_MS: '{text}' is no number of milliseconds"):
            Settings.from_environment({"DEMO_DIRECTORY_MS": text})


async def tokens() -> float:
    """Worker threads of the loop that runs."""
    return current_default_thread_limiter().total_tokens


@pytest.mark.parametrize(("faults", "most"), [({Fault.LOCK}, 1), (set(), 3)])
def test_a_lock_lets_one_request_in(faults: set[Fault], most: int) -> None:
    """Of three at once; those for something else are not held up."""
    inside = {"/tickets/": 0, "/health": 0}
    seen = dict(inside)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        inside[path] += 1
        seen[path] = max(seen[path], inside[path])
        await asyncio.sleep(0.01)
        inside[path] -= 1

    async def ask() -> None:
        middleware = FaultsMiddleware(app, faults)
        nothing: Any = None
        paths = ["/tickets/", "/health"] * 3
        await asyncio.gather(*(middleware({"path": path, "method": "GET"}, nothing, nothing) for path in paths))

    asyncio.run(ask())
    assert seen == {"/tickets/": most, "/health": 3}


def test_a_fault_that_there_is_not_is_an_error_at_the_start() -> None:
    """A typing error must not look like a service without faults."""
    with pytest.raises(ValueError, match=r"DEMO_FAULTS: there is no n-plus-two; there are n-plus-one, "):
        create_app(Settings(faults="lock, n-plus-two"))
