"""
The stages of a scenario as a load shape of Locust: users come and go as PERFCI_STAGES says, in load rounds only.

PERFCI_STAGES is JSON: `warmup_s`, for which the users of the beginning are there before the first stage begins, and
`stages`, each with `users`, `ramp_s` and `hold_s`. Time is counted from when the users of the beginning have started,
as the recorder counts it.
"""

import json
import os
import time
from typing import Any

from locust import LoadTestShape, events

FIRST_RATE = 500.0
"""Users a second at the beginning, where nothing is measured yet: so many start without standing still."""


def users_at(stages: list[dict[str, Any]], at_s: float) -> int:
    """The users that there should be *at_s* seconds after the first stage began; at least one."""
    at_s = max(at_s, 0.0)
    before = 0 if stages[0]["ramp_s"] else stages[0]["users"]
    for stage in stages:
        if at_s < stage["ramp_s"]:
            return max(1, round(before + at_s / stage["ramp_s"] * (stage["users"] - before)))
        at_s -= stage["ramp_s"]
        if at_s < stage["hold_s"]:
            return int(stage["users"])
        at_s -= stage["hold_s"]
        before = stage["users"]
    return int(before)


class Stages(LoadTestShape):
    """The number of users, looked at once a second; the recorder ends the round."""

    def __init__(self) -> None:
        super().__init__()
        spec = json.loads(os.environ["PERFCI_STAGES"])
        self._stages, self._warmup_s = spec["stages"], spec["warmup_s"]
        self._began = 0.0  # 0: the users of the beginning are not there yet
        self._users, self._last = 0, (1, 1.0)
        events.spawning_complete.add_listener(self._begin)

    def _begin(self, **_: Any) -> None:
        self._began = self._began or time.monotonic()

    def tick(self) -> tuple[int, float]:
        """The users of now, all of whom start or stop within a second."""
        elapsed_s = time.monotonic() - self._began - self._warmup_s if self._began else 0.0
        wanted = users_at(self._stages, elapsed_s)
        if wanted != self._users:
            rate = float(abs(wanted - self._users))
            self._last = (wanted, rate if self._users else min(rate, FIRST_RATE))
            self._users = wanted
        return self._last


@events.init.add_listener
def _refuse_second_shape(environment: Any, **_: Any) -> None:
    """End the process, with a sentence that perfci shows, where the Locust file has a shape, too."""
    others = [name for name in environment.available_shape_classes or {} if name != Stages.__name__]
    if others:
        raise SystemExit(
            f"perfci: the scenario has stages, and the Locust file the shape {others[0]} | keep one of them"
        )
