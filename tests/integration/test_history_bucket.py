"""`perfci history push --bucket` with a server of object storage: several writers, and buckets that refuse."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfci.errors import ConfigError, PublishError, ResultError
from perfci.model import HistoryRow
from perfci.store import history
from perfci.store.history import Files
from perfci.store.history_bucket import HistoryBucket, bucket_at
from tests.fakes.bucket import CREDENTIALS, object_storage
from tests.fakes.shell import Perfci
from tests.integration.test_history_branch import some_run
from tests.unit.test_store_history import a_full_row

ADDRESS = "s3://perf/shop"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HistoryBucket]:
    """A history below a prefix of an empty bucket; boto3 finds it by the environment, as in a job."""
    with object_storage() as url:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": url}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "absent"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "absent"))
        made = bucket_at(ADDRESS)
        made.client.create_bucket(Bucket="perf", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield made


def add(place: HistoryBucket, row: HistoryRow) -> bool:
    """Add *row*, with a run that nothing here reads."""

    def change(files: Files) -> dict[str, str]:
        return history.added(files, "tickets", "smoke", [(row, "{}\n")])

    return place.update(change, message="a run")


def kept(place: HistoryBucket) -> list[str]:
    """The runs in the index, oldest first."""
    return [row.run for row in history.rows(place.files(), "tickets", "smoke")]


def test_runs_are_kept_below_the_prefix_and_can_be_followed(
    perfci: Perfci, place: HistoryBucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`push` adds each run once, `trend` reads them; other objects of the bucket are not looked at."""
    monkeypatch.chdir(tmp_path)
    place.client.put_object(Bucket="perf", Key="shops.csv", Body=b"somebody else's")
    runs = [some_run(number, folder=tmp_path) for number in (1, 2)]
    code, out, err = perfci("history", "push", *map(str, runs), "--bucket", ADDRESS)
    assert (code, err) == (0, "")
    assert out.splitlines() == [f"added run {run.name} to {ADDRESS}" for run in runs]
    assert perfci("history", "push", str(runs[0]), "--bucket", ADDRESS)[1] == "1 of 1 runs were there already\n"
    assert kept(place) == [run.name for run in runs]
    assert place.files().paths() == [
        "history.json",
        "tickets/smoke/2026-11.jsonl",
        "tickets/smoke/changes.json",
        "tickets/smoke/runs/20261121T101501-20261121-101501-f00d.json",
        "tickets/smoke/runs/20261121T101502-20261121-101502-f00d.json",
    ]
    monkeypatch.setenv("PERFCI_HISTORY_BUCKET", ADDRESS)
    code, out, err = perfci("trend", "tickets:smoke")
    assert (code, err) == (0, "")
    assert "2 runs" in out


def test_several_writers_lose_nothing(place: HistoryBucket) -> None:
    """Three writers at once with three runs each: every row is there once."""

    def write(writer: int) -> None:
        mine = bucket_at(ADDRESS)
        for number in range(3):
            add(mine, a_full_row(f"run-{writer}-{number}"))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kept(place)) == sorted(f"run-{writer}-{number}" for writer in range(3) for number in range(3))


@pytest.mark.parametrize("first", [True, False], ids=["into an empty bucket", "into an index"])
def test_a_writer_who_was_overtaken_adds_to_what_is_there_now(place: HistoryBucket, *, first: bool) -> None:
    """Somebody writes between the read and the write: the server refuses once, and both rows are kept."""
    before = [] if first else ["known"]
    for run in before:
        add(place, a_full_row(run))
    looked: list[list[str]] = []

    def change(files: Files) -> dict[str, str]:
        looked.append([row.run for row in history.rows(files, "tickets", "smoke")])
        written = history.added(files, "tickets", "smoke", [(a_full_row("slow"), "{}\n")])
        if len(looked) == 1:
            add(place, a_full_row("quick"))
        return written

    assert place.update(change, message="a run")
    assert looked == [before, sorted([*before, "quick"])]
    assert kept(place) == sorted([*before, "quick", "slow"])


def test_nothing_new_writes_nothing(place: HistoryBucket) -> None:
    """An empty change leaves every object as it is."""
    add(place, a_full_row())
    before = place.files().tags
    assert not place.update(lambda _files: {}, message="")
    assert place.files().tags == before


def test_a_bucket_of_something_else_is_refused(place: HistoryBucket) -> None:
    """Nothing is written beside objects that are not perfci's."""
    place.client.put_object(Bucket="perf", Key="shop/thesis.tex", Body=b"")
    with pytest.raises(ResultError, match=r"s3://perf/shop has files and no history\.json"):
        add(place, a_full_row())
    assert [entry["Key"] for entry in place.client.list_objects_v2(Bucket="perf")["Contents"]] == ["shop/thesis.tex"]


@pytest.mark.usefixtures("place")
def test_a_bucket_that_is_not_there_is_named(perfci: Perfci, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the server's own words, exit code 4, and where boto3 looks for its settings."""
    monkeypatch.chdir(tmp_path)
    code, _, err = perfci("history", "push", str(some_run(1, folder=tmp_path)), "--bucket", "s3://absent")
    assert code == 4
    assert "s3://absent cannot be listed" in err
    assert "NoSuchBucket" in err
    assert "AWS_ENDPOINT_URL" in err


def test_a_server_that_does_not_answer_is_named(place: HistoryBucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is refused is no traceback."""
    assert place.name == ADDRESS
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(PublishError, match=r"s3://perf cannot be listed: .*127\.0\.0\.1:9"):
        bucket_at("s3://perf").files()


@pytest.mark.parametrize("address", ["perf/shop", "s3://", "s3://UPPER", "https://perf.example", "s3://a b"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    """Before anything is asked of a server."""
    with pytest.raises(ConfigError, match="is no address of a bucket"):
        bucket_at(address)


def test_two_places_are_refused(perfci: Perfci, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder and a bucket at once are a mistake; one may come from the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PERFCI_HISTORY_FOLDER", "/mnt/perf")
    code, _, err = perfci("trend", "--bucket", ADDRESS)
    assert code == 2
    assert "both /mnt/perf and s3://perf/shop are named" in err
