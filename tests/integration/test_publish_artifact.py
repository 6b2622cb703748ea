"""`perfci publish --from`: what a job with the change's code has measured is judged again, over real HTTP."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from perfci.errors import ExitCode
from perfci.judge.census.accept import to_commit
from perfci.judge.policy import DEFAULT
from perfci.model import Run, Side, Verdict
from perfci.pipeline.documents import read, read_exit
from perfci.store import record, save_census
from tests.builders import a_baseline, a_census, a_counted_run, a_paired_run, a_run
from tests.fakes.judging import Judge
from tests.fakes.measured import ARTIFACT, CONFIG, RUN, TOKEN, archived

SLOWER = a_paired_run(slower={"GET /tickets/": 1.5})


def test_a_regression_is_told_everywhere(judging: Judge) -> None:
    """Comment, commit status, outputs and the gate's exit code, from the numbers alone."""
    job = judging()
    job.upload(SLOWER)
    code, out, err = job.publish()
    assert (code, err) == (0, "")
    assert "Regression" in job.comment
    assert "Untrusted" not in job.comment
    (status,) = job.remote.statuses
    assert (status["sha"], status["state"], status["context"]) == (job.change.head, "failure", "perfci / tickets:smoke")
    assert status["description"].startswith("regression: GET /tickets/ is ")
    assert len(status["description"]) <= 140
    assert "\nregression\n" in job.outputs
    assert "comment: created" in out
    assert read_exit(job.folder / "run") is ExitCode.REGRESSION
    assert TOKEN not in out + err + job.comment + job.outputs


def test_a_pass_sets_a_green_status(judging: Judge) -> None:
    """And says nothing else where nothing was said before."""
    job = judging()
    job.upload(a_paired_run())
    assert job.publish()[0] == 0
    assert [status["state"] for status in job.remote.statuses] == ["success"]
    assert job.api.comments == []
    assert read_exit(job.folder / "run") is ExitCode.OK


@pytest.mark.parametrize("event", ["pull_request", "workflow_run"])
def test_must_19_a_fork_is_told_by_another_workflow(judging: Judge, event: str) -> None:
    """Its own job writes nothing; a workflow_run writes comment and status, labelled, from the same artifact."""
    job = judging()
    job.upload(SLOWER)
    code, out, _ = job.publish(event=event, fork=True)
    assert code == 0
    if event == "pull_request":
        assert "comment: deferred" in out
        assert (job.api.comments, job.remote.statuses) == ([], [])
    else:
        assert "**Untrusted:**" in job.comment
        assert f"https://git.example/octo/shop/actions/runs/{RUN}" in job.comment
        assert [(status["sha"], status["state"]) for status in job.remote.statuses] == [(job.change.head, "failure")]
    assert read_exit(job.folder / "run") is ExitCode.REGRESSION


def test_dependabots_run_is_labelled(judging: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its branch is in the repository, and its code is somebody else's."""
    job = judging()
    job.upload(SLOWER)
    monkeypatch.setenv("GITHUB_ACTOR", "dependabot[bot]")
    pull = job.api.pulls[7]
    job.api.pulls[7] = replace(pull, label="octo:feature")
    assert job.publish(event="workflow_run")[0] == 0
    assert "**Untrusted:**" in job.comment


LENIENT = f'fail_on = "never"\n{CONFIG}'


def test_must_21_the_policy_is_the_bases(judging: Judge) -> None:
    """A change that allows itself more is judged by the base, and the reader is told of the attempt."""
    job = judging(edits={"perfci.toml": LENIENT, "load/tickets.py": "# lighter\n"})
    job.upload(SLOWER)
    assert job.publish()[0] == 0
    assert "Regression" in job.comment
    assert "this change edits fail\\_on: the base decides" in job.comment
    assert read_exit(job.folder / "run") is ExitCode.REGRESSION
    assert "this change edits the load" in job.comment
    relaxed = judging("relaxed", base={"perfci.toml": LENIENT})
    relaxed.upload(SLOWER)
    assert relaxed.publish()[0] == 0
    assert "this change edits" not in (relaxed.folder / "run" / "report.md").read_text()
    assert read_exit(relaxed.folder / "run") is ExitCode.OK


def test_a_base_without_a_policy(judging: Judge) -> None:
    """The change's own decides, and that is said first."""
    job = judging(base={"perfci.toml": "", "shop.toml": ""}, edits={"new.toml": CONFIG})
    job.upload(SLOWER)
    assert job.publish("--config", "new.toml")[0] == 0
    assert "the base has no new.toml: this change's own policy decides" in job.comment


def test_stored_runs_are_the_bases(judging: Judge, tmp_path: Path) -> None:
    """Those that the change adds take no part, and it is said that it edits them."""
    for run in a_baseline(runs=3).runs:
        record(run, tmp_path / "base")
    for run in a_baseline(runs=5, rng_seed=9).runs[3:]:
        record(run, tmp_path / "own")

    def stored(folder: str) -> dict[str, str]:
        files = (tmp_path / folder / "tickets-smoke").glob("*.json")
        return {f"baselines/tickets-smoke/{file.name}": file.read_text() for file in files}

    config = f'against = "baseline"\n{CONFIG}'
    job = judging(base={"perfci.toml": config, **stored("base")}, edits=stored("own"))
    job.upload(a_run())
    code, _, err = job.publish()
    assert (code, err) == (0, "")
    outcome = read(job.folder / "run")
    assert outcome.subject.reference_name == "3 runs in baselines/tickets-smoke"
    assert "baselines-changed" in {finding.code for finding in outcome.findings}


def test_accepted_work_is_that_of_the_commits(judging: Judge, tmp_path: Path) -> None:
    """What the run says of census.json is not believed: more work is accepted where the change's own file has it."""
    run = a_counted_run(a_census(1), a_census(4))
    committed = to_commit(run, DEFAULT)
    assert committed is not None
    save_census(committed, tmp_path / "census.json")
    forged = replace(run, committed={Side.CANDIDATE: committed})
    job = judging()
    job.upload(forged)
    assert job.publish()[0] == 0
    assert read(job.folder / "run").verdict is Verdict.REGRESSION
    own = {"baselines/tickets-smoke/census.json": (tmp_path / "census.json").read_text()}
    other = judging("accepted", edits=own)
    other.upload(forged)
    assert other.publish()[0] == 0
    assert read(other.folder / "run").verdict is not Verdict.REGRESSION
    assert "☑️ accepted" in (other.folder / "run" / "report.md").read_text()


@pytest.mark.parametrize("event", ["pull_request", "workflow_run"])
def test_nothing_measured_is_told_and_never_green(judging: Judge, event: str) -> None:
    """A measuring job that left no artifact is a verdict, with a comment and a status."""
    job = judging()
    assert job.publish(event=event, fork=event == "workflow_run")[0] == 0
    assert "the measuring job left no run" in job.comment
    assert [status["state"] for status in job.remote.statuses] == ["error"]
    assert read_exit(job.folder / "run") is ExitCode.NOT_MEASURED


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (a_run(), "the base was not measured"),
        (replace(a_paired_run(), rounds=(), complete=False, incidents=("no disk",)), "nothing was measured: no disk"),
        (replace(a_paired_run(), complete=False), "ended before all planned rounds"),
    ],
    ids=["one side", "no round", "half"],
)
def test_a_run_that_proves_nothing_is_invalid(judging: Judge, run: Run, reason: str) -> None:
    """One side alone is no comparison with a base, whatever the artifact is called."""
    job = judging()
    job.upload(run)
    assert job.publish()[0] == 0
    assert reason in job.comment
    assert read_exit(job.folder / "run") is ExitCode.NOT_MEASURED


def test_the_newest_attempt_is_judged(judging: Judge) -> None:
    """A pattern names the gate; of its attempts the last one counts."""
    job = judging()
    job.upload(SLOWER)
    content = archived(job.change.run(a_paired_run()), job.folder)
    job.remote.add_artifact(RUN, ARTIFACT[:-1] + "2", content)
    assert job.publish("--from", "perfci-*")[0] == 0
    assert read_exit(job.folder / "run") is ExitCode.OK


@pytest.mark.parametrize("trigger", ["push", "workflow_dispatch", ""])
def test_must_20_other_runs_are_not_published_for(judging: Judge, trigger: str) -> None:
    """A workflow_run after anything but pull_request has nobody to tell."""
    job = judging()
    job.upload(SLOWER)
    code, _, err = job.publish(event="workflow_run", trigger=trigger)
    assert code == 2
    assert "only runs of pull_request are published by another workflow" in err
    assert (job.api.comments, job.remote.statuses) == ([], [])


@pytest.mark.parametrize("state", ["closed", "moved on"])
def test_a_pull_request_that_went_on_is_left_alone(judging: Judge, state: str) -> None:
    """Nobody is told of a commit that is no open pull request's head."""
    job = judging()
    job.upload(SLOWER)
    pull = job.api.pulls[7]
    job.api.pulls[7] = replace(pull, state="closed") if state == "closed" else replace(pull, sha=job.change.base)
    code, _, err = job.publish(event="workflow_run")
    assert code == 4
    assert "no open pull request has" in err
    assert (job.api.comments, job.remote.statuses) == ([], [])


@pytest.mark.parametrize(
    ("path", "status"), [*itertools.product([r"/statuses/", r"/comments$"], [403, 404, 422]), (r"/statuses/", 500)]
)
def test_must_10_what_cannot_be_written_changes_no_verdict(judging: Judge, path: str, status: int) -> None:
    """One warning, and the gate ends as it was judged."""
    job = judging()
    job.upload(SLOWER)
    job.api.fail("POST", path, status=status)
    code, out, _ = job.publish()
    assert code == 0
    assert out.count("::warning") == 1
    assert read_exit(job.folder / "run") is ExitCode.REGRESSION


@pytest.mark.parametrize(
    ("path", "status"), [*itertools.product(["/contents/", "/actions/", "/commits/"], [401, 403]), ("/actions/", 500)]
)
def test_what_cannot_be_read_is_no_verdict(judging: Judge, path: str, status: int) -> None:
    """Without the base's policy or the artifact nothing is judged, and nothing is green."""
    job = judging()
    job.upload(SLOWER)
    job.api.fail("GET", path, status=status)
    code, _, err = job.publish()
    assert code in {3, 4}
    assert "HTTP" in err
    assert "Traceback" not in err
    assert TOKEN not in err
    assert (job.api.comments, job.remote.statuses, job.outputs) == ([], [], "")


@pytest.mark.parametrize(
    ("given", "variables", "context"),
    [
        ([], {"PERFCI_KEY": "nightly"}, "perfci / tickets:smoke (nightly)"),
        (["--config", "./perfci.toml", "--environment", "big"], {}, "perfci / tickets:smoke (big, ./perfci.toml)"),
    ],
)
def test_must_12_two_gates_have_two_statuses(
    judging: Judge, monkeypatch: pytest.MonkeyPatch, given: list[str], variables: dict[str, str], context: str
) -> None:
    """Environment, configuration and key tell gates of one profile apart, for branch rules, too."""
    job = judging(base={"perfci.toml": f"{CONFIG}[environments.big.target]\n"})
    job.upload(SLOWER)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    code, _, err = job.publish(*given)
    assert (code, err) == (0, "")
    assert [status["context"] for status in job.remote.statuses] == [context]


@pytest.mark.parametrize("event", ["merge_group", "push"])
def test_must_23_a_commit_without_a_pull_request_is_judged(judging: Judge, event: str) -> None:
    """A merge group by its base's policy, a push by its own; there is a status, and nobody to comment to."""
    job = judging(edits={"perfci.toml": LENIENT})
    job.remote.runs[RUN] = job.change.merge
    job.upload(SLOWER)
    code, out, err = job.publish(event=event)
    assert (code, err) == (0, "")
    assert "comment: skipped" in out
    assert [status["sha"] for status in job.remote.statuses] == [job.change.merge]
    expected = ExitCode.REGRESSION if event == "merge_group" else ExitCode.OK
    assert read_exit(job.folder / "run") is expected


@pytest.mark.parametrize("event", ["pull_request", "workflow_run"])
def test_must_21_another_branch_has_another_status(judging: Judge, event: str) -> None:
    """A pull request that was judged by a lenient branch's policy is not green for the default branch."""
    job = judging()
    job.upload(a_paired_run())
    job.api.pulls[7] = replace(job.api.pulls[7], branch="lenient")
    assert job.publish(event=event, fork=event == "workflow_run", branch="lenient")[0] == 0
    contexts = [status["context"] for status in job.remote.statuses]
    assert contexts == ["perfci / tickets:smoke into lenient"]
