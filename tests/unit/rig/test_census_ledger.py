"""Whose work it was: differences around requests, with sources that behave and sources that do not."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.errors import CensusError
from perfci.model import CounterSource, Tally
from perfci.rig.census.answers import numbers
from perfci.rig.census.ledger import LOUD_REQUESTS, MOST_RESTLESS, Answer, Ledger, tally
from perfci.rig.census.source import Snapshot, Work

COUNTS = st.lists(st.floats(0, 1e9, allow_nan=False), min_size=1, max_size=30)


@dataclass
class Fake:
    """A source whose totals the test moves; `late` is work that shows itself one read later than the answer."""

    name: str = "db"
    kind: str = "fake"
    note: str = ""
    loud: bool = False
    total: int = 0
    late: int = 0
    texts: dict[str, int] = field(default_factory=dict)
    disturbances: int = 0
    others: int = 0
    restless: bool = False
    dead: str = ""
    reads: int = 0
    disturbs: "Fake | None" = None
    meanwhile: Callable[[], None] | None = None  # happens once, while this is read

    def ask(self) -> None:
        """Nothing."""

    def read(self) -> Snapshot:
        self.reads += 1
        if self.meanwhile:
            happens, self.meanwhile = self.meanwhile, None
            happens()
        if self.dead:
            raise CensusError(self.dead)
        if self.restless:
            self.total += 1
        if self.disturbs:
            self.disturbs.total += 100
        now = self.total
        self.total, self.late = self.total + self.late, 0
        return Snapshot(
            counters={"statements": float(now)},
            statements={text: Work(calls=calls, rows=2 * calls) for text, calls in self.texts.items()},
            disturbances=self.disturbances,
            others=self.others,
        )

    def close(self) -> None:
        """Nothing."""


def ledger(*sources: Fake) -> Ledger:
    """One that does not really sleep."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    started = Ledger(sources, clock=lambda: now[0], sleep=sleep)
    started.begin()
    return started


def ask(counting: Ledger, endpoint: str = "GET /", *, failed: bool = False, overlapped: bool = False) -> bool:
    """One answered request."""
    answer = Answer(endpoint=endpoint, failed=failed, counters={"bytes": 10.0})
    return counting.count(answer, overlapped=overlapped)


def test_work_is_that_of_the_request_before_it_and_the_first_is_kept_apart() -> None:
    """What was there before the start counts for nobody; the first visit is cold, the others give mean and spread."""
    db = Fake(total=1000)
    counting = ledger(db)
    for work in (9, 4, 4, 4):
        db.total += work
        ask(counting)
    db.total += 7
    ask(counting, "GET /other")
    assert counting.cold()["GET /"].counters["db/statements"] == Tally(requests=1, mean=9.0)
    assert counting.warm()["GET /"].counters == {
        "db/statements": Tally(requests=3, mean=4.0, spread=0.0),
        "response/bytes": Tally(requests=3, mean=10.0, spread=0.0),
    }
    assert counting.cold()["GET /other"].counters["db/statements"].mean == 7.0
    assert counting.seen() == {"GET /": 3, "GET /other": 0}


def test_late_work_belongs_to_the_request_that_caused_it() -> None:
    """It is seen by the second read, and the third agrees."""
    db = Fake()
    counting = ledger(db)
    for _ in range(3):
        db.total, db.late = db.total + 1, 2
        ask(counting)
    assert counting.warm()["GET /"].counters["db/statements"] == Tally(requests=2, mean=3.0)


def test_statements_that_a_request_did_not_send_were_sent_no_times() -> None:
    """Each statement has a tally over all requests of the endpoint."""
    db = Fake()
    counting = ledger(db)
    for texts in ({"SELECT ?": 1}, {"SELECT ?": 3}, {"SELECT ?": 3, "INSERT": 1}):
        db.texts |= {text: db.texts.get(text, 0) + calls for text, calls in texts.items()}
        ask(counting)
    insert, select = counting.warm()["GET /"].statements
    assert (insert.text, insert.calls.mean, insert.calls.requests) == ("INSERT", 0.5, 2)
    assert (select.text, select.calls, select.source) == ("SELECT ?", Tally(requests=2, mean=3.0), "db")
    assert select.rows == Tally(requests=2, mean=6.0)
    assert select.blocks is None


def test_a_source_that_never_rests_is_given_up_and_the_others_stand() -> None:
    """After a few requests in a row; its report says why."""
    db, clock = Fake(), Fake(name="ticks", restless=True)
    counting = ledger(db, clock)
    for _ in range(MOST_RESTLESS + 3):
        db.total += 2
        ask(counting)
    assert counting.warm()["GET /"].counters["db/statements"] == Tally(requests=MOST_RESTLESS + 2, mean=2.0)
    after = clock.reads
    ask(counting)
    assert clock.reads == after
    assert "ticks/statements" not in counting.warm()["GET /"].counters
    opened = [CounterSource(name=source.name, kind=source.kind, found=True) for source in (db, clock)]
    found, lost = counting.reports(opened)
    assert found.found
    assert (lost.found, lost.note) == (False, "it never came to rest within 0.25 s")


def test_a_request_during_which_other_clients_worked_does_not_count_for_that_source() -> None:
    """For the others it does, and the report says how many there were."""
    db, cache = Fake(), Fake(name="cache")
    counting = ledger(db, cache)
    for by_others in (0, 0, 3, 0):
        db.total, db.others = db.total + 2 + by_others, db.others + by_others
        cache.total += 1
        assert ask(counting)
    counters = counting.warm()["GET /"].counters
    assert counters["db/statements"] == Tally(requests=2, mean=2.0)
    assert counters["cache/statements"] == Tally(requests=3, mean=1.0)
    (report,) = counting.reports([CounterSource(name="db", kind="fake", found=True)])
    assert report.note == "1 requests do not count, because its other clients worked during them"


def test_a_source_that_dies_is_lost_with_its_words() -> None:
    """What it had counted goes with it: half a count would be compared with a whole one."""
    db, cache = Fake(), Fake(name="cache")
    counting = ledger(db, cache)
    for _ in range(3):
        db.total += 1
        cache.total += 1
        ask(counting)
    cache.dead = "it does not answer any more"
    ask(counting)
    assert dict(counting.lost()) == {"cache": "it does not answer any more"}
    assert "cache/statements" not in counting.warm()["GET /"].counters
    assert "db/statements" in counting.warm()["GET /"].counters


def test_what_happens_between_two_tasks_belongs_to_neither() -> None:
    """A health check of the database, a job that runs every second."""
    db = Fake()
    counting = ledger(db)
    for _ in range(4):
        db.total += 50
        counting.begin()
        db.total += 1
        ask(counting)
    assert counting.warm()["GET /"].counters["db/statements"] == Tally(requests=3, mean=1.0)


def test_a_disturbed_request_counts_for_no_source() -> None:
    """Somebody else made the target work meanwhile; whoever asks is told that it must be asked once more."""
    db, checks = Fake(), Fake(name="checks")
    counting = ledger(checks, db)
    counted = []
    for number in range(4):
        counting.begin()
        db.total += 1
        if number == 2:
            checks.disturbances += 1
            db.total += 5
        counted.append(ask(counting))
    assert counted == [True, True, False, True]
    assert counting.warm()["GET /"].counters["db/statements"] == Tally(requests=2, mean=1.0)


@pytest.mark.parametrize("late", [False, True], ids=["while it is read", "once it was read"])
@pytest.mark.parametrize("before", [False, True], ids=["after the request", "before it"])
def test_a_health_check_while_the_page_is_read_counts_for_nobody(*, before: bool, late: bool) -> None:
    """Neither for the request whose counters are read, nor for the next, whatever the page shows of its work."""
    checks, db = Fake(name="checks"), Fake()
    page = Fake(name="metrics", loud=True)

    def check() -> None:
        checks.disturbances += 1
        db.total += 5
        if late:
            page.late = 7
        else:
            page.total += 7

    counting = ledger(checks, db, page)
    for number in range(5):
        if number == 2 and before:
            db.total += 1  # else a page that is as it was is not read again
            page.meanwhile = check
        counting.begin(["GET /"])
        if number == 2 and not before:
            page.meanwhile = check
        db.total += 1
        page.total += 1
        ask(counting)
    counters = counting.warm()["GET /"].counters
    assert (counters["db/statements"].mean, counters["db/statements"].spread) == (1.0, 0.0)
    assert (counters["metrics/statements"].mean, counters["metrics/statements"].spread) == (1.0, 0.0)


def test_overlapping_requests_count_for_nobody() -> None:
    """Neither the one that was sent too early, nor the one before it."""
    counting = ledger(Fake())
    counted = [ask(counting, overlapped=number == 3) for number in range(5)]
    assert counted == [True, True, True, False, True]
    assert counting.seen() == {"GET /": 2}
    assert counting.overlapped == 1


def test_reading_a_loud_source_is_no_work_of_the_request() -> None:
    """It is read after the others, which are read again before the next request, and not for ever."""
    db = Fake()
    page = Fake(name="metrics", loud=True, disturbs=db)
    counting = ledger(db, page)
    for _ in range(20):
        counting.begin(["GET /"])
        db.total += 3
        page.total += 1
        ask(counting)
        reads = page.reads
    counters = counting.warm()["GET /"].counters
    assert counters["db/statements"] == Tally(requests=19, mean=3.0)
    assert counters["metrics/statements"] == Tally(requests=LOUD_REQUESTS, mean=1.0)
    counting.begin(["GET /"])
    ask(counting)
    assert page.reads == reads


def test_failures_are_counted_and_their_work_is_not() -> None:
    """A request that fails at once does little, which is no improvement."""
    db = Fake()
    counting = ledger(db)
    for failed in (False, False, True, False):
        db.total += 0 if failed else 4
        ask(counting, failed=failed)
    seen = counting.warm()["GET /"]
    assert seen.requests == 2
    assert seen.counters["db/statements"] == Tally(requests=2, mean=4.0)
    assert seen.counters["response/failures"].mean == pytest.approx(1 / 3)


def test_counters_that_were_reset_meanwhile_give_no_count() -> None:
    """Less than before is no work."""
    db = Fake(total=100)
    counting = ledger(db)
    for _ in range(2):
        db.total += 4
        ask(counting)
    db.total = 1
    ask(counting)
    assert counting.warm()["GET /"].counters["db/statements"] == Tally(requests=1, mean=4.0)


@given(COUNTS)
def test_the_spread_is_exactly_zero_where_all_are_equal_and_only_there(values: list[float]) -> None:
    """Constant is a claim that holds to the last bit."""
    found = tally(values)
    assert found.requests == len(values)
    assert min(values) <= found.mean <= max(values) or found.mean == pytest.approx(values[0])
    if len(set(values)) == 1:
        assert (found.mean, found.spread) == (values[0], 0.0)
    assert tally([values[0]] * 7) == Tally(requests=7, mean=values[0], spread=0.0)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"Server-Timing": 'db;dur=53.2;desc="4 statements", cache;desc=miss'}, {"server-timing db": 4.0}),
        ({"Server-Timing": "sql;desc=12,app;dur=1"}, {"server-timing sql": 12.0}),
        ({"X-Sql-Queries": " 7 "}, {"x-sql-queries": 7.0}),
        ({"X-Cache": "hit"}, {}),
        ({"Server-Timing": ";;=,,\"'"}, {}),
    ],
)
def test_numbers_of_an_answer(headers: dict[str, str], found: dict[str, float]) -> None:
    """Counts, and never durations."""
    assert numbers(3.0, headers) == {"bytes": 3.0} | found


@given(st.text(max_size=200))
def test_any_header_can_be_read(value: str) -> None:
    """Whatever a service writes there."""
    assert numbers(0.0, {"Server-Timing": value, "X-Count": value})["bytes"] == 0.0
