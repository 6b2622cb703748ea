"""Artifacts that no measuring job uploads: nothing is published, nothing is kept, and one message says why."""

import io
import json
import re
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfci.model import EndpointRound, Side
from perfci.publish import download
from perfci.store import LARGEST_BYTES
from tests.builders import HEAD, a_paired_run, some_rounds
from tests.fakes.judging import Judge, Judging
from tests.fakes.measured import ARTIFACT, RUN, archived, packed

Attack = Callable[[Judging], Any]
SLOWER = a_paired_run(slower={"GET /tickets/": 1.5})


def _honest(job: Judging) -> bytes:
    return archived(job.change.run(a_paired_run()), job.folder)


def _document(job: Judging) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(_honest(job))) as archive:
        document: dict[str, Any] = json.loads(archive.read("run.json"))
    return document


def _with(job: Judging, **changes: Any) -> bytes:
    """An archive whose run.json has other values at its top."""
    return packed({"run.json": json.dumps({**_document(job), **changes}).encode()})


def _entry(job: Judging, name: str, *, mode: int = 0o644, kind: int = 0o100000) -> bytes:
    """The honest archive with one more entry."""
    buffer = io.BytesIO(_honest(job))
    with zipfile.ZipFile(buffer, "a") as archive:
        entry = zipfile.ZipInfo(name)
        entry.create_system = 3
        entry.external_attr = (kind | mode) << 16
        archive.writestr(entry, "/etc/passwd")
    return buffer.getvalue()


def _twice(job: Judging) -> bytes:
    """Two files of the same name, of which a reader might check one and use the other."""
    buffer = io.BytesIO(_honest(job))
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("run.json", "{}")
    return buffer.getvalue()


def _bomb(size: int) -> bytes:
    return packed({"run.json": b'{"schema": 1, "x": "' + b" " * size + b'"}'})


def _understated(size: int) -> bytes:
    """A bomb that says that it is small, in both of its headers."""
    content = bytearray(_bomb(size))
    local = content.index(b"PK\x03\x04") + 22
    listed = content.index(b"PK\x01\x02") + 24
    for place in (local, listed):
        content[place : place + 4] = struct.pack("<I", 100)
    return bytes(content)


def _compressed_by(method: int, job: Judging) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("run.json", json.dumps(_document(job)))
    return buffer.getvalue()


def _patched(content: bytes, at: bytes, offset: int, value: bytes) -> bytes:
    place = content.rindex(at) + offset
    return content[:place] + value + content[place + len(value) :]


def _encrypted(job: Judging) -> bytes:
    """An archive whose only entry says so."""
    content = packed({"run.json": json.dumps(_document(job)).encode()})
    return _patched(content, b"PK\x01\x02", 8, b"\x01\x00")


CONTENTS: dict[str, tuple[Callable[[Judging], bytes], str]] = {
    "empty": (lambda _: b"", "it is no zip archive"),
    "text": (lambda _: b"<html>not found</html>" * 9, "it is no zip archive"),
    "half": (lambda job: _honest(job)[:2000], "it is no zip archive"),
    "a comment": (lambda job: _patched(_honest(job), b"PK\x05\x06", 20, b"\x03\x00") + b"abc", "ends in a comment"),
    "zip64": (
        lambda job: _honest(job)[:-22] + b"PK\x06\x07" + bytes(16) + _honest(job)[-22:],
        "more than 4 GiB or 65,535 entries",
    ),
    "a list without end": (lambda job: _patched(_honest(job), b"PK\x05\x06", 12, b"\xff\xff\xff\x7f"), "it lists"),
    "a list of nothing": (lambda job: _patched(_honest(job), b"PK\x05\x06", 16, b"\xff\xff\x00\x00"), "cannot be read"),
    "a bomb": (lambda _: _bomb(LARGEST_BYTES), "run.json would have"),
    "a bomb that says it is small": (lambda _: _understated(LARGEST_BYTES), "cannot be read"),
    "a link": (lambda job: _entry(job, "logs/x", kind=0o120000), "is a link or a device"),
    "a link for the run": (lambda _: _link_alone(), "is a link or a device"),
    "a device": (lambda job: _entry(job, "logs/x", kind=0o020000), "is a link or a device"),
    "the folder above": (lambda job: _entry(job, "../../.bashrc"), "leads elsewhere"),
    "the folder above, later": (lambda job: _entry(job, "logs/../../x"), "leads elsewhere"),
    "an absolute name": (lambda job: _entry(job, "/etc/cron.d/x"), "leads elsewhere"),
    "a name of Windows": (lambda job: _entry(job, "..\\..\\x"), "leads elsewhere"),
    "two runs": (_twice, "it holds 2 run.json"),
    "no run": (lambda _: packed({"result.json": b"{}"}), "it holds no run.json"),
    "a run further down": (lambda _: packed({"run/run.json": b"{}"}), "it holds no run.json"),
    "encrypted": (_encrypted, "is encrypted"),
    "bzip2": (lambda job: _compressed_by(zipfile.ZIP_BZIP2, job), "in another way than by deflate"),
    "lzma": (lambda job: _compressed_by(zipfile.ZIP_LZMA, job), "in another way than by deflate"),
    "damaged": (lambda job: _honest(job).replace(b"PK\x03\x04", b"PK\x03\x05", 1), "cannot be read"),
    "no JSON": (lambda _: packed({"run.json": b"\xff\xfe"}), "is not JSON"),
    "NaN": (lambda job: packed({"run.json": json.dumps(_document(job) | {"x": float("nan")}).encode()}), "no measured"),
    "infinite": (lambda job: packed({"run.json": _infinite(job)}), "holds no run"),
    "a key twice": (lambda _: packed({"run.json": b'{"schema": 1, "schema": 1}'}), "is there twice"),
    "deep": (lambda _: packed({"run.json": b"[" * 200_000}), "is not JSON"),
    "a list": (lambda _: packed({"run.json": b"[]"}), "no schema number"),
    "another schema": (lambda job: _with(job, schema=99), "has schema 99"),
    "an unknown key": (lambda job: _with(job, verdict="pass"), "unknown key"),
    "a name that is a path": (lambda job: _with(job, id="../../x"), "cannot be the id of a run"),
    "another profile": (lambda job: _with(job, profile="quick"), "it measured quick:smoke"),
    "another commit": (lambda job: _with(job, commits={"candidate": HEAD}), f"it measured commit {HEAD[:7]}"),
    "a path for a commit": (lambda job: _with(job, commits={"candidate": "../../../user"}), "is no commit"),
    "a path for the base": (
        lambda job: _with(job, commits={"candidate": job.change.merge, "base": "main/../../.."}),
        "is no commit",
    ),
    "an endless name": (lambda job: _with(job, **{"x" * 100_000: 1}), "holds no run"),
    "no commit": (lambda job: _with(job, commits={}), "it measured commit none"),
    "a base of its own": (
        lambda job: _with(job, commits={"candidate": job.change.merge, "base": job.change.head}),
        "which is not on the base branch",
    ),
    "the base as the candidate": (
        lambda job: _with(job, commits={"candidate": job.change.base}),
        "it measured commit",
    ),
}  # fmt: skip


def _link_alone() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("run.json")
        entry.create_system = 3
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/proc/self/environ")
    return buffer.getvalue()


def _infinite(job: Judging) -> bytes:
    text = json.dumps(_document(job))
    return text.replace('"duration_s": ', '"duration_s": 1e999, "x": ', 1).encode()


def _refused(job: Judging, message: str, **how: Any) -> None:
    """Exit 3, one message with its next step, and nothing anywhere."""
    untouched = job.api.add_comment(7, "what was there")
    code, out, err = job.publish(**how)
    assert code == 3, err
    assert message in err
    assert out.startswith("::error title=perfci::")
    assert out.count("\n") == 1
    assert err.startswith("perfci: ")
    assert "\nnext: " in err
    assert "Traceback" not in err
    assert "passwd" not in err
    assert len(err) < 2000
    assert [comment.body for comment in job.api.comments] == [untouched.body]
    assert job.remote.statuses == []
    assert job.outputs == ""
    assert not (job.folder / "summary.md").exists()
    assert not (job.folder / "run").exists()
    assert not [request for request in job.api.requests if request.method != "GET"]


@pytest.mark.parametrize("attack", CONTENTS)
def test_must_19_a_hostile_archive_changes_nothing(judging: Judge, attack: str) -> None:
    """Whatever is wrong with it, before or after it is opened."""
    job = judging()
    content, message = CONTENTS[attack]
    job.remote.add_artifact(RUN, ARTIFACT, content(job))
    _refused(job, message)


def test_must_19_a_gigabyte_is_not_downloaded(judging: Judge) -> None:
    """The API says how large it is."""
    job = judging()
    job.remote.add_artifact(RUN, ARTIFACT, b"", size=1 << 30)
    _refused(job, "has 1024 MiB, and a run of perfci's at most 256")
    assert not [request for request in job.api.requests if "archives" in request.path]


def test_must_19_a_size_that_was_not_told_ends_the_download(judging: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the API says of the size need not be true."""
    job = judging()
    monkeypatch.setattr(download, "MAX_ARCHIVE_BYTES", 1 << 20)
    job.remote.add_artifact(RUN, ARTIFACT, bytes(3 << 20), size=100)
    _refused(job, "MiB, and a run of perfci's at most 1")


@pytest.mark.parametrize("known", ["the API", "the uploading step"])
def test_must_19_another_digest_is_refused(judging: Judge, known: str) -> None:
    """What was exchanged on the way is not read."""
    job = judging()
    declared = {"digest": f"sha256:{'0' * 64}"} if known == "the API" else {}
    job.remote.add_artifact(RUN, ARTIFACT, _honest(job), **declared)
    digest = [] if declared else ["--digest", "ab" * 32]
    untouched = job.publish(*digest)
    assert untouched[0] == 3
    assert "is not what was uploaded" in untouched[2]
    assert (job.api.comments, job.remote.statuses, job.outputs) == ([], [], "")


@pytest.mark.parametrize("event", ["pull_request", "workflow_run"])
def test_must_19_a_run_for_another_commit_is_refused(judging: Judge, event: str) -> None:
    """The API says which commit a run was for."""
    job = judging()
    job.upload(a_paired_run())
    job.remote.runs[RUN] = job.change.base
    _refused(job, f"run {RUN} was for commit {job.change.base[:7]}", event=event, fork=event == "workflow_run")


def test_must_19_artifacts_of_two_gates_are_not_guessed_between(judging: Judge) -> None:
    """A pattern that fits several gates is a mistake of the workflow, and never an author's choice."""
    job = judging()
    for name in ("perfci-a-1", "perfci-b-1"):
        job.remote.add_artifact(RUN, name, _honest(job))
    code, _, err = job.publish("--from", "perfci-*")
    assert code == 3
    assert "artifacts of several gates that fit 'perfci-*': perfci-a, perfci-b" in err
    assert (job.api.comments, job.remote.statuses) == ([], [])


def test_must_19_a_number_in_the_artifact_is_nobodys_pull_request(judging: Judge) -> None:
    """Whom to tell comes from the event and the API: files that name another one are not looked at."""
    job = judging()
    run = archived(job.change.run(SLOWER), job.folder, **{"pr.json": b'{"number": 8}', "event.json": b"{}"})
    job.remote.add_artifact(RUN, ARTIFACT, run)
    assert job.publish(event="workflow_run", fork=True)[0] == 0
    assert [comment.issue for comment in job.api.comments] == [7]


NAMES = [
    "@org/team",
    "#1",
    "a|b",
    "<img src=x onerror=alert(1)>",
    "](javascript:alert(1))",
    "`x`",
    "::error::x",
    "\u202ex",
]


def test_must_14_markup_in_a_run_stays_text(judging: Judge) -> None:
    """Names, incidents and machines of a run that nobody trusts give no mention, link, tag or command."""
    rounds = some_rounds(slower={"GET /tickets/": 1.5})
    slow = {side: next(round_ for round_ in rounds if round_.side is side).endpoints["GET /tickets/"] for side in Side}

    def renamed(endpoints: dict[str, EndpointRound], side: Side) -> dict[str, EndpointRound]:
        return {**endpoints, **{f"GET /{name}": slow[side] for name in NAMES}}

    hostile = tuple(replace(round_, endpoints=renamed(dict(round_.endpoints), round_.side)) for round_ in rounds)
    job = judging()
    job.upload(replace(SLOWER, rounds=hostile, incidents=("@org/team <b>::set-output name=verdict::pass",)))
    code, out, err = job.publish()
    assert (code, err) == (0, "")
    assert "\u202e" not in job.comment
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", job.comment)  # of code spans
    assert not [word for word in ("@org", "javascript", "<img", "<b>", "::error") if word in outside]
    assert "\n::set-output" not in out
    assert job.outputs.count("\nverdict") == 0
    assert job.outputs.startswith("verdict<<")


def test_the_token_stays_with_the_api(judging: Judge, tmp_path: Path) -> None:
    """Where the archive is stored gets none: the fake storage refuses a request that carries it."""
    job = judging()
    job.upload(SLOWER)
    assert job.publish()[0] == 0
    stored = [request for request in job.api.requests if "/archives/" in request.path]
    assert [request.authorized for request in stored] == [False]
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and b"ghs_canary" in file.read_bytes()]
