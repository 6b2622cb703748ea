"""What a difference between a run and the stored ones does: as the table says, one difference at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfci import store
from perfci.judge import judge
from perfci.judge.comparability import ATTRIBUTES, Attribute, Consequence, differences
from perfci.judge.policy import DEFAULT
from perfci.model import Baseline, Fingerprint, Outcome, Reference, Round, RoundKind, Run, Side, Verdict
from tests.builders import a_baseline, a_fingerprint, a_gauge, a_machine, a_plan, a_run, a_subject, some_rounds

STORED = Path(__file__).parents[3] / "baselines" / "tickets-smoke"


def _fingerprint(**changes: Any) -> Fingerprint:
    """Everything is known of it."""
    machine: dict[str, Any] = {
        "kind": "github-hosted",
        "image": "ubuntu24 20261101.1",
        "memory_limit_mb": 8192,
        "cpu_limit": 3.0,
    }
    versions = {"perfci": "1.0.0", "python": "3.12.4", "locust": "2.46.0", "gevent": "26.1.0"}
    known = {
        "machine": a_machine(**machine | changes.pop("machine", {})),
        "versions": versions | changes.pop("versions", {}),
    }
    return a_fingerprint(**known, **changes)


OTHERS: Mapping[str, Mapping[str, Any]] = {
    "profile or scenario": {},
    "load plan": {"plan": a_plan(users=20)},
    "locustfile": {"plan": a_plan(digest="another")},
    "seed": {"seed_digest": "another"},
    "kind of target": {"target_kind": "command"},
    "CPU model": {"machine": {"cpu_model": "Another CPU"}},
    "number of cores": {"machine": {"cores": 2}},
    "CPU limit": {"machine": {"cpu_limit": 1.5}},
    "load by others": {},
    "memory limit": {"machine": {"memory_limit_mb": 2048}},
    "kind of host": {"machine": {"kind": "laptop"}},
    "operating system": {"machine": {"system": "Another"}},
    "Locust version": {"versions": {"locust": "2.47.0"}},
    "gevent version": {"versions": {"gevent": "26.9.0"}},
    "Python version": {"versions": {"python": "3.13.0"}},
    "image of the runner": {"machine": {"image": "ubuntu24 20261108.1"}},
    "kernel": {"machine": {"kernel": "6.9.0"}},
    "memory": {"machine": {"memory_mb": 7_990}},
    "machine": {"machine": {"id": "another"}},
    "perfci version": {"versions": {"perfci": "1.1.0"}},
    "target": {"target": {Side.CANDIDATE: "api@sha256:3333"}},
}
"""What is other, for each attribute; nothing else is."""

BUSY = "load by others"


def _watched(rounds: Iterable[Round], others: float) -> tuple[Round, ...]:
    """Service and load take one core, and whoever else there is takes *others*."""
    cores = {"machine/cpu": 1.0 + others, "generator/cpu": 0.25, "process/cpu": 0.75}
    gauges = {name: a_gauge(value, unit="cores") for name, value in cores.items()}
    return tuple(replace(round_, gauges=gauges) for round_ in rounds)


def _run(name: str = "", **changes: Any) -> Run:
    """Ten times slower than what is stored."""
    scenario = "another" if name == "profile or scenario" else "smoke"
    rounds = some_rounds(kinds=(RoundKind.LOAD,), level=10.0)
    others = 2.9 if name == BUSY else 0.1
    return a_run(scenario=scenario, fingerprint=_fingerprint(**changes), rounds=_watched(rounds, others))


def _beside(run: Run) -> Outcome:
    stored = tuple(
        replace(run, fingerprint=_fingerprint(), rounds=_watched(run.rounds, 0.1)) for run in a_baseline().runs
    )
    baseline = Baseline(location="baselines/tickets-smoke", runs=stored)
    return judge(run, baseline=baseline, policy=DEFAULT, subject=a_subject(reference=Reference.BASELINE))


def test_every_trait_has_its_case() -> None:
    """No row of the table is without a test, and without a difference nothing is said."""
    assert list(OTHERS) == [attribute.name for attribute in ATTRIBUTES]
    outcome = _beside(_run())
    assert (outcome.verdict, outcome.findings) == (Verdict.REGRESSION, ())


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: attribute.name)
def test_a_difference_does_what_the_table_says(attribute: Attribute) -> None:
    """Where times are not compared, ten times slower is neither red nor green; a warning changes no verdict."""
    outcome = _beside(_run(attribute.name, **OTHERS[attribute.name]))
    findings = [(finding.code, attribute.name in finding.message) for finding in outcome.findings]
    match attribute.consequence:
        case Consequence.FORBIDS:
            assert (outcome.verdict, findings) == (Verdict.INCONCLUSIVE, [("baseline-unlike", True)])
            assert attribute.name in outcome.reason
        case Consequence.WARNS:
            assert (outcome.verdict, findings) == (Verdict.REGRESSION, [("baseline-differs", True)])
        case Consequence.SHOWN:
            assert (outcome.verdict, findings) == (Verdict.REGRESSION, [])


def test_repairs_of_a_program_are_not_told() -> None:
    """Only another minor version may time otherwise."""
    assert _beside(_run(versions={"locust": "2.46.7", "python": "3.12.9"})).findings == ()


def test_runs_of_an_older_perfci_are_still_compared() -> None:
    """What it did not note has a default, and is no difference."""
    old = store.load(min(STORED.glob("2*.json")))
    assert old.fingerprint.machine is not None
    machine = replace(old.fingerprint.machine, kind="laptop", image="x")
    newer = replace(old.fingerprint, machine=machine, versions={**old.fingerprint.versions, "gevent": "26.9.0"})
    assert differences(replace(old, fingerprint=newer), old) == ()


def test_a_busy_machine_says_how_busy() -> None:
    """A reader sees what to look for."""
    assert "(3 % of the processors then, 72 % of the processors now)" in _beside(_run(BUSY)).reason


@pytest.mark.parametrize("missing", ["machine/cpu", "generator/cpu"])
def test_what_nobody_watched_is_held_against_nobody(missing: str) -> None:
    """Whose share is unknown may be the service's own."""
    run = _run(BUSY)
    rounds = tuple(
        replace(round_, gauges={name: gauge for name, gauge in round_.gauges.items() if name != missing})
        for round_ in run.rounds
    )
    assert _beside(replace(run, rounds=rounds)).verdict is Verdict.REGRESSION
