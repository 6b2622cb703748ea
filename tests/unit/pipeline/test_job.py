"""What a job's event says about the base, and what steps after it are told."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from perfci.errors import ConfigError
from perfci.pipeline import job
from perfci.publish.event import Job, job_from


def _job(*, base_sha: str, default_branch: str) -> Job:
    return replace(job_from({}, {}), base_sha=base_sha, default_branch=default_branch)


@pytest.mark.parametrize(
    ("base_sha", "default_branch", "load_changed", "base"),
    [
        ("1" * 40, "main", False, "1" * 40),
        ("1" * 40, "main", True, "1" * 40),
        ("1" * 40, "", True, "1" * 40),
        ("", "main", False, ""),
        ("", "main", True, "origin/main"),
        ("", "trunk", True, "origin/trunk"),
        ("", "", True, ""),
        ("", "", False, ""),
    ],
)
def test_the_base_that_an_event_names(*, base_sha: str, default_branch: str, load_changed: bool, base: str) -> None:
    """A commit where there is one; the default branch only for a load that no stored run had."""
    assert job.base_of(_job(base_sha=base_sha, default_branch=default_branch), load_changed=load_changed) == base


@pytest.mark.parametrize("load_changed", [True, False])
def test_outside_a_job_no_base_is_named(*, load_changed: bool) -> None:
    """On a laptop, the user names it."""
    assert job.base_of(None, load_changed=load_changed) == ""
    assert job.current({"GITHUB_ACTIONS": "false", "GITHUB_EVENT_NAME": "pull_request_target"}) is None


def test_the_artifact_gets_its_name_before_anything_can_fail(tmp_path: Path) -> None:
    """From the job's key and attempt; nothing happens on a laptop."""
    output, event = tmp_path / "output", tmp_path / "event.json"
    event.write_text(json.dumps({"repository": {"default_branch": "main"}}))
    environ = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "workflow_dispatch",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_OUTPUT": str(output),
        "GITHUB_RUN_ATTEMPT": "2",
        "PERFCI_KEY": "Smoke Test",
    }
    job.announce({**environ, "GITHUB_ACTIONS": ""})
    assert not output.exists()
    job.announce(environ)
    assert "perfci-smoke-test-2" in output.read_text()
    assert output.read_text().startswith("artifact-name")


def test_a_project_lies_inside_the_workspace(tmp_path: Path) -> None:
    """Also where a link leads to it; a laptop has no workspace."""
    inside, outside = tmp_path / "work" / "shop", tmp_path / "other"
    inside.mkdir(parents=True)
    outside.mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "work")
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tmp_path / "link")}
    job.check_inside_workspace(environ, inside.resolve())
    job.check_inside_workspace({"GITHUB_WORKSPACE": str(inside)}, outside)
    with pytest.raises(ConfigError, match=f"lies in {outside}, outside the workspace"):
        job.check_inside_workspace(environ, outside)
    with pytest.raises(ConfigError):
        job.check_inside_workspace(environ, tmp_path / "worker")
