"""Finds the census to compare with, and whether it may be compared: same data and load, on any machine."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from perfci.judge.census.statements import merged
from perfci.model import (
    Baseline,
    Census,
    CommittedCensus,
    EndpointCensus,
    Finding,
    Reason,
    Run,
    Side,
    Statement,
    Tally,
)
from perfci.sentences import census as say
from perfci.sentences.conditions import CountedOtherwise, CountedWith, OtherData, PlanUnknown


@dataclass(frozen=True, slots=True)
class Work:
    """A census that answers for any counter: a counter that an open source never saw is zero."""

    endpoints: Mapping[str, EndpointCensus]
    kinds: Mapping[str, frozenset[str]]  # of the sources that were found, by name

    @classmethod
    def of(cls, census: Census) -> "Work":
        """What *census* counted, each statement masked and once."""
        kinds: dict[str, frozenset[str]] = {}
        for source in census.sources:
            kinds[source.name] = kinds.get(source.name, frozenset()) | ({source.kind} if source.found else set())
        readers = {name: " ".join(sorted(known - {"network"})) for name, known in kinds.items()}
        return cls(
            {
                name: replace(counts, statements=merged(counts.statements, readers))
                for name, counts in census.endpoints.items()
            },
            kinds,
        )

    def counters(self, endpoint: str) -> frozenset[str]:
        """What was counted for the endpoint."""
        return frozenset(self.endpoints[endpoint].counters)

    def tally(self, endpoint: str, counter: str, other: "Work") -> Tally | None:
        """
        The counter, or zero where nothing ever moved it; None where this side could not have seen it.

        A side could see what the *other* saw if it read that source in every way in which the other did.
        """
        counted = self.endpoints[endpoint]
        source = counter.rpartition("/")[0]
        could = self.kinds.get(source, frozenset()) >= other.kinds.get(source, frozenset())
        nothing = Tally(requests=counted.requests, mean=0.0) if could else None
        return counted.counters.get(counter, nothing)

    def statements(self, endpoint: str, source: str) -> tuple[Statement, ...]:
        """What the endpoint sent to that database."""
        return tuple(statement for statement in self.endpoints[endpoint].statements if statement.source == source)


def reference(run: Run, baseline: Baseline | None) -> tuple[Work | None, Reason | None]:
    """What the candidate's work is compared with, and why it cannot be, if it cannot: without *baseline*, the base."""
    if baseline is None:
        base = run.census.get(Side.BASE)
        return (None, None) if base is None else (Work.of(base), _other_seed(run, base))
    if baseline.census is None:
        return None, None
    return Work.of(baseline.census.census), obstacle(run, baseline.census)


def obstacle(run: Run, committed: CommittedCensus) -> Reason | None:
    """Why the run's work cannot be compared with what was committed; None where it can."""
    plan = run.fingerprint.plan
    if plan is None:
        return PlanUnknown()
    must_agree = {
        CountedWith.SCENARIO: (run.profile, run.scenario) == (committed.profile, committed.scenario),
        CountedWith.LOCUSTFILE: plan.digest == committed.load,
        CountedWith.USERS: (plan.user_classes, plan.tags) == (committed.user_classes, committed.tags),
        CountedWith.ENVIRONMENT: dict(plan.environment) == dict(committed.environment),
        CountedWith.SEED: not _other_seed(run, committed.census),
    }
    wrong = tuple(what for what, agrees in must_agree.items() if not agrees)
    return CountedOtherwise(attributes=wrong) if wrong else None


def gaps(run: Run, baseline: Baseline | None) -> Iterator[Finding]:
    """What was not counted, or has nothing to be compared with."""
    candidate = run.census.get(Side.CANDIDATE)
    work, why = reference(run, baseline)
    if candidate is None:
        if work is not None:
            yield say.Absent()
        return
    if unreached := sorted(candidate.unreached):
        yield say.Unreached(endpoints=tuple(unreached))
    if work is None:
        yield say.BaseNotCounted() if baseline is None else say.NoFile()
        return
    if why:
        yield say.Unlike(obstacle=why)
        return
    here = Work.of(candidate)
    if only := sorted(work.endpoints.keys() - here.endpoints.keys() - set(unreached)):
        yield say.OnReferenceOnly(endpoints=tuple(only))
    if new := sorted(here.endpoints.keys() - work.endpoints.keys()):
        yield say.NewEndpoints(endpoints=tuple(new))


def _other_seed(run: Run, census: Census) -> OtherData | None:
    candidate = run.census.get(Side.CANDIDATE)
    same = candidate is None or seed_of(run, census) == seed_of(run, candidate)
    return None if same else OtherData()


def seed_of(run: Run, census: Census) -> str:
    """Digest of the data that was counted on."""
    return census.seed_digest or run.fingerprint.seed_digest
