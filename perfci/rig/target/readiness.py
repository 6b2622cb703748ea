"""Waits with a time limit until a target answers as it should, and reports the last response if it does not."""

import re
import socket
import time
from collections.abc import Callable, Mapping
from typing import Self
from urllib.parse import urljoin

import requests
from pydantic import Field, model_validator
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_delay, wait_fixed
from urllib3.exceptions import HTTPError

from perfci.errors import TargetError
from perfci.rig.host import hosts
from perfci.rig.host.tls import Verify
from perfci.schema import Table

POLL_S = 0.05
PROXY_S = 0.2  # after which an engine's proxy has closed a connection that leads nowhere
ANSWER_S = 2.0  # a single probe that takes longer counts as "no answer yet"
MAX_REDIRECTS = 5
MAX_BODY = 64 * 1024


HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "cGVyZmNpIGlzIGhlcmUuLg==",  # any sixteen bytes (RFC 6455, 4.1)
}
TRUST = "name its authority, tls = { ca = FILE } in [target], or trust anything, tls = { verify = false }"


class Ready(Table):
    """When a target counts as ready."""

    path: str = Field(default="/", pattern="^/")
    status: int = Field(default=200, ge=100, le=599)
    body_contains: str = ""
    headers: dict[str, str] = {}  # that the answer must have, with what each must contain; empty: anything
    tcp: bool = False  # an open port is enough: nothing is asked
    timeout_s: float = Field(default=30.0, gt=0, le=3600)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.tcp and (asked := self.model_fields_set - {"tcp", "timeout_s"}):
            raise ValueError(f"tcp asks nothing: leave out {', '.join(sorted(asked))}")
        return self


def wait(
    ready: Ready,
    base_url: str,
    *,
    died: Callable[[], str],
    logs_tail: Callable[[], str],
    check_every_s: float = 0.0,
    verify: Verify = True,
) -> None:
    """
    Return as soon as *base_url* is ready; TargetError as soon as it died, or when its time is over.

    *died* says why the target is dead, or nothing; where asking is dear, *check_every_s* spares it.
    """
    watch = _Watch(died, check_every_s)

    def probe() -> str:
        seen = _knock(base_url) if ready.tcp else _look(session, ready, base_url, logs_tail)
        reason = watch.now() if not seen else watch.sometimes()
        if reason:
            raise TargetError(
                f"the target ended before it was ready: {reason}{evidence(logs_tail())}",
                hint="start it by hand with the same command and look at what it says",
            )
        return seen

    def too_late(state: RetryCallState) -> None:
        seen = state.outcome.result() if state.outcome else "nothing"
        raise TargetError(
            f"the target was not ready within {ready.timeout_s:g} s at {base_url}{'' if ready.tcp else ready.path}; "
            f"last seen: {seen}{evidence(logs_tail())}",
            hint="check the readiness path, status and timeout_s of the target, and its log",
        )

    with requests.Session() as session:
        session.trust_env = False  # a proxy between us and the target would be measured, too
        session.verify = verify
        Retrying(
            stop=stop_after_delay(ready.timeout_s),
            wait=wait_fixed(POLL_S),
            retry=retry_if_result(bool),
            retry_error_callback=too_late,
        )(probe)


def evidence(log: str) -> str:
    """The end of a log, formatted for a message."""
    return f"\nthe end of its log:\n{log}" if log.strip() else "\n(it wrote no log)"


class _Watch:
    """Checks whether the target died, at most once in *every_s*."""

    def __init__(self, died: Callable[[], str], every_s: float) -> None:
        self._died = died
        self._every_s = every_s
        self._asked = time.monotonic()

    def now(self) -> str:
        self._asked = time.monotonic()
        return self._died()

    def sometimes(self) -> str:
        return self.now() if time.monotonic() - self._asked >= self._every_s else ""


def _look(session: requests.Session, ready: Ready, base_url: str, logs_tail: Callable[[], str]) -> str:
    """Why the target is not ready, as a sentence; empty when it is."""
    url, headers, wanted = hosts.below(base_url, ready.path), {}, ready.status
    if hosts.is_websocket(base_url) and "status" not in ready.model_fields_set:
        headers, wanted = HANDSHAKE, requests.codes.switching_protocols
    for _ in range(MAX_REDIRECTS):
        try:
            with session.get(url, headers=headers, timeout=ANSWER_S, allow_redirects=False, stream=True) as answer:
                # Read even where nobody asks for it: to hang up on an answer makes services log a reset connection.
                body = answer.raw.read(MAX_BODY, decode_content=True).decode("utf-8", errors="replace")
                if answer.status_code == wanted:
                    missing = _missing(ready, answer.headers, body)
                    return f"status {answer.status_code}, but {missing}" if missing else ""
                if not answer.is_redirect:
                    return f"status {answer.status_code}, wanted {wanted}"
                url = _redirected(url, base_url, answer.headers["location"], logs_tail)
        except requests.exceptions.SSLError as error:
            raise _no_trust(error, url) from error
        except (requests.RequestException, HTTPError) as error:
            return _short(error)
    return f"more than {MAX_REDIRECTS} redirects"


def _no_trust(error: Exception, url: str) -> TargetError:
    """The error for a connection that TLS refuses, which is not tried again."""
    if "WRONG_VERSION_NUMBER" in str(error) or "HTTP_REQUEST" in str(error):
        return TargetError(f"the target at {url} does not speak TLS", hint="its address begins with http://")
    found = re.search(r"certificate verify failed: ([^(\n]+)", str(error))
    why = f" ({found[1].strip()})" if found else ""
    return TargetError(
        f"the certificate of the target at {url} cannot be verified{why}",
        hint=f"{TRUST}; `ready = {{ tcp = true }}` waits for the open port alone",
    )


def _missing(ready: Ready, headers: Mapping[str, str], body: str) -> str:
    """What a response with the right status lacks, as a sentence."""
    for name, part in ready.headers.items():
        found = headers.get(name)
        if found is None or part not in found:
            return f"its header {name} is {found[:80]!r}, wanted {part!r}" if found is not None else f"no header {name}"
    return "" if ready.body_contains in body else f"the body does not contain {ready.body_contains!r}"


def _knock(base_url: str) -> str:
    """Why the port is not open, as a sentence; a proxy without a service closes a connection at once."""
    try:
        connection = socket.create_connection(hosts.origin(base_url), timeout=ANSWER_S)
    except OSError:
        return "connection refused, or no answer"
    with connection:
        connection.settimeout(PROXY_S)
        try:
            kept = connection.recv(1)
        except TimeoutError:  # it waits for us to begin
            kept = b"?"
        except OSError:
            kept = b""
    return "" if kept else "the port is open, but the connection is closed again at once"


def _redirected(url: str, base_url: str, location: str, logs_tail: Callable[[], str]) -> str:
    there = urljoin(url, location)
    try:
        same = hosts.origin(there) == hosts.origin(base_url)
    except ValueError:
        same = False
    if same:
        return there
    raise TargetError(
        f"the target at {url} redirects to another host: {there[:200]}{evidence(logs_tail())}",
        hint="perfci measures only the target it was given; choose a readiness path that answers itself",
    )


def _short(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return f"no answer within {ANSWER_S:g} s"
    if isinstance(error, requests.ConnectionError):
        return "connection refused or reset"
    return type(error).__name__
