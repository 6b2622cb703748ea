"""Seeding a live service, and what can go wrong with it."""

import http.server
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perfci import store
from perfci.errors import SeedError
from perfci.rig import seed
from tests.fakes.shell import shell_in
from tests.fakes.toy import Toy
from tests.fakes.toy_service import serving

COUNTS = {"tickets": 40, "users": 4}


def _options(**table: object) -> seed.Options:
    return seed.parse({"kind": "http", "path": "/test-data", "counts": COUNTS, "rng_seed": 7, **table}, where="test")


def _seed(server: Toy, *, clear_first: bool = False, **table: object) -> seed.Seeded:
    return seed.seed(_options(**table), server.url, clear_first=clear_first, source=Path(), environ={})


def test_makes_the_data_and_tells_its_digest() -> None:
    """The counts reach the service, and what it says of them comes back."""
    with serving() as server:
        seeded = _seed(server)
        assert server.data == COUNTS
    assert seeded.created == COUNTS
    assert len(seeded.digest) == 64


def test_equal_recipes_have_equal_digests_and_others_do_not() -> None:
    """Two services seeded alike are known to be alike, with or without a digest of their own."""
    for faults in ((), ("--no-digest",)):
        with serving(*faults) as first_url, serving(*faults) as other, serving(*faults) as third:
            first = _seed(first_url).digest
            assert first
            assert first == _seed(other).digest
            assert first != _seed(third, rng_seed=8).digest


def test_services_are_filled_at_the_same_time() -> None:
    """None of them answers before all have been asked."""
    both = threading.Barrier(2, timeout=60)

    class Patient(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            both.wait()
            self.send_response(200)
            self.end_headers()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Patient) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        how: dict[str, Any] = {"clear_first": False, "source": Path(), "environ": {}, "own": True}
        with seed.seeding(_options(), url, **how) as first, seed.seeding(_options(), url, **how) as other:
            assert first() == other()
        server.shutdown()


def test_seeded_twice_names_the_way_out() -> None:
    """A second seeding is refused, says how to go on, and going on so works."""
    with serving() as server:
        _seed(server)
        with pytest.raises(SeedError, match="holds test data already") as caught:
            _seed(server)
        assert "--clear-first" in caught.value.hint
        assert _seed(server, clear_first=True).created == COUNTS


def test_refused_by_the_target() -> None:
    """A refusal shows the request, the status and what the target said."""
    with (
        serving("--refuse-seed") as server,
        pytest.raises(SeedError, match=r"POST .*/test-data answered 403.*not here"),
    ):
        _seed(server)


def test_half_done_then_failed() -> None:
    """When the target fails half-way, the reader is told that data may be there, and can start over."""
    with serving("--half-seed", "loud") as server:
        with pytest.raises(SeedError, match=r"answered 500.*disk is full") as caught:
            _seed(server)
        assert "--clear-first" in caught.value.hint
        assert server.data
        server.faults.half_seed = ""
        assert _seed(server, clear_first=True).created == COUNTS


def test_less_than_asked_for_is_no_success() -> None:
    """A target that quietly makes half of the data is caught by its own answer."""
    with serving("--half-seed", "silent") as server, pytest.raises(SeedError, match="20 of 40 tickets, 2 of 4 users"):
        _seed(server)


def test_clean_removes_the_data_and_twice_is_harmless() -> None:
    """After clean the service is empty."""
    with serving() as server:
        _seed(server)
        for _ in range(2):
            seed.clean(_options(), server.url, source=Path(), environ={})
            assert server.data == {}


def test_clean_up_that_fails() -> None:
    """A target that keeps its data says so."""
    with serving("--refuse-clean") as server, pytest.raises(SeedError, match=r"could not be removed.*500.*locked"):
        seed.clean(_options(), server.url, source=Path(), environ={})


def test_target_that_is_gone() -> None:
    """A target that closed its port is an error, not a traceback."""
    with serving() as server:
        pass
    with pytest.raises(SeedError, match="failed"):
        _seed(server)


def test_endpoint_of_the_wrong_name() -> None:
    """A path that the target does not know is shown."""
    with serving() as server, pytest.raises(SeedError, match="/seed answered 403"):
        _seed(server, path="/seed")


KINDS: list[dict[str, Any]] = [
    {"kind": "http", "path": "/test-data"},
    {"kind": "command", "command": ["{python}", "-c", ""], "clean": ["{python}", "-c", ""]},
    {"kind": "python", "call": "json:dumps", "clean": "json:dumps"},
]


@pytest.mark.parametrize("table", KINDS, ids=[table["kind"] for table in KINDS])
def test_what_is_not_marked_is_neither_filled_nor_cleared(table: dict[str, Any], tmp_path: Path) -> None:
    """Not even on this machine, where a port may lead anywhere; the way out is named."""
    place: dict[str, Any] = {"source": tmp_path, "environ": {}}
    with serving("--unmarked") as server:
        options = seed.parse({**table, "mark_path": "/who"}, where="test")
        with pytest.raises(SeedError, match="is not marked as a test target") as caught:
            seed.seed(options, server.url, clear_first=True, **place)
        with pytest.raises(SeedError, match="is not marked as a test target"):
            seed.clean(options, server.url, **place)
        assert (server.asked, server.data) == (["/who"] * 2, {})
        assert "let it answer GET /who with the header `Test-Target: true`" in caught.value.hint
        assert "test_data = true in [seed]" in caught.value.hint


def test_what_is_marked_is_filled(tmp_path: Path) -> None:
    """By itself, by the configuration, or because perfci has started it."""
    for faults, named, own in (
        ((), {}, False),
        (("--unmarked",), {"test_data": True}, False),
        (("--unmarked",), {}, True),
    ):
        with serving(*faults) as server:
            seed.seed(_options(**named), server.url, clear_first=False, source=tmp_path, environ={}, own=own)
            assert server.data == COUNTS


def test_own_body() -> None:
    """A service with another recipe format gets it: placeholders become numbers, not text."""
    with serving() as server:
        _seed(server, body={"counts": {"tickets": "{counts.tickets}", "fixed": 3}, "note": "{rng_seed} is text here"})
        assert server.data == {"tickets": 40, "fixed": 3}


EXTERNAL = """
[target]
kind = "external"
url = "{url}"

[seed]
kind = "http"
path = "/test-data"
counts = {{ tickets = 4 }}

[profiles.toy]
locustfile = "visitor.py"
[profiles.toy.scenarios.short]
users = 1
duration = "1s"
warmup = "100ms"
baseline = {{ rounds = 2 }}
"""
VISITOR = """
from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def one(self):
        self.client.get("/one")
"""


def test_a_service_that_goes_on_is_filled_for_each_round_and_left_empty(tmp_path: Path) -> None:
    """Data that stayed would make the second round's seeding fail, and the next run's."""
    with serving() as server:
        files = {"perfci.toml": EXTERNAL.format(url=server.url), "visitor.py": VISITOR}
        with shell_in(tmp_path / "project", files, state=tmp_path / "state") as shell:
            done = shell.perfci(
                "run", "toy", "--against", "baseline", "--census", "off", "--output", str(tmp_path / "out")
            )
        assert done.returncode == 0, done.stdout + done.stderr
        assert server.data == {}
    run = store.load(tmp_path / "out")
    assert (run.complete, len(run.rounds), run.incidents) == (True, 2, ())


Run = Callable[..., seed.Seeded]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Seed by a Python script."""

    def runner(script: str, *, clear_first: bool = False, **table: Any) -> seed.Seeded:
        options = {"kind": "command", "command": ["{python}", "-c", script], "counts": COUNTS, **table}
        return seed.seed(
            seed.parse(options, where="test"),
            "http://127.0.0.1:9",
            clear_first=clear_first,
            source=tmp_path,
            environ={**os.environ, "PERFCI_TOKEN": "ghs_canary"},
            own=True,
        )

    return runner


def test_command_gets_the_address_and_the_recipe(run: Run) -> None:
    """Placeholders are filled in, and the last line of its output is its answer."""
    script = """
import json, os, sys
assert "PERFCI_TOKEN" not in os.environ
print("making...")
print(json.dumps({"created": json.loads(os.environ["COUNTS"]), "digest": os.environ["TARGET"] + os.environ["SEED"]}))
"""
    seeded = run(script, env={"COUNTS": "{counts}", "TARGET": "{url}", "SEED": "{rng_seed}"}, rng_seed=5)
    assert seeded.created == COUNTS
    assert seeded.digest == "http://127.0.0.1:95"


def test_command_without_an_answer_is_known_by_its_recipe(run: Run) -> None:
    """A command that prints nothing made what it was asked for."""
    assert run("pass") == run("print('done')")
    assert run("pass").digest != run("pass", rng_seed=2).digest


def test_command_that_fails_shows_what_it_said(run: Run) -> None:
    """Exit code and output are in the message."""
    with pytest.raises(SeedError, match=r"ended with 4(.|\n)*no such table"):
        run("print('no such table'); raise SystemExit(4)")


def test_command_that_never_ends_is_stopped(run: Run) -> None:
    """The time-out holds."""
    with pytest.raises(SeedError, match="did not end within"):
        run("import time; time.sleep(60)", timeout_s=0.3)


def test_command_that_does_not_exist(run: Run) -> None:
    """It is named."""
    with pytest.raises(SeedError, match="'no-such-seeder' cannot be run"):
        run("", command=["no-such-seeder"])


def test_cleaning_command_runs_first(run: Run, tmp_path: Path) -> None:
    """With clear_first the cleaning command comes before the seeding one."""
    (tmp_path / "old").touch()
    clean = ["{python}", "-c", "import os; os.remove('old')"]
    run("import os; assert not os.path.exists('old')", clear_first=True, clean=clean)
    with pytest.raises(SeedError, match="nothing takes the old data out first"):
        run("", clear_first=True)


FILLING = """
import os, sys
from shop import WORDS

def fill(base_url, *, rng_seed, counts, clear_first):
    print("making", os.environ.get("PERFCI_TOKEN", "no token"), os.environ["SHOP"])
    os.system("echo a child talks, too")
    assert not clear_first or rng_seed == 5
    if rng_seed == 6:
        raise ValueError("the data is there already")
    return {"created": {name: count - (rng_seed == 7) for name, count in counts.items()}, "digest": base_url + WORDS}

def odd(base_url, **_):
    return [1, 2]

def held(base_url):
    return {"digest": base_url + WORDS}

def empty(base_url):
    with open("emptied", "w") as file:
        file.write(base_url)
"""


@pytest.fixture
def call(tmp_path: Path) -> Callable[..., tuple[seed.Options, dict[str, Any]]]:
    """A project with functions that seed, and how to have one of them called."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("WORDS = ' badge browser'\n")
    (tmp_path / "shop" / "filling.py").write_text(FILLING)

    def prepared(**table: Any) -> tuple[seed.Options, dict[str, Any]]:
        named = {
            "kind": "python",
            "call": "shop.filling:fill",
            "clean": "shop.filling:empty",
            "counts": COUNTS,
            **table,
        }
        place = {"source": tmp_path, "environ": {**os.environ, "PERFCI_TOKEN": "ghs_canary"}, "own": True}
        return seed.parse({"env": {"SHOP": "x"}, **named}, where="test"), place

    return prepared


URL = "http://127.0.0.1:9"


def test_function_gets_the_address_and_the_recipe(call: Callable[..., Any], tmp_path: Path) -> None:
    """It runs in the checkout, in an interpreter of its own; what it returns counts, not what it or a child prints."""
    for clear_first in (False, True):
        options, place = call(rng_seed=5)
        seeded = seed.seed(options, URL, clear_first=clear_first, **place)
        assert seeded == seed.Seeded(created=COUNTS, digest=f"{URL} badge browser")
    assert seed.clean(options, URL, **place)
    assert (tmp_path / "emptied").read_text() == URL
    options, place = call(clean="")
    assert not seed.clean(options, URL, **place)


def test_every_kind_asks_what_is_there(call: Callable[..., Any]) -> None:
    """A function, a command and the target itself tell the digest; an answer without one is none."""
    options, place = call(digest_call="shop.filling:held")
    del place["own"]
    assert seed.digest(options, URL, **place) == f"{URL} badge browser"

    table = {"kind": "command", "command": ["false"], "digest_command": ["echo", '{"digest": "{port}"}']}
    assert seed.digest(seed.parse(table, where="test"), URL, **place) == "9"

    class Asked(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/digest" else 404)
            self.end_headers()
            self.wfile.write(b'{"sum": "abc"}')

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Asked) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        for path, expected in (("/digest", "abc"), ("/gone", "")):
            assert seed.digest(_options(digest_path=path, digest_field="sum"), url, **place) == expected
        server.shutdown()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"rng_seed": 6}, r"ended with 1: shop.filling:fill in python3(.|\n)*ValueError: the data is there already"),
        ({"rng_seed": 7}, r"made less than it was asked for: 39 of 40 tickets, 3 of 4 users"),
        ({"call": "shop.filling:gone"}, "has no attribute 'gone'"),
        ({"call": "shop.nowhere:fill"}, "No module named 'shop.nowhere'"),
        ({"call": "shop.filling:odd"}, r"shop.filling:odd returned \[1, 2\]: wanted is a dict of created and digest"),
        ({"python": "no-such-python"}, "'no-such-python' cannot be run"),
    ],
)
def test_function_that_fails_is_told_in_its_own_words(call: Callable[..., Any], table: Any, message: str) -> None:
    """With the next step; no token is in what it printed."""
    options, place = call(**table)
    with pytest.raises(SeedError, match=message) as caught:
        seed.seed(options, URL, clear_first=False, **place)
    assert caught.value.hint
    assert "ghs_canary" not in str(caught.value)
