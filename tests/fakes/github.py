"""
The part of GitHub's REST API that perfci uses, as a real HTTP server on this machine.

    with FakeGitHub(pulls=[Pull(number=7, sha="f00d" * 10)]) as api:
        ...  # api.url is a GITHUB_API_URL; afterwards look at api.comments and api.requests

Failures are injected: `api.fail("POST", r"/comments$", status=403)`. Clients that run at once are made to meet at a
request: `api.gather("GET", r"/comments$", 2)` answers none before two have asked. As a program, for a runner that is
another process: `python -m tests.fakes.github --port 8099 --state state.json --pull 7:f00d...`.
"""

import argparse
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

from tests.fakes.answers import Answer, Request
from tests.fakes.github_issues import BOT, Tracker
from tests.fakes.github_repository import Remote
from tests.fakes.github_workflows import Dispatcher
from tests.fakes.spoiling import Failure, Gathering

MAX_BODY_UNITS = 65_536


@dataclass(frozen=True, kw_only=True)
class Pull:
    """A pull request."""

    number: int
    sha: str
    label: str = "octo:feature"  # "owner:branch" of its head
    state: str = "open"
    locked: bool = False  # nobody may comment
    base: str = ""
    branch: str = "main"  # that it is to be merged into
    merge: str = ""  # GitHub's merge of it into its base
    home: str = ""  # the repository that its head is in
    merged: str = ""  # the commit of the main branch that it came in with


@dataclass(kw_only=True)
class Comment:
    """A comment on an issue or pull request; *login* None is a deleted user."""

    id: int
    issue: int
    body: str
    login: str | None = BOT
    edited: bool = False


class FakeGitHub:
    """One repository; start and stop it as a context manager."""

    def __init__(
        self,
        *,
        repository: str = "octo/shop",
        pulls: Sequence[Pull] = (),
        port: int = 0,
        prefix: str = "",
        state_file: Path | None = None,
        remote: Remote | None = None,
        tracker: Tracker | None = None,
        dispatcher: Dispatcher | None = None,
    ) -> None:
        self.repository = repository
        self.remote = remote
        self.tracker = tracker
        self.dispatcher = dispatcher
        self.pulls = {pull.number: pull for pull in pulls}
        self.comments: list[Comment] = []
        self.permissions: dict[str, str] = {}  # of each login; the others may read
        self.requests: list[Request] = []
        self.failures: list[Failure] = []
        self.gatherings: list[Gathering] = []
        self.stopped = threading.Event()
        self._number = 1000  # of the comment that was created last
        self._prefix = prefix
        self._state_file = state_file
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.fake = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def url(self) -> str:
        """What GITHUB_API_URL must be."""
        return f"http://127.0.0.1:{self._server.server_port}{self._prefix}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def fail(self, method: str, path: str, **how: Any) -> None:
        """Spoil the requests whose method is *method* and whose path holds the regular expression *path*."""
        self.failures.append(Failure(method=method, path=path, **how))

    def gather(self, method: str, path: str, parties: int, *, answered: bool = True, times: int = 1) -> None:
        """
        Let the next requests of *parties* clients wait for each other, *times* over.

        With *answered* each is carried out as it comes, and answered when all are: what the clients then know is what
        stood there before any of them went on. A client that never comes breaks the others' wait after ten seconds.
        """
        barrier = threading.Barrier(parties, timeout=10)
        self.gatherings.append(
            Gathering(method=method, path=path, barrier=barrier, answered=answered, left=parties * times)
        )

    def add_comment(self, issue: int, body: str, *, login: str | None = BOT, edited: bool = False) -> Comment:
        """A comment that was there before."""
        self._number += 1
        comment = Comment(id=self._number, issue=issue, body=body, login=login, edited=edited)
        self.comments.append(comment)
        return comment

    def sent(self, method: str) -> list[Request]:
        """The requests of one method, in order."""
        return [request for request in self.requests if request.method == method]

    def answer(self, request: Request) -> Answer:
        """What the API says to *request*, and what it keeps of it."""
        with self._lock:
            self.requests.append(request)
            failure = next((f for f in self.failures if f.matches(request.method, request.path, request.body)), None)
            if failure:
                failure.times -= 1
            gathering = next((g for g in self.gatherings if g.matches(request.method, request.path)), None)
            if gathering:
                gathering.left -= 1
            self._save()
        with self._spoiled(failure), self._gathered(gathering):
            if failure is None or failure.done or not failure.spoils:
                with self._lock:
                    answer = self._route(request)
                    self._save()
            if failure is None:
                return answer
            if not failure.spoils:
                return replace(answer, drip_s=failure.drip_s)
            body = {"message": failure.message} if failure.raw is None else failure.raw
            return Answer(0 if failure.cut else failure.status or 200, body, failure.headers)

    @contextmanager
    def _spoiled(self, failure: Failure | None) -> Iterator[None]:
        waits = failure is not None and bool(failure.delay_s or failure.hang)
        if failure and waits and not failure.done:
            self.stopped.wait(None if failure.hang else failure.delay_s)
        yield
        if failure and waits and failure.done:
            self.stopped.wait(None if failure.hang else failure.delay_s)

    @contextmanager
    def _gathered(self, gathering: Gathering | None) -> Iterator[None]:
        if gathering and not gathering.answered:
            gathering.barrier.wait()
        yield
        if gathering and gathering.answered:
            gathering.barrier.wait()

    def _save(self) -> None:
        if self._state_file:
            state = {"comments": [asdict(c) for c in self.comments], "requests": [asdict(r) for r in self.requests]}
            partial = self._state_file.with_suffix(".partial")
            partial.write_text(json.dumps(state, indent=1), encoding="utf-8")
            partial.replace(self._state_file)

    def _route(self, request: Request) -> Answer:
        if self.remote and (
            stored := re.fullmatch(r".*/archives/(\d+)", request.path)
        ):  # needs no token, and gets none
            return Answer(400 if request.authorized else 200, self.remote.archive(int(stored[1])))
        if not request.authorized:
            return Answer(401, {"message": "Requires authentication"})
        if request.path == "/user":
            return Answer(403, {"message": "Resource not accessible by integration"})
        root = f"/repos/{self.repository}"
        for part in (self.dispatcher, self.remote, self.tracker):
            below = request.path.removeprefix(root) if request.path.startswith(f"{root}/") else ""
            if part and below and (answer := part.answer(self._at(""), request, below)):
                return answer
        for method, pattern, act in self._ROUTES:
            found = re.fullmatch(re.escape(root) + pattern, request.path)
            if found and method == request.method:
                return act(self, request, *found.groups())
        return Answer(404, {"message": "Not Found"})

    def _get_repository(self, _request: Request) -> Answer:
        owner, name = self.repository.split("/")
        return Answer(200, {"full_name": self.repository, "name": name, "owner": {"login": owner}, "url": self._at("")})

    def _get_pull(self, _request: Request, number: str) -> Answer:
        pull = self.pulls.get(int(number))
        return Answer(200, self._pull(pull)) if pull else Answer(404, {"message": "Not Found"})

    def _get_pulls(self, request: Request) -> Answer:
        state, head = request.query.get("state", "open"), request.query.get("head")
        chosen = [p for p in self.pulls.values() if state in {"all", p.state} and head in {None, p.label}]
        return self._page(request, [self._pull(pull) for pull in chosen])

    def _get_commit(self, _request: Request, sha: str) -> Answer:
        return Answer(200, {"sha": sha, "url": self._at(f"/commits/{sha}")})

    def _get_commit_pulls(self, request: Request, sha: str) -> Answer:
        return self._page(request, [self._pull(pull) for pull in self.pulls.values() if sha in {pull.sha, pull.merged}])

    def _get_permission(self, _request: Request, login: str) -> Answer:
        permission = self.permissions.get(login, "read")
        return Answer(200, {"permission": permission, "role_name": permission, "user": {"login": login}})

    def _get_comments(self, request: Request, number: str) -> Answer:
        if int(number) not in self.pulls:
            return Answer(404, {"message": "Not Found"})
        return self._page(request, [self._comment(c) for c in self.comments if c.issue == int(number)])

    def _post_comment(self, request: Request, number: str) -> Answer:
        if int(number) not in self.pulls:
            return Answer(404, {"message": "Not Found"})
        if self.pulls[int(number)].locked:
            return Answer(403, {"message": "Unable to create comment because issue is locked."})
        if refusal := _unfit(request.body):
            return refusal
        return Answer(201, self._comment(self.add_comment(int(number), request.body["body"])))

    def _patch_comment(self, request: Request, number: str) -> Answer:
        comment = next((c for c in self.comments if c.id == int(number)), None)
        if comment is None:
            return Answer(404, {"message": "Not Found"})
        if comment.login != BOT:
            return Answer(403, {"message": "Resource not accessible by integration"})
        if refusal := _unfit(request.body):
            return refusal
        comment.body = request.body["body"]
        return Answer(200, self._comment(comment))

    def _delete_comment(self, _request: Request, number: str) -> Answer:
        comment = next((c for c in self.comments if c.id == int(number)), None)
        if comment is None:
            return Answer(404, {"message": "Not Found"})
        if comment.login != BOT:
            return Answer(403, {"message": "Resource not accessible by integration"})
        self.comments.remove(comment)
        return Answer(204, "")

    _ROUTES: ClassVar[tuple[tuple[str, str, Callable[..., Answer]], ...]] = (
        ("GET", "", _get_repository),
        ("GET", r"/pulls/(\d+)", _get_pull),
        ("GET", "/pulls", _get_pulls),
        ("GET", "/commits/([0-9a-f]+)", _get_commit),
        ("GET", "/commits/([0-9a-f]+)/pulls", _get_commit_pulls),
        ("GET", r"/collaborators/([^/]+)/permission", _get_permission),
        ("GET", r"/issues/(\d+)/comments", _get_comments),
        ("POST", r"/issues/(\d+)/comments", _post_comment),
        ("PATCH", r"/issues/comments/(\d+)", _patch_comment),
        ("DELETE", r"/issues/comments/(\d+)", _delete_comment),
    )

    def _page(self, request: Request, items: list[Any]) -> Answer:
        size = min(int(request.query.get("per_page", "30")), 100)
        page = int(request.query.get("page", "1"))
        links = {}
        if page * size < len(items):
            query = "&".join(f"{k}={v}" for k, v in {**request.query, "per_page": size, "page": page + 1}.items())
            links["Link"] = f'<{self.url}{request.path}?{query}>; rel="next"'
        return Answer(200, items[(page - 1) * size : page * size], links)

    def _at(self, path: str) -> str:
        return f"{self.url}/repos/{self.repository}{path}"

    def _pull(self, pull: Pull) -> dict[str, Any]:
        return {
            "number": pull.number,
            "state": pull.state,
            "locked": pull.locked,
            "head": {
                "sha": pull.sha,
                "label": pull.label,
                "ref": pull.label.partition(":")[2],
                "repo": {"full_name": pull.home, "url": self._at("")} if pull.home else None,
            },
            "url": self._at(f"/pulls/{pull.number}"),
            "issue_url": self._at(f"/issues/{pull.number}"),
            "base": {"sha": pull.base, "ref": pull.branch},
            "merge_commit_sha": pull.merge or None,
            "merged_at": "2026-11-20T11:00:00Z" if pull.merged else None,
        }

    def _comment(self, comment: Comment) -> dict[str, Any]:
        return {
            "id": comment.id,
            "body": comment.body,
            "user": {"login": comment.login, "type": "Bot" if comment.login == BOT else "User"}
            if comment.login
            else None,
            "created_at": "2026-11-20T10:00:00Z",
            "updated_at": "2026-11-20T10:05:00Z" if comment.edited else "2026-11-20T10:00:00Z",
            "url": self._at(f"/issues/comments/{comment.id}"),
            "html_url": f"{self.url}/{self.repository}/pull/{comment.issue}#issuecomment-{comment.id}",
        }


def _unfit(body: Any) -> Answer | None:
    text = body.get("body") if isinstance(body, dict) else None
    if not isinstance(text, str) or not text.strip():
        return Answer(422, {"message": "Validation Failed"})
    if len(text.encode("utf-16-le")) // 2 > MAX_BODY_UNITS:
        return Answer(422, {"message": "Validation Failed", "errors": ["body is too long (maximum is 65536)"]})
    return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a hanging request must not keep the test
    fake: FakeGitHub

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gives up in the middle of an answer is no error of the server's."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _handle(self) -> None:
        address = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        request = Request(
            method=self.command,
            path=re.sub(r"^/api/v3(?=/)", "", address.path),
            query={name: values[-1] for name, values in parse_qs(address.query).items()},
            authorized=bool(self.headers.get("Authorization")),
            body=json.loads(content) if content else None,
        )
        answer = self.server.fake.answer(request)
        body = answer.body if isinstance(answer.body, str | bytes) else json.dumps(answer.body)
        content = body.encode() if isinstance(body, str) else body
        if not answer.status:
            self.close_connection = True
            return
        try:
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json; charset=utf-8", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if answer.drip_s:
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    self.server.fake.stopped.wait(answer.drip_s)
            else:
                self.wfile.write(content)
        except ConnectionError:
            self.close_connection = True  # the client gave up

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _handle  # noqa: N815 - http.server calls them by these names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
        """Say nothing: the requests are recorded."""


def main(argv: Sequence[str]) -> int:
    """Serve until the process is told to stop."""
    parser = argparse.ArgumentParser(prog="tests.fakes.github", description="A small GitHub API on 127.0.0.1.")
    parser.add_argument("--port", type=int, required=True, help="0: any free one; the address is printed")
    parser.add_argument("--state", type=Path, required=True, help="JSON file that is rewritten after each request")
    parser.add_argument("--repository", default="octo/shop")
    parser.add_argument("--pull", action="append", default=[], metavar="NUMBER:SHA")
    parser.add_argument("--fail", action="append", default=[], metavar="METHOD:STATUS:PATH", help="path: an expression")
    chosen = parser.parse_args(argv)
    pulls = [Pull(number=int(number), sha=sha) for number, _, sha in (text.partition(":") for text in chosen.pull)]
    with FakeGitHub(
        repository=chosen.repository, pulls=pulls, port=chosen.port, state_file=chosen.state.absolute()
    ) as api:
        for method, status, path in (text.split(":", 2) for text in chosen.fail):
            api.fail(method, path, status=int(status))
        sys.stdout.write(f"{api.url}\n")
        sys.stdout.flush()
        try:
            api.stopped.wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
