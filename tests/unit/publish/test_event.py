"""Which event means what: one table."""

import json
from pathlib import Path
from typing import Any

import pytest

from perfci.errors import ConfigError
from perfci.publish.event import Job, job_from, read_job

HEAD = "f00dfeed" * 5
BASE = "ba5eba11" * 5
MERGE = "0ddba115" * 5
ZEROS = "0" * 40


def environ(event: str, **changes: str) -> dict[str, str]:
    """The runner's variables."""
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_REPOSITORY": "octo/shop",
        "GITHUB_SHA": MERGE,
        "GITHUB_RUN_ID": "42",
        "GITHUB_RUN_ATTEMPT": "3",
        "GITHUB_ACTOR": "octocat",
        "GITHUB_API_URL": "https://git.example.org/api/v3/",
        "GITHUB_SERVER_URL": "https://git.example.org",
        "GITHUB_WORKFLOW_REF": "octo/shop/.github/workflows/Perf Gate.yml@refs/pull/7/merge",
        "GITHUB_JOB": "smoke",
    } | changes


def a_pull_request(head_repository: str | None = "octo/shop") -> dict[str, Any]:
    """The payload of a pull request; None: its repository was deleted."""
    head_repo = {"full_name": head_repository} if head_repository else None
    return {
        "action": "synchronize",
        "repository": {"default_branch": "main"},
        "pull_request": {
            "number": 7,
            "head": {"sha": HEAD, "ref": "fix", "label": "octo:fix", "repo": head_repo},
            "base": {"sha": BASE, "ref": "main"},
        },
    }


def a_workflow_run(owner: str = "mallory", pulls: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    """The payload after another workflow has ended."""
    return {
        "workflow_run": {
            "event": "pull_request",
            "head_sha": HEAD,
            "head_branch": "fix",
            "head_repository": {"full_name": f"{owner}/shop", "owner": {"login": owner}},
            "pull_requests": list(pulls),
        },
    }


A_PULL = {"number": 8, "head": {"sha": HEAD}}
ANOTHER_PULL = {"number": 9, "head": {"sha": BASE}}
PR = {"pr": 7, "head_sha": HEAD, "base_sha": BASE, "base_ref": "main", "default_branch": "main"}


@pytest.mark.parametrize(
    ("event", "payload", "variables", "expected"),
    [
        ("pull_request", a_pull_request(), {}, PR | {"is_fork": False, "may_write": True, "head_label": "octo:fix"}),
        ("pull_request", a_pull_request("mallory/shop"), {}, PR | {"is_fork": True, "may_write": False}),
        ("pull_request", a_pull_request(None), {}, PR | {"is_fork": True, "may_write": False}),
        (
            "pull_request",
            a_pull_request(),
            {"GITHUB_ACTOR": "dependabot[bot]"},
            PR | {"is_fork": False, "is_dependabot": True, "may_write": False},
        ),
        ("pull_request_review", a_pull_request(), {}, PR | {"may_write": True}),
        (
            "push",
            {"before": BASE, "after": HEAD},
            {},
            {"pr": None, "head_sha": HEAD, "base_sha": BASE, "is_fork": False},
        ),
        ("push", {"before": ZEROS, "after": HEAD}, {}, {"head_sha": HEAD, "base_sha": "", "may_write": True}),
        ("push", {"before": BASE, "after": ZEROS}, {}, {"head_sha": MERGE, "base_sha": BASE}),
        ("push", {}, {"GITHUB_ACTOR": "dependabot[bot]"}, {"is_dependabot": True, "may_write": False}),
        ("schedule", {"schedule": "0 3 * * *"}, {}, {"pr": None, "head_sha": MERGE, "base_sha": "", "may_write": True}),
        (
            "merge_group",
            {"merge_group": {"head_sha": HEAD, "base_sha": BASE, "base_ref": "refs/heads/main"}},
            {},
            {"pr": None, "head_sha": HEAD, "base_sha": BASE, "base_ref": "main", "is_fork": False},
        ),
        (
            "workflow_dispatch",
            {"inputs": {"users": "10"}, "repository": {"default_branch": "trunk"}},
            {},
            {"pr": None, "head_sha": MERGE, "default_branch": "trunk", "may_write": True},
        ),
        (
            "workflow_run",
            a_workflow_run(),
            {},
            {"pr": None, "head_sha": HEAD, "head_label": "mallory:fix", "is_fork": True, "trigger": "pull_request"},
        ),
        ("workflow_run", a_workflow_run("octo", (A_PULL,)), {}, {"pr": 8, "head_sha": HEAD, "is_fork": False}),
        ("workflow_run", a_workflow_run("octo", (A_PULL, ANOTHER_PULL)), {}, {"pr": 8}),
        ("workflow_run", a_workflow_run("octo", (ANOTHER_PULL,)), {}, {"pr": None}),
        ("workflow_run", a_workflow_run("octo", (A_PULL, A_PULL | {"number": 10})), {}, {"pr": None}),
        ("", {}, {}, {"pr": None, "head_sha": MERGE}),
        ("release", {"release": {}}, {}, {"pr": None, "head_sha": MERGE, "is_fork": False}),
    ],
)
def test_must_23_events(
    event: str, payload: dict[str, Any], variables: dict[str, str], expected: dict[str, Any]
) -> None:
    """Each event gives the commit, the base and the pull request that it is about, and what its token may do."""
    job = job_from(environ(event, **variables), payload)
    assert {name: getattr(job, name) for name in expected} == expected


def test_the_rest_of_a_job() -> None:
    """Run, attempt and addresses come from the runner."""
    job = job_from(environ("push"), {})
    assert (job.event, job.repository, job.run_id, job.attempt) == ("push", "octo/shop", 42, 3)
    assert (job.api_url, job.server_url) == ("https://git.example.org/api/v3", "https://git.example.org")
    assert job.run_url == "https://git.example.org/octo/shop/actions/runs/42"
    assert job.commit_url(HEAD) == f"https://git.example.org/octo/shop/commit/{HEAD}"
    assert job.commit_url("") == ""


@pytest.mark.parametrize("event", ["pull_request_target", "issue_comment"])
def test_must_20_events_that_give_strangers_write_access_are_refused(event: str) -> None:
    """With the reason and the way out."""
    with pytest.raises(ConfigError, match=rf"does not run on {event}: .*write access") as refusal:
        job_from(environ(event), a_pull_request())
    assert "on: pull_request" in refusal.value.hint
    assert refusal.value.exit_code == 2


@pytest.mark.parametrize("event", ["pull_request", "push", "merge_group", "workflow_run", "workflow_dispatch"])
@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"pull_request": None, "merge_group": None, "workflow_run": None, "repository": None},
        {"pull_request": {}, "merge_group": {}, "workflow_run": {}, "repository": {}},
        {"pull_request": {"number": "7; rm", "head": []}, "workflow_run": {"pull_requests": {"a": 1}, "head_sha": 3}},
        {"workflow_run": {"pull_requests": [None, 3, {"head": None}]}, "after": None, "before": 7},
    ],
)
def test_strange_payloads(event: str, payload: dict[str, Any]) -> None:
    """A payload without what it should have is a job without a pull request, never a crash."""
    assert job_from(environ(event), payload).pr is None


@pytest.mark.parametrize("text", ["--output=/tmp/x", "HEAD", "f00d", "F" * 40, "1" * 41, "1" * 40 + "\n", ZEROS])
def test_what_is_no_whole_hash_is_no_commit(text: str) -> None:
    """The event is data: nothing of it reaches git as an option or as another name."""
    payload = a_pull_request()
    payload["pull_request"]["base"]["sha"] = payload["pull_request"]["head"]["sha"] = text
    found = job_from(environ("pull_request"), payload)
    assert (found.base_sha, found.head_sha) == ("", MERGE)


def test_a_head_that_is_no_hexadecimal_number_is_compared_by_the_api_alone() -> None:
    """A server whose commits have other digits gets its comment; git is given no such name."""
    payload = a_pull_request()
    payload["pull_request"]["base"]["sha"] = payload["pull_request"]["head"]["sha"] = "h" * 40
    found = job_from(environ("pull_request"), payload)
    assert (found.base_sha, found.head_sha) == ("", "h" * 40)


@pytest.mark.parametrize("text", ["-x", "a..b", "main:perfci.toml", "main^{/x}", "a b", "@{u}", "a\nb", "", "a~1", "*"])
def test_what_is_no_branch_name_is_no_branch(text: str) -> None:
    """Revision syntax in the name of a branch means nothing."""
    payload = a_pull_request()
    payload["pull_request"]["base"]["ref"] = payload["repository"]["default_branch"] = text
    found = job_from(environ("pull_request"), payload)
    assert (found.base_ref, found.default_branch) == ("", "")


def test_no_runner() -> None:
    """Outside of Actions there is a job with nothing in it."""
    job = read_job({})
    assert (job.event, job.pr, job.run_id, job.attempt, job.run_url) == ("", None, 0, 1, "")


def test_event_file(tmp_path: Path) -> None:
    """The payload is read from the runner's file."""
    file = tmp_path / "event.json"
    file.write_text(json.dumps(a_pull_request()), encoding="utf-8")
    job: Job = read_job(environ("pull_request", GITHUB_EVENT_PATH=str(file)))
    assert job.pr == 7


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_bad_event_file(tmp_path: Path, content: bytes | None) -> None:
    """An event file that is missing or no JSON object is an error that names it."""
    file = tmp_path / "event.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"event\.json"):
        read_job(environ("push", GITHUB_EVENT_PATH=str(file)))
