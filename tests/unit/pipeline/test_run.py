"""Whole runs without a service: the schedule, the verdicts, and what is left when something fails between blocks."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfci import store
from perfci.config import Against, FailOn
from perfci.errors import ExitCode, Interrupted, LoadError, SeedError, TargetError
from perfci.model import Reference, Role, Round, RoundKind, SeriesVerdict, Side, Verdict, Weight
from perfci.pipeline.ports import Ports
from perfci.pipeline.request import Counting, Request
from perfci.pipeline.run import Result, run
from tests.builders import a_baseline, a_census, a_round, some_rounds
from tests.fakes.replay import Recorded
from tests.fakes.replay import project as write_project
from tests.unit.pipeline.conftest import run_git

Runs = Callable[..., tuple[Result, Recorded]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one commit."""
    folder = tmp_path / "project"
    write_project(folder)
    run_git(folder, "init", "-q", "-b", "main")
    run_git(folder, "add", ".")
    run_git(folder, "commit", "-q", "-m", "one")
    return folder


@pytest.fixture
def measured(ports: Ports) -> Runs:
    """Runs a request on recorded rounds."""

    def runs(recorded: Recorded, **asked: Any) -> tuple[Result, Recorded]:
        request = Request(**{"profile": "tickets", "base": "main", **asked})
        return run(request, replace(ports, rig=recorded.rig)), recorded

    return runs


def candidate_rounds() -> tuple[Round, ...]:
    """Load rounds of the candidate alone."""
    return some_rounds(kinds=(RoundKind.LOAD,), sides=(Side.CANDIDATE,), blocks=4)


def _silent(measured: Round) -> Round:
    """A round whose generator was starved."""
    assert measured.generator is not None
    return replace(measured, generator=replace(measured.generator, complete=False))


@pytest.mark.parametrize(
    ("rounds", "verdict", "code"),
    [
        (some_rounds(), Verdict.PASS, ExitCode.OK),
        (some_rounds(slower={"GET /tickets/": 1.5}), Verdict.REGRESSION, ExitCode.REGRESSION),
        (some_rounds(scatter=0.3), Verdict.INCONCLUSIVE, ExitCode.OK),
        (tuple(map(_silent, some_rounds())), Verdict.INVALID, ExitCode.NOT_MEASURED),
    ],
)
def test_the_verdict_of_a_whole_run(
    measured: Runs, rounds: tuple[Round, ...], verdict: Verdict, code: ExitCode
) -> None:
    """From the configuration to the exit code, with nothing replaced but the rig."""
    result, _ = measured(Recorded(rounds=rounds))
    assert (result.outcome.verdict, result.exit_code) == (verdict, code)
    stored = store.load(result.folder)
    assert stored.complete
    assert len(stored.rounds) == len(rounds)
    assert (result.folder / "exit-code").read_text() == f"{int(code)}\n"


def test_blocks_start_and_stop_in_turn(measured: Runs) -> None:
    """Each block starts both sides anew, the other one first, and stops them before the next."""
    _, recorded = measured(Recorded(rounds=some_rounds()))
    assert recorded.steps[:2] == ["prepare candidate", "prepare base"]
    assert recorded.steps[2:10] == [
        *("start base 1", "seed base 1", "start candidate 1", "seed candidate 1"),
        *("duet 1", "load base 1", "load candidate 1", "stop 1"),
    ]
    assert recorded.steps[10] == "start candidate 2"
    assert [step for step in recorded.steps if step.startswith("stop")] == [f"stop {n}" for n in range(1, 9)]


def test_without_turns_every_block_has_its_load_and_load_decides(measured: Runs, project: Path) -> None:
    """Where contention is what one looks for."""
    write_project(project, paired="blocks = 4, duet = 0, load_blocks = 0")
    run_git(project, "commit", "-q", "-am", "load alone")
    result, recorded = measured(Recorded(rounds=some_rounds(kinds=(RoundKind.LOAD,), blocks=4)))
    assert [step for step in recorded.steps if step.startswith(("duet", "load candidate"))] == [
        f"load candidate {block}" for block in range(1, 5)
    ]
    budgets = {each.comparison.series.metric.name: each.comparison.budget for each in result.outcome.decisions}
    assert budgets["trimmed_gmean"].role is Role.REQUIRED


@pytest.mark.parametrize(
    ("limit", "verdict", "code"),
    [
        (1000, Verdict.PASS, ExitCode.OK),
        (1, Verdict.SLO_BREACH, ExitCode.REGRESSION),
        (None, Verdict.INCONCLUSIVE, ExitCode.OK),
    ],
)
def test_limits_alone_need_one_side_and_one_round(
    measured: Runs, project: Path, limit: int | None, verdict: Verdict, code: ExitCode
) -> None:
    """Nothing else is started, counted or compared, whatever base was named; without a limit nothing is green."""
    slo = "# none" if limit is None else f'[[gate.slo]]\nmetric = "p95"\nlimit = {limit}\n'
    (project / "perfci.toml").write_text((project / "perfci.toml").read_text() + slo)
    run_git(project, "commit", "-q", "-am", "two")
    result, recorded = measured(Recorded(rounds=candidate_rounds()), against=Against.LIMITS)
    assert (result.outcome.verdict, result.exit_code) == (verdict, code)
    assert result.outcome.subject.reference is Reference.LIMITS
    assert recorded.steps == [
        "prepare candidate",
        "start candidate 1",
        "seed candidate 1",
        "load candidate 1",
        "stop 1",
    ]


def test_a_run_without_a_base_is_compared_with_stored_runs(measured: Runs, project: Path) -> None:
    """Only the candidate is started; without stored runs that is said, and green where nobody named a base."""
    rounds = candidate_rounds()
    result, recorded = measured(Recorded(rounds=rounds), base="")
    assert (result.outcome.verdict, result.exit_code) == (Verdict.NO_BASELINE, ExitCode.OK)
    assert not any("base" in step for step in recorded.steps)
    for stored in a_baseline().runs:
        store.record(stored, project / "baselines")
    compared, _ = measured(Recorded(rounds=rounds), base="")
    assert compared.outcome.subject.reference is Reference.BASELINE
    assert compared.outcome.subject.reference_name == "3 runs in baselines/tickets-smoke"


def test_a_named_base_without_stored_runs_is_not_green(measured: Runs) -> None:
    """Nothing was compared: that fails unless the policy says otherwise."""
    rounds = candidate_rounds()
    result, _ = measured(Recorded(rounds=rounds), against=Against.BASELINE)
    assert (result.outcome.verdict, result.exit_code) == (Verdict.NO_BASELINE, ExitCode.INCONCLUSIVE)
    allowed, _ = measured(Recorded(rounds=rounds), against=Against.BASELINE, fail_on=FailOn.REGRESSION)
    assert allowed.exit_code is ExitCode.OK


@pytest.mark.parametrize("step", ["prepare base", "start base 1", "seed base 1", "start base 3"])
@pytest.mark.parametrize("fail_on", [None, FailOn.NEVER])
def test_a_base_that_does_not_start_is_never_green(measured: Runs, step: str, fail_on: FailOn | None) -> None:
    """The verdict is `invalid`, the headline says that nothing can be compared, and the exit code is 3 regardless."""
    fault = TargetError("exited with 1: no such table")
    result, recorded = measured(Recorded(rounds=some_rounds(), faults={step: fault}), fail_on=fail_on)
    assert (result.outcome.verdict, result.exit_code) == (Verdict.INVALID, ExitCode.NOT_MEASURED)
    assert [finding.code for finding in result.outcome.findings] == ["base-unavailable"]
    assert "no such table" in result.outcome.reason
    assert "CANNOT COMPARE" in (result.folder / "report.txt").read_text()
    assert "Cannot compare" in (result.folder / "report.md").read_text()
    started = [each for each in recorded.steps if each.startswith("start")]
    stopped = [each for each in recorded.steps if each.startswith("stop")]
    assert {each.split()[-1] for each in started} == {each.split()[-1] for each in stopped}


def test_a_base_that_does_not_start_may_give_way_to_stored_runs(measured: Runs, project: Path) -> None:
    """Where the base's own configuration says so, and there are any."""
    write_project(project, extra='on_missing_base = "baseline"')
    for stored in a_baseline().runs:
        store.record(stored, project / "baselines")
    run_git(project, "add", ".")
    run_git(project, "commit", "-q", "-m", "two")
    fault = TargetError("exited with 1")
    result, _ = measured(Recorded(rounds=candidate_rounds(), faults={"start base 1": fault}))
    assert result.outcome.subject.reference is Reference.BASELINE
    assert result.outcome.verdict in {Verdict.PASS, Verdict.INCONCLUSIVE}
    stored_run = store.load(result.folder)
    assert stored_run.incidents == ("not compared side by side: the base does not start: exited with 1",)
    assert stored_run.fingerprint.plan is not None
    assert stored_run.fingerprint.plan.duration_s == 12.0  # as the stored runs, and no longer as beside turns


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("broken", [False, True])
def test_a_push_goes_without_a_base_that_cannot_be_started(
    ports: Ports, project: Path, tmp_path: Path, *, stored: bool, broken: bool
) -> None:
    """Nobody asked for the commit before: the stored runs are used, and without any the run says that there is none."""
    if stored:
        for stored_run in a_baseline().runs:
            store.record(stored_run, project / "baselines")
    if broken:
        file = project / "perfci.toml"
        file.write_text(file.read_text().replace('kind = "command"', 'kind = "no-such-kind"'))
    run_git(project, "add", ".")
    run_git(project, "commit", "-q", "--allow-empty", "-m", "before")
    before = run_git(project, "rev-parse", "HEAD").strip()
    write_project(project)
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"before": before, "repository": {"full_name": "octo/shop"}}))
    job = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(event)}
    recorded = Recorded(rounds=candidate_rounds(), faults={"start base 1": TargetError("exited with 1")})
    pushed = replace(ports, rig=recorded.rig, environ={**ports.environ, **job, "GITHUB_REPOSITORY": "octo/shop"})
    result = run(Request(profile="tickets"), pushed)
    assert result.exit_code is ExitCode.OK
    assert (result.outcome.verdict is Verdict.NO_BASELINE) is not stored
    messages = [finding.message for finding in result.outcome.findings]
    assert any(message.startswith("not compared side by side: the base") for message in messages), messages
    asked = run(Request(profile="tickets", base=before), pushed)
    assert (asked.outcome.verdict, asked.exit_code) == (Verdict.INVALID, ExitCode.NOT_MEASURED)


def test_the_change_cannot_ask_for_stored_runs(measured: Runs, project: Path) -> None:
    """`on_missing_base` counts as it stands on the base."""
    write_project(project, extra='on_missing_base = "baseline"')
    for stored in a_baseline().runs:
        store.record(stored, project / "baselines")
    result, _ = measured(Recorded(rounds=some_rounds(), faults={"start base 1": TargetError("exited with 1")}))
    assert result.outcome.verdict is Verdict.INVALID
    codes = [finding.code for finding in result.outcome.findings]
    assert codes == ["base-unavailable", "policy-changed", "baselines-changed"]


def test_a_candidate_that_does_not_start_is_invalid(measured: Runs) -> None:
    """Nothing was measured, and it is not the base that is to blame."""
    result, _ = measured(Recorded(faults={"seed candidate 1": SeedError("refused with 500")}))
    assert (result.outcome.verdict, result.exit_code) == (Verdict.INVALID, ExitCode.NOT_MEASURED)
    assert [finding.code for finding in result.outcome.findings] == ["not-measured"]


@pytest.mark.parametrize("fault", [LoadError("Locust ended"), Interrupted("SIGTERM"), KeyboardInterrupt()])
@pytest.mark.parametrize(("step", "left"), [("duet 3", 8), ("load base 3", 10), ("start base 3", 8)])
def test_what_was_measured_before_a_failure_stays(
    measured: Runs, ports: Ports, fault: BaseException, step: str, left: int
) -> None:
    """A failure in the third block leaves two, and everything of it is stopped."""
    recorded = Recorded(rounds=some_rounds(), faults={step: fault})
    if isinstance(fault, LoadError):
        result, _ = measured(recorded)
        assert result.outcome.verdict is Verdict.INVALID
    else:
        with pytest.raises(type(fault)):
            measured(recorded)
    (folder,) = ports.work.iterdir()
    stored = store.load(folder)
    assert (len(stored.rounds), stored.complete) == (left, False)
    assert recorded.steps[-1] == "stop 3"


def test_a_census_that_fails_leaves_the_timed_verdict(measured: Runs) -> None:
    """It is an incident; alone, it is all there was."""
    recorded = Recorded(rounds=some_rounds(), faults={"census": LoadError("the driver ended")})
    result, _ = measured(recorded, census=Counting.AUTO)
    assert result.outcome.verdict is Verdict.PASS
    assert store.load(result.folder).incidents == ("census: the driver ended",)
    only, _ = measured(recorded, census=Counting.ONLY)
    assert only.outcome.verdict is Verdict.INVALID


def test_more_work_is_red_before_anything_is_timed(measured: Runs) -> None:
    """A census alone needs one block, and no rounds."""
    census = {Side.BASE: a_census(1), Side.CANDIDATE: a_census(21)}
    result, recorded = measured(Recorded(census=census), census=Counting.ONLY)
    assert (result.outcome.verdict, result.exit_code) == (Verdict.REGRESSION, ExitCode.REGRESSION)
    assert any(decision.verdict is SeriesVerdict.REGRESSION for decision in result.outcome.decisions)
    assert [step for step in recorded.steps if step.startswith(("duet", "load"))] == []
    assert recorded.steps[-2:] == ["census", "stop census"]


def test_notes_of_rounds_are_told_once(measured: Runs) -> None:
    """The same note from a later block, or the other side, says nothing new."""
    notes = {f"duet {block}": ("failed on one side only: checkout",) for block in (1, 2)}
    result, _ = measured(Recorded(rounds=some_rounds(), notes=notes))
    assert store.load(result.folder).incidents == ("block 1, turns of the base: failed on one side only: checkout",)


def test_other_data_on_one_side_takes_a_pass_away(measured: Runs) -> None:
    """Times on other data are no comparison of the code; that stands before the numbers."""
    digests = {Side.BASE: "a" * 64, Side.CANDIDATE: "b" * 64}
    result, _ = measured(Recorded(rounds=some_rounds(), seed_digests=digests))
    assert result.outcome.verdict is Verdict.INCONCLUSIVE
    assert [finding.code for finding in result.outcome.findings] == ["data-differs"]
    stored = store.load(result.folder)
    assert stored.seed_digests == {side: (digest,) for side, digest in digests.items()}
    assert stored.incidents == ()


def test_other_data_is_told_with_what_keeps_it(measured: Runs) -> None:
    """Where data outlives a block, its volume or folder is the first thing to look at."""
    digests = {Side.BASE: "a" * 64, Side.CANDIDATE: "{block}" + "b" * 63}
    recorded = Recorded(rounds=some_rounds(), seed_digests=digests, outliving=("the external volume 'x'",))
    result, _ = measured(recorded)
    incidents = [incident for incident in store.load(result.folder).incidents if "other data" in incident]
    assert len(incidents) == 7
    assert all("the candidate of block" in incident for incident in incidents)
    assert all(incident.endswith("data outlives a block in the external volume 'x'") for incident in incidents)


def test_two_folders_or_commits_can_be_the_sides(measured: Runs, project: Path, tmp_path: Path) -> None:
    """Base and candidate are named alike: a commit, a folder, or the working tree."""
    old = tmp_path / "old"
    write_project(old)
    first = run_git(project, "rev-parse", "HEAD")
    (project / "tickets.py").write_text("# another load\n")
    run_git(project, "commit", "-qam", "two")
    second = run_git(project, "rev-parse", "HEAD")
    for base, candidate, commits in (
        (str(old), "", {Side.BASE: "", Side.CANDIDATE: second}),
        (first, "main", {Side.BASE: first, Side.CANDIDATE: second}),
        ("main", str(old), {Side.BASE: second, Side.CANDIDATE: ""}),
        (".", first, {Side.BASE: second, Side.CANDIDATE: first}),
    ):
        result, recorded = measured(Recorded(rounds=some_rounds()), base=base, candidate=candidate)
        assert result.outcome.verdict is Verdict.PASS
        assert dict(store.load(result.folder).commits) == commits
        assert recorded.spec is not None
        assert len({source.tree for source in recorded.spec.sources.values()}) == 2
    assert list((tmp_path / "state").rglob("perfci-tree-*")) == []


def test_each_side_has_variables_of_its_own(measured: Runs) -> None:
    """How a gate is shown what it must find, on either side."""
    _, recorded = measured(Recorded(rounds=some_rounds()), base_env={"SLOW": "1"}, candidate_env={"SLOW": "2"})
    assert recorded.spec is not None
    assert {side: source.env["SLOW"] for side, source in recorded.spec.sources.items()} == {
        Side.BASE: "1",
        Side.CANDIDATE: "2",
    }


@pytest.mark.parametrize("load", ["head", "base"])
def test_whose_locust_file_drives_both_sides(measured: Runs, project: Path, load: str) -> None:
    """The change's own by default, the base's where its configuration says so; an edit is told before any number."""
    write_project(project, extra=f'load = "{load}"')
    run_git(project, "commit", "-qam", "two")
    (project / "tickets.py").write_text("# fewer requests\n")
    result, recorded = measured(Recorded(rounds=some_rounds()))
    assert recorded.spec is not None
    driven_by = Side.BASE if load == "base" else Side.CANDIDATE
    assert recorded.spec.load_tree == recorded.spec.sources[driven_by].tree
    (notice,) = result.outcome.findings
    assert (notice.code, notice.weight) == ("load-changed", Weight.NOTICE)
    report = (result.folder / "report.txt").read_text()
    assert report.index("edits the load") < report.index("GET /tickets/")


def test_what_the_base_asks_is_listed_where_the_change_edits_the_load(measured: Runs, project: Path) -> None:
    """In a block of its own, before anything is timed; a file that cannot be run is told."""
    (project / "tickets.py").write_text("# fewer requests")
    asked = frozenset({"GET /tickets/", "DELETE /tickets/[id]"})
    result, recorded = measured(Recorded(rounds=some_rounds(), base_endpoints=asked))
    assert recorded.steps.index("endpoints tickets.py") < recorded.steps.index("start base 1")
    assert store.load(result.folder).base_endpoints == ("DELETE /tickets/[id]", "GET /tickets/")
    fault = LoadError("no module named 'shop'")
    failed, _ = measured(Recorded(rounds=some_rounds(), faults={"endpoints tickets.py": fault}))
    (incident,) = store.load(failed.folder).incidents
    assert incident == "what the base's tickets.py asks is not known: no module named 'shop'"
    same, steps = measured(Recorded(rounds=some_rounds()), base=".")
    assert same.outcome.verdict is Verdict.PASS
    assert "endpoints tickets.py" not in steps.steps


def test_runs_are_kept_out_of_git(measured: Runs, project: Path) -> None:
    """Their folder says so itself, and what somebody wrote there stays."""
    measured(Recorded(rounds=some_rounds()), base=".")
    assert run_git(project, "status", "--porcelain") == ""
    (project / ".perfci" / ".gitignore").write_text("runs/\n")
    measured(Recorded(rounds=some_rounds()), base=".")
    assert (project / ".perfci" / ".gitignore").read_text() == "runs/\n"


def test_old_runs_are_removed_and_nothing_else(measured: Runs, project: Path) -> None:
    """A run is megabytes of logs: so many of the newest stay, and whatever else lies there."""
    file, work = project / "perfci.toml", project / ".perfci" / "runs"
    file.write_text(f"keep_runs = 3\n{file.read_text()}")
    for name in ("20200101-000000-aaaa", "20200102-000000-bbbb", "20200103-000000-cccc", "mine"):
        (work / name / "logs").mkdir(parents=True)
    result, _ = measured(Recorded(rounds=some_rounds()), base=".")
    left = {"20200102-000000-bbbb", "20200103-000000-cccc", "mine", result.folder.name}
    assert {path.name for path in work.iterdir()} == left


def test_a_round_that_ends_early_is_kept(measured: Runs) -> None:
    """A round of the candidate with no requests is on disk, whatever is judged of it."""
    rounds = [
        a_round(kind=each.kind, side=each.side, block=each.block, endpoints={})
        if (each.block, each.kind, each.side) == (2, RoundKind.LOAD, Side.CANDIDATE)
        else each
        for each in some_rounds()
    ]
    result, _ = measured(Recorded(rounds=rounds))
    assert result.outcome.verdict is not Verdict.PASS
    assert len(store.load(result.folder).rounds) == len(rounds)
