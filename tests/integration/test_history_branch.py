"""`perfci history push` with a real git: a branch of its own, several writers, and remotes that refuse."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from perfci import store
from perfci.errors import ConfigError, PublishError, ResultError
from perfci.model import Run
from perfci.pipeline.history import with_token
from perfci.store import history
from perfci.store.history_branch import HistoryBranch
from tests.builders import a_run
from tests.fakes.shell import Perfci

Clone = Callable[[str], Path]


def git(folder: Path, *arguments: str) -> str:
    """git in *folder*, as somebody."""
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.test")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A bare repository with one commit on main."""
    bare, first = tmp_path / "remote.git", tmp_path / "first"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(bare))
    git(tmp_path, "clone", "-q", str(bare), str(first))
    (first / "README").write_text("a shop\n")
    git(first, "add", ".")
    git(first, "commit", "-q", "-m", "one")
    git(first, "push", "-q", "origin", "HEAD:main")
    return bare


@pytest.fixture
def clone(remote: Path, tmp_path: Path) -> Clone:
    """Makes a clone of the remote, as a job has it: one commit deep."""

    def make(name: str) -> Path:
        git(tmp_path, "clone", "-q", "--depth", "1", f"file://{remote}", str(tmp_path / name))
        return tmp_path / name

    return make


def some_run(number: int, *, folder: Path) -> Path:
    """The folder of a run of its own."""
    run = replace(a_run(), id=f"20261121-1015{number:02d}-f00d", created_at=f"2026-11-21T10:15:{number:02d}Z")
    store.save(run, folder / run.id / "run.json")
    return folder / run.id


def kept(remote: Path) -> list[str]:
    """The runs in the index on the remote's branch."""
    place = HistoryBranch(root=remote, environ={}, remote=str(remote))
    return [row.run for row in history.rows(place.files(), "tickets", "smoke")]


def test_a_run_is_kept_on_a_branch_of_its_own(
    perfci: Perfci, remote: Path, clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work tree, its index, its branches and the code's history stay as they are; the run can be judged again."""
    job = clone("job")
    monkeypatch.chdir(job)
    (job / "README").write_text("edited\n")
    before = (git(job, "status", "--porcelain"), git(job, "branch", "--all"), git(job, "rev-parse", "HEAD"))
    run = some_run(1, folder=tmp_path)
    code, out, err = perfci("history", "push", str(run))
    assert (code, err) == (0, "")
    assert "added run 20261121-101501-f00d to branch perfci-history of origin" in out
    assert (git(job, "status", "--porcelain"), git(job, "branch", "--all"), git(job, "rev-parse", "HEAD")) == before
    assert git(remote, "rev-list", "--count", "perfci-history") == "1"
    assert git(remote, "log", "-1", "--format=%an %s", "perfci-history") == "perfci 1 run of tickets:smoke"
    path = "tickets/smoke/runs/20261121T101501-20261121-101501-f00d.json"
    (tmp_path / "again.json").write_text(git(remote, "show", f"perfci-history:{path}"))
    again: Run = store.load(tmp_path / "again.json")
    assert again == store.without_seconds(store.load(run))


def test_a_run_that_is_there_stays_as_it_is(
    perfci: Perfci, remote: Path, clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that is started again pushes nothing, and says so."""
    monkeypatch.chdir(clone("job"))
    runs = [str(some_run(number, folder=tmp_path)) for number in (1, 2)]
    assert perfci("history", "push", runs[0])[0] == 0
    tip = git(remote, "rev-parse", "perfci-history")
    code, out, _ = perfci("history", "push", runs[0])
    assert (code, out) == (0, "1 of 1 runs were there already\n")
    assert git(remote, "rev-parse", "perfci-history") == tip
    assert perfci("history", "push", *runs)[1].startswith("added run 20261121-101502-f00d")
    assert git(remote, "rev-list", "--count", "perfci-history") == "2"


@pytest.mark.skipif(sys.platform != "linux", reason="file systems elsewhere take UTF-8 only")
def test_a_foreign_file_may_have_any_name(
    perfci: Perfci, remote: Path, clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that somebody else has put on the branch stays there, although its name is not UTF-8."""
    monkeypatch.chdir(clone("job"))
    runs = [some_run(number, folder=tmp_path) for number in (1, 2)]
    assert perfci("history", "push", str(runs[0]))[0] == 0
    git(tmp_path, "clone", "-q", "--branch", "perfci-history", str(remote), "other")
    (tmp_path / "other" / os.fsdecode(b"\xe9")).touch()
    git(tmp_path / "other", "add", ".")
    git(tmp_path / "other", "commit", "-q", "-m", "a file")
    git(tmp_path / "other", "push", "-q")
    assert perfci("history", "push", str(runs[1]))[0] == 0
    assert kept(remote) == [run.name for run in runs]
    assert "\\351" in git(remote, "ls-tree", "--name-only", "perfci-history")


PUSH = """
import os, sys
from pathlib import Path
from perfci.cli import main
os.chdir(sys.argv[1])
for run in sys.argv[2:]:
    sys.argv = ["perfci", "history", "push", run]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, ended.code
"""


def test_writers_at_once_lose_nothing_and_rewrite_nothing(remote: Path, clone: Clone, tmp_path: Path) -> None:
    """Two jobs push three runs each at the same time: one commit for each run, each the child of the one before."""
    started = []
    for writer in range(2):
        runs = [some_run(10 * writer + number, folder=tmp_path) for number in range(3)]
        command = [sys.executable, "-c", PUSH, str(clone(f"job-{writer}")), *map(str, runs)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
    outputs = [process.communicate(timeout=180)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0], outputs
    numbers = [10 * writer + number for writer in range(2) for number in range(3)]
    assert kept(remote) == [f"20261121-1015{number:02d}-f00d" for number in numbers]
    assert git(remote, "rev-list", "--count", "perfci-history") == "6"
    assert git(remote, "rev-list", "--count", "--min-parents=2", "perfci-history") == "0"


def test_a_writer_that_is_overtaken_adds_to_what_the_other_left(remote: Path, clone: Clone) -> None:
    """Between fetch and push another run comes in: the change is made again, from the new files."""
    slow, fast = (HistoryBranch(root=clone(name), environ={}) for name in ("slow", "fast"))
    counts: list[int] = []

    def write(files: history.Files, name: str) -> dict[str, str]:
        return {history.MARKER_FILE: '{"schema": 1, "about": ""}', name: "run"}

    def overtaken(files: history.Files) -> dict[str, str]:
        counts.append(len(files.paths()))
        if len(counts) == 1:
            fast.update(lambda others: write(others, "fast.json"), message="fast")
        return write(files, "slow.json")

    assert slow.update(overtaken, message="slow")
    assert counts == [0, 2]
    assert git(remote, "log", "--format=%s", "perfci-history").split() == ["slow", "fast"]
    assert list(slow.files().paths()) == ["fast.json", "history.json", "slow.json"]


def test_a_branch_of_something_else_is_refused(clone: Clone) -> None:
    """`--branch main` would put runs among the code."""
    place = HistoryBranch(root=clone("job"), environ={}, branch="main")
    with pytest.raises(ResultError, match=r"branch main of origin has files and no history\.json"):
        place.update(lambda _: {"a": "b"}, message="one")


NAMES = [
    ("--upload-pack=touch", "a"),
    ("ext::sh -c touch", "a"),
    ("", "a"),
    ("origin", "a b"),
    ("origin", "-d"),
    ("origin", "../x"),
]


@pytest.mark.parametrize(("remote_name", "branch"), NAMES)
def test_names_that_git_would_take_for_something_else_are_refused(clone: Clone, remote_name: str, branch: str) -> None:
    """Options, commands and paths are neither remotes nor branches."""
    with pytest.raises(ConfigError, match="cannot be"):
        HistoryBranch(root=clone("job"), environ={}, remote=remote_name, branch=branch).files()


def test_a_remote_that_refuses_is_told_with_exit_code_4(
    perfci: Perfci, remote: Path, clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A protected branch is no other writer: nothing is tried again, and git's own words are shown."""
    hook = remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho this branch is protected\nexit 1\n")
    hook.chmod(0o755)
    monkeypatch.chdir(clone("job"))
    code, _, err = perfci("history", "push", str(some_run(1, folder=tmp_path)))
    assert code == 4
    assert "git push failed for branch perfci-history of origin" in err
    assert "this branch is protected" in err
    assert "contents: write" in err


def test_a_remote_that_is_gone_is_told_without_its_password(clone: Clone) -> None:
    """What git prints may hold the address."""
    place = HistoryBranch(root=clone("job"), environ={}, remote="file://bot:hunter2@/nowhere.git")
    with pytest.raises(PublishError) as caught:
        place.files()
    assert "hunter2" not in str(caught.value)
    assert "git fetch failed" in str(caught.value)


def test_a_run_of_a_pull_request_is_refused(
    perfci: Perfci, clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that is never merged is no part of the history of main."""
    monkeypatch.chdir(clone("job"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    code, _, err = perfci("history", "push", str(some_run(1, folder=tmp_path)))
    assert code == 2
    assert "a history keeps runs of the main branch" in err


def test_a_token_is_the_password_of_its_own_server_alone() -> None:
    """git itself says which header it would send where; what is configured by variables already stays."""
    environ = {
        "PATH": os.environ["PATH"],
        "PERFCI_TOKEN": "ghs_canary",
        "GITHUB_SERVER_URL": "https://github.example",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.abbrev",
        "GIT_CONFIG_VALUE_0": "12",
    }

    def git_config(*arguments: str) -> str:
        command = ["git", "config", *arguments]
        return subprocess.run(command, env=with_token(environ), capture_output=True, text=True, check=False).stdout

    header = git_config("--get-urlmatch", "http.extraheader", "https://github.example/octo/shop")
    assert header == "AUTHORIZATION: basic eC1hY2Nlc3MtdG9rZW46Z2hzX2NhbmFyeQ==\n"
    assert git_config("--get-urlmatch", "http.extraheader", "https://elsewhere.example/octo/shop") == ""
    assert git_config("core.abbrev") == "12\n"
