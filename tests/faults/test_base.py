"""A base that cannot be had, in a real repository: never green, and told by its cause."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from perfci.errors import ExitCode
from perfci.model import Verdict
from tests.fakes.shell import Shell, shell_in
from tests.faults import Fault, fault
from tests.faults.scenes import PROFILE

pytestmark = pytest.mark.kind("J")

CONFIG = """
[target]
kind = "command"
command = ["{python}", "-m", "tests.fakes.toy", "--port", "{port}"]

[profiles.toy]
locustfile = "visitor.py"
[profiles.toy.scenarios.short]
users = 1
duration = "1s"
"""
COMMAND = '["{python}", "-m", "tests.fakes.toy", "--port", "{port}"]'
NEEDS_SETTINGS = CONFIG.replace(COMMAND, '["cat", "settings"]\nenv = { PORT = "{port}" }')


def _git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.test", "-c", "protocol.file.allow=always")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True, timeout=30
    )
    return done.stdout.strip()


def _commit(folder: Path) -> str:
    _git(folder, "add", "--all")
    _git(folder, "commit", "-q", "--allow-empty", "-m", "a commit")
    return _git(folder, "rev-parse", "HEAD")


def _mistyped(shell: Shell) -> tuple[str, ...]:
    return ("--base", "mian")


def _shallow(shell: Shell) -> tuple[str, ...]:
    """A pull request whose merge was checked out alone."""
    _git(shell.project, "checkout", "-q", "--detach", "HEAD~1")
    _git(shell.project, "commit", "-q", "--allow-empty", "-m", "the change")
    head = _git(shell.project, "rev-parse", "HEAD")
    _git(shell.project, "checkout", "-q", "--detach", "main")
    _git(shell.project, "merge", "-q", "--no-ff", "-m", "the merge", head)
    _git(shell.project, "branch", "merged")
    clone = shell.project.with_name("clone")
    _git(shell.project, "clone", "-q", "--depth", "1", "--branch", "merged", f"file://{shell.project}", str(clone))
    shutil.rmtree(shell.project)
    clone.rename(shell.project)
    event = shell.project.with_name("event.json")
    change = {"number": 1, "head": {"sha": head}, "base": {"sha": "1" * 40, "ref": "main"}}
    event.write_text(json.dumps({"pull_request": change}))
    job = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(event)}
    shell.environ.update(job)
    return ()


def _another_users(shell: Shell) -> tuple[str, ...]:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    subprocess.run(["chown", "-R", "12345:12345", shell.project], check=True)
    shell.environ["HOME"] = str(shell.project.parent)
    return ("--base", "main~1")


def _submodule(shell: Shell) -> tuple[str, ...]:
    """The base needs a commit that a shallow checkout of the submodule lacks."""
    library = shell.project.with_name("library")
    library.mkdir()
    _git(library, "init", "-q", "-b", "main")
    _commit(library)
    _git(shell.project, "submodule", "add", "-q", f"file://{library}", "library")
    base = _commit(shell.project)
    _commit(library)
    shutil.rmtree(shell.project / "library")
    shutil.rmtree(shell.project / ".git" / "modules" / "library")
    _git(shell.project, "clone", "-q", "--depth", "1", f"file://{library}", "library")
    _commit(shell.project)
    return ("--base", base)


def _made_by_a_step(shell: Shell) -> tuple[str, ...]:
    (shell.project / "perfci.toml").write_text(NEEDS_SETTINGS)
    base = _commit(shell.project)
    (shell.project / "settings").write_text("")
    return ("--base", base)


@pytest.mark.parametrize(
    "arrange",
    [
        pytest.param(
            _mistyped,
            marks=fault(
                "base",
                "mistyped name",
                seen="the local git has no commit 'mian'",
                then="check the name: `git branch --all` and `git tag` list those that this clone has",
                exit=ExitCode.USAGE,
            ),
        ),
        pytest.param(
            _shallow,
            marks=fault(
                "base",
                "shallow clone of a pull request",
                seen="the local git has no commit '…': this clone is shallow",
                then="actions/checkout with `fetch-depth: 2` brings it",
                exit=ExitCode.NOT_MEASURED,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            _another_users,
            marks=fault(
                "base",
                "the folder belongs to another user",
                seen="git refuses: fatal: detected dubious ownership in repository at …",
                then="trust it in a step before perfci: `git config --global --add safe.directory …`",
                exit=ExitCode.NOT_MEASURED,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            _submodule,
            marks=fault(
                "base",
                "a submodule lacks the commit",
                seen="the base needs the submodule library at …, which the local git does not have",
                then="fetch it in a step before perfci: git -C library fetch origin …",
                exit=ExitCode.NOT_MEASURED,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            _made_by_a_step,
            marks=fault(
                "base",
                "a file of an earlier step is missing",
                seen="the base does not start: the target ended before it was ready: …",
                then="the working tree has settings, but git and the base do not: name it in"
                ' `prepare = { copy = ["settings"] }` of [target], on the base branch, too',
                exit=ExitCode.NOT_MEASURED,
                verdict=Verdict.INVALID,
            ),
        ),
    ],
)
def test_a_base_that_cannot_be_had_is_never_green(
    tmp_path: Path, expected: Fault, arrange: Callable[[Shell], tuple[str, ...]]
) -> None:
    """The cause and the next step are told; no work tree is left."""
    files = {"perfci.toml": CONFIG, "visitor.py": PROFILE}
    with shell_in(tmp_path / "project", files, state=tmp_path / "state") as shell:
        _git(shell.project, "init", "-q", "-b", "main")
        for _ in range(2):
            _commit(shell.project)
        done = shell.perfci("run", "toy", *arrange(shell), "--census", "off", "--output", str(tmp_path / "out"))
    expected.check(code=done.returncode, text=done.stdout + done.stderr)
    assert list(tmp_path.glob("state/perfci/**/*.*")) == []
