"""
Defects on request, each one of a kind that slips through reviews: for anyone who has to show that they can see it.

`DEMO_FAULTS=n-plus-one,no-cache` switches them on. Those of the first group make a request do more work. Those of the
second do not: one request at a time is as quick as ever, and only many at once get in each other's way.
"""

import asyncio
import os
from collections.abc import Collection
from enum import StrEnum

from sqlalchemy import Connection, text
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.cache import Cache

LOST_INDEX = "comments_by_ticket"
QUESTIONS = 20  # that a chatty service asks one by one
FEW_CONNECTIONS = 2


class Fault(StrEnum):
    """What can be wrong; the text is what `DEMO_FAULTS` takes."""

    N_PLUS_ONE = "n-plus-one"
    """`GET /tickets/` loads whoever asked for each ticket one by one."""
    EXTRA_QUERY = "extra-query"
    """`GET /tickets/{id}` counts comments that nobody looks at."""
    DROPPED_INDEX = "dropped-index"
    """The comments of a ticket are found by reading all comments."""
    NO_CACHE = "no-cache"
    """What is put into the cache is never there: each request asks the database who has signed in."""
    DOUBLE_PAYLOAD = "double-payload"
    """The answer of `GET /tickets/` is twice as long."""
    CHATTY_UPSTREAM = "chatty-upstream"
    """`GET /reports/dashboard` asks the cache twenty small questions, one after the other."""

    LOCK = "lock"
    """Requests for tickets wait for each other: a lock is held while directory and database are asked."""
    SMALL_POOL = "small-pool"
    """Two connections to the database, instead of one for each worker thread."""
    HALF_WORKERS = "half-workers"
    """Half as many worker threads as there are cores, at least one, instead of forty."""


def parse_faults(listed: str) -> frozenset[Fault]:
    """Read `n-plus-one,no-cache`; ValueError says which one there is not."""
    names = [name.strip() for name in listed.split(",") if name.strip()]
    known = [fault.value for fault in Fault]
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"DEMO_FAULTS: there is no {', '.join(unknown)}; there are {', '.join(known)}")
    return frozenset(map(Fault, names))


def drop_index(connection: Connection) -> None:
    """Lose one."""
    connection.execute(text(f"DROP INDEX IF EXISTS {LOST_INDEX}"))


def few_workers() -> int:
    """The worker threads that are left."""
    return max(1, (os.cpu_count() or 2) // 2)


class ForgetfulCache:
    """A cache in which nothing is ever found."""

    def __init__(self, cache: Cache) -> None:
        """Wraps `cache`, which is asked as before."""
        self._cache = cache
        self.get = cache.get
        self.delete = cache.delete
        self.clear = cache.clear
        self.ping = cache.ping
        self.close = cache.close

    def set(self, key: str, value: str, seconds: int) -> None:
        """Nothing is kept."""


class FaultsMiddleware:
    """The faults that are about whole requests."""

    def __init__(self, app: ASGIApp, faults: Collection[Fault]) -> None:
        """Wraps `app`."""
        self._app = app
        self._doubles = Fault.DOUBLE_PAYLOAD in faults
        self._lock = asyncio.Lock() if Fault.LOCK in faults else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, in its own time and at its own length."""
        path = scope.get("path", "")
        if self._doubles and path == "/tickets/" and scope.get("method") == "GET":
            send = _doubled(send)
        if self._lock is not None and path.startswith("/tickets/"):
            async with self._lock:
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _doubled(send: Send) -> Send:
    """Twice the length, and still the same JSON: the rest is blanks."""
    started: Message | None = None

    async def doubled(message: Message) -> None:
        nonlocal started
        if message["type"] == "http.response.start":
            started = message
            return
        body = message.get("body", b"")
        if started is not None:
            headers = [
                (name, _twice(value) if name == b"content-length" else value) for name, value in started["headers"]
            ]
            await send({**started, "headers": headers})
            started = None
        await send({**message, "body": body + b" " * len(body)})

    return doubled


def _twice(length: bytes) -> bytes:
    return str(2 * int(length)).encode()
