"""The fake API behaves as the real one where perfci can tell the difference."""

import http.client
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.github import FakeGitHub, Pull

SHA = "f00dfeed" * 5


@pytest.fixture
def api() -> Iterator[FakeGitHub]:
    with FakeGitHub(pulls=[Pull(number=7, sha=SHA)]) as server:
        yield server


def ask(
    url: str, *, method: str = "GET", body: object = None, authorization: str = "Bearer t0ken"
) -> tuple[int, Any, Any]:
    """Status, headers and parsed body."""
    headers = {"Authorization": authorization} if authorization else {}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers, json.loads(answer.read() or "null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, json.load(error)


def test_user_is_refused(api: FakeGitHub) -> None:
    """`GET /user` is forbidden to a job's token."""
    assert ask(f"{api.url}/user")[0] == 403


@pytest.mark.parametrize("path", ["", "/pulls/7", "/commits/f00dfeed/pulls", "/pulls?head=octo:feature"])
@pytest.mark.parametrize("prefix", ["", "/api/v3"])
def test_reads(api: FakeGitHub, path: str, prefix: str) -> None:
    """The repository and its pull requests can be read, with and without the prefix of a server of one's own."""
    assert ask(f"{api.url}{prefix}/repos/octo/shop{path}")[0] == 200


def test_other_repository(api: FakeGitHub) -> None:
    """Another repository is not found."""
    assert ask(f"{api.url}/repos/octo/other/pulls/7")[0] == 404


def test_no_token(api: FakeGitHub) -> None:
    """A request without a token is refused, and recorded as such."""
    assert ask(f"{api.url}/repos/octo/shop", authorization="")[0] == 401
    assert [request.authorized for request in api.requests] == [False]


def test_pages(api: FakeGitHub) -> None:
    """Comments come in pages that the Link header chains, without gap or repetition."""
    for number in range(25):
        api.add_comment(7, f"comment {number}")
    url, bodies = f"{api.url}/repos/octo/shop/issues/7/comments?per_page=10", []
    while url:
        _, headers, page = ask(url)
        bodies += [comment["body"] for comment in page]
        url = (headers["Link"] or "").partition("<")[2].partition(">")[0]
    assert bodies == [f"comment {number}" for number in range(25)]


def test_write(api: FakeGitHub) -> None:
    """A comment can be created and changed."""
    status, _, created = ask(f"{api.url}/repos/octo/shop/issues/7/comments", method="POST", body={"body": "one"})
    assert (status, created["user"]["login"]) == (201, "github-actions[bot]")
    assert ask(created["url"], method="PATCH", body={"body": "two"})[0] == 200
    assert [comment.body for comment in api.comments] == ["two"]


def test_others_comment(api: FakeGitHub) -> None:
    """A comment of somebody else cannot be changed."""
    comment = api.add_comment(7, "mine", login="mallory")
    url = f"{api.url}/repos/octo/shop/issues/comments/{comment.id}"
    assert ask(url, method="PATCH", body={"body": "yours"})[0] == 403
    assert api.comments[0].body == "mine"


@pytest.mark.parametrize(("length", "status"), [(32_768, 201), (32_769, 422)])
def test_too_long(api: FakeGitHub, length: int, status: int) -> None:
    """A body of more than 65,536 UTF-16 units is refused."""
    assert ask(f"{api.url}/repos/octo/shop/issues/7/comments", method="POST", body={"body": "😀" * length})[0] == status


def test_injected_once(api: FakeGitHub) -> None:
    """A failure for one request spoils one request, of the right method and path only."""
    api.fail("GET", r"/pulls/7$", status=502, times=1)
    statuses = [ask(f"{api.url}/repos/octo/shop{path}")[0] for path in ("", "/pulls/7", "/pulls/7")]
    assert statuses == [200, 502, 200]


def test_hanging(api: FakeGitHub) -> None:
    """A request that hangs keeps its client waiting, not the server from stopping."""
    api.fail("GET", "/user", hang=True)
    with pytest.raises(TimeoutError):
        urllib.request.urlopen(f"{api.url}/user", timeout=0.2)


def test_delete(api: FakeGitHub) -> None:
    """A comment of one's own can be deleted, once; its number is not given again."""
    comment, other = api.add_comment(7, "ours"), api.add_comment(7, "mine", login="mallory")
    url = f"{api.url}/repos/octo/shop/issues/comments"
    assert [ask(f"{url}/{comment.id}", method="DELETE")[0] for _ in range(2)] == [204, 404]
    assert ask(f"{url}/{other.id}", method="DELETE")[0] == 403
    assert api.comments == [other]
    assert api.add_comment(7, "new").id > other.id


def test_locked(api: FakeGitHub) -> None:
    """Nobody comments on a locked pull request, and the API says so in its words."""
    api.pulls = {7: Pull(number=7, sha=SHA, locked=True)}
    assert ask(f"{api.url}/repos/octo/shop/pulls/7")[2]["locked"] is True
    status, _, answer = ask(f"{api.url}/repos/octo/shop/issues/7/comments", method="POST", body={"body": "one"})
    assert (status, api.comments) == (403, [])
    assert "locked" in answer["message"]


@pytest.mark.parametrize("done", [True, False])
def test_cut(api: FakeGitHub, *, done: bool) -> None:
    """A connection that is cut leaves open whether the request was carried out."""
    api.fail("POST", "/comments$", cut=True, done=done)
    with pytest.raises(http.client.RemoteDisconnected):
        ask(f"{api.url}/repos/octo/shop/issues/7/comments", method="POST", body={"body": "one"})
    assert len(api.comments) == done


def test_drip(api: FakeGitHub) -> None:
    """An answer can come byte by byte: no time-out of a read sees that it never ends."""
    api.fail("GET", "/pulls/7$", drip_s=0.001)
    assert ask(f"{api.url}/repos/octo/shop/pulls/7")[2]["number"] == 7


@pytest.mark.parametrize("answered", [True, False])
def test_gather(api: FakeGitHub, *, answered: bool) -> None:
    """Clients that gather at a request go on together, with what was there when each of them asked."""
    api.gather("POST", "/comments$", 2, answered=answered)
    url = f"{api.url}/repos/octo/shop/issues/7/comments"
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, url, method="POST", body={"body": "one"})
        done, _ = wait([first], timeout=0.2)
        assert not done
        assert len(api.comments) == answered
        assert ask(url, method="POST", body={"body": "two"})[0] == 201
        assert first.result()[0] == 201
    assert ask(url, method="POST", body={"body": "three"})[0] == 201


def test_program(tmp_path: Path) -> None:
    """As a program it prints its address, and its state file holds what was asked and written."""
    state = tmp_path / "state.json"
    argv = [sys.executable, "-m", "tests.fakes.github", "--port", "0", "--state", str(state)]
    options = ["--pull", f"7:{SHA}", "--fail", "PATCH:403:/comments"]
    with subprocess.Popen([*argv, *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            created = ask(f"{url}/repos/octo/shop/issues/7/comments", method="POST", body={"body": "one"})[2]
            assert ask(created["url"], method="PATCH", body={"body": "two"})[0] == 403
        finally:
            process.terminate()
    saved = json.loads(state.read_text(encoding="utf-8"))
    assert [comment["body"] for comment in saved["comments"]] == ["one"]
    assert [request["method"] for request in saved["requests"]] == ["POST", "PATCH"]
    assert "Bearer" not in state.read_text(encoding="utf-8")
