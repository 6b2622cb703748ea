"""What the judge works with and returns: policy, comparisons, decisions, findings, and the outcome of a run."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from perfci.model.assessed import Assessment
from perfci.model.measured import Metric, RoundKind, Series
from perfci.model.monitor import Alert, GaugeChange
from perfci.model.reasons import Reason
from perfci.model.slo import Slo


class Role(StrEnum):
    """
    Whether a series can turn the verdict red or open, only red, or neither.

    A *required* series must be settled: while it is inconclusive, so is the whole. A *guarding* series can turn the
    whole red, but not being able to settle it is only reported. An *advisory* series is shown and never counts.
    """

    REQUIRED = "required"
    GUARDING = "guarding"
    ADVISORY = "advisory"


class Reference(StrEnum):
    """What a candidate is compared with."""

    BASELINE = "baseline"
    REF = "ref"
    LIMITS = "limits"  # with nothing: the SLOs alone are held against it


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The change of one series that matters."""

    role: Role
    change: float  # relative, as a fraction; for shares (Scale.DIFFERENCE, not exact) their own difference
    margin: float  # a change shown to be within it is "equivalent"
    floor: float = 0.0  # a smaller absolute change, in the metric's unit, is never a regression


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRule:
    """
    What a policy says about the budgets of some series.

    The first four fields pick the series: None picks all. The others are the budget: None leaves it as it is.
    """

    reference: Reference | None = None
    kind: RoundKind | None = None
    metric: str | None = None  # its name; of counters "SOURCE/COUNTER", or "COUNTER" for those of every source
    endpoint: str | None = None  # a name, in which "*" stands for any text
    role: Role | None = None
    change: float | None = None
    margin: float | None = None
    floor: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """What the gate enforces."""

    alpha: float  # of the whole family of gating series
    confidence: float  # of the intervals that are shown, and that "equivalent" rests on
    budgets: tuple[BudgetRule, ...]  # `perfci.judge.budgets.resolve` says which of them hold for a series
    slos: tuple[Slo, ...]
    min_requests: int  # of one endpoint in one round, below which its clocks are not compared
    accept_census: bool = True  # more work that the change itself writes into census.json is not red
    accept_answers: tuple[str, ...] = ()  # patterns of endpoints that may answer otherwise, or be gone
    alerts: tuple[Alert, ...] = ()


class SeriesVerdict(StrEnum):
    """The verdict on one series."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    EQUIVALENT = "equivalent"  # the whole interval lies within the margin
    BELOW_BUDGET = "below budget"  # no regression, and shown to be no worse than its margin where it is required
    INCONCLUSIVE = "inconclusive"
    NOT_COMPARED = "not compared"
    ACCEPTED = "accepted"  # worse on purpose: the change itself writes it into census.json, or an `Acceptance` names it


class Verdict(StrEnum):
    """The verdict on the whole run, in order of precedence: an earlier one hides the later."""

    INVALID = "invalid"
    REGRESSION = "regression"
    SLO_BREACH = "slo breach"
    NO_BASELINE = "no baseline"
    INCONCLUSIVE = "inconclusive"
    PASS = "pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicate:
    """One block (paired) or one run (baseline) behind a comparison: the values in the metric's unit."""

    label: str  # "block 3", or the id of a run
    base: float | None
    candidate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate and its confidence interval."""

    estimate: float
    low: float
    high: float


class CulpritKind(StrEnum):
    """In which way work grew."""

    N_PLUS_ONE = "n+1"  # one statement, as often as another one returned rows
    NEW = "new"  # a statement that the reference never sent
    MORE_CALLS = "more calls"
    PLAN = "plan"  # the same calls of the same statement touch more rows or blocks
    CACHE = "cache"  # hits became misses, or the cache is not asked any more
    PAYLOAD = "payload"  # the response itself grew
    ROUND_TRIPS = "round trips"  # more packets to and fro, which no statement explains


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """What made an endpoint do more work."""

    kind: CulpritKind
    what: str  # the statement without literals, or the counter
    before: float  # per request; calls unless the unit says more
    after: float
    unit: str = "calls"
    beside: str = ""  # n+1: the statement whose rows it follows


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One series, candidate against reference."""

    series: Series
    kind: RoundKind
    budget: Budget
    base: float | None  # typical value, in the metric's unit
    candidate: float | None
    change: Interval | None  # relative (+0.1 is 10 % more) or, for Scale.DIFFERENCE, absolute; None: not compared
    p_worse: float | None  # one-sided, that the candidate is worse
    p_better: float | None
    standard_error: float | None  # of the change, on the log scale for Scale.RATIO
    smallest_detectable: float | None  # the change that would have been found in 8 of 10 such runs
    replicates: tuple[Replicate, ...]
    note: str = ""  # why it was not compared, or a warning
    culprits: tuple[Culprit, ...] = ()  # worst first
    critical_change: float | None = None  # the smallest change that the test would have called more than noise
    common_shift: float | None = None  # relative change of all other endpoints: the machine's, not in `change`
    looks: tuple[float, ...] = ()  # fraction of the planned blocks at each look up to this one; empty: judged once
    unadjusted: Interval | None = None  # the change as if this look were the only one, narrower than `change`


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at a series said, in a run that was judged while it was measured."""

    block: int  # after which it was taken
    fraction: float  # of the planned blocks
    spent: float  # share of alpha, and of the error of the interval, that all looks up to this one may have used up
    change: Interval | None
    p_adjusted: float | None  # as of the decision
    verdict: SeriesVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Somebody who may decide it says, in public, that one series of one commit is worse on purpose."""

    series: str  # as `Series.label` writes it
    commit: str  # the full hash of the head that it is about: it holds for no other
    by: str  # the login
    at: str  # when it was written, ISO 8601
    why: str  # in the words of whoever accepted it; "" where nothing was said
    url: str  # of the comment


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the gate decided about one series, and why."""

    comparison: Comparison
    verdict: SeriesVerdict
    p_adjusted: float | None  # p_worse, corrected for the whole family
    because: Reason
    further_blocks: int | None = None  # that would settle it, where it is inconclusive
    looks: tuple[Look, ...] = ()  # empty: judged once
    acceptance: Acceptance | None = None  # of an accepted one: the comment; None: census.json

    @property
    def reason(self) -> str:
        """Why, in one sentence with its numbers."""
        return str(self.because)

    @property
    def counts(self) -> bool:
        """Whether the series may change the verdict of the whole run."""
        return self.comparison.budget.role is not Role.ADVISORY


@dataclass(frozen=True, slots=True, kw_only=True)
class SloResult:
    """One SLO over every round of the candidate under load."""

    slo: Slo
    metric: Metric
    rounds: int
    rounds_within: int
    worst: float | None
    held: bool
    because: Reason

    @property
    def reason(self) -> str:
        """Why it is held, breached or open, in words."""
        return str(self.because)


class Weight(StrEnum):
    """How a finding affects the verdict on the whole run."""

    INVALID = "invalid"
    REGRESSION = "regression"
    INCONCLUSIVE = "inconclusive"  # what would be a pass is inconclusive
    NOTICE = "notice"  # nothing; the change under review does something that a reader must know first
    WARNING = "warning"


BASE_UNAVAILABLE = "base-unavailable"
"""The code of the finding that says why a named base could not be had: nothing was compared."""


class Finding(Protocol):
    """
    Something about the measurement that has to be known before its numbers are believed.

    The kinds of findings are in `perfci.sentences`: each has its facts as typed fields, and the words for them.
    """

    @property
    def code(self) -> str:
        """What it is; stable, kebab-case."""

    @property
    def weight(self) -> Weight:
        """What it does to the verdict on the whole run."""

    @property
    def message(self) -> str:
        """What was found, in one sentence with its numbers."""

    @property
    def hint(self) -> str:
        """What to do next, or what to look at; "" where there is nothing to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordedFinding:
    """A finding whose words are made already: read from `result.json`, or those of an error."""

    code: str
    weight: Weight
    message: str
    hint: str = ""


def reweighed(finding: Finding, weight: Weight) -> Finding:
    """The same finding with another weight, where what it says does not change the verdict as it would by itself."""
    return WordedFinding(code=finding.code, weight=weight, message=finding.message, hint=finding.hint)


def regressions(decisions: Iterable[Decision], findings: Iterable[Finding]) -> tuple[str, ...]:
    """
    The reason of every regression of the whole, in the order in which they are reported: findings, then series.

    Whoever counts regressions counts these. What is worse in an advisory series is none.
    """
    found = [finding.message for finding in findings if finding.weight is Weight.REGRESSION]
    worse = [
        decision.reason for decision in decisions if decision.counts and decision.verdict is SeriesVerdict.REGRESSION
    ]
    return (*found, *worse)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What was judged, in words: the part of a report that is not a number."""

    profile: str
    scenario: str
    reference: Reference
    reference_name: str  # "main (1a2b3c4)", "8 runs of baselines/tickets-smoke"
    base_commit: str
    head_commit: str
    machine: str  # one line
    load: str  # one line
    head_name: str = "the working tree"  # where it is no commit: that, or the file that was imported


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A line about how a run was measured, which weighs nothing."""

    name: str  # "Folded"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The complete result of the gate: everything that a report may show."""

    verdict: Verdict
    because: Reason
    subject: Subject
    decisions: tuple[Decision, ...]  # worst first
    slos: tuple[SloResult, ...]
    findings: tuple[Finding, ...]
    family: int  # number of series that were corrected together
    alpha: float
    further_blocks: int | None = None
    gauges: tuple[GaugeChange, ...] = ()  # for information, by name
    remarks: tuple[Remark, ...] = ()
    assessment: Assessment | None = None  # of a run that was held against limits alone

    def noting(self, *findings: Finding) -> "Outcome":
        """Return the same outcome with more *findings*, which change no verdict."""
        return replace(self, findings=(*self.findings, *findings))

    @property
    def reason(self) -> str:
        """Why the verdict is what it is, in one sentence."""
        return str(self.because)

    @property
    def regressions(self) -> tuple[str, ...]:
        """The reason of every regression: of `regressions`."""
        return regressions(self.decisions, self.findings)

    @property
    def series(self) -> dict[SeriesVerdict, int]:
        """How many of the series that count have which verdict."""
        found = Counter(decision.verdict for decision in self.decisions if decision.counts)
        return {verdict: found[verdict] for verdict in SeriesVerdict}
