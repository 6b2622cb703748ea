"""A target that does not start, does not answer or does not stop, in whole runs."""

import shutil

import pytest

from perfci import store
from perfci.model import Verdict
from perfci.pipeline import documents
from tests.faults import Fault, fault
from tests.faults.scenes import COMPOSE, Scene, Stage

NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere.sock"}


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(
            Scene(kind=COMPOSE, more={"compose.yaml": "{}"}, environ={"PATH": "/nowhere"}),
            marks=fault(
                "target",
                "docker missing",
                seen="docker was not found on PATH",
                then='install Docker with the compose plug-in, or use kind = "command" for the target',
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(kind=COMPOSE, more={"compose.yaml": "services: {web: {image: x}}"}, environ=NO_ENGINE),
            marks=[
                pytest.mark.skipif(not shutil.which("docker"), reason="there is no docker command"),
                fault(
                    "target",
                    "engine not running",
                    seen="the Docker engine does not answer: …",
                    then="start it (`sudo systemctl start docker`), and see that this user may use its socket",
                    exit=3,
                    verdict=Verdict.INVALID,
                ),
            ],
        ),
        pytest.param(
            Scene(target='url = "http://127.0.0.1:{taken}"'),
            marks=fault(
                "target",
                "port taken",
                seen="port … is taken: something answers at http://127.0.0.1:… before the target was started",
                then="stop it, or let perfci choose: put {port} into the command and leave url out",
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(toy=("--ready-after", "60", "--say", "warming up"), target="ready = { timeout_s = 4 }"),
            marks=fault(
                "target",
                "never ready",
                seen="the target was not ready within 4 s at …; last seen: status 503, wanted 200…warming up",
                then="check the readiness path, status and timeout_s of the target, and its log",
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(toy=("--status", "500"), target="ready = { timeout_s = 4 }"),
            marks=fault(
                "target",
                "readiness answers 500",
                seen="the target was not ready within 4 s at …; last seen: status 500, wanted 200",
                then="check the readiness path, status and timeout_s of the target, and its log",
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(toy=("--redirect", "http://127.0.0.2:9/")),
            marks=fault(
                "target",
                "redirects to another host",
                seen="the target at … redirects to another host: http://127.0.0.2:9/",
                then="choose a readiness path that answers itself",
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(toy=("--ready-after", "60", "--die-after", "0.5", "--say", "no database")),
            marks=fault(
                "target",
                "ready, then exits",
                case="exits while it is waited for",
                seen="the target ended before it was ready: it exited with code 7…no database",
                then="start it by hand with the same command",
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(toy=("--die-at", "1"), stored=True),
            marks=fault(
                "target",
                "ready, then exits",
                case="before the first request",
                seen="The candidate died or restarted while measured; the reference did not…it exited with code 7",
                exit=10,
                verdict=Verdict.REGRESSION,
            ),
        ),
        pytest.param(
            Scene(toy=("--slow-stop", "1")),
            marks=fault(
                "target",
                "slow to stop",
                seen="There is no stored run to compare with",
                exit=0,
                verdict=Verdict.NO_BASELINE,
            ),
        ),
        pytest.param(
            Scene(toy=("--ignore-sigterm",), target="ready = { timeout_s = 60 }"),
            marks=fault(
                "target",
                "ignores SIGTERM",
                seen="There is no stored run to compare with",
                exit=0,
                verdict=Verdict.NO_BASELINE,
            ),
        ),
    ],
)
def test_must_24_a_target_that_misbehaves(stage: Stage, expected: Fault, scene: Scene) -> None:
    """Told with the end of its log, in bounded time; a target that only stops badly spoils no run."""
    played = stage.of(scene)
    played.check(expected)
    if expected.verdict is Verdict.INVALID:  # what is said on the screen is in the documents, too
        assert documents.read(played.folder).reason in " ".join(played.text.split())
        assert not store.load(played.folder).complete
