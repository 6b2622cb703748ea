"""The driver of turns with two real services: both sides are asked the same, in turn, and what fails is told apart."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from perfci.errors import LoadError
from perfci.model import LoadPlan, Side
from perfci.rig.load.generator import INSIDE, Live, Place
from perfci.rig.load.recording import Recording
from perfci.rig.load.rounds import duet_round
from tests.builders import a_plan
from tests.fakes.tagged import SHAPED, TAGGED
from tests.fakes.toy_service import serving

pytestmark = pytest.mark.kind("D")

ENOUGH = 12  # pairs of each endpoint, whatever is known of it
BOTH = (Side.BASE, Side.CANDIDATE)

SAME = """
import itertools
import random
from locust import FastHttpUser, TaskSet, between, task

numbers = itertools.count(1)


class Visitor(FastHttpUser):
    wait_time = between(10, 20)

    def on_start(self):
        self.number = next(numbers)
        self.client.get(f"/start?user={self.number}", name="/start")

    @task(5)
    def often(self):
        self.client.get(f"/often?q={random.random()}", name="/often")

    @task
    def seldom(self):
        self.client.get(f"/seldom?user={self.number}&q={random.choice('abcdef')}", name="/seldom")

    @task
    class Nested(TaskSet):
        def on_start(self):
            self.chosen = random.randint(1, 10**9)

        @task
        def inner(self):
            self.client.get(f"/inner?q={self.chosen}", name="/inner")

        @task
        def leave(self):
            self.client.get("/leave")
            self.interrupt()


class Second(FastHttpUser):
    def on_start(self):
        self.number = next(numbers)

    @task
    def pair(self):
        for part in range(2):
            self.client.get(f"/pair?user={self.number}&part={part}", name="/pair")
"""

ONE_SIDE_FAILS = """
from locust import FastHttpUser, task


class Visitor(FastHttpUser):
    @task
    def answers(self):
        self.client.get("/answers")

    @task
    def reads_the_answer(self):
        if self.client.get("/reads").status_code != 200:
            raise LookupError("no ticket in the answer")


class SignsIn(FastHttpUser):
    def on_start(self):
        if self.client.get("/login").status_code != 200:
            raise PermissionError("cannot sign in")

    @task
    def never_reached(self):
        self.client.get("/behind-the-login")
"""


BUYERS = """
import itertools

from locust import FastHttpUser, events, task

numbers = itertools.count(1)


@events.test_start.add_listener
def _(environment, **_):
    Buyer.words = environment.parsed_options.greeting


class Buyer(FastHttpUser):
    def on_start(self):
        self.number = next(numbers)

    @task
    def buys(self):
        self.client.get(f"/buys/{self.words}/{self.number}")
"""

ANY = """
import time

import websocket
from shop.buyers import Buyer
from locust import HttpUser, SequentialTaskSet, TaskSet, User, between, events, tag, task
from locust.user.markov_taskset import MarkovTaskSet, transition


@events.init_command_line_parser.add_listener
def _(parser):
    parser.add_argument("--greeting", default="hello")


class Checkout(SequentialTaskSet):
    def on_start(self):
        self.basket = self.client.get("/basket").status_code

    @task
    def fill(self):
        self.steps = ["fill"]
        self.client.get("/fill")

    @task
    class Pay(TaskSet):
        @task
        def card(self):
            self.client.get("/card")

    @task
    def leave(self):
        assert self.basket == 200 and self.steps == ["fill"]
        self.client.get("/leave")
        self.interrupt()


class Chain(MarkovTaskSet):
    @transition("second")
    def first(self):
        self.client.get("/first")

    @transition("first")
    def second(self):
        self.client.get("/second")


class Browser(HttpUser):
    wait_time = between(10, 20)
    host = "http://192.0.2.1"
    tasks = [Checkout, Chain]

    @task
    def parses(self):
        with self.client.get("/parses", catch_response=True) as response:
            response.json()["no such field"]

    @task
    def forgets(self):
        self.client.get("/forgets", catch_response=True)
        self.wait()
        runner = self.environment.runner
        self.client.get(f"/say/{self.environment.parsed_options.greeting}/{runner.user_count}")

    @tag("slow")
    @task
    def elsewhere(self):
        self.client.get("http://127.0.0.1:9/elsewhere")


class Talker(User):
    def on_start(self):
        self.socket = websocket.create_connection(self.host.replace("http", "ws") + "/talk")

    @task
    def says(self):
        began = time.perf_counter()
        self.socket.send("hello")
        heard = self.socket.recv()
        self.environment.events.request.fire(
            request_type="WS",
            name="says",
            response_time=(time.perf_counter() - began) * 1000,
            response_length=len(heard),
            exception=None if heard == "hello" else ValueError(heard),
        )


@events.test_stop.add_listener
def closes(environment, **_):
    Talker.closed = True
"""


@dataclass(kw_only=True)
class Taken:
    """A duet, and the paths that each service was asked for, in order."""

    recordings: dict[Side, Recording]
    asked: dict[Side, list[str]]
    lives: list[Live] = field(default_factory=list)

    def endpoints(self, side: Side) -> Counter[str]:
        """Recorded requests by endpoint."""
        table = self.recordings[side].requests
        return Counter(table.names[number] for number in table.endpoint)


def _take_turns(
    folder: Path, profile: str, *faults: str, times: tuple[float, float] = (0.4, 1.2), **changes: Any
) -> Taken:
    source = folder / "project"
    for name, content in {"profile.py": profile, **changes.pop("files", {})}.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(content)
    lives: list[Live] = []
    settled = changes.pop("settled", ())
    with serving() as base, serving(*faults) as candidate:
        place = Place(
            source=source, folder=folder / "logs", environ=os.environ, state=folder / "state", watch=lives.append
        )
        with duet_round(_plan(**changes), place) as take:
            urls = {Side.BASE: base.url, Side.CANDIDATE: candidate.url}
            recordings = take(urls, times=times, rng_seed=7, settled=settled)
        return Taken(recordings=recordings, asked={Side.BASE: base.asked, Side.CANDIDATE: candidate.asked}, lives=lives)


def _plan(**changes: Any) -> LoadPlan:
    return a_plan(**{"locustfile": "profile.py", "user_classes": (), **changes})


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    """Turns on two services that are the same."""
    return _take_turns(tmp_path_factory.mktemp("same"), SAME)


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    """Turns on a base that answers and a candidate whose every answer is 500."""
    return _take_turns(tmp_path_factory.mktemp("failing"), ONE_SIDE_FAILS, "--status", "500", times=(0.2, 2.0))


def test_both_sides_are_asked_the_same(taken: Taken) -> None:
    """The same paths with the same random parameters, from the first request to the last."""
    base, candidate = (taken.asked[side] for side in BOTH)
    assert base == candidate
    assert len({path for path in base if path.startswith("/often")}) > 10


SLOWLY = """
from threading import Event

from locust import events


@events.request.add_listener
def waits(**_):
    Event().wait(0.004)
"""


def test_which_task_comes_next_does_not_depend_on_the_clock(taken: Taken, tmp_path: Path) -> None:
    """Slower turns are the same ones, from the same random states, for as long as both go on."""
    slower, usual = _take_turns(tmp_path, SLOWLY + SAME).asked[Side.BASE], taken.asked[Side.BASE]
    shared = min(len(slower), len(usual))
    assert shared > 60
    assert slower[:shared] == usual[:shared]


def test_every_request_is_recorded_on_its_side(taken: Taken) -> None:
    """As many as the service answered, none failed, and both records are closed."""
    for side in BOTH:
        recording = taken.recordings[side]
        assert len(recording.requests) == len(taken.asked[side]) > 20
        assert sum(recording.requests.failed) == 0
        assert recording.errors == {}
        assert recording.generator.complete
    assert taken.endpoints(Side.BASE) == taken.endpoints(Side.CANDIDATE)


def test_sides_take_turns_in_pairs(taken: Taken) -> None:
    """A B B A or B A A B: each two requests in a row are one of each side, and both sides lead as often."""
    starts = sorted(
        (at, side)
        for side in BOTH
        for at, name in zip(
            taken.recordings[side].requests.start_s, taken.recordings[side].requests.endpoint, strict=True
        )
        if taken.recordings[side].requests.names[name] == "GET /often"
    )
    order = [side for _, side in starts]
    pairs = [tuple(order[at : at + 2]) for at in range(0, len(order), 2)]
    assert all(set(pair) == set(BOTH) for pair in pairs)
    firsts = [first for first, _ in pairs]
    assert all(set(firsts[at : at + 2]) == set(BOTH) for at in range(0, len(firsts) - 1, 2))
    leaders = Counter(firsts[::2])
    assert abs(leaders[Side.BASE] - leaders[Side.CANDIDATE]) <= 2


def test_endpoints_share_evenly(taken: Taken) -> None:
    """A task that is listed five times gets no more than the others: every endpoint must be seen often enough."""
    seen = taken.endpoints(Side.BASE)
    shared = {name: count for name, count in seen.items() if name != "GET /start"}
    assert set(shared) == {"GET /often", "GET /seldom", "GET /inner", "GET /leave", "GET /pair"}
    # A visit is two executions a side; the task of two requests makes four.
    assert max(shared.values()) - min(shared.values()) <= 4


def test_settled_endpoints_get_fewer_turns(tmp_path: Path) -> None:
    """A third of what the others get, on both sides alike; what nobody asks for changes nothing."""
    taken = _take_turns(tmp_path, SAME, settled=("GET /often", "GET /seldom", "GET /gone"), times=(0.4, 2.0))
    assert taken.asked[Side.BASE] == taken.asked[Side.CANDIDATE]
    seen = taken.endpoints(Side.BASE)
    fewer, more = [seen["GET /often"], seen["GET /seldom"]], [seen["GET /inner"], seen["GET /leave"]]
    assert min(fewer) >= ENOUGH
    assert 2 * max(fewer) < min(more) < 4 * min(fewer)


def test_nested_tasks_are_reached(taken: Taken) -> None:
    """Task sets are opened and their own start happens, on both sides with the same random state."""
    inner = {path for path in taken.asked[Side.BASE] if path.startswith("/inner")}
    assert len(inner) == 1
    assert "q=" in inner.pop()
    assert taken.endpoints(Side.BASE)["GET /leave"] > 4


def test_counters_of_the_module_give_both_sides_the_same_user(taken: Taken) -> None:
    """Each side has its own copy of the file: the first user is number 1 on both, and stays it."""
    for side in BOTH:
        assert [path for path in taken.asked[side] if path.startswith("/start")] == ["/start?user=1"]
        assert all("user=1" in path for path in taken.asked[side] if path.startswith("/seldom"))
        assert all("user=2" in path for path in taken.asked[side] if path.startswith("/pair"))


SLOW_TASKS = """
import time
from locust import FastHttpUser, tag, task


class Visitor(FastHttpUser):
    @tag("keep-sleeps")
    @task
    def one(self):
        time.sleep({seconds})
        self.client.get("/one")

    @tag("keep-sleeps")
    @task
    def other(self):
        time.sleep({seconds})
        self.client.get("/other")
"""


def test_turns_go_on_until_every_endpoint_was_asked_often_enough(tmp_path: Path) -> None:
    """Where the time that was asked for would leave too few to be compared at all."""
    taken = _take_turns(tmp_path, SLOW_TASKS.format(seconds=0.1), times=(0.1, 4.6))
    recording = taken.recordings[Side.CANDIDATE]
    inside = [at for at in recording.requests.start_s if recording.start_s <= at < recording.end_s]
    assert len(inside) == 24  # twelve each, in visits of two
    assert 4.8 < recording.end_s - recording.start_s < 9.6


def test_turns_do_not_go_on_for_ever(tmp_path: Path) -> None:
    """Twice the time at most, and what a visit began."""
    taken = _take_turns(tmp_path, SLOW_TASKS.format(seconds=0.15), times=(0.1, 0.5))
    recording = taken.recordings[Side.CANDIDATE]
    assert 1.0 <= recording.end_s - recording.start_s < 5.0  # twelve turns of each would take 7.2 s


@pytest.mark.kind("G")
def test_think_times_are_left_out(taken: Taken) -> None:
    """With ten seconds between tasks there would be one request; and the window is as long as asked for."""
    recording = taken.recordings[Side.BASE]
    assert 1.2 <= recording.end_s - recording.start_s < 8.0
    assert min(recording.requests.start_s) < recording.start_s


def test_a_driver_that_may_not_begin_is_gone_with_its_context(tmp_path: Path) -> None:
    """A side that does not start leaves nothing behind: neither a process nor a note of one."""
    state = tmp_path / "state"
    place = Place(source=tmp_path, folder=tmp_path / "logs", environ=os.environ, state=state, watch=lambda _: None)
    with duet_round(_plan(), place):
        waiting = [
            process for process in psutil.Process().children() if "perfci_turns.py" in " ".join(process.cmdline())
        ]
        assert len(waiting) == 1
        assert len(list(state.iterdir())) == 1
    assert not waiting[0].is_running()
    assert list(state.iterdir()) == []


def test_a_driver_whose_perfci_was_killed_does_not_wait_on(tmp_path: Path) -> None:
    """The pipe ends, there is nothing to do, and it says so."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as held, os.fdopen(writing) as perfci:
        command = [sys.executable, str(INSIDE / "perfci_turns.py"), str(tmp_path / "spec.json"), str(reading)]
        with subprocess.Popen(command, pass_fds=[reading], stderr=subprocess.PIPE, text=True) as driver:
            held.close()
            perfci.close()
            _, err = driver.communicate(timeout=60)
    assert driver.returncode == 1
    assert "spec.json" in err


def test_progress_is_told_while_it_runs(taken: Taken) -> None:
    """One user, and counts that grow."""
    counts = [live.requests for live in taken.lives]
    assert counts == sorted(counts)
    assert counts[-1] > 0
    assert taken.lives[-1].planned_s == pytest.approx(1.6)


def test_a_task_that_raises_on_one_side_is_noted_there(failing: Taken) -> None:
    """With the task and its words; the other side has no exception, and both go on."""
    base, candidate = (failing.recordings[side] for side in BOTH)
    reads = failing.endpoints(Side.CANDIDATE)["GET /reads"]
    assert base.generator.exceptions == 0
    assert base.errors == {}
    assert candidate.errors["exception in reads_the_answer: LookupError: no ticket in the answer"] == reads > 4
    assert failing.asked[Side.BASE] == failing.asked[Side.CANDIDATE]
    assert base.notes == candidate.notes
    assert len(base.unpaired) == len(candidate.unpaired) > 4
    assert candidate.notes == (
        "failed on one side only, and left out of the times of the turns: Visitor.answers, Visitor.reads_the_answer",
    )


def test_failures_are_counted_on_their_side(failing: Taken) -> None:
    """Every answer of the candidate failed, by endpoint and message."""
    candidate = failing.recordings[Side.CANDIDATE]
    assert sum(candidate.requests.failed) == len(candidate.requests) > 0
    assert sum(failing.recordings[Side.BASE].requests.failed) == 0
    messages = [message for message in candidate.errors if message.startswith("GET /answers: ")]
    assert len(messages) == 1
    assert "500" in messages[0]
    assert candidate.errors[messages[0]] == failing.endpoints(Side.CANDIDATE)["GET /answers"]


def test_a_class_that_cannot_start_on_one_side_is_left_out_on_both(failing: Taken) -> None:
    """Else one side would do work that the other does not; who failed, and why, is noted."""
    for side in BOTH:
        assert "/behind-the-login" not in failing.asked[side]
        assert failing.asked[side].count("/login") == 1
    candidate = failing.recordings[Side.CANDIDATE]
    assert candidate.errors["exception in SignsIn.on_start: PermissionError: cannot sign in"] == 1
    exceptions = [text for text in candidate.errors if text.startswith("exception in ")]
    assert candidate.generator.exceptions == sum(candidate.errors[text] for text in exceptions)


def test_a_start_that_hangs_on_one_side_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """Its class is left out on both, as one that cannot start."""
    hurried = "import perfci_runner\nperfci_runner.LONGEST_TASK_S = 2.5\n"
    profile = hurried + ONE_SIDE_FAILS.replace("FastHttpUser", "HttpUser").replace('get("/login")', 'get("/hangs")')
    taken = _take_turns(tmp_path, profile, "--hang", "30", "--only", "/hangs", times=(0.1, 0.3))
    candidate = taken.recordings[Side.CANDIDATE]
    assert candidate.errors == {"exception in SignsIn.on_start: Timeout: 2.5 seconds": 1}
    assert taken.endpoints(Side.BASE)["GET /answers"] == taken.endpoints(Side.CANDIDATE)["GET /answers"] > 0


def test_whatever_the_file_is_made_of(tmp_path: Path) -> None:
    """Imported users, sequences, chains, WebSockets, lost requests, waits, own arguments, hosts in the file."""
    taken = _take_turns(tmp_path, ANY, times=(0.3, 4.0), files={"shop/__init__.py": "", "shop/buyers.py": BUYERS})
    base, candidate = (taken.recordings[side] for side in BOTH)
    seen = taken.endpoints(Side.BASE)
    assert taken.endpoints(Side.CANDIDATE) == seen
    assert taken.asked[Side.BASE] == taken.asked[Side.CANDIDATE]
    assert min(seen[f"GET /{step}"] for step in ("basket", "fill", "card", "leave", "first", "second")) > 2
    assert max(seen.values()) - min(seen.values()) <= 8
    # A step comes when the one before has been, and an interrupted sequence is entered anew.
    path = [path_ for path_ in taken.asked[Side.BASE] if path_ in {"/basket", "/fill", "/card", "/leave"}]
    assert path == ["/basket", "/fill", "/card", "/leave"] * (len(path) // 4)
    walked = [path_ for path_ in taken.asked[Side.BASE] if path_ in {"/first", "/second"}]
    assert walked == ["/first", "/second"] * (len(walked) // 2)
    assert seen["GET /buys/hello/1"] > 2  # each side has modules of its own, too
    assert seen["WS says"] > 2
    assert seen["GET /say/hello/10"] > 2
    for recording in (base, candidate):
        assert recording.errors.keys() == {
            "GET /parses: KeyError: 'no such field'",
            "exception in parses: KeyError: 'no such field'",
            *(text for text in recording.errors if text.startswith("GET /elsewhere: ")),
        }
        unjudged, elsewhere, left_out = recording.notes
        assert left_out.startswith("sleeps of forgets were left out of the turns")
        assert unjudged.startswith(f"{seen['GET /say/hello/10']} requests with catch_response=True never came")
        assert elsewhere.startswith("another host than the target answers at GET /elsewhere (127.0.0.1:9): ")


@pytest.mark.parametrize(
    ("profile", "choice", "asked"),
    [
        (SAME, {"user_classes": ("Second",)}, "/pair"),
        (TAGGED, {"tags": ("rush",)}, "/view"),
        (SHAPED, {"tags": ("rush",)}, "/view"),
    ],
    ids=["classes", "tags", "tags and a shape that names both classes"],
)
def test_classes_and_tags_are_chosen(tmp_path: Path, profile: str, choice: dict[str, Any], asked: str) -> None:
    """As the scenario says; no user of a class starts of which the tags leave no task."""
    taken = _take_turns(tmp_path, profile, times=(0.0, 0.2), **choice)
    for side in BOTH:
        assert {path.partition("?")[0] for path in taken.asked[side]} == {asked}
        assert not taken.recordings[side].notes


def test_a_profile_that_cannot_be_loaded_is_told_in_its_own_words(tmp_path: Path) -> None:
    """With the end of the traceback."""
    with pytest.raises(LoadError, match="no token for the shop"):
        _take_turns(tmp_path, "raise RuntimeError('no token for the shop')\n", times=(0.0, 0.2))


@pytest.mark.parametrize(
    ("profile", "classes", "message"),
    [("import json\n", (), "No User class found!"), (SAME, ("Nobody",), r"Unknown User\(s\): Nobody")],
)
def test_turns_of_nobody_are_told(tmp_path: Path, profile: str, classes: tuple[str, ...], message: str) -> None:
    """No user class, or none of that name, is an error that says so, in Locust's words."""
    with pytest.raises(LoadError, match=message):
        _take_turns(tmp_path, profile, times=(0.0, 0.2), user_classes=classes)
