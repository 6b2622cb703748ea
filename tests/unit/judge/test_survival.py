"""What a service does that is held against limits alone: whoever dies breaks one, and blames nobody else."""

from dataclasses import replace

import pytest

from perfci.judge import judge
from perfci.judge.policy import DEFAULT
from perfci.model import Reference, Slo, TargetHealth, Verdict, Weight
from tests.builders import a_round, a_run, a_subject

LIMITS = a_subject(reference=Reference.LIMITS)
P95 = Slo(metric="p95", limit=1000.0)


def judged(health: TargetHealth, *, failing: bool = False, slos: tuple[Slo, ...] = (P95,)) -> tuple[Verdict, str]:
    """The verdict on one load round against limits alone, and its reason."""
    measured = a_round(target=health)
    if failing:
        broken = {
            name: replace(seen, failures=seen.requests, values={"failure_rate": 1.0})
            for name, seen in measured.endpoints.items()
        }
        measured = replace(measured, endpoints=broken)
    outcome = judge(a_run(rounds=(measured,)), baseline=None, policy=replace(DEFAULT, slos=slos), subject=LIMITS)
    return outcome.verdict, outcome.reason


ALIVE = TargetHealth(alive=True, restarts=0)


def test_a_service_that_lives_has_no_such_line() -> None:
    """The SLOs alone are told."""
    assert judged(ALIVE) == (Verdict.PASS, "The SLO is held")


KILLED, RESTARTED = TargetHealth(alive=False, restarts=0, note="killed"), TargetHealth(alive=True, restarts=2)


@pytest.mark.parametrize("health", [KILLED, RESTARTED])
def test_death_and_restart_break_a_limit(health: TargetHealth) -> None:
    """Without a reference nobody else is to blame, and the run is not invalid."""
    verdict, reason = judged(health)
    assert verdict is Verdict.SLO_BREACH
    assert "restarts of (target): it died or restarted in 1 of 1 rounds" in reason


def test_failing_in_everything_breaks_a_limit_on_anything_else() -> None:
    """No request is within a limit on the latency then; a run without such a limit is not valid."""
    assert judged(ALIVE, failing=True)[0] is Verdict.SLO_BREACH
    assert judged(ALIVE, failing=True, slos=(Slo(metric="throughput", limit=0.0),))[0] is Verdict.INVALID


def test_the_findings_stay() -> None:
    """What the service did is still told, and weighs nothing beside the limit that it broke."""
    measured = a_round(target=KILLED)
    outcome = judge(a_run(rounds=(measured,)), baseline=None, policy=replace(DEFAULT, slos=(P95,)), subject=LIMITS)
    assert ("target-died", Weight.NOTICE) in {(finding.code, finding.weight) for finding in outcome.findings}
