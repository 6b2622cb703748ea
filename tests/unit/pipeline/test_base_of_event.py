"""The base commit of each event, as a table over checkouts of one real repository."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from perfci.errors import BaseUnavailableError, ExitCode
from perfci.pipeline import job
from perfci.pipeline.reference import NamedBase, commit_of, name_of
from perfci.rig.host.git import Git

pytestmark = pytest.mark.kind("K")

WHOLE = 0


class Base(NamedTuple):
    """What an event names, and what the local git makes of it."""

    named: NamedBase
    commit: str = ""
    name: str = ""
    missing: BaseUnavailableError | None = None


Commits = Mapping[str, str]


def _git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.test")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True, timeout=30
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Commits]:
    """
    A repository as GitHub would have it, and its commits by name.

    main is `old` - `now` - `later`. A change of one commit, `head`, left main at `old`; `merge` is its merge with `now`
    and `queued` with `later`. Another change, `updated`, left main at `old` and has merged `now` into itself.
    """
    folder = tmp_path_factory.mktemp("upstream")
    _git(folder, "init", "-q", "-b", "main")
    _git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    commits = {}

    def keep(name: str, branch: str = "") -> None:
        commits[name] = _git(folder, "rev-parse", "HEAD")
        _git(folder, "branch", "-f", branch or f"keep-{name}")

    def commit(name: str, branch: str = "") -> None:
        _git(folder, "commit", "-q", "--allow-empty", "-m", f"{name}\n\nparent {'0' * 40} is no header")
        keep(name, branch)

    def merge(name: str, ours: str, theirs: str) -> None:
        _git(folder, "checkout", "-q", "--detach", commits[ours])
        _git(folder, "merge", "-q", "--no-ff", "-m", name, commits[theirs])
        keep(name)

    commit("before-main")
    commit("old")
    _git(folder, "checkout", "-q", "--detach")
    commit("head")
    _git(folder, "checkout", "-q", "--detach", commits["old"])
    commit("started")
    _git(folder, "checkout", "-q", "main")
    for name in ("now", "later"):
        commit(name)
    merge("updated", "started", "now")
    merge("merge", "now", "head")
    merge("merge-of-updated", "later", "updated")
    merge("queued", "later", "head")
    _git(folder, "checkout", "-q", "main")
    return folder, commits


def _checkout(upstream: Path, folder: Path, commit: str, depth: int) -> Path:
    """What actions/checkout makes of *commit*: with the whole history, every branch of the remote, too."""
    _git(upstream, "init", "-q", str(folder))
    _git(folder, "remote", "add", "origin", f"file://{upstream}")
    wanted = [f"+{commit}:refs/remotes/checkout"]
    if depth == WHOLE:
        wanted.append("+refs/heads/*:refs/remotes/origin/*")
    _git(folder, "fetch", "-q", "--no-tags", *([f"--depth={depth}"] if depth else []), "origin", *wanted)
    _git(folder, "checkout", "-q", "--detach", commit)
    return folder


def a_pull_request(base: str, head: str = "head") -> Callable[[Commits], dict[str, Any]]:
    """The event of a pull request that names *base*."""
    return lambda commits: {
        "pull_request": {
            "number": 7,
            "head": {"sha": commits[head], "ref": "change", "repo": {"full_name": "octo/shop"}},
            "base": {"sha": commits[base], "ref": "main"},
        }
    }


def a_push(before: str) -> Callable[[Commits], dict[str, Any]]:
    """A push onto a branch that was at *before*."""
    return lambda commits: {"before": commits.get(before, before), "after": commits["merge"]}


def a_merge_group(base: str) -> Callable[[Commits], dict[str, Any]]:
    """A merge queue's group on top of *base*."""
    return lambda commits: {
        "merge_group": {"head_sha": commits["queued"], "base_sha": commits[base], "base_ref": "refs/heads/main"}
    }


def after_a_push(_: Commits) -> dict[str, Any]:
    """A workflow that was started by another one, which ran on a push."""
    return {"workflow_run": {"event": "push", "head_repository": {"full_name": "octo/shop"}}}


def nothing(_: Commits) -> dict[str, Any]:
    """An event that says nothing about commits."""
    return {}


@pytest.fixture
def base_of(upstream: tuple[Path, Commits], tmp_path: Path) -> Callable[..., Base]:
    """The base of a job with an event in a checkout."""
    repository, commits = upstream

    def found(event: str, payload: Callable[[Commits], dict[str, Any]], commit: str, depth: int, **more: Any) -> Base:
        file = tmp_path / "event.json"
        file.write_text(json.dumps({"repository": {"default_branch": "main"}, **payload(commits)}))
        environ = {
            **os.environ,
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(file),
            "GITHUB_REPOSITORY": "octo/shop",
        }
        git = Git(root=_checkout(repository, tmp_path / "checkout", commits[commit], depth), environ=environ)
        named = job.named_base(job.current(environ), git, given="", load_changed=more.get("load_changed", False))
        if not named:
            return Base(named)
        try:
            full = commit_of(named, git)
        except BaseUnavailableError as error:
            return Base(named, missing=error)
        return Base(named, full, name_of(full, named))

    return found


MERGED = "the first parent of the merge"
FORK = "the merge base with main"
PARENT = "the parent of the merge group"
NO_FORK = "the merge base with main is not in this clone"
NO_NAME = "names no base commit"


@pytest.mark.parametrize(
    ("event", "payload", "commit", "depth", "base", "role"),
    [
        ("pull_request", a_pull_request("now"), "merge", 2, "now", MERGED),
        ("pull_request", a_pull_request("now"), "merge", WHOLE, "now", MERGED),
        ("pull_request", a_pull_request("old"), "merge", 2, "now", MERGED + "; the event names {old}"),
        ("pull_request", a_pull_request("old"), "merge", WHOLE, "now", MERGED + "; the event names {old}"),
        ("pull_request_review", a_pull_request("now"), "merge", 2, "now", MERGED),
        ("pull_request", a_pull_request("later", "updated"), "merge-of-updated", 2, "later", MERGED),
        # The head itself is checked out; where it is a merge, that is one of the author's.
        ("pull_request", a_pull_request("now"), "head", WHOLE, "old", FORK + "; the event names {now}"),
        ("pull_request", a_pull_request("old"), "head", WHOLE, "old", FORK),
        ("pull_request", a_pull_request("old"), "head", 2, "old", FORK),
        ("pull_request", a_pull_request("old", "updated"), "updated", WHOLE, "now", FORK + "; the event names {old}"),
        # A merge of something else than the head of the pull request.
        ("pull_request", a_pull_request("now", "started"), "merge", WHOLE, "now", FORK),
        ("merge_group", a_merge_group("later"), "queued", 2, "later", PARENT),
        ("merge_group", a_merge_group("now"), "queued", WHOLE, "now", PARENT),
        # A merge commit that merely is the tip of a branch is no pull request's.
        ("push", a_push("old"), "merge", WHOLE, "old", "the commit before the push"),
        ("push", a_push("now"), "merge", 2, "now", "the commit before the push"),
    ],
)  # fmt: skip
def test_must_21_the_base_of_an_event(
    base_of: Callable[..., Base],
    upstream: tuple[Path, Commits],
    *,
    event: str,
    payload: Callable[[Commits], dict[str, Any]],
    commit: str,
    depth: int,
    base: str,
    role: str,
) -> None:
    """What is compared with, and the sentence about it in the report."""
    _, commits = upstream
    found = base_of(event, payload, commit, depth)
    assert [name for name, full in commits.items() if full == found.commit] == [base]
    short = {name: full[:7] for name, full in commits.items()}
    assert found.name == f"{short[base]} ({role.format_map(short)})"
    assert found.named.required is (event != "push")


@pytest.mark.parametrize(
    ("event", "payload", "commit", "depth", "message", "step"),
    [
        ("pull_request", a_pull_request("now"), "merge", 1, "has no commit '{now}': this clone", "`fetch-depth: 2`"),
        ("pull_request", a_pull_request("old"), "merge", 1, "has no commit '{now}'", "`fetch-depth: 2`"),
        ("pull_request", a_pull_request("now"), "head", 1, NO_FORK, "`fetch-depth: 0`"),
        ("pull_request", a_pull_request("now"), "head", 2, NO_FORK, "`fetch-depth: 2`"),
        ("pull_request", nothing, "merge", WHOLE, NO_NAME, "--base"),
        ("merge_group", a_merge_group("old"), "queued", 2, "has no commit '{old}': this clone", "`fetch-depth: 0`"),
        ("merge_group", nothing, "queued", WHOLE, NO_NAME, "--base"),
    ],
)  # fmt: skip
def test_must_21_a_change_without_its_base_cannot_be_compared(
    base_of: Callable[..., Base],
    upstream: tuple[Path, Commits],
    *,
    event: str,
    payload: Callable[[Commits], dict[str, Any]],
    commit: str,
    depth: int,
    message: str,
    step: str,
) -> None:
    """An error that says what is missing and the depth that brings it, and no comparison with something else."""
    found = base_of(event, payload, commit, depth)
    assert found.named.required
    assert found.missing is not None
    assert message.format_map(upstream[1]) in str(found.missing)
    assert step in found.missing.hint
    assert found.missing.absent
    assert found.missing.exit_code is ExitCode.NOT_MEASURED


@pytest.mark.parametrize(
    ("event", "payload", "depth", "reason"),
    [
        ("push", a_push("0" * 40), WHOLE, ""),
        ("push", a_push("1" * 40), WHOLE, "the local git has no commit '1111"),
        ("push", a_push("old"), 1, "the local git has no commit "),
        ("push", nothing, WHOLE, ""),
        ("schedule", nothing, WHOLE, ""),
        ("workflow_dispatch", nothing, WHOLE, ""),
        ("release", nothing, WHOLE, ""),
        ("workflow_run", after_a_push, WHOLE, ""),
    ],
)  # fmt: skip
def test_what_no_change_waits_for_is_compared_with_the_stored_runs(
    base_of: Callable[..., Base],
    event: str,
    payload: Callable[[Commits], dict[str, Any]],
    depth: int,
    reason: str,
) -> None:
    """Where the event names no commit that the local git has."""
    found = base_of(event, payload, "merge", depth)
    assert not found.named.required
    assert not found.commit
    assert str(found.missing or "").startswith(reason)
    assert bool(found.missing) is bool(reason)


@pytest.mark.parametrize("depth", [WHOLE, 1])
def test_must_25_a_dispatch_with_a_load_of_its_own_goes_beside_the_default_branch(
    base_of: Callable[..., Base], upstream: tuple[Path, Commits], depth: int
) -> None:
    """No stored run was measured under that load; where the branch is not there, the reason is told."""
    found = base_of("workflow_dispatch", nothing, "merge", depth, load_changed=True)
    assert found.commit == (upstream[1]["later"] if depth == WHOLE else "")
    assert "origin/main" in (found.name or str(found.missing))
    assert not found.named.required
