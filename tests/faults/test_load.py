"""A load that cannot run, or whose numbers prove nothing, in whole runs; and what is the candidate's own fault."""

import pytest

from perfci import store
from perfci.judge.validity.generator import STARVED
from perfci.model import Verdict
from tests.faults import Fault, fault
from tests.faults.scenes import Scene, Stage

BY_HAND = "run the locustfile by hand: locust -f FILE --headless -u 1 -t 5s -H URL"
AGAIN = "Remove the cause named in the findings and measure again; these numbers prove nothing."


def _profile(task: str = "self.client.get('/one')", *, top: str = "", wait: float = 0.02, user: str = "") -> str:
    return f"""
{top}
import time
from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    wait_time = constant({wait})
    {user}

    @task
    def one(self):
        {task}
"""


STEP_BACK = """
import time
from locust import events
_real, _requests = time.time, []
time.time = lambda: _real() - (3600.0 if len(_requests) > 20 else 0.0)

@events.request.add_listener
def counts(**_):
    _requests.append(1)
"""
FULL_DISK = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (2500, 2500))
"""

WORKER_DIES = """
import os, signal
from locust import events
from locust.runners import WorkerRunner

workers, requests = [], []

@events.init.add_listener
def starts(runner, **_):
    if isinstance(runner, WorkerRunner) and runner.worker_index == 0:
        workers.append(runner)

@events.request.add_listener
def dies(**_):
    requests.append(1)
    if workers and len(requests) == 10:
        os.kill(os.getpid(), signal.SIGKILL)
"""
LEAVES = """
from locust.exception import StopUser
gone = []
"""
BUSY = """
import hashlib
from gevent.monkey import get_original
from locust import events

def burn():
    while True:
        hashlib.pbkdf2_hmac("sha256", b"a", b"b", 100_000)

@events.spawning_complete.add_listener
def start(**_):
    for _ in range(2):
        get_original("_thread", "start_new_thread")(burn, ())
"""
NO_ROOM = """
import os, resource
resource.prlimit(os.getppid(), resource.RLIMIT_FSIZE, (1500, 1500))
"""


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(
            Scene(profile="from locust import HttpLocust\nclass Visitor(HttpLocust):\n    pass\n"),
            marks=fault(
                "load",
                "uses an API that Locust removed",
                seen="the load generator ended with exit code 1…HttpLocust class has been renamed to HttpUser",
                then=BY_HAND,
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(profile=_profile(top="import os\nos.environ['SHOP_KEY']")),
            marks=fault(
                "load",
                "needs a missing environment variable",
                seen="the load generator ended with exit code 1…KeyError: 'SHOP_KEY'",
                then='the variable SHOP_KEY is not set: `environment = { SHOP_KEY = "..." }` in the scenario',
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(profile="from locust import FastHttpUser\nclass Visitor(FastHttpUser):\n    pass\n"),
            marks=fault(
                "load",
                "no task",
                seen="The candidate made every task of the load raise…No tasks defined on Visitor",
                then=AGAIN,
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(profile=_profile(top=WORKER_DIES), scenario="processes = 2"),
            marks=fault(
                "load",
                "a worker dies",
                seen="The request log of 1 of 1 rounds is incomplete",
                then="A process of the load generator ended early.",
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(
                profile=_profile(
                    "self.client.get('/one')\n        gone or gone.append(self)\n"
                    "        if self in gone:\n            raise StopUser",
                    top=LEAVES,
                )
            ),
            marks=fault(
                "load",
                "users not reached",
                seen="The candidate did not reach the planned number of users",
                then="Lower the spawn rate, or use fewer users.",
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(profile=_profile("pass", wait=0.2)),
            marks=fault(
                "load",
                "zero requests",
                seen="No request to the candidate completed: 2 of its users wait…for up to 0.2 s",
                then=AGAIN,
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(toy=("--status", "500", "--only", "/one")),
            marks=fault(
                "load",
                "every request fails fast",
                case="and nothing to compare with",
                seen="The candidate failed every request…The first: … GET /one: …500",
                then=AGAIN,
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(toy=("--status", "500", "--only", "/one"), stored=True),
            marks=fault(
                "load",
                "every request fails fast",
                case="on the candidate alone",
                seen="The candidate failed every request; the reference did not…The first: … GET /one: …500",
                exit=10,
                verdict=Verdict.REGRESSION,
            ),
        ),
        pytest.param(
            Scene(toy=("--hang", "30", "--only", "/one"), stored=True),
            marks=fault(
                "load",
                "every request hangs",
                case="on the candidate alone",
                seen="The candidate answered no request; the reference did, under the same load",
                exit=10,
                verdict=Verdict.REGRESSION,
            ),
        ),
        pytest.param(
            Scene(toy=("--hang", "30", "--only", "/one")),
            marks=fault(
                "load",
                "every request hangs",
                case="and nothing to compare with",
                seen="No request to the candidate completed: 2 of its users got no answer",
                then=AGAIN,
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(toy=("--die-at", "20", "--say", "out of memory"), stored=True),
            marks=fault(
                "load",
                "target dies half-way",
                case="the candidate alone",
                seen="The candidate died or restarted while measured; the reference did not…it exited with code 7",
                exit=10,
                verdict=Verdict.REGRESSION,
            ),
        ),
        pytest.param(
            Scene(toy=("--die-at", "20"), arguments=("--base", ".", "--against", "ref")),
            marks=fault(
                "load",
                "target dies half-way",
                case="both sides",
                seen="Both sides died or restarted while measured…it exited with code 7",
                then=AGAIN,
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(profile=_profile("raise ValueError('no cart')", wait=0.05)),
            marks=fault(
                "load",
                "only task exceptions",
                seen="The candidate made every task of the load raise",
                then="Run the profile by hand to see the traceback.",
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(profile=_profile(top=FULL_DISK)),
            marks=fault(
                "load",
                "disk full while recording",
                case="the generator's record",
                seen="the load generator ended with exit code 74; …perfci cannot record what it measures: …",
                then="Is the disk full?",
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(profile=_profile(top=NO_ROOM)),
            marks=fault(
                "load",
                "disk full while recording",
                case="the run's own file",
                seen="run.json… cannot be written: File too large",
                then="free some space, or name another folder with --output",
                exit=3,
            ),
        ),
        pytest.param(
            Scene(profile=_profile(top=STEP_BACK)),
            marks=fault(
                "load",
                "clock steps back",
                seen="The clock of the machine jumped by -3600… s during a round",
                then="Something set the clock: measure again.",
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
    ],
)
def test_a_load_that_goes_wrong(stage: Stage, expected: Fault, scene: Scene) -> None:
    """What generator or machine did is invalid; what only the candidate did is its regression; neither is green."""
    stage.of(scene).check(expected)


@pytest.mark.alone
@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(
            Scene(profile=_profile(top=BUSY)),
            marks=fault(
                "load",
                "the generator is saturated",
                seen="The load generator was saturated in 1 of 1 rounds of the candidate",
                then="Use fewer users, or a lighter client (FastHttpUser).",
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
    ],
)
def test_a_generator_that_is_saturated(stage: Stage, expected: Fault, scene: Scene) -> None:
    """Where it gets a core to saturate; one that has to wait for its core is starved, and that is told instead."""
    played = stage.of(scene)
    health = [round_.generator for round_ in store.load(played.folder).rounds if round_.generator]
    if any(generator.run_delay_share > STARVED for generator in health):
        assert "The load generator waited for a core" in played.text
    else:
        played.check(expected)
