"""
Grades a run that was held against limits, and says what the load showed beside them.

The table is that of the project's documents: response times, failures and throughput are excellent, good, acceptable or
poor. Each band counts points, 4 to 1, and none beyond poor; the mean of the points is the grade. A value beyond poor,
or a service that died, is an F, and a limit that fails the run leaves a C at most.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isfinite

from perfci.judge.limits.breaking import Breaking
from perfci.judge.limits.quantities import QUANTITIES, CheckedRound, breaking_of, read
from perfci.judge.limits.scope import observed
from perfci.judge.survival import RESTARTS
from perfci.model import (
    Analysis,
    Assessment,
    Band,
    Better,
    Capacity,
    EndpointRound,
    Finding,
    GatePolicy,
    Recommendation,
    Round,
    RoundKind,
    Run,
    Side,
    Slo,
    SloResult,
    WordedReason,
)
from perfci.sentences.advice import ADVICE, SLOW, LimitsBroken
from perfci.sentences.analyses import ByLevel

RESPONSE_MS = (500.0, 1000.0, 2000.0, 5000.0)
FAILURES = (0.001, 0.005, 0.01, 0.05)
THROUGHPUT = (200.0, 150.0, 100.0, 50.0)
FLOOR = THROUGHPUT[1]
"""The floor that the documents' table stands for; that of another scenario moves the table with it."""

LETTERS = ((3.75, "A"), (3.25, "B+"), (2.75, "B"), (2.25, "C+"), (1.75, "C"), (1.0, "D"))
ORDER = ("A", "B+", "B", "C+", "C", "D", "F")
ANALYSED = (
    "recovery",
    "breaking_point",
    "memory_growth",
    "connection_growth",
    "latency_drift",
    "availability",
    "cache_hit_rate",
    "cache_hit_loss",
    "requests_per_user",
)


def assess(run: Run, slos: Sequence[SloResult], findings: Sequence[Finding], policy: GatePolicy) -> Assessment | None:
    """The assessment of the candidate's load rounds; None where there are none."""
    rounds = [each for each in run.rounds if each.kind is RoundKind.LOAD and each.side is Side.CANDIDATE]
    if not rounds:
        return None
    bands = bands_of(rounds, policy.slos)
    died = any(slo.metric.name == RESTARTS.name for slo in slos)
    failed = any(slo.slo.fails and slo.rounds and not slo.held for slo in slos)
    found = [breaking for each in rounds if (breaking := breaking_of(each, policy.slos)) is not None]
    return Assessment(
        grade=grade_of(bands, died=died, failed=failed),
        bands=bands,
        analyses=tuple(_by_level(each, found) for each in _analyses(rounds, policy.slos)),
        recommendations=tuple(_recommendations(slos, findings)),
        capacity=_capacity(min(found, key=lambda each: each.held), run) if found else None,
    )


def bands_of(rounds: Sequence[Round], slos: Sequence[Slo]) -> dict[str, Band]:
    """The band of each value, the mean over the rounds; throughput only where the plan has a floor for it."""
    whole = [seen for each in rounds if (seen := observed(each, Slo(metric="mean", limit=0.0))) is not None]
    floors = [slo.limit for slo in slos if slo.metric == "throughput" and slo.whole]
    bands: dict[str, Band] = {}
    if (response := _mean(whole, "mean")) is not None:
        bands["response"] = band(response, RESPONSE_MS)
    requests = sum(seen.requests for seen in whole)
    if requests:
        bands["failures"] = band(sum(seen.failures for seen in whole) / requests, FAILURES)
    throughput = _mean(whole, "throughput")
    if throughput is not None and floors and min(floors) > 0:
        edges = tuple(edge * min(floors) / FLOOR for edge in THROUGHPUT)
        bands["throughput"] = band(-throughput, tuple(-edge for edge in edges))
    return bands


def band(value: float, edges: Sequence[float]) -> Band:
    """The band of a value, of which less is better: below the first edge it is excellent, at an edge the next."""
    for name, edge in zip(Band, edges, strict=False):
        if value < edge:
            return name
    return Band.FAILING


def grade_of(bands: Mapping[str, Band], *, died: bool, failed: bool) -> str:
    """The letter; *failed*: a limit that fails the run was breached."""
    if died:
        return "F"
    if "response" not in bands or "failures" not in bands:
        return ""
    points = [len(Band) - 1 - list(Band).index(each) for each in bands.values()]
    mean = sum(points) / len(points)
    letter = "F" if 0 in points else next((letter for least, letter in LETTERS if mean >= least), "F")
    return max(letter, "C", key=ORDER.index) if failed else letter


def _mean(seen: Sequence[EndpointRound], metric: str) -> float | None:
    values = [each.values[metric] for each in seen if metric in each.values]
    return sum(values) / len(values) if values else None


def _analyses(rounds: Sequence[Round], slos: Sequence[Slo]) -> Iterator[Analysis]:
    for name in ANALYSED:
        metric = QUANTITIES[name]
        about = Slo(metric=name, limit=0.0)
        asked = (CheckedRound(round=each, seen=observed(each, about), slos=slos) for each in rounds)
        readings = [reading for each in asked if (reading := read(name, each)) is not None]
        if readings:
            worst = max(readings, key=lambda each: each.high if metric.better is Better.LOWER else -each.low)
            yield Analysis(
                metric=metric,
                value=worst.value,
                low=_known(worst.low),
                high=_known(worst.high),
                evidence=worst.evidence,
            )


def _by_level(analysis: Analysis, found: Sequence[Breaking]) -> Analysis:
    """The analysis of the breaking point with what each level of users did; others as they are."""
    if analysis.metric.name != "breaking_point" or analysis.evidence is None or not found:
        return analysis
    levels = tuple(
        (level.users, level.per_second, level.p95_ms)
        for level in min(found, key=lambda each: each.held).levels
        if level.p95_ms is not None
    )
    return replace(analysis, evidence=ByLevel(outcome=analysis.evidence, levels=levels)) if levels else analysis


def _known(bound: float) -> float | None:
    return bound if isfinite(bound) else None


def _capacity(found: Breaking, run: Run) -> Capacity | None:
    if not found.held:
        return None
    machine = run.fingerprint.machine
    return Capacity(
        users=found.held,
        per_second=found.capacity,
        cores=machine.cores if machine is not None else None,
        broke=found.because is not None,
    )


def _recommendations(slos: Sequence[SloResult], findings: Sequence[Finding]) -> Iterator[Recommendation]:
    """What each broken limit asks for, one for all that ask for the same; and what the findings do."""
    causes: dict[str, list[tuple[str, str]]] = {}
    for slo in slos:
        if slo.rounds and not slo.held:
            advice = ADVICE.get(slo.metric.name, SLOW)
            causes.setdefault(advice, []).append((slo.metric.name, slo.slo.where))
    for advice, named in causes.items():
        yield Recommendation(cause=LimitsBroken(limits=tuple(dict.fromkeys(named))), advice=advice)
    for finding in findings:
        if finding.code in {"generator-saturated", "users-not-reached"}:
            yield Recommendation(cause=WordedReason(finding.code, finding.code), advice=finding.hint)
