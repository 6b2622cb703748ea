"""What a comment accepted in a pull request is kept with the run that first has it, over real HTTP and a real git."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfci import store
from perfci.model import Acceptance, Side
from perfci.store import history
from perfci.store.history_folder import HistoryFolder
from tests.builders import a_run
from tests.fakes.github import FakeGitHub, Pull
from tests.fakes.github_repository import Remote
from tests.fakes.shell import Perfci
from tests.integration.test_history_branch import git

HEAD, SERIES = "0ddba115" * 5, "GET /tickets/ service_time"


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """A repository with three commits on its main branch."""
    folder = tmp_path / "repository"
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    for number in range(3):
        git(folder, "commit", "-q", "--allow-empty", "-m", str(number))
    return folder


@pytest.fixture
def api(main: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    """An API on which the second commit came with a pull request, and the variables of the nightly job."""
    second = git(main, "rev-parse", "main~1")
    pull = Pull(number=7, sha=HEAD, state="closed", merged=second)
    with FakeGitHub(pulls=[pull], remote=Remote(main)) as started:
        started.permissions = {"octo": "write"}
        for name, value in {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": "schedule",
            "GITHUB_REPOSITORY": started.repository,
            "GITHUB_API_URL": started.url,
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_RUN_ID": "41",
            "GITHUB_SHA": git(main, "rev-parse", "main"),
            "PERFCI_TOKEN": "ghs_canary",
        }.items():
            monkeypatch.setenv(name, value)
        yield started


def pushed(perfci: Perfci, folder: Path, night: int, commit: str, *, note: str = "") -> tuple[Acceptance, ...]:
    """The acceptances that are kept with the run of *commit*, when the nightly job has pushed it, with this *note*."""
    run = replace(
        a_run(),
        id=f"202611{night:02d}-030000-f00d",
        created_at=f"2026-11-{night:02d}T03:00:00Z",
        commits={Side.BASE: "", Side.CANDIDATE: commit},
    )
    store.save(run, folder / run.id / "run.json")
    code, out, err = perfci("history", "push", "--folder", str(folder / "history"), str(folder / run.id))
    assert (code, err) == (0, "")
    assert note in out
    assert ("is not kept" in out) == bool(note)
    rows = history.rows(HistoryFolder(folder / "history").files(), run.profile, run.scenario)
    return next(row for row in rows if row.run == run.id).acceptances


def test_the_run_after_the_merge_keeps_who_accepted_what(
    perfci: Perfci, api: FakeGitHub, main: Path, tmp_path: Path
) -> None:
    """Also where the next run is of a later commit; the run after that has nothing new."""
    api.add_comment(7, f"The audit costs it.\n/perf accept {SERIES} at {HEAD}", login="octo")
    first, tip = git(main, "rev-parse", "main~2"), git(main, "rev-parse", "main")
    assert pushed(perfci, tmp_path, 20, first) == ()
    (acceptance,) = pushed(perfci, tmp_path, 21, tip)
    assert (acceptance.series, acceptance.by, acceptance.commit) == ("GET /tickets/ service time", "octo", HEAD)
    assert acceptance.why == "The audit costs it."
    assert pushed(perfci, tmp_path, 22, tip) == ()


@pytest.mark.parametrize(
    "comment",
    [
        {"body": f"/perf accept {SERIES} at {HEAD}", "login": "mallory"},
        {"body": f"/perf accept {SERIES} at {'f00dfeed' * 5}", "login": "octo"},
        {"body": f"/perf accept {SERIES} at {HEAD}", "login": "octo", "edited": True},
    ],
)
def test_what_accepts_nothing_at_the_gate_is_not_kept(
    perfci: Perfci, api: FakeGitHub, main: Path, tmp_path: Path, comment: dict[str, Any]
) -> None:
    """Somebody without write access, another head than the one that was merged, and an edited comment."""
    api.add_comment(7, **comment)
    pushed(perfci, tmp_path, 20, git(main, "rev-parse", "main~2"))
    assert pushed(perfci, tmp_path, 21, git(main, "rev-parse", "main")) == ()


def test_a_run_is_kept_where_the_api_refuses(perfci: Perfci, api: FakeGitHub, main: Path, tmp_path: Path) -> None:
    """Nothing that was measured is lost for a right that the job lacks."""
    api.fail("GET", r".*/commits/.*/pulls", status=403)
    note = "what comments have accepted is not kept with run 20261120-030000-f00d: the API refuses the pull requests of"
    assert pushed(perfci, tmp_path, 20, git(main, "rev-parse", "main"), note=note) == ()
