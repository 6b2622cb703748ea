"""Limits on gauges: when they are raised, what is said, and what happens where nobody can tell."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.judge import judge
from perfci.judge.alerts import judge_alerts, kept, raised
from perfci.judge.policy import DEFAULT
from perfci.model import Alert, Finding, Gauge, Role, RoundKind, Run, Severity, Side, SloResult, Verdict, Weight
from tests.builders import a_gauge, a_paired_run, a_policy, a_round, a_run, a_subject, an_alert

FAIL = an_alert(severity=Severity.FAIL)
POINTS = st.lists(st.one_of(st.none(), st.integers(80, 99)), min_size=1, max_size=12).filter(any)


def a_run_of(*candidate: Gauge, base: Sequence[Gauge] = (), name: str = "db/connections") -> Run:
    """A block for each gauge."""
    sides = [(Side.BASE, base), (Side.CANDIDATE, candidate)]
    rounds = [
        a_round(side=side, block=block, gauges={name: gauge})
        for side, gauges in sides
        for block, gauge in enumerate(gauges, start=1)
    ]
    return a_run(rounds=tuple(rounds))


def judged(run: Run, *alerts: Alert) -> tuple[tuple[Finding, ...], tuple[SloResult, ...]]:
    return judge_alerts(run, a_policy(alerts=alerts))


def said(run: Run, *alerts: Alert) -> list[str]:
    """What the alerts that warn say; all they ever do is warn."""
    findings, slos = judged(run, *alerts)
    assert slos == ()
    assert {finding.weight for finding in findings} <= {Weight.WARNING}
    return [finding.message for finding in findings]


@pytest.mark.parametrize(
    ("points", "seconds"),
    [
        ((91, 95, 97, 10), 3),
        ((91, 95, 90, 97), 0),  # the limit itself is allowed
        ((95, 95, 10, 95, 95, 95, 95), 4),
        ((95, None, 95, 10), 3),  # nobody looked in between
        ((95, 95, 10, None, 95, None, 95), 3),
    ],
)
def test_an_alert_needs_its_seconds_in_a_row(points: tuple[float | None, ...], seconds: int) -> None:
    """Three of them: the longest stretch counts, and is told."""
    messages = said(a_run_of(a_gauge(*points)), an_alert())
    what = f"connections: db/connections was above 90 for {seconds} s in block 1 of the candidate"
    assert messages == ([f"{what} ({max(p for p in points if p)} at most)"] if seconds else [])


def test_the_worst_block_is_told_and_the_base_beside_it() -> None:
    """With its unit; a lower limit is told by its lowest value, a point that stands for two seconds counts as such."""
    cold = a_gauge(50.5, 60.25, 90, unit="%", step_s=2)
    run = a_run_of(a_gauge(99, 99, 99, unit="%"), cold, cold, base=[cold], name="cache/hit_rate")
    where = "was below 80 % for 4 s in block 2 of the candidate (50.5 at least)"
    assert said(run, an_alert(name="cold", gauge="cache/*", limit=80, upper=False)) == [
        f"cold: cache/hit_rate {where}, and in 1 more of 3 rounds; on the base in 1 of 1 rounds"
    ]
    assert said(a_run_of(a_gauge(1, 1, 1), base=[a_gauge(99, 99, 99)]), an_alert()) == []


def test_what_nobody_watched_is_said() -> None:
    """A typo, or rounds that are too short: an alert that could never be raised must not pass in silence."""
    (short,) = said(a_run_of(a_gauge(1, 2), a_gauge(None, 99, 99, None)), an_alert())
    assert short.startswith("the alert connections could not be checked: ")
    assert short.endswith("it needs 3 s of db/connections in a row, and no round has more than 2 s")
    (typo,) = said(a_run_of(a_gauge(1, 2)), an_alert(gauge="db/conections"))
    assert typo.endswith("could not be checked: db/conections was not monitored, but db/connections")
    assert said(a_run(rounds=()), an_alert()) == []


def test_an_alert_that_fails_is_an_slo() -> None:
    """One round beyond the limit is a breach of the whole, with its evidence."""
    run = a_run_of(a_gauge(10, 20, 30), a_gauge(97, 95, 96, 20))
    findings, (slo,) = judged(run, FAIL)
    assert findings == ()
    assert (slo.slo.endpoint, slo.slo.metric, slo.slo.limit) == ("(target)", "db/connections for 3 s", 90.0)
    assert (slo.rounds, slo.rounds_within, slo.worst, slo.held) == (2, 1, 95, False)
    evidence = "db/connections was above 90 for 3 s in block 2 of the candidate (97 at most)"
    assert slo.reason == f"1/2 rounds within 90; connections: {evidence}"
    (held,) = judged(a_run_of(a_gauge(97, 10, 10)), FAIL)[1]
    assert (held.held, held.worst, held.reason) == (True, 10, "1/1 rounds within 90")


@pytest.mark.parametrize(
    ("gauges", "alert", "verdict"),
    [
        ({"db/connections": a_gauge(10, 20, 30)}, FAIL, Verdict.PASS),
        ({"db/connections": a_gauge(97, 97, 97)}, FAIL, Verdict.SLO_BREACH),
        ({"db/connections": a_gauge(97, 97, 97)}, an_alert(), Verdict.PASS),
        ({}, FAIL, Verdict.INCONCLUSIVE),
        ({}, an_alert(), Verdict.PASS),
    ],
)
def test_what_an_alert_does_to_the_whole(gauges: dict[str, Gauge], alert: Alert, verdict: Verdict) -> None:
    """Red only where it is asked to, and never green where nobody could tell; gauges alone change nothing."""
    run = a_paired_run()
    rounds = tuple(replace(round_, gauges=gauges if round_.kind is RoundKind.LOAD else {}) for round_ in run.rounds)
    policy = replace(DEFAULT, alerts=(alert,))
    outcome = judge(replace(run, rounds=rounds), baseline=None, policy=policy, subject=a_subject())
    assert outcome.verdict is verdict
    assert [gauge.name for gauge in outcome.gauges] == list(gauges)
    assert all(decision.comparison.budget.role in Role for decision in outcome.decisions)


@given(POINTS, st.booleans(), st.integers(0, 5))
def test_it_is_raised_where_the_kept_level_is_beyond(points: list[float | None], upper: bool, seconds: int) -> None:
    """The level that is shown and the evidence never contradict each other."""
    gauge, alert = a_gauge(*points), an_alert(upper=upper, seconds=seconds)
    level = kept(gauge, alert)
    found = list(raised(a_round(gauges={"db/connections": gauge}), alert))
    beyond = level is not None and (level > alert.limit if upper else level < alert.limit)
    assert bool(found) == beyond
    assert all(alarm.seconds >= seconds for alarm in found)
