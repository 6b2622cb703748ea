"""Asks a running service for its paths: known ones, and those that its own answers lead to."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from perfci.rig.host import hosts
from perfci.rig.host.tls import Verify

ANSWER_S = 5.0
MOST_BYTES = 4 * 1024 * 1024

_LINK = re.compile(r"""(?:href=|:\s*)["']((?:https?://|/)[^"'\s<>{}]*)["']""")
_STATIC = re.compile(r"\.(css|js|mjs|map|png|jpe?g|gif|svg|ico|webp|woff2?|ttf|eot|txt|xml|webmanifest|pdf|zip)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the service answered to one GET."""

    path: str
    status: int  # 0: no answer
    seconds: float
    text: str
    location: str = ""  # where a redirect leads

    @property
    def good(self) -> bool:
        """Whether it can be asked under load: a success of its own."""
        return 200 <= self.status < 300


@dataclass(slots=True, kw_only=True)
class Service:
    """A running service that is asked one request at a time, within *limit_s* from the first."""

    base_url: str
    verify: Verify = True
    limit_s: float = 30.0
    clock: Callable[[], float] = time.monotonic
    answers: dict[str, Answer] = field(default_factory=dict)
    _until: float | None = None

    def get(self, path: str) -> Answer | None:
        """The answer to a GET, redirects not followed; None where the time is over."""
        if path in self.answers:
            return self.answers[path]
        self._until = self._until if self._until is not None else self.clock() + self.limit_s
        if self.clock() > self._until:
            return None
        began = self.clock()
        status, text, location = self._get(path)
        answer = Answer(path=path, status=status, seconds=self.clock() - began, text=text, location=location)
        self.answers[path] = answer
        return answer

    def _get(self, path: str) -> tuple[int, str, str]:
        url = hosts.below(self.base_url, path)
        try:
            with (
                requests.Session() as session,
                _direct(session).get(
                    url, timeout=ANSWER_S, allow_redirects=False, stream=True, verify=self.verify
                ) as answer,
            ):
                body = answer.raw.read(MOST_BYTES, decode_content=True).decode("utf-8", errors="replace")
                return answer.status_code, body, answer.headers.get("location", "")
        except (requests.RequestException, HTTPError, ValueError):
            return 0, "", ""

    def first(self, paths: Iterable[str]) -> Answer | None:
        """The first of *paths* that is answered well."""
        return next((answer for path in paths if (answer := self.get(path)) and answer.good), None)

    def crawl(
        self, paths: Iterable[str], *, allowed: Callable[[str], bool], template: Callable[[str], str], most: int
    ) -> Iterator[Answer]:
        """Good answers to *paths* and to the links in them, one for each *template*, at most *most*."""
        waiting, seen, found = list(paths), set[str](), 0
        while waiting and found < most:
            path = waiting.pop(0)
            name = template(path)
            if name in seen or not allowed(path) or _STATIC.search(path):
                continue
            seen.add(name)
            answer = self.get(path)
            if answer is None:
                return
            waiting += [link for link in self._links(answer) if template(link) not in seen]
            if answer.good:
                found += 1
                yield answer

    def _links(self, answer: Answer) -> Iterator[str]:
        """The paths of this service that an answer names."""
        here = hosts.below(self.base_url, answer.path)
        for link in [*([answer.location] if answer.location else []), *_LINK.findall(answer.text)]:
            there = urlsplit(urljoin(here, link.replace("&amp;", "&")))
            if there.netloc == urlsplit(self.base_url).netloc and there.path:
                yield there.path


def _direct(session: requests.Session) -> requests.Session:
    session.trust_env = False  # no proxy stands between us and a service on this machine
    return session
