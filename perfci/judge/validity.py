"""
Whether the numbers can be believed, before anyone looks at them.

A finding invalidates a run only where generator, recorder or machine caused it, or where both sides show it. What only
the candidate shows is its regression.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from perfci.judge import likeness
from perfci.model import ALL_ENDPOINTS, Baseline, Finding, Round, RoundKind, Run, Side, Weight

SATURATED = 0.9
"""Of a core: above it the generator itself is what is slow. In half of a side's load rounds it invalidates the run."""

BUSY = 0.7
"""Of a core: worth a warning; on a machine whose cores the service shares this is ordinary."""

STARVED = 0.3
"""Share of its time that the generator waited for a core."""

LATE_MS = 100.0
"""Lag of the generator's event loop, 99th percentile: latencies are stretched by about as much."""


@dataclass(frozen=True, slots=True)
class _Case:
    """The rounds of both sides; in baseline mode the base is what the stored runs measured."""

    base: Sequence[Round]
    candidate: Sequence[Round]
    measured: Sequence[Round]  # by this run, of the sides that are judged


def findings(run: Run, baseline: Baseline | None) -> tuple[Finding, ...]:
    """
    Everything to be known about the measurement, the gravest first.

    Without *baseline* the run's own base side is the reference; with one, even an empty one, the stored runs are.
    """
    case = _case(run, baseline)
    if not case.candidate:
        message = "No round of the candidate was measured"
        return (_invalid("no-rounds", message, "See the incidents of the run."), *_incomplete(run))
    found = [finding for check in _CHECKS for finding in check(case)]
    if not any(finding.weight is Weight.REGRESSION for finding in found):
        found += _incomplete(run)
    if baseline is not None:
        found += _unlike(run, baseline)
    gravity = list(Weight)
    return tuple(sorted(found, key=lambda finding: gravity.index(finding.weight)))


def _case(run: Run, baseline: Baseline | None) -> _Case:
    candidate = [one for one in run.rounds if one.side is Side.CANDIDATE]
    if baseline is None:
        return _Case([one for one in run.rounds if one.side is Side.BASE], candidate, run.rounds)
    stored = [one for other in baseline.runs for one in other.rounds if one.side is Side.CANDIDATE]
    return _Case(stored, candidate, candidate)


def _invalid(code: str, message: str, hint: str = "") -> Finding:
    return Finding(code=code, weight=Weight.INVALID, message=message, hint=hint)


def _warning(code: str, message: str, hint: str = "") -> Finding:
    return Finding(code=code, weight=Weight.WARNING, message=message, hint=hint)


def _blame(case: _Case, code: str, shows: Callable[[Sequence[Round]], bool], what: str, hint: str) -> Iterator[Finding]:
    """Red where only the candidate shows it, invalid where the reference does too or there is none."""
    if shows(case.candidate) and case.base and not shows(case.base):
        yield Finding(
            code=code, weight=Weight.REGRESSION, message=f"The candidate {what}; the reference did not", hint=hint
        )
    elif shows(case.candidate) or shows([one for one in case.measured if one.side is Side.BASE]):
        who = "The candidate" if not case.base else "The reference" if not shows(case.candidate) else "Both sides"
        yield _invalid(code, f"{who} {what}", hint)


def _total(rounds: Sequence[Round]) -> tuple[int, int]:
    """Requests and failures."""
    seen = [line for one in rounds for name, line in one.endpoints.items() if name != ALL_ENDPOINTS]
    return sum(line.requests for line in seen), sum(line.failures for line in seen)


def _reach(case: _Case) -> Iterator[Finding]:
    silent = [side for side in Side if (own := _of(case, side)) and _total(own)[0] == 0]
    alive = all(one.target.alive for one in case.measured)
    if silent and alive:
        who = " and ".join(side.value for side in silent)
        yield _invalid("no-requests", f"No request was made to the {who}", "Does the load reach the service at all?")


def _of(case: _Case, side: Side) -> Sequence[Round]:
    return [one for one in case.measured if one.side is side]


def _deaths(case: _Case) -> Iterator[Finding]:
    notes = [one.target.note for one in case.measured if not one.target.alive and one.target.note]
    return _blame(
        case,
        "target-died",
        lambda rounds: any(not one.target.alive or one.target.restarts for one in rounds),
        "died or restarted under measurement",
        notes[0] if notes else "See the log of the service.",
    )


def _failures(case: _Case) -> Iterator[Finding]:
    def shows(rounds: Sequence[Round]) -> bool:
        requests, failures = _total(rounds)
        return requests > 0 and failures == requests

    errors = [f"{count} x {message}" for one in case.candidate for message, count in one.errors.items()]
    hint = f"The first: {errors[0]}" if errors else "See the failures of the run."
    return _blame(case, "everything-failed", shows, "failed every request", hint)


def _tasks(case: _Case) -> Iterator[Finding]:
    """Exceptions outside requests: a broken locustfile, or answers that it cannot work with."""

    def shows(rounds: Sequence[Round]) -> bool:
        raised = sum(one.generator.exceptions for one in rounds)
        return raised > 0 and raised >= _total(rounds)[0]

    hint = "Run the profile by hand to see the traceback."
    every = list(_blame(case, "tasks-raise", shows, "made every task of the load raise", hint))
    raised = sum(one.generator.exceptions for one in case.measured)
    if raised and not every:
        yield _warning("task-exceptions", f"{raised} tasks of the load raised an exception", hint)
    yield from every


def _users(case: _Case) -> Iterator[Finding]:
    """Users that never came up. Where the service died, that explains it."""

    def shows(rounds: Sequence[Round]) -> bool:
        short = [one for one in rounds if one.generator.users_reached < one.generator.users_wanted]
        return any(one.target.alive for one in short)

    return _blame(
        case,
        "users-not-reached",
        shows,
        "did not come to the number of users that was asked for",
        "Start them more slowly, or ask for fewer.",
    )


def _generator(case: _Case) -> Iterator[Finding]:
    load = [one for one in case.measured if one.kind is RoundKind.LOAD]
    for side in Side:
        own = [one for one in load if one.side is side]
        saturated = [one for one in own if one.generator.cpu_share > SATURATED]
        if own and 2 * len(saturated) >= len(own):
            message = f"The load generator was saturated in {len(saturated)} of {len(own)} rounds of the {side.value}"
            yield _invalid("generator-saturated", message, "Use fewer users, or a lighter client (FastHttpUser).")
    busiest = max((one.generator.cpu_share for one in load), default=0.0)
    if busiest > BUSY:
        message = f"The load generator used up to {100 * busiest:.0f} % of a core"
        yield _warning("generator-busy", message, "Above 90 % it slows down what it measures.")
    if broken := [one for one in case.measured if not one.generator.complete]:
        message = f"The record of {len(broken)} of {len(case.measured)} rounds is incomplete"
        yield _invalid("record-incomplete", message, "A process of the load generator ended before its time.")


def _machine(case: _Case) -> Iterator[Finding]:
    waited = max((one.generator.run_delay_share for one in case.measured), default=0.0)
    if waited > STARVED:
        message = f"The load generator waited for a core up to {100 * waited:.0f} % of its time"
        yield _warning("generator-starved", message, "Something else uses the machine, or it has too few cores.")
    lag = max((one.generator.loop_lag_p99_ms for one in case.measured), default=0.0)
    if lag > LATE_MS:
        yield _warning("generator-late", f"The load generator's event loop was up to {lag:.0f} ms late")


_CHECKS: Sequence[Callable[[_Case], Iterator[Finding]]] = (
    _deaths,
    _reach,
    _failures,
    _tasks,
    _users,
    _generator,
    _machine,
)


def _incomplete(run: Run) -> list[Finding]:
    """The planned rounds were not all measured, by no fault of the candidate; or something odd happened on the way."""
    if run.complete:
        return [_warning("incident", incident) for incident in run.incidents]
    hint = run.incidents[0] if run.incidents else ""
    return [_invalid("run-incomplete", "The run ended before all planned rounds were measured", hint)]


def _unlike(run: Run, baseline: Baseline) -> Iterator[Finding]:
    """Clocks of unlike runs are not compared: that is said, and the gate cannot tell."""
    if obstacle := likeness.obstacle(run, baseline):
        message = f"Times are not compared: {obstacle}"
        yield _warning("baseline-unlike", message, "Measure and accept a run under these conditions.")
    used = likeness.comparable(run, baseline)
    versions = sorted({stored.fingerprint.versions.get("locust", "?") for stored in used})
    own = run.fingerprint.versions.get("locust", "?")
    if versions and versions != [own]:
        yield _warning("locust-differs", f"Locust {own} is compared with runs of Locust {', '.join(versions)}")
