"""A change that a job has measured, as another job finds it: the repository behind the API, the run, its artifact."""

import io
import json
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from perfci.model import Run, Side
from perfci.store import save
from tests.fakes.github import FakeGitHub, Pull
from tests.fakes.github_repository import Remote

CONFIG = """
[target]
kind = "command"
command = ["serve", "{port}"]

[profiles.tickets]
locustfile = "load/tickets.py"
[profiles.tickets.scenarios.smoke]
"""
RUN = 41
ARTIFACT = "perfci-gate-tickets-smoke-0a1b2c3d-1"
REPOSITORY = "octo/shop"
TOKEN = "ghs_canary0123456789"


@dataclass(kw_only=True)
class Change:
    """A pull request whose head is *head*, and GitHub's merge of it into *base*."""

    folder: Path
    base: str
    head: str
    merge: str

    def run(self, run: Run, **changes: Any) -> Run:
        """*run* as if it were a measurement of this change."""
        commits = {Side.CANDIDATE: self.merge, Side.BASE: self.base}
        known = {side: commit for side, commit in commits.items() if side in run.commits}
        return replace(run, commits=known, **changes)

    def remote(self) -> Remote:
        """What the API knows of it, with the run that measured."""
        remote = Remote(self.folder)
        remote.add_run(RUN, head=self.head)
        return remote

    def api(self, remote: Remote) -> FakeGitHub:
        """The API, with the pull request open."""
        pull = Pull(number=7, sha=self.head, label="mallory:feature", base=self.base, merge=self.merge)
        return FakeGitHub(repository=REPOSITORY, pulls=[pull, Pull(number=8, sha="0" * 39 + "8")], remote=remote)

    def environ(
        self,
        api: FakeGitHub,
        folder: Path,
        *,
        event: str = "pull_request",
        fork: bool = False,
        trigger: str = "pull_request",
        branch: str = "main",
        attempt: int = 1,
        queued: int = 0,
    ) -> dict[str, str]:
        """
        The variables of the job that judges, with its files in *folder*; *trigger* started the measuring run.

        *queued* is the pull request that a merge group was made for.
        """
        owner = "mallory" if fork else "octo"
        head_repository = {"full_name": f"{owner}/shop", "owner": {"login": owner}}
        measured = {"id": RUN, "event": trigger, "head_sha": self.head, "head_branch": "feature"}
        head = {"sha": self.head, "label": f"{owner}:feature", "repo": head_repository}
        payloads: dict[str, dict[str, Any]] = {
            "workflow_run": {"workflow_run": {**measured, "head_repository": head_repository}},
            "pull_request": {"pull_request": {"number": 7, "head": head, "base": {"sha": self.base, "ref": branch}}},
            "merge_group": {"merge_group": {"head_sha": self.merge, "base_sha": self.base}},
            "push": {"before": self.base, "after": self.merge},
        }
        if queued:
            ref = f"refs/heads/gh-readonly-queue/main/pr-{queued}-{self.base}"
            payloads["merge_group"]["merge_group"]["head_ref"] = ref
        payload = {**payloads[event], "repository": {"full_name": REPOSITORY, "default_branch": "main"}}
        (folder / "event.json").write_text(json.dumps(payload))
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SHA": self.base if event == "workflow_run" else self.merge,
            "GITHUB_WORKFLOW_REF": f"{REPOSITORY}/.github/workflows/performance.yml@refs/heads/main",
            "GITHUB_JOB": "judge",
            "GITHUB_RUN_ID": str(RUN + 1 if event == "workflow_run" else RUN),
            "GITHUB_RUN_ATTEMPT": str(attempt),
            "GITHUB_API_URL": api.url,
            "GITHUB_SERVER_URL": "https://git.example",
            "GITHUB_OUTPUT": str(folder / "outputs"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "PERFCI_TOKEN": TOKEN,
        }


def a_change(folder: Path, *, base: Mapping[str, str] | None = None, edits: Mapping[str, str] | None = None) -> Change:
    """A repository in *folder* with the files *base*, and a pull request that writes *edits*."""
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet", "--initial-branch", "main")
    _write(folder, {"perfci.toml": CONFIG, "load/tickets.py": "", **(base or {})})
    before = _commit(folder, "base")
    _git(folder, "checkout", "--quiet", "-b", "feature")
    _write(folder, edits or {"service.py": "slower = True\n"})
    head = _commit(folder, "a change")
    _git(folder, "checkout", "--quiet", "main")
    _git(folder, "merge", "--quiet", "--no-ff", "--message", "merge", "feature")
    merge = _git(folder, "rev-parse", "HEAD")
    _git(folder, "reset", "--quiet", "--hard", before)
    _git(folder, "update-ref", "refs/pull/7/merge", merge)
    return Change(folder=folder, base=before, head=head, merge=merge)


def archived(run: Run, folder: Path, **entries: bytes) -> bytes:
    """The archive that the measuring job uploads, with more *entries*."""
    save(run, folder / "measured.json")
    return packed({"run.json": (folder / "measured.json").read_bytes(), "report.txt": b"so and so", **entries})


def packed(entries: Mapping[str, bytes]) -> bytes:
    """A zip archive of *entries*."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def _commit(folder: Path, message: str) -> str:
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", message)
    return _git(folder, "rev-parse", "HEAD")


def _git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.test", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True, timeout=30
    )
    return done.stdout.strip()
