"""Health, metrics, slowdowns on purpose, and the process itself."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from demo.app import create_app
from demo.common import slowdown
from demo.common.cache import LocalCache
from demo.common.database import Database
from demo.common.settings import Settings
from perfci.config import read

ROOT = Path(__file__).parents[3]


def test_alive_asks_nobody_and_ready_asks_database_and_cache(client: TestClient) -> None:
    """Liveness costs no statement."""
    before = metric(client, "demo_db_statements_total")
    assert client.get("/health").json() == {"status": "ok"}
    assert metric(client, "demo_db_statements_total") == before
    assert client.get("/ready").json() == {"status": "ready"}
    assert metric(client, "demo_db_statements_total") == before + 1


def test_not_ready_names_what_does_not_answer(tmp_path: Path) -> None:
    """A cache that is not there is 503, and liveness stays."""
    with TestClient(create_app(Settings(cache_url="redis://127.0.0.1:1/0"))) as client:
        answer = client.get("/ready")
        assert (answer.status_code, "cache" in answer.json()["detail"]) == (503, True)
        assert client.get("/health").status_code == 200


def test_waits_for_a_database_that_is_not_there_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it was told to, and no longer; by default not at all."""
    asked: list[float] = []

    def ping(_: Database) -> None:
        asked.append(time.monotonic())
        if len(asked) < 3:
            raise OperationalError("SELECT 1", {}, Exception("refused"))

    monkeypatch.setattr(Database, "ping", ping)
    with TestClient(create_app(Settings(database_wait_s=20))) as client:
        assert client.get("/health").status_code == 200
    assert len(asked) == 3
    asked.clear()
    with pytest.raises(OperationalError, match="refused"), TestClient(create_app(Settings())):
        pass
    assert len(asked) == 1


def metric(client: TestClient, start: str) -> float:
    """The sum of all series whose line starts like that."""
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(start))


def test_requests_are_counted_by_the_template_of_their_route(client: TestClient, user: dict[str, str]) -> None:
    """Two tickets are one series; a missing one differs in its status; no route is a series of its own."""
    for number in (1, 2, 9999):
        client.get(f"/tickets/{number}", headers=user)
    client.get("/no/such/path")
    series = 'demo_requests_total{method="GET",route="%s",status="%s"}'
    counts = [("/tickets/{id}", 200, 2.0), ("/tickets/{id}", 404, 1.0), ("unmatched", 404, 1.0)]
    for route, status, count in counts:
        assert metric(client, series % (route, status)) == count
    assert metric(client, 'demo_request_seconds_count{method="GET",route="/tickets/{id}"}') == 3


def test_cache_and_statements_are_counted(client: TestClient, user: dict[str, str]) -> None:
    """Who has signed in is found in the cache, and the profile needs no statement at all."""
    before = [metric(client, name) for name in ('demo_cache_lookups_total{result="hit"}', "demo_db_statements_total")]
    client.get("/auth/profile", headers=user)
    after = [metric(client, name) for name in ('demo_cache_lookups_total{result="hit"}', "demo_db_statements_total")]
    assert [after[0] - before[0], after[1] - before[1]] == [1, 0]


def test_the_same_request_always_needs_as_many_statements(client: TestClient, user: dict[str, str]) -> None:
    """What a request costs does not depend on how many came before it."""
    costs = set()
    for number in range(5):
        before = metric(client, "demo_db_statements_total")
        order = {"title": f"Number {number}", "description": "x"}
        client.post("/tickets/", headers=user, json=order)
        costs.add(metric(client, "demo_db_statements_total") - before)
    assert len(costs) == 1


def test_a_cache_entry_ends_with_its_time() -> None:
    """And not before."""
    time_is = [0.0]
    cache = LocalCache(lambda: time_is[0])
    cache.set("key", "value", 10)
    time_is[0] = 9.9
    assert cache.get("key") == "value"
    time_is[0] = 10
    assert cache.get("key") is None


def test_added_time_slows_the_chosen_endpoint_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty milliseconds more on one route; its neighbour is not held back."""
    held_back: list[float] = []
    wait_until = slowdown._wait_until

    async def noted(deadline: float) -> None:
        held_back.append(deadline)
        await wait_until(deadline)

    monkeypatch.setattr(slowdown, "_wait_until", noted)
    with TestClient(create_app(Settings(slow="GET /health=+40ms"))) as client:
        assert seconds_of(client, "/ready") > 0
        assert held_back == []
        assert seconds_of(client, "/health") >= 0.04
        assert len(held_back) == 1


def test_a_factor_multiplies_the_time_of_the_endpoint() -> None:
    """What takes at least a fiftieth of a second takes at least five of them, on whatever machine this runs."""
    app = FastAPI()

    @app.get("/work")
    async def work() -> None:
        await asyncio.sleep(0.02)

    slow = slowdown.SlowdownMiddleware(app, slowdown.parse_slowdowns("GET /work=5", {("GET", "/work")}))
    with TestClient(slow) as client:
        assert seconds_of(client, "/work") >= 0.1


def seconds_of(client: TestClient, path: str) -> float:
    """How long a request takes: on a busy machine longer, and never less."""
    started = time.perf_counter()
    assert client.get(path).status_code == 200
    return time.perf_counter() - started


@pytest.mark.parametrize(
    ("slow", "message"),
    [
        ("GET /tickets/", "is not METHOD /route=AMOUNT"),
        ("GET /tickets/=fast", "neither a factor"),
        ("GET /tickets/=0.5", "neither a factor"),
        ("GET /tickets/=-5ms", "neither a factor"),
        ("GET /tickets/7=2", "no route GET /tickets/7"),
        ("DELETE /tickets/{id}=2", "no route DELETE /tickets/{id}"),
        ("GET /health=2;GET /health=3", "named twice"),
    ],
)
def test_a_slowdown_that_makes_no_sense_is_an_error_at_the_start(slow: str, message: str) -> None:
    """A typing error must not look like a service that is as fast as ever."""
    with pytest.raises(ValueError, match="DEMO_SLOW") as caught:
        create_app(Settings(slow=slow))
    assert message in str(caught.value)


def start(tmp_path: Path, **environment: str) -> "subprocess.Popen[str]":
    """The real process, with its temporary files in a folder of ours."""
    return subprocess.Popen(
        [sys.executable, "-m", "demo", "--port", "0"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_quickly_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """It ends without an error, although a client still holds a connection, and its database is gone."""
    with start(tmp_path) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:")
        url = line.removeprefix("listening on ").strip()
        with urllib.request.urlopen(f"{url}/ready", timeout=60) as answer:
            assert answer.status == 200
        assert list(tmp_path.iterdir())
        process.send_signal(number)
        asked = time.monotonic()
        _, errors = process.communicate(timeout=60)
        assert time.monotonic() - asked < 30
    assert (process.returncode, errors, list(tmp_path.iterdir())) == (0, "", [])


def test_a_bad_setting_ends_the_process_with_its_message(tmp_path: Path) -> None:
    """One line, and the exit code of a usage error."""
    with start(tmp_path, DEMO_SLOW="GET /nowhere=2") as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors.startswith("DEMO_SLOW: no route GET /nowhere")
    assert errors.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_every_environment_waits_for_an_answer_that_the_service_gives(client: TestClient) -> None:
    """One that asked for another path would never be ready."""
    config = read(ROOT / "perfci.toml")
    paths = {name: config.within(name).target["ready"]["path"] for name in config.environments}
    assert {"compose", "staging"} <= set(paths)
    assert {name: client.get(path).status_code for name, path in paths.items()} == dict.fromkeys(paths, 200)
