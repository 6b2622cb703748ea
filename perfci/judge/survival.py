"""
What a service does that is held against limits alone: its death is the breach of a limit that every service has.

Beside a reference, a service that dies on both sides says nothing about the change, and the run is invalid. Where
nothing is compared there is nobody else to blame.
"""

from collections.abc import Sequence

from perfci.judge.alerts import TARGET
from perfci.model import (
    Better,
    Finding,
    Metric,
    Quantity,
    Round,
    RoundKind,
    Run,
    Scale,
    Side,
    Slo,
    SloResult,
    Weight,
    reweighed,
)
from perfci.sentences.meanings import RESTARTS as RESTARTED
from perfci.sentences.slos import Restarted

OF_THE_SERVICE = frozenset({"target-died", "everything-failed", "mostly-failing", "no-requests", "silent-round"})
"""Codes of findings about what the service did."""

RESTARTS = Metric(
    name="restarts",
    quantity=Quantity.COUNT,
    unit="",
    better=Better.LOWER,
    scale=Scale.DIFFERENCE,
    portable=True,
    exact=True,
    meaning=RESTARTED,
)


def survival(run: Run) -> tuple[SloResult, ...]:
    """The limit that the service neither dies nor restarts under load; shown only where it is breached."""
    rounds = [each for each in run.rounds if each.kind is RoundKind.LOAD and each.side is Side.CANDIDATE]
    deaths = [_deaths(each) for each in rounds]
    if not any(deaths):
        return ()
    notes = [each.target.note for each in rounds if each.target and each.target.note]
    within = sum(not count for count in deaths)
    return (
        SloResult(
            slo=Slo(metric=RESTARTS.name, limit=0.0, endpoint=TARGET),
            metric=RESTARTS,
            rounds=len(rounds),
            rounds_within=within,
            worst=float(max(deaths)),
            held=False,
            because=Restarted(died=len(rounds) - within, rounds=len(rounds), note=notes[0] if notes else ""),
        ),
    )


def _deaths(round_: Round) -> int:
    if round_.target is None:
        return 0
    return max(round_.target.restarts, 0 if round_.target.alive else 1)


def without_blame(findings: Sequence[Finding], slos: Sequence[SloResult]) -> tuple[Finding, ...]:
    """
    The findings, where one about the service does not invalidate the run that shows a limit as breached.

    Without a breach it does: most requests failed, and no limit says so.
    """
    breached = any(slo.slo.fails and slo.rounds and not slo.held for slo in slos)
    return tuple(
        reweighed(finding, Weight.NOTICE)
        if breached and finding.weight is Weight.INVALID and finding.code in OF_THE_SERVICE
        else finding
        for finding in findings
    )
