"""A census of two real services, by the driver as a child: whose work is whose, and what goes wrong on the way."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from perfci.errors import CensusError, LoadError
from perfci.model import ENOUGH, Census, CounterSource, Side, Tally
from perfci.rig.census.source import Snapshot, Work
from perfci.rig.census.take import Extent, Seen, Taken, take
from perfci.rig.load.generator import Place
from tests.builders import a_plan
from tests.fakes.toy import Toy
from tests.fakes.toy_service import serving

REQUESTS = 5

PROFILE = """
import itertools
import random
from locust import FastHttpUser, between, task
from locust.exception import RescheduleTask

numbers = itertools.count(1)


class Visitor(FastHttpUser):
    wait_time = between(10, 20)

    def on_start(self):
        self.client.post("/refused", json={})
        self.client.get(f"/start?user={next(numbers)}", name="/start")

    @task(50)
    def often(self):
        with self.client.get(f"/often?q={random.random()}", name="/often", catch_response=True):
            raise RescheduleTask  # Locust itself never tells of this request

    @task
    def pair(self):
        for part in ("one", "two"):
            self.client.get(f"/pair-{part}", name=f"/pair-{part}")

    @task
    def says_nothing(self):
        pass

    @task
    def raises(self):
        self.client.get("/before")
        raise LookupError("no ticket in the answer")


class CannotSignIn(FastHttpUser):
    def on_start(self):
        raise PermissionError("no account")

    @task
    def never(self):
        self.client.get("/never")
"""
AT_ONCE = """
import gevent
from locust import FastHttpUser, task


class Hurried(FastHttpUser):
    @task
    def alone(self):
        self.client.get("/alone")

    @task
    def both(self):
        gevent.joinall([gevent.spawn(self.client.get, "/left"), gevent.spawn(self.client.get, "/right")])
"""


class Books:
    """What the toy was asked for, as a source: each path is a statement, one more on each path as *extra* says."""

    kind = "books"
    loud = False
    note = ""

    def __init__(self, toy: Toy, extra: Mapping[str, int], name: str = "db", last: int = 1_000_000) -> None:
        self.name = name
        self._toy, self._extra, self._last = toy, extra, last

    def ask(self) -> None:
        """Nothing."""

    def read(self) -> Snapshot:
        """All of it so far."""
        if len(self._toy.asked) > self._last:
            raise CensusError("it does not answer any more")
        paths = Counter(path.partition("?")[0] for path in list(self._toy.asked))
        calls = {path: count * (1 + self._extra.get(path, 0)) for path, count in paths.items()}
        statements = {path: Work(calls=count) for path, count in calls.items()}
        return Snapshot(counters={"statements": float(sum(calls.values()))}, statements=statements)

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A census of both sides, and what each service was asked for."""

    taken: Taken
    asked: Mapping[Side, list[str]]
    progress: list[tuple[int, int]]

    def of(self, side: Side) -> Census:
        """One side's."""
        return self.taken.census[side]


@contextmanager
def counting(
    folder: Path, profile: str, *, limit_s: float = 120.0, last: int = 1_000_000, user_classes: tuple[str, ...] = ()
) -> Iterator[Counted]:
    """Both sides counted; the candidate sends one further statement for each part of a pair."""
    (folder / "project").mkdir()
    (folder / "project" / "profile.py").write_text(profile)
    progress: list[tuple[int, int]] = []
    with serving() as base, serving() as candidate:
        sources = {
            Side.BASE: [Books(base, {})],
            Side.CANDIDATE: [Books(candidate, {"/pair-two": 1}), Books(candidate, {}, "cache", last)],
        }
        seen = {
            side: Seen(
                base_url=toy.url,
                sources=sources[side],
                reports=[CounterSource(name=source.name, kind=source.kind, found=True) for source in sources[side]],
            )
            for side, toy in ((Side.BASE, base), (Side.CANDIDATE, candidate))
        }
        place = Place(
            source=folder / "project",
            folder=folder / "logs",
            environ=os.environ,
            state=folder / "state",
            watch=lambda _: None,
        )
        taken = take(
            a_plan(locustfile="profile.py", user_classes=user_classes),
            sides=seen,
            place=place,
            extent=Extent(requests=REQUESTS, limit_s=limit_s),
            rng_seed=7,
            watch=lambda done, known: progress.append((done, known)),
        )
        assert list((folder / "state").iterdir()) == []
        yield Counted(taken=taken, asked={Side.BASE: base.asked, Side.CANDIDATE: candidate.asked}, progress=progress)


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counted]:
    """Two services, one of which does more."""
    with counting(tmp_path_factory.mktemp("census"), PROFILE, last=20) as counted:
        yield counted


def test_both_sides_are_asked_the_same_until_each_endpoint_was_seen_often_enough(counted: Counted) -> None:
    """The same paths with the same random parameters; think times of ten seconds are left out, and weights too."""
    base, candidate = counted.asked[Side.BASE], counted.asked[Side.CANDIDATE]
    assert base == candidate
    seen = {name: counts.requests for name, counts in counted.of(Side.BASE).endpoints.items()}
    assert seen.pop("POST /refused") == 0
    assert set(seen) == {"GET /start", "GET /often", "GET /pair-one", "GET /pair-two", "GET /before"}
    assert set(seen.values()) == {REQUESTS}
    assert counted.progress[-1] == (6, 6)


def test_work_is_that_of_the_single_request_even_within_a_task(counted: Counted) -> None:
    """Two requests of one task are told apart, and the one that does more on the candidate is found, with its text."""
    base, candidate = (counted.of(side).endpoints for side in (Side.BASE, Side.CANDIDATE))
    once, twice = Tally(requests=REQUESTS, mean=1.0), Tally(requests=REQUESTS, mean=2.0)
    for endpoint in ("GET /start", "GET /often", "GET /pair-one", "GET /before"):
        assert base[endpoint].counters["db/statements"] == candidate[endpoint].counters["db/statements"] == once
    assert base["GET /pair-two"].counters["db/statements"] == once
    assert candidate["GET /pair-two"].counters["db/statements"] == twice
    sent = [statement for statement in candidate["GET /pair-two"].statements if statement.source == "db"]
    assert [(statement.text, statement.calls) for statement in sent] == [("/pair-two", twice)]
    assert base["GET /often"].counters["response/bytes"] == Tally(requests=REQUESTS, mean=16.0)


def test_starts_of_users_count_and_first_visits_are_kept_apart(counted: Counted) -> None:
    """What only a start asks for is reached by starting further users."""
    starts = [path for path in counted.asked[Side.BASE] if path.startswith("/start")]
    assert starts == [f"/start?user={number}" for number in range(1, REQUESTS + 2)]
    cold = counted.of(Side.BASE).cold
    assert set(cold) == set(counted.of(Side.BASE).endpoints)
    assert all(counts.counters.get("response/bytes") is None or counts.requests == 1 for counts in cold.values())


def test_failed_requests_are_failures_and_no_work(counted: Counted) -> None:
    """The toy refuses what it is sent."""
    refused = counted.of(Side.CANDIDATE).endpoints["POST /refused"]
    assert refused.counters == {"response/failures": Tally(requests=REQUESTS, mean=1.0)}
    assert refused.statements == ()


def test_what_was_never_reached_is_listed(counted: Counted) -> None:
    """A task that sends nothing, and a class whose users cannot start."""
    assert counted.of(Side.CANDIDATE).unreached == ("Visitor.says_nothing", "CannotSignIn")


def test_what_went_wrong_is_told_and_the_rest_stands(counted: Counted) -> None:
    """A source that died, and exceptions outside of requests."""
    incidents = counted.taken.incidents
    assert "census: candidate: the counters of cache were lost: it does not answer any more" in incidents
    assert any("exception in raises: LookupError: no ticket in the answer" in text for text in incidents)
    assert any("CannotSignIn.on_start: PermissionError: no account" in text for text in incidents)
    found = {source.name: (source.found, source.note) for source in counted.of(Side.CANDIDATE).sources}
    assert found["cache"] == (False, "it does not answer any more")
    assert found["db"] == (True, "")
    assert found["response"] == (True, "")


def test_requests_at_once_are_not_counted_and_that_is_said(tmp_path: Path) -> None:
    """Nobody can tell whose work it was; what comes alone is counted."""
    with counting(tmp_path, AT_ONCE) as counted:
        census = counted.of(Side.BASE)
        assert census.endpoints["GET /alone"].requests == REQUESTS
        assert {"GET /left", "GET /right"} & set(census.unreached)
        assert any("in flight beside another one" in text for text in counted.taken.incidents)


def test_the_time_limit_ends_it_and_what_was_counted_stands(tmp_path: Path) -> None:
    """Nothing was seen often enough, and nothing is reported as if it had been."""
    slow = PROFILE.replace("random.random()", "__import__('select').select([], [], [], 0.4)")
    with counting(tmp_path, slow, limit_s=1.5, user_classes=("Visitor",)) as counted:
        census = counted.of(Side.BASE)
        assert "GET /often" in census.unreached
        assert all(counts.requests < ENOUGH for name, counts in census.endpoints.items() if name in census.unreached)


def test_a_profile_that_cannot_be_loaded_is_told_in_its_own_words(tmp_path: Path) -> None:
    """With the end of the traceback."""
    with (
        pytest.raises(LoadError, match="no token for the shop"),
        counting(tmp_path, "raise RuntimeError('no token for the shop')\n"),
    ):
        pass
