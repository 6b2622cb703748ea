"""Each fault on request does what it is called, and nothing to its neighbours."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from threading import Barrier
from typing import Any

import pytest
from anyio.to_thread import current_default_thread_limiter
from fastapi.testclient import TestClient
from sqlalchemy import inspect

from demo.app import SYSTEMS, create_app
from demo.common.cache import LocalCache
from demo.common.fault_middleware import HANG_SECONDS, TIRED_SECONDS, FaultsMiddleware
from demo.common.faults import AMOUNTS, FEW_CONNECTIONS, Fault, ForgetfulCache, StoppedCache, few_workers, parse_faults
from demo.common.seeding import PASSWORD
from demo.common.settings import Settings
from demo.tickets.routes.reports import QUESTIONS
from tests.unit.demo.conftest import SMALL, service_with_test_data

Start = Callable[[str], AbstractContextManager[TestClient]]
PATHS = {"list": "/tickets/", "detail": "/tickets/7", "dashboard": "/reports/dashboard", "profile": "/auth/profile"}


@contextmanager
def service(faults: str, **settings: Any) -> Iterator[TestClient]:
    """The service with test data and *faults*, and somebody signed in."""
    with service_with_test_data(faults=faults, **settings) as client:
        credentials = {"email": "manager001@example.test", "password": PASSWORD}
        login = insist(lambda: client.post("/auth/login", json=credentials))
        client.headers["Authorization"] = f"Bearer {login['access_token']}"
        yield client


def insist(request: Callable[[], Any]) -> Any:
    """What is answered in the end: a fault may fail the first attempts."""
    for _ in range(20):
        if (answer := request()).is_success:
            return answer.json()
    raise AssertionError(answer.text)


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
    """Of each system the one that it names."""
    names = {}
    for faults in ("", "dropped-index"):
        with service(faults) as client:
            looked = inspect(services(client).database.engine)
            names[faults] = {index["name"] for table in looked.get_table_names() for index in looked.get_indexes(table)}
    assert names[""] - names["dropped-index"] == {system.lost_index for system in SYSTEMS}


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
    monkeypatch.setattr("demo.tickets.directory.time.sleep", lambda _seconds: meeting.wait())
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

    monkeypatch.setattr("demo.tickets.directory.time.sleep", note)
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


@pytest.mark.parametrize(("faults", "most"), [({Fault.LOCK: 1.0}, 1), ({}, 3)])
def test_a_lock_lets_one_request_in(faults: dict[str, float], most: int) -> None:
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
        await asyncio.gather(*(middleware({"type": "http", "path": path}, nothing, nothing) for path in paths))

    asyncio.run(ask())
    assert seen == {"/tickets/": most, "/health": 3}


def test_a_fault_that_there_is_not_is_an_error_at_the_start() -> None:
    """A typing error must not look like a service without faults."""
    with pytest.raises(ValueError, match=r"DEMO_FAULTS: there is no n-plus-two; there are n-plus-one, "):
        create_app(Settings(faults="lock, n-plus-two"))


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ("lock=3", "lock has no amount"),
        ("errors=2", "errors=2 needs a number between 0 and 1"),
        ("leak=much", "leak=much needs a number"),
        ("creep=-1", "creep=-1 needs a number"),
    ],
)
def test_an_amount_that_makes_no_sense_is_an_error_at_the_start(faults: str, message: str) -> None:
    """A share is at most 1, and what has no amount takes none."""
    with pytest.raises(ValueError, match=f"DEMO_FAULTS: {message}"):
        create_app(Settings(faults=faults))


def test_what_is_not_said_has_its_usual_amount() -> None:
    """Each fault with an amount can be named without one."""
    listed = ",".join(fault for fault in Fault)
    assert parse_faults(listed) == {fault: AMOUNTS.get(fault, 1.0) for fault in Fault}


def test_a_share_of_the_requests_fails_and_liveness_does_not() -> None:
    """One of five, and the others are answered as ever."""
    with service("errors=0.2") as client:
        counts = Counter(client.get("/auth/profile").status_code for _ in range(400))
        assert set(counts) == {200, 500}
        assert 50 <= counts[500] <= 110
        assert {client.get("/health").status_code for _ in range(50)} == {200}


def through(faults: dict[str, float], requests: int, **options: Any) -> FaultsMiddleware:
    """A middleware through which so many requests have gone, all at once."""

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.sleep(0)

    async def ask() -> FaultsMiddleware:
        middleware = FaultsMiddleware(app, faults, **options)
        nothing: Any = None
        await asyncio.gather(
            *(middleware({"type": "http", "path": "/tickets/"}, nothing, nothing) for _ in range(requests))
        )
        return middleware

    return asyncio.run(ask())


def test_a_crash_comes_after_so_many_requests() -> None:
    """Not before."""
    died: list[int] = []
    through({Fault.CRASH: 5}, 5, die=lambda: died.append(1))
    assert died == []
    through({Fault.CRASH: 5}, 6, die=lambda: died.append(1))
    assert died == [1]


def test_a_leak_keeps_what_it_was_told_to_keep() -> None:
    """Sixteen kilobytes for each request."""
    kept = through({Fault.LEAK: 16}, 10)._kept
    assert sum(len(each) for each in kept if isinstance(each, bytes)) == 10 * 16 * 1024


def test_a_connection_is_lost_every_so_many_requests() -> None:
    """Of seven requests the third and the sixth keep one."""
    taken: list[int] = []
    through({Fault.LOST_CONNECTIONS: 3}, 7, connect=lambda: taken.append(1))
    assert len(taken) == 2


def test_lost_connections_stay_open() -> None:
    """The service tells of more than without the fault, and goes on answering."""
    open_ = []
    for faults in ("", "lost-connections=2"):
        with service(faults) as client:
            assert {client.get("/tickets/7").status_code for _ in range(11)} == {200}
            page = client.get("/metrics").text
            open_.append(float(page.partition("\ndemo_db_connections_open ")[2].split()[0]))
    usual, leaking = open_
    assert leaking >= usual + 5


@pytest.mark.parametrize(
    ("faults", "slept"),
    [
        ({Fault.CREEP: 1000}, [0.001, 0.002, 0.003]),
        ({Fault.NO_RECOVERY: 2}, [TIRED_SECONDS]),
        ({Fault.NO_RECOVERY: 3}, []),
        ({Fault.HANG: 1.0}, [HANG_SECONDS] * 3),
    ],
)
def test_what_makes_requests_late(
    faults: dict[str, float], slept: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """More with each request; for ever after too many at once; a minute."""
    waits: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        waits.extend([seconds] if seconds else [])
        await sleep(0)

    monkeypatch.setattr("demo.common.fault_middleware.asyncio.sleep", note)
    through(faults, 3)
    assert waits == pytest.approx(slept)


def test_a_cache_stops_keeping_after_so_many_entries() -> None:
    """Those that came first are found, the next is not."""
    cache = ForgetfulCache(LocalCache(), 2)
    for key in "abc":
        cache.set(key, "value", 10)
    assert [cache.get(key) for key in "abc"] == ["value", "value", None]


def test_a_cache_stops_finding_after_so_many_lookups() -> None:
    """What is in it stays there, and is not found any more."""
    cache = StoppedCache(LocalCache(), 2)
    cache.set("a", "value", 10)
    assert [cache.get("a") for _ in range(3)] == ["value", "value", None]
