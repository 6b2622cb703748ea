"""Rounds with the real Locust: everything is counted once, at its time, and what goes wrong is told."""

import os
import re
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from perfci.errors import ExitCode, LoadError
from perfci.metrics import registry
from perfci.model import Side, Verdict
from perfci.rig.load import rounds
from perfci.rig.load.generator import Live, Place
from perfci.rig.load.rounds import load_round, shared_round
from tests.fakes.driven import PROFILE, Driven, drive, plan_of, serving
from tests.faults import fault


def told_by_locust(what: str, seen: str) -> pytest.MarkDecorator:
    """The row of a profile that Locust cannot load."""
    return fault(
        "load",
        what,
        seen=f"the load generator ended with exit code 1; …{seen}",
        then="run the locustfile by hand: locust -f FILE --headless -u 1 -t 5s -H URL",
        exit=ExitCode.NOT_MEASURED,
        verdict=Verdict.INVALID,
    )


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> Driven:
    """One ordinary round, in an environment that would like another load."""
    environ = {
        "LOCUST_USERS": "7",
        "LOCUST_SPAWN_RATE": "0.1",
        "LOCUST_HOST": "http://127.0.0.1:9",
        "LOCUST_RUN_TIME": "1s",
        "LOCUST_EXCLUDE_TAGS": "good",
        "LOCUST_PROCESSES": "2",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rounds, "GUARD_S", 1.0)  # a busy machine may send nothing for a while
        return drive(tmp_path_factory.mktemp("round"), environ=environ, warmup_s=1.0)


def test_every_request_is_recorded_once(driven: Driven) -> None:
    """What the service answered and what was recorded are the same requests, to the last one in flight."""
    table = driven.recording.requests
    recorded = sorted(table.names[number] for number in table.endpoint)
    assert recorded == sorted(f"GET {path}" for _, path in driven.asked)
    assert set(recorded) == {"GET /good", "GET /broken"}
    assert driven.recording.generator.complete


def test_the_window_is_measured_and_the_warmup_is_not(driven: Driven) -> None:
    """The counts of the measured part are those that the service saw in it, but for requests on its borders."""
    recording = driven.recording
    assert recording.end_s - recording.start_s == pytest.approx(1.0)
    measured = registry.measure(recording.requests, windows=[(recording.start_s, recording.end_s)])
    times = [at for at, _ in driven.asked]
    assert min(times) < recording.start_s < recording.end_s < max(times)
    for path in ("/good", "/broken"):
        served = sum(recording.start_s <= at < recording.end_s for at, asked in driven.asked if asked == path)
        assert abs(measured[f"GET {path}"].requests - served) <= 2
        assert served > 0


def test_failures_are_counted_with_their_message(driven: Driven) -> None:
    """Every answer of the broken endpoint, under its name, and no other."""
    broken = sum(path == "/broken" for _, path in driven.asked)
    ((message, count),) = driven.recording.errors.items()
    assert message.startswith("GET /broken: ")
    assert "500" in message
    assert count == broken > 0
    assert sum(driven.recording.requests.failed) == broken
    assert set(driven.recording.requests.status) == {200, 500}


def test_the_environment_of_the_caller_does_not_change_the_load(driven: Driven) -> None:
    """Users, rate, host, time, tags and processes are those of the plan, whatever LOCUST_* say."""
    assert driven.recording.users == 2
    assert driven.recording.generator.users_wanted == driven.recording.generator.users_reached == 2
    assert {path for _, path in driven.asked} == {"/good", "/broken"}


def test_progress_is_told_while_it_runs(driven: Driven) -> None:
    """Growing counts that end near the whole."""
    counts = [live.requests for live in driven.lives]
    assert counts == sorted(counts)
    assert 0 < counts[-1] <= len(driven.asked)
    assert driven.lives[-1].users == 2
    assert driven.lives[-1].failures > 0


def test_tags_choose_tasks(tmp_path: Path) -> None:
    """As the scenario says."""
    driven = drive(tmp_path, tags=("good",), duration_s=0.3, warmup_s=0.0)
    assert {path for _, path in driven.asked} == {"/good"}


def test_a_target_that_dies_is_recorded_to_the_end(tmp_path: Path) -> None:
    """What it did not answer any more are failures with a reason; the record is complete all the same."""
    driven = drive(tmp_path, dies_after=40)
    recording = driven.recording
    assert len(driven.asked) == 40
    assert recording.generator.complete
    assert len(recording.requests) > 40
    lost = [message for message in recording.errors if "500" not in message]
    assert lost
    assert sum(recording.requests.failed[-5:]) == 5


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        pytest.param("def broken(:\n    pass\n", "SyntaxError", marks=told_by_locust("syntax error", "SyntaxError: …")),
        pytest.param(
            "raise RuntimeError('no token for the shop')\n",
            "no token for the shop",
            marks=told_by_locust("raises at import", "RuntimeError: no token for the shop"),
        ),
        pytest.param(
            "import json\n", "No User class found", marks=told_by_locust("no user class", "No User class found!")
        ),
        (None, r"none\.py"),
    ],
    ids=["syntax", "raises", "no-user", "missing"],
)
def test_a_profile_that_cannot_run_is_told_in_locusts_words(tmp_path: Path, profile: str | None, message: str) -> None:
    """At once, with what Locust logged of the cause and the next step; nothing is left running."""
    began = time.monotonic()
    with pytest.raises(LoadError, match=r"the load generator ended with exit code \d+; ") as caught:
        drive(tmp_path, profile=profile or "", locustfile="none.py" if profile is None else "profile.py")
    assert re.search(message, str(caught.value))
    assert "locust -f FILE" in caught.value.hint
    assert caught.value.exit_code is ExitCode.NOT_MEASURED
    assert time.monotonic() - began < 60.0
    assert psutil.Process().children(recursive=True) == []


def test_a_folder_that_was_used_before_gives_the_new_round(tmp_path: Path) -> None:
    """Logs of an earlier round in the same folder are not read as this one's."""
    (tmp_path / "profile.py").write_text(PROFILE)
    place = Place(
        source=tmp_path, folder=tmp_path / "logs", environ=os.environ, state=tmp_path / "state", watch=lambda _: None
    )
    with serving() as server:
        first = load_round(plan_of(duration_s=0.3, warmup_s=0.0), base_url=server.url, place=place)
        server.asked.clear()
        second = load_round(plan_of(duration_s=0.3, warmup_s=0.0), base_url=server.url, place=place)
    assert second.start_s > first.end_s
    assert len(second.requests) == len(server.asked)


def test_the_scenarios_own_variables_arrive(tmp_path: Path) -> None:
    """The caller's LOCUST_ variables are dropped, those that the scenario names are not."""
    profile = "import os\nassert os.environ['LOCUST_SHOP'] == 'x'\n" + PROFILE
    assert drive(tmp_path, profile=profile, environment={"LOCUST_SHOP": "x"}, duration_s=0.2).recording.requests.names


def test_a_file_of_locusts_own_settings_does_not_change_the_load(tmp_path: Path) -> None:
    """A locust.conf in the project is Locust's habit, not part of the plan."""
    profile = "from pathlib import Path\nassert Path('locust.conf').exists()\n" + PROFILE
    driven = drive(tmp_path, profile=profile, files={"locust.conf": "exclude-tags = good\n"}, duration_s=0.5)
    assert {path for _, path in driven.asked} == {"/good", "/broken"}


IMPATIENT = """
import time
from locust import FastHttpUser, HttpUser, between, constant_throughput, task


class Waiting(FastHttpUser):
    wait_time = between(0.01, 0.03)

    @task
    def waits(self):
        self.client.get("/fast")


class Sleeping(HttpUser):
    @task
    def sleeps_within(self):
        self.client.get("/slow")
        time.sleep(0.02)
        self.client.get("/slow")


class Paced(FastHttpUser):
    wait_time = constant_throughput(20)

    @task
    def keeps_its_pace(self):
        self.client.get("/paced")
"""


def test_sides_take_turns_under_load(tmp_path: Path) -> None:
    """In the time of one side nobody asks the other; each request is its own side's; a pause costs a pace nothing."""
    (tmp_path / "profile.py").write_text(IMPATIENT)
    lives: list[Live] = []
    with serving() as base, serving() as candidate:
        services = {Side.CANDIDATE: candidate, Side.BASE: base}
        recordings = shared_round(
            plan_of(users=6, spawn_rate=50.0, duration_s=1.2, warmup_s=0.5, user_classes=()),
            base_urls={side: service.url for side, service in services.items()},
            places={
                side: Place(
                    source=tmp_path,
                    folder=tmp_path / side,
                    environ=os.environ,
                    state=tmp_path / "state",
                    watch=lives.append,
                )
                for side in services
            },
            slice_s=0.3,
        )
    assert recordings[Side.CANDIDATE].start_s < recordings[Side.BASE].start_s  # in the order of the places
    for side, service in services.items():
        (mine, other) = (
            recordings[each_side]
            for each_side in (side, *(other_side for other_side in Side if other_side is not side))
        )
        assert len(mine.requests) == len(service.asked)
        assert mine.measured_s == pytest.approx(1.2)
        assert (mine.slices, mine.generator.complete) == (4, True)
        sent = [at for at in mine.requests.start_s if any(since <= at < until for since, until in other.windows)]
        assert sent == []
        seen = registry.measure(mine.requests, windows=mine.windows)
        assert set(seen) == {"GET /fast", "GET /slow", "GET /paced", "(all endpoints)"}
        assert 20 <= seen["GET /paced"].requests <= 2 * 20 * 1.2 + 4  # two users; a burst after pauses would be more
    assert set(lives[-1].p95_ms) == set(Side)
    assert psutil.Process().children(recursive=True) == []


def test_a_side_that_cannot_start_ends_the_other_at_once(tmp_path: Path) -> None:
    """One Locust that fails is the end of the round; its words are told, and the other one is not left behind."""
    (tmp_path / "profile.py").write_text(
        "import os\nif 'base' in os.environ['PERFCI_RECORD']: raise OSError('no luck')\n" + PROFILE
    )
    place: dict[str, Any] = {
        "source": tmp_path,
        "environ": os.environ,
        "state": tmp_path / "state",
        "watch": lambda _: None,
    }
    places = {side: Place(folder=tmp_path / side, **place) for side in Side}
    with serving() as server, pytest.raises(LoadError, match="no luck"):
        shared_round(plan_of(), base_urls=dict.fromkeys(Side, server.url), places=places, slice_s=0.5)
    assert psutil.Process().children(recursive=True) == []
