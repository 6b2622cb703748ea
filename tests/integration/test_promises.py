"""What Locust promises a file holds in turns, in a census and under load: the same file sees the same everywhere."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from perfci.model import LoadPlan, Side
from perfci.rig.census.take import Extent, Seen, take
from perfci.rig.host.free_port import free_port
from perfci.rig.load.generator import Place
from perfci.rig.load.rounds import duet_round, shared_round
from tests.builders import a_plan
from tests.fakes.toy_service import serving

pytestmark = pytest.mark.kind("D")

BOTH = (Side.BASE, Side.CANDIDATE)
MODES = ("turns", "census", "load")
PORT = free_port()

HEAD = """
import json
import os
import random
from pathlib import Path

import gevent
from gevent.event import Event
from locust import FastHttpUser, LoadTestShape, constant, events, tag, task


def see(what, value):
    with (Path(os.environ["SEEN"]) / f"{os.getpid()}.jsonl").open("a") as file:
        file.write(json.dumps([what, value]) + "\\n")
"""

PROFILE = (
    HEAD
    + f"""
import http.server
import threading
import urllib.request

from prometheus_client import Counter

SENT = Counter("promises_requests", "requests sent")
everybody_is_here = Event()
accounts = []
own_random = random.Random()


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(os.getpid()).encode())

    def log_message(self, *_):
        pass


page = http.server.ThreadingHTTPServer(("127.0.0.1", {PORT}), Page)
threading.Thread(target=page.serve_forever, daemon=True).start()
see("random", [random.random(), own_random.random()])


@events.init_command_line_parser.add_listener
def own_argument(parser):
    parser.add_argument("--greeting", default="hello")


@events.request.add_listener
def sent(**_):
    SENT.inc()


def in_order(name):
    @getattr(events, name).add_listener
    def listener(**_):
        see("order", name)


for name in ("init", "test_start", "spawning_complete", "test_stopping", "test_stop", "quitting", "quit"):
    in_order(name)


@events.init.add_listener
def begins(environment, runner, **_):
    options = environment.parsed_options
    Visitor.runner = runner
    see("host", [environment.host == options.host == os.environ.get("TARGET", options.host)])
    see("options", [options.num_users, options.spawn_rate, options.headless, Path(options.locustfile).name])
    see("tags", options.tags)
    see("own arguments", options.greeting)
    see("environment", [environment.runner is runner, environment.web_ui, environment.locustfile])
    see("classes", [user_class.__name__ for user_class in environment.user_classes])


@events.test_start.add_listener
def makes_accounts(environment, **_):
    runner = environment.runner
    see("wanted users", runner.target_user_count)
    accounts.extend(range(runner.target_user_count))
    see("user classes", [runner.user_count, sorted(runner.user_classes_count.items())])


@events.spawning_complete.add_listener
def all_are_there(user_count, **_):
    runner = Visitor.runner
    see("users", [user_count, runner.user_count, runner.target_user_count])
    see("users by class", sorted(runner.user_classes_count.items()))
    see("aimed at", sorted(runner.target_user_classes_count.items()))
    everybody_is_here.set()


@events.quitting.add_listener
def ends(environment, **_):
    total = environment.stats.total
    see("stats", [total.num_requests > 0, total.num_failures])
    see("registry", SENT._value.get() == total.num_requests)


class Visitor(FastHttpUser):
    wait_time = constant(0.05)
    last = 0

    def on_start(self):
        self.account = accounts.pop()
        everybody_is_here.wait()
        see("waited for all", self.environment.runner.user_count)

    @tag("chosen")
    @task
    def look(self):
        self.client.get("/look")
        if Visitor.last == 0:
            Visitor.last = 1
            with urllib.request.urlopen("http://127.0.0.1:{PORT}/", timeout=30) as answer:
                see("port", int(answer.read()) == os.getpid())
            see("state", self.environment.runner.state)
            see("host of a user", self.host == self.environment.host)
            see("greenlet", self.greenlet is gevent.getcurrent())
            see("drawn", [random.random(), random.choice("abcdefgh")])

    @task
    def never(self):
        see("tags", "a task that was not chosen")

    def on_stop(self):
        see("on_stop", True)
"""
)

SHAPE = (
    HEAD
    + """
class Steps(LoadTestShape):
    use_common_options = True
    steps = (3, 3)

    def tick(self):
        if self.get_run_time() < float(os.environ.get("SHAPE_S", "60")):
            return self.steps[0] + self.runner.environment.parsed_options.num_users, 10
        return None


@events.init.add_listener
def begins(environment, runner, **_):
    shape = Visitor.shape = environment.shape_class
    see("shape", [type(shape).__name__, shape.runner is runner, shape.steps])


@events.spawning_complete.add_listener
def all_are_there(user_count, **_):
    shape = Visitor.shape
    see("users of a shape", [user_count, shape.get_current_user_count(), shape.runner.target_user_count])


class Visitor(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def look(self):
        self.client.get("/look")
"""
)

Facts = Mapping[str, list[Any]]


@dataclass
class Report:
    """What one process saw, by what it looked at; each value once, in the order in which it came."""

    facts: dict[str, list[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, file: Path) -> "Report":
        """Read it."""
        report = cls()
        for line in file.read_text().splitlines():
            what, value = json.loads(line)
            known = report.facts.setdefault(what, [])
            if value not in known:
                known.append(value)
        return report


def _all(folder: Path) -> list[Report]:
    return [Report.of(file) for file in sorted(folder.glob("*.jsonl"))]


def _reports(folder: Path, profile: str, mode: str) -> list[Report]:
    """What the processes of one way to run *profile* saw: one of Locust's own, or one for each side."""
    folder.mkdir(parents=True)
    written = folder / "seen"
    written.mkdir()
    (folder / "profile.py").write_text(profile)
    tags = ("chosen",) if "chosen" in profile else ()
    plan = a_plan(
        locustfile="profile.py",
        user_classes=(),
        tags=tags,
        users=4,
        spawn_rate=40,
        duration_s=1.0,
        warmup_s=1.5,
        environment={"SEEN": str(written)},
    )
    with serving() as base, serving() as candidate:
        urls = {Side.BASE: base.url, Side.CANDIDATE: candidate.url}
        if mode == "plain":
            _plain(folder, base.url, tags, {"SEEN": str(written)})
        else:
            _by_perfci(mode, folder, plan, urls)
    return _all(written)


def _plain(folder: Path, url: str, tags: tuple[str, ...], variables: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "locust", "-f", str(folder / "profile.py"), "--headless", "-H", url]
    command += ["-u", "4", "-r", "40", "-t", "3s", "--stop-timeout", "2", *(("--tags", *tags) if tags else ())]
    subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables, "SHAPE_S": "2"},
        check=True,
        capture_output=True,
        timeout=180,
    )


def _by_perfci(mode: str, folder: Path, plan: LoadPlan, urls: Mapping[Side, str]) -> None:
    def place(name: str) -> Place:
        return Place(
            source=folder, folder=folder / name, environ=os.environ, state=folder / "state", watch=lambda _: None
        )

    if mode == "turns":
        with duet_round(plan, place("turns")) as take_turns:
            take_turns(urls, times=(0.2, 0.5), rng_seed=1)
    elif mode == "census":
        sides = {side: Seen(base_url=url) for side, url in urls.items()}
        extent = Extent(requests=2, limit_s=60.0)
        take(plan, sides=sides, place=place("census"), extent=extent, rng_seed=1, watch=lambda *_: None)
    else:
        shared_round(plan, base_urls=urls, places={side: place(side.value) for side in BOTH}, slice_s=0.5)


@pytest.fixture(scope="module")
def reports_by_mode(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Report]]:
    """What the two files see, run by Locust itself and in each of perfci's ways."""
    folder = tmp_path_factory.mktemp("promises")
    found = {}
    with ThreadPoolExecutor() as pool:  # both files at the same time: each run waits most of its time
        for mode in ("plain", *MODES):
            profiles = (mode, PROFILE), (f"{mode}-shape", SHAPE)
            waiting = [pool.submit(_reports, folder / name, profile, mode) for name, profile in profiles]
            reports, shaped = (each.result() for each in waiting)
            found[mode] = [
                Report({**report.facts, **other.facts}) for report, other in zip(reports, shaped, strict=True)
            ]
    return found


ROWS = {
    "`parsed_options.host`, `environment.host`, `user.host`": ("host", "host of a user"),
    "`parsed_options.num_users`, `spawn_rate`, `headless`, `locustfile`": ("options",),
    "`parsed_options.tags`": ("tags",),
    "arguments of the file's own": ("own arguments",),
    "`environment.runner`, `environment.user_classes`": ("environment", "classes"),
    "`runner.target_user_count` from `test_start` on": ("wanted users",),
    "`runner.user_count`, `user_classes_count`": ("users", "users by class", "aimed at", "user classes"),
    "`spawning_complete`, which users may wait for": ("waited for all",),
    "`init`, `test_start`, `spawning_complete`, `test_stopping`, `test_stop`, `quitting`, `quit`, in this order": (
        "order",
    ),
    "`on_stop` of a user": ("on_stop",),
    "`user.greenlet`, `runner.state`": ("greenlet", "state"),
    "`environment.stats`": ("stats",),
    "`LoadTestShape`: its attributes, its runner, its first users": ("shape", "users of a shape"),
    "registries of libraries (`prometheus_client`)": ("registry",),
    "ports by number": ("port",),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("row", ROWS)
def test_a_file_sees_what_locust_promises(reports_by_mode: dict[str, list[Report]], row: str, mode: str) -> None:
    """Each side sees what plain Locust shows."""
    (plain,) = reports_by_mode["plain"]
    assert len(reports_by_mode[mode]) == 2
    for what in ROWS[row]:
        assert plain.facts[what]
        for report in reports_by_mode[mode]:
            assert report.facts.get(what) == plain.facts[what], what


@pytest.mark.parametrize("mode", ["turns", "census"])
def test_both_sides_draw_the_same_random_data(reports_by_mode: dict[str, list[Report]], mode: str) -> None:
    """At the import of the file, in its tasks, and with a generator of its own."""
    base, candidate = (report.facts for report in reports_by_mode[mode])
    assert base["random"] == candidate["random"]
    assert base["drawn"] == candidate["drawn"]


def test_the_page_has_every_row() -> None:
    """What the documentation promises is what these tests hold."""
    page = (Path(__file__).parents[2] / "docs/promises.md").read_text()
    rows = re.findall(r"^\| (.+?) \|", page, re.MULTILINE)
    promised = [row for row in rows if row not in {"What Locust promises", ":---"}]
    assert promised == [*ROWS, "random data"]
