"""Stages of a scenario with the real Locust: users come and go as they say, and the timeline knows it."""

from pathlib import Path
from typing import Any

import pytest

from perfci.errors import LoadError
from perfci.metrics import timeline
from perfci.model import Stage
from tests.fakes.driven import PROFILE, drive

STAGES = (
    Stage(name="before", users=2, ramp_s=0.0, hold_s=2.0),
    Stage(name="spike", users=10, ramp_s=2.0, hold_s=2.0),
    Stage(name="recovery", users=2, ramp_s=0.0, hold_s=3.0),
)
STAGED: dict[str, Any] = {"stages": STAGES, "users": 10, "duration_s": 9.0, "warmup_s": 0.5}


def test_users_come_and_go_by_the_stages(tmp_path: Path) -> None:
    """They hold, climb, hold and drop; a second's users are those that were there, and so are its requests."""
    recording = drive(tmp_path, **STAGED).recording
    seconds = timeline.seconds(recording.requests, windows=recording.windows, users=recording.users_at)
    users = [second.users for second in seconds]
    assert len(users) == 9
    assert users[0] == users[-1] == 2
    assert max(users) == recording.generator.users_wanted == recording.generator.users_reached == 10
    assert users[:6] == sorted(users[:6])
    assert recording.generator.complete
    asked = [second.requests for second in seconds]
    assert max(asked[4:6]) > 2 * max(asked[0], asked[-1])


def test_a_shape_of_the_locust_file_is_not_passed_over(tmp_path: Path) -> None:
    """Two would decide about the users: that is refused, and both are named."""
    shape = PROFILE + (
        "\nfrom locust import LoadTestShape\n"
        "class Doubling(LoadTestShape):\n    def tick(self):\n        return (1, 1)\n"
    )
    with pytest.raises(LoadError, match="the scenario has stages, and the Locust file the shape Doubling"):
        drive(tmp_path, profile=shape, **STAGED)
