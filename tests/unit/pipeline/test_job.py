"""What a job's event says about the base, and what steps after it are told."""

import json
from pathlib import Path

import pytest

from perfci.errors import ConfigError
from perfci.pipeline import job
from perfci.pipeline.reference import NamedBase
from perfci.publish.key import Measured, key_of
from perfci.rig.host.git import Git


@pytest.mark.parametrize("trigger", ["push", "schedule", "workflow_dispatch", "merge_group"])
def test_a_workflow_run_after_trusted_code_may_measure(tmp_path: Path, trigger: str) -> None:
    """What it checks out was merged, or is about to be by somebody who may."""
    assert job.current(_workflow_run(tmp_path, trigger, "octo/shop")) is not None


@pytest.mark.parametrize(
    ("trigger", "repository"),
    [
        ("pull_request", "octo/shop"),
        ("pull_request_target", "octo/shop"),
        ("pull_request_review", "octo/shop"),
        ("issue_comment", "octo/shop"),
        ("workflow_run", "octo/shop"),
        ("", "octo/shop"),
        ("push", "mallory/shop"),
        ("push", ""),
    ],
)
def test_a_workflow_run_after_a_pull_request_is_refused(tmp_path: Path, trigger: str, repository: str) -> None:
    """It would run the change's code with write access; so would one whose origin nobody knows."""
    with pytest.raises(ConfigError, match="does not run on workflow_run after a pull request") as refusal:
        job.current(_workflow_run(tmp_path, trigger, repository))
    assert "perfci publish" in refusal.value.hint
    assert refusal.value.exit_code == 2


def _workflow_run(folder: Path, trigger: str, repository: str) -> dict[str, str]:
    file = folder / "event.json"
    file.write_text(json.dumps({"workflow_run": {"event": trigger, "head_repository": {"full_name": repository}}}))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "workflow_run",
        "GITHUB_EVENT_PATH": str(file),
        "GITHUB_REPOSITORY": "octo/shop",
    }


def test_outside_a_job_the_user_alone_names_the_base() -> None:
    """On a laptop, an event that is by chance in the environment means nothing."""
    assert job.current({"GITHUB_ACTIONS": "false", "GITHUB_EVENT_NAME": "pull_request_target"}) is None
    git = Git(root=Path("/"), environ={})
    assert job.named_base(None, git, given="", load_changed=True) == NamedBase()
    assert job.named_base(None, git, given="v1", load_changed=False).ref == "v1"


@pytest.fixture
def runner(tmp_path: Path) -> dict[str, str]:
    """A runner's variables."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"repository": {"default_branch": "main"}}))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "workflow_dispatch",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_RUN_ATTEMPT": "2",
        "GITHUB_JOB": "perf",
    }


def test_the_artifact_gets_its_name_before_anything_can_fail(runner: dict[str, str], tmp_path: Path) -> None:
    """From the gate's key and the attempt; nothing happens on a laptop."""
    output = tmp_path / "output"
    job.announce({**runner, "GITHUB_ACTIONS": ""}, tmp_path / "run", profile="tickets")
    assert not output.exists()
    assert not (tmp_path / "run").exists()
    job.announce({**runner, "PERFCI_KEY": "smoke-test"}, None, profile="tickets")
    assert "perfci-smoke-test-2" in output.read_text()
    assert output.read_text().startswith("artifact-name")


def test_the_step_that_publishes_makes_the_same_key(runner: dict[str, str], tmp_path: Path) -> None:
    """Also where profile, configuration and environment were arguments of the step that measured."""
    job.announce(runner, tmp_path / "run", profile="tickets:smoke", config="api/perfci.toml", environment="ci")
    found = key_of(runner, job.measured_in(tmp_path / "run"))
    assert f"perfci-{found}-2" in (tmp_path / "output").read_text()
    assert found.startswith("perf-tickets-smoke-ci-")


@pytest.mark.parametrize(
    "content",
    [
        *(None, b"", b"{", b"[]", b"null", b"\xff", b"[" * 70_000, b'{"profile": "a"}'),
        b'{"profile": 1, "config": "", "environment": ""}',
        b'{"profile": "' + b"x" * 70_000,
    ],
)
def test_what_the_target_wrote_over_it(tmp_path: Path, content: bytes | None) -> None:
    """A file that is gone, or no longer what perfci left, is read as nothing: no traceback, and no other job's key."""
    if content is not None:
        (tmp_path / "gate.json").write_bytes(content)
    assert job.measured_in(tmp_path) == Measured()


def test_a_project_lies_inside_the_workspace(tmp_path: Path) -> None:
    """Also where a link leads to it; a laptop has no workspace."""
    inside, outside = tmp_path / "work" / "shop", tmp_path / "other"
    inside.mkdir(parents=True)
    outside.mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "work")
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tmp_path / "link")}
    job.check_inside_workspace(environ, inside.resolve(), "perfci.toml")
    job.check_inside_workspace({"GITHUB_WORKSPACE": str(inside)}, outside, "perfci.toml")
    with pytest.raises(ConfigError, match=f"lies in {outside}, outside the workspace"):
        job.check_inside_workspace(environ, outside, "perfci.toml")
    with pytest.raises(ConfigError):
        job.check_inside_workspace(environ, tmp_path / "worker", "perfci.toml")
    (inside / "perfci.toml").symlink_to(outside / "perfci.toml")
    with pytest.raises(ConfigError, match=r"is a link to .*, outside the workspace"):
        job.check_inside_workspace(environ, inside.resolve(), "perfci.toml")
