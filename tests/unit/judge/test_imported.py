"""Runs that another tool measured are judged by what they hold, and what they lack is never made up."""

from dataclasses import replace
from pathlib import Path

import pytest

from perfci import store
from perfci.errors import ResultError
from perfci.judge import judge
from perfci.judge.policy import DEFAULT
from perfci.model import Baseline, Origin, Outcome, Reference, Run, Verdict, Weight
from tests.builders import a_baseline, a_fingerprint, a_paired_run, a_run, a_subject

K6 = Origin(tool="k6 0.55", file="summary.json")
SLOWER = {"GET /tickets/": 1.3}


def imported(run: Run) -> Run:
    """The run as a file of another tool has it: requests and times, and nothing about what made them."""
    rounds = tuple(replace(each, generator=None, target=None) for each in run.rounds)
    return replace(run, rounds=rounds, fingerprint=a_fingerprint(machine=None, plan=None, versions={}), origin=K6)


def judged(run: Run, baseline: Baseline | None = None) -> Outcome:
    """The outcome against the run's own base, or against stored runs."""
    reference = Reference.REF if baseline is None else Reference.BASELINE
    return judge(run, baseline=baseline, policy=DEFAULT, subject=a_subject(reference=reference))


@pytest.mark.parametrize(("slower", "verdict"), [({}, Verdict.PASS), (SLOWER, Verdict.REGRESSION)])
def test_two_sides_are_judged_without_health(slower: dict[str, float], verdict: Verdict) -> None:
    """The verdict is that of the numbers, with a warning of what nobody knows; no check of the generator speaks."""
    outcome = judged(imported(a_paired_run(slower=slower)))
    assert outcome.verdict is verdict
    (warning,) = (finding for finding in outcome.findings if finding.code == "imported")
    assert warning.weight is Weight.WARNING
    assert "k6 0.55" in warning.message
    assert not any(finding.code.startswith(("generator", "record", "clock")) for finding in outcome.findings)


def test_an_unknown_machine_is_no_known_one() -> None:
    """Times of an imported run are not compared with those that perfci measured here."""
    outcome = judged(imported(a_run()), a_baseline())
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert "baseline-unlike" in {finding.code for finding in outcome.findings}


def test_runs_of_one_tool_are_compared_with_each_other() -> None:
    """Where none of them names its machine, the warning says what has to be made sure of."""
    stored = a_baseline(runs=6)
    outcome = judged(imported(a_run()), replace(stored, runs=tuple(map(imported, stored.runs))))
    assert outcome.verdict is not Verdict.INVALID
    codes = {finding.code for finding in outcome.findings}
    assert "imported" in codes
    assert "baseline-unlike" not in codes


def test_what_an_imported_run_lacks_is_lacking_on_disk(tmp_path: Path) -> None:
    """Nothing is filled in on the way."""
    run = imported(a_paired_run())
    store.save(run, tmp_path / "run.json")
    assert store.load(tmp_path) == run


@pytest.mark.parametrize("lacking", ["generator", "target", "machine", "plan"])
def test_what_perfci_measured_itself_cannot_lack_its_health(tmp_path: Path, lacking: str) -> None:
    """Else a check would be silent where somebody took the evidence out of the file."""
    run = a_run()
    if lacking in {"machine", "plan"}:
        run = replace(run, fingerprint=a_fingerprint(**{lacking: None}))
    else:
        changes = {lacking: None}
        run = replace(run, rounds=(replace(run.rounds[0], **changes), *run.rounds[1:]))  # type: ignore[arg-type]
    store.save(run, tmp_path / "run.json")
    with pytest.raises(ResultError, match="was imported from no other tool"):
        store.load(tmp_path)
