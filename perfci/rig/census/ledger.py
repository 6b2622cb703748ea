"""
Attributes work to requests: the counters of one side, read around each request, and the sums of their differences.

Nothing here knows how requests are sent: somebody says which endpoint has just been answered, while none is in flight.
"""

import math
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from perfci.errors import CensusError
from perfci.model import Answered, CounterSource, EndpointCensus, Statement, Tally, kind_of_answer
from perfci.rig.census.source import Snapshot, Source, Work

GAP_S = 0.002  # between two reads of the same source: what is still going on shows itself
REST_S = 0.25  # in which two reads have to agree
LOUD_REQUESTS = 4  # of each endpoint, for which the service itself is asked
MOST_RESTLESS = 5  # requests in a row, after which a source is given up
NOTHING = Snapshot(counters={})
NOT_RENAMED: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One request that was answered."""

    endpoint: str
    failed: bool
    counters: Mapping[str, float]  # what the answer itself shows: "bytes", numbers of its headers
    name: str = ""  # of the request, where its endpoint has several
    status: int = 0


@dataclass(slots=True, kw_only=True)
class Sample:
    """The work of one request, by source, without the sources whose reads did not agree."""

    answer: Answer
    work: dict[int, Snapshot]  # position of the source -> differences


@dataclass(slots=True)
class Watched:
    """An open source, with its totals, and how reliably two reads in a row agreed."""

    source: Source
    before: Snapshot = NOTHING
    restless: Counter[str] = field(default_factory=Counter)  # endpoints after which it did not come to rest
    in_a_row: int = 0
    shared: int = 0  # requests during which other clients of the same server worked
    gone: str = ""  # why it is not read any more

    def attempt(self, step: Callable[[], Snapshot | None]) -> Snapshot | None:
        """Call *step* (ask or read) of the source; a source that fails is not read any more."""
        if self.gone:
            return None
        try:
            return step()
        except CensusError as error:
            self.gone = str(error)
            return None


class Ledger:
    """The counts of one side."""

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._watched = [Watched(source) for source in sources]
        self._clock, self._sleep = clock, sleep
        self._cold: dict[str, Sample] = {}
        self._warm: defaultdict[str, list[Sample]] = defaultdict(list)
        self._last: list[Sample] = []  # where the last sample went
        self._asking, self._stale = True, True  # whether loud sources are read, and whether their last read is old
        self.overlapped = 0

    def begin(self, expected: Collection[str] = ()) -> None:
        """
        Discard what was done so far: work between two tasks belongs to neither.

        *expected* are the endpoints that the next task is known to ask for. Once all of them have been seen often
        enough for that, the loud sources are left in peace: asking them costs more than the request itself.
        """
        self._asking = not expected or any(len(self._warm[endpoint]) < LOUD_REQUESTS for endpoint in expected)
        quiet = [watched for watched in self._watched if not watched.source.loud]
        now = _read(quiet)
        moved = any(watched.before != now.get(id(watched)) for watched in quiet if not watched.gone)
        self._keep(now)
        if self._asking and (self._stale or moved):
            self._settle()

    def count(self, answer: Answer, *, overlapped: bool = False) -> bool:
        """
        Attribute what was done since the last call to *answer*; whether it counts.

        What does not: requests that *overlapped* with the one before, which is taken back as well, because their work
        cannot be told apart; and those during which somebody else made the target work.
        """
        heard = self._heard()
        work = self._read_after(answer.endpoint)
        disturbed = self._heard() != heard
        if disturbed and self._asking:
            self._settle()
        sample = Sample(answer=answer, work=work)
        before, self._last = self._last, []
        if overlapped:
            self.overlapped += 1
            if before:
                before.pop()
        if answer.endpoint not in self._cold:
            self._cold[answer.endpoint] = sample
            return True
        if overlapped or disturbed:
            return False
        self._last = self._warm[answer.endpoint]
        self._last.append(sample)
        return True

    def seen(self) -> Mapping[str, int]:
        """The requests of each endpoint, without its first one."""
        return {endpoint: len(self._warm[endpoint]) for endpoint in self._cold}

    def warm(self, called: Mapping[str, str] = NOT_RENAMED) -> Mapping[str, EndpointCensus]:
        """The work of each endpoint without its first request; *called* maps names of requests to other endpoints."""
        regrouped: defaultdict[str, list[Sample]] = defaultdict(list)
        for endpoint, samples in self._warm.items():
            for sample in samples:
                regrouped[called.get(sample.answer.name, endpoint)].append(sample)
        return {endpoint: self._endpoint(samples) for endpoint, samples in sorted(regrouped.items())}

    def answered(self) -> Mapping[str, Answered]:
        """The responses to names that are folded into an endpoint of another name."""
        found: dict[str, Answered] = {}
        for answer in self._answers():
            if answer.name not in {"", answer.endpoint}:
                counted = _answered(answer)
                found[answer.name] = found[answer.name] + counted if answer.name in found else counted
        return found

    def endpoint_of(self) -> Mapping[str, str]:
        """The endpoint of each name of requests that is folded into another one."""
        return {answer.name: answer.endpoint for answer in self._answers() if answer.name not in {"", answer.endpoint}}

    def _answers(self) -> Iterator[Answer]:
        yield from (sample.answer for sample in self._cold.values())
        yield from (sample.answer for samples in self._warm.values() for sample in samples)

    def cold(self) -> Mapping[str, EndpointCensus]:
        """The work of the first request of each endpoint."""
        return {endpoint: self._endpoint([sample]) for endpoint, sample in sorted(self._cold.items())}

    def reports(self, opened: Iterable[CounterSource]) -> tuple[CounterSource, ...]:
        """What each source was able to count until the end."""
        said = {(watched.source.name, watched.source.kind): watched for watched in self._watched}
        return tuple(self._report(report, said.get((report.name, report.kind))) for report in opened)

    def _report(self, opened: CounterSource, watched: Watched | None) -> CounterSource:
        if watched is None:
            return opened
        if watched.gone:
            return replace(opened, found=False, note=watched.gone)
        notes = [watched.source.note]
        if watched.shared:
            notes.append(f"{watched.shared} requests do not count, because its other clients worked during them")
        worst = [name for name, count in watched.restless.most_common() if 2 * count > len(self._warm[name])]
        if worst:
            notes.append(f"it did not come to rest after most requests of {', '.join(worst[:3])}")
        return replace(opened, note="; ".join(filter(None, notes)))

    def lost(self) -> Mapping[str, str]:
        """Sources that were open and had to be given up, with the reason."""
        return {watched.source.name: watched.gone for watched in self._watched if watched.gone}

    def _read_after(self, endpoint: str) -> dict[int, Snapshot]:
        """The work of each source since the last call, up to now; the work of the next request begins here."""
        quiet = [watched for watched in self._watched if not watched.source.loud]
        loud = [watched for watched in self._watched if watched.source.loud and self._asking]
        self._stale = self._stale or not self._asking
        after = self._at_rest(quiet, endpoint)
        for request in quiet:
            request.shared += id(request) in after and after[id(request)].others != request.before.others
        if loud:  # one look is enough where the quiet ones have seen the service come to rest: each is a request to it
            resting = any(snapshot.counters for snapshot in after.values())
            after |= _read(loud) if resting else self._at_rest(loud, endpoint)
        work = {
            position: difference
            for position, watched in enumerate(self._watched)
            if (now := after.get(id(watched))) is not None
            and (difference := _difference(watched.before, now)) is not None
        }
        if loud:  # their reading made the quiet ones count
            after |= self._at_rest(quiet, endpoint)
        self._keep(after)
        return work

    def _settle(self) -> None:
        """Read all sources without a disturbance in between, as the start of the next request."""
        for _ in range(MOST_RESTLESS):
            heard = self._heard()
            self._keep(_read([watched for watched in self._watched if watched.source.loud]))
            self._keep(_read([watched for watched in self._watched if not watched.source.loud]))
            if self._heard() == heard:
                break
        self._stale = False

    def _heard(self) -> int:
        """The number of disturbances so far."""
        return sum(watched.before.disturbances for watched in self._watched)

    def _keep(self, totals: Mapping[int, Snapshot]) -> None:
        for watched in self._watched:
            watched.before = totals.get(id(watched), watched.before)

    def _at_rest(self, watched: Sequence[Watched], endpoint: str) -> dict[int, Snapshot]:
        """The totals of each source once two reads in a row agree, without the sources for which that never happens."""
        if not any(not watched_source.gone for watched_source in watched):
            return {}
        deadline = self._clock() + REST_S
        next_s = self._clock() + GAP_S
        before = _read(watched)
        while True:
            self._sleep(max(0.0, next_s - self._clock()))
            next_s = self._clock() + GAP_S
            now = _read(watched)
            moving = [
                watched_source
                for watched_source in watched
                if id(watched_source) in now
                and _moved(before.get(id(watched_source), NOTHING), now[id(watched_source)])
            ]
            if not moving or self._clock() > deadline:
                break
            before = now
        for watched_source in watched:
            if watched_source not in moving:
                watched_source.in_a_row = 0
                continue
            watched_source.restless[endpoint] += 1
            watched_source.in_a_row += 1
            whose = (
                ""
                if now[id(watched_source)].others == watched_source.before.others
                else ", because other clients work on it"
            )
            watched_source.before = now.pop(id(watched_source))
            if watched_source.in_a_row >= MOST_RESTLESS:
                watched_source.gone = f"it never came to rest within {REST_S:g} s{whose}"
        return now

    def _endpoint(self, samples: Sequence[Sample]) -> EndpointCensus:
        good = [sample for sample in samples if not sample.answer.failed]  # the work of a failure is another one
        counters = {"response/failures": tally([float(sample.answer.failed) for sample in samples])}
        for name in {name for sample in good for name in sample.answer.counters}:
            counters[f"response/{name}"] = tally([sample.answer.counters.get(name, 0.0) for sample in good])
        statements: list[Statement] = []
        for position, watched in enumerate(self._watched):
            works = [sample.work[position] for sample in good if position in sample.work]
            if watched.gone or not works:
                continue
            for name in {name for work in works for name in work.counters}:
                values = [work.counters.get(name, 0.0) for work in works]
                counters[f"{watched.source.name}/{name}"] = tally(values)
            statements += _statements(watched.source.name, works)
        return EndpointCensus(
            requests=len(good),
            counters={
                name: tallied for name, tallied in sorted(counters.items()) if tallied.mean or tallied.spread
            },  # zero is absent
            statements=tuple(sorted(statements, key=lambda each: (each.source, each.text))),
        )


def _answered(answer: Answer) -> Answered:
    size = None if answer.failed else int(answer.counters.get("bytes", 0.0))
    return Answered(
        answers=1,
        kinds=frozenset({kind_of_answer(answer.status, failed=answer.failed)}),
        bytes_=size or 0,
        successes=size is not None,
        smallest=size,
        largest=size,
    )


def tally(values: Sequence[float]) -> Tally:
    """Mean and standard deviation (n - 1) of at least one value; the latter exactly 0 where all are equal."""
    if min(values) == max(values):
        return Tally(requests=len(values), mean=values[0])
    return Tally(requests=len(values), mean=math.fsum(values) / len(values), spread=statistics.stdev(values))


def _read(watched: Sequence[Watched]) -> dict[int, Snapshot]:
    for source in watched:
        source.attempt(source.source.ask)
    totals = {id(source): source.attempt(source.source.read) for source in watched}
    return {key: snapshot for key, snapshot in totals.items() if snapshot is not None}


def _moved(before: Snapshot, after: Snapshot) -> bool:
    """Whether any work was done in between; disturbances that have ended do not count."""
    return (before.counters, before.statements) != (after.counters, after.statements)


def _difference(before: Snapshot, after: Snapshot) -> Snapshot | None:
    """The work in between; None where other clients did some of it, or the totals were reset."""
    if before.others != after.others:
        return None
    counters = {name: total - before.counters.get(name, 0.0) for name, total in after.counters.items()}
    statements = {text: _less(total, before.statements.get(text)) for text, total in after.statements.items()}
    if any(value < 0 for value in counters.values()) or any(work.calls < 0 for work in statements.values()):
        return None
    return Snapshot(
        counters=counters,
        statements={text: work for text, work in statements.items() if work.calls},
    )


def _less(after: Work, before: Work | None) -> Work:
    if before is None:
        return after
    return Work(
        calls=after.calls - before.calls,
        rows=None if after.rows is None else after.rows - (before.rows or 0),
        blocks=None if after.blocks is None else after.blocks - (before.blocks or 0),
    )


def _statements(source: str, works: Sequence[Snapshot]) -> list[Statement]:
    """Every statement of the requests, with its count in each of them, which may be 0."""
    none = Work(calls=0)
    found = []
    for text in {text for work in works for text in work.statements}:
        sent = [work.statements.get(text, none) for work in works]
        called = [work for work in sent if work.calls]
        rows = tally([float(work.rows or 0) for work in sent]) if called[0].rows is not None else None
        blocks = tally([float(work.blocks or 0) for work in sent]) if called[0].blocks is not None else None
        calls = tally([float(work.calls) for work in sent])
        found.append(Statement(source=source, text=text, calls=calls, rows=rows, blocks=blocks))
    return found
