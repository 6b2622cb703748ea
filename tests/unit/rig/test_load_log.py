"""The request log: what the generator wrote is what perfci reads, however the generator ended."""

import importlib.util
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from geventhttpclient.header import Headers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from perfci.errors import LoadError
from perfci.model import AnswerForm
from perfci.rig.load.log import COLUMNS, MAGIC, LogReader, requests_of
from perfci.rig.load.schedule import schedule_of

INSIDE = Path(__file__).parents[3] / "perfci/rig/load/inside"
Row = tuple[str, float, float, bool, int, int]


@pytest.fixture(scope="module")
def inside() -> Iterator[ModuleType]:
    """The writer's module, by its path: it belongs to the load generator and to no package."""
    spec = importlib.util.spec_from_file_location("perfci_log_under_test", INSIDE / "perfci_log.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(INSIDE))  # as it is where Locust runs: its neighbours are imported by their bare names
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(INSIDE))
        del sys.modules[spec.name]


ROWS = st.tuples(
    st.sampled_from(["GET /", "POST /tickets/", "GET /ü/\N{SNOWMAN}", ""]) | st.text(max_size=8),
    st.floats(0, 4e9),
    st.floats(-1, 1e7),
    st.booleans(),
    st.integers(0, 65535),
    st.integers(0, 2**64 - 1),
)
STEPS = st.lists(ROWS | st.just("flush"), max_size=60)


def _write(inside: ModuleType, path: Path, steps: list[Any]) -> None:
    writer = inside.LogWriter(path)
    for step in steps:
        writer.flush() if step == "flush" else writer.request(*step)
    writer.close()


def _read(path: Path) -> LogReader:
    reader = LogReader(path)
    reader.poll()
    return reader


def _rows(*readers: LogReader) -> list[Row]:
    table = requests_of(readers)
    names = [table.names[number] for number in table.endpoint]
    failed = [bool(flag) for flag in table.failed]
    return list(zip(names, table.start_s, table.latency_ms, failed, table.status, table.size, strict=True))


def test_both_ends_agree_on_the_format(inside: ModuleType) -> None:
    """The two halves share no code, so they must not drift apart."""
    assert (inside.MAGIC, inside.COLUMNS) == (MAGIC, COLUMNS)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_what_was_written_is_read(inside: ModuleType, tmp_path: Path, steps: list[Any]) -> None:
    """Any requests, flushed at any moment: all of them, in order, to the last bit."""
    _write(inside, tmp_path / "1.log", steps)
    reader = _read(tmp_path / "1.log")
    assert _rows(reader) == [step for step in steps if step != "flush"]
    assert reader.complete


def test_a_user_stays_with_its_requests(inside: ModuleType, tmp_path: Path) -> None:
    """Over flushes, and over processes that both number their users from 1; what no user sent is nobody's."""
    for number, users in enumerate([("Viewer", "", "Buyer"), ("Buyer", "Viewer")], start=1):
        writer = inside.LogWriter(tmp_path / f"{number}.log")
        for user in users:
            writer.request("GET /", 1.0, 2.0, False, 200, 3, user=user)
            writer.flush()
        writer.close()
    table = requests_of([_read(tmp_path / "1.log"), _read(tmp_path / "2.log")])
    assert table.users == ("Viewer", "Buyer", "Buyer", "Viewer")
    assert list(table.user) == [1, 0, 2, 3, 4]


def test_lateness_stays_with_its_requests_and_starts_with_their_times(inside: ModuleType, tmp_path: Path) -> None:
    """Over flushes, and over processes that are put together."""
    row: Any = ("GET /", 1.0, 2.0, False, 200, 3)
    for number in (1, 2):
        writer = inside.LogWriter(tmp_path / f"{number}.log")
        writer.request(*row)
        writer.flush()
        writer.start(10.0 * number, 70.0, 0.7, True)
        writer.late(70.0, 100.0)
        writer.request(*row)
        writer.start(20.0, -1.0, 1.0, True)
        writer.close()
    readers = [_read(tmp_path / "1.log"), _read(tmp_path / "2.log")]
    lateness = requests_of(readers).lateness
    assert lateness is not None
    assert list(lateness.row) == [1, 3]
    assert (list(lateness.late_ms), list(lateness.pace_ms)) == ([70.0, 70.0], [100.0, 100.0])
    kept = schedule_of(readers, [(5.0, 15.0)])
    assert kept is not None
    assert (kept.late, kept.missed, kept.overslept) == (1, 0.7, 0)
    assert (kept.due, kept.late_s) == pytest.approx((1.7, 0.07))
    assert schedule_of(readers, [(0.0, 5.0)]) is None


def test_a_file_cut_off_anywhere_loses_its_unfinished_chunk_only(inside: ModuleType, tmp_path: Path) -> None:
    """Whoever is killed leaves a readable beginning: no offset raises, every whole chunk counts, none is complete."""
    rows: list[Any] = [(f"GET /{number % 3}", 1e9 + number, 1.5 * number, False, 200, number) for number in range(9)]
    path, ends = tmp_path / "1.log", [len(MAGIC)]
    writer = inside.LogWriter(path)
    kept_by_end = {0: 0, len(MAGIC): 0}
    for number, row in enumerate(rows, start=1):
        writer.request(*row)
        writer.flush()
        ends.append(path.stat().st_size)
        kept_by_end[ends[-1]] = number
    writer.close()
    whole = path.read_bytes()
    assert len(set(ends)) == 10
    cut = tmp_path / "cut.log"
    for length in range(len(whole)):
        cut.write_bytes(whole[:length])
        reader = _read(cut)
        expected = kept_by_end[max(end for end in kept_by_end if end <= length)]
        assert _rows(reader) == rows[:expected], length
        assert not reader.complete, length
    assert _read(path).complete


def test_a_growing_file_is_followed(inside: ModuleType, tmp_path: Path) -> None:
    """Reading byte by byte while it is written gives what reading at the end gives."""
    rows: list[Any] = [("GET /a", 1.0, 2.0, False, 200, 3), "flush", ("GET /b", 4.0, 5.0, True, 500, 6)]
    _write(inside, tmp_path / "whole.log", rows)
    whole = (tmp_path / "whole.log").read_bytes()
    growing = tmp_path / "growing.log"
    growing.touch()
    reader = LogReader(growing)
    for number in range(len(whole)):
        reader.poll()
        assert not reader.complete
        with growing.open("ab") as file:
            file.write(whole[number : number + 1])
    reader.poll()
    reader.poll()
    assert reader.complete
    assert _rows(reader) == [row for row in rows if row != "flush"]


def test_without_its_end_mark_a_record_is_incomplete(inside: ModuleType, tmp_path: Path) -> None:
    """Even when every request was flushed: nobody knows what else there was to come."""
    row: Any = ("GET /", 1.0, 2.0, False, 200, 3)
    writer = inside.LogWriter(tmp_path / "1.log")
    writer.request(*row)
    writer.flush()
    writer.request(*row)
    writer._file.close()  # killed
    reader = _read(tmp_path / "1.log")
    assert _rows(reader) == [row]
    assert not reader.complete


def test_closing_twice_is_harmless(inside: ModuleType, tmp_path: Path) -> None:
    """Locust fires its last event more than once."""
    writer = inside.LogWriter(tmp_path / "1.log")
    writer.close()
    size = (tmp_path / "1.log").stat().st_size
    writer.close()
    assert (tmp_path / "1.log").stat().st_size == size


@pytest.mark.parametrize("content", [b"perfci-log 1\n" + b"x" * 40, b"\x00" * 20, b"timestamp,name,latency\n1,2,3\n"])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """Another version, or another program's: the file and its beginning are named."""
    (tmp_path / "1.log").write_bytes(content)
    with pytest.raises(LoadError, match=r"1\.log is not a request log of this version") as caught:
        _read(tmp_path / "1.log")
    assert repr(content[:16]) in str(caught.value)


def test_a_chunk_of_unknown_kind_is_refused(tmp_path: Path) -> None:
    """A damaged file is not half believed."""
    (tmp_path / "1.log").write_bytes(MAGIC + b"Q" + (0).to_bytes(4, "little"))
    with pytest.raises(LoadError, match=r"1\.log holds a chunk of unknown kind b'Q'"):
        _read(tmp_path / "1.log")


def test_processes_number_their_endpoints_differently(inside: ModuleType, tmp_path: Path) -> None:
    """Each process counts endpoints as it meets them; merged, every request keeps its own name."""
    first: list[Any] = [("GET /a", 1.0, 1.0, False, 200, 1), ("GET /b", 2.0, 2.0, False, 200, 2)]
    second: list[Any] = [("GET /b", 3.0, 3.0, True, 503, 3), ("GET /c", 4.0, 4.0, False, 200, 4), *first[::-1]]
    _write(inside, tmp_path / "1.log", first)
    _write(inside, tmp_path / "2.log", second)
    readers = [_read(tmp_path / "1.log"), _read(tmp_path / "2.log")]
    assert readers[0].names != readers[1].names[:2]
    assert _rows(*readers) == first + second
    assert _rows(*readers[::-1]) == second + first
    assert requests_of(readers).names == ("GET /a", "GET /b", "GET /c")


def test_a_name_that_no_file_can_hold_is_replaced(inside: ModuleType, tmp_path: Path) -> None:
    """Half of a surrogate pair: in the name of a request, and in the message of a failure."""
    writer = inside.LogWriter(tmp_path / "1.log")
    writer.request("GET \ud800", 1.0, 1.0, True, 500, 0)
    writer.error("GET \ud800", ValueError("\udcff"))
    writer.close()
    reader = _read(tmp_path / "1.log")
    assert reader.names == ["GET \ufffd"]
    assert [event["errors"] for event in reader.events] == [[["GET \ufffd", "ValueError: \ufffd", 1]]]


def test_no_process_at_all() -> None:
    """An empty table is a table."""
    assert len(requests_of([])) == 0


def test_failures_are_counted_by_message(inside: ModuleType, tmp_path: Path) -> None:
    """Equal ones together, in the flush in which they came."""
    writer = inside.LogWriter(tmp_path / "1.log")
    for error in (ValueError("a"), ValueError("a"), "text"):
        writer.error("GET /", error)
    writer.flush()
    writer.error("GET /", ValueError("a"))
    writer.close()
    events = [event["errors"] for event in _read(tmp_path / "1.log").events if event["what"] == "errors"]
    assert events == [[["GET /", "ValueError: a", 2], ["GET /", "text", 1]], [["GET /", "ValueError: a", 1]]]


def test_a_flood_of_different_messages_is_bounded(inside: ModuleType, tmp_path: Path) -> None:
    """A service that answers with a new text each time fills neither memory nor disk; no failure goes uncounted."""
    writer = inside.LogWriter(tmp_path / "1.log")
    for number in range(1000):
        writer.error("GET /", f"{number} " + "x" * 10_000)
    writer.close()
    (event,) = _read(tmp_path / "1.log").events
    assert sum(count for _, _, count in event["errors"]) == 1000
    assert len(event["errors"]) == inside.MOST_MESSAGES + 1
    assert max(len(text) for _, text, _ in event["errors"]) <= inside.LONGEST_MESSAGE
    assert (tmp_path / "1.log").stat().st_size < 50_000


def test_health_is_what_happened_since_the_last_call(inside: ModuleType, tmp_path: Path) -> None:
    """A share of a core lies near what was used, and users and lags are passed on."""
    writer = inside.LogWriter(tmp_path / "1.log")
    writer.health(users=3, lags_ms=[1.23456])
    writer.close()
    (event,) = _read(tmp_path / "1.log").events
    assert (event["what"], event["users"], event["lags_ms"]) == ("health", 3, [1.235])
    assert event["seconds"] > 0
    assert event["cpu_share"] >= 0
    assert event["run_delay_share"] >= 0


class Response:
    """As much of one as the listener looks at."""

    def __init__(self, status: int | None) -> None:
        self.status_code = status


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"response_time": 12.5, "response_length": 7, "start_time": 100.0, "response": Response(201)},
            ("GET /x", 100.0, 12.5, False, 201, 7),
        ),
        (
            {
                "response_time": 3.0,
                "response_length": None,
                "start_time": 100.0,
                "response": Response(None),
                "exception": OSError("gone"),
            },
            ("GET /x", 100.0, 3.0, True, 0, 0),
        ),
        ({"response_time": None, "response_length": 0, "start_time": 100.0}, ("GET /x", 100.0, -1.0, False, 0, 0)),
    ],
    ids=["answered", "failed", "without-time"],
)
def test_locusts_events_become_rows(inside: ModuleType, tmp_path: Path, fields: dict[str, Any], expected: Row) -> None:
    """What Locust tells of a request, and what it leaves out."""
    writer = inside.LogWriter(tmp_path / "1.log")
    inside.request_listener(writer)(request_type="GET", name="/x", context={}, **fields)
    writer.close()
    reader = _read(tmp_path / "1.log")
    assert _rows(reader) == [expected]
    assert [event["errors"] for event in reader.events] == ([[["GET /x", "OSError: gone", 1]]] if expected[3] else [])


@pytest.mark.parametrize("odd", [{"status": "OK"}, {"status": 70_000}, {"size": -1}, {"size": 2.5}, {"status": None}])
def test_a_request_that_cannot_be_noted_spoils_no_other(
    inside: ModuleType, tmp_path: Path, odd: dict[str, Any]
) -> None:
    """Clients of other protocols fire what they like; what no column can hold is noted as 0."""
    writer = inside.LogWriter(tmp_path / "1.log")
    listener = inside.request_listener(writer)
    response = SimpleNamespace(status_code=odd.get("status", 200))
    listener("GET", "/x", 1.5, 5, start_time=1.0)
    listener("GET", "/x", 1.5, odd.get("size", 5), start_time=2.0, response=response)
    listener("GET", "/x", 1.5, 7, start_time=3.0)
    writer.close()
    reader = _read(tmp_path / "1.log")
    assert list(requests_of([reader]).start_s) == [1.0, 2.0, 3.0]
    assert {len(column) for column in reader.columns} == {3}


def test_rows_of_unequal_columns_are_refused(inside: ModuleType, tmp_path: Path) -> None:
    """A damaged chunk is told, not read as other requests."""
    log = inside.LogWriter(tmp_path / "1.log")
    log.request("GET /", 1.0, 2.0, False, 200, 3)
    log.close()
    whole = (tmp_path / "1.log").read_bytes()
    at = whole.index(b"R")
    longer = (int.from_bytes(whole[at + 1 : at + 5], "little") - 1).to_bytes(4, "little")
    (tmp_path / "2.log").write_bytes(whole[: at + 1] + longer + whole[at + 5 :])
    with pytest.raises(LoadError, match="damaged"):
        _read(tmp_path / "2.log")


@given(
    steps=STEPS,
    hurdles=st.lists(st.sampled_from(["once", "twice", "again"]), min_size=200, max_size=200),
    lost=st.none() | st.integers(0, 30),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_log_travels_whole_or_is_known_to_have_a_gap(
    inside: ModuleType, tmp_path: Path, steps: list[Any], hurdles: list[str], lost: int | None
) -> None:
    """Pieces that come twice or late again count once; after one that never comes, nothing is believed."""
    pieces: list[bytes] = []

    def send(piece: bytes) -> int:
        pieces.append(piece)
        return len(piece)

    writer = inside.LogWriter(SimpleNamespace(write=send, close=lambda: None))
    for step in steps:
        writer.flush() if step == "flush" else writer.request(*step)
    writer.close()
    copy = inside.LogCopy(tmp_path / "worker-1.log")
    for number, piece in enumerate(pieces):
        if number != lost:
            copy.take(number, piece)
            if hurdles[number] != "once":
                copy.take(*(number, piece) if hurdles[number] == "twice" else (0, pieces[0]))
    reader = _read(tmp_path / "worker-1.log")
    copy.discard()
    sent = [step for step in steps if step != "flush"]
    gap = lost is not None and lost < len(pieces)
    assert copy.whole == reader.complete == (not gap)
    arrived = _rows(reader)
    assert arrived == sent[: len(arrived) if gap else None]


def test_a_worker_elsewhere_is_read_in_our_time(inside: ModuleType, tmp_path: Path) -> None:
    """The difference of the clocks, which its log begins with, is added to every start and every event."""
    writer = inside.LogWriter(tmp_path / "worker-1.log")
    writer.event("clock", shift_s=-2.5, within_s=0.001)
    writer.request("GET /", 100.0, 7.0, False, 200, 2)
    writer.close()
    reader = _read(tmp_path / "worker-1.log")
    assert _rows(reader) == [("GET /", 97.5, 7.0, False, 200, 2)]
    assert 1.5 < time.time() - reader.events[0]["at"] < 60


@pytest.mark.parametrize(
    ("url", "redirected", "noted"),
    [
        ("http://127.0.0.1:8000/a", None, ""),
        ("http://localhost:8000/a", None, ""),
        ("http://LOGIN.example/a", None, "login.example:80"),
        ("http://127.0.0.1:9000/a", None, "127.0.0.1:9000"),
        ("http://127.0.0.1:8000/a", "https://login.example/b", "login.example:443"),
        ("http://login.example:99999/", None, ""),
        (None, None, ""),
        (b"http://login.example/", None, ""),
    ],
)
def test_an_endpoint_of_another_host_is_noted_once(
    inside: ModuleType, tmp_path: Path, url: Any, redirected: str | None, noted: str
) -> None:
    """By where its first request went, or was led; what is no address of HTTP is no other host."""
    log = inside.LogWriter(tmp_path / "log")
    listener = inside.request_listener(log, home="http://127.0.0.1:8000")
    response = SimpleNamespace(status_code=200, url="/a", request=SimpleNamespace(url=redirected))
    for _ in range(2):
        listener("GET", "/a", 1.0, 2, url=url, response=response)
    log.close()
    reader = LogReader(tmp_path / "log")
    reader.poll()
    noted_hosts = [(event["endpoint"], event["host"]) for event in reader.events if event["what"] == "elsewhere"]
    assert noted_hosts == ([("GET /a", noted)] if noted else [])


def answer(content_type: str | None = "application/json", *, encoding: str = "", closed: bool = False) -> Any:
    """A response of requests, as far as its headers go."""
    given = {"Content-Type": content_type, "Content-Encoding": encoding, "Connection": "close" if closed else ""}
    headers = CaseInsensitiveDict({name: value for name, value in given.items() if value})
    return SimpleNamespace(status_code=200, headers=headers, raw=SimpleNamespace(version=11))


def test_answers_are_told_by_their_headers(inside: ModuleType, tmp_path: Path) -> None:
    """Content type without parameters, compression, protocol; what has no headers is not looked at."""
    writer = inside.LogWriter(tmp_path / "1.log")
    listener = inside.request_listener(writer)
    answers = [
        answer("Text/HTML; charset=utf-8"),
        answer("text/html", encoding="gzip", closed=True),
        answer("multipart/mixed; boundary=4711"),
        answer(None),
        None,
        SimpleNamespace(status_code=200),
        answer("text/html;charset=latin-1"),
    ]
    for response in answers:
        listener("GET", "/x", 1.5, 5, start_time=1.0, response=response)
    writer.close()
    table = requests_of([_read(tmp_path / "1.log")])
    forms = [table.forms[number - 1] if number else None for number in table.form]
    html, plain = AnswerForm("text/html", "", "HTTP/1.1"), AnswerForm("", "", "HTTP/1.1")
    zipped, mixed = AnswerForm("text/html", "gzip", "HTTP/1.1, closed"), AnswerForm("multipart/mixed", "", "HTTP/1.1")
    assert forms == [html, zipped, mixed, plain, None, None, html]


def test_the_fast_clients_answers_are_told_like_the_others(inside: ModuleType) -> None:
    """It keeps headers and protocol elsewhere."""
    headers = Headers({"content-type": "application/json", "connection": "close"})
    response = SimpleNamespace(headers=headers, _response=SimpleNamespace(version="HTTP/1.1"))
    assert tuple(inside.form_of(response)) == ("application/json", "", "HTTP/1.1, closed")


def test_of_many_answers_a_sample_is_looked_at(inside: ModuleType, tmp_path: Path) -> None:
    """The first of each endpoint, and then some, so that a change on the way is seen as well."""
    writer = inside.LogWriter(tmp_path / "1.log")
    listener = inside.request_listener(writer)
    for number in range(400):
        listener("GET", "/x", 1.5, 5, start_time=1.0, response=answer("text/a" if number < 200 else "text/b"))
    listener("GET", "/y", 1.5, 5, start_time=1.0, response=answer("text/c"))
    writer.close()
    table = requests_of([_read(tmp_path / "1.log")])
    counts = Counter(table.forms[number - 1].content_type for number in table.form if number)
    assert all(table.form[:32])
    assert counts == {"text/a": 32 + 11, "text/b": 12, "text/c": 1}


def test_processes_number_their_forms_differently(inside: ModuleType, tmp_path: Path) -> None:
    """Merged, every answer keeps its own form; more of them than a column can tell are not looked at."""
    for number, kinds in enumerate((["text/a", "text/b"], ["text/b", "text/c"], [f"x/{n}" for n in range(300)])):
        writer = inside.LogWriter(tmp_path / f"{number}.log")
        for kind in kinds:
            writer.request("GET /", 1.0, 2.0, False, 200, 3, inside.Form(kind, "", "HTTP/1.1"))
        writer.close()
    readers = [_read(tmp_path / f"{number}.log") for number in range(3)]
    table = requests_of(readers[:2])
    assert [table.forms[number - 1].content_type for number in table.form] == ["text/a", "text/b", "text/b", "text/c"]
    assert sum(number == 0 for number in requests_of(readers[2:]).form) == 45
    assert sum(number == 0 for number in requests_of(readers).form) == 48
