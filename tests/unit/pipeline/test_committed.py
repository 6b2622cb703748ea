"""From what a change writes into census.json to the verdict on its run, and from a run to census.json."""

from functools import partial
from pathlib import Path

import pytest

from perfci import store
from perfci.config import GateTable
from perfci.errors import ConfigError, ExitCode, ResultError
from perfci.judge import judge
from perfci.judge.budgets import by_metric, resolve
from perfci.judge.census.accept import to_commit
from perfci.judge.census.counters import metric_of
from perfci.judge.policy import DEFAULT
from perfci.model import Census, Reference, Role, RoundKind, Run, SeriesVerdict, Side, Verdict
from perfci.pipeline.baseline import record
from perfci.pipeline.committed import with_committed
from perfci.pipeline.compare import compare
from perfci.pipeline.policy import policy_of
from tests.builders import a_census, a_counted_run, a_paired_run, a_run, a_subject
from tests.unit.pipeline.conftest import CONFIG

RED = a_counted_run(candidate=a_census(20))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A project's configuration file."""
    path = tmp_path / "project" / "perfci.toml"
    path.parent.mkdir()
    path.write_text(CONFIG)
    return path


def _commit(root: Path, census: Census) -> None:
    run = a_run(rounds=(), census={Side.CANDIDATE: census})
    store.record(run, root / "baselines", census=to_commit(run, DEFAULT))


def _accepting(tmp_path: Path, run: Run = RED) -> Run:
    return with_committed(run, base_root=tmp_path / "base", head_root=tmp_path / "head", baselines="baselines")


def test_what_the_change_writes_is_accepted_now_and_later(tmp_path: Path, config: Path) -> None:
    """The run carries both files, so that judging it again says the same."""
    _commit(tmp_path / "base", a_census())
    _commit(tmp_path / "head", a_census(20))
    run = _accepting(tmp_path)
    outcome = judge(run, baseline=None, policy=DEFAULT, subject=a_subject())
    assert (outcome.verdict, outcome.decisions[0].verdict) == (Verdict.PASS, SeriesVerdict.ACCEPTED)
    store.save(run, tmp_path / "run" / "run.json")
    assert compare(None, tmp_path / "run", config_file=config).outcome.decisions == outcome.decisions
    config.write_text(CONFIG + "[gate]\naccept_census = false\n")
    assert compare(None, tmp_path / "run", config_file=config).outcome.verdict is Verdict.REGRESSION


def test_without_a_file_of_its_own_nothing_is_accepted(tmp_path: Path) -> None:
    """No census.json in either commit, or none of the change's; without a base commit nothing can be its own."""
    assert _accepting(tmp_path).committed == {}
    _commit(tmp_path / "base", a_census(20))
    assert judge(_accepting(tmp_path), baseline=None, policy=DEFAULT, subject=a_subject()).verdict == "regression"
    assert with_committed(RED, base_root=None, head_root=tmp_path / "base", baselines="baselines") is RED


def test_a_damaged_file_of_the_change_is_told_one_of_the_base_is_not(tmp_path: Path) -> None:
    """The author can mend the first; the second is what the change may be mending."""
    _commit(tmp_path / "head", a_census(20))
    _commit(tmp_path / "base", a_census())
    (tmp_path / "base/baselines/tickets-smoke/census.json").write_text("{")
    assert _accepting(tmp_path).committed.keys() == {Side.CANDIDATE}
    (tmp_path / "head/baselines/tickets-smoke/census.json").write_text("{")
    with pytest.raises(ResultError, match="is not JSON"):
        _accepting(tmp_path)


def test_a_census_is_recorded_and_compared_with(tmp_path: Path, config: Path) -> None:
    """Beside the run, or alone from a run that measured both sides; red against it by one path alone."""
    store.save(a_paired_run(changes={"census": RED.census}), tmp_path / "paired" / "run.json")
    with pytest.raises(ConfigError, match="measured two sides by turns") as caught:
        record(tmp_path / "paired", config_file=config)
    assert "--census-only" in caught.value.hint
    (path,) = record(tmp_path / "paired", config_file=config, census_only=True)
    assert path.name == "census.json"
    lean = a_run(rounds=(), census={Side.CANDIDATE: a_census()})
    store.save(lean, tmp_path / "lean" / "run.json")
    assert record(tmp_path / "lean", config_file=config) == [path]
    fat = a_run(rounds=(), census={Side.CANDIDATE: a_census(20)})
    store.save(fat, tmp_path / "fat" / "run.json")
    for base in (None, path, path.parent, tmp_path / "lean"):
        outcome = compare(base, tmp_path / "fat", config_file=config).outcome
        assert (outcome.verdict, outcome.subject.reference) == (Verdict.REGRESSION, Reference.BASELINE)
        assert compare(base, tmp_path / "lean", config_file=config).outcome.verdict is Verdict.PASS


def test_work_that_was_not_counted_cannot_be_recorded(tmp_path: Path, config: Path) -> None:
    """Nothing is written."""
    store.save(a_run(), tmp_path / "run" / "run.json")
    with pytest.raises(ConfigError, match="counted no work"):
        record(tmp_path / "run", config_file=config, census_only=True)
    assert not (config.parent / "baselines").exists()


def test_a_run_is_known_by_its_id(tmp_path: Path, config: Path) -> None:
    """Below the project's own folder of runs, where no file is called so."""
    store.save(RED, config.parent / ".perfci" / "runs" / RED.id / "run.json")
    assert compare(None, Path(RED.id), config_file=config).outcome.verdict is Verdict.REGRESSION
    with pytest.raises(ResultError, match="there is no run at other"):
        compare(None, Path("other"), config_file=config)


def test_budgets_of_counts_are_configured() -> None:
    """By counter or by source and counter; a misspelt counter is an error, with those that there are."""
    table = {"statements": {"change": 0.5}, "db/rows": {"change": 1.0}, "metrics/own": {"role": "guarding"}}
    policy = policy_of(GateTable.model_validate({"budget": {"ref": {"census": table}}}))
    budgets = by_metric(policy.budgets, Reference.REF, RoundKind.CENSUS)
    assert (budgets["statements"].change, budgets["db/rows"].change, budgets["rows"].change) == (0.5, 1.0, 0.1)
    assert budgets["db/rows"].role is budgets["metrics/own"].role is Role.GUARDING
    with pytest.raises(ConfigError, match="unknown metrics: statments") as caught:
        policy_of(GateTable.model_validate({"budget": {"ref": {"census": {"statments": {}}}}}))
    assert "statements" in caught.value.hint
    assert caught.value.exit_code is ExitCode.USAGE
    for kind, metric in (("duet", "statements"), ("census", "p95")):
        with pytest.raises(ConfigError, match=f"unknown metrics: {metric}"):
            policy_of(GateTable.model_validate({"budget": {"ref": {kind: {metric: {}}}}}))


def test_the_most_special_rule_for_a_counter_holds() -> None:
    """One for a source's counter over one for such counters, wherever it stands; one for an endpoint over both."""
    table = {"db/rows": {"change": 0.3}, "rows": {"change": 0.5}}
    override = [
        {"metric": "rows", "change": 0.7},
        {"metric": "rows", "endpoint": "GET /a", "change": 0.9},
        {"metric": "db/rows", "endpoint": "GET /b", "change": 0.2},
        {"metric": "rows", "endpoint": "GET /b", "change": 0.1},
    ]
    policy = policy_of(GateTable.model_validate({"budget": {"ref": {"census": table}}, "override": override}))

    def change(counter: str, endpoint: str) -> float:
        return resolve(policy.budgets, Reference.REF, RoundKind.CENSUS, metric_of(counter), endpoint).change

    assert [change("db/rows", endpoint) for endpoint in ("GET /", "GET /a", "GET /b")] == [0.3, 0.9, 0.2]
    assert [change("cache/rows", endpoint) for endpoint in ("GET /", "GET /a", "GET /b")] == [0.7, 0.9, 0.1]


def test_an_override_may_name_a_counter() -> None:
    """For some endpoints only."""
    override = {"metric": "statements", "endpoint": "GET /report*", "change": 1.0}
    policy = policy_of(GateTable.model_validate({"override": [override]}))
    run = a_counted_run(candidate=a_census(3))
    statements = partial(resolve, policy.budgets, Reference.REF, RoundKind.CENSUS, metric_of("db/statements"))
    assert (statements("GET /reports").change, statements("GET /").change) == (1.0, 0.0)
    sides = {
        side: Census(endpoints={"GET /reports": census.endpoints["GET /tickets/"]}, sources=census.sources)
        for side, census in run.census.items()
    }
    red = [
        decision.comparison.series.metric.name
        for decision in judge(a_counted_run(census=sides), baseline=None, policy=policy, subject=a_subject()).decisions
        if decision.verdict is SeriesVerdict.REGRESSION
    ]
    assert "db/statements" not in red
