"""Inputs of the Action on their way into perfci: the measuring step as a runner starts it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.runner import Runner, Step

ROOT = Path(__file__).parents[2]
PROFILE = """
from locust import HttpUser


class Shopper(HttpUser):
    pass
"""
CONFIG = """
[target]
kind = "command"
command = ["touch", "started", "{port}"]
[profiles.shop]
locustfile = "shop.py"
[profiles.shop.scenarios.smoke]
"""


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A job whose checkout has a service that leaves a trace where it is started."""
    for name in ("action", "workspace", "outside", "temp"):
        (tmp_path / name).mkdir()
    shutil.copy(ROOT / "action.yml", tmp_path / "action")
    for name in ("workspace", "outside"):
        (tmp_path / name / "perfci.toml").write_text(CONFIG)
        (tmp_path / name / "shop.py").write_text(
            "from locust import HttpUser\n\n\nclass Shopper(HttpUser):\n    pass\n"
        )
    environ = {"XDG_STATE_HOME": str(tmp_path / "state"), "GITHUB_EVENT_NAME": "push", "GITHUB_REPOSITORY": "octo/shop"}
    return Runner(action=tmp_path / "action", workspace=tmp_path / "workspace", temp=tmp_path / "temp", environ=environ)


def _measure(runner: Runner, **inputs: str) -> Step:
    setup = {"python": sys.executable, "run": str(runner.temp / "run"), "libraries": ""}
    given = {name.replace("_", "-"): value for name, value in inputs.items()}
    return runner.step("Measure and judge", inputs={"profile": "shop", **given}, setup=setup)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("users", "-1", "a whole number from 1 to 100000"),
        ("spawn_rate", "0", "a number above 0 and at most 100000"),
        ("duration", "abc", "90s"),
        ("blocks", "1", "a number from 2 to 100, or the fewest and the most, such as 3-12"),
        ("rounds", "101", "a whole number from 1 to 100"),
        ("against", "main", "one of auto, baseline, ref or limits"),
        ("census", "yes", "one of auto, only or off"),
        ("fail_on", "always", "one of never, regression, no-baseline or inconclusive"),
        ("comment", "yes", "one of auto, always, on-regression or off"),
        ("retention_days", "91", "a whole number from 1 to 90"),
        ("config", "../outside/perfci.toml", "outside the workspace"),
        ("config", "missing.toml", "the input config is 'missing.toml'"),
        ("profile", "shop:smok", "its scenarios are: smoke; the input profile is 'shop:smok'"),
        ("environment", "staging", "the input environment is 'staging'"),
    ],
)
def test_must_07_a_bad_input_ends_the_step(name: str, value: str, allowed: str, runner: Runner) -> None:
    """Exit code 2 before anything is started, with the value and what is allowed."""
    step = _measure(runner, **{name: value})
    assert step.code == 2, step.log
    assert allowed in step.log
    assert name in step.log.lower() or value in step.log
    assert "Traceback" not in step.log
    assert not (runner.workspace / "started").exists()


def test_must_07_a_mistyped_base_ends_the_step(runner: Runner) -> None:
    """In a clone with the whole history, where git can tell."""
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.test"]
        subprocess.run(["git", *identity, *arguments], cwd=runner.workspace, check=True, timeout=30)
    step = _measure(runner, base="no-such-branch")
    assert step.code == 2, step.log
    assert "the input base is 'no-such-branch'" in step.log


@pytest.mark.parametrize(
    "value", ["$(touch evil)", "`touch evil`", "'\"; touch evil; '", "a\nverdict=pass\n::notice::b"]
)
@pytest.mark.parametrize("names", [("users",), ("profile", "config", "environment", "base", "duration", "key")])
def test_must_08_inputs_evaluate_nothing(names: tuple[str, ...], value: str, runner: Runner) -> None:
    """Quotes, substitutions and line breaks stay text: nothing is run, and no output is added."""
    step = _measure(runner, **{"users": "-1", **dict.fromkeys(names, value)})
    assert step.code == 2, step.log
    assert not (runner.workspace / "evil").exists()
    assert set(step.outputs) <= {"artifact-name"}
    assert "\n::notice::b" not in step.log
