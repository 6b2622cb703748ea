"""The composite Action, run by act with real Docker Compose, against a small GitHub API on loopback."""

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.shop import TOKEN, Job, Shop, containers
from tests.fakes.github import FakeGitHub, Pull

pytestmark = pytest.mark.e2e

SLOW_60 = "GET /tickets/=1.6"
SLOW_10 = "GET /tickets/=1.1"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, toolchain: Mapping[str, str]) -> Shop:
    """A repository whose service is the demo."""
    return Shop(tmp_path_factory.mktemp("paired"), toolchain)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory, toolchain: Mapping[str, str]) -> Shop:
    """The same with a baseline of three runs, recorded here and committed on main."""
    shop = Shop(tmp_path_factory.mktemp("stored"), toolchain)
    for _ in range(3):
        measured = shop.perfci(
            "run", "tickets:e2e", "--environment", "compose", "--against", "baseline", "--census", "off",
            "--fail-on", "never",
        )  # fmt: skip
        assert measured.returncode == 0, measured.stdout + measured.stderr
        newest = max((shop.folder / ".perfci" / "runs").iterdir())
        recorded = shop.perfci("baseline", "record", str(newest))
        assert recorded.returncode == 0, recorded.stderr
    shop.commit("a baseline")
    return shop


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """No container of ours may outlive a job."""
    before = containers()
    yield
    assert containers() <= before


def _run(
    shop: Shop,
    number: int,
    *,
    wanted: str,
    slow: str = "",
    faults: str = "",
    against: str = "auto",
    blocks: int = 6,
    rounds: int = 3,
    census: str = "off",
    profile: str = "tickets:e2e",
) -> tuple[Job, FakeGitHub]:
    """
    The job for a change that is slowed down as *slow* says and works as *faults* say, at most twice.

    A gate that can say "cannot tell" says so now and then on a restless machine; *wanted* is then asked for once more.
    Any other verdict is the test's to judge.
    """
    head = shop.change(
        slow=slow, faults=faults, against=against, blocks=blocks, rounds=rounds, census=census, profile=profile
    )
    for _ in range(2):
        with FakeGitHub(pulls=[Pull(number=number, sha=head, label="octo:change")]) as api:
            job = shop.job(api, head=head, number=number)
        _no_secret_in(job)
        if f"verdict={wanted}" in job.log or "verdict=inconclusive" not in job.log:
            break
    return job, api


def _no_secret_in(job: Job) -> None:
    assert TOKEN not in job.log
    assert job.artifact is not None, job.log[-4000:]
    with zipfile.ZipFile(job.artifact) as archive:
        names = archive.namelist()
        assert {"report.html", "report.txt", "result.json", "run.json"} <= {Path(name).name for name in names}
        assert any("logs/" in name for name in names)
        assert not any(TOKEN.encode() in archive.read(name) for name in names)


def _red(job: Job, api: FakeGitHub) -> None:
    """The comment names the endpoint first, the report has charts, and everything was there before the gate failed."""
    assert not job.green, job.log[-6000:]
    (comment,) = api.comments
    first, verdict, *_ = comment.body.splitlines()
    assert first.startswith("<!-- perfci:v1 key=")
    assert "REGRESSION" in verdict.upper()
    rows = [line for line in comment.body.splitlines() if line.startswith("| ") and "`GET" in line]
    assert "`GET /tickets/`" in rows[0]
    assert "seen-by-the-caller verdict=regression comment=created" in job.log
    assert job.artifact is not None
    with zipfile.ZipFile(job.artifact) as archive:
        page = next(archive.read(name) for name in archive.namelist() if Path(name).name == "report.html")
    assert b"<svg" in page  # the environment of the Action has what draws the charts
    steps = ["Main Keep the evidence", "Main Publish", "Main Clean up", "Main Gate"]
    places = [job.log.index(step) for step in steps]
    assert places == sorted(places)
    assert "exit status 10" in job.log


def test_must_27_paired_unchanged(shop: Shop) -> None:
    """Side by side, a change that changes nothing is green, and nobody is told; or what could not be settled is."""
    job, api = _run(shop, 1, wanted="inconclusive", blocks=3, census="auto", profile="tickets:whole")  # or a pass
    assert job.green, job.log[-6000:]
    if "seen-by-the-caller verdict=pass comment=skipped" in job.log:
        assert api.comments == []
    else:
        assert "seen-by-the-caller verdict=inconclusive comment=created" in job.log
        assert "can neither be called changed nor unchanged" in api.comments[0].body


def test_must_27_paired_much_slower(shop: Shop) -> None:
    """Side by side, an endpoint that takes 60 % longer fails the job, after everybody was told."""
    _red(*_run(shop, 2, wanted="regression", slow=SLOW_60, blocks=3, profile="readers:e2e"))


def test_paired_slightly_slower(shop: Shop) -> None:
    """Side by side, 10 % on one endpoint are enough."""
    _red(*_run(shop, 3, wanted="regression", slow=SLOW_10, profile="readers:e2e"))


def test_counted_work(shop: Shop) -> None:
    """A query for every row is red with nothing timed, and the comment shows the statement."""
    job, api = _run(shop, 6, wanted="regression", faults="n-plus-one", census="only")
    _red(job, api)
    (comment,) = api.comments
    assert "| `GET /tickets/` | db/statements |" in comment.body
    assert "**N+1**" in comment.body
    assert "FROM users WHERE users.id = ?" in comment.body


def test_stored_baseline_unchanged(stored: Shop) -> None:
    """Against three stored runs of this machine, a change that changes nothing is green, and was compared."""
    job, _ = _run(stored, 4, wanted="inconclusive", against="baseline")  # or a pass: three runs settle little
    assert job.green, job.log[-6000:]
    assert "seen-by-the-caller verdict=pass" in job.log or "seen-by-the-caller verdict=inconclusive" in job.log


def test_stored_baseline_much_slower(stored: Shop) -> None:
    """Against three stored runs of this machine, 60 % on one endpoint fail the job."""
    _red(*_run(stored, 5, wanted="regression", slow=SLOW_60, against="baseline"))


def test_the_stored_runs_say_where_they_come_from(stored: Shop) -> None:
    """A baseline file names the machine, the load and the data that it holds for."""
    files = sorted((stored.folder / "baselines" / "tickets-e2e").glob("*.json"))
    assert len(files) == 3
    fingerprint = json.loads(files[0].read_text())["fingerprint"]
    assert fingerprint["machine"]["cpu_model"]
    assert fingerprint["plan"]["users"] == 1
    assert fingerprint["seed_digest"]
