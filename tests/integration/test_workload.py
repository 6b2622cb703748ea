"""Closed and open workloads with the real Locust: what was due, what came, and who acts at the same time."""

import os
from pathlib import Path
from typing import Any

import pytest

from perfci.judge.validity.pacing import IN_STEP
from perfci.metrics import registry
from perfci.model import ALL_ENDPOINTS, Arrivals, EndpointRound, Side
from perfci.rig.load.generator import Place
from perfci.rig.load.recording import Recording
from perfci.rig.load.rounds import shared_round
from tests.fakes.driven import drive, plan_of, serving

PROFILE = """
from locust import FastHttpUser, between, constant, constant_pacing, constant_throughput, task


class Visitor(FastHttpUser):
    wait_time = {wait}
    asked = 0

    @task
    def look(self):
        self.asked += 1
        self.client.get("{path}" if self.asked % {each} == 0 else "/good", name="/look")
"""


def a_profile(wait: str, *, path: str = "/good", each: int = 1) -> str:
    return PROFILE.format(wait=wait, path=path, each=each)


def whole_service(recording: Recording) -> EndpointRound:
    return registry.measure(recording.requests, windows=recording.windows)[ALL_ENDPOINTS]


def test_starts_that_a_slow_answer_cost_are_counted(tmp_path: Path) -> None:
    """Ten tasks a second, each tenth of which takes 0.65 s: its user leaves six out, which only response times tell."""
    profile = a_profile("constant_throughput(10)", path="/late/0.65", each=10)
    recording = drive(tmp_path, profile=profile, duration_s=3.0, warmup_s=0.1, spawn_rate=50.0).recording
    kept, round_ = recording.generator.schedule, whole_service(recording)
    assert kept is not None
    slow = round_.requests / 10
    # At each border of the round the last start of a user and its request may fall on different sides.
    assert kept.due - kept.missed == pytest.approx(round_.requests, abs=2 * 2)
    # The start after a slow answer is 0.55 s late at least; a machine that stalls costs further starts, and is as late.
    assert 5.5 * (slow - 2 * 2) <= kept.missed <= kept.late_s / 0.1
    assert kept.late >= slow - 2 * 2
    assert round_.values["p50"] < 400 < round_.values["response_p95"]  # the median latency alone would not tell


def test_users_in_step_are_seen_and_independent_ones_are_not(tmp_path: Path) -> None:
    """Eight users that start at once: with a pace they come together for ever, with random waits they do not."""
    at_once: dict[str, Any] = {"users": 8, "spawn_rate": 8.0, "warmup_s": 0.1}
    for name in ("paced", "free"):
        (tmp_path / name).mkdir()
    # Three times as many starts as have to be seen, so that enough are left where the machine stalls.
    paced = drive(tmp_path / "paced", profile=a_profile("constant_pacing(0.2)"), duration_s=3.0, **at_once).recording
    assert paced.generator.in_step is not None
    assert paced.generator.in_step.wait_s == 0.2
    assert paced.generator.in_step.dispersion > IN_STEP
    kept = paced.generator.schedule
    assert kept is not None
    assert kept.missed * 0.2 <= kept.late_s  # nothing but what a stall of the machine cost
    free = drive(tmp_path / "free", profile=a_profile("between(0.1, 0.3)"), duration_s=0.3, **at_once).recording
    assert (free.generator.in_step, free.generator.schedule, free.requests.lateness) == (None, None, None)
    assert "response_p50" not in whole_service(free).values


def test_arrivals_are_the_same_on_both_sides_whatever_users_mean_to_wait(tmp_path: Path) -> None:
    """In slices, where each side is paused half of the time: nothing piles up, and each side is asked for as much."""
    (tmp_path / "profile.py").write_text(a_profile("between(5, 9)"))
    arrivals = Arrivals(rate=40.0, pattern="poisson", rng_seed=3)
    # Users enough that some are free after a stall of the machine, too: no start is missed for want of one.
    plan = plan_of(users=30, spawn_rate=50.0, duration_s=1.5, warmup_s=0.1, arrivals=arrivals)
    with serving() as base, serving() as candidate:
        recordings = shared_round(
            plan,
            base_urls={Side.BASE: base.url, Side.CANDIDATE: candidate.url},
            places={
                side: Place(
                    source=tmp_path,
                    folder=tmp_path / side.value,
                    environ=os.environ,
                    state=tmp_path / "state",
                    watch=lambda _: None,
                )
                for side in Side
            },
            slice_s=0.5,
        )
    kept = [recording.generator.schedule for recording in recordings.values()]
    due = {schedule.due for schedule in kept if schedule is not None and schedule.missed == 0}
    assert len(due) == 1
    assert due.pop() == pytest.approx(60, abs=25)
    for recording in recordings.values():
        assert whole_service(recording).requests == pytest.approx(60, abs=27)
        assert recording.generator.exceptions == 0


def test_arrivals_that_find_no_user_wait_and_are_counted(tmp_path: Path) -> None:
    """Four users in two processes, each busy for 0.2 s, can take 20 a second; they are asked for 40, evenly spaced."""
    arrivals = Arrivals(rate=40.0, pattern="constant", rng_seed=1)
    profile = a_profile("constant(0)", path="/late/0.2")
    recording = drive(
        tmp_path, profile=profile, users=4, spawn_rate=4.0, processes=2, duration_s=1.0, arrivals=arrivals
    ).recording
    kept, round_ = recording.generator.schedule, whole_service(recording)
    assert kept is not None
    assert kept.due == pytest.approx(40, abs=2)
    assert 4 <= round_.requests <= 25
    assert kept.missed > 12  # what waited already when the round began was taken first
    assert round_.values["response_p50"] > 2 * round_.values["p50"] > 400
    assert recording.generator.complete
